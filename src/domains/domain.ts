import type { Card, Forecast, PointPrediction, Series } from '../core/event.ts'
import type { Truth } from '../core/forecast.ts'
import type { Drift, Loss, StoredModel } from '../core/life.ts'
import type { ReadingStore } from '../core/ports.ts'
import type { Reading } from '../core/reading.ts'
import type { Target } from '../core/target.ts'

/** The part of a domain on the hot path: it observes each reading and may predict at once. */
export interface LiveModel {
  /** Metrics that it observes. */
  readonly metrics: readonly string[]
  /** `now` is UTC ms. Must be quick: it runs before the commit. */
  observe(reading: Reading, now: number): PointPrediction | undefined
  /** A new forecast went live. */
  use(forecast: Forecast): void
  removeSite(site: string): void
}

/** History of one target: regular steps. */
export interface Steps extends Truth {
  readonly unit: string
  /** What was repaired on the way, in steps or events. */
  readonly repairs: Readonly<Record<string, number>>
}

/** Input of every task of a domain: plain data only, since it is transferred to a worker. */
export interface TaskInput extends Steps {
  readonly target: Target
  readonly zone: string
  readonly now: number
}

/** A new forecast by the live model (the naive one if there is none) and by those in shadow. */
export interface ForecastInput extends TaskInput {
  readonly mode: 'forecast'
  readonly live?: StoredModel
  readonly shadows: readonly StoredModel[]
  /** Compare the newest week's inputs with those that each model learnt from; costs more than the forecast. */
  readonly drift: boolean
}

export interface ForecastOutput {
  readonly published: Forecast
  /** In the order of the input's shadows; the naive forecast is the baseline of each. */
  readonly shadows: readonly Forecast[]
  /** The naive forecast's own card, if it is the published one. */
  readonly naive?: Card
  readonly drifts: readonly Drift[]
}

/** Train from scratch and compare with the naive forecasts and the live model, on steps that none of them has seen. */
export interface LearnInput extends TaskInput {
  readonly mode: 'learn'
  readonly live?: StoredModel
}

/** One row of features for online prediction; an absent feature is missing. */
export type FeatureRow = Readonly<Record<string, number>>

/** A model that is ready to predict on the loop. */
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
  targets(series: readonly Series[]): { readonly source: Series; readonly target: Target }[]
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
  /** Whether the history suffices for training; if not, only the naive forecast is published. */
  isEnough(steps: Steps): boolean
  /**
   * Builds the model completely and repeats the predictions that it was stored with; throws HomeostatError
   * `model_refused` if it is damaged, foreign, or its predictions differ from those of the training.
   */
  open(model: StoredModel): OpenModel
  /** Losses of the steps of a forecast whose truth is known as a whole, in order of time. */
  loss(forecast: Forecast, truth: Truth): readonly Loss[]
}
