import type { Rollup } from '../../core/event.ts'
import { hourMs } from '../../core/time.ts'
import { hourOf, type ReadingTable, readingTables } from './duckdb-schema.ts'
import type { Session } from './duckdb-session.ts'

/** Hours further apart than this are fetched one by one, so that a late reading does not cost a scan of all between. */
const gapMs = 48 * hourMs

/** Half-open, ms. */
interface Range {
  readonly from: number
  readonly to: number
}

/** Joins ascending hours to ranges. */
export function toRanges(hours: readonly number[]): Range[] {
  const ranges: { from: number; to: number }[] = []
  for (const hour of hours) {
    const last = ranges.at(-1)
    if (last && hour - last.to <= gapMs) last.to = hour + hourMs
    else ranges.push({ from: hour, to: hour + hourMs })
  }
  return ranges
}

/** Of the readings that `rows` selects from a table, one a (series, at); then an hour of a series a row. */
const hoursOf = (table: ReadingTable, rows: string): string => `
  SELECT series, ${hourOf('at_ms')} AS at_ms, count(*)::INTEGER AS n, min(value) AS min, max(value) AS max,
    avg(value) AS mean, arg_min(value, at_ms) AS first, arg_max(value, at_ms) AS last
  FROM (SELECT series, at_ms, arg_max(value, seq) AS value FROM ${table} ${rows} GROUP BY series, at_ms)
  GROUP BY ALL`

const figures = 'at_ms::DOUBLE, n, min, max, mean, first, last'

/**
 * Hours of one series, exact at any moment: the kept ones, but those that a reading above the mark touched are made
 * anew from the readings, unless these are gone. All within one transaction, so that upkeep may go on meanwhile.
 * `mark` may be an old one: what was rolled up since is made anew once more.
 */
export async function readRollups(
  session: Session,
  { series, table }: { readonly series: number; readonly table: ReadingTable },
  range: Range,
  mark: number,
): Promise<Rollup[]> {
  return session.transaction(async () => {
    const kept = await session.numbers(
      `SELECT ${figures}, closed::INTEGER FROM rollups
       WHERE series = $1::INTEGER AND at_ms >= $2 AND at_ms < $3 ORDER BY at_ms`,
      [series, range.from, range.to],
    )
    const [touched] = (await session.numbers(
      `SELECT DISTINCT ${hourOf('at_ms')}::DOUBLE AS hour FROM ${table}
       WHERE seq > $4 AND series = $1::INTEGER AND at_ms >= $2 AND at_ms < $3 ORDER BY hour`,
      [series, range.from, range.to, mark],
    )) as [number[]]
    if (touched.length === 0) return toRollups(kept)
    const closed = new Set(kept[0]!.filter((_, row) => kept[7]![row] === 1))
    const renewed = new Set(touched.filter((hour) => !closed.has(hour)))
    const hours = new Map(toRollups(kept).map((hour) => [hour.at, hour]))
    for (const { from, to } of toRanges([...renewed])) {
      const fresh = await session.numbers(
        `SELECT ${figures} FROM (${hoursOf(table, 'WHERE series = $1::INTEGER AND at_ms >= $2 AND at_ms < $3')})`,
        [series, from, to],
      )
      for (const hour of toRollups(fresh)) if (renewed.has(hour.at)) hours.set(hour.at, hour)
    }
    return [...hours.values()].sort((a, b) => a.at - b.at)
  })
}

function toRollups(columns: readonly number[][]): Rollup[] {
  const [at, n, min, max, mean, first, last] = columns as number[][]
  return at!.map((hour, row) => ({
    at: hour,
    count: n![row]!,
    min: min![row]!,
    max: max![row]!,
    mean: mean![row]!,
    first: first![row]!,
    last: last![row]!,
  }))
}

/** A session that rolls up needs this table of its own, for the hours of the step. */
export async function prepareRollUp(session: Session): Promise<void> {
  await session.run('CREATE TEMP TABLE touched (series INTEGER, at_ms BIGINT)')
}

/**
 * One step: makes anew the hours that the readings above `mark` up to `upTo` touched, drops readings that a later one
 * of the same time replaced, and moves the mark. A closed hour stays as it is: its readings are gone.
 */
export async function rollUp(session: Session, mark: number, upTo: number): Promise<void> {
  await session.transaction(async () => {
    for (const table of readingTables) await rollUpTable(session, table, mark, upTo)
    await session.run('UPDATE upkeep SET rolled_to = $1', [upTo])
  })
}

