/** Series out of CSV files: long (a value column), wide (a column a series), or m4 (a row a series). */
import { HomeostatError } from '../core/errors.ts'
import type { Series } from '../ml/forecast/series.ts'
import { parseCell } from '../sources/csv/numbers.ts'
import { type ReadingFlags, readingOf } from './lab-flags.ts'
import { type Grid, gridOf, type PlacedSeries, placeColumn } from './lab-grid.ts'
import {
  columnAt,
  holdsText,
  holdsTimes,
  type LabTable,
  numberColumn,
  readTable,
  textColumn,
} from './lab-table.ts'

export type SeriesFormat = 'long' | 'wide' | 'm4'

export interface SeriesFlags extends ReadingFlags {
  readonly format?: SeriesFormat
  readonly time?: string
  readonly value?: string
  /** Long format: the column that names the series of a row. */
  readonly series?: string
  readonly zone: string
}

/** Takes a sentence on what was found in a file and decided for its user. */
export type Note = (sentence: string) => void

/** Series in the order in which the file has them. Rejects with `column_unknown` or `data_invalid`. */
export async function readSeries(
  path: string,
  flags: SeriesFlags,
  note: Note = () => {},
): Promise<PlacedSeries[]> {
  // only rows of the m4 format may be shorter than the header
  const mayBeM4 = flags.format === 'm4' || (flags.format === undefined && flags.value === undefined)
  const table = await readTable(path, { ...readingOf(flags), ragged: mayBeM4 })
  for (const sentence of table.notes) note(sentence)
  return seriesOf(table, flags, note)
}

function seriesOf(table: LabTable, flags: SeriesFlags, note: Note): PlacedSeries[] {
  const named = flags.value?.split(',').map((name) => name.trim())
  if (flags.format === 'm4' || (flags.format === undefined && named === undefined && isM4(table)))
    return table.rows.map((_, row) => m4Row(table, row))
  checkWidths(table)
  const time = flags.time ?? timeOf(table, named ?? [])
  if (flags.format === 'wide' || (flags.format === undefined && (named?.length ?? 0) > 1))
    return wide(table, time, named, flags.zone, note)
  const isLong = flags.format === 'long' || named !== undefined || flags.series !== undefined
  const series =
    flags.series ?? (isLong || time !== undefined ? seriesColumn(table, time, named ?? [], note) : undefined)
  if (isLong || series !== undefined)
    return long(table, { time, series, value: named?.[0] }, flags.zone, note)
  return wide(table, time, named, flags.zone, note)
}

function checkWidths(table: LabTable): void {
  for (const [row, fields] of table.rows.entries())
    if (fields.length < table.columns.length)
      throw new HomeostatError('data_invalid', {
        detail: `${table.name}, line ${table.lines[row]}: the row has ${fields.length} fields, the header ${table.columns.length}`,
      })
}

/** The competition's own header. */
const isM4 = ({ columns }: LabTable): boolean => columns[0] === 'V1' && columns[1] === 'V2'

function m4Row(table: LabTable, row: number): Series {
  const [id = '', ...cells] = table.rows[row]!
  let end = cells.length
  while (end > 0 && cells[end - 1]!.trim() === '') end--
  const values = Float64Array.from({ length: end }, (_, at) => {
    const number = parseCell(cells[at]!, table.styles[at + 1] ?? '.')
    if (number === undefined) {
      const column = table.columns[at + 1] ?? String(at + 2)
      const detail = `${table.name}, line ${table.lines[row]}: "${cells[at]!.slice(0, 60)}" in the column ${column} is not a number`
      throw new HomeostatError('data_invalid', { detail })
    }
    return number ?? Number.NaN
  })
  return { id: id.trim(), values }
}

function wide(
  table: LabTable,
  time: string | undefined,
  named: readonly string[] | undefined,
  zone: string,
  note: Note,
): PlacedSeries[] {
  const columns = named ?? numberColumns(table, [time])
  if (columns.length === 0)
    throw new HomeostatError('data_invalid', { detail: `${table.name} has no column of numbers to forecast` })
  const grid = time === undefined ? undefined : gridOn(table, time, zone, note)
  return columns.map((column) => placed(column, numberColumn(table, column), grid))
}

