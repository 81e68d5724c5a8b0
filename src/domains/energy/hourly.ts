import { hourMs } from '../../core/time.ts'

/**
 * Energy by the hour, in kWh, from what a device happens to send:
 * `power` (W, held until the next reading), `energy_total` (kWh counter, resets repaired) or
 * `energy` (kWh used in the interval that begins at the reading).
 *
 * One accumulator serves the training (fed from the store) and the hot path (fed reading by reading), so that both
 * see the same numbers. Hours are UTC. An hour that is known for less than `knownShare` of its span is NaN.
 */

/** A device that is silent for longer says nothing about the time between: that time is unknown. */
const silenceMaxMs = 15 * 60_000

/** Share of an hour that must be known; its energy is then scaled up to the whole hour. */
const knownShare = 0.75

/** So many distances of readings are remembered; a gap or a stray message does not move their median. */
const distancesKept = 9

export type EnergyMetric = 'power' | 'energy_total' | 'energy'

/** Best first: what measures energy itself beats what must be integrated. */
export const energyMetrics: readonly EnergyMetric[] = ['energy', 'energy_total', 'power']

/** The energy of one span, to be laid into hours. */
interface Span {
  readonly from: number
  readonly to: number
  readonly kwh: number
}

/** Turns successive readings of one series into spans of energy. Readings must come in order of time. */
export class EnergySpans {
  readonly #metric: EnergyMetric
  #at = Number.NaN
  #value = Number.NaN
  /** The newest distances of two readings, ms; their median is the interval that a reading stands for. */
  readonly #distancesMs: number[] = []
  #resets = 0

  constructor(metric: EnergyMetric) {
    this.#metric = metric
  }

  /** Counter resets that were repaired. */
  get resets(): number {
    return this.#resets
  }

  /** The span that this reading completes; undefined for the first one and across a silence. */
  add(at: number, value: number): Span | undefined {
    const from = this.#at
    const before = this.#value
    if (!(at > from) && !Number.isNaN(from)) return undefined
    this.#at = at
    this.#value = value
    if (Number.isNaN(from)) return undefined
    const lasted = at - from
    switch (this.#metric) {
      case 'power':
        return lasted > silenceMaxMs ? undefined : { from, to: at, kwh: (before * lasted) / hourMs / 1000 }
      case 'energy_total':
        return this.#counted(from, at, before, value)
      case 'energy':
        this.#distancesMs.push(lasted)
        if (this.#distancesMs.length > distancesKept) this.#distancesMs.shift()
        return { from, to: from + Math.min(lasted, median(this.#distancesMs)), kwh: before }
    }
  }

  /** The interval that the newest reading stands for, once its length is known (`energy` only). */
  last(): Span | undefined {
    if (this.#metric !== 'energy' || this.#distancesMs.length === 0) return undefined
    return { from: this.#at, to: this.#at + median(this.#distancesMs), kwh: this.#value }
  }

  #counted(from: number, to: number, before: number, value: number): Span | undefined {
    // a counter that fell was reset (meter swapped, device restarted): it has counted from 0 since
    const reset = value < before
    if (reset) this.#resets++
    // unless it stands too high for that: then it began somewhere, and what was used is not known
    if (reset && value > before / 2) return undefined
    const kwh = reset ? value : value - before
    // how a long gap's energy fell over its hours is not known
    return to - from > hourMs ? undefined : { from, to, kwh }
  }
}

/** Lays spans into hours. */
export class HourlyEnergy {
  readonly #kwh = new Map<number, number>()
  readonly #knownMs = new Map<number, number>()
  #newestEnd = Number.NEGATIVE_INFINITY

  add({ from, to, kwh }: Span): void {
    const lasted = to - from
    if (!(lasted > 0)) return
    this.#newestEnd = Math.max(this.#newestEnd, to)
    for (let hour = Math.floor(from / hourMs); hour * hourMs < to; hour++) {
      const inside = Math.min(to, (hour + 1) * hourMs) - Math.max(from, hour * hourMs)
      this.#kwh.set(hour, (this.#kwh.get(hour) ?? 0) + (kwh * inside) / lasted)
      this.#knownMs.set(hour, (this.#knownMs.get(hour) ?? 0) + inside)
    }
  }

  /** Energy so far, and how much of the hour that begins at `start` (ms) is known. */
  hour(start: number): { readonly kwh: number; readonly knownMs: number } {
    const hour = Math.floor(start / hourMs)
    return { kwh: this.#kwh.get(hour) ?? 0, knownMs: this.#knownMs.get(hour) ?? 0 }
  }

  /** Drops hours that end before `start`. */
  forgetBefore(start: number): void {
    for (const hour of this.#kwh.keys()) {
      if ((hour + 1) * hourMs > start) continue
      this.#kwh.delete(hour)
      this.#knownMs.delete(hour)
    }
  }

  /**
   * Every whole hour from the first to the last known one; NaN where too little is known. `gaps` counts those,
   * `filled` the hours that were scaled up. Undefined while there is no whole hour.
   */
  series(): { start: number; values: Float64Array; gaps: number; filled: number } | undefined {
    const first = earliest(this.#kwh)
    const end = Math.floor(this.#newestEnd / hourMs)
    if (!Number.isFinite(first) || end <= first) return undefined
    const values = new Float64Array(end - first)
    let gaps = 0
    let filled = 0
    for (let index = 0; index < values.length; index++) {
      const share = (this.#knownMs.get(first + index) ?? 0) / hourMs
      if (share < knownShare) gaps++
      else if (share < 0.999) filled++
      values[index] = share < knownShare ? Number.NaN : this.#kwh.get(first + index)! / Math.min(1, share)
    }
    return { start: first * hourMs, values, gaps, filled }
  }
}

function earliest(hours: ReadonlyMap<number, number>): number {
  let first = Number.POSITIVE_INFINITY
  for (const hour of hours.keys()) if (hour < first) first = hour
  return first
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!
