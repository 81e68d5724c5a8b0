/**
 * Features for a table whose rows follow one another in time: what changed over the last minutes, how the last minutes
 * were, and the time of day. They are made of a row and the rows before it only, by the same function for training and
 * for use, so that a later row can never move them.
 */

import { localParts } from '../core/calendar.ts'
import { HomeostatError } from '../core/errors.ts'
import { minuteMs } from '../core/time.ts'
import type { Frame } from './frame.ts'

export interface TabularOptions {
  /** Spans of differences, ms, rising; each is also that of a rolling mean. */
  readonly spansMs: readonly number[]
  /** Zone of the hour and the weekday. */
  readonly zone: string
  /** Which of them are made; default: both. */
  readonly clock?: readonly ClockFeature[]
}

export type ClockFeature = 'hour' | 'weekday'

/** What a reading reacts to in a room: from opening a door to a meeting. */
const minutes = [5, 10, 15, 30, 60] as const

/** Steps back where rows lie too far apart for minutes. */
const steps = [1, 2, 3, 6, 24] as const

/**
 * Spans that suit rows in order of time `at` (ms): 5 to 60 minutes, those that are longer than the median distance of
 * two rows; multiples of that distance where fewer than three are.
 */
export function spansFor(at: ArrayLike<number>): number[] {
  const distances: number[] = []
  for (let row = 1; row < at.length; row++)
    if (at[row]! > at[row - 1]!) distances.push(at[row]! - at[row - 1]!)
  if (distances.length === 0) return minutes.map((span) => span * minuteMs)
  const step = distances.sort((a, b) => a - b)[distances.length >> 1]!
  const fit = minutes.map((span) => span * minuteMs).filter((span) => span >= 2 * step)
  return fit.length >= 3 ? fit : steps.map((count) => count * step)
}

/**
 * The frame with, for every column of numbers, its difference to the value a span ago and its distance from the mean
 * of the span, the standard deviation over the longest span, and the hour and weekday of the row. Where a column of the
 * frame is named like one that is made, the made one is named `... made of the time`. `at` holds the
 * rows' times, ms, not falling within a group; histories do not reach over into another group. NaN where the rows do
 * not reach back far enough. Throws `data_invalid` for times that fall.
 */
export function timedFeatures(
  frame: Frame,
  at: ArrayLike<number>,
  options: TabularOptions,
  groups?: ArrayLike<number | string>,
): Frame {
  const { spansMs, zone, clock = ['hour', 'weekday'] } = options
  const starts = groupStarts(frame.rows, at, groups)
  const categorical = new Set(frame.categorical)
  const names: string[] = [...frame.names]
  const columns: Float64Array[] = [...frame.columns]
  const taken = new Set(names)
  const add = (name: string, column: Float64Array): void => {
    const free = taken.has(name) ? `${name} made of the time` : name
    taken.add(free)
    names.push(free)
    columns.push(column)
  }
  const from = spansMs.map((spanMs) => firstWithin(at, starts, spanMs))
  for (const [place, column] of frame.columns.entries()) {
    const name = frame.names[place]!
    if (categorical.has(name)) continue
    for (const [k, spanMs] of spansMs.entries()) {
      const label = spanText(spanMs)
      add(`${name} change ${label}`, differences(column, at, starts, from[k]!, spanMs))
      const { mean, deviation } = rolling(column, from[k]!)
      add(
        `${name} over mean ${label}`,
        mean.map((value, row) => column[row]! - value),
      )
      if (k === spansMs.length - 1) add(`${name} deviation ${label}`, deviation)
    }
  }
  const local = Array.from({ length: frame.rows }, (_, row) => localParts(zone, at[row]!))
  const ofClock: Readonly<Record<ClockFeature, Float64Array>> = {
    hour: Float64Array.from(local, ({ hour, minute }) => hour + minute / 60),
    weekday: Float64Array.from(local, ({ weekday }) => weekday),
  }
  for (const name of clock) add(name, ofClock[name])
  return { ...frame, names, columns }
}

export function spanText(spanMs: number): string {
  if (spanMs % (60 * minuteMs) === 0) return `${spanMs / (60 * minuteMs)} h`
  return spanMs % minuteMs === 0 ? `${spanMs / minuteMs} min` : `${spanMs / 1000} s`
}

/** For each row, the first row of its group. */
function groupStarts(
  rows: number,
  at: ArrayLike<number>,
  groups: ArrayLike<number | string> | undefined,
): Int32Array {
  const starts = new Int32Array(rows)
  for (let row = 1; row < rows; row++) {
    const same = groups === undefined || groups[row] === groups[row - 1]
    starts[row] = same ? starts[row - 1]! : row
    if (same && !(at[row]! >= at[row - 1]!))
      throw new HomeostatError('data_invalid', {
        detail: `rows must be in order of time, row ${row + 1} is not`,
      })
  }
  return starts
}

/** For each row, the first row of its group that lies less than `spanMs` before it. */
function firstWithin(at: ArrayLike<number>, starts: Int32Array, spanMs: number): Int32Array {
  const first = new Int32Array(starts.length)
  let from = 0
  for (let row = 0; row < first.length; row++) {
    from = Math.max(from, starts[row]!)
    while (at[row]! - at[from]! >= spanMs) from++
    first[row] = from
  }
  return first
}

/** Value minus the newest one that is at least a span old, and not twice that. */
function differences(
  column: Float64Array,
  at: ArrayLike<number>,
  starts: Int32Array,
  from: Int32Array,
  spanMs: number,
): Float64Array {
  return column.map((value, row) => {
    const past = from[row]! - 1
    if (past < starts[row]! || at[row]! - at[past]! >= 2 * spanMs) return Number.NaN
    return value - column[past]!
  })
}

/** Mean and standard deviation of the known values in the rows [from, row]. */
function rolling(
  column: Float64Array,
  from: Int32Array,
): { readonly mean: Float64Array; readonly deviation: Float64Array } {
  const mean = new Float64Array(column.length)
  const deviation = new Float64Array(column.length)
  // sums of distances from a value near by, anew every so often, so that rounding does not add up
  let [sum, squares, known, pivot, left] = [0, 0, 0, 0, 0]
  const take = (value: number, sign: 1 | -1): void => {
    if (Number.isNaN(value)) return
    sum += sign * (value - pivot)
    squares += sign * (value - pivot) ** 2
    known += sign
  }
  for (let row = 0; row < column.length; row++) {
    if (from[row]! >= row || row % 1024 === 0) {
      ;[sum, squares, known, left] = [0, 0, 0, from[row]!]
      pivot = Number.isNaN(column[row]!) ? 0 : column[row]!
      for (let at = left; at <= row; at++) take(column[at]!, 1)
    } else {
      take(column[row]!, 1)
      while (left < from[row]!) take(column[left++]!, -1)
    }
    mean[row] = known > 0 ? pivot + sum / known : Number.NaN
    deviation[row] = known > 0 ? Math.sqrt(Math.max(0, squares / known - (sum / known) ** 2)) : Number.NaN
  }
  return { mean, deviation }
}
