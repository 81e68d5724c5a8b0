import { describe, expect, it } from 'vitest'
import { hourMs } from '../../core/time.ts'
import { modelOf } from '../../ml/gate.ts'
import type { LearnInput } from '../domain.ts'
import { featureNames } from './forecaster.ts'
import { learnEnergy } from './learn.ts'
import { household, made0, madeTarget, noise, toLearn } from './made-home.ts'

const learnt = (input: LearnInput, onProgress?: (share: number) => void) =>
  modelOf(learnEnergy(input, onProgress))

describe('learning', () => {
  it('goes live where there is something to learn, and tells by how much', () => {
    const { card } = learnt(toLearn(household(120, 2)))
    expect(card).toMatchObject({
      target: madeTarget,
      metric: 'energy',
      model: { kind: 'learned', name: 'energy-forecast', version: '20260505T000100Z' },
      folds: 4,
      features: featureNames,
      verdict: { status: 'live' },
    })
    const { model, ...naive } = card.scores
    for (const score of Object.values(naive)) expect(model!['rmse']).toBeLessThan(score['rmse']!)
    const [comparison] = Object.values(card.verdict.comparisons)
    expect(comparison!.gain).toBeGreaterThan(0)
    expect(comparison!.p).toBeLessThan(0.05)
    expect(card.verdict.reason).toMatch(
      /^Live: its root mean square error is [\d.]+ % below the best naive forecast \(.*\) on \d+ unseen days; chance does that (less than )?once in \d+ times\.$/,
    )
  })

  it('covers what it promises', () => {
    const measured = [3, 4, 5, 6].map((seed) => learnt(toLearn(household(150, seed))).card.coverage!.measured)
    const mean = measured.reduce((sum, share) => sum + share, 0) / measured.length
    expect(mean).toBeGreaterThan(0.84)
    expect(mean).toBeLessThan(0.96)
  })

  it('does not go live where the mean of the hour is the best forecast', () => {
    const cards = Array.from({ length: 8 }, (_, seed) => {
      const rhythm = noise(60, seed).map((value, hour) => value + 5 * (1 + Math.sin((hour % 24) ** 2)))
      return learnt(toLearn(rhythm)).card
    })
    expect(cards.filter(({ verdict }) => verdict.status === 'live').length).toBeLessThanOrEqual(1)
    const rejected = cards.find(({ verdict }) => verdict.status === 'rejected')!
    expect(rejected.verdict.reason).toMatch(/^Rejected: its root mean square error is /)
  })

  it('is rejected where the naive forecast is exact already', () => {
    const clock = Float64Array.from({ length: 24 * 40 }, (_, hour) => hour % 24)
    expect(learnt(toLearn(clock)).card.verdict).toMatchObject({
      status: 'rejected',
      reason: 'Rejected: the best naive forecast (mean of the hour over 28 days) is exact already.',
    })
  })

  it('is the same, bit for bit, from the same data', () => {
    const values = household(60, 8)
    expect(learnt(toLearn(values))).toEqual(learnt(toLearn(values)))
  })

  it('holds a candidate against the live model only on days that the live one had not seen', () => {
    const values = household(100, 9)
    const young = learnt(toLearn(values.slice(0, 99 * 24)))
    const fresh = learnt(toLearn(values, { live: young }))
    expect(fresh.card.verdict).toMatchObject({
      status: 'challenger',
      comparisons: { live: { days: 1, p: 1 } },
    })
    expect(fresh.card.verdict.reason).toContain('only 1 of the judged days is new to the live model')

    const twin = learnt(toLearn(values, { live: fresh })).card
    expect(twin.verdict).toMatchObject({ status: 'challenger', comparisons: { live: { days: 0 } } })
    expect(twin.scores['live']).toBeUndefined()

    const old = learnt(toLearn(values.slice(0, 80 * 24)))
    const { verdict, scores } = learnt(toLearn(values, { live: old })).card
    expect(verdict.comparisons['live']!.days).toBe(20)
    expect(scores['live']!['rmse']).toBeGreaterThan(0)
    expect(verdict.reason).toContain('the live model on 20 unseen days')
  })

  it('replaces a live model that knows a home in which nobody lived', () => {
    const values = Float64Array.of(...noise(60, 12), ...household(100, 2))
    const live = learnt(toLearn(values.slice(0, 60 * 24)))
    const { verdict } = learnt(toLearn(values, { live })).card
    expect(verdict.status).toBe('live')
    expect(verdict.reason).toMatch(
      /^Live: .* below the live model on 5\d unseen days; chance does that (less than )?once in/,
    )
  })

  it('does not believe a week in watts: the card counts what was repaired, and the errors stay those of kWh', () => {
    const clean = household(90, 16)
    const values = clean.map((value, hour) => (hour >= 1500 && hour < 1668 ? value * 1000 : value))
    values[1000] = 500
    const { card } = learnt(toLearn(values))
    expect(card.repairs).toMatchObject({ hours_unit_jump: 168, hours_spike: 1, hours_stuck: 0 })
    const rmse = learnt(toLearn(clean)).card.scores['model']!['rmse']!
    expect(card.scores['model']!['rmse']! / rmse).toBeCloseTo(1, 1)
  })

  it('judges the measured hours, also those that a later repair takes out', () => {
    const clean = household(90, 17)
    // a sensor that stood still for half a day in the judged weeks
    const stuck = clean.map((value, hour) => (hour >= 1500 && hour < 1512 ? 0.71 : value))
    const { card } = learnt(toLearn(stuck))
    expect(card.repairs).toMatchObject({ hours_stuck: 12 })
    expect(card.scoredSteps).toBe(learnt(toLearn(clean)).card.scoredSteps)
  })

  it('keeps the deciles of what it missed, the span and the repairs', () => {
    const values = household(60, 15)
    values.fill(Number.NaN, 100, 110)
    const { card } = learnt(toLearn(values, { repairs: { counter_resets: 2 } }))
    expect(card.residualDeciles).toHaveLength(9)
    expect(card.residualDeciles).toEqual(card.residualDeciles.toSorted((a, b) => a - b))
    expect(card.span).toEqual({ from: made0, to: made0 + 60 * 24 * hourMs, steps: 60 * 24 - 10 })
    expect(card.repairs['counter_resets']).toBe(2)
  })

  it('tells the share that is done, before each fit', () => {
    const shares: number[] = []
    const { card } = learnt(toLearn(household(90, 3)), (share) => shares.push(share))
    expect(card.folds).toBe(4)
    expect(shares.length).toBeGreaterThan(14)
    expect(shares).toEqual(shares.toSorted((a, b) => a - b))
    expect([shares[0], shares.at(-1)! > 0.95, shares.at(-1)! < 1]).toEqual([0, true, true])
  })

  it('bears gaps, and names what is too little', () => {
    const holes = household(60, 13).map((value, hour) => (hour % 97 < 20 ? Number.NaN : value))
    expect(learnt(toLearn(holes)).card.scoredSteps).toBeGreaterThan(300)
    const late = household(60, 14).fill(Number.NaN, 0, 39 * 24)
    expect(learnt(toLearn(late)).card.span.steps).toBe(21 * 24)
    expect(() => learnt(toLearn(household(3, 1)))).toThrow(
      '3.0 days of known hours: a model is learnt from 21 days of them on.',
    )
    late[39 * 24] = Number.NaN
    expect(() => learnt(toLearn(late))).toThrow('21.0 days of known hours: a model')
  })
})
