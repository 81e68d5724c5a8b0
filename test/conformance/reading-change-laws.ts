import { expect } from 'vitest'
import { hiddenKey, type Removal } from '../../src/core/device.ts'
import type { SeriesKey } from '../../src/core/event.ts'
import type { ReadingStore } from '../../src/core/ports.ts'
import { compareSeries } from '../../src/core/series.ts'
import { hour, pages, reading, scanned, scannedMany, start } from './reading-samples.ts'

type Test = (name: string, body: (store: ReadingStore) => Promise<void>) => void

const key = (device: string, metric = 'power'): SeriesKey => ({ site: 'home', device, metric })

const deleted = (id: string, ...keys: readonly SeriesKey[]): Removal => ({
  ...{ id, kind: 'deleted', site: 'home', device: 'meter', at: 1, until: 2, by: 'a person' },
  series: keys.map((one) => ({ key: one, unit: 'W' })),
  ...{ targets: [], narrowed: [] },
})

/** The device `old` becomes a part of `meter`. */
const merged = (id: string, ...metrics: readonly string[]): Removal => ({
  ...deleted(id),
  ...{ kind: 'merged', device: 'old', into: 'meter' },
  series: metrics.map((metric) => ({ key: key('old', metric), unit: 'W', into: key('meter', metric) })),
})

const remove = (store: ReadingStore, removal: Removal) => store.change({ kind: 'removed', removal })
const restore = (store: ReadingStore, removal: Removal) => store.change({ kind: 'restored', removal })

const minute = 60_000
/** Readings of a device, one a minute from a time on. */
const rows = (device: string, from: number, values: readonly number[], metric = 'power') =>
  values.map((value, index) => reading({ device, metric, value, at: start + from + index * minute }))

/** Every answer that a store gives about readings. */
async function answers(store: ReadingStore) {
  const series = (await store.series()).map(({ site, device, metric }) => ({ site, device, metric }))
  const rollups = await Promise.all(series.map((one) => store.rollups(one, 0, Infinity)))
  return {
    series,
    rollups,
    page: await pages(store, {}, 7),
    newest: await store.newest(3),
    scanned: await scannedMany(store, series, 0, Infinity),
    readings: (await store.stats()).readings,
  }
}

const valuesOf = async (store: ReadingStore, series: SeriesKey): Promise<number[]> =>
  (await scanned(store, series, 0, Infinity)).value

/** What people did to devices: `ReadingStore.change`. */
export function examineChanges(test: Test): void {
  examineDeletion(test)
  examineMerge(test)
  examineMergeOfLife(test)
}

