import { describe, expect, it } from 'vitest'
import { hourMs } from '../../core/time.ts'
import { createRandom } from '../../ml/random.ts'
import { horizon, quantileLevels } from './forecaster.ts'
import { coverageOf, dayLosses, type Predicted, pastOf, pointOffsets, scoresOf, trialOf } from './judge.ts'
import { household, toLearn } from './made-home.ts'

const point = (mean: Float64Array): Predicted => ({
  mean,
  quantiles: quantileLevels.map(() => new Float64Array(mean.length).fill(Number.NaN)),
})

describe('a trial', () => {
  it('has naive forecasts by the wall clock, and civil days', () => {
    // clocks go back on 2024-10-27; the values are the hour of the day in Paris
    const start = Date.UTC(2024, 8, 30, 22)
    const values = Float64Array.from({ length: 40 * 24 }, (_, hour) => {
      const isSummer = start + hour * hourMs < Date.UTC(2024, 9, 27, 1)
      return (hour + (isSummer ? 0 : 23)) % 24
    })
    const input = { ...toLearn(values), start, zone: 'Europe/Paris' }
    const { actual, naive, days } = trialOf(pastOf(input), input)
    expect(actual.length).toBeGreaterThan(15 * horizon)
    for (const { mean } of Object.values(naive)) expect(mean).toEqual(actual)
    const midnight = [...actual.keys()].filter((row) => row % horizon > 0 && days[row] !== days[row - 1])
    expect(midnight.map((row) => actual[row])).toEqual(midnight.map(() => 0))
  })

  it('gives naive forecasts quantiles that rest on earlier origins, and cover about what they promise', () => {
    const input = toLearn(household(110, 4))
    const { actual, naive } = trialOf(pastOf(input), input)
    const { quantiles } = naive['slot-mean']
    expect(quantiles[0]!.findIndex(Number.isFinite)).toBe(9 * horizon)
    const { measured } = coverageOf(actual, naive['slot-mean'])!
    expect(Math.abs(measured - 0.9)).toBeLessThan(0.06)
  })
})

describe('scores', () => {
  const actual = Float64Array.of(1, 2, 3, Number.NaN)

  it('hold mae, rmse and r2 of the hours that all forecast', () => {
    const { scores, steps } = scoresOf(actual, {
      model: point(Float64Array.of(1, 2, 4, 4)),
      yesterday: point(Float64Array.of(2, 2, 2, 2)),
    })
    expect(steps).toBe(3)
    expect(scores['model']).toEqual({ mae: 1 / 3, rmse: Math.sqrt(1 / 3), r2: 0.5 })
    expect(scores['yesterday']!['r2']).toBe(0)
  })

  it('hold the pinball loss where quantiles are known', () => {
    const mean = Float64Array.of(1, 2, 4, 4)
    const exact = { mean, quantiles: quantileLevels.map(() => mean) }
    const { pinball } = scoresOf(actual, { model: exact }).scores['model']!
    // half of the mean absolute error, the levels being symmetrical
    expect(pinball).toBeCloseTo(1 / 6, 12)
  })

  it('of a day are its mean loss, and days with few known hours are left out', () => {
    const days = Int32Array.from({ length: 30 }, (_, hour) => (hour < 24 ? 0 : hour < 28 ? 1 : 2))
    const truth = new Float64Array(30)
    const { squared } = dayLosses(truth, days, { model: point(new Float64Array(30).fill(2)) })
    expect(squared['model']).toEqual(Float64Array.of(4))
  })

  it('spread a point forecast by its own errors, more where they were larger', () => {
    const random = createRandom(3)
    const truth = Float64Array.from({ length: 40 * horizon }, (_, row) =>
      row % horizon < 12 ? random.normal() : 4 * random.normal(),
    )
    const offsets = pointOffsets(truth, new Float64Array(truth.length))
    const [low, high] = [offsets[quantileLevels.indexOf(0.05)]!, offsets[quantileLevels.indexOf(0.95)]!]
    expect(high[20]! - low[20]!).toBeGreaterThan(2.5 * (high[4]! - low[4]!))
  })
})
