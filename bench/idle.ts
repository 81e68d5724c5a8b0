import { setTimeout as sleep } from 'node:timers/promises'
import { type HubProcess, startHub } from '../test/servers/hub.ts'
import { cpuSecondsOf } from './load/cpu.ts'
import { type Report, round } from './report.ts'

const series = 100_000
const batch = 10_000
const measureSeconds = Number(process.env['BENCH_IDLE_SECONDS'] ?? 90)
const metrics = ['temperature', 'humidity', 'co2', 'illuminance', 'motion']

/** What a hub that knows 100,000 series uses of a processor while nothing comes in: over a minute, to meet all upkeep. */
export async function run(report: Report): Promise<void> {
  const hub = await startHub()
  try {
    const at = Date.now() - 60_000
    for (let from = 0; from < series; from += batch) await push(hub, from, at)
    await untilQuiet(hub)
    const before = cpuSecondsOf([hub.pid])
    const begun = performance.now()
    await sleep(measureSeconds * 1000)
    const elapsed = (performance.now() - begun) / 1000
    const share = (100 * (cpuSecondsOf([hub.pid]) - before)) / elapsed
    const note = `over ${Math.round(elapsed)} s; resident memory ${Math.round(hub.memory().now)} MB`
    report({
      bench: 'idle',
      name: `processor use with ${series} series`,
      value: round(share),
      unit: '%',
      target: 3,
      note,
    })
  } finally {
    await hub.stop()
  }
}

async function push(hub: HubProcess, from: number, at: number): Promise<void> {
  const readings = Array.from({ length: batch }, (_, row) => {
    const device = from + row
    return { device: `d${device}`, metric: metrics[device % metrics.length], value: 1, at }
  })
  const answer = await fetch(`${hub.url}/api/v1/readings`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ readings }),
  })
  if (!answer.ok) throw new Error(await answer.text())
  await answer.arrayBuffer()
}

/** Until the first upkeep has taken in what was loaded: it runs once a minute. */
async function untilQuiet(hub: HubProcess): Promise<void> {
  await sleep(65_000)
  for (let last = cpuSecondsOf([hub.pid]), tries = 0; tries < 30; tries++) {
    await sleep(2000)
    const now = cpuSecondsOf([hub.pid])
    if (now - last < 0.5) return
    last = now
  }
}
