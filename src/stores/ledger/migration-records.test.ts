import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Libsql from 'libsql'
import { expect, it } from 'vitest'
import { record } from '../../../test/conformance/ledger-record-laws.ts'
import { alert, key, site } from '../../../test/conformance/ledger-samples.ts'
import { emptyFacts } from '../../core/turn.ts'
import { createSqliteLedger } from './sqlite.ts'

it('migrations 0009_records and 0010_journal: a ledger written before them keeps its data and takes records and positions', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'homeostat-records-'))
  const before = createSqliteLedger({ folder })
  await before.open()
  await before.putSites([site('home')])
  await before.putAlerts([alert()])
  await before.putKey(key('a'))
  await before.close()
  // as the version before left it
  const db = new Libsql(join(folder, 'ledger.db'))
  db.exec(
    "drop table users; drop table sessions; drop table records; drop table journal; delete from homeostat_migration where name >= '0009_records'",
  )
  db.close()

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
