import type { DeviceChange, RemovalLedger } from './device.ts'
import type { Problem } from './errors.ts'
import type {
  Alert,
  ApiKey,
  Device,
  Forecast,
  ForecastKey,
  PointPrediction,
  Quarantined,
  Rollup,
  Room,
  Series,
  SeriesKey,
  Site,
} from './event.ts'
import type { IncidentLedger } from './incident-ledger.ts'
import type { LedgerKeep } from './ledger-keep.ts'
import type {
  Drift,
  EventFunction,
  ForgottenSpan,
  Info,
  Job,
  JobStatus,
  LoggedForecast,
  ModelEntry,
  ModelEvent,
  QueuedEvent,
  ReportDay,
  Trigger,
  VersionKey,
} from './life.ts'
import type { PeopleLedger } from './people.ts'
import type { RawReading, Reading } from './reading.ts'
import type { RecordLedger } from './record.ts'
import type { Target } from './target.ts'
import type { DirtySpans, LedgerTurn, MonitorState } from './turn.ts'

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

/** A source of readings over MQTT, and the connection that it shares. */
export interface MqttSource extends SourceAdapter {
  readonly link: MqttLink
}

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

/** The key of an alert, and its place in lists. */
export type AlertKey = Pick<Alert, 'target' | 'rule' | 'since'>

/** Which alerts; absent means all. */
export interface AlertFilter {
  readonly sites?: readonly string[]
  /** True: those whose condition still holds. */
  readonly open?: boolean
  /** The last alert of the page before. */
  readonly after?: AlertKey
}

/** Columns of one series, oldest first, one value per time. */
export interface Columns {
  readonly at: Float64Array
  readonly value: Float64Array
}

/** Columns of one of several series. */
export interface SeriesColumns extends Columns {
  readonly series: SeriesKey
}

/** The place of the last reading of a page in the order (at, site, device, metric). */
export interface ReadingPosition extends SeriesKey {
  readonly at: number
}

/**
 * The log of readings, measured and derived (`isDerived` in core/series.ts) alike. Of two readings with the same
 * (series, at) the one appended last counts.
 * Methods reject with the engine's own error when the disk fails; nothing of that call is then stored. `append` rejects
 * with `turn_refused` where the readings themselves are the reason, so that trying again cannot help.
 */
export interface ReadingStore {
  /** Creates what is missing. Call once, before anything else. */
  open(): Promise<void>
  /**
   * One transaction; resolves after fsync. Calls may overlap: they are serialised in call order. `position`: of the last
   * journal frame that the readings are from; stored in the same transaction.
   */
  append(readings: readonly Reading[], position?: number): Promise<void>
  /** The last position that came with an append; 0 before. */
  position(): Promise<number>
  /** Ordered by (at, site, device, metric), at most `limit`, strictly after `after`. */
  read(filter: ReadingFilter, limit: number, after?: ReadingPosition): Promise<Reading[]>
  /** Newest `perSeries` readings of every series or those named, oldest first within a series; to fill the windows. */
  newest(perSeries: number, only?: readonly SeriesKey[]): Promise<Reading[]>
  /**
   * All values of one series in [from, to), oldest first, in chunks of bounded length. A chunk is one consistent state;
   * what is written while the caller reads may or may not appear in later chunks. Any number of scans may be open: one
   * whose caller pauses or stops holds its current chunk and blocks nobody.
   */
  scan(series: SeriesKey, from: number, to: number): AsyncIterable<Columns>
  /**
   * All values of several series in [from, to), in the order (site, device, metric, at) whatever the order asked in;
   * a series without values gives no chunk, a series with many gives several. Otherwise like `scan`; use it where more
   * than a few series are wanted.
   */
  scanMany(series: readonly SeriesKey[], from: number, to: number): AsyncIterable<SeriesColumns>
  /** Hours of one series in [from, to), oldest first; includes the hour in progress. */
  rollups(series: SeriesKey, from: number, to: number): Promise<Rollup[]>
  /** Every series that has a reading. */
  series(): Promise<Series[]>
  /** Readings held, after deduplication as far as it was done; and bytes on disk. */
  stats(): Promise<{ readonly readings: number; readonly bytes: number }>
  /** Erases a site's readings. */
  removeSite(site: string): Promise<void>
  /** What people did to a device; hidden series are in no answer. `position` as in `append`. Repeating it is harmless. */
  change(change: DeviceChange, position?: number): Promise<void>
  /**
   * Upkeep in a quiet moment: roll-ups of new hours, removal of duplicates and of measured readings older than
   * `keepFrom` (ms; roll-ups and derived readings stay), bounding of the write-ahead log. Safe at any time, also when
   * interrupted. Costs next to nothing when nothing was appended since the last call.
   */
  maintain(keepFrom?: number): Promise<void>
  close(): Promise<void>
}

