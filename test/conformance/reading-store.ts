import { describe, expect, it } from 'vitest'
import type { Rollup, SeriesKey } from '../../src/core/event.ts'
import type { ReadingStore } from '../../src/core/ports.ts'
import type { Reading } from '../../src/core/reading.ts'
import { examineChanges } from './reading-change-laws.ts'
import { examineHistories, type HistorySubject } from './reading-histories.ts'
import { hour, pages, reading, scanned, scannedMany, start } from './reading-samples.ts'

/** A store under examination. */
export interface ReadingStoreSubject extends HistorySubject {
  readonly name: string
  /** Names of tests that do not apply, and why. */
  readonly skip?: readonly { readonly reason: string; readonly tests: readonly string[] }[]
}

const power: SeriesKey = { site: 'home', device: 'meter', metric: 'power' }

/** The laws of the ReadingStore port; every store runs them. */
export function examineReadingStore(subject: ReadingStoreSubject): void {
  const test = (name: string, body: (store: ReadingStore) => Promise<void>): void => {
    const reason = subject.skip?.find(({ tests }) => tests.includes(name))?.reason
    it.skipIf(reason !== undefined)(reason === undefined ? name : `${name} (${reason})`, async () => {
      const store = await subject.create()
      await store.open()
      try {
        await body(store)
      } finally {
        await store.close()
      }
    })
  }

  describe(`${subject.name} as a ReadingStore`, () => {
    examineAppend(test)
    examineRead(test)
    examineNewest(test)
    examineScan(test)
    examineScanMany(test)
    examineDerived(test)
    examineRollups(test)
    examineUpkeep(test)
    examineChanges(test)
    examineHistories(subject)
  })
}

type Test = (name: string, body: (store: ReadingStore) => Promise<void>) => void

function examineAppend(test: Test): void {
  test('gives back what was appended, with unit and room', async (store) => {
    const kitchen = reading({
      device: 'k1',
      metric: 'temperature',
      unit: 'degC',
      value: -3.25,
      room: 'kitchen',
    })
    await store.append([reading(), kitchen])
    expect(await store.read({}, 10)).toEqual([kitchen, reading()])
    expect(await store.series()).toEqual([
      { site: 'home', device: 'k1', metric: 'temperature', unit: 'degC', room: 'kitchen' },
      { site: 'home', device: 'meter', metric: 'power', unit: 'W' },
    ])
  })

  test('keeps the position that came with the last append, with readings or without', async (store) => {
    expect(await store.position()).toBe(0)
    await store.append([reading()], 5)
    expect(await store.position()).toBe(5)
    await store.append([], 2 ** 40)
    await store.append([reading({ value: 2 })])
    expect(await store.position()).toBe(2 ** 40)
    await store.removeSite('home')
    expect(await store.position()).toBe(2 ** 40)
  })

  test('refuses a batch with a reading that cannot be kept, and keeps nothing of it', async (store) => {
    for (const wrong of [
      { value: Number.NaN },
      { value: Number.POSITIVE_INFINITY },
      { at: Number.NaN },
      { at: 9e15 },
    ]) {
      const refused = store.append([reading(), reading({ device: 'odd', ...wrong })], 5)
      await expect(refused).rejects.toMatchObject({ code: 'turn_refused' })
    }
    expect([await store.read({}, 10), await store.position()]).toEqual([[], 0])
    await store.append([reading()], 6)
    expect(await store.read({}, 10)).toEqual([reading()])
  })

  test('takes an empty batch', async (store) => {
    await store.append([])
    expect(await store.read({}, 10)).toEqual([])
    expect(await store.series()).toEqual([])
    expect((await store.stats()).readings).toBe(0)
  })

  test('counts a reading that is sent twice once', async (store) => {
    await store.append([reading(), reading()])
    await store.append([reading()])
    expect(await store.read({}, 10)).toEqual([reading()])
  })

  test('lets the reading appended last win, within a batch and between batches', async (store) => {
    await store.append([reading({ value: 1 }), reading({ value: 2 })])
    expect((await store.read({}, 10)).map(itsValue)).toEqual([2])
    await Promise.all([store.append([reading({ value: 9 })]), store.append([reading({ value: 3 })])])
    expect((await store.read({}, 10)).map(itsValue)).toEqual([3])
  })

  test('keeps calls in order that overlap', async (store) => {
    const calls = Array.from({ length: 50 }, (_, value) => store.append([reading({ value })]))
    await Promise.all(calls)
    expect((await store.read({}, 10)).map(itsValue)).toEqual([49])
  })

  test('keeps values exactly', async (store) => {
    const values = [0, 0.1 + 0.2, 5e-324, -1.7976931348623157e308, 2 ** 53, 1e-7]
    await store.append(values.map((value, index) => reading({ value, at: start + index })))
    expect((await store.read({}, 10)).map(itsValue)).toEqual(values)
  })

  test('keeps names exactly, whatever characters they hold', async (store) => {
    const strange = reading({
      site: "o'Hara; DROP TABLE x",
      device: 'ü-🏠-%_',
      metric: '"',
      room: '$1',
      unit: 'µg/m³',
    })
    await store.append([strange])
    expect(await store.read({ sites: [strange.site], device: strange.device, metric: '"' }, 10)).toEqual([
      strange,
    ])
    expect(await store.read({ device: "ü-🏠-%_' OR TRUE" }, 10)).toEqual([])
  })

  test('takes a batch larger than the engine likes at a time', async (store) => {
    const many = Array.from({ length: 5000 }, (_, index) => reading({ at: start + index, value: index }))
    await store.append(many)
    expect(await store.read({}, 6000)).toEqual(many)
  })

  test('keeps the known room when a reading has none, and takes a new room or unit', async (store) => {
    await store.append([reading({ room: 'hall' }), reading({ at: start + 1 })])
    expect((await store.series())[0]?.room).toBe('hall')
    await store.append([reading({ at: start + 2, room: 'attic', unit: 'VA' })])
    expect(await store.series()).toEqual([{ ...power, unit: 'VA', room: 'attic' }])
    expect((await store.read({}, 1))[0]).toEqual(reading({ room: 'attic', unit: 'VA' }))
  })
}

