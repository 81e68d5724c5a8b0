/**
 * Learning from a table without choosing a learner: a few that differ in kind are tried on folds of the training rows,
 * and blended by what they showed there. The folds are stretches of time or groups, never random rows.
 */
import { HomeostatError } from '../core/errors.ts'
import { evaluateClassification, evaluateRegression } from './evaluate.ts'
import { gainImportance, type Importance } from './explain.ts'
import type { Fold } from './folds.ts'
import type { Frame } from './frame.ts'
import type { Learner, Model } from './learner.ts'
import type { BoostingModel, TreeLearner } from './learners/boosting/model.ts'
import { boosting, boostingClassifier } from './learners/boosting.ts'
import { forest, forestClassifier } from './learners/forest.ts'
import { logistic } from './learners/logistic.ts'
import { ridge } from './learners/ridge.ts'
import type { RegressionScores } from './metrics.ts'
import type { ClassificationScores } from './metrics-classification.ts'
import type { Team } from './parallel.ts'
import { takeRows, takeValues } from './rows.ts'

export type TableTask = 'regression' | 'classification'

/** What a learner showed on rows of the training that it had not seen. */
export interface Trial<Scores> {
  readonly name: string
  /** Share in the blend. */
  readonly weight: number
  /** Undefined where no fold could be tried. */
  readonly scores: Scores | undefined
}

export interface Learnt {
  /** One number a row, or one a class; see Model. */
  predict(frame: Frame): Float64Array
  readonly outputs: number
  readonly trials: readonly Trial<RegressionScores | ClassificationScores>[]
  /** By the gains of the trees in the blend, largest first; empty where it holds none. */
  readonly importance: readonly Importance[]
}

export interface LearnOptions {
  /** Columns that stand in the rows themselves: the learners are tried on these alone, too, besides on all columns. */
  readonly alone?: readonly string[]
  readonly team?: Team
  /** Is told of every step before it is made: what is tried or learnt, the how many-th of how many. */
  readonly progress?: (step: string, nth: number, of: number) => void
}

interface Candidate {
  readonly name: string
  readonly learner: Learner
  /** Columns that it sees; all where undefined. */
  readonly columns?: readonly string[]
}

/**
 * Weights fall with this power of the root mean square error, and end below this share of the best one's. On nested
 * folds of an office, a house's appliances and rooms and a weather station it lost nothing to weights by least squares,
 * and was steadier.
 */
const power = 8
const least = 0.1

/** Rows that candidates are tried on: enough to tell which is better. */
const trialRowsMax = 30_000

/**
 * Learns `target` (classes 0..K-1, or numbers) from all rows of the frame. Folds whose training rows lack a class are
 * left out; without any fold the first candidate, boosting, learns alone. Throws `data_invalid` for what cannot be
 * learnt from.
 */
export function learnTable(
  frame: Frame,
  target: Float64Array,
  task: TableTask,
  folds: readonly Fold[],
  options: LearnOptions = {},
): Learnt {
  if (target.every((value) => value === target[0]))
    throw new HomeostatError('data_invalid', {
      detail: `the target is ${target[0]} in every row; there is nothing to learn`,
    })
  const candidates = candidatesOf(frame, target, task, options)
  const trial = thinned(frame, target, folds, trialRowsMax)
  const usable =
    task === 'regression' ? trial.folds : trial.folds.filter((fold) => holdsAll(trial.target, fold))
  const progress = options.progress ?? (() => {})
  const steps = usable.length === 0 ? 1 : 2 * candidates.length
  const tried =
    usable.length === 0
      ? []
      : candidates.map((candidate, at) => {
          progress(`trying ${candidate.name}`, at, steps)
          return tryOut(candidate, trial, task, usable)
        })
  const weights = weightsOf(
    candidates.length,
    tried.map((scores) => ('brier' in scores ? Math.sqrt(scores.brier) : scores.rmse)),
  )
  const learn = ({ learner, columns }: Candidate): Model =>
    learner.fit(columns ? columnsNamed(frame, columns) : frame, target)
  const chosen = candidates.flatMap((candidate, at) => {
    if (weights[at] === 0) return []
    progress(`learning ${candidate.name}`, tried.length + at, steps)
    return [{ weight: weights[at]!, model: learn(candidate) }]
  })
  const outputs = chosen[0]!.model.outputs
  return {
    outputs,
    predict: (rows) => {
      const blend = new Float64Array(rows.rows * outputs)
      for (const { weight, model } of chosen) {
        const said = model.predict(rows)
        for (let k = 0; k < blend.length; k++) blend[k]! += weight * said[k]!
      }
      return blend
    },
    trials: candidates.map(({ name }, at) => ({ name, weight: weights[at]!, scores: tried[at] })),
    importance: meanImportance(chosen),
  }
}

function tryOut(
  { learner, columns }: Candidate,
  { frame, target }: Thinned,
  task: TableTask,
  folds: readonly Fold[],
): RegressionScores | ClassificationScores {
  const seen = columns ? columnsNamed(frame, columns) : frame
  return task === 'regression'
    ? evaluateRegression(learner, seen, target, folds).model
    : evaluateClassification(learner, seen, target, folds).model
}

interface Thinned {
  readonly frame: Frame
  readonly target: Float64Array
  readonly folds: readonly Fold[]
}

