/** Forecasts as columns: grid arithmetic, quantiles, intervals, checks, and JSON. */
import type { Forecast, ForecastKey, GridRun, Quantile } from './event.ts'
import { hourMs } from './time.ts'

/** More steps than any forecast has: a year of hours. */
const stepsMax = 10_000

export const stepCount = (grid: readonly GridRun[]): number =>
  grid.reduce((count, run) => count + run.count, 0)

/** Start of each step, UTC ms, and the end of the last one: one value more than there are steps. */
export function stepEdges({ origin, grid }: Pick<Forecast, 'origin' | 'grid'>): Float64Array {
  const edges = new Float64Array(stepCount(grid) + 1)
  let at = origin
  let step = 0
  edges[0] = at
  for (const { stepMs, count } of grid) {
    for (let index = 0; index < count; index++) {
      at += stepMs
      edges[++step] = at
    }
  }
  return edges
}

/** End of the last step, UTC ms. */
export const forecastEnd = ({ origin, grid }: Pick<Forecast, 'origin' | 'grid'>): number =>
  grid.reduce((at, { stepMs, count }) => at + stepMs * count, origin)

/** Index of the step that holds the moment `at`, -1 for none. */
export function stepAt({ origin, grid }: Pick<Forecast, 'origin' | 'grid'>, at: number): number {
  let start = origin
  let first = 0
  if (at < origin) return -1
  for (const { stepMs, count } of grid) {
    const end = start + stepMs * count
    if (at < end) return first + Math.floor((at - start) / stepMs)
    start = end
    first += count
  }
  return -1
}

/** Sum of the means of the steps that make up [from, to); NaN if they do not, or one is unknown. For amounts (kWh). */
export function sumBetween(
  forecast: Pick<Forecast, 'origin' | 'grid' | 'mean'>,
  from: number,
  to: number,
): number {
  const edges = stepEdges(forecast)
  const first = stepAt(forecast, from)
  if (first < 0 || edges[first] !== from) return Number.NaN
  let sum = 0
  let step = first
  for (; step < forecast.mean.length && edges[step]! < to; step++) sum += forecast.mean[step]!
  return edges[step] === to ? sum : Number.NaN
}

/** Lead time of a step in whole hours, 0 for one that begins less than an hour after the origin. */
export const leadHours = (origin: number, at: number): number => Math.floor((at - origin) / hourMs)

/** The values of a quantile; undefined if the forecast does not have it. */
export const quantileOf = (
  { quantiles }: Pick<Forecast, 'quantiles'>,
  level: number,
): Float64Array | undefined => quantiles.find((one) => Math.abs(one.level - level) < 1e-9)?.values

/** A central interval, its coverage, and its bounds step by step. */
export interface Interval {
  /** Nominal coverage, e.g. 0.9. */
  readonly level: number
  readonly lo: Float64Array
  readonly hi: Float64Array
}

/** Levels of the quantiles that bound an interval of nominal coverage `level`: 0.9 gives 0.05 and 0.95. */
export const boundLevels = (level: number): readonly [lo: number, hi: number] => [
  rounded((1 - level) / 2),
  rounded((1 + level) / 2),
]

/** 1 - 2 * 0.05 is 0.9 only after rounding. */
const rounded = (share: number): number => Math.round(share * 1e9) / 1e9

/** The interval of nominal coverage `level` (0.9: quantiles 0.05 and 0.95); undefined if there is none. */
export function interval(forecast: Pick<Forecast, 'quantiles'>, level: number): Interval | undefined {
  const [lo, hi] = boundLevels(level).map((bound) => quantileOf(forecast, bound))
  return lo && hi && { level, lo, hi }
}

/** The widest interval that the quantiles bound; undefined without a pair of them. */
export function widestInterval(forecast: Pick<Forecast, 'quantiles'>): Interval | undefined {
  for (const { level } of forecast.quantiles) {
    const found = level < 0.5 ? interval(forecast, rounded(1 - 2 * level)) : undefined
    if (found) return found
  }
  return undefined
}

/**
 * Throws RangeError with what is wrong: a grid that is empty, too long or not of whole milliseconds, columns of another
 * length, levels that do not rise between 0 and 1, a baseline without a name.
 */
export function checkForecast(forecast: Forecast): void {
  const { grid, origin, mean, baseline, baselineName, quantiles, model } = forecast
  const fail = (what: string): never => {
    throw new RangeError(`The forecast of ${model.name} ${model.version} is invalid: ${what}.`)
  }
  if (!Number.isSafeInteger(origin)) fail(`its origin is ${origin}`)
  for (const { stepMs, count } of grid) {
    if (!Number.isSafeInteger(stepMs) || stepMs <= 0) fail(`a step has ${stepMs} ms`)
    if (!Number.isSafeInteger(count) || count <= 0) fail(`a run of its grid has ${count} steps`)
  }
  const count = stepCount(grid)
  if (count === 0 || count > stepsMax) fail(`it has ${count} steps, 1 to ${stepsMax} are allowed`)
  if ((baseline === undefined) !== (baselineName === undefined)) fail('its baseline and name go together')
  for (const column of [mean, ...(baseline ? [baseline] : []), ...quantiles.map(({ values }) => values)])
    if (column.length !== count) fail(`a column has ${column.length} values for ${count} steps`)
  let before = 0
  for (const { level } of quantiles) {
    if (!(level > before && level < 1)) fail('its quantile levels do not rise between 0 and 1')
    before = level
  }
}

/** What became true: regular steps from `start` (UTC ms) on, NaN where unknown. */
export interface Truth {
  readonly start: number
  readonly stepMs: number
  readonly values: Float64Array
}

/** Columns as JSON lists, null for unknown. */
export interface ForecastJson extends Omit<Forecast, 'mean' | 'baseline' | 'quantiles'> {
  readonly mean: readonly (number | null)[]
  readonly baseline?: readonly (number | null)[]
  readonly quantiles: readonly { readonly level: number; readonly values: readonly (number | null)[] }[]
}

export function forecastJson({ mean, baseline, quantiles, ...rest }: Forecast): ForecastJson {
  const json = {
    ...rest,
    mean: listOf(mean),
    quantiles: quantiles.map(({ level, values }) => ({ level, values: listOf(values) })),
  }
  return baseline ? { ...json, baseline: listOf(baseline) } : json
}

export function forecastOfJson({ mean, baseline, quantiles, ...rest }: ForecastJson): Forecast {
  const forecast = {
    ...rest,
    mean: columnOf(mean),
    quantiles: quantiles.map(({ level, values }): Quantile => ({ level, values: columnOf(values) })),
  }
  return baseline ? { ...forecast, baseline: columnOf(baseline) } : forecast
}

const listOf = (column: Float64Array): (number | null)[] =>
  Array.from(column, (value) => (Number.isFinite(value) ? value : null))

const columnOf = (list: readonly (number | null)[]): Float64Array =>
  Float64Array.from(list, (value) => value ?? Number.NaN)

/** Identity as one text. */
export const forecastKeyId = ({ target: { site, domain, subject }, metric }: ForecastKey): string =>
  `${site}\u001f${domain}\u001f${subject}\u001f${metric}`
