import { binColumn, binSpan } from './binning.ts'
import { type KernelData, type TreeKernel, wholeLimit, wholeScale } from './kernel.ts'
import { findSplit, type Node, type SearchRules, statistics } from './split.ts'

/** The passes as plain loops over typed arrays: the version to read, and the one that the compiled one is held to. */
export const createPlainKernel = (data: KernelData): TreeKernel => new PlainKernel(data)

class PlainKernel implements TreeKernel {
  readonly rows: number
  readonly order: Int32Array
  readonly gradient: Float64Array
  readonly hessian: Float64Array
  readonly scores: Float64Array
  readonly #data: KernelData
  /** Row-major: the bins of a row lie together. */
  readonly #bins: Uint8Array
  readonly #width: number
  readonly #spare: Int32Array
  readonly #wholeGradient: Float64Array
  readonly #wholeHessian: Float64Array
  readonly #histograms: Float64Array[] = []

  constructor(data: KernelData) {
    const { rows, features, columns, outputs } = data
    this.#data = data
    this.#width = features.length
    this.#bins = new Uint8Array(rows * this.#width)
    for (const [k, feature] of features.entries()) binColumn(feature, columns[k]!, this.#bins, k, this.#width)
    this.rows = rows
    this.order = new Int32Array(rows)
    this.#spare = new Int32Array(rows)
    this.gradient = new Float64Array(rows)
    this.hessian = new Float64Array(rows).fill(1)
    this.scores = new Float64Array(rows * outputs)
    this.#wholeGradient = new Float64Array(rows)
    this.#wholeHessian = new Float64Array(rows).fill(1)
  }

  residuals(): void {
    const { gradient, scores } = this
    const { trained, target } = this.#data
    for (let row = 0; row < trained; row++) gradient[row] = scores[row]! - target[row]!
  }

  addLeaves(leaves: Parameters<TreeKernel['addLeaves']>[0], output: number): void {
    const { order, scores } = this
    const first = output * this.rows
    for (const { from, to, restFrom, restTo, value } of leaves) {
      for (let k = from; k < to; k++) scores[first + order[k]!]! += value
      for (let k = restFrom; k < restTo; k++) scores[first + order[k]!]! += value
    }
  }

  begin(): ReturnType<TreeKernel['begin']> {
    const { trained, unitHessian } = this.#data
    const limit = wholeLimit(trained)
    const scale = toWhole(this.gradient, this.#wholeGradient, trained, limit)
    const hessianScale = unitHessian ? 1 : toWhole(this.hessian, this.#wholeHessian, trained, limit)
    return { gradient: 1 / scale, hessian: 1 / hessianScale }
  }

  openRoot(root: Node, rules: SearchRules): void {
    this.#count(root)
    const histogram = this.#histogramOf(root.slot)
    root.gradient = root.hessian = 0
    for (let at = 0; at < binSpan * statistics; at += statistics) {
      root.gradient += histogram[at]!
      root.hessian += histogram[at + 1]!
    }
    this.#search(root, rules)
  }

  openPair(smaller: Node, larger: Node, rules: SearchRules): void {
    this.#count(smaller)
    const less = this.#histogramOf(smaller.slot)
    const sibling = this.#histogramOf(larger.slot)
    for (let k = 0; k < sibling.length; k++) sibling[k]! -= less[k]!
    this.#search(smaller, rules)
    this.#search(larger, rules)
  }

  partition(from: number, to: number, feature: number, goesLeft: Uint8Array): number {
    const { order } = this
    const bins = this.#bins
    const width = this.#width
    const spare = this.#spare
    let left = from
    let right = 0
    for (let k = from; k < to; k++) {
      const row = order[k]!
      if (goesLeft[bins[row * width + feature]!] === 1) order[left++] = row
      else spare[right++] = row
    }
    order.set(spare.subarray(0, right), left)
    return left
  }

  #count(node: Node): void {
    const { order } = this
    const bins = this.#bins
    const width = this.#width
    const gradient = this.#wholeGradient
    const hessian = this.#wholeHessian
    const histogram = this.#histogramOf(node.slot).fill(0)
    for (let k = node.from; k < node.to; k++) {
      const row = order[k]!
      const g = gradient[row]!
      const h = hessian[row]!
      for (let feature = 0, at = row * width; feature < width; feature++, at++) {
        const entry = (feature * binSpan + bins[at]!) * statistics
        histogram[entry]! += g
        histogram[entry + 1]! += h
        histogram[entry + 2]! += 1
      }
    }
  }

  #search(node: Node, rules: SearchRules): void {
    const histogram = this.#histogramOf(node.slot)
    node.split = node.open ? findSplit(node, node.features, rules, histogram, base) : undefined
  }

  #histogramOf(slot: number): Float64Array {
    const known = this.#histograms[slot]
    if (known) return known
    const made = new Float64Array(this.#width * binSpan * statistics)
    this.#histograms[slot] = made
    return made
  }
}

/** Where the histogram of a feature begins. */
const base = (feature: number): number => feature * binSpan * statistics

/** Rounds the first `rows` numbers to multiples of a power of two and gives its inverse. */
function toWhole(from: Float64Array, to: Float64Array, rows: number, limit: number): number {
  let largest = 0
  for (let row = 0; row < rows; row++) largest = Math.max(largest, Math.abs(from[row]!))
  const scale = wholeScale(largest, limit)
  // halves go to the even neighbour, as the hardware rounds: adding and taking off 2^52 * 1.5 does that
  for (let row = 0; row < rows; row++) to[row] = from[row]! * scale + shift - shift
  return scale
}

const shift = 2 ** 52 * 1.5
