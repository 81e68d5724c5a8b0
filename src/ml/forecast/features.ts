/**
 * Features of a forecast: what is known at an origin about one step after it. One table of functions makes them for
 * training and for use, and they read values before the origin only (besides the calendar and covariates known ahead).
 * Everything but the calendar and the covariates is in units of the series' scale and relative to the same slot of the
 * last season, so that one model serves many series. Origins and leads count slots of civil time.
 */

import { dayMs, minuteMs } from '../../core/time.ts'
import type { Frame } from '../frame.ts'
import { cycleSeasons, meanBefore, type Prepared, scaleAt } from './series.ts'
import { Smoother, type SmoothingPaces } from './smoother.ts'

/** Slow, middling and fast: what a smoothing at each pace expects. Fixed, so that nothing of them is learnt. */
const paces: readonly SmoothingPaces[] = [
  { level: 0.003, season: 0.03, cycle: 0.15, echo: 0.97 },
  { level: 0.02, season: 0.12, cycle: 0.15, echo: 0.9 },
  { level: 0.1, season: 0.3, cycle: 0.05, echo: 0.8 },
]

/** What is the same for all leads of an origin. */
export interface OriginView {
  readonly prepared: Prepared
  readonly origin: number
  readonly scale: number
  readonly shared: Shared
  /** As they stand at the origin. */
  readonly smoothers: readonly Smoother[]
}

/** Views of a series. Each is valid until the next is asked for; origins that rise cost least. */
export function viewer(prepared: Prepared): (origin: number) => OriginView {
  let smoothers: readonly Smoother[] = []
  let newest = Number.POSITIVE_INFINITY
  return (origin) => {
    if (origin < newest) smoothers = paces.map((one) => new Smoother(prepared, one, origin))
    newest = origin
    for (const smoother of smoothers) smoother.runTo(origin)
    const scale = scaleAt(prepared, origin)
    return { prepared, origin, scale, shared: shareOf(prepared, origin, scale), smoothers }
  }
}

interface Shared {
  readonly last: number
  readonly last3: number
  readonly seasonMean: number
  readonly cycleMean: number
  readonly longMean: number
  readonly least: number
  readonly most: number
  /** In scales: how far the newest steps lie from those a season, and a cycle, before them. */
  readonly trend: number
  readonly changes: readonly number[]
  readonly cycleChanges: readonly number[]
  readonly roughness: number
  readonly cycleRoughness: number
  readonly level: number
}

function shareOf(prepared: Prepared, origin: number, scale: number): Shared {
  const { season, filled, first } = prepared
  const cycle = cycleSeasons * season
  const newest = filled.subarray(Math.max(first, origin - season), origin)
  const seasonMean = meanBefore(prepared, origin, season)
  const cycleMean = meanBefore(prepared, origin, cycle)
  const spans = [1, Math.min(3, season), Math.min(6, season), Math.max(1, season >> 1), season]
  const cycleSpans = [1, Math.min(3, season), season]
  return {
    last: valueAt(prepared, origin - 1),
    last3: meanBefore(prepared, origin, Math.min(3, season)),
    seasonMean,
    cycleMean,
    longMean: meanBefore(prepared, origin, 4 * cycle),
    least: newest.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY),
    most: newest.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY),
    trend: (seasonMean - meanBefore(prepared, origin - season, season)) / scale,
    changes: spans.map((span) => change(prepared, origin, span, season) / scale),
    cycleChanges: cycleSpans.map((span) => change(prepared, origin, span, cycle) / scale),
    roughness: roughness(prepared, origin, season, cycle) / scale,
    cycleRoughness: roughness(prepared, origin, cycle, cycle) / scale,
    level: cycleMean / scale,
  }
}

/** One step to forecast. */
interface Step {
  readonly view: OriginView
  readonly lead: number
  /** Value of the slot in the last season: what features are relative to. */
  readonly base: number
  /** Place of that value. */
  readonly slot: number
}

type Feature = readonly [name: string, of: (step: Step) => number]

const relative =
  (of: (step: Step) => number) =>
  (step: Step): number =>
    (of(step) - step.base) / step.view.scale

const slot = (back: number) =>
  relative(({ view, lead }) => slotBefore(view.prepared, view.origin, lead, back))

const cycleSlot = (back: number) =>
  relative(({ view: { prepared, origin }, lead }) =>
    slotBefore(prepared, origin, lead, back, cycleSeasons * prepared.season),
  )

/** The value beside the slot; where that lies after the origin, a season earlier. */
const beside = (by: number) =>
  relative(({ view: { prepared, origin }, slot: at }) =>
    valueAt(prepared, at + by < origin ? at + by : at + by - prepared.season),
  )

