import { HomeostatError } from '../core/errors.ts'

/**
 * JSON of strangers, without holding the loop: a scan of the bytes as they arrive bounds depth and number of values, and
 * a long list is parsed some elements at a time. JSON.parse of 15 MB of `[[],[],...]` alone takes seconds and a gigabyte.
 */

/** Far deeper than any document of the API, far from where a recursion over it runs out of stack. */
export const levelsMax = 64

/** Values of what is parsed at once: one element of a list, or everything but the elements. */
const valuesAtOnce = 20_000
/** The same in bytes. */
const bytesAtOnce = 1024 * 1024

/** Elements are parsed together up to about so much. */
const chunkValues = 4000
const chunkBytes = 64 * 1024

/** A list at the top of a document, or in a field of it. */
interface List {
  /** Where its key is, with quotes; undefined: the document is the list. */
  readonly key: readonly [from: number, to: number] | undefined
  /** Of the first byte behind the bracket. */
  readonly from: number
  /** Of the closing bracket. */
  to: number
  /** Of commas between elements; what is between two is parsed at once. */
  readonly cuts: number[]
}

const quote = 0x22
const backslash = 0x5c
const comma = 0x2c
const colon = 0x3a
const openList = 0x5b
const closeList = 0x5d
const openObject = 0x7b
const closeObject = 0x7d

/** 1 for bytes that mean something outside of strings. */
const structural = new Uint8Array(256)
for (const byte of [quote, comma, colon, openList, closeList, openObject, closeObject]) structural[byte] = 1

/** Looks at a document piece by piece. It checks bounds, not the grammar: parsing does that. */
export class JsonScan {
  readonly #valuesMax: number
  readonly lists: List[] = []
  #offset = 0
  #depth = 0
  #values = 0
  #inString = false
  #escaped = false
  /** The list whose elements are looked at; at `#listDepth` levels. */
  #list: List | undefined
  #listDepth = 0
  #isTopObject = false
  #stringFrom = 0
  #lastString: readonly [number, number] | undefined
  #key: readonly [number, number] | undefined
  /** Since the last cut. */
  #chunkFrom = 0
  #chunkValues = 0
  /** Of the element that is looked at. */
  #elementFrom = 0
  #elementValues = 0
  /** Of everything that is in no list. */
  #restValues = 0

  constructor(valuesMax: number) {
    this.#valuesMax = valuesMax
  }

  /** Throws `request_invalid` above the depth, `body_too_complex` above the number of values. */
  add(piece: Uint8Array): void {
    // an escape at the end of the piece before
    let i = this.#escaped ? 1 : 0
    this.#escaped = false
    while (i < piece.length) {
      if (this.#inString) i = this.#passString(piece, i)
      else {
        while (i < piece.length && structural[piece[i]!] === 0) i++
        if (i < piece.length) this.#take(piece[i]!, this.#offset + i)
        i++
      }
    }
    this.#offset += piece.length
    this.#checkElement(this.#offset)
  }

  /** The place behind the closing quote, or the end of the piece. */
  #passString(piece: Uint8Array, from: number): number {
    let i = from
    while (i < piece.length) {
      const byte = piece[i]!
      if (byte === quote) {
        this.#endString(this.#offset + i)
        return i + 1
      }
      i += byte === backslash ? 2 : 1
    }
    this.#escaped = i > piece.length
    return piece.length
  }

