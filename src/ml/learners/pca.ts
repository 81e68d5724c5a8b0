/**
 * Principal components for monitoring (Jackson and Mudholkar 1979): T2 says that a row lies far out along the ways in
 * which normal rows vary, Q that it leaves those ways altogether. The score is both in one number, the Mahalanobis
 * distance under a correlation matrix drawn towards "no correlation" (Ledoit and Wolf 2004), which stays sound where
 * rows are few or columns copies of each other.
 */
import { HomeostatError } from '../../core/errors.ts'
import type { Frame } from '../frame.ts'
import type { Learner, Model } from '../learner.ts'
import { checkFrame, columnsByName, sortedNames } from './columns.ts'
import { symmetricEigen } from './linear.ts'

export interface PcaOptions {
  /** Share of the variance that the leading components hold; T2 is of those, Q of the rest. */
  readonly varianceShare: number
  /** How far the correlations are drawn towards 0, 0..1. */
  readonly shrinkage: number
}

interface PcaJson {
  readonly kind: 'pca'
  readonly names: readonly string[]
  readonly means: readonly number[]
  readonly scales: readonly number[]
  /** Falling. */
  readonly variances: readonly number[]
  /** One row a component, in the order of `variances`. */
  readonly components: readonly (readonly number[])[]
  readonly leading: number
  readonly shrinkage: number
}

export interface PcaStatistics {
  /** Hotelling's T2 of the leading components, one a row. */
  readonly t2: Float64Array
  /** Squared distance from the space of the leading components (SPE), one a row. */
  readonly q: Float64Array
}

/** A column that never varied in training is watched in units of this share of its level (or of 1 where that is 0). */
const constantScale = 0.01

/** Score >= 0: squared Mahalanobis distance, about the number of columns for a normal row. */
export const pca: Learner<PcaOptions> = {
  name: 'pca',
  task: 'anomaly',
  defaults: { varianceShare: 0.9, shrinkage: 0.2 },
  fit(frame, _target, options) {
    checkFrame(frame)
    return fitPca(frame, options)
  },
  load: (json) => new PcaModel(json as PcaJson),
}

/** As `pca.fit`, typed with what a PCA model can say besides its score. */
export function fitPca(frame: Frame, options: Partial<PcaOptions> = {}): PcaModel {
  const { varianceShare, shrinkage } = { ...pca.defaults, ...options }
  if (!(shrinkage > 0 && shrinkage <= 1))
    throw new HomeostatError('data_invalid', { detail: `shrinkage must lie in (0, 1], not ${shrinkage}` })
  const names = sortedNames(frame)
  const columns = columnsByName(frame, names)
  const means = columns.map(meanOf)
  const scales = columns.map((column, at) => scaleOf(column, means[at]!))
  const standard = columns.map((column, at) => standardised(column, means[at]!, scales[at]!))
  const { values, vectors } = symmetricEigen(correlations(standard))
  const total = values.reduce((sum, value) => sum + value, 0)
  let leading = 0
  for (let held = 0; leading < values.length && held < varianceShare * total; leading++)
    held += values[leading]!
  return new PcaModel({
    kind: 'pca',
    names,
    means,
    scales,
    variances: values,
    components: vectors,
    leading,
    shrinkage,
  })
}

export class PcaModel implements Model {
  readonly outputs = 1
  readonly #json: PcaJson

  constructor(json: PcaJson) {
    if (json.kind !== 'pca') throw new HomeostatError('data_invalid', { detail: 'this is not a PCA model' })
    this.#json = json
  }

  predict(frame: Frame): Float64Array {
    const { variances, shrinkage } = this.#json
    const weights = variances.map((variance) => 1 / ((1 - shrinkage) * variance + shrinkage))
    const scores = new Float64Array(frame.rows)
    this.#project(frame).forEach((projection, at) => {
      for (let row = 0; row < scores.length; row++) scores[row]! += weights[at]! * projection[row]! ** 2
    })
    return scores
  }

  /** T2 and Q apart. */
  statistics(frame: Frame): PcaStatistics {
    const { variances, leading } = this.#json
    const t2 = new Float64Array(frame.rows)
    const q = new Float64Array(frame.rows)
    this.#project(frame).forEach((projection, at) => {
      for (let row = 0; row < frame.rows; row++)
        if (at < leading) t2[row]! += projection[row]! ** 2 / variances[at]!
        else q[row]! += projection[row]! ** 2
    })
    return { t2, q }
  }

  /**
   * What each column adds to the score of each row, by name; they sum to the score. A column can add less than 0: it
   * makes the others look less strange.
   */
  contributions(frame: Frame): Readonly<Record<string, Float64Array>> {
    const { names, variances, components, shrinkage } = this.#json
    const weights = variances.map((variance) => 1 / ((1 - shrinkage) * variance + shrinkage))
    const projections = this.#project(frame)
    const standard = this.#standardised(frame)
    return Object.fromEntries(
      names.map((name, feature) => {
        const of = new Float64Array(frame.rows)
        projections.forEach((projection, at) => {
          const weight = weights[at]! * components[at]![feature]!
          for (let row = 0; row < of.length; row++) of[row]! += weight * projection[row]!
        })
        return [name, of.map((value, row) => value * standard[feature]![row]!)]
      }),
    )
  }

  toJSON(): PcaJson {
    return this.#json
  }

  /** Columns in standard deviations from the mean; a missing value is 0. */
  #standardised(frame: Frame): Float64Array[] {
    const { names, means, scales } = this.#json
    return columnsByName(frame, names).map((column, at) => standardised(column, means[at]!, scales[at]!))
  }

  /** Coordinates along each component, one column a component. */
  #project(frame: Frame): Float64Array[] {
    const standard = this.#standardised(frame)
    return this.#json.components.map((component) => {
      const projection = new Float64Array(frame.rows)
      standard.forEach((column, feature) => {
        const weight = component[feature]!
        for (let row = 0; row < projection.length; row++) projection[row]! += weight * column[row]!
      })
      return projection
    })
  }
}

function meanOf(column: Float64Array): number {
  let mean = 0
  let known = 0
  for (const value of column) if (!Number.isNaN(value)) mean += (value - mean) / ++known
  return mean
}

function scaleOf(column: Float64Array, mean: number): number {
  let squares = 0
  let known = 0
  for (const value of column) {
    if (Number.isNaN(value)) continue
    squares += (value - mean) ** 2
    known++
  }
  const deviation = Math.sqrt(squares / Math.max(1, known))
  return deviation > 1e-9 * Math.abs(mean) ? deviation : constantScale * (Math.abs(mean) || 1)
}

/** Further off than this is as far as can be said: its square stays finite. */
const clamped = (value: number): number => Math.max(-1e100, Math.min(1e100, value))

const standardised = (column: Float64Array, mean: number, scale: number): Float64Array =>
  column.map((value) => (Number.isNaN(value) ? 0 : clamped((value - mean) / scale)))

function correlations(columns: readonly Float64Array[]): number[][] {
  return columns.map((a) =>
    columns.map((b) => {
      let sum = 0
      for (let row = 0; row < a.length; row++) sum += a[row]! * b[row]!
      return sum / a.length
    }),
  )
}
