import { dayStart } from '../../core/calendar.ts'
import type { Card } from '../../core/event.ts'
import { hourMs } from '../../core/time.ts'
import { splitConformal } from '../../ml/conformal.ts'
import { mae, r2, rmse } from '../../ml/metrics.ts'
import { type NaiveKind, naiveForecast, naiveKinds } from '../../ml/naive.ts'
import { buildFeatures, type History, horizon } from './features.ts'
import { fitTo, Shrink } from './fit.ts'

/**
 * Judging by rolling origins: one forecast a day over the newest days, by everybody, of hours that none of them had
 * seen. Windows of two origins do not overlap, so that what is said of them can be tested as pairs.
 */

/** Errors in kWh. */
export interface Score {
  readonly [measure: string]: number
  readonly mae: number
  readonly rmse: number
}

/** Nominal coverage of the intervals. */
export const level = 0.9
/** How often the candidate is fitted anew on the way, at most. */
export const foldsMax = 6

/** Days that are judged, the newest ones, at most: eight weeks tell a difference of some percent from chance. */
const judgedDaysMax = 56
/** Days that a candidate has before the first judged one: every weekday four times. Or so much of a short history. */
const daysBefore = 28
const shareBefore = 0.6
/** Hours between origins: prime to 24, so that every lead time meets every hour of the day. */
const stride = 25

/** Origins, rising, and what was to be known of the hours after each: origins x 24, row-major. */
export interface Trial {
  readonly origins: readonly number[]
  readonly actual: Float64Array
  readonly naive: Readonly<Record<NaiveKind, Float64Array>>
}

/** What one forecaster said of a trial's hours, row-major. */
export type Said = Float64Array

/** Lays out the origins and lets the three naive forecasts speak. */
export function trialOf(history: History, kind: 'learnt' | 'naive'): Trial {
  const { length } = history.values
  const before = kind === 'learnt' ? Math.min(daysBefore * 24, shareBefore * length) : length / 2
  const judgedHours = Math.min(judgedDaysMax * 24, Math.floor(length - before))
  const origins: number[] = []
  for (let origin = length - horizon; origin >= length - judgedHours && origin >= 24; origin -= stride)
    origins.unshift(origin)
  const actual = new Float64Array(origins.length * horizon)
  const naive = { yesterday: actual.slice(), 'last-week': actual.slice(), 'slot-mean': actual.slice() }
  for (const [row, origin] of origins.entries()) {
    actual.set(history.values.subarray(origin, origin + horizon), row * horizon)
    const past = history.values.subarray(0, origin)
    for (const name of naiveKinds) naive[name].set(naiveForecast(name, past, horizon, 24).mean, row * horizon)
  }
  return { origins, actual, naive }
}

/** Each fold is forecast by a model that was fitted to what lies before it. `onFold` is told the share done after each. */
export function candidateSays(
  history: History,
  { origins }: Trial,
  onFold?: (share: number) => void,
): { said: Said; share: number; folds: number } {
  const said = new Float64Array(origins.length * horizon)
  const perFold = Math.ceil(origins.length / foldsMax)
  const shrink = new Shrink()
  for (let from = 0; from < origins.length; from += perFold) {
    const fold = origins.slice(from, from + perFold)
    const { frame, base } = buildFeatures(history, fold)
    const fit = fitTo(history, fold[0]!)
    const difference = fit ? fit.model.predict(frame) : new Float64Array(frame.rows).fill(Number.NaN)
    const { share } = shrink
    for (const [row, value] of base.entries()) {
      said[from * horizon + row] = Math.max(history.least, value + share * difference[row]!)
      const hour = fold[Math.floor(row / horizon)]! + (row % horizon)
      shrink.add(difference[row]!, history.at(hour) - value)
    }
    onFold?.((from + fold.length) / origins.length)
  }
  return { said, share: shrink.share, folds: Math.ceil(origins.length / perFold) }
}

