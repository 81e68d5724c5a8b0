import { createHash } from 'node:crypto'
import { type FileHandle, open, stat } from 'node:fs/promises'
import { basename, extname } from 'node:path'
import { HomeostatError } from '../../core/errors.ts'
import { annotatedColumns, annotatedRows, isAnnotated } from './annotated.ts'
import { type NumberStyle, numberStyles } from './numbers.ts'
import {
  afterLastLine,
  afterLine,
  cutBlock,
  decode,
  type Encoding,
  type Layout,
  type Place,
  type Row,
} from './records.ts'
import { type Survey, surveyColumns, surveySeries } from './survey.ts'
import { findTable, mostCommon } from './table-start.ts'
import { unitOf } from './unit-words.ts'

/** What the beginning of a file says: enough to guess a mapping from, and to know the file again. */
export interface FileHead extends Layout {
  readonly path: string
  /** File name without folder and ending: the device of columns that name none. */
  readonly stem: string
  readonly bytes: number
  /** SHA-256 in hex of the first 64 KiB. */
  readonly sha256: string
  /** Column names, unique; a name that was missing or doubled is made up. */
  readonly columns: readonly string[]
  /** By column: the unit that a row below the header names, or a line above it for all. */
  readonly units: readonly (string | undefined)[]
  /** Where the first row of data starts. */
  readonly data: Place
  /** The first rows that have as many fields as there are columns. */
  readonly sample: readonly (readonly string[])[]
  /** Rows from further places of a long file, those of one place together. */
  readonly spread: readonly (readonly (readonly string[])[])[]
  /** By column: how its numbers are written. */
  readonly styles: readonly NumberStyle[]
  /** Present where several series share one column of values. */
  readonly survey?: Survey
  /** InfluxDB's annotated CSV: `columns` are those of all its tables. */
  readonly annotated?: true
  /** What is unusual about the file, as sentences for the user. */
  readonly notes: readonly string[]
}

export interface HeadOptions {
  readonly delimiter?: string
  readonly decimal?: string
}

const headBytes = 256 * 1024
const sampleRows = 4000
/** Places of a long file that are looked at besides its beginning: evenly spread, the last one at the end. */
const spreadPlaces = 8
const spreadBytes = 16 * 1024
const delimiters = [';', '\t', '|', ','] as const

/** Reads the beginning of a file, and samples of the rest. Rejects with `file_unreadable` or `mapping_unclear`. */
export async function readHead(path: string, options: HeadOptions = {}): Promise<FileHead> {
  const notes: string[] = []
  const { bytes, size, layout, start, spread } = await readStart(path, options, notes)
  const { rows } = cutBlock(bytes.subarray(start.offset), layout, start, bytes.length === size)
  const common = {
    ...{ ...layout, path, bytes: size, stem: basename(path, extname(path)), notes },
    sha256: createHash('sha256').update(bytes.subarray(0, 65_536)).digest('hex'),
  }
  if (isAnnotated(rows[0]?.text ?? '')) return annotatedHead(common, layout, start, rows)
  if (!rows[0]?.fields)
    throw new HomeostatError('file_unreadable', { file: path, detail: 'it holds no rows' })
  const table = findTable(rows)
  const { columns, units } = columnsOf(table, rows, notes)
  // the place behind the header: whatever stands before the first row of data, blank lines too, is skipped by the reader
  const before = table.data === 0 ? undefined : rows[table.data - 1]!
  const data = before ? placeAfter(bytes, layout.encoding, start, before) : start
  const ofTable = (some: readonly Row[]) =>
    some.flatMap(({ fields }) => (fields?.length === columns.length ? [fields] : []))
  const sample = ofTable(rows.slice(table.data)).slice(0, sampleRows)
  const far = spread.map((part) => ofTable(cutBlock(part, layout, start, true).rows))
  const shared = surveyColumns(columns)
  const ofWidth = ({ fields }: Row) => (fields?.length === columns.length ? fields : undefined)
  return {
    ...common,
    ...{ columns, units, data, sample, spread: far },
    ...(shared ? { survey: await surveySeries(path, layout, data, columns, shared, ofWidth) } : {}),
    styles:
      options.decimal === '.' || options.decimal === ','
        ? columns.map(() => options.decimal as NumberStyle)
        : numberStyles(columns.length, [...sample, ...far.flat()], layout.delimiter),
  }
}

