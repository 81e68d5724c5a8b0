import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { DuckDBInstance } from '@duckdb/node-api'
import type { ReadingPosition, ReadingStore } from '../src/core/ports.ts'
import { createDuckDbReadings } from '../src/stores/readings/duckdb.ts'
import { startHub } from '../test/servers/hub.ts'
import { noteOthers } from './load/machine.ts'
import { median, type Report } from './report.ts'

const seriesCount = 1000
const yearMs = 365 * 86_400_000
/** 2024-01-01T00:00Z. */
const start = 1_704_067_200_000

/**
 * The newest values of 10,000 series over HTTP; a year of one series as hours, out of BENCH_READINGS readings (default
 * 50 million); the start with a fifth; and all of a 25th by pages. `--quick`: the start alone.
 */
export async function run(report: Report, { isQuick }: { readonly isQuick: boolean }): Promise<void> {
  const readings = Number(process.env['BENCH_READINGS'] ?? 50_000_000)
  if (!isQuick) {
    await latestOfMany(report)
    await withReadings(readings, (folder) => yearOfHours(report, folder, readings))
  }
  await withReadings(readings / 5, (folder) => boot(report, folder, readings / 5))
  if (!isQuick) await withReadings(readings / 25, (folder) => byPages(report, folder, readings / 25))
}

/** Every reading in order, a page at a time, as an export asks for them; the peer is one query that sorts them all. */
async function byPages(report: Report, folder: string, readings: number): Promise<void> {
  const limit = 10_001
  const store = createDuckDbReadings({ folder })
  await store.open()
  const from = performance.now()
  let count = 0
  for (let after: ReadingPosition | undefined; ; ) {
    const page = await store.read({}, limit, after)
    count += page.length
    after = page.at(-1)
    if (page.length < limit) break
  }
  const seconds = (performance.now() - from) / 1000
  await store.close()
  if (count !== readings) throw new Error(`${count} readings in the pages`)
  const plain = await sortedAtOnce(folder, readings)
  report({
    bench: 'query',
    name: 'all readings by pages, as an export reads them',
    value: seconds,
    unit: 's',
    ratio: seconds / plain,
    note: `${readings} readings, ${limit} a page; one query that sorts them all takes ${plain.toFixed(1)} s`,
  })
}

/** Seconds of one ordered query to its last row, as rows of JavaScript values. */
async function sortedAtOnce(folder: string, readings: number): Promise<number> {
  const instance = await DuckDBInstance.create(join(folder, 'readings.duckdb'), { threads: '2' })
  const connection = await instance.connect()
  const from = performance.now()
  const result = await connection.stream(
    'SELECT series, at_ms::DOUBLE, value FROM readings ORDER BY at_ms, series',
  )
  let count = 0
  for (let chunk = await result.fetchChunk(); chunk && chunk.rowCount > 0; chunk = await result.fetchChunk())
    count += chunk.getRows().length
  const seconds = (performance.now() - from) / 1000
  connection.closeSync()
  instance.closeSync()
  if (count !== readings) throw new Error(`${count} readings in one query`)
  return seconds
}

/** Asked of a running hub, to the last byte of the answer. */
async function latestOfMany(report: Report): Promise<void> {
  const series = 10_000
  const hub = await startHub()
  try {
    const at = Date.now() - 60_000
    const readings = Array.from({ length: series }, (_, index) => ({
      device: `d${index}`,
      metric: 'humidity',
      value: 50,
      at,
    }))
    const headers = { 'content-type': 'application/json' }
    const body = JSON.stringify({ readings })
    const pushed = await fetch(`${hub.url}/api/v1/readings`, { method: 'POST', headers, body })
    if (!pushed.ok) throw new Error(await pushed.text())
    const latest = async (limit: number): Promise<void> => {
      const answer = await fetch(`${hub.url}/api/v1/latest?limit=${limit}`)
      const { items } = (await answer.json()) as { items: unknown[] }
      if (items.length !== limit) throw new Error(`latest gave ${items.length} series`)
    }
    const all = await medianMs(25, () => latest(series))
    const one = await medianMs(25, () => latest(1))
    const note = `answer read and parsed by the asker; one series alone takes ${one.toFixed(1)} ms`
    report({
      bench: 'query',
      name: `newest value of ${series} series, over HTTP`,
      value: all,
      unit: 'ms',
      target: 50,
      note,
    })
  } finally {
    await hub.stop()
  }
}

