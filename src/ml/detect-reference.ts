/**
 * Detection against a reference: the rows of a normal time are shown once, and every later row is judged by how unlike
 * them it is, for as long as it is. Rows are smoothed first: a mean tells of a change that single rows hide in their
 * noise. How slow the change will be nobody knows, so means of three lengths are watched.
 *
 * The scores of the reference itself would be too small, because the model was made from them. So p-values are read
 * off scores of rows that their model did not see: the reference is cut into blocks, and each block is scored by a
 * model of the others, with the rows near the cut left out (cross-conformal, Vovk 2015).
 */
import { HomeostatError } from '../core/errors.ts'
import { type DetectOptions, type Detector, type Finding, StreamDetector, weekMs } from './detect.ts'
import { purgedFolds } from './folds.ts'
import type { Frame } from './frame.ts'
import { checkFrame, columnsByName } from './learners/columns.ts'
import { fitPca, PcaModel, sumOf } from './learners/pca.ts'
import { takeRows } from './rows.ts'
import { timeColumn } from './streaming.ts'
import { sidak, type TailState, TailWindow } from './tail.ts'

export interface ReferenceOptions {
  readonly falseAlarmsPerWeek: number
  /** Numbers of rows whose mean is judged, rising. */
  readonly scalesRows: readonly number[]
  /** Blocks that the reference is cut into. */
  readonly blocks: number
  /** See PcaOptions. */
  readonly shrinkage: number
}

/**
 * Chosen on labelled series (bench/truth-anomaly.ts). F1 there stays within 0.02 for a shrinkage of 0.5 and for a tenth
 * or ten times as many false alarms.
 */
export const referenceDefaults: ReferenceOptions = {
  falseAlarmsPerWeek: 2,
  scalesRows: [10, 20, 40],
  blocks: 5,
  shrinkage: 0.2,
}

/** Share of the reference's scores that the tail is fitted to: of a few hundred rows a fiftieth would be too few. */
const tailShare = 0.1

/**
 * A detector that knows what is normal. `frame` holds the columns to watch (and the time of each row as `at`, ms).
 * One column alone is no state to compare with, so it is watched as a stream that has seen the reference already.
 * Throws `data_invalid` where the reference is too short to be cut.
 */
export function trainDetector(
  frame: Frame,
  options: Partial<ReferenceOptions> = {},
  streamOptions: Partial<DetectOptions> = {},
): Detector {
  checkFrame(frame)
  const names = frame.names.filter((name) => name !== timeColumn)
  const at = timesOf(frame)
  if (names.length === 1) {
    const { falseAlarmsPerWeek } = options
    const stream = new StreamDetector(names, {
      ...(falseAlarmsPerWeek === undefined ? {} : { falseAlarmsPerWeek }),
      ...streamOptions,
    })
    const column = columnsByName(frame, names)[0]!
    for (let row = 0; row < frame.rows; row++) stream.next(column.subarray(row, row + 1), at[row]!)
    return stream
  }
  const all = { ...referenceDefaults, ...options }
  const stepMs = (at[frame.rows - 1]! - at[0]!) / Math.max(1, frame.rows - 1)
  const scales = fittingScales(frame.rows, all).map((rows): ScaleJson => {
    const smooth = smoothed(frame, names, rows)
    const scores = heldOutScores(smooth, rows, all)
    const model = fitPca(smooth, { shrinkage: all.shrinkage })
    return { rows, model: model.toJSON(), past: { capacity: frame.rows, tailShare, scores } }
  })
  return new ReferenceDetector({
    kind: 'reference-detector',
    names,
    scales,
    alarmP: alarmPValue(all, stepMs),
    recent: [],
  })
}

/** A detector of either kind as it was when it was written as JSON. */
export function loadDetector(json: unknown): Detector {
  const { kind } = json as { kind?: unknown }
  if (kind === 'reference-detector') return ReferenceDetector.load(json)
  if (kind === 'stream-detector') return StreamDetector.load(json)
  throw new HomeostatError('data_invalid', { detail: `there is no kind of detector ${String(kind)}` })
}

interface ScaleJson {
  readonly rows: number
  readonly model: ReturnType<PcaModel['toJSON']>
  readonly past: TailState
}

interface ReferenceJson {
  readonly kind: 'reference-detector'
  readonly names: readonly string[]
  readonly scales: readonly ScaleJson[]
  readonly alarmP: number
  /** The newest rows in the order of `names`, oldest first; null = missing. */
  readonly recent: readonly (readonly (number | null)[])[]
}

export class ReferenceDetector implements Detector {
  readonly #json: ReferenceJson
  readonly #scales: readonly { readonly rows: number; readonly model: PcaModel; readonly past: TailWindow }[]
  /** Place of each of the models' columns in a row. */
  readonly #places: readonly number[]
  readonly #recentMax: number
  #recent: Float64Array[]

