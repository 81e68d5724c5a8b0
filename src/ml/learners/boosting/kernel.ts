import type { FeatureBins } from './binning.ts'
import type { Node, SearchRules } from './split.ts'

/**
 * The passes over the rows that growing a tree consists of, and the arrays that they work on. There is a plain one,
 * which says what is meant, and a compiled one, which is fast; both give the same bits. That holds for any number of
 * threads too, because gradients are rounded to whole numbers of a common power-of-two unit before they are summed:
 * sums of whole numbers below 2^53 are exact, whatever their order (so subtraction of histograms loses nothing either).
 */
export interface TreeKernel {
  /** The trained rows and, after them, those that only follow along (validation). */
  readonly rows: number
  /** Row numbers; a node owns a range of its sampled rows and a range of the rest. */
  readonly order: Int32Array
  /** Of the trained rows, to be filled before `begin` (the hessian only where it is not 1 everywhere). */
  readonly gradient: Float64Array
  readonly hessian: Float64Array
  /** Raw scores of all rows, one output after the other. */
  readonly scores: Float64Array
  /** Fills `gradient` with scores less target: that of half the squared error. */
  residuals(): void
  /** Adds the leaves' values to the scores of their rows, those outside the sample too. */
  addLeaves(leaves: readonly Node[], output: number): void
  /** Starts a tree: rounds the gradients of the trained rows to whole units. Gives their sizes, powers of two. */
  begin(): Units
  /** Counts the root's histogram, its sums, and its best split. */
  openRoot(root: Node, rules: SearchRules): void
  /** Histograms and best splits of two fresh siblings; the larger one still holds its parent's histogram. */
  openPair(smaller: Node, larger: Node, rules: SearchRules): void
  /** Moves the rows of order[from, to) that go left to the front, keeping order on both sides. Gives the border. */
  partition(from: number, to: number, feature: number, goesLeft: Uint8Array): number
}

export interface Units {
  readonly gradient: number
  readonly hessian: number
}

/** What a kernel is made from: bins of every feature, and columns of `rows` rows each to be binned. */
export interface KernelData {
  readonly features: readonly FeatureBins[]
  readonly columns: readonly Float64Array[]
  readonly rows: number
  /** Of the rows, how many are learnt from: the first ones. */
  readonly trained: number
  /** Whether each row's hessian is 1. */
  readonly unitHessian: boolean
  /** Scores of a row. */
  readonly outputs: number
  readonly target: Float64Array
}

/** Bits that a number of rows takes. */
export const bitsOf = (rows: number): number => Math.ceil(Math.log2(rows + 1))

/** Largest whole number that one of `rows` gradients may become, so that no sum of them exceeds its share of 64 bits. */
export function wholeLimit(rows: number): number {
  return 2 ** Math.min(51, 62 - bitsOf(rows)) / rows
}

/** The power of two that takes numbers up to `largest` to whole numbers up to `limit`. */
export function wholeScale(largest: number, limit: number): number {
  if (largest === 0) return 1
  // not beyond the range where both the scale and its inverse are normal numbers
  return 2 ** Math.max(-1000, Math.min(1000, Math.floor(Math.log2(limit / largest))))
}
