import { describe, expect, it } from 'vitest'
import { addDays, dayHours, dayStart } from '../../core/calendar.ts'
import { naiveVersion, type ReportDay } from '../../core/life.ts'
import { createRandom } from '../../ml/random.ts'
import {
  type GuardInput,
  guardVerdict,
  publishesChallenger,
  rollBackTarget,
  type ShadowInput,
  type ShadowVerdict,
  shadowVerdict,
} from './guard.ts'
import { noSums } from './report.ts'

const target = { site: 'home', domain: 'energy', subject: 'fridge' }
const zone = 'Europe/Paris'
/** The eighth day has 23 hours. */
const first = dayStart(zone, Date.parse('2026-03-22T12:00:00Z'))
const starts = Array.from({ length: 61 }, (_, index) => addDays(zone, first, index))
const dayAt = (index: number): number => starts[index]!

/** Mean squared error of a day, its own and the naive forecast's; `hours` with truth, all unless said otherwise. */
interface Told {
  readonly own: number
  readonly naive?: number
  readonly hours?: number
  /** How often each lead time was spoken of: of every hour, unless the data come in a few times a day only. */
  readonly count?: number
}

const tell = (days: readonly Told[], version = 'v1', leads = 1): ReportDay[] =>
  days.map(({ own, naive = 1, hours = dayHours(zone, dayAt(0)), count = hours }, index) => ({
    target,
    metric: 'energy',
    version,
    day: dayAt(index),
    leads: Array.from({ length: leads }, () => ({
      ...noSums,
      count,
      losses: { squared: own * count },
      baselineCount: count,
      baseline: { squared: naive * count },
    })),
    knownMs: hours * 3_600_000,
    residualBins: [],
  }))

const times = <Value>(count: number, value: Value): Value[] => new Array<Value>(count).fill(value)

const guard = (days: readonly ReportDay[], rest: Partial<GuardInput> = {}): GuardInput => ({
  days,
  zone,
  decidedBy: 'rmse',
  since: first,
  until: dayAt(days.length),
  ...rest,
})

const rolledBack = (input: GuardInput): boolean => guardVerdict(input) !== 'keep'

describe('the guard', () => {
  const wavering = [2, 1.8, 2.2, 1.9, 2.1, 2.4, 1.7].map((own) => ({ own }))
  const littleWrong = [1.3, 1.1, 1.5, 1.2, 0.9, 1.4, 1.1].map((own) => ({ own }))

  it.each<[string, ReportDay[], Partial<GuardInput>, boolean]>([
    ['twice as wrong for a week', tell(wavering), {}, true],
    ['better for a week', tell(wavering.map(({ own }) => ({ own: 1, naive: own }))), {}, false],
    ['exactly as wrong', tell(times(10, { own: 1 })), {}, false],
    ['without error beside a naive one without error', tell(times(10, { own: 0, naive: 0 })), {}, false],
    ['wrong where the naive one is right', tell(times(7, { own: 1, naive: 0 })), {}, true],
    ['wrong for six days only', tell(wavering.slice(1)), {}, false],
    ['wrong for six days, where five do', tell(wavering.slice(1)), { guardDays: 5 }, true],
    ['wrong for four days, where one would do', tell(wavering.slice(3)), { guardDays: 1 }, false],
    [
      'wrong on days of which under half is known',
      tell(wavering.map((day) => ({ ...day, hours: 11 }))),
      {},
      false,
    ],
    ['wrong on days of which half is known', tell(wavering.map((day) => ({ ...day, hours: 12 }))), {}, true],
    ['wrong, the last day not yet over', tell(wavering), { until: dayAt(7) - 1 }, false],
    ['wrong, but partly before it went live', tell(wavering), { since: first + 1 }, false],
    ['wrong once, wildly', tell([{ own: 1000 }, ...times(6, { own: 0.9 })]), {}, false],
    ['wrong long ago, then good', tell([...wavering, ...times(7, { own: 0.5 })]), {}, false],
    ['wrong for a week, where one day would do', tell(wavering), { guardDays: 1 }, true],
    [
      'wrong but on a day when all was nothing',
      tell([...wavering, { own: 0, naive: 0 }, ...wavering.slice(2)]),
      {},
      true,
    ],
    ['a little wrong for a fortnight', tell(times(2, littleWrong).flat()), {}, true],
    ['a little wrong for a week only', tell(littleWrong), {}, false],
    [
      'a little wrong for long, and good in the last week',
      tell([...times(4, littleWrong).flat(), ...times(7, { own: 0.99 })]),
      {},
      false,
    ],
    ['good for long, then wrong', tell([...times(30, { own: 0.5 }), ...wavering]), {}, true],
    [
      'wrong in a little only and for a small part of the days',
      tell([...wavering.slice(4), ...times(4, { own: 0.9 })]),
      {},
      false,
    ],
  ])('of a model that is %s', (_, days, rest, expected) => {
    expect(rolledBack(guard(days, rest))).toBe(expected)
  })

  it('says why in a sentence', () => {
    expect(guardVerdict(guard(tell(times(7, { own: 4 }))))).toEqual({
      rollBack:
        'Over 7 days (2026-03-22 to 2026-03-28) its error was 100 % larger than that of the naive forecast of the ' +
        'same hours, on 7 of 7 days (p < 0.001).',
    })
  })

  it('judges also where the data of a day come all at once, and each lead time is spoken of once', () => {
    const days = tell(
      wavering.map((day) => ({ ...day, count: 1 })),
      'v1',
      24,
    )
    expect(rolledBack(guard(days))).toBe(true)
  })

  it.each([
    ['12 of 25 hours are not half of the long day', 12, 25, false],
    ['13 of 25 hours are', 13, 25, true],
    ['after 24 hours it is not over', 24, 24, false],
  ])('knows a day of 25 hours: %s', (_, hours, passed, expected) => {
    const longDay = dayStart(zone, Date.parse('2026-10-25T12:00:00Z'))
    const days = tell(wavering.map((day) => ({ ...day, hours }))).map((day, index) => ({
      ...day,
      day: addDays(zone, longDay, index - 6),
    }))
    expect(rolledBack(guard(days, { until: longDay + passed * 3_600_000 }))).toBe(expected)
  })
})

