import type { z } from 'zod'
import type * as s from './schemas.ts'

/** How lists are written as tables: the columns of their CSV and Parquet forms, and the rows of one page of the list. */

export interface CsvColumn {
  /** With the unit at its end, where the unit is the same in every row. */
  readonly name: string
  /** `time`: UTC ms here, ISO 8601 in UTC in the CSV. */
  readonly kind: 'time' | 'text' | 'number' | 'boolean'
}

export type CsvCell = string | number | boolean | null | undefined

/** `Page` is the reply of the route, `Query` its query. */
export interface CsvForm<Page = never, Query = never> {
  readonly columns: readonly CsvColumn[]
  /** Items that are read at a time: the largest `limit` of the route. */
  readonly pageItems: number
  rows(page: Page, query: Query): Iterable<readonly CsvCell[]>
}

interface Page<Item> {
  readonly items: readonly Item[]
}
type SeriesQuery = Pick<z.output<typeof s.query.oneSeriesSpan>, 'site' | 'device' | 'metric'>

export const time = (name: string): CsvColumn => ({ name, kind: 'time' })
export const text = (name: string): CsvColumn => ({ name, kind: 'text' })
export const number = (name: string): CsvColumn => ({ name, kind: 'number' })
export const flag = (name: string): CsvColumn => ({ name, kind: 'boolean' })
const texts = (...names: string[]): CsvColumn[] => names.map(text)
const numbers = (...names: string[]): CsvColumn[] => names.map(number)

/** The long form that `homeostat import` recognises by its header. */
export const readingsCsv: CsvForm<Page<z.output<typeof s.reading>>> = {
  columns: [time('at'), ...texts('site', 'device', 'metric'), number('value'), ...texts('unit', 'room')],
  pageItems: 10_000,
  *rows({ items }) {
    for (const { at, site, device, metric, value, unit, room } of items)
      yield [at, site, device, metric, value, unit, room]
  },
}

export const rollupsCsv: CsvForm<Page<z.output<typeof s.rollup>> & { readonly unit: string }, SeriesQuery> = {
  columns: [
    time('at'),
    ...texts('site', 'device', 'metric', 'unit'),
    ...numbers('count', 'min', 'max', 'mean', 'first', 'last'),
  ],
  pageItems: 10_000,
  *rows({ items, unit }, { site, device, metric }) {
    for (const { at, count, min, max, mean, first, last } of items)
      yield [at, site, device, metric, unit, count, min, max, mean, first, last]
  },
}

type ForecastItem = z.output<typeof s.forecast>

/** A row a step. `lo` and `hi` bound the widest interval of the forecast, whose nominal coverage is `level`. */
export const forecastsCsv: CsvForm<Page<ForecastItem>> = {
  columns: [
    ...[time('from'), time('to')],
    ...texts('site', 'domain', 'subject', 'metric', 'unit'),
    ...numbers('mean', 'lo', 'hi', 'level', 'baseline'),
    ...texts('baseline_name', 'model', 'version', 'model_kind'),
    ...[time('origin'), time('made_at')],
  ],
  pageItems: 1000,
  *rows({ items }) {
    for (const item of items) yield* stepsOf(item)
  },
}

function* stepsOf(forecast: ForecastItem): Iterable<readonly CsvCell[]> {
  const { target, metric, unit, mean, baseline, baselineName, model, origin, madeAt, grid } = forecast
  const bounds = widestBounds(forecast)
  const steps = grid.flatMap(({ stepMs, count }) => Array.from({ length: count }, () => stepMs))
  let from = origin
  for (const [step, stepMs] of steps.entries()) {
    const to = from + stepMs
    yield [
      ...[from, to, target.site, target.domain, target.subject, metric, unit],
      ...[mean[step], bounds?.lo[step], bounds?.hi[step], bounds?.level, baseline?.[step]],
      ...[baselineName, model.name, model.version, model.kind, origin, madeAt],
    ]
    from = to
  }
}

/** The outermost pair of quantiles that lie symmetrically around the median; undefined if there is none. */
function widestBounds({ quantiles }: Pick<ForecastItem, 'quantiles'>) {
  for (const { level, values } of quantiles) {
    const upper = quantiles.find((quantile) => Math.abs(quantile.level - (1 - level)) < 1e-9)
    // 1 - 2 * 0.05 is 0.9 only after rounding
    if (level < 0.5 && upper)
      return { level: Math.round((1 - 2 * level) * 1e9) / 1e9, lo: values, hi: upper.values }
  }
  return undefined
}
