import type { Frame } from './frame.ts'

/** A frame of the given rows, in the given order, copied. */
export function takeRows(frame: Frame, rows: ArrayLike<number>): Frame {
  return { ...frame, rows: rows.length, columns: frame.columns.map((column) => takeValues(column, rows)) }
}

/** The values at the given places, copied. */
export function takeValues(values: Float64Array, rows: ArrayLike<number>): Float64Array {
  const taken = new Float64Array(rows.length)
  for (let at = 0; at < taken.length; at++) taken[at] = values[rows[at]!]!
  return taken
}

/** The rows [from, to) of a frame as a view: nothing is copied. */
export function sliceRows(frame: Frame, from: number, to: number): Frame {
  return { ...frame, rows: to - from, columns: frame.columns.map((column) => column.subarray(from, to)) }
}
