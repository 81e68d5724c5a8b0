import { describe, expect, it } from 'vitest'
import type { Duel } from '../../core/event.ts'
import { createRandom } from '../../ml/random.ts'
import { duelOf, verdictOf } from './gate.ts'

const duel = (origins: number, gain: number, p: number): Duel => ({ origins, gain, p })
const won = { ...duel(30, 0.05, 0.004), rmse: 0.4 }

describe('the gate', () => {
  const cases: readonly (readonly [
    string,
    Duel & { readonly rmse: number },
    Duel | undefined,
    string,
    RegExp,
  ])[] = [
    [
      'beats the naive forecast, and nothing is live',
      won,
      undefined,
      'live',
      /5.0 % below the best naive forecast \(same time last week\) on 30 unseen days; chance does that once in 250 times\.$/,
    ],
    [
      'is better than naive within noise',
      { ...won, p: 0.2 },
      undefined,
      'rejected',
      /5.0 % below .*, but chance alone does that once in 5 times\.$/,
    ],
    [
      'is worse than naive',
      { ...won, gain: -0.02, p: 0.9 },
      duel(30, 0.5, 0),
      'rejected',
      /2.0 % above the best naive/,
    ],
    [
      'has too few days',
      { ...won, origins: 4, p: 1 },
      undefined,
      'rejected',
      /on 4 unseen days, too few to tell\.$/,
    ],
    ['has no day', { ...won, origins: 0, gain: 0, p: 1 }, undefined, 'rejected', /no unseen day/],
    ['meets an exact naive forecast', { ...won, rmse: 0 }, undefined, 'rejected', /is exact already\.$/],
    [
      'beats the live one, too',
      won,
      duel(20, 0.1, 0.0001),
      'live',
      /10.0 % below the live model on 20 unseen days; chance does that less than once in 1000 times\.$/,
    ],
    [
      'has 4 days in common with the live one',
      won,
      duel(4, -0.1, 1),
      'challenger',
      /only 4 of the judged days are new to the live model/,
    ],
    ['is worse than the live one', won, duel(6, -0.01, 0.6), 'rejected', /1.0 % above the live model/],
    [
      'is better than the live one within noise',
      won,
      duel(20, 0.04, 0.2),
      'challenger',
      /4.0 % below the live model/,
    ],
    ['is no different on few days', won, duel(10, 0.004, 0.3), 'challenger', /0.4 % below/],
    ['is no different on many', won, duel(20, 0.004, 0.3), 'rejected', /0.4 % below the live model/],
  ]

  it.each(cases)('decides where a candidate %s', (_, naive, live, standing, reason) => {
    const verdict = verdictOf('last-week', naive, live)
    expect(verdict.standing).toBe(standing)
    expect(verdict.reason).toMatch(reason)
    expect(verdict.reason).toMatch(/^(Live|Challenger|Rejected): /)
    expect(Object.keys(verdict.duels)).toEqual(live ? ['last-week', 'live'] : ['last-week'])
  })
})

describe('a duel', () => {
  const days = 20
  /** Mean squared errors of days. */
  const made = (seed: number, spread: number): Float64Array => {
    const random = createRandom(seed)
    return Float64Array.from({ length: days }, () => {
      let sum = 0
      for (let hour = 0; hour < 24; hour++) sum += (spread * random.normal()) ** 2
      return sum / 24
    })
  }

  it('is won by whoever errs less, day by day', () => {
    const { origins, gain, p } = duelOf(made(1, 0.1), made(2, 0.2))
    expect(origins).toBe(days)
    expect(gain).toBeCloseTo(0.5, 1)
    expect(p).toBeLessThan(1e-6)
    expect(duelOf(made(2, 0.2), made(1, 0.1))).toMatchObject({ p: expect.closeTo(1, 6) })
  })

  it('leaves out days of which the loss of one is not known', () => {
    const ours = made(1, 0.1).fill(Number.NaN, 0, 3)
    const theirs = made(2, 0.2).fill(Number.NaN, 5, 6)
    expect(duelOf(ours, theirs).origins).toBe(days - 4)
  })

  it('cannot gain on a rival without an error', () => {
    const none = new Float64Array(days)
    expect(duelOf(made(1, 0.1), none)).toMatchObject({ gain: -1 })
    expect(duelOf(none, none)).toEqual({ origins: days, gain: 0, p: 1 })
  })

  it('passes those that are no better in one case of twenty', () => {
    let passed = 0
    for (let run = 0; run < 1000; run++) {
      if (duelOf(made(2 * run, 0.2), made(2 * run + 1, 0.2)).p < 0.05) passed++
    }
    expect(passed).toBeGreaterThan(30)
    expect(passed).toBeLessThan(70)
  })
})
