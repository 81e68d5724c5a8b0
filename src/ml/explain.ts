import type { Frame } from './frame.ts'
import { type FlatTrees, goesRight } from './learners/boosting/flat-trees.ts'
import { type BoostingModel, forEachBlock } from './learners/boosting/model.ts'

/** How much of what the splits gained on the training data is due to a column; the shares add up to 1. */
export interface Importance {
  readonly name: string
  readonly share: number
}

/** Columns by the share of the gain that their splits brought, largest first; columns never split by have 0. */
export function gainImportance(model: BoostingModel): Importance[] {
  const { names, gain } = model.parts
  const total = gain.reduce((sum, value) => sum + value, 0)
  const shares = names.map((name, k) => ({ name, share: total > 0 ? gain[k]! / total : 0 }))
  return shares.sort((a, b) => b.share - a.share || (a.name < b.name ? -1 : 1))
}

export interface Explanation {
  readonly names: readonly string[]
  /** Raw score that is expected without knowing any column, one an output. */
  readonly base: Float64Array
  /** Row-major, within a row by output, within an output by name: what knowing the column added to the raw score. */
  readonly values: Float64Array
}

/**
 * Exact Shapley values of trees, path-dependent (Lundberg, Erion & Lee 2018, "Consistent Individualized Feature
 * Attribution for Tree Ensembles", algorithm 2): what is unknown is averaged over by the rows of training that went
 * either way. For each row and output, base plus values is the raw score (log odds for classifiers by boosting).
 * Time: rows x leaves x depth^2.
 */
export function shapValues(model: BoostingModel, frame: Frame): Explanation {
  const { names, start, trees } = model.parts
  const width = names.length
  const outputs = start.length
  const base = start.slice()
  const values = new Float64Array(frame.rows * outputs * width)
  const walk = new Walk(trees)
  for (let tree = 0; tree < trees.roots.length; tree++) {
    base[tree % outputs]! += expectedValue(trees, trees.roots[tree]!)
  }
  forEachBlock(model.parts, frame, (matrix, first, rows) => {
    for (let row = 0; row < rows; row++) {
      for (let tree = 0; tree < trees.roots.length; tree++) {
        walk.add(tree, matrix, row * width, values, ((first + row) * outputs + (tree % outputs)) * width)
      }
    }
  })
  return { names, base, values }
}

function expectedValue({ feature, value, left, cover }: FlatTrees, root: number): number {
  let sum = 0
  const stack = [root]
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (feature[node]! < 0) sum += (value[node]! * cover[node]!) / cover[root]!
    else stack.push(left[node]!, left[node]! + 1)
  }
  return sum
}

/**
 * One row's way through one tree with every subset of columns at once. The path holds, for each column on the way from
 * the root, the share of training rows that follow (when the column is unknown), whether the row follows (when it is
 * known), and the weight of the subsets of each size. Paths of all depths lie behind each other in flat arrays.
 */
class Walk {
  readonly #trees: FlatTrees
  readonly #column: Int32Array
  readonly #zero: Float64Array
  readonly #one: Float64Array
  readonly #weight: Float64Array
  #matrix: Float64Array = new Float64Array(0)
  #at = 0
  #out: Float64Array = new Float64Array(0)
  #to = 0

  constructor(trees: FlatTrees) {
    this.#trees = trees
    const deepest = depthOf(trees) + 2
    const length = (deepest * (deepest + 1)) / 2
    this.#column = new Int32Array(length)
    this.#zero = new Float64Array(length)
    this.#one = new Float64Array(length)
    this.#weight = new Float64Array(length)
  }

  /** Adds the Shapley values of the row at matrix[at..] to out[to..]. */
  add(tree: number, matrix: Float64Array, at: number, out: Float64Array, to: number): void {
    this.#matrix = matrix
    this.#at = at
    this.#out = out
    this.#to = to
    this.#visit(this.#trees.roots[tree]!, 0, 0, 1, 1, -1)
  }

