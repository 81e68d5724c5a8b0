import { dayMs, hourMs } from '../../core/time.ts'
import { type CreateRandom, type Random, seedOf } from './chance.ts'

export type FaultKind = 'gap' | 'stuck' | 'spike' | 'reset'

/**
 * A fault as it is in the data. `from` and `to` are the times of the first and last reading that it touched:
 * missing (gap), frozen at the reading before (stuck), far off (spike, one reading), counted from zero (reset).
 */
export interface Fault {
  readonly kind: FaultKind
  readonly device: string
  readonly metric: string
  readonly from: number
  readonly to: number
}

/** Mean number in 30 days: gaps for each device, the others for each series that can have them. */
export type FaultRates = Readonly<Record<FaultKind, number>>

export const usualFaults: FaultRates = { gap: 0.25, stuck: 0.06, spike: 0.25, reset: 0.05 }
export const noFaults: FaultRates = { gap: 0, stuck: 0, spike: 0, reset: 0 }

/** What a sensor of this kind shows when it glitches: the power-on or overflow value of common parts. */
const glitchValues: Readonly<Record<string, number>> = {
  temperature: 85,
  humidity: 0,
  co2: 5000,
  noise: 130,
  illuminance: 65_535,
  power: 6553.5,
}

export type SeriesKind = 'sampled' | 'counter' | 'event'

/** The faults of one series; `sees` turns the true value into what is sent, undefined for nothing. */
export interface SeriesFaults {
  sees(at: number, value: number): number | undefined
}

/** Newest faults kept. */
const faultLimit = 20_000

/** The faults of one home. */
export function createFaults(createRandom: CreateRandom, seed: number, rates: FaultRates) {
  const log = new FaultLog()
  const dice: Dice = (kind, day, ...name) => {
    if (rates[kind] <= 0) return undefined
    const random = createRandom(seedOf(seed, 'fault', kind, ...name, day))
    return random.next() < rates[kind] / 30 ? { at: (day + random.next()) * dayMs, random } : undefined
  }
  return {
    /** The faults of one series; ask once for each. */
    series: (device: string, metric: string, kind: SeriesKind): SeriesFaults =>
      new FaultySeries(device, metric, kind, dice, log),
    /** Every fault that touched a reading so far, by time. */
    list: (): Fault[] => log.list(),
  }
}

/** Whether a kind of fault begins on a UTC day, at most once: when, and dice for what it is like. */
type Dice = (
  kind: FaultKind,
  day: number,
  ...name: readonly string[]
) => { readonly at: number; readonly random: Random } | undefined

/** Faults as they show in the readings. One that lasts is listed from its first reading on and grows. */
class FaultLog {
  #faults: Fault[] = []

  begin(kind: FaultKind, device: string, metric: string, at: number): { to: number } {
    const fault = { kind, device, metric, from: at, to: at }
    if (this.#faults.length >= faultLimit) this.#faults.splice(0, faultLimit / 10)
    this.#faults.push(fault)
    return fault
  }

  list(): Fault[] {
    return this.#faults
      .map((fault) => ({ ...fault }))
      .sort((a, b) => a.from - b.from || compare(a.device, b.device) || compare(a.metric, b.metric))
  }
}

/** A stretch of time in which a fault lasts, and its entry in the log once it touched a reading. */
interface Lasting {
  readonly from: number
  readonly to: number
  entry?: { to: number }
}

class FaultySeries implements SeriesFaults {
  readonly #device: string
  readonly #metric: string
  readonly #kind: SeriesKind
  readonly #dice: Dice
  readonly #log: FaultLog
  readonly #glitch: number | undefined
  #day = Number.NaN
  #gap: Lasting | undefined
  #stuck: Lasting | undefined
  #spikeAt = Number.NaN
  #resetAt = Number.NaN
  /** What the counter stood at when it was reset. */
  #base = 0
  #last: number | undefined

  constructor(device: string, metric: string, kind: SeriesKind, dice: Dice, log: FaultLog) {
    this.#device = device
    this.#metric = metric
    this.#kind = kind
    this.#dice = dice
    this.#log = log
    this.#glitch = kind === 'sampled' ? glitchValues[metric] : undefined
  }

  sees(at: number, truth: number): number | undefined {
    const day = Math.floor(at / dayMs)
    if (day !== this.#day) this.#schedule(day)
    if (this.#touches('gap', this.#gap, at)) return undefined
    if (at >= this.#resetAt) {
      this.#resetAt = Number.NaN
      this.#base = truth
      this.#begin('reset', at)
    }
    if (this.#last !== undefined && this.#touches('stuck', this.#stuck, at)) return this.#last
    if (at >= this.#spikeAt) {
      this.#spikeAt = Number.NaN
      this.#begin('spike', at)
      return this.#glitch
    }
    this.#last = truth - this.#base
    return this.#last
  }

  /** Draws the faults that begin on a day; those that last go on over midnight. */
  #schedule(day: number): void {
    this.#day = day
    // a device falls silent with all its series
    this.#gap = lasting(this.#gap, day, this.#dice('gap', day, this.#device), 0.4, 7)
    const name = [this.#device, this.#metric]
    if (this.#kind === 'counter') this.#resetAt = this.#dice('reset', day, ...name)?.at ?? Number.NaN
    if (this.#glitch === undefined) return
    this.#spikeAt = this.#dice('spike', day, ...name)?.at ?? Number.NaN
    if (this.#metric === 'power') return
    this.#stuck = lasting(this.#stuck, day, this.#dice('stuck', day, ...name), 2, 20)
  }

  #touches(kind: FaultKind, fault: Lasting | undefined, at: number): boolean {
    if (!fault || at < fault.from || at >= fault.to) return false
    if (fault.entry) fault.entry.to = at
    else fault.entry = this.#begin(kind, at)
    return true
  }

  #begin(kind: FaultKind, at: number): { to: number } {
    return this.#log.begin(kind, this.#device, this.#metric, at)
  }
}

/** The fault that lasts already, or the one drawn; short ones are more frequent than long ones. */
function lasting(
  before: Lasting | undefined,
  day: number,
  drawn: ReturnType<Dice>,
  shortestHours: number,
  longestHours: number,
): Lasting | undefined {
  if (before && before.to > day * dayMs) return before
  if (!drawn) return undefined
  const hours = shortestHours * (longestHours / shortestHours) ** drawn.random.next()
  return { from: drawn.at, to: drawn.at + hours * hourMs }
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
