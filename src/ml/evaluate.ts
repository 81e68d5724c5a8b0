/**
 * What a learner is worth on data that it has not seen, always beside the naive answer. The splits are in folds.ts,
 * the naive forecasts in naive.ts, the figures in metrics*.ts.
 */
import { HomeostatError } from '../core/errors.ts'
import type { StepTimes } from './civil.ts'
import type { Fold } from './folds.ts'
import type { Frame } from './frame.ts'
import type { Learner } from './learner.ts'
import { mae, type RegressionScores, regressionScores } from './metrics.ts'
import { type ClassificationScores, classificationScores } from './metrics-classification.ts'
import { type NaiveKind, naiveForecasts, naiveKinds } from './naive.ts'
import { takeRows, takeValues } from './rows.ts'

export interface Evaluation<Scores> {
  readonly model: Scores
  /** The naive answers, scored on the same rows. */
  readonly naive: Readonly<Record<string, Scores>>
  /** The naive answer with the smallest error. */
  readonly bestNaive: string
  /** 1 - error of the model / error of the best naive answer (MAE; Brier for classes). Above 0 the model is of use. */
  readonly skill: number
}

export interface CrossValidation<Scores> extends Evaluation<Scores> {
  /** What the model predicted of each row when it had not seen it, `outputs` a row; NaN for rows never tested. */
  readonly predictions: Float64Array
  readonly folds: readonly { readonly name: string; readonly trainRows: number; readonly model: Scores }[]
}

/** Scores a forecast against naive ones over the rows where the target and all of them are known. */
export function againstNaive(
  actual: ArrayLike<number>,
  predicted: ArrayLike<number>,
  naive: Readonly<Record<string, ArrayLike<number>>>,
): Evaluation<RegressionScores> {
  const columns = [actual, predicted, ...Object.values(naive)]
  const known: number[] = []
  for (let row = 0; row < actual.length; row++)
    if (columns.every((column) => Number.isFinite(column[row]))) known.push(row)
  const pick = (column: ArrayLike<number>): Float64Array => Float64Array.from(known, (row) => column[row]!)
  const truth = pick(actual)
  const scores = Object.fromEntries(
    Object.entries(naive).map(([name, column]) => [name, regressionScores(truth, pick(column))]),
  )
  return compared(regressionScores(truth, pick(predicted)), scores, (of) => of.mae)
}

/**
 * Cross-validated regression. `naive` holds columns known before the target (last week's value and the like), one
 * value a row; the mean of the training targets is always added as `training-mean`.
 */
export function evaluateRegression<Options extends object>(
  learner: Learner<Options>,
  frame: Frame,
  target: Float64Array,
  folds: readonly Fold[],
  options: {
    readonly learner?: Partial<Options>
    readonly naive?: Readonly<Record<string, Float64Array>>
  } = {},
): CrossValidation<RegressionScores> {
  const predictions = new Float64Array(frame.rows).fill(Number.NaN)
  const trainingMean = new Float64Array(frame.rows).fill(Number.NaN)
  const perFold = folds.map((fold) => {
    const truth = takeValues(target, fold.train)
    const model = learner.fit(takeRows(frame, fold.train), truth, options.learner)
    const answers = model.predict(takeRows(frame, fold.test))
    const mean = truth.reduce((sum, value) => sum + value, 0) / truth.length
    fold.test.forEach((row, at) => {
      predictions[row] = answers[at]!
      trainingMean[row] = mean
    })
    const scores = regressionScores(takeValues(target, fold.test), answers)
    return { name: fold.name, trainRows: fold.train.length, model: scores }
  })
  const naive = { ...options.naive, 'training-mean': trainingMean }
  return { ...againstNaive(target, predictions, naive), predictions, folds: perFold }
}

/** Cross-validated classification. The naive answer is the share of each class in the training rows (`base-rate`). */
export function evaluateClassification<Options extends object>(
  learner: Learner<Options>,
  frame: Frame,
  target: Float64Array,
  folds: readonly Fold[],
  options: { readonly learner?: Partial<Options> } = {},
): CrossValidation<ClassificationScores> {
  const classes = target.reduce((most, value) => Math.max(most, value + 1), 2)
  const outputs = classes === 2 ? 1 : classes
  const predictions = new Float64Array(frame.rows * outputs).fill(Number.NaN)
  const baseRate = new Float64Array(frame.rows * outputs).fill(Number.NaN)
  const perFold = folds.map((fold) => {
    const truth = takeValues(target, fold.train)
    const model = learner.fit(takeRows(frame, fold.train), truth, options.learner)
    if (model.outputs !== outputs)
      throw new HomeostatError('data_invalid', {
        detail: `the training rows of ${fold.name} do not hold all ${classes} classes`,
      })
    const answers = model.predict(takeRows(frame, fold.test))
    const rates = shareOfClasses(truth, outputs)
    fold.test.forEach((row, at) => {
      predictions.set(answers.subarray(at * outputs, (at + 1) * outputs), row * outputs)
      baseRate.set(rates, row * outputs)
    })
    const scores = classificationScores(takeValues(target, fold.test), answers, outputs)
    return { name: fold.name, trainRows: fold.train.length, model: scores }
  })
  const tested = Int32Array.from(new Set(folds.flatMap((fold) => [...fold.test]))).sort()
  const score = (column: Float64Array): ClassificationScores =>
    classificationScores(takeValues(target, tested), takeBlocks(column, tested, outputs), outputs)
  const evaluation = compared(score(predictions), { 'base-rate': score(baseRate) }, (of) => of.brier)
  return { ...evaluation, predictions, folds: perFold }
}

