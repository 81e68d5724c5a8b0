import { HomeostatError } from '../core/errors.ts'
import type { Clock, Emit, SourceAdapter } from '../core/ports.ts'
import { dayMs } from '../core/time.ts'
import { createHome, type Home, type HomeOptions } from './simulator/home.ts'
import { type OlderPast, olderPast } from './simulator/older-past.ts'
import type { SimulatedReading } from './simulator/reading.ts'

export interface SimulatorOptions extends HomeOptions {
  readonly clock: Clock
  /** Time between two readings of a series, ms. */
  readonly stepMs?: number
  /** Where the live part begins, UTC ms; now when absent. Steps lie on whole multiples of `stepMs`. */
  readonly start?: number
  /** History from this time (UTC ms) up to `start` is emitted first, as fast as it is taken; none when absent. */
  readonly historyFrom?: number
  /** Time between two readings of the history, ms; as live when absent. Steps lie on whole multiples of it. */
  readonly historyStepMs?: number
  /**
   * A still older past, told by a second home of the same options once the first one lives, in short slices beside it.
   * The times of a series then do not rise over the whole: stores take that, who reads along must expect it. The
   * counters join where the history begins, unless `stands` says what they stand at. See `olderPast` for its order.
   */
  readonly older?: Omit<OlderPast, 'stands'> & Partial<Pick<OlderPast, 'stands'>>
  /** Time between two readings of what is neither a power nor an energy in the older past, ms. */
  readonly olderSlowStepMs?: number
  /** Simulated seconds in a second; 0 is as fast as they are taken. */
  readonly speed?: number
  /** UTC ms after which nothing is emitted, and the source is done; never when absent. */
  readonly until?: number
  /**
   * Whether readings may bear times that have not come yet. By default they may not, since a hub refuses them:
   * having caught up with the clock, the home lives at its pace whatever the speed.
   */
  readonly aheadOfClock?: boolean
  /** Most readings in one batch. */
  readonly batchMax?: number
}

export interface Simulator extends SourceAdapter {
  readonly home: Home
}

/** The longest sleep, so that a clock that was set is noticed, ms. */
const napMs = 5_000
/** How long a hub that is full or whose disk fails is left alone, ms. */
const retryMs = 1_000
/** Readings of the older past that are made in one go, some ms of work. */
const sliceReadings = 512
/** What then belongs to the others on this thread, ms. */
const sliceRestMs = 5

/**
 * A simulated home as a source. History is sent in full batches; live, each step is sent when its time has come.
 * A batch that is refused as `overloaded` or `store_failed` is sent again until it is taken; any other refusal ends
 * the source with that error. Throws RangeError for a step that is no number from 1 s to 1 day.
 */
export function createSimulator(options: SimulatorOptions): Simulator {
  const { stepMs = 60_000, older } = options
  if (!(stepMs >= 1000 && stepMs <= dayMs)) throw new RangeError('stepMs lies between 1 s and 1 day.')
  const home = createHome(options)
  let state = 'not started'
  let isTellingOlder = false

  const run = async (emit: Emit, signal: AbortSignal): Promise<void> => {
    const failed = new AbortController()
    const ends = AbortSignal.any([signal, failed.signal])
    let failure: unknown
    /** Where one part fails, the other must not go on unseen. */
    const guard = async (part: Promise<void>): Promise<void> => {
      try {
        await part
      } catch (error) {
        failure ??= error
        failed.abort()
      }
    }
    const tell = async (past: OlderPast): Promise<void> => {
      isTellingOlder = true
      await tellOlder(options, past, createBatch(emit, options, ends), ends)
      isTellingOlder = false
    }
    let told: Promise<void> | undefined
    const news: News = {
      isNow: (now) => {
        state = now
      },
      hasCaughtUp: (stood) => {
        if (older && !ends.aborted) told ??= guard(tell({ stands: stood, ...older }))
      },
    }
    await guard(live(options, home, createBatch(emit, options, ends), ends, news))
    await told
    state = 'ended'
    isTellingOlder = false
    if (failure !== undefined) throw failure
  }
  return {
    name: 'simulator',
    home,
    run,
    health: () => ({
      ready: state === 'live' || state === 'emitting history',
      detail: isTellingOlder ? `${state}, and emitting history` : state,
    }),
  }
}

