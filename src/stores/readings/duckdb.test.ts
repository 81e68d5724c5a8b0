import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { afterAll, expect, it } from 'vitest'
import { hour, reading, start } from '../../../test/conformance/reading-samples.ts'
import { examineReadingStore } from '../../../test/conformance/reading-store.ts'
import type { ReadingStore } from '../../core/ports.ts'
import { createDuckDbReadings } from './duckdb.ts'

const root = mkdtempSync(join(tmpdir(), 'readings-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

const folders = new WeakMap<ReadingStore, string>()
function open(folder: string): ReadingStore {
  const store = createDuckDbReadings({ folder, memoryLimitMb: 128 })
  folders.set(store, folder)
  return store
}

examineReadingStore({
  name: 'duckdb',
  create: async () => open(mkdtempSync(join(root, 'store-'))),
  reopen: (closed) => open(folders.get(closed)!),
})

it('stores nothing of a batch that the engine refuses, and goes on after it', async () => {
  const store = open(mkdtempSync(join(root, 'store-')))
  await store.open()
  await store.append([reading({ room: 'hall' })])
  const refused = reading({ device: 'new', at: Number.NaN })
  await expect(
    store.append([reading({ room: 'attic' }), reading({ device: 'new' }), refused]),
  ).rejects.toThrow('nan')
  expect(await store.series()).toEqual([
    { site: 'home', device: 'meter', metric: 'power', unit: 'W', room: 'hall' },
  ])
  await store.append([reading({ device: 'newer', value: 5 })])
  expect((await store.read({}, 10)).map(({ device }) => device)).toEqual(['meter', 'newer'])
  await store.close()
})

it('sorts the roll-ups of a full period by series, and answers as before', async () => {
  const store = open(mkdtempSync(join(root, 'store-')))
  await store.open()
  const devices = 100
  for (let day = 0; day < 30; day++) {
    await store.append(
      Array.from({ length: devices * 24 }, (_, row) =>
        reading({
          device: `d${row % devices}`,
          at: start + (day * 24 + Math.floor(row / devices)) * hour,
          value: row,
        }),
      ),
    )
  }
  const key = { site: 'home', device: 'd7', metric: 'power' }
  const before = await store.rollups(key, 0, Infinity)
  await store.maintain()
  expect(before).toHaveLength(720)
  expect(await store.rollups(key, 0, Infinity)).toEqual(before)
  await store.close()

  const database = await DuckDBInstance.create(join(folders.get(store)!, 'readings.duckdb'))
  const connection = await database.connect()
  const turns = await connection.run(
    'SELECT count(*)::INTEGER FROM (SELECT series, lag(series) OVER (ORDER BY rowid) AS before FROM rollups) WHERE series <> before',
  )
  // the month lies across two periods, of which the larger was worth sorting: a run a series there, one step's run a series here
  expect((await turns.getRows())[0]?.[0]).toBeLessThan(3 * devices)
  expect((await (await connection.run('SELECT count(*)::INTEGER FROM rollups')).getRows())[0]?.[0]).toBe(
    720 * devices,
  )
  connection.closeSync()
  database.closeSync()
})
