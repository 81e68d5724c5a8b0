import { isUtf8 } from 'node:buffer'
import {
  ByteCache,
  type ByteText,
  byteText,
  hasDuplicateTags,
  type LineHead,
  parseHead,
  unescapeKey,
} from './line-protocol-head.ts'
import { parseFloat64, parseInteger } from './line-protocol-numbers.ts'
import { type Moment, parseMoment } from './line-protocol-time.ts'

/** A value with its type. Integers are exact: a number while it is a safe integer, a bigint beyond. */
export type LineField =
  | { readonly key: string; readonly kind: 'float'; readonly value: number }
  | { readonly key: string; readonly kind: 'integer' | 'unsigned'; readonly value: number | bigint }
  | { readonly key: string; readonly kind: 'boolean'; readonly value: boolean }
  | { readonly key: string; readonly kind: 'string'; readonly value: string }

/** A good line: one point. `line` counts from 1. `time` is absent where the line has none. */
export interface LinePoint {
  readonly kind: 'point'
  readonly line: number
  readonly head: LineHead
  readonly fields: readonly LineField[]
  readonly time: Moment | undefined
}

/** A bad line: its beginning as text, and what is wrong, in InfluxDB's words. */
export interface LineFault {
  readonly kind: 'fault'
  readonly line: number
  readonly text: string
  readonly reason: string
}

/** What lines of earlier bodies had in common with those to come. */
export class LineCache {
  readonly heads = new ByteCache<LineHead>()
  readonly fieldKeys = new ByteCache<string>()
}

const faultTextBytes = 1024

const [newline, carriageReturn, space, quote, hash, comma] = [10, 13, 32, 34, 35, 44]
const [minus, dot, zero, nine, equals, backslash, del] = [45, 46, 48, 57, 61, 92, 127]
const [letterI, letterU] = [105, 117]

const powersOfTen = Array.from({ length: 23 }, (_, power) => Number(`1e${power}`))
/** Decimal digits that a double always holds exactly. */
const exactDigits = 15

const booleans: Readonly<Record<string, boolean>> = {
  ...{ t: true, T: true, true: true, True: true, TRUE: true },
  ...{ f: false, F: false, false: false, False: false, FALSE: false },
}

/**
 * Reads InfluxDB line protocol from bytes, line by line. It accepts, refuses and understands what InfluxDB's reference
 * decoder does (github.com/influxdata/line-protocol/v2); duplicate tag keys are refused, too. After a bad line it goes on
 * with the next.
 *
 * Only what is new becomes text: the measurement and tags of a series are taken apart once, then found by their bytes.
 */
export class LineReader {
  readonly #text: ByteText
  readonly #bytes: Buffer
  readonly #end: number
  readonly #unitNanos: number
  readonly #cache: LineCache
  #position = 0
  #line = 1
  /** Where the last search for a blank ended. */
  #blankAt = -1
  /** Why the current line is bad, once it is known. */
  #reason = ''
  #hasDuplicates = false

  /** `unitNanos`: unit of the timestamps, see `nanosOf`. */
  constructor(bytes: Buffer, unitNanos: number, cache: LineCache = new LineCache()) {
    this.#text = byteText(bytes)
    this.#bytes = bytes
    this.#end = bytes.length
    this.#unitNanos = unitNanos
    this.#cache = cache
  }

