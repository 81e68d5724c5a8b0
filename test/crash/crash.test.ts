import { appendFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { startLoad } from '../../bench/load/run.ts'
import { type HttpLoad, layoutFor, type Message, type MqttLoad, messageOf } from '../../bench/load/spec.ts'
import { type HubProcess, hubOrSkip, program, startHub } from '../servers/hub.ts'
import { freePort, type Started, startProcess, stopProcess, temporaryFolder } from '../servers.ts'
import { compare, type Told } from './ledger-of-acks.ts'
import { delayMs, untilGrown } from './moments.ts'

/**
 * The hub is killed with SIGKILL at random moments, while readings come in over MQTT QoS 1, HTTP and a file.
 * Every second round sends the readings of the round before once more, as clients do that were not answered.
 * At the end every acknowledged reading must be there, and once. How this goes red: control.test.ts.
 *
 * CRASH_ROUNDS says how often; 50 is what the target asks for, a short run is for every day.
 */
const rounds = Number(process.env['CRASH_ROUNDS'] ?? (process.env['CI'] === 'true' ? 50 : 6))
const { available, reason } = hubOrSkip()

test.skipIf(!available)(
  `${rounds} kills under load: nothing acknowledged is lost, nothing is stored twice ${reason}`,
  async () => {
    const folder = temporaryFolder('crash')
    try {
      const scene = await makeScene(folder.path)
      for (let round = 0; round < rounds; round++) await crashOnce(scene, round)
      const hub = await startHub(scene)
      try {
        for (const file of scene.unfinished) await importToTheEnd(scene, file)
        const found = compare([...scene.told.values()], await readAll(hub))
        expect(found.acknowledged).toBeGreaterThan(rounds * 100)
        const { lost, lostBy, twice, strange } = found
        const ends = Object.keys(lostBy).map((prefix) => scene.ends.get(prefix) ?? prefix)
        expect({ lost, lostBy, twice, strange }, ends.join('\n')).toEqual({
          lost: 0,
          lostBy: {},
          twice: 0,
          strange: 0,
        })
      } finally {
        await hub.stop()
      }
    } finally {
      folder.remove()
    }
  },
  120_000 + rounds * 20_000,
)

interface Scene {
  readonly folder: string
  readonly data: string
  readonly port: number
  readonly mqttPort: number
  /** By prefix. */
  readonly told: Map<string, Told>
  /** Files whose import did not end well yet; the same command goes on with them. */
  readonly unfinished: Told[]
  /** How each import ended, and what it said, by prefix: what a loss is explained from. */
  readonly ends: Map<string, string>
}

const importRows = 3000

async function makeScene(folder: string): Promise<Scene> {
  const [port, mqttPort] = [await freePort(), await freePort()]
  return {
    folder,
    data: join(folder, 'data'),
    port,
    mqttPort,
    told: new Map(),
    unfinished: [],
    ends: new Map(),
  }
}

async function crashOnce(scene: Scene, round: number): Promise<void> {
  const hub = await startHub(scene)
  const pair = round >> 1
  const [overMqtt, overHttp] = [toldOf(scene, `m${pair}-`, 200_000), toldOf(scene, `h${pair}-`, 200_000)]
  const mqtt: MqttLoad = {
    ...{ kind: 'mqtt', port: scene.mqttPort, clients: 2, qos: 1, count: 400_000, window: 100, badEvery: 0 },
    ...{ maxSeconds: 30, ackLog: overMqtt.ackLog, ...overMqtt.layout },
  }
  const http: HttpLoad = {
    ...{ kind: 'http', port: scene.port, connections: 2, requests: 8000, batch: 50, format: 'json' },
    ...{ path: '/api/v1/readings', headers: {}, maxSeconds: 30, ackLog: overHttp.ackLog, ...overHttp.layout },
  }
  const loads = [startLoad(mqtt).result, startLoad(http).result]
  const file = newImport(scene, round)
  const importing = startImport(scene, file)
  await untilGrown([overMqtt.ackLog, overHttp.ackLog])
  await sleep(delayMs(round))
  await hub.kill()
  await Promise.all(loads)
  await stopProcess(importing)
  noteEnd(scene, file, importing)
  if (importing.child.exitCode === 0) acknowledge(file)
  else scene.unfinished.push(file)
  if (round % 5 === 4) await crashImport(scene, round)
}

/** An import that has the folder to itself is killed in the same way. */
async function crashImport(scene: Scene, round: number): Promise<void> {
  const file = newImport(scene, rounds + round)
  scene.unfinished.push(file)
  const importing = startImport(scene, file)
  await sleep(300 + delayMs(round))
  importing.child.kill('SIGKILL')
  await importing.ended
  noteEnd(scene, file, importing)
}

function noteEnd({ ends }: Scene, { layout: { prefix } }: Told, { child, tail }: Started): void {
  const end = `${prefix} ended with ${child.exitCode ?? child.signalCode}: ${tail}`
  ends.set(prefix, `${ends.get(prefix) ?? ''}${end}\n`)
}

function toldOf(scene: Scene, prefix: string, readings: number): Told {
  const known = scene.told.get(prefix)
  if (known) return known
  const layout = { ...layoutFor(readings, prefix, 50), prepared: 1000 }
  const told = { layout, ackLog: join(scene.folder, `acks-${prefix}`) }
  scene.told.set(prefix, told)
  return told
}

/** A file of readings of its own; it counts as acknowledged when an import of it has ended well. */
function newImport(scene: Scene, round: number): Told {
  const told = toldOf(scene, `f${round}-`, importRows)
  const rows = Array.from({ length: importRows }, (_, k) => {
    const { device, metric, value, unit, room, at } = messageOf(told.layout, 0, k)
    return `${new Date(at).toISOString()},${device},${metric},${value},${unit},${room}`
  })
  writeFileSync(fileOf(told), `time,device,metric,value,unit,room\n${rows.join('\n')}\n`)
  return told
}

const fileOf = (told: Told): string => `${told.ackLog}.csv`

/** On the folder of a hub that runs, so it goes through the hub; or through what is left of it. */
const startImport = (scene: Scene, told: Told): Started =>
  startProcess(process.execPath, [program, 'import', fileOf(told), '--data', scene.data])

async function importToTheEnd(scene: Scene, told: Told): Promise<void> {
  const started = startImport(scene, told)
  await started.ended
  noteEnd(scene, told, started)
  expect(started.child.exitCode, started.tail).toBe(0)
  acknowledge(told)
}

function acknowledge(told: Told): void {
  const lines = Array.from({ length: importRows }, (_, k) => `0 ${k}\n`)
  appendFileSync(told.ackLog, lines.join(''))
}

async function readAll(hub: HubProcess): Promise<Message[]> {
  const all: Message[] = []
  let cursor: string | null = ''
  while (cursor !== null) {
    const answer: Response = await fetch(
      `${hub.url}/api/v1/readings?limit=10000${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`,
    )
    if (!answer.ok) throw new Error(await answer.text())
    const page = (await answer.json()) as { items: Message[]; next: string | null }
    for (const reading of page.items) all.push(reading)
    cursor = page.next
  }
  return all
}
