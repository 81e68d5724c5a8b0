import type { ReadingFilter, ReadingPosition } from '../../core/ports.ts'
import type { Reading } from '../../core/reading.ts'
import { hourMs } from '../../core/time.ts'
import { fromMs, inSession, ofSeries, type Readers, toMs, toReading } from './duckdb-reader.ts'
import type { ReadingTable } from './duckdb-schema.ts'
import type { SeriesTable } from './duckdb-series.ts'
import type { Parameter, Session } from './duckdb-session.ts'

/** Rows taken beyond those wanted: some are duplicates, or lie before the cursor at its time. */
const spareRows = 1000

/** Parts of a span whose rows are counted by one query. */
const bucketsMax = 128

/** A span that was guessed too short grows by at most this factor: what is counted in vain stays small. */
const growthMax = 8

/** The span in which the first page of a list is looked for. */
const firstSpanMs = hourMs

/** Lists whose last span is remembered, those read last. */
const spansKept = 16

/** Spans without rows that are passed by, each longer than the one before, until the next row is searched for. */
const shortGaps = 2

/** What a page is read from. */
interface Source {
  readonly session: Session
  readonly series: SeriesTable
  /** Numbers of the wanted series; undefined: all. */
  readonly ids: readonly number[] | undefined
}

/** Half-open, ms. */
interface Span {
  readonly from: number
  readonly to: number
}

/** The place behind which a page begins: of equal times, the series that come after `rank`. */
interface Cursor {
  readonly at: number
  readonly rank: number
}

/**
 * A page in the order (at, site, device, metric). Rows are counted, by the time that they are from, to find a span that
 * holds the page and not much more; only that span is deduplicated and sorted. So a page costs the same at the beginning
 * of a long list and at its end. Spans are read one after the other until the page is full, hence counts may be wrong.
 */
export function readPage(
  readers: Readers,
  filter: ReadingFilter,
  limit: number,
  after: ReadingPosition | undefined,
): Promise<Reading[]> {
  const { series } = readers
  const ids = series.matching(filter)
  if (limit <= 0 || ids?.length === 0) return Promise.resolve([])
  const cursor = after && { at: after.at, rank: rankOf(series, after) }
  const to = toMs(filter.to)
  const list = JSON.stringify([filter.sites, filter.device, filter.metric])

  const work = async (session: Session): Promise<Reading[]> => {
    const source = { session, series, ids }
    const page: Reading[] = []
    let from = Math.max(fromMs(filter.from), fromMs(after?.at))
    while (page.length < limit) {
      const wanted = limit - page.length
      const guessMs = readers.pageSpans.get(list) ?? firstSpanMs
      const span = await nextSpan(source, { from, to }, wanted + spareRows, guessMs)
      if (!span) break
      if (page.length === 0 && span.to < to) remember(readers.pageSpans, list, span)
      const isMoment = span.to - span.from === 1 && span.rows > 2 * (wanted + spareRows)
      const found = isMoment
        ? await readMoment(source, span.from, wanted, cursor)
        : inOrder(series, await readRows(source, span), cursor)
      for (const reading of found) if (page.length < limit) page.push(reading)
      from = span.to
    }
    return page
  }
  return inSession(readers, (session) => session.transaction(() => work(session)))
}

/** The next page of the list is likely to need a span that is as long; a longer one is cut without a further count. */
function remember(spans: Map<string, number>, list: string, { from, to }: Span): void {
  spans.delete(list)
  spans.set(list, Math.ceil(1.5 * (to - from)))
  for (const oldest of spans.keys()) if (spans.size > spansKept) spans.delete(oldest)
}

/**
 * The next span that holds at least `rows` rows, or all that are left; at most twice as many, unless they are of one
 * time. Undefined where no rows are left. `guessMs`: how long it may be.
 */
async function nextSpan(
  source: Source,
  left: Span,
  rows: number,
  guessMs: number,
): Promise<(Span & { readonly rows: number }) | undefined> {
  let { from } = left
  let [spanMs, gaps] = [guessMs, 0]
  for (;;) {
    const span = { from, to: Math.min(left.to, from + spanMs) }
    const counts = await countRows(source, span)
    if (counts.total === 0) {
      if (span.to === left.to) return undefined
      // a short gap is passed by counting on; where the next row is after a long one, takes a look at all that are left
      const next = ++gaps <= shortGaps ? span.to : await firstTime(source, { ...left, from: span.to })
      if (next === undefined) return undefined
      from = next
      spanMs *= gaps <= shortGaps ? growthMax : 1
    } else if (counts.total >= rows || span.to === left.to) {
      return { from, ...(await narrowed(source, span, counts, rows)) }
    } else {
      const missing = rows / counts.total
      spanMs = Math.ceil(spanMs * Math.min(growthMax, Math.max(2, 1.5 * missing)))
    }
  }
}

/** Where a span can end so that it still holds `rows` rows, and how many it then holds. */
async function narrowed(
  source: Source,
  span: Span,
  counted: Counts,
  rows: number,
): Promise<{ readonly to: number; readonly rows: number }> {
  let [{ from, to }, counts, before] = [span, counted, 0]
  for (;;) {
    const { widthMs, buckets } = counts
    let held = before
    const end = buckets.findIndex(([, count]) => {
      held += count
      return held >= rows
    })
    const last = buckets[end]
    if (!last) return { to, rows: before + counts.total }
    const [place, count] = last
    if (held <= 2 * rows || widthMs === 1)
      return { to: Math.min(to, from + (place + 1) * widthMs), rows: held }
    // too many rows in the last part: it is parted in turn
    before = held - count
    from += place * widthMs
    to = Math.min(to, from + widthMs)
    counts = await countRows(source, { from, to })
  }
}