  /** `path` is where this node's path begins, `length` the entries of its parent's, which is copied from just before. */
  #visit(node: number, path: number, length: number, zero: number, one: number, column: number): void {
    const { feature, value, left, flags, cover, sets } = this.#trees
    this.#extend(path, length, zero, one, column)
    if (feature[node]! < 0) {
      this.#settle(path, length, value[node]!)
      return
    }
    const split = feature[node]!
    const right = goesRight(this.#matrix[this.#at + split]!, value[node]!, flags[node]!, sets)
    const hot = left[node]! + (right ? 1 : 0)
    const cold = left[node]! + (right ? 0 : 1)
    let last = length
    let knownZero = 1
    let knownOne = 1
    const before = this.#find(path, length, split)
    if (before >= 0) {
      // the column was split by before on this way: its two splits count as one
      knownZero = this.#zero[path + before]!
      knownOne = this.#one[path + before]!
      this.#unwind(path, length, before)
      last -= 1
    }
    const hotShare = (knownZero * cover[hot]!) / cover[node]!
    const coldShare = (knownZero * cover[cold]!) / cover[node]!
    const next = path + length + 1
    this.#copy(path, next, last)
    this.#visit(hot, next, last + 1, hotShare, knownOne, split)
    this.#copy(path, next, last)
    this.#visit(cold, next, last + 1, coldShare, 0, split)
  }

  #copy(from: number, to: number, last: number): void {
    this.#column.copyWithin(to, from, from + last + 1)
    this.#zero.copyWithin(to, from, from + last + 1)
    this.#one.copyWithin(to, from, from + last + 1)
    this.#weight.copyWithin(to, from, from + last + 1)
  }

  /** Grows the subsets by one column: the entry `length` of the path. */
  #extend(path: number, length: number, zero: number, one: number, column: number): void {
    const weight = this.#weight
    this.#column[path + length] = column
    this.#zero[path + length] = zero
    this.#one[path + length] = one
    weight[path + length] = length === 0 ? 1 : 0
    for (let k = length - 1; k >= 0; k--) {
      weight[path + k + 1]! += (one * weight[path + k]! * (k + 1)) / (length + 1)
      weight[path + k] = (zero * weight[path + k]! * (length - k)) / (length + 1)
    }
  }

  /** Undoes `extend` of entry `which`. */
  #unwind(path: number, length: number, which: number): void {
    const weight = this.#weight
    const one = this.#one[path + which]!
    const zero = this.#zero[path + which]!
    let carried = weight[path + length]!
    for (let k = length - 1; k >= 0; k--) {
      if (one !== 0) {
        const was = weight[path + k]!
        weight[path + k] = (carried * (length + 1)) / ((k + 1) * one)
        carried = was - (weight[path + k]! * zero * (length - k)) / (length + 1)
      } else {
        weight[path + k] = (weight[path + k]! * (length + 1)) / (zero * (length - k))
      }
    }
    for (let k = which; k < length; k++) {
      this.#column[path + k] = this.#column[path + k + 1]!
      this.#zero[path + k] = this.#zero[path + k + 1]!
      this.#one[path + k] = this.#one[path + k + 1]!
    }
  }

  /** At a leaf: each column on the path gets its due. */
  #settle(path: number, length: number, value: number): void {
    for (let k = 1; k <= length; k++) {
      const due = this.#unwoundSum(path, length, k) * (this.#one[path + k]! - this.#zero[path + k]!) * value
      this.#out[this.#to + this.#column[path + k]!]! += due
    }
  }

  /** Sum of the weights if entry `which` were unwound. */
  #unwoundSum(path: number, length: number, which: number): number {
    const one = this.#one[path + which]!
    const zero = this.#zero[path + which]!
    const weight = this.#weight
    let carried = weight[path + length]!
    let sum = 0
    for (let k = length - 1; k >= 0; k--) {
      if (one !== 0) {
        const share = (carried * (length + 1)) / ((k + 1) * one)
        sum += share
        carried = weight[path + k]! - (share * zero * (length - k)) / (length + 1)
      } else if (zero !== 0) {
        sum += (weight[path + k]! * (length + 1)) / (zero * (length - k))
      }
    }
    return sum
  }

  #find(path: number, length: number, column: number): number {
    for (let k = 1; k <= length; k++) if (this.#column[path + k] === column) return k
    return -1
  }
}

/** Splits on the longest way from a root to a leaf. */
function depthOf({ roots, feature, left }: FlatTrees): number {
  const depth = new Int32Array(feature.length)
  let deepest = 0
  for (let node = 0; node < feature.length; node++) {
    if (feature[node]! < 0) continue
    depth[left[node]!] = depth[left[node]! + 1] = depth[node]! + 1
    deepest = Math.max(deepest, depth[node]! + 1)
  }
  return roots.length === 0 ? 0 : deepest
}
