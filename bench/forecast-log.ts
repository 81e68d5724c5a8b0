import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import type { Forecast } from '../src/core/event.ts'
import { dayMs, hourMs, quarterMs } from '../src/core/time.ts'
import { createRandom } from '../src/ml/random.ts'
import { createSqliteLedger } from '../src/stores/ledger/sqlite.ts'
import type { Report } from './report.ts'

const devices = 100
const days = 14
const bytesMax = 200e6
const start = Date.UTC(2026, 0, 5)
const steps = 48 * 4 + 120

/**
 * Size of the log of forecasts: 100 devices, each hour a forecast of 168 h (quarter-hours for 48 h, then hours) with a
 * baseline and a 90 % interval, over 14 days, scored up to the last hour and maintained once a day as the hub does it.
 */
export async function run(report: Report): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-forecast-log-'))
  const ledger = createSqliteLedger({ folder })
  const random = createRandom(1)
  try {
    await ledger.open()
    const columns = Array.from({ length: 40 }, () =>
      Float64Array.from({ length: steps }, () => random.next()),
    )
    const column = (): Float64Array => columns[random.below(columns.length)]!
    let bytesPeak = 0
    const startedMs = performance.now()
    for (let hour = 0; hour < days * 24; hour++) {
      const origin = start + hour * hourMs
      await ledger.watch.log(
        Array.from({ length: devices }, (_, device) => ({
          forecast: forecastOf(device, origin, column),
          published: true,
        })),
      )
      await ledger.watch.score(
        [],
        Array.from({ length: devices }, (_, device) => ({ ...keyOf(device), to: origin })),
      )
      if (hour % 24 !== 23) continue
      bytesPeak = Math.max(bytesPeak, bytesIn(folder))
      const keep = { quarantined: 0, closedAlerts: 0, modelEvents: 0, keepFrom: 0, incidentsFrom: 0 }
      await ledger.maintain({ ...keep, forecastsFrom: origin - days * dayMs, thinBefore: origin - dayMs })
    }
    const ms = (performance.now() - startedMs) / (days * 24)
    const bench = 'forecast-log'
    const note = `${devices} devices x 168 h, every hour, ${days} days, through SQLite`
    const bytes = { unit: 'MB', target: bytesMax / 1e6, note }
    report({ bench, name: 'size on disk, at most', value: bytesPeak / 1e6, ...bytes })
    report({ bench, name: 'size on disk, at the end', value: bytesIn(folder) / 1e6, ...bytes })
    report({
      bench,
      name: 'time to log and score an hour',
      value: ms,
      unit: 'ms',
      note: `${devices} forecasts`,
    })
  } finally {
    await ledger.close()
    rmSync(folder, { recursive: true })
  }
}

const keyOf = (device: number) => ({
  target: { site: 'home', domain: 'energy', subject: `device-${device}` },
  metric: 'energy',
})

const forecastOf = (device: number, origin: number, column: () => Float64Array): Forecast => ({
  kind: 'forecast',
  ...keyOf(device),
  unit: 'kWh',
  origin,
  madeAt: origin + 1234,
  model: { name: 'energy-boosting', version: '20260105T000000Z', kind: 'learned' },
  grid: [
    { stepMs: quarterMs, count: 48 * 4 },
    { stepMs: hourMs, count: 120 },
  ],
  mean: column(),
  baseline: column(),
  baselineName: 'last-week',
  quantiles: [
    { level: 0.05, values: column() },
    { level: 0.95, values: column() },
  ],
})

const bytesIn = (folder: string): number =>
  readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0)
