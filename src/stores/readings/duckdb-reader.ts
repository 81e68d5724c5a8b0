import type { DuckDBInstance } from '@duckdb/node-api'
import { HomeostatError } from '../../core/errors.ts'
import type { Series, SeriesKey } from '../../core/event.ts'
import type { ReadingFilter, ReadingPosition } from '../../core/ports.ts'
import type { Reading } from '../../core/reading.ts'
import { latestMs, quarterMs } from '../../core/time.ts'
import type { Turns } from '../../core/turns.ts'
import type { ReadingTable } from './duckdb-schema.ts'
import type { SeriesTable } from './duckdb-series.ts'
import { type Parameter, Session } from './duckdb-session.ts'

/** What the reading side shares: `queries` limits how many statements run at once, `idle` are sessions to run them in. */
export interface Readers {
  readonly instance: DuckDBInstance
  readonly series: SeriesTable
  readonly queries: Turns
  readonly idle: Session[]
  closed: boolean
}

/** Runs `work` in a session that nobody else uses. Rejects with HomeostatError `stopping` once the store closes. */
export function inSession<Result>(
  readers: Readers,
  work: (session: Session) => Promise<Result>,
): Promise<Result> {
  return readers.queries.run(async () => {
    if (readers.closed) throw new HomeostatError('stopping')
    const session = await borrow(readers)
    try {
      return await work(session)
    } finally {
      giveBack(readers, session)
    }
  })
}

/** To open and close one costs more than a short scan. */
const idleMax = 4

const borrow = async (readers: Readers): Promise<Session> =>
  readers.idle.pop() ?? (await Session.open(readers.instance))

function giveBack(readers: Readers, session: Session): void {
  if (readers.closed || readers.idle.length >= idleMax) session.close()
  else readers.idle.push(session)
}

/** Sessions at work close themselves when they are done. */
export function closeReaders(readers: Readers): void {
  readers.closed = true
  for (const session of readers.idle.splice(0)) session.close()
}

/** Bounds for a time in SQL: what JavaScript's Date can hold, whatever the caller gave. */
const earliestMs = -latestMs
export const fromMs = (at: number | undefined): number => Math.max(earliestMs, Math.ceil(at ?? earliestMs))
export const toMs = (at: number | undefined): number => Math.min(latestMs, Math.ceil(at ?? latestMs))

/** A further condition on `series`, bound as parameter number `place`. */
export function ofSeries(
  ids: readonly number[] | undefined,
  place: number,
): { sql: string; bound: Parameter[] } {
  if (ids === undefined) return { sql: '', bound: [] }
  if (ids.length === 1) return { sql: `AND series = $${place}::INTEGER`, bound: [ids[0]!] }
  return { sql: `AND series IN (SELECT unnest($${place}::INTEGER[]))`, bound: [ids] }
}

/** One query over the tables that hold the wanted series; `place` is the number of its first further parameter. */
function joined(
  parts: ReturnType<SeriesTable['byTable']>,
  place: number,
  query: (part: { readonly table: ReadingTable; readonly condition: string }) => string,
): { sql: string; bound: Parameter[] } {
  const bound: Parameter[] = []
  const queries = parts.map(({ table, ids }) => {
    const condition = ofSeries(ids, place + bound.length)
    bound.push(...condition.bound)
    return `(${query({ table, condition: condition.sql })})`
  })
  return { sql: queries.join(' UNION ALL '), bound }
}

/**
 * A page in the order (at, site, device, metric). The first statement finds the time up to which enough rows lie,
 * the second takes all rows up to it, one a (series, at); so nothing but the page is ever sorted or deduplicated.
 */
export async function readPage(
  readers: Readers,
  filter: ReadingFilter,
  limit: number,
  after: ReadingPosition | undefined,
): Promise<Reading[]> {
  const { series } = readers
  const ids = series.matching(filter)
  if (limit <= 0 || ids?.length === 0) return []
  const parts = series.byTable(ids)
  const from = Math.max(fromMs(filter.from), fromMs(after?.at))
  const to = toMs(filter.to)
  const afterRank = after === undefined ? -1 : rankOf(series, after)
  const keep = (at: number, id: number): boolean => at !== after?.at || series.rank(id) > afterRank

  return inSession(readers, async (session) => {
    for (let rows = Math.min(limit, 2 ** 30) + 1; ; rows *= 4) {
      const find = joined(
        parts,
        4,
        ({ table, condition }) =>
          `SELECT at_ms FROM ${table} WHERE at_ms >= $1 AND at_ms < $2 ${condition} ORDER BY at_ms LIMIT $3`,
      )
      const [[found], [last]] = (await session.numbers(
        `SELECT count(*)::DOUBLE, max(at_ms)::DOUBLE FROM (SELECT at_ms FROM (${find.sql}) ORDER BY at_ms LIMIT $3)`,
        [from, to, rows, ...find.bound],
      )) as [[number], [number | null]]
      if (last === null) return []
      const take = joined(
        parts,
        3,
        ({ table, condition }) =>
          `SELECT series, at_ms::DOUBLE, arg_max(value, seq) FROM ${table}
         WHERE at_ms >= $1 AND at_ms <= $2 ${condition} GROUP BY series, at_ms`,
      )
      const page = await session.numbers(take.sql, [from, last, ...take.bound])
      const readings = inOrder(series, page, keep)
      // duplicates and rows before the cursor took places of the page: look further
      if (readings.length >= limit || found < rows) return readings.slice(0, limit)
    }
  })
}