  #take(byte: number, at: number): void {
    switch (byte) {
      case quote:
        this.#inString = true
        this.#stringFrom = at
        break
      case comma:
        this.#separate(at)
        break
      case colon:
        this.#pair()
        break
      case openList:
      case openObject:
        this.#enter(byte, at)
        break
      default:
        this.#leave(at)
    }
  }

  #endString(at: number): void {
    this.#inString = false
    if (this.#depth === 1) this.#lastString = [this.#stringFrom, at + 1]
  }

  #pair(): void {
    this.#count()
    if (this.#depth === 1) this.#key = this.#lastString
  }

  #enter(byte: number, at: number): void {
    this.#count()
    const depth = ++this.#depth
    if (depth > levelsMax) {
      const detail = `the body is nested more than ${levelsMax} levels deep`
      throw new HomeostatError('request_invalid', { detail })
    }
    if (depth === 1) this.#isTopObject = byte === openObject
    const isList = byte === openList && (depth === 1 || (depth === 2 && this.#isTopObject))
    if (!isList || this.#list) return
    this.#list = { key: depth === 1 ? undefined : this.#key, from: at + 1, to: at + 1, cuts: [] }
    this.#listDepth = depth
    this.#chunkFrom = at + 1
    this.#elementFrom = at + 1
    this.#chunkValues = 0
    this.#elementValues = 0
  }

  #leave(at: number): void {
    if (this.#list && this.#depth === this.#listDepth) {
      this.#checkElement(at)
      this.#list.to = at
      this.lists.push(this.#list)
      this.#list = undefined
    }
    this.#depth--
  }

  #separate(at: number): void {
    this.#count()
    if (!this.#list || this.#depth !== this.#listDepth) return
    this.#checkElement(at)
    if (this.#chunkValues >= chunkValues || at - this.#chunkFrom >= chunkBytes) {
      this.#list.cuts.push(at)
      this.#chunkFrom = at + 1
      this.#chunkValues = 0
    }
    this.#elementFrom = at + 1
    this.#elementValues = 0
  }

  #count(): void {
    if (++this.#values > this.#valuesMax) throw tooComplex(this.#valuesMax, 'values')
    if (this.#list) {
      this.#chunkValues++
      if (++this.#elementValues > valuesAtOnce) throw tooComplex(valuesAtOnce, 'values in one element')
    } else if (++this.#restValues > valuesAtOnce) throw tooComplex(valuesAtOnce, 'values beside its lists')
  }

  /** Bytes of the element up to here, or of what is in no list. */
  #checkElement(at: number): void {
    if (this.#list) {
      if (at - this.#elementFrom > bytesAtOnce) throw tooComplex(bytesAtOnce, 'bytes in one element')
      return
    }
    const inLists = this.lists.reduce((sum, { from, to }) => sum + to - from, 0)
    if (at - inLists > bytesAtOnce) throw tooComplex(bytesAtOnce, 'bytes beside its lists')
  }
}

const tooComplex = (limit: number, what: string): HomeostatError =>
  new HomeostatError('body_too_complex', { limit, what })

/** Parses a scanned document; `pause` lets other work run between the chunks of its lists. Throws SyntaxError. */
export async function parseScanned(
  body: Buffer,
  { lists }: Pick<JsonScan, 'lists'>,
  pause: () => Promise<unknown>,
): Promise<unknown> {
  const kept: string[] = []
  let end = 0
  for (const { from, to } of lists) {
    kept.push(body.toString('utf8', end, from))
    end = to
  }
  kept.push(body.toString('utf8', end))
  // the document without the elements of its lists: the parser checks that these were lists, and everything around them
  const document: unknown = JSON.parse(kept.join(''))
  for (const list of lists) {
    const target = listAt(document, list, body)
    const ends = [...list.cuts, list.to]
    let from = list.from
    for (const to of ends) {
      const text = body.toString('utf8', from, to)
      if (ends.length > 1 && text.trim() === '') throw new SyntaxError('Unexpected token , in a list')
      for (const element of JSON.parse(`[${text}]`) as unknown[]) target?.push(element)
      from = to + 1
      await pause()
    }
  }
  return document
}

/** The empty list in the document; undefined where a later field of the same name replaced it by something else. */
function listAt(document: unknown, { key }: List, body: Buffer): unknown[] | undefined {
  if (key === undefined) return Array.isArray(document) ? document : undefined
  const name = String(JSON.parse(body.toString('utf8', ...key)))
  // an own property, also where it is called __proto__
  const value: unknown = Object.getOwnPropertyDescriptor(document, name)?.value
  if (!Array.isArray(value)) return undefined
  // of two lists of the same name the later one counts
  value.length = 0
  return value
}
