import type { Forecast } from '../core/event.ts'
import { stepEdges, type Truth, widestInterval } from '../core/forecast.ts'
import type { Loss } from '../core/life.ts'

/**
 * Losses of the steps of a forecast whose truth is known as a whole. A step that is longer than those of the truth is
 * compared with their sum (energy) or mean (temperature); one that is shorter, or that does not begin and end with
 * them, has no truth. `pinball` is the mean over the quantiles (Koenker, Bassett 1978); a point forecast such as the
 * baseline counts as a forecast whose quantiles are all the same.
 */
export function forecastLosses(forecast: Forecast, truth: Truth, combine: 'sum' | 'mean'): Loss[] {
  const { mean, baseline, quantiles } = forecast
  const levels = quantiles.map(({ level }) => level)
  const bounds = widestInterval(forecast)
  const edges = stepEdges(forecast)
  const losses: Loss[] = []
  for (let step = 0; step < mean.length; step++) {
    const [at, end] = [edges[step]!, edges[step + 1]!]
    const actual = truthBetween(truth, at, end, combine)
    if (!Number.isFinite(actual) || !Number.isFinite(mean[step])) continue
    const [naive, lo, hi] = [baseline?.[step], bounds?.lo[step], bounds?.hi[step]]
    losses.push({
      ...{ at, end, error: mean[step]! - actual },
      losses: lossesOf(actual, mean[step]!, levels, (index) => quantiles[index]!.values[step]!),
      ...(isKnown(naive) ? { baseline: lossesOf(actual, naive, levels, () => naive) } : {}),
      ...(isKnown(lo) && isKnown(hi) ? { inside: lo <= actual && actual <= hi } : {}),
    })
  }
  return losses
}

/** Truth of [from, to); NaN if a part of it is unknown. */
function truthBetween(
  { start, stepMs, values }: Truth,
  from: number,
  to: number,
  combine: 'sum' | 'mean',
): number {
  const first = (from - start) / stepMs
  const last = (to - start) / stepMs
  if (first < 0 || last > values.length || !Number.isInteger(first) || !Number.isInteger(last))
    return Number.NaN
  let sum = 0
  for (let index = first; index < last; index++) sum += values[index]!
  return combine === 'sum' ? sum : sum / (last - first)
}

function lossesOf(
  actual: number,
  value: number,
  levels: readonly number[],
  quantileAt: (index: number) => number,
): Readonly<Record<string, number>> {
  const error = value - actual
  const point = { squared: error * error, absolute: Math.abs(error) }
  if (levels.length === 0) return point
  let pinball = 0
  for (const [index, level] of levels.entries()) {
    const below = actual - quantileAt(index)
    pinball += below > 0 ? level * below : (level - 1) * below
  }
  return Number.isFinite(pinball) ? { ...point, pinball: pinball / levels.length } : point
}

const isKnown = (value: number | undefined): value is number => value !== undefined && Number.isFinite(value)
