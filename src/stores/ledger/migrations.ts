import type { Kysely, Migration } from 'kysely'
import { HomeostatError } from '../../core/errors.ts'
import { type ColumnTypes, type DataType, model, series } from './columns.ts'
import { Migrator, sql } from './kysely.ts'
import { alertTargets } from './migration-alerts.ts'
import { devices } from './migration-devices.ts'
import { eventRows } from './migration-event-rows.ts'
import { incidents } from './migration-incidents.ts'
import { journal } from './migration-journal.ts'
import { life } from './migration-life.ts'
import { monitors } from './migration-monitors.ts'
import { people } from './migration-people.ts'
import { records } from './migration-records.ts'
import { targets } from './migration-targets.ts'
import type { Database } from './schema.ts'

const migrationTable = 'homeostat_migration'

/** Never edit a migration that was released: add one. Names sort in the order in which they run. */
export const migrations = (types: ColumnTypes): Record<string, Migration> => ({
  '0001_first': { up: (db) => first(db, types) },
  '0002_life': { up: (db) => life(db, types) },
  '0003_truths': { up: truths },
  '0004_alert_targets': { up: (db) => alertTargets(db, types) },
  '0005_targets': { up: (db) => targets(db, types) },
  '0006_incidents': { up: (db) => incidents(db, types) },
  '0007_monitors': { up: (db) => monitors(db, types) },
  '0008_event_rows': { up: (db) => eventRows(db, types) },
  '0009_records': { up: (db) => records(db, types) },
  '0010_journal': { up: journal },
  '0011_devices': { up: (db) => devices(db, types) },
  '0012_people': { up: (db) => people(db, types) },
  '0013_quarantine_origin': { up: (db) => quarantineOrigin(db, types) },
})

/** Throws HomeostatError `file_unreadable` naming `where` when a newer program wrote the database. */
export async function refuseNewer(db: Kysely<Database>, types: ColumnTypes, where: string): Promise<void> {
  const known = migrations(types)
  const unknown = (await applied(db)).filter((name) => !(name in known))
  if (unknown.length > 0) {
    throw new HomeostatError('file_unreadable', {
      file: where,
      detail: `a newer Homeostat wrote it (${unknown.join(', ')}); run that version or a later one`,
    })
  }
}

/**
 * Brings the database to the newest schema in one transaction; does nothing when it is there already.
 * Throws HomeostatError `file_unreadable` naming `where` when a migration fails.
 */
export async function migrate(db: Kysely<Database>, types: ColumnTypes, where: string): Promise<void> {
  const done = await applied(db)
  // a disk without room would refuse even a transaction that changes nothing
  if (Object.keys(migrations(types)).every((name) => done.includes(name))) return
  const { error } = await new Migrator({
    db,
    provider: { getMigrations: () => Promise.resolve(migrations(types)) },
    migrationTableName: migrationTable,
    migrationLockTableName: `${migrationTable}_lock`,
  }).migrateToLatest()
  if (error) {
    const detail = `its schema could not be brought up to date: ${error instanceof Error ? error.message : error}`
    throw new HomeostatError('file_unreadable', { file: where, detail }, error)
  }
}

async function applied(db: Kysely<Database>): Promise<string[]> {
  const tables = await db.introspection.getTables({ withInternalKyselyTables: true })
  if (!tables.some(({ name }) => name === migrationTable)) return []
  const { rows } = await sql<{ name: string }>`select name from ${sql.table(migrationTable)}`.execute(db)
  return rows.map(({ name }) => name)
}

async function first(db: Kysely<unknown>, { counter, text }: ColumnTypes): Promise<void> {
  await places(db, text)
  await learnt(db, text)
  await db.schema
    .createTable('alerts')
    .$call(series(text))
    .addColumn('rule', text, (column) => column.notNull())
    .addColumn('level', text, (column) =>
      column.notNull().check(sql`level in ('info', 'warning', 'critical')`),
    )
    .addColumn('since', 'bigint', (column) => column.notNull())
    .addColumn('at', 'bigint', (column) => column.notNull())
    .addColumn('value', 'double precision', (column) => column.notNull())
    .addColumn('message', text, (column) => column.notNull())
    .addColumn('until', 'bigint')
    .addPrimaryKeyConstraint('alerts_key', ['rule', 'site', 'device', 'metric', 'since'])
    .execute()
  await db.schema.createIndex('alerts_by_since').on('alerts').column('since').execute()
  await db.schema
    .createTable('quarantined')
    .addColumn('id', counter, (column) => column.primaryKey())
    .addColumn('at', 'bigint', (column) => column.notNull())
    .addColumn('source', text, (column) => column.notNull())
    .addColumn('code', text, (column) => column.notNull())
    .addColumn('message', text, (column) => column.notNull())
    .addColumn('payload', text, (column) => column.notNull())
    .execute()
  await db.schema
    .createTable('api_keys')
    .addColumn('id', text, (column) => column.primaryKey().notNull())
    .addColumn('name', text, (column) => column.notNull())
    .addColumn('role', text, (column) => column.notNull().check(sql`role in ('viewer', 'operator', 'admin')`))
    .addColumn('sites', text)
    .addColumn('sha256', text, (column) => column.notNull().unique())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .execute()
}

