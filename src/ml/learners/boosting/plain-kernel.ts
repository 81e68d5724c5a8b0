import { binColumn, binSpan } from './binning.ts'
import { type KernelData, type TreeKernel, wholeLimit, wholeScale } from './kernel.ts'
import { findSplit, type Node, type SearchRules, statistics } from './split.ts'

/** The passes as plain loops over typed arrays: the version to read, and the one that the compiled one is held to. */
export function createPlainKernel(data: KernelData): TreeKernel {
  const { rows, trained, features, columns } = data
  const width = features.length
  const bins = new Uint8Array(rows * width)
  for (const [k, feature] of features.entries()) binColumn(feature, columns[k]!, bins, k, width)
  const order = new Int32Array(rows)
  const spare = new Int32Array(rows)
  const gradient = new Float64Array(rows)
  const hessian = new Float64Array(rows).fill(1)
  const scores = new Float64Array(rows * data.outputs)
  const wholeGradient = new Float64Array(rows)
  const wholeHessian = new Float64Array(rows).fill(1)
  const histograms: Float64Array[] = []

  const histogramOf = (slot: number): Float64Array => {
    histograms[slot] ??= new Float64Array(width * binSpan * statistics)
    return histograms[slot]
  }
  const base = (feature: number): number => feature * binSpan * statistics

  function count(node: Node): void {
    const histogram = histogramOf(node.slot).fill(0)
    for (let k = node.from; k < node.to; k++) {
      const row = order[k]!
      const g = wholeGradient[row]!
      const h = wholeHessian[row]!
      for (let feature = 0, at = row * width; feature < width; feature++, at++) {
        const entry = (feature * binSpan + bins[at]!) * statistics
        histogram[entry]! += g
        histogram[entry + 1]! += h
        histogram[entry + 2]! += 1
      }
    }
  }

  function search(node: Node, rules: SearchRules): void {
    node.split = node.open ? findSplit(node, node.features, rules, histogramOf(node.slot), base) : undefined
  }

  return {
    rows,
    order,
    gradient,
    hessian,
    scores,
    residuals() {
      for (let row = 0; row < trained; row++) gradient[row] = scores[row]! - data.target[row]!
    },
    addLeaves(leaves, output) {
      const first = output * rows
      for (const { from, to, restFrom, restTo, value } of leaves) {
        for (let k = from; k < to; k++) scores[first + order[k]!]! += value
        for (let k = restFrom; k < restTo; k++) scores[first + order[k]!]! += value
      }
    },
    begin() {
      const limit = wholeLimit(trained)
      const scale = toWhole(gradient, wholeGradient, trained, limit)
      const hessianScale = data.unitHessian ? 1 : toWhole(hessian, wholeHessian, trained, limit)
      return { gradient: 1 / scale, hessian: 1 / hessianScale }
    },
    openRoot(root, rules) {
      count(root)
      const histogram = histogramOf(root.slot)
      root.gradient = root.hessian = 0
      for (let at = 0; at < binSpan * statistics; at += statistics) {
        root.gradient += histogram[at]!
        root.hessian += histogram[at + 1]!
      }
      search(root, rules)
    },
    openPair(smaller, larger, rules) {
      count(smaller)
      const less = histogramOf(smaller.slot)
      const sibling = histogramOf(larger.slot)
      for (let k = 0; k < sibling.length; k++) sibling[k]! -= less[k]!
      search(smaller, rules)
      search(larger, rules)
    },
    partition(from, to, feature, goesLeft) {
      let left = from
      let right = 0
      for (let k = from; k < to; k++) {
        const row = order[k]!
        if (goesLeft[bins[row * width + feature]!] === 1) order[left++] = row
        else spare[right++] = row
      }
      order.set(spare.subarray(0, right), left)
      return left
    },
  }
}

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
