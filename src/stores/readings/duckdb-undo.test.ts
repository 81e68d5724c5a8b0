import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import type { Reading } from '../../core/reading.ts'
import { createDuckDbReadings } from './duckdb.ts'
import { openDatabase } from './duckdb-file.ts'
import { Session } from './duckdb-session.ts'
import { checkpointWithUndo, undoOf } from './duckdb-undo.ts'

const root = mkdtempSync(join(tmpdir(), 'readings-undo-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))
const fileIn = (folder: string): string => join(folder, 'readings.duckdb')

const batch = (from: number): Reading[] =>
  Array.from({ length: 3000 }, (_, row) => ({
    ...{ site: 'home', device: `d${row % 50}`, metric: 'power', unit: 'W' },
    ...{ value: from + row, at: 1_704_067_200_000 + (from + row) * 1000 },
  }))

/** A store with a part of its readings in the file and a part in the log. */
async function withLog(): Promise<string> {
  const folder = mkdtempSync(join(root, 'store-'))
  const store = createDuckDbReadings({ folder })
  await store.open()
  for (let round = 0; round < 5; round++) {
    await store.append(batch(round * 3000))
    await store.maintain()
  }
  await store.close()
  await store.open()
  await store.append(batch(15_000))
  // as a kill would leave it: the log is not moved
  const left = mkdtempSync(join(root, 'left-'))
  cpSync(folder, left, { recursive: true })
  await store.close()
  return left
}

/** Moves the log, but for what `work` does in the place of DuckDB's checkpoint, and gives the folder up then. */
async function moveLog(folder: string, work: (session: Session) => Promise<void>): Promise<void> {
  const database = await openDatabase({ folder, memoryLimitMb: 128, threads: 1 })
  const file = await open(fileIn(folder))
  const session = await Session.open(database.instance)
  const moved = new Proxy(session, {
    get: (target, name) =>
      name === 'checkpoint' ? () => work(target) : Reflect.get(target, name).bind?.(target),
  })
  await checkpointWithUndo(moved, { path: fileIn(folder), file }).catch((error: Error) => {
    if (error.message !== 'killed') throw error
  })
  session.close()
  await database.close()
  await file.close()
}

/** Writes nonsense over the second half of each block that a checkpoint rewrites, as a kill within a write would. */
async function tear(folder: string): Promise<number> {
  const [, head = ''] = readFileSync(undoOf(fileIn(folder)), 'latin1').split('\n', 2)
  const { blocks, blockBytes } = JSON.parse(head)
  const handle = await open(fileIn(folder), 'r+')
  for (const block of blocks) {
    const half = Buffer.alloc(blockBytes / 2, 0x5a)
    await handle.write(half, 0, half.length, 12_288 + block * blockBytes + blockBytes / 2)
  }
  await handle.close()
  return blocks.length
}

async function countOf(folder: string): Promise<number> {
  const store = createDuckDbReadings({ folder })
  await store.open()
  const readings = await store.read({}, 100_000)
  await store.append(batch(18_000))
  await store.close()
  return readings.length
}

it('puts back what a kill tore within a checkpoint, and plays the log again', async () => {
  const folder = await withLog()
  const torn = mkdtempSync(join(root, 'torn-'))
  await moveLog(folder, async () => {
    cpSync(folder, torn, { recursive: true })
    throw new Error('killed')
  })
  expect(await tear(torn)).toBeGreaterThan(0)

  const lost = mkdtempSync(join(root, 'lost-'))
  cpSync(torn, lost, { recursive: true })
  rmSync(undoOf(fileIn(lost)))
  await expect(countOf(lost)).rejects.toThrow(/Corrupt/)

  expect(await countOf(torn)).toBe(18_000)
  expect(existsSync(undoOf(fileIn(torn)))).toBe(false)
  expect(await countOf(torn)).toBe(21_000)
})

it('leaves a checkpoint that came to its end', async () => {
  const folder = await withLog()
  await moveLog(folder, async (session) => {
    await session.checkpoint()
    throw new Error('killed')
  })
  expect(existsSync(undoOf(fileIn(folder)))).toBe(true)
  expect(await countOf(folder)).toBe(18_000)
  expect(existsSync(undoOf(fileIn(folder)))).toBe(false)
})

it('loses nothing of what is written after a checkpoint that failed', async () => {
  const folder = await withLog()
  await moveLog(folder, async (session) => {
    const [[before]] = (await session.numbers('SELECT count(*)::DOUBLE FROM readings')) as [[number]]
    expect(before).toBe(18_000)
    await session.run(
      'INSERT INTO readings SELECT series, at_ms + 86400000000, value, seq + 100000 FROM readings',
    )
    throw new Error('killed')
  })
  expect(existsSync(undoOf(fileIn(folder)))).toBe(true)
  expect(await countOf(folder)).toBe(36_000)
})

for (const [place, at] of [
  ['hash', 3],
  ['head', 70],
  ['content', -1],
] as const) {
  it(`refuses an undo whose ${place} is damaged, names it and leaves everything`, async () => {
    const folder = await withLog()
    await moveLog(folder, () => Promise.reject(new Error('killed')))
    const undo = undoOf(fileIn(folder))
    const bytes = readFileSync(undo)
    bytes[at < 0 ? bytes.length + at : at]! ^= 1
    writeFileSync(undo, bytes)
    await expect(countOf(folder)).rejects.toThrow(`${undo} is damaged; move it away`)
    expect(readFileSync(undo)).toEqual(bytes)
  })
}
