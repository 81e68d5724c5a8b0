import { HomeostatError } from '../../../core/errors.ts'
import type { Frame } from '../../frame.ts'
import { createRandom, type Random } from '../../random.ts'
import { chooseBins, type FeatureBins, sortedColumns } from './binning.ts'
import { createFastKernel } from './fast-kernel.ts'
import { TreeCollector } from './flat-trees.ts'
import { growTree, leavesOf, sampleOf, slotsFor } from './grow.ts'
import type { KernelData, TreeKernel, Units } from './kernel.ts'
import { type Loss, quantileOf } from './losses.ts'
import { type BoostingModel, createModel } from './model.ts'
import { checkOptions, type EnsembleOptions, type KernelChoice } from './options.ts'
import { createPlainKernel } from './plain-kernel.ts'
import type { Node, SearchRules } from './split.ts'

/** The columns that can tell rows apart, binned, and where they stand among all columns by name. */
export interface Table {
  readonly names: readonly string[]
  readonly categories: ReadonlyMap<number, Float64Array>
  readonly bins: readonly FeatureBins[]
  readonly columns: readonly Float64Array[]
  /** Position in `names` of each feature of `bins`. */
  readonly positions: Int32Array
}

/** Bins a frame. Constant columns have no say; if all are constant one is kept, so that there is something to count. */
export function prepareTable(frame: Frame, maxBins: number, random: Random): Table {
  const order = sortedColumns(frame)
  const categorical = new Set(frame.categorical)
  const bins: FeatureBins[] = []
  const columns: Float64Array[] = []
  const positions: number[] = []
  const categories = new Map<number, Float64Array>()
  for (const [position, at] of order.entries()) {
    const name = frame.names[at]!
    const column = frame.columns[at]!
    if (column.length !== frame.rows) {
      const detail = `The column "${name}" has ${column.length} values, the table ${frame.rows} rows`
      throw new HomeostatError('data_invalid', { detail })
    }
    const feature = chooseBins(name, column, categorical.has(name), maxBins, random)
    if (feature.codes !== undefined) categories.set(position, feature.codes)
    const tells = feature.bins > 1 || (feature.bins === 1 && column.some((value) => Number.isNaN(value)))
    if (!tells) continue
    bins.push(feature)
    columns.push(column)
    positions.push(position)
  }
  if (bins.length === 0) {
    bins.push({ name: '', edges: new Float64Array(0), bins: 1 })
    columns.push(new Float64Array(frame.rows))
    positions.push(0)
  }
  const names = Array.from(order, (at) => frame.names[at]!)
  return { names, categories, bins, columns, positions: Int32Array.from(positions) }
}

/** Boosts: each round's trees follow the gradient of the loss at what the rounds before them say. */
export function fitEnsemble(
  frame: Frame,
  target: Float64Array,
  loss: Loss,
  options: EnsembleOptions,
): BoostingModel {
  checkOptions(options, frame.rows)
  const random = createRandom(options.seed)
  const table = prepareTable(frame, options.maxBins, random)
  const trained = trainedRows(frame.rows, options)
  const weight = options.sampleWeight
  const unitHessian = loss.constantHessian && weight === undefined
  const kernel = createKernel(
    { ...table, features: table.bins, rows: frame.rows, trained, unitHessian, target, outputs: loss.outputs },
    options,
  )
  const start = loss.start(target, weight, trained)
  const { scores } = kernel
  for (const [k, score] of start.entries()) scores.fill(score, k * frame.rows, (k + 1) * frame.rows)
  const trees = new TreeCollector(table.bins, table.positions, table.names.length)
  const features = Int32Array.from(table.bins.keys())
  const run: Run = { kernel, loss, options, table, target, weight, trained, scores, random, features, trees }

  let best = { rounds: 0, loss: loss.mean(scores, target, weight, trained, frame.rows) }
  for (let round = 0; round < options.rounds; round++) {
    boostOnce(run)
    if (options.earlyStopping === undefined) continue
    const now = loss.mean(scores, target, weight, trained, frame.rows)
    if (now < best.loss) best = { rounds: round + 1, loss: now }
    else if (round + 1 - best.rounds >= options.earlyStopping.rounds) break
  }
  const kept = options.earlyStopping === undefined ? trees.length : best.rounds * loss.outputs
  return createModel({
    loss: loss.name,
    names: table.names,
    categories: table.categories,
    start,
    trees: trees.finish(kept),
    gain: trees.gain,
  })
}

/** The compiled kernel, or the plain one where it is wished for or nothing else runs. */
export function createKernel(
  data: KernelData,
  { team, plain, maxLeaves }: KernelChoice & { readonly maxLeaves: number },
): TreeKernel {
  const fast = plain === true ? undefined : createFastKernel(data, slotsFor(maxLeaves, data.rows), team)
  return fast ?? createPlainKernel(data)
}