  constructor(json: ReferenceJson) {
    this.#json = json
    this.#scales = json.scales.map(({ rows, model, past }) => ({
      rows,
      model: new PcaModel(model),
      past: TailWindow.load(past),
    }))
    this.#places = this.#scales[0]!.model.names.map((name) => json.names.indexOf(name))
    this.#recentMax = Math.max(...json.scales.map((scale) => scale.rows))
    this.#recent = json.recent.map((row) => Float64Array.from(row, (value) => value ?? Number.NaN))
  }

  static load(json: unknown): ReferenceDetector {
    return new ReferenceDetector(json as ReferenceJson)
  }

  next(values: ArrayLike<number>): Finding {
    this.#recent.push(Float64Array.from(values, (value) => (Number.isFinite(value) ? value : Number.NaN)))
    if (this.#recent.length > this.#recentMax) this.#recent.shift()
    let smallest = 1
    let column: string | undefined
    for (const { rows, model, past } of this.#scales) {
      const means = meansOfKnown(this.#recent, rows, this.#places)
      if (means.every(Number.isNaN)) continue
      const adds = model.contributionsOf(means)
      const pValue = past.pValue(sumOf(adds))
      if (pValue > smallest) continue
      smallest = pValue
      column = model.names[adds.indexOf(Math.max(...adds))]
    }
    const pValue = sidak(smallest, this.#scales.length)
    return { score: 1 - pValue, alarm: pValue <= this.#json.alarmP, pValue, column }
  }

  toJSON(): ReferenceJson {
    return {
      ...this.#json,
      recent: this.#recent.map((row) => Array.from(row, (value) => (Number.isNaN(value) ? null : value))),
    }
  }
}

/**
 * The p-value from which on a row is an alarm. A strange mean stays strange until its rows have left it, so
 * `falseAlarmsPerWeek` alarms are so many runs of as many rows as the middle scale has.
 */
function alarmPValue(options: ReferenceOptions, stepMs: number): number {
  const rowsPerWeek = weekMs / Math.max(1, stepMs)
  const runRows = options.scalesRows[options.scalesRows.length >> 1]!
  return Math.min(0.5, (options.falseAlarmsPerWeek * runRows) / rowsPerWeek)
}

/** The scales that the reference is long enough for: a block must hold a mean that no other block has a share in. */
function fittingScales(rows: number, options: ReferenceOptions): number[] {
  const fitting = options.scalesRows.filter((window) => rows >= options.blocks * window)
  if (fitting.length === 0)
    throw new HomeostatError('data_invalid', {
      detail: `a reference of ${rows} rows is too short; it needs ${options.blocks * Math.min(...options.scalesRows)}`,
    })
  return fitting
}

/** Scores of the reference's rows by models that did not see them. */
function heldOutScores(smooth: Frame, window: number, options: ReferenceOptions): number[] {
  // rows stand for time here: purged and embargoed by the rows that a mean holds
  const rows = Float64Array.from({ length: smooth.rows }, (_, row) => row)
  return purgedFolds(rows, { folds: options.blocks, purgeMs: window, embargoMs: window }).flatMap((fold) => {
    const model = fitPca(takeRows(smooth, fold.train), { shrinkage: options.shrinkage })
    return [...model.predict(takeRows(smooth, fold.test))]
  })
}

/** Each value the mean of the known ones among the last `window` rows. */
function smoothed(frame: Frame, names: readonly string[], window: number): Frame {
  const columns = columnsByName(frame, names).map((column) => {
    const smooth = new Float64Array(frame.rows)
    for (let row = 0; row < frame.rows; row++) {
      let sum = 0
      let known = 0
      for (let back = Math.max(0, row - window + 1); back <= row; back++) {
        if (Number.isNaN(column[back]!)) continue
        sum += column[back]!
        known++
      }
      smooth[row] = sum / known
    }
    return smooth
  })
  return { rows: frame.rows, names, columns }
}

/** Mean of the known values of the last `window` rows, one a place; NaN where none is known. */
function meansOfKnown(
  rows: readonly Float64Array[],
  window: number,
  places: readonly number[],
): Float64Array {
  const from = Math.max(0, rows.length - window)
  return Float64Array.from(places, (place) => {
    let sum = 0
    let known = 0
    for (let row = from; row < rows.length; row++) {
      const value = rows[row]![place]!
      if (Number.isNaN(value)) continue
      sum += value
      known++
    }
    return sum / known
  })
}

/** Times of the rows; without such a column rows count as a minute apart. */
function timesOf(frame: Frame): Float64Array {
  const given = frame.columns[frame.names.indexOf(timeColumn)]
  return given ?? Float64Array.from({ length: frame.rows }, (_, row) => row * 60_000)
}
