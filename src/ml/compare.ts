/**
 * Whether one forecaster is better than another beyond noise: the test of Diebold and Mariano (1995) on paired
 * losses, with the small-sample correction and Student's t of Harvey, Leybourne and Newbold (1997).
 */
import { HomeostatError } from '../core/errors.ts'

export interface PairedTest {
  /** Differences that were compared. */
  readonly count: number
  readonly mean: number
  /** The corrected statistic; infinite where all differences are the same and not 0. */
  readonly t: number
  /** One-sided p-value of "the mean is not above 0"; 1 below `pairsMin` differences. */
  readonly p: number
}

/** Fewer pairs tell nothing. */
export const pairsMin = 5

/**
 * Tests paired differences of loss (rival - candidate: above 0 the candidate is better), one an origin, in order of
 * time. `lags`: up to so many origins apart they hang together, because forecasts overlap (h-step forecasts at every
 * step: h - 1); 0 where origins do not overlap. Throws `data_invalid` for a difference that is not a finite number.
 */
export function pairedTest(
  differences: ArrayLike<number>,
  { lags = 0 }: { readonly lags?: number } = {},
): PairedTest {
  const count = differences.length
  let mean = 0
  for (let at = 0; at < count; at++) {
    const difference = differences[at]!
    if (!Number.isFinite(difference))
      throw new HomeostatError('data_invalid', { detail: `the difference ${at} is ${difference}` })
    mean += (difference - mean) / (at + 1)
  }
  if (count < pairsMin) return { count, mean: count === 0 ? 0 : mean, t: 0, p: 1 }
  if (allAlike(differences)) {
    const same = differences[0]!
    return same === 0 ? { count, mean: 0, t: 0, p: 1 } : constant(count, same)
  }
  const steps = Math.min(lags, count - 1) + 1
  const correction = (count + 1 - 2 * steps + (steps * (steps - 1)) / count) / count
  const t = mean * Math.sqrt(Math.max(0, correction) / (longRunVariance(differences, mean, steps) / count))
  return { count, mean, t, p: studentTail(t, count - 1) }
}

const constant = (count: number, mean: number): PairedTest =>
  mean > 0
    ? { count, mean, t: Number.POSITIVE_INFINITY, p: 0 }
    : { count, mean, t: Number.NEGATIVE_INFINITY, p: 1 }

function allAlike(values: ArrayLike<number>): boolean {
  for (let at = 1; at < values.length; at++) if (values[at] !== values[0]) return false
  return true
}

/**
 * Variance plus twice the autocovariances below `steps`. Cut off like this the sum may fall to 0 or below; the variance
 * alone then stands for it (as Diebold and Mariano advise for short series).
 */
function longRunVariance(values: ArrayLike<number>, mean: number, steps: number): number {
  const covariance = (lag: number): number => {
    let sum = 0
    for (let at = lag; at < values.length; at++) sum += (values[at]! - mean) * (values[at - lag]! - mean)
    return sum / values.length
  }
  const variance = covariance(0)
  let sum = variance
  for (let lag = 1; lag < steps; lag++) sum += 2 * covariance(lag)
  return sum > 0 ? sum : variance
}

/** P(T > t) of Student's t with `freedom` degrees of freedom (above 0): Abramowitz and Stegun 26.7.1 by 26.5.2. */
export function studentTail(t: number, freedom: number): number {
  const half = 0.5 * incompleteBeta(freedom / (freedom + t * t), freedom / 2, 0.5)
  return t >= 0 ? half : 1 - half
}

/**
 * Regularised incomplete beta function I_x(a, b), 0 <= x <= 1: the continued fraction DLMF 8.17.22, evaluated from the
 * front by Lentz's method (1976), on the side where it converges quickly.
 */
export function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0
  if (x >= 1) return 1
  const front = Math.exp(a * Math.log(x) + b * Math.log1p(-x) + lnGamma(a + b) - lnGamma(a) - lnGamma(b))
  return x < (a + 1) / (a + b + 2)
    ? (front * betaFraction(x, a, b)) / a
    : 1 - (front * betaFraction(1 - x, b, a)) / b
}

function betaFraction(x: number, a: number, b: number): number {
  const tiny = 1e-300
  const away = (value: number): number => (Math.abs(value) < tiny ? tiny : value)
  let c = 1
  let d = 1 / away(1 - ((a + b) * x) / (a + 1))
  let fraction = d
  for (let m = 1; m <= 500; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m))
    d = 1 / away(1 + even * d)
    c = away(1 + even / c)
    fraction *= c * d
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1))
    d = 1 / away(1 + odd * d)
    c = away(1 + odd / c)
    fraction *= c * d
    if (Math.abs(c * d - 1) < 1e-15) break
  }
  return fraction
}

/** ln of the gamma function for x > 0: Stirling's series (DLMF 5.11.1) from 10 on, the recurrence below. */
function lnGamma(x: number): number {
  let shift = 0
  let z = x
  for (; z < 10; z++) shift += Math.log(z)
  const inverse = 1 / (z * z)
  const series =
    (1 / 12 - inverse * (1 / 360 - inverse * (1 / 1260 - inverse * (1 / 1680 - inverse / 1188)))) / z
  return (z - 0.5) * Math.log(z) - z + 0.5 * Math.log(2 * Math.PI) + series - shift
}
