import { HomeostatError } from '../../core/errors.ts'
import type { EventFunction, Trigger } from '../../core/life.ts'
import type { Clock, Log, ScheduleLedger } from '../../core/ports.ts'
import { hourMs, minuteMs } from '../../core/time.ts'
import { Turns } from '../../core/turns.ts'
import {
  checkFunction,
  checkName,
  checkTrigger,
  type FunctionInput,
  type TriggerInput,
} from './scheduler-check.ts'
import { type FunctionStatus, roundsOf } from './scheduler-queue.ts'
import { type Call, Runner, type RunnerParts, type Task } from './scheduler-runs.ts'
import {
  afterFiring,
  afterStepBack,
  firstAt,
  isSameTime,
  mergeTriggers,
  type NextRun,
  timingOf,
} from './scheduler-timing.ts'

export type { Call, Task }

export interface SchedulerParts extends Pick<RunnerParts, 'call' | 'tasks'> {
  readonly schedule: ScheduleLedger
  readonly clock: Clock
  readonly log: Log
  readonly nextRun: NextRun
  /** What the hub ships. A user may change when a trigger fires and switch it off; the functions are fixed. */
  readonly builtIn: { readonly triggers: readonly Trigger[]; readonly functions: readonly EventFunction[] }
}

export interface SchedulerOptions {
  /** The hub's zone: of the timestamps in calls, and of the tasks' context. */
  readonly zone: string
  /** The hub's own site, for tasks. */
  readonly site?: string
  readonly triggers: number
  readonly functions: number
  /** Waiting events of one function; of each kind its share, the newest. */
  readonly queuedEvents: number
  /** UTF-16 units of an event's data as JSON. */
  readonly dataChars: number
  /** Functions that run at the same time. */
  readonly runs: number
  readonly callMs: number
  readonly taskMs: number
  /** Longest sleep: after it a wall clock that was set is noticed. */
  readonly lookMs: number
}

export const schedulerLimits = {
  ...{ triggers: 1000, functions: 1000, queuedEvents: 1000, dataChars: 65_536 },
  ...{ runs: 16, callMs: 10_000, taskMs: hourMs, lookMs: minuteMs },
} as const satisfies Omit<SchedulerOptions, 'zone' | 'site'>

/** After a failure to keep what happened. */
const retryMs = 5000

/**
 * What happens when. Triggers fire events; a function queues the events that it waits for and runs when all of them
 * have come, one of each used up (seed A). No function runs twice at a time.
 *
 * Everything is kept before it is believed, so a restart forgets nothing: what was missed while the hub was down fires
 * once at the start, however often it was due. A firing counts once also where the process ended in the middle of it.
 * A run counts at least once: its events are used up when it ended, so one that was cut off is run again, see Runner.
 */
export class Scheduler {
  readonly #parts: SchedulerParts
  readonly #options: SchedulerOptions
  readonly #runner: Runner
  readonly #triggers = new Map<string, Trigger>()
  readonly #stop = new AbortController()
  #wake = new AbortController()
  readonly #changes = new Turns(1)
  #loop: Promise<void> | undefined
  #lastLook = Number.NEGATIVE_INFINITY
  /** A change could not be kept; told once until everything is kept again. */
  #isFailing = false

  constructor(parts: SchedulerParts, options: SchedulerOptions) {
    this.#parts = parts
    this.#options = options
    this.#runner = new Runner({ ...parts, exclusive: (change) => this.#exclusive(change) }, options)
  }

