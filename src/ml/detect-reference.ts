/**
 * Detection against a reference: the rows of a normal time are shown once, and every later row is judged by how unlike
 * them it is, for as long as it is. Rows are smoothed first: the mean of the last 20 tells of a change that single rows
 * hide in their noise.
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
import { fitPca, PcaModel } from './learners/pca.ts'
import { takeRows } from './rows.ts'
import { timeColumn } from './streaming.ts'
import { type TailState, TailWindow } from './tail.ts'

export interface ReferenceOptions {
  readonly falseAlarmsPerWeek: number
  /** Rows whose mean is judged. */
  readonly smoothingRows: number
  /** Blocks that the reference is cut into. */
  readonly blocks: number
  /** See PcaOptions. */
  readonly shrinkage: number
}

/** Chosen on the shared benchmark files; see bench/truth-anomaly.ts. */
export const referenceDefaults: ReferenceOptions = {
  falseAlarmsPerWeek: 2,
  smoothingRows: 20,
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
  const smooth = smoothed(frame, names, all.smoothingRows)
  const model = fitPca(smooth, { shrinkage: all.shrinkage })
  const stepMs = (at[frame.rows - 1]! - at[0]!) / Math.max(1, frame.rows - 1)
  const past = { capacity: frame.rows, tailShare, scores: heldOutScores(smooth, all) }
  return new ReferenceDetector({
    kind: 'reference-detector',
    names,
    options: all,
    model: model.toJSON(),
    past,
    alarmP: alarmPValue(all, stepMs),
    recent: [],
  })
}

interface ReferenceJson {
  readonly kind: 'reference-detector'
  readonly names: readonly string[]
  readonly options: ReferenceOptions
  readonly model: unknown
  readonly past: TailState
  readonly alarmP: number
  /** The newest rows, oldest first; null = missing. */
  readonly recent: readonly (readonly (number | null)[])[]
}

export class ReferenceDetector implements Detector {
  readonly #json: ReferenceJson
  readonly #model: PcaModel
  readonly #past: TailWindow
  #recent: Float64Array[]

  constructor(json: ReferenceJson) {
    this.#json = json
    this.#model = new PcaModel(json.model as ReturnType<PcaModel['toJSON']>)
    this.#past = TailWindow.load(json.past)
    this.#recent = json.recent.map((row) => Float64Array.from(row, (value) => value ?? Number.NaN))
  }

  static load(json: unknown): ReferenceDetector {
    return new ReferenceDetector(json as ReferenceJson)
  }

  next(values: ArrayLike<number>): Finding {
    const { names, options, alarmP } = this.#json
    this.#recent.push(Float64Array.from(values, (value) => (Number.isFinite(value) ? value : Number.NaN)))
    if (this.#recent.length > options.smoothingRows) this.#recent.shift()
    const columns = names.map((_, at) => Float64Array.of(meanOfKnown(this.#recent, at)))
    if (columns.every((column) => Number.isNaN(column[0]!)))
      return { score: 0, alarm: false, pValue: 1, column: undefined }
    const row = { rows: 1, names, columns }
    const pValue = this.#past.pValue(this.#model.predict(row)[0]!)
    const adds = this.#model.contributions(row)
    const column = names.reduce((most, name) => (adds[name]![0]! > adds[most]![0]! ? name : most), names[0]!)
    return { score: 1 - pValue, alarm: pValue <= alarmP, pValue, column }
  }

  toJSON(): ReferenceJson {
    return {
      ...this.#json,
      recent: this.#recent.map((row) => Array.from(row, (value) => (Number.isNaN(value) ? null : value))),
    }
  }
}

/**
 * The p-value from which on a row is an alarm. A strange smoothed row stays strange until its rows have left the mean,
 * so `falseAlarmsPerWeek` alarms are so many runs of `smoothingRows` rows.
 */
function alarmPValue(options: ReferenceOptions, stepMs: number): number {
  const rowsPerWeek = weekMs / Math.max(1, stepMs)
  return Math.min(0.5, (options.falseAlarmsPerWeek * options.smoothingRows) / rowsPerWeek)
}

function heldOutScores(smooth: Frame, options: ReferenceOptions): number[] {
  if (smooth.rows < options.blocks * options.smoothingRows)
    throw new HomeostatError('data_invalid', {
      detail: `a reference of ${smooth.rows} rows is too short; it needs ${options.blocks * options.smoothingRows}`,
    })
  const rows = Float64Array.from({ length: smooth.rows }, (_, row) => row)
  const reach = options.smoothingRows
  return purgedFolds(rows, { folds: options.blocks, purgeMs: reach, embargoMs: reach }).flatMap((fold) => {
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

function meanOfKnown(rows: readonly Float64Array[], place: number): number {
  let sum = 0
  let known = 0
  for (const row of rows) {
    if (Number.isNaN(row[place]!)) continue
    sum += row[place]!
    known++
  }
  return sum / known
}

/** Times of the rows; without such a column rows count as a minute apart. */
function timesOf(frame: Frame): Float64Array {
  const given = frame.columns[frame.names.indexOf(timeColumn)]
  return given ?? Float64Array.from({ length: frame.rows }, (_, row) => row * 60_000)
}
