import { type DeviceChange, hiddenName, type Removal } from '../../core/device.ts'
import type { SeriesKey } from '../../core/event.ts'
import { hourOf, readingTables } from './duckdb-schema.ts'
import type { SeriesTable } from './duckdb-series.ts'
import type { Session } from './duckdb-session.ts'
import type { Writer } from './duckdb-writer.ts'

interface ChangeParts {
  readonly session: Session
  readonly series: SeriesTable
  readonly writer: Writer
}

/**
 * What people do to devices. Readings carry the number of their series only, so a series is hidden by another name of its
 * number, and a name that is free again gets a new number. A merge makes a series of both and hides the two: taking it
 * back drops the new one. One transaction.
 */
export async function applyChange(
  parts: ChangeParts,
  change: DeviceChange,
  position: number | undefined,
): Promise<void> {
  const { session, series } = parts
  try {
    await session.transaction(async () => {
      if (change.kind === 'edited') await setRoom(session, change.device)
      else if (change.kind === 'removed') await hide(parts, change.removal)
      else if (change.kind === 'restored') await restore(parts, change.removal)
      else
        await dropSeries(
          session,
          series.hidden(change.removal.id).map(({ id }) => id),
        )
      if (position !== undefined) await session.run('UPDATE journal SET position = $1', [position])
    })
  } finally {
    // also after a failure: what memory knows of series must be what the disk knows
    await series.load(session)
  }
}

/** Erases series; part of the caller's transaction. */
export async function dropSeries(session: Session, ids: readonly number[]): Promise<void> {
  if (ids.length === 0) return
  for (const [table, column] of [
    ...readingTables.map((table) => [table, 'series']),
    ['rollups', 'series'],
    ['series', 'id'],
  ]) {
    await session.run(`DELETE FROM ${table} WHERE ${column} IN (SELECT unnest($1))`, [ids])
  }
}

async function setRoom(
  session: Session,
  { site, id, room }: { readonly site: string; readonly id: string; readonly room?: string },
): Promise<void> {
  if (room !== undefined)
    await session.run('UPDATE series SET room = $3 WHERE site = $1 AND device = $2', [site, id, room])
}

async function hide(parts: ChangeParts, removal: Removal): Promise<void> {
  const { session, series } = parts
  if (series.hidden(removal.id).length > 0) return
  for (const { key, into } of removal.series) {
    const from = series.idOf(key)
    if (from === undefined) continue
    await rename(session, from, hiddenName(key.device, removal.id))
    if (into) await unite(parts, from, into, removal.id)
  }
}

/** Makes a new series of the readings of both; at the same time those of the series that stays count. */
async function unite(parts: ChangeParts, from: number, into: SeriesKey, removal: string): Promise<void> {
  const { session, series } = parts
  const target = series.idOf(into)
  const fresh = series.allocate()
  const { unit, room } = series.get(target ?? from)!
  await session.run('INSERT INTO series SELECT $1::INTEGER, $2, $3, $4, $5, $6', [
    ...[fresh, into.site, into.device, into.metric, unit],
    target === undefined ? '' : (room ?? ''),
  ])
  await copyRows(parts, from, fresh)
  if (target === undefined) return
  await copyRows(parts, target, fresh)
  await rename(session, target, hiddenName(into.device, removal))
}

async function restore(parts: ChangeParts, removal: Removal): Promise<void> {
  const { session, series } = parts
  const hidden = series.hidden(removal.id)
  if (hidden.length === 0) return
  const united = removal.series.flatMap(({ into }) => (into ? (series.idOf(into) ?? []) : []))
  await dropSeries(session, united)
  if (removal.into !== undefined) await takeOutShadows(parts, removal, removal.into)
  for (const { id, series: before } of hidden) {
    const fresh = series.idOf(before)
    if (fresh !== undefined && !united.includes(fresh)) {
      await copyRows(parts, fresh, id)
      await dropSeries(session, [fresh])
    }
    await rename(session, id, before.device)
  }
}

/** What the device began to measure after it was merged went into series that no copy was made of. */
async function takeOutShadows(
  parts: ChangeParts,
  { id, site, device, series: known }: Removal,
  into: string,
): Promise<void> {
  const { session, series } = parts
  for (const shadow of series.hidden(id)) {
    const { metric } = shadow.series
    const isCopied = known.some(({ key }) => key.device === device && key.metric === metric)
    const mixed = series.idOf({ site, device: into, metric })
    if (shadow.series.device !== device || isCopied || mixed === undefined) continue
    const hours = `SELECT DISTINCT ${hourOf('at_ms')} FROM readings WHERE series = ${shadow.id}`
    await session.run(
      `DELETE FROM readings WHERE series = ${mixed} AND EXISTS (SELECT 1 FROM readings AS theirs
         WHERE theirs.series = ${shadow.id} AND theirs.at_ms = readings.at_ms AND theirs.value = readings.value)`,
    )
    await session.run(`DELETE FROM rollups WHERE series = ${mixed} AND NOT closed AND at_ms IN (${hours})`)
    // with new numbers, so that their hours are rolled up again
    await renumber(parts, `series = ${mixed} AND ${hourOf('at_ms')} IN (${hours})`)
    const left = await count(session, `readings WHERE series = ${mixed}`)
    if (left === 0) await dropSeries(session, [mixed])
  }
}

async function renumber({ session, writer }: ChangeParts, where: string): Promise<void> {
  const first = writer.takeSeqs(await count(session, `readings WHERE ${where}`))
  await session.run(
    `INSERT INTO readings SELECT series, at_ms, value, $1 + row_number() OVER (ORDER BY at_ms) - 1
     FROM (SELECT series, at_ms, arg_max(value, seq) AS value FROM readings WHERE ${where} GROUP BY series, at_ms)`,
    [first],
  )
}

async function count(session: Session, rows: string): Promise<number> {
  const [[found]] = (await session.numbers(`SELECT count(*)::DOUBLE FROM ${rows}`)) as [[number]]
  return found
}

/** Adds the readings of one series to another, and counts at each time; new numbers make their hours roll up again. */
async function copyRows({ session, series, writer }: ChangeParts, from: number, into: number): Promise<void> {
  const table = series.tableOf(from)
  const first = writer.takeSeqs(await count(session, `${table} WHERE series = ${from}`))
  await session.run(
    `INSERT INTO ${table} SELECT $2::INTEGER, at_ms, value, $3 + row_number() OVER (ORDER BY at_ms) - 1
     FROM (SELECT at_ms, arg_max(value, seq) AS value FROM ${table} WHERE series = $1::INTEGER GROUP BY at_ms)
     ORDER BY at_ms`,
    [from, into, first],
  )
  // hours whose readings are gone
  await session.run(
    `DELETE FROM rollups WHERE series = $2 AND at_ms IN
       (SELECT at_ms FROM rollups WHERE series = $1 AND closed)`,
    [from, into],
  )
  await session.run(
    `INSERT INTO rollups SELECT $2::INTEGER, at_ms, n, min, max, mean, first, last, closed
     FROM rollups WHERE series = $1 AND closed ORDER BY at_ms`,
    [from, into],
  )
}

const rename = (session: Session, id: number, device: string): Promise<void> =>
  session.run('UPDATE series SET device = $2 WHERE id = $1', [id, device])
