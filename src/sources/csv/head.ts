import { createHash } from 'node:crypto'
import { open, stat } from 'node:fs/promises'
import { basename, extname } from 'node:path'
import { HomeostatError } from '../../core/errors.ts'
import { cutBlock, type Layout, type Place, type Row } from './records.ts'
import { readTimeFormat } from './time.ts'

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
  /** Where the first row of data starts. */
  readonly data: Place
  /** The first rows that have as many fields as there are columns. */
  readonly sample: readonly (readonly string[])[]
  /** Numbers are written 1.234,5. */
  readonly decimalComma: boolean
  /** What is unusual about the file, as sentences for the user. */
  readonly notes: readonly string[]
}

export interface HeadOptions {
  readonly delimiter?: string
  readonly decimal?: string
}

const headBytes = 256 * 1024
const sampleRows = 400
const delimiters = [';', '\t', '|', ','] as const

/** Reads the beginning of a file. Rejects with `file_unreadable` or `mapping_unclear`. */
export async function readHead(path: string, options: HeadOptions = {}): Promise<FileHead> {
  const { bytes, size } = await readStart(path)
  const notes: string[] = []
  const bom = bytes.subarray(0, 3).equals(Buffer.from([0xef, 0xbb, 0xbf])) ? 3 : 0
  const encoding = encodingOf(path, bytes, bytes.length < size)
  if (encoding === 'latin1') notes.push('The text is not UTF-8; it is read as Latin-1.')
  const body = bytes.subarray(bom)
  const delimiter = options.delimiter ?? guessDelimiter(body.toString(encoding))
  const layout = { delimiter, encoding }
  const start = { offset: bom, line: 1 }
  const { rows } = cutBlock(body, layout, start, bytes.length === size)
  const first = rows[0]
  if (!first?.fields) throw new HomeostatError('file_unreadable', { file: path, detail: 'it holds no rows' })
  const { columns, headed } = columnsOf(first.fields, rows, notes)
  // the place behind the first row: whatever stands before the second, blank lines too, is skipped by the reader
  const data = headed ? placeAfter(body, start, first) : start
  const sample = rows
    .slice(headed ? 1 : 0)
    .map((row) => row.fields ?? [])
    .filter((fields) => fields.length === columns.length)
    .slice(0, sampleRows)
  return {
    ...layout,
    path,
    stem: basename(path, extname(path)),
    bytes: size,
    sha256: createHash('sha256').update(bytes.subarray(0, 65_536)).digest('hex'),
    columns,
    data,
    sample,
    decimalComma: options.decimal === undefined ? usesComma(sample, delimiter) : options.decimal === ',',
    notes,
  }
}

async function readStart(path: string): Promise<{ bytes: Buffer; size: number }> {
  try {
    const { size } = await stat(path)
    const file = await open(path, 'r')
    try {
      const buffer = Buffer.alloc(Math.min(size, headBytes))
      const { bytesRead } = await file.read(buffer, 0, buffer.length, 0)
      return { bytes: buffer.subarray(0, bytesRead), size }
    } finally {
      await file.close()
    }
  } catch (error) {
    throw new HomeostatError('file_unreadable', { file: path, detail: explain(error) }, error)
  }
}

function explain(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (code === 'ENOENT') return 'there is no such file'
  if (code === 'EISDIR') return 'it is a folder; name a file'
  if (code === 'EACCES') return 'you may not read it'
  return error instanceof Error ? error.message : String(error)
}

function encodingOf(path: string, bytes: Buffer, cut: boolean): 'utf8' | 'latin1' {
  const [first, second] = bytes
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) {
    throw new HomeostatError('file_unreadable', { file: path, detail: 'it is UTF-16; save it as UTF-8' })
  }
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

/** The delimiter that cuts the first lines most evenly; of equals the one that cuts into more fields. */
function guessDelimiter(text: string): string {
  const lines = text.split('\n', 60).filter((line) => line.trim() !== '')
  if (lines.length > 2) lines.pop()
  let best = { delimiter: ',', share: 0, fields: 1 }
  for (const delimiter of delimiters) {
    const counts = lines.map((line) => unquoted(line).split(delimiter).length)
    const fields = mostCommon(counts.slice(1)) ?? counts[0] ?? 1
    if (fields < 2) continue
    const even = counts.filter((count, index) => count === fields || (index === 0 && count === fields - 1))
    const share = even.length / counts.length
    // one field in the header and two below is decimal commas, not a header that is one name short
    if (counts[0] === 1 && fields === 2) continue
    if (share > best.share || (share === best.share && fields > best.fields))
      best = { delimiter, share, fields }
  }
  return best.delimiter
}

const unquoted = (line: string): string => line.replace(/"[^"]*"/g, '')

function mostCommon(counts: readonly number[]): number | undefined {
  const times = new Map<number, number>()
  for (const count of counts) times.set(count, (times.get(count) ?? 0) + 1)
  return [...times].sort((a, b) => b[1] - a[1])[0]?.[0]
}

function columnsOf(
  first: readonly string[],
  rows: readonly Row[],
  notes: string[],
): { columns: string[]; headed: boolean } {
  const width = mostCommon(rows.slice(1).map((row) => row.fields?.length ?? 0)) ?? first.length
  if (looksLikeData(first)) {
    notes.push('The first row is data, so the columns are called column_1, column_2 and so on.')
    return { columns: first.map((_, index) => `column_${index + 1}`), headed: false }
  }
  let names = first.map((name) => name.trim())
  if (names.length === width - 1) {
    notes.push('The header is one name short: the first column is taken as a row number.')
    names = ['row_number', ...names]
  }
  return { columns: unique(names), headed: true }
}

/** A time in one field and a number in another: no header has that. */
function looksLikeData(fields: readonly string[]): boolean {
  const times = fields.filter((field) => readTimeFormat([field]) !== undefined)
  const numbers = fields.filter((field) => /^\s*-?\d+([.,]\d+)?\s*$/.test(field))
  return times.length > 0 && numbers.length > 0
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

function placeAfter(body: Buffer, start: Place, first: Row): Place {
  const linesBefore = first.line - start.line
  let offset = 0
  for (let line = 0; line < linesBefore; line++) offset = body.indexOf(10, offset) + 1
  const linesOfHeader = first.text.split('\n').length
  for (let line = 0; line < linesOfHeader; line++) {
    const next = body.indexOf(10, offset)
    offset = next < 0 ? body.length : next + 1
  }
  return { offset: start.offset + offset, line: first.line + linesOfHeader }
}

/** Numbers such as 21,5, and none such as 21.5, in a file whose delimiter leaves the comma free. */
function usesComma(sample: readonly (readonly string[])[], delimiter: string): boolean {
  if (delimiter === ',') return sample.some((row) => row.some((cell) => /^\s*-?\d+,\d+\s*$/.test(cell)))
  let commas = 0
  let points = 0
  for (const row of sample) {
    for (const cell of row) {
      if (/^\s*-?(\d+|\d{1,3}(\.\d{3})+),\d+\s*$/.test(cell)) commas++
      else if (/^\s*-?\d+\.\d+\s*$/.test(cell)) points++
    }
  }
  return commas > points
}
