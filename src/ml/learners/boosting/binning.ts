import { HomeostatError } from '../../../core/errors.ts'
import type { Frame } from '../../frame.ts'
import type { Random } from '../../random.ts'
import { sortNumbers } from './program.ts'

/** The bin of a value that is missing, or of a category that was not seen. Values take the bins 0..254. */
export const missingBin = 255
/** Bins of a feature, the missing one included: one byte. */
export const binSpan = 256
/** Rows that the quantiles are estimated from; more of them move the edges by less than a tenth of a bin. */
const sampleRows = 50_000

/** How the values of one feature become bytes. */
export interface FeatureBins {
  readonly name: string
  /** Numbers: ascending; a value is in the first bin whose edge is not below it, else in the last bin. */
  readonly edges?: Float64Array
  /** Categories: ascending codes; the bin is the position. */
  readonly codes?: Float64Array
  /** Bins in use, the missing one not counted. */
  readonly bins: number
}

/** Column positions of a frame in the order of their names: what a learner sees does not depend on column order. */
export function sortedColumns(frame: Frame): Int32Array {
  const order = Int32Array.from(frame.names.keys())
  order.sort((a, b) => (frame.names[a]! < frame.names[b]! ? -1 : 1))
  for (let k = 1; k < order.length; k++) {
    const name = frame.names[order[k]!]!
    if (name === frame.names[order[k - 1]!]) {
      throw new HomeostatError('data_invalid', { detail: `Two columns are named "${name}"` })
    }
  }
  return order
}

/**
 * Chooses the bins of one column. Up to `maxBins` distinct values each get their own; more share bins of about equal
 * count, and a value that fills a bin by itself is left alone in it (Ke et al. 2017, LightGBM, "GreedyFindBin").
 */
export function chooseBins(
  name: string,
  column: Float64Array,
  categorical: boolean,
  maxBins: number,
  random: Random,
): FeatureBins {
  const sorted = finiteSample(column, random)
  sortNumbers(sorted)
  const { values, counts } = distinct(sorted)
  if (categorical) {
    const codes = mostFrequent(values, counts, maxBins).sort()
    return { name, codes, bins: codes.length }
  }
  const edges =
    values.length <= maxBins
      ? edgesBetween(values)
      : edgesOfEqualCount(values, counts, sorted.length, maxBins)
  return { name, edges, bins: edges.length + 1 }
}

/** Writes the bins of a column to `out[first]`, `out[first + stride]`, ... */
export function binColumn(
  feature: FeatureBins,
  column: Float64Array,
  out: Uint8Array,
  first: number,
  stride: number,
): void {
  const { edges, codes } = feature
  if (edges !== undefined) {
    for (let row = 0, at = first; row < column.length; row++, at += stride) {
      const value = column[row]!
      out[at] = Number.isNaN(value) ? missingBin : lowerBound(edges, value)
    }
    return
  }
  for (let row = 0, at = first; row < column.length; row++, at += stride) {
    out[at] = codes === undefined ? missingBin : codeBin(codes, column[row]!)
  }
}

/** Position of a category, or the missing bin for one that is not among them. */
export function codeBin(codes: Float64Array, value: number): number {
  const at = lowerBound(codes, value)
  return at < codes.length && codes[at] === value ? at : missingBin
}

/** First position whose entry is not below `value`; the length if there is none. */
function lowerBound(sorted: Float64Array, value: number): number {
  let from = 0
  let size = sorted.length
  while (size > 0) {
    const half = size >>> 1
    if (sorted[from + half]! < value) {
      from += half + 1
      size -= half + 1
    } else {
      size = half
    }
  }
  return from
}

function finiteSample(column: Float64Array, random: Random): Float64Array {
  const out = new Float64Array(Math.min(column.length, sampleRows))
  let length = 0
  const stride = column.length / out.length
  for (let k = 0; k < out.length; k++) {
    // one row out of each of equally long stretches: a whole year is seen, not its beginning
    const row = stride === 1 ? k : Math.floor((k + random.next()) * stride)
    const value = column[row]!
    if (Number.isFinite(value)) out[length++] = value
  }
  return out.subarray(0, length)
}

function distinct(sorted: Float64Array): { values: Float64Array; counts: Float64Array } {
  const values = new Float64Array(sorted.length)
  const counts = new Float64Array(sorted.length)
  let length = 0
  for (const value of sorted) {
    if (length === 0 || values[length - 1] !== value) values[length++] = value
    counts[length - 1]! += 1
  }
  return { values: values.subarray(0, length), counts: counts.subarray(0, length) }
}

function mostFrequent(values: Float64Array, counts: Float64Array, limit: number): Float64Array {
  const order = Int32Array.from(values.keys()).sort((a, b) => counts[b]! - counts[a]! || a - b)
  return Float64Array.from(order.subarray(0, limit), (k) => values[k]!)
}

function edgesBetween(values: Float64Array): Float64Array {
  const edges = new Float64Array(Math.max(0, values.length - 1))
  for (let k = 0; k < edges.length; k++) edges[k] = midpoint(values[k]!, values[k + 1]!)
  return edges
}

function edgesOfEqualCount(
  values: Float64Array,
  counts: Float64Array,
  total: number,
  maxBins: number,
): Float64Array {
  const edges = new Float64Array(maxBins - 1)
  let length = 0
  let rowsLeft = total
  let inBin = 0
  for (let k = 0; k + 1 < values.length && length < edges.length; k++) {
    inBin += counts[k]!
    const share = rowsLeft / (maxBins - length)
    // close the bin when it is full, or when the next value would fill one alone
    if (inBin >= share || (counts[k + 1]! >= share && inBin >= share / 2)) {
      edges[length++] = midpoint(values[k]!, values[k + 1]!)
      rowsLeft -= inBin
      inBin = 0
    }
  }
  return edges.slice(0, length)
}

/** A number m with a <= m < b. */
function midpoint(a: number, b: number): number {
  const middle = a / 2 + b / 2
  return middle >= a && middle < b ? middle : a
}
