import { convert, knownUnit } from '../../core/units.ts'
import { isAbsent } from './absent.ts'
import { type NumberStyle, parseCell } from './numbers.ts'

/** Cells with their unit beside the number, as dashboards export them: 1.20 kW, 21.3 °C, 45 %. */
export interface Quantity {
  readonly value: number
  /** Absent where the cell holds the number only. */
  readonly unit?: string
}

const withUnit =
  /^([+\-\u2212]?(?:\d|[.,]\d)[\d.,'\u2019 \u00a0\u2009\u202f]*(?:e[+-]?\d+)?)\s*([^\d\s.,+-].{0,39})$/iu

/** The last unit that was read: the cells of a column have few. */
let last: { readonly text: string; readonly unit: string | undefined } = { text: '', unit: undefined }

/** Number and unit of a cell, each as text. Undefined for cells that are not of this form. */
export function splitUnit(cell: string): { readonly number: string; readonly unit: string } | undefined {
  const [, number, text] = withUnit.exec(cell.trim()) ?? []
  if (number === undefined || text === undefined) return undefined
  if (last.text !== text) last = { text, unit: unitIn(text) }
  return last.unit === undefined ? undefined : { number: number.trim(), unit: last.unit }
}

/** A dashboard writes 1.20 K for 1,200, so that a K in a cell is no kelvin. */
const unitIn = (text: string): string | undefined => (/^k$/i.test(text) ? undefined : knownUnit(text))

/** As `parseCell`, with the unit where the cell has one. */
export function parseQuantity(cell: string, style: NumberStyle): Quantity | null | undefined {
  const value = parseCell(cell, style)
  if (value !== undefined) return value === null ? null : { value }
  const split = splitUnit(cell)
  if (!split) return isAbsentWithUnit(cell) ? null : undefined
  const number = parseCell(split.number, style)
  return typeof number === 'number' ? { value: number, unit: split.unit } : undefined
}

/** A number in `unit`, converted where the cell names another one; without `unit`, cells with a unit are no numbers. */
export function parseIn(
  cell: string,
  style: NumberStyle,
  unit: string | undefined,
): number | null | undefined {
  if (unit === undefined) return parseCell(cell, style)
  const quantity = parseQuantity(cell, style)
  if (!quantity) return quantity
  return quantity.unit === undefined ? quantity.value : convert(quantity.value, quantity.unit, unit)
}

/** "NaN W" and "-- °C" have no value either. */
function isAbsentWithUnit(cell: string): boolean {
  const [, word, text] = /^(\S+)\s+(\S+)$/.exec(cell.trim()) ?? []
  return word !== undefined && text !== undefined && isAbsent(word) && knownUnit(text) !== undefined
}

/** The unit that most cells of a column name. `mixed`: others name another one. */
export interface CellUnit {
  readonly unit: string
  readonly mixed: boolean
}

/** By column: the unit in its cells, where at least half of them name one. */
export function cellUnits(columns: number, rows: readonly (readonly string[])[]): (CellUnit | undefined)[] {
  return Array.from({ length: columns }, (_, index) => cellUnitOf(rows.map((row) => row[index] ?? '')))
}

export function cellUnitOf(cells: readonly string[]): CellUnit | undefined {
  const times = new Map<string, number>()
  let bare = 0
  for (const cell of cells) {
    const unit = splitUnit(cell)?.unit
    if (unit !== undefined) times.set(unit, (times.get(unit) ?? 0) + 1)
    else if (!isAbsent(cell)) bare++
  }
  const [most] = [...times].sort((a, b) => b[1] - a[1])
  const named = [...times.values()].reduce((sum, count) => sum + count, 0)
  return most && named >= bare ? { unit: most[0], mixed: times.size > 1 } : undefined
}