/** The place of the last prediction of a page among those of its series. */
export interface PredictionPosition {
  readonly at: number
  readonly madeAt: number
  readonly model: { readonly name: string; readonly version: string }
}

/**
 * Facts that change. Every write is durable when its promise resolves; a batch is one transaction.
 * Lists are ordered by their key.
 */
export interface Ledger {
  open(): Promise<void>
  /**
   * Everything of one turn but its readings, in one transaction. Same keys replace, so a repeated call is harmless.
   * `position`: of the last journal frame that the facts are from; stored in the same transaction. Rejects with
   * `turn_refused` where the facts themselves are the reason, so that trying again cannot help.
   */
  record(turn: LedgerTurn, position?: number): Promise<void>
  /** The last position that came with a record; 0 before. */
  position(): Promise<number>
  /** What was saved of the monitors of every target, of one site or all. */
  monitorStates(site?: string): Promise<MonitorState[]>
  /** Spans that must be derived again, of every target that has some. */
  dirtySpans(site?: string): Promise<DirtySpans[]>
  putSites(sites: readonly Site[]): Promise<void>
  sites(): Promise<Site[]>
  /** Erases the site with its rooms, devices, forecasts, predictions, alerts, incidents, models, jobs, reports, notes and records. */
  removeSite(site: string): Promise<void>
  /** What people did to a device; what is hidden is in no answer. `position` as in `record`. Repeating it is harmless. */
  change(change: DeviceChange, position?: number): Promise<void>
  /** New ones are added, known ones updated; an absent room leaves the known one. */
  putDevices(devices: readonly Device[]): Promise<void>
  devices(site?: string): Promise<Device[]>
  rooms(site?: string): Promise<Room[]>
  /** Replaces the newest forecast of the same target and metric when `origin` is not older. */
  putForecasts(forecasts: readonly Forecast[]): Promise<void>
  /** The newest forecast of each target and metric. */
  forecasts(site?: string): Promise<Forecast[]>
  putPredictions(predictions: readonly PointPrediction[]): Promise<void>
  /** Of one target and metric, `at` in [from, to), by (at, madeAt, model name, version); at most `limit`, strictly after `after`. */
  predictions(
    of: ForecastKey,
    from: number,
    to: number,
    limit: number,
    after?: PredictionPosition,
  ): Promise<PointPrediction[]>
  /** Same (rule, target, since) replaces. */
  putAlerts(alerts: readonly Alert[]): Promise<void>
  /** Newest `since` first, then by rule and target; at most `limit`, strictly after `filter.after`. */
  alerts(filter: AlertFilter, limit: number): Promise<Alert[]>
  putQuarantined(rows: readonly Quarantined[]): Promise<void>
  /** Newest first; `before` is the id of the last row of the page before. */
  quarantined(limit: number, before?: number): Promise<{ id: number; row: Quarantined }[]>
  /** Those with these ids, or all. Returns how many there were. */
  removeQuarantined(ids: readonly number[] | 'all'): Promise<number>
  putKey(key: ApiKey): Promise<void>
  removeKey(id: string): Promise<boolean>
  keys(): Promise<ApiKey[]>
  readonly models: ModelLedger
  readonly jobs: JobLedger
  readonly watch: WatchLedger
  readonly schedule: ScheduleLedger
  readonly notes: NoteLedger
  readonly incidents: IncidentLedger
  readonly records: RecordLedger
  readonly people: PeopleLedger
  readonly removals: RemovalLedger
  /** Deletes what need not be kept, in many small transactions: other writes run in between. */
  maintain(keep: LedgerKeep): Promise<void>
  close(): Promise<void>
}

