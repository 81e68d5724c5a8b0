import type { Reading, Rollup } from '../api/types.ts'
import type { Range } from '../route.ts'

const hourMs = 3_600_000

const lengthsMs: Readonly<Record<Range, number>> = {
  '24h': 24 * hourMs,
  '7d': 7 * 24 * hourMs,
  '30d': 30 * 24 * hourMs,
  '1y': 365 * 24 * hourMs,
}

export interface Point {
  readonly at: number
  readonly value: number
}

export interface Span {
  readonly from: number
  readonly to: number
  /** False where the data ended before the range that ends now: the range then ends with the data. */
  readonly endsNow: boolean
}

/** The span that a range shows, ms. Ends now, or with the data where that is older than the whole range. */
export function spanOf(range: Range, now: number, newestAt: number | undefined): Span {
  const length = lengthsMs[range]
  const endsNow = newestAt === undefined || newestAt > now - length
  const to = endsNow ? now : newestAt + 1
  // by whole hours, so that the first roll-up is a whole one
  const from = range === '24h' ? to - length : Math.floor((to - length) / hourMs) * hourMs
  return { from, to, endsNow }
}

/** Stored points, then live ones that are newer; half-open [from, ...). */
export function withLive(stored: readonly Reading[], live: readonly Point[], from: number): Point[] {
  const points: Point[] = stored.map(({ at, value }) => ({ at, value }))
  let last = points.at(-1)?.at ?? Number.NEGATIVE_INFINITY
  for (const { at, value } of live) {
    if (at <= last || at < from) continue
    points.push({ at, value })
    last = at
  }
  return points
}

/** A live point taken into the hours: the hour in progress grows, a new hour begins. */
export function addToHours(hours: readonly Rollup[], { at, value }: Point): readonly Rollup[] {
  const start = Math.floor(at / hourMs) * hourMs
  const last = hours.at(-1)
  if (!last || start > last.at) {
    return [...hours, { at: start, count: 1, min: value, max: value, mean: value, first: value, last: value }]
  }
  if (start < last.at) return hours
  const count = last.count + 1
  return [
    ...hours.slice(0, -1),
    {
      ...last,
      count,
      min: Math.min(last.min, value),
      max: Math.max(last.max, value),
      mean: last.mean + (value - last.mean) / count,
      last: value,
    },
  ]
}

/**
 * Columns for a chart, with a null where the series was silent for too long before a row, so that no line is drawn
 * over what nobody measured.
 */
export function columnsWithGaps<Row extends { readonly at: number }>(
  rows: readonly Row[],
  columns: readonly ((row: Row) => number)[],
  isSilence: (rows: readonly Row[], index: number) => boolean,
): { at: number[]; values: (number | null)[][] } {
  const at: number[] = []
  const values: (number | null)[][] = columns.map(() => [])
  for (const [index, row] of rows.entries()) {
    const before = rows[index - 1]
    if (before && isSilence(rows, index)) {
      at.push(before.at + 1)
      for (const column of values) column.push(null)
    }
    at.push(row.at)
    columns.forEach((read, place) => {
      values[place]?.push(read(row))
    })
  }
  return { at, values }
}

type Timed = { readonly at: number }

const stepTo = (rows: readonly Timed[], index: number): number =>
  (rows[index]?.at ?? 0) - (rows[index - 1]?.at ?? 0)

/** A state holds until it changes. */
export const neverSilent = (): boolean => false

/** Hours of which one is missing. */
export const missesAnHour = (rows: readonly Timed[], index: number): boolean =>
  stepTo(rows, index) > 1.5 * hourMs

const shortestSilenceMs = 10 * 60_000
const stepsLookedAt = 10

/**
 * Whether the time before a row is longer than is normal there: ten usual steps, at least ten minutes. Usual is the
 * slower of the pace before and the pace after, since a series may come to speak more often: an imported past by the
 * quarter of an hour, then a live sensor by the second.
 */
export function isUnusual(rows: readonly Timed[], index: number): boolean {
  const step = stepTo(rows, index)
  if (step <= shortestSilenceMs) return false
  const before = medianStep(rows, Math.max(1, index - stepsLookedAt), index)
  const after = medianStep(rows, index + 1, Math.min(rows.length, index + 1 + stepsLookedAt))
  const usual = Math.max(before, after)
  return usual > 0 && step > 10 * usual
}

/** Of the steps to the rows [from, to); 0 of none. */
function medianStep(rows: readonly Timed[], from: number, to: number): number {
  const steps: number[] = []
  for (let index = from; index < to; index++) steps.push(stepTo(rows, index))
  steps.sort((a, b) => a - b)
  return steps[Math.floor(steps.length / 2)] ?? 0
}

/** States as they are drawn: the last one holds to the end of the chart. */
export function heldUntil(points: readonly Point[], to: number): readonly Point[] {
  const last = points.at(-1)
  return last && last.at < to ? [...points, { at: to, value: last.value }] : points
}

/**
 * How often a state was reported as 1 in each hour. The mean of such hours would say nothing: a sensor that speaks
 * only when it changes gives one half, always. A silent hour between others is an hour of none.
 */
export function reportsByHour(hours: readonly Rollup[]): Point[] {
  const points: Point[] = []
  for (const { at, mean, count } of hours) {
    const last = points.at(-1)?.at ?? at - hourMs
    for (let silent = last + hourMs; silent < at; silent += hourMs) points.push({ at: silent, value: 0 })
    points.push({ at, value: Math.round(mean * count) })
  }
  return points
}

export interface Extent {
  readonly min: number
  readonly mean: number
  readonly max: number
  readonly count: number
}

/** Least, mean and greatest of raw points. Undefined of nothing. */
export function extentOfPoints(points: readonly Point[]): Extent | undefined {
  if (points.length === 0) return undefined
  let [min, max, sum] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0]
  for (const { value } of points) {
    min = Math.min(min, value)
    max = Math.max(max, value)
    sum += value
  }
  return { min, max, mean: sum / points.length, count: points.length }
}

/** The same of hours, weighed by their readings. */
export function extentOfHours(hours: readonly Rollup[]): Extent | undefined {
  if (hours.length === 0) return undefined
  let [min, max, sum, count] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 0]
  for (const hour of hours) {
    min = Math.min(min, hour.min)
    max = Math.max(max, hour.max)
    sum += hour.mean * hour.count
    count += hour.count
  }
  return { min, max, mean: sum / count, count }
}
