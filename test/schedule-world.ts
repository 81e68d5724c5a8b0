import type { EventFunction, Trigger } from '../src/core/life.ts'
import type { Clock, Log, ScheduleLedger } from '../src/core/ports.ts'
import {
  type Call,
  Scheduler,
  type SchedulerOptions,
  schedulerLimits,
  type Task,
} from '../src/engine/schedule/scheduler.ts'
import { nextRun } from '../src/platform/cron.ts'
import { createMemoryLedger } from '../src/stores/ledger/memory.ts'
import { turnOfTheLoop, VirtualClock } from './virtual-clock.ts'

export const zone = 'Europe/Berlin'
/** Midnight in that zone. */
export const start = Date.parse('2027-01-01T00:00:00+01:00')

export const nightly: Trigger = {
  ...{ name: 'nightly', event: 'Night', cron: '0 2 * * *', zone },
  ...{ once: false, enabled: true, builtIn: true },
}
export const clean: EventFunction = {
  ...{ name: 'clean', events: ['Night'], action: { kind: 'task', task: 'clean' }, lastError: '' },
}

export interface World {
  readonly clock: SetClock
  readonly scheduler: Scheduler
  readonly schedule: ScheduleLedger
  /** When the task ran. */
  readonly runs: number[]
  readonly calls: {
    readonly url: string
    readonly method: string
    readonly body: unknown
    readonly at: number
  }[]
  readonly problems: string[]
  /** Lets what is under way come to rest, then time pass. */
  pass(ms: number): Promise<void>
}

export interface Given {
  readonly at?: number
  readonly schedule?: ScheduleLedger
  readonly triggers?: readonly Trigger[]
  readonly functions?: readonly EventFunction[]
  readonly task?: Task
  readonly call?: Call
  readonly options?: Partial<SchedulerOptions>
  /** Default: true. */
  readonly start?: boolean
}

/** A virtual clock whose wall time may be set while its timers go on. */
export class SetClock implements Clock {
  readonly #steady: VirtualClock
  offsetMs = 0

  constructor(at: number) {
    this.#steady = new VirtualClock(at)
  }

  now = (): number => this.#steady.now() + this.offsetMs
  monotonic = (): number => this.#steady.monotonic()
  sleep = (ms: number, signal?: AbortSignal): Promise<void> => this.#steady.sleep(ms, signal)
  yield = (): Promise<void> => this.#steady.yield()
  advance = (ms: number): Promise<void> => this.#steady.advance(ms)
  skip = (ms: number): Promise<void> => this.#steady.skip(ms)
}

/**
 * A scheduler at work; a second one over the same ledger is the hub after a crash of the first. Nothing needs to be
 * stopped: where the clock stands still, so does everything.
 */
export async function startWorld(given: Given = {}): Promise<World> {
  const clock = new SetClock(given.at ?? start)
  const schedule = given.schedule ?? createMemoryLedger().schedule
  const [runs, calls, problems]: [number[], World['calls'], string[]] = [[], [], []]
  const log: Log = {
    info: () => undefined,
    warn: (message) => void problems.push(message),
    error: (message) => void problems.push(message),
  }
  const cleanTask: Task = async (context) => {
    runs.push(clock.now())
    await given.task?.(context)
  }
  const call: Call = async (url, method, body, signal) => {
    calls.push({ url, method, body, at: clock.now() })
    await given.call?.(url, method, body, signal)
  }
  const { triggers = [nightly], functions = [clean] } = given
  const scheduler = new Scheduler(
    {
      ...{ schedule, clock, log, nextRun, call, tasks: { clean: cleanTask } },
      builtIn: { triggers, functions },
    },
    { ...schedulerLimits, zone, ...given.options },
  )
  if (given.start ?? true) await scheduler.start()
  await turnOfTheLoop()
  return {
    ...{ clock, scheduler, schedule, runs, calls, problems },
    async pass(ms) {
      await turnOfTheLoop()
      await clock.advance(ms)
    },
  }
}

/** A function that calls an address; the calls are recorded, nobody is called. */
export const caller = (name: string, events: readonly string[], method = 'POST') =>
  ({ name, events, action: { kind: 'call', url: `http://127.0.0.1:9/${name}`, method } }) as const

/** Does nothing until it is told to end. */
export const untilTold = (signal: AbortSignal): Promise<never> =>
  new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason))
  })
