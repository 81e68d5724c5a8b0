import type { DuckDBDataChunk } from '@duckdb/node-api'
import type { SeriesColumns } from '../../core/ports.ts'
import { fromMs, inSession, ofSeries, type Readers, toMs } from './duckdb-reader.ts'
import { hourOf, type ReadingTable } from './duckdb-schema.ts'
import type { SeriesTable } from './duckdb-series.ts'
import type { Parameter, Session } from './duckdb-session.ts'

/**
 * Rows that one query sorts and an open scan holds: 2 MB here, some 6 MB in the engine. A single hour of a series with
 * more is sorted whole; the engine then uses its temporary folder.
 */
const sliceRowsMax = 131_072

/** What one query reads: rows of some series, in the order of lists, in [from, to). */
interface Slice {
  readonly table: ReadingTable
  readonly ids: readonly number[]
  readonly from: number
  readonly to: number
  /** Counted before; the query may find more. */
  readonly rows: number
}

/**
 * Streams the given series, in the order of lists, each oldest first. The rows are counted and then read in slices,
 * each by one query that sorts a bounded number of rows and is read to its end before anything is handed on. So the
 * engine holds nothing for a caller that pauses, stops half way or opens another scan meanwhile: the number of open
 * scans needs no limit, and only the number of queries that run at once has one (`Readers.queries`).
 */
export async function* scanSeries(
  readers: Readers,
  ids: readonly number[],
  from: number,
  to: number,
): AsyncGenerator<SeriesColumns> {
  const { series } = readers
  const range = { from: fromMs(from), to: toMs(to) }
  const ordered = [...new Set(ids)].sort((a, b) => series.rank(a) - series.rank(b))
  const counts = new Map<number, number>()
  for (const part of series.byTable(ordered)) {
    await inSession(readers, (session) => count(session, { ...range, ...part, ids: part.ids ?? [] }, counts))
  }
  for (const group of groupsOf(series, ordered, counts)) {
    for (const slice of await slicesOf(readers, { ...range, ...group })) {
      const found = await inSession(readers, (session) => readSlice(session, slice))
      for (const { id, at, value } of found) {
        const { site, device, metric } = series.get(id) ?? {}
        if (site === undefined || device === undefined || metric === undefined) continue
        yield { series: { site, device, metric }, at, value }
      }
    }
  }
}

/** The rows of a slice, as the rest of a query. */
function rowsOf({ table, ids, from, to }: Omit<Slice, 'rows'>): { sql: string; bound: Parameter[] } {
  const condition = ofSeries(ids, 3)
  return {
    sql: `FROM ${table} WHERE at_ms >= $1 AND at_ms < $2 ${condition.sql}`,
    bound: [from, to, ...condition.bound],
  }
}

async function count(
  session: Session,
  slice: Omit<Slice, 'rows'>,
  counts: Map<number, number>,
): Promise<void> {
  const { sql, bound } = rowsOf(slice)
  const [found, rows] = (await session.numbers(
    `SELECT series, count(*)::DOUBLE ${sql} GROUP BY series`,
    bound,
  )) as [number[], number[]]
  for (const [index, id] of found.entries()) counts.set(id, rows[index]!)
}

/** Neighbours of one table that fit into a slice together; a series that is too long for one comes alone. */
function groupsOf(
  series: SeriesTable,
  ids: readonly number[],
  counts: ReadonlyMap<number, number>,
): { table: ReadingTable; ids: readonly number[]; rows: number }[] {
  const groups: { table: ReadingTable; ids: number[]; rows: number }[] = []
  for (const id of ids) {
    const [rows, table, last] = [counts.get(id) ?? 0, series.tableOf(id), groups.at(-1)]
    if (rows === 0) continue
    if (last?.table === table && last.rows + rows <= sliceRowsMax) {
      last.ids.push(id)
      last.rows += rows
    } else groups.push({ table, ids: [id], rows })
  }
  return groups
}

/** A group as slices of whole hours, so that duplicates of a time lie in the same slice. */
async function slicesOf(readers: Readers, group: Slice): Promise<readonly Slice[]> {
  if (group.rows <= sliceRowsMax) return [group]
  const { table, ids, from, to } = group
  const { sql, bound } = rowsOf(group)
  const [hours, rows] = (await inSession(readers, (session) =>
    session.numbers(
      `SELECT ${hourOf('at_ms')}::DOUBLE AS hour, count(*)::DOUBLE ${sql} GROUP BY hour ORDER BY hour`,
      bound,
    ),
  )) as [number[], number[]]
  const slices: Slice[] = []
  let [start, held] = [from, 0]
  for (const [index, hour] of hours.entries()) {
    if (held > 0 && held + rows[index]! > sliceRowsMax) {
      slices.push({ table, ids, from: start, to: hour, rows: held })
      ;[start, held] = [hour, 0]
    }
    held += rows[index]!
  }
  slices.push({ table, ids, from: start, to, rows: held })
  return slices
}

/** The series of the slice in the order of its ids, with one value a time. */
async function readSlice(session: Session, slice: Slice): Promise<SeriesRows[]> {
  const { sql, bound } = rowsOf(slice)
  const rows = new SliceRows(slice.rows)
  await session.stream(
    `SELECT series, at_ms::DOUBLE, value ${sql} ORDER BY series, at_ms, seq`,
    bound,
    (chunk) => rows.add(chunk),
  )
  const places = new Map(slice.ids.map((id, place) => [id, place]))
  return rows.bySeries().sort((a, b) => places.get(a.id)! - places.get(b.id)!)
}

interface SeriesRows {
  readonly id: number
  readonly at: Float64Array
  readonly value: Float64Array
}

/** Gathers sorted rows; of rows with the same series and time the last replaces the others. */
class SliceRows {
  #at: Float64Array
  #value: Float64Array
  #count = 0
  readonly #starts: { readonly id: number; readonly start: number }[] = []

  constructor(expected: number) {
    this.#at = new Float64Array(expected)
    this.#value = new Float64Array(expected)
  }

  add(chunk: DuckDBDataChunk): void {
    const ids = chunk.getColumnValues(0) as number[]
    const ats = chunk.getColumnValues(1) as number[]
    const values = chunk.getColumnValues(2) as number[]
    if (this.#count + ids.length > this.#at.length) this.#grow(this.#count + ids.length)
    for (let row = 0; row < ids.length; row++) {
      const id = ids[row]!
      if (this.#starts.at(-1)?.id !== id) this.#starts.push({ id, start: this.#count })
      else if (this.#at[this.#count - 1] === ats[row]) this.#count--
      this.#at[this.#count] = ats[row]!
      this.#value[this.#count] = values[row]!
      this.#count++
    }
  }

  bySeries(): SeriesRows[] {
    return this.#starts.map(({ id, start }, index) => {
      const end = this.#starts[index + 1]?.start ?? this.#count
      return { id, at: this.#at.slice(start, end), value: this.#value.slice(start, end) }
    })
  }

  #grow(needed: number): void {
    const [at, value] = [this.#at, this.#value]
    this.#at = new Float64Array(2 * needed)
    this.#value = new Float64Array(2 * needed)
    this.#at.set(at)
    this.#value.set(value)
  }
}