  /** Takes up where the last process stopped; what was missed has fired when it resolves. Rejects as the ledger does. */
  async start(): Promise<void> {
    await this.#exclusive(async () => {
      await this.#loadTriggers()
      await this.#runner.load(this.#parts.builtIn.functions)
    })
    await this.#look(true)
    this.#loop = this.#watch()
  }

  /** Aborts the runs under way; those that do not finish run again after the next start. */
  async stop(): Promise<void> {
    this.#stop.abort()
    this.#wake.abort()
    await this.#loop
    await this.#runner.stop()
    await this.#changes.run(async () => undefined)
  }

  /**
   * An event from outside, with data that JSON can hold; durable when it resolves. The number of functions that wait
   * for such events. Rejects with `id_invalid`, `data_invalid`, `stopping`.
   */
  async event(name: string, data?: unknown): Promise<number> {
    const event = checkName('name', name)
    const text = data === undefined || data === null ? '' : (JSON.stringify(data) ?? '')
    const { dataChars } = this.#options
    if (text.length > dataChars) {
      throw invalid(`The data of the event "${event}" is larger than ${dataChars} characters`)
    }
    return this.#change(() => this.#runner.queue(event, text, this.#parts.clock.now()))
  }

  /** By name. */
  triggers(): Trigger[] {
    return byName(this.#triggers.values())
  }

  /**
   * Adds a trigger, or changes the one of that name: with other times, or switched on, it is planned as a new one. One
   * that the hub ships keeps its event. Rejects with `id_invalid`, `data_invalid`, `not_acceptable_state` where there
   * are too many, `stopping`.
   */
  putTrigger(input: TriggerInput): Promise<Trigger> {
    return this.#change(async () => {
      const { clock, nextRun } = this.#parts
      const now = clock.now()
      const checked = checkTrigger(input, now, nextRun)
      const known = this.#triggers.get(checked.name)
      if (!known) await this.#makeRoom()
      const trigger = changed(known, checked, now, nextRun)
      await this.#keep(trigger)
      this.#wake.abort()
      return trigger
    })
  }

  /** False where there is none. Rejects with `not_acceptable_state` for one that the hub ships. */
  removeTrigger(name: string): Promise<boolean> {
    return this.#change(async () => {
      if (this.#triggers.get(name)?.builtIn) {
        throw refused(`The trigger "${name}" belongs to the hub; it may be switched off, not removed`)
      }
      this.#triggers.delete(name)
      return this.#parts.schedule.removeTrigger(name)
    })
  }

  /** Fires a trigger now; when it fires next stays as it was. Rejects with `not_found`, `stopping`. */
  run(name: string): Promise<void> {
    return this.#change(async () => {
      const trigger = this.#triggers.get(name)
      if (!trigger) throw new HomeostatError('not_found', { what: `trigger "${name}"` })
      const now = this.#parts.clock.now()
      await this.#runner.queue(trigger.event, '', now)
      await this.#keep({ ...trigger, lastAt: now })
    })
  }

  /** By name. */
  functions(): EventFunction[] {
    return byName(this.#runner.functions())
  }

  /**
   * Adds a function, or replaces the one of that name; events that it still waits for stay queued. Rejects with
   * `id_invalid`, `data_invalid`, `not_acceptable_state` for one of the hub's own or where there are too many.
   */
  async putFunction(input: FunctionInput): Promise<EventFunction> {
    const checked = checkFunction(input)
    this.#refuseOwn(checked.name)
    return this.#change(() => this.#runner.put(checked))
  }

  /** With its queued events; a run under way ends as it would. False where there is none. */
  async removeFunction(name: string): Promise<boolean> {
    this.#refuseOwn(name)
    return this.#change(() => this.#runner.remove(name))
  }

  /** The status of each function, by name. */
  status(): FunctionStatus[] {
    return this.functions().map(({ name, events, lastInvokedAt }) => ({
      ...{ name, subs: events, last_invoke: lastInvokedAt ?? null },
      events: roundsOf(events, this.#runner.waiting(name)),
    }))
  }

  /** A change by a caller. */
  async #change<T>(change: () => Promise<T>): Promise<T> {
    if (this.#stop.signal.aborted) throw new HomeostatError('stopping')
    // before it is loaded, what is kept is not known and would be overwritten
    if (!this.#loop) throw refused('The schedule is not running')
    const result = await this.#exclusive(change)
    this.#runner.dispatch()
    return result
  }

  /** One change after the other: each is kept, then believed. */
  #exclusive<T>(change: () => Promise<T>): Promise<T> {
    return this.#changes.run(change)
  }

  async #loadTriggers(): Promise<void> {
    const { schedule, clock, nextRun, builtIn } = this.#parts
    const kept = await schedule.triggers()
    const { triggers, shipped, gone } = mergeTriggers(kept, builtIn.triggers, clock.now(), nextRun)
    for (const name of gone) await schedule.removeTrigger(name)
    await schedule.putTriggers([...triggers, ...shipped])
    for (const trigger of triggers) this.#triggers.set(trigger.name, trigger)
  }

  async #watch(): Promise<void> {
    const { clock } = this.#parts
    let pauseMs = 0
    while (!this.#stop.signal.aborted) {
      this.#wake = new AbortController()
      await clock.sleep(Math.max(pauseMs, this.#idleMs()), this.#wake.signal)
      if (this.#stop.signal.aborted) return
      pauseMs = (await this.#look()) ? 0 : retryMs
    }
  }

  /** Until the next trigger is due, or the clock is looked at again. */
  #idleMs(): number {
    const due = Math.min(...[...this.#triggers.values()].map(dueAt))
    return Math.min(this.#options.lookMs, Math.max(0, due - this.#parts.clock.now()))
  }

  /** Fires what is due, in that order. False where something could not be kept: it is tried again. */
  async #look(starting = false): Promise<boolean> {
    const allKept = await this.#exclusive(async () => {
      const now = this.#parts.clock.now()
      let failures = 0
      if (starting || now < this.#lastLook) failures += await this.#failed(() => this.#stepBack(now))
      this.#lastLook = now
      const due = [...this.#triggers.values()].filter((trigger) => dueAt(trigger) <= now)
      due.sort((a, b) => dueAt(a) - dueAt(b))
      for (const trigger of due) failures += await this.#failed(() => this.#fire(trigger, now, starting))
      this.#isFailing = failures > 0
      return failures === 0
    })
    this.#runner.dispatch()
    return allKept
  }

  async #failed(change: () => Promise<void>): Promise<0 | 1> {
    try {
      await change()
      return 0
    } catch (error) {
      if (!this.#isFailing)
        this.#parts.log.error('The schedule could not be kept; it is tried again.', { error: String(error) })
      this.#isFailing = true
      return 1
    }
  }

  async #stepBack(now: number): Promise<void> {
    for (const trigger of this.#triggers.values()) {
      const planned = this.#planned(trigger, () => afterStepBack(trigger, now, this.#parts.nextRun))
      if (planned !== trigger) await this.#keep(planned)
    }
  }

  /**
   * The events first, then the trigger. Where the process ended between the two, the trigger fires again at the start
   * and finds its event in the queue: runs begin after both are kept.
   */
  async #fire(trigger: Trigger, now: number, starting: boolean): Promise<void> {
    const fired = this.#planned(trigger, () => afterFiring(trigger, now, this.#parts.nextRun))
    await this.#runner.queue(trigger.event, '', now, starting ? trigger.nextAt : undefined)
    await this.#keep(fired)
  }

  /** A kept expression or zone that cannot be read any more costs its own trigger only. */
  #planned(trigger: Trigger, plan: () => Trigger): Trigger {
    try {
      return plan()
    } catch (error) {
      this.#parts.log.error('A trigger was switched off: it cannot be planned.', {
        trigger: trigger.name,
        error: String(error),
      })
      return { ...trigger, enabled: false }
    }
  }

  async #keep(trigger: Trigger): Promise<void> {
    await this.#parts.schedule.putTriggers([trigger])
    this.#triggers.set(trigger.name, trigger)
  }

  /** Room for one more trigger: where there is none, the longest spent one-shot goes. */
  async #makeRoom(): Promise<void> {
    const most = this.#options.triggers
    if (this.#triggers.size < most) return
    const spent = [...this.#triggers.values()].filter(
      ({ once, enabled, builtIn, lastAt }) => once && !enabled && !builtIn && lastAt !== undefined,
    )
    const oldest = spent.sort((a, b) => (a.lastAt ?? 0) - (b.lastAt ?? 0))[0]
    if (!oldest) throw refused(`The hub keeps ${most} triggers already; remove one first`)
    await this.#parts.schedule.removeTrigger(oldest.name)
    this.#triggers.delete(oldest.name)
  }

  #refuseOwn(name: string): void {
    if (!this.#parts.builtIn.functions.some((own) => own.name === name)) return
    throw refused(`The function "${name}" belongs to the hub`)
  }
}