const shared = (of: (shared: Shared) => number) => (step: Step) => of(step.view.shared)
const sharedRelative = (of: (shared: Shared) => number) => relative((step) => of(step.view.shared))

const shape: readonly Feature[] = [
  ['lead', ({ lead }) => lead + 1],
  ...[1, 2, 3, 4, 5, 6].map((back): Feature => [`season -${back + 1}`, slot(back)]),
  ...[0, 1, 2].map((back): Feature => [`cycle -${back + 1}`, cycleSlot(back)]),
  ['slot mean', relative((step) => meanOfSlot(step, cycleSeasons))],
  ['slot long mean', relative((step) => meanOfSlot(step, 4 * cycleSeasons))],
  ['slot deviation', slotDeviation],
  ['slot change', (step) => -slot(cycleSeasons)(step)],
  ...[-2, -1, 1, 2].map((by): Feature => [`slot ${by > 0 ? '+' : ''}${by}`, beside(by)]),
  ...paces.map(
    (_, pace): Feature => [
      `smoothed ${pace + 1}`,
      relative(({ view, lead }) => view.smoothers[pace]!.ahead(lead)),
    ],
  ),
  ['last', sharedRelative((of) => of.last)],
  ['last 3', sharedRelative((of) => of.last3)],
  ['season mean', sharedRelative((of) => of.seasonMean)],
  ['cycle mean', sharedRelative((of) => of.cycleMean)],
  ['long mean', sharedRelative((of) => of.longMean)],
  ['least', sharedRelative((of) => of.least)],
  ['most', sharedRelative((of) => of.most)],
  ['trend', shared((of) => of.trend)],
  ...[0, 1, 2, 3, 4].map((k): Feature => [`change ${k + 1}`, shared((of) => of.changes[k]!)]),
  ...[0, 1, 2].map((k): Feature => [`cycle change ${k + 1}`, shared((of) => of.cycleChanges[k]!)]),
  ['roughness', shared((of) => of.roughness)],
  ['cycle roughness', shared((of) => of.cycleRoughness)],
  ['level', shared((of) => of.level)],
]

/** Further levels, for members that learn from levels as they are. */
const further: readonly Feature[] = [
  ['step -2', relative(({ view: { prepared, origin } }) => valueAt(prepared, origin - 2))],
  ['step -3', relative(({ view: { prepared, origin } }) => valueAt(prepared, origin - 3))],
  [
    'last 6',
    relative(({ view: { prepared, origin } }) => meanBefore(prepared, origin, Math.min(6, prepared.season))),
  ],
  ['slot most', relative((step) => mostOfSlot(step))],
]

/** Features that are levels relative to the base. */
export const relativeNames: ReadonlySet<string> = new Set(
  [...shape, ...further].flatMap(([name]) =>
    /^(season|cycle|step) -|^slot (mean|long|most|[+-])|^smoothed|^last|mean$|^least$|^most$/.test(name)
      ? [name]
      : [],
  ),
)

export const furtherNames: ReadonlySet<string> = new Set(further.map(([name]) => name))

const calendar: readonly string[] = ['hour', 'weekday', 'day of year']

/** What relative features are relative to, in the unit of the series: first columns of the frames to forecast from. */
const anchorNames = ['base', 'scale'] as const

/** Names of the columns of `featureFrame`, for series with or without times and with these covariates. */
export const featuresOf = ({
  times,
  ahead = [],
}: {
  readonly times: boolean
  readonly ahead?: readonly string[]
}): string[] => [
  ...anchorNames,
  ...shape.map(([name]) => name),
  ...further.map(([name]) => name),
  ...(times ? calendar : []),
  ...ahead.toSorted().flatMap((name) => [`ahead ${name}`, `ahead ${name} change`]),
]

/** The same of these series, without the first two; all must have times and the same covariates, or none. */
export function featureNames(all: readonly Prepared[]): string[] {
  const first = all[0]
  const ahead = first?.ahead.map(([name]) => name) ?? []
  return featuresOf({ times: first?.clock !== undefined, ahead }).slice(anchorNames.length)
}

