import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import type { Reading } from '../src/core/reading.ts'
import { createDuckDbReadings } from '../src/stores/readings/duckdb.ts'
import { median, type Report } from './report.ts'

const seriesCount = 1000

/** Durable appends, one caller that waits for each: rows a second, time a commit, and what the calling thread pays. */
export async function run(report: Report): Promise<void> {
  for (const [rows, commits] of [
    [1, 200],
    [100, 200],
    [300, 200],
    [1_000, 200],
    [10_000, 40],
  ] as const) {
    await measure(report, rows, commits)
  }
}

async function measure(report: Report, rows: number, commits: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-store-'))
  const store = createDuckDbReadings({ folder })
  try {
    await store.open()
    const keys = Array.from({ length: seriesCount }, (_, device) => ({
      device: `d${device}`,
      metric: 'power',
    }))
    await store.append(keys.map((key, index) => ({ ...key, site: 'home', unit: 'W', value: 0, at: index })))
    const batches = Array.from({ length: commits }, (_, commit) =>
      batchOf(keys, rows, 1_700_000_000_000 + commit),
    )
    const times: number[] = []
    const before = performance.eventLoopUtilization()
    const start = performance.now()
    for (const batch of batches) {
      const from = performance.now()
      await store.append(batch)
      times.push(performance.now() - from)
    }
    const elapsedMs = performance.now() - start
    const { active } = performance.eventLoopUtilization(before)
    const name = `append by ${rows}`
    const target = rows === 1_000 ? { target: 250_000 } : {}
    report({
      bench: 'store',
      name,
      value: (rows * commits * 1000) / elapsedMs,
      unit: 'rows/s',
      ...target,
      note: 'durable',
    })
    report({ bench: 'store', name: `${name}, median commit`, value: median(times), unit: 'ms' })
    report({ bench: 'store', name: `${name}, slowest commit`, value: Math.max(...times), unit: 'ms' })
    report({
      bench: 'store',
      name: `${name}, calling thread`,
      value: (active * 1000) / commits / rows,
      unit: 'us/row',
    })
  } finally {
    await store.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

function batchOf(keys: readonly { device: string; metric: string }[], rows: number, at: number): Reading[] {
  return Array.from({ length: rows }, (_, row) => ({
    site: 'home',
    ...keys[row % keys.length]!,
    value: row / 7,
    unit: 'W',
    at: at + Math.floor(row / keys.length) * 1000,
  }))
}
