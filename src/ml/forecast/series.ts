/** Series of regular steps, as forecasts take them, and the sums that make their features cheap. */
import { HomeostatError } from '../../core/errors.ts'
import { bySlot, civilSteps, originSlot, type StepTimes, slotsAhead } from '../civil.ts'

/** Seasons in the longer cycle: of days, a week. */
export const cycleSeasons = 7

export interface Series {
  readonly id: string
  /** One value a step, oldest first; NaN where none is known. */
  readonly values: Float64Array
  /** Absent: only the place in the season is known, not the hour or the weekday. */
  readonly times?: StepTimes
  /** Covariates that are known ahead (weather forecast, holidays), by name; they reach the horizon beyond `values`. */
  readonly ahead?: Readonly<Record<string, Float64Array>>
}

/**
 * A series made ready: in slots of civil time, gaps filled from the past only, running sums. A forecast at the slot
 * `origin` reads slots below `origin` only, so nothing of the future can leak into a feature.
 */
export interface Prepared {
  readonly series: Series
  readonly season: number
  /** Slot of each step, the horizon beyond the last value included. */
  readonly slots: Int32Array
  /** Where the slots lie on the wall clock; absent where the series has no times. */
  readonly clock?: { readonly startMs: number; readonly stepMs: number }
  /** One value a slot, NaN where none is known. */
  readonly values: Float64Array
  /** The covariates by slot, in the order of their names. */
  readonly ahead: readonly (readonly [name: string, values: Float64Array])[]
  /** Slot of the first known value; what lies before is not used. */
  readonly first: number
  /** As `values`, a gap holding the newest value of the same slot (else the newest at all); NaN before `first`. */
  readonly filled: Float64Array
  /** `sums[t]` is the sum of filled[first..t). */
  readonly sums: Float64Array
  /** Of |filled(t) - filled(t - season)|, from first + season on. */
  readonly changes: Float64Array
}

/**
 * `horizon`: steps beyond the values of which forecasts will be asked. Throws `data_invalid` for a season that is no
 * whole number of steps, an infinite value, a series without any value.
 */
export function prepare(series: Series, season: number, horizon = 0): Prepared {
  if (!Number.isInteger(season) || season < 1)
    throw new HomeostatError('data_invalid', {
      detail: `the season must be a whole number of steps from 1 on, not ${season}`,
    })
  const infinite = series.values.findIndex((value) => Math.abs(value) === Number.POSITIVE_INFINITY)
  if (infinite >= 0)
    throw new HomeostatError('data_invalid', {
      detail: `the series ${series.id} is infinite at step ${infinite + 1}`,
    })
  const { slots, startMs } = civilSteps(series.times, series.values.length + horizon)
  const values = bySlot(slots, series.values)
  const first = values.findIndex((value) => !Number.isNaN(value))
  if (first < 0)
    throw new HomeostatError('data_invalid', { detail: `the series ${series.id} holds no value` })
  const filled = fillFromPast(values, season, first)
  const sums = new Float64Array(values.length + 1)
  const changes = new Float64Array(values.length + 1)
  for (let at = first; at < values.length; at++) {
    sums[at + 1] = sums[at]! + filled[at]!
    const change = at - season >= first ? Math.abs(filled[at]! - filled[at - season]!) : 0
    changes[at + 1] = changes[at]! + change
  }
  const clock = series.times ? { clock: { startMs, stepMs: series.times.stepMs } } : {}
  return {
    ...{ series, season, slots, ...clock, values, ahead: aheadBySlot(series, slots) },
    ...{ first, filled, sums, changes },
  }
}

function aheadBySlot({ ahead = {} }: Series, slots: Int32Array): Prepared['ahead'] {
  return Object.keys(ahead)
    .sort()
    .map((name) => [name, bySlot(slots, ahead[name]!.subarray(0, slots.length))] as const)
}

/** The slot at which a forecast of the steps from `origin` on begins. */
export const slotOf = ({ slots }: Prepared, origin: number, horizon: number): number =>
  originSlot(slots, origin, horizon)

/** Slots that a forecast of `horizon` steps at any of the origins has to cover. */
export const slotsFor = ({ slots }: Prepared, origins: readonly number[], horizon: number): number =>
  origins.reduce((most, origin) => Math.max(most, slotsAhead(slots, origin, horizon)), horizon)

/** A forecast by slot, `column[0]` being the slot of the origin, as one by step. */
export function toSteps(
  prepared: Prepared,
  origin: number,
  horizon: number,
  column: Float64Array,
): Float64Array {
  const first = slotOf(prepared, origin, horizon)
  return Float64Array.from({ length: horizon }, (_, lead) => column[prepared.slots[origin + lead]! - first]!)
}

function fillFromPast(values: Float64Array, season: number, first: number): Float64Array {
  const filled = values.slice()
  for (let at = first + 1; at < values.length; at++)
    if (Number.isNaN(filled[at]!)) filled[at] = filled[at - season >= first ? at - season : at - 1]!
  return filled
}

/** Mean of the `count` values before `to`, of as many as there are; NaN where there are none. */
export function meanBefore({ sums, first }: Prepared, to: number, count: number): number {
  const from = Math.max(first, to - count)
  return to > from ? (sums[to]! - sums[from]!) / (to - from) : Number.NaN
}

/**
 * The size of a series' movements before `origin`: mean |y(t) - y(t - season)| over the last `seasons` seasons. For a
 * stretch that repeats itself exactly, or is shorter than a season: its mean |value - mean|, at last 1.
 */
export function scaleAt(prepared: Prepared, origin: number, seasons = 28): number {
  const { changes, season, first, filled } = prepared
  const from = Math.max(first + season, origin - seasons * season)
  if (origin > from) {
    const scale = (changes[origin]! - changes[from]!) / (origin - from)
    // running sums leave rounding behind; that is no movement
    if (scale > 1e-9 * Math.abs(meanBefore(prepared, origin, seasons * season))) return scale
  }
  const mean = meanBefore(prepared, origin, seasons * season)
  let sum = 0
  const start = Math.max(first, origin - season)
  for (let at = start; at < origin; at++) sum += Math.abs(filled[at]! - mean)
  const deviation = sum / Math.max(1, origin - start)
  return deviation > 1e-9 * Math.abs(mean) ? deviation : 1
}
