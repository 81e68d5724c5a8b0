/**
 * Forecasts on two public sets that lie in ../shared/data: the M4 competition's hourly series H1 to H200, and a year of
 * a house's load. One setting for both, chosen on stretches before the ones that are scored here; nothing here looks at
 * a name. Figures of others that are not measured here are quoted, and say so.
 */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { scoreOf } from '../src/cli/lab-forecast.ts'
import { actualsFor } from '../src/cli/lab-grid.ts'
import { readSeries } from '../src/cli/lab-series.ts'
import { withTeam } from '../src/cli/lab-team.ts'
import { addDays, dayStart } from '../src/core/calendar.ts'
import {
  type Forecaster,
  forecastSeries,
  intervalOf,
  learnForecaster,
  quantilesOf,
  type SeriesForecast,
} from '../src/ml/forecast/forecast.ts'
import type { Series } from '../src/ml/forecast/series.ts'
import { mase, rmse } from '../src/ml/metrics.ts'
import { naiveForecasts, naiveKinds } from '../src/ml/naive.ts'
import { type Report, round } from './report.ts'

const data = fileURLToPath(new URL('../../shared/data/', import.meta.url))
const zone = 'Europe/Paris'

export async function run(report: Report): Promise<void> {
  if (!existsSync(`${data}m4_hourly`) || !existsSync(`${data}energy_load`))
    throw new Error('the series are missing: ../shared/data/m4_hourly and ../shared/data/energy_load')
  await reportM4(report)
  await reportLoad(report)
}

type Figure = (
  name: string,
  value: number,
  unit: string,
  more?: { readonly target?: number; readonly ratio?: number; readonly note?: string },
) => void

const figureOf =
  (report: Report): Figure =>
  (name, value, unit, { target, ratio, note } = {}) =>
    report({
      bench: 'truth',
      name,
      value: round(value),
      unit,
      ...(target === undefined ? {} : { target }),
      ...(ratio === undefined ? {} : { ratio: round(ratio) }),
      ...(note === undefined ? {} : { note }),
    })

async function reportM4(report: Report): Promise<void> {
  const [season, horizon, levels] = [24, 48, [0.95, 0.9]]
  const series = await readSeries(`${data}m4_hourly/Hourly-train-H1-H200.csv`, { format: 'm4', zone })
  const later = await readSeries(`${data}m4_hourly/Hourly-test-H1-H200.csv`, { format: 'm4', zone })
  const actuals = series.map((one) => actualsFor(one, later, horizon))
  const cpu = process.cpuUsage()
  const started = performance.now()
  const forecasts = await withTeam((team) =>
    forecastSeries(series, { season, horizon, quantiles: quantilesOf(levels), team }),
  )
  const seconds = (performance.now() - started) / 1000
  const used = process.cpuUsage(cpu)
  const scores = forecasts.map((forecast, at) => scoreOf(forecast, series[at]!, actuals[at]!, season, levels))
  const naive = meanOf(
    series.map(({ values }, at) => {
      const lastSeason = Float64Array.from(
        { length: horizon },
        (_, step) => values[values.length - season + (step % season)]!,
      )
      return mase(actuals[at]!, lastSeason, values, season)
    }),
  )
  const figure = figureOf(report)
  const ours = meanOf(scores.map((score) => score.mase))
  figure('m4_hourly H1-H200 MASE', ours, 'MASE', {
    target: 0.78,
    ratio: ours / naive,
    note: 'ratio to the seasonal naive, measured; quoted: LightGBM 0.848 to 0.879, MSTL 0.925, median of five 0.755; aim 0.70',
  })
  figure('m4_hourly H1-H200 MASE, seasonal naive', naive, 'MASE')
  const at = (level: number) => levels.indexOf(level)
  figure('m4_hourly 95 % MSIS', meanOf(scores.map((score) => score.msis[at(0.95)]!)), 'MSIS', {
    target: 7,
    note: 'quoted: best of the competition 6.14 over all 414 series; aim 6.0',
  })
  figure('m4_hourly 95 % coverage', 100 * meanOf(scores.map((score) => score.coverage[at(0.95)]!)), '%', {
    target: 95,
    note: 'owed: 93 to 97',
  })
  figure('m4_hourly 90 % coverage', 100 * meanOf(scores.map((score) => score.coverage[at(0.9)]!)), '%', {
    target: 90,
    note: 'owed: 88 to 92',
  })
  figure('m4_hourly all series', seconds, 's', {
    target: 60,
    note: `2 threads; ${round((used.user + used.system) / 1e6)} s of processor time`,
  })
}