function examineRead(test: Test): void {
  const batch = ['b', 'a'].flatMap((device) =>
    ['y', 'x'].flatMap((site) =>
      [0, 1, 2].map((step) => reading({ site, device, at: start + step, value: step })),
    ),
  )

  test('orders by time, then site, device, metric', async (store) => {
    await store.append(batch)
    const order = (await store.read({}, 100)).map(({ at, site, device }) => `${at - start}${site}${device}`)
    expect(order).toEqual([
      '0xa',
      '0xb',
      '0ya',
      '0yb',
      '1xa',
      '1xb',
      '1ya',
      '1yb',
      '2xa',
      '2xb',
      '2ya',
      '2yb',
    ])
  })

  test('pages through everything once, wherever the page ends', async (store) => {
    await store.append(batch)
    await store.append(batch)
    const whole = await store.read({}, 100)
    for (const limit of [1, 2, 3, 5, 7, 12]) expect(await pages(store, {}, limit)).toEqual(whole)
  })

  test('goes on after a cursor whose series does not exist', async (store) => {
    await store.append(batch)
    const after = { site: 'x', device: 'aa', metric: 'power', at: start }
    const [next] = await store.read({}, 1, after)
    expect(next).toMatchObject({ site: 'x', device: 'b', at: start })
  })

  test('filters by site, device, metric and half-open time', async (store) => {
    await store.append(batch)
    expect(await store.read({ sites: ['x'] }, 100)).toHaveLength(6)
    expect(await store.read({ sites: ['x', 'y', 'z'] }, 100)).toHaveLength(12)
    expect(await store.read({ sites: [] }, 100)).toEqual([])
    expect(await store.read({ sites: ['x'], device: 'a', metric: 'power' }, 100)).toHaveLength(3)
    expect(await store.read({ metric: 'other' }, 100)).toEqual([])
    const between = await store.read({ device: 'a', from: start + 1, to: start + 2 }, 100)
    expect(between.map(({ at }) => at)).toEqual([start + 1, start + 1])
    expect(await store.read({ from: start + 2, to: start + 2 }, 100)).toEqual([])
  })

  test('gives nothing for a limit of nothing', async (store) => {
    await store.append(batch)
    expect(await store.read({}, 0)).toEqual([])
  })
}

