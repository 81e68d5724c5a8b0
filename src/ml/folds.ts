/**
 * Ways to split rows into training and test so that the test is never known beforehand. There is deliberately no
 * random split: rows of a home lie close in time, and their neighbours in the training set would give them away.
 */
import { HomeostatError } from '../core/errors.ts'

/** Row numbers, rising. No row is in both. */
export interface Fold {
  readonly name: string
  readonly train: Int32Array
  readonly test: Int32Array
}

export interface RollingOriginOptions {
  /** How many test stretches; the last one ends at the last row. */
  readonly folds: number
  /** Rows of a test stretch. They follow one another without a gap unless `stepRows` says otherwise. */
  readonly testRows: number
  readonly stepRows?: number
  /** Rows left out between training and test: lead time - 1, where the target of a row lies ahead of it. */
  readonly gapRows?: number
  /** Folds with fewer training rows are left out; default 1. */
  readonly minTrainRows?: number
  /** Keep only so many of the newest training rows; default all of them. */
  readonly maxTrainRows?: number
}

/**
 * Rolling origin (Tashman 2000): training is always what came before the test. Rows in order of time.
 * Throws `data_invalid` where not one fold fits.
 */
export function rollingOrigin(rows: number, options: RollingOriginOptions): Fold[] {
  const { folds, testRows, stepRows = testRows, gapRows = 0, minTrainRows = 1, maxTrainRows = rows } = options
  const made: Fold[] = []
  for (let fold = folds - 1; fold >= 0; fold--) {
    const testEnd = rows - fold * stepRows
    const testStart = testEnd - testRows
    const trainEnd = testStart - gapRows
    if (trainEnd < minTrainRows) continue
    made.push({
      name: `origin ${testStart}`,
      train: range(Math.max(0, trainEnd - maxTrainRows), trainEnd),
      test: range(testStart, testEnd),
    })
  }
  if (made.length === 0)
    throw new HomeostatError('data_invalid', {
      detail: `${rows} rows are too few for one test of ${testRows} after ${minTrainRows} to learn from`,
    })
  return made
}

/** One fold a group (run, home, day): trained on all others. Groups in the order in which they appear. */
export function leaveGroupOut(groups: ArrayLike<number | string>): Fold[] {
  const members = new Map<number | string, number[]>()
  for (let row = 0; row < groups.length; row++) {
    const list = members.get(groups[row]!)
    if (list) list.push(row)
    else members.set(groups[row]!, [row])
  }
  if (members.size < 2)
    throw new HomeostatError('data_invalid', {
      detail: `leaving one group out needs two groups, there ${members.size === 1 ? 'is 1' : 'are none'}`,
    })
  const all = range(0, groups.length)
  return [...members].map(([group, rows]) => ({
    name: String(group),
    train: all.filter((row) => groups[row] !== group),
    test: Int32Array.from(rows),
  }))
}

export interface PurgedOptions {
  readonly folds: number
  /** How far ahead of its row a target may lie: training rows this close before a test are left out. */
  readonly purgeMs: number
  /** How long features remember: training rows this close after a test are left out. */
  readonly embargoMs: number
}

/**
 * K stretches of time, each tested once by training on the rest, with the rows around the test purged and embargoed
 * (Lopez de Prado 2018, chapter 7). `at` is each row's time in ms, not falling. For data too short for rolling origin:
 * the future helps to explain the past here, so it does not stand for live use.
 */
export function purgedFolds(at: ArrayLike<number>, options: PurgedOptions): Fold[] {
  const { folds, purgeMs, embargoMs } = options
  const rows = at.length
  if (folds < 2 || rows < folds)
    throw new HomeostatError('data_invalid', { detail: `${rows} rows cannot be split into ${folds} folds` })
  for (let row = 1; row < rows; row++)
    if (!(at[row]! >= at[row - 1]!))
      throw new HomeostatError('data_invalid', {
        detail: `rows must be in order of time, row ${row + 1} is not`,
      })
  const all = range(0, rows)
  return Array.from({ length: folds }, (_, fold) => {
    const start = Math.floor((fold * rows) / folds)
    const end = Math.floor(((fold + 1) * rows) / folds)
    const from = at[start]! - purgeMs
    const to = at[end - 1]! + embargoMs
    const outside = (row: number): boolean =>
      (row < start && at[row]! < from) || (row >= end && at[row]! > to)
    return { name: `fold ${fold + 1} of ${folds}`, train: all.filter(outside), test: range(start, end) }
  })
}

const range = (from: number, to: number): Int32Array =>
  Int32Array.from({ length: to - from }, (_, at) => from + at)
