import { basename } from 'node:path'
import { closest } from 'fastest-levenshtein'
import { HomeostatError } from '../core/errors.ts'
import { readHead } from '../sources/csv/head.ts'
import { readBlocks } from '../sources/csv/records.ts'
import { parseCell } from '../sources/csv/rows.ts'
import { readTimeFormat, timesOf } from '../sources/csv/time.ts'

/** A CSV file as it stands there: names, rows of cells, and the line of each row. */
export interface LabTable {
  readonly path: string
  /** File name without its folder, for sentences. */
  readonly name: string
  /** Names of the columns; a row number without a name is called `row`. */
  readonly columns: readonly string[]
  /** Columns that only number the rows. */
  readonly rowNumbers: ReadonlySet<string>
  readonly rows: readonly (readonly string[])[]
  readonly lines: Int32Array
  readonly decimalComma: boolean
  /** What is unusual about the file, as sentences for the user. */
  readonly notes: readonly string[]
}

/** More rows than this do not fit into memory as text. */
const rowsMax = 2_000_000

/**
 * Reads a whole CSV file. `ragged` allows rows shorter or longer than the header. Rejects with `file_unreadable`, or
 * with `data_invalid` naming the line of a row that cannot be taken apart or has too few or too many fields.
 */
export async function readTable(path: string, ragged = false): Promise<LabTable> {
  const head = await readHead(path)
  const rows: (readonly string[])[] = []
  const lines: number[] = []
  const width = head.columns.length
  const name = basename(path)
  for await (const block of readBlocks(path, head, head.data))
    for (const row of block.rows) {
      if (!row.fields) refuse(name, row.line, row.fault ?? 'the row cannot be taken apart')
      // a delimiter at the end of every line is no further field
      const padded = row.fields.length === width + 1 && row.fields[width]!.trim() === ''
      if (!ragged && row.fields.length !== width && !padded)
        refuse(name, row.line, `the row has ${row.fields.length} fields, the header ${width}`)
      if (rows.length >= rowsMax) refuse(name, row.line, `at most ${rowsMax} rows are read`)
      rows.push(row.fields)
      lines.push(row.line)
    }
  if (rows.length === 0)
    throw new HomeostatError('data_invalid', { detail: `${name} holds a header and no rows` })
  const columns = head.columns.map((column) => (column === unnamed ? 'row' : column))
  const rowNumbers = new Set(columns.filter((_, at) => head.columns[at] === unnamed))
  return {
    path,
    name,
    columns,
    rowNumbers,
    rows,
    lines: Int32Array.from(lines),
    decimalComma: head.decimalComma,
    notes: head.notes.map((note) => `${name}: ${note}`),
  }
}

/** What the reader of files calls a first column without a name. */
const unnamed = 'row_number'

function refuse(file: string, line: number, detail: string): never {
  throw new HomeostatError('data_invalid', { detail: `${file}, line ${line}: ${detail}` })
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
  return Float64Array.from(table.rows, (fields, row) => {
    const cell = fields[at] ?? ''
    const number = parseCell(cell, table.decimalComma)
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
  let texts = 0
  for (const fields of table.rows) {
    const number = parseCell(fields[at] ?? '', table.decimalComma)
    if (typeof number === 'number') return false
    if (number === undefined) texts++
  }
  return texts > 0
}

/** Whether the cells of a column are times in words (2024-02-28 21:00, 28.2.2024), not numbers. */
export function holdsTimes(table: LabTable, column: string): boolean {
  const at = columnAt(table, column)
  const sample = table.rows.slice(0, 100).map((fields) => fields[at] ?? '')
  const format = readTimeFormat(sample)
  return format !== undefined && format !== 'epoch_s' && format !== 'epoch_ms'
}

/** Whether the cells of a column are times, in words or as seconds or milliseconds since 1970. */
export const readsAsTimes = (table: LabTable, column: string): boolean => {
  const cells = textColumn(table, column)
  const isPlain = cells.every((cell) => typeof parseCell(cell, table.decimalComma) === 'number')
  return !isPlain || readTimeFormat(cells.slice(0, 1000)) !== undefined
}

/**
 * A column of times as UTC epoch ms; `zone` is that of times without an offset. Throws `data_invalid` naming line and
 * column of the first cell that is no time.
 */
export function timeColumn(table: LabTable, column: string, zone: string): Float64Array {
  const cells = textColumn(table, column)
  const format = readTimeFormat(cells.slice(0, 1000))
  if (!format)
    refuse(
      table.name,
      table.lines[0]!,
      `"${cells[0]!.slice(0, 60)}" in the column ${column} is not a time that can be read`,
    )
  const { read } = timesOf(format, zone)
  return Float64Array.from(cells, (cell, row) => {
    const at = read(cell, '')
    if (typeof at === 'number') return at
    // a zone can refuse what is a time elsewhere: an hour that its clocks leap over
    const isLeapt = at.message.includes(zone)
    const why = isLeapt ? `does not exist in ${zone}, whose clocks were put forward over it` : 'is not a time'
    return refuse(table.name, table.lines[row]!, `"${cell.slice(0, 60)}" in the column ${column} ${why}`)
  })
}
