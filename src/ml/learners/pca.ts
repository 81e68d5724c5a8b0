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
  const standard = columns.map((column, at) =>
    column.map((value) => standardised(value, means[at]!, scales[at]!)),
  )
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
  /** Inverse of the shrunk correlations, row by row. */
  readonly #precision: readonly Float64Array[]

  constructor(json: PcaJson) {
    if (json.kind !== 'pca') throw new HomeostatError('data_invalid', { detail: 'this is not a PCA model' })
    this.#json = json
    const { names, variances, components, shrinkage } = json
    this.#precision = names.map((_, i) =>
      Float64Array.from(names, (_, j) =>
        components.reduce((sum, component, at) => {
          const variance = (1 - shrinkage) * variances[at]! + shrinkage
          return sum + (component[i]! * component[j]!) / variance
        }, 0),
      ),
    )
  }

  /** Columns in the order in which `contributionsOf` takes and gives them. */
  get names(): readonly string[] {
    return this.#json.names
  }

  predict(frame: Frame): Float64Array {
    const scores = new Float64Array(frame.rows)
    this.#eachRow(frame, (adds, row) => {
      scores[row] = sumOf(adds)
    })
    return scores
  }

  /**
   * What each value of one row adds to its score; the score is their sum. A value can add less than 0: it makes the
   * others look less strange.
   */
  contributionsOf(values: ArrayLike<number>): Float64Array {
    const { names, means, scales } = this.#json
    const z = Float64Array.from(names, (_, at) => standardised(values[at]!, means[at]!, scales[at]!))
    return this.#adds(z, new Float64Array(z.length))
  }

  /** The same for every row of a frame, by column. */
  contributions(frame: Frame): Readonly<Record<string, Float64Array>> {
    const columns = this.names.map(() => new Float64Array(frame.rows))
    this.#eachRow(frame, (adds, row) => {
      for (let at = 0; at < adds.length; at++) columns[at]![row] = adds[at]!
    })
    return Object.fromEntries(this.names.map((name, at) => [name, columns[at]!]))
  }

  /** T2 and Q apart. */
  statistics(frame: Frame): PcaStatistics {
    const { variances, components, leading } = this.#json
    const standard = this.#standardised(frame)
    const t2 = new Float64Array(frame.rows)
    const q = new Float64Array(frame.rows)
    components.forEach((component, at) => {
      for (let row = 0; row < frame.rows; row++) {
        let along = 0
        for (let column = 0; column < standard.length; column++)
          along += component[column]! * standard[column]![row]!
        if (at < leading) t2[row]! += along ** 2 / variances[at]!
        else q[row]! += along ** 2
      }
    })
    return { t2, q }
  }

  toJSON(): PcaJson {
    return this.#json
  }

  #standardised(frame: Frame): Float64Array[] {
    const { names, means, scales } = this.#json
    return columnsByName(frame, names).map((column, at) =>
      column.map((value) => standardised(value, means[at]!, scales[at]!)),
    )
  }

  #eachRow(frame: Frame, visit: (adds: Float64Array, row: number) => void): void {
    const standard = this.#standardised(frame)
    const z = new Float64Array(standard.length)
    const adds = new Float64Array(standard.length)
    for (let row = 0; row < frame.rows; row++) {
      for (let at = 0; at < z.length; at++) z[at] = standard[at]![row]!
      visit(this.#adds(z, adds), row)
    }
  }

  /** z times precision times z, one summand a column. */
  #adds(z: Float64Array, into: Float64Array): Float64Array {
    for (let i = 0; i < z.length; i++) {
      const line = this.#precision[i]!
      let sum = 0
      for (let j = 0; j < z.length; j++) sum += line[j]! * z[j]!
      into[i] = z[i]! * sum
    }
    return into
  }
}

/** The score that the summands make; a square, so what rounding takes below 0 is 0. */
export const sumOf = (adds: Float64Array): number => {
  let sum = 0
  for (let at = 0; at < adds.length; at++) sum += adds[at]!
  return Math.max(0, sum)
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

/** In standard deviations from the mean; a missing value is 0. */
const standardised = (value: number, mean: number, scale: number): number =>
  Number.isNaN(value) ? 0 : clamped((value - mean) / scale)

function correlations(columns: readonly Float64Array[]): number[][] {
  return columns.map((a) =>
    columns.map((b) => {
      let sum = 0
      for (let row = 0; row < a.length; row++) sum += a[row]! * b[row]!
      return sum / a.length
    }),
  )
}
