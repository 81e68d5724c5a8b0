import type { Alert } from '../../core/event.ts'
import { minuteMs } from '../../core/time.ts'
import type { IncidentOptions } from './options.ts'

/** Alerts and settings for the tests of incidents. */

export const start = Date.parse('2027-01-04T10:00:00Z')

export const options: IncidentOptions = {
  resolveAfterMs: 5 * minuteMs,
  coolDownMs: 15 * minuteMs,
  escalateAfterMs: { critical: 5 * minuteMs, warning: 60 * minuteMs, info: 0 },
  escalationsMax: 3,
  emergencyDomains: ['smoke', 'occupancy'],
  alertsKept: 50,
  windowsMax: 3,
}

/** UTC ms, so many minutes after the start. */
export const minute = (minutes: number): number => start + minutes * minuteMs

/** An alert of the rule "stuffy" that began then, and ended then if `until` is given; both in minutes. */
export function made(
  since: number,
  until?: number,
  { site = 'home', domain = 'thresholds', subject = 'air', ...change }: Partial<Alert & Alert['target']> = {},
): Alert {
  return {
    target: { site, domain, subject },
    device: subject,
    metric: 'co2',
    rule: 'stuffy',
    level: 'warning',
    since: minute(since),
    at: minute(until ?? since),
    message: 'The air is stuffy.',
    value: 1500,
    ...(until === undefined ? {} : { until: minute(until) }),
    ...change,
  }
}
