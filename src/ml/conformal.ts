/**
 * Conformal prediction: intervals and p-values that hold for any model, because they are read off its errors on data
 * that it was not fitted to. Exact as long as those data and the new ones are exchangeable; adaptive conformal (ACI)
 * repairs the drift that time series have. What an interval covered is still measured and shown, never assumed.
 *
 * Sources: Vovk, Gammerman and Shafer 2005; Lei et al. 2018 (split); Romano, Patterson and Candes 2019 (CQR);
 * Gibbs and Candes 2021 (ACI); Laxhammar and Falkman 2014 (p-values for anomalies).
 */
import { HomeostatError } from '../core/errors.ts'
import type { Random } from './random.ts'

/**
 * The conformal quantile: the ceil((n + 1)(1 - alpha))-th smallest of `n` scores. A new score of the same kind is at
 * most this with probability >= 1 - alpha. Infinity where n is too small to promise that (n < 1 / alpha - 1).
 * NaN scores are left out.
 */
export function conformalQuantile(scores: ArrayLike<number>, alpha: number): number {
  checkAlpha(alpha)
  return quantileOfSorted(sortedKnown(scores), alpha)
}

/** The same of scores in rising order, without NaN. */
export function quantileOfSorted(sorted: Float64Array, alpha: number): number {
  if (alpha <= 0) return Number.POSITIVE_INFINITY
  // the small number keeps (n + 1)(1 - alpha) = 9.000000000000002 at 9
  const rank = Math.ceil((sorted.length + 1) * (1 - alpha) - 1e-9)
  if (rank > sorted.length) return Number.POSITIVE_INFINITY
  return rank < 1 ? Number.NEGATIVE_INFINITY : sorted[rank - 1]!
}

/**
 * Split conformal: half the width, a lead time, of the interval mean +- width that covers 1 - alpha.
 * `errors` holds |actual - mean| row-major: one row a forecast origin, `horizon` lead times a row; NaN = not known yet.
 */
export function splitConformal(errors: Float64Array, horizon: number, alpha: number): Float64Array {
  checkAlpha(alpha)
  return perLead(errors, horizon, (column) => quantileOfSorted(column, alpha))
}

/**
 * How far a target lies outside [lo, hi] (above 0), or how deep inside (below 0): the score of CQR, one a value.
 */
export function cqrScores(
  actual: ArrayLike<number>,
  lo: ArrayLike<number>,
  hi: ArrayLike<number>,
): Float64Array {
  return Float64Array.from({ length: actual.length }, (_, at) =>
    Math.max(lo[at]! - actual[at]!, actual[at]! - hi[at]!),
  )
}

/**
 * Conformalised quantile regression: by how much, a lead time, [lo, hi] must be widened on both sides (narrowed where
 * below 0) to cover 1 - alpha. `scores` as `cqrScores` gives them, row-major as in `splitConformal`.
 */
export const cqr: (scores: Float64Array, horizon: number, alpha: number) => Float64Array = splitConformal

export interface AciOptions {
  /** Share of targets that may lie outside. */
  readonly alpha: number
  /** Step of the adaptation: larger follows a drift faster and swings more. Gibbs and Candes use 0.005. */
  readonly gamma: number
  /** Lead times, each with a state of its own. */
  readonly horizon: number
  /** Scores kept a lead time, the newest. */
  readonly window: number
}

export interface AciState {
  readonly options: AciOptions
  /** The level in use, a lead time. */
  readonly alphas: readonly number[]
  /** The newest scores, oldest first, a lead time. */
  readonly scores: readonly (readonly number[])[]
}

/**
 * Adaptive conformal inference, per lead time: after every target that lies outside the level is widened by
 * gamma (1 - alpha), after every one inside narrowed by gamma alpha, so that over any long stretch the share outside
 * is alpha whatever the series does (|share - alpha| <= (1 + gamma) / (gamma T), their proposition 4.1).
 *
 * Scores are |actual - mean| or those of CQR. `width` may be infinite while there are too few of them.
 */
export class AdaptiveConformal {
  readonly #options: AciOptions
  readonly #alphas: Float64Array
  readonly #windows: SortedWindow[]

