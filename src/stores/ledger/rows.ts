import type {
  Alert,
  ApiKey,
  Device,
  DeviceField,
  Forecast,
  PointPrediction,
  Quarantined,
  Site,
} from '../../core/event.ts'
import { type ForecastJson, forecastJson, forecastOfJson } from '../../core/forecast.ts'
import type { DirtySpans, MonitorState } from '../../core/turn.ts'
import type {
  AlertRow,
  DeviceRow,
  DirtySpansRow,
  ForecastRow,
  KeyRow,
  MonitorStateRow,
  PredictionRow,
  QuarantinedRow,
  SiteRow,
} from './schema.ts'

/** Nouns to rows and back. JSON columns are written by this file only, so what is parsed here is what was put. */

export const siteRow = (site: Site): SiteRow => ({ ...site, demo: site.demo ? 1 : 0 })

export const siteOf = (row: SiteRow): Site => ({ ...row, demo: row.demo === 1 })

export const deviceRow = (device: Device): DeviceRow => ({
  site: device.site,
  id: device.id,
  type: device.type,
  room: device.room ?? null,
  attributes: JSON.stringify(device.attributes),
  name: device.name ?? null,
  role: device.role ?? null,
  fixed: device.fixed === undefined ? null : JSON.stringify(device.fixed),
  hidden: device.hidden === true ? 1 : 0,
})

export const deviceOf = ({ site, id, type, room, attributes, ...said }: DeviceRow): Device => ({
  ...{ site, id, type },
  ...(room === null ? {} : { room }),
  attributes: JSON.parse(attributes) as Device['attributes'],
  ...(said.name === null ? {} : { name: said.name }),
  ...(said.role === null ? {} : { role: said.role }),
  ...(said.hidden === 1 ? { hidden: true } : {}),
  ...(said.fixed === null ? {} : { fixed: JSON.parse(said.fixed) as readonly DeviceField[] }),
})

export const forecastRow = (forecast: Forecast): ForecastRow => ({
  ...forecast.target,
  metric: forecast.metric,
  origin: forecast.origin,
  body: JSON.stringify(forecastJson(forecast)),
})

export const forecastOf = ({ body }: ForecastRow): Forecast =>
  forecastOfJson(JSON.parse(body) as ForecastJson)

export const predictionRow = (prediction: PointPrediction): PredictionRow => ({
  ...prediction.target,
  metric: prediction.metric,
  kind: prediction.kind,
  at: prediction.at,
  made_at: prediction.madeAt,
  value: prediction.value,
  unit: prediction.unit,
  model_name: prediction.model.name,
  model_version: prediction.model.version,
  model_kind: prediction.model.kind,
})

export const predictionOf = (row: PredictionRow): PointPrediction => ({
  kind: row.kind,
  target: { site: row.site, domain: row.domain, subject: row.subject },
  metric: row.metric,
  at: row.at,
  madeAt: row.made_at,
  value: row.value,
  unit: row.unit,
  model: { name: row.model_name, version: row.model_version, kind: row.model_kind },
})

export const alertRow = (alert: Alert): AlertRow => ({
  ...alert.target,
  rule: alert.rule,
  since: alert.since,
  until: alert.until ?? null,
  body: JSON.stringify(alert),
})

export const alertOf = ({ body }: AlertRow): Alert => JSON.parse(body) as Alert

export const monitorStateRow = ({ target, at, state }: MonitorState): MonitorStateRow => ({
  ...target,
  at,
  body: state ?? '',
})

export const monitorStateOf = ({ site, domain, subject, at, body }: MonitorStateRow): MonitorState => ({
  target: { site, domain, subject },
  at,
  state: body,
})

export const dirtySpansRow = ({ target, spans }: DirtySpans): DirtySpansRow => ({
  ...target,
  body: JSON.stringify(spans),
})

export const dirtySpansOf = ({ site, domain, subject, body }: DirtySpansRow): DirtySpans => ({
  target: { site, domain, subject },
  spans: JSON.parse(body) as DirtySpans['spans'],
})

export const quarantinedRow = (row: Quarantined): QuarantinedRow => ({
  at: row.at,
  source: printable(row.source),
  code: row.code,
  message: printable(row.message),
  payload: printable(row.payload),
  topic: row.topic === undefined ? null : printable(row.topic),
  device: row.device === undefined ? null : printable(row.device),
  metric: row.metric === undefined ? null : printable(row.metric),
})

export const quarantinedOf = ({ topic, device, metric, ...row }: QuarantinedRow): Quarantined => ({
  ...row,
  ...(topic === null ? {} : { topic }),
  ...(device === null ? {} : { device }),
  ...(metric === null ? {} : { metric }),
})

/**
 * What arrived may hold NUL, which ends a text in SQLite's driver and is refused by PostgreSQL, and halves of
 * surrogate pairs, which are no text in either: both become U+FFFD, so that the rest of the payload is kept.
 */
export const printable = (text: string): string =>
  text.replaceAll('\0', '\ufffd').replace(/\p{Surrogate}/gu, '\ufffd')

export const keyRow = (key: ApiKey): KeyRow => ({
  id: key.id,
  name: key.name,
  role: key.role,
  sites: key.sites === null ? null : JSON.stringify(key.sites),
  sha256: key.sha256,
  created_at: key.createdAt,
})

export const keyOf = (row: KeyRow): ApiKey => ({
  id: row.id,
  name: row.name,
  role: row.role,
  sites: row.sites === null ? null : (JSON.parse(row.sites) as string[]),
  sha256: row.sha256,
  createdAt: row.created_at,
})
