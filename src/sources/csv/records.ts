import { open } from 'node:fs/promises'
import { parse } from 'csv-parse/sync'

/** A row of the file as it stands there. `fields` is absent where the row cannot be taken apart; `fault` says why. */
export interface Row {
  /** Line of the file that it starts on; the first line is 1. */
  readonly line: number
  readonly text: string
  readonly fields?: readonly string[]
  readonly fault?: string
}

/** A place between two rows: bytes before it, and the line that comes next. */
export interface Place {
  readonly offset: number
  readonly line: number
}

/** Whole rows that stand together in the file, and where the next one starts. */
export interface Block {
  readonly rows: readonly Row[]
  readonly end: Place
}

export interface Layout {
  readonly delimiter: string
  readonly encoding: Encoding
}

export type Encoding = 'utf8' | 'latin1' | 'utf16le' | 'utf16be'

/** The text of bytes that hold whole characters. */
export const decode = (bytes: Buffer, encoding: Encoding): string => {
  if (encoding !== 'utf16be') return bytes.toString(encoding)
  return Buffer.from(bytes.subarray(0, bytes.length & ~1))
    .swap16()
    .toString('utf16le')
}

/** Byte behind the last line end before `end`; 0 if there is none. */
export function afterLastLine(bytes: Buffer, encoding: Encoding, end = bytes.length): number {
  const [width, place] = lineEnd(encoding)
  let at = end
  do at = at < 1 ? -1 : bytes.lastIndexOf(10, at - 1)
  while (at >= 0 && !isLineEnd(bytes, at, width, place))
  return at < 0 ? 0 : at + width - place
}

/** Byte behind the first line end from `from` on; the length if there is none. */
export function afterLine(bytes: Buffer, encoding: Encoding, from: number): number {
  const [width, place] = lineEnd(encoding)
  let at = bytes.indexOf(10, from)
  while (at >= 0 && !isLineEnd(bytes, at, width, place)) at = bytes.indexOf(10, at + 1)
  return at < 0 ? bytes.length : at + width - place
}

/** Bytes of a line end, and where its 10 is among them. */
const lineEnd = (encoding: Encoding): readonly [number, number] =>
  encoding === 'utf16le' ? [2, 0] : encoding === 'utf16be' ? [2, 1] : [1, 0]

/** In UTF-16 a byte of 10 may be half of another character. `bytes` begins at a whole one. */
const isLineEnd = (bytes: Buffer, at: number, width: number, place: number): boolean =>
  width === 1 || (at % 2 === place && bytes[at + 1 - 2 * place] === 0)

/** Memory stays at a few of these, however large the file. */
const blockBytes = 512 * 1024
/** A row larger than this is a quote that was never closed. */
const recordBytesMax = 256 * 1024

/**
 * Streams the rows of a file from `from` on, a block at a time; the next block is read when the last was taken.
 * Rejects with the error of the file system.
 */
export async function* readBlocks(
  path: string,
  layout: Layout,
  from: Place,
  signal?: AbortSignal,
): AsyncGenerator<Block> {
  const file = await open(path, 'r')
  try {
    const buffer = Buffer.allocUnsafe(blockBytes + recordBytesMax)
    let place = from
    let kept = 0
    for (;;) {
      if (signal?.aborted) return
      const room = Math.min(blockBytes, buffer.length - kept)
      const { bytesRead } = await file.read(buffer, kept, room, place.offset + kept)
      const filled = kept + bytesRead
      const last = bytesRead === 0
      const block = cutBlock(buffer.subarray(0, filled), layout, place, last)
      const used = block.end.offset - place.offset
      place = block.end
      if (used > 0) yield block
      if (last) return
      buffer.copyWithin(0, used, filled)
      kept = filled - used
    }
  } finally {
    await file.close()
  }
}

/**
 * Takes the whole rows at the start of `bytes`. A row that is not complete is left for the next block, unless this
 * is the `last` one or the row has grown too large.
 */
export function cutBlock(bytes: Buffer, layout: Layout, start: Place, last: boolean): Block {
  const whole = last ? bytes.length : afterLastLine(bytes, layout.encoding)
  if (whole === 0 && bytes.length >= recordBytesMax) return pieceOfLine(bytes, layout, start)
  if (whole === 0) return { rows: [], end: start }
  const text = decode(bytes.subarray(0, whole), layout.encoding)
  const lines = text.split('\n')
  if (text.endsWith('\n')) lines.pop()
  if (!text.includes('"')) {
    const rows: Row[] = []
    let line = start.line
    for (const raw of lines) takePlain(rows, line++, raw, layout.delimiter)
    return { rows, end: { offset: start.offset + whole, line } }
  }
  const { rows, open: openFrom } = splitQuoted(lines, start.line, layout.delimiter)
  let end: Place = { offset: start.offset + whole, line: start.line + lines.length }
  if (openFrom < lines.length) {
    const rest = lines.slice(openFrom)
    const restBytes = bytesOf(rest.join('\n') + (text.endsWith('\n') ? '\n' : ''), layout.encoding)
    if (last || bytes.length - whole + restBytes >= recordBytesMax) {
      for (const row of resync(rest, start.line + openFrom, layout.delimiter)) rows.push(row)
    } else {
      end = { offset: start.offset + whole - restBytes, line: start.line + openFrom }
    }
  }
  return { rows, end }
}

