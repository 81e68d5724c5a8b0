import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js'
import type { Alert } from '../../core/event.ts'
import { compareLevels, type Incident, type IncidentAlert } from '../../core/incident.ts'
import { targetId } from '../../core/target.ts'
import type { IncidentOptions } from './options.ts'

/**
 * Which alerts belong together. Only the alerts' own times decide, never the moment of their arrival: alerts that
 * come again, or after a restart, end in the same incidents.
 */

/** Alerts of one group can share an incident: those of a target about one series, or about the target itself. */
export const groupId = ({ target, device = '', metric = '' }: Alert | Incident): string =>
  `${targetId(target)}\u001f${device}\u001f${metric}`

/** When the condition ended, or was dismissed; undefined while it holds. */
export const endOf = ({ until, dismissedAt }: IncidentAlert): number | undefined => dismissedAt ?? until

export const isOpenAlert = (alert: IncidentAlert): boolean => endOf(alert) === undefined

/** Whether the incident has counted this alert before. */
export const knows = (incident: Incident, alert: Alert): boolean =>
  incident.alerts.some((known) => isSameAlert(known, alert)) ||
  (alert.since >= incident.since &&
    incident.dropped.some(({ rule, since }) => rule === alert.rule && alert.since <= since))

/** Whether a new alert of the group belongs to the incident: it overlaps it, or follows or precedes it closely. */
export function fits(incident: Incident, alert: Alert, options: IncidentOptions): boolean {
  const reachMs = options.resolveAfterMs + options.coolDownMs
  const end = endOf(alert) ?? Number.POSITIVE_INFINITY
  const closedAt = incident.closedAt ?? Number.POSITIVE_INFINITY
  return alert.since <= closedAt + reachMs && end + reachMs >= incident.since
}

/** The incident that an alert opens; `join` brings in the alert itself. */
export function incidentOf(alert: Alert): Incident {
  const { target, rule, device, metric, level, since, message, late = false } = alert
  const key = JSON.stringify([rule, target.site, target.domain, target.subject, since])
  return {
    id: bytesToHex(sha256(utf8ToBytes(key))).slice(0, 24),
    target,
    ...(device === undefined ? {} : { device }),
    ...(metric === undefined ? {} : { metric }),
    level,
    status: 'open',
    suppressed: false,
    late,
    message,
    since,
    occurrences: 0,
    escalations: 0,
    alerts: [],
    dropped: [],
    revision: 0,
  }
}

/** The incident with the alert in it; the same object where the alert tells nothing new. */
export function join(incident: Incident, alert: Alert, options: IncidentOptions): Incident {
  const known = incident.alerts.find((other) => isSameAlert(other, alert))
  if (known === undefined && knows(incident, alert)) return incident
  const merged = known === undefined ? alert : merge(known, alert)
  if (merged === known) return incident
  const all = [...incident.alerts.filter((other) => other !== known), merged].sort(byStart)
  const { closedAt = Number.POSITIVE_INFINITY } = incident
  // it had resolved, or was about to: whoever acknowledged it did not acknowledge this
  const hasReturned = known === undefined && alert.since > closedAt + options.resolveAfterMs
  const base = hasReturned
    ? without(incident, 'resolvedAt', 'resolvedBy', 'acknowledged', 'notifiedAt')
    : incident
  return withAlerts(
    {
      ...base,
      level: compareLevels(merged.level, incident.level) > 0 ? merged.level : incident.level,
      message: messageOf(all),
      occurrences: incident.occurrences + (known === undefined ? 1 : 0),
    },
    all,
    options.alertsKept,
  )
}

/** The incident without its open alerts: somebody does not want to hear of them any more. */
export function dismiss(incident: Incident, at: number): Incident {
  const alerts = incident.alerts.map((alert) => (isOpenAlert(alert) ? { ...alert, dismissedAt: at } : alert))
  return withAlerts(incident, alerts, alerts.length)
}

function withAlerts(incident: Incident, all: readonly IncidentAlert[], most: number): Incident {
  const { alerts, dropped } = trim(all, most, incident.dropped)
  const rest = { ...without(incident, 'closedAt'), alerts, dropped }
  if (alerts.some(isOpenAlert)) return rest
  const closedAt = all.reduce((last, alert) => Math.max(last, endOf(alert) ?? last), incident.closedAt ?? 0)
  return { ...rest, closedAt }
}

type OptionalField = 'closedAt' | 'resolvedAt' | 'resolvedBy' | 'acknowledged' | 'snoozed' | 'notifiedAt'

export function without(incident: Incident, ...fields: readonly OptionalField[]): Incident {
  const rest: { -readonly [Key in keyof Incident]: Incident[Key] } = { ...incident }
  for (const field of fields) delete rest[field]
  return rest
}

const isSameAlert = (a: Alert, b: Alert): boolean => a.since === b.since && a.rule === b.rule

const byStart = (a: Alert, b: Alert): number =>
  a.since - b.since || (a.rule < b.rule ? -1 : a.rule > b.rule ? 1 : 0)

/** The later report of an alert counts. One that was closed stays closed: an open report of it is an old one. */
function merge(known: IncidentAlert, report: Alert): IncidentAlert {
  const isClosing = known.until === undefined && report.until !== undefined
  const isOld = known.until !== undefined && report.until === undefined
  if (isOld || (!isClosing && report.at <= known.at)) return known
  return known.dismissedAt === undefined ? report : { ...report, dismissedAt: known.dismissedAt }
}

/** Closed alerts go first, the oldest of them; what went is remembered by the start of the newest of each rule. */
function trim(
  alerts: readonly IncidentAlert[],
  most: number,
  before: Incident['dropped'],
): Pick<Incident, 'alerts' | 'dropped'> {
  let excess = alerts.length - most
  if (excess <= 0) return { alerts, dropped: before }
  const dropped = new Map(before.map(({ rule, since }) => [rule, since]))
  const kept = alerts.filter((alert) => {
    if (excess <= 0 || isOpenAlert(alert)) return true
    excess--
    dropped.set(alert.rule, Math.max(dropped.get(alert.rule) ?? alert.since, alert.since))
    return false
  })
  return { alerts: kept, dropped: Array.from(dropped, ([rule, since]) => ({ rule, since })) }
}

function messageOf(alerts: readonly IncidentAlert[]): string {
  let best = alerts[0]
  for (const alert of alerts) {
    if (best === undefined || compareLevels(alert.level, best.level) >= 0) best = alert
  }
  return best?.message ?? ''
}