interface Run {
  readonly kernel: TreeKernel
  readonly loss: Loss
  readonly options: EnsembleOptions
  readonly table: Table
  readonly target: Float64Array
  readonly weight: Float64Array | undefined
  readonly trained: number
  readonly scores: Float64Array
  readonly random: Random
  readonly features: Int32Array
  readonly trees: TreeCollector
}

/** One tree for each output, all from the gradients at the scores before the round. */
function boostOnce(run: Run): void {
  const { kernel, loss, options, random, features, trained, scores } = run
  const sampled = drawRows(kernel.order, trained, options.subsample, random)
  // the outputs of softmax depend on each other: a round sees the scores of the round before
  const before = loss.outputs === 1 ? scores : scores.slice()
  for (let output = 0; output < loss.outputs; output++) {
    const { gradient, hessian } = kernel
    const { target, weight } = run
    if (loss.residual === true && weight === undefined) kernel.residuals()
    else loss.gradients({ scores: before, target, weight, output, rows: trained, gradient, hessian })
    const units = kernel.begin()
    const chosen = Math.max(1, Math.round(options.columnSample * features.length))
    const picked = chosen < features.length ? sampleOf(features, chosen, random) : features
    const limits = { ...options, featuresPerNode: 0 }
    const root = growTree(kernel, rulesOf(run, units), limits, sampled, picked, random)
    setLeaves(run, root, output, units)
    run.trees.add(root, units.gradient ** 2 / units.hessian)
  }
}

function rulesOf({ options, table }: Run, units: Units): SearchRules {
  const signs = table.bins.map((feature) => options.monotone[feature.name] ?? 0)
  return {
    bins: table.bins,
    l2: options.l2 / units.hessian,
    minChildRows: options.minChildRows,
    minChildWeight: options.minChildWeight / units.hessian,
    monotone: signs.some((sign) => sign !== 0) ? Int8Array.from(signs) : undefined,
    rowWeight: 1 / units.hessian,
  }
}

/** Turns the leaves' values from units into steps of the score, and takes these steps for every row. */
function setLeaves(run: Run, root: Node, output: number, units: Units): void {
  const { kernel, loss, options } = run
  const unit = units.gradient / units.hessian
  const renewed = loss.leafQuantile !== undefined
  if (renewed) renewLeaves(run, root, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY)
  const leaves = leavesOf(root)
  for (const leaf of leaves) {
    leaf.value *= renewed ? options.learningRate : unit * options.learningRate
  }
  kernel.addLeaves(leaves, output)
}

/**
 * Gives each leaf the quantile of its residuals, the best value for a pinball loss (Friedman 2001, "LAD_TreeBoost").
 * The middle of two children keeps the sides of a monotone split apart, as it does while growing.
 */
function renewLeaves(run: Run, node: Node, low: number, high: number): void {
  const { left, right, split } = node
  if (left === undefined || right === undefined || split === undefined) {
    node.value = Math.min(Math.max(residualQuantile(run, node), low), high)
    return
  }
  const sign = run.options.monotone[run.table.bins[split.feature]!.name] ?? 0
  if (sign === 0) {
    renewLeaves(run, left, low, high)
    renewLeaves(run, right, low, high)
    return
  }
  const middle = (residualQuantile(run, left) + residualQuantile(run, right)) / 2
  const border = Math.min(Math.max(middle, low), high)
  renewLeaves(run, left, sign > 0 ? low : border, sign > 0 ? border : high)
  renewLeaves(run, right, sign > 0 ? border : low, sign > 0 ? high : border)
}

/** The loss's quantile of what the scores leave of the target in a node. */
function residualQuantile({ kernel, loss, target, scores, weight }: Run, node: Node): number {
  const rows = kernel.order.subarray(node.from, node.to)
  const residuals = new Float64Array(rows.length)
  for (let k = 0; k < rows.length; k++) residuals[k] = target[rows[k]!]! - scores[rows[k]!]!
  const weights = weight === undefined ? undefined : Float64Array.from(rows, (row) => weight[row]!)
  return quantileOf(residuals, weights, loss.leafQuantile ?? 0.5)
}

/** Rows before the tail that early stopping watches. */
function trainedRows(rows: number, { earlyStopping }: EnsembleOptions): number {
  if (earlyStopping === undefined) return rows
  const watched = Math.min(rows - 1, Math.max(1, Math.round(rows * earlyStopping.share)))
  return rows - watched
}

/** Fills `order` with a sample of the trained rows, then all others, each ascending. Gives the sample's size. */
export function drawRows(order: Int32Array, trained: number, share: number, random: Random): number {
  const wanted = Math.max(1, Math.round(trained * share))
  if (wanted === trained) {
    for (let row = 0; row < order.length; row++) order[row] = row
    return trained
  }
  let inside = 0
  let outside = wanted
  for (let row = 0; row < order.length; row++) {
    const take = row < trained && random.next() * (trained - row) < wanted - inside
    if (take) order[inside++] = row
    else order[outside++] = row
  }
  return wanted
}