const bytesOf = (text: string, encoding: Encoding): number =>
  Buffer.byteLength(text, encoding === 'utf16be' ? 'utf16le' : encoding)

/** A line longer than any row: it is taken in pieces, all of them bad and on the same line. */
function pieceOfLine(bytes: Buffer, layout: Layout, start: Place): Block {
  const fault = `the line is longer than ${recordBytesMax} bytes`
  const rows = [{ line: start.line, text: decode(bytes, layout.encoding), fault }]
  return { rows, end: { offset: start.offset + bytes.length, line: start.line } }
}

/** A row without quotes needs no parser: it is its fields between delimiters. */
function takePlain(rows: Row[], line: number, raw: string, delimiter: string): void {
  const text = raw.endsWith('\r') ? raw.slice(0, -1) : raw
  if (text.trim() !== '') rows.push({ line, text, fields: text.split(delimiter) })
}

/** Rows of lines that hold quotes somewhere. `open` is the index of the line whose quote is still open, or the count of lines. */
function splitQuoted(
  lines: readonly string[],
  firstLine: number,
  delimiter: string,
): { rows: Row[]; open: number } {
  const rows: Row[] = []
  const quoted: { place: number; line: number; lines: string[] }[] = []
  let begun: string[] = []
  for (const [index, raw] of lines.entries()) {
    if (begun.length === 0 && !raw.includes('"')) {
      takePlain(rows, firstLine + index, raw, delimiter)
      continue
    }
    begun.push(raw.endsWith('\r') ? raw.slice(0, -1) : raw)
    if (isOdd(raw) === (begun.length === 1)) continue
    // an even number of quotes on a first line, or an odd one on a later line, closes the row
    const line = firstLine + index - begun.length + 1
    quoted.push({ place: rows.length, line, lines: begun })
    rows.push({ line, text: begun.join('\n') })
    begun = []
  }
  parseQuoted(rows, quoted, delimiter)
  return { rows: rows.flatMap((row) => unfold(row, delimiter)), open: lines.length - begun.length }
}

/** All quoted rows of a block in one call of the parser; one by one only where one of them is broken. */
function parseQuoted(
  rows: Row[],
  quoted: readonly { place: number; line: number; lines: string[] }[],
  delimiter: string,
): void {
  const texts = quoted.map((one) => one.lines.join('\n'))
  const together = tryParse(texts.join('\n'), delimiter)
  if (together && together.length === quoted.length) {
    for (const [index, one] of quoted.entries()) {
      rows[one.place] = { line: one.line, text: texts[index]!, fields: together[index]! }
    }
    return
  }
  for (const [index, one] of quoted.entries()) {
    const text = texts[index]!
    const alone = tryParse(text, delimiter, true)
    rows[one.place] =
      alone?.length === 1
        ? { line: one.line, text, fields: alone[0]! }
        : { line: one.line, text, fault: 'the quotes of the row do not match' }
  }
}

/** A broken row of several lines is one bad line that swallowed good ones: give those back. */
function unfold(row: Row, delimiter: string): Row[] {
  if (row.fault === undefined || !row.text.includes('\n')) return [row]
  return resync(row.text.split('\n'), row.line, delimiter)
}

function resync(lines: readonly string[], firstLine: number, delimiter: string): Row[] {
  const rows: Row[] = []
  let rest = lines
  let line = firstLine
  while (rest.length > 0) {
    rows.push({ line, text: rest[0]!.replace(/\r$/, ''), fault: 'a quote is opened and not closed' })
    rest = rest.slice(1)
    line++
    const split = splitQuoted(rest, line, delimiter)
    for (const row of split.rows) rows.push(row)
    line += split.open
    rest = rest.slice(split.open)
  }
  return rows
}

function tryParse(text: string, delimiter: string, trim = false): string[][] | undefined {
  try {
    const options = { delimiter, trim, relax_column_count: true, record_delimiter: '\n' }
    if (!text.includes('="')) return parse(text, options) as string[][]
    const rows = parse(withoutFormulas(text, delimiter), options) as string[][]
    return rows.map((fields) => fields.map((field) => /^="(.*)"$/.exec(field)?.[1] ?? field))
  } catch {
    return undefined
  }
}

/** Excel keeps the zeros of ="0123"; what it shows is 0123. */
const withoutFormulas = (text: string, delimiter: string): string =>
  text.replace(/(^|.)="/gms, (all, before: string) =>
    before === '' || before === '\n' || before === delimiter ? `${before}"` : all,
  )

function isOdd(text: string): boolean {
  let odd = false
  for (let at = text.indexOf('"'); at >= 0; at = text.indexOf('"', at + 1)) odd = !odd
  return odd
}
