/**
 * How far a feature has drifted from what a model learnt from: the population stability index, sum of
 * (now - then) ln(now / then) over bins, which is Kullback and Leibler's divergence both ways (Lewis 1994; its spread
 * under no drift in Yurdakul 2018). By custom: below 0.1 the same, above 0.25 another population.
 *
 * Unlike `psi` of the metrics, the reference is kept with the model, without the data, and missing is a bin of its own:
 * a sensor that falls silent is a drift too. Feature by feature it is blind to what they do together, and a slow one
 * (the mean of a week) fills few bins in any single week: its figure is to be held against `usualPsi`.
 */
import { HomeostatError } from '../core/errors.ts'

/** Plain JSON, kept in a model. */
export interface DriftReference {
  /** Rising; bin k holds (edges[k - 1], edges[k]], the last one what lies above all. */
  readonly edges: readonly number[]
  /** Values in each bin, then the missing ones: `edges.length + 2` counts. */
  readonly counts: readonly number[]
}

/**
 * Quantile bins of a column (NaN is missing). Values that are alike share a bin, so a column of few values has few of
 * them; a constant has three: below it, itself, above. A column without a known value has only the missing ones.
 * Throws `data_invalid` for an empty column or fewer than 2 bins.
 */
export function referenceOf(column: ArrayLike<number>, bins = 10): DriftReference {
  if (column.length === 0)
    throw new HomeostatError('data_invalid', { detail: 'there are no rows to refer to' })
  if (!Number.isInteger(bins) || bins < 2)
    throw new HomeostatError('data_invalid', { detail: `bins must be a whole number from 2 on, not ${bins}` })
  const sorted = new Float64Array(column)
  let known = 0
  for (let row = 0; row < sorted.length; row++)
    if (!Number.isNaN(sorted[row]!)) sorted[known++] = sorted[row]!
  const edges = edgesOf(sorted.subarray(0, known).sort(), bins)
  return { edges, counts: countsOf(column, edges) }
}

/**
 * The largest index that a group of the column's own rows has against the other rows: what is no drift, since it was
 * there before. `groups` gives each row's group (a week, say); groups of less than half the rows of the largest one are
 * passed over. 0 while there are fewer than two.
 */
export function usualPsi(
  column: ArrayLike<number>,
  groups: ArrayLike<number>,
  { edges }: DriftReference,
): number {
  const bins = edges.length + 2
  const all = new Array<number>(bins).fill(0)
  const own = new Map<number, number[]>()
  for (let row = 0; row < column.length; row++) {
    let counts = own.get(groups[row]!)
    if (!counts) {
      counts = new Array<number>(bins).fill(0)
      own.set(groups[row]!, counts)
    }
    const bin = binOf(column[row]!, edges)
    all[bin]!++
    counts[bin]!++
  }
  const least = Math.max(...[...own.values()].map(sum)) / 2
  let most = 0
  for (const counts of own.values()) {
    const others = all.map((count, bin) => count - counts[bin]!)
    if (sum(counts) >= least && sum(others) > 0) most = Math.max(most, psiOf(others, counts))
  }
  return most
}

/** Population stability index of a column against the reference: 0 for the same shares, finite for any. */
export function psi({ edges, counts }: DriftReference, column: ArrayLike<number>): number {
  if (column.length === 0)
    throw new HomeostatError('data_invalid', { detail: 'there are no rows to compare' })
  return psiOf(counts, countsOf(column, edges))
}

function psiOf(then: readonly number[], now: readonly number[]): number {
  const [allThen, allNow] = [sum(then), sum(now)]
  let index = 0
  for (let bin = 0; bin < then.length; bin++) {
    if (then[bin] === 0 && now[bin] === 0) continue
    // half a row at least: an empty bin gives a large but finite figure
    const shareThen = Math.max(then[bin]!, 0.5) / allThen
    const shareNow = Math.max(now[bin]!, 0.5) / allNow
    index += (shareNow - shareThen) * Math.log(shareNow / shareThen)
  }
  return index
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)

function edgesOf(sorted: Float64Array, bins: number): number[] {
  const [least, most] = [sorted[0], sorted.at(-1)]
  if (least === undefined || most === undefined) return []
  if (least === most) return [justBelow(least), least]
  const edges: number[] = []
  for (let bin = 1; bin < bins; bin++) {
    const edge = sorted[Math.ceil((bin * sorted.length) / bins) - 1]!
    if (edge !== edges.at(-1) && edge < most) edges.push(edge)
  }
  return edges
}

/** A number below, so close that no measurement lies between. */
const justBelow = (value: number): number => value - Math.max(Math.abs(value) * 1e-12, 1e-300)

function countsOf(column: ArrayLike<number>, edges: readonly number[]): number[] {
  const counts = new Array<number>(edges.length + 2).fill(0)
  for (let row = 0; row < column.length; row++) counts[binOf(column[row]!, edges)]!++
  return counts
}

/** Bin of a value by bisection: how many edges lie below it; the last one for missing. */
function binOf(value: number, edges: readonly number[]): number {
  if (Number.isNaN(value)) return edges.length + 1
  let from = 0
  let to = edges.length
  while (from < to) {
    const middle = (from + to) >> 1
    if (value > edges[middle]!) from = middle + 1
    else to = middle
  }
  return from
}