/** Every table of an annotated file may have other columns, so that all of it is read before. */
async function annotatedHead(
  common: Pick<FileHead, 'path' | 'bytes' | 'stem' | 'sha256' | 'notes' | keyof Layout>,
  layout: Layout,
  start: Place,
  rows: readonly Row[],
): Promise<FileHead> {
  const { path } = common
  const { columns, keys, value } = await annotatedColumns(path, layout, start)
  if (value < 0)
    throw new HomeostatError('file_unreadable', { file: path, detail: 'its tables have no column _value' })
  const shape = annotatedRows(columns)
  const survey = await surveySeries(
    path,
    layout,
    start,
    columns,
    { keys, value },
    (row) => shape(row)?.fields,
  )
  return {
    ...common,
    ...{ columns, units: [], data: start, spread: [], survey, annotated: true },
    sample: sampleOf(rows, columns).slice(0, sampleRows),
    // the annotations say that numbers are written with a point
    styles: columns.map(() => '.'),
    notes: [...common.notes, 'Annotated CSV of InfluxDB.'],
  }
}

function sampleOf(rows: readonly Row[], columns: readonly string[]): (readonly string[])[] {
  const shape = annotatedRows(columns)
  return rows.flatMap((row) => {
    const fields = shape(row)?.fields
    return fields ? [fields] : []
  })
}

interface Start {
  readonly bytes: Buffer
  readonly size: number
  readonly layout: Layout
  /** Behind the byte order mark and a line that only names the delimiter. */
  readonly start: Place
  /** Whole lines from other places. */
  readonly spread: readonly Buffer[]
}

async function readStart(path: string, options: HeadOptions, notes: string[]): Promise<Start> {
  try {
    const { size } = await stat(path)
    const file = await open(path, 'r')
    try {
      const bytes = await readAt(file, 0, Math.min(size, headBytes))
      const encoding = encodingOf(path, bytes, bytes.length < size)
      if (encoding === 'latin1') notes.push('The text is not UTF-8; it is read as Latin-1.')
      const bom = bomBytes(bytes, encoding)
      const first = decode(bytes.subarray(bom, afterLine(bytes, encoding, bom)), encoding)
      // Excel's own line, such as sep=; in front of everything else
      const told = /^"?sep=(.)"?\r?\n?$/i.exec(first)?.[1]
      const start = told ? { offset: afterLine(bytes, encoding, bom), line: 2 } : { offset: bom, line: 1 }
      const text = decode(bytes.subarray(start.offset), encoding)
      const layout = { delimiter: options.delimiter ?? told ?? guessDelimiter(text), encoding }
      return { bytes, size, layout, start, spread: await readSpread(file, size, encoding) }
    } finally {
      await file.close()
    }
  } catch (error) {
    if (error instanceof HomeostatError) throw error
    throw new HomeostatError('file_unreadable', { file: path, detail: explain(error) }, error)
  }
}

async function readAt(file: FileHandle, offset: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length)
  const { bytesRead } = await file.read(buffer, 0, length, offset)
  return buffer.subarray(0, bytesRead)
}

async function readSpread(file: FileHandle, size: number, encoding: Encoding): Promise<Buffer[]> {
  const parts: Buffer[] = []
  const room = size - headBytes - spreadBytes
  for (let place = 1; place <= spreadPlaces && room > 0; place++) {
    // even, so that UTF-16 stays whole
    const offset = headBytes + Math.floor((room * place) / spreadPlaces / 2) * 2
    const bytes = await readAt(file, offset, spreadBytes)
    const from = afterLine(bytes, encoding, 0)
    parts.push(bytes.subarray(from, Math.max(from, afterLastLine(bytes, encoding))))
  }
  return parts
}

function explain(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (code === 'ENOENT') return 'there is no such file'
  if (code === 'EISDIR') return 'it is a folder; name a file'
  if (code === 'EACCES') return 'you may not read it'
  return error instanceof Error ? error.message : String(error)
}

function encodingOf(path: string, bytes: Buffer, cut: boolean): Encoding {
  const wide = utf16Of(bytes)
  if (wide) return wide
  if (bytes.includes(0)) {
    throw new HomeostatError('file_unreadable', { file: path, detail: 'it is not a text file' })
  }
  // a character may be cut in half at the end of what was read
  const whole = cut ? bytes.subarray(0, bytes.lastIndexOf(10) + 1) : bytes
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(whole)
    return 'utf8'
  } catch {
    return 'latin1'
  }
}

/** By the byte order mark, or by zeros in every second byte. */
function utf16Of(bytes: Buffer): 'utf16le' | 'utf16be' | undefined {
  const [first, second] = bytes
  if (first === 0xff && second === 0xfe) return 'utf16le'
  if (first === 0xfe && second === 0xff) return 'utf16be'
  const begin = bytes.subarray(0, 1000)
  const zeros = [0, 0]
  for (const [index, byte] of begin.entries()) if (byte === 0) zeros[index % 2]!++
  const [even = 0, odd = 0] = zeros
  if (begin.length < 8 || Math.max(even, odd) < 0.4 * (begin.length / 2) || Math.min(even, odd) > 0)
    return undefined
  return odd > even ? 'utf16le' : 'utf16be'
}

