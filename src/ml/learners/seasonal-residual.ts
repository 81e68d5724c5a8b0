/**
 * Seasonal residual: how far a value lies from the median of its time of day, workdays and weekends apart, in units
 * of the median absolute deviation. Medians, because the profile must not learn the anomalies that it has to find.
 */

import { zoneOffsetMs } from '../../core/calendar.ts'
import { dayMs } from '../../core/time.ts'
import { SortedWindow } from '../conformal.ts'
import { asLearner, featureByFeature, type SeriesDetector } from '../streaming.ts'

export interface SeasonalResidualOptions {
  /** Slots of a day; 96 are quarters of an hour. */
  readonly slotsPerDay: number
  /** Values kept a slot, at most `perSlotDay` of them from one day, so that the memory in days does not hang on the rate. */
  readonly valuesPerSlot: number
  readonly perSlotDay: number
  /** Values that a slot needs before it is trusted; until then the same slot of any day, until then nothing is said. */
  readonly minValues: number
  /** Zone of the clock on the wall: people live by it, also when it is put forward or back. */
  readonly zone: string
  /** `residual`: in units of the median absolute residual of late; `none`: in the value's own unit. */
  readonly scale: 'residual' | 'none'
}

interface SlotState {
  readonly slot: number
  readonly values: readonly number[]
  readonly keptAt: number
}

interface SeasonalResidualState {
  readonly slots: readonly SlotState[]
  readonly residuals: readonly number[]
}

interface Slot {
  readonly values: SortedWindow
  keptAt: number
}

/** The residuals whose median is the scale. One scale for all slots: a noisy hour is not to hide behind its noise. */
const residualsKept = 1_000
/** Keeps the score finite where the series follows its profile to the bit. */
const smallestScale = 1e-9

class SeasonalResidual implements SeriesDetector {
  readonly #options: SeasonalResidualOptions
  readonly #slots = new Map<number, Slot>()
  readonly #residuals = new SortedWindow(residualsKept)
  /** Time between kept values of a slot; half a step of slack, or a clock that wavers would lose every other value. */
  readonly #spacingMs: number

  constructor(options: SeasonalResidualOptions, state?: SeasonalResidualState) {
    this.#options = options
    this.#spacingMs = dayMs / options.slotsPerDay / options.perSlotDay / 2
    for (const { slot, values, keptAt } of state?.slots ?? []) {
      const made = this.#slotOf(slot)
      for (const value of values) made.values.push(value)
      made.keptAt = keptAt
    }
    for (const residual of state?.residuals ?? []) this.#residuals.push(residual)
  }

  knows(at: number): boolean {
    return this.#profile(at) !== undefined
  }

  score(value: number, at: number): number {
    const profile = this.#profile(at)
    if (!profile) return 0
    return Math.min(Number.MAX_VALUE, Math.abs(value - medianOf(profile)) / this.#scale())
  }

  learn(value: number, at: number): void {
    const profile = this.#profile(at)
    if (profile) this.#residuals.push(Math.abs(value - medianOf(profile)))
    for (const number of this.#placesOf(at)) {
      const slot = this.#slotOf(number)
      if (at < slot.keptAt + this.#spacingMs) continue
      slot.values.push(value)
      slot.keptAt = at
    }
  }

  toJSON(): SeasonalResidualState {
    return {
      slots: [...this.#slots].map(([slot, { values, keptAt }]) => ({
        slot,
        values: [...values.inOrder()],
        keptAt,
      })),
      residuals: [...this.#residuals.inOrder()],
    }
  }

  /** The narrowest slot of this time that is trusted. */
  #profile(at: number): SortedWindow | undefined {
    for (const number of this.#placesOf(at)) {
      const values = this.#slots.get(number)?.values
      if (values && values.size >= this.#options.minValues) return values
    }
    return undefined
  }

  #scale(): number {
    if (this.#options.scale === 'none') return 1
    return Math.max(smallestScale, this.#residuals.size > 0 ? medianOf(this.#residuals) : 0)
  }

  /** Slot numbers of a time, the trusted kind first: this time on such a day, this time on any day. */
  #placesOf(at: number): readonly [number, number] {
    const { slotsPerDay, zone } = this.#options
    const wall = zone === 'UTC' ? at : at + zoneOffsetMs(zone, at)
    const day = Math.floor(wall / dayMs)
    const slot = Math.floor(((wall - day * dayMs) / dayMs) * slotsPerDay)
    const weekday = (((day + 4) % 7) + 7) % 7 // the epoch was a Thursday
    const isWeekend = weekday === 0 || weekday === 6
    return [isWeekend ? slotsPerDay + slot : slot, 2 * slotsPerDay + slot]
  }

  #slotOf(number: number): Slot {
    let slot = this.#slots.get(number)
    if (!slot) {
      slot = { values: new SortedWindow(this.#options.valuesPerSlot), keptAt: Number.NEGATIVE_INFINITY }
      this.#slots.set(number, slot)
    }
    return slot
  }
}

const medianOf = (window: SortedWindow): number => window.sorted()[window.size >> 1]!

/** Defaults: a fortnight of workdays and of weekends, as far as three values a quarter of an hour tell of it. */
export const seasonalResidualStream = featureByFeature<SeasonalResidualOptions, SeasonalResidualState>(
  'seasonal-residual',
  { slotsPerDay: 96, valuesPerSlot: 42, perSlotDay: 3, minValues: 3, zone: 'UTC', scale: 'residual' },
  (options, state) => new SeasonalResidual(options, state),
)

export const seasonalResidual = asLearner(seasonalResidualStream)