/** The index of models: their cards and status. The learnt states are artifacts. */
export interface ModelLedger {
  /** One transaction. Same (target, version) replaces an entry; events are added. */
  put(entries: readonly ModelEntry[], events: readonly ModelEvent[]): Promise<void>
  /** Newest first, by `trainedAt`, then target and version. */
  all(site?: string): Promise<ModelEntry[]>
  of(target: Target): Promise<ModelEntry[]>
  remove(versions: readonly VersionKey[]): Promise<void>
  /** Newest first. They outlive the versions they are about and are erased with the site. */
  events(filter: { readonly site?: string; readonly target?: Target }, limit: number): Promise<ModelEvent[]>
}

export interface JobLedger {
  /** Same id replaces. */
  put(jobs: readonly Job[]): Promise<void>
  /** Newest first (`createdAt`, then id). */
  all(
    filter?: { readonly site?: string; readonly status?: readonly JobStatus[] },
    limit?: number,
  ): Promise<Job[]>
  get(id: string): Promise<Job | undefined>
}

/** The log of forecasts, and their scores. */
export interface WatchLedger {
  /** Same (target, metric, origin, version) replaces. Values are rounded: see `stores/ledger/forecast-bytes.ts`. */
  log(forecasts: readonly LoggedForecast[]): Promise<void>
  /** Those of a target and metric whose steps overlap [from, to), by origin, then version. */
  logged(of: ForecastKey, from: number, to: number): Promise<LoggedForecast[]>
  /** One transaction: adds to the sums of each (target, metric, version, day), and stores how far each is scored. */
  score(days: readonly ReportDay[], scoredTo: readonly ScoredTo[]): Promise<void>
  /** Up to which time (exclusive) truths were scored. */
  scoredTo(of: ForecastKey): Promise<number | undefined>
  /** Days in [from, to), by day, then version. */
  days(of: ForecastKey, from: number, to: number): Promise<ReportDay[]>
  /** Same (target, version) replaces: the newest is kept. */
  putDrifts(drifts: readonly Drift[]): Promise<void>
  drifts(target: Target): Promise<Drift[]>
}

/** How far the forecasts of a target and metric are scored: UTC ms, exclusive. */
export interface ScoredTo extends ForecastKey {
  readonly to: number
}

export interface ScheduleLedger {
  /** Same name replaces. */
  putTriggers(triggers: readonly Trigger[]): Promise<void>
  triggers(): Promise<Trigger[]>
  removeTrigger(name: string): Promise<boolean>
  putFunctions(functions: readonly EventFunction[]): Promise<void>
  functions(): Promise<EventFunction[]>
  /** With its queued events. */
  removeFunction(name: string): Promise<boolean>
  /**
   * One transaction: adds events (same id replaces) and removes those with the given ids. Costs what it adds and
   * removes, however many events wait.
   */
  changeQueue(added: readonly QueuedEvent[], removedIds: readonly number[]): Promise<void>
  /** By id, oldest first. */
  queuedEvents(): Promise<QueuedEvent[]>
}

/** What people are told, and what they told the hub to leave out. */
export interface NoteLedger {
  putInfos(infos: readonly Info[]): Promise<void>
  /** Newest first, from `from` on; those of the hub come with every site, unless `own`. */
  infos(
    filter: { readonly site?: string; readonly from?: number; readonly own?: boolean },
    limit: number,
  ): Promise<Info[]>
  /** Those of exactly that time, of all sites. Returns how many. */
  removeInfos(at: number): Promise<number>
  putForgotten(spans: readonly ForgottenSpan[]): Promise<void>
  /** By series, then `from`. */
  forgotten(site?: string): Promise<ForgottenSpan[]>
  removeForgotten(id: string): Promise<boolean>
}