describe('what speaks after a roll-back', () => {
  const bad = guard(tell(times(7, { own: 4 })))
  it.each<[string, ReportDay[] | undefined, string]>([
    ['no predecessor', undefined, naiveVersion],
    ['one that was better than naive', tell(times(7, { own: 0.9 }), 'v0'), 'v0'],
    ['one that was worse', tell(times(7, { own: 1.1 }), 'v0'), naiveVersion],
    [
      'one that was better on all but one day, and worse in sum',
      tell([{ own: 9 }, ...times(6, { own: 0.9 })], 'v0'),
      naiveVersion,
    ],
    ['one that did not speak every day', tell(times(6, { own: 0.5 }), 'v0'), naiveVersion],
    ['one that never spoke', [], naiveVersion],
  ])('with %s', (_, days, expected) => {
    const predecessor = days && { predecessor: { version: 'v0', days } }
    expect(rollBackTarget({ ...bad, ...predecessor })).toBe(expected)
  })
})

const shadow = (
  live: readonly ReportDay[],
  challenger: readonly ReportDay[],
  rest: Partial<ShadowInput> = {},
): ShadowInput => ({
  ...{ live, challenger, zone, decidedBy: 'rmse', since: first, until: dayAt(live.length) },
  ...rest,
})

const outcome = (verdict: ShadowVerdict): string => (verdict === 'wait' ? verdict : Object.keys(verdict)[0]!)

