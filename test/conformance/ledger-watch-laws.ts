import type { LeadSums } from '../../src/core/life.ts'
import type { Law } from './ledger.ts'
import {
  drift,
  elsewhere,
  ever,
  fails,
  lead,
  logged,
  other,
  reportDay,
  unkeepable,
} from './ledger-life-samples.ts'
import { forecast, series } from './ledger-samples.ts'

export const watchLaws: readonly Law[] = [
  {
    name: 'a logged forecast is kept to the last bit, and said again it is replaced',
    put: [
      (l) => l.watch.log([logged(5, 'v1'), logged(6, 'v1', { spoken: false })]),
      (l) => l.watch.log([logged(5, 'v1', { spoken: false }), logged(5, 'v1')]),
    ],
    read: (l) => l.watch.logged(series, ...ever),
    gives: [logged(5, 'v1'), logged(6, 'v1', { spoken: false })],
  },
  {
    name: 'logged forecasts of a series come by origin, then version, from inclusive to exclusive',
    put: [
      (l) => l.watch.log([logged(9, 'a'), logged(5, 'b'), logged(5, 'B'), logged(10, 'a'), logged(4, 'a')]),
      (l) => l.watch.log([logged(5, 'c', { forecast: forecast({ ...other, origin: 5 }) })]),
    ],
    read: async (l) =>
      (await l.watch.logged(series, 5, 10)).map(({ forecast: { origin, model } }) => [origin, model.version]),
    gives: [
      [5, 'B'],
      [5, 'b'],
      [9, 'a'],
    ],
  },
  {
    name: 'scores of the same (series, version, day) add up in every field, also within one call',
    put: [
      (l) => l.watch.score([reportDay(1), reportDay(1)], []),
      (l) => l.watch.score([reportDay(2), reportDay(1), reportDay(1, { version: 'v2' })], []),
      (l) => l.watch.score([reportDay(1, { series: other }), reportDay(1, { series: elsewhere })], []),
    ],
    read: (l) => l.watch.days(series, ...ever),
    gives: [
      reportDay(1, {
        leads: [lead(1), lead(2)].map((once) => thrice(once)),
        truths: 6,
        residualBins: [3, 0, 0, 0, 0, 0, 0, 0, 0, 6],
      }),
      reportDay(1, { version: 'v2' }),
      reportDay(2),
    ],
  },
  {
    name: 'lead times and bins that only one side has count as they are, whichever comes first',
    put: [
      (l) =>
        l.watch.score(
          [
            reportDay(1, { leads: [lead(1)], residualBins: [] }),
            reportDay(2, { leads: [lead(1), lead(2), lead(4)], residualBins: [1, 2] }),
            reportDay(3, { leads: [], residualBins: [1] }),
          ],
          [],
        ),
      (l) =>
        l.watch.score(
          [
            reportDay(1, { leads: [lead(1), lead(4)], residualBins: [5] }),
            reportDay(2, { leads: [lead(2)], residualBins: [1] }),
            reportDay(3, { leads: [], residualBins: [] }),
          ],
          [],
        ),
    ],
    read: async (l) =>
      (await l.watch.days(series, ...ever)).map(({ leads, residualBins }) => [
        leads.map(({ count, inside }) => [count, inside]),
        residualBins,
      ]),
    gives: [
      [
        [
          [2, 26],
          [4, 52],
        ],
        [5],
      ],
      [
        [
          [3, 39],
          [2, 26],
          [4, 52],
        ],
        [2, 2],
      ],
      [[], [1]],
    ],
  },
  {
    name: 'report days come by day, then version, from inclusive to exclusive',
    put: [
      (l) =>
        l.watch.score([4, 9, 5, 10].map((day) => reportDay(day)).concat(reportDay(5, { version: 'b' })), []),
    ],
    read: async (l) => (await l.watch.days(series, 5, 10)).map(({ day, version }) => [day, version]),
    gives: [
      [5, 'b'],
      [5, 'v1'],
      [9, 'v1'],
    ],
  },
  {
    name: 'how far a series is scored is remembered, series by series',
    put: [
      (l) =>
        l.watch.score(
          [],
          [
            { series, to: 5 },
            { series: other, to: 7 },
          ],
        ),
      (l) =>
        l.watch.score(
          [],
          [
            { series, to: 8 },
            { series, to: 9 },
          ],
        ),
    ],
    read: async (l) => [
      await l.watch.scoredTo(series),
      await l.watch.scoredTo(other),
      await l.watch.scoredTo(elsewhere),
    ],
    gives: [9, 7, undefined],
  },
  {
    name: 'sums are not kept without how far they reach',
    put: [
      (l) => l.watch.score([reportDay(1)], [{ series, to: 5 }]),
      (l) => fails(l.watch.score([reportDay(1), reportDay(2)], [unkeepable({ series, to: 6 }, 'to')])),
    ],
    read: async (l) => [await l.watch.days(series, ...ever), await l.watch.scoredTo(series)],
    gives: [[reportDay(1)], 5],
  },
  {
    name: 'scores of more days than one statement takes add up each to its own',
    put: [
      (l) =>
        l.watch.score(
          Array.from({ length: 1200 }, (_, day) => tiny(day)),
          [],
        ),
      (l) =>
        l.watch.score(
          Array.from({ length: 1300 }, (_, day) => tiny(day)),
          [],
        ),
    ],
    read: async (l) => (await l.watch.days(series, ...ever)).map(({ residualBins }) => residualBins[0]),
    gives: Array.from({ length: 1300 }, (_, day) => (day < 1200 ? 2 * day : day)),
  },
  {
    name: 'of the drifts of a version the newest is kept, by version',
    put: [
      (l) => l.watch.putDrifts([drift('b'), drift('a'), drift('a', { series: other })]),
      (l) => l.watch.putDrifts([drift('b', { at: 200, psi: {} })]),
    ],
    read: async (l) => [await l.watch.drifts(series), await l.watch.drifts(elsewhere)],
    gives: [[drift('a'), drift('b', { at: 200, psi: {} })], []],
  },
]

/** Added up one by one, as floating point wants it. */
function thrice(once: LeadSums): LeadSums {
  const three = (value: number): number => value + value + value
  return {
    count: three(once.count),
    error: three(once.error),
    absolute: three(once.absolute),
    squared: three(once.squared),
    naiveAbsolute: three(once.naiveAbsolute),
    naiveSquared: three(once.naiveSquared),
    withInterval: three(once.withInterval),
    inside: three(once.inside),
  }
}

const tiny = (day: number) => reportDay(day, { leads: [], residualBins: [day] })
