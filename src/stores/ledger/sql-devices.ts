import type { Transaction } from 'kysely'
import {
  type DeviceChange,
  hiddenName,
  isAboutRemoved,
  type Merge,
  type Removal,
  type RemovalLedger,
} from '../../core/device.ts'
import type { Alert } from '../../core/event.ts'
import type { Job } from '../../core/life.ts'
import { naiveVersion } from '../../core/life.ts'
import { isSameTarget, type Target } from '../../core/target.ts'
import { sql } from './kysely.ts'
import { bodyOf } from './life-rows.ts'
import type { Database } from './schema.ts'
import type { Session } from './session.ts'
import { writeDevices } from './sql-turn.ts'
import { upsert } from './upsert.ts'

/** Tables of targets, with the columns that make a row of a target the same one; none: rows have ids of their own. */
const targetTables = {
  forecasts: ['metric'],
  predictions: ['metric', 'at', 'made_at', 'model_name', 'model_version'],
  alerts: ['rule', 'since'],
  incidents: [],
  models: ['version'],
  model_events: [],
  forecast_log: ['metric', 'origin', 'version'],
  report_days: ['metric', 'day', 'version'],
  watch_state: ['metric'],
  drifts: ['version'],
} as const satisfies Partial<Record<keyof Database, readonly string[]>>

export const sqlRemovals = ({ db }: Session): RemovalLedger => ({
  async list(site) {
    const rows = await db()
      .selectFrom('removals')
      .select('body')
      .$if(site !== undefined, (query) => query.where('site', '=', site ?? ''))
      .orderBy('at', 'desc')
      .orderBy('id')
      .execute()
    return rows.map(bodyOf<Removal>)
  },

  async merges(): Promise<Merge[]> {
    return db().selectFrom('merges').selectAll().orderBy('site').orderBy('device').execute()
  },

  async versions({ id, targets }) {
    const found = await Promise.all(
      targets.map(async (target) => {
        const rows = await db()
          .selectFrom('models')
          .select('version')
          .where((row) => row.and(hiddenTarget(target, id)))
          .orderBy('version')
          .execute()
        return rows.map(({ version }) => ({ target, version }))
      }),
    )
    return found.flat()
  },
})

/** Within the caller's transaction. A removal hides rows under another subject or device, so that new ones are new. */
export async function applyDeviceChange(db: Transaction<Database>, change: DeviceChange): Promise<void> {
  if (change.kind === 'edited') return writeDevices(db, [change.device])
  const { removal } = change
  if (change.kind === 'removed') await hide(db, removal)
  else if (await db.selectFrom('removals').select('id').where('id', '=', removal.id).executeTakeFirst()) {
    if (change.kind === 'restored') await restore(db, removal)
    else await erase(db, removal)
    await db.deleteFrom('removals').where('id', '=', removal.id).execute()
  }
}

async function hide(db: Transaction<Database>, removal: Removal): Promise<void> {
  const { id, site, at } = removal
  const known = await db.selectFrom('removals').select('id').where('id', '=', id).executeTakeFirst()
  if (known) return
  await upsert(db, 'removals', ['id'], [removal], (body) => ({ id, site, at, body: JSON.stringify(body) }))
  for (const target of removal.targets) {
    for (const table of tableNames) await renameTarget(db, table, target, hiddenName(target.subject, id))
    for (const table of ['monitor_states', 'dirty_spans'] as const)
      await db
        .deleteFrom(table)
        .where((row) => row.and(named(target)))
        .execute()
  }
  for (const target of removal.narrowed) await hideAlerts(db, target, removal)
  await removeJobs(db, removal)
  for (const { key } of removal.series) {
    await db
      .updateTable('forgotten')
      .set({ device: hiddenName(key.device, id) })
      .where((row) => row.and({ ...key }))
      .execute()
  }
  if (removal.metric !== undefined) return
  await renameDevice(db, site, removal.device, hiddenName(removal.device, id))
  if (removal.into !== undefined)
    await upsert(db, 'merges', ['site', 'device'], [removal.into], (into) => ({
      ...{ site, device: removal.device, into },
    }))
}

async function restore(db: Transaction<Database>, removal: Removal): Promise<void> {
  const { id, site, device } = removal
  for (const target of removal.targets) {
    await settleLive(db, target, id)
    for (const table of tableNames) {
      const hidden = { ...target, subject: hiddenName(target.subject, id) }
      await removeOverlap(db, table, hidden, target)
      await renameTarget(db, table, hidden, target.subject)
    }
  }
  for (const target of removal.narrowed) {
    const hidden = hiddenTarget(target, id)
    await removeOverlap(db, 'alerts', hidden, target)
    await renameTarget(db, 'alerts', hidden, target.subject)
  }
  for (const { key } of removal.series) {
    await db
      .updateTable('forgotten')
      .set({ device: key.device })
      .where((row) => row.and({ ...key, device: hiddenName(key.device, id) }))
      .execute()
  }
  if (removal.metric !== undefined) return
  if (removal.kind === 'merged')
    await db.deleteFrom('merges').where('site', '=', site).where('device', '=', device).execute()
  const hidden = hiddenName(device, id)
  const isKept = await db
    .selectFrom('devices')
    .select('id')
    .where('site', '=', site)
    .where('id', '=', hidden)
    .executeTakeFirst()
  if (!isKept) return
  // one that appeared under the id since: what people said of the old one counts
  await db.deleteFrom('devices').where('site', '=', site).where('id', '=', device).execute()
  await renameDevice(db, site, hidden, device)
}

