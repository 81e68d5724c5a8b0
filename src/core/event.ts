/**
 * The nouns that leave the engine, and the ones that stand still: sites, devices, forecasts, cards.
 * Times are UTC epoch milliseconds, energies kWh, powers W. A reading has its own file.
 */
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
}

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

/** Which model spoke. `kind` naive means: no learnt model beat it, or there is none yet. */
export interface ModelRef {
  readonly name: string
  readonly version: string
  readonly kind: 'learned' | 'naive'
}

/** A live statement about one value: of the past (what was normal) or the near future. */
export interface Prediction extends SeriesKey {
  /** What the value is about. */
  readonly at: number
  /** When it was said. */
  readonly madeAt: number
  readonly value: number
  readonly unit: string
  readonly model: ModelRef
}

export interface ForecastStep {
  /** Start of the step. */
  readonly at: number
  readonly mean: number
  /** Interval at the forecast's level; absent while there is nothing to calibrate it on. */
  readonly lo?: number
  readonly hi?: number
  /** What the best naive forecast says of the same step. */
  readonly naive: number
}

/** Values of one series over the coming steps, and who said so. */
export interface Forecast extends SeriesKey {
  readonly unit: string
  /** First moment that the model has not seen. */
  readonly origin: number
  readonly madeAt: number
  readonly stepMs: number
  /** Nominal coverage of lo..hi, e.g. 0.9. */
  readonly level: number
  readonly model: ModelRef
  /** Which naive forecast stands beside it. */
  readonly naiveName: string
  readonly steps: readonly ForecastStep[]
}

/** Error of one forecaster over the same unseen steps, in the unit of the series. */
export interface Score {
  readonly mae: number
  readonly rmse: number
}

/** A candidate held against a rival on the same unseen steps: paired, one difference an origin. */
export interface Duel {
  /** Origins that both forecast. */
  readonly origins: number
  /** 1 - candidate's RMSE / rival's; above 0 the candidate is better. */
  readonly gain: number
  /** One-sided p-value of "the candidate is not better" (paired test); 1 where there are too few origins. */
  readonly p: number
}

/** What the gate decided, and on what grounds. */
export interface Verdict {
  readonly standing: 'live' | 'challenger' | 'rejected'
  /** A sentence. */
  readonly reason: string
  /** By rival: the best naive forecast by its name, and "live" for the model that was live. */
  readonly duels: Readonly<Record<string, Duel>>
}

/** A model's report; never changed once written. Every figure is from data that the scored model had not seen. */
export interface Card {
  readonly series: SeriesKey
  readonly model: ModelRef
  readonly trainedAt: number
  /** Span of the data that was learnt from. */
  readonly span: { readonly from: number; readonly to: number; readonly steps: number }
  readonly features: readonly string[]
  /** Rolling-origin folds and scored steps. */
  readonly folds: number
  readonly scoredSteps: number
  readonly unit: string
  /** By name: the candidate ("model"), each naive forecast, and the model that was live ("live"), over the same steps. */
  readonly scores: Readonly<Record<string, Score>>
  /** Share of truths inside the interval, on folds that did not calibrate it. */
  readonly coverage?: { readonly level: number; readonly measured: number; readonly steps: number }
  readonly verdict: Verdict
  /** Nine deciles of its errors (forecast - truth) on unseen steps; empty where none were scored. */
  readonly residualDeciles: readonly number[]
  /** What was repaired before learning: counter resets, gaps, spikes, forgotten, in steps. */
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
