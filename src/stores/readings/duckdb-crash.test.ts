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

/** Appends batches from number `first` on, several at a time, and prints the number of each when it is acknowledged. */
const child = (first: number): string => `
  import { createDuckDbReadings } from ${JSON.stringify(new URL('./duckdb.ts', import.meta.url).href)}
  const store = createDuckDbReadings({ folder: ${JSON.stringify(folder)}, walLimitBytes: 100_000 })
  await store.open()
  const rows = (batch) => Array.from({ length: ${batchRows} }, (_, row) => ({
    ...${JSON.stringify(key)}, unit: 'W', value: batch, at: 1_704_067_200_000 + (batch * ${batchRows} + row) * 1000 }))
  let next = ${first}
  const append = async () => {
    for (;;) {
      const batch = next++
      await store.append(rows(batch))
      process.stdout.write(batch + '\\n')
    }
  }
  const upkeep = async () => { for (;;) await store.maintain() }
  await Promise.all([append(), append(), append(), upkeep()])
`

/** Runs the child until it acknowledged `count` batches, then kills it; answers all that it acknowledged. */
async function acknowledgedUntilKilled(first: number, count: number): Promise<number[]> {
  const running = spawn(
    process.execPath,
    ['--import', 'tsx', '--input-type=module', '--eval', child(first)],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const exited = once(running, 'exit')
  const acknowledged: number[] = []
  for await (const line of createInterface({ input: running.stdout })) {
    acknowledged.push(Number(line))
    if (acknowledged.length === count) running.kill('SIGKILL')
  }
  const [, signal] = await exited
  expect(signal).toBe('SIGKILL')
  return acknowledged
}

it('keeps every acknowledged batch, whole and once, when the process is killed under load', async () => {
  const acknowledged: number[] = []
  for (const count of [3, 40, 150]) {
    const first = Math.max(-1, ...acknowledged) + 10
    acknowledged.push(...(await acknowledgedUntilKilled(first, count)))

    const store = createDuckDbReadings({ folder })
    await store.open()
    const rows = new Map<number, number>()
    for await (const { value } of store.scan(key, 0, Infinity)) {
      for (const batch of value) rows.set(batch, (rows.get(batch) ?? 0) + 1)
    }
    const hours = await store.rollups(key, 0, Infinity)
    const { readings } = await store.stats()
    await store.close()

    expect(acknowledged.filter((batch) => !rows.has(batch))).toEqual([])
    expect([...rows].filter(([, count]) => count !== batchRows)).toEqual([])
    expect(readings).toBe(rows.size * batchRows)
    expect(hours.reduce((sum, hour) => sum + hour.count, 0)).toBe(readings)
  }
}, 180_000)
