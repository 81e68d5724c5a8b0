import { afterEach, beforeEach, expect, test } from 'vitest'
import { sendSnapshot, snapshotReadings } from '../../src/api/snapshot.ts'
import { type LiveMessage, liveMessage } from '../../src/contract/live.ts'
import { startTestHub, type TestHub } from '../hub.ts'

/** Pages of a snapshot to a socket that takes them when the test says so. */

let hub: TestHub
beforeEach(async () => {
  hub = await startTestHub()
  await hub.push(Array.from({ length: 3 * snapshotReadings }, (_, index) => humidity(index, 40, 0)))
})
afterEach(() => hub.close())

const start = Date.parse('2026-03-02T12:00:00Z')
const humidity = (index: number, value: number, at: number) => ({
  ...{ site: 'home', device: `d${String(index).padStart(5, '0')}`, metric: 'humidity' },
  ...{ value, at: start + at },
})

interface Sending {
  readonly pages: Extract<LiveMessage, { type: 'snapshot' }>[]
  readonly client: { readonly sites: null; snapshotBytes: number; shown?: unknown }
  /** The socket has taken the newest page, or failed to. */
  taken(error?: Error): Promise<void>
}

function snapshot(): Sending {
  const pages: Sending['pages'] = []
  const client = { sites: null, snapshotBytes: 0 }
  let done: (error?: Error) => void = () => undefined
  sendSnapshot(hub.engine, client, (text, sent) => {
    const message = liveMessage.parse(JSON.parse(text))
    if (message.type === 'snapshot') pages.push(message)
    done = sent
  })
  return {
    pages,
    client,
    async taken(error) {
      done(error)
      await new Promise((resolve) => setImmediate(resolve))
    },
  }
}

test('snapshot: a page waits until the socket has taken the one before', async () => {
  const { pages, client, taken } = snapshot()
  await new Promise((resolve) => setImmediate(resolve))
  expect(pages.map(({ readings }) => readings.length)).toEqual([snapshotReadings])
  expect(client.snapshotBytes).toBeGreaterThan(snapshotReadings)
  await taken()
  expect(pages.map(({ continues }) => continues)).toEqual([undefined, true])
  await taken()
  await taken()
  await taken()
  expect(pages.flatMap(({ readings }) => readings)).toEqual(hub.engine.latest())
  expect([pages.length, client.snapshotBytes, client.shown]).toEqual([3, 0, undefined])
})

test('snapshot: a page shows what is known when it is sent', async () => {
  const { pages, taken } = snapshot()
  const last = 3 * snapshotReadings - 1
  await hub.push([humidity(last, 55, 1000), humidity(last + 1, 60, 1000), humidity(0, 45, 1000)])
  await taken()
  await taken()
  await taken()
  const values = new Map(
    pages.flatMap(({ readings }) => readings.map(({ device, value }) => [device, value])),
  )
  expect([values.get('d00000'), values.get('d02999'), values.get('d03000')]).toEqual([40, 55, 60])
})

test('snapshot: ends where the site is removed or the socket has failed', async () => {
  const [removed, failed] = [snapshot(), snapshot()]
  await failed.taken(new Error('gone'))
  expect(failed.pages).toHaveLength(1)
  await hub.engine.removeSite('home')
  await removed.taken()
  await removed.taken()
  expect(removed.pages.map(({ readings }) => readings.length)).toEqual([snapshotReadings, 0])
})
