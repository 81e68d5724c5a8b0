import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Removal } from '../../src/core/device.ts'
import type { ReadingFilter, ReadingStore } from '../../src/core/ports.ts'
import type { Reading } from '../../src/core/reading.ts'
import { createMemoryReadings } from '../../src/stores/readings/memory.ts'
import type { HistorySubject } from './reading-histories.ts'
import { hour, pages, reading, start } from './reading-samples.ts'

/** Readings of some devices that come together: dense, sparse, or all of one time. */
interface Block {
  readonly from: number
  readonly count: number
  readonly stepMs: number
  readonly devices: number
  readonly prefix: string
}

interface Question {
  readonly filter: ReadingFilter
  readonly limit: number
  /** Share of the list that the first page comes after. */
  readonly skipped: number
}

const day = 24 * hour
const somewhere = fc.oneof(
  fc.integer({ min: 0, max: 3 * hour }),
  fc.integer({ min: -3 * 365 * day, max: 3 * 365 * day }),
)

const block: fc.Arbitrary<Block> = fc.record({
  from: somewhere.map((offset) => start + offset),
  count: fc.oneof(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1500, max: 4000 })),
  stepMs: fc.constantFrom(0, 1, 7, 1000, hour),
  devices: fc.constantFrom(1, 3, 40, 3000),
  prefix: fc.constantFrom('d', '@energy:d'),
})

/** One condition or none: several together leave next to nothing of most readings. */
const filter: fc.Arbitrary<ReadingFilter> = fc.oneof(
  fc.constant({}),
  fc.record({ sites: fc.constantFrom(['a'], ['b'], ['b', 'a']) }),
  fc.record({ device: fc.constantFrom('d0', 'd1', '@energy:d0') }),
  fc.record({ metric: fc.constantFrom('power', 'co2') }),
  fc.record({ from: somewhere.map((offset) => start + offset) }),
  fc.record({ to: somewhere.map((offset) => start + offset) }),
  fc.record({
    sites: fc.constant(['a']),
    from: fc.integer({ min: -day, max: hour }).map((offset) => start + offset),
    to: fc.integer({ min: hour, max: 365 * day }).map((offset) => start + offset),
  }),
)

const question: fc.Arbitrary<Question> = fc.record({
  filter,
  limit: fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 6, max: 3000 })),
  skipped: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 1, noNaN: true })),
})

/** Devices that a person deletes: their rows stay where they were, and are in no page. */
const removal: Removal = {
  ...{ id: 'r1', kind: 'deleted', site: 'a', device: 'd0', at: 1, until: 2, by: 'a person' },
  series: [
    { key: { site: 'a', device: 'd0', metric: 'power' }, unit: 'W' },
    { key: { site: 'a', device: '@energy:d0', metric: 'power' }, unit: 'W' },
  ],
  ...{ targets: [], narrowed: [] },
}

const rowsOf = ({ from, count, stepMs, devices, prefix }: Block): Reading[] =>
  Array.from({ length: count }, (_, index) => {
    const number = index % devices
    const at = from + Math.floor(index / devices) * stepMs
    const [site, metric] = [number % 3 === 2 ? 'b' : 'a', number % 5 === 4 ? 'co2' : 'power']
    return reading({ site, device: `${prefix}${number}`, metric, at, value: index })
  })

/** Pages of one list that are looked at: the later ones of a long list are reached by `skipped`. */
const pagesMax = 6

/** Pages of any list, from any place on, are those of the plain store. */
export function examinePages(subject: HistorySubject): void {
  it('fills a page where most rows are the same reading sent again', async () => {
    const store = await subject.create()
    await store.open()
    try {
      const sent = Array.from({ length: 6 * 700 }, (_, row) =>
        reading({ at: start + Math.floor(row / 700), value: row }),
      )
      await store.append(sent)
      const expected = [699, 1399, 2099, 2799, 3499, 4199]
      expect((await store.read({}, 10)).map(({ value }) => value)).toEqual(expected)
      expect((await pages(store, {}, 4)).map(({ value }) => value)).toEqual(expected)
    } finally {
      await store.close()
    }
  })

  it('pages through any readings as the plain store does, whatever the limit, the filter and the place', async () => {
    const histories = fc.array(block, { minLength: 1, maxLength: 4 })
    const asked = fc.array(question, { minLength: 2, maxLength: 4 })
    await fc.assert(
      fc.asyncProperty(histories, fc.boolean(), asked, async (blocks, isRemoved, questions) => {
        const [plain, store] = [createMemoryReadings(), await subject.create()]
        await store.open()
        try {
          for (const one of [plain, store]) {
            for (const some of blocks) await one.append(rowsOf(some))
            if (isRemoved) await one.change({ kind: 'removed', removal })
          }
          for (const given of questions) await comparePages(store, plain, given)
        } finally {
          await store.close()
        }
      }),
      { numRuns: Math.min(15, subject.histories ?? 15) },
    )
  }, 180_000)
}

async function comparePages(store: ReadingStore, plain: ReadingStore, question: Question): Promise<void> {
  const { filter, limit, skipped } = question
  const list = await plain.read(filter, Number.POSITIVE_INFINITY)
  let place = Math.floor(skipped * list.length)
  for (let page = 0; page < pagesMax; page++) {
    const expected = list.slice(place, place + limit)
    expect(await store.read(filter, limit, list[place - 1])).toEqual(expected)
    if (expected.length < limit) return
    place += limit
  }
}
