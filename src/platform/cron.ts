import { Cron } from 'croner'
import { isZone } from '../core/calendar.ts'
import { HomeostatError } from '../core/errors.ts'

/**
 * The first moment strictly after `after` (UTC ms) at which a cron expression of five fields fires in an IANA zone;
 * undefined where it never does again. croner does the arithmetic, no timer of it runs.
 *
 * Where minute and hour name moments ("0 2 * * *", "30 2,14 * * *"), each comes once per civil day: one that the spring
 * change skips comes with the end of the gap, one that the autumn change repeats comes the first time. Where they name
 * a pace (a wildcard or a step), time runs on evenly through both changes.
 *
 * Throws HomeostatError `data_invalid`, which names the expression or the zone.
 */
export function nextRun(expression: string, zone: string, after: number): number | undefined {
  if (!isZone(zone)) throw new HomeostatError('data_invalid', { detail: `There is no time zone "${zone}"` })
  return parse(expression, zone).nextRun(new Date(after))?.getTime()
}

/** Nicknames such as @daily and what croner takes beyond cron, such as a date, would be read by nobody else. */
const fiveFields = /^\S+( +\S+){4}$/

function parse(expression: string, zone: string): Cron {
  const trimmed = expression.trim()
  if (!fiveFields.test(trimmed)) {
    throw unreadable(expression, 'it takes five fields: minute, hour, day of month, month, weekday')
  }
  try {
    return new Cron(trimmed, {
      timezone: zone,
      mode: '5-part',
      fixedTimeRule: 'no-wildcard',
      paused: true,
    })
  } catch (error) {
    throw unreadable(expression, reasonOf(error), error)
  }
}

const unreadable = (expression: string, why: string, cause?: unknown): HomeostatError =>
  new HomeostatError(
    'data_invalid',
    { detail: `The cron expression "${expression}" cannot be read: ${why}` },
    cause,
  )

/** "CronPattern: Invalid value for hour: 25" -> "invalid value for hour: 25" */
function reasonOf(error: unknown): string {
  const text = (error instanceof Error ? error.message : String(error)).replace(/^Cron\w+: /, '')
  return `${text.slice(0, 1).toLowerCase()}${text.slice(1).replace(/\.$/, '')}`
}
