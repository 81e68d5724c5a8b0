/** What `lab learn` takes from a table: features, target, times and groups, the same for training and test. */

import { HomeostatError } from '../core/errors.ts'
import { dayMs } from '../core/time.ts'
import type { Frame } from '../ml/frame.ts'
import type { TableTask } from '../ml/learn.ts'
import { takeRows, takeValues } from '../ml/rows.ts'
import { spansFor, timedFeatures } from '../ml/tabular.ts'
import {
  columnAt,
  holdsText,
  holdsTimes,
  type LabTable,
  numberColumn,
  textColumn,
  timeColumn,
} from './lab-table.ts'

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
  /** Made features that training has seen too little of to learn from. */
  readonly left: readonly string[]
  /** What was decided for the user. */
  readonly notes: readonly string[]
}

export interface LabRows {
  readonly frame: Frame
  readonly target: Float64Array
  /** UTC ms, with `--time`. */
  readonly at?: Float64Array
  readonly groups?: readonly string[]
}

/** Classes that numbers are taken for where no task is named: few, whole, from 0 on. */
const classesMax = 20
/** Classes that are told apart at most, and each has two rows at least on average. */
const classesMost = 1000

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
    if (holdsText(table, column)) {
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
  return { flags, task, numbers, names, labels, left: [], notes, ...timed }
}

/** The hour needs three days and the weekday three weeks of training, else they stand for single days. */
function timesOf(table: LabTable, flags: ColumnFlags): Pick<Plan, 'spansMs' | 'left'> {
  const at = timeColumn(table, flags.time!, flags.zone).sort()
  const days = (at[at.length - 1]! - at[0]!) / dayMs
  return {
    spansMs: spansFor(at),
    left: [...(days < 3 ? ['hour'] : []), ...(days < 21 ? ['weekday'] : [])],
  }
}

function guessTask(table: LabTable, target: string): TableTask {
  if (holdsText(table, target)) return 'classification'
  const distinct = new Set(numberColumn(table, target).filter((value) => !Number.isNaN(value)))
  const whole = [...distinct].every((value) => Number.isInteger(value) && value >= 0)
  return whole && distinct.size <= classesMax ? 'classification' : 'regression'
}

function labelsOf(table: LabTable, target: string): string[] {
  const labels = [...new Set(textColumn(table, target))].filter((label) => label !== '')
  const numeric = labels.every((label) => Number.isFinite(Number(label)))
  labels.sort(numeric ? (a, b) => Number(a) - Number(b) : undefined)
  if (labels.length < 2)
    throw new HomeostatError('data_invalid', {
      detail: `${table.name}: the target ${target} has one class only (${labels[0] ?? 'no value'}); there is nothing to tell apart`,
    })
  if (labels.length > Math.min(classesMost, table.rows.length / 2))
    throw new HomeostatError('data_invalid', {
      detail: `${table.name}: the target ${target} has ${labels.length} classes in ${table.rows.length} rows; --task regression learns numbers`,
    })
  return labels
}

/** Rows with a target, in order of group and time; features made before rows without one are left out. */
export function rowsOf(table: LabTable, plan: Plan): LabRows {
  const { flags, numbers, names, spansMs } = plan
  const target = targetOf(table, plan)
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
  const full =
    sortedAt && spansMs
      ? timedFeatures(sorted, sortedAt, { spansMs, zone: flags.zone }, sortedGroups)
      : sorted
  const made = without(full, new Set(plan.left))
  const truth = takeValues(target, order)
  const known = [...truth.keys()].filter((row) => !Number.isNaN(truth[row]!))
  if (known.length === 0)
    throw new HomeostatError('data_invalid', {
      detail: `${table.name}: the target ${flags.target} holds no value`,
    })
  return {
    frame: takeRows(made, known),
    target: takeValues(truth, known),
    ...(sortedAt ? { at: takeValues(sortedAt, known) } : {}),
    ...(sortedGroups ? { groups: known.map((row) => sortedGroups[row]!) } : {}),
  }
}

function targetOf(table: LabTable, { flags, task, labels }: Plan): Float64Array {
  if (task === 'regression') return numberColumn(table, flags.target)
  const codes = new Map(labels.map((label, code) => [label, code]))
  return Float64Array.from(textColumn(table, flags.target), (label, row) => {
    if (label === '') return Number.NaN
    const code = codes.get(label)
    if (code === undefined)
      throw new HomeostatError('data_invalid', {
        detail: `${table.name}, line ${table.lines[row]}: "${label.slice(0, 60)}" in the column ${flags.target} is no class of the training (${labels.slice(0, 10).join(', ')})`,
      })
    return code
  })
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

function without(frame: Frame, names: ReadonlySet<string>): Frame {
  const kept = [...frame.names.keys()].filter((at) => !names.has(frame.names[at]!))
  return {
    ...frame,
    names: kept.map((at) => frame.names[at]!),
    columns: kept.map((at) => frame.columns[at]!),
  }
}
