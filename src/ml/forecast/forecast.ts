/**
 * Forecasts of many series at once, with quantiles: members (naive ones, smoothing, boosted ones) are tried at past
 * origins of every series, blended by how they did there, and surrounded by conformal quantiles from the errors that the
 * blend made there. What the past origins showed comes back with the forecast.
 */
import { HomeostatError } from '../../core/errors.ts'
import type { Frame } from '../frame.ts'
import type { Team } from '../parallel.ts'
import { type BlendOptions, blendDefaults, blended } from './blend.ts'
import { featureFrame, featuresOf } from './features.ts'
import { columnOf, type Fitted, type Member, taskOf } from './member.ts'
import { membersOf } from './members.ts'
import { type Prepared, prepare, type Series, slotOf, slotsFor, toSteps } from './series.ts'
import { learntFromJson, learntToJson, type Probe } from './stored.ts'
import {
  type Firewall,
  historyOf,
  type PastForecast,
  type PastSkill,
  type SeriesState,
  spread,
  type TrialOptions,
  tryMembers,
} from './trial.ts'

export interface ForecastOptions {
  /** Steps after which the series repeat themselves, e.g. 24 for hours. */
  readonly season: number
  /** Steps to forecast. */
  readonly horizon: number
  /** Probabilities of the quantiles, rising, e.g. 0.05, 0.5, 0.95. */
  readonly quantiles: readonly number[]
  /** What is tried; by default all of `membersOf`. */
  readonly members?: readonly Member[]
  readonly trial?: Partial<TrialOptions>
  readonly blend?: Partial<BlendOptions>
  /** What is believed of measured values; by default all. */
  readonly firewall?: Firewall
  /** Threads for boosting; the result does not depend on them. */
  readonly team?: Team
  /** Called before every step: the member that is tried or learnt, the index of the step, the number of steps. */
  readonly progress?: (step: string, nth: number, of: number) => void
}

export interface Quantile {
  /** The value is below with this probability. */
  readonly level: number
  /** One value a step. */
  readonly values: Float64Array
}

export interface SeriesForecast {
  readonly id: string
  /** One value a step. */
  readonly mean: Float64Array
  /** In the order of the levels asked for; they do not cross. */
  readonly quantiles: readonly Quantile[]
  /** Share of each member in the mean. */
  readonly weights: Readonly<Record<string, number>>
  readonly past: PastSkill
}

/** The probabilities of the ends of intervals that cover these shares, rising: 0.9 gives 0.05 and 0.95. */
export function quantilesOf(shares: readonly number[]): number[] {
  const ends = shares.flatMap((share) => [lowerEnd(share), round(1 - lowerEnd(share))])
  return [...new Set(ends)].sort((a, b) => a - b)
}

const lowerEnd = (share: number): number => round((1 - share) / 2)
/** (1 - 0.9) / 2 is 0.04999999999999999. */
const round = (probability: number): number => Math.round(probability * 1e9) / 1e9

export interface Interval {
  /** Share of the values that it covers. */
  readonly level: number
  readonly lo: Float64Array
  readonly hi: Float64Array
}

/** Throws RangeError where the ends are not among the quantiles of the forecast. */
export function intervalOf({ quantiles }: Pick<SeriesForecast, 'quantiles'>, level: number): Interval {
  const end = (probability: number): Float64Array => {
    const found = quantiles.find((one) => one.level === probability)
    if (!found) throw new RangeError(`There is no quantile ${probability}.`)
    return found.values
  }
  return { level, lo: end(lowerEnd(level)), hi: end(round(1 - lowerEnd(level))) }
}

export { featuresOf } from './features.ts'

/** What was learnt from some series; forecasts them, and them with more steps. */
export interface Forecaster {
  /** The same series in the same order, with newer steps. One forecast a series, from its end on. */
  forecast(series: readonly Series[]): SeriesForecast[]
  /** Features of every lead at each origin (in steps) of a series, one row a lead, as members see them. */
  features(series: Series, origins: readonly number[]): Frame
  /** One mean a row of such a table, for one of the series. Columns that are left out count as unknown. */
  predictRows(series: number, frame: Frame): Float64Array
  /** Names of the columns of `features`. */
  readonly featureNames: readonly string[]
  readonly quantiles: readonly number[]
  /** By series, the honest forecasts at past origins (see `TrialOptions.refits`); empty after loading. */
  readonly past: readonly (readonly PastForecast[])[]
  /** Learnt state, plain JSON; `loadForecaster` makes a forecaster of it that gives the same forecasts, bit for bit. */
  toJSON(): unknown
}

