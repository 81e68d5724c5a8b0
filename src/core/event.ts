/**
 * Nouns of the engine: sites, devices, predictions, cards, alerts.
 * Times are UTC epoch milliseconds, energies kWh, powers W. A reading has its own file.
 */
import type { MeterRole } from './device.ts'
import type { Target } from './target.ts'

/** A home or building. `zone` is an IANA name; civil days and tariff hours are computed in it. */
export interface Site {
  readonly id: string
  readonly name: string
  readonly zone: string
  /** Simulated data: said wherever the site is shown. */
  readonly demo: boolean
}

export interface Room {
  readonly site: string
  readonly id: string
}

export interface Device {
  readonly site: string
  readonly id: string
  readonly type: string
  readonly room?: string
  readonly attributes: Readonly<Record<string, string | number | boolean>>
  /** Given by a person; shown instead of the id. */
  readonly name?: string
  readonly role?: MeterRole
  /** Left out of lists for people; it is stored and learnt as before. */
  readonly hidden?: boolean
  /** What a person has set: no reading changes it any more. */
  readonly fixed?: readonly DeviceField[]
}

export type DeviceField = 'room' | 'type'

/** A series is (site, device, metric); its unit is canonical. */
export interface SeriesKey {
  readonly site: string
  readonly device: string
  readonly metric: string
}

export interface Series extends SeriesKey {
  readonly unit: string
  readonly room?: string
}

/** One hour of one series. `at` is the start of the hour, UTC. `first` and `last` are by time. */
export interface Rollup {
  readonly at: number
  readonly count: number
  readonly min: number
  readonly max: number
  readonly mean: number
  readonly first: number
  readonly last: number
}

/** The model that predicts. `kind` naive: no learnt model beat it, or there is none yet. */
export interface ModelRef {
  readonly name: string
  readonly version: string
  readonly kind: 'learned' | 'naive'
}

/** Which forecasts belong together: those of one metric of one target. */
export interface ForecastKey {
  readonly target: Target
  readonly metric: string
}

interface PointFields extends ForecastKey {
  /** UTC ms that the prediction is about: the past (what was normal) or the near future. */
  readonly at: number
  readonly madeAt: number
  readonly value: number
  readonly unit: string
  readonly model: ModelRef
}

/** A live prediction of one value. `probability`: the value is 0 to 1. */
export type PointPrediction =
  | (PointFields & { readonly kind: 'value' })
  | (PointFields & { readonly kind: 'probability' })

/** `count` steps of `stepMs` each. */
export interface GridRun {
  readonly stepMs: number
  readonly count: number
}

/** Values that the truth stays below with probability `level`, 0 to 1. */
export interface Quantile {
  readonly level: number
  readonly values: Float64Array
}

/** Columns over the steps of a grid that begins at `origin`; NaN: unknown. Helpers: `forecast.ts`. */
export interface Forecast extends ForecastKey {
  readonly kind: 'forecast'
  readonly unit: string
  /** First moment that the model has not seen, and start of the first step. */
  readonly origin: number
  readonly madeAt: number
  readonly model: ModelRef
  /** Runs of equal steps, e.g. 15 minutes for 48 h, then hours. */
  readonly grid: readonly GridRun[]
  readonly mean: Float64Array
  /** The best naive forecast of the same steps, and its name; a forecast from outside has none. */
  readonly baseline?: Float64Array
  readonly baselineName?: string
  /** By rising level; 0.05 and 0.95 bound the 90 % interval. Empty: nothing to calibrate an interval on. */
  readonly quantiles: readonly Quantile[]
}

export type Prediction = PointPrediction | Forecast

/** A candidate compared with a rival by their losses on the same unseen civil days. */
export interface Comparison {
  /** Days that both predicted. */
  readonly days: number
  /** 1 - candidate's loss / rival's, by the measure that decides; above 0 the candidate is better. */
  readonly gain: number
  /** One-sided p-value of "the candidate is not better" (paired test); 1 with too few days. */
  readonly p: number
}

/** The decision of the gate, and its grounds. */
export interface Verdict {
  readonly status: 'live' | 'challenger' | 'rejected'
  /** A sentence. */
  readonly reason: string
  /** By rival: the best naive forecast by its name, and "live" for the model that was live. */
  readonly comparisons: Readonly<Record<string, Comparison>>
}

/** By forecaster, then by name of the measure: rmse, mae, r2, pinball. */
export type Scores = Readonly<Record<string, Readonly<Record<string, number>>>>

/** A model's report; immutable. Every score is from data that the scored model had not seen. */
export interface Card {
  readonly target: Target
  /** What it predicts. */
  readonly metric: string
  readonly model: ModelRef
  readonly trainedAt: number
  /** Span of the training data, and its known steps. */
  readonly span: { readonly from: number; readonly to: number; readonly steps: number }
  readonly features: readonly string[]
  /** Rolling-origin folds and scored steps. */
  readonly folds: number
  readonly scoredSteps: number
  readonly unit: string
  /** The candidate ("model"), each naive forecast, and the model that was live ("live"). */
  readonly scores: Scores
  /** The measure that the gate decides by; smaller is better. */
  readonly decidedBy: string
  /** Share of truths inside the interval, on folds that did not calibrate it. */
  readonly coverage?: { readonly level: number; readonly measured: number; readonly steps: number }
  readonly verdict: Verdict
  /** Nine deciles of its errors (forecast - truth) on unseen steps; empty if none were scored. */
  readonly residualDeciles: readonly number[]
  /** Repairs before training: counter resets, gaps, spikes, forgotten, in steps. */
  readonly repairs: Readonly<Record<string, number>>
}

export type AlertLevel = 'info' | 'warning' | 'critical'

/** Keyed (rule, target, since): the same alert twice is one. It leaves before the commit. */
export interface Alert {
  readonly target: Target
  readonly rule: string
  readonly level: AlertLevel
  /** When the condition began. */
  readonly since: number
  /** The moment of this report: of the reading that raised or closed it. */
  readonly at: number
  readonly message: string
  /** The measured series and its value, where the alert is about one. */
  readonly device?: string
  readonly metric?: string
  readonly value?: number
  /** When the condition ended; absent while the alert is open. */
  readonly until?: number
  /** The hub was away or behind when it happened: it is reported later than the domain calls live. */
  readonly late?: boolean
}

/** A desired state of a device; sent only after it was committed. */
export interface Command {
  readonly id: string
  readonly site: string
  readonly device: string
  readonly state: Readonly<Record<string, string | number | boolean>>
  readonly expiresAt: number
}

/** What did not become a reading: why, and what arrived (payload cut at 1,024 characters). */
export interface Quarantined {
  readonly at: number
  readonly source: string
  readonly code: string
  readonly message: string
  readonly payload: string
  /** The MQTT topic that it came on. */
  readonly topic?: string
  /** As far as the source could tell. */
  readonly device?: string
  readonly metric?: string
}

export type Role = 'viewer' | 'operator' | 'admin'

/** An API key; the secret itself is never kept, only its SHA-256 in hex. */
export interface ApiKey {
  readonly id: string
  readonly name: string
  readonly role: Role
  /** Sites it reaches; null means all. */
  readonly sites: readonly string[] | null
  readonly sha256: string
  readonly createdAt: number
}
