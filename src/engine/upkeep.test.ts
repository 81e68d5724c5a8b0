import { expect, it } from 'vitest'
import { incident } from '../../test/conformance/ledger-incident-laws.ts'
import { createMemoryLedger } from '../stores/ledger/memory.ts'
import { createMemoryReadings } from '../stores/readings/memory.ts'
import { Upkeep, type UpkeepOptions } from './upkeep.ts'

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

const options: UpkeepOptions = {
  quarantineRows: 1,
  closedAlertRows: 1,
  modelEventRows: 1,
  readingsKeptMs: null,
  predictionsKeptMs: day,
  forecastsKeptMs: day,
  incidentsKeptMs: day,
}

async function afterRollUp(readingsKeptMs: number | null): Promise<{ at: number[]; hours: number[] }> {
  const readings = createMemoryReadings()
  await readings.open()
  const ages = [9 * day, 2 * day, 0]
  await readings.append(ages.map((age) => ({ ...key, unit: 'W', value: 1, at: now - age })))
  const upkeep = new Upkeep(
    { readings, ledger: createMemoryLedger(), clock, log, eraseDue: async () => {} },
    { ...options, readingsKeptMs },
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

it('erases incidents that ended longer ago than they are kept', async () => {
  const ledger = createMemoryLedger()
  const ended = (id: string, age: number) =>
    incident(id, { status: 'resolved', resolvedAt: now - age, alerts: [] })
  await ledger.incidents.put([incident('open'), ended('old', 2 * day), ended('new', day)])
  const upkeep = new Upkeep(
    { readings: createMemoryReadings(), ledger, clock, log, eraseDue: async () => {} },
    options,
  )
  await upkeep.cleanUp()
  expect((await ledger.incidents.list({}, 9)).map(({ id }) => id)).toEqual(['new', 'open'])
})
