/**
 * Incidents: alerts that belong together, and what people did about them. Times are UTC epoch milliseconds.
 */
import type { Alert, AlertLevel } from './event.ts'
import type { Target } from './target.ts'

/**
 * - `open`: nobody has taken care of it yet
 * - `acknowledged`: somebody takes care of it; it is not escalated
 * - `snoozed`: silent until a time, or until its level rises
 * - `resolved`: all its alerts have been closed for a while, or somebody resolved it
 */
export type IncidentStatus = 'open' | 'acknowledged' | 'snoozed' | 'resolved'

/** What people must be told of. */
export type IncidentNotification = 'opened' | 'escalated' | 'reopened' | 'resolved'

/** An alert as its incident keeps it. */
export interface IncidentAlert extends Alert {
  /** When somebody resolved the incident although the condition still held. */
  readonly dismissedAt?: number
}

/** What a person did: who, and when. */
export interface Deed {
  readonly by: string
  readonly at: number
}

/** Alerts of one target about one series, or about the target itself, in one stretch of time. */
export interface Incident {
  /** Derived from the key of the alert that opened it, so that the same alert never opens a second one. */
  readonly id: string
  readonly target: Target
  /** The measured series that it is about; absent where it is about the target itself. */
  readonly device?: string
  readonly metric?: string
  /** The highest of its alerts. */
  readonly level: AlertLevel
  readonly status: IncidentStatus
  /** A maintenance window covers it now: it is recorded, and nobody is told. */
  readonly suppressed: boolean
  /** The alert that opened it was late. */
  readonly late: boolean
  /** Of the newest alert of the highest level. */
  readonly message: string
  /** Start of the alert that opened it; never changes. */
  readonly since: number
  /** End of its last alert; absent while an alert is open. */
  readonly closedAt?: number
  readonly resolvedAt?: number
  /** Who resolved it; absent where it resolved by itself. */
  readonly resolvedBy?: string
  /** Alerts that it has had; above 1 the condition came back. */
  readonly occurrences: number
  readonly acknowledged?: Deed
  readonly snoozed?: Deed & { readonly until: number }
  /** When people were last told that it is open; absent while they do not know, or once it is resolved. */
  readonly notifiedAt?: number
  /** Reminders since it was opened. */
  readonly escalations: number
  /** By start, then rule; the newest of them where there are many. */
  readonly alerts: readonly IncidentAlert[]
  /** Of each rule, the start of the newest alert that is not among `alerts` any more. */
  readonly dropped: readonly { readonly rule: string; readonly since: number }[]
  /** Grows with every change. */
  readonly revision: number
}

/** An incident as it is now, and what people must be told of it. */
export interface IncidentChange {
  readonly incident: Incident
  readonly notify?: IncidentNotification
}

/** Work is being done: alerts in [from, to) are recorded, and nobody is told. */
export interface MaintenanceWindow {
  readonly id: string
  readonly site: string
  /** Absent: all domains. */
  readonly domain?: string
  /** A device or a room; absent: all of them. */
  readonly subject?: string
  readonly from: number
  readonly to: number
  readonly by: string
  readonly reason: string
}

const ranks: Readonly<Record<AlertLevel, number>> = { info: 0, warning: 1, critical: 2 }

/** Above 0 where `a` is more urgent than `b`. */
export const compareLevels = (a: AlertLevel, b: AlertLevel): number => ranks[a] - ranks[b]

/** When it was over for good: resolved, and each of its alerts closed. Undefined before. */
export const endedAt = ({ resolvedAt, alerts }: Incident): number | undefined =>
  alerts.every(({ until }) => until !== undefined) ? resolvedAt : undefined

export const isResolved = ({ status }: Pick<Incident, 'status'>): boolean => status === 'resolved'
