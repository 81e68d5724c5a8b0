import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, expect, it } from 'vitest'
import { createDuckDbReadings } from './duckdb.ts'

const folder = mkdtempSync(join(tmpdir(), 'readings-crash-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const batchRows = 50
const key = { site: 'home', device: 'meter', metric: 'power' }
/** Half of each batch is derived: a commit writes to two tables. */
const derivedKey = { site: 'home', device: '@energy:meter', metric: 'energy' }
const keys = [key, derivedKey]

/**
 * Says what it finds, then appends batches from number `first` on, several at a time, and prints the number of each
 * when it is acknowledged. After `closesAfter` of them it closes the store.
 */
const child = (first: number, closesAfter: number): string => `
  import { createDuckDbReadings } from ${JSON.stringify(new URL('./duckdb.ts', import.meta.url).href)}
  const store = createDuckDbReadings({ folder: ${JSON.stringify(folder)}, walLimitBytes: 100_000 })
  await store.open()
  const found = {}
  for await (const { value } of store.scanMany(${JSON.stringify(keys)}, 0, Infinity))
    for (const batch of value) found[batch] = (found[batch] ?? 0) + 1
  process.stdout.write(JSON.stringify(found) + '\\n')
  const rows = (batch) => Array.from({ length: ${batchRows} }, (_, row) => ({
    ...${JSON.stringify(keys)}[row % 2], unit: 'W', value: batch, at: 1_704_067_200_000 + (batch * ${batchRows} + row) * 1000 }))
  const end = ${first + closesAfter}
  let next = ${first}
  const append = async () => {
    while (next < end) {
      const batch = next++
      await store.append(rows(batch))
      process.stdout.write(batch + '\\n')
    }
  }
  const upkeep = async () => { while (next < end) await store.maintain() }
  await Promise.all([append(), append(), append(), upkeep()])
  await store.close()
`

interface Life {
  /** Rows that were there at the start, by batch. */
  readonly found: Readonly<Record<string, number>>
  readonly acknowledged: readonly number[]
}

/** Kills the child `delayMs` after it acknowledged `count` batches: under load, or while it closes the store. */
async function livesUntilKilled(
  first: number,
  { count, closes, delayMs }: { readonly count: number; readonly closes: boolean; readonly delayMs: number },
): Promise<Life> {
  const script = child(first, closes ? count : Number.POSITIVE_INFINITY)
  const args = ['--import', 'tsx', '--input-type=module', '--eval', script]
  const running = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = once(running, 'exit')
  let found: Record<string, number> | undefined
  const acknowledged: number[] = []
  for await (const line of createInterface({ input: running.stdout })) {
    if (found === undefined) found = JSON.parse(line) as Record<string, number>
    else acknowledged.push(Number(line))
    if (acknowledged.length === count) setTimeout(() => running.kill('SIGKILL'), delayMs)
  }
  const [code, signal] = await exited
  expect(signal ?? code).toBe(closes && signal === null ? 0 : 'SIGKILL')
  return { found: found ?? {}, acknowledged }
}

/** What one kill leaves behind, the next may stumble over. */
const kills = process.env['CI'] === 'true' ? 30 : 8

it(`keeps every acknowledged batch, whole and once, over ${kills} kills under load`, async () => {
  const acknowledged: number[] = []
  const expectAll = (found: Life['found']): void => {
    expect(acknowledged.filter((batch) => !(batch in found))).toEqual([])
    expect(Object.entries(found).filter(([, count]) => count !== batchRows)).toEqual([])
  }
  for (let kill = 0; kill < kills; kill++) {
    const life = await livesUntilKilled(Math.max(-1, ...acknowledged) + 10, {
      count: 5 + ((kill * 37) % 60),
      closes: kill % 2 === 0,
      delayMs: (kill * 7) % 25,
    })
    expectAll(life.found)
    acknowledged.push(...life.acknowledged)
  }

  const store = createDuckDbReadings({ folder })
  await store.open()
  const found: Record<string, number> = {}
  for await (const { value } of store.scanMany(keys, 0, Infinity)) {
    for (const batch of value) found[batch] = (found[batch] ?? 0) + 1
  }
  const hours = (await Promise.all(keys.map((one) => store.rollups(one, 0, Infinity)))).flat()
  const { readings } = await store.stats()
  await store.close()

  expectAll(found)
  expect(readings).toBe(Object.keys(found).length * batchRows)
  expect(hours.reduce((sum, hour) => sum + hour.count, 0)).toBe(readings)
}, 600_000)
