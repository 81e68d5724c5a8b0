import type { Card, Forecast, Prediction, Series, SeriesKey } from '../core/event.ts'
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

/** What a worker learns from: plain data only. */
export interface LearningInput extends Steps {
  readonly target: SeriesKey
  readonly zone: string
  readonly now: number
  /** `naive`: only the naive forecasts, at once. `renew`: a new forecast by the kept model. `learn`: all anew. */
  readonly mode: 'naive' | 'renew' | 'learn'
  /** The kept model, for `renew`. */
  readonly kept?: { readonly card: Card; readonly body: string }
}

export interface LearningOutput {
  readonly forecast: Forecast
  readonly card: Card
  /** Learnt state as JSON text, live or not; empty where nothing was learnt. */
  readonly body: string
}

/** What a domain brings to the trainer. */
export interface Learning {
  readonly name: string
  /** Task of the worker that learns; see the table of tasks. */
  readonly task: string
  /** What can be forecast, and which series each is learnt from. */
  targets(series: readonly Series[]): { readonly source: Series; readonly target: SeriesKey }[]
  /** Reads what is needed, up to the newest reading (UTC ms); undefined while there is not one whole step. */
  collect(source: Series, store: Pick<ReadingStore, 'scan'>, newestAt: number): Promise<Steps | undefined>
  /** Whether there is enough to learn from; else the naive forecast is all there is to say. */
  isEnough(steps: Steps): boolean
}
