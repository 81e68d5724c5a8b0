import { expect, test } from 'vitest'
import { Counters } from './counters.ts'

const none = { predictions: [], alerts: [] }
const of = (...sites: string[]) => ({ ...none, readings: sites.map((site) => ({ site, device: 'd' })) })

test('counters: readings of removed sites are gone from what is stored, and simulated ones from the total', () => {
  const counters = new Counters()
  const isDemo = (site: string): boolean => site === 'demo'
  counters.countCommit(of('demo', 'home', 'home', 'demo', 'lodge'), 1)
  counters.countCommit(of('lodge'), 1)
  expect([counters.readingsStored, counters.readingsTotal(isDemo)]).toEqual([6, 4])
  counters.removeSite('demo', true)
  expect([counters.readingsStored, counters.readingsTotal(() => false)]).toEqual([4, 4])
  counters.removeSite('lodge', false)
  expect([counters.readingsStored, counters.readingsTotal(() => false)]).toEqual([2, 4])
  counters.countCommit(of('lodge'), 1)
  expect([counters.readingsStored, counters.readingsTotal(() => false)]).toEqual([3, 5])
})

test('counters: derived readings do not count as stored', () => {
  const counters = new Counters()
  const readings = [
    { site: 'home', device: '@energy:d' },
    { site: 'home', device: 'd' },
    { site: 'home', device: '@energy:d' },
  ]
  counters.countCommit({ ...none, readings }, 1)
  counters.countCommit({ ...none, readings: [] }, 1)
  expect(counters.readingsStored).toBe(1)
})
