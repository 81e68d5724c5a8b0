/**
 * Quantiles by conformal prediction (conformal.ts) around forecasts of many series: errors of past origins, in units of
 * what was to be expected of the series then, are pooled per lead time.
 */
import { quantileOfSorted, SortedWindow } from '../conformal.ts'

/** Errors at past origins in scales: `residuals[series][origin]`, one a lead time, NaN where not known. */
export type Residuals = readonly (readonly Float64Array[])[]

export interface SpreadOptions {
  /** How many origins the errors over all series count for, when a series' own size of error is estimated. */
  readonly prior: number
  /** Leads on both sides that are pooled with a lead. */
  readonly nearby: number
  /** Whether tails follow how often they were left of late. */
  readonly adaptive: boolean
}

export const spreadDefaults: Readonly<SpreadOptions> = { prior: 4, nearby: 2, adaptive: true }

/** Gives, for a series and a probability, how far the quantile lies from the forecast: one a lead time, in its scale now. */
export type OffsetsOf = (series: number, probability: number) => Float64Array

/**
 * Origins up to `overlap` apart share steps: what is to be expected of an origin is judged without those. Where too few
 * errors are known to promise a quantile, the largest known one is taken, stretched the more the fewer there are.
 */
export function offsetsOf(
  residuals: Residuals,
  horizon: number,
  overlap: number,
  change: Partial<SpreadOptions> = {},
): OffsetsOf {
  const options = { ...spreadDefaults, ...change }
  const profile = leadProfile(residuals, horizon)
  const sizes = residuals.map((rows) =>
    rows.map((row) => mean([...row].map((error, lead) => Math.abs(error) / profile[lead]!))),
  )
  const known = sizes.flat().filter((size) => size > 0)
  // without any known error: as if the season before were the forecast
  const overall = known.length > 0 ? mean(known) : 1
  const sizeWithout = (series: number, left?: number): number => {
    const own = sizes[series]!.filter(
      (size, origin) => !Number.isNaN(size) && (left === undefined || Math.abs(origin - left) > overlap),
    )
    const prior = options.prior
    return (own.reduce((sum, size) => sum + size, 0) + prior * overall) / (own.length + prior)
  }
  const scores = residuals.map((rows, series) =>
    rows.map((row, origin) => {
      const size = sizeWithout(series, origin)
      return row.map((error, lead) => error / (size * profile[lead]!))
    }),
  )
  const pooled = poolByLead(scores.flat(), horizon, options.nearby)
  const reaches = new Map<number, Float64Array>()
  const tail = (sign: 1 | -1, alpha: number): Float64Array => {
    // a grid of levels, so that many series share what is sorted out once
    const step = Math.round(alpha * tailSteps)
    const reach = reaches.get(sign * step) ?? tailReach(pooled, sign, step / tailSteps)
    reaches.set(sign * step, reach)
    return reach
  }
  return (series, probability) => {
    const sign = probability < 0.5 ? -1 : 1
    const alpha = sign < 0 ? probability : 1 - probability
    const promised = options.adaptive ? adaptedAlpha(scores[series]!, sign, alpha, overlap) : alpha
    const reach = tail(sign, promised)
    const size = sizeWithout(series)
    return reach.map((value, lead) => sign * value * size * profile[lead]!)
  }
}

const tailSteps = 1000

/** The scores of each lead with those of its neighbours. */
function poolByLead(rows: readonly Float64Array[], horizon: number, nearby: number): Float64Array[] {
  return Array.from({ length: horizon }, (_, lead) => {
    const from = Math.max(0, lead - nearby)
    const to = Math.min(horizon, lead + nearby + 1)
    const near = new Float64Array(rows.length * (to - from))
    let known = 0
    for (const row of rows)
      for (let at = from; at < to; at++) if (!Number.isNaN(row[at]!)) near[known++] = row[at]!
    return near.subarray(0, known).sort()
  })
}

/**
 * How far one tail reaches at each lead so that a share `alpha` of the scores lies beyond. A lead without any score
 * takes that of the nearest one before it that has some.
 */
function tailReach(pooled: readonly Float64Array[], sign: 1 | -1, alpha: number): Float64Array {
  let reach = unknownReach * (1 - 2 * alpha)
  return Float64Array.from(pooled, (sorted) => {
    if (sorted.length === 0) return reach
    const most = Math.max(Math.abs(sorted[0]!), Math.abs(sorted[sorted.length - 1]!))
    const scores = sign > 0 ? sorted : sorted.map((score) => -score).reverse()
    const promised = quantileOfSorted(scores, Math.max(alpha, 1 / tailSteps))
    reach = Number.isFinite(promised) ? promised : most * (1 + 2 / sorted.length)
    return reach
  })
}

/** Where no error at all is known, the ends lie up to three times what is to be expected of a series without learning. */
const unknownReach = 3

/** Origins before an adaptation starts, and its step a season: Gibbs and Candes' gamma for whole rows of lead times. */
const adaptFrom = 14
const gamma = 0.05

/**
 * Adaptive conformal inference (Gibbs and Candes 2021) over the past origins of a series, in the order in which they
 * became known: the tail gets wider after origins that left it more often than promised, and narrower after others.
 * Gives the share that is to lie beyond the tail now.
 */
function adaptedAlpha(rows: readonly Float64Array[], sign: 1 | -1, alpha: number, overlap: number): number {
  // the median has no tail that could be left too often
  if (alpha >= 0.5) return alpha
  let adapted = alpha
  const past = new SortedWindow(
    Math.max(
      1,
      rows.reduce((sum, row) => sum + row.length, 0),
    ),
  )
  for (const [origin, row] of rows.entries()) {
    const before = rows[origin - 1 - overlap]
    for (const score of before ?? []) past.push(sign * score)
    if (origin < adaptFrom) continue
    const known = row.filter((score) => !Number.isNaN(score))
    if (known.length === 0) continue
    const reach = past.quantile(Math.min(0.999, Math.max(1 / tailSteps, adapted)))
    const beyond = known.filter((score) => sign * score > reach).length / known.length
    adapted += gamma * (alpha - beyond)
  }
  return Math.min(2 * alpha, 0.5, Math.max(alpha / 4, adapted))
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
