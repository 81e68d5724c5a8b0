import { expect, it } from 'vitest'
import type { Ledger } from '../../src/core/ports.ts'
import type { DomainRecord, RecordFilter } from '../../src/core/record.ts'
import type { Law } from './ledger.ts'
import { hostile } from './ledger-life-samples.ts'

/** Facts of domains, as every ledger keeps them. */

export const record = (key: string, change: Partial<DomainRecord> = {}): DomainRecord => ({
  ...{ site: 'home', domain: 'dispatch', kind: 'tariffs', key, at: 5 },
  body: { price: 0.31, from: '07:00', nested: [null, { deep: true }], text: 'Ἑστία 🏠' },
  ...change,
})
const tariffs: RecordFilter = { domain: 'dispatch', kind: 'tariffs' }
const many = 1000

const keysOf = (records: readonly DomainRecord[]): string[] =>
  records.map(({ site, key }) => `${site}/${key}`)

export const recordLaws: readonly Law[] = [
  {
    name: 'records: a record is kept with its whole body, and found by its key',
    put: [
      (l) =>
        l.records.put(
          [record('night'), record(hostile, { kind: hostile, domain: hostile, site: hostile, body: null })],
          many,
        ),
    ],
    read: async (l) => [
      await l.records.get(record('night')),
      await l.records.get(record(hostile, { kind: hostile, domain: hostile, site: hostile })),
      await l.records.get(record('night', { kind: 'loads' })),
      await l.records.get(record('night', { domain: 'energy' })),
      await l.records.get(record('night', { site: 'office' })),
    ],
    gives: [
      record('night'),
      record(hostile, { kind: hostile, domain: hostile, site: hostile, body: null }),
      ...[undefined, undefined, undefined],
    ],
  },
  {
    name: 'records: the same site, domain, kind and key replaces, also within one batch',
    put: [
      (l) => l.records.put([record('a', { body: 1 }), record('b', { body: 1 })], many),
      (l) => l.records.put([record('a', { body: 2, at: 6 }), record('a', { body: 3, at: 7 })], many),
    ],
    read: (l) => l.records.list(tariffs, 9),
    gives: [record('a', { body: 3, at: 7 }), record('b', { body: 1 })],
  },
  {
    name: 'records: a list contains one kind of one domain, by site and key, page by page',
    put: [
      (l) =>
        l.records.put(
          [
            ...[record('c'), record('a'), record('b'), record('a', { site: 'cabin' })],
            ...[record('x', { kind: 'loads' }), record('x', { domain: 'energy' }), record('B')],
          ],
          many,
        ),
    ],
    read: async (l) => [
      keysOf(await l.records.list(tariffs, 3)),
      keysOf(await l.records.list({ ...tariffs, after: { site: 'home', key: 'a' } }, 9)),
      keysOf(await l.records.list({ ...tariffs, sites: ['cabin', 'nowhere'] }, 9)),
      keysOf(await l.records.list({ ...tariffs, sites: [] }, 9)),
    ],
    gives: [['cabin/a', 'home/B', 'home/a'], ['home/b', 'home/c'], ['cabin/a'], []],
  },
  {
    name: 'records: erasing a site erases its records and no others',
    put: [
      (l) => l.records.put([record('a'), record('a', { site: 'office' })], many),
      (l) => l.removeSite('home'),
    ],
    read: (l) => l.records.list(tariffs, 9),
    gives: [record('a', { site: 'office' })],
  },
  {
    name: 'records: a batch above the limit of its domain and site is refused whole',
    put: [
      (l) => l.records.put([record('a'), record('b')], 3),
      (l) => l.records.put([record('c', { domain: 'energy' }), record('c', { site: 'office' })], 3),
      // two new ones beside two others; the change of "a" is refused with them
      (l) => l.records.put([record('a', { body: 'changed' }), record('c'), record('d')], 3),
      (l) => l.records.put([record('b', { body: 'changed' }), record('c')], 3),
    ],
    read: async (l) => (await l.records.list(tariffs, 9)).map(({ site, key, body }) => [site, key, body]),
    gives: [
      ['home', 'a', record('a').body],
      ['home', 'b', 'changed'],
      ['home', 'c', record('c').body],
      ['office', 'c', record('c').body],
    ],
  },
]

/** What calls return. */
export function testRecordCalls(ledger: () => Ledger): void {
  it('records: tells whether a batch was stored, and whether there was a record to remove', async () => {
    const { records } = ledger()
    expect([
      await records.put([record('a')], 1),
      await records.put([record('b')], 1),
      await records.put([record('a', { body: 2 })], 1),
      await records.remove(record('b')),
      await records.remove(record('a')),
      await records.remove(record('a')),
      await records.put([], 0),
    ]).toStrictEqual([true, false, true, false, true, false, true])
  })

  it('records: never exceeds the limit under overlapping calls', async () => {
    const { records } = ledger()
    const stored = await Promise.all(
      Array.from({ length: 20 }, (_, index) => records.put([record(`k${index}`)], 5)),
    )
    expect(stored.filter(Boolean)).toHaveLength(5)
    expect(await records.list(tariffs, 100)).toHaveLength(5)
  })
}
