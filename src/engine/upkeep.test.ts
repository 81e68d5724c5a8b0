import { expect, it } from 'vitest'
import { createMemoryLedger } from '../stores/ledger/memory.ts'
import { createMemoryReadings } from '../stores/readings/memory.ts'
import { Upkeep } from './upkeep.ts'

const day = 86_400_000
const now = Date.parse('2026-03-10T12:00:00Z')
const key = { site: 'home', device: 'meter', metric: 'power' }
const log = { info: () => {}, warn: () => {}, error: () => {} }
const clock = {
  now: () => now,
  monotonic: () => 0,
  sleep: () => Promise.resolve(),
  yield: () => Promise.resolve(),
}

async function afterRollUp(readingsKeptMs: number | null): Promise<{ at: number[]; hours: number[] }> {
  const readings = createMemoryReadings()
  await readings.open()
  const ages = [9 * day, 2 * day, 0]
  await readings.append(ages.map((age) => ({ ...key, unit: 'W', value: 1, at: now - age })))
  const upkeep = new Upkeep(
    { readings, ledger: createMemoryLedger(), clock, log },
    {
      quarantineRows: 1,
      closedAlertRows: 1,
      modelEventRows: 1,
      readingsKeptMs,
      predictionsKeptMs: day,
      forecastsKeptMs: day,
    },
  )
  await upkeep.rollUp()
  const left = await readings.read({}, 10)
  const hours = await readings.rollups(key, 0, now + day)
  return { at: left.map(({ at }) => now - at), hours: hours.map(({ at }) => now - at) }
}

it('rolls up, and leaves of readings older than they are kept their hours', async () => {
  expect(await afterRollUp(7 * day)).toEqual({ at: [2 * day, 0], hours: [9 * day, 2 * day, 0] })
})

it('keeps all readings where none is said to be too old', async () => {
  expect(await afterRollUp(null)).toEqual({ at: [9 * day, 2 * day, 0], hours: [9 * day, 2 * day, 0] })
})