/** Where quarantined rows came from. May be repeated. */
async function quarantineOrigin(db: Kysely<unknown>, { text }: ColumnTypes): Promise<void> {
  const tables = await db.introspection.getTables()
  const columns = tables.find(({ name }) => name === 'quarantined')?.columns.map(({ name }) => name) ?? []
  for (const column of ['topic', 'device', 'metric'].filter((name) => !columns.includes(name)))
    await db.schema.alterTable('quarantined').addColumn(column, text).execute()
}

async function places(db: Kysely<unknown>, text: DataType): Promise<void> {
  await db.schema
    .createTable('sites')
    .addColumn('id', text, (column) => column.primaryKey().notNull())
    .addColumn('name', text, (column) => column.notNull())
    .addColumn('zone', text, (column) => column.notNull())
    .addColumn('demo', 'smallint', (column) => column.notNull().check(sql`demo in (0, 1)`))
    .execute()
  await db.schema
    .createTable('rooms')
    .addColumn('site', text, (column) => column.notNull())
    .addColumn('id', text, (column) => column.notNull())
    .addPrimaryKeyConstraint('rooms_key', ['site', 'id'])
    .execute()
  await db.schema
    .createTable('devices')
    .addColumn('site', text, (column) => column.notNull())
    .addColumn('id', text, (column) => column.notNull())
    .addColumn('type', text, (column) => column.notNull())
    .addColumn('room', text)
    .addColumn('attributes', text, (column) => column.notNull())
    .addPrimaryKeyConstraint('devices_key', ['site', 'id'])
    .addForeignKeyConstraint('devices_room', ['site', 'room'], 'rooms', ['site', 'id'])
    .execute()
}

async function learnt(db: Kysely<unknown>, text: DataType): Promise<void> {
  await db.schema
    .createTable('forecasts')
    .$call(series(text))
    .addColumn('unit', text, (column) => column.notNull())
    .addColumn('origin', 'bigint', (column) => column.notNull())
    .addColumn('made_at', 'bigint', (column) => column.notNull())
    .addColumn('step_ms', 'bigint', (column) => column.notNull())
    .addColumn('level', 'double precision', (column) => column.notNull())
    .$call(model(text))
    .addColumn('naive_name', text, (column) => column.notNull())
    .addColumn('steps', text, (column) => column.notNull())
    .addPrimaryKeyConstraint('forecasts_key', ['site', 'device', 'metric'])
    .execute()
  await db.schema
    .createTable('models')
    .$call(series(text))
    .addColumn('version', text, (column) => column.notNull())
    .addColumn('trained_at', 'bigint', (column) => column.notNull())
    .addColumn('card', text, (column) => column.notNull())
    .addColumn('body', text, (column) => column.notNull())
    .addPrimaryKeyConstraint('models_key', ['site', 'device', 'metric', 'version'])
    .execute()
  await db.schema
    .createTable('predictions')
    .$call(series(text))
    .addColumn('at', 'bigint', (column) => column.notNull())
    .addColumn('made_at', 'bigint', (column) => column.notNull())
    .$call(model(text))
    .addColumn('value', 'double precision', (column) => column.notNull())
    .addColumn('unit', text, (column) => column.notNull())
    .addPrimaryKeyConstraint('predictions_key', [
      'site',
      'device',
      'metric',
      'at',
      'made_at',
      'model_name',
      'model_version',
    ])
    .execute()
  await db.schema.createIndex('predictions_by_made_at').on('predictions').column('made_at').execute()
}

/** Hours of a day that were scored; 0 stands for a row from before. */
const truths = (db: Kysely<unknown>): Promise<void> =>
  db.schema
    .alterTable('report_days')
    .addColumn('truths', 'integer', (column) => column.notNull().defaultTo(0))
    .execute()
