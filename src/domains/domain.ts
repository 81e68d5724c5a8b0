import type { Card, Forecast, Prediction, Series, SeriesKey } from '../core/event.ts'
import type { Drift, StoredModel } from '../core/life.ts'
import type { ReadingStore } from '../core/ports.ts'
import type { Reading } from '../core/reading.ts'

/** What a domain brings to the hot path: it sees each reading and may say something at once. */
export interface LiveModel {
  /** Metrics that it wants to see. */
  readonly metrics: readonly string[]
  /** `now` is UTC ms. Must be quick: it runs before the commit. */
  observe(reading: Reading, now: number): Prediction | undefined
  /** A new forecast went live. */
  use(forecast: Forecast): void
  removeSite(site: string): void
}

/** History of one target: regular steps from `start` (UTC ms) on, NaN where unknown. */
export interface Steps {
  readonly start: number
  readonly stepMs: number
  readonly values: Float64Array
  readonly unit: string
  /** What was repaired on the way, in steps or events. */
  readonly repairs: Readonly<Record<string, number>>
}

/** What every task of a domain is told: plain data only, since it crosses to a worker. */
export interface TaskInput extends Steps {
  readonly target: SeriesKey
  readonly zone: string
  readonly now: number
}

/** A new forecast by the model that is live, the naive one where there is none, and by those in shadow. */
export interface ForecastInput extends TaskInput {
  readonly mode: 'forecast'
  readonly live?: StoredModel
  readonly shadows: readonly StoredModel[]
  /** Compare the newest week's inputs with those that each model learnt from; costs more than the forecast. */
  readonly drift: boolean
}

export interface ForecastOutput {
  readonly spoken: Forecast
  /** In the order of the shadows asked for; the naive one (see `naiveVersion`) is always in the steps of each. */
  readonly shadows: readonly Forecast[]
  /** The naive forecast's own card, where it is the one that speaks. */
  readonly naive?: Card
  readonly drifts: readonly Drift[]
}

/** Learn all anew and judge it: against the naive forecasts and the live model, on steps that none of them has seen. */
export interface LearnInput extends TaskInput {
  readonly mode: 'learn'
  readonly live?: StoredModel
}

/** Rows of features for one model, as somebody asks for them online; a feature that is left out is missing. */
export type FeatureRow = Readonly<Record<string, number>>

/** A model made ready to answer on the loop. */
export interface OpenModel {
  /** One number a row, in the unit of the card. */
  predict(rows: readonly FeatureRow[]): Float64Array
}

/** What a domain brings to the trainer. */
export interface Learning {
  readonly name: string
  /** Task of the worker that learns; see the table of tasks. */
  readonly task: string
  /** What can be forecast, and which series each is learnt from. */
  targets(series: readonly Series[]): { readonly source: Series; readonly target: SeriesKey }[]
  /**
   * Reads what is needed, up to the newest reading (UTC ms) and at most `historyMs` before it; undefined while there is
   * not one whole step.
   */
  collect(
    source: Series,
    store: Pick<ReadingStore, 'scan'>,
    newestAt: number,
    historyMs?: number,
  ): Promise<Steps | undefined>
  /** Whether there is enough to learn from; else the naive forecast is all there is to say. */
  isEnough(steps: Steps): boolean
  /**
   * Builds the model completely and lets it answer the questions that it was stored with; throws HomeostatError
   * `model_refused` where it is damaged, foreign, or answers otherwise than when it was learnt.
   */
  open(model: StoredModel): OpenModel
}
