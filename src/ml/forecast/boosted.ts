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
import type { Member, Task } from './member.ts'
import { cycleSeasons, type Prepared } from './series.ts'

/** What the model's answer is added to: the slot's last value in the season or in the cycle, or its mean over a cycle. */
export type Anchor = 'season' | 'cycle' | 'slot-mean'

/** Answers beyond this many scales are outliers of the history; they are learnt as this. */
const farthest = 30

export interface TrainingRows {
  readonly frame: Frame
  /** (actual - anchor) / scale, one value a row. */
  readonly targets: Readonly<Record<Anchor, Float64Array>>
}

/**
 * Rows to learn from: origins and leads whose actual value lies at least `cut` steps before the end of its series, in
 * order of time within a series, thinned evenly to about `leadsPerOrigin` an origin and `rowsMax` in all.
 */
export function trainingRows(all: readonly Prepared[], cut: number, horizon: number): TrainingRows {
  const places = chooseRows(all, cut, horizon)
  const names = featureNames(all)
  const columns = names.map(() => new Float64Array(places.length))
  const target = (): Float64Array => new Float64Array(places.length)
  const targets = { season: target(), cycle: target(), 'slot-mean': target() }
  const viewers = all.map(viewer)
  let view: OriginView | undefined
  for (const [row, { series, origin, lead }] of places.entries()) {
    const prepared = all[series]!
    if (view?.prepared !== prepared || view.origin !== origin) view = viewers[series]!(origin)
    writeFeatures(view, lead, columns, row)
    const actual = prepared.series.values[origin + lead]!
    for (const anchor of anchors) {
      const distance = (actual - anchorValue(prepared, origin, lead, anchor)) / view.scale
      targets[anchor][row] = Math.max(-farthest, Math.min(farthest, distance))
    }
  }
  return { frame: { rows: places.length, names, columns }, targets }
}

const anchors = ['season', 'cycle', 'slot-mean'] as const

interface Place {
  readonly series: number
  readonly origin: number
  readonly lead: number
}

const rowsMax = 200_000
/** Rows of one origin share all that happened before it: more of them add little. */
const leadsPerOrigin = 4

function chooseRows(all: readonly Prepared[], cut: number, horizon: number): Place[] {
  const spans = all.map((prepared) => {
    const to = prepared.filled.length - cut
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
    const { values } = all[series]!.series
    for (let origin = from; origin < to; origin++)
      for (let lead = 0; lead < horizon; lead++) {
        if (++counter % stride !== 0 || origin + lead >= to) continue
        if (!Number.isNaN(values[origin + lead]!)) places.push({ series, origin, lead })
      }
  }
  return places
}

const commonFactor = (a: number, b: number): number => (b === 0 ? a : commonFactor(b, a % b))

function anchorValue(prepared: Prepared, origin: number, lead: number, anchor: Anchor): number {
  const last = slotBefore(prepared, origin, lead)
  if (anchor === 'season') return last
  if (anchor === 'slot-mean') return slotMean(prepared, origin, lead, cycleSeasons)
  const value = slotBefore(prepared, origin, lead, 0, cycleSeasons * prepared.season)
  return Number.isNaN(value) ? last : value
}

export interface BoostedOptions extends Partial<BoostingOptions> {
  readonly anchor: Anchor
}

/** Fewer rows than this are no ground for trees. */
const leastRows = 200

/** `rowsOf` gives the rows to learn from; members of the same forecast share them. */
export function boostedMember(
  name: string,
  rowsOf: (all: readonly Prepared[], cut: number, horizon: number) => TrainingRows,
  options: BoostedOptions,
): Member {
  const { anchor, ...rest } = options
  return {
    name,
    fit: (all, cut, horizon) => {
      const { frame, targets } = rowsOf(all, cut, horizon)
      if (frame.rows < leastRows) return undefined
      const model = boosting.fit(frame, targets[anchor], rest)
      return (task) => predict(model, anchor, task)
    },
  }
}

function predict(model: Model, anchor: Anchor, { all, origins, horizon }: Task): Float64Array[][] {
  const names = featureNames(all)
  const count = origins.reduce((sum, list) => sum + list.length, 0) * horizon
  const columns = names.map(() => new Float64Array(count))
  let row = 0
  const views = all.map((prepared, at) => {
    const viewAt = viewer(prepared)
    return origins[at]!.map((origin) => {
      const view = viewAt(origin)
      for (let lead = 0; lead < horizon; lead++) writeFeatures(view, lead, columns, row++)
      return view
    })
  })
  const said = model.predict({ rows: count, names, columns })
  row = 0
  return views.map((list) =>
    list.map(({ prepared, origin, scale }) =>
      Float64Array.from(
        { length: horizon },
        (_, lead) => anchorValue(prepared, origin, lead, anchor) + scale * said[row++]!,
      ),
    ),
  )
}
