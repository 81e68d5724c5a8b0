import type { Frame } from './frame.ts'

/** What a learner makes of a frame: a value, a probability per class, or an anomaly score. */
export type Task = 'regression' | 'classification' | 'anomaly'

/**
 * Learnt state. Immutable; `toJSON` gives plain JSON from which `Learner.load` makes a model that predicts the same bits.
 */
export interface Model {
  /**
   * Regression and anomaly: one number a row (anomaly: larger is stranger). Classification: `outputs` numbers a row,
   * row-major; for two classes one number, the probability of class 1. Columns are found by name, so their order does
   * not matter; a column that is absent counts as all missing.
   */
  predict(frame: Frame): Float64Array
  /** Numbers a row that `predict` gives. */
  readonly outputs: number
  toJSON(): unknown
}

/**
 * A way to learn. Pure: same frame, target, options and seed give the same model, bit for bit.
 * `fit` throws HomeostatError `data_invalid` with a sentence for what cannot be learnt from (NaN target, no rows).
 */
export interface Learner<Options extends object = object> {
  readonly name: string
  readonly task: Task
  readonly defaults: Readonly<Options>
  /** `target` holds one value a row (classification: 0..K-1); anomaly learners take undefined. */
  fit(frame: Frame, target: Float64Array | undefined, options?: Partial<Options>): Model
  load(json: unknown): Model
}
