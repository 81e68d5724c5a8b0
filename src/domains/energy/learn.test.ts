import { describe, expect, it } from 'vitest'
import { createRandom } from '../../ml/random.ts'
import type { LearningInput } from '../domain.ts'
import { buildFeatures, featureNames, History } from './features.ts'
import { hourMs } from './hourly.ts'
import { learnEnergy } from './learn.ts'

const start = Date.UTC(2026, 0, 5)

/** A household: day rhythm, weekends, and what was used in the last hours goes on. */
function household(days: number, seed: number): Float64Array {
  const random = createRandom(seed)
  let mood = 0
  return Float64Array.from({ length: days * 24 }, (_, hour) => {
    mood = 0.97 * mood + 0.1 * random.normal()
    const weekend = Math.floor(hour / 24) % 7 >= 5 ? 0.4 : 0
    const rhythm = 0.5 + 0.4 * Math.max(0, Math.sin(((hour % 24) - 6) * (Math.PI / 12))) + weekend
    return Math.max(0, rhythm * Math.exp(mood) + 0.05 * random.normal())
  })
}

const inputOf = (values: Float64Array, more: Partial<LearningInput> = {}): LearningInput => ({
  target: { site: 'home', device: 'fridge', metric: 'energy' },
  unit: 'kWh',
  zone: 'Europe/Paris',
  now: start + values.length * hourMs + 60_000,
  start,
  stepMs: hourMs,
  values,
  repairs: {},
  mode: 'learn',
  ...more,
})

describe('features', () => {
  it('know nothing of the origin and of what follows it', () => {
    const values = household(60, 1)
    const origins = [800, 801, 1000]
    const { frame, base } = buildFeatures(new History(values, start, 'UTC'), origins)
    for (const [index, origin] of origins.entries()) {
      const changed = values.map((value, hour) => (hour >= origin ? 1000 + hour : value))
      const other = buildFeatures(new History(changed, start, 'UTC'), [origin])
      for (const [column, name] of featureNames.entries()) {
        const rows = frame.columns[column]!.subarray(index * 24, index * 24 + 24)
        expect(other.frame.columns[column], name).toEqual(rows)
      }
      expect(other.base).toEqual(base.subarray(index * 24, index * 24 + 24))
    }
  })

  it('carry the hour of the site, also when the clock changes', () => {
    const values = new Float64Array(24 * 100).fill(1)
    const march = Date.UTC(2026, 2, 28) - 48 * hourMs
    const { frame } = buildFeatures(new History(values, march, 'Europe/Paris'), [48])
    const hours = frame.columns[featureNames.indexOf('hour')]!
    expect([...hours.subarray(22, 24)]).toEqual([23, 0])
    const next = buildFeatures(new History(values, march, 'Europe/Paris'), [72]).frame
    expect([...next.columns[featureNames.indexOf('hour')]!.subarray(0, 3)]).toEqual([1, 3, 4])
  })
})

describe('learning', () => {
  it('beats the naive forecasts where there is something to learn, and says so', () => {
    const { card, forecast } = learnEnergy(inputOf(household(120, 2)))
    expect(card).toMatchObject({ live: true, model: { kind: 'learned', name: 'energy-boosting' }, folds: 4 })
    const { model, ...naive } = card.scores
    for (const score of Object.values(naive)) expect(model!.rmse).toBeLessThan(score.rmse)
    expect(card.reason).toMatch(/^Live: .* below the best naive forecast/)
    expect(forecast.model).toEqual(card.model)
    expect(forecast.steps).toHaveLength(24)
    expect(forecast.steps[0]!.at).toBe(start + 120 * 24 * hourMs)
  })

  it('covers what it promises', () => {
    const measured = [3, 4, 5, 6].map(
      (seed) => learnEnergy(inputOf(household(150, seed))).card.coverage!.measured,
    )
    const mean = measured.reduce((sum, share) => sum + share, 0) / measured.length
    expect(mean).toBeGreaterThan(0.84)
    expect(mean).toBeLessThan(0.96)
  })

  it('does not go live on noise, and the forecast is the naive one, called so', () => {
    const random = createRandom(7)
    const noise = Float64Array.from({ length: 24 * 90 }, () => random.next())
    const { card, forecast } = learnEnergy(inputOf(noise))
    if (card.live) expect(card.scores['model']!.rmse).toBeLessThan(card.scores['slot-mean']!.rmse)
    else {
      expect(forecast.model.kind).toBe('naive')
      expect(forecast.steps.every(({ mean, naive }) => mean === naive)).toBe(true)
      expect(card.reason).toMatch(/^Not live: /)
    }
  })

  it('is the same, bit for bit, from the same data', () => {
    const values = household(60, 8)
    expect(learnEnergy(inputOf(values))).toEqual(learnEnergy(inputOf(values)))
  })

  it('renews a forecast with the kept model, without learning again', () => {
    const values = household(100, 9)
    const first = learnEnergy(inputOf(values.slice(0, 99 * 24)))
    const kept = { card: first.card, body: first.body }
    const again = learnEnergy(inputOf(values, { mode: 'renew', kept }))
    expect(again.card).toBe(first.card)
    expect(again.forecast.model).toEqual(first.forecast.model)
    expect(again.forecast.origin).toBe(start + values.length * hourMs)
  })

  it('gives the naive forecast at once where it is asked to, and where history is short', () => {
    const quick = learnEnergy(inputOf(household(60, 10), { mode: 'naive' }))
    const short = learnEnergy(inputOf(household(3, 10)))
    for (const { forecast, card } of [quick, short]) {
      expect(forecast.model.kind).toBe('naive')
      expect(forecast.steps).toHaveLength(24)
      expect(card.reason).toMatch(/^Naive forecast/)
    }
    expect(short.card.reason).toContain('3.0 days of history')
  })

  it('never forecasts less than nothing for a consumer, but does for a series that goes below zero', () => {
    const idle = household(60, 11).map((value, hour) => (hour % 24 < 20 ? 0 : value))
    for (const { mean, lo } of learnEnergy(inputOf(idle)).forecast.steps) {
      expect(mean).toBeGreaterThanOrEqual(0)
      expect(lo ?? 0).toBeGreaterThanOrEqual(0)
    }
    const battery = household(60, 12).map((value) => value - 1.2)
    expect(learnEnergy(inputOf(battery)).forecast.steps.some(({ lo }) => lo !== undefined && lo < 0)).toBe(
      true,
    )
  })

  it('bears gaps and a single hour', () => {
    const holes = household(60, 13).map((value, hour) => (hour % 97 < 20 ? Number.NaN : value))
    expect(learnEnergy(inputOf(holes)).forecast.steps).toHaveLength(24)
    expect(learnEnergy(inputOf(Float64Array.of(1))).forecast.steps).toHaveLength(24)
    expect(learnEnergy(inputOf(Float64Array.of(Number.NaN))).forecast.steps).toHaveLength(0)
  })
})
