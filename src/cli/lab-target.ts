/** What `lab learn` takes for words: the column that it learns is numbers, or classes, whatever their words mean elsewhere. */
import { HomeostatError } from '../core/errors.ts'
import { parseValue } from '../core/reading.ts'
import type { TableTask } from '../ml/learn.ts'
import { type LabTable, numberColumn, textColumn } from './lab-table.ts'

/** Classes that numbers are taken for where no task is named: few, whole, from 0 on. */
const classesMax = 20
/** Classes that are told apart at most, and each has two rows at least on average. */
const classesMost = 1000

/** What a logger writes where it knew no value. `none` may be a class. */
const unknownLabels = new Set([
  '',
  'unavailable',
  'unknown',
  'undefined',
  'nan',
  'na',
  'n/a',
  'null',
  '-',
  '?',
])

const isKnown = (cell: string): boolean => !unknownLabels.has(cell.toLowerCase())

/** `on` and `open` are words here: only what begins like a number is one. */
const isNumeric = (cell: string): boolean => /^[+-]?[.,]?\d/.test(cell)

/** Whether a known cell of the column is a word: then its cells are classes. */
const holdsWords = (table: LabTable, target: string): boolean =>
  textColumn(table, target).some((cell) => isKnown(cell) && !isNumeric(cell))

/**
 * Whether a column that is learnt from holds names: words only, some of which are no states. A column of states (on,
 * off) is taken as numbers; `clear` beside `rain` is a name like it.
 */
export function holdsNames(table: LabTable, column: string): boolean {
  const known = textColumn(table, column).filter(isKnown)
  return known.some((cell) => parseValue(cell) === undefined) && !known.some(isNumeric)
}

export function guessTask(table: LabTable, target: string): TableTask {
  if (holdsWords(table, target)) return 'classification'
  const distinct = new Set(knownNumbers(table, target).filter((value) => !Number.isNaN(value)))
  const whole = [...distinct].every((value) => Number.isInteger(value) && value >= 0)
  return whole && distinct.size <= classesMax ? 'classification' : 'regression'
}

/** The classes of a target, in their order. Throws `data_invalid` where there are none to tell apart, or too many. */
export function labelsOf(table: LabTable, target: string): string[] {
  const labels = [...new Set(textColumn(table, target))].filter(isKnown)
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

/** One value a row, the code of the class where there are `labels`; NaN where the target is not known. */
export function targetOf(table: LabTable, target: string, labels: readonly string[]): Float64Array {
  if (labels.length === 0) return knownNumbers(table, target)
  const codes = new Map(labels.map((label, code) => [label, code]))
  return Float64Array.from(textColumn(table, target), (label, row) => {
    if (!isKnown(label)) return Number.NaN
    const code = codes.get(label)
    if (code === undefined)
      throw new HomeostatError('data_invalid', {
        detail: `${table.name}, line ${table.lines[row]}: "${label.slice(0, 60)}" in the column ${target} is no class of the training (${labels.slice(0, 10).join(', ')})`,
      })
    return code
  })
}

/** As `numberColumn`, NaN also where a logger wrote that it knew no value. */
function knownNumbers(table: LabTable, target: string): Float64Array {
  const cells = textColumn(table, target)
  const known = [...cells.keys()].filter((row) => isKnown(cells[row]!))
  const part: LabTable = {
    ...table,
    rows: known.map((row) => table.rows[row]!),
    lines: Int32Array.from(known, (row) => table.lines[row]!),
  }
  const numbers = numberColumn(part, target)
  const values = new Float64Array(cells.length).fill(Number.NaN)
  for (const [at, row] of known.entries()) values[row] = numbers[at]!
  return values
}
