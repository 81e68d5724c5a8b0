/**
 * One model of gradient boosted trees over all series, all origins and all lead times: direct multi-horizon forecasts.
 * It learns how far a value lies from an anchor (the same slot of the last season, or its mean over a cycle), in units
 * of the series' scale; differencing against an anchor is what lets trees, which cannot extrapolate, follow a level.
 */
import type { Frame } from '../frame.ts'
import type { Model } from '../learner.ts'
import type { BoostingOptions } from '../learners/boosting/options.ts'
import { boosting } from '../learners/boosting.ts'
import {
  featureNames,
  furtherNames,
  type OriginView,
  relativeNames,
  slotBefore,
  slotMean,
  viewer,
  writeFeatures,
} from './features.ts'
import { columnOf, type Fitted, fittedOn, type Member } from './member.ts'
import { cycleSeasons, type Prepared } from './series.ts'

/** What the model's answer is added to: the slot's last value in the season, or its mean over one or four cycles. */
export type Anchor = 'season' | 'slot-mean' | 'slot-long-mean'

/** Answers beyond this many scales are outliers of the history; they are learnt as this. */
const farthest = 30

export interface TrainingRows {
  readonly frame: Frame
  /** Levels in the unit of the series, for the same rows. */
  readonly levels: () => Frame
  /** (actual - anchor) / scale, one value a row. */
  readonly targets: Readonly<Record<Anchor, Float64Array>>
  /** What a target of 1 is in the unit of the series. */
  readonly scale: Float64Array
}

/** How many rows are learnt from. */
export interface Thinning {
  /** Rows of one origin share all that happened before it: more of them add little. */
  readonly leadsPerOrigin: number
  readonly rowsMax: number
  /** Seasons at the start of a series that are not learnt from, since features that look back are unknown there. */
  readonly warmUp: number
}

const thinningDefaults: Thinning = { leadsPerOrigin: 4, rowsMax: 200_000, warmUp: 2 * cycleSeasons }

/**
 * Rows to learn from: origins and leads whose actual value is known, in order of time within a series, thinned evenly
 * to about `leadsPerOrigin` an origin and `rowsMax` in all.
 */
export function trainingRows(
  all: readonly Prepared[],
  horizon: number,
  thinning: Thinning = thinningDefaults,
): TrainingRows {
  const places = chooseRows(all, horizon, thinning)
  const names = featureNames(all)
  const columns = names.map(() => new Float64Array(places.length))
  const target = (): Float64Array => new Float64Array(places.length)
  const targets = { season: target(), 'slot-mean': target(), 'slot-long-mean': target() }
  const [base, scale] = [target(), target()]
  const viewers = all.map(viewer)
  let view: OriginView | undefined
  for (const [row, { series, origin, lead }] of places.entries()) {
    const prepared = all[series]!
    if (view?.prepared !== prepared || view.origin !== origin) view = viewers[series]!(origin)
    writeFeatures(view, lead, columns, row)
    const actual = prepared.values[origin + lead]!
    base[row] = slotBefore(prepared, origin, lead)
    scale[row] = view.scale
    for (const anchor of anchors) {
      const distance = (actual - anchorValue(prepared, origin, lead, anchor)) / view.scale
      targets[anchor][row] = Math.max(-farthest, Math.min(farthest, distance))
    }
  }
  const whole = { rows: places.length, names, columns }
  let levels: Frame | undefined
  return {
    frame: withoutFurther(whole),
    levels: () => {
      levels ??= levelsOf(whole, base, scale)
      return levels
    },
    targets,
    scale,
  }
}

/** Features that are for levels only are left out. */
const withoutFurther = ({ rows, names, columns }: Frame): Frame => ({
  rows,
  names: names.filter((name) => !furtherNames.has(name)),
  columns: columns.filter((_, at) => !furtherNames.has(names[at]!)),
})

const anchors = ['season', 'slot-mean', 'slot-long-mean'] as const
/** The feature that is the anchor, in scales from the base. */
const anchorFeatures = {
  season: undefined,
  'slot-mean': 'slot mean',
  'slot-long-mean': 'slot long mean',
} as const

/** What a member sees that learns from levels: few features, since a device has few rows. */
const levelNames: readonly string[] = [
  ...['lead', 'hour', 'weekday', 'weekend', 'season -1', 'season -2', 'season -3', 'cycle -1', 'cycle -2'],
  ...['last', 'step -2', 'step -3', 'last 3', 'last 6', 'season mean', 'cycle mean'],
  ...['slot mean', 'slot long mean', 'slot most'],
]

