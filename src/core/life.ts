/**
 * The life of a model: where each version stands and why, what it said while it was live and how that turned out, and
 * what is to be done when. Times are UTC epoch milliseconds.
 */
import type { Card, Forecast, SeriesKey } from './event.ts'

/**
 * Where a version of a model stands. At most one of a series is `live`; where none of the learnt ones is, the naive
 * forecast is (its version is "naive").
 * - `challenger`: speaks in shadow, scored on the same hours as the live one until they can be told apart
 * - `rejected`: did not pass the gate
 * - `retired`: was live or challenged before
 * - `refused`: its files are damaged, foreign, or it says what is no number; kept apart, never loaded
 */
export type Standing = 'live' | 'challenger' | 'rejected' | 'retired' | 'refused'

/** Version of the naive forecast where it speaks for itself. */
export const naiveVersion = 'naive'

/** A version as the index knows it. The card never changes; the rest does. */
export interface ModelEntry {
  readonly card: Card
  readonly standing: Standing
  /** Why it stands there, a sentence. */
  readonly reason: string
  /** Since when. */
  readonly since: number
}

/** A version came to stand elsewhere: the history of what was live when, and who decided. */
export interface ModelEvent {
  readonly series: SeriesKey
  readonly version: string
  readonly at: number
  readonly standing: Standing
  readonly reason: string
  /** `gate`, `guard`, `shadow`, `registry`, or the name of the key or command that wanted it. */
  readonly by: string
}

/** A model as it is kept: card plus learnt state as JSON text. */
export interface StoredModel {
  readonly card: Card
  readonly body: string
}

export type JobStatus = 'queued' | 'running' | 'done' | 'failed' | 'cancelled'

/** Long work, kept so that a restart neither loses nor doubles it. */
export interface Job {
  readonly id: string
  /** `train`: learn one series anew. */
  readonly kind: 'train'
  readonly series: SeriesKey
  readonly status: JobStatus
  /** 0 to 1. */
  readonly progress: number
  /** What it does, or what became of it: a sentence. */
  readonly detail: string
  /** Who wanted it: `schedule`, `start`, or the name of a key or command. */
  readonly by: string
  /** Publish what it learns though the gate says no. */
  readonly force: boolean
  readonly createdAt: number
  readonly startedAt?: number
  readonly endedAt?: number
}

/** A forecast as it was said, to be scored when the truth is known. Known by (series, origin, model.version). */
export interface LoggedForecast {
  readonly forecast: Forecast
  /** Whether users saw it; else it was said in shadow. */
  readonly spoken: boolean
}

/** Sums of what became of the forecasts of one lead time; errors are forecast minus truth, in the series' unit. */
export interface LeadSums {
  /** Forecasts whose truth is known. */
  readonly count: number
  readonly error: number
  readonly absolute: number
  readonly squared: number
  readonly naiveAbsolute: number
  readonly naiveSquared: number
  /** Forecasts that had an interval, and truths inside it. */
  readonly withInterval: number
  readonly inside: number
}

/** How the forecasts of one version about the hours of one civil day turned out. */
export interface ReportDay {
  readonly series: SeriesKey
  readonly version: string
  /** Start of the civil day in the site's zone. */
  readonly day: number
  /** One a lead time, the shortest first. */
  readonly leads: readonly LeadSums[]
  /** Steps of the day whose truth is known and of which the version spoke, each counted once whatever the lead time. */
  readonly truths: number
  /** How many errors fell between the deciles of the card's `residualDeciles`: ten counts. */
  readonly residualBins: readonly number[]
}

/** How far the inputs of a version lie from those that it learnt from: population stability index by feature. */
export interface Drift {
  readonly series: SeriesKey
  readonly version: string
  readonly at: number
  readonly psi: Readonly<Record<string, number>>
  /** What the weeks that it learnt from had at the most, each against the others; left out: not known. */
  readonly usual?: Readonly<Record<string, number>>
}

/** A span of a series that no model learns from. The readings stay. Half-open: [from, to). */
export interface ForgottenSpan {
  readonly id: string
  readonly series: SeriesKey
  readonly from: number
  readonly to: number
  readonly reason: string
  readonly by: string
  readonly at: number
}

/** News for people, not urgent. Level 0 low, 1 medium, 2 high (seed A's visualisation component). */
export interface Info {
  readonly id: string
  readonly at: number
  /** null: concerns the hub. */
  readonly site: string | null
  readonly summary: string
  readonly detail: string
  readonly level: 0 | 1 | 2
}

/**
 * A trigger fires a named event: by a cron expression in a zone, every so often, or once (seed A). `name` is its key.
 * Exactly one of `cron` and `everyMs` for a repeating one; `everyMs` alone with `once` fires a single time.
 */
export interface Trigger {
  readonly name: string
  readonly event: string
  /** Five fields, in `zone`. */
  readonly cron?: string
  /** IANA zone of `cron`. */
  readonly zone?: string
  readonly everyMs?: number
  readonly once: boolean
  readonly enabled: boolean
  /** Shipped with the hub: may be changed or switched off, not removed. */
  readonly builtIn: boolean
  readonly lastAt?: number
  readonly nextAt?: number
}

/** What happens when all its events have arrived: a task of the hub, or a call of an address. `name` is its key. */
export interface EventFunction {
  readonly name: string
  readonly events: readonly string[]
  readonly action:
    | { readonly kind: 'task'; readonly task: string }
    | { readonly kind: 'call'; readonly url: string; readonly method: string }
  readonly lastInvokedAt?: number
  /** What became of the last run: empty when it went well. */
  readonly lastError: string
}

/** An event that came and was not yet used up, by function. */
export interface QueuedEvent {
  /** Rises with every queued event of the hub, so it also gives the order of arrival. */
  readonly id: number
  readonly function: string
  readonly event: string
  readonly at: number
  /** JSON text; empty for none. */
  readonly data: string
}

/** Reference to a version of a series' model. */
export interface VersionKey {
  readonly series: SeriesKey
  readonly version: string
}