function examineNewest(test: Test): void {
  test('gives the newest of every series, oldest first, live or silent', async (store) => {
    const live = Array.from({ length: 300 }, (_, index) =>
      reading({ at: start + index * 1000, value: index }),
    )
    const silent = [5, 3, 4].map((day) => reading({ device: 'old', at: start - day * 24 * hour, value: day }))
    await store.append(live)
    await store.append(silent)
    const newest = await store.newest(2)
    expect(newest.filter(({ device }) => device === 'old').map(itsValue)).toEqual([4, 3])
    expect(newest.filter(({ device }) => device === 'meter').map(itsValue)).toEqual([298, 299])
    expect(await store.newest(0)).toEqual([])
  })

  test('is not misled by many duplicates of the newest time', async (store) => {
    await store.append([reading({ value: 1 }), reading({ at: start + 1, value: 2 })])
    for (let value = 0; value < 60; value++) await store.append([reading({ at: start + 2, value })])
    expect((await store.newest(3)).map(itsValue)).toEqual([1, 2, 59])
  })
}

function examineScan(test: Test): void {
  test('streams one series in its range, oldest first, one value a time', async (store) => {
    const count = 5000
    const order = Array.from({ length: count }, (_, index) => (index * 2971) % count)
    await store.append(order.map((index) => reading({ at: start + index, value: -1 })))
    await store.append(order.map((index) => reading({ at: start + index, value: index })))
    await store.append([reading({ device: 'other', value: 77 })])
    const { at, value } = await scanned(store, power, start + 10, start + count - 10)
    expect(value).toEqual(Array.from({ length: count - 20 }, (_, index) => index + 10))
    expect(at).toEqual(value.map((index) => start + index))
  })

  test('gives nothing for a series that is not known', async (store) => {
    expect((await scanned(store, power, 0, Infinity)).at).toEqual([])
    expect(await store.rollups(power, 0, Infinity)).toEqual([])
  })

  test('may be left half way', async (store) => {
    await store.append(Array.from({ length: 5000 }, (_, index) => reading({ at: start + index })))
    for await (const columns of store.scan(power, 0, Infinity)) {
      expect(columns.at[0]).toBe(start)
      break
    }
    await store.append([reading({ device: 'next' })])
    expect(await store.series()).toHaveLength(2)
  })
}

function examineScanMany(test: Test): void {
  const keys = ['b', 'a', '@energy:a'].map((device) => ({ ...power, device }))

  test('scanMany: streams the asked series by series and time, one value a time', async (store) => {
    const values = (value: number): Reading[] =>
      ['a', '@energy:a', 'b', 'c'].flatMap((device) =>
        [3, 1, 2, 0].map((step) => reading({ device, at: start + step, value: value + step })),
      )
    await store.append(values(10))
    await store.append(values(20))
    const expected = ['@energy:a', 'a', 'b'].flatMap((device) =>
      [1, 2].map((step) => [`home/${device}/power`, step, 20 + step]),
    )
    expect(await scannedMany(store, [...keys, ...keys], start + 1, start + 3)).toEqual(expected)
  })

  test('scanMany: gives nothing for series that are not known, and for no series', async (store) => {
    await store.append([reading({ device: 'a' })])
    const unknown = { ...power, device: 'never seen' }
    expect(await scannedMany(store, [], 0, Infinity)).toEqual([])
    expect(await scannedMany(store, [unknown, ...keys], 0, Infinity)).toEqual([['home/a/power', 0, 1]])
  })

  test('scanMany: any number may be open, paused, nested and left half way', async (store) => {
    await store.append(
      keys.flatMap(({ device }) => [0, 1].map((step) => reading({ device, at: start + step }))),
    )
    const nested = async (depth: number): Promise<number> => {
      let deepest = depth
      if (depth < 20) {
        for await (const _ of store.scanMany(keys, 0, Infinity)) {
          deepest = await nested(depth + 1)
          break
        }
      }
      return deepest
    }
    expect(await Promise.all(Array.from({ length: 10 }, () => nested(0)))).toEqual(Array(10).fill(20))
    await store.append([reading({ device: 'next' })])
    expect(await store.series()).toHaveLength(4)
  })
}

