/**
 * One model of gradient boosted trees over all series, all origins and all lead times: direct multi-horizon forecasts.
 * It learns how far a value lies from an anchor (the same slot of the last season, or its mean over a cycle), in units
 * of the series' scale; differencing against an anchor is what lets trees, which cannot extrapolate, follow a level.
 */
import type { Frame } from '../frame.ts'
import type { Model } from '../learner.ts'
import type { BoostingOptions } from '../learners/boosting/options.ts'
import { boosting } from '../learners/boosting.ts'
import { featureNames, type OriginView, slotBefore, slotMean, viewer, writeFeatures } from './features.ts'
import { columnOf, type Fitted, fittedOn, type Member } from './member.ts'
import { cycleSeasons, type Prepared } from './series.ts'

/** What the model's answer is added to: the slot's last value in the season, or its mean over a cycle. */
export type Anchor = 'season' | 'slot-mean'

/** Answers beyond this many scales are outliers of the history; they are learnt as this. */
const farthest = 30

export interface TrainingRows {
  readonly frame: Frame
  /** (actual - anchor) / scale, one value a row. */
  readonly targets: Readonly<Record<Anchor, Float64Array>>
}

/** How many rows are learnt from. */
export interface Thinning {
  /** Rows of one origin share all that happened before it: more of them add little. */
  readonly leadsPerOrigin: number
  readonly rowsMax: number
}

const thinningDefaults: Thinning = { leadsPerOrigin: 4, rowsMax: 200_000 }

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
  const targets = { season: target(), 'slot-mean': target() }
  const viewers = all.map(viewer)
  let view: OriginView | undefined
  for (const [row, { series, origin, lead }] of places.entries()) {
    const prepared = all[series]!
    if (view?.prepared !== prepared || view.origin !== origin) view = viewers[series]!(origin)
    writeFeatures(view, lead, columns, row)
    const actual = prepared.values[origin + lead]!
    for (const anchor of anchors) {
      const distance = (actual - anchorValue(prepared, origin, lead, anchor)) / view.scale
      targets[anchor][row] = Math.max(-farthest, Math.min(farthest, distance))
    }
  }
  return { frame: { rows: places.length, names, columns }, targets }
}

const anchors = ['season', 'slot-mean'] as const

interface Place {
  readonly series: number
  readonly origin: number
  readonly lead: number
}

function chooseRows(
  all: readonly Prepared[],
  horizon: number,
  { leadsPerOrigin, rowsMax }: Thinning,
): Place[] {
  const spans = all.map((prepared) => {
    const to = prepared.filled.length
    const length = Math.max(0, to - prepared.first)
    const warmUp = Math.max(
      2 * prepared.season,
      Math.min(2 * cycleSeasons * prepared.season, Math.floor(length / 2)),
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
}

/** Fewer rows than this are no ground for trees. */
const leastRows = 200

/** `rowsOf` gives the rows to learn from; members of the same forecast share them. */
export function boostedMember(
  name: string,
  rowsOf: (all: readonly Prepared[], horizon: number) => TrainingRows,
  options: BoostedOptions,
): Member {
  const { anchor, ...rest } = options
  return {
    name,
    fit: (all, horizon) => {
      const { frame, targets } = rowsOf(all, horizon)
      return frame.rows < leastRows
        ? undefined
        : fittedModel(boosting.fit(frame, targets[anchor], rest), anchor)
    },
    load: (state) => fittedModel(boosting.load(state), anchor),
  }
}

function fittedModel(model: Model, anchor: Anchor): Fitted {
  const relative = (frame: Frame): Float64Array => {
    const said = model.predict(frame)
    const mean = anchor === 'slot-mean' ? columnOf(frame, 'slot mean') : undefined
    // where the mean is not known, the base stands in for it
    if (mean)
      for (let row = 0; row < said.length; row++) if (!Number.isNaN(mean[row]!)) said[row]! += mean[row]!
    return said
  }
  return fittedOn(relative, () => model.toJSON())
}
