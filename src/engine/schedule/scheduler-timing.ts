import type { Trigger } from '../../core/life.ts'
import { hourMs } from '../../core/time.ts'

/**
 * The first moment strictly after `after` (UTC ms) at which a cron expression fires in a zone, undefined where it never
 * does. Throws HomeostatError `data_invalid` where the expression or the zone cannot be read.
 */
export type NextRun = (cron: string, zone: string, after: number) => number | undefined

type Timing = Pick<Trigger, 'cron' | 'zone' | 'everyMs'>

/** A step back of the wall clock up to this is waited out, so that a daily job does not come twice that day. */
const stepBackMs = hourMs

/** When a trigger that is new, changed or switched on fires for the first time: after one whole period. */
export function firstAt(timing: Timing, now: number, nextRun: NextRun): number | undefined {
  const { cron, zone, everyMs } = timing
  if (cron !== undefined) return nextRun(cron, zone ?? 'UTC', now)
  return everyMs === undefined ? undefined : now + everyMs
}

/**
 * The trigger after it fired at `now`, which may be long after it was due: what was missed counts as one. Periods keep
 * their beat, but after a missed one they begin anew, so that two runs do not come close together.
 */
export function afterFiring(trigger: Trigger, now: number, nextRun: NextRun): Trigger {
  const { nextAt: due = now, ...rest } = trigger
  const fired = { ...rest, lastAt: now }
  if (trigger.once) return { ...fired, enabled: false }
  const { everyMs } = trigger
  const onBeat = everyMs === undefined ? undefined : due + everyMs
  const nextAt = onBeat !== undefined && onBeat > now ? onBeat : firstAt(trigger, now, nextRun)
  return nextAt === undefined ? { ...fired, enabled: false } : { ...fired, nextAt }
}

/**
 * The trigger after the wall clock was set back to `now`. What was planned or fired in what is the future now would
 * wait for that future to pass: a period begins anew, and a cron expression is looked at anew, but for a small step.
 */
export function afterStepBack(trigger: Trigger, now: number, nextRun: NextRun): Trigger {
  const { lastAt, nextAt, everyMs, cron } = trigger
  if (trigger.once || nextAt === undefined) return trigger
  const aheadMs = lastAt === undefined ? 0 : Math.max(0, lastAt - now)
  // one that never fired may have been given a first time that lies further ahead than its period
  const soonest = cron === undefined && aheadMs === 0 ? undefined : firstAt(trigger, now, nextRun)
  if (soonest === undefined || soonest >= nextAt) return trigger
  const waits = everyMs === undefined && aheadMs > 0 && aheadMs <= stepBackMs
  return waits ? trigger : { ...trigger, nextAt: soonest }
}

/**
 * Beside each trigger that the hub ships lies a row of this name: the trigger as it was shipped last time. What differs
 * from it is the user's own change and stays; what does not follows the configuration. Never fires, never shown.
 */
export const asShipped = (name: string): string => `${shippedPrefix}${name}`
export const shippedPrefix = 'shipped:'

/** `triggers` fire; `shipped` are kept for the next merge; `gone` are names of rows that are not shipped any more. */
export interface MergedTriggers {
  readonly triggers: readonly Trigger[]
  readonly shipped: readonly Trigger[]
  readonly gone: readonly string[]
}

/** What the ledger kept, what its user changed of it, and what the hub ships now. */
export function mergeTriggers(
  kept: readonly Trigger[],
  shipped: readonly Trigger[],
  now: number,
  nextRun: NextRun,
): MergedTriggers {
  const known = new Map(kept.map((trigger) => [trigger.name, trigger]))
  const names = new Set(shipped.flatMap(({ name }) => [name, asShipped(name)]))
  const others = kept.filter(({ name }) => !names.has(name))
  return {
    triggers: [
      ...shipped.map((one) =>
        mergeOne(one, known.get(one.name), known.get(asShipped(one.name)), now, nextRun),
      ),
      ...others.filter(({ builtIn }) => !builtIn),
    ],
    shipped: shipped.map((one) => ({ ...one, name: asShipped(one.name), builtIn: true })),
    gone: others.flatMap(({ name, builtIn }) => (builtIn ? [name] : [])),
  }
}

function mergeOne(
  shipped: Trigger,
  kept: Trigger | undefined,
  before: Trigger | undefined,
  now: number,
  nextRun: NextRun,
): Trigger {
  const { name, event, once } = shipped
  const last = kept?.builtIn ? kept : undefined
  const zone = shipped.zone ?? last?.zone
  const isOwnTime = last !== undefined && before !== undefined && !isSameTime(last, before)
  const isOwnSwitch = last !== undefined && before !== undefined && last.enabled !== before.enabled
  // a spent one-shot was not switched off by anybody
  const spent = once && last?.lastAt !== undefined
  const enabled = isOwnSwitch || spent ? last.enabled : shipped.enabled
  const timing = timingOf({ ...(isOwnTime ? last : shipped), ...(zone === undefined ? {} : { zone }) })
  const merged = {
    ...{ name, event, once, enabled, builtIn: true },
    ...timing,
    ...(last?.lastAt === undefined ? {} : { lastAt: last.lastAt }),
  }
  if (!enabled) return merged
  const isAsPlanned = last !== undefined && isSameTime(last, timing) && last.zone === timing.zone
  const nextAt = (isAsPlanned ? last.nextAt : shipped.nextAt) ?? firstAt(timing, now, nextRun)
  return nextAt === undefined ? merged : { ...merged, nextAt }
}

/** Whether two fire by the same expression or period; the zone is the hub's and may move. */
export const isSameTime = (a: Timing, b: Timing): boolean => a.cron === b.cron && a.everyMs === b.everyMs

/** Only the timing: a cron expression with its zone, or a period. */
export const timingOf = ({ cron, zone, everyMs }: Timing): Timing => ({
  ...(cron === undefined ? {} : { cron }),
  ...(cron === undefined || zone === undefined ? {} : { zone }),
  ...(everyMs === undefined ? {} : { everyMs }),
})