function examineDerived(test: Test): void {
  const fridge = { device: '@energy:fridge', metric: 'energy', unit: 'kWh' }

  test('derived series: are read, listed and counted like measured ones', async (store) => {
    const both = [
      reading({ ...fridge, value: 0.1 }),
      reading(),
      reading({ ...fridge, at: start + 1, value: 0.2 }),
    ]
    await store.append(both)
    expect(await store.read({}, 10)).toEqual(both)
    expect(await store.read({ device: fridge.device }, 10)).toEqual([both[0], both[2]])
    expect(await pages(store, {}, 1)).toEqual(both)
    expect(await store.newest(1)).toEqual([both[2], both[1]])
    expect((await store.series()).map(({ device }) => device)).toEqual([fridge.device, 'meter'])
    expect((await store.stats()).readings).toBe(3)
  })

  test('derived series: the value appended last wins, also in the roll-ups', async (store) => {
    const key = { site: 'home', device: fridge.device, metric: fridge.metric }
    await store.append([reading({ ...fridge, value: 1 }), reading({ ...fridge, value: 2 }), reading()])
    await store.append([
      reading({ ...fridge, value: 3 }),
      reading({ ...fridge, at: start + 900_000, value: 5 }),
    ])
    for (const upkeep of [false, true]) {
      if (upkeep) await store.maintain()
      expect((await scanned(store, key, 0, Infinity)).value).toEqual([3, 5])
      expect(await store.rollups(key, 0, Infinity)).toEqual([
        { at: start, count: 2, min: 3, max: 5, mean: 4, first: 3, last: 5 },
      ])
    }
    expect((await store.stats()).readings).toBe(3)
  })

  test('derived series: outlive the measured readings, and still take corrections', async (store) => {
    const key = { site: 'home', device: fridge.device, metric: fridge.metric }
    await store.append([reading(), reading({ ...fridge, value: 1 })])
    await store.maintain(start + 24 * hour)
    await store.append([reading({ ...fridge, value: 2 }), reading({ at: start + 24 * hour })])
    await store.maintain(start + 24 * hour)
    expect((await scanned(store, power, 0, Infinity)).at).toEqual([start + 24 * hour])
    expect((await scanned(store, key, 0, Infinity)).value).toEqual([2])
    expect((await store.rollups(key, 0, Infinity)).map(({ last }) => last)).toEqual([2])
  })

  test('derived series: go with their site', async (store) => {
    await store.append([reading(fridge), reading({ ...fridge, site: 'other' })])
    await store.maintain()
    await store.removeSite('home')
    expect((await store.read({}, 10)).map(({ site }) => site)).toEqual(['other'])
    expect((await store.stats()).readings).toBe(1)
  })
}

function examineRollups(test: Test): void {
  test('gives hours with count, extremes, mean, first and last by time', async (store) => {
    await store.append([
      reading({ at: start + 30, value: 4 }),
      reading({ at: start + 10, value: 2 }),
      reading({ at: start + 20, value: 9 }),
      reading({ at: start + hour, value: 5 }),
    ])
    const expected: Rollup[] = [
      { at: start, count: 3, min: 2, max: 9, mean: 5, first: 2, last: 4 },
      { at: start + hour, count: 1, min: 5, max: 5, mean: 5, first: 5, last: 5 },
    ]
    expect(await store.rollups(power, start, start + 2 * hour)).toEqual(expected)
    await store.maintain()
    expect(await store.rollups(power, start, start + 2 * hour)).toEqual(expected)
  })

  test('takes the hours that begin in the range', async (store) => {
    await store.append([0, 1, 2].map((step) => reading({ at: start + step * hour + 5 })))
    const starts = async (from: number, to: number): Promise<number[]> =>
      (await store.rollups(power, from, to)).map(({ at }) => (at - start) / hour)
    for (const upkeep of [false, true]) {
      if (upkeep) await store.maintain()
      expect(await starts(start, start + 2 * hour)).toEqual([0, 1])
      expect(await starts(start + 1, start + 2 * hour + 1)).toEqual([1, 2])
      expect(await starts(0, Infinity)).toEqual([0, 1, 2])
    }
  })

  test('corrects an hour for a late reading and for a second value of the same time', async (store) => {
    await store.append([reading({ value: 1 }), reading({ at: start + 300 * hour, value: 8 })])
    await store.maintain()
    await store.append([reading({ value: 3 }), reading({ at: start + 5, value: 5 })])
    const [hourly] = await store.rollups(power, start, start + hour)
    expect(hourly).toEqual({ at: start, count: 2, min: 3, max: 5, mean: 4, first: 3, last: 5 })
    await store.maintain()
    expect(await store.rollups(power, start, start + hour)).toEqual([hourly])
    expect(await store.rollups(power, start, start + 1000 * hour)).toHaveLength(2)
  })
}

