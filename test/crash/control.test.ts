import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { startLoad } from '../../bench/load/run.ts'
import { layoutFor, type MqttLoad } from '../../bench/load/spec.ts'
import type { Reading } from '../../src/core/reading.ts'
import { createDuckDbReadings } from '../../src/stores/readings/duckdb.ts'
import { accepts, freePort, startProcess, temporaryFolder, untilReady } from '../servers.ts'
import { compare, type Found, type Told } from './ledger-of-acks.ts'
import { delayMs, untilGrown } from './moments.ts'

/**
 * The crash test must be able to go red. Here the same pieces run twice under the same load and the same kills:
 * as they are, and with a store that says "durable" before the commit.
 */
describe('a hub that is killed while it takes readings', () => {
  test('acknowledges after the commit: nothing acknowledged is lost', async () => {
    const found = await crash('honest', 5)
    expect(found.acknowledged).toBeGreaterThan(0)
    expect(found).toMatchObject({ lost: 0, twice: 0, strange: 0 })
  }, 120_000)

  test('its control, acknowledging before the commit, is caught', async () => {
    const found = await crash('early', 5)
    expect(found.lost).toBeGreaterThan(0)
    expect(found).toMatchObject({ twice: 0, strange: 0 })
  }, 120_000)
})

const hub = fileURLToPath(new URL('./small-hub.ts', import.meta.url))

async function crash(manner: 'honest' | 'early', rounds: number): Promise<Found> {
  const folder = temporaryFolder('crash-control')
  try {
    const told: Told[] = []
    for (let round = 0; round < rounds; round++) {
      const port = await freePort()
      const args = ['--import', import.meta.resolve('tsx'), hub, folder.path, String(port), manner]
      const started = startProcess(process.execPath, args)
      await untilReady(started, () => accepts(port))
      const one: Told = {
        layout: layoutFor(200_000, `m${round}-`),
        ackLog: join(folder.path, `acks-${round}`),
      }
      told.push(one)
      const load: MqttLoad = {
        ...{ kind: 'mqtt', port, clients: 4, qos: 1, count: 800_000, window: 500, badEvery: 0 },
        ...{ ackLog: one.ackLog, maxSeconds: 20, ...one.layout },
      }
      const running = startLoad(load).result
      await untilGrown([one.ackLog])
      await sleep(delayMs(round))
      started.child.kill('SIGKILL')
      await Promise.all([started.ended, running])
    }
    return compare(told, await readAll(folder.path))
  } finally {
    folder.remove()
  }
}

async function readAll(folder: string): Promise<Reading[]> {
  const store = createDuckDbReadings({ folder })
  await store.open()
  try {
    const all: Reading[] = []
    for (;;) {
      const page = await store.read({}, 50_000, all.at(-1))
      for (const reading of page) all.push(reading)
      if (page.length < 50_000) return all
    }
  } finally {
    await store.close()
  }
}
