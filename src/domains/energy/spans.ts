import { hourMs, minuteMs, quarterMs } from '../../core/time.ts'

/**
 * Energy from whatever a device measures: `power` (W, held until the next reading), `energy_total` (kWh counter, resets
 * repaired) or `energy` (kWh used in the interval that begins at the reading).
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
/** The same before the interval of a device is known. */
const firstSilenceMs = 90 * minuteMs

export interface SpansState {
  readonly at: number
  readonly value: number
  readonly distancesMs: readonly number[]
}

/** Turns the readings of one series, in order of time, into spans of energy. */
export class EnergySpans {
  readonly #metric: EnergyMetric
  readonly #distancesMs: number[]
  #at: number
  #value: number
  /** Median of the distances; NaN after they have changed. */
  #medianMs = Number.NaN

  constructor(metric: EnergyMetric, saved?: SpansState) {
    this.#metric = metric
    this.#at = saved?.at ?? Number.NaN
    this.#value = saved?.value ?? Number.NaN
    this.#distancesMs = [...(saved?.distancesMs ?? [])]
  }

  /** Median distance of the newest readings, ms; NaN while there are too few of them. */
  get intervalMs(): number {
    return this.#distancesMs.length < distancesMin ? Number.NaN : this.#median()
  }

  /** Timestamp of the newest reading; NaN before the first. */
  get at(): number {
    return this.#at
  }

  /** After so long without a reading the device is silent. */
  get silenceMs(): number {
    const { intervalMs } = this
    if (Number.isNaN(intervalMs)) return firstSilenceMs
    const { least, most } = silenceMs[this.#metric]
    return Math.min(most, Math.max(least, intervalsUntilSilent * intervalMs))
  }

  /** The span that this reading completes; undefined for the first one, after a silence and for a replaced counter. */
  add(at: number, value: number): Span | undefined {
    const from = this.#at
    const before = this.#value
    if (at <= from) return undefined
    this.#at = at
    this.#value = value
    if (Number.isNaN(from)) return undefined
    const lastedMs = at - from
    const { silenceMs: mostMs } = this
    this.#keepDistance(lastedMs)
    if (this.#metric === 'energy') {
      const intervalMs = Math.min(lastedMs, this.#median())
      return intervalMs > silenceMs.energy.most ? undefined : { from, to: from + intervalMs, kwh: before }
    }
    if (lastedMs > mostMs) return undefined
    if (this.#metric === 'power') return { from, to: at, kwh: (before * lastedMs) / hourMs / 1000 }
    return { from, to: at, kwh: counted(before, value) }
  }

  save(): SpansState {
    return { at: this.#at, value: this.#value, distancesMs: [...this.#distancesMs] }
  }

  #keepDistance(ms: number): void {
    this.#distancesMs.push(ms)
    const gone = this.#distancesMs.length > distancesKept ? this.#distancesMs.shift() : undefined
    // a regular device changes nothing
    if (gone !== ms) this.#medianMs = Number.NaN
  }

  #median(): number {
    if (Number.isNaN(this.#medianMs)) {
      const sorted = Float64Array.from(this.#distancesMs).sort()
      this.#medianMs = sorted[sorted.length >> 1]!
    }
    return this.#medianMs
  }
}

/**
 * A counter that fell was reset (device restarted) and has counted from 0 since, unless it stands too high for that:
 * then another counter took its place, and what was used is unknown.
 */
function counted(before: number, value: number): number {
  if (value >= before) return value - before
  return value > before / 2 ? Number.NaN : value
}