function examineUpkeep(test: Test): void {
  test('removes duplicates', async (store) => {
    await store.append([reading({ value: 1 }), reading({ at: start + 1 })])
    await store.append([reading({ value: 2 })])
    await store.maintain()
    expect((await store.stats()).readings).toBe(2)
    expect((await store.read({}, 10)).map(itsValue)).toEqual([2, 1])
  })

  test('removes readings before the hour of keepFrom and leaves their roll-ups', async (store) => {
    await store.append([0, 1, 2, 3].map((step) => reading({ at: start + step * hour + 7, value: step })))
    const before = await store.rollups(power, start, Infinity)
    await store.maintain(start + 2 * hour + 30)
    expect((await store.read({}, 10)).map(itsValue)).toEqual([2, 3])
    expect(await store.rollups(power, start, Infinity)).toEqual(before)
    expect(await store.series()).toHaveLength(1)
  })

  test('does not let a late reading undo an hour whose readings are gone', async (store) => {
    await store.append([1, 2, 3].map((value) => reading({ at: start + value, value })))
    const before = await store.rollups(power, start, Infinity)
    await store.maintain(start + 24 * hour)
    await store.append([reading({ at: start + 9, value: 100 })])
    expect(await store.rollups(power, start, Infinity)).toEqual(before)
    await store.maintain()
    await store.maintain(start + 24 * hour)
    expect(await store.rollups(power, start, Infinity)).toEqual(before)
  })

  test('rolls up old readings that come in before it removes them', async (store) => {
    await store.maintain(start)
    await store.append([reading({ at: start - 10 * hour, value: 6 })])
    await store.maintain()
    await store.maintain(start)
    expect(await store.read({}, 10)).toEqual([])
    expect((await store.rollups(power, 0, Infinity)).map(({ last }) => last)).toEqual([6])
  })

  test('erases a site and nothing else', async (store) => {
    await store.append([reading(), reading({ site: 'other' }), reading({ at: start + 2 * hour })])
    await store.maintain(start + hour)
    await store.append([reading({ at: start + 3 * hour })])
    await store.removeSite('home')
    await store.removeSite('never seen')
    expect((await store.series()).map(({ site }) => site)).toEqual(['other'])
    expect(await store.read({}, 10)).toEqual([])
    expect(await store.rollups(power, 0, Infinity)).toEqual([])
    expect(await store.rollups({ ...power, site: 'other' }, 0, Infinity)).toHaveLength(1)
    await store.append([reading({ value: 5 })])
    expect((await store.read({}, 10)).map(itsValue)).toEqual([5])
    expect(await store.rollups(power, 0, Infinity)).toHaveLength(1)
  })

  test('may be asked while a site is erased', async (store) => {
    await store.append([reading(), reading({ site: 'other' })])
    const [, page, newest] = await Promise.all([
      store.removeSite('home'),
      store.read({}, 10),
      store.newest(5),
      store.append([reading({ site: 'new' })]),
    ])
    for (const answer of [page, newest]) expect(answer.map(({ site }) => site)).toContain('other')
    expect((await store.series()).map(({ site }) => site)).toEqual(['new', 'other'])
  })

  test('takes appends while upkeep runs, and loses none', async (store) => {
    const at = (round: number, step: number): number => start + (round * 200 + step) * 60_000
    const batch = (round: number): Reading[] =>
      Array.from({ length: 200 }, (_, step) => reading({ at: at(round, step), value: round }))
    for (let round = 0; round < 10; round++) {
      await Promise.all([store.append(batch(round)), store.maintain(), store.append(batch(round))])
    }
    await store.maintain()
    const { value } = await scanned(store, power, 0, Infinity)
    expect(value).toHaveLength(2000)
    const hours = await store.rollups(power, 0, Infinity)
    expect(hours.reduce((sum, { count }) => sum + count, 0)).toBe(2000)
  })
}

const itsValue = (one: Reading): number => one.value
