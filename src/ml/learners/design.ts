/** What linear learners see of a frame: columns in standard deviations, and one column a code of a categorical one. */
import type { Frame } from '../frame.ts'
import { columnsByName, sortedNames } from './columns.ts'

/** One column of the design: a feature in standard deviations, or one code of a categorical feature. */
export interface Term {
  readonly name: string
  readonly code: number | null
  readonly mean: number
  readonly scale: number
}

/** Weighted sum of the columns plus the intercept, which comes last in `beta`. */
export function linear(columns: readonly Float64Array[], beta: Float64Array, rows: number): Float64Array {
  const sums = new Float64Array(rows).fill(beta[columns.length]!)
  columns.forEach((column, at) => {
    const weight = beta[at]!
    for (let row = 0; row < rows; row++) sums[row]! += weight * column[row]!
  })
  return sums
}

export function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let row = 0; row < a.length; row++) sum += a[row]! * b[row]!
  return sum
}

export function termsOf(frame: Frame): Term[] {
  const names = sortedNames(frame)
  const columns = columnsByName(frame, names)
  return names.flatMap((name, at): Term[] => {
    const column = columns[at]!
    if (!frame.categorical?.includes(name)) return [{ name, code: null, ...spread(column) }]
    const codes = [...new Set(column)].filter((code) => !Number.isNaN(code)).sort((a, b) => a - b)
    return codes.map((code) => ({ name, code, ...spread(indicator(column, code)) }))
  })
}

export function design(frame: Frame, terms: readonly Term[]): Float64Array[] {
  return terms.map(({ name, code, mean, scale }) => {
    const column = columnsByName(frame, [name])[0]!
    const raw = code === null ? column : indicator(column, code)
    return raw.map((value) => (Number.isNaN(value) ? 0 : clamped((value - mean) / scale)))
  })
}

/** Further off than this decides the class by itself; larger ones might cancel as infinities. */
const clamped = (value: number): number => Math.max(-1e100, Math.min(1e100, value))

const indicator = (column: Float64Array, code: number): Float64Array =>
  column.map((value) => (Number.isNaN(value) ? value : value === code ? 1 : 0))

/** Mean and standard deviation of the known values; a column that never varies has scale 1, so its weight stays 0. */
function spread(column: Float64Array): { mean: number; scale: number } {
  let mean = 0
  let squares = 0
  let known = 0
  for (const value of column) {
    if (Number.isNaN(value)) continue
    const before = value - mean
    mean += before / ++known
    squares += before * (value - mean)
  }
  const deviation = Math.sqrt(squares / Math.max(1, known))
  return { mean, scale: deviation > 1e-12 * Math.abs(mean) ? deviation : 1 }
}
