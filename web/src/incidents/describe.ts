import type { Incident, MaintenanceWindow } from '../api/types.ts'
import { deciderText } from '../forecast/life.ts'
import { dayOf, endOfDay, momentOf } from '../format/day.ts'
import { plural, spans, spanText, timeText } from '../format/time.ts'
import { metricName, plainName } from '../format/words.ts'

export const levelTones = { critical: 'red', warning: 'amber', info: 'muted' } as const

const ranks = { critical: 0, warning: 1, info: 2 } as const

/** Those that nobody takes care of first, then the most urgent, then the newest. */
export const byUrgency = (a: Incident, b: Incident): number =>
  Number(isAttended(a)) - Number(isAttended(b)) || ranks[a.level] - ranks[b.level] || b.since - a.since

const isAttended = ({ status, suppressed }: Incident): boolean => status !== 'open' || suppressed

/**
 * What it is about: a device with its metric, or a room, and the domain where that says more. `nameOf` names a device, or
 * an id that is none.
 */
export function subjectText({ target, device, metric }: Incident, nameOf: (id: string) => string): string {
  const name = target.subject === '*' ? 'Whole site' : nameOf(device ?? target.subject)
  if (metric !== undefined) return `${name} · ${metricName(metric)}`
  return target.domain === 'thresholds' ? name : `${name} · ${plainName(target.domain)}`
}

/** What is to be known of it beside its level, as tags. */
export function statusTags(incident: Incident, zone: string): { text: string; tone: string }[] {
  const { status, suppressed, late, snoozed, acknowledged, resolvedBy } = incident
  const tags: { text: string; tone: string }[] = []
  if (status === 'resolved') {
    tags.push({ text: resolvedBy ? `Resolved by ${deciderText(resolvedBy)}` : 'Resolved', tone: 'accent' })
  } else if (snoozed) {
    tags.push({ text: `Snoozed until ${timeText(snoozed.until, zone, 'dayClock')}`, tone: 'muted' })
  } else if (acknowledged) {
    tags.push({ text: `Acknowledged by ${deciderText(acknowledged.by)}`, tone: 'accent' })
  }
  if (suppressed && status !== 'resolved') tags.push({ text: 'Maintenance', tone: 'muted' })
  if (late) tags.push({ text: 'Reported late', tone: 'muted' })
  return tags
}

/** Since when, how long, how often people were reminded. */
export function courseText(incident: Incident, zone: string): string {
  const { since, closedAt, escalations, status } = incident
  const parts = [`since ${timeText(since, zone, 'full')}`]
  if (closedAt !== undefined) parts.push(`over after ${spanText(since, closedAt)}`)
  if (escalations > 0 && status === 'open') parts.push(plural(escalations, 'reminder'))
  return parts.join(' · ')
}

/** Until when an incident may be snoozed at a click: now + 15 min, + 1 h, seven in the morning of the next day. */
export function snoozeChoices(now: number, zone: string): { text: string; until: number }[] {
  const tomorrow = endOfDay(dayOf(now, zone), zone) ?? now + spans.dayMs
  const morning = momentOf(`${dayOf(tomorrow, zone)}T07:00`, zone) ?? tomorrow
  return [
    { text: '15 min', until: now + 15 * spans.minuteMs },
    { text: '1 h', until: now + spans.hourMs },
    { text: 'until tomorrow', until: morning },
  ]
}

/** What a maintenance window covers. */
export function coverText({ domain, subject }: MaintenanceWindow, nameOf: (id: string) => string): string {
  const of = subject === undefined ? 'the whole site' : nameOf(subject)
  return domain === undefined ? of : `${of}, ${plainName(domain)} only`
}
