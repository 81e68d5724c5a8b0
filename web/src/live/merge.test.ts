import { describe, expect, test } from 'vitest'
import { idOf, type Reading } from '../api/types.ts'
import { dropSite, isStale, type Live, mergeReadings } from './merge.ts'
import { retryMs } from './socket.ts'

const reading = (over: Partial<Reading> = {}): Reading => ({
  site: 'home',
  device: 't1',
  metric: 'temperature',
  unit: 'degC',
  value: 20,
  at: 1_000_000,
  ...over,
})

describe('merging', () => {
  test('the newest reading of a series by its own time wins, a late one is passed over', () => {
    const map = new Map<string, Live>()
    mergeReadings(map, [reading({ value: 21, at: 2_000_000 })])
    const { changed } = mergeReadings(map, [reading({ value: 5, at: 1_000_000 })])
    expect(changed.size).toBe(0)
    expect(map.get(idOf(reading()))?.reading.value).toBe(21)
  })

  test('a correction at the same time counts, the same reading twice does not', () => {
    const map = new Map<string, Live>()
    mergeReadings(map, [reading()])
    expect(mergeReadings(map, [reading()]).changed.size).toBe(0)
    expect(mergeReadings(map, [reading({ value: 22 })]).changed.size).toBe(1)
  })

  test('a series that was not there before is told', () => {
    const map = new Map<string, Live>()
    expect(mergeReadings(map, [reading()]).grown).toBe(true)
    expect(mergeReadings(map, [reading({ at: 1_010_000 })]).grown).toBe(false)
    expect(mergeReadings(map, [reading({ device: 't2' })]).grown).toBe(true)
  })

  test('the pace of a series is the mean of its steps', () => {
    const map = new Map<string, Live>()
    for (let step = 0; step < 50; step++) mergeReadings(map, [reading({ at: 1_000_000 + step * 10_000 })])
    expect(map.get(idOf(reading()))?.intervalMs).toBe(10_000)
  })

  test('a removed site leaves nothing of itself, and others untouched', () => {
    const map = new Map<string, Live>()
    mergeReadings(map, [reading(), reading({ site: 'demo' }), reading({ site: 'demo', device: 't2' })])
    expect(dropSite(map, 'demo').size).toBe(2)
    expect([...map.values()].map((live) => live.reading.site)).toEqual(['home'])
  })
})

describe('silence', () => {
  const minute = 60_000
  test.each([
    ['a sensor of 10 s after 50 s', { reading: reading(), intervalMs: 10_000 }, 50_000, false],
    ['a sensor of 10 s after 61 s', { reading: reading(), intervalMs: 10_000 }, 61_000, true],
    ['a meter of unknown pace after an hour', { reading: reading() }, 60 * minute, false],
    ['a meter of unknown pace after three hours', { reading: reading() }, 180 * minute, true],
    [
      'a door that stays shut for a day',
      { reading: reading({ metric: 'door', unit: 'state' }), intervalMs: 10_000 },
      1440 * minute,
      false,
    ],
    ['a door after three days', { reading: reading({ metric: 'door', unit: 'state' }) }, 4320 * minute, true],
  ])('%s: silent %#', (_, live, age, silent) => {
    expect(isStale(live, live.reading.at + age)).toBe(silent)
  })
})

test('a lost hub is asked again soon, then ever more seldom, at most every 15 s', () => {
  expect(retryMs(0, 1)).toBe(500)
  expect(retryMs(3, 1)).toBe(4000)
  expect(retryMs(30, 1)).toBe(15_000)
  expect(retryMs(30, 0)).toBe(7500)
})
