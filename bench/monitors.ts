import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { dayMs, minuteMs } from '../src/core/time.ts'
import { duckdb } from '../src/stores/readings/duckdb-api.ts'
import { startHub } from '../test/servers/hub.ts'
import { temporaryFolder } from '../test/servers.ts'
import { changed } from './load/changed-hub.ts'
import { cpuSecondsOf } from './load/cpu.ts'
import { runLoad } from './load/run.ts'
import { layoutFor } from './load/spec.ts'
import { median, type Report, round } from './report.ts'

/**
 * What watching costs: QoS 1 into a hub with the monitors of all domains, and into one with thresholds only, in turn.
 * 1,000 series, each with a limit, a quarter of them power.
 */
export async function run(report: Report, { isQuick }: { readonly isQuick: boolean }): Promise<void> {
  const folder = temporaryFolder('homeostat-monitors')
  const config = join(folder.path, 'config.yaml')
  await writeFile(config, `rules: [${limits.join(', ')}]\ntraining: { enabled: false }\n`)
  const all = await startHub({ config, ...changed({}) })
  const few = await startHub({ config, ...changed({ domains: ['thresholds'] }) })
  try {
    const rounds = isQuick ? 3 : 7
    const count = isQuick ? 50_000 : 100_000
    const rates: { all: Taken; few: Taken }[] = []
    for (let round = 0; round <= rounds; round++) {
      // the first round warms up
      const taken = { all: await take(all, round, count), few: await take(few, round, count) }
      if (round > 0) rates.push(taken)
    }
    tell(report, rates)
    await tellWrites(report, isQuick ? 50 : 250)
  } finally {
    await all.stop()
    await few.stop()
    folder.remove()
  }
}

/** Of every metric of the load; none is ever crossed. */
const limits = ['temperature', 'humidity', 'power', 'light'].map(
  (metric) => `{ name: high-${metric}, metric: ${metric}, above: 100000, level: warning }`,
)

interface Taken {
  readonly rate: number
  /** Processor time of the hub for a message, µs. */
  readonly cpuUs: number
}

async function take(
  hub: { readonly mqttPort: number; readonly pid: number },
  round: number,
  count: number,
): Promise<Taken> {
  const cpu = cpuSecondsOf([hub.pid])
  const { rate, cut, complaint } = await runLoad({
    ...{ kind: 'mqtt', port: hub.mqttPort, clients: 4, qos: 1, count, window: 500, badEvery: 0 },
    ...{ maxSeconds: 60, ...layoutFor(count / 4, 'm-') },
    // recent, and newer than those of the round before
    baseAt: start + round * (count / 4),
  })
  if (cut) throw new Error(complaint)
  return { rate, cpuUs: ((cpuSecondsOf([hub.pid]) - cpu) / count) * 1e6 }
}

const start = Date.now() - 400_000

/** Minutes of a day of power, in the order of time: how often each step of a derived series is written. */
async function tellWrites(report: Report, devices: number): Promise<void> {
  const folder = temporaryFolder('homeostat-writes')
  try {
    const hub = await startHub({ data: folder.path })
    const dayStart = Math.floor(Date.now() / dayMs) * dayMs - dayMs
    for (let minute = 0; minute < 24 * 60; minute += 20) {
      const rows = Array.from({ length: 20 * devices }, (_, row) => ({
        ...{ device: `d${row % devices}`, metric: 'power', unit: 'W', value: 100 + (row % 7) },
        at: dayStart + (minute + Math.floor(row / devices)) * minuteMs,
      }))
      const answer = await fetch(`${hub.url}/api/v1/readings`, {
        ...{ method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(rows) },
      })
      if (!answer.ok) throw new Error(await answer.text())
    }
    await hub.stop()
    const instance = await duckdb.DuckDBInstance.create(join(folder.path, 'readings.duckdb'))
    const connection = await instance.connect()
    const counted = await connection.run(
      'SELECT count(*)::DOUBLE, (SELECT count(*) FROM (SELECT DISTINCT series, at_ms FROM derived))::DOUBLE FROM derived',
    )
    const [[written = 0, steps = 0] = []] = (await counted.getRows()) as number[][]
    connection.closeSync()
    instance.closeSync()
    report({
      ...{ bench: 'monitors', name: 'derived writes a step, a day of minutes', unit: 'writes' },
      ...{ value: round(written / steps), target: 1, note: `${written} rows for ${steps} steps` },
    })
  } finally {
    folder.remove()
  }
}

function tell(report: Report, rates: readonly { readonly all: Taken; readonly few: Taken }[]): void {
  const figure = (name: string, of: (taken: Taken) => number, unit: string): void => {
    const ratios = rates.map(({ all, few }) => of(all) / of(few))
    const note = `ratio to thresholds only; its rounds ${ratios.map((ratio) => ratio.toFixed(2)).join(', ')}`
    const value = round(median(rates.map(({ all }) => of(all))))
    report({ bench: 'monitors', name, value, unit, ratio: round(median(ratios)), note })
  }
  const name = 'QoS 1, 1,000 series, monitors of all domains'
  figure(name, ({ rate }) => rate, 'msg/s')
  figure(`${name}, processor time`, ({ cpuUs }) => cpuUs, 'us/msg')
  const ratios = rates.map(({ all, few }) => all.rate / few.rate)
  report({
    ...{ bench: 'monitors', name: `${name}, share of the rate with thresholds only` },
    ...{ value: round(median(ratios)), unit: 'share', target: 0.8 },
  })
}
