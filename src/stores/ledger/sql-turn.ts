import type { Transaction } from 'kysely'
import type { Alert, Device, PointPrediction, Quarantined, Site } from '../../core/event.ts'
import type { Target } from '../../core/target.ts'
import type { LedgerTurn } from '../../core/turn.ts'
import { batches } from './batches.ts'
import { siteAndId } from './keys.ts'
import {
  alertRow,
  deviceRow,
  dirtySpansRow,
  monitorStateRow,
  predictionRow,
  quarantinedRow,
  siteRow,
} from './rows.ts'
import type { Database } from './schema.ts'
import { putIncidentRows } from './sql-incidents.ts'
import { excluded, upsert } from './upsert.ts'

/** What a turn writes, table by table; each within the transaction of its caller. */

export async function writeTurn(db: Transaction<Database>, turn: LedgerTurn): Promise<void> {
  const { sites, devices, quarantined, predictions, alerts, incidents, states, dirty } = turn
  if (sites.length > 0) await writeSites(db, sites)
  if (devices.length > 0) await writeDevices(db, devices)
  if (quarantined.length > 0) await writeQuarantined(db, quarantined)
  if (predictions.length > 0) await writePredictions(db, predictions)
  if (alerts.length > 0) await writeAlerts(db, alerts)
  if (incidents.length > 0) await putIncidentRows(db, incidents)
  const target = ['site', 'domain', 'subject'] as const
  const saved = states.filter(({ state }) => state !== undefined)
  if (saved.length > 0) await upsert(db, 'monitor_states', target, saved, monitorStateRow)
  for (const { target, state } of states) if (state === undefined) await erase(db, 'monitor_states', target)
  const marked = dirty.filter(({ spans }) => spans.length > 0)
  if (marked.length > 0) await upsert(db, 'dirty_spans', target, marked, dirtySpansRow)
  for (const { target, spans } of dirty) if (spans.length === 0) await erase(db, 'dirty_spans', target)
}

export const writeSites = (db: Transaction<Database>, sites: readonly Site[]): Promise<void> =>
  upsert(db, 'sites', ['id'], sites, siteRow)

export async function writeDevices(db: Transaction<Database>, devices: readonly Device[]): Promise<void> {
  const rooms = devices.flatMap(({ site, room }) => (room === undefined ? [] : [{ site, id: room }]))
  for await (const batch of batches(rooms, siteAndId)) {
    await db
      .insertInto('rooms')
      .values(batch)
      .onConflict((conflict) => conflict.doNothing())
      .execute()
  }
  for await (const batch of batches(devices, siteAndId)) {
    await db
      .insertInto('devices')
      .values(batch.map(deviceRow))
      .onConflict((conflict) =>
        conflict.columns(['site', 'id']).doUpdateSet((row) => ({
          ...excluded(['type', 'attributes', 'name', 'role', 'fixed', 'hidden']),
          room: row.fn.coalesce('excluded.room', 'devices.room'),
        })),
      )
      .execute()
  }
}

export async function writeQuarantined(
  db: Transaction<Database>,
  rows: readonly Quarantined[],
): Promise<void> {
  for await (const batch of batches(rows)) {
    await db.insertInto('quarantined').values(batch.map(quarantinedRow)).execute()
  }
}

/** Returns how many there were. */
export async function deleteQuarantined(
  db: Transaction<Database>,
  ids: readonly number[] | 'all',
): Promise<number> {
  if (ids === 'all')
    return Number((await db.deleteFrom('quarantined').executeTakeFirstOrThrow()).numDeletedRows)
  let removed = 0
  for await (const batch of batches(ids)) {
    const { numDeletedRows } = await db
      .deleteFrom('quarantined')
      .where('id', 'in', batch)
      .executeTakeFirstOrThrow()
    removed += Number(numDeletedRows)
  }
  return removed
}

export function writePredictions(
  db: Transaction<Database>,
  predictions: readonly PointPrediction[],
): Promise<void> {
  const key = ['site', 'domain', 'subject', 'metric', 'at', 'made_at', 'model_name', 'model_version'] as const
  return upsert(db, 'predictions', key, predictions, predictionRow)
}

export function writeAlerts(db: Transaction<Database>, alerts: readonly Alert[]): Promise<void> {
  return upsert(db, 'alerts', ['rule', 'site', 'domain', 'subject', 'since'], alerts, alertRow)
}

async function erase(
  db: Transaction<Database>,
  table: 'monitor_states' | 'dirty_spans',
  { site, domain, subject }: Target,
): Promise<void> {
  await db
    .deleteFrom(table)
    .where('site', '=', site)
    .where('domain', '=', domain)
    .where('subject', '=', subject)
    .execute()
}
