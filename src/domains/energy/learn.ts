import { HomeostatError } from '../../core/errors.ts'
import type { StoredModel } from '../../core/life.ts'
import type { PastForecast } from '../../ml/forecast/trial.ts'
import type { Judged } from '../../ml/gate.ts'
import type { LearnInput, TaskInput } from '../domain.ts'
import { bodyOf, openEnergy } from './body.ts'
import { repaired } from './firewall.ts'
import { featureNames, foldsMax, horizon, learnDevice, quantileLevels, seriesOf } from './forecaster.ts'
import {
  bestNaive,
  coverageOf,
  dayLosses,
  naiveLabels,
  predictedOf,
  residualDeciles,
  type Scores,
  scoresOf,
  type Trial,
  trialOf,
} from './judge.ts'
import { reportOf } from './mapping.ts'

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
export function learnEnergy(input: LearnInput, onProgress?: (share: number) => void): Judged {
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
  const live = input.live ? liveLosses(input.live, input, { trial, past }) : undefined
  const report = reportOf(input, {
    model: { name: modelName, version: versionOf(input.now), kind: 'learned' },
    features: featureNames,
    folds: Math.min(foldsMax, past.length),
    scoredSteps: steps,
    scores: { ...scores, ...live?.scores },
    coverage: coverageOf(trial.actual, candidate),
    residualDeciles: residualDeciles(trial.actual, candidate),
    repairs,
    knownSteps: knownOf(values),
  })
  return {
    body: bodyOf(forecaster, seriesOf(input, values)),
    report,
    losses: {
      candidate: losses['model']!,
      naive: { name: naiveName, label: naiveLabels[naiveName], days: losses[naiveName]! },
      ...(live ? { live: live.days } : {}),
    },
  }
}

/** Losses and scores of the live model, on the origins that begin where its training data ended or later. */
function liveLosses(
  live: StoredModel,
  input: TaskInput,
  { trial, past }: { readonly trial: Trial; readonly past: readonly PastForecast[] },
): { readonly days: Float64Array; readonly scores: Scores } {
  const { forecaster } = openEnergy(live)
  const unseen = ({ origin }: PastForecast): boolean =>
    input.start + origin * input.stepMs >= live.card.span.to
  const unknown = new Float64Array(horizon).fill(Number.NaN)
  const forecasts = past.map((origin) => {
    if (!unseen(origin)) return { mean: unknown, quantiles: quantileLevels.map(() => unknown) }
    const [made] = forecaster.forecast([seriesOf(input, origin.known)])
    return { mean: made!.mean, quantiles: made!.quantiles.map(({ values }) => values) }
  })
  const all = { live: predictedOf(forecasts) }
  const { scores } = scoresOf(trial.actual, all)
  return {
    days: dayLosses(trial.actual, trial.days, all).squared['live']!,
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