/** Rows of a span by equal parts of its time: number of the part, rows. Parts without rows are left out. */
interface Counts {
  readonly widthMs: number
  readonly buckets: readonly (readonly [number, number])[]
  readonly total: number
}

async function countRows(source: Source, { from, to }: Span): Promise<Counts> {
  const widthMs = Math.max(1, Math.ceil((to - from) / bucketsMax))
  const { sql, bound } = joined(
    source,
    source.ids,
    4,
    ({ table, condition }) =>
      `SELECT (at_ms - $1) // $3 AS bucket FROM ${table} WHERE at_ms >= $1 AND at_ms < $2 ${condition}`,
  )
  const [places, counts] = (await source.session.numbers(
    `SELECT bucket::DOUBLE, count(*)::DOUBLE FROM (${sql}) GROUP BY bucket ORDER BY bucket`,
    [from, to, widthMs, ...bound],
  )) as [number[], number[]]
  return {
    widthMs,
    buckets: places.map((place, row) => [place, counts[row]!] as const),
    total: counts.reduce((sum, count) => sum + count, 0),
  }
}

async function firstTime(source: Source, { from, to }: Span): Promise<number | undefined> {
  const { sql, bound } = joined(
    source,
    source.ids,
    3,
    ({ table, condition }) =>
      `SELECT min(at_ms) AS at_ms FROM ${table} WHERE at_ms >= $1 AND at_ms < $2 ${condition}`,
  )
  const [[first]] = (await source.session.numbers(`SELECT min(at_ms)::DOUBLE FROM (${sql})`, [
    from,
    to,
    ...bound,
  ])) as [[number | null]]
  return first ?? undefined
}

/** Of the rows of one time at least as many as are wanted, read for some series at a time in their order. */
async function readMoment(
  source: Source,
  at: number,
  wanted: number,
  cursor: Cursor | undefined,
): Promise<Reading[]> {
  const { series, ids } = source
  const named = ids && new Set(ids)
  const passed = cursor?.at === at ? cursor.rank + 1 : 0
  const left = series
    .ids()
    .slice(passed)
    .filter((id) => named?.has(id) ?? true)
  const found: Reading[] = []
  // many series may have no row of that time: each query is for twice as many as the one before
  for (let count = wanted + spareRows; left.length > 0 && found.length < wanted; count *= 2) {
    const rows = await readRows({ ...source, ids: left.splice(0, count) }, { from: at, to: at + 1 })
    for (const reading of inOrder(series, rows, cursor)) found.push(reading)
  }
  return found
}

/** All rows of a span, one a (series, at), by time. */
async function readRows(source: Source, { from, to }: Span): Promise<Columns> {
  const { sql, bound } = joined(
    source,
    source.ids,
    3,
    ({ table, condition }) =>
      `SELECT series, at_ms::DOUBLE, arg_max(value, seq) FROM ${table}
       WHERE at_ms >= $1 AND at_ms < $2 ${condition} GROUP BY series, at_ms`,
  )
  // nearly the order of lists, which is sorted fast
  const ordered = `SELECT * FROM (${sql}) AS found(series, at_ms, value) ORDER BY at_ms, series`
  return (await source.session.numbers(ordered, [from, to, ...bound])) as Columns
}

/** Number of the series, time, value. */
type Columns = [number[], number[], number[]]

/** One query over the tables that hold the wanted series; `place` is the number of its first further parameter. */
function joined(
  { series }: Source,
  ids: readonly number[] | undefined,
  place: number,
  query: (part: { readonly table: ReadingTable; readonly condition: string }) => string,
): { sql: string; bound: Parameter[] } {
  const bound: Parameter[] = []
  const queries = series.byTable(ids).map((part) => {
    const condition = ofSeries(part.ids, place + bound.length)
    bound.push(...condition.bound)
    return `(${query({ table: part.table, condition: condition.sql })})`
  })
  return { sql: queries.join(' UNION ALL '), bound }
}

/** The place of a cursor among the series there are now; its own series may be gone. */
function rankOf(series: SeriesTable, key: ReadingPosition): number {
  const id = series.idOf(key)
  if (id !== undefined) return series.rank(id)
  return series.countBefore(key) - 1
}

/** Rows behind the cursor whose series are in answers. */
function inOrder(series: SeriesTable, [ids, ats, values]: Columns, cursor: Cursor | undefined): Reading[] {
  const ranks = ids.map((id) => series.rank(id))
  const rows: number[] = []
  for (let row = 0; row < ids.length; row++) {
    const isBehind = cursor === undefined || ats[row]! > cursor.at || ranks[row]! > cursor.rank
    if (isBehind && series.get(ids[row]!)) rows.push(row)
  }
  rows.sort((a, b) => ats[a]! - ats[b]! || ranks[a]! - ranks[b]!)
  return rows.map((row) => toReading(series.get(ids[row]!)!, ats[row]!, values[row]!))
}
