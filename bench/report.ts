/** One measured number. `ratio` is to the peer measured in the same run; `target` in the same unit as `value`. */
export interface Figure {
  readonly bench: string
  readonly name: string
  readonly value: number
  readonly unit: string
  readonly target?: number
  readonly ratio?: number
  readonly note?: string
}

export type Report = (figure: Figure) => void

/** What each file bench/NAME.ts exports. Rejects when something could not be measured. */
export interface Bench {
  run(report: Report, options: { readonly isQuick: boolean }): Promise<void>
}

/** Value below which the share q (0..1) of the values lies, linear between neighbours (type 7 of Hyndman & Fan, 1996). */
export function quantile(values: ArrayLike<number>, q: number): number {
  if (values.length === 0) return Number.NaN
  const sorted = Float64Array.from(values).sort()
  const place = q * (sorted.length - 1)
  const below = Math.floor(place)
  const low = sorted[below]!
  const high = sorted[Math.min(below + 1, sorted.length - 1)]!
  return low + (place - below) * (high - low)
}

export const median = (values: ArrayLike<number>): number => quantile(values, 0.5)

/** Three or four digits are what a measurement is good for. */
export function round(value: number): number {
  if (!Number.isFinite(value) || value === 0) return value
  const digits = Math.max(0, 3 - Math.floor(Math.log10(Math.abs(value))))
  return Number(value.toFixed(Math.min(digits, 6)))
}
