import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Journal } from '../../src/core/journal.ts'
import type { Ledger, ReadingStore } from '../../src/core/ports.ts'
import type { News } from '../../src/engine/feed.ts'
import { createMemoryJournal } from '../../src/stores/journal/memory.ts'
import { createMemoryLedger } from '../../src/stores/ledger/memory.ts'
import { createMemoryReadings } from '../../src/stores/readings/memory.ts'
import { startTestHub, type TestHub, type TestHubOptions } from '../hub.ts'

/** A hub whose journal has no room. On a real disk: test/crash/disk-full.test.ts. */

let disk: { isFull: boolean }
let journal: Journal
let readings: ReadingStore
let ledger: Ledger
let hub: TestHub

beforeEach(() => {
  disk = { isFull: false }
  readings = createMemoryReadings()
  ledger = createMemoryLedger()
  const memory = createMemoryJournal()
  const whenRoom = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    if (disk.isFull) throw new Error('the disk is full')
    return work()
  }
  journal = {
    ...memory,
    get releasable() {
      return memory.releasable
    },
    append: (entry, at) => whenRoom(() => memory.append(entry, at)),
    makeRoom: () => whenRoom(() => memory.makeRoom()),
  }
})
afterEach(() => hub.close())

const start = async (options: TestHubOptions = {}): Promise<void> => {
  hub = await startTestHub({
    ...{ open: true, journal, readings, ledger },
    domainSettings: {
      thresholds: { rules: [{ name: 'stuffy', metric: 'co2', above: 1000, level: 'critical' }] },
    },
    ...options,
  })
}
const co2 = (value: number) => ({ device: 'air', metric: 'co2', unit: 'ppm', value, at: Date.now() })
const readiness = async () => (await hub.ask({ url: '/readyz' })).json()
const isReady = { status: 'ready', missing: [] }

test('a reading that is refused raises its alert, and the alert is on record once there is room', async () => {
  await start()
  await hub.push([co2(400)])
  const news: News[] = []
  hub.engine.feed.subscribe((one) => void news.push(one))
  disk.isFull = true
  await expect(hub.push([co2(2000)])).rejects.toMatchObject({ code: 'store_failed' })
  expect(news.filter(({ kind }) => kind === 'alerts')).toMatchObject([{ alerts: [{ rule: 'stuffy' }] }])
  expect(await readiness()).toEqual({
    status: 'unready',
    missing: ['the journal cannot be written: Error: the disk is full'],
  })
  const alerts = async () => (await hub.ask({ url: '/api/v1/alerts' })).json().items
  expect(await alerts()).toEqual([])
  disk.isFull = false
  await expect.poll(readiness, { timeout: 5000 }).toEqual(isReady)
  await hub.push([co2(2001)])
  expect(await alerts()).toMatchObject([{ rule: 'stuffy', value: 2000 }])
})

test('a start needs no room in the journal, whatever its monitors conclude at it', async () => {
  await start()
  const power = (minutes: number) => ({
    ...{ device: 'stove', metric: 'power', unit: 'W', value: 1000 },
    at: Date.now() - minutes * 60_000,
  })
  await hub.push([60, 50, 40].map(power))
  // states of monitors are saved every 10 s: the next start replays these
  await hub.push([30, 20, 10].map(power))
  const killed = hub
  disk.isFull = true
  await start()
  // what the energy of the last minutes was could not be stored: it is derived again
  expect(hub.errors).toEqual([expect.stringContaining('A commit failed; nothing of it was acknowledged.')])
  expect((await hub.ask({ url: '/api/v1/latest' })).json().items).toMatchObject([{ device: 'stove' }])
  expect(await readiness()).toMatchObject({ status: 'unready' })
  disk.isFull = false
  await expect.poll(readiness, { timeout: 5000 }).toEqual(isReady)
  await killed.server.close()
})

test('a site is removed as a whole or not at all', async () => {
  await start()
  await hub.push([co2(400)])
  const remove = () => hub.ask({ method: 'DELETE', url: '/api/v1/sites/home' })
  const sites = async () => (await hub.ask({ url: '/api/v1/sites' })).json().items
  disk.isFull = true
  // the first attempt finds out, the second is refused at once
  expect((await remove()).json()).toMatchObject({ status: 503, code: 'store_failed' })
  expect((await remove()).json()).toMatchObject({ status: 503, code: 'change_not_stored' })
  expect(await sites()).toMatchObject([{ id: 'home' }])
  disk.isFull = false
  await expect.poll(readiness, { timeout: 5000 }).toEqual(isReady)
  expect((await remove()).json()).toEqual({ removed: 'home' })
  expect([await sites(), await readings.read({}, 10)]).toEqual([[], []])
})

test('the hub stops in order where a store cannot be closed', async () => {
  let isClosed = false
  const { close } = ledger
  ledger.close = async () => {
    isClosed = true
    await close.call(ledger)
  }
  await start({ readings: { ...readings, close: () => Promise.reject(new Error('the disk is full')) } })
  await hub.close()
  expect(isClosed).toBe(true)
  await start()
})
