import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Libsql from 'libsql'
import { expect, it } from 'vitest'
import { record } from '../../../test/conformance/ledger-record-laws.ts'
import { alert, key, site } from '../../../test/conformance/ledger-samples.ts'
import { emptyFacts } from '../../core/turn.ts'
import { Kysely, Migrator, SqliteDialect } from './kysely.ts'
import { migrations } from './migrations.ts'
import { alertRow, keyRow, siteRow } from './rows.ts'
import type { Database } from './schema.ts'
import { createSqliteLedger } from './sqlite.ts'

it('migrations 0009_records and 0010_journal: a ledger written before them keeps its data and takes records and positions', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'homeostat-records-'))
  const db = new Libsql(join(folder, 'ledger.db'))
  const earlier = new Kysely<Database>({ dialect: new SqliteDialect({ database: db }) })
  const { error } = await new Migrator({
    db: earlier,
    provider: {
      getMigrations: async () => migrations({ counter: 'integer', text: 'text', bytes: 'blob' }),
    },
    migrationTableName: 'homeostat_migration',
    migrationLockTableName: 'homeostat_migration_lock',
  }).migrateTo('0008_event_rows')
  expect(error).toBeUndefined()
  await earlier
    .insertInto('sites')
    .values(siteRow(site('home')))
    .execute()
  await earlier.insertInto('alerts').values(alertRow(alert())).execute()
  await earlier
    .insertInto('api_keys')
    .values(keyRow(key('a')))
    .execute()
  await earlier.destroy()

  const ledger = createSqliteLedger({ folder })
  await ledger.open()
  expect(await ledger.records.put([record('night')], 1)).toBe(true)
  expect(await ledger.position()).toBe(0)
  await ledger.record(emptyFacts, 7)
  expect(await ledger.position()).toBe(7)
  expect({
    sites: await ledger.sites(),
    alerts: await ledger.alerts({}, 9),
    keys: await ledger.keys(),
    record: await ledger.records.get(record('night')),
  }).toStrictEqual({ sites: [site('home')], alerts: [alert()], keys: [key('a')], record: record('night') })
  await ledger.close()
  await rm(folder, { recursive: true })
})
