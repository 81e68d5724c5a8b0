/**
 * Intervals by conformal prediction (conformal.ts) around forecasts of many series: errors of past origins, in units of
 * what was to be expected of the series then, are pooled per lead time.
 */
import { conformalQuantile } from '../conformal.ts'

/** Errors at past origins in scales: `residuals[series][origin]`, one a lead time, NaN where not known. */
export type Residuals = readonly (readonly Float64Array[])[]

export interface SpreadOptions {
  /** How many origins the errors over all series count for, when a series' own size of error is estimated. */
  readonly prior: number
  /** Leads on both sides that are pooled with a lead. */
  readonly nearby: number
}

export const spreadDefaults: Readonly<SpreadOptions> = { prior: 4, nearby: 2 }

/** How far the ends of the interval lie from the forecast: one a lead time, the lower <= 0 where errors are centred. */
export interface Reach {
  readonly lo: Float64Array
  readonly hi: Float64Array
}

/** Gives the reach for a series, in its scale now. */
export type IntervalsOf = (series: number, level: number) => Reach

/**
 * Origins up to `overlap` apart share steps: what is to be expected of an origin is judged without those. Where too few
 * errors are known to promise a level, the largest known one is taken.
 */
export function intervalsOf(
  residuals: Residuals,
  horizon: number,
  overlap: number,
  options: SpreadOptions = spreadDefaults,
): IntervalsOf {
  const profile = leadProfile(residuals, horizon)
  const sizes = residuals.map((rows) =>
    rows.map((row) => mean([...row].map((error, lead) => Math.abs(error) / profile[lead]!))),
  )
  const overall = mean(sizes.flat())
  const sizeWithout = (series: number, left?: number): number => {
    const own = sizes[series]!.filter(
      (size, origin) => !Number.isNaN(size) && (left === undefined || Math.abs(origin - left) > overlap),
    )
    const prior = options.prior
    return (own.reduce((sum, size) => sum + size, 0) + prior * overall) / (own.length + prior)
  }
  const pooled = Array.from({ length: horizon }, (): number[] => [])
  for (const [series, rows] of residuals.entries())
    for (const [origin, row] of rows.entries()) {
      const size = sizeWithout(series, origin)
      for (let lead = 0; lead < horizon; lead++)
        if (!Number.isNaN(row[lead]!)) pooled[lead]!.push(row[lead]! / (size * profile[lead]!))
    }
  const known = new Map<number, Reach>()
  return (series, level) => {
    const unit = known.get(level) ?? unitReach(pooled, level, options.nearby)
    known.set(level, unit)
    const size = sizeWithout(series)
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

/** Errors beyond this many scales do not count for more in the profile. */
const farthest = 20

/** Mean size of the error a lead time over the mean of all. */
function leadProfile(residuals: Residuals, horizon: number): Float64Array {
  const sums = new Float64Array(horizon)
  const counts = new Float64Array(horizon)
  for (const row of residuals.flat())
    for (let lead = 0; lead < horizon; lead++) {
      if (Number.isNaN(row[lead]!)) continue
      sums[lead]! += Math.min(farthest, Math.abs(row[lead]!))
      counts[lead]!++
    }
  const means = sums.map((sum, lead) => (counts[lead]! > 0 ? sum / counts[lead]! : Number.NaN))
  const all = mean([...means])
  return means.map((value) => (all > 0 && value > 0 ? value / all : 1))
}

function mean(values: readonly number[]): number {
  const known = values.filter((value) => !Number.isNaN(value))
  return known.reduce((sum, value) => sum + value, 0) / known.length
}
