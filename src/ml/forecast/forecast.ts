/**
 * Forecasts of many series at once, with intervals: members (naive ones, smoothing, boosted ones, others that are handed
 * in) are tried at past origins of every series, blended by how they did there, and surrounded by conformal intervals
 * from the errors that the blend made there. What the past origins showed comes back with the forecast.
 */
import { HomeostatError } from '../../core/errors.ts'
import type { Team } from '../parallel.ts'
import { blended, type PastErrors, type Weigh, weighing } from './blend.ts'
import { type IntervalsOf, intervalsOf } from './intervals.ts'
import type { Forecasts, Member, Task } from './member.ts'
import { membersOf } from './members.ts'
import { type Prepared, prepare, type Series, scaleAt } from './series.ts'

export interface ForecastOptions {
  /** Steps after which the series repeat themselves, e.g. 24 for hours. */
  readonly season: number
  /** Steps to forecast. */
  readonly horizon: number
  /** Shares of the values that intervals cover, e.g. 0.9. */
  readonly levels: readonly number[]
  /** Members besides those that are always tried. */
  readonly members?: readonly Member[]
  /** Threads for boosting; the result does not depend on them. */
  readonly team?: Team
  /** Is told of every step before it is made: what is tried or learnt, the how many-th of how many. */
  readonly progress?: (step: string, nth: number, of: number) => void
}

export interface Interval {
  readonly level: number
  readonly lo: Float64Array
  readonly hi: Float64Array
}

/** How a forecast did at past origins, in units of the series' scale (mean |change over a season|). */
export interface PastSkill {
  readonly origins: number
  /** Mean over the origins of the blend's root mean square error in scales; NaN of a series without past origins. */
  readonly error: number
  /** The same of each member. */
  readonly members: Readonly<Record<string, number>>
}

export interface SeriesForecast {
  readonly id: string
  /** One value a step. */
  readonly mean: Float64Array
  /** In the order of the levels asked for. */
  readonly intervals: readonly Interval[]
  /** Share of each member in the mean. */
  readonly weights: Readonly<Record<string, number>>
  readonly past: PastSkill
}

/** What was learnt from some series; forecasts them, and them with more steps. */
export interface Forecaster {
  /** The same series in the same order, as long or longer. One forecast a series, from its end on. */
  forecast(series: readonly Series[]): SeriesForecast[]
}

/**
 * Learns and forecasts. Throws `data_invalid` for a series that is shorter than the horizon or a season, without values
 * or infinite. The same series, options and members give the same forecast, bit for bit.
 */
export const forecastSeries = (series: readonly Series[], options: ForecastOptions): SeriesForecast[] =>
  learnForecaster(series, options).forecast(series)

/** Past origins tried at most; with the horizon they take up at most this share of a series. */
const originsMax = 56
const shareMax = 0.31

/**
 * Steps between past origins: whole seasons, and at least half a horizon. Origins closer than that share most of what
 * came after them, so that many of them would say little more than one.
 */
const spacingOf = (season: number, horizon: number): number =>
  season * Math.max(1, Math.ceil(horizon / (2 * season)))

export function learnForecaster(series: readonly Series[], options: ForecastOptions): Forecaster {
  const { season, horizon, levels, progress = () => {} } = options
  const all = series.map((one) => checked(prepare(one, season), horizon))
  const members = membersOf(options)
  const steps = 2 * members.length
  const trial = tryMembers(all, members, horizon, ({ name }, nth) => progress(`trying ${name}`, nth, steps))
  const tried = new Set(trial.names)
  const fitted = members.flatMap((member, nth) => {
    progress(`learning ${member.name}`, members.length + nth, steps)
    const forecast = tried.has(member.name) ? member.fit(all, 0, horizon) : undefined
    return forecast ? [{ at: trial.names.indexOf(member.name), forecast }] : []
  })
  return {
    forecast: (now) => {
      const prepared = now.map((one) => checked(prepare(one, season), horizon))
      const task: Task = { all: prepared, origins: prepared.map(({ filled }) => [filled.length]), horizon }
      const said: (Forecasts | undefined)[] = trial.names.map(() => undefined)
      for (const { at, forecast } of fitted) said[at] = forecast(task)
      return prepared.map((one, at) => {
        const members = said.map((forecasts) => forecasts?.[at]?.[0])
        return describe(one, at, blended(members, trial.weigh(at), horizon), trial, levels)
      })
    },
  }
}

function describe(
  prepared: Prepared,
  at: number,
  blend: Float64Array,
  { names, weigh, reach, past, farthest }: Trial,
  levels: readonly number[],
): SeriesForecast {
  const { series, filled, first } = prepared
  const scale = scaleAt(prepared, filled.length)
  const most = farthest[at]!(scale)
  // what was never below zero is not expected to be
  const floor = filled.every((value, place) => place < first || value >= 0) ? 0 : Number.NEGATIVE_INFINITY
  const mean = blend.map((value) => Math.max(floor, value))
  const weights = weigh(at)
  return {
    id: series.id,
    mean,
    intervals: levels.map((level) => {
      const { lo, hi } = reach(at, level)
      return {
        level,
        lo: mean.map((value, lead) => Math.max(floor, value + Math.max(-most, scale * lo[lead]!))),
        hi: mean.map((value, lead) => Math.max(floor, value + Math.min(most, scale * hi[lead]!))),
      }
    }),
    weights: Object.fromEntries(names.map((name, k) => [name, weights[k]!])),
    past: past[at]!,
  }
}

