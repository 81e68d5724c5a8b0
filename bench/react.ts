import { createWriteStream } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { availableParallelism, loadavg } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { hourMs, minuteMs } from '../src/core/time.ts'
import { type HubProcess, program, startHub } from '../test/servers/hub.ts'
import { startProcess, stopProcess, temporaryFolder } from '../test/servers.ts'
import { changed } from './load/changed-hub.ts'
import { watchOthers } from './load/machine.ts'
import { madeHours, sendHours } from './load/made-devices.ts'
import { runLoad } from './load/run.ts'
import { type AlertTimes, layoutFor, type MqttLoad } from './load/spec.ts'
import { connectStalled } from './load/stalled.ts'
import { keepTraining } from './load/training.ts'
import { type Report, round } from './report.ts'

/**
 * From a reading published over MQTT at QoS 1 to its alert, on a WebSocket and at an MQTT subscriber: at rest, and while
 * the hub is busy with something else. No alert may be missed. The publisher's connection also carries other readings.
 */
export async function run(report: Report, { isQuick }: { readonly isQuick: boolean }): Promise<void> {
  const folder = temporaryFolder('homeostat-react')
  const bench = new Bench(report, isQuick ? 100 : 1000)
  try {
    const config = join(folder.path, 'config.yaml')
    await writeFile(config, `${rules}training: { enabled: false }\n`)
    await withHub({ config }, async (hub) => {
      await bench.scene('idle', hub, { target: 5 })
      const capacity = await bench.saturation(hub)
      await bench.ingest(hub, 0.8 * capacity)
      await bench.stalled(hub)
      await bench.importing(hub, folder.path)
    })
    await withHub({ config, ...changed({ commitDelayMs: 500 }) }, (hub) => bench.delayed(hub, 500))
    const learning = join(folder.path, 'learning.yaml')
    await writeFile(learning, `${rules}training: { workers: ${availableParallelism()} }\n`)
    await withHub({ config: learning }, (hub) => bench.training(hub))
  } finally {
    folder.remove()
  }
}

const limit = 1000
const rules = `rules: [{ name: stuffy, metric: co2, above: ${limit}, level: critical }]\n`
const alertsPerSecond = 100
/** Readings beside the probes on the publisher's connection, a second. */
const beside = 300
const importRows = 5_000_000

async function withHub(
  options: Parameters<typeof startHub>[0],
  work: (hub: HubProcess) => Promise<void>,
): Promise<void> {
  const hub = await startHub(options)
  try {
    await work(hub)
  } finally {
    await hub.stop()
  }
}

const storedTotal = 'homeostat_readings_stored_total'
const liveUrl = (hub: HubProcess): string => `ws://127.0.0.1:${hub.port}/api/v1/live`

class Bench {
  readonly #report: Report
  readonly #alerts: number
  #scenes = 0

  constructor(report: Report, alerts: number) {
    this.#report = report
    this.#alerts = alerts
  }

  /** `target`: of the median; absent: 50 ms for the 99th percentile; null: only reported. */
  async scene(
    name: string,
    hub: HubProcess,
    { target, note = async () => '' }: { target?: number | null; note?: () => Promise<string> } = {},
  ): Promise<void> {
    const prefix = `r${++this.#scenes}-`
    const others = watchOthers()
    const { alerts, cut, complaint } = await runLoad({
      kind: 'react',
      port: hub.mqttPort,
      wsUrl: liveUrl(hub),
      alertTopic: 'homeostat/home/alerts',
      probe: { device: `${prefix}probe`, metric: 'co2', low: limit / 2, high: 2 * limit, unit: 'ppm' },
      ...{ alerts: this.#alerts, alertsPerSecond, perSecond: beside, maxSeconds: 60 },
      ...layoutFor(60_000, prefix, 100),
      baseAt: Date.now() - minuteMs,
    })
    if (cut || !alerts) throw new Error(`${name}: ${complaint}`)
    const busy = `others kept ${round(others())} processors busy, load average ${round(loadavg()[0]!)}`
    const notes = [await note(), busy].filter((text) => text !== '').join('; ')
    this.#tell(`${name}, WebSocket`, alerts.webSocket, target, notes)
    this.#tell(`${name}, MQTT`, alerts.mqtt, target, notes)
  }

  #tell(name: string, times: AlertTimes, target: number | null | undefined, note: string): void {
    const { p50Ms, p99Ms, maxMs, missed, repeated } = times
    const figure = (which: string, value: number, unit: string, more: object): void =>
      this.#report({ bench: 'react', name: `${name}, ${which}`, value: round(value), unit, ...more })
    figure('p50', p50Ms, 'ms', typeof target === 'number' ? { target } : {})
    const slowest = `slowest ${round(maxMs)} ms; ${note}`
    figure('p99', p99Ms, 'ms', { ...(target === undefined ? { target: 50 } : {}), note: slowest })
    figure('missed or repeated', missed + repeated, 'alerts', { target: 0 })
    if (missed + repeated > 0) process.exitCode = 1
  }

  /** Clients that send as fast as they are answered; resolves with readings stored a second. */
  async saturation(hub: HubProcess): Promise<number> {
    return this.#loaded('saturation', hub, null)
  }