interface LongColumns {
  readonly time: string | undefined
  readonly series: string | undefined
  readonly value: string | undefined
}

function long(table: LabTable, columns: LongColumns, zone: string, note: Note): PlacedSeries[] {
  const { time, series } = columns
  const value = columns.value ?? onlyNumbers(table, [time, series])
  columnAt(table, value)
  const names = series === undefined ? undefined : textColumn(table, series)
  const groups = new Map<string, number[]>()
  for (const row of table.rows.keys()) {
    const name = names?.[row] ?? value
    const rows = groups.get(name)
    if (rows) rows.push(row)
    else groups.set(name, [row])
  }
  return [...groups].map(([id, rows]) => {
    const part: LabTable = {
      ...table,
      name: series === undefined ? table.name : `${table.name}, series ${id}`,
      rows: rows.map((row) => table.rows[row]!),
      lines: Int32Array.from(rows, (row) => table.lines[row]!),
    }
    const grid = time === undefined ? undefined : gridOn(part, time, zone, note)
    return placed(id, numberColumn(part, value), grid)
  })
}

function gridOn(table: LabTable, time: string, zone: string, note: Note): Grid {
  const places = placeColumn(table, time, zone)
  if (places.zone === undefined)
    note(
      `${table.name}: the column ${time} holds plain numbers and no times; they are taken as numbers of steps.`,
    )
  return gridOf(table.name, time, places, note)
}

const placed = (id: string, values: Float64Array, grid: Grid | undefined): PlacedSeries =>
  grid
    ? { id, values: grid.place(values), start: grid.start, step: grid.step, ...grid.times }
    : { id, values }

const numberColumns = (table: LabTable, apart: readonly (string | undefined)[]): string[] =>
  table.columns.filter(
    (column) =>
      !apart.includes(column) &&
      !table.rowNumbers.has(column) &&
      !holdsTimes(table, column) &&
      !holdsText(table, column),
  )

function onlyNumbers(table: LabTable, apart: readonly (string | undefined)[]): string {
  const fit = numberColumns(table, apart)
  if (fit.length === 1) return fit[0]!
  throw new HomeostatError('data_invalid', {
    detail: `${table.name}: say by --value which column to forecast (${fit.join(', ') || 'none holds numbers'})`,
  })
}

/** What a column of times is called where its cells are plain numbers, which could be anything. */
const timeNames = /^(time|times|timestamp|date|datetime|ds|step|t)$/i

function timeOf(table: LabTable, values: readonly string[]): string | undefined {
  const free = table.columns.filter((column) => !values.includes(column))
  return free.find((column) => holdsTimes(table, column)) ?? free.find((column) => timeNames.test(column))
}

/**
 * The column that tells apart rows of the same time, where there are such and one does: names before numbers. Without
 * times, names that come again.
 */
function seriesColumn(
  table: LabTable,
  time: string | undefined,
  values: readonly string[],
  note: Note,
): string | undefined {
  const times = time === undefined ? undefined : textColumn(table, time)
  const distinctTimes = new Set(times).size
  if (times && distinctTimes === times.length) return undefined
  const rows = table.rows.length
  const free = table.columns.filter((column) => column !== time && !values.includes(column))
  const isName = (column: string): boolean => holdsText(table, column) && !holdsTimes(table, column)
  const isNumber = (column: string): boolean =>
    times !== undefined && !isName(column) && textColumn(table, column).every((cell) => /^\d+$/.test(cell))
  const tellsApart = (column: string): boolean => {
    const names = textColumn(table, column)
    const distinct = new Set(names).size
    if (distinct > rows / 2) return false
    // numbers that tell series apart have most of the times each; measurements have not
    if (!isName(column) && rows / distinct < distinctTimes / 2) return false
    return times === undefined || new Set(names.map((name, row) => `${name}\n${times[row]}`)).size === rows
  }
  const found = free.filter(isName).find(tellsApart) ?? free.filter(isNumber).find(tellsApart)
  if (found !== undefined)
    note(`${table.name}: the column ${found} is taken as the name of the series (--series names another).`)
  return found
}