interface Trial {
  /** Members that could be tried, or all where there was no past origin to try them at. */
  readonly names: readonly string[]
  readonly weigh: Weigh
  readonly reach: IntervalsOf
  readonly past: readonly PastSkill[]
  /** By series: no end of an interval lies farther from the forecast than this, in the series' unit, given its scale now. */
  readonly farthest: readonly ((scale: number) => number)[]
}

/** Lets the members forecast what is known already, having learnt from what came before. */
function tryMembers(
  all: readonly Prepared[],
  members: readonly Member[],
  horizon: number,
  started: (member: Member, nth: number) => void,
): Trial {
  const origins = all.map((prepared) => pastOrigins(prepared, horizon))
  const cut = Math.max(0, ...all.map(({ filled }, at) => filled.length - (origins[at]![0] ?? filled.length)))
  const tried = members.flatMap((member, nth) => {
    started(member, nth)
    const forecast = member.fit(all, cut, horizon)
    return forecast ? [{ name: member.name, forecasts: forecast({ all, origins, horizon }) }] : []
  })
  const scales = all.map((prepared, at) => origins[at]!.map((origin) => scaleAt(prepared, origin)))
  const errorsOf = (forecasts: Forecasts): Float64Array[][] =>
    all.map(({ series: { values } }, at) =>
      origins[at]!.map((origin, nth) =>
        forecasts[at]![nth]!.map((mean, lead) => (values[origin + lead]! - mean) / scales[at]![nth]!),
      ),
    )
  const errors: PastErrors = all.map((_, at) => origins[at]!.map(() => []))
  for (const { forecasts } of tried)
    for (const [at, list] of errorsOf(forecasts).entries())
      for (const [nth, error] of list.entries()) errors[at]![nth]!.push(rootMeanSquare(error))
  // origins closer than the horizon share steps
  const overlap = Math.ceil(horizon / spacingOf(all[0]?.season ?? horizon, horizon)) - 1
  const weigh = weighing(errors, tried.length, overlap)
  const blends = all.map((_, at) =>
    origins[at]!.map((_, nth) =>
      blended(
        tried.map(({ forecasts }) => forecasts[at]![nth]!),
        weigh(at, nth),
        horizon,
      ),
    ),
  )
  const residuals = errorsOf(blends)
  const past = all.map((_, at) => ({
    origins: origins[at]!.length,
    error: average(residuals[at]!.map(rootMeanSquare)),
    members: Object.fromEntries(
      tried.map(({ name }, k) => [name, average(errors[at]!.map((row) => row[k]!))]),
    ),
  }))
  return {
    names: tried.map(({ name }) => name),
    weigh,
    reach: intervalsOf(residuals, horizon, overlap),
    past,
    farthest: residuals.map((rows, at) => farthestOf(rows, scales[at]!)),
  }
}

/** Origins from which on the worst error that was seen says how bad errors get. */
const originsForWorst = 5

/**
 * Somewhat more than the worst error of all origins, in the series' unit; grows with the scale where that outgrows its
 * past. A jump of the level is an error of many scales of the calm time before it; without this bound it would be
 * expected as many scales of the time after it, which the jump itself has widened.
 */
function farthestOf(rows: readonly Float64Array[], scales: readonly number[]): (scale: number) => number {
  if (rows.length < originsForWorst) return () => Number.POSITIVE_INFINITY
  let worst = 0
  for (const [nth, row] of rows.entries())
    for (const error of row)
      if (Math.abs(error) * scales[nth]! > worst) worst = Math.abs(error) * scales[nth]!
  const widest = Math.max(...scales)
  return (scale) => worst * (1 + 2 / rows.length) * Math.max(1, scale / widest)
}

function checked(prepared: Prepared, horizon: number): Prepared {
  const { series, filled, first, season } = prepared
  const least = Math.max(horizon, season + 1)
  if (filled.length - first >= least) return prepared
  throw new HomeostatError('data_invalid', {
    detail: `the series ${series.id} has ${filled.length - first} values; a forecast of ${horizon} steps with a season of ${season} needs ${least}`,
  })
}

/**
 * Origins with their whole horizon inside the series; of one that is too short for that, those after its first season,
 * whose later steps stay unknown.
 */
function pastOrigins({ filled, first, season }: Prepared, horizon: number): number[] {
  const end = filled.length
  const length = end - first
  const spacing = spacingOf(season, horizon)
  // one origin is worth up to half of a series
  const usable = Math.max(length * shareMax, length >= 2 * horizon + season ? horizon : 0)
  const room = Math.floor(usable) - horizon
  const whole = room < 0 ? 0 : Math.min(originsMax, 1 + Math.floor(room / spacing))
  if (whole > 0) return Array.from({ length: whole }, (_, at) => end - horizon - (whole - 1 - at) * spacing)
  const origins: number[] = []
  for (let at = end - 1; at >= first + season; at -= spacing) origins.unshift(at)
  return origins.slice(-originsMax)
}

/** Root mean square of the known errors of an origin. */
function rootMeanSquare(errors: Float64Array): number {
  let sum = 0
  let known = 0
  for (const error of errors) {
    if (Number.isNaN(error)) continue
    sum += error * error
    known++
  }
  return known > 0 ? Math.sqrt(sum / known) : Number.NaN
}

function average(values: readonly number[]): number {
  const known = values.filter((value) => !Number.isNaN(value))
  return known.reduce((sum, value) => sum + value, 0) / known.length
}
