import type { Generated } from 'kysely'
import type { AlertLevel, ModelRef, Role } from '../../core/event.ts'

/**
 * The tables of the ledger as Kysely sees them, the same on SQLite and PostgreSQL.
 * Times are UTC epoch ms in `bigint` (a PostgreSQL connection must parse int8 to number), flags are 0 or 1,
 * and what nobody filters by is JSON in a text column.
 */
export interface Database {
  sites: SiteRow
  rooms: RoomRow
  devices: DeviceRow
  forecasts: ForecastRow
  models: ModelRow
  predictions: PredictionRow
  alerts: AlertRow
  quarantined: QuarantinedTable
  api_keys: KeyRow
}

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
}

export interface ForecastRow extends SeriesColumns, ModelColumns {
  unit: string
  origin: number
  made_at: number
  step_ms: number
  level: number
  naive_name: string
  /** JSON array of ForecastStep. */
  steps: string
}

export interface ModelRow extends SeriesColumns {
  version: string
  trained_at: number
  /** JSON of Card. */
  card: string
  /** The learnt state; last, so that reading the cards does not read it. */
  body: string
}

export interface PredictionRow extends SeriesColumns, ModelColumns {
  at: number
  made_at: number
  value: number
  unit: string
}

export interface AlertRow extends SeriesColumns {
  rule: string
  level: AlertLevel
  since: number
  at: number
  value: number
  message: string
  until: number | null
}

export interface QuarantinedRow {
  at: number
  source: string
  code: string
  message: string
  payload: string
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
