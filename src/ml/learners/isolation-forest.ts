/**
 * Isolation forest (Liu, Ting and Zhou 2008): a strange row is cut off from the others by few random cuts.
 *
 * A tree grows on 256 rows to a depth of 8 (the paper's values: deeper tells normal rows apart, which nobody asked),
 * so it fits into a complete binary tree of fixed depth: child = 2 i + 1 or 2 i + 2, no pointers, no test for a leaf.
 * A branch that ends early is carried on to the bottom by cuts at +Infinity.
 */
import { HomeostatError } from '../../core/errors.ts'
import type { Frame } from '../frame.ts'
import type { Learner, Model } from '../learner.ts'
import { createRandom, type Random } from '../random.ts'
import { takeValues } from '../rows.ts'
import { checkFrame, columnsByName, sortedNames } from './columns.ts'

export interface IsolationForestOptions {
  readonly trees: number
  /** Rows drawn for a tree, without replacement. */
  readonly sampleRows: number
  readonly seed: number
}

/** Everything learnt, plain JSON. Trees one after another, each in heap order; `cuts` null = +Infinity. */
interface IsolationForestJson {
  readonly kind: 'isolation-forest'
  readonly names: readonly string[]
  /** Stands in for a missing value: the median of the training rows. */
  readonly fill: readonly number[]
  readonly depth: number
  readonly trees: number
  /** Expected depth of a row among `sampleRows`: the paper's c(n). */
  readonly scale: number
  readonly features: readonly number[]
  readonly cuts: readonly (number | null)[]
  /** Path length at each of the 2^depth bottom places of a tree. */
  readonly lengths: readonly number[]
}

/** Score 0..1, larger is stranger, about 0.5 for what is neither; categorical columns are taken as numbers. */
export const isolationForest: Learner<IsolationForestOptions> = {
  name: 'isolation-forest',
  task: 'anomaly',
  defaults: { trees: 100, sampleRows: 256, seed: 1 },

  fit(frame, _target, options) {
    const { trees, sampleRows, seed } = { ...isolationForest.defaults, ...options }
    checkFrame(frame)
    const names = sortedNames(frame)
    const columns = columnsByName(frame, names)
    const sample = Math.min(sampleRows, frame.rows)
    const depth = Math.max(1, Math.ceil(Math.log2(sample)))
    const random = createRandom(seed)
    const medianRows = drawRows(frame.rows, Math.min(medianRowsMax, frame.rows), random)
    const fill = columns.map((column) => median(takeValues(column, medianRows)))
    const inner = 2 ** depth - 1
    const grower = new TreeGrower(columns, fill, depth, random)
    const features = new Uint16Array(trees * inner)
    const cuts = new Float64Array(trees * inner).fill(Number.POSITIVE_INFINITY)
    const lengths = new Float64Array(trees * (inner + 1))
    for (let tree = 0; tree < trees; tree++) {
      grower.grow(
        drawRows(frame.rows, sample, random),
        features.subarray(tree * inner, (tree + 1) * inner),
        cuts.subarray(tree * inner, (tree + 1) * inner),
        lengths.subarray(tree * (inner + 1), (tree + 1) * (inner + 1)),
      )
    }
    return new IsolationForest({
      kind: 'isolation-forest',
      names,
      fill,
      depth,
      trees,
      // a single row teaches nothing: every row then scores 1
      scale: averageDepth(sample) || 1,
      features: [...features],
      cuts: Array.from(cuts, (cut) => (Number.isFinite(cut) ? cut : null)),
      lengths: [...lengths],
    })
  },

  load: (json) => new IsolationForest(json as IsolationForestJson),
}

/** A missing value gets the median of this many rows by chance; sorting all of them would cost more than the trees. */
const medianRowsMax = 1024

/** Rows scored at a time: their features and their sums stay in the first-level cache while all trees pass. */
const blockRows = 256

