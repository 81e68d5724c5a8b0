import { describe, expect, it } from 'vitest'
import type { Comparison } from '../core/event.ts'
import { compareDays, decide, verdictOf } from './gate.ts'
import { measureOf } from './measure.ts'
import { createRandom } from './random.ts'

const duel = (days: number, gain: number, p: number): Comparison => ({ days, gain, p })
const won = { ...duel(30, 0.05, 0.004), rmse: 0.4 }

describe('the gate', () => {
  const cases: readonly (readonly [
    string,
    Comparison & { readonly rmse: number },
    Comparison | undefined,
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
      { ...won, days: 4, p: 1 },
      undefined,
      'rejected',
      /on 4 unseen days, too few to tell\.$/,
    ],
    ['has no day', { ...won, days: 0, gain: 0, p: 1 }, undefined, 'rejected', /no unseen day/],
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

  it.each(cases)('decides where a candidate %s', (_, naive, live, status, reason) => {
    const { rmse: score, ...comparison } = naive
    const named = { name: 'last-week', label: 'same time last week', score, comparison }
    const verdict = verdictOf({ measure: measureOf('rmse'), naive: named, live })
    expect(verdict.status).toBe(status)
    expect(verdict.reason).toMatch(reason)
    expect(verdict.reason).toMatch(/^(Live|Challenger|Rejected): /)
    expect(Object.keys(verdict.comparisons)).toEqual(live ? ['last-week', 'live'] : ['last-week'])
  })
})

describe('a comparison of losses per civil day', () => {
  const days = 20
  const rmse = measureOf('rmse')
  const losses = (seed: number, mean: number): Float64Array => {
    const random = createRandom(seed)
    return Float64Array.from({ length: days }, () => mean * (0.5 + random.next()))
  }

  it('is won by the smaller losses, by the root of squared errors', () => {
    const { days: count, gain, p } = compareDays(rmse, losses(1, 1), losses(2, 4))
    expect(count).toBe(days)
    expect(gain).toBeCloseTo(0.5, 1)
    expect(p).toBeLessThan(1e-6)
    expect(compareDays(rmse, losses(2, 4), losses(1, 1)).p).toBeCloseTo(1, 6)
    expect(compareDays(measureOf('pinball'), losses(1, 1), losses(2, 4)).gain).toBeCloseTo(0.75, 1)
  })

  it('leaves out days that one of both did not predict', () => {
    const ours = losses(1, 1).fill(Number.NaN, 0, 3)
    const theirs = losses(2, 4).fill(Number.NaN, 5, 6)
    expect(compareDays(rmse, ours, theirs).days).toBe(days - 4)
  })

  it('cannot gain on a rival without a loss', () => {
    const none = new Float64Array(days)
    expect(compareDays(rmse, losses(1, 1), none)).toMatchObject({ gain: -1 })
    expect(compareDays(rmse, none, none)).toEqual({ days, gain: 0, p: 1 })
  })

  it('passes those that are no better in one case of twenty', () => {
    let passed = 0
    for (let run = 0; run < 1000; run++)
      if (compareDays(rmse, losses(2 * run, 1), losses(2 * run + 1, 1)).p < 0.05) passed++
    expect(passed).toBeGreaterThan(30)
    expect(passed).toBeLessThan(70)
  })

  it('decides by whatever measure it is given, and names it', () => {
    const naive = { name: 'always', label: 'the share of fires', days: losses(2, 4) }
    const verdict = decide('brier', { candidate: losses(1, 1), naive })
    expect(verdict.status).toBe('live')
    expect(verdict.reason).toMatch(
      /^Live: its Brier score is [\d.]+ % below the best naive forecast \(the share of/,
    )
    expect(Object.keys(verdict.comparisons)).toEqual(['always'])
  })
})