/** How the live part comes on. */
interface News {
  isNow(state: 'emitting history' | 'live'): void
  /** All up to now is taken. `stood`: what the counters stood at in the beginning. */
  hasCaughtUp(stood: ReadonlyMap<string, number>): void
}

async function live(
  options: SimulatorOptions,
  home: Home,
  batch: Batch,
  signal: AbortSignal,
  news: News,
): Promise<void> {
  const { clock, stepMs = 60_000, historyStepMs = stepMs, until = Number.POSITIVE_INFINITY } = options
  const liveFrom = Math.floor((options.start ?? clock.now()) / stepMs) * stepMs
  const dueInMs = createPace(options, liveFrom)
  let at = options.historyFrom ?? liveFrom
  let stood: ReadonlyMap<string, number> | undefined
  while (at <= until && !signal.aborted) {
    const waitMs = dueInMs(at)
    if (waitMs <= 0) {
      news.isNow(at < liveFrom ? 'emitting history' : 'live')
      const readings = home.step(at)
      stood ??= home.counters()
      await batch.add(readings)
      at = at < liveFrom ? Math.min(next(at, historyStepMs), liveFrom) : next(at, stepMs)
    } else {
      await batch.flush()
      if (stood) news.hasCaughtUp(stood)
      await clock.sleep(Math.min(waitMs, napMs), signal)
    }
  }
  await batch.flush()
  if (stood) news.hasCaughtUp(stood)
}

async function tellOlder(
  options: SimulatorOptions,
  past: OlderPast,
  batch: Batch,
  signal: AbortSignal,
): Promise<void> {
  const { clock, stepMs = 60_000, historyStepMs = stepMs, olderSlowStepMs: slowStepMs } = options
  const home = createHome({ ...options, slowStepMs, faults: { ...options.faults, reset: 0 } })
  // the first step is a slice of its own: a home lives a while before it
  let left = 0
  for (const readings of olderPast(home, past, historyStepMs)) {
    await batch.add(readings)
    left -= readings.length
    if (left <= 0) {
      await clock.sleep(sliceRestMs, signal)
      left = sliceReadings
    }
    if (signal.aborted) return
  }
  await batch.flush()
}

/** The first multiple of a step after a time. */
const next = (at: number, stepMs: number): number => (Math.floor(at / stepMs) + 1) * stepMs

/** Tells in how many ms the step of a time may be sent; 0 or less is now. */
function createPace(options: SimulatorOptions, liveFrom: number): (at: number) => number {
  const { clock, speed = 1, aheadOfClock = false } = options
  let since: number | undefined
  return (at) => {
    if (at < liveFrom) return 0
    // with no start given, the first step lies a little before now: it must not lag for ever
    since ??= clock.monotonic() - (options.start === undefined ? clock.now() - liveFrom : 0)
    const byPace = speed > 0 ? (at - liveFrom) / speed - (clock.monotonic() - since) : 0
    return aheadOfClock ? byPace : Math.max(byPace, at - clock.now())
  }
}

interface Batch {
  add(readings: readonly SimulatedReading[]): Promise<void>
  flush(): Promise<void>
}

/** Gathers readings and emits them in order, never more than `batchMax` at once. */
function createBatch(emit: Emit, { clock, batchMax = 4_096 }: SimulatorOptions, signal: AbortSignal): Batch {
  let waiting: SimulatedReading[] = []
  const flush = async (): Promise<void> => {
    const batch = waiting
    waiting = []
    while (batch.length > 0 && !signal.aborted) {
      try {
        await emit(batch)
        return
      } catch (error) {
        if (!(error instanceof HomeostatError) || !passing.has(error.code)) throw error
        await clock.sleep(retryMs, signal)
      }
    }
  }
  const add = async (readings: readonly SimulatedReading[]): Promise<void> => {
    for (const reading of readings) {
      waiting.push(reading)
      if (waiting.length >= batchMax) await flush()
    }
  }
  return { add, flush }
}

/** Refusals that pass by themselves. */
const passing: ReadonlySet<string> = new Set(['overloaded', 'store_failed'])
