import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { quarterMs } from '../src/core/time.ts'
import { createDuckDbReadings } from '../src/stores/readings/duckdb.ts'
import { median, type Report } from './report.ts'

const devices = 100
/** 100 days. */
const quarters = 9600
/** 2024-01-01T00:00Z. */
const start = 1_704_067_200_000
const measuredRows = 5_000_000

/** What training and forecasting read: 100 days of the quarter-hours of 100 devices, beside 5 million raw readings. */
export async function run(report: Report): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-derived-'))
  const store = createDuckDbReadings({ folder })
  try {
    await store.open()
    const derived = keysOf('@energy:d', 'energy')
    for (let step = 0; step < measuredRows / devices; step += 500) {
      const measured = keysOf('d', 'power').flatMap((key) =>
        Array.from({ length: 500 }, (_, row) => ({
          ...key,
          unit: 'W',
          value: row,
          at: start + (step + row) * 10_000,
        })),
      )
      await store.append(measured)
    }
    for (let step = 0; step < quarters; step += 480) {
      const rows = derived.flatMap((key) =>
        Array.from({ length: 480 }, (_, row) => ({
          ...key,
          unit: 'kWh',
          value: row,
          at: start + (step + row) * quarterMs,
        })),
      )
      await store.append(rows)
    }
    const times: number[] = []
    let rows = 0
    const before = performance.eventLoopUtilization()
    const begun = performance.now()
    for (let round = 0; round < 5; round++) {
      const from = performance.now()
      rows = 0
      for await (const { at } of store.scanMany(derived, 0, Number.POSITIVE_INFINITY)) rows += at.length
      times.push(performance.now() - from)
    }
    const { active } = performance.eventLoopUtilization(before)
    if (rows !== devices * quarters) throw new Error(`${rows} rows were read`)
    const name = `${rows} quarter-hours of ${devices} series`
    const note = `loop busy ${Math.round((100 * active) / (performance.now() - begun))} %`
    report({ bench: 'derived', name, value: median(times), unit: 'ms', target: 2000, note })
  } finally {
    await store.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

const keysOf = (prefix: string, metric: string): { site: string; device: string; metric: string }[] =>
  Array.from({ length: devices }, (_, device) => ({ site: 'home', device: `${prefix}${device}`, metric }))
