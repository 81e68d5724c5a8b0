import type { AlertLevel } from '../../core/event.ts'

export interface IncidentOptions {
  /** How long all alerts of an incident must be closed before it resolves. */
  readonly resolveAfterMs: number
  /** How long after it resolved an alert opens the same incident again. */
  readonly coolDownMs: number
  /** How long an open incident may stay unacknowledged before people are told again; 0: for ever. */
  readonly escalateAfterMs: Readonly<Record<AlertLevel, number>>
  /** Reminders of one incident. */
  readonly escalationsMax: number
  /** Domains whose critical alerts no maintenance window silences. */
  readonly emergencyDomains: readonly string[]
  /** Alerts that an incident keeps; older ones are only counted. */
  readonly alertsKept: number
  /** Maintenance windows that have not ended. */
  readonly windowsMax: number
}
