/** From what energy learnt and predicted to the types that the engine keeps: the only place that knows both. */
import type { Card, Forecast, ModelRef } from '../../core/event.ts'
import type { Quantile } from '../../ml/forecast/forecast.ts'
import type { NaiveKind } from '../../ml/naive.ts'
import type { TaskInput } from '../domain.ts'
import type { Coverage, Scores } from './judge.ts'

/** Mean and quantiles of the coming hours, and the naive forecast beside them. Quantiles may be absent. */
export interface HoursAhead {
  readonly mean: Float64Array
  readonly quantiles: readonly Quantile[]
  readonly naive: Float64Array
  readonly naiveName: NaiveKind
}

export function forecastOf(
  input: TaskInput,
  model: ModelRef,
  { mean, quantiles, naive, naiveName }: HoursAhead,
): Forecast {
  return {
    kind: 'forecast',
    target: input.target,
    metric: 'energy',
    unit: input.unit,
    origin: input.start + input.values.length * input.stepMs,
    madeAt: input.now,
    model,
    grid: [{ stepMs: input.stepMs, count: mean.length }],
    mean,
    baseline: naive,
    baselineName: naiveName,
    quantiles: quantiles.some(({ values }) => values.some(Number.isFinite)) ? quantiles : [],
  }
}

/** What was found by judging. */
export interface Judgement {
  readonly model: ModelRef
  readonly features: readonly string[]
  readonly folds: number
  readonly scoredSteps: number
  /** mae, rmse, r2 and pinball by forecaster. */
  readonly scores: Scores
  readonly coverage: Coverage | undefined
  readonly residualDeciles: readonly number[]
  readonly repairs: Readonly<Record<string, number>>
  readonly knownSteps: number
}

export function reportOf(
  { target, start, stepMs, values, now, unit }: TaskInput,
  judged: Judgement,
): Omit<Card, 'verdict'> {
  const { coverage, knownSteps, scores, ...rest } = judged
  return {
    ...rest,
    target,
    metric: 'energy',
    trainedAt: now,
    span: { from: start, to: start + values.length * stepMs, steps: knownSteps },
    unit,
    scores: known(scores),
    decidedBy: 'rmse',
    ...(coverage ? { coverage } : {}),
  }
}

/** A truth that never changes has no variance to explain, and a short history no quantiles: JSON knows no NaN. */
const known = (scores: Scores): Scores =>
  Object.fromEntries(
    Object.entries(scores).map(([name, score]) => [
      name,
      Object.fromEntries(Object.entries(score).filter(([, value]) => Number.isFinite(value))),
    ]),
  )
