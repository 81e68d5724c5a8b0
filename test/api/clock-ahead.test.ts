import { expect, test } from 'vitest'
import type { Reading } from '../../src/core/reading.ts'
import { createMemoryReadings } from '../../src/stores/readings/memory.ts'
import { startTestHub } from '../hub.ts'

/** Readings that were stored while the clock of the hub was ahead. */

const yearMs = 366 * 86_400_000
const lamp = { site: 'home', device: 'lamp', metric: 'power', unit: 'W' } as const

async function start(stored: readonly Pick<Reading, 'value' | 'at'>[]) {
  const readings = createMemoryReadings()
  await readings.append(stored.map((row) => ({ ...lamp, ...row })))
  const hub = await startTestHub({ open: true, readings })
  const values = async () =>
    (await hub.ask({ url: '/api/v1/latest' })).json().items.map(({ value }: Reading) => value)
  return { hub, values }
}

test('latest: the next reading takes their place', async () => {
  const { hub, values } = await start([{ value: 1, at: Date.now() + yearMs }])
  expect(await values()).toEqual([1])
  await hub.push([{ ...lamp, value: 2 }])
  expect(await values()).toEqual([2])
  await hub.push([{ ...lamp, value: 3 }])
  expect(await values()).toEqual([3])
  const window = await hub.ask({ url: '/api/v1/window?site=home&device=lamp&metric=power' })
  expect(window.json().items.map(({ value }: Reading) => value)).toEqual([2, 3])
  await hub.close()
})

test('latest: after a start it is the newest of the others', async () => {
  const now = Date.now()
  const { hub, values } = await start([
    { value: 1, at: now - 2000 },
    { value: 2, at: now - 1000 },
    { value: 9, at: now + yearMs },
  ])
  expect(await values()).toEqual([2])
  await hub.close()
})
