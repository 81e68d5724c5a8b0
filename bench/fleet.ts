import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { dayMs, hourMs, secondMs } from '../src/core/time.ts'
import { createDuckDbReadings } from '../src/stores/readings/duckdb.ts'
import { duckdb } from '../src/stores/readings/duckdb-api.ts'
import { startHub } from '../test/servers/hub.ts'
import { type Report, round } from './report.ts'

/**
 * A home of many devices with 100 days of 10-second power, written before there were derived series, on the default
 * limits: all devices are to be derived, forecast and learnt. Tells how long that takes, what fails, the most memory, and
 * how long the loop of the hub is held meanwhile (an idle request is sent each 20 ms and timed).
 */

const devices = Number(process.env['BENCH_FLEET_DEVICES'] ?? 100)
const days = Number(process.env['BENCH_FLEET_DAYS'] ?? 100)
const stepMs = 10 * secondMs
const waitMsMax = Number(process.env['BENCH_FLEET_MINUTES'] ?? 40) * 60 * secondMs

interface Forecast {
  readonly device?: string
  readonly target?: { readonly subject: string }
}

export async function run(report: Report): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-fleet-'))
  try {
    const rows = await writeHistory(folder)
    report({ bench: 'fleet', name: 'readings before the start', value: rows, unit: 'readings' })
    const hub = await startHub({ data: folder, limitMs: 180_000 })
    const stop = new AbortController()
    const stalls = watchStalls(hub.url, stop.signal)
    try {
      const began = performance.now()
      const forecast = await until(async () => (await forecastDevices(hub.url)) >= devices)
      report({
        bench: 'fleet',
        name: 'all devices derived and forecast',
        value: round((performance.now() - began) / 1000),
        unit: 's',
        note: forecast
          ? `${devices} devices`
          : `only ${await forecastDevices(hub.url)} of ${devices} devices`,
      })
      const settled = await until(async () => (await jobs(hub.url)).open === 0)
      const { failed, done } = await jobs(hub.url)
      report({
        bench: 'fleet',
        name: 'trainings that failed',
        value: failed,
        unit: 'jobs',
        target: 0,
        note: `${done} done${settled ? '' : ', others still run'}`,
      })
      // the hour in which everything is forecast again
      await sleep(30 * secondMs)
    } finally {
      stop.abort()
      const times = (await stalls).toSorted((a, b) => a - b)
      const at = (share: number): number =>
        round(times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0)
      report({ bench: 'fleet', name: 'loop held, p99', value: at(0.99), unit: 'ms', target: 20 })
      report({ bench: 'fleet', name: 'loop held, most', value: at(1), unit: 'ms', target: 100 })
      report({
        bench: 'fleet',
        name: 'resident memory, most',
        value: Math.round(hub.memory().most),
        unit: 'MB',
        target: 450,
      })
      await hub.stop()
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Written by the store for one reading of each series, then by SQL: 86 million readings in a minute. */
async function writeHistory(folder: string): Promise<number> {
  const end = Math.floor(Date.now() / hourMs) * hourMs
  const start = end - days * dayMs
  const store = createDuckDbReadings({ folder })
  await store.open()
  await store.append(
    Array.from({ length: devices }, (_, device) => ({
      ...{ site: 'home', device: `d${device}`, metric: 'power', unit: 'W', value: 100, at: start - stepMs },
    })),
  )
  await store.close()
  const instance = await duckdb.DuckDBInstance.create(join(folder, 'readings.duckdb'))
  const connection = await instance.connect()
  const steps = (days * dayMs) / stepMs
  // a daily shape, a level of its own for each device, and noise; a day at a time, in the order of time
  for (let step = 0; step < steps; step += dayMs / stepMs) {
    await connection.run(
      `INSERT INTO readings
       SELECT s.id, ${start}::BIGINT + t.step * ${stepMs},
         80 + 20 * s.id + 60 * (1 + sin(2 * pi() * (t.step % 8640) / 8640)) + 30 * random(),
         ${devices} + t.step * ${devices} + s.id
       FROM range(${step}, ${step + dayMs / stepMs}) t(step), (SELECT id FROM series) s ORDER BY t.step, s.id`,
    )
  }
  await connection.run('CHECKPOINT')
  connection.closeSync()
  instance.closeSync()
  return devices * (steps + 1)
}

async function forecastDevices(url: string): Promise<number> {
  const { items } = await get<{ items: Forecast[] }>(`${url}/api/v1/forecasts?limit=1000`)
  return new Set(items.map(({ device, target }) => device ?? target?.subject)).size
}

async function jobs(url: string): Promise<{ open: number; failed: number; done: number }> {
  const { items } = await get<{ items: { status: string }[] }>(`${url}/api/v1/jobs?limit=1000`)
  const count = (...status: string[]): number => items.filter((job) => status.includes(job.status)).length
  return { open: count('queued', 'running'), failed: count('failed'), done: count('done') }
}

async function get<Body>(url: string): Promise<Body> {
  const answer = await fetch(url)
  if (!answer.ok) throw new Error(`${url}: ${answer.status} ${await answer.text()}`)
  return (await answer.json()) as Body
}

async function until(isDone: () => Promise<boolean>): Promise<boolean> {
  const began = performance.now()
  while (performance.now() - began < waitMsMax) {
    if (await isDone()) return true
    await sleep(2000)
  }
  return false
}

/** How long each small request took beyond 2 ms: the loop could not answer earlier. */
async function watchStalls(url: string, signal: AbortSignal): Promise<number[]> {
  const times: number[] = []
  while (!signal.aborted) {
    const began = performance.now()
    await fetch(`${url}/livez`).then((answer) => answer.arrayBuffer())
    times.push(Math.max(0, performance.now() - began - 2))
    await sleep(20)
  }
  return times
}
