import { isZone } from '../../core/calendar.ts'
import { HomeostatError } from '../../core/errors.ts'
import type { EventFunction, Trigger } from '../../core/life.ts'
import { parseId } from '../../core/reading.ts'
import { dayMs } from '../../core/time.ts'
import { type NextRun, shippedPrefix } from './scheduler-timing.ts'

/** A trigger to be added or changed. `nextAt`: when it fires first; default: after one period, or by its cron expression. */
export type TriggerInput = Pick<Trigger, 'name' | 'event' | 'once' | 'enabled'> &
  Partial<Pick<Trigger, 'cron' | 'zone' | 'everyMs' | 'nextAt'>>

/** A function to be added or changed. With the method '' no call is made: the function runs and nothing is sent. */
export type FunctionInput = Pick<EventFunction, 'name' | 'events' | 'action'>

const nameLength = 100
const eventsOfFunction = 20
const urlLength = 2048
const periodMsMin = 1000
const periodMsMax = 10 * 366 * dayMs
const methods = ['', 'GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']

const invalid = (detail: string): HomeostatError => new HomeostatError('data_invalid', { detail })

/** Throws `id_invalid` for what is no name. */
export function checkName(field: string, value: string): string {
  const name = parseId(value, nameLength)
  if (name === undefined) throw new HomeostatError('id_invalid', { field, limit: nameLength })
  return name
}

/** Throws `id_invalid` or `data_invalid` with a sentence that names the fault. */
export function checkTrigger(input: TriggerInput, now: number, nextRun: NextRun): TriggerInput {
  const name = checkName('name', input.name)
  const event = checkName('event', input.event)
  const { cron, zone, everyMs, once, nextAt } = input
  const who = `The trigger "${name}"`
  if (name.startsWith(shippedPrefix))
    throw invalid(`${who} needs a name that does not begin with "${shippedPrefix}"`)
  if (cron !== undefined && everyMs !== undefined)
    throw invalid(`${who} has both a cron expression and a period`)
  if (cron !== undefined) checkCron(who, cron, zone, once, now, nextRun)
  else if (everyMs !== undefined) checkPeriod(who, everyMs, once)
  else if (!once || nextAt === undefined) throw invalid(`${who} needs a cron expression or a period`)
  if (nextAt !== undefined && !Number.isFinite(nextAt)) throw invalid(`${who} has no valid first time`)
  return { ...input, name, event }
}

function checkCron(
  who: string,
  cron: string,
  zone: string | undefined,
  once: boolean,
  now: number,
  nextRun: NextRun,
): void {
  if (once) throw invalid(`${who} fires once; it takes a period or a moment, not a cron expression`)
  if (zone === undefined || !isZone(zone))
    throw invalid(`${who} needs a time zone such as Europe/Berlin for its cron expression`)
  if (nextRun(cron, zone, now) === undefined) throw invalid(`${who} would never fire: no day fits "${cron}"`)
}

function checkPeriod(who: string, everyMs: number, once: boolean): void {
  const least = once ? 0 : periodMsMin
  if (everyMs >= least && everyMs <= periodMsMax) return
  throw invalid(`${who} has a period of ${everyMs} ms; it takes ${least} ms to ten years`)
}

/** Throws `id_invalid` or `data_invalid`. Tasks belong to the hub's own functions. */
export function checkFunction(input: FunctionInput): FunctionInput {
  const name = checkName('name', input.name)
  const events = [...new Set(input.events.map((event) => checkName('events', event)))]
  const { action } = input
  const who = `The function "${name}"`
  if (events.length === 0 || events.length > eventsOfFunction) {
    throw invalid(`${who} waits for ${events.length} events; it takes 1 to ${eventsOfFunction}`)
  }
  if (action.kind === 'task')
    throw invalid(`${who} has a task of the hub as its action; only the hub's own functions may`)
  const method = action.method.trim().toUpperCase()
  if (!methods.includes(method)) throw invalid(`${who} has the method "${action.method}", which is not known`)
  return { name, events, action: { kind: 'call', url: checkUrl(who, action.url), method } }
}

function checkUrl(who: string, given: string): string {
  const url = given.length <= urlLength && URL.canParse(given) ? new URL(given) : undefined
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) {
    throw invalid(`${who} needs an http or https address, not "${given.slice(0, 200)}"`)
  }
  if (url.username !== '' || url.password !== '') {
    throw invalid(
      `${who} has a user or password in its address; it would be shown to whoever may read functions`,
    )
  }
  return url.href
}
