import type { ForecastKey } from '../../core/event.ts'
import { forecastEnd } from '../../core/forecast.ts'
import type {
  Drift,
  EventFunction,
  ForgottenSpan,
  Info,
  Job,
  LoggedForecast,
  ModelEntry,
  ModelEvent,
  QueuedEvent,
  ReportDay,
  Trigger,
} from '../../core/life.ts'
import type { ScoredTo } from '../../core/ports.ts'
import type { Target } from '../../core/target.ts'
import { forecastBytes, forecastOfBytes } from './forecast-bytes.ts'
import { bytesOf, leadsOf } from './report-sums.ts'
import { printable } from './rows.ts'
import type {
  DriftRow,
  ForgottenRow,
  InfoRow,
  JobRow,
  LoggedForecastRow,
  ModelEventRow,
  ModelRow,
  NamedRow,
  QueuedEventRow,
  ReportDayRow,
  WatchStateRow,
} from './schema.ts'

/** Nouns of a model's life to rows and back, as `rows.ts` does it for the rest. */

/** Only the key, whatever else the object holds. */
export const targetOf = ({ site, domain, subject }: Target): Target => ({ site, domain, subject })

/** The columns of a forecast key. */
export const metricColumns = ({ target, metric }: ForecastKey): Target & { readonly metric: string } => ({
  ...targetOf(target),
  metric,
})

/** Of a table whose `body` is the whole noun. */
export const bodyOf = <Noun>(row: { readonly body: string }): Noun => JSON.parse(row.body) as Noun

export const modelRow = ({ card, status, since, reason }: ModelEntry): ModelRow => ({
  ...targetOf(card.target),
  version: card.model.version,
  trained_at: card.trainedAt,
  status,
  since,
  // It may quote a damaged file.
  reason: printable(reason),
  card: JSON.stringify(card),
})

export const modelOf = ({ card, status, since, reason }: ModelRow): ModelEntry => ({
  card: JSON.parse(card) as ModelEntry['card'],
  status,
  reason,
  since,
})

export const modelEventRow = (event: ModelEvent): ModelEventRow => ({
  ...targetOf(event.target),
  at: event.at,
  body: JSON.stringify(event),
})

export const jobRow = (job: Job): JobRow => ({
  id: job.id,
  site: job.target.site,
  status: job.status,
  created_at: job.createdAt,
  ended_at: job.endedAt ?? null,
  body: JSON.stringify(job),
})

export const loggedRow = ({ forecast, published }: LoggedForecast): LoggedForecastRow => ({
  ...metricColumns(forecast),
  origin: forecast.origin,
  version: forecast.model.version,
  until: forecastEnd(forecast),
  published: published ? 1 : 0,
  body: forecastBytes(forecast),
})

export const loggedOf = (row: LoggedForecastRow): LoggedForecast => ({
  forecast: forecastOfBytes(row.body, { target: targetOf(row), metric: row.metric, origin: row.origin }),
  published: row.published === 1,
})

export const reportDayRow = (day: ReportDay): ReportDayRow => ({
  ...metricColumns(day),
  day: day.day,
  version: day.version,
  leads: bytesOf(day.leads),
  known_ms: day.knownMs,
  residual_bins: JSON.stringify(day.residualBins),
})

export const reportDayOf = (row: ReportDayRow): ReportDay => ({
  target: targetOf(row),
  metric: row.metric,
  version: row.version,
  day: row.day,
  leads: leadsOf(row.leads),
  knownMs: row.known_ms,
  residualBins: JSON.parse(row.residual_bins) as ReportDay['residualBins'],
})

export const scoredToRow = (scored: ScoredTo): WatchStateRow => ({
  ...metricColumns(scored),
  scored_to: scored.to,
})

export const driftRow = (drift: Drift): DriftRow => ({
  ...targetOf(drift.target),
  version: drift.version,
  at: drift.at,
  body: JSON.stringify(drift),
})

export const namedRow = (noun: Trigger | EventFunction): NamedRow => ({
  name: noun.name,
  body: JSON.stringify(noun),
})

export const queuedEventRow = ({ id, ...event }: QueuedEvent): QueuedEventRow => ({
  id,
  function: event.function,
  body: JSON.stringify(event),
})

export const queuedEventOf = ({ id, body }: Pick<QueuedEventRow, 'id' | 'body'>): QueuedEvent => ({
  id,
  ...(JSON.parse(body) as Omit<QueuedEvent, 'id'>),
})

export const infoRow = (info: Info): InfoRow => ({
  id: info.id,
  at: info.at,
  site: info.site,
  body: JSON.stringify(info),
})

export const forgottenRow = (span: ForgottenSpan): ForgottenRow => ({
  id: span.id,
  site: span.series.site,
  device: span.series.device,
  metric: span.series.metric,
  from: span.from,
  body: JSON.stringify(span),
})
