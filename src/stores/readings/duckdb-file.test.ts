import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  copyFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  watch,
  writeFileSync,
} from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import type { Reading } from '../../core/reading.ts'
import { createDuckDbReadings } from './duckdb.ts'
import { openDatabase } from './duckdb-file.ts'
import { Upkeep } from './duckdb-upkeep.ts'

const root = mkdtempSync(join(tmpdir(), 'readings-file-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))
const newFolder = (): string => mkdtempSync(join(root, 'store-'))

const batch = (from: number, count: number): Reading[] =>
  Array.from({ length: count }, (_, row) => ({
    site: 'home',
    device: `d${row % 10}`,
    metric: 'power',
    unit: 'W',
    value: row,
    at: 1_704_067_200_000 + from + row,
  }))

it('does nothing before open', () => {
  const folder = newFolder()
  createDuckDbReadings({ folder })
  expect(readdirSync(folder)).toEqual([])
})

it('makes the folder, and leaves one file in it when closed', async () => {
  const folder = join(newFolder(), 'a', 'b')
  const store = createDuckDbReadings({ folder })
  await store.open()
  await store.append(batch(0, 10))
  await store.close()
  expect(readdirSync(folder)).toEqual(['readings.duckdb'])
})

it('says which process holds the folder', async () => {
  const folder = newFolder()
  const code = `
    import { createDuckDbReadings } from ${JSON.stringify(new URL('./duckdb.ts', import.meta.url).href)}
    const store = createDuckDbReadings({ folder: ${JSON.stringify(folder)} })
    await store.open()
    process.stdout.write('open')
    process.stdin.resume()`
  const holder = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', code])
  const exited = once(holder, 'exit')
  await once(holder.stdout, 'data')
  // as it would lie there while that process moves its log
  const undo = join(folder, 'readings.duckdb.undo')
  writeFileSync(undo, 'of another process')
  const store = createDuckDbReadings({ folder })
  await expect(store.open()).rejects.toMatchObject({
    code: 'data_locked',
    message: expect.stringContaining(`process ${holder.pid}`),
  })
  expect(readFileSync(undo, 'utf8')).toBe('of another process')
  rmSync(undo)
  holder.kill('SIGKILL')
  await exited
  await store.open()
  await store.close()
})

it('does not let one process open a folder twice', async () => {
  const folder = newFolder()
  const store = createDuckDbReadings({ folder })
  await store.open()
  await expect(createDuckDbReadings({ folder }).open()).rejects.toMatchObject({ code: 'data_locked' })
  await store.append(batch(0, 1))
  await store.close()
  await store.open()
  expect(await store.read({}, 10)).toHaveLength(1)
  await store.close()
})

/** A folder with a closed store in it. */
async function filled(): Promise<{ folder: string; file: string }> {
  const folder = newFolder()
  const store = createDuckDbReadings({ folder })
  await store.open()
  await store.append(batch(0, 5000))
  await store.close()
  return { folder, file: join(folder, 'readings.duckdb') }
}

const damages: Record<string, (file: string) => Promise<void> | void> = {
  'is empty': (file) => truncateSync(file, 0),
  'is cut off': (file) => truncateSync(file, 5000),
  'is something else': (file) => writeFileSync(file, 'not a database'.repeat(1000)),
  'has its header overwritten': async (file) => {
    const handle = await open(file, 'r+')
    await handle.write(Buffer.alloc(12_288, 0x5a), 0, 12_288, 0)
    await handle.close()
  },
  'is gone and its log is there': (file) => {
    copyFileSync(file, `${file}.wal`)
    rmSync(file)
  },
}

for (const [damage, inflict] of Object.entries(damages)) {
  it(`refuses a file that ${damage}, names it and leaves it`, async () => {
    const { folder, file } = await filled()
    await inflict(file)
    const before = readdirSync(folder).map((name) => [name, statSync(join(folder, name)).size])
    await expect(createDuckDbReadings({ folder }).open()).rejects.toThrow(file)
    expect(readdirSync(folder).map((name) => [name, statSync(join(folder, name)).size])).toEqual(before)
  })
}

it('begins anew where a first start was cut short', async () => {
  const folder = newFolder()
  writeFileSync(join(folder, 'readings.duckdb.new'), '')
  const store = createDuckDbReadings({ folder })
  await store.open()
  await store.close()
  expect(readdirSync(folder)).toEqual(['readings.duckdb'])
})

it('bounds the log under load', async () => {
  const folder = newFolder()
  const walLimitBytes = 300_000
  const store = createDuckDbReadings({ folder, walLimitBytes })
  await store.open()
  let largest = 0
  for (let round = 0; round < 200; round++) {
    await store.append(batch(round * 500, 500))
    const wal = statSync(join(folder, 'readings.duckdb.wal'), { throwIfNoEntry: false })?.size ?? 0
    largest = Math.max(largest, wal)
  }
  expect(await store.stats()).toMatchObject({ readings: 100_000 })
  await store.close()
  // twice the limit, and the one commit that went over it
  expect(largest).toBeGreaterThan(walLimitBytes / 2)
  expect(largest).toBeLessThan(2 * walLimitBytes + 50_000)
})

it('writes nothing beside a checkpoint: a second log is what a kill could leave unreadable', async () => {
  const folder = newFolder()
  const store = createDuckDbReadings({ folder, walLimitBytes: 100_000 })
  await store.open()
  const files = new Set<string>()
  const watcher = watch(folder, (_event, name) => files.add(String(name)))
  let done = false
  const upkeep = (async () => {
    while (!done) await store.maintain()
  })()
  const load = async (from: number): Promise<void> => {
    for (let round = 0; round < 150; round++) await store.append(batch(from + round * 100, 100))
  }
  await Promise.all([load(0), load(20_000), load(40_000)])
  done = true
  await upkeep
  expect(await store.stats()).toMatchObject({ readings: 45_000 })
  await store.close()
  watcher.close()
  expect(files).toContain('readings.duckdb.wal')
  expect([...files].filter((name) => /checkpoint|recovery/.test(name))).toEqual([])
})

it('refuses a commit where the log has grown to twice its limit and cannot be moved', async () => {
  const folder = newFolder()
  const file = await openDatabase({ folder, memoryLimitMb: 128, threads: 1 })
  const upkeep = await Upkeep.open(
    { ...file, bytes: () => ({ data: 0, wal: 250 }) },
    { walLimitBytes: 100, withoutCommits: () => Promise.reject(new Error('disk full')) },
  )
  expect(() => upkeep.boundLogBeforeCommit()).not.toThrow()
  await expect(upkeep.checkpoint()).rejects.toThrow('disk full')
  expect(() => upkeep.boundLogBeforeCommit()).toThrow('disk full')
  await file.close()
})

it('refuses work before open and after close', async () => {
  const store = createDuckDbReadings({ folder: newFolder() })
  await expect(store.append(batch(0, 1))).rejects.toMatchObject({ code: 'stopping' })
  await store.open()
  const last = store.append(batch(0, 1))
  await store.close()
  await last
  await expect(store.read({}, 1)).rejects.toMatchObject({ code: 'stopping' })
})
