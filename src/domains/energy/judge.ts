import { zoneOffsetMs } from '../../core/calendar.ts'
import { dayMs } from '../../core/time.ts'
import { offsetsOf } from '../../ml/forecast/intervals.ts'
import type { PastForecast } from '../../ml/forecast/trial.ts'
import { mae, pinball, r2, rmse } from '../../ml/metrics.ts'
import { type NaiveKind, naiveForecast, naiveKinds } from '../../ml/naive.ts'
import { firewallOf } from '../../ml/repair.ts'
import type { TaskInput } from '../domain.ts'
import { horizon, quantileLevels } from './forecaster.ts'

/**
 * Judging by rolling origins: forecasts of the newest days, by everybody, of hours that none of them had seen. Windows
 * of two origins do not overlap. What was known at an origin is repaired by what was known there; truths are raw.
 */

/** Origins, rising, and what came in the hours after each: origins x 24, row-major. */
export interface Trial {
  readonly origins: readonly number[]
  readonly actual: Float64Array
  readonly naive: Readonly<Record<NaiveKind, Predicted>>
  /** Civil day of each row, as a number that rises. */
  readonly days: Int32Array
}

/** What one forecaster predicted of a trial's hours, row-major. */
export interface Predicted {
  readonly mean: Float64Array
  /** By level of `quantileLevels`; NaN at origins before which there was too little to learn them from. */
  readonly quantiles: readonly Float64Array[]
}

/** Lays out origins, and makes the naive forecasts of them. */
export function trialOf(
  past: readonly Pick<PastForecast, 'origin' | 'actual' | 'known'>[],
  { start, stepMs, zone }: Pick<TaskInput, 'start' | 'stepMs' | 'zone'>,
): Trial {
  const times = { startMs: start, stepMs, zone }
  const actual = joined(past.map((one) => one.actual))
  const naive = (kind: NaiveKind): Predicted => {
    const mean = joined(past.map(({ known }) => naiveForecast(kind, known, horizon, 24, times).mean))
    return { mean, quantiles: naiveQuantiles(actual, mean) }
  }
  const days = new Int32Array(actual.length)
  for (const [nth, { origin }] of past.entries())
    for (let lead = 0; lead < horizon; lead++) {
      const at = start + (origin + lead) * stepMs
      days[nth * horizon + lead] = Math.floor((at + zoneOffsetMs(zone, at)) / dayMs)
    }
  return {
    origins: past.map(({ origin }) => origin),
    actual,
    naive: {
      yesterday: naive('yesterday'),
      'last-week': naive('last-week'),
      'slot-mean': naive('slot-mean'),
    },
    days,
  }
}

/** Past origins of a history of which nothing is learnt, over its newer half: for the naive forecasts alone. */
export function pastOf({ values, stepMs }: TaskInput): Pick<PastForecast, 'origin' | 'actual' | 'known'>[] {
  const { repair, judged } = firewallOf(stepMs)
  const origins: number[] = []
  const from = Math.max(24, Math.ceil(values.length / 2), values.length - naiveHoursMax)
  for (let origin = values.length - horizon; origin >= from; origin -= 25) origins.unshift(origin)
  return origins.map((origin) => {
    const known = repair(values.slice(0, origin))
    return { origin, known, actual: judged(known, values.slice(origin, origin + horizon)) }
  })
}

const naiveHoursMax = 56 * 24

/** A forecaster's own past forecasts, as the trial lays them out. */
export function predictedOf(
  forecasts: readonly { readonly mean: Float64Array; readonly quantiles?: readonly Float64Array[] }[],
): Predicted {
  const unknown = new Float64Array(horizon).fill(Number.NaN)
  return {
    mean: joined(forecasts.map(({ mean }) => mean)),
    quantiles: quantileLevels.map((_, level) =>
      joined(forecasts.map(({ quantiles }) => quantiles?.[level] ?? unknown)),
    ),
  }
}

function joined(rows: readonly Float64Array[]): Float64Array {
  const all = new Float64Array(rows.length * horizon)
  for (const [nth, row] of rows.entries()) all.set(row, nth * horizon)
  return all
}

/** Fewer errors than 1 / 0.1 - 1 cannot promise 90 %. */
export const originsToCalibrate = 9

/** Around a point forecast, by what it missed at the origins before, a block of origins at a time. */
function naiveQuantiles(actual: Float64Array, mean: Float64Array): Float64Array[] {
  const origins = mean.length / horizon
  const quantiles = quantileLevels.map(() => new Float64Array(mean.length).fill(Number.NaN))
  for (let from = originsToCalibrate; from < origins; from += originsToCalibrate) {
    const offsets = pointOffsets(actual.subarray(0, from * horizon), mean)
    const to = Math.min(mean.length, (from + originsToCalibrate) * horizon)
    for (const [level, values] of quantiles.entries())
      for (let row = from * horizon; row < to; row++)
        values[row] = mean[row]! + offsets[level]![row % horizon]!
  }
  return quantiles
}

