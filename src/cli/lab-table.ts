import { basename } from 'node:path'
import { closest } from 'fastest-levenshtein'
import { HomeostatError } from '../core/errors.ts'
import { badFile, badPathFor, clearBadFile } from '../sources/csv/bad-file.ts'
import { cellsOf } from '../sources/csv/guess-context.ts'
import { timeHints, timeSourceOf } from '../sources/csv/guess-time.ts'
import { type FileHead, readHead } from '../sources/csv/head.ts'
import { timeText } from '../sources/csv/mapping.ts'
import { type NumberStyle, parseCell, unclearNumbers } from '../sources/csv/numbers.ts'
import { type Row, readBlocks } from '../sources/csv/records.ts'
import { rowTimes } from '../sources/csv/row-time.ts'
import { isEpoch, readTimeFormat } from '../sources/csv/time.ts'
import type { BadRow } from '../sources/csv.ts'

/** A CSV file as it stands there: names, rows of cells, and the line of each row. */
export interface LabTable {
  readonly path: string
  /** File name without its folder, for sentences. */
  readonly name: string
  readonly head: FileHead
  /** Names of the columns; a row number without a name is called `row`. */
  readonly columns: readonly string[]
  /** Columns that only number the rows. */
  readonly rowNumbers: ReadonlySet<string>
  readonly rows: readonly (readonly string[])[]
  readonly lines: Int32Array
  /** By column: how its numbers are written. */
  readonly styles: readonly NumberStyle[]
  /** What is unusual about the file, as sentences for the user. */
  readonly notes: readonly string[]
}

/** More rows than this do not fit into memory as text. */
const rowsMax = 2_000_000

export interface TableOptions {
  /** Rows may be shorter or longer than the header. */
  readonly ragged?: boolean
  readonly decimal?: '.' | ','
  /** Rows that cannot be read are left out, counted, and written to a file. */
  readonly skipBadRows?: boolean
}

/**
 * Reads a whole CSV file. Rejects with `file_unreadable`, or with `data_invalid` naming the line of a row that cannot be
 * taken apart or has too few or too many fields.
 */
export async function readTable(path: string, options: TableOptions = {}): Promise<LabTable> {
  const head = await readHead(path, options.decimal === undefined ? {} : { decimal: options.decimal })
  const name = basename(path)
  const faultOf = options.skipBadRows ? rowCheck(head) : () => undefined
  const bad: BadRow[] = []
  const rows: (readonly string[])[] = []
  const lines: number[] = []
  for await (const block of readBlocks(path, head, head.data))
    for (const row of block.rows) {
      const fault = shapeFault(row, head.columns.length, options.ragged === true) ?? faultOf(row.fields ?? [])
      if (fault !== undefined) {
        if (!options.skipBadRows) refuse(name, row.line, fault)
        bad.push({ line: row.line, code: 'data_invalid', message: fault, text: row.text })
        continue
      }
      if (rows.length >= rowsMax) refuse(name, row.line, `at most ${rowsMax} rows are read`)
      rows.push(row.fields!)
      lines.push(row.line)
    }
  if (rows.length === 0)
    throw new HomeostatError('data_invalid', { detail: `${name} holds a header and no rows` })
  const columns = head.columns.map((column) => (column === unnamed ? 'row' : column))
  const rowNumbers = new Set(columns.filter((_, at) => head.columns[at] === unnamed))
  const notes = head.notes.map((note) => `${name}: ${note}`)
  if (options.skipBadRows) notes.push(...(await keepBad(path, name, bad)))
  return {
    path,
    name,
    head,
    columns,
    rowNumbers,
    rows,
    lines: Int32Array.from(lines),
    styles: head.styles,
    notes,
  }
}

function shapeFault(row: Row, width: number, ragged: boolean): string | undefined {
  if (!row.fields) return row.fault ?? 'the row cannot be taken apart'
  // a delimiter at the end of every line is no further field
  const padded = row.fields.length === width + 1 && row.fields[width]!.trim() === ''
  if (ragged || row.fields.length === width || padded) return undefined
  return `the row has ${row.fields.length} fields, the header ${width}`
}

/** Whether a row holds something else where nearly all rows hold a number or a time. */
function rowCheck(head: FileHead): (fields: readonly string[]) => string | undefined {
  const checks = head.columns.flatMap((column, index) => {
    const source = timeSourceOf({ head, flags: {} }, index)
    if (source && !isEpoch(source.format)) {
      const { read } = rowTimes({ ...source, zone: 'UTC' })
      return [(fields: readonly string[]) => typeof read(fields, '') === 'number' || column]
    }
    const style = head.styles[index] ?? '.'
    const cells = cellsOf(head, index).map((cell) => parseCell(cell, style))
    const numbers = cells.filter((value) => typeof value === 'number').length
    const texts = cells.filter((value) => value === undefined).length
    if (texts > 0.1 * (numbers + texts) || numbers === 0) return []
    return [(fields: readonly string[]) => parseCell(fields[index] ?? '', style) !== undefined || column]
  })
  return (fields) => {
    for (const check of checks) {
      const column = check(fields)
      if (column === true) continue
      const cell = fields[head.columns.indexOf(column)] ?? ''
      return `"${cell.trim().slice(0, 60)}" in the column ${column} is not what the other rows hold there`
    }
    return undefined
  }
}

