import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { hourMs, minuteMs, secondMs } from '../../src/core/time.ts'
import { createRandom } from '../../src/ml/random.ts'
import { ledgers } from '../../src/stores/ledger/index.ts'
import { createDuckDbReadings } from '../../src/stores/readings/duckdb.ts'
import { type HubProcess, hubOrSkip, startHub } from '../servers/hub.ts'
import { freePort, temporaryFolder } from '../servers.ts'
import { delayMs } from './moments.ts'

/**
 * Whatever moment the hub is killed at, its folder ends as that of a hub that was never killed: readings, derived
 * series, alerts. Senders keep their order and repeat what was not acknowledged. The same property on a virtual disk,
 * with faults of every kind: test/faults.
 *
 * PATH_KILLS says how often it is killed.
 */
const kills = Number(process.env['PATH_KILLS'] ?? 20)
const { available, reason } = hubOrSkip()

const devices = ['oven', 'boiler', 'fridge', 'pump'] as const
const batchRows = 3
const stepMs = minuteMs
/** All of it is recent for the hub: history raises no alert. */
const spanMs = 20 * hourMs
const batchesPerLife = Math.floor(spanMs / stepMs / batchRows / (kills + 1))

const config = `
mqtt: { enabled: false }
training: { enabled: false }
limits: { liveWithinMs: 86400000 }
rules:
  - { name: hot, metric: temperature, above: 50, level: critical }
  - { name: warm, metric: temperature, above: 45, level: warning, forSeconds: 120 }
`

test.skipIf(!available)(
  `a hub that is killed ${kills} times ends as one that never was ${reason}`,
  async () => {
    const folder = temporaryFolder('crash-path')
    try {
      const file = join(folder.path, 'config.yaml')
      writeFileSync(file, config)
      const startMs = Math.floor((Date.now() - spanMs) / stepMs) * stepMs
      const scene = { config: file, port: await freePort(), batches: devices.map(batchesOf(startMs)) }
      const whole = await live({ ...scene, data: join(folder.path, 'whole') }, 0)
      const killed = await live({ ...scene, data: join(folder.path, 'killed') }, kills)
      expect(whole.dirty).toEqual([])
      expect(whole.alerts.length).toBeGreaterThan(kills)
      expect(whole.readings.filter((line) => line.startsWith('@energy:'))).not.toHaveLength(0)
      expect(killed).toEqual(whole)
    } finally {
      folder.remove()
    }
  },
  60_000 + kills * 20_000,
)

type Batch = readonly {
  readonly device: string
  readonly metric: string
  readonly value: number
  readonly at: number
}[]

/** The batches of a device: two thermometers that cross the limits now and then, and two meters. */
const batchesOf =
  (startMs: number) =>
  (device: string, sender: number): Batch[] => {
    const random = createRandom(sender + 1)
    const isMeter = sender >= 2
    return Array.from({ length: batchesPerLife * (kills + 1) }, (_, number) =>
      Array.from({ length: batchRows }, (_, row) => {
        const value = 48 + Math.round(40 * random.normal()) / 10
        return {
          device,
          metric: isMeter ? 'power' : 'temperature',
          value: isMeter ? value * 10 : value,
          at: startMs + (number * batchRows + row) * stepMs + sender * secondMs,
        }
      }),
    )
  }

interface Scene {
  readonly data: string
  readonly config: string
  readonly port: number
  /** By sender, in order. */
  readonly batches: readonly (readonly Batch[])[]
}

/** Sends everything to hubs on one folder, of which all but the last are killed; returns what is on disk then. */
async function live(scene: Scene, deaths: number) {
  const senders = scene.batches.map(() => 0)
  for (let life = 0; life <= deaths; life++) {
    const hub = await startHub(scene)
    const isLast = life === deaths
    const to = isLast ? Number.POSITIVE_INFINITY : (life + 1) * batchesPerLife
    const stop = new AbortController()
    const sending = scene.batches.map(async (batches, sender) => {
      for (; senders[sender]! < Math.min(to, batches.length); senders[sender]!++) {
        if (!(await send(hub, batches[senders[sender]!]!, stop.signal))) return
      }
    })
    if (!isLast) {
      await sleep(delayMs(life) / 2)
      stop.abort()
      await hub.kill()
    }
    await Promise.all(sending)
    if (isLast) await hub.stop()
  }
  expect(senders).toEqual(scene.batches.map(({ length }) => length))
  for (let round = 0; round < 5; round++) {
    const picture = await pictureOf(scene.data)
    if (picture.dirty.length === 0) return picture
    // a hub that has just started derives again what is dirty once it was still for a second
    const hub = await startHub(scene)
    await sleep(2500)
    await hub.stop()
  }
  return pictureOf(scene.data)
}

/** True: acknowledged. False: it was not, and the hub is about to be killed or is gone. */
async function send({ url }: HubProcess, readings: Batch, killed: AbortSignal): Promise<boolean> {
  for (;;) {
    try {
      const answer = await fetch(`${url}/api/v1/readings`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ readings }),
      })
      await answer.arrayBuffer()
      if (answer.ok) return true
    } catch (error) {
      if (!killed.aborted) throw error
    }
    if (killed.aborted) return false
  }
}

async function pictureOf(data: string) {
  const readings = createDuckDbReadings({ folder: data })
  const ledger = ledgers.sqlite({ folder: data, quarantineLimit: 1000 })
  await readings.open()
  await ledger.open()
  try {
    const alerts = await ledger.alerts({}, 100_000)
    return {
      readings: (await readings.read({}, 1_000_000)).map(
        // sums in another order differ in the last bits
        ({ device, metric, at, value }) => `${device} ${metric} ${at} ${value.toPrecision(9)}`,
      ),
      alerts: alerts.map(({ rule, target, since, until, value }) => ({ rule, target, since, until, value })),
      dirty: await ledger.dirtySpans(),
    }
  } finally {
    await ledger.close()
    await readings.close()
  }
}