function examineDeletion(test: Test): void {
  test('hides a series that was deleted from every answer, and gives it back as it was', async (store) => {
    await store.append([...rows('meter', 0, [1, 2, 3]), ...rows('lamp', 0, [7, 8])])
    await store.append(rows('@energy:meter', 0, [5], 'energy'))
    await store.maintain()
    await store.append(rows('meter', 30 * minute, [4]))
    const before = await answers(store)
    const removal = deleted('r1', key('meter'), key('@energy:meter', 'energy'))
    await remove(store, removal)
    const hidden = await answers(store)
    expect(hidden.series).toEqual([key('lamp')])
    expect(hidden.page.map(({ device }) => device)).toEqual(['lamp', 'lamp'])
    expect(hidden.newest.map(({ device }) => device)).toEqual(['lamp', 'lamp'])
    expect(hidden.readings).toBe(2)
    expect(await store.rollups(key('meter'), 0, Infinity)).toEqual([])
    expect(await valuesOf(store, key('meter'))).toEqual([])
    expect(await store.read({ device: 'meter' }, 10)).toEqual([])
    await store.maintain()
    await restore(store, removal)
    expect(await answers(store)).toEqual(before)
  })

  test('begins a series anew that was deleted and is sent again; both are one when it is given back', async (store) => {
    await store.append(rows('meter', 0, [1, 2, 3]))
    await store.maintain()
    const removal = deleted('r1', key('meter'))
    await remove(store, removal)
    await store.append(rows('meter', 2 * minute, [30, 40]))
    await store.maintain()
    expect(await valuesOf(store, key('meter'))).toEqual([30, 40])
    expect((await store.rollups(key('meter'), 0, Infinity)).map(({ count }) => count)).toEqual([2])
    await restore(store, removal)
    expect(await valuesOf(store, key('meter'))).toEqual([1, 2, 30, 40])
    const whole = { at: start, count: 4, min: 1, max: 40, mean: 73 / 4, first: 1, last: 40 }
    expect(await store.rollups(key('meter'), 0, Infinity)).toEqual([whole])
    await store.maintain()
    expect(await store.rollups(key('meter'), 0, Infinity)).toEqual([whole])
    expect(await store.series()).toHaveLength(1)
  })

  test('keeps the removals of one series apart, and erases one without the other', async (store) => {
    const [first, second] = [deleted('r1', key('meter')), deleted('r2', key('meter'))]
    await store.append(rows('meter', 0, [1]))
    await remove(store, first)
    await store.append(rows('meter', minute, [2]))
    await remove(store, second)
    await store.change({ kind: 'erased', removal: first })
    await restore(store, first)
    expect(await store.read({}, 10)).toEqual([])
    await restore(store, second)
    expect(await valuesOf(store, key('meter'))).toEqual([2])
  })

  test('takes a change twice as once, and keeps its position', async (store) => {
    await store.append(rows('meter', 0, [1]))
    const removal = deleted('r1', key('meter'))
    await store.change({ kind: 'removed', removal }, 7)
    await store.append(rows('meter', minute, [2]), 8)
    await store.change({ kind: 'removed', removal }, 9)
    expect(await valuesOf(store, key('meter'))).toEqual([2])
    expect(await store.position()).toBe(9)
    await restore(store, removal)
    await restore(store, removal)
    expect(await valuesOf(store, key('meter'))).toEqual([1, 2])
  })

  test('keeps the hours of removed readings through a deletion', async (store) => {
    await store.append([...rows('meter', 0, [1, 3]), ...rows('meter', 2 * hour, [5])])
    await store.maintain(start + hour)
    const before = await answers(store)
    const removal = deleted('r1', key('meter'))
    await remove(store, removal)
    await store.append(rows('meter', 3 * hour, [6]))
    await store.maintain()
    await restore(store, removal)
    const hours = await store.rollups(key('meter'), 0, Infinity)
    expect(hours.slice(0, 2)).toEqual(before.rollups[0])
    expect(hours.map(({ count }) => count)).toEqual([2, 1, 1])
  })

  test('erases what a removal of a site hides, too', async (store) => {
    await store.append(rows('meter', 0, [1]))
    const removal = deleted('r1', key('meter'))
    await remove(store, removal)
    await store.removeSite('home')
    await restore(store, removal)
    expect(await store.series()).toEqual([])
  })

  test('moves all series of a device into its room', async (store) => {
    await store.append([...rows('meter', 0, [1]), ...rows('lamp', 0, [2])])
    const device = { site: 'home', id: 'meter', type: 'meter', room: 'cellar', attributes: {} }
    await store.change({ kind: 'edited', device })
    expect((await store.series()).map(({ room }) => room)).toEqual([undefined, 'cellar'])
    expect((await store.read({ device: 'meter' }, 1))[0]?.room).toBe('cellar')
  })

  test('answers with the newest readings of the named series only', async (store) => {
    await store.append([...rows('meter', 0, [1, 2, 3]), ...rows('lamp', 0, [7])])
    const newest = await store.newest(2, [key('meter'), key('nothing')])
    expect(newest.map(({ device, value }) => [device, value])).toEqual([
      ['meter', 2],
      ['meter', 3],
    ])
  })
}