class IsolationForest implements Model {
  readonly outputs = 1
  readonly #json: IsolationForestJson
  readonly #features: Uint16Array
  readonly #cuts: Float64Array
  readonly #lengths: Float64Array

  constructor(json: IsolationForestJson) {
    if (json.kind !== 'isolation-forest')
      throw new HomeostatError('data_invalid', { detail: 'this is not an isolation forest' })
    this.#json = json
    this.#features = Uint16Array.from(json.features)
    this.#cuts = Float64Array.from(json.cuts, (cut) => cut ?? Number.POSITIVE_INFINITY)
    this.#lengths = Float64Array.from(json.lengths)
  }

  predict(frame: Frame): Float64Array {
    const { names, fill, trees, scale } = this.#json
    const columns = columnsByName(frame, names)
    const scores = new Float64Array(frame.rows)
    const block = new Float64Array(blockRows * names.length)
    const lengths = new Float64Array(blockRows)
    const factor = -1 / (trees * scale)
    for (let from = 0; from < frame.rows; from += blockRows) {
      const rows = Math.min(blockRows, frame.rows - from)
      fillBlock(block, columns, fill, from, rows)
      this.#pathLengths(block, rows, lengths.fill(0))
      for (let row = 0; row < rows; row++) scores[from + row] = 2 ** (lengths[row]! * factor)
    }
    return scores
  }

  /**
   * Adds up the path lengths of the block's first `rows` rows over all trees. Four rows go down at once (up to three
   * beyond `rows` are wasted): none waits for another, which hides the time that each spends on its two dependent
   * loads. There is no branch to mispredict; `| 0` keeps the arithmetic free of overflow checks.
   */
  #pathLengths(block: Float64Array, rows: number, sums: Float64Array): void {
    const features = this.#features
    const cuts = this.#cuts
    const lengths = this.#lengths
    const { depth, trees } = this.#json
    const width = this.#json.names.length
    const inner = (1 << depth) - 1
    for (let tree = 0; tree < trees; tree++) {
      const root = Math.imul(tree, inner)
      const bottom = (Math.imul(tree, inner + 1) - inner) | 0
      for (let row = 0; row < rows; row += 4) {
        const x0 = Math.imul(row, width)
        const x1 = (x0 + width) | 0
        const x2 = (x1 + width) | 0
        const x3 = (x2 + width) | 0
        let a = 0
        let b = 0
        let c = 0
        let d = 0
        for (let level = 0; level < depth; level++) {
          const na = (root + a) | 0
          const nb = (root + b) | 0
          const nc = (root + c) | 0
          const nd = (root + d) | 0
          a = (2 * a + 1 + Number(block[(x0 + features[na]!) | 0]! >= cuts[na]!)) | 0
          b = (2 * b + 1 + Number(block[(x1 + features[nb]!) | 0]! >= cuts[nb]!)) | 0
          c = (2 * c + 1 + Number(block[(x2 + features[nc]!) | 0]! >= cuts[nc]!)) | 0
          d = (2 * d + 1 + Number(block[(x3 + features[nd]!) | 0]! >= cuts[nd]!)) | 0
        }
        sums[row]! += lengths[(bottom + a) | 0]!
        sums[row + 1]! += lengths[(bottom + b) | 0]!
        sums[row + 2]! += lengths[(bottom + c) | 0]!
        sums[row + 3]! += lengths[(bottom + d) | 0]!
      }
    }
  }

  toJSON(): IsolationForestJson {
    return this.#json
  }
}

/** Grows one tree after another; holds what they share. */
class TreeGrower {
  readonly #columns: readonly Float64Array[]
  readonly #fill: readonly number[]
  readonly #depth: number
  readonly #random: Random
  readonly #order: Uint16Array

  constructor(columns: readonly Float64Array[], fill: readonly number[], depth: number, random: Random) {
    this.#columns = columns
    this.#fill = fill
    this.#depth = depth
    this.#random = random
    this.#order = Uint16Array.from(columns, (_, feature) => feature)
  }