/**
 * Objects by key, such as `energy/home/fridge/v1/model.json`: segments of [A-Za-z0-9._~-] parted by slashes.
 * Rejects with the engine's own error when the disk or the server fails; then the key holds what it held before.
 */
export interface ArtifactStore {
  /** Creates what is missing and clears away what an interrupted `put` left. */
  open(): Promise<void>
  /** Durable when it resolves, whole or not at all; replaces what the key held. Where it rejects, the key may hold either. */
  put(key: string, bytes: Uint8Array): Promise<void>
  get(key: string): Promise<Uint8Array | undefined>
  /** Keys that begin with the prefix, in order of their code units. */
  list(prefix: string): Promise<string[]>
  /** Nothing happens where there is none. */
  remove(keys: readonly string[]): Promise<void>
  close(): Promise<void>
}

/** The newest readings of every series, the hot path. Synchronous: it is memory, or a copy of what is elsewhere. */
export interface WindowStore {
  /** False when (series, at) was there already with the same value. */
  push(reading: Reading): boolean
  /** Oldest first; empty when unknown. The arrays are copies. */
  get(series: SeriesKey): Columns
  /** Forgets readings later than `at` (ms), which were stored while a clock was ahead. */
  forgetAfter(series: SeriesKey, at: number): void
  /** Time of the newest reading, -Infinity when unknown. */
  newestAt(series: SeriesKey): number
  /** Newest reading of every series, in order of first sight. */
  latest(): IterableIterator<Reading>
  /** Undefined when the series is unknown. */
  newest(series: SeriesKey): Reading | undefined
  /** Every series in order of first sight. The list grows when one comes; when some go, another list takes its place. */
  readonly series: readonly SeriesKey[]
  /** The series, with canonical unit and room, or undefined when never seen. */
  find(series: SeriesKey): Series | undefined
  readonly size: number
  removeSite(site: string): void
  removeSeries(series: readonly SeriesKey[]): void
  /** The device stands in this room now. */
  setRoom(site: string, device: string, room: string): void
}

/** Wall time in UTC ms, monotonic time in ms, and timers; a virtual one lets weeks pass in seconds. */
export interface Clock {
  now(): number
  monotonic(): number
  /** Resolves after `ms`, or at once when the signal aborts. Never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
  /** Resolves once other work that waits for the event loop has run; lets long work give way. */
  yield(): Promise<void>
}

/** Structured log. `fields` never hold secrets. */
export interface Log {
  info(message: string, fields?: Readonly<Record<string, unknown>>): void
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void
  error(message: string, fields?: Readonly<Record<string, unknown>>): void
}

/** Runs pure work off the loop that carries readings. Rejects when the work throws or the signal aborts. */
export interface Jobs {
  run<Input, Output>(task: string, input: Input, options?: JobOptions): Promise<Output>
  close(): Promise<void>
}

export interface JobOptions {
  readonly signal?: AbortSignal
  /** Told the share that is done, 0 to 1, by work that knows it. */
  readonly onProgress?: (share: number) => void
}

/** The hub's one connection over MQTT, shared by sources, sinks and drivers. */
export interface MqttLink {
  /**
   * Resolves once the broker has taken the message (QoS 1: acknowledged it). Rejects at once while there is no
   * connection: nothing is queued.
   */
  publish(
    topic: string,
    payload: string,
    options: { readonly qos: 0 | 1; readonly retain: boolean },
  ): Promise<void>
}

/** One way out, e.g. to an MQTT topic or a webhook. Rejects when the other side did not take it. */
export interface Sink {
  send(message: { readonly kind: 'alert'; readonly alert: Alert }): Promise<void>
  close(): Promise<void>
}
