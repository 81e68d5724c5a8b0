import { HomeostatError } from '../../core/errors.ts'
import type { EventFunction, QueuedEvent } from '../../core/life.ts'
import type { Clock, Log, ScheduleLedger } from '../../core/ports.ts'
import type { FunctionInput } from './scheduler-check.ts'
import { bodyOf, firstOfEach, withEvent } from './scheduler-queue.ts'

/** Work of the hub itself. Rejects with a sentence where it failed; ends early, by rejecting, when the signal aborts. */
export type Task = (context: {
  readonly zone: string
  readonly site?: string
  readonly signal: AbortSignal
}) => Promise<void>

/** Sends the body to an address; rejects with a sentence where the other side did not take it. */
export type Call = (url: string, method: string, body: unknown, signal: AbortSignal) => Promise<void>

export interface RunnerParts {
  readonly schedule: ScheduleLedger
  readonly clock: Clock
  readonly log: Log
  readonly call: Call
  readonly tasks: Readonly<Record<string, Task>>
  /** Lets changes of the schedule happen one after the other. */
  readonly exclusive: <T>(change: () => Promise<T>) => Promise<T>
}

export interface RunnerOptions {
  readonly zone: string
  readonly site?: string
  readonly functions: number
  readonly queuedEvents: number
  readonly runs: number
  readonly callMs: number
  readonly taskMs: number
}

interface Entry {
  function: EventFunction
  queue: readonly QueuedEvent[]
  /** Events were dropped since it last ran; logged once. */
  overflowing: boolean
}

/** What one more event makes of the queue of a function. */
interface QueueChange {
  readonly entry: Entry
  readonly added: QueuedEvent
  readonly queue: readonly QueuedEvent[]
  readonly dropped: QueuedEvent | undefined
}

interface Run {
  readonly taken: readonly QueuedEvent[]
  readonly abort: AbortController
  done: Promise<void>
}

const errorChars = 500
/** How long a stop waits for runs that do not heed their signal. */
const stopMs = 5000

/** The error in the ledger while a run is under way; only a hub whose predecessor ended in the middle reads it. */
export const outcomeLost = 'The hub ended before the outcome of this run was kept.'
export const outcomeLostTwice =
  'The hub ended twice before the outcome of this run was kept; it is not run again.'

/**
 * The functions, their queues and their runs. `queue`, `put`, `remove` and `load` are changes: they run inside
 * `exclusive`, and memory follows the ledger.
 *
 * A run is at least once. Its events are used up when it has ended, well or not; a process that ends in the middle
 * leaves them in the queue and a mark with the function, so the next one runs it again. A second end in the middle is
 * taken as the fault of the run: it is given up, or a task that brings the hub down would do so at every start.
 */
export class Runner {
  readonly #parts: RunnerParts
  readonly #options: RunnerOptions
  readonly #entries = new Map<string, Entry>()
  /** By function name, so that a function that was removed and added again does not overlap with itself. */
  readonly #running = new Map<string, Run>()
  #nextEventId = 1
  /** Events that are used up and could not be removed from the ledger yet. */
  readonly #owed = new Set<number>()
  #stopping = false

  constructor(parts: RunnerParts, options: RunnerOptions) {
    this.#parts = parts
    this.#options = options
  }