/** Every feature of every lead at every origin, the leads of an origin being neighbours; `base` and `scale` first. */
export function featureFrame(
  all: readonly Prepared[],
  origins: readonly (readonly number[])[],
  horizon: number,
): Frame {
  const names = [...anchorNames, ...featureNames(all)]
  const rows = origins.reduce((sum, list) => sum + list.length, 0) * horizon
  const columns = names.map(() => new Float64Array(rows))
  const [base, scale] = [columns[0]!, columns[1]!]
  const features = columns.slice(anchorNames.length)
  let row = 0
  for (const [nth, prepared] of all.entries()) {
    const viewAt = viewer(prepared)
    for (const origin of origins[nth]!) {
      const view = viewAt(origin)
      for (let lead = 0; lead < horizon; lead++, row++) {
        base[row] = slotBefore(prepared, origin, lead)
        scale[row] = view.scale
        writeFeatures(view, lead, features, row)
      }
    }
  }
  return { rows, names, columns }
}

/** Writes the features of a lead (0 is the first step after the origin) to `columns[..][row]`, in the names' order. */
export function writeFeatures(
  view: OriginView,
  lead: number,
  columns: readonly Float64Array[],
  row: number,
): void {
  const { prepared, origin } = view
  const step: Step = {
    view,
    lead,
    base: slotBefore(prepared, origin, lead),
    slot: placeBefore(prepared, origin, lead),
  }
  let at = 0
  for (const [, of] of shape) columns[at++]![row] = of(step)
  for (const [, of] of further) columns[at++]![row] = of(step)
  const target = origin + lead
  if (prepared.clock) {
    const localMs = prepared.clock.startMs + target * prepared.clock.stepMs
    const day = Math.floor(localMs / dayMs)
    columns[at++]![row] = Math.floor((localMs - day * dayMs) / minuteMs) / 60
    // 1970-01-01 was a Thursday
    columns[at++]![row] = (((day + 4) % 7) + 7) % 7
    columns[at++]![row] = day - Date.UTC(new Date(localMs).getUTCFullYear(), 0, 1) / dayMs
  }
  for (const [, values] of prepared.ahead) {
    const then = values[target] ?? Number.NaN
    columns[at++]![row] = then
    columns[at++]![row] = then - (values[step.slot] ?? Number.NaN)
  }
}

const placeBefore = (prepared: Prepared, origin: number, lead: number): number =>
  origin + lead - prepared.season * (Math.floor(lead / prepared.season) + 1)

/** The newest value of the slot that is known at the origin, `back` periods before it; NaN before the start. */
export function slotBefore(
  prepared: Prepared,
  origin: number,
  lead: number,
  back = 0,
  period = prepared.season,
): number {
  return valueAt(prepared, origin + lead - period * (Math.floor(lead / period) + 1 + back))
}

/** Mean of the slot over the newest `seasons` seasons known at the origin, of as many as there are. */
export function slotMean(prepared: Prepared, origin: number, lead: number, seasons: number): number {
  let sum = 0
  let known = 0
  for (let back = 0; back < seasons; back++) {
    const value = slotBefore(prepared, origin, lead, back)
    if (Number.isNaN(value)) break
    sum += value
    known++
  }
  return sum / known
}

const meanOfSlot = ({ view, lead }: Step, seasons: number): number =>
  slotMean(view.prepared, view.origin, lead, seasons)

/** The most of the slot over a cycle. */
function mostOfSlot({ view, lead }: Step): number {
  let most = Number.NEGATIVE_INFINITY
  for (let back = 0; back < cycleSeasons; back++) {
    const value = slotBefore(view.prepared, view.origin, lead, back)
    if (value > most) most = value
  }
  return most
}

/** Standard deviation of the slot over a cycle, in scales. */
function slotDeviation({ view: { prepared, origin, scale }, lead, base }: Step): number {
  let [sum, squares, known] = [0, 0, 0]
  for (let back = 0; back < cycleSeasons; back++) {
    const value = (slotBefore(prepared, origin, lead, back) - base) / scale
    if (Number.isNaN(value)) break
    sum += value
    squares += value * value
    known++
  }
  return Math.sqrt(Math.max(0, squares / known - (sum / known) ** 2))
}

const valueAt = ({ filled, first }: Prepared, at: number): number => (at >= first ? filled[at]! : Number.NaN)

/** Mean of y(t) - y(t - period) over the `count` steps before the origin. */
function change(prepared: Prepared, origin: number, count: number, period: number): number {
  const { sums, first } = prepared
  const from = origin - count
  if (from - period < first) return Number.NaN
  return (sums[origin]! - sums[from]! - sums[origin - period]! + sums[from - period]!) / count
}

/** Mean |y(t) - y(t - period)| over the `count` steps before the origin. */
function roughness({ filled, first }: Prepared, origin: number, period: number, count: number): number {
  let sum = 0
  const from = Math.max(first + period, origin - count)
  for (let at = from; at < origin; at++) sum += Math.abs(filled[at]! - filled[at - period]!)
  return origin > from ? sum / (origin - from) : Number.NaN
}