/** Learnt state of a forecaster. */
export interface Learnt {
  readonly season: number
  readonly horizon: number
  readonly quantiles: readonly number[]
  /** `base`, `scale`, and the features that members see. */
  readonly features: readonly string[]
  /** Members in the order of the weights; absent ones could not learn, or have no weight. */
  readonly members: readonly { readonly name: string; readonly fitted?: Fitted }[]
  readonly series: readonly SeriesState[]
}

/**
 * Learns and forecasts. Throws `data_invalid` for a series that is shorter than the horizon or a season, without values
 * or infinite. The same series, options and members give the same forecast, bit for bit.
 */
export const forecastSeries = (series: readonly Series[], options: ForecastOptions): SeriesForecast[] =>
  learnForecaster(series, options).forecast(series)

const trialDefaults = { share: 0.31, originsMax: 56, refits: 1 }

/**
 * Steps between past origins: whole seasons, and at least half a horizon. Origins closer than that share most of what
 * came after them, so that many of them would add little to one.
 */
const spacingOf = (season: number, horizon: number): number =>
  season * Math.max(1, Math.ceil(horizon / (2 * season)))

export function learnForecaster(series: readonly Series[], options: ForecastOptions): Forecaster {
  const { season, horizon, quantiles, firewall, team, progress = () => {} } = options
  const trial = { spacing: spacingOf(season, horizon), ...trialDefaults, ...options.trial }
  const members = options.members ?? membersOf(team ? { team } : {})
  const blend = { ...blendDefaults, ...options.blend }
  const setting = { season, horizon, quantiles, trial, blend, ...(firewall ? { firewall } : {}) }
  const histories = series.map((one) => {
    const values = firewall ? firewall.repair(one.values) : one.values
    return historyOf(one, checked(prepare({ ...one, values }, season, horizon), horizon), setting)
  })
  const steps = (trial.refits + 1) * members.length
  const { states, past } = tryMembers(histories, members, setting, ({ name }, nth) =>
    progress(`trying ${name}`, nth, steps),
  )
  const all = histories.map(({ prepared }) => prepared)
  const learnt = members.map((member, nth) => {
    progress(`learning ${member.name}`, trial.refits * members.length + nth, steps)
    const isUsed = states.some(({ weights }) => weights[nth]! > 0)
    const fitted = isUsed ? member.fit(all, horizon) : undefined
    return { name: member.name, ...(fitted ? { fitted } : {}) }
  })
  const features = framedNames(all)
  const state = { season, horizon, quantiles, features, members: learnt, series: states }
  return createForecaster(state, past, () => probeOf(state, all[0]!))
}

/**
 * From what `toJSON` gave. `members` have to hold those that were learnt, with the same anchors. Throws `data_invalid`
 * with what is wrong: another format, damaged numbers, an unknown member, or predictions that differ from the stored ones.
 */
export function loadForecaster(json: unknown, members: readonly Member[] = membersOf()): Forecaster {
  const { learnt, probe } = learntFromJson(json, members)
  const again = predictRows(learnt, learnt.series[0]!, probe.frame)
  for (const [row, value] of again.entries())
    if (!Object.is(value, probe.predicted[row]))
      throw new HomeostatError('data_invalid', {
        detail: `it predicts ${value} where it predicted ${probe.predicted[row]} when it was stored`,
      })
  return createForecaster(learnt, [], () => probe)
}

function createForecaster(
  learnt: Learnt,
  past: readonly (readonly PastForecast[])[],
  probe: () => Probe,
): Forecaster {
  return {
    past,
    featureNames: learnt.features,
    quantiles: learnt.quantiles,
    forecast: (series) => forecastAll(learnt, series),
    features: (series, origins) => featuresAt(learnt, series, origins),
    predictRows: (series, frame) => predictRows(learnt, learnt.series[series]!, frame),
    toJSON: () => learntToJson(learnt, probe()),
  }
}

