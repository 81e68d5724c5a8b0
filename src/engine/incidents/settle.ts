import {
  compareLevels,
  type Incident,
  type IncidentChange,
  type IncidentNotification,
  type IncidentStatus,
} from '../../core/incident.ts'
import { without } from './grouping.ts'
import type { IncidentOptions } from './options.ts'

/** What is known of an incident beside itself. */
export interface Circumstances {
  readonly now: number
  /** A maintenance window covers its target. */
  readonly isCovered: boolean
  /** An alert has just been reported as open for the first time, even if it is closed by now. */
  readonly hasNewAlert?: boolean
}

/**
 * Moves an incident to where its alerts, people and the time put it, and decides whether people are told.
 * `before` is the incident as it was last settled, `incident` the same one with new alerts or deeds in it.
 * Returns undefined where nothing changed.
 */
export function settle(
  before: Incident | undefined,
  incident: Incident,
  { now, isCovered, hasNewAlert = false }: Circumstances,
  options: IncidentOptions,
): IncidentChange | undefined {
  const isActive = incident.closedAt === undefined
  const hasRisen = before !== undefined && compareLevels(incident.level, before.level) > 0
  const isExempt = incident.level === 'critical' && options.emergencyDomains.includes(incident.target.domain)
  let next: Incident = { ...incident, suppressed: isCovered && !isExempt }
  if (next.resolvedAt !== undefined && (isActive || hasNewAlert)) {
    next = without(next, 'resolvedAt', 'resolvedBy', 'acknowledged')
  }
  if (hasRisen) next = without(next, 'acknowledged', 'snoozed')
  const isAwake = next.snoozed !== undefined && next.snoozed.until <= now
  if (isAwake) next = without(next, 'snoozed')
  const resolvedAt = (next.closedAt ?? Number.POSITIVE_INFINITY) + options.resolveAfterMs
  if (next.resolvedAt === undefined && resolvedAt <= now) next = { ...next, resolvedAt }

  const hasReturned = before?.resolvedAt !== undefined || before?.notifiedAt !== undefined
  const moves = { now, isActive, hasNewAlert, hasReturned, hasRisen, isAwake }
  const reason = reasonToTell(next, moves, options)
  const notify = isSilent(next) ? undefined : reason
  next = { ...noted(next, notify, now), status: statusOf(next) }
  if (before !== undefined && isSame(before, next)) return undefined
  const changed = { ...next, revision: (before?.revision ?? 0) + 1 }
  return notify === undefined ? { incident: changed } : { incident: changed, notify }
}

/** When the incident must be settled next without news of it; Infinity where only news can move it. */
export function dueAt(incident: Incident, options: IncidentOptions): number {
  if (incident.resolvedAt !== undefined) return Number.POSITIVE_INFINITY
  const { closedAt = Number.POSITIVE_INFINITY, snoozed } = incident
  return Math.min(
    closedAt + options.resolveAfterMs,
    snoozed?.until ?? Number.POSITIVE_INFINITY,
    isSilent(incident) ? Number.POSITIVE_INFINITY : escalationAt(incident, options),
  )
}

interface Moves {
  readonly now: number
  readonly isActive: boolean
  readonly hasNewAlert: boolean
  readonly hasReturned: boolean
  readonly hasRisen: boolean
  readonly isAwake: boolean
}

function reasonToTell(
  incident: Incident,
  { now, isActive, hasNewAlert, hasReturned, hasRisen, isAwake }: Moves,
  options: IncidentOptions,
): IncidentNotification | undefined {
  const { notifiedAt, acknowledged, resolvedAt } = incident
  // it is cleared once it is resolved, so that people are told of that once, and only if they knew
  if (resolvedAt !== undefined && !hasNewAlert) return notifiedAt === undefined ? undefined : 'resolved'
  if (acknowledged !== undefined || !(isActive || hasNewAlert)) return undefined
  if (notifiedAt === undefined) return hasReturned ? 'reopened' : 'opened'
  if (hasRisen) return 'escalated'
  if (isAwake) return 'reopened'
  return escalationAt(incident, options) <= now ? 'escalated' : undefined
}

/** Time of the next reminder; Infinity where there will be none. */
function escalationAt(incident: Incident, options: IncidentOptions): number {
  const { notifiedAt, acknowledged, level, escalations, closedAt } = incident
  const afterMs = options.escalateAfterMs[level]
  const isDone = acknowledged !== undefined || closedAt !== undefined || escalations >= options.escalationsMax
  return isDone || notifiedAt === undefined || afterMs <= 0 ? Number.POSITIVE_INFINITY : notifiedAt + afterMs
}

/** What the decision to tell people leaves in the incident. */
function noted(incident: Incident, notify: IncidentNotification | undefined, now: number): Incident {
  if (incident.resolvedAt !== undefined) return { ...without(incident, 'notifiedAt'), escalations: 0 }
  if (notify === undefined) return incident
  return {
    ...incident,
    notifiedAt: now,
    escalations: notify === 'escalated' ? incident.escalations + 1 : 0,
  }
}

const isSilent = ({ suppressed, snoozed }: Incident): boolean => suppressed || snoozed !== undefined

function statusOf({ resolvedAt, snoozed, acknowledged }: Incident): IncidentStatus {
  if (resolvedAt !== undefined) return 'resolved'
  if (snoozed !== undefined) return 'snoozed'
  return acknowledged === undefined ? 'open' : 'acknowledged'
}

/** Settling makes a new object each time; only its fields tell whether anything changed. */
function isSame(before: Incident, after: Incident): boolean {
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]) as Set<keyof Incident>
  for (const key of keys) if (before[key] !== after[key]) return false
  return true
}
