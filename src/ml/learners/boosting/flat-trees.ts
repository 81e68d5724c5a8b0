import { binSpan, type FeatureBins, missingBin } from './binning.ts'
import type { Node } from './split.ts'

/** Flags of a node: missing values go right; the feature is categorical. */
export const missingRight = 1
export const bySet = 2

/**
 * Trees as flat arrays, one entry a node, each tree breadth first from its root. The children of a node are adjacent:
 * `left[node]` and the one after it.
 */
export interface FlatTrees {
  /** First node of each tree. */
  readonly roots: Int32Array
  /** Position of the feature in the model's names; -1 for a leaf. */
  readonly feature: Int32Array
  /** Numbers: not above it goes left. Categories: the number of the set. Leaf: what it adds to the score. */
  readonly value: Float64Array
  readonly left: Int32Array
  readonly flags: Uint8Array
  /** Rows of training that came through. */
  readonly cover: Float64Array
  /** One byte for each bin of each set: 1 goes left. */
  readonly sets: Uint8Array
}

/** Collects grown trees. `columns[k]` is the position of the kernel's feature k in the model's names. */
export class TreeCollector {
  readonly #bins: readonly FeatureBins[]
  readonly #columns: Int32Array
  readonly #roots: number[] = []
  readonly #feature: number[] = []
  readonly #value: number[] = []
  readonly #left: number[] = []
  readonly #flags: number[] = []
  readonly #cover: number[] = []
  readonly #sets: Uint8Array[] = []
  /** Sum of the gains by feature of the model. */
  readonly gain: Float64Array

  constructor(bins: readonly FeatureBins[], columns: Int32Array, names: number) {
    this.#bins = bins
    this.#columns = columns
    this.gain = new Float64Array(names)
  }

  get length(): number {
    return this.#roots.length
  }

  /** Adds a tree; `gainUnit` turns its gains into the unit of the loss. */
  add(root: Node, gainUnit: number): void {
    const queue = [root]
    this.#roots.push(this.#feature.length)
    const first = this.#feature.length
    for (let k = 0; k < queue.length; k++) {
      const node = queue[k]!
      const { left, right, split } = node
      this.#cover.push(node.rows)
      if (left === undefined || right === undefined || split === undefined) {
        // adding zero makes -0 into 0, which JSON keeps
        this.#push(-1, node.value + 0, 0, 0)
        continue
      }
      const { edges } = this.#bins[split.feature]!
      const column = this.#columns[split.feature]!
      this.gain[column]! += split.gain * gainUnit
      const missing = split.goesLeft[missingBin] === 1 ? 0 : missingRight
      if (edges === undefined) {
        this.#push(column, this.#sets.length, first + queue.length, missing | bySet)
        this.#sets.push(split.goesLeft)
      } else {
        // beyond the last edge: all numbers go left, only the missing go right
        this.#push(column, edges[split.bin] ?? Number.POSITIVE_INFINITY, first + queue.length, missing)
      }
      queue.push(left, right)
    }
  }

  /** The first `trees` of the trees. */
  finish(trees: number): FlatTrees {
    const nodes = this.#roots[trees] ?? this.#feature.length
    const sets = new Uint8Array(this.#sets.length * binSpan)
    for (const [k, set] of this.#sets.entries()) sets.set(set, k * binSpan)
    return {
      roots: Int32Array.from(this.#roots.slice(0, trees)),
      feature: Int32Array.from(this.#feature.slice(0, nodes)),
      value: Float64Array.from(this.#value.slice(0, nodes)),
      left: Int32Array.from(this.#left.slice(0, nodes)),
      flags: Uint8Array.from(this.#flags.slice(0, nodes)),
      cover: Float64Array.from(this.#cover.slice(0, nodes)),
      sets,
    }
  }

  #push(feature: number, value: number, left: number, flags: number): void {
    this.#feature.push(feature)
    this.#value.push(value)
    this.#left.push(left)
    this.#flags.push(flags)
  }
}

/** Leaf of the row at matrix[at..]; categories are bins there, NaN is missing. */
export function leafAt(trees: FlatTrees, tree: number, matrix: Float64Array, at: number): number {
  const { feature, value, left, flags, sets } = trees
  let node = trees.roots[tree]!
  for (let column = feature[node]!; column >= 0; column = feature[node]!) {
    node = left[node]! + (goesRight(matrix[at + column]!, value[node]!, flags[node]!, sets) ? 1 : 0)
  }
  return node
}

/** Which child a value takes at a node. */
export function goesRight(x: number, value: number, flags: number, sets: Uint8Array): boolean {
  if (flags === 0) return x > value
  if ((flags & bySet) !== 0) return sets[value * binSpan + x] === 0
  return x > value || Number.isNaN(x)
}

/**
 * Adds the leaves' values to the raw scores of the rows in `matrix` (row-major, `width` a row); tree t adds to output
 * t modulo `outputs`.
 */
export function addScores(
  trees: FlatTrees,
  matrix: Float64Array,
  width: number,
  rows: number,
  scores: Float64Array,
  first: number,
  outputs: number,
): void {
  const { roots, feature, value, left, flags, sets } = trees
  for (let tree = 0; tree < roots.length; tree++) {
    const root = roots[tree]!
    let score = first * outputs + (tree % outputs)
    for (let row = 0, at = 0; row < rows; row++, at += width, score += outputs) {
      let node = root
      for (let column = feature[node]!; column >= 0; column = feature[node]!) {
        node = left[node]! + (goesRight(matrix[at + column]!, value[node]!, flags[node]!, sets) ? 1 : 0)
      }
      scores[score]! += value[node]!
    }
  }
}