/** The first, a middle and the last lead after the end of the series. */
function probeOf(learnt: Learnt, prepared: Prepared): Probe {
  const { horizon } = learnt
  const end = prepared.series.values.length
  const whole = featureFrame([prepared], [[slotOf(prepared, end, horizon)]], horizon)
  const leads = [0, (horizon - 1) >> 1, horizon - 1]
  const columns = whole.columns.map((column) => Float64Array.from(leads, (lead) => column[lead]!))
  const frame = { rows: leads.length, names: whole.names, columns }
  return { frame, predicted: predictRows(learnt, learnt.series[0]!, frame) }
}

function forecastAll(learnt: Learnt, series: readonly Series[]): SeriesForecast[] {
  const { season, horizon, members, series: states } = learnt
  if (series.length !== states.length)
    throw new HomeostatError('data_invalid', {
      detail: `${states.length} series were learnt from, ${series.length} are to be forecast`,
    })
  const all = series.map((one) => checked(prepare(one, season, horizon), horizon))
  const names = framedNames(all)
  if (names.join() !== learnt.features.join())
    throw new HomeostatError('data_invalid', {
      detail: `${all[0]?.series.id} has the features ${names.join(', ')}; learnt from were ${learnt.features.join(', ')}`,
    })
  const ends = series.map(({ values }) => [values.length])
  const slots = Math.max(horizon, ...all.map((prepared, at) => slotsFor(prepared, ends[at]!, horizon)))
  const task = taskOf(
    all,
    all.map((prepared, at) => [slotOf(prepared, ends[at]![0]!, horizon)]),
    slots,
  )
  const predicted = members.map(({ fitted }) => fitted?.forecast(task))
  return all.map((prepared, at) => {
    const state = states[at]!
    const origin = ends[at]![0]!
    const columns = predicted.map((of) => of && toSteps(prepared, origin, horizon, of[at]![0]!))
    const blend = blended(columns, state.weights, horizon)
    const { mean, quantiles } = spread(prepared, origin, blend, state)
    return {
      id: prepared.series.id,
      mean,
      quantiles: learnt.quantiles.map((level, nth) => ({ level, values: quantiles[nth]! })),
      weights: Object.fromEntries(members.map(({ name }, k) => [name, state.weights[k]!])),
      past: state.past,
    }
  })
}

const framedNames = (all: readonly Prepared[]): string[] => {
  const first = all[0]
  return featuresOf({
    times: first?.clock !== undefined,
    ahead: first?.ahead.map(([name]) => name) ?? [],
  })
}

/** Rows of the features of a series as a forecast at each origin sees them. */
function featuresAt({ season, horizon }: Learnt, series: Series, origins: readonly number[]): Frame {
  const prepared = prepare(series, season, horizon)
  return featureFrame([prepared], [origins.map((origin) => slotOf(prepared, origin, horizon))], horizon)
}

/** What is missing of the base and the scale is taken from the end of what was learnt from. */
function predictRows({ members }: Learnt, { weights, mean, scale }: SeriesState, frame: Frame): Float64Array {
  const orElse = (name: string, value: number): Float64Array =>
    (columnOf(frame, name) ?? new Float64Array(frame.rows).fill(Number.NaN)).map((known) =>
      Number.isNaN(known) ? value : known,
    )
  const base = orElse('base', mean)
  const rest = frame.names.flatMap((name, at) => (name === 'base' || name === 'scale' ? [] : [at]))
  const whole: Frame = {
    rows: frame.rows,
    names: ['base', 'scale', ...rest.map((at) => frame.names[at]!)],
    columns: [base, orElse('scale', scale), ...rest.map((at) => frame.columns[at]!)],
  }
  const predicted = members.map(({ fitted }) => fitted?.fromFeatures?.(whole))
  const blend = blended(predicted, weights, frame.rows)
  // without any member that features suffice for, the base is all there is
  return blend.map((value, row) => (Number.isNaN(value) ? base[row]! : value))
}

function checked(prepared: Prepared, horizon: number): Prepared {
  const { series, filled, first, season } = prepared
  const least = Math.max(horizon, season + 1)
  if (filled.length - first >= least) return prepared
  throw new HomeostatError('data_invalid', {
    detail: `the series ${series.id} has ${filled.length - first} values; a forecast of ${horizon} steps with a season of ${season} needs ${least}`,
  })
}