describe('a challenger', () => {
  const noisy = (count: number, level: number): Told[] =>
    Array.from({ length: count }, (_, index) => ({ own: level * (1 + 0.2 * Math.sin(index * 2.4)) }))
  const even = (count: number): Told[] =>
    Array.from({ length: count }, (_, index) => ({ own: index % 2 === 0 ? 1.3 : 1 / 1.3 }))
  it.each<[string, ReportDay[], ReportDay[], string]>([
    ['much better for a week', tell(times(7, { own: 1 })), tell(noisy(7, 0.5)), 'promote'],
    ['much better for six days', tell(times(6, { own: 1 })), tell(noisy(6, 0.5)), 'wait'],
    ['much worse for a week', tell(times(7, { own: 1 })), tell(noisy(7, 2)), 'drop'],
    ['alike for a week', tell(times(7, { own: 1 })), tell(even(7)), 'wait'],
    ['alike for 27 days', tell(times(27, { own: 1 })), tell(even(27)), 'wait'],
    ['alike for 28 days', tell(times(28, { own: 1 })), tell(even(28)), 'drop'],
    ['the very same for 28 days', tell(times(28, { own: 1 })), tell(times(28, { own: 1 })), 'drop'],
    [
      'better on all days but one, and worse in sum',
      tell(times(14, { own: 1 })),
      tell([{ own: 99 }, ...noisy(13, 0.1)]),
      'wait',
    ],
    [
      'worse on all days but one, and better in sum',
      tell([{ own: 99 }, ...times(13, { own: 1 })]),
      tell([{ own: 0 }, ...noisy(13, 5)]),
      'wait',
    ],
    [
      'better on other hours',
      tell(times(7, { own: 1 })),
      tell(noisy(7, 0.5).map((day) => ({ ...day, hours: 23 }))),
      'wait',
    ],
    [
      'better on under half of the hours',
      tell(times(7, { own: 1, hours: 11 })),
      tell(times(7, { own: 0.5, hours: 11 })),
      'wait',
    ],
    ['better, on no day of the live one', [], tell(noisy(7, 0.5)), 'wait'],
  ])('that is %s', (_, live, challenger, expected) => {
    expect(outcome(shadowVerdict(shadow(live, challenger)))).toBe(expected)
  })

  it('goes after three times the days that it was given, where the series was mostly silent', () => {
    const days = [tell(times(3, { own: 1 })), tell(noisy(3, 0.5), 'v2')] as const
    const at = (index: number) => shadowVerdict({ ...shadow(...days), maxDays: 10, until: dayAt(index) })
    expect(at(29)).toBe('wait')
    expect(at(30)).toEqual({ drop: 'In 30 days only 3 could be compared with the live one.' })
  })

  it('is decided also where the data come four times a day', () => {
    const live = tell(times(7, { own: 1, count: 4 }), 'v1', 24)
    const challenger = tell(
      noisy(7, 0.5).map((day) => ({ ...day, count: 4 })),
      'v2',
      24,
    )
    expect(outcome(shadowVerdict(shadow(live, challenger)))).toBe('promote')
  })

  it('is compared at the lead times of which both spoke equally often', () => {
    const live = tell(times(7, { own: 1 }), 'v1', 2)
    const challenger = tell(noisy(7, 0.5), 'v2', 2).map((day) => ({
      ...day,
      // of the second lead time it missed an hour, and was terrible
      leads: [day.leads[0]!, { ...day.leads[1]!, count: 23, squared: 1e6 }],
    }))
    expect(outcome(shadowVerdict(shadow(live, challenger)))).toBe('promote')
  })

  it('is looked at once a week: a day more in between changes nothing', () => {
    const better = [...times(7, { own: 1 }), ...times(6, { own: 0.01 })]
    for (let count = 7; count < 14; count++)
      expect(shadowVerdict(shadow(tell(times(count, { own: 1 })), tell(better.slice(0, count))))).toBe('wait')
    const two = shadowVerdict(shadow(tell(times(14, { own: 1 })), tell([...better, { own: 0.01 }])))
    expect(outcome(two)).toBe('promote')
  })

  it('hears why', () => {
    const live = tell(times(7, { own: 1 }))
    expect(shadowVerdict(shadow(live, tell(times(7, { own: 0.25 }))))).toEqual({
      promote:
        'Over 7 days (2026-03-22 to 2026-03-28) its error was 50 % smaller than that of the live one on the same hours (p < 0.001).',
    })
    expect(shadowVerdict(shadow(live, tell(times(7, { own: 1.0201 }))))).toEqual({
      drop: 'Over 7 days (2026-03-22 to 2026-03-28) its error was 1.0 % larger than that of the live one on the same hours (p < 0.001).',
    })
  })
})

/**
 * Days of two forecasters of the same truth: `spread` is what the one's errors are wide, as against 1 of the other.
 * Half of the variance of their errors is common to both; errors hang together from hour to hour (AR 0.7), and some
 * days are harder than others. The same for guard (own, naive) and challenger (challenger, live).
 */
function simulate(seed: number, count: number, spread: number): { own: number; naive: number }[] {
  const random = createRandom(seed)
  const states = [0, 0, 0]
  return Array.from({ length: count }, () => {
    const difficulty = Math.exp(0.4 * random.normal())
    let [own, naive] = [0, 0]
    for (let hour = 0; hour < 24; hour++) {
      states.forEach((state, at) => {
        states[at] = 0.7 * state + Math.sqrt(1 - 0.7 ** 2) * random.normal()
      })
      const [common, mine, theirs] = states as [number, number, number]
      own += (difficulty * spread * Math.SQRT1_2 * (common + mine)) ** 2
      naive += (difficulty * Math.SQRT1_2 * (common + theirs)) ** 2
    }
    return { own: own / 24, naive: naive / 24 }
  })
}

const seeds = 200

