import { binSpan, type FeatureBins, missingBin } from './binning.ts'

/** Where a node's rows part. Sums are in the units of the tree. */
export interface Split {
  readonly gain: number
  readonly feature: number
  /** Numbers: the last bin that goes left. */
  readonly bin: number
  /** One byte a bin: 1 goes left, the missing bin included. */
  readonly goesLeft: Uint8Array
  readonly leftGradient: number
  readonly leftHessian: number
  readonly leftRows: number
}

/** A node of a growing tree. */
export interface Node {
  /** Its rows: order[from, to) sampled, order[restFrom, restTo) not. */
  from: number
  to: number
  restFrom: number
  restTo: number
  readonly depth: number
  /** Where its histogram lies. */
  slot: number
  gradient: number
  hessian: number
  rows: number
  /** Bounds of its value, in units, from monotone ancestors. */
  low: number
  high: number
  /** Whether a split of it is to be looked for, and among which features. */
  open: boolean
  features: Int32Array
  /** The best split, then the children it made. */
  split: Split | undefined
  left: Node | undefined
  right: Node | undefined
  /** What the node adds to a row's score if it stays a leaf. */
  value: number
}

/** What makes a split acceptable, in the units of the tree. */
export interface SearchRules {
  readonly bins: readonly FeatureBins[]
  readonly l2: number
  readonly minChildRows: number
  readonly minChildWeight: number
  /** By feature: 1 rising, -1 falling, 0 free. Absent: all free. */
  readonly monotone: Int8Array | undefined
  /** Rows of hessian 1 in units of hessian. */
  readonly rowWeight: number
}

/** Three numbers a bin: sum of gradients, sum of hessians, rows. */
export const statistics = 3

/** Categories with fewer rows are decided together; smoothing and extra L2 of LightGBM (cat_smooth, cat_l2). */
const minCategoryRows = 10
const categorySmoothing = 10
const categoryL2 = 10

/** Rounding of a gain, relative to the node's own score: anything below is no gain. */
export const noise = 1e-12

/**
 * The best split of a node by one of `features`, by its histogram (`binSpan` x `statistics` numbers a feature), or
 * undefined.
 */
export function findSplit(
  node: Node,
  features: Int32Array,
  rules: SearchRules,
  histogram: Float64Array,
  base: (feature: number) => number,
): Split | undefined {
  const search = new Search(node, rules)
  for (const feature of features) {
    if (rules.bins[feature]!.codes === undefined) search.numeric(histogram, base(feature), feature)
    else search.categorical(histogram, base(feature), feature)
  }
  return search.best()
}

/** -G / (H + l2) between the bounds: the value that makes the loss of a node least, in units. */
export function leafValue(gradient: number, hessian: number, l2: number, low: number, high: number): number {
  const weight = hessian + l2
  return weight > 0 ? Math.min(Math.max(-gradient / weight, low), high) : 0
}

/** Looks through candidates in a fixed order; of equal gains the first stays. */
class Search {
  readonly #node: Node
  readonly #rules: SearchRules
  readonly #parent: number
  #gain: number
  #feature = -1
  #bin = 0
  #gradient = 0
  #hessian = 0
  #rows = 0
  #goesLeft: Uint8Array = new Uint8Array(0)

  constructor(node: Node, rules: SearchRules) {
    this.#node = node
    this.#rules = rules
    this.#parent = scoreOf(node, rules, node.gradient, node.hessian, rules.l2)
    this.#gain = noise * this.#parent
  }

