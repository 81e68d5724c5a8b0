import { HomeostatError } from '../../core/errors.ts'
import type { Duel } from '../../core/event.ts'
import type { StoredModel } from '../../core/life.ts'
import type { PastForecast } from '../../ml/forecast/trial.ts'
import type { LearnInput, TaskInput } from '../domain.ts'
import { bodyOf, openEnergy } from './body.ts'
import { repaired } from './firewall.ts'
import { featureNames, foldsMax, horizon, learnDevice, seriesOf } from './forecaster.ts'
import { duelOf, verdictOf } from './gate.ts'
import {
  bestNaive,
  coverageOf,
  dayLosses,
  fromOrigin,
  type Predicted,
  predictedOf,
  residualDeciles,
  type Scores,
  scoresOf,
  type Trial,
  trialOf,
} from './judge.ts'
import { cardOf } from './mapping.ts'

/** Days of known hours before a model is learnt at all. */
export const learnDaysMin = 21

/** Days of known hours: what is missing teaches nothing. */
export const knownDays = (values: Float64Array): number => knownOf(values) / 24

export const knownOf = (values: Float64Array): number =>
  values.reduce((count, value) => count + (Number.isNaN(value) ? 0 : 1), 0)

export const modelName = 'energy-forecast'

/**
 * Learns one device anew, by the hour, and judges the candidate: against the three naive forecasts and, on the hours
 * that it had not seen, the live model. Everything is fitted again, the folds too: a fold kept from yesterday would have
 * ended elsewhere than one of today. Runs in a worker. Throws `data_invalid` where there is too little to learn from,
 * `model_refused` for a live model that is damaged. `onProgress` is told the share that is done, 0 to 1.
 */
export function learnEnergy(input: LearnInput, onProgress?: (share: number) => void): StoredModel {
  const { values, repairs } = repaired(input)
  const days = knownDays(values)
  if (days < learnDaysMin) tooShort(`${days.toFixed(1)} days of known hours`)
  const forecaster = learnDevice(input, onProgress)
  const past = forecaster.past[0]!
  const trial = trialOf(past, input)
  const candidate = predictedOf(past)
  const all = { model: candidate, ...trial.naive }
  const { scores, steps } = scoresOf(trial.actual, all)
  const naiveName = bestNaive(scores)
  const losses = dayLosses(trial.actual, trial.days, all).squared
  const live = input.live ? liveDuel(input.live, input, { trial, past, candidate }) : undefined
  const naive = duelOf(losses['model']!, losses[naiveName]!)
  const card = cardOf(input, {
    model: { name: modelName, version: versionOf(input.now), kind: 'learned' },
    features: featureNames,
    folds: Math.min(foldsMax, past.length),
    scoredSteps: steps,
    scores: { ...scores, ...live?.scores },
    coverage: coverageOf(trial.actual, candidate),
    verdict: verdictOf(naiveName, { ...naive, rmse: scores[naiveName]?.['rmse'] ?? Number.NaN }, live?.duel),
    residualDeciles: residualDeciles(trial.actual, candidate),
    repairs,
    knownSteps: knownOf(values),
  })
  return { card, body: bodyOf(forecaster, seriesOf(input, values)) }
}

interface Judged {
  readonly trial: Trial
  readonly past: readonly PastForecast[]
  readonly candidate: Predicted
}

/**
 * The live model on the origins that begin where its history ended or later, and the candidate on the same ones: the
 * live score of the card is over these, which may be fewer than those of the others.
 */
function liveDuel(
  live: StoredModel,
  input: TaskInput,
  { trial: { actual, days }, past, candidate }: Judged,
): { readonly duel: Duel; readonly scores: Scores } {
  const { forecaster } = openEnergy(live)
  const first = past.findIndex(({ origin }) => input.start + origin * input.stepMs >= live.card.span.to)
  const from = first < 0 ? past.length : first
  const forecasts = past.slice(from).map(({ known }) => {
    const [made] = forecaster.forecast([seriesOf(input, known)])
    return { mean: made!.mean, quantiles: made!.quantiles.map(({ values }) => values) }
  })
  const unseen = actual.subarray(actual.length - forecasts.length * horizon)
  const all = { live: predictedOf(forecasts), model: fromOrigin(candidate, from) }
  const losses = dayLosses(unseen, days.subarray(days.length - unseen.length), all).squared
  const { scores } = scoresOf(unseen, all)
  return {
    duel: duelOf(losses['model']!, losses['live']!),
    scores: scores['live'] ? { live: scores['live'] } : {},
  }
}

function tooShort(what: string): never {
  throw new HomeostatError('data_invalid', {
    detail: `${what}: a model is learnt from ${learnDaysMin} days of them on`,
  })
}

/** 20261121T083005Z */
const versionOf = (now: number): string => new Date(now).toISOString().replace(/[-:]|\.\d+/g, '')
