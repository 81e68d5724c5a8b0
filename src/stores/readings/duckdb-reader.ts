import type { DuckDBInstance } from '@duckdb/node-api'
import { HomeostatError } from '../../core/errors.ts'
import type { Series, SeriesKey } from '../../core/event.ts'
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
  /** How long a span the last page of some lists needed, ms; see `readPage`. */
  readonly pageSpans: Map<string, number>
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

export function toReading(series: Series, at: number, value: number): Reading {
  const { site, device, metric, unit, room } = series
  // as one literal: spreading costs five times as much
  return room === undefined
    ? { site, device, metric, value, unit, at }
    : { site, device, metric, value, unit, at, room }
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
      // erased or hidden meanwhile
      const known = series.get(id)
      if (!newest || !known) continue
      for (let row = Math.max(0, newest.at.length - perSeries); row < newest.at.length; row++) {
        readings.push(toReading(known, newest.at[row]!, newest.value[row]!))
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