  functions(): EventFunction[] {
    return Array.from(this.#entries.values(), (entry) => entry.function)
  }

  /** Events of a function that no run has taken, oldest first. */
  waiting(name: string): readonly QueuedEvent[] {
    const taken = this.#running.get(name)?.taken ?? []
    return (this.#entries.get(name)?.queue ?? []).filter((item) => !taken.includes(item))
  }

  /** Functions as kept, the hub's own as shipped; its former ones go. */
  async load(shipped: readonly EventFunction[]): Promise<void> {
    const { schedule } = this.#parts
    const kept = new Map((await schedule.functions()).map((one) => [one.name, one]))
    const own = shipped.map((one) => withHistory(one, kept.get(one.name)))
    const ownNames = new Set(own.map(({ name }) => name))
    const others = [...kept.values()].filter(({ name }) => !ownNames.has(name))
    for (const { name, action } of others) if (action.kind === 'task') await schedule.removeFunction(name)
    await schedule.putFunctions(own)
    const queued = await schedule.queuedEvents()
    this.#nextEventId = (queued.at(-1)?.id ?? 0) + 1
    for (const one of [...own, ...others.filter(({ action }) => action.kind === 'call')]) {
      const queue = queued.filter((item) => item.function === one.name && one.events.includes(item.event))
      this.#entries.set(one.name, { function: one, queue, overflowing: false })
      if (one.lastError === outcomeLostTwice) await this.#giveUp(one.name)
    }
    const waiting = new Set([...this.#entries.values()].flatMap(({ queue }) => queue))
    const orphans = queued.filter((item) => !waiting.has(item))
    if (orphans.length > 0) await this.#changeQueue([], orphans)
  }

  /**
   * An event for every function that waits for it; how many do. One that came at or after `since` already is not
   * queued again.
   */
  async queue(event: string, data: string, at: number, since = Number.POSITIVE_INFINITY): Promise<number> {
    let reached = 0
    const changes: QueueChange[] = []
    for (const [name, entry] of this.#entries) {
      const { events } = entry.function
      if (!events.includes(event)) continue
      reached += 1
      if (entry.queue.some((item) => item.event === event && item.at >= since)) continue
      const most = Math.max(1, Math.floor(this.#options.queuedEvents / events.length))
      const added = { id: this.#nextEventId + changes.length, function: name, event, at, data }
      const { queue, dropped } = withEvent(entry.queue, added, most)
      changes.push({ entry, added, queue, dropped })
    }
    await this.#keepQueued(changes)
    return reached
  }

  /** One transaction for all functions that wait for an event, so that its cost does not depend on what waits. */
  async #keepQueued(changes: readonly QueueChange[]): Promise<void> {
    if (changes.length === 0) return
    const added = changes.map((change) => change.added)
    const dropped = changes.flatMap((change) => change.dropped ?? [])
    await this.#changeQueue(added, dropped)
    this.#nextEventId += added.length
    for (const { entry, queue, added, dropped } of changes) {
      entry.queue = queue
      if (dropped && !entry.overflowing) {
        this.#parts.log.warn('A function does not run as often as its events come; the oldest are dropped.', {
          function: added.function,
          event: added.event,
        })
      }
      entry.overflowing ||= dropped !== undefined
    }
  }

  /** Events whose removal failed before go with the next change, so that a restart does not run them again. */
  async #changeQueue(added: readonly QueuedEvent[], removed: readonly QueuedEvent[]): Promise<void> {
    const owed = [...this.#owed]
    await this.#parts.schedule.changeQueue(added, [...owed, ...removed.map(({ id }) => id)])
    for (const id of owed) this.#owed.delete(id)
  }

  async #consume(events: readonly QueuedEvent[]): Promise<void> {
    for (const { id } of events) this.#owed.add(id)
    await this.#changeQueue([], [])
  }

  /** Throws `not_acceptable_state` where there are too many. */
  async put(input: FunctionInput): Promise<EventFunction> {
    const { schedule } = this.#parts
    const known = this.#entries.get(input.name)
    const most = this.#options.functions
    if (!known && this.#entries.size >= most) {
      const detail = `The hub keeps ${most} functions already; remove one first`
      throw new HomeostatError('not_acceptable_state', { detail })
    }
    const one = withHistory({ ...input, lastError: '' }, known?.function)
    const queue = (known?.queue ?? []).filter(({ event }) => one.events.includes(event))
    await schedule.putFunctions([one])
    const gone = known?.queue.filter((item) => !queue.includes(item)) ?? []
    if (gone.length > 0) await this.#changeQueue([], gone)
    this.#entries.set(one.name, { function: one, queue, overflowing: false })
    return one
  }

  async remove(name: string): Promise<boolean> {
    const removed = await this.#parts.schedule.removeFunction(name)
    this.#entries.delete(name)
    return removed
  }

  /** Starts every function that has its events and does not run, as far as there is room, the longest idle first. */
  dispatch(): void {
    if (this.#stopping) return
    const idle = [...this.#entries].filter(
      ([name, { queue }]) => queue.length > 0 && !this.#running.has(name),
    )
    idle.sort(([, a], [, b]) => (a.function.lastInvokedAt ?? 0) - (b.function.lastInvokedAt ?? 0))
    for (const [name, entry] of idle) {
      if (this.#running.size >= this.#options.runs) return
      const taken = firstOfEach(entry.function.events, entry.queue)
      if (!taken) continue
      const run: Run = { taken, abort: new AbortController(), done: Promise.resolve() }
      this.#running.set(name, run)
      run.done = this.#run(entry.function, run)
    }
  }

  /** Aborts the runs under way and waits for them, up to a limit. */
  async stop(): Promise<void> {
    this.#stopping = true
    const runs = [...this.#running.values()]
    for (const { abort } of runs) abort.abort(new Error('The hub stops.'))
    const patience = new AbortController()
    const ended = Promise.all(runs.map(({ done }) => done))
    await Promise.race([ended, this.#parts.clock.sleep(stopMs, patience.signal)])
    patience.abort()
  }

  async #run(one: EventFunction, run: Run): Promise<void> {
    const { clock, log, schedule } = this.#parts
    const { name } = one
    const mark = one.lastError === outcomeLost ? outcomeLostTwice : outcomeLost
    const lastInvokedAt = clock.now()
    await this.#change(name, async (entry) => {
      entry.function = { ...entry.function, lastInvokedAt }
      entry.overflowing = false
      await schedule.putFunctions([{ ...entry.function, lastError: mark }])
    })
    const failure = await this.#invoke(one, run).then(
      () => '',
      (error: unknown) => sentenceOf(error),
    )
    if (failure !== '') log.warn('A function failed.', { function: name, error: failure })
    const cutOff = failure !== '' && this.#stopping
    await this.#change(name, async (entry) => {
      if (!cutOff) {
        entry.function = { ...entry.function, lastError: failure }
        // also where the ledger fails: the run has taken place
        entry.queue = entry.queue.filter((item) => !run.taken.includes(item))
        await this.#consume(run.taken)
      }
      await schedule.putFunctions([entry.function])
    })
    this.#running.delete(name)
    this.dispatch()
  }

  async #invoke({ name, action }: EventFunction, { taken, abort }: Run): Promise<void> {
    const { clock, call, tasks } = this.#parts
    const { zone, site, callMs, taskMs } = this.#options
    const limitMs = action.kind === 'task' ? taskMs : callMs
    const { signal } = abort
    const ended = new AbortController()
    void clock.sleep(limitMs, ended.signal).then(() => {
      if (!ended.signal.aborted) abort.abort(new Error(`It took longer than ${limitMs / 1000} s.`))
    })
    try {
      if (action.kind === 'task') {
        const task = Object.hasOwn(tasks, action.task) ? tasks[action.task] : undefined
        if (!task) throw new HomeostatError('not_found', { what: `task "${action.task}" for "${name}"` })
        await task({ zone, ...(site === undefined ? {} : { site }), signal })
      } else if (action.method !== '') {
        await call(action.url, action.method, bodyOf(taken, zone), signal)
      }
      // a run that returned because it was aborted has not done its work
      signal.throwIfAborted()
    } finally {
      ended.abort()
    }
  }

  /** A change by a run; where its function was removed meanwhile there is nothing to change. */
  async #change(name: string, change: (entry: Entry) => Promise<void>): Promise<void> {
    try {
      await this.#parts.exclusive(async () => {
        const entry = this.#entries.get(name)
        if (entry) await change(entry)
      })
    } catch (error) {
      this.#parts.log.error('A run of a function could not be kept; after a restart it may be repeated.', {
        function: name,
        error: String(error),
      })
    }
  }

  async #giveUp(name: string): Promise<void> {
    const entry = this.#entries.get(name)
    const taken = entry && firstOfEach(entry.function.events, entry.queue)
    if (!taken) return
    this.#parts.log.error('A run is given up: the hub ended twice in the middle of it.', { function: name })
    entry.queue = entry.queue.filter((item) => !taken.includes(item))
    await this.#consume(taken)
  }
}

const withHistory = (one: EventFunction, kept: EventFunction | undefined): EventFunction =>
  kept === undefined
    ? one
    : {
        ...one,
        lastError: kept.lastError,
        ...(kept.lastInvokedAt === undefined ? {} : { lastInvokedAt: kept.lastInvokedAt }),
      }

const sentenceOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).slice(0, errorChars) ||
  'It failed without a reason.'
