import { localParts } from '../../core/calendar.ts'
import { hourMs } from '../../core/time.ts'
import type { Frame } from '../../ml/frame.ts'

/**
 * What is known at an origin of one of the 24 hours that follow. Everything ends before the origin: a lag of a day
 * or more of an hour that is at most 23 hours ahead, rolling figures up to the last whole hour, and the calendar.
 * The same function serves training and forecasting.
 */

/** Lead times of one forecast: hours 0..23 after the origin. */
export const horizon = 24

/** Hours of history that the longest feature looks back. */
export const historyHours = 28 * 24

const lagHours = [24, 48, 72, 168, 336] as const
const recentHours = [1, 2, 3] as const
const rollingHours = [3, 6, 24, 168] as const

export const featureNames: readonly string[] = [
  'lead',
  'hour',
  'weekday',
  'weekend',
  ...lagHours.map((lag) => `lag_${lag}h`),
  ...recentHours.map((lag) => `last_${lag}h`),
  ...rollingHours.map((hours) => `mean_${hours}h`),
  'slot_mean_7d',
  'slot_mean_28d',
  'slot_max_7d',
]

/** Hourly values (NaN unknown) whose first hour starts at `start`, UTC ms, with running sums for the rolling means. */
export class History {
  readonly values: Float64Array
  readonly start: number
  readonly zone: string
  /** What no forecast may fall below: nothing, or 0 where the series never did (a consumer, a counter). */
  readonly least: number
  readonly #sums: Float64Array
  readonly #counts: Int32Array

  constructor(values: Float64Array, start: number, zone: string) {
    this.values = values
    this.start = start
    this.zone = zone
    this.least = values.some((value) => value < 0) ? Number.NEGATIVE_INFINITY : 0
    this.#sums = new Float64Array(values.length + 1)
    this.#counts = new Int32Array(values.length + 1)
    for (let index = 0; index < values.length; index++) {
      const known = !Number.isNaN(values[index]!)
      this.#sums[index + 1] = this.#sums[index]! + (known ? values[index]! : 0)
      this.#counts[index + 1] = this.#counts[index]! + (known ? 1 : 0)
    }
  }

  /** Value of an hour, NaN where unknown or outside. */
  at(index: number): number {
    return index >= 0 && index < this.values.length ? this.values[index]! : Number.NaN
  }

  /** Mean of the known hours of [end - hours, end); NaN where there is none. */
  mean(end: number, hours: number): number {
    const from = Math.max(0, end - hours)
    const count = this.#counts[end]! - this.#counts[from]!
    return count === 0 ? Number.NaN : (this.#sums[end]! - this.#sums[from]!) / count
  }

  /** Mean and maximum of the same hour of the day over `days` days, the newest of them known at `origin`. */
  slot(target: number, days: number): { mean: number; max: number } {
    let sum = 0
    let count = 0
    let max = Number.NEGATIVE_INFINITY
    for (let day = 1; day <= days; day++) {
      const value = this.at(target - day * 24)
      if (Number.isNaN(value)) continue
      sum += value
      count++
      if (value > max) max = value
    }
    return count === 0 ? { mean: Number.NaN, max: Number.NaN } : { mean: sum / count, max }
  }
}

/**
 * Features of the `horizon` hours after each origin, row-major in the order of `origins`. An origin is the index of
 * the first hour that is not known; it may be `values.length`. `base` is the mean of the slot (of the week where
 * the slot is unknown); the learner learns the difference from it, so that a level it has never seen is no obstacle.
 */
export function buildFeatures(
  history: History,
  origins: readonly number[],
): { frame: Frame; base: Float64Array } {
  const rows = origins.length * horizon
  const columns = featureNames.map(() => new Float64Array(rows))
  const base = new Float64Array(rows)
  let row = 0
  for (const origin of origins) {
    for (let lead = 0; lead < horizon; lead++) {
      fillRow(history, origin, lead, row, columns)
      const slot = history.slot(origin + lead, 28).mean
      base[row] = Number.isNaN(slot) ? history.mean(origin, 168) : slot
      row++
    }
  }
  return { frame: { rows, names: featureNames, columns }, base }
}

function fillRow(
  history: History,
  origin: number,
  lead: number,
  row: number,
  columns: readonly Float64Array[],
): void {
  const target = origin + lead
  const { hour, weekday } = localParts(history.zone, history.start + target * hourMs)
  let column = 0
  const put = (value: number): void => {
    columns[column++]![row] = value
  }
  put(lead)
  put(hour)
  put(weekday)
  put(weekday === 0 || weekday === 6 ? 1 : 0)
  for (const lag of lagHours) put(history.at(target - lag))
  for (const lag of recentHours) put(history.at(origin - lag))
  for (const hours of rollingHours) put(history.mean(origin, hours))
  const week = history.slot(target, 7)
  put(week.mean)
  put(history.slot(target, 28).mean)
  put(week.max)
}