async function keepBad(path: string, name: string, bad: readonly BadRow[]): Promise<string[]> {
  const file = badFile(await badPathFor(path), 0)
  // also what an earlier run left there
  await clearBadFile(file.path)
  if (bad.length === 0) return []
  await file.add(bad)
  await file.close()
  const rows =
    bad.length === 1 ? '1 row that cannot be read was' : `${bad.length} rows that cannot be read were`
  return [`${name}: ${rows} left out, by line number in ${file.path}.`]
}

/** What the reader of files calls a first column without a name. */
const unnamed = 'row_number'

function refuse(file: string, line: number, detail: string): never {
  throw new HomeostatError('data_invalid', { detail: `${file}, line ${line}: ${detail}` })
}

/** The style of a column. Throws `data_invalid` where 1,100 could be either of two numbers. */
export function styleOf(table: LabTable, at: number): NumberStyle {
  const style = table.styles[at] ?? '.'
  if (style !== 'unclear') return style
  throw new HomeostatError('data_invalid', {
    detail: `${table.name}: ${unclearNumbers(table.head, at)}`,
  })
}

/** Place of a column. Throws `column_unknown`, naming the columns that there are and the closest one. */
export function columnAt(table: LabTable, column: string): number {
  const at = table.columns.indexOf(column)
  if (at >= 0) return at
  const known = table.columns.slice(0, 30).join(', ') + (table.columns.length > 30 ? ', ...' : '')
  const near = closest(
    column.toLowerCase(),
    table.columns.map((name) => name.toLowerCase()),
  )
  const meant = table.columns.find((name) => name.toLowerCase() === near)
  const columns = `${known}${meant === undefined ? '' : ` (closest: ${meant})`}`
  throw new HomeostatError('column_unknown', { file: table.name, column, columns })
}

/** The cells of a column, without blanks around them. */
export function textColumn(table: LabTable, column: string): string[] {
  const at = columnAt(table, column)
  return table.rows.map((fields) => (fields[at] ?? '').trim())
}

/**
 * A column as numbers, NaN where a cell is empty or says that nothing was measured. Throws `data_invalid` naming line
 * and column of the first cell that is neither.
 */
export function numberColumn(table: LabTable, column: string): Float64Array {
  const at = columnAt(table, column)
  const style = styleOf(table, at)
  return Float64Array.from(table.rows, (fields, row) => {
    const cell = fields[at] ?? ''
    const number = parseCell(cell, style)
    if (number === undefined)
      refuse(
        table.name,
        table.lines[row]!,
        `"${cell.trim().slice(0, 60)}" in the column ${column} is not a number`,
      )
    return number ?? Number.NaN
  })
}

/** Whether no cell of the column is a number: then it holds names. */
export function holdsText(table: LabTable, column: string): boolean {
  const at = columnAt(table, column)
  const style = table.styles[at] ?? '.'
  let texts = 0
  for (const fields of table.rows) {
    const number = parseCell(fields[at] ?? '', style)
    if (typeof number === 'number') return false
    if (number === undefined) texts++
  }
  return texts > 0
}

/** Whether the cells of a column are times in words (2024-02-28 21:00, 28.2.2024), not numbers. */
export function holdsTimes(table: LabTable, column: string): boolean {
  const at = columnAt(table, column)
  const format = readTimeFormat(table.rows.slice(0, 100).map((fields) => fields[at] ?? ''))
  return format !== undefined && !isEpoch(format)
}

/** Whether the cells of a column are times, in words or as numbers since 1970 or days of a spreadsheet. */
export const readsAsTimes = (table: LabTable, column: string): boolean => {
  const cells = textColumn(table, column)
  const style = table.styles[columnAt(table, column)] ?? '.'
  const isPlain = cells.every((cell) => typeof parseCell(cell, style) === 'number')
  return !isPlain || readTimeFormat(cells.slice(0, 1000), timeHints(column, cells)) !== undefined
}

/**
 * A column of times as UTC epoch ms, joined with the clock times of another column where it holds days only; `zone` is
 * that of times without an offset. Throws `data_invalid` naming line and column of the first cell that is no time.
 */
export function timeColumn(table: LabTable, column: string, zone: string): Float64Array {
  const at = columnAt(table, column)
  const source = timeSourceOf({ head: table.head, flags: { zone } }, at)
  if (!source) {
    const first = table.rows[0]![at] ?? ''
    const why = `"${first.trim().slice(0, 60)}" in the column ${column} is not a time that can be read`
    return refuse(table.name, table.lines[0]!, why)
  }
  const { read } = rowTimes(source)
  return Float64Array.from(table.rows, (fields, row) => {
    const ms = read(fields, '')
    if (typeof ms === 'number') return ms
    // a zone can refuse what is a time elsewhere: an hour that its clocks leap over
    const cell = timeText(source, fields)
    const isLeapt = ms.message.includes(zone)
    const why = isLeapt ? `does not exist in ${zone}, whose clocks were put forward over it` : 'is not a time'
    return refuse(
      table.name,
      table.lines[row]!,
      `"${cell.trim().slice(0, 60)}" in the column ${column} ${why}`,
    )
  })
}