  constructor(options: AciOptions, state?: AciState) {
    checkAlpha(options.alpha)
    if (!(options.gamma > 0) || !(options.window >= 1) || !(options.horizon >= 1))
      throw new HomeostatError('data_invalid', {
        detail: 'adaptive intervals need gamma above 0, a window and a horizon from 1 on',
      })
    this.#options = options
    this.#alphas = Float64Array.from(
      { length: options.horizon },
      (_, at) => state?.alphas[at] ?? options.alpha,
    )
    this.#windows = Array.from({ length: options.horizon }, (_, at) => {
      const window = new SortedWindow(options.window)
      for (const score of state?.scores[at] ?? []) window.push(score)
      return window
    })
  }

  static load(state: AciState): AdaptiveConformal {
    return new AdaptiveConformal(state.options, state)
  }

  /** By how much to widen the interval at this lead time (0-based). */
  width(lead: number): number {
    return quantileOfSorted(this.#windows[lead]!.sorted(), Math.min(1, this.#alphas[lead]!))
  }

  /**
   * Takes the score of a target that became known, in the order in which targets become known at this lead time.
   * Returns whether the interval that `width` gave before this call covered it.
   */
  learn(lead: number, score: number): boolean {
    const covered = score <= this.width(lead)
    const { alpha, gamma } = this.#options
    this.#alphas[lead] = this.#alphas[lead]! + gamma * (alpha - (covered ? 0 : 1))
    this.#windows[lead]!.push(score)
    return covered
  }

  toJSON(): AciState {
    return {
      options: this.#options,
      alphas: [...this.#alphas],
      scores: this.#windows.map((window) => [...window.inOrder()]),
    }
  }
}

/**
 * Conformal p-value of an anomaly score (larger is stranger) among calibration scores in rising order: the share at
 * least as strange, itself included, so never 0. P(p <= t) <= t for a normal row. With `random` ties are broken by
 * chance and p is exactly uniform (smoothed); without, it is the same at every run.
 */
export function conformalPValue(sorted: Float64Array, score: number, random?: Random): number {
  const above = sorted.length - upperBound(sorted, sorted.length, score)
  const ties = sorted.length - above - lowerBound(sorted, sorted.length, score)
  return (above + (ties + 1) * (random?.next() ?? 1)) / (sorted.length + 1)
}

/** The newest `capacity` scores, kept both in order of arrival and sorted: p-values of a stream, O(log n) each. */
export class SortedWindow {
  readonly #arrivals: Float64Array
  readonly #sorted: Float64Array
  #count = 0
  #next = 0

  constructor(capacity: number) {
    this.#arrivals = new Float64Array(capacity)
    this.#sorted = new Float64Array(capacity)
  }

  get size(): number {
    return this.#count
  }

  /** Adds a score; the oldest leaves once the window is full. A NaN is not a score and is left out. */
  push(score: number): void {
    if (Number.isNaN(score)) return
    const capacity = this.#arrivals.length
    if (this.#count === capacity) this.#remove(this.#arrivals[this.#next]!)
    const at = upperBound(this.#sorted, this.#count, score)
    this.#sorted.copyWithin(at + 1, at, this.#count)
    this.#sorted[at] = score
    this.#count++
    this.#arrivals[this.#next] = score
    this.#next = (this.#next + 1) % capacity
  }

  /** Conformal p-value of a score against the window, before it is pushed. 1 while the window is empty. */
  pValue(score: number, random?: Random): number {
    return conformalPValue(this.sorted(), score, random)
  }

  /** As `conformalQuantile` of the scores in the window, without sorting them again. */
  quantile(alpha: number): number {
    checkAlpha(alpha)
    return quantileOfSorted(this.sorted(), alpha)
  }

  /** The scores in rising order: a view, valid until the next push. */
  sorted(): Float64Array {
    return this.#sorted.subarray(0, this.#count)
  }

  /** The scores in order of arrival, oldest first. */
  inOrder(): Float64Array {
    const capacity = this.#arrivals.length
    const start = this.#count < capacity ? 0 : this.#next
    return Float64Array.from({ length: this.#count }, (_, at) => this.#arrivals[(start + at) % capacity]!)
  }

  #remove(score: number): void {
    const at = lowerBound(this.#sorted, this.#count, score)
    this.#sorted.copyWithin(at, at + 1, this.#count)
    this.#count--
  }
}

/** First place in `sorted[0..count)` whose value is >= score. */
function lowerBound(sorted: Float64Array, count: number, score: number): number {
  let from = 0
  let to = count
  while (from < to) {
    const middle = (from + to) >> 1
    if (sorted[middle]! < score) from = middle + 1
    else to = middle
  }
  return from
}

/** First place in `sorted[0..count)` whose value is > score. */
function upperBound(sorted: Float64Array, count: number, score: number): number {
  let from = 0
  let to = count
  while (from < to) {
    const middle = (from + to) >> 1
    if (sorted[middle]! <= score) from = middle + 1
    else to = middle
  }
  return from
}

function perLead(
  values: Float64Array,
  horizon: number,
  of: (sortedColumn: Float64Array) => number,
): Float64Array {
  if (!Number.isInteger(horizon) || horizon < 1 || values.length % horizon !== 0)
    throw new HomeostatError('data_invalid', {
      detail: `${values.length} scores are not whole rows of ${horizon} lead times`,
    })
  const rows = values.length / horizon
  return Float64Array.from({ length: horizon }, (_, lead) =>
    of(sortedKnown(Float64Array.from({ length: rows }, (_, row) => values[row * horizon + lead]!))),
  )
}

const sortedKnown = (values: ArrayLike<number>): Float64Array =>
  Float64Array.from(values)
    .filter((value) => !Number.isNaN(value))
    .sort()

function checkAlpha(alpha: number): void {
  if (!(alpha > 0 && alpha < 1))
    throw new HomeostatError('data_invalid', { detail: `alpha must lie between 0 and 1, not ${alpha}` })
}