/** Every k-th row, so that no more than `rowsMax` are left. */
function thinned(frame: Frame, target: Float64Array, folds: readonly Fold[], rowsMax: number): Thinned {
  if (frame.rows <= rowsMax) return { frame, target, folds }
  const every = Math.ceil(frame.rows / rowsMax)
  const kept = Int32Array.from({ length: Math.ceil(frame.rows / every) }, (_, at) => at * every)
  const places = (rows: Int32Array): Int32Array =>
    rows.filter((row) => row % every === 0).map((row) => row / every)
  return {
    frame: takeRows(frame, kept),
    target: takeValues(target, kept),
    folds: folds.map(({ name, train, test }) => ({ name, train: places(train), test: places(test) })),
  }
}

/** Learners that differ in kind, by the columns that they see. */
function candidatesOf(
  frame: Frame,
  target: Float64Array,
  task: TableTask,
  { team, alone }: LearnOptions,
): Candidate[] {
  const make = task === 'regression' ? regressors : classifiers
  const all = make(frame, target, team)
  if (alone === undefined) return all
  const own = make(columnsNamed(frame, alone), target, team)
  return [
    ...all,
    ...own.map((candidate) => ({ ...candidate, name: `${candidate.name}, rows alone`, columns: alone })),
  ]
}

const shared = { learningRate: 0.05, minChildRows: 50, subsample: 0.7, l2: 10, columnSample: 0.5 } as const

/** Trees of two splits: they see pairs of features and no more. */
const stumps = { ...shared, rounds: 200, maxLeaves: 3, columnSample: 0.3, subsample: 0.5 } as const

const forestRowsMax = 50_000

/** The equations of lines take rows x columns^2 steps, and this many are a second or so. */
const lineSteps = 5e8
const lineRowsMax = ({ columns }: Frame): number =>
  Math.max(1000, Math.floor(lineSteps / columns.length ** 2))

function classifiers(frame: Frame, target: Float64Array, team: Team | undefined): Candidate[] {
  const threads = team ? { team } : {}
  const forestOptions = { trees: 100, minChildRows: 50 }
  return [
    {
      name: 'boosting',
      learner: bound(boostingClassifier, { ...shared, rounds: 100, maxLeaves: 8, ...threads }),
    },
    { name: 'boosted stumps', learner: bound(boostingClassifier, { ...stumps, ...threads }) },
    { name: 'forest', learner: bound(forestClassifier, forestOptions, forestRowsMax) },
    // it tells two classes apart, no more
    ...(target.every((value) => value <= 1)
      ? [{ name: 'logistic', learner: bound(logistic, { l2: 10 }, lineRowsMax(frame)) }]
      : []),
  ]
}

function regressors(frame: Frame, _target: Float64Array, team: Team | undefined): Candidate[] {
  const threads = team ? { team } : {}
  return [
    { name: 'boosting', learner: bound(boosting, { ...shared, rounds: 200, maxLeaves: 31, ...threads }) },
    { name: 'boosted stumps', learner: bound(boosting, { ...stumps, ...threads }) },
    { name: 'forest', learner: bound(forest, { trees: 100 }, forestRowsMax) },
    { name: 'ridge', learner: bound(ridge, { l2: 10 }, lineRowsMax(frame)) },
  ]
}

/** The learner with these options, learning from every k-th row where there are more than `rowsMax`. */
const bound = <Options extends object>(
  learner: Learner<Options> | TreeLearner<Options>,
  options: Partial<Options>,
  rowsMax = Number.POSITIVE_INFINITY,
): Learner => ({
  ...learner,
  fit: (frame, target) => {
    const rows = target ? thinned(frame, target, [], rowsMax) : { frame, target }
    return learner.fit(rows.frame, rows.target, options)
  },
})

interface Chosen {
  readonly weight: number
  readonly model: Model
}

const isOfTrees = (model: Model): model is BoostingModel => 'parts' in model

function meanImportance(chosen: readonly Chosen[]): Importance[] {
  const withTrees = chosen.flatMap(({ weight, model }) =>
    isOfTrees(model) ? [{ weight, importance: gainImportance(model) }] : [],
  )
  const total = withTrees.reduce((sum, { weight }) => sum + weight, 0)
  const shares = new Map<string, number>()
  for (const { weight, importance } of withTrees)
    for (const { name, share } of importance)
      shares.set(name, (shares.get(name) ?? 0) + (weight / total) * share)
  return [...shares].map(([name, share]) => ({ name, share })).sort((a, b) => b.share - a.share)
}

function columnsNamed(frame: Frame, names: readonly string[]): Frame {
  const wanted = new Set(names)
  const kept = [...frame.names.keys()].filter((at) => wanted.has(frame.names[at]!))
  return {
    ...frame,
    names: kept.map((at) => frame.names[at]!),
    columns: kept.map((at) => frame.columns[at]!),
    categorical: (frame.categorical ?? []).filter((name) => wanted.has(name)),
  }
}

function holdsAll(target: Float64Array, { train }: Fold): boolean {
  const classes = target.reduce((most, value) => Math.max(most, value + 1), 2)
  return new Set(Array.from(train, (row) => target[row]!)).size === classes
}

function weightsOf(count: number, errors: readonly number[]): Float64Array {
  if (errors.length === 0) return Float64Array.from({ length: count }, (_, at) => (at === 0 ? 1 : 0))
  const raw = Float64Array.from(errors, (error) => Math.max(error, 1e-12) ** -power)
  const top = Math.max(...raw)
  const kept = raw.map((weight) => (weight >= least * top ? weight : 0))
  const sum = kept.reduce((total, weight) => total + weight, 0)
  return kept.map((weight) => weight / sum)
}
