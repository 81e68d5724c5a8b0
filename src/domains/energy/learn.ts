import { HomeostatError } from '../../core/errors.ts'
import type { Card } from '../../core/event.ts'
import type { StoredModel } from '../../core/life.ts'
import { decide } from '../../ml/gate.ts'
import type { LearnInput, TaskInput } from '../domain.ts'
import { bodyOf, openEnergy } from './body.ts'
import { buildFeatures, featureNames, History, horizon } from './features.ts'
import { guarded } from './firewall.ts'
import { fitTo } from './fit.ts'
import {
  bestNaive,
  candidateSays,
  coverageOf,
  foldsMax,
  lossDays,
  naiveLabels,
  residualDeciles,
  scoresOf,
  type Trial,
  trialOf,
  widthsOf,
} from './judge.ts'

/** Days of known hours before a model is learnt at all. */
export const learnDaysMin = 21

/** Days of known hours: what is missing teaches nothing. */
export const knownDays = (values: Float64Array): number => knownOf(values) / 24

const knownOf = (values: Float64Array): number =>
  values.reduce((count, value) => count + (Number.isNaN(value) ? 0 : 1), 0)

export const modelName = 'energy-boosting'

/**
 * Learns one device anew, by the hour, and judges what came of it: against the three naive forecasts and, on the hours
 * that it had not seen, the model that is live. Everything is fitted again, the folds too: 90 days cost half a second,
 * and a fold kept from yesterday would have ended elsewhere than one of today. Runs in a worker.
 * Throws `data_invalid` where there is too little to learn from, `model_refused` for a live model that is damaged.
 * `onProgress` is told the share that is done, 0 to 1, after each fit.
 */
export function learnEnergy(asked: LearnInput, onProgress?: (share: number) => void): StoredModel {
  const input = guarded(asked)
  const history = new History(input.values, input.start, input.zone)
  const days = knownDays(input.values)
  if (days < learnDaysMin) tooShort(`${days.toFixed(1)} days of known hours`)
  const trial = trialOf(history, 'learnt')
  // one more fit follows: the one that is kept
  const judgedShare = foldsMax / (foldsMax + 1)
  const { said, share, folds } = candidateSays(history, trial, (done) => onProgress?.(judgedShare * done))
  const { scores, steps } = scoresOf(trial.actual, { model: said, ...trial.naive })
  const naiveName = bestNaive(scores)
  const live = input.live ? liveLosses(input.live, input, history, trial) : undefined
  const fit = fitTo(history, input.values.length) ?? tooShort('no known hour before the newest day')
  const widths = widthsOf(trial.actual, said)
  const mean = history.mean(input.values.length, input.values.length)
  const coverage = coverageOf(trial.actual, said)
  const card: Card = {
    target: input.target,
    metric: 'energy',
    model: { name: modelName, version: versionOf(input.now), kind: 'learned' },
    trainedAt: input.now,
    span: spanOf(input),
    features: featureNames,
    folds,
    scoredSteps: steps,
    unit: input.unit,
    scores: { ...scores, ...live?.scores },
    decidedBy: 'rmse',
    ...(coverage ? { coverage } : {}),
    verdict: decide({
      decidedBy: 'rmse',
      candidate: lossDays(history, trial, said),
      naive: {
        ...{ name: naiveName, label: naiveLabels[naiveName] },
        days: lossDays(history, trial, trial.naive[naiveName]),
      },
      ...(live ? { live: live.days } : {}),
    }),
    residualDeciles: residualDeciles(trial.actual, said),
    repairs: input.repairs,
  }
  return { card, body: bodyOf(fit, { share, widths, mean, negative: history.least < 0 }) }
}

/** Losses and scores of the live model, on the origins that begin where its training data ended or later. */
function liveLosses(
  live: StoredModel,
  { start, stepMs }: TaskInput,
  history: History,
  trial: Trial,
): { readonly days: Float64Array; readonly scores: Card['scores'] } {
  const { origins, actual } = trial
  const model = openEnergy(live)
  const first = origins.findIndex((origin) => start + origin * stepMs >= live.card.span.to)
  const unseen = first < 0 ? [] : origins.slice(first)
  const forecast = new Float64Array(actual.length).fill(Number.NaN)
  forecast.set(model.says(buildFeatures(history, unseen).frame), actual.length - unseen.length * horizon)
  const { scores } = scoresOf(actual, { live: forecast })
  return { days: lossDays(history, trial, forecast), scores: scores['live'] ? { live: scores['live'] } : {} }
}

/** Span of the history, and how many of its steps are known. */
export const spanOf = ({ start, stepMs, values }: TaskInput): Card['span'] => ({
  from: start,
  to: start + values.length * stepMs,
  steps: knownOf(values),
})

function tooShort(what: string): never {
  throw new HomeostatError('data_invalid', {
    detail: `${what}: a model is learnt from ${learnDaysMin} days of them on`,
  })
}

/** 20261121T083005Z */
const versionOf = (now: number): string => new Date(now).toISOString().replace(/[-:]|\.\d+/g, '')