  async ingest(hub: HubProcess, perSecond: number): Promise<void> {
    await this.#loaded('ingest at 80 % of the capacity', hub, undefined, perSecond)
  }

  async stalled(hub: HubProcess): Promise<void> {
    const stalled = await connectStalled(liveUrl(hub), hub.mqttPort)
    // so much that what waits for the two exceeds their buffers
    await this.#loaded('a WebSocket and an MQTT client that do not read', hub, undefined, 5000, async () => {
      return stalled.stop()
    })
  }

  async #loaded(
    name: string,
    hub: HubProcess,
    target: null | undefined,
    perSecond?: number,
    more: () => Promise<string> = async () => '',
  ): Promise<number> {
    const stop = new AbortController()
    const count = 4_000_000
    const load: MqttLoad = {
      ...{ kind: 'mqtt', port: hub.mqttPort, clients: 4, qos: 1, count, window: 500, badEvery: 0 },
      ...(perSecond === undefined ? {} : { perSecond }),
      ...layoutFor(count / 4, `l${this.#scenes}-`),
      ...{ baseAt: Date.now() - 5 * minuteMs, maxSeconds: 60 },
    }
    let ended = ''
    const done = runLoad(load, stop.signal).then(
      ({ complaint }) => {
        ended = complaint
      },
      () => undefined,
    )
    await sleep(2000)
    const [before, startMs] = [await hub.metric(storedTotal), performance.now()]
    let rate = 0
    try {
      await this.scene(name, hub, {
        ...(target === undefined ? {} : { target }),
        note: async () => {
          rate = ((await hub.metric(storedTotal)) - before) / ((performance.now() - startMs) / 1000)
          const asked = perSecond === undefined ? '' : `, ${Math.round(perSecond)} were due`
          return [`${Math.round(rate)} readings/s stored${asked}`, await more()].filter(Boolean).join('; ')
        },
      })
    } finally {
      stop.abort()
      await done
    }
    if (ended !== '') throw new Error(`${name}: the load ended: ${ended}`)
    return rate
  }

  /** Through the command, which hands the rows to the hub over HTTP; it ends with the scene. */
  async importing(hub: HubProcess, folder: string): Promise<void> {
    const file = join(folder, 'history.csv')
    await writeHistory(file)
    const before = await hub.metric(storedTotal)
    const started = startProcess(process.execPath, [program, 'import', file, '--data', hub.data])
    try {
      while ((await hub.metric(storedTotal)) < before + 20_000) {
        if (started.child.exitCode !== null) throw new Error(`the import ended: ${started.tail}`)
        await sleep(50)
      }
      const [from, startMs] = [await hub.metric(storedTotal), performance.now()]
      await this.scene('an import of 5 million rows', hub, {
        note: async () => {
          if (started.child.exitCode !== null) throw new Error('the import ended before the alerts')
          const rows = (await hub.metric(storedTotal)) - from
          return `${Math.round(rows / ((performance.now() - startMs) / 1000))} readings/s stored`
        },
      })
    } finally {
      await stopProcess(started)
    }
  }

  async delayed(hub: HubProcess, ms: number): Promise<void> {
    const totals = async (): Promise<readonly number[]> => [
      await hub.metric('homeostat_commit_seconds_total'),
      await hub.metric('homeostat_turns_total'),
    ]
    // turns of the start that had nothing to commit do not count
    const before = await totals()
    await this.scene(`every commit delayed by ${ms} ms`, hub, {
      note: async () => {
        const [seconds, turns] = (await totals()).map((total, index) => total - before[index]!)
        const meanMs = (1000 * seconds!) / turns!
        if (meanMs < ms) throw new Error(`a commit took ${meanMs} ms; it is not delayed`)
        return `a commit took ${round(meanMs)} ms on average`
      },
    })
  }

  async training(hub: HubProcess): Promise<void> {
    const [devices, days] = [8, 90]
    const end = Math.floor(Date.now() / hourMs) * hourMs
    for (let device = 0; device < devices; device++) {
      await sendHours(hub, `load-${device}`, end - days * 24 * hourMs, madeHours(device, days))
    }
    const training = keepTraining(hub)
    while ((await hub.metric('homeostat_training')) === 0) await sleep(50)
    let share = 0
    await this.scene('training on all processors', hub, {
      note: async () => {
        share = await training.stop()
        return `a model was trained in ${Math.round(share * 100)} % of the time`
      },
    })
    if (share === 0) throw new Error('no model was trained while it was measured')
  }
}

/** 40 thermometers, one reading each in turn, from the beginning of 2024. */
async function writeHistory(file: string): Promise<void> {
  const start = Date.UTC(2024, 0, 1)
  function* blocks(): Generator<string> {
    yield 'at,device,metric,value,unit\n'
    for (let from = 0; from < importRows; from += 10_000) {
      let text = ''
      for (let n = from; n < from + 10_000; n++) {
        text += `${start + n * 10_000},history-${n % 40},temperature,${15 + (n % 97) / 10},degC\n`
      }
      yield text
    }
  }
  await pipeline(Readable.from(blocks()), createWriteStream(file))
}