/** A merge lasts: only what it hid goes. */
async function erase(
  db: Transaction<Database>,
  { id, site, device, targets, narrowed, series }: Removal,
): Promise<void> {
  for (const target of [...targets, ...narrowed]) {
    for (const table of tableNames)
      await db
        .deleteFrom(table)
        .where((row) => row.and(hiddenTarget(target, id)))
        .execute()
  }
  for (const { key } of series) {
    await db
      .deleteFrom('forgotten')
      .where((row) => row.and({ ...key, device: hiddenName(key.device, id) }))
      .execute()
  }
  await db.deleteFrom('devices').where('site', '=', site).where('id', '=', hiddenName(device, id)).execute()
}

/** One learnt version is live, and the naive one only without: the one that is served now stays. */
async function settleLive(db: Transaction<Database>, target: Target, removal: string): Promise<void> {
  const retire = async (of: Target, isNaive: boolean): Promise<void> => {
    await db
      .updateTable('models')
      .set({ status: 'retired' })
      .where((row) => row.and(named(of)))
      .where('status', '=', 'live')
      .where('version', isNaive ? '=' : '!=', naiveVersion)
      .execute()
  }
  const hasLive = async (of: Target): Promise<boolean> => {
    const found = await db
      .selectFrom('models')
      .select('version')
      .where((row) => row.and(named(of)))
      .where('status', '=', 'live')
      .where('version', '!=', naiveVersion)
      .executeTakeFirst()
    return found !== undefined
  }
  const hidden = { ...target, subject: hiddenName(target.subject, removal) }
  if (await hasLive(target)) await retire(hidden, false)
  else if (await hasLive(hidden)) await retire(target, true)
}

type TargetTable = keyof typeof targetTables
const tableNames = Object.keys(targetTables) as TargetTable[]

const named = ({ site, domain, subject }: Target): Target => ({ site, domain, subject })

const hiddenTarget = (target: Target, removal: string): Target =>
  named({ ...target, subject: hiddenName(target.subject, removal) })

async function renameTarget(
  db: Transaction<Database>,
  table: TargetTable,
  { site, domain, subject }: Target,
  name: string,
): Promise<void> {
  await sql`update ${sql.table(table)} set subject = ${name}
    where site = ${site} and domain = ${domain} and subject = ${subject}`.execute(db)
}

/** Rows that are there again under the name: these stay. */
async function removeOverlap(
  db: Transaction<Database>,
  table: TargetTable,
  hidden: Target,
  target: Target,
): Promise<void> {
  const key = targetTables[table]
  if (key.length === 0) return
  const same = key.map((column) => sql`newer.${sql.ref(column)} = ${sql.ref(`${table}.${column}`)}`)
  await sql`delete from ${sql.table(table)}
    where site = ${hidden.site} and domain = ${hidden.domain} and subject = ${hidden.subject}
      and exists (select 1 from ${sql.table(table)} as newer where newer.site = ${target.site}
        and newer.domain = ${target.domain} and newer.subject = ${target.subject}
        and ${sql.join(same, sql` and `)})`.execute(db)
}

async function renameDevice(
  db: Transaction<Database>,
  site: string,
  id: string,
  name: string,
): Promise<void> {
  await db.updateTable('devices').set({ id: name }).where('site', '=', site).where('id', '=', id).execute()
}

async function hideAlerts(db: Transaction<Database>, target: Target, removal: Removal): Promise<void> {
  const rows = await db
    .selectFrom('alerts')
    .selectAll()
    .where((row) => row.and(named(target)))
    .execute()
  for (const { rule, since, body } of rows) {
    if (!isAboutRemoved(removal, bodyOf<Alert>({ body }))) continue
    await db
      .updateTable('alerts')
      .set({ subject: hiddenName(target.subject, removal.id) })
      .where((row) => row.and({ ...named(target), rule, since }))
      .execute()
  }
}

/** Trainings are no history of the device: they are not kept. */
async function removeJobs(db: Transaction<Database>, { site, targets }: Removal): Promise<void> {
  const rows = await db.selectFrom('jobs').select(['id', 'body']).where('site', '=', site).execute()
  for (const row of rows) {
    const { target } = bodyOf<Job>(row)
    if (targets.some((gone) => isSameTarget(gone, target)))
      await db.deleteFrom('jobs').where('id', '=', row.id).execute()
  }
}