/** Gives the `horizon` steps after `history` (regular steps, NaN where missing, newest last). */
export type Forecaster = (history: Float64Array, horizon: number) => ArrayLike<number>

export interface BacktestOptions {
  readonly horizon: number
  readonly stepsPerDay: number
  /** For naive forecasts in civil time. */
  readonly times?: StepTimes
  /** How many origins; the newest one has its whole horizon inside the series. */
  readonly origins: number
  /** Steps from one origin to the next; default the horizon. */
  readonly stride?: number
}

export interface Backtest extends Evaluation<RegressionScores> {
  readonly naive: Readonly<Record<NaiveKind, RegressionScores>>
  readonly origins: number
  /** MAE of the model, one a lead time; NaN where no target was known. */
  readonly maeByLead: Float64Array
}

/** Rolling-origin backtest of a forecaster beside the three naive forecasts. The forecaster sees the past only. */
export function backtest(values: Float64Array, forecaster: Forecaster, options: BacktestOptions): Backtest {
  const { horizon, stepsPerDay, times, origins, stride = horizon } = options
  const actual: number[] = []
  const predicted: number[] = []
  const naive: Record<NaiveKind, number[]> = { yesterday: [], 'last-week': [], 'slot-mean': [] }
  let used = 0
  for (
    let origin = values.length - horizon - (origins - 1) * stride;
    origin <= values.length - horizon;
    origin += stride
  ) {
    if (origin < 1) continue
    used++
    const history = values.slice(0, origin)
    const answers = forecaster(history, horizon)
    const made = naiveForecasts(history, horizon, stepsPerDay, times)
    for (let step = 0; step < horizon; step++) {
      actual.push(values[origin + step]!)
      predicted.push(answers[step]!)
      for (const kind of naiveKinds) naive[kind].push(made[kind].mean[step]!)
    }
  }
  if (used === 0)
    throw new HomeostatError('data_invalid', {
      detail: `${values.length} steps hold no origin with ${horizon} steps after it`,
    })
  const evaluation = againstNaive(actual, predicted, naive)
  const scores = evaluation.naive as Record<NaiveKind, RegressionScores>
  return { ...evaluation, naive: scores, origins: used, maeByLead: byLead(actual, predicted, horizon) }
}

function byLead(actual: readonly number[], predicted: readonly number[], horizon: number): Float64Array {
  return Float64Array.from({ length: horizon }, (_, lead) => {
    const rows = actual.map((_, row) => row).filter((row) => row % horizon === lead)
    const known = rows.filter((row) => Number.isFinite(actual[row]) && Number.isFinite(predicted[row]))
    if (known.length === 0) return Number.NaN
    return mae(
      known.map((row) => actual[row]!),
      known.map((row) => predicted[row]!),
    )
  })
}

function compared<Scores>(
  model: Scores,
  naive: Readonly<Record<string, Scores>>,
  errorOf: (scores: Scores) => number,
): Evaluation<Scores> {
  const names = Object.keys(naive)
  const first = names[0]
  if (first === undefined)
    throw new HomeostatError('data_invalid', { detail: 'there is no naive forecast to compare with' })
  const bestNaive = names.reduce(
    (best, name) => (errorOf(naive[name]!) < errorOf(naive[best]!) ? name : best),
    first,
  )
  const error = errorOf(model)
  const naiveError = errorOf(naive[bestNaive]!)
  // where the naive answer is perfect there is nothing to gain: equal is 0, worse is minus infinity
  const skill = error === naiveError ? 0 : 1 - error / naiveError
  return { model, naive, bestNaive, skill }
}

function shareOfClasses(target: Float64Array, outputs: number): Float64Array {
  const counts = new Float64Array(Math.max(2, outputs))
  for (const value of target) counts[value]!++
  return outputs === 1
    ? Float64Array.of(counts[1]! / target.length)
    : counts.map((count) => count / target.length)
}

function takeBlocks(values: Float64Array, rows: Int32Array, width: number): Float64Array {
  const taken = new Float64Array(rows.length * width)
  rows.forEach((row, at) => {
    taken.set(values.subarray(row * width, (row + 1) * width), at * width)
  })
  return taken
}
