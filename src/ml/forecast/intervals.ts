/**
 * Intervals by conformal prediction (conformal.ts) around forecasts of many series: errors of past origins, in units of
 * what was to be expected of the series then, are pooled per lead time.
 */
import { conformalQuantile } from '../conformal.ts'

/** Errors at past origins: `errors[series][origin]` is actual - forecast, one a lead time, NaN where not known. */
export type Residuals = readonly (readonly Float64Array[])[]

export interface SpreadOptions {
  /** How many origins the errors over all series count for, when a series' own size of error is estimated. */
  readonly prior: number
  /** Leads on both sides that are pooled with a lead. */
  readonly nearby: number
}

export const spreadDefaults: Readonly<SpreadOptions> = { prior: 2, nearby: 2 }

/** How far the ends of the interval lie from the forecast: one a lead time, the lower <= 0 where errors are centred. */
export interface Reach {
  readonly lo: Float64Array
  readonly hi: Float64Array
}

/**
 * Gives the reach for a series. `scales[series][origin]` are the series' scales at the origins, `now[series]` those at
 * the forecast. Where too few errors are known to promise `level`, the largest known one is taken.
 */
export function intervalsOf(
  residuals: Residuals,
  scales: readonly (readonly number[])[],
  now: readonly number[],
  horizon: number,
  options: SpreadOptions = spreadDefaults,
): (series: number, level: number) => Reach {
  const profile = leadProfile(residuals, scales, horizon)
  const sizes = residuals.map((rows, series) =>
    rows.map((row, origin) => sizeOf(row, scales[series]![origin]!, profile)),
  )
  const overall = mean(sizes.flat())
  const sizeWithout = (series: number, left: number): number => {
    const own = sizes[series]!.filter((size, origin) => origin !== left && !Number.isNaN(size))
    const prior = options.prior
    return (own.reduce((sum, size) => sum + size, 0) + prior * overall) / (own.length + prior)
  }
  const pooled = Array.from({ length: horizon }, (): number[] => [])
  for (const [series, rows] of residuals.entries())
    for (const [origin, row] of rows.entries()) {
      const unit = sizeWithout(series, origin) * scales[series]![origin]!
      for (let lead = 0; lead < horizon; lead++)
        if (!Number.isNaN(row[lead]!)) pooled[lead]!.push(row[lead]! / (unit * profile[lead]!))
    }
  const quantiles = new Map<number, Reach>()
  return (series, level) => {
    const unit = quantiles.get(level) ?? unitReach(pooled, level, options.nearby)
    quantiles.set(level, unit)
    const size = sizeWithout(series, -1) * now[series]!
    return {
      lo: unit.lo.map((reach, lead) => reach * size * profile[lead]!),
      hi: unit.hi.map((reach, lead) => reach * size * profile[lead]!),
    }
  }
}

function unitReach(pooled: readonly (readonly number[])[], level: number, nearby: number): Reach {
  const lo = new Float64Array(pooled.length)
  const hi = new Float64Array(pooled.length)
  for (const lead of pooled.keys()) {
    const near = pooled.slice(Math.max(0, lead - nearby), lead + nearby + 1).flat()
    const most = near.reduce((top, score) => Math.max(top, Math.abs(score)), 0)
    hi[lead] = Math.min(most, conformalQuantile(near, (1 - level) / 2))
    lo[lead] = -Math.min(
      most,
      conformalQuantile(
        near.map((score) => -score),
        (1 - level) / 2,
      ),
    )
  }
  return { lo, hi }
}

/** Mean size of the error a lead time over the mean of all, smoothed by its neighbours. */
function leadProfile(
  residuals: Residuals,
  scales: readonly (readonly number[])[],
  horizon: number,
): Float64Array {
  const sums = new Float64Array(horizon)
  const counts = new Float64Array(horizon)
  for (const [series, rows] of residuals.entries())
    for (const [origin, row] of rows.entries())
      for (let lead = 0; lead < horizon; lead++)
        if (!Number.isNaN(row[lead]!)) {
          sums[lead]! += Math.min(20, Math.abs(row[lead]!) / scales[series]![origin]!)
          counts[lead]!++
        }
  const means = sums.map((sum, lead) => (counts[lead]! > 0 ? sum / counts[lead]! : Number.NaN))
  const all = mean([...means])
  return means.map((value) => (all > 0 && value > 0 ? value / all : 1))
}

function sizeOf(row: Float64Array, scale: number, profile: Float64Array): number {
  return mean([...row].map((error, lead) => Math.abs(error) / (scale * profile[lead]!)))
}

function mean(values: readonly number[]): number {
  const known = values.filter((value) => !Number.isNaN(value))
  return known.reduce((sum, value) => sum + value, 0) / known.length
}
