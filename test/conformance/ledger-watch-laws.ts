import type { LeadSums } from '../../src/core/life.ts'
import type { Law } from './ledger.ts'
import {
  drift,
  elsewhere,
  ever,
  fails,
  lead,
  loggable,
  logged,
  otherMetric,
  otherTarget,
  reportDay,
  unkeepable,
} from './ledger-life-samples.ts'
import { power, target } from './ledger-samples.ts'

const halfHour = 1_800_000

export const watchLaws: readonly Law[] = [
  {
    name: 'a logged forecast is kept, and logged again it is replaced',
    put: [
      (l) => l.watch.log([logged(5, 'v1'), logged(6, 'v1', { published: false })]),
      (l) => l.watch.log([logged(5, 'v1', { published: false }), logged(5, 'v1')]),
    ],
    read: (l) => l.watch.logged(power, ...ever),
    gives: [logged(5, 'v1'), logged(6, 'v1', { published: false })],
  },
  {
    name: 'logged forecasts of a target and metric that overlap a span come by origin, then version',
    put: [
      // each ends an hour and a half after its origin
      (l) => l.watch.log([9, 4, 10, 3].map((half) => logged(half * halfHour, 'a'))),
      (l) => l.watch.log([logged(5 * halfHour, 'b'), logged(5 * halfHour, 'B')]),
      (l) => l.watch.log([logged(5, 'c', { forecast: loggable({ ...otherMetric, origin: 5 * halfHour }) })]),
    ],
    read: async (l) =>
      (await l.watch.logged(power, 6 * halfHour, 10 * halfHour)).map(({ forecast: { origin, model } }) => [
        origin / halfHour,
        model.version,
      ]),
    gives: [
      [4, 'a'],
      [5, 'B'],
      [5, 'b'],
      [9, 'a'],
    ],
  },
  {
    name: 'scores of the same (target, metric, version, day) add up in every field, also within one call',
    put: [
      (l) => l.watch.score([reportDay(1), reportDay(1)], []),
      (l) => l.watch.score([reportDay(2), reportDay(1), reportDay(1, { version: 'v2' })], []),
      (l) => l.watch.score([reportDay(1, otherMetric), reportDay(1, { target: elsewhere })], []),
    ],
    read: (l) => l.watch.days(power, ...ever),
    gives: [
      reportDay(1, {
        leads: [lead(1), lead(2)].map((once) => thrice(once)),
        knownMs: 3 * 7_200_000,
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
      (await l.watch.days(power, ...ever)).map(({ leads, residualBins }) => [
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
    read: async (l) => (await l.watch.days(power, 5, 10)).map(({ day, version }) => [day, version]),
    gives: [
      [5, 'b'],
      [5, 'v1'],
      [9, 'v1'],
    ],
  },
  {
    name: 'how far is scored is stored for each target and metric',
    put: [
      (l) =>
        l.watch.score(
          [],
          [
            { ...power, to: 5 },
            { ...otherMetric, to: 7 },
          ],
        ),
      (l) =>
        l.watch.score(
          [],
          [
            { ...power, to: 8 },
            { ...power, to: 9 },
          ],
        ),
    ],
    read: async (l) => [
      await l.watch.scoredTo(power),
      await l.watch.scoredTo(otherMetric),
      await l.watch.scoredTo({ ...power, target: elsewhere }),
    ],
    gives: [9, 7, undefined],
  },
  {
    name: 'sums are not kept without how far they reach',
    put: [
      (l) => l.watch.score([reportDay(1)], [{ ...power, to: 5 }]),
      (l) => fails(l.watch.score([reportDay(1), reportDay(2)], [unkeepable({ ...power, to: 6 }, 'to')])),
    ],
    read: async (l) => [await l.watch.days(power, ...ever), await l.watch.scoredTo(power)],
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
    read: async (l) => (await l.watch.days(power, ...ever)).map(({ residualBins }) => residualBins[0]),
    gives: Array.from({ length: 1300 }, (_, day) => (day < 1200 ? 2 * day : day)),
  },
  {
    name: 'of the drifts of a version the newest is kept, by version',
    put: [
      (l) => l.watch.putDrifts([drift('b'), drift('a'), drift('a', { target: otherTarget })]),
      (l) => l.watch.putDrifts([drift('b', { at: 200, psi: {} })]),
    ],
    read: async (l) => [await l.watch.drifts(target), await l.watch.drifts(elsewhere)],
    gives: [[drift('a'), drift('b', { at: 200, psi: {} })], []],
  },
]

/** Added up one by one, as floating point wants it. */
function thrice(once: LeadSums): LeadSums {
  const three = (value: number): number => value + value + value
  return {
    count: three(once.count),
    error: three(once.error),
    losses: mapped(once.losses, three),
    baselineCount: three(once.baselineCount),
    baseline: mapped(once.baseline, three),
    withInterval: three(once.withInterval),
    inside: three(once.inside),
  }
}

/** A hoisted function: the laws above are built when the module loads. */
function mapped(sums: LeadSums['losses'], by: (value: number) => number): LeadSums['losses'] {
  return Object.fromEntries(Object.entries(sums).map(([name, value]) => [name, by(value)]))
}

const tiny = (day: number) => reportDay(day, { leads: [], residualBins: [day] })