/** Midnights that are scored, and how many of them a forecaster is used for before it learns anew. */
const days = 56
const relearnDays = 7

async function reportLoad(report: Report): Promise<void> {
  const [load] = await readSeries(`${data}energy_load/load_30min.csv`, {
    time: 'timestamp',
    value: 'load_w',
    zone,
  })
  const day = 48
  const origins = lastMidnights(load!, day, days)
  const cpu = process.cpuUsage()
  const forecasts = await withTeam((team) => {
    const made: SeriesForecast[] = []
    let forecaster: Forecaster | undefined
    for (const [nth, origin] of origins.entries()) {
      const past = [{ ...load!, values: load!.values.slice(0, origin) }]
      if (!forecaster || nth % relearnDays === 0)
        forecaster = learnForecaster(past, { season: day, horizon: day, quantiles: quantilesOf([0.9]), team })
      made.push(forecaster.forecast(past)[0]!)
    }
    return made
  })
  const used = process.cpuUsage(cpu)
  const figure = figureOf(report)
  const errorOf = (meanAt: (nth: number) => ArrayLike<number>): number => {
    const pairs = origins.flatMap((origin, nth) =>
      Array.from({ length: day }, (_, step) => [load!.values[origin + step]!, meanAt(nth)[step]!] as const),
    )
    const known = pairs.filter(([actual]) => Number.isFinite(actual))
    return rmse(
      known.map(([actual]) => actual),
      known.map(([, predicted]) => predicted),
    )
  }
  const naive = Object.fromEntries(
    naiveKinds.map((kind) => [
      kind,
      errorOf(
        (nth) => naiveForecasts(load!.values.subarray(0, origins[nth]!), day, day, load!.times)[kind].mean,
      ),
    ]),
  )
  const ours = errorOf((nth) => forecasts[nth]!.mean)
  figure('energy_load day-ahead RMSE, last 8 weeks', ours, 'W', {
    target: 945,
    ratio: ours / naive['slot-mean']!,
    note: `ratio to the 28-day slot mean, measured; quoted: LightGBM 975, its mean with the slot mean 959; aim 900; learnt anew every ${relearnDays} days, ${round((used.user + used.system) / 1e6)} s of processor time`,
  })
  for (const kind of naiveKinds) figure(`energy_load day-ahead RMSE, ${kind}`, naive[kind]!, 'W')
  const inside = forecasts.map((forecast, nth) => {
    const band = intervalOf(forecast, 0.9)
    return Array.from({ length: day }, (_, step) => {
      const actual = load!.values[origins[nth]! + step]!
      return Number.isNaN(actual) ? Number.NaN : Number(actual >= band.lo[step]! && actual <= band.hi[step]!)
    })
  })
  const leads = Array.from({ length: day }, (_, step) => meanOf(inside.map((row) => row[step]!)))
  figure('energy_load 90 % coverage', 100 * meanOf(inside.flat()), '%', {
    target: 90,
    note: `owed: 88 to 92; of single lead times ${round(100 * Math.min(...leads))} to ${round(100 * Math.max(...leads))} (56 targets each)`,
  })
}

/** Places of the last local midnights that have a whole day after them. */
function lastMidnights({ values, times }: Series, steps: number, count: number): number[] {
  const { startMs, stepMs } = times!
  const end = startMs + (values.length - steps) * stepMs
  let midnight = dayStart(zone, end)
  const places: number[] = []
  while (places.length < count) {
    places.unshift(Math.round((midnight - startMs) / stepMs))
    midnight = addDays(zone, midnight, -1)
  }
  return places
}

function meanOf(values: readonly number[]): number {
  const known = values.filter((value) => Number.isFinite(value))
  return known.reduce((sum, value) => sum + value, 0) / known.length
}