/** By level and lead time: how far the quantiles lie from a point forecast that missed `actual` like this. */
export function pointOffsets(actual: Float64Array, mean: Float64Array): Float64Array[] {
  const rows: Float64Array[] = []
  for (let from = 0; from < actual.length; from += horizon)
    rows.push(actual.slice(from, from + horizon).map((value, lead) => value - mean[from + lead]!))
  const offsets = offsetsOf([rows], horizon, 0, { adaptive: false })
  return quantileLevels.map((level) => offsets(0, level))
}

/** By name: mae, rmse, r2, and pinball over all levels where quantiles are known. */
export type Scores = Readonly<Record<string, Readonly<Record<string, number>>>>

/** Scores of all over the hours that everybody forecast and whose truth is known. */
export function scoresOf(
  actual: Float64Array,
  predicted: Readonly<Record<string, Predicted>>,
): { readonly scores: Scores; readonly steps: number } {
  const all = Object.values(predicted)
  const rows = knownRows(actual, all)
  const withQuantiles = rows.filter((row) =>
    all.every(({ quantiles }) => quantiles.every((values) => Number.isFinite(values[row]))),
  )
  if (rows.length === 0) return { scores: {}, steps: 0 }
  const pick = (column: Float64Array, of = rows): Float64Array => Float64Array.from(of, (row) => column[row]!)
  const truth = pick(actual)
  const scores = Object.fromEntries(
    Object.entries(predicted).map(([name, { mean, quantiles }]) => {
      const forecast = pick(mean)
      const errors = { mae: mae(truth, forecast), rmse: rmse(truth, forecast), r2: r2(truth, forecast) }
      if (withQuantiles.length === 0) return [name, errors]
      const losses = quantileLevels.map((level, nth) =>
        pinball(pick(actual, withQuantiles), pick(quantiles[nth]!, withQuantiles), level),
      )
      return [name, { ...errors, pinball: meanOf(losses) }]
    }),
  )
  return { scores, steps: rows.length }
}

const knownRows = (actual: Float64Array, all: readonly Predicted[]): number[] =>
  [...actual.keys()].filter(
    (row) => Number.isFinite(actual[row]!) && all.every(({ mean }) => Number.isFinite(mean[row]!)),
  )

/** Days with fewer known hours are left out. */
const hoursMin = 6

/** Mean loss of each civil day that all forecasters forecast, in order of time: by loss, by forecaster. */
export interface DayLosses {
  readonly squared: Readonly<Record<string, Float64Array>>
  /** Over all levels; NaN on days without quantiles. */
  readonly pinball: Readonly<Record<string, Float64Array>>
}

export function dayLosses(
  actual: Float64Array,
  days: Int32Array,
  predicted: Readonly<Record<string, Predicted>>,
): DayLosses {
  const byDay = new Map<number, number[]>()
  for (const row of knownRows(actual, Object.values(predicted)))
    byDay.set(days[row]!, [...(byDay.get(days[row]!) ?? []), row])
  const whole = [...byDay.values()].filter((rows) => rows.length >= hoursMin)
  const losses = (loss: (of: Predicted, row: number) => number) =>
    Object.fromEntries(
      Object.entries(predicted).map(([name, of]) => [
        name,
        Float64Array.from(whole, (rows) => meanOf(rows.map((row) => loss(of, row)))),
      ]),
    )
  return {
    squared: losses(({ mean }, row) => (mean[row]! - actual[row]!) ** 2),
    pinball: losses(({ quantiles }, row) =>
      meanOf(
        quantileLevels.map((level, nth) => {
          const over = actual[row]! - quantiles[nth]![row]!
          return Math.max(level * over, (level - 1) * over)
        }),
      ),
    ),
  }
}

const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length

/** The naive forecast with the smallest error; the mean of the slot while nothing could be scored. */
export function bestNaive(
  scores: Readonly<Record<string, { readonly rmse?: number } | undefined>>,
): NaiveKind {
  const errorOf = (kind: NaiveKind): number => scores[kind]?.rmse ?? Number.POSITIVE_INFINITY
  return naiveKinds.reduce((best, kind) => (errorOf(kind) < errorOf(best) ? kind : best), 'slot-mean')
}

/** Nominal coverage of the interval that is measured, and the places of its ends among the levels. */
export const level = 0.9
export const [lowEnd, highEnd] = [quantileLevels.indexOf(0.05), quantileLevels.indexOf(0.95)]

export interface Coverage {
  readonly level: number
  readonly measured: number
  readonly steps: number
}

/** How many truths lay within the interval that the errors before them gave: as it was in life. */
export function coverageOf(actual: Float64Array, { quantiles }: Predicted): Coverage | undefined {
  const [lo, hi] = [quantiles[lowEnd]!, quantiles[highEnd]!]
  let inside = 0
  let steps = 0
  for (const [row, value] of actual.entries()) {
    if (Number.isNaN(value) || Number.isNaN(lo[row]!)) continue
    steps++
    if (value >= lo[row]! && value <= hi[row]!) inside++
  }
  return steps === 0 ? undefined : { level, measured: inside / steps, steps }
}

/** Nine deciles of forecast - truth; none where nothing was scored. */
export function residualDeciles(actual: Float64Array, { mean }: Predicted): number[] {
  const errors = mean.map((value, row) => value - actual[row]!).filter((error) => Number.isFinite(error))
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
