import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { afterAll, expect, it } from 'vitest'
import { hour, reading, scanned, start } from '../../../test/conformance/reading-samples.ts'
import { examineReadingStore } from '../../../test/conformance/reading-store.ts'
import type { ReadingStore } from '../../core/ports.ts'
import type { Reading } from '../../core/reading.ts'
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

/** Passes the store's own check, and has no time any more when DuckDB is given it. */
function refusedByEngine(change: Partial<Reading> = {}): Reading {
  let isChecked = false
  const changing = {
    ...reading(change),
    get at() {
      const at = isChecked ? Number.NaN : 1
      isChecked = true
      return at
    },
  }
  return changing
}

it('stores nothing of a batch that the engine refuses, and goes on after it', async () => {
  const store = open(mkdtempSync(join(root, 'store-')))
  await store.open()
  await store.append([reading({ room: 'hall' })])
  const refused = refusedByEngine({ device: 'new' })
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

const tenSeconds = 10_000

/** Power of several devices, one reading each ten seconds; row by row, as it comes in. */
async function appendPower(store: ReadingStore, devices: number, rows: number): Promise<void> {
  for (let from = 0; from < rows; from += 3000) {
    const steps = Array.from({ length: Math.min(3000, rows - from) }, (_, step) => from + step)
    await store.append(
      steps.flatMap((step) =>
        Array.from({ length: devices }, (_, device) =>
          reading({ device: `d${device}`, at: start + step * tenSeconds, value: step }),
        ),
      ),
    )
  }
}

it('scan: 20 scans of long series at once stay within a small memory limit', async () => {
  const [devices, rows] = [20, 50_000]
  const folder = mkdtempSync(join(root, 'store-'))
  const writing = createDuckDbReadings({ folder, memoryLimitMb: 256 })
  await writing.open()
  await appendPower(writing, devices, rows)
  await writing.close()
  const store = createDuckDbReadings({ folder, memoryLimitMb: 32 })
  await store.open()
  const counts = await Promise.all(
    Array.from({ length: devices }, async (_, device) => {
      const { at } = await scanned(
        store,
        { site: 'home', device: `d${device}`, metric: 'power' },
        0,
        Infinity,
      )
      return at.length
    }),
  )
  expect(counts).toEqual(Array(devices).fill(rows))
  await store.close()
}, 60_000)

it('scan: reads a series that is longer than a slice in order, duplicates at the edges included', async () => {
  const store = open(mkdtempSync(join(root, 'store-')))
  await store.open()
  const rows = 300_000
  await appendPower(store, 1, rows)
  await store.append(
    Array.from({ length: rows / 1000 }, (_, step) =>
      reading({ device: 'd0', at: start + step * 1000 * tenSeconds, value: -1 }),
    ),
  )
  const key = { site: 'home', device: 'd0', metric: 'power' }
  const chunks: number[] = []
  let next = 0
  let wrong = 0
  for await (const { at, value } of store.scanMany([key], 0, Infinity)) {
    chunks.push(at.length)
    for (const [row, time] of at.entries()) {
      if (time !== start + next * tenSeconds || value[row] !== (next % 1000 === 0 ? -1 : next)) wrong++
      next++
    }
  }
  expect({ next, wrong }).toEqual({ next: rows, wrong: 0 })
  expect(chunks.length).toBeGreaterThan(2)
  expect(Math.max(...chunks)).toBeLessThanOrEqual(131_072)
  await store.close()
}, 60_000)

it('scanMany: a scan that is open when the store closes ends with an error', async () => {
  const store = open(mkdtempSync(join(root, 'store-')))
  await store.open()
  const keys = ['@a:x', 'b'].map((device) => ({ site: 'home', device, metric: 'power' }))
  await store.append(keys.map(({ device }) => reading({ device })))
  const scan = store.scanMany(keys, 0, Infinity)[Symbol.asyncIterator]()
  expect((await scan.next()).done).toBe(false)
  await store.close()
  await expect(scan.next()).rejects.toMatchObject({ code: 'stopping' })
})

it('opens a file from before there was a journal, at position 0', async () => {
  const folder = mkdtempSync(join(root, 'store-'))
  const before = open(folder)
  await before.open()
  await before.append([reading()])
  await before.close()
  const instance = await DuckDBInstance.create(join(folder, 'readings.duckdb'))
  const connection = await instance.connect()
  await connection.run('DROP TABLE journal')
  connection.closeSync()
  instance.closeSync()
  const store = open(folder)
  await store.open()
  expect([await store.position(), (await store.read({}, 10)).length]).toEqual([0, 1])
  await store.append([reading({ at: start + 1 })], 3)
  await store.close()
  const again = open(folder)
  await again.open()
  expect([await again.position(), (await again.read({}, 10)).length]).toEqual([3, 2])
  await again.close()
})

it('stores neither readings nor position of an append that fails', async () => {
  const store = open(mkdtempSync(join(root, 'store-')))
  await store.open()
  await store.append([reading()], 3)
  await expect(store.append([refusedByEngine()], 4)).rejects.toThrow('nan')
  expect(await store.position()).toBe(3)
  await store.close()
})

it('keeps derived readings in a table of their own', async () => {
  const folder = mkdtempSync(join(root, 'store-'))
  const store = open(folder)
  await store.open()
  await store.append([reading({ device: '@energy:a' }), reading({ device: 'a' })])
  await store.close()
  const database = await DuckDBInstance.create(join(folder, 'readings.duckdb'))
  const connection = await database.connect()
  const counts = await connection.run(
    'SELECT (SELECT count(*) FROM readings)::INTEGER, (SELECT count(*) FROM derived)::INTEGER',
  )
  expect(await counts.getRows()).toEqual([[1, 1]])
  connection.closeSync()
  database.closeSync()
})

/** The tables as the version before wrote them. */
const tablesBefore = [
  `CREATE TABLE series (
     id INTEGER NOT NULL, site VARCHAR NOT NULL, device VARCHAR NOT NULL, metric VARCHAR NOT NULL,
     unit VARCHAR NOT NULL, room VARCHAR NOT NULL)`,
  'CREATE TABLE readings (series INTEGER NOT NULL, at_ms BIGINT NOT NULL, value DOUBLE NOT NULL, seq BIGINT NOT NULL)',
  `CREATE TABLE rollups (
     series INTEGER NOT NULL, at_ms BIGINT NOT NULL, n INTEGER NOT NULL, min DOUBLE NOT NULL, max DOUBLE NOT NULL,
     mean DOUBLE NOT NULL, first DOUBLE NOT NULL, last DOUBLE NOT NULL, closed BOOLEAN NOT NULL)`,
  'CREATE TABLE loose (period BIGINT NOT NULL, n BIGINT NOT NULL)',
  'CREATE TABLE upkeep (rolled_to BIGINT NOT NULL)',
  'INSERT INTO upkeep VALUES (0)',
  "INSERT INTO series VALUES (0, 'home', 'meter', 'power', 'W', ''), (1, 'home', '@odd', 'power', 'W', 'hall')",
  `INSERT INTO readings VALUES (0, ${start}, 1, 0), (1, ${start}, 2, 1), (0, ${start + 1}, 3, 2)`,
  `INSERT INTO rollups VALUES (0, ${start}, 1, 1, 1, 1, 1, 1, false)`,
]

it('opens a file of the version before, and keeps what it holds', async () => {
  const folder = mkdtempSync(join(root, 'store-'))
  const database = await DuckDBInstance.create(join(folder, 'readings.duckdb'))
  const connection = await database.connect()
  for (const statement of tablesBefore) await connection.run(statement)
  connection.closeSync()
  database.closeSync()

  const expected = [
    reading({ device: '@odd', value: 2, room: 'hall' }),
    reading({ value: 1 }),
    reading({ at: start + 1, value: 3 }),
  ]
  for (let opening = 0; opening < 2; opening++) {
    const store = open(folder)
    await store.open()
    expect(await store.read({}, 10)).toEqual(expected)
    await store.maintain()
    const hours = await store.rollups({ site: 'home', device: 'meter', metric: 'power' }, 0, Infinity)
    expect(hours.map(({ count, last }) => [count, last])).toEqual([[2, 3]])
    await store.append([reading({ device: '@odd', value: 2, room: 'hall' }), reading({ value: 1 })])
    expect(await store.read({}, 10)).toEqual(expected)
    await store.close()
  }
})
