import type { SeriesKey } from '../../core/event.ts'
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

/** Just the key, whatever else the object holds. */
export const seriesOf = ({ site, device, metric }: SeriesKey): SeriesKey => ({ site, device, metric })

/** Of a table whose `body` is the whole noun. */
export const bodyOf = <Noun>(row: { readonly body: string }): Noun => JSON.parse(row.body) as Noun

export const modelRow = ({ card, standing, since, reason }: ModelEntry): ModelRow => ({
  ...seriesOf(card.series),
  version: card.model.version,
  trained_at: card.trainedAt,
  standing,
  since,
  // It may quote a damaged file.
  reason: printable(reason),
  card: JSON.stringify(card),
})

export const modelOf = ({ card, standing, reason, since }: ModelRow): ModelEntry => ({
  card: JSON.parse(card) as ModelEntry['card'],
  standing,
  reason,
  since,
})

export const modelEventRow = (event: ModelEvent): ModelEventRow => ({
  ...seriesOf(event.series),
  at: event.at,
  body: JSON.stringify(event),
})

export const jobRow = (job: Job): JobRow => ({
  id: job.id,
  site: job.series.site,
  status: job.status,
  created_at: job.createdAt,
  ended_at: job.endedAt ?? null,
  body: JSON.stringify(job),
})

export const loggedRow = ({ forecast, spoken }: LoggedForecast): LoggedForecastRow => ({
  ...seriesOf(forecast),
  origin: forecast.origin,
  version: forecast.model.version,
  spoken: spoken ? 1 : 0,
  forecast: JSON.stringify(forecast),
})

export const loggedOf = (row: LoggedForecastRow): LoggedForecast => ({
  forecast: JSON.parse(row.forecast) as LoggedForecast['forecast'],
  spoken: row.spoken === 1,
})

export const reportDayRow = (day: ReportDay): ReportDayRow => ({
  ...seriesOf(day.series),
  day: day.day,
  version: day.version,
  leads: bytesOf(day.leads),
  truths: day.truths,
  residual_bins: JSON.stringify(day.residualBins),
})

export function reportDayOf(row: ReportDayRow): ReportDay {
  const leads = leadsOf(row.leads)
  return {
    series: seriesOf(row),
    version: row.version,
    day: row.day,
    leads,
    // A row that is older than the column: each lead time has seen as many truths at the most.
    truths: row.truths || leads.reduce((most, { count }) => Math.max(most, count), 0),
    residualBins: JSON.parse(row.residual_bins) as ReportDay['residualBins'],
  }
}

export const scoredToRow = ({ series, to }: { series: SeriesKey; to: number }): WatchStateRow => ({
  ...seriesOf(series),
  scored_to: to,
})

export const driftRow = (drift: Drift): DriftRow => ({
  ...seriesOf(drift.series),
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
  ...seriesOf(span.series),
  from: span.from,
  body: JSON.stringify(span),
})
