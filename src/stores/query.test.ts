import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { site } from '../../test/conformance/ledger-samples.ts'
import { createSqliteLedger } from './ledger/sqlite.ts'
import { queryLedger, queryReadings } from './query.ts'
import { createDuckDbReadings } from './readings/duckdb.ts'
import { duckdb } from './readings/duckdb-api.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'homeostat-query-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const temperature = { site: 'home', device: 'd', metric: 'temperature', unit: 'degC' }

describe('a query', () => {
  it('of the ledger is answered while it is open, and cannot change it', async () => {
    const ledger = createSqliteLedger({ folder })
    await ledger.open()
    await ledger.putSites([site('a'), site('b'), site('c')])
    expect(await queryLedger(folder, 'select id from sites order by id', 2)).toEqual({
      ...{ columns: ['id'], rows: [['a'], ['b']], isCut: true },
    })
    for (const change of ['delete from sites', 'delete from sites returning id', 'select nothing from sites'])
      await expect(queryLedger(folder, change, 2)).rejects.toMatchObject({ code: 'data_invalid' })
    expect(await ledger.sites()).toHaveLength(3)
    await ledger.close()
  })

  it('of the readings is answered when they are closed, and reaches no other file', async () => {
    const readings = createDuckDbReadings({ folder })
    await readings.open()
    await readings.append([1, 2].map((value) => ({ ...temperature, value, at: value })))
    await readings.close()
    const names = readdirSync(folder)
    expect(await queryReadings(folder, 'SELECT sum(value) AS sum, count(*) AS n FROM readings', 10)).toEqual({
      ...{ columns: ['sum', 'n'], rows: [[3, 2]], isCut: false },
    })
    for (const sql of [
      'DELETE FROM readings',
      "SELECT * FROM read_csv('/etc/hostname')",
      "COPY readings TO 'x'",
    ])
      await expect(queryReadings(folder, sql, 10)).rejects.toMatchObject({ code: 'data_invalid' })
    expect(readdirSync(folder)).toEqual(names)
  })

  it('of a store that is not there makes none', async () => {
    await expect(queryLedger(folder, 'select 1', 1)).rejects.toMatchObject({ code: 'not_found' })
    await expect(queryReadings(folder, 'SELECT 1', 1)).rejects.toMatchObject({ code: 'not_found' })
    expect(readdirSync(folder)).toEqual([])
  })
})

describe('a store of readings of another program', () => {
  it('is refused and left as it is', async () => {
    const instance = await duckdb.DuckDBInstance.create(join(folder, 'readings.duckdb'))
    await (await instance.connect()).run('CREATE TABLE other AS SELECT 1 AS one')
    instance.closeSync()
    await expect(createDuckDbReadings({ folder }).open()).rejects.toMatchObject({
      ...{ code: 'file_unreadable', message: expect.stringContaining('another program') },
    })
    expect((await queryReadings(folder, 'SELECT * FROM other', 1)).rows).toEqual([[1]])
  })
})
