/**
 * The life of a model: the status of each version, the log of forecasts and their losses, and what is scheduled.
 * Times are UTC epoch milliseconds.
 */
import type { Card, Forecast, ForecastKey, SeriesKey } from './event.ts'
import type { Target } from './target.ts'

/**
 * Status of a version of a model. At most one learnt version of a target is `live`; without one, the naive forecast is
 * (its version is "naive").
 * - `challenger`: predicts in shadow, scored on the same steps as the live one until they can be told apart
 * - `rejected`: did not pass the gate
 * - `retired`: was live or challenged before
 * - `refused`: its files are damaged or foreign, or it predicts what is no number; quarantined, never loaded
 */
export type ModelStatus = 'live' | 'challenger' | 'rejected' | 'retired' | 'refused'

/** Version of the naive forecast. */
export const naiveVersion = 'naive'

/** A version in the index. The card never changes; the rest does. */
export interface ModelEntry {
  readonly card: Card
  readonly status: ModelStatus
  /** Why it has this status, a sentence. */
  readonly reason: string
  /** Since when. */
  readonly since: number
}

/** A version changed its status: the history of what was live when, and who decided. */
export interface ModelEvent {
  readonly target: Target
  readonly version: string
  readonly at: number
  readonly status: ModelStatus
  readonly reason: string
  /** `gate`, `guard`, `shadow`, `registry`, or the name of the key or command that requested it. */
  readonly by: string
}

/** A model as it is stored: card plus learnt state as JSON text. */
export interface StoredModel {
  readonly card: Card
  readonly body: string
}

export type JobStatus = 'queued' | 'running' | 'done' | 'failed' | 'cancelled'

/** Long work, stored so that a restart neither loses nor doubles it. */
export interface Job {
  readonly id: string
  /** `train`: learn one target anew. `rebuild`: derive its history again. */
  readonly kind: 'train' | 'rebuild'
  readonly target: Target
  readonly status: JobStatus
  /** 0 to 1. */
  readonly progress: number
  /** Its current step or its result: a sentence. */
  readonly detail: string
  /** Who requested it: `schedule`, `start`, or the name of a key or command. */
  readonly by: string
  /** Publish the new version even if the gate rejects it. */
  readonly force: boolean
  readonly createdAt: number
  readonly startedAt?: number
  readonly endedAt?: number
}

/** A logged forecast, scored when the truth is known. Key: (target, metric, origin, model.version). */
export interface LoggedForecast {
  readonly forecast: Forecast
  /** Shown to users; otherwise made in shadow. */
  readonly published: boolean
}

/** Sums over the forecast steps of one lead time whose truth is known. */
export interface LeadSums {
  readonly count: number
  /** Sum of forecast - truth, in the unit of the metric: the bias. */
  readonly error: number
  /** Sum of each loss, by its name (`squared`, `absolute`, `pinball`). */
  readonly losses: Readonly<Record<string, number>>
  /** Steps with a baseline, and the sums of its losses on them. */
  readonly baselineCount: number
  readonly baseline: Readonly<Record<string, number>>
  /** Steps with an interval, and truths inside it. */
  readonly withInterval: number
  readonly inside: number
}

/** Losses of one step of a forecast whose truth is known; smaller is better. */
export interface Loss {
  /** Start of the step. */
  readonly at: number
  /** Its end, exclusive. */
  readonly end: number
  /** Forecast - truth. */
  readonly error: number
  /** By name: `squared`, `absolute`, `pinball`. */
  readonly losses: Readonly<Record<string, number>>
  /** The same of the baseline, if it predicted the step. */
  readonly baseline?: Readonly<Record<string, number>>
  /** Whether the truth is inside the interval, if there is one. */
  readonly inside?: boolean
}

/** Scores of the forecasts of one version about the steps of one civil day. */
export interface ReportDay extends ForecastKey {
  readonly version: string
  /** Start of the civil day in the site's zone. */
  readonly day: number
  /** By lead time in hours: the first entry holds the steps that begin less than an hour after the origin. */
  readonly leads: readonly LeadSums[]
  /** Milliseconds of the day whose truth is known and that the version predicted, each counted once. */
  readonly knownMs: number
  /** How many errors lie between the deciles of the card's `residualDeciles`: ten counts. */
  readonly residualBins: readonly number[]
}

/** Distance of a version's inputs from its training data: population stability index by feature. */
export interface Drift {
  readonly target: Target
  readonly version: string
  readonly at: number
  readonly psi: Readonly<Record<string, number>>
  /** The largest PSI of one week of the training data against the others; absent: unknown. */
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

/** Reference to a version of a target's model. */
export interface VersionKey {
  readonly target: Target
  readonly version: string
}