function bomBytes(bytes: Buffer, encoding: Encoding): number {
  if (encoding === 'utf8') return bytes.subarray(0, 3).equals(Buffer.from([0xef, 0xbb, 0xbf])) ? 3 : 0
  if (encoding === 'latin1') return 0
  return decode(bytes.subarray(0, 2), encoding) === '\ufeff' ? 2 : 0
}

/** The delimiter that cuts the first lines most evenly; of equals the one that cuts into more fields. */
function guessDelimiter(text: string): string {
  const all = text.split('\n', 400).filter((line) => line.trim() !== '' && !isRemark(line))
  if (all.length > 2) all.pop()
  // the last of them are rows of the table, whatever stands above it
  const lines = all.length > 61 ? [all[0]!, ...all.slice(-60)] : all
  let best = { delimiter: ',', share: 0, fields: 1 }
  for (const delimiter of delimiters) {
    const counts = lines.map((line) => unquoted(line).split(delimiter).length)
    const fields = mostCommon(counts.slice(1)) ?? counts[0] ?? 1
    if (fields < 2) continue
    const even = counts.filter((count, index) => count === fields || (index === 0 && count === fields - 1))
    const share = even.length / counts.length
    // one field in the header and two below is decimal commas, not a header that is one name short
    if (delimiter === ',' && counts[0] === 1 && fields === 2) continue
    if (share > best.share || (share === best.share && fields > best.fields))
      best = { delimiter, share, fields }
  }
  return best.delimiter
}

/** Annotations of InfluxDB begin with the same sign, and are cut like the rows below. */
const isRemark = (line: string): boolean => line.startsWith('#') && !isAnnotated(line)

const unquoted = (line: string): string => line.replace(/"[^"]*"/g, '')

function columnsOf(
  table: ReturnType<typeof findTable>,
  rows: readonly Row[],
  notes: string[],
): { columns: string[]; units: (string | undefined)[] } {
  if (table.header === undefined) {
    notes.push('The first row is data, so the columns are called column_1, column_2 and so on.')
    return { columns: rows[0]!.fields!.map((_, index) => `column_${index + 1}`), units: [] }
  }
  const header = rows[table.header]!
  const below = rows.slice(table.data)
  const width = mostCommon(below.map((row) => row.fields?.length ?? 0)) ?? header.fields!.length
  if (table.header > 0)
    notes.push(
      `The ${header.line - rows[0]!.line} lines above the header in line ${header.line} are no rows.`,
    )
  let names = header.fields!.map((name) => name.trim())
  const cells = table.units === undefined ? [] : rows[table.units]!.fields!
  if (names.length === width - 1) {
    notes.push('The header is one name short: the first column is taken as a row number.')
    names = ['row_number', ...names]
  }
  if (table.units !== undefined) notes.push(`Line ${rows[table.units]!.line} names the units of the columns.`)
  const shared = unitAbove(rows.slice(0, table.header))
  if (shared !== undefined) notes.push(`Above the header the unit ${shared} is named.`)
  const columns = unique(names)
  return { columns, units: columns.map((_, index) => unitOf(cells[index] ?? '') ?? shared) }
}

/** The one unit that the lines above the header name: beside or below a cell that says Unit. */
function unitAbove(rows: readonly Row[]): string | undefined {
  const found = new Set<string>()
  for (const [index, { fields = [] }] of rows.entries()) {
    for (const [place, cell] of fields.entries()) {
      const [name = '', value = ''] = cell.split(/[:=]/, 2)
      if (!/^\s*(unit[éesà]*|einheit|unidad|unit[àa])( of measure(ment)?)?\s*$/i.test(name)) continue
      const unit = [value, rows[index + 1]?.fields?.[place] ?? '', fields[place + 1] ?? '']
        .map(unitOf)
        .find(Boolean)
      if (unit !== undefined) found.add(unit)
    }
  }
  return found.size === 1 ? [...found][0] : undefined
}

function unique(names: readonly string[]): string[] {
  const seen = new Map<string, number>()
  return names.map((given, index) => {
    const name = given === '' ? (index === 0 ? 'row_number' : `column_${index + 1}`) : given
    const times = (seen.get(name) ?? 0) + 1
    seen.set(name, times)
    return times === 1 ? name : `${name}_${times}`
  })
}

function placeAfter(bytes: Buffer, encoding: Encoding, start: Place, row: Row): Place {
  const line = row.line + row.text.split('\n').length
  let { offset } = start
  for (let at = start.line; at < line; at++) offset = afterLine(bytes, encoding, offset)
  return { offset, line }
}