  grow(rows: Int32Array, features: Uint16Array, cuts: Float64Array, lengths: Float64Array): void {
    this.#split(rows, 0, 0, features, cuts, lengths)
  }

  #split(
    rows: Int32Array,
    node: number,
    level: number,
    features: Uint16Array,
    cuts: Float64Array,
    lengths: Float64Array,
  ): void {
    const cut = level < this.#depth && rows.length > 1 ? this.#drawCut(rows) : undefined
    if (!cut) {
      // every way to the bottom below this node leads left, because its cuts stay at +Infinity
      let place = node
      for (let below = level; below < this.#depth; below++) place = 2 * place + 1
      lengths[place - cuts.length] = level + averageDepth(rows.length)
      return
    }
    features[node] = cut.feature
    cuts[node] = cut.at
    const column = this.#columns[cut.feature]!
    const fill = this.#fill[cut.feature]!
    const parted = new Int32Array(rows.length)
    let left = 0
    let right = rows.length
    for (const row of rows) {
      const value = Number.isNaN(column[row]!) ? fill : column[row]!
      if (value >= cut.at) parted[--right] = row
      else parted[left++] = row
    }
    this.#split(parted.subarray(0, left), 2 * node + 1, level + 1, features, cuts, lengths)
    this.#split(parted.subarray(right), 2 * node + 2, level + 1, features, cuts, lengths)
  }

  /** A feature by chance among those that vary in these rows, and a cut by chance inside its range. */
  #drawCut(rows: Int32Array): { feature: number; at: number } | undefined {
    const order = this.#order
    for (let left = order.length; left > 0; left--) {
      const pick = this.#random.below(left)
      const feature = order[pick]!
      order[pick] = order[left - 1]!
      order[left - 1] = feature
      const column = this.#columns[feature]!
      const fill = this.#fill[feature]!
      let min = Number.POSITIVE_INFINITY
      let max = Number.NEGATIVE_INFINITY
      for (const row of rows) {
        const value = Number.isNaN(column[row]!) ? fill : column[row]!
        if (value < min) min = value
        if (value > max) max = value
      }
      // left takes what is < at, so the cut lies above the smallest value: 1 - next() is in (0, 1]
      if (max > min) return { feature, at: Math.min(max, min + (max - min) * (1 - this.#random.next())) }
    }
    return undefined
  }
}

/** Mean depth at which a search in a binary tree of n rows ends without success (the paper's c(n)). */
function averageDepth(n: number): number {
  if (n <= 1) return 0
  if (n === 2) return 1
  return 2 * (Math.log(n - 1) + 0.5772156649015329) - (2 * (n - 1)) / n
}

/** `count` of `rows` row numbers without replacement (Floyd's method, order of drawing). */
function drawRows(rows: number, count: number, random: Random): Int32Array {
  const drawn = new Set<number>()
  for (let top = rows - count; top < rows; top++) {
    const row = random.below(top + 1)
    drawn.add(drawn.has(row) ? top : row)
  }
  return Int32Array.from(drawn)
}

/** Median of the known values; 0 where there is none (such a feature never varies, so it is never cut). */
function median(column: Float64Array): number {
  const known = column.filter((value) => !Number.isNaN(value)).sort()
  return known.length === 0 ? 0 : known[known.length >> 1]!
}

/** Rows [from, from + rows) row by row, missing values filled in. */
function fillBlock(
  block: Float64Array,
  columns: readonly Float64Array[],
  fill: readonly number[],
  from: number,
  rows: number,
): void {
  const width = columns.length
  for (let feature = 0; feature < width; feature++) {
    const column = columns[feature]!
    const missing = fill[feature]!
    for (let row = 0; row < rows; row++) {
      const value = column[from + row]!
      block[row * width + feature] = Number.isNaN(value) ? missing : value
    }
  }
}
