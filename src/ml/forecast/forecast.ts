/**
 * Forecasts of many series at once, with intervals: members (naive ones, boosted ones, others that are handed in) are
 * tried at past origins of every series, blended by how they did there, and surrounded by conformal intervals from the
 * errors that the blend made there. What the past origins showed comes back with the forecast.
 */
import { HomeostatError } from '../../core/errors.ts'
import type { Team } from '../parallel.ts'
import { blended, type PastErrors, weighing } from './blend.ts'
import { boostedMember, trainingRows } from './boosted.ts'
import { intervalsOf } from './intervals.ts'
import type { Member } from './member.ts'
import { naiveMembers } from './naive-members.ts'
import { type Prepared, prepare, type Series, scaleAt } from './series.ts'

export interface ForecastOptions {
  /** Steps after which the series repeat themselves, e.g. 24 for hours. */
  readonly season: number
  /** Steps to forecast. */
  readonly horizon: number
  /** Share of the values that intervals cover, e.g. 0.9. */
  readonly levels: readonly number[]
  /** Members besides the naive and the boosted ones. */
  readonly members?: readonly Member[]
  /** Threads for boosting; the result does not depend on them. */
  readonly team?: Team
}

export interface Interval {
  readonly level: number
  readonly lo: Float64Array
  readonly hi: Float64Array
}

/** How a forecast did at past origins, in units of the series' scale (mean |change over a season|). */
export interface PastSkill {
  readonly origins: number
  /** Mean |error| / scale of the blend; of a series without past origins NaN. */
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

/** Past origins tried at most, one season apart; they take up at most this share of a series. */
const originsMax = 28
const shareMax = 0.31
const rowsMax = 200_000

/**
 * Throws `data_invalid` for a series that is shorter than the horizon or a season, without values or infinite. The
 * same series, options and members give the same forecast, bit for bit.
 */
export function forecastSeries(series: readonly Series[], options: ForecastOptions): SeriesForecast[] {
  const { season, horizon, levels } = options
  const all = series.map((one) => prepare(one, season))
  for (const prepared of all) checkLength(prepared, horizon)
  const past = pastOrigins(all, season, horizon)
  const cut = past.reduce(
    (most, origins, at) => Math.max(most, all[at]!.filled.length - (origins[0] ?? all[at]!.filled.length)),
    0,
  )
  const before = forecastMembers(all, past, horizon, cut, options)
  const now = forecastMembers(
    all,
    all.map(({ filled }) => [filled.length]),
    horizon,
    0,
    options,
  )
  const names = [...now.keys()].filter((name) => cut === 0 || before.has(name))
  const tried = names.map((name) => before.get(name)!)

  const scales = all.map((prepared, at) => past[at]!.map((origin) => scaleAt(prepared, origin)))
  const errors: PastErrors = all.map((prepared, at) =>
    past[at]!.map((origin, nth) =>
      tried.map((member) => meanError(prepared, origin, member[at]![nth]!, scales[at]![nth]!)),
    ),
  )
  const weigh = weighing(errors, names.length)
  const blends = all.map((_, at) =>
    past[at]!.map((_, nth) =>
      blended(
        tried.map((member) => member[at]![nth]!),
        weigh(at, nth),
        horizon,
      ),
    ),
  )
  const residuals = all.map(({ series: { values } }, at) =>
    past[at]!.map((origin, nth) => blends[at]![nth]!.map((mean, lead) => values[origin + lead]! - mean)),
  )
  const reach = intervalsOf(
    residuals,
    scales,
    all.map((prepared) => scaleAt(prepared, prepared.filled.length)),
    horizon,
  )
  return all.map((prepared, at) => {
    const weights = weigh(at)
    const mean = blended(
      names.map((name) => now.get(name)![at]![0]!),
      weights,
      horizon,
    )
    return {
      id: prepared.series.id,
      mean,
      intervals: levels.map((level) => {
        const { lo, hi } = reach(at, level)
        return {
          level,
          lo: lo.map((by, lead) => mean[lead]! + by),
          hi: hi.map((by, lead) => mean[lead]! + by),
        }
      }),
      weights: Object.fromEntries(names.map((name, k) => [name, weights[k]!])),
      past: {
        origins: past[at]!.length,
        error: average(
          blends[at]!.map((blend, nth) => meanError(prepared, past[at]![nth]!, blend, scales[at]![nth]!)),
        ),
        members: Object.fromEntries(
          names.map((name, k) => [name, average(errors[at]!.map((row) => row[k]!))]),
        ),
      },
    }
  })
}

function checkLength({ series, filled, first, season }: Prepared, horizon: number): void {
  const least = Math.max(horizon, season + 1)
  if (filled.length - first >= least) return
  throw new HomeostatError('data_invalid', {
    detail: `the series ${series.id} has ${filled.length - first} values; a forecast of ${horizon} steps with a season of ${season} needs ${least}`,
  })
}

function pastOrigins(all: readonly Prepared[], season: number, horizon: number): number[][] {
  return all.map(({ filled, first }) => {
    const room = Math.floor((filled.length - first) * shareMax) - horizon
    const count = room < 0 ? 0 : Math.min(originsMax, 1 + Math.floor(room / season))
    return Array.from({ length: count }, (_, at) => filled.length - horizon - (count - 1 - at) * season)
  })
}

/** Forecasts of all members that can, by name, having learnt from what lies `cut` steps before the end. */
function forecastMembers(
  all: readonly Prepared[],
  origins: readonly (readonly number[])[],
  horizon: number,
  cut: number,
  options: ForecastOptions,
): Map<string, Float64Array[][]> {
  const rows = trainingRows(all, cut, horizon, rowsMax)
  const boosting = {
    rounds: 150,
    learningRate: 0.08,
    maxLeaves: 31,
    minChildRows: 50,
    columnSample: 0.6,
    subsample: 0.7,
    l2: 1,
    loss: 'absolute' as const,
    ...(options.team ? { team: options.team } : {}),
  }
  const members = [
    ...naiveMembers,
    boostedMember('boosted season', rows, { anchor: 'season', ...boosting }),
    boostedMember('boosted slot mean', rows, { anchor: 'slot-mean', ...boosting }),
    ...(options.members ?? []),
  ]
  const made = new Map<string, Float64Array[][]>()
  for (const member of members) {
    const forecasts = member.forecast({ all, origins, horizon })
    if (forecasts) made.set(member.name, forecasts)
  }
  return made
}

function meanError(
  { series: { values } }: Prepared,
  origin: number,
  forecast: Float64Array,
  scale: number,
): number {
  let sum = 0
  let known = 0
  for (let lead = 0; lead < forecast.length; lead++) {
    const error = Math.abs(values[origin + lead]! - forecast[lead]!)
    if (Number.isNaN(error)) continue
    sum += error
    known++
  }
  return known > 0 ? sum / known / scale : Number.NaN
}

function average(values: readonly number[]): number {
  const known = values.filter((value) => !Number.isNaN(value))
  return known.reduce((sum, value) => sum + value, 0) / known.length
}