/** Errors of all over the hours that everybody forecast and whose truth is known. */
export function scoresOf(
  actual: Float64Array,
  said: Readonly<Record<string, Said>>,
): { readonly scores: Record<string, Score>; readonly steps: number } {
  const columns = Object.values(said)
  const rows: number[] = []
  for (const [row, value] of actual.entries()) {
    if (Number.isFinite(value) && columns.every((column) => Number.isFinite(column[row]))) rows.push(row)
  }
  if (rows.length === 0) return { scores: {}, steps: 0 }
  const pick = (column: Float64Array): Float64Array => Float64Array.from(rows, (row) => column[row]!)
  const truth = pick(actual)
  const scores = Object.fromEntries(
    Object.entries(said).map(([name, column]) => {
      const forecast = pick(column)
      const score = { mae: mae(truth, forecast), rmse: rmse(truth, forecast) }
      const explained = r2(truth, forecast)
      // a truth that never changes has no variance to explain
      return [name, Number.isFinite(explained) ? { ...score, r2: explained } : score]
    }),
  )
  return { scores, steps: rows.length }
}

/** The naive forecast with the smallest error; the mean of the slot while nothing could be scored. */
export function bestNaive(scores: Card['scores']): NaiveKind {
  const errorOf = (kind: NaiveKind): number => scores[kind]?.['rmse'] ?? Number.POSITIVE_INFINITY
  return naiveKinds.reduce((best, kind) => (errorOf(kind) < errorOf(best) ? kind : best), 'slot-mean')
}

const absolute = (actual: Float64Array, said: Said): Float64Array =>
  actual.map((value, row) => Math.abs(value - said[row]!))

/** Half the interval's width by lead time; infinite while there are too few origins to promise anything. */
export const widthsOf = (actual: Float64Array, said: Said): number[] =>
  said.length === 0 ? [] : [...splitConformal(absolute(actual, said), horizon, 1 - level)]

/** Each origin is held against the intervals that the origins before it would have given: as it was in life. */
export function coverageOf(actual: Float64Array, said: Said): Card['coverage'] {
  const errors = absolute(actual, said)
  let inside = 0
  let steps = 0
  for (let origin = originsToCalibrate * horizon; origin < errors.length; origin += horizon) {
    const widths = splitConformal(errors.subarray(0, origin), horizon, 1 - level)
    for (let lead = 0; lead < horizon; lead++) {
      const error = errors[origin + lead]!
      if (Number.isNaN(error) || !Number.isFinite(widths[lead]!)) continue
      steps++
      if (error <= widths[lead]!) inside++
    }
  }
  return steps === 0 ? undefined : { level, measured: inside / steps, steps }
}

/** Fewer errors than 1 / 0.1 - 1 cannot promise 90 %. */
const originsToCalibrate = 9

/** Nine deciles of forecast - truth; none where nothing was scored. */
export function residualDeciles(actual: Float64Array, said: Said): number[] {
  const errors = said.map((value, row) => value - actual[row]!).filter((error) => Number.isFinite(error))
  if (errors.length === 0) return []
  errors.sort()
  return Array.from({ length: 9 }, (_, decile) => errors[Math.ceil(((decile + 1) * errors.length) / 10) - 1]!)
}

/** What the naive forecasts are called in sentences. */
export const naiveLabels: Readonly<Record<NaiveKind, string>> = {
  yesterday: 'same time yesterday',
  'last-week': 'same time last week',
  'slot-mean': 'mean of the hour over 28 days',
}

/** Mean squared error by civil day of the trial; NaN where nothing of a day is known or forecast. */
export function lossDays(history: History, { origins, actual }: Trial, forecast: Said): Float64Array {
  const sums = new Map<number, { squared: number; count: number }>()
  for (const [row, value] of actual.entries()) {
    const hour = origins[Math.floor(row / horizon)]! + (row % horizon)
    const day = dayStart(history.zone, history.start + hour * hourMs)
    const sum = sums.get(day) ?? { squared: 0, count: 0 }
    sums.set(day, sum)
    const squared = (forecast[row]! - value) ** 2
    if (!Number.isFinite(squared)) continue
    sum.squared += squared
    sum.count++
  }
  return Float64Array.from(sums.values(), ({ squared, count }) => squared / count)
}
