import { HomeostatError } from '../core/errors.ts'
import type { Clock, Emit, SourceAdapter } from '../core/ports.ts'
import { createHome, type Home, type HomeOptions, type SimulatedReading } from './simulator/home.ts'

export interface SimulatorOptions extends HomeOptions {
  readonly clock: Clock
  /** Time between two readings of a series, ms. */
  readonly stepMs?: number
  /** Where the live part begins, UTC ms; now when absent. Steps lie on whole multiples of `stepMs`. */
  readonly start?: number
  /** Days before `start` that are emitted first, as fast as they are taken. */
  readonly historyDays?: number
  /** Time between two readings of that history, ms; as live when absent. */
  readonly historyStepMs?: number
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

const dayMs = 86_400_000
/** The longest sleep, so that a clock that was set is noticed, ms. */
const napMs = 5_000
/** How long a hub that is full or whose disk fails is left alone, ms. */
const retryMs = 1_000

/**
 * A simulated home as a source. History is sent in full batches; live, each step is sent when its time has come.
 * A batch that is refused as `overloaded` or `store_failed` is sent again until it is taken; any other refusal ends
 * the source with that error. Throws RangeError for a step that is no number from 1 s to 1 day.
 */
export function createSimulator(options: SimulatorOptions): Simulator {
  const { clock, stepMs = 60_000, historyDays = 0, batchMax = 4_096 } = options
  const { historyStepMs = stepMs } = options
  if (!(stepMs >= 1000 && stepMs <= dayMs)) throw new RangeError('stepMs lies between 1 s and 1 day.')
  const home = createHome(options)
  const until = options.until ?? Number.POSITIVE_INFINITY
  let state = 'not started'

  const run = async (emit: Emit, signal: AbortSignal): Promise<void> => {
    const liveFrom = Math.floor((options.start ?? clock.now()) / stepMs) * stepMs
    const dueInMs = createPace(options, liveFrom)
    const batch = createBatch(emit, batchMax, clock, signal)
    let at = liveFrom - Math.round((historyDays * dayMs) / historyStepMs) * historyStepMs
    while (at <= until && !signal.aborted) {
      const waitMs = dueInMs(at)
      if (waitMs <= 0) {
        state = at < liveFrom ? 'emitting history' : 'live'
        await batch.add(home.step(at))
        at += at < liveFrom ? historyStepMs : stepMs
      } else {
        await batch.flush()
        await clock.sleep(Math.min(waitMs, napMs), signal)
      }
    }
    await batch.flush()
    state = 'ended'
  }
  return {
    name: 'simulator',
    home,
    run,
    health: () => ({ ready: state === 'live' || state === 'emitting history', detail: state }),
  }
}

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

/** Gathers readings and emits them in order, never more than `max` at once. */
function createBatch(emit: Emit, max: number, clock: Clock, signal: AbortSignal) {
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
      if (waiting.length >= max) await flush()
    }
  }
  return { add, flush }
}

/** Refusals that pass by themselves. */
const passing: ReadonlySet<string> = new Set(['overloaded', 'store_failed'])
