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
import type { TreeLearner } from './learners/boosting/model.ts'
import { boosting, boostingClassifier } from './learners/boosting.ts'
import { forest, forestClassifier } from './learners/forest.ts'
import { logistic } from './learners/logistic.ts'
import type { RegressionScores } from './metrics.ts'
import type { ClassificationScores } from './metrics-classification.ts'
import type { Team } from './parallel.ts'

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
}

interface TriedOut {
  readonly error: number
  readonly scores: RegressionScores | ClassificationScores
}

interface Candidate {
  readonly name: string
  /** Error on the folds, smaller is better, and the scores to show. */
  readonly tryOut: (folds: readonly Fold[]) => TriedOut
  readonly fit: () => { readonly model: Model; readonly importance: readonly Importance[] }
}

/** Weights fall with this power of the error, and end below this share of the best one's. */
const power = 4
const least = 0.1

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
  const make = task === 'regression' ? regressors : classifiers
  const candidates = make(frame, target, options)
  if (options.alone !== undefined)
    for (const candidate of make(columnsNamed(frame, options.alone), target, options))
      candidates.push({ ...candidate, name: `${candidate.name}, rows alone` })
  const usable = task === 'regression' ? folds : folds.filter((fold) => holdsAll(target, fold))
  const tried = usable.length === 0 ? [] : candidates.map((candidate) => candidate.tryOut(usable))
  const weights = weightsOf(
    candidates.length,
    tried.map(({ error }) => error),
  )
  const chosen = candidates.flatMap((candidate, at) =>
    weights[at]! > 0 ? [{ weight: weights[at]!, ...candidate.fit() }] : [],
  )
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
    trials: candidates.map(({ name }, at) => ({ name, weight: weights[at]!, scores: tried[at]?.scores })),
    importance: meanImportance(chosen),
  }
}

const shared = { learningRate: 0.05, minChildRows: 50, subsample: 0.7, l2: 10, maxLeaves: 8 } as const

/** Trees of two splits: they see pairs of features and no more. */
const stumps = { rounds: 200, maxLeaves: 3, columnSample: 0.3, subsample: 0.5 } as const

function classifiers(frame: Frame, target: Float64Array, { team }: LearnOptions): Candidate[] {
  const threads = team ? { team } : {}
  const tryOut = <Options extends object>(learner: Learner<Options>, settings: Partial<Options>) => {
    return (folds: readonly Fold[]): TriedOut => {
      const { model } = evaluateClassification(learner, frame, target, folds, { learner: settings })
      return { error: model.brier, scores: model }
    }
  }
  const trees = <Options extends object>(
    name: string,
    learner: TreeLearner<Options>,
    settings: Partial<Options>,
  ): Candidate => ({
    name,
    tryOut: tryOut(learner, settings),
    fit: fitTrees(learner, frame, target, settings),
  })
  const line: Candidate = {
    name: 'logistic',
    tryOut: tryOut(logistic, { l2: 10 }),
    fit: () => ({ model: logistic.fit(frame, target, { l2: 10 }), importance: [] }),
  }
  return [
    trees('boosting', boostingClassifier, { ...shared, rounds: 100, columnSample: 0.5, ...threads }),
    trees('boosted stumps', boostingClassifier, { ...shared, ...stumps, ...threads }),
    trees('forest', forestClassifier, { trees: 100, minChildRows: 50, ...threads }),
    // it tells two classes apart, no more
    ...(target.every((value) => value <= 1) ? [line] : []),
  ]
}

function regressors(frame: Frame, target: Float64Array, { team }: LearnOptions): Candidate[] {
  const threads = team ? { team } : {}
  const trees = <Options extends object>(
    name: string,
    learner: TreeLearner<Options>,
    settings: Partial<Options>,
  ): Candidate => ({
    name,
    tryOut: (folds) => {
      const { model } = evaluateRegression(learner, frame, target, folds, { learner: settings })
      return { error: model.rmse, scores: model }
    },
    fit: fitTrees(learner, frame, target, settings),
  })
  return [
    trees('boosting', boosting, { ...shared, rounds: 200, maxLeaves: 31, columnSample: 0.5, ...threads }),
    trees('boosted stumps', boosting, { ...shared, ...stumps, ...threads }),
    trees('forest', forest, { trees: 100, ...threads }),
  ]
}

function fitTrees<Options extends object>(
  learner: TreeLearner<Options>,
  frame: Frame,
  target: Float64Array,
  settings: Partial<Options>,
): Candidate['fit'] {
  return () => {
    const model = learner.fit(frame, target, settings)
    return { model, importance: gainImportance(model) }
  }
}

interface Chosen {
  readonly weight: number
  readonly importance: readonly Importance[]
}

function meanImportance(chosen: readonly Chosen[]): Importance[] {
  const withTrees = chosen.filter(({ importance }) => importance.length > 0)
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
