/** What `lab learn` takes from a table: features, target, times and groups, the same for training and test. */

import { HomeostatError } from '../core/errors.ts'
import { dayMs } from '../core/time.ts'
import type { Frame } from '../ml/frame.ts'
import type { TableTask } from '../ml/learn.ts'
import { takeRows, takeValues } from '../ml/rows.ts'
import { type ClockFeature, spansFor, timedFeatures } from '../ml/tabular.ts'
import { columnAt, holdsTimes, type LabTable, numberColumn, textColumn, timeColumn } from './lab-table.ts'
import { guessTask, holdsNames, labelsOf, targetOf } from './lab-target.ts'

export interface ColumnFlags {
  readonly target: string
  readonly task?: TableTask
  readonly drop: readonly string[]
  readonly time?: string
  readonly group?: string
  readonly zone: string
}

/** How a table is read, as settled by the training file. */
export interface Plan {
  readonly flags: ColumnFlags
  readonly task: TableTask
  /** Columns of numbers, and columns of names with the codes of training. */
  readonly numbers: readonly string[]
  readonly names: readonly { readonly column: string; readonly codes: ReadonlyMap<string, number> }[]
  /** Labels of the classes 0..K-1; empty for regression. */
  readonly labels: readonly string[]
  /** Present with `--time`. */
  readonly spansMs?: readonly number[]
  /** What is made of the clock: what training has seen enough of to learn from. */
  readonly clock: readonly ClockFeature[]
  /** What was decided for the user. */
  readonly notes: readonly string[]
}

export interface LabRows {
  readonly frame: Frame
  readonly target: Float64Array
  /** UTC ms, with `--time`. */
  readonly at?: Float64Array
  readonly groups?: readonly string[]
  /** Rows that were left out because their target is not known. */
  readonly leftOut: number
}

/** Settles the columns. Throws `column_unknown` or `data_invalid`. */
export function planOf(table: LabTable, flags: ColumnFlags): Plan {
  columnAt(table, flags.target)
  for (const column of flags.drop) columnAt(table, column)
  const apart = new Set([flags.target, ...flags.drop, ...table.rowNumbers])
  for (const column of [flags.time, flags.group])
    if (column !== undefined) {
      columnAt(table, column)
      apart.add(column)
    }
  if (flags.drop.includes(flags.target) || flags.time === flags.target || flags.group === flags.target)
    throw new HomeostatError('data_invalid', {
      detail: `the column ${flags.target} is the target; it cannot be dropped, nor be the time or the group`,
    })
  const notes: string[] = [...table.notes]
  if (table.rowNumbers.size > 0 && flags.target !== 'row')
    notes.push('The column row only numbers the rows; it is no feature.')
  const numbers: string[] = []
  const names: { column: string; codes: Map<string, number> }[] = []
  for (const column of table.columns) {
    if (apart.has(column)) continue
    if (holdsTimes(table, column)) {
      notes.push(`The column ${column} holds times; it is no feature (--time ${column} makes use of it).`)
      continue
    }
    if (textColumn(table, column).every((cell) => cell === ''))
      throw new HomeostatError('data_invalid', {
        detail: `${table.name}: the column ${column} is empty in every row; leave it out by --drop ${column}`,
      })
    if (holdsNames(table, column)) {
      const labels = [...new Set(textColumn(table, column))].filter((label) => label !== '').sort()
      names.push({ column, codes: new Map(labels.map((label, code) => [label, code])) })
    } else {
      const values = numberColumn(table, column)
      if (values.every((value) => Number.isNaN(value)))
        throw new HomeostatError('data_invalid', {
          detail: `${table.name}: the column ${column} holds no value in any row; leave it out by --drop ${column}`,
        })
      numbers.push(column)
    }
  }
  if (numbers.length + names.length === 0)
    throw new HomeostatError('data_invalid', {
      detail: `${table.name} has no column to learn from besides the target`,
    })
  const task = flags.task ?? guessTask(table, flags.target)
  const labels = task === 'classification' ? labelsOf(table, flags.target) : []
  const timed = flags.time === undefined ? {} : timesOf(table, flags)
  return { flags, task, numbers, names, labels, clock: [], notes, ...timed }
}

/** The hour needs three days and the weekday three weeks of training, else they stand for single days. */
function timesOf(table: LabTable, flags: ColumnFlags): Pick<Plan, 'spansMs' | 'clock'> {
  const at = timeColumn(table, flags.time!, flags.zone).sort()
  const days = (at[at.length - 1]! - at[0]!) / dayMs
  return {
    spansMs: spansFor(at),
    clock: [...(days < 3 ? [] : ['hour' as const]), ...(days < 21 ? [] : ['weekday' as const])],
  }
}

/** Rows with a target, in order of group and time; features made before rows without one are left out. */
export function rowsOf(table: LabTable, plan: Plan): LabRows {
  const { flags, numbers, names, spansMs } = plan
  const target = targetOf(table, flags.target, plan.labels)
  const frame: Frame = {
    rows: table.rows.length,
    names: [...numbers, ...names.map(({ column }) => column)],
    columns: [
      ...numbers.map((column) => numberColumn(table, column)),
      ...names.map(({ column, codes }) =>
        Float64Array.from(textColumn(table, column), (label) => codes.get(label) ?? Number.NaN),
      ),
    ],
    categorical: names.map(({ column }) => column),
  }
  const groups = flags.group === undefined ? undefined : textColumn(table, flags.group)
  const at = flags.time === undefined ? undefined : timeColumn(table, flags.time, flags.zone)
  const order = orderOf(frame.rows, at, groups)
  const sorted = takeRows(frame, order)
  const sortedAt = at && takeValues(at, order)
  const sortedGroups = groups && Array.from(order, (row) => groups[row]!)
  const made =
    sortedAt && spansMs
      ? timedFeatures(sorted, sortedAt, { spansMs, zone: flags.zone, clock: plan.clock }, sortedGroups)
      : sorted
  const truth = takeValues(target, order)
  const known = [...truth.keys()].filter((row) => !Number.isNaN(truth[row]!))
  if (known.length === 0)
    throw new HomeostatError('data_invalid', {
      detail: `${table.name}: the target ${flags.target} holds no value`,
    })
  return {
    frame: takeRows(made, known),
    target: takeValues(truth, known),
    leftOut: table.rows.length - known.length,
    ...(sortedAt ? { at: takeValues(sortedAt, known) } : {}),
    ...(sortedGroups ? { groups: known.map((row) => sortedGroups[row]!) } : {}),
  }
}

/** Rows by group in the order of the groups' first rows, within a group by time, else as they stand. */
function orderOf(
  rows: number,
  at: Float64Array | undefined,
  groups: readonly string[] | undefined,
): Int32Array {
  const rank = new Map<string, number>()
  for (const group of groups ?? []) if (!rank.has(group)) rank.set(group, rank.size)
  const groupOf = (row: number): number => (groups ? rank.get(groups[row]!)! : 0)
  const order = Int32Array.from({ length: rows }, (_, row) => row)
  return order.sort((a, b) => groupOf(a) - groupOf(b) || (at ? at[a]! - at[b]! : 0) || a - b)
}
