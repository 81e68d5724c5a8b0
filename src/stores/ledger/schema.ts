import type { Generated, Selectable } from 'kysely'
import type { MeterRole } from '../../core/device.ts'
import type { AlertLevel, ModelRef, PointPrediction, Role } from '../../core/event.ts'
import type { IncidentStatus } from '../../core/incident.ts'
import type { JobStatus, ModelStatus } from '../../core/life.ts'

/**
 * The tables of the ledger as Kysely sees them, the same on SQLite and PostgreSQL.
 * Times are UTC epoch ms in `bigint` (a PostgreSQL connection must parse int8 to number), flags are 0 or 1,
 * and what nobody filters by is JSON in a text column. Where a table has a `body`, that is the whole noun,
 * and the columns beside it are those by which it is found.
 */
export interface Database {
  sites: SiteRow
  rooms: RoomRow
  devices: DeviceRow
  forecasts: ForecastRow
  predictions: PredictionRow
  alerts: AlertRow
  incidents: IncidentRow
  maintenance_windows: MaintenanceWindowRow
  monitor_states: MonitorStateRow
  dirty_spans: DirtySpansRow
  journal: JournalRow
  quarantined: QuarantinedTable
  api_keys: KeyRow
  models: ModelRow
  model_events: ModelEventTable
  jobs: JobRow
  forecast_log: LoggedForecastRow
  report_days: ReportDayRow
  watch_state: WatchStateRow
  drifts: DriftRow
  triggers: NamedRow
  event_functions: NamedRow
  event_queue: QueuedEventRow
  infos: InfoRow
  forgotten: ForgottenRow
  records: RecordRow
  users: UserRow
  sessions: SessionRow
  removals: RemovalRow
  merges: MergeRow
}

/** Tables whose rows belong to a site, in an order that satisfies their foreign keys. */
export const siteTables = [
  'devices',
  'rooms',
  'forecasts',
  'predictions',
  'alerts',
  'incidents',
  'maintenance_windows',
  'monitor_states',
  'dirty_spans',
  'models',
  'model_events',
  'jobs',
  'forecast_log',
  'report_days',
  'watch_state',
  'drifts',
  'infos',
  'forgotten',
  'records',
  'removals',
  'merges',
] as const satisfies readonly (keyof Database)[]

/** A row as it is read. */
export type Row<Table extends keyof Database> = Selectable<Database[Table]>

interface SeriesColumns {
  site: string
  device: string
  metric: string
}

interface ModelColumns {
  model_name: string
  model_version: string
  model_kind: ModelRef['kind']
}

export interface SiteRow {
  id: string
  name: string
  zone: string
  demo: number
}

export interface RoomRow {
  site: string
  id: string
}

export interface DeviceRow {
  site: string
  id: string
  type: string
  room: string | null
  /** JSON object. */
  attributes: string
  name: string | null
  role: MeterRole | null
  /** JSON array of DeviceField; null: nothing. */
  fixed: string | null
  hidden: number
}

export interface RemovalRow {
  id: string
  site: string
  at: number
  /** JSON of Removal. */
  body: string
}

export interface MergeRow {
  site: string
  device: string
  into: string
}

export interface ForecastRow extends MetricColumns {
  origin: number
  /** ForecastJson. */
  body: string
}

export interface PredictionRow extends MetricColumns, ModelColumns {
  kind: PointPrediction['kind']
  at: number
  made_at: number
  value: number
  unit: string
}

interface TargetColumns {
  site: string
  domain: string
  subject: string
}

/** What a forecast is of. */
interface MetricColumns extends TargetColumns {
  metric: string
}

export interface AlertRow extends TargetColumns {
  rule: string
  since: number
  until: number | null
  /** JSON of Alert. */
  body: string
}

export interface IncidentRow extends TargetColumns {
  id: string
  status: IncidentStatus
  level: AlertLevel
  since: number
  /** `endedAt` of core; null before. */
  ended_at: number | null
  revision: number
  /** JSON of Incident. */
  body: string
}

export interface MaintenanceWindowRow {
  id: string
  site: string
  from: number
  to: number
  /** JSON of MaintenanceWindow. */
  body: string
}

export interface MonitorStateRow extends TargetColumns {
  at: number
  /** JSON of the state. */
  body: string
}

export interface DirtySpansRow extends TargetColumns {
  /** JSON array of TimeSpan. */
  body: string
}

export interface QuarantinedRow {
  at: number
  source: string
  code: string
  message: string
  payload: string
  topic: string | null
  device: string | null
  metric: string | null
}

interface QuarantinedTable extends QuarantinedRow {
  id: Generated<number>
}

export interface KeyRow {
  id: string
  name: string
  role: Role
  /** JSON array of site ids; null means all. */
  sites: string | null
  sha256: string
  created_at: number
}

export interface ModelRow extends TargetColumns {
  version: string
  trained_at: number
  status: ModelStatus
  since: number
  reason: string
  /** JSON of Card. */
  card: string
}

export interface ModelEventRow extends TargetColumns {
  at: number
  body: string
}

interface ModelEventTable extends ModelEventRow {
  id: Generated<number>
}

export interface JobRow {
  id: string
  site: string
  status: JobStatus
  created_at: number
  ended_at: number | null
  body: string
}

export interface LoggedForecastRow extends MetricColumns {
  origin: number
  version: string
  /** End of its last step. */
  until: number
  published: number
  /** See `forecast-bytes.ts`. */
  body: Uint8Array
}

export interface ReportDayRow extends MetricColumns {
  day: number
  version: string
  /** LeadSums as `bytesOf` writes them. */
  leads: Uint8Array
  known_ms: number
  /** JSON array of ten counts. */
  residual_bins: string
}

export interface WatchStateRow extends MetricColumns {
  scored_to: number
}

export interface DriftRow extends TargetColumns {
  version: string
  at: number
  body: string
}

export interface NamedRow {
  name: string
  body: string
}

export interface QueuedEventRow {
  id: number
  /** Name of the event function. */
  function: string
  /** JSON of QueuedEvent without its id. */
  body: string
}

export interface InfoRow {
  id: string
  at: number
  /** null: of the hub. */
  site: string | null
  body: string
}

export interface ForgottenRow extends SeriesColumns {
  id: string
  from: number
  body: string
}

/** One row: the last frame of the journal whose facts are here. */
export interface JournalRow {
  position: number
}

export interface UserRow {
  id: string
  /** JSON of User. */
  body: string
}

export interface SessionRow {
  id: string
  /** Id of the user. */
  user: string
  /** JSON of Session. */
  body: string
}

export interface RecordRow {
  site: string
  domain: string
  kind: string
  key: string
  at: number
  /** JSON. */
  body: string
}
