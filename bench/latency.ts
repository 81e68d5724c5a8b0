import { setTimeout as sleep } from 'node:timers/promises'
import { type HubProcess, startHub } from '../test/servers/hub.ts'
import { runLoad } from './load/run.ts'
import { type LoadResult, layoutFor } from './load/spec.ts'
import { type Report, round } from './report.ts'

/** From a sensor's publish over MQTT to the frame on a browser's WebSocket, at rest and while models are trained. */
export async function run(report: Report): Promise<void> {
  const hub = await startHub()
  try {
    tell(report, 'publish to frame', await measure(hub))
    await history(hub)
    const training = keepTraining(hub)
    const result = await measure(hub)
    const share = await training.stop()
    const note = `${Math.round(share * 100)} % of the time a model was trained`
    if (share === 0) throw new Error('no model was trained while it was measured')
    tell(report, 'publish to frame while a model trains', result, note)
  } finally {
    await hub.stop()
  }
}

const perSecond = 2000
const seconds = 20

async function measure(hub: HubProcess): Promise<LoadResult> {
  const result = await runLoad({
    kind: 'latency',
    port: hub.mqttPort,
    wsUrl: `ws://127.0.0.1:${hub.port}/ws/sensors/`,
    perSecond,
    seconds,
    maxSeconds: seconds + 30,
    ...layoutFor(perSecond * seconds, `w${++runs}-`, 500),
  })
  if (result.cut) throw new Error(result.complaint)
  return result
}

let runs = 0

function tell(report: Report, name: string, result: LoadResult, what?: string): void {
  const rate = `${perSecond} msg/s for ${seconds} s`
  const note = what === undefined ? rate : `${rate}; ${what}`
  const common = { bench: 'latency', unit: 'ms', note }
  report({ ...common, name: `${name}, p50`, value: round(result.p50Ms), target: 10 })
  report({ ...common, name: `${name}, p99`, value: round(result.p99Ms), target: 50 })
}

const devices = 8
const days = 120
const quarterMs = 15 * 60_000

/** Something to learn from: power every quarter of an hour, a daily and a weekly rhythm and a drift that is no clock. */
async function history(hub: HubProcess): Promise<void> {
  const end = Math.floor(Date.now() / quarterMs) * quarterMs
  for (let device = 0; device < devices; device++) {
    const rows = Array.from({ length: days * 96 }, (_, i) => {
      const at = end - (days * 96 - i) * quarterMs
      const [hour, day] = [(at / 3_600_000) % 24, Math.floor(at / 86_400_000)]
      const rhythm = 1 + Math.sin(((hour + device) / 24) * 2 * Math.PI) + (day % 7 > 4 ? 0.5 : 0)
      const value = Math.round(
        200 * rhythm + 80 * Math.abs(Math.sin(i * 0.37 + device) * Math.sin(i * 0.011)),
      )
      return { device: `load-${device}`, metric: 'power', value, unit: 'W', at, room: 'cellar' }
    })
    for (let from = 0; from < rows.length; from += 5000) {
      const answer = await fetch(`${hub.url}/api/v1/readings`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ readings: rows.slice(from, from + 5000) }),
      })
      if (!answer.ok) throw new Error(`history: ${await answer.text()}`)
    }
  }
}

/** Asks for training again whenever none runs. `stop` answers the share of looks at which a model was in training. */
function keepTraining(hub: HubProcess): { stop(): Promise<number> } {
  let stopped = false
  let [looks, seen] = [0, 0]
  const loop = async (): Promise<void> => {
    while (!stopped) {
      looks++
      if ((await hub.metric('homeostat_training')) > 0) seen++
      else await (await fetch(`${hub.url}/api/v1/train`, { method: 'POST' })).arrayBuffer()
      await sleep(200)
    }
  }
  const done = loop()
  return {
    stop: async () => {
      stopped = true
      await done
      return looks === 0 ? 0 : seen / looks
    },
  }
}