async function rollUpTable(session: Session, table: ReadingTable, mark: number, upTo: number): Promise<void> {
  await session.run('DELETE FROM touched')
  await session.run(
    `INSERT INTO touched SELECT DISTINCT series, ${hourOf('at_ms')} FROM ${table} WHERE seq > $1 AND seq <= $2`,
    [mark, upTo],
  )
  const [hours] = (await session.numbers(
    'SELECT DISTINCT at_ms::DOUBLE AS hour FROM touched ORDER BY hour',
  )) as [number[]]
  for (const { from, to } of toRanges(hours)) await rollUpRange(session, table, [from, to])
}

const inRange = (table: string): string => `${table}.at_ms >= $1 AND ${table}.at_ms < $2`

/** The readings of the touched hours of a range. */
const touchedReadings = (table: ReadingTable): string => `
  SEMI JOIN touched ON touched.series = ${table}.series AND touched.at_ms = ${hourOf(`${table}.at_ms`)}
  WHERE ${inRange(table)}`

async function rollUpRange(session: Session, table: ReadingTable, range: [number, number]): Promise<void> {
  await session.run(
    `DELETE FROM touched USING rollups WHERE closed AND ${inRange('rollups')}
       AND rollups.series = touched.series AND rollups.at_ms = touched.at_ms`,
    range,
  )
  await session.run(
    `DELETE FROM rollups USING touched WHERE ${inRange('rollups')}
       AND rollups.series = touched.series AND rollups.at_ms = touched.at_ms`,
    range,
  )
  await session.run(
    `INSERT INTO rollups SELECT *, false FROM (${hoursOf(table, touchedReadings(table))}) ORDER BY series, at_ms`,
    range,
  )
  await session.run(
    `INSERT INTO loose SELECT ${periodOf('at_ms')} AS period, count(*) FROM touched
     WHERE ${inRange('touched')} GROUP BY period`,
    range,
  )
  if (await hasDuplicates(session, table, range)) {
    await session.run(
      `DELETE FROM ${table} USING (
         SELECT series, at_ms, max(seq) AS seq FROM ${table} ${touchedReadings(table)}
         GROUP BY series, at_ms HAVING count(*) > 1) AS newest
       WHERE ${inRange(table)} AND ${table}.series = newest.series
         AND ${table}.at_ms = newest.at_ms AND ${table}.seq < newest.seq`,
      range,
    )
  }
}

/** Whether the touched hours have more readings than the roll-ups just made of them count. */
async function hasDuplicates(
  session: Session,
  table: ReadingTable,
  range: [number, number],
): Promise<boolean> {
  const [[readings]] = (await session.numbers(
    `SELECT count(*)::DOUBLE FROM ${table} ${touchedReadings(table)}`,
    range,
  )) as [[number]]
  const [[counted]] = (await session.numbers(
    `SELECT coalesce(sum(n), 0)::DOUBLE FROM rollups
     SEMI JOIN touched ON touched.series = rollups.series AND touched.at_ms = rollups.at_ms
     WHERE ${inRange('rollups')}`,
    range,
  )) as [[number]]
  return readings > counted
}

/**
 * Roll-ups are written in order of time and read a series at a time. Sorted by series within periods of 30 days, a
 * year of one series lies in a dozen row groups instead of all: 9 ms instead of 70 out of 8.8 million hours.
 */
const periodMs = 30 * 24 * hourMs
const periodOf = (column: string): string => `(${column} // ${periodMs} * ${periodMs})`

/** A period is sorted again when this many of its rows, and a quarter of them, came after the last time. */
const looseMin = 65_536

/** Starts of the periods that are worth sorting. */
export async function loosePeriods(session: Session): Promise<number[]> {
  const [periods] = (await session.numbers(
    `SELECT period::DOUBLE FROM (
       SELECT period, sum(n) AS loose FROM loose GROUP BY period HAVING sum(n) >= ${looseMin})
     WHERE 4 * loose >= (SELECT count(*) FROM rollups
       WHERE at_ms >= period AND at_ms < period + ${periodMs})
     ORDER BY period`,
  )) as [number[]]
  return periods
}

/** Sorts the roll-ups of a period by series. */
export async function sortPeriod(session: Session, period: number): Promise<void> {
  const range = [period, period + periodMs]
  await session.transaction(async () => {
    await session.run(
      `CREATE TEMP TABLE sorting AS FROM rollups WHERE at_ms >= ${period} AND at_ms < ${period + periodMs}`,
    )
    await session.run(`DELETE FROM rollups WHERE ${inRange('rollups')}`, range)
    await session.run('INSERT INTO rollups FROM sorting ORDER BY series, at_ms')
    await session.run('DROP TABLE sorting')
    await session.run('DELETE FROM loose WHERE period = $1', [period])
  })
}
