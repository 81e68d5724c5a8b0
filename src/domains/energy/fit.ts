import type { Frame } from '../../ml/frame.ts'
import type { Model } from '../../ml/learner.ts'
import { boosting } from '../../ml/learners/boosting.ts'
import { buildFeatures, type History, horizon } from './features.ts'

/**
 * The learner of day-ahead energy: gradient boosting on lags, rolling means and the calendar, all 24 lead times by one
 * model (direct, the lead time is a feature). What is learnt is the difference to the mean of the slot.
 */

/** More rows do not make it better: neighbouring origins see the same hours. */
const rowsMax = 12_000
/** More history than this is another life. */
const learnHoursMax = 400 * 24
const weekHours = 168
/** Strides of training origins, all prime to 24. */
const strides = [1, 5, 7, 11, 13, 17, 19, 23, 25, 29, 31]

/** Small and slow: a few months of one device hold little. Chosen by rolling origins over real and simulated homes. */
const options = {
  rounds: 60,
  learningRate: 0.07,
  maxLeaves: 6,
  minChildRows: 150,
  l2: 1,
  maxBins: 64,
  seed: 1,
}

/** A fitted model, and the rows that it was fitted to. */
export interface Fit {
  readonly model: Model
  readonly frame: Frame
  /** Week of each row, counted in origins. */
  readonly weeks: readonly number[]
}

/** Learns from every hour before `end`; undefined where none of them is known. */
export function fitTo(history: History, end: number): Fit | undefined {
  const first = Math.max(24, end - learnHoursMax)
  const last = end - horizon
  const wanted = Math.max(1, ((last - first) * horizon) / rowsMax)
  const stride = strides.find((step) => step >= wanted) ?? strides.at(-1)!
  const origins: number[] = []
  for (let origin = last; origin >= first; origin -= stride) origins.unshift(origin)
  const { frame, base } = buildFeatures(history, origins)
  const target = new Float64Array(frame.rows)
  const kept: number[] = []
  for (let row = 0; row < frame.rows; row++) {
    target[row] = history.at(origins[Math.floor(row / horizon)]! + (row % horizon)) - base[row]!
    if (Number.isFinite(target[row]!)) kept.push(row)
  }
  if (kept.length === 0) return undefined
  const columns = frame.columns.map((column) => pick(column, kept))
  const known = pick(target, kept)
  const learnt = { rows: kept.length, names: frame.names, columns }
  const weeks = kept.map((row) => Math.floor(origins[Math.floor(row / horizon)]! / weekHours))
  return { model: boosting.fit(learnt, known, options), frame: learnt, weeks }
}

/** `Float64Array.from` with a function takes ten times as long. */
function pick(column: Float64Array, rows: readonly number[]): Float64Array {
  const picked = new Float64Array(rows.length)
  for (let at = 0; at < rows.length; at++) picked[at] = column[rows[at]!]!
  return picked
}

/** Share of the learnt difference that is taken: what would have been best over the hours judged so far. */
export class Shrink {
  #cross = 0
  #square = 0

  /** Before anything was judged: most of it, since no learner is perfect. */
  get share(): number {
    return this.#square > 0 ? Math.min(1, Math.max(0, this.#cross / this.#square)) : 0.7
  }

  add(difference: number, truth: number): void {
    if (!Number.isFinite(difference) || !Number.isFinite(truth)) return
    this.#cross += difference * truth
    this.#square += difference * difference
  }
}