  /** The next line that is neither empty nor a comment; undefined at the end. */
  next(): LinePoint | LineFault | undefined {
    const start = this.#skipEmptyLines()
    if (start === undefined) return undefined
    const line = this.#line
    this.#reason = ''
    this.#hasDuplicates = false
    const head = this.#bytes[start] === hash ? this.#fail('invalid character in a comment') : this.#head()
    const fields = head && this.#fields()
    const time = fields && this.#time()
    if (!head || !fields || this.#reason !== '') {
      this.#skipLine()
      return this.#fault(line, start, this.#reason)
    }
    if (this.#hasDuplicates) return this.#fault(line, start, 'duplicate tags')
    return { kind: 'point', line, head, fields, time }
  }

  /** Moves to the next line with content; returns its start. */
  #skipEmptyLines(): number | undefined {
    const bytes = this.#bytes
    for (;;) {
      while (this.#position < this.#end && bytes[this.#position] === space) this.#position++
      if (this.#position >= this.#end) return undefined
      const start = this.#position
      if (bytes[start] === hash) {
        while (this.#position < this.#end && !isControl(bytes[this.#position]!)) this.#position++
      }
      if (this.#takeEndOfLine()) continue
      if (bytes[start] !== hash) this.#position = start
      return start
    }
  }

  /** Takes a line's end, or the end of the bytes. */
  #takeEndOfLine(): boolean {
    if (this.#position >= this.#end) return true
    const byte = this.#bytes[this.#position]
    if (byte === newline) this.#position++
    else if (byte === carriageReturn && this.#bytes[this.#position + 1] === newline) this.#position += 2
    else if (byte === carriageReturn && this.#position + 1 === this.#end) this.#position++
    else return false
    if (byte === newline || this.#position < this.#end) this.#line++
    return true
  }

  #head(): LineHead | undefined {
    const start = this.#position
    const text = this.#text
    let index = this.#nextBlank(start)
    const known = this.#cache.heads.find(text, start, index)
    if (!known) {
      index = this.#endOfHead(start)
      const head = parseHead(text.bytes, start, index)
      this.#position = index
      if (typeof head === 'string') return this.#fail(head)
      if (index >= this.#end || text.bytes[index] !== space) return this.#fail(this.#missingAfterHead(index))
      // the rest of the line is read all the same: a string in it may hold the end of a line
      this.#hasDuplicates = hasDuplicateTags(head)
      if (!this.#hasDuplicates) this.#cache.heads.keep(text, start, index, head)
      this.#skipBlanks()
      return head
    }
    this.#position = index
    this.#skipBlanks()
    return known
  }

  /** The next blank that no backslash escapes, wherever it is: beyond this line, it is remembered for those to come. */
  #nextBlank(start: number): number {
    if (this.#blankAt >= start) return this.#blankAt
    const { bytes } = this.#text
    let index = bytes.indexOf(space, start)
    while (index > start && bytes[index - 1] === backslash) index = bytes.indexOf(space, index + 1)
    this.#blankAt = index < 0 ? this.#end : index
    return this.#blankAt
  }

  #endOfHead(start: number): number {
    const { bytes } = this.#text
    for (let index = start; index < this.#end; index++) {
      const byte = bytes[index]!
      if (byte <= space || byte === del) return index
      if (byte === backslash && bytes[index + 1] === space) index++
    }
    return this.#end
  }

  #missingAfterHead(index: number): string {
    const isComplete = index >= this.#end || isLineEnd(this.#bytes[index]!)
    return isComplete ? 'missing fields' : 'invalid character in measurement or tags'
  }

  #fields(): LineField[] | undefined {
    let field = this.#field()
    if (!field) return undefined
    const fields = [field]
    for (;;) {
      const byte = this.#position < this.#end ? this.#bytes[this.#position]! : newline
      if (byte !== comma) {
        return byte === space || isLineEnd(byte) ? fields : this.#fail('invalid field format')
      }
      this.#position++
      field = this.#field()
      if (!field) return undefined
      fields.push(field)
    }
  }

  #field(): LineField | undefined {
    const key = this.#fieldKey()
    if (key === undefined) return undefined
    if (this.#position >= this.#end) return this.#fail('missing field value')
    const byte = this.#bytes[this.#position]!
    if (byte === quote) return this.#string(key)
    if ((byte >= zero && byte <= nine) || byte === minus || byte === dot) return this.#number(key)
    const text = this.#token()
    const value = /^[tTfF]/.test(text) ? booleans[text] : undefined
    if (value !== undefined) return { key, kind: 'boolean', value }
    if (text === '') return this.#fail('missing field value')
    return this.#fail(/^[tTfF]/.test(text) ? 'invalid boolean' : 'invalid number')
  }

  /** The key up to its equals sign, which is taken, too. */
  #fieldKey(): string | undefined {
    const bytes = this.#bytes
    const end = this.#end
    const start = this.#position
    let index = start
    for (; index < end; index++) {
      const byte = bytes[index]!
      if (byte <= space || byte === equals || byte === comma || byte === del) break
      if (byte !== backslash) continue
      const next = bytes[index + 1]
      if (next === space || next === comma || next === equals) index++
    }
    this.#position = index
    if (index === start) return this.#fail('missing field key')
    if (index >= end || bytes[index] !== equals) return this.#fail('missing field value')
    this.#position = index + 1
    const known = this.#cache.fieldKeys.find(this.#text, start, index)
    if (known !== undefined) return known
    if (!isUtf8(bytes.subarray(start, index))) return this.#fail('invalid UTF-8 in field key')
    const key = unescapeKey(bytes.toString('utf8', start, index))
    this.#cache.fieldKeys.keep(this.#text, start, index, key)
    return key
  }

  /** A quoted text; line ends are part of it. */
  #string(key: string): LineField | undefined {
    const bytes = this.#bytes
    const end = this.#end
    const start = this.#position + 1
    let hasEscapes = false
    let index = start
    for (; index < end; index++) {
      const byte = bytes[index]!
      if (byte === quote) break
      if (byte === newline) this.#line++
      if (byte !== backslash) continue
      hasEscapes = true
      const next = bytes[index + 1]
      if (next === backslash || next === quote) index++
    }
    this.#position = Math.min(index + 1, end)
    if (index >= end) return this.#fail('unbalanced quotes')
    if (!isUtf8(bytes.subarray(start, index))) return this.#fail('invalid UTF-8 in a string')
    const text = bytes.toString('utf8', start, index)
    return { key, kind: 'string', value: hasEscapes ? unescapeString(text) : text }
  }

  /** Up to 15 digits are summed up here; what else a number may be is left to the slow way. */
  #number(key: string): LineField | undefined {
    const bytes = this.#bytes
    const end = this.#end
    const start = this.#position
    let index = bytes[start] === minus ? start + 1 : start
    let mantissa = 0
    let digits = 0
    let pointAt = -1
    for (; index < end; index++) {
      const byte = bytes[index]!
      if (byte >= zero && byte <= nine) {
        mantissa = mantissa * 10 + (byte - zero)
        digits++
      } else if (byte === dot && pointAt < 0) pointAt = digits
      else break
    }
    const last = index < end ? bytes[index]! : newline
    const isSimple = digits > 0 && digits <= exactDigits
    if (isSimple && endsValue(last)) {
      this.#position = index
      const value = pointAt < 0 ? mantissa : mantissa / powersOfTen[digits - pointAt]!
      return { key, kind: 'float', value: bytes[start] === minus ? -value : value }
    }
    if (isSimple && pointAt < 0 && (last === letterI || last === letterU)) {
      const isEnd = index + 1 >= end || endsValue(bytes[index + 1]!)
      if (isEnd && (last === letterI || bytes[start] !== minus)) {
        this.#position = index + 1
        const value = bytes[start] === minus ? 0 - mantissa : mantissa
        return { key, kind: last === letterI ? 'integer' : 'unsigned', value }
      }
    }
    return this.#numberOf(key, this.#token())
  }

  #numberOf(key: string, text: string): LineField | undefined {
    if (text.endsWith('i') || text.endsWith('u')) {
      const isSigned = text.endsWith('i')
      const value = parseInteger(text.slice(0, -1), isSigned)
      if (value === undefined) return this.#fail('invalid number')
      return { key, kind: isSigned ? 'integer' : 'unsigned', value }
    }
    const value = parseFloat64(text)
    return value === undefined ? this.#fail('invalid number') : { key, kind: 'float', value }
  }

  /** The text up to the next comma, blank or line end. */
  #token(): string {
    const start = this.#position
    while (this.#position < this.#end && !endsValue(this.#bytes[this.#position]!)) this.#position++
    return this.#bytes.toString('latin1', start, this.#position)
  }

  /** The timestamp, up to the end of the line, which is taken. Undefined also where there is none. */
  #time(): Moment | undefined {
    const bytes = this.#bytes
    const end = this.#end
    this.#skipBlanks()
    if (this.#takeEndOfLine()) return undefined
    const start = this.#position
    let index = start
    for (; index < end; index++) {
      const byte = bytes[index]!
      if ((byte < zero || byte > nine) && byte !== minus) break
    }
    this.#position = index
    if (index === start) return this.#fail('bad timestamp')
    const moment = parseMoment(bytes, start, index, this.#unitNanos)
    this.#skipBlanks()
    if (!moment || !this.#takeEndOfLine()) return this.#fail('bad timestamp')
    return moment
  }

  #skipBlanks(): void {
    while (this.#position < this.#end && this.#bytes[this.#position] === space) this.#position++
  }

  #fail(reason: string): undefined {
    this.#reason = reason
    return undefined
  }

  #skipLine(): void {
    const found = this.#bytes.indexOf(newline, this.#position)
    if (found >= 0) this.#line++
    this.#position = found < 0 ? this.#end : found + 1
  }

  #fault(line: number, start: number, reason: string): LineFault {
    const end = Math.min(this.#position, start + faultTextBytes)
    const text = this.#bytes.toString('utf8', start, end).replace(/\r?\n$/, '')
    return { kind: 'fault', line, text, reason }
  }
}

const isControl = (byte: number): boolean => byte < space || byte === del

const isLineEnd = (byte: number): boolean => byte === newline || byte === carriageReturn

const endsValue = (byte: number): boolean =>
  byte === comma || byte === space || byte === newline || byte === carriageReturn

const escapedInStrings: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' }

const unescapeString = (text: string): string =>
  text.replace(/\\(["\\nrt])/g, (_whole, escaped: string) => escapedInStrings[escaped] ?? escaped)
