import { HomeostatError } from '../../../core/errors.ts'
import type { Team } from '../../parallel.ts'

/** How the work is done; the model does not depend on it. */
export interface KernelChoice {
  /** Threads that share the work; absent: the caller's alone. */
  readonly team?: Team
  /** The plain loops instead of the compiled ones. */
  readonly plain?: boolean
}

/** Settings that every boosted ensemble has. */
export interface EnsembleOptions extends KernelChoice {
  /** Trees (for K > 2 classes: groups of K trees). */
  readonly rounds: number
  /** Share of each tree's step that is taken. */
  readonly learningRate: number
  /** 0: no limit. */
  readonly maxLeaves: number
  /** 0: no limit. */
  readonly maxDepth: number
  readonly minChildRows: number
  /** Least sum of hessians of a child. */
  readonly minChildWeight: number
  /** Weight that pulls the leaves' values towards 0. */
  readonly l2: number
  /** Share of the rows that each round learns from, drawn without replacement. */
  readonly subsample: number
  /** Share of the features that each tree may use. */
  readonly columnSample: number
  /** Bins of a feature, missing values not counted; 2 to 255. */
  readonly maxBins: number
  /** By name of a column: 1 if the prediction may never fall with it, -1 if it may never rise. */
  readonly monotone: Readonly<Record<string, 1 | -1>>
  readonly seed: number
  /** One weight a row, >= 0. */
  readonly sampleWeight?: Float64Array
  /** The last `share` of the rows is not learnt from; growth stops when its loss has not fallen for `rounds` rounds. */
  readonly earlyStopping?: { readonly share: number; readonly rounds: number }
}

export interface BoostingOptions extends EnsembleOptions {
  readonly loss: 'squared' | 'absolute' | 'quantile'
  /** The quantile, where the loss is that of one. */
  readonly alpha: number
}

export type ClassifierOptions = EnsembleOptions

export const defaults: Readonly<BoostingOptions> = {
  rounds: 100,
  learningRate: 0.1,
  maxLeaves: 31,
  maxDepth: 0,
  minChildRows: 20,
  minChildWeight: 1e-3,
  l2: 0,
  subsample: 1,
  columnSample: 1,
  maxBins: 255,
  monotone: {},
  seed: 1,
  loss: 'squared',
  alpha: 0.5,
}

/** Throws `data_invalid` for a setting that makes no sense, naming it. */
export function checkOptions(options: EnsembleOptions, rows: number): void {
  const whole = (name: keyof EnsembleOptions, least: number, most: number): void => {
    const value = options[name]
    if (!Number.isInteger(value) || Number(value) < least || Number(value) > most) {
      refuse(`${name} must be a whole number from ${least} to ${most}, not ${String(value)}`)
    }
  }
  const share = (name: string, value: number): void => {
    if (!(value > 0 && value <= 1)) refuse(`${name} must be above 0 and at most 1, not ${value}`)
  }
  whole('rounds', 0, 1e6)
  whole('maxLeaves', 0, 1024)
  whole('maxDepth', 0, 1e6)
  whole('minChildRows', 1, 1e9)
  whole('maxBins', 2, 255)
  share('subsample', options.subsample)
  share('columnSample', options.columnSample)
  if (!(options.learningRate > 0)) refuse(`learningRate must be above 0, not ${options.learningRate}`)
  if (!(options.l2 >= 0)) refuse(`l2 must not be below 0, not ${options.l2}`)
  if (!(options.minChildWeight >= 0)) refuse(`minChildWeight must not be below 0`)
  checkWeights(options.sampleWeight, rows)
}

/** Throws `data_invalid` for weights that do not fit the rows. */
export function checkWeights(weight: Float64Array | undefined, rows: number): void {
  if (weight === undefined) return
  if (weight.length !== rows) refuse(`sampleWeight has ${weight.length} values, the table ${rows} rows`)
  const bad = weight.findIndex((w) => !(Number.isFinite(w) && w >= 0))
  if (bad >= 0) refuse(`The weight in row ${bad + 1} is ${weight[bad]}; weights are finite and not negative`)
  if (!weight.some((w) => w > 0)) refuse('All weights are zero')
}

function refuse(detail: string): never {
  throw new HomeostatError('data_invalid', { detail })
}
