import type { Card, Forecast, ModelRef } from '../../core/event.ts'
import { type Drift, naiveVersion } from '../../core/life.ts'
import { psi } from '../../ml/drift.ts'
import type { Series } from '../../ml/forecast/series.ts'
import { type NaiveKind, naiveForecast } from '../../ml/naive.ts'
import type { ForecastInput, ForecastOutput, TaskInput } from '../domain.ts'
import { type EnergyModel, openEnergy } from './body.ts'
import { repaired } from './firewall.ts'
import { horizon, quantileLevels, seriesOf } from './forecaster.ts'
import {
  bestNaive,
  coverageOf,
  originsToCalibrate,
  pastOf,
  pointOffsets,
  residualDeciles,
  scoresOf,
  trialOf,
} from './judge.ts'
import { knownDays, knownOf, learnDaysMin } from './learn.ts'
import { forecastOf, type HoursAhead, reportOf } from './mapping.ts'

/** Days of newest inputs that are compared with those that a model learnt from. */
const driftDays = 7

/**
 * The coming 24 hours: by the live model, the best naive forecast where there is none, and by each model in shadow.
 * The naive forecast beside them is the best one of the live model's card, else the best one of the newest days.
 * Runs in a worker. Throws `model_refused` for a model that is damaged.
 */
export function forecastEnergy(input: ForecastInput): ForecastOutput {
  const { values, repairs } = repaired(input)
  const series = seriesOf(input, values)
  const live = input.live ? openEnergy(input.live) : undefined
  const shadows = input.shadows.map(openEnergy)
  const judged = input.live ? undefined : judgeNaive(input, values, repairs)
  const naiveName = judged?.name ?? bestNaive(input.live!.card.scores)
  const naive = naiveForecast(naiveName, values, horizon, 24, series.times).mean
  const by = ({ ref, forecaster }: EnergyModel): Forecast => {
    const [made] = forecaster.forecast([series])
    return forecastOf(input, ref, { ...made!, naive, naiveName })
  }
  return {
    published: live ? by(live) : naiveAlone(input, values, { naive, naiveName }, judged?.offsets ?? []),
    shadows: shadows.map(by),
    ...(judged ? { naive: judged.card } : {}),
    drifts: input.drift ? driftsOf(input, series, [...(live ? [live] : []), ...shadows]) : [],
  }
}

const naiveRef = (name: NaiveKind): ModelRef => ({ name, version: naiveVersion, kind: 'naive' })

function naiveAlone(
  input: TaskInput,
  values: Float64Array,
  { naive, naiveName }: Pick<HoursAhead, 'naive' | 'naiveName'>,
  offsets: readonly Float64Array[],
): Forecast {
  // what was never below zero is not expected to be
  const least = values.some((value) => value < 0) ? Number.NEGATIVE_INFINITY : 0
  const quantiles = offsets.map((offset, nth) => ({
    level: quantileLevels[nth]!,
    values: naive.map((value, lead) => Math.max(least, value + offset[lead]!)),
  }))
  return forecastOf(input, naiveRef(naiveName), { mean: naive, quantiles, naive, naiveName })
}

/** Which naive forecast was best of late, how far its quantiles lie from it, and its card. */
function judgeNaive(
  input: TaskInput,
  values: Float64Array,
  repairs: Card['repairs'],
): { readonly name: NaiveKind; readonly offsets: readonly Float64Array[]; readonly card: Card } {
  const { origins, actual, naive } = trialOf(pastOf(input), input)
  const { scores, steps } = scoresOf(actual, naive)
  const name = bestNaive(scores)
  const days = knownDays(values)
  const reason =
    days < learnDaysMin
      ? `Naive forecast: ${days.toFixed(1)} days of known hours, a model is learnt from ${learnDaysMin} days on.`
      : 'Naive forecast: no learnt model is live.'
  const report = reportOf(input, {
    model: naiveRef(name),
    features: [],
    folds: origins.length,
    scoredSteps: steps,
    scores,
    coverage: coverageOf(actual, naive[name]),
    residualDeciles: residualDeciles(actual, naive[name]),
    repairs,
    knownSteps: knownOf(values),
  })
  const offsets = origins.length < originsToCalibrate ? [] : pointOffsets(actual, naive[name].mean)
  const card: Card = { ...report, verdict: { status: 'live', reason, comparisons: {} } }
  return { name, offsets, card }
}

/** Features of every hour of the newest week, as they were at each of its origins, against those of the learning. */
function driftsOf(input: ForecastInput, series: Series, models: readonly EnergyModel[]): Drift[] {
  const end = series.values.length
  const hours = Math.min(driftDays * 24, end - 1)
  if (hours < 1) return []
  const origins = Array.from({ length: hours }, (_, back) => end - hours + 1 + back)
  return models.map(({ ref, forecaster, drift }) => {
    const { names, columns } = forecaster.features(series, origins)
    const known = names.map((name, at) => [name, columns[at]!] as const)
    return {
      target: input.target,
      version: ref.version,
      at: input.now,
      psi: Object.fromEntries(known.map(([name, column]) => [name, psi(drift[name]!, column)])),
      usual: Object.fromEntries(known.map(([name]) => [name, drift[name]!.usual])),
    }
  })
}
