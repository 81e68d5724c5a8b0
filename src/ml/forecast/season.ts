/** After how many steps series repeat themselves, where nobody says: by their autocorrelation (Box and Jenkins 1970). */
import { dayMs, hourMs } from '../../core/time.ts'
import type { Series } from './series.ts'

export interface FoundSeason {
  readonly season: number
  /** Mean autocorrelation of the series at that distance, -1 to 1; NaN where nothing could be told. */
  readonly correlation: number
}

/** Newest steps of a series that are looked at, and series. */
const stepsMax = 20_000
const seriesMax = 50
/** Longest season that is searched for where no natural one is known: a year of days, a fortnight of hours. */
const lagMax = 400
/** A correlation below this, or below so many standard errors of noise, is chance or a trend. */
const correlationMin = 0.15
const errorsMin = 4
/** A natural season that repeats itself so well, compared with the best distance, is the season: a week is made of days. */
const naturalShare = 0.5
/** Multiples of a distance at which a season must repeat itself too: they tell it from its neighbours. */
const multiplesMax = 8

/**
 * One season for all series. Natural ones come first, the shorter before the longer: hour, day, week, year, as far as
 * their steps have times and go into them. Else the distance of the highest peak of the autocorrelation. Where nothing
 * repeats itself: the day where there are times, else 1.
 */
export function findSeason(series: readonly Series[]): FoundSeason {
  const shortest = series.reduce(
    (least, { values }) => Math.min(least, values.length),
    Number.POSITIVE_INFINITY,
  )
  const longest = Math.floor(shortest / 2)
  const natural = naturalSeasons(series).filter((one) => one <= longest)
  const lags = Math.min(longest, Math.max(lagMax, ...natural))
  if (!(lags >= 2)) return { season: 1, correlation: Number.NaN }
  const seen = series.slice(0, seriesMax)
  const correlations = overMultiples(meanCorrelations(seen, lags))
  const steps = seen.reduce((sum, { values }) => sum + Math.min(stepsMax, values.length), 0)
  const least = Math.max(correlationMin, errorsMin / Math.sqrt(steps))
  const peak = highestPeak(correlations, least)
  const best = Math.max(
    peak === undefined ? 0 : correlations[peak]!,
    ...natural.map((at) => correlations[at]!),
  )
  const found = natural.find((at) => correlations[at]! >= Math.max(least, naturalShare * best)) ?? peak
  const season = found ?? natural[0] ?? 1
  return { season, correlation: correlations[season] ?? Number.NaN }
}

/** In steps, rising; none where the steps have no times or differ. */
function naturalSeasons(series: readonly Series[]): number[] {
  const stepMs = series[0]?.times?.stepMs
  if (stepMs === undefined || series.some(({ times }) => times?.stepMs !== stepMs)) return []
  // a year of months is twelve steps, however long the months are
  if (stepMs > 27 * dayMs && stepMs < 32 * dayMs) return [12]
  const spans = stepMs < hourMs ? [dayMs, hourMs, 7 * dayMs] : [dayMs, 7 * dayMs, 364 * dayMs]
  return spans.map((span) => span / stepMs).filter((steps) => Number.isInteger(steps) && steps >= 2)
}

/** Autocorrelation by distance in steps, 0 to `lags`, of the changes that a trend leaves; mean over the series. */
function meanCorrelations(series: readonly Series[], lags: number): Float64Array {
  const sums = new Float64Array(lags + 1)
  const counts = new Float64Array(lags + 1)
  for (const { values } of series) {
    const level = withoutTrend(values.subarray(Math.max(0, values.length - stepsMax)))
    const variance = level.reduce((sum, value) => sum + value * value, 0)
    if (!(variance > 0)) continue
    for (let lag = 1; lag <= Math.min(lags, level.length - 1); lag++) {
      let sum = 0
      for (let at = lag; at < level.length; at++) sum += level[at]! * level[at - lag]!
      // of fewer pairs, as if there were all
      sums[lag]! += (sum / variance) * (level.length / (level.length - lag))
      counts[lag]!++
    }
  }
  return sums.map((sum, lag) => (counts[lag]! > 0 ? sum / counts[lag]! : Number.NaN))
}

/** Distances from a straight line; 0 where the value is not known. */
function withoutTrend(values: Float64Array): Float64Array {
  let [count, at, value] = [0, 0, 0]
  for (const [step, one] of values.entries()) {
    if (Number.isNaN(one)) continue
    count++
    at += step
    value += one
  }
  const [meanAt, meanValue] = [at / count, value / count]
  let [rise, run] = [0, 0]
  for (const [step, one] of values.entries()) {
    if (Number.isNaN(one)) continue
    rise += (step - meanAt) * (one - meanValue)
    run += (step - meanAt) ** 2
  }
  const slope = run > 0 ? rise / run : 0
  return values.map((one, step) => (Number.isNaN(one) ? 0 : one - meanValue - slope * (step - meanAt)))
}

/** By distance: the mean of the correlations at its first multiples. */
function overMultiples(correlations: Float64Array): Float64Array {
  const lags = correlations.length - 1
  return correlations.map((_, lag) => {
    if (lag === 0) return 1
    const multiples = Math.min(multiplesMax, Math.floor(lags / lag))
    let sum = 0
    for (let times = 1; times <= multiples; times++) sum += correlations[times * lag]!
    return sum / multiples
  })
}

/** The first peak that is nearly as high as any: later ones are its multiples. */
function highestPeak(correlations: Float64Array, least: number): number | undefined {
  const peaks: number[] = []
  for (let lag = 2; lag < correlations.length - 1; lag++) {
    const here = correlations[lag]!
    if (here >= least && here > correlations[lag - 1]! && here >= correlations[lag + 1]!) peaks.push(lag)
  }
  const best = Math.max(...peaks.map((lag) => correlations[lag]!))
  return peaks.find((lag) => correlations[lag]! >= 0.9 * best)
}
