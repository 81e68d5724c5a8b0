import type { Card, Forecast, ModelRef } from '../../core/event.ts'
import { boundLevels } from '../../core/forecast.ts'
import { type Drift, naiveVersion } from '../../core/life.ts'
import { psi } from '../../ml/drift.ts'
import { type NaiveKind, naiveForecast } from '../../ml/naive.ts'
import type { ForecastInput, ForecastOutput, TaskInput } from '../domain.ts'
import { type EnergyModel, openEnergy } from './body.ts'
import { buildFeatures, History, horizon } from './features.ts'
import { guarded } from './firewall.ts'
import { bestNaive, coverageOf, level, residualDeciles, scoresOf, trialOf, widthsOf } from './judge.ts'
import { knownDays, learnDaysMin, spanOf } from './learn.ts'

/** Days of newest inputs that are held against those that a model learnt from. */
const driftDays = 7

/**
 * The coming 24 hours: by the live model, the best naive forecast where there is none, and by each model in shadow.
 * The naive forecast beside them is the best one of the live model's card, else the best one of the newest days.
 * Runs in a worker. Throws `model_refused` for a model that is damaged.
 */
export function forecastEnergy(asked: ForecastInput): ForecastOutput {
  const input = guarded(asked)
  const history = new History(input.values, input.start, input.zone)
  const live = input.live ? openEnergy(input.live) : undefined
  const shadows = input.shadows.map(openEnergy)
  const naive = input.live
    ? { name: bestNaive(input.live.card.scores), widths: [] }
    : judgeNaive(input, history)
  const speak = speaker(input, history, naive.name)
  const ref: ModelRef = { name: naive.name, version: naiveVersion, kind: 'naive' }
  return {
    published: live ? speak(live.ref, live.widths, live) : speak(ref, naive.widths),
    shadows: shadows.map((model) => speak(model.ref, model.widths, model)),
    ...('card' in naive ? { naive: naive.card } : {}),
    drifts: input.drift ? driftsOf(input, history, [...(live ? [live] : []), ...shadows]) : [],
  }
}

type Speak = (ref: ModelRef, widths: readonly number[], model?: EnergyModel) => Forecast

/** Everybody speaks of the same hours, from the same features. */
function speaker(input: TaskInput, history: History, naiveName: NaiveKind): Speak {
  const origin = input.values.length
  const naive = naiveForecast(naiveName, input.values, horizon, 24).mean
  const { frame } = buildFeatures(history, [origin])
  return (ref, widths, model) => {
    const raw = model ? model.says(frame) : naive
    const mean = Float64Array.from(raw, (value) => Math.max(history.least, value))
    const widthOf = (lead: number): number => (Number.isFinite(widths[lead]) ? widths[lead]! : Number.NaN)
    const lo = mean.map((value, lead) => Math.max(history.least, value - widthOf(lead)))
    const hi = mean.map((value, lead) => value + widthOf(lead))
    const [tail, head] = boundLevels(level)
    return {
      kind: 'forecast',
      target: input.target,
      metric: 'energy',
      unit: input.unit,
      origin: input.start + origin * input.stepMs,
      madeAt: input.now,
      model: ref,
      grid: [{ stepMs: input.stepMs, count: horizon }],
      mean,
      baseline: naive,
      baselineName: naiveName,
      quantiles: lo.some(Number.isFinite)
        ? [
            { level: tail, values: lo },
            { level: head, values: hi },
          ]
        : [],
    }
  }
}

/** Which naive forecast was best of late, its intervals, and its card. */
function judgeNaive(
  input: TaskInput,
  history: History,
): { readonly name: NaiveKind; readonly widths: readonly number[]; readonly card: Card } {
  const { origins, actual, naive } = trialOf(history, 'naive')
  const { scores, steps } = scoresOf(actual, naive)
  const name = bestNaive(scores)
  const coverage = coverageOf(actual, naive[name])
  const days = knownDays(input.values)
  const reason =
    days < learnDaysMin
      ? `Naive forecast: ${days.toFixed(1)} days of known hours, a model is learnt from ${learnDaysMin} days on.`
      : 'Naive forecast: no learnt model is live.'
  const card: Card = {
    target: input.target,
    metric: 'energy',
    model: { name, version: naiveVersion, kind: 'naive' },
    trainedAt: input.now,
    span: spanOf(input),
    features: [],
    folds: origins.length,
    scoredSteps: steps,
    unit: input.unit,
    scores,
    ...(coverage ? { coverage } : {}),
    decidedBy: 'rmse',
    verdict: { status: 'live', reason, comparisons: {} },
    residualDeciles: residualDeciles(actual, naive[name]),
    repairs: input.repairs,
  }
  return { name, widths: widthsOf(actual, naive[name]), card }
}

/** Inputs of every hour of the newest week, as they were at each of its origins, against those of the learning. */
function driftsOf(input: ForecastInput, history: History, models: readonly EnergyModel[]): Drift[] {
  const end = input.values.length
  const hours = Math.min(driftDays * 24, end)
  if (models.length === 0 || hours === 0) return []
  const { frame } = buildFeatures(
    history,
    Array.from({ length: hours }, (_, back) => end - hours + 1 + back),
  )
  const columns = frame.names.map((name, at) => [name, frame.columns[at]!] as const)
  return models.map(({ ref, drift }) => ({
    target: input.target,
    version: ref.version,
    at: input.now,
    psi: Object.fromEntries(columns.map(([name, column]) => [name, psi(drift[name]!, column)])),
    usual: Object.fromEntries(columns.map(([name]) => [name, drift[name]!.usual])),
  }))
}
