/** From what energy learnt and predicted to the types that the engine keeps: the only place that knows both. */
import type { Card, Forecast, ModelRef, Verdict } from '../../core/event.ts'
import type { Quantile } from '../../ml/forecast/forecast.ts'
import type { NaiveKind } from '../../ml/naive.ts'
import type { TaskInput } from '../domain.ts'
import { type Coverage, highEnd, level, lowEnd, type Scores } from './judge.ts'

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
  const origin = input.start + input.values.length * input.stepMs
  const [lo, hi] = [quantiles[lowEnd]?.values, quantiles[highEnd]?.values]
  const steps = Array.from(mean, (value, lead) => ({
    at: origin + lead * input.stepMs,
    mean: value,
    naive: naive[lead]!,
    ...(lo && hi ? { lo: lo[lead]!, hi: hi[lead]! } : {}),
  })).filter((step) => Number.isFinite(step.mean) && Number.isFinite(step.naive))
  return {
    ...input.target,
    unit: input.unit,
    origin,
    madeAt: input.now,
    stepMs: input.stepMs,
    level,
    model,
    naiveName,
    steps,
  }
}

/** What was found by judging. */
export interface Judgement {
  readonly model: ModelRef
  readonly features: readonly string[]
  readonly folds: number
  readonly scoredSteps: number
  /** mae, rmse, r2 and pinball by forecaster; a card has room for the first two only. */
  readonly scores: Scores
  readonly coverage: Coverage | undefined
  readonly verdict: Verdict
  readonly residualDeciles: readonly number[]
  readonly repairs: Readonly<Record<string, number>>
  readonly knownSteps: number
}

export function cardOf({ target, start, stepMs, values, now, unit }: TaskInput, judged: Judgement): Card {
  const { coverage, knownSteps, scores, ...rest } = judged
  return {
    ...rest,
    series: target,
    trainedAt: now,
    span: { from: start, to: start + values.length * stepMs, steps: knownSteps },
    unit,
    scores: Object.fromEntries(
      Object.entries(scores).map(([name, { mae, rmse }]) => [name, { mae: mae!, rmse: rmse! }]),
    ),
    ...(coverage ? { coverage } : {}),
  }
}