/**
 * Levels in the unit of the series instead of in scales from the base. A device that is off or draws its rated power is
 * told by these; relative to its last day they depend on whether it ran then.
 */
function levelsOf(frame: Frame, base: Float64Array, scale: Float64Array): Frame {
  const weekday = columnOf(frame, 'weekday')
  const columnFor = (name: string): Float64Array | undefined => {
    if (name === 'season -1') return base
    if (name === 'weekend')
      return weekday?.map((day) => (Number.isNaN(day) ? day : Number(day === 0 || day === 6)))
    const column = columnOf(frame, name)
    if (!column || !relativeNames.has(name)) return column
    return column.map((value, row) => tidy(base[row]! + scale[row]! * value))
  }
  const found = levelNames.flatMap((name) => {
    const column = columnFor(name)
    return column ? [{ name, column }] : []
  })
  return {
    rows: frame.rows,
    names: found.map(({ name }) => name),
    columns: found.map(({ column }) => column),
  }
}

/** Without the rounding of the way there and back: a device that is off is at 0. */
const tidy = (value: number): number => Math.round(value * 1e9) / 1e9

interface Place {
  readonly series: number
  readonly origin: number
  readonly lead: number
}

function chooseRows(
  all: readonly Prepared[],
  horizon: number,
  { leadsPerOrigin, rowsMax, warmUp: seasons }: Thinning,
): Place[] {
  const spans = all.map((prepared) => {
    const to = prepared.filled.length
    const length = Math.max(0, to - prepared.first)
    const warmUp = Math.max(
      Math.min(2, seasons) * prepared.season,
      Math.min(seasons * prepared.season, Math.floor(length / 2)),
    )
    return { from: prepared.first + warmUp, to }
  })
  const count = spans.reduce((sum, { from, to }) => sum + Math.max(0, to - from), 0)
  // a stride that shares no factor with the horizon gives every lead its share
  let stride = Math.ceil(Math.max(1, horizon / leadsPerOrigin, (count * horizon) / rowsMax))
  while (commonFactor(stride, horizon) !== 1) stride++
  const places: Place[] = []
  let counter = 0
  for (const [series, { from, to }] of spans.entries()) {
    const { values } = all[series]!
    for (let origin = from; origin < to; origin++)
      for (let lead = 0; lead < horizon; lead++) {
        if (++counter % stride !== 0 || origin + lead >= to) continue
        if (!Number.isNaN(values[origin + lead]!)) places.push({ series, origin, lead })
      }
  }
  return places
}

const commonFactor = (a: number, b: number): number => (b === 0 ? a : commonFactor(b, a % b))

const anchorValue = (prepared: Prepared, origin: number, lead: number, anchor: Anchor): number =>
  anchor === 'season' ? slotBefore(prepared, origin, lead) : slotMean(prepared, origin, lead, cycleSeasons)

export interface BoostedOptions extends Partial<BoostingOptions> {
  readonly anchor: Anchor
  /** Learns from levels in the unit of the series: for one series at a time. */
  readonly levels?: boolean
}

/** Fewer rows than this are no ground for trees. */
const leastRows = 200

/** Gives the rows to learn from; members of the same forecast share them. */
export type RowsOf = (all: readonly Prepared[], horizon: number) => TrainingRows

export function boostedMember(name: string, rowsOf: RowsOf, options: BoostedOptions): Member {
  const { anchor, levels = false, ...rest } = options
  return {
    name,
    fit: (all, horizon) => {
      const rows = rowsOf(all, horizon)
      if (rows.frame.rows < leastRows) return undefined
      const frame = levels ? rows.levels() : rows.frame
      const target = levels
        ? rows.targets[anchor].map((value, row) => value * rows.scale[row]!)
        : rows.targets[anchor]
      return fittedModel(boosting.fit(frame, target, rest), options)
    },
    load: (state) => fittedModel(boosting.load(state), options),
  }
}

function fittedModel(model: Model, { anchor, levels }: BoostedOptions): Fitted {
  const relative = (frame: Frame): Float64Array => {
    const seen = levels ? levelsOf(frame, columnOf(frame, 'base')!, columnOf(frame, 'scale')!) : frame
    const predicted = model.predict(seen)
    const scale = columnOf(frame, 'scale')!
    if (levels) for (let row = 0; row < predicted.length; row++) predicted[row]! /= scale[row]!
    const mean = columnOf(frame, anchorFeatures[anchor] ?? '')
    // where the mean is not known, the base stands in for it
    if (mean)
      for (let row = 0; row < predicted.length; row++)
        if (!Number.isNaN(mean[row]!)) predicted[row]! += mean[row]!
    return predicted
  }
  return fittedOn(relative, () => model.toJSON())
}