function examineMerge(test: Test): void {
  test('makes one series of two that are merged, and gives both back', async (store) => {
    await store.append([...rows('meter', 0, [1, 2]), ...rows('old', minute, [20, 30])])
    await store.append(rows('old', 0, [9], 'soc'))
    await store.maintain()
    const before = await answers(store)
    const removal = merged('r1', 'power', 'soc')
    await remove(store, removal)
    // at the same time the reading of the device that stays counts
    expect(await valuesOf(store, key('meter'))).toEqual([1, 2, 30])
    expect(await valuesOf(store, key('meter', 'soc'))).toEqual([9])
    expect((await store.series()).map(({ device }) => device)).toEqual(['meter', 'meter'])
    expect((await store.rollups(key('meter'), 0, Infinity)).map(({ count }) => count)).toEqual([3])
    await store.maintain()
    expect((await store.stats()).readings).toBe(4)
    expect((await store.rollups(key('meter'), 0, Infinity)).map(({ count }) => count)).toEqual([3])
    await restore(store, removal)
    expect(await answers(store)).toEqual(before)
    await store.maintain()
    expect(await answers(store)).toEqual(before)
  })

  test('keeps the merged series when what the merge hid is erased', async (store) => {
    await store.append([...rows('meter', 0, [1]), ...rows('old', minute, [2])])
    const removal = merged('r1', 'power')
    await remove(store, removal)
    await store.change({ kind: 'erased', removal })
    await restore(store, removal)
    expect(await valuesOf(store, key('meter'))).toEqual([1, 2])
    expect(await store.series()).toHaveLength(1)
  })

  test('unites the hours of removed readings, and parts them again', async (store) => {
    await store.append([
      ...rows('meter', 0, [1]),
      ...rows('old', hour, [4, 6]),
      ...rows('old', 9 * hour, [8]),
    ])
    await store.maintain(start + 3 * hour)
    const before = await answers(store)
    const removal = merged('r1', 'power')
    await remove(store, removal)
    const united = async () => (await store.rollups(key('meter'), 0, Infinity)).map(({ mean }) => mean)
    expect(await united()).toEqual([1, 5, 8])
    await store.maintain()
    expect(await united()).toEqual([1, 5, 8])
    await restore(store, removal)
    expect(await answers(store)).toEqual(before)
  })
}

function examineMergeOfLife(test: Test): void {
  test('gives each device its own readings back, also those that came since the merge', async (store) => {
    await store.append([...rows('meter', 0, [1]), ...rows('old', minute, [2])])
    const removal = merged('r1', 'power')
    await remove(store, removal)
    const shadow = (device: string, from: number, value: number) =>
      rows(device, from, [value]).map((one) => ({ ...one, ...hiddenKey(one, 'r1') }))
    await store.append([...rows('meter', 5 * minute, [3]), ...shadow('meter', 5 * minute, 3)])
    await store.append([...rows('meter', 6 * minute, [4]), ...shadow('old', 6 * minute, 4)])
    await store.maintain()
    expect(await valuesOf(store, key('meter'))).toEqual([1, 2, 3, 4])
    expect((await store.stats()).readings).toBe(4)
    expect((await store.series()).map(({ device }) => device)).toEqual(['meter'])
    await restore(store, removal)
    expect([await valuesOf(store, key('meter')), await valuesOf(store, key('old'))]).toEqual([
      [1, 3],
      [2, 4],
    ])
  })

  test('takes back out of a series what the merged device began to measure later', async (store) => {
    const soc = key('meter', 'soc')
    await store.append([...rows('meter', 0, [50], 'soc'), ...rows('old', 0, [1])])
    const removal = merged('r1', 'power')
    await remove(store, removal)
    const sent = rows('meter', minute, [60], 'soc')
    await store.append([...sent, ...sent.map((one) => ({ ...one, ...hiddenKey(key('old', 'soc'), 'r1') }))])
    const only = rows('meter', minute, [7], 'humidity')
    await store.append([
      ...only,
      ...only.map((one) => ({ ...one, ...hiddenKey(key('old', 'humidity'), 'r1') })),
    ])
    await store.maintain()
    expect(await valuesOf(store, soc)).toEqual([50, 60])
    await restore(store, removal)
    expect(await valuesOf(store, soc)).toEqual([50])
    expect((await store.rollups(soc, 0, Infinity)).map(({ count }) => count)).toEqual([1])
    expect(await valuesOf(store, key('old', 'soc'))).toEqual([60])
    const left = (await store.series()).sort(compareSeries).map(({ device, metric }) => `${device} ${metric}`)
    expect(left).toEqual(['meter soc', 'old humidity', 'old power', 'old soc'])
  })
}
