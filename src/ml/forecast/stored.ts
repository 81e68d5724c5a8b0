/**
 * Learnt forecasters as plain JSON. NaN and infinity are null there. With the state go some rows of features and what
 * was predicted for them: a file that was damaged in a way that still reads as numbers does not repeat them.
 */
import { HomeostatError } from '../../core/errors.ts'
import type { Frame } from '../frame.ts'
import type { Learnt } from './forecast.ts'
import type { Member } from './member.ts'
import type { PastSkill, SeriesState } from './trial.ts'

/** Raised when older state cannot be read any more. */
export const forecasterFormat = 'homeostat-forecast-1'

export interface Probe {
  /** Columns in the order of the names. */
  readonly frame: Frame
  /** What was predicted of each row for the first series. */
  readonly predicted: Float64Array
}

export function learntToJson(learnt: Learnt, { frame, predicted }: Probe): unknown {
  return {
    format: forecasterFormat,
    season: learnt.season,
    horizon: learnt.horizon,
    quantiles: learnt.quantiles,
    features: learnt.features,
    members: learnt.members.map(({ name, fitted }) =>
      fitted ? { name, state: fitted.toJSON() ?? null } : { name },
    ),
    series: learnt.series.map(({ weights, offsets, worst, widest, mean, scale, past }) => ({
      ...{ weights: listed(weights), offsets: offsets.map(listed) },
      ...{ worst: orNull(worst), widest, mean, scale },
      past: {
        origins: past.origins,
        error: orNull(past.error),
        members: Object.fromEntries(
          Object.entries(past.members).map(([name, error]) => [name, orNull(error)]),
        ),
      },
    })),
    probe: {
      names: frame.names,
      columns: frame.columns.map(listed),
      predicted: listed(predicted),
    },
  }
}

/** Throws `data_invalid`, naming what is wrong, for anything that `learntToJson` did not give. */
export function learntFromJson(
  json: unknown,
  members: readonly Member[],
): { readonly learnt: Learnt; readonly probe: Probe } {
  const all = objectOf(json, 'it')
  if (all['format'] !== forecasterFormat)
    refuse(`its format is ${JSON.stringify(all['format'])}, not "${forecasterFormat}"`)
  const season = countOf(all['season'], 'its season')
  const horizon = countOf(all['horizon'], 'its horizon')
  const quantiles = [...numbersOf(all['quantiles'], 'its list of quantiles')]
  if (quantiles.some((level) => !(level > 0 && level < 1))) refuse('its quantiles are not between 0 and 1')
  const features = namesOf(all['features'], 'its list of features')
  const states = listOf(all['members'], 'its list of members').map((one) => objectOf(one, 'a member'))
  const learntMembers = states.map((one) => {
    const member = members.find(({ name }) => name === one['name'])
    if (!member) return refuse(`its member ${JSON.stringify(one['name'])} is not known here`)
    return { name: member.name, ...('state' in one ? { fitted: member.load(one['state']) } : {}) }
  })
  const shape = { horizon, levels: quantiles.length, members: states.length }
  const series = listOf(all['series'], 'its list of series').map((one) =>
    seriesState(objectOf(one, 'a series'), shape),
  )
  if (series.length === 0) refuse('it has no series')
  const learnt = { season, horizon, quantiles, features, members: learntMembers, series }
  return { learnt, probe: probeOf(objectOf(all['probe'], 'its probe')) }
}

function seriesState(
  one: Readonly<Record<string, unknown>>,
  {
    horizon,
    levels,
    members,
  }: { readonly horizon: number; readonly levels: number; readonly members: number },
): SeriesState {
  const weights = numbersOf(one['weights'], 'its weights')
  if (weights.length !== members || weights.some((weight) => !(weight >= 0 && weight <= 1)))
    refuse('its weights are not one share a member')
  const offsets = listOf(one['offsets'], 'its offsets').map((row) => numbersOf(row, 'its offsets'))
  if (offsets.length !== levels || offsets.some((row) => row.length !== horizon))
    refuse(`its offsets are not ${horizon} numbers a quantile`)
  const worst = numberOf(one['worst'] ?? Number.POSITIVE_INFINITY, 'its worst error')
  const widest = numberOf(one['widest'], 'its widest scale')
  const mean = numberOf(one['mean'], 'its mean')
  const scale = numberOf(one['scale'], 'its scale')
  return { weights, offsets, worst, widest, mean, scale, past: pastOf(objectOf(one['past'], 'its past')) }
}

function pastOf(past: Readonly<Record<string, unknown>>): PastSkill {
  const members = Object.entries(objectOf(past['members'], 'its past errors'))
  return {
    origins: numberOf(past['origins'], 'its past origins'),
    error: numberOf(past['error'] ?? Number.NaN, 'its past error'),
    members: Object.fromEntries(
      members.map(([name, error]) => [name, numberOf(error ?? Number.NaN, 'its past errors')]),
    ),
  }
}

function probeOf(probe: Readonly<Record<string, unknown>>): Probe {
  const names = namesOf(probe['names'], 'its probe')
  const predicted = numbersOf(probe['predicted'], 'its probe')
  const columns = listOf(probe['columns'], 'its probe').map((column) => valuesOf(column, 'its probe'))
  const rows = predicted.length
  if (rows === 0 || columns.length !== names.length || columns.some((column) => column.length !== rows))
    refuse('its probe is damaged')
  return { frame: { rows, names, columns }, predicted }
}

const listed = (values: Float64Array): (number | null)[] => Array.from(values, orNull)

const orNull = (value: number): number | null => (Number.isFinite(value) ? value : null)

function objectOf(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (isObject(value)) return value
  return refuse(`${what} is no object`)
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function listOf(value: unknown, what: string): readonly unknown[] {
  if (Array.isArray(value)) return value
  return refuse(`${what} is no list`)
}

function namesOf(value: unknown, what: string): string[] {
  return listOf(value, what).map((name) =>
    typeof name === 'string' ? name : refuse(`${what} holds what is no name`),
  )
}

/** Infinity and NaN come from defaults only: JSON has neither. */
function numberOf(value: unknown, what: string): number {
  if (typeof value === 'number') return value
  return refuse(`${what} is no number`)
}

const numbersOf = (value: unknown, what: string): Float64Array =>
  Float64Array.from(listOf(value, what), (one) => numberOf(one, what))

/** Numbers of which some may be unknown. */
const valuesOf = (value: unknown, what: string): Float64Array =>
  Float64Array.from(listOf(value, what), (one) => (one === null ? Number.NaN : numberOf(one, what)))

function countOf(value: unknown, what: string): number {
  const count = numberOf(value, what)
  return Number.isInteger(count) && count >= 1 ? count : refuse(`${what} is no whole number from 1 on`)
}

function refuse(why: string): never {
  throw new HomeostatError('data_invalid', { detail: why })
}
