import type { Problem } from './errors.ts'
import type {
  Alert,
  ApiKey,
  Card,
  Device,
  Forecast,
  Prediction,
  Quarantined,
  Rollup,
  Room,
  Series,
  SeriesKey,
  Site,
} from './event.ts'
import type { RawReading, Reading } from './reading.ts'

/** What became of a batch: how many readings are on disk, and which rows were not taken and why. */
export interface Receipt {
  readonly accepted: number
  readonly rejected: readonly { readonly index: number; readonly problem: Problem }[]
}

/**
 * Resolves once the batch is durable: acknowledge upstream after it, never before.
 * A bad row is durable too, in quarantine. Rejects with HomeostatError `overloaded`, `stopping` or
 * `store_failed`: nothing of the batch was acknowledged, the sender keeps it.
 */
export type Emit = (batch: readonly RawReading[]) => Promise<Receipt>

/** Runs until aborted; then stops taking, and resolves when what it had emitted is settled. */
export type Source = (emit: Emit, signal: AbortSignal) => Promise<void>

/** A source with its name and how it is; `ready` false names in `detail` what is missing. */
export interface SourceAdapter {
  readonly name: string
  readonly run: Source
  health(): { readonly ready: boolean; readonly detail: string }
}

/** Which readings: half-open in time [from, to), ms; absent means all. */
export interface ReadingFilter {
  readonly sites?: readonly string[]
  readonly device?: string
  readonly metric?: string
  readonly from?: number
  readonly to?: number
}

/** Columns of one series, oldest first, one value per time. */
export interface Columns {
  readonly at: Float64Array
  readonly value: Float64Array
}

/** The place of the last reading of a page in the order (at, site, device, metric). */
export interface ReadingPosition extends SeriesKey {
  readonly at: number
}

/**
 * The log of readings. Twice is once: of two readings with the same (series, at) the one appended last counts.
 * Methods reject with the engine's own error when the disk fails; nothing of that call is then stored.
 */
export interface ReadingStore {
  /** Creates what is missing. Call once, before anything else. */
  open(): Promise<void>
  /** One transaction; resolves after fsync. Calls may overlap: they are serialised in call order. */
  append(readings: readonly Reading[]): Promise<void>
  /** Ordered by (at, site, device, metric), at most `limit`, strictly after `after`. */
  read(filter: ReadingFilter, limit: number, after?: ReadingPosition): Promise<Reading[]>
  /** Newest `perSeries` readings of every series, oldest first within a series; to fill the windows at boot. */
  newest(perSeries: number): Promise<Reading[]>
  /** All values of one series in [from, to), in chunks, oldest first. */
  scan(series: SeriesKey, from: number, to: number): AsyncIterable<Columns>
  /** Hours of one series in [from, to), oldest first; includes the hour in progress. */
  rollups(series: SeriesKey, from: number, to: number): Promise<Rollup[]>
  /** Every series that has a reading. */
  series(): Promise<Series[]>
  /** Readings held, after deduplication as far as it was done; and bytes on disk. */
  stats(): Promise<{ readonly readings: number; readonly bytes: number }>
  /** Erases a site's readings. */
  removeSite(site: string): Promise<void>
  /**
   * Upkeep in a quiet moment: roll-ups of new hours, removal of duplicates and of readings older than `keepFrom`
   * (ms; roll-ups stay), bounding of the write-ahead log. Safe at any time, also cut short.
   */
  maintain(keepFrom?: number): Promise<void>
  close(): Promise<void>
}

/** A model as it is kept: card plus learnt state as JSON text. */
export interface StoredModel {
  readonly card: Card
  readonly body: string
}

/**
 * Facts that change. Every write is durable when its promise resolves; a batch is one transaction.
 * Lists are ordered by their key.
 */
export interface Ledger {
  open(): Promise<void>
  putSites(sites: readonly Site[]): Promise<void>
  sites(): Promise<Site[]>
  /** Erases the site with its rooms, devices, forecasts, models, predictions and alerts. */
  removeSite(site: string): Promise<void>
  /** New ones are added, known ones updated; an absent room leaves the known one. */
  putDevices(devices: readonly Device[]): Promise<void>
  devices(site?: string): Promise<Device[]>
  rooms(site?: string): Promise<Room[]>
  /** Replaces the newest forecast of the same series when `origin` is not older. */
  putForecasts(forecasts: readonly Forecast[]): Promise<void>
  /** The newest forecast of each series. */
  forecasts(site?: string): Promise<Forecast[]>
  /** Same (series, version) replaces. */
  putModels(models: readonly StoredModel[]): Promise<void>
  /** Newest first; `body` only through `model`. */
  models(site?: string): Promise<Card[]>
  model(series: SeriesKey, version: string): Promise<StoredModel | undefined>
  putPredictions(predictions: readonly Prediction[]): Promise<void>
  predictions(series: SeriesKey, from: number, to: number): Promise<Prediction[]>
  /** Same (rule, series, since) replaces. */
  putAlerts(alerts: readonly Alert[]): Promise<void>
  /** Newest first; all of them without a limit. */
  alerts(site?: string, limit?: number): Promise<Alert[]>
  putQuarantined(rows: readonly Quarantined[]): Promise<void>
  /** Newest first; `before` is the id of the last row of the page before. */
  quarantined(limit: number, before?: number): Promise<{ id: number; row: Quarantined }[]>
  putKey(key: ApiKey): Promise<void>
  removeKey(id: string): Promise<boolean>
  keys(): Promise<ApiKey[]>
  /** Keeps so many quarantined rows and models of each series, the newest, and predictions made after `keepFrom`. */
  maintain(keep: {
    readonly quarantined: number
    readonly models: number
    readonly keepFrom: number
  }): Promise<void>
  close(): Promise<void>
}

/** The newest readings of every series, the hot path. Synchronous: it is memory, or a copy of what is elsewhere. */
export interface WindowStore {
  /** False when (series, at) was there already with the same value. */
  push(reading: Reading): boolean
  /** Oldest first; empty when unknown. The arrays are copies. */
  get(series: SeriesKey): Columns
  /** Time of the newest reading, -Infinity when unknown. */
  newestAt(series: SeriesKey): number
  /** Newest reading of every series, in order of first sight. */
  latest(): IterableIterator<Reading>
  /** The series, with canonical unit and room, or undefined when never seen. */
  find(series: SeriesKey): Series | undefined
  readonly size: number
  removeSite(site: string): void
}

/** Wall time in UTC ms, monotonic time in ms, and timers; a virtual one lets weeks pass in seconds. */
export interface Clock {
  now(): number
  monotonic(): number
  /** Resolves after `ms`, or at once when the signal aborts. Never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

/** Structured log. `fields` never hold secrets. */
export interface Log {
  info(message: string, fields?: Readonly<Record<string, unknown>>): void
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void
  error(message: string, fields?: Readonly<Record<string, unknown>>): void
}

/** Runs pure work off the loop that carries readings. Rejects when the work throws or the signal aborts. */
export interface Jobs {
  run<Input, Output>(task: string, input: Input, signal?: AbortSignal): Promise<Output>
  close(): Promise<void>
}

/** One way out, e.g. to an MQTT topic or a webhook. Rejects when the other side did not take it. */
export interface Sink {
  send(message: { readonly kind: 'alert'; readonly alert: Alert }): Promise<void>
  close(): Promise<void>
}