/** The place of a cursor among the series there are now; its own series may be gone. */
function rankOf(series: SeriesTable, key: ReadingPosition): number {
  const id = series.idOf(key)
  if (id !== undefined) return series.rank(id)
  return series.countBefore(key) - 1
}

function inOrder(
  series: SeriesTable,
  columns: readonly number[][],
  keep: (at: number, id: number) => boolean,
): Reading[] {
  const [ids, ats, values] = columns as [number[], number[], number[]]
  const rows: number[] = []
  for (let row = 0; row < ids.length; row++) {
    if (series.get(ids[row]!) && keep(ats[row]!, ids[row]!)) rows.push(row)
  }
  rows.sort((a, b) => ats[a]! - ats[b]! || series.rank(ids[a]!) - series.rank(ids[b]!))
  return rows.map((row) => toReading(series.get(ids[row]!)!, ats[row]!, values[row]!))
}

function toReading(series: Series, at: number, value: number): Reading {
  const { site, device, metric, unit, room } = series
  return { site, device, metric, value, unit, at, ...(room === undefined ? {} : { room }) }
}

/** Rows of one series, oldest first, one a time. */
interface Rows {
  readonly at: number[]
  readonly value: number[]
}

/**
 * Newest `perSeries` of every series, by a top-N aggregate. Live series are found in the last stretch of time, which
 * few row groups hold; only what is short of readings there is looked for in all of the table.
 */
export async function readNewest(
  readers: Readers,
  perSeries: number,
  lastSeq: number,
  only?: readonly SeriesKey[],
): Promise<Reading[]> {
  const { series } = readers
  if (perSeries <= 0 || series.size === 0) return []
  const named = only && new Set(only.map((key) => series.idOf(key)))
  const wanted = series.ids().filter((id) => named === undefined || named.has(id))
  return inSession(readers, async (session) => {
    const found = new Map<number, Rows>()
    for (const { table, ids } of series.byTable(wanted)) {
      const since = await recentSince(session, table, perSeries, lastSeq - 4 * perSeries * series.size)
      await findNewest(session, { table, ids: ids ?? [], since, perSeries }, found)
    }
    const readings: Reading[] = []
    for (const id of wanted) {
      const newest = found.get(id)
      if (!newest) continue
      for (let row = Math.max(0, newest.at.length - perSeries); row < newest.at.length; row++) {
        readings.push(toReading(series.get(id)!, newest.at[row]!, newest.value[row]!))
      }
    }
    return readings
  })
}

interface Wanted {
  readonly table: ReadingTable
  readonly ids: readonly number[]
  readonly since: number
  readonly perSeries: number
}

async function findNewest(
  session: Session,
  { table, ids, since, perSeries }: Wanted,
  found: Map<number, Rows>,
): Promise<void> {
  let open = ids
  let from = since
  // some rows to spare, so that a few duplicates need no second look
  for (let rows = perSeries + 8; open.length > 0; ) {
    const cut = await newestRows(session, { table, ids: open, from, rows }, found)
    open = open.filter(
      (id) => (found.get(id)?.at.length ?? 0) < perSeries && (from > earliestMs || cut.has(id)),
    )
    if (from > earliestMs) from = earliestMs
    else rows *= 4
  }
}

/** A time after which nine tenths of the rows above `seq` lie; for derived series, which have a step, twice the stretch. */
async function recentSince(
  session: Session,
  table: ReadingTable,
  perSeries: number,
  seq: number,
): Promise<number> {
  const [[since]] = (await (table === 'derived'
    ? session.numbers(`SELECT (max(at_ms) - ${2 * perSeries * quarterMs})::DOUBLE FROM derived`)
    : session.numbers('SELECT quantile_disc(at_ms, 0.1)::DOUBLE FROM readings WHERE seq > $1', [seq]))) as [
    [number | null],
  ]
  return since ?? earliestMs
}

/** Fills `found` with the newest `rows` of each series, deduplicated; answers which series have more. */
async function newestRows(
  session: Session,
  {
    table,
    ids,
    from,
    rows,
  }: {
    readonly table: ReadingTable
    readonly ids: readonly number[]
    readonly from: number
    readonly rows: number
  },
  found: Map<number, Rows>,
): Promise<Set<number>> {
  const columns = await session.numbers(
    `WITH top AS (
       SELECT unnest(max_by(seq, at_ms, ${rows})) AS seq FROM ${table}
       WHERE at_ms >= $1 AND series IN (SELECT unnest($2::INTEGER[])) GROUP BY series)
     SELECT series, at_ms::DOUBLE, value FROM ${table} SEMI JOIN top USING (seq)
     WHERE at_ms >= $1 ORDER BY series, at_ms, seq`,
    [from, ids],
  )
  const [series, ats, values] = columns as [number[], number[], number[]]
  const cut = new Set<number>()
  for (let start = 0, end = 0; start < series.length; start = end) {
    const id = series[start]!
    while (end < series.length && series[end] === id) end++
    let first = start
    if (end - start >= rows) {
      cut.add(id)
      // duplicates of the oldest time may have been cut off, and with them the one that counts
      while (first < end && ats[first] === ats[start]) first++
    }
    found.set(id, lastOfEach(ats, values, first, end))
  }
  return cut
}

/** Of rows sorted by (at, seq): the last of each time. */
function lastOfEach(ats: readonly number[], values: readonly number[], from: number, to: number): Rows {
  const newest: Rows = { at: [], value: [] }
  for (let row = from; row < to; row++) {
    if (row + 1 < to && ats[row + 1] === ats[row]) continue
    newest.at.push(ats[row]!)
    newest.value.push(values[row]!)
  }
  return newest
}
