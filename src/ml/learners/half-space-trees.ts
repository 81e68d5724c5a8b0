/**
 * Half-space trees (Tan, Ting and Liu 2011): random trees over the space, grown before any row is seen; what counts is
 * how many rows of the last window fell where this one falls. Learns in constant time and memory, forgets by itself.
 *
 * The paper takes the range of each feature as known. Here the first window of rows tells it, so nothing is scored
 * before that window is full.
 */
import { createRandom } from '../random.ts'
import { asLearner, type StreamingLearner, type StreamingModel } from '../streaming.ts'

export interface HalfSpaceTreesOptions {
  readonly trees: number
  readonly depth: number
  /** Rows of a window: the rows counted now become the reference when so many have come. */
  readonly windowRows: number
  readonly seed: number
}

interface HalfSpaceTreesJson {
  readonly options: HalfSpaceTreesOptions
  readonly names: readonly string[]
  /** Rows of the first window, as long as it fills. */
  readonly first: readonly (readonly (number | null)[])[]
  readonly inWindow: number
  readonly features: readonly number[]
  readonly cuts: readonly number[]
  readonly reference: readonly number[]
  readonly current: readonly number[]
}

/** A node with fewer rows than this share of a window is not looked below (the paper's size limit). */
const sizeLimitShare = 0.1

class HalfSpaceTrees implements StreamingModel {
  readonly #options: HalfSpaceTreesOptions
  readonly #names: readonly string[]
  /** Features by name, so that their order in the rows does not change the trees. */
  readonly #order: readonly number[]
  #first: Float64Array[] = []
  #inWindow = 0
  #features = new Uint16Array(0)
  #cuts = new Float64Array(0)
  #reference = new Float64Array(0)
  #current = new Float64Array(0)

  constructor(names: readonly string[], options: HalfSpaceTreesOptions, json?: HalfSpaceTreesJson) {
    this.#options = options
    this.#names = names
    this.#order = names.map((_, at) => at).sort((a, b) => (names[a]! < names[b]! ? -1 : 1))
    if (!json) return
    this.#first = json.first.map((row) => Float64Array.from(row, (value) => value ?? Number.NaN))
    this.#inWindow = json.inWindow
    this.#features = Uint16Array.from(json.features)
    this.#cuts = Float64Array.from(json.cuts)
    this.#reference = Float64Array.from(json.reference)
    this.#current = Float64Array.from(json.current)
  }

  knows(): boolean {
    return this.#features.length > 0
  }

  /** 0 (in the thick of the last window) to 1 (where no row was). */
  scoreOne(values: ArrayLike<number>): number {
    if (!this.knows()) return 0
    const { trees, depth, windowRows } = this.#options
    const size = 2 ** (depth + 1) - 1
    let mass = 0
    for (let tree = 0; tree < trees; tree++) {
      let node = 0
      let level = 0
      while (level < depth && this.#reference[tree * size + node]! > sizeLimitShare * windowRows) {
        node = this.#child(tree, node, values)
        level++
      }
      mass += this.#reference[tree * size + node]! * 2 ** level
    }
    // spread evenly over the space, every node would have mass x 2^level = windowRows
    return 1 / (1 + mass / (trees * windowRows))
  }

  learnOne(values: ArrayLike<number>): void {
    const { trees, depth, windowRows } = this.#options
    if (this.#features.length === 0) {
      this.#first.push(Float64Array.from(values))
      if (this.#first.length < windowRows) return
      this.#grow()
      for (const row of this.#first) this.#count(row, trees, depth)
      this.#first = []
      this.#turnWindow()
      return
    }
    this.#count(values, trees, depth)
    if (++this.#inWindow === windowRows) this.#turnWindow()
  }

  toJSON(): HalfSpaceTreesJson {
    return {
      options: this.#options,
      names: this.#names,
      first: this.#first.map((row) => Array.from(row, (value) => (Number.isNaN(value) ? null : value))),
      inWindow: this.#inWindow,
      features: [...this.#features],
      cuts: [...this.#cuts],
      reference: [...this.#reference],
      current: [...this.#current],
    }
  }

  /** Cuts each tree's space in the middle of a feature by chance, again and again. */
  #grow(): void {
    const { trees, depth, seed } = this.#options
    const random = createRandom(seed)
    const inner = 2 ** depth - 1
    this.#features = new Uint16Array(trees * inner)
    this.#cuts = new Float64Array(trees * inner)
    this.#reference = new Float64Array(trees * (2 * inner + 1))
    this.#current = new Float64Array(trees * (2 * inner + 1))
    const ranges = this.#order.map((feature) => rangeOf(this.#first, feature))
    for (let tree = 0; tree < trees; tree++) {
      // the paper's work range: wider than the data, its middle by chance inside them
      const lo: number[] = []
      const hi: number[] = []
      for (const [min, max] of ranges) {
        const middle = random.next()
        const reach = 2 * Math.max(middle, 1 - middle)
        lo.push(min + (middle - reach) * (max - min))
        hi.push(min + (middle + reach) * (max - min))
      }
      this.#growNode(tree * inner, 0, inner, lo, hi, () => random.below(ranges.length))
    }
  }

  #growNode(root: number, node: number, inner: number, lo: number[], hi: number[], draw: () => number): void {
    if (node >= inner) return
    const place = draw()
    const from = lo[place]!
    const to = hi[place]!
    const cut = (from + to) / 2
    this.#features[root + node] = this.#order[place]!
    this.#cuts[root + node] = cut
    hi[place] = cut
    this.#growNode(root, 2 * node + 1, inner, lo, hi, draw)
    hi[place] = to
    lo[place] = cut
    this.#growNode(root, 2 * node + 2, inner, lo, hi, draw)
    lo[place] = from
  }

  #count(values: ArrayLike<number>, trees: number, depth: number): void {
    const size = 2 ** (depth + 1) - 1
    for (let tree = 0; tree < trees; tree++) {
      let node = 0
      this.#current[tree * size]!++
      for (let level = 0; level < depth; level++) {
        node = this.#child(tree, node, values)
        this.#current[tree * size + node]!++
      }
    }
  }

  /** A missing value goes left, in learning as in scoring. */
  #child(tree: number, node: number, values: ArrayLike<number>): number {
    const place = tree * (2 ** this.#options.depth - 1) + node
    return 2 * node + (values[this.#features[place]!]! >= this.#cuts[place]! ? 2 : 1)
  }

  #turnWindow(): void {
    const counted = this.#current
    this.#current = this.#reference.fill(0)
    this.#reference = counted
    this.#inWindow = 0
  }
}

/** Range of the known values of a feature; a feature that never varied is given an extent, so that cuts differ. */
function rangeOf(rows: readonly Float64Array[], feature: number): [number, number] {
  let min = Number.POSITIVE_INFINITY
  let max = Number.NEGATIVE_INFINITY
  for (const row of rows) {
    const value = row[feature]!
    if (value < min) min = value
    if (value > max) max = value
  }
  if (!(min <= max)) return [0, 1]
  return max > min ? [min, max] : [min - 0.5, max + 0.5]
}

export const halfSpaceTreesStream: StreamingLearner<HalfSpaceTreesOptions> = {
  name: 'half-space-trees',
  defaults: { trees: 25, depth: 8, windowRows: 250, seed: 1 },
  create: (names, options) => new HalfSpaceTrees(names, { ...halfSpaceTreesStream.defaults, ...options }),
  load(json) {
    const saved = json as HalfSpaceTreesJson
    return new HalfSpaceTrees(saved.names, saved.options, saved)
  },
}

export const halfSpaceTrees = asLearner(halfSpaceTreesStream)
