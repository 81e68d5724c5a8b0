import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { ReadingStore } from '../../src/core/ports.ts'
import type { Reading } from '../../src/core/reading.ts'
import { createMemoryReadings } from '../../src/stores/readings/memory.ts'
import { hour, pages, reading, scanned, scannedMany, start } from './reading-samples.ts'

export interface HistorySubject {
  /** An empty store, not yet open; called for every test and every history. */
  readonly create: () => Promise<ReadingStore>
  /** A second store on what a closed one left, where content outlives it. Not yet open. */
  readonly reopen?: (closed: ReadingStore) => ReadingStore
  /** Random histories to try; default 25. */
  readonly histories?: number
}

type Step =
  | { readonly kind: 'append'; readonly readings: readonly Reading[] }
  | { readonly kind: 'maintain'; readonly keepFrom?: number }
  | { readonly kind: 'removeSite'; readonly site: string }
  | { readonly kind: 'reopen' }

const arbitraryReading: fc.Arbitrary<Reading> = fc
  .record({
    site: fc.constantFrom('a', 'b'),
    device: fc.constantFrom('d1', 'd2', '@energy:d1'),
    metric: fc.constantFrom('power', 'co2'),
    value: fc.integer({ min: -50, max: 50 }),
    at: fc.oneof(
      fc.integer({ min: 0, max: 8 }).map((step) => start + step * (hour / 2)),
      fc.integer({ min: -200 * hour, max: 200 * hour }).map((offset) => start + offset),
    ),
  })
  .map((given) => reading(given))

const arbitraryStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      readings: fc.array(arbitraryReading, { maxLength: 12 }),
    }),
  },
  { weight: 2, arbitrary: fc.constant({ kind: 'maintain' as const }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('maintain' as const),
      keepFrom: fc.integer({ min: -3, max: 6 }).map((step) => start + step * (hour / 2)),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('removeSite' as const), site: fc.constant('a') }) },
  { weight: 2, arbitrary: fc.constant({ kind: 'reopen' as const }) },
)

/** Many stores are opened: slow on a machine that does other things, which is no failure. */
const timeoutMs = 180_000

/** Any history leaves what the plain store has after the same history. */
export function examineHistories(subject: HistorySubject): void {
  it(
    'answers after any history as the plain store does',
    async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(arbitraryStep, { maxLength: 14 }), async (steps) => {
          const plain = createMemoryReadings()
          let store = await subject.create()
          await store.open()
          try {
            for (const step of steps) {
              if (step.kind === 'reopen') {
                if (!subject.reopen) continue
                await store.close()
                store = subject.reopen(store)
                await store.open()
              } else await Promise.all([plain, store].map((one) => take(one, step)))
            }
            expect(await answers(store)).toEqual(await answers(plain))
          } finally {
            await store.close()
          }
        }),
        { numRuns: subject.histories ?? 25 },
      )
    },
    timeoutMs,
  )
}

async function take(store: ReadingStore, step: Exclude<Step, { kind: 'reopen' }>): Promise<void> {
  if (step.kind === 'append') await store.append(step.readings)
  else if (step.kind === 'maintain') await store.maintain(step.keepFrom)
  else await store.removeSite(step.site)
}

/** Everything that can be asked of a store, with means rounded: they are summed in different orders. */
async function answers(store: ReadingStore): Promise<unknown> {
  const series = await store.series()
  const each = []
  for (const one of series) {
    const hours = await store.rollups(one, 0, Infinity)
    each.push({
      scan: await scanned(store, one, 0, Infinity),
      rollups: hours.map((hourly) => ({ ...hourly, mean: hourly.mean.toFixed(6) })),
    })
  }
  return {
    series,
    each,
    many: await scannedMany(store, [...series].reverse(), start - hour, Infinity),
    all: await store.read({}, 10_000),
    pages: await pages(store, { metric: 'power' }, 3),
    newest: await Promise.all([1, 2, 5].map((perSeries) => store.newest(perSeries))),
  }
}
