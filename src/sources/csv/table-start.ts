import { isAbsent } from './numbers.ts'
import type { Row } from './records.ts'
import { readTimeFormat } from './time.ts'
import { unitOf } from './unit-words.ts'

/** Where the table of a file begins, as indexes of rows. */
export interface TableStart {
  /** Undefined where the first row is data already. */
  readonly header: number | undefined
  /** A row below the header that names units. */
  readonly units: number | undefined
  readonly data: number
}

type Kind = 'time' | 'number' | 'text' | 'empty'

/** Rows above the table that are looked at. */
const aboveMax = 200
const typicalRows = 100

/** Names that a column of times has in the headers of exports. */
const timeWord =
  /time|date|zeit|datum|horodat|d[ée]but|fecha|hora|data|ora|tijd|start|timestamp|when|period|interval/i

/**
 * Finds the header: the last row of names above the first row whose cells are of the same kinds as those further below.
 * What stands above it describes the file and is no part of the table.
 */
export function findTable(rows: readonly Row[]): TableStart {
  const first = rows[0]?.fields ?? []
  const plain: TableStart = looksLikeData(first)
    ? { header: undefined, units: undefined, data: 0 }
    : { header: 0, units: undefined, data: 1 }
  const lower = lowerHalf(rows)
  const width = mostCommon(lower.map(({ fields }) => fields?.length ?? 0)) ?? 0
  if (width < 2) return plain
  const kinds = kindsBelow(lower, width)
  const isData = (row: Row | undefined): boolean => row !== undefined && fits(row, kinds)
  const top = rows.slice(0, aboveMax)
  const data = top.findIndex(
    (row, index) => isData(row) && (isData(rows[index + 1]) || index === rows.length - 1),
  )
  if (data < 1) return plain
  const named = [...top.keys()].filter((index) => index < data && isNames(top[index]!, width))
  const last = named.at(-1)
  if (last === undefined) return plain
  const above = named.at(-2)
  if (above !== undefined && isUnits(top[last]!)) return { header: above, units: last, data: last + 1 }
  const timed = named.findLast((index) => top[index]!.fields!.some((cell) => timeWord.test(cell)))
  const header = timed ?? last
  return { header, units: undefined, data: header + 1 }
}

/** Rows that are of the table, whatever stands above it; remarks are not. */
function lowerHalf(rows: readonly Row[]): Row[] {
  const plain = rows.filter(({ text }) => !text.startsWith('#'))
  return plain.slice(plain.length > 2 ? Math.max(1, plain.length >> 1) : 0)
}

/** What most cells of each column hold in the rows further below. */
function kindsBelow(lower: readonly Row[], width: number): Kind[] {
  const below = lower.filter(({ fields }) => fields?.length === width)
  const typical = below.slice(-typicalRows).map(({ fields }) => fields!.map(kindOf))
  return Array.from({ length: width }, (_, index) => {
    const kinds = typical.map((row) => row[index]!).filter((kind) => kind !== 'empty')
    return mostCommon(kinds) ?? 'empty'
  })
}

/** Cells of numbers and times where the rows below have these, at least one of them. */
function fits({ fields }: Row, kinds: readonly Kind[]): boolean {
  if (!fields || Math.abs(fields.length - kinds.length) > 1) return false
  let fitting = 0
  for (const [index, kind] of kinds.entries()) {
    if (kind !== 'time' && kind !== 'number') continue
    const own = kindOf(fields[index] ?? '')
    if (own !== kind && own !== 'empty') return false
    if (own === kind) fitting++
  }
  return fitting > 0
}

/** As many texts as there are columns, none of them a number or a time. */
function isNames({ fields, text }: Row, width: number): boolean {
  if (!fields || text.startsWith('#') || fields.length < width - 1 || fields.length > width + 1) return false
  const kinds = fields.map(kindOf)
  const texts = kinds.filter((kind) => kind === 'text').length
  return texts >= Math.max(1, fields.length / 2 - 1) && !kinds.includes('number') && !kinds.includes('time')
}

function isUnits({ fields }: Row): boolean {
  const cells = (fields ?? []).map((cell) => cell.trim())
  const units = cells.filter((cell) => unitOf(cell) !== undefined)
  // beside units there may be the form of the times and nothing
  const others = cells.filter(
    (cell) => cell !== '' && unitOf(cell) === undefined && !/^[[(].*[\])]$/.test(cell),
  )
  return units.length > 0 && others.length <= 1
}

function kindOf(cell: string): Kind {
  const text = cell.trim()
  if (isAbsent(text)) return 'empty'
  if (/^[+\-\u2212]?[\d.,'’ \u00a0\u2009\u202f]*\d(e[+-]?\d+)?$/i.test(text)) {
    return /^\d+\.\d+\.\d{2,4}$/.test(text) ? 'time' : 'number'
  }
  return /\d/.test(text) && readTimeFormat([text], { dateOrder: 'dmy' }) ? 'time' : 'text'
}

/** A time in one field and a number in another: no header has that. */
function looksLikeData(fields: readonly string[]): boolean {
  const times = fields.filter((field) => readTimeFormat([field], { dateOrder: 'dmy' }) !== undefined)
  return times.length > 0 && fields.some((field) => kindOf(field) === 'number')
}

export function mostCommon<Value>(values: readonly Value[]): Value | undefined {
  const times = new Map<Value, number>()
  for (const value of values) times.set(value, (times.get(value) ?? 0) + 1)
  return [...times].sort((a, b) => b[1] - a[1])[0]?.[0]
}