/** Day on which the guard takes back a model, 60 days being watched; Infinity for never. Sorted, one a seed. */
function fallDays(spread: number, level?: number): number[] {
  return Array.from({ length: seeds }, (_, seed) => {
    const days = tell(simulate(seed, 60, spread))
    for (let count = 7; count <= 60; count++) {
      const input = { ...guard(days.slice(Math.max(0, count - 28), count)), until: dayAt(count) }
      if (rolledBack(level === undefined ? input : { ...input, level })) return count
    }
    return Number.POSITIVE_INFINITY
  }).sort((a, b) => a - b)
}

const shareFallen = (days: readonly number[]): number => days.filter(Number.isFinite).length / seeds

describe('over 200 simulated homes of 60 days the guard', { timeout: 60_000 }, () => {
  it('takes back a model twice as wrong as the naive forecast within 9 days in 19 of 20 homes', () => {
    const days = fallDays(2)
    expect(shareFallen(days)).toBe(1)
    expect(days[0.95 * seeds]).toBeLessThanOrEqual(9)
  })

  it('takes back one that is wrong by half as much again within 10 days mostly, 16 in 9 of 10 homes', () => {
    const days = fallDays(1.5)
    expect(days[0.5 * seeds]).toBeLessThanOrEqual(10)
    expect(days[0.9 * seeds]).toBeLessThanOrEqual(16)
  })

  it('takes back one that is wrong by a fifth more in 9 of 10 homes', () => {
    expect(shareFallen(fallDays(1.2))).toBeGreaterThan(0.87)
  })

  it('takes back one that equals the naive forecast in fewer than one home of ten', () => {
    expect(shareFallen(fallDays(1))).toBeLessThan(0.1)
  })

  it('would take back most such models at a level of 0.1: it looks every day', () => {
    expect(shareFallen(fallDays(1, 0.1))).toBeGreaterThan(0.7)
  })

  it('never takes back one that is better by a tenth', () => {
    expect(shareFallen(fallDays(0.9))).toBe(0)
  })
})

/** What became of challengers after at most 28 days, as shares. */
function challenges(spread: number): Record<string, number> {
  const shares: Record<string, number> = { promote: 0, drop: 0, worse: 0 }
  for (let seed = 0; seed < 2 * seeds; seed++) {
    const days = simulate(1000 + seed, 28, spread)
    const live = tell(days.map(({ naive }) => ({ own: naive })))
    const challenger = tell(days.map(({ own }) => ({ own })))
    for (let count = 7; count <= 28; count++) {
      const verdict = shadowVerdict(shadow(live.slice(0, count), challenger.slice(0, count)))
      if (verdict === 'wait') continue
      shares[outcome(verdict)]! += 1 / (2 * seeds)
      if (count < 28) break
    }
  }
  return shares
}

describe('over 400 simulated challengers', { timeout: 60_000 }, () => {
  it('one that is better by a tenth is promoted in two of five cases, by a fifth in nearly all', () => {
    expect(challenges(0.9)['promote']).toBeGreaterThan(0.4)
    expect(challenges(0.8)['promote']).toBeGreaterThan(0.93)
  })

  it('one that is no better is promoted in about one case of twenty', () => {
    const { promote = 0, drop = 0 } = challenges(1)
    expect(promote).toBeLessThan(0.07)
    expect(promote + drop).toBeCloseTo(1, 8)
  })

  it('one that is worse by a tenth is hardly ever', () => {
    expect(challenges(1.1)['promote']).toBeLessThan(0.01)
  })
})

describe('the share of a challenger', () => {
  const hours = Array.from({ length: 24 * 100 }, (_, hour) => first + hour * 3_600_000)

  it.each([0, 0.1, 0.5, 1])('of %d is kept, also within each hour of the day', (share) => {
    const spoken = hours.map((origin) => publishesChallenger(target, origin, share))
    expect(spoken.filter(Boolean).length / hours.length).toBeCloseTo(share, 1)
    for (let hour = 0; hour < 24; hour++) {
      const same = spoken.filter((_, index) => index % 24 === hour)
      expect(Math.abs(same.filter(Boolean).length / same.length - share)).toBeLessThan(0.2)
    }
  })

  it('is the same each time, and another for each series', () => {
    const picks = (device: string): boolean[] =>
      hours.map((origin) => publishesChallenger({ ...target, subject: device }, origin, 0.5))
    expect(picks('a')).toEqual(picks('a'))
    const others = picks('b')
    const alike = picks('a').filter((pick, index) => pick === others[index]).length
    expect(alike / hours.length).toBeCloseTo(0.5, 1)
  })
})
