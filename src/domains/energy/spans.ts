import { hourMs, minuteMs, quarterMs } from '../../core/time.ts'
import { Counter, type CounterState } from './counter.ts'

/**
 * Energy from whatever a device measures: `power` (W, held until the next reading), `energy_total` (kWh counter, see
 * counter.ts) or `energy` (kWh used in the interval that begins at the reading).
 */
export type EnergyMetric = 'power' | 'energy_total' | 'energy'

/** Best first: what measures energy itself is preferred to what must be integrated. */
export const energyMetrics: readonly EnergyMetric[] = ['energy', 'energy_total', 'power']

export const isEnergyMetric = (metric: string): metric is EnergyMetric =>
  (energyMetrics as readonly string[]).includes(metric)

/** The energy used in [from, to). */
export interface Span {
  readonly from: number
  readonly to: number
  readonly kwh: number
}

/** Distances of readings that are kept: a gap or a stray message does not move their median. */
const distancesKept = 9
/** Distances from which the interval of a device is known. */
const distancesMin = 3

/** A device is silent after so many of its intervals; what it used meanwhile is unknown. */
const intervalsUntilSilent = 2.5
/** Bounds of that time. An hourly meter with jitter must pass; after hours nobody knows when the energy was used. */
const silenceMs: Readonly<Record<EnergyMetric, { readonly least: number; readonly most: number }>> = {
  power: { least: quarterMs, most: intervalsUntilSilent * hourMs },
  energy_total: { least: 90 * minuteMs, most: 6 * hourMs },
  energy: { least: quarterMs, most: 25 * hourMs },
}
/** Readings that come less often leave what was used in between unknown, ms. */
export const slowestMs: Readonly<Record<EnergyMetric, number>> = {
  power: silenceMs.power.most,
  energy_total: silenceMs.energy_total.most,
  energy: silenceMs.energy.most,
}
/** The same before the interval of a device is known. */
const firstSilenceMs = 90 * minuteMs

/** The last reading counts for one interval once so many have passed without another. */
const intervalsUntilClosed = 2
/** Power that comes more often loses next to nothing with its last interval. */
const closedFromMs = quarterMs / 3

export interface SpansState {
  readonly at: number
  readonly value: number
  readonly distancesMs: readonly number[]
  /** The end of what was told of the newest reading, or of one before it; see `EnergySpans.close`. */
  readonly closedTo?: number
  readonly isClosed?: boolean
  readonly counter?: CounterState
}

/** Turns the readings of one series, in order of time, into spans of energy. */
export class EnergySpans {
  readonly #metric: EnergyMetric
  readonly #distancesMs: number[]
  readonly #counter: Counter | undefined
  #at: number
  #value: number
  /** Whether the interval of the newest reading is closed. */
  #isClosed: boolean
  /** End of the interval that was closed last: a reading that came earlier than usual counts from there. */
  #closedTo: number
  /** Median of the distances; NaN after they have changed. */
  #medianMs = Number.NaN

  constructor(metric: EnergyMetric, saved?: SpansState) {
    this.#metric = metric
    this.#at = saved?.at ?? Number.NaN
    this.#value = saved?.value ?? Number.NaN
    this.#isClosed = saved?.isClosed ?? false
    this.#closedTo = saved?.closedTo ?? Number.NEGATIVE_INFINITY
    this.#distancesMs = [...(saved?.distancesMs ?? [])]
    // older states have the newest reading only
    if (metric === 'energy_total') this.#counter = new Counter(saved?.counter ?? saved)
  }

  /** Median distance of the newest readings, ms; NaN while there are too few of them. */
  get intervalMs(): number {
    return this.#distancesMs.length < distancesMin ? Number.NaN : this.#median()
  }

  /** Up to here is known what was used, or that it is not known: what comes belongs to later. NaN before the first reading. */
  get settledTo(): number {
    if (this.#counter) return this.#counter.settledTo
    return Math.max(this.#at, this.#closedTo)
  }

  /** After so long without a reading the device is silent. */
  get silenceMs(): number {
    const { intervalMs } = this
    if (Number.isNaN(intervalMs)) return firstSilenceMs
    const { least, most } = silenceMs[this.#metric]
    return Math.min(most, Math.max(least, intervalsUntilSilent * intervalMs))
  }

  /** When the interval of the newest reading is to be closed without another one; Infinity: never. */
  get closesAt(): number {
    if (this.#counter || this.#isClosed) return Number.POSITIVE_INFINITY
    const intervalMs = this.#metric === 'energy' ? this.#median() : this.intervalMs
    const isWorth = this.#metric === 'energy' || intervalMs >= closedFromMs
    const isKnown = intervalMs <= silenceMs[this.#metric].most
    return isWorth && isKnown ? this.#at + intervalsUntilClosed * intervalMs : Number.POSITIVE_INFINITY
  }

  /** The spans that this reading settles: none for the first one, after a silence, and while a counter is in doubt. */
  add(at: number, value: number): Span[] {
    const from = this.#at
    const before = this.#value
    const isClosed = this.#isClosed
    if (at <= from) return []
    const mostMs = this.silenceMs
    this.#at = at
    this.#value = value
    this.#isClosed = false
    if (Number.isNaN(from)) {
      this.#counter?.add(at, value, mostMs)
      return []
    }
    const lastedMs = at - from
    this.#keepDistance(lastedMs)
    if (this.#counter) return this.#counter.add(at, value, mostMs)
    if (isClosed) return []
    const begin = Math.max(from, this.#closedTo)
    if (this.#metric === 'energy') {
      const intervalMs = Math.min(lastedMs, this.#median())
      if (intervalMs > silenceMs.energy.most) return []
      const to = from + intervalMs
      return [{ from: begin < to ? begin : from, to, kwh: before }]
    }
    return lastedMs > mostMs || begin >= at ? [] : [powerSpan(begin, at, before)]
  }

  /** The span of the newest reading, over its usual interval. Undefined where that is closed. */
  close(): Span | undefined {
    if (!Number.isFinite(this.closesAt)) return undefined
    const to = this.#at + this.#median()
    const begin = Math.max(this.#at, this.#closedTo)
    const from = begin < to ? begin : this.#at
    this.#isClosed = true
    this.#closedTo = to
    return this.#metric === 'energy' ? { from, to, kwh: this.#value } : powerSpan(from, to, this.#value)
  }

  save(): SpansState {
    return {
      at: this.#at,
      value: this.#value,
      distancesMs: [...this.#distancesMs],
      ...(Number.isFinite(this.#closedTo) ? { closedTo: this.#closedTo, isClosed: this.#isClosed } : {}),
      ...(this.#counter ? { counter: this.#counter.save() } : {}),
    }
  }

  #keepDistance(ms: number): void {
    this.#distancesMs.push(ms)
    const gone = this.#distancesMs.length > distancesKept ? this.#distancesMs.shift() : undefined
    // a regular device changes nothing
    if (gone !== ms) this.#medianMs = Number.NaN
  }

  /** NaN before the second reading. */
  #median(): number {
    if (Number.isNaN(this.#medianMs)) {
      const sorted = Float64Array.from(this.#distancesMs).sort()
      this.#medianMs = sorted[sorted.length >> 1] ?? Number.NaN
    }
    return this.#medianMs
  }
}

const powerSpan = (from: number, to: number, watts: number): Span => ({
  from,
  to,
  kwh: (watts * (to - from)) / hourMs / 1000,
})
