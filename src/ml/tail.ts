/**
 * P-values of a stream of scores that go on beyond the record: conformal (the rank among the newest scores) as far as
 * the scores reach, and past the largest of them by an exponential tail fitted to the excesses over a high quantile
 * (peaks over threshold, Pickands 1975; for streams Siffer et al. 2017, here with shape 0). Without the tail every
 * record would be as strange as every other.
 */
import { SortedWindow } from './conformal.ts'

/** Smallest p-value given: beyond it the exponential is a guess about a guess. */
export const smallestP = 1e-9

export interface TailState {
  readonly capacity: number
  readonly tailShare: number
  /** Oldest first. */
  readonly scores: readonly number[]
}

/** The newest `capacity` scores and their tail, which is the `tailShare` largest of them (at least 10). */
export class TailWindow {
  readonly #window: SortedWindow
  readonly #capacity: number
  readonly #tailShare: number

  constructor(capacity: number, tailShare = 0.02) {
    this.#window = new SortedWindow(capacity)
    this.#capacity = capacity
    this.#tailShare = tailShare
  }

  static load(state: TailState): TailWindow {
    const tail = new TailWindow(state.capacity, state.tailShare)
    for (const score of state.scores) tail.push(score)
    return tail
  }

  get size(): number {
    return this.#window.size
  }

  /** Probability of a score at least as large, from the scores pushed so far; 1 while there are none. */
  pValue(score: number): number {
    const sorted = this.#window.sorted()
    const count = sorted.length
    if (count === 0 || score <= sorted[count - 1]!) return this.#window.pValue(score)
    const inTail = Math.min(count - 1, Math.max(10, Math.floor(count * this.#tailShare)))
    const rank = 1 / (count + 1)
    if (inTail < 10) return rank
    const threshold = sorted[count - inTail - 1]!
    let excess = 0
    for (let at = count - inTail; at < count; at++) excess += sorted[at]! - threshold
    const mean = excess / inTail
    // a tail without extent: any score above it is as strange as can be said
    const beyond = mean > 0 ? (inTail / count) * Math.exp(-(score - threshold) / mean) : 0
    return Math.max(smallestP, Math.min(rank, beyond))
  }

  push(score: number): void {
    this.#window.push(score)
  }

  toJSON(): TailState {
    return { capacity: this.#capacity, tailShare: this.#tailShare, scores: [...this.#window.inOrder()] }
  }
}

/**
 * Fisher's combination (1925) of p-values: P(chi-squared with 2 k degrees of freedom > -2 sum ln p), in closed form
 * because the degrees are even. Exact for independent ones; for dependent ones an order of strangeness.
 */
export function fisher(pValues: ArrayLike<number>): number {
  let half = 0
  for (let at = 0; at < pValues.length; at++) half -= Math.log(pValues[at]!)
  let term = 1
  let sum = 1
  for (let at = 1; at < pValues.length; at++) {
    term *= half / at
    sum += term
  }
  return Math.min(1, Math.exp(-half) * sum)
}

/** P-value of the smallest of `count` p-values (Sidak 1967), stable for small ones. */
export const sidak = (smallest: number, count: number): number => -Math.expm1(count * Math.log1p(-smallest))
