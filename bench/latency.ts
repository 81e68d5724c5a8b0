import { type HubProcess, startHub } from '../test/servers/hub.ts'
import { startMosquitto } from '../test/servers.ts'
import { cpuSecondsOf } from './load/cpu.ts'
import { runLoad } from './load/run.ts'
import { type LoadResult, layoutFor } from './load/spec.ts'
import { keepTraining } from './load/training.ts'
import { type Report, round } from './report.ts'

/**
 * From a sensor's publish over MQTT to the frame on a browser's WebSocket, at rest and while models are trained.
 * Beside it Mosquitto, from publish to its subscriber with nothing kept: what is left of that is the machine's own.
 */
export async function run(report: Report): Promise<void> {
  const broker = await startMosquitto()
  try {
    tell(report, 'peer: Mosquitto, publish to subscriber', await measure(broker.port))
  } finally {
    await broker.stop()
  }
  const hub = await startHub()
  const webSocket = `ws://127.0.0.1:${hub.port}/ws/sensors/`
  try {
    const cpu = cpuSecondsOf([hub.pid])
    const atRest = await measure(hub.mqttPort, webSocket)
    const share = ((cpuSecondsOf([hub.pid]) - cpu) / atRest.seconds) * 100
    tell(report, 'publish to frame', atRest)
    report({ bench: 'latency', name: 'processor time of the hub', value: round(share), unit: '% of a core' })
    await history(hub)
    const training = keepTraining(hub)
    const result = await measure(hub.mqttPort, webSocket)
    const trained = await training.stop()
    const note = `${Math.round(trained * 100)} % of the time a model was trained`
    if (trained === 0) throw new Error('no model was trained while it was measured')
    tell(report, 'publish to frame while a model trains', result, note)
  } finally {
    await hub.stop()
  }
}

const perSecond = 2000
const seconds = 20

async function measure(port: number, wsUrl?: string): Promise<LoadResult> {
  const result = await runLoad({
    kind: 'latency',
    port,
    ...(wsUrl === undefined ? {} : { wsUrl }),
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
  const targets = name.startsWith('peer') ? [{}, {}] : [{ target: 10 }, { target: 50 }]
  const figure = (which: string, ms: number, target: { target?: number } | undefined): void =>
    report({ bench: 'latency', name: `${name}, ${which}`, value: round(ms), unit: 'ms', ...target, note })
  figure('p50', result.p50Ms, targets[0])
  figure('p99', result.p99Ms, targets[1])
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
