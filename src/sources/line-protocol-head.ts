import { isUtf8 } from 'node:buffer'

/** Measurement and tags of a line. Lines of one series share the object while it is cached. */
export interface LineHead {
  readonly measurement: string
  /** In the order of the line. */
  readonly tags: readonly LineTag[]
}

export interface LineTag {
  readonly key: string
  readonly value: string
}

const [comma, equals, backslash] = [44, 61, 92]

/**
 * The head in `bytes[from..to)`, which holds no control characters and no blank without a backslash. A text says what is
 * wrong with it, in InfluxDB's words.
 */
export function parseHead(bytes: Buffer, from: number, to: number): LineHead | string {
  if (!isUtf8(bytes.subarray(from, to))) return 'invalid UTF-8 in measurement or tags'
  let end = endOfPart(bytes, from, to, false)
  if (end === from) return 'missing measurement'
  const measurement = bytes.toString('utf8', from, end).replace(/\\([, ])/g, '$1')
  const tags: LineTag[] = []
  while (end < to) {
    const start = end + 1
    const keyEnd = endOfPart(bytes, start, to, true)
    if (keyEnd === start) return 'missing tag key'
    if (bytes[keyEnd] !== equals || keyEnd === to) return 'missing tag value'
    end = endOfPart(bytes, keyEnd + 1, to, true)
    if (end === keyEnd + 1) return 'missing tag value'
    if (end < to && bytes[end] === equals) return 'invalid tag format'
    const key = unescapeKey(bytes.toString('utf8', start, keyEnd))
    tags.push({ key, value: unescapeKey(bytes.toString('utf8', keyEnd + 1, end)) })
  }
  return { measurement, tags }
}

export const hasDuplicateTags = ({ tags }: LineHead): boolean =>
  new Set(tags.map(({ key }) => key)).size < tags.length

/** Keys and tag values escape comma, equals sign and blank; any other backslash is itself. */
export const unescapeKey = (text: string): string =>
  text.includes('\\') ? text.replace(/\\([,= ])/g, '$1') : text

/** Index of the comma, or the equals sign of a tag, that ends a part. */
function endOfPart(bytes: Buffer, from: number, to: number, isTag: boolean): number {
  for (let index = from; index < to; index++) {
    const byte = bytes[index]!
    if (byte === comma || (isTag && byte === equals)) return index
    if (byte !== backslash || index + 1 >= to) continue
    const next = bytes[index + 1]!
    if (next === comma || next === 32 || (isTag && next === equals)) index++
  }
  return to
}

/** Bytes that are read one by one or, where they are only compared, four at a time. */
export interface ByteText {
  readonly bytes: Buffer
  readonly words: DataView
}

export const byteText = (bytes: Buffer): ByteText => ({
  bytes,
  words: new DataView(bytes.buffer, bytes.byteOffset, bytes.length),
})

interface Entry<Value> {
  readonly length: number
  readonly words: Int32Array
  readonly rest: Uint8Array
  readonly hash: number
  readonly value: Value
}

const slotBits = 14
const slots = 1 << slotBits
/** Longer keys are not kept, so that the cache stays below 16 MiB whatever is sent. */
const keyBytesMax = 1024

/**
 * Remembers what was made of a piece of bytes. Each piece has two slots, and a new one takes the place of the older:
 * with a single slot, of a thousand pieces some always push each other out.
 */
export class ByteCache<Value> {
  readonly #entries: (Entry<Value> | undefined)[] = new Array(slots).fill(undefined)

  find(text: ByteText, from: number, to: number): Value | undefined {
    if (to - from > keyBytesMax) return undefined
    const hash = hashOf(text, from, to)
    const first = this.#entries[hash & (slots - 1)]
    if (first && isSame(first, text, from, to)) return first.value
    const second = this.#entries[secondSlot(hash)]
    return second && isSame(second, text, from, to) ? second.value : undefined
  }

  keep(text: ByteText, from: number, to: number, value: Value): void {
    const length = to - from
    if (length > keyBytesMax) return
    const hash = hashOf(text, from, to)
    const slot = hash & (slots - 1)
    const older = this.#entries[slot]
    if (older) this.#entries[secondSlot(older.hash)] = older
    const words = new Int32Array(length >> 2)
    for (let index = 0; index < words.length; index++)
      words[index] = text.words.getInt32(from + 4 * index, true)
    // a copy: a view would keep the whole body
    const rest = new Uint8Array(text.bytes.subarray(to - (length & 3), to))
    this.#entries[slot] = { length, words, rest, hash, value }
  }
}

const secondSlot = (hash: number): number => Math.imul(hash ^ (hash >>> 16), 0x45d9f3b) >>> (32 - slotBits)

function isSame<Value>(entry: Entry<Value>, { bytes, words }: ByteText, from: number, to: number): boolean {
  if (entry.length !== to - from) return false
  const known = entry.words
  for (let index = 0; index < known.length; index++)
    if (known[index] !== words.getInt32(from + 4 * index, true)) return false
  const { rest } = entry
  const start = to - rest.length
  for (let index = 0; index < rest.length; index++) if (rest[index] !== bytes[start + index]) return false
  return true
}

function hashOf({ bytes, words }: ByteText, from: number, to: number): number {
  let hash = to - from
  let index = from
  for (; index + 4 <= to; index += 4) {
    hash = Math.imul(hash ^ words.getInt32(index, true), 0x9e3779b1)
    hash ^= hash >>> 15
  }
  for (; index < to; index++) hash = Math.imul(hash ^ bytes[index]!, 0x85ebca6b)
  return hash ^ (hash >>> 13)
}