async function yearOfHours(report: Report, folder: string, readings: number): Promise<void> {
  const store = createDuckDbReadings({ folder })
  await store.open()
  try {
    const rollingUp = performance.now()
    await store.maintain()
    const note = `of ${readings} readings, ${seriesCount} series`
    report({
      bench: 'query',
      name: 'rolling all of it up',
      value: (performance.now() - rollingUp) / 1000,
      unit: 's',
      note,
    })
    // hours are asked for while the newest are not rolled up yet, as they are in a running hub
    await store.append(Array.from({ length: seriesCount }, (_, index) => fresh(index)))
    const kept = await medianMs(25, (index) => hoursThroughPort(store, index))
    const plain = await medianMs(5, (index) => hoursFromRaw(store, index))
    const name = 'one year of one series, hourly'
    report({ bench: 'query', name, value: kept, unit: 'ms', target: 50, ratio: plain / kept, note })
    report({
      bench: 'query',
      name: `${name}, plain`,
      value: plain,
      unit: 'ms',
      note: 'hours made of readings',
    })
  } finally {
    await store.close()
  }
}

async function boot(report: Report, folder: string, readings: number): Promise<void> {
  const store = createDuckDbReadings({ folder })
  const from = performance.now()
  await store.open()
  const opened = performance.now()
  const newest = await store.newest(60)
  const done = performance.now()
  await store.close()
  if (newest.length !== 60 * seriesCount) throw new Error(`newest gave ${newest.length} readings`)
  const note = `${readings} readings, open ${Math.round(opened - from)} ms`
  report({
    bench: 'query',
    name: 'open and newest 60 of each',
    value: done - from,
    unit: 'ms',
    target: 5000,
    note,
  })
  const [started, others] = [performance.now(), noteOthers()]
  const hub = await startHub({ data: folder })
  const ready = performance.now() - started
  await hub.stop()
  report({
    bench: 'query',
    name: 'start of the hub until it is ready',
    value: ready,
    unit: 'ms',
    target: 5000,
    note: `${readings} readings, the process included; ${others()}`,
  })
}

/** A store whose tables hold what appends would have left, made inside the engine. */
async function withReadings(readings: number, work: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-query-'))
  try {
    const store = createDuckDbReadings({ folder })
    await store.open()
    await store.append(Array.from({ length: seriesCount }, (_, index) => ({ ...fresh(index), at: start })))
    await store.close()
    const instance = await DuckDBInstance.create(join(folder, 'readings.duckdb'), {
      threads: '2',
      memory_limit: '1GB',
    })
    const connection = await instance.connect()
    const stepMs = Math.floor(yearMs / (readings / seriesCount))
    const chunk = 5_000_000
    for (let from = seriesCount; from < readings; from += chunk) {
      await connection.run(
        `INSERT INTO readings SELECT (i % ${seriesCount})::INTEGER, ${start} + (i // ${seriesCount}) * ${stepMs},
           round(20 + 5 * sin(i / 1000.0), 2), i FROM range(${from}, ${Math.min(readings, from + chunk)}) AS t(i)`,
      )
    }
    await connection.run('CHECKPOINT')
    connection.closeSync()
    instance.closeSync()
    await work(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const key = (index: number): { site: string; device: string; metric: string } => ({
  site: 'home',
  device: `d${index}`,
  metric: 'temperature',
})
const fresh = (index: number) => ({ ...key(index), value: 20, unit: 'degC', at: start + yearMs - 1 })

async function hoursThroughPort(store: ReadingStore, index: number): Promise<void> {
  const hours = await store.rollups(key(index), start, start + yearMs)
  if (hours.length < 1000) throw new Error(`only ${hours.length} hours`)
}

/** The plain version: every reading of the year, grouped here. */
async function hoursFromRaw(store: ReadingStore, index: number): Promise<void> {
  const sums = new Map<number, { count: number; sum: number }>()
  for await (const { at, value } of store.scan(key(index), start, start + yearMs)) {
    for (let row = 0; row < at.length; row++) {
      const hour = Math.floor(at[row]! / 3_600_000)
      const so = sums.get(hour) ?? { count: 0, sum: 0 }
      so.count++
      so.sum += value[row]!
      sums.set(hour, so)
    }
  }
  if (sums.size < 1000) throw new Error(`only ${sums.size} hours`)
}

async function medianMs(times: number, work: (index: number) => Promise<void>): Promise<number> {
  const elapsed: number[] = []
  for (let time = 0; time < times; time++) {
    const from = performance.now()
    await work((time * 37) % seriesCount)
    elapsed.push(performance.now() - from)
  }
  return median(elapsed)
}