  best(): Split | undefined {
    if (this.#feature < 0) return undefined
    return {
      gain: this.#gain,
      feature: this.#feature,
      bin: this.#bin,
      goesLeft: this.#goesLeft,
      leftGradient: this.#gradient,
      leftHessian: this.#hessian,
      leftRows: this.#rows,
    }
  }

  /** Every border between bins, with the missing values on either side of it. */
  numeric(histogram: Float64Array, base: number, feature: number): void {
    const { bins } = this.#rules.bins[feature]!
    const missing = base + missingBin * statistics
    const missingRows = histogram[missing + 2]!
    const sign = this.#rules.monotone?.[feature] ?? 0
    let gradient = 0
    let hessian = 0
    let rows = 0
    for (let bin = 0, at = base; bin < bins; bin++, at += statistics) {
      if (histogram[at + 2] === 0) continue
      gradient += histogram[at]!
      hessian += histogram[at + 1]!
      rows += histogram[at + 2]!
      if (this.#take(feature, gradient, hessian, rows, this.#rules.l2, sign)) {
        this.#bin = bin
        this.#goesLeft = numericSides(bin, missingRows === 0 && rows * 2 >= this.#node.rows)
      }
      if (missingRows === 0) continue
      const withMissing = rows + missingRows
      const g = gradient + histogram[missing]!
      const h = hessian + histogram[missing + 1]!
      if (this.#take(feature, g, h, withMissing, this.#rules.l2, sign)) {
        this.#bin = bin
        this.#goesLeft = numericSides(bin, true)
      }
    }
  }

  /**
   * Categories in the order of their mean gradient: the best subset for a convex loss is a prefix of it (Fisher 1958).
   * Rare ones, and missing ones, count as one category.
   */
  categorical(histogram: Float64Array, base: number, feature: number): void {
    const smoothing = categorySmoothing * this.#rules.rowWeight
    const groups: { bins: number[]; gradient: number; hessian: number; rows: number; key: number }[] = []
    const other = { bins: [missingBin], gradient: 0, hessian: 0, rows: 0, key: 0 }
    for (let bin = 0; bin < binSpan; bin++) {
      const at = base + bin * statistics
      const [gradient, hessian, rows] = [histogram[at]!, histogram[at + 1]!, histogram[at + 2]!]
      if (rows === 0) continue
      if (bin !== missingBin && rows >= minCategoryRows) {
        groups.push({ bins: [bin], gradient, hessian, rows, key: 0 })
        continue
      }
      if (bin !== missingBin) other.bins.push(bin)
      other.gradient += gradient
      other.hessian += hessian
      other.rows += rows
    }
    if (other.rows > 0) groups.push(other)
    for (const group of groups) group.key = group.gradient / (group.hessian + smoothing)
    groups.sort((a, b) => a.key - b.key || a.bins[0]! - b.bins[0]!)
    const l2 = this.#rules.l2 + categoryL2 * this.#rules.rowWeight
    let [gradient, hessian, rows] = [0, 0, 0]
    for (const [k, group] of groups.entries()) {
      gradient += group.gradient
      hessian += group.hessian
      rows += group.rows
      if (!this.#take(feature, gradient, hessian, rows, l2, 0)) continue
      this.#bin = 0
      // a category that this node has not seen goes with the missing ones, else with the most rows
      const sides = new Uint8Array(binSpan).fill(other.rows === 0 && rows * 2 >= this.#node.rows ? 1 : 0)
      for (let j = 0; j < groups.length; j++) {
        for (const bin of groups[j]!.bins) sides[bin] = j <= k ? 1 : 0
      }
      if (other.rows > 0) {
        const seen = new Set(groups.flatMap((g) => g.bins))
        for (let bin = 0; bin < binSpan; bin++) if (!seen.has(bin)) sides[bin] = sides[missingBin]!
      }
      this.#goesLeft = sides
    }
  }

  /** Remembers a candidate if it may be and beats the best so far. */
  #take(feature: number, gradient: number, hessian: number, rows: number, l2: number, sign: number): boolean {
    const { minChildRows, minChildWeight } = this.#rules
    const node = this.#node
    const rightHessian = node.hessian - hessian
    if (rows < minChildRows || node.rows - rows < minChildRows) return false
    if (hessian < minChildWeight || rightHessian < minChildWeight) return false
    const rightGradient = node.gradient - gradient
    const gain =
      scoreOf(node, this.#rules, gradient, hessian, l2) +
      scoreOf(node, this.#rules, rightGradient, rightHessian, l2) -
      this.#parent
    if (!(gain > this.#gain)) return false
    if (sign !== 0) {
      const left = leafValue(gradient, hessian, l2, node.low, node.high)
      const right = leafValue(rightGradient, rightHessian, l2, node.low, node.high)
      if ((right - left) * sign < 0) return false
    }
    this.#gain = gain
    this.#feature = feature
    this.#gradient = gradient
    this.#hessian = hessian
    this.#rows = rows
    return true
  }
}

/** How much a node lowers the loss, twice: G^2 / (H + l2), less where its value is bounded; NaN without weight. */
export function scoreOf(
  { low, high }: Node,
  { monotone }: SearchRules,
  gradient: number,
  hessian: number,
  l2: number,
): number {
  const weight = hessian + l2
  const free = (gradient * gradient) / weight
  if (monotone === undefined || !(weight > 0)) return free
  const value = leafValue(gradient, hessian, l2, low, high)
  return -(2 * gradient + weight * value) * value
}

/** The sides of the bins when those up to `bin` go left. */
export function numericSides(bin: number, missingLeft: boolean): Uint8Array {
  const sides = new Uint8Array(binSpan)
  sides.fill(1, 0, bin + 1)
  sides[missingBin] = missingLeft ? 1 : 0
  return sides
}