const invalid = (detail: string): HomeostatError => new HomeostatError('data_invalid', { detail })
const refused = (detail: string): HomeostatError => new HomeostatError('not_acceptable_state', { detail })

const dueAt = ({ enabled, nextAt }: Trigger): number =>
  enabled && nextAt !== undefined ? nextAt : Number.POSITIVE_INFINITY

const byName = <Item extends { readonly name: string }>(items: Iterable<Item>): Item[] =>
  [...items].sort((a, b) => (a.name < b.name ? -1 : 1))

/** The trigger after a change to `input`. */
function changed(known: Trigger | undefined, input: TriggerInput, now: number, nextRun: NextRun): Trigger {
  const { name, event, once } = known?.builtIn ? known : input
  const { enabled } = input
  const timing = timingOf(input)
  const firstAtGiven = input.nextAt === known?.nextAt ? undefined : input.nextAt
  const isSame = known !== undefined && isSameTime(known, timing) && known.zone === timing.zone
  const stays = isSame && known.enabled === enabled && firstAtGiven === undefined
  const first = timing.cron === undefined && firstAtGiven !== undefined ? firstAtGiven : undefined
  const nextAt = stays ? known.nextAt : enabled ? (first ?? firstAt(timing, now, nextRun)) : undefined
  return {
    ...{ name, event, once, enabled, builtIn: known?.builtIn ?? false },
    ...timing,
    ...(known?.lastAt === undefined ? {} : { lastAt: known.lastAt }),
    ...(nextAt === undefined ? {} : { nextAt }),
  }
}
