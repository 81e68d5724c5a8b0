import { HomeostatError } from '../../core/errors.ts'
import type { Frame } from '../frame.ts'
import { createRandom, type Random } from '../random.ts'
import { checkedClasses, checkedTarget } from './boosting/check.ts'
import { createKernel, drawRows, prepareTable, type Table } from './boosting/fit.ts'
import { TreeCollector } from './boosting/flat-trees.ts'
import { growTree, leavesOf } from './boosting/grow.ts'
import type { TreeKernel } from './boosting/kernel.ts'
import { weightedMean } from './boosting/losses.ts'
import { type BoostingModel, createModel, loadModel, type TreeLearner } from './boosting/model.ts'
import { checkWeights, type KernelChoice } from './boosting/options.ts'

export interface ForestOptions extends KernelChoice {
  readonly trees: number
  /** 0: no limit. */
  readonly maxDepth: number
  readonly minChildRows: number
  /** Features that each split may choose from; 0: a third of them for numbers, the square root for classes. */
  readonly featuresPerSplit: number
  /** Share of the rows that a tree sees, drawn without replacement. */
  readonly subsample: number
  readonly maxBins: number
  readonly seed: number
  /** One weight a row, >= 0. */
  readonly sampleWeight?: Float64Array
}

const common = { trees: 100, maxDepth: 0, featuresPerSplit: 0, subsample: 0.632, maxBins: 255, seed: 1 }

/**
 * Random forest (Breiman 2001) of means, on the bins and the growth of boosting. Trees see 63.2 % of the rows, as many
 * different ones as a bootstrap sample holds, but each once: that favours no kind of column (Strobl et al. 2007).
 */
export const forest: TreeLearner<ForestOptions> = {
  name: 'forest',
  task: 'regression',
  defaults: { ...common, minChildRows: 5 },
  fit: (frame, target, options = {}) => {
    const all = { ...forest.defaults, ...options }
    return fitForest(frame, [checkedTarget(frame, target)], 'mean', all)
  },
  load: (json) => loadModel(json, ['mean']),
}

/**
 * The same for classes 0..K-1: shares of class 1, or of each class (each by trees of its own; for two classes the mean
 * squared error of a 0/1 target parts rows as the Gini index does).
 */
export const forestClassifier: TreeLearner<ForestOptions> = {
  name: 'forest-classifier',
  task: 'classification',
  defaults: { ...common, minChildRows: 1 },
  fit: (frame, target, options = {}) => {
    const all = { ...forestClassifier.defaults, ...options }
    const { classes, count } = checkedClasses(checkedTarget(frame, target))
    if (count === 2) return fitForest(frame, [classes], 'share', all)
    const ofEach = Array.from({ length: count }, (_, k) => classes.map((value) => (value === k ? 1 : 0)))
    return fitForest(frame, ofEach, 'shares', all)
  },
  load: (json) => loadModel(json, ['share', 'shares']),
}

/** One forest a target; their trees take turns. */
function fitForest(
  frame: Frame,
  targets: readonly Float64Array[],
  kind: 'mean' | 'share' | 'shares',
  options: ForestOptions,
): BoostingModel {
  check(options, frame.rows)
  const { rows } = frame
  const weight = options.sampleWeight
  const random = createRandom(options.seed)
  const table = prepareTable(frame, options.maxBins, random)
  const data = {
    ...table,
    features: table.bins,
    rows,
    trained: rows,
    unitHessian: weight === undefined,
    outputs: 1,
    target: targets[0]!,
  }
  const kernel = createKernel(data, { ...options, maxLeaves: 0 })
  const start = Float64Array.from(targets, (target) => weightedMean(target, weight, rows))
  const collector = new TreeCollector(table.bins, table.positions, table.names.length)
  for (let tree = 0; tree < options.trees; tree++) {
    const sampled = drawRows(kernel.order, rows, options.subsample, random)
    const drawn = kernel.order.slice()
    for (const [k, target] of targets.entries()) {
      kernel.order.set(drawn)
      for (let row = 0; row < rows; row++) {
        const w = weight === undefined ? 1 : weight[row]!
        // centred, so that the rounding of gradients is fine for values far from zero
        kernel.gradient[row] = (start[k]! - target[row]!) * w
        if (weight !== undefined) kernel.hessian[row] = w
      }
      addTree(kernel, table, kind, options, sampled, collector, random)
    }
  }
  const { names, categories } = table
  const trees = collector.finish(collector.length)
  return createModel({ loss: kind, names, categories, start, trees, gain: collector.gain })
}

function addTree(
  kernel: TreeKernel,
  table: Table,
  kind: 'mean' | 'share' | 'shares',
  options: ForestOptions,
  sampled: number,
  collector: TreeCollector,
  random: Random,
): void {
  const units = kernel.begin()
  const features = Int32Array.from(table.bins.keys())
  const usual = kind === 'mean' ? features.length / 3 : Math.sqrt(features.length)
  const featuresPerNode = options.featuresPerSplit || Math.max(1, Math.round(usual))
  const rules = {
    bins: table.bins,
    l2: 0,
    minChildRows: options.minChildRows,
    minChildWeight: 0,
    monotone: undefined,
    rowWeight: 1 / units.hessian,
  }
  const limits = { ...options, maxLeaves: 0, featuresPerNode }
  const root = growTree(kernel, rules, limits, sampled, features, random)
  const step = units.gradient / units.hessian / options.trees
  for (const leaf of leavesOf(root)) leaf.value *= step
  collector.add(root, units.gradient ** 2 / units.hessian)
}

function check(options: ForestOptions, rows: number): void {
  for (const name of ['trees', 'maxDepth', 'minChildRows', 'featuresPerSplit', 'maxBins'] as const) {
    const least = { trees: 1, maxDepth: 0, minChildRows: 1, featuresPerSplit: 0, maxBins: 2 }[name]
    const most = name === 'maxBins' ? 255 : 1e6
    if (Number.isInteger(options[name]) && options[name] >= least && options[name] <= most) continue
    const detail = `${name} must be a whole number from ${least} to ${most}, not ${options[name]}`
    throw new HomeostatError('data_invalid', { detail })
  }
  if (!(options.subsample > 0 && options.subsample <= 1)) {
    throw new HomeostatError('data_invalid', { detail: `subsample must be above 0 and at most 1` })
  }
  checkWeights(options.sampleWeight, rows)
}
