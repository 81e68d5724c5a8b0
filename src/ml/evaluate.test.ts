import { describe, expect, test } from 'vitest'
import { againstNaive, backtest, evaluateClassification, evaluateRegression } from './evaluate.ts'
import { leaveGroupOut, rollingOrigin } from './folds.ts'
import type { Frame } from './frame.ts'
import type { Learner } from './learner.ts'

/** Says back the first feature, whatever the target. Enough to see which rows are trained on and tested. */
const echo = (seen: number[][]): Learner => ({
  name: 'echo',
  task: 'regression',
  defaults: {},
  fit(frame) {
    seen.push([...frame.columns[0]!])
    return {
      outputs: 1,
      predict: (rows) => rows.columns[0]!.slice(),
      toJSON: () => null,
    }
  },
  load: () => {
    throw new Error('not needed')
  },
})

const frame: Frame = { rows: 6, names: ['x'], columns: [Float64Array.of(0, 1, 2, 3, 4, 5)] }

describe('cross-validated regression', () => {
  const seen: number[][] = []
  const target = Float64Array.of(0, 1, 2, 3, 4, 6)
  const naive = { before: Float64Array.of(Number.NaN, 0, 1, 2, 3, 4) }
  const result = evaluateRegression(echo(seen), frame, target, rollingOrigin(6, { folds: 2, testRows: 2 }), {
    naive,
  })

  test('trains on the past only', () => {
    expect(seen).toEqual([
      [0, 1],
      [0, 1, 2, 3],
    ])
  })

  test('keeps the prediction of every tested row and NaN for the others', () => {
    expect([...result.predictions]).toEqual([Number.NaN, Number.NaN, 2, 3, 4, 5])
  })

  test('puts the naive ones beside it, the mean of the training rows among them', () => {
    expect(result.model.mae).toBe(0.25)
    expect(result.naive['before']!.mae).toBe(1.25)
    expect(result.naive['training-mean']!.mae).toBe((1.5 + 2.5 + 2.5 + 4.5) / 4)
    expect(result.bestNaive).toBe('before')
    expect(result.skill).toBe(0.8)
    expect(result.folds.map((fold) => fold.model.mae)).toEqual([0, 0.5])
  })
})

test('classification is compared with the share of the classes in training', () => {
  const target = Float64Array.of(0, 1, 0, 1, 0, 1)
  const half: Frame = { rows: 6, names: ['x'], columns: [Float64Array.of(0.1, 0.9, 0.1, 0.9, 0.1, 0.9)] }
  const result = evaluateClassification(echo([]), half, target, leaveGroupOut([1, 1, 2, 2, 3, 3]))
  expect(result.model.accuracy).toBe(1)
  expect(result.naive['base-rate']!.brier).toBe(0.25)
  expect(result.skill).toBeCloseTo(1 - 0.01 / 0.25, 12)
})

describe('a comparison', () => {
  test('scores all on the rows that all know', () => {
    const { model, naive } = againstNaive([1, 2, Number.NaN, 4], [1, 2, 3, 5], {
      last: [Number.NaN, 1, 2, 3],
    })
    expect(model.rows).toBe(2)
    expect(naive['last']!.mae).toBe(1)
    expect(model.mae).toBe(0.5)
  })

  test('with a perfect naive forecast gives no skill to anyone', () => {
    expect(againstNaive([1, 2], [1, 2], { last: [1, 2] }).skill).toBe(0)
    expect(againstNaive([1, 2], [1, 3], { last: [1, 2] }).skill).toBe(Number.NEGATIVE_INFINITY)
  })
})

describe('backtest', () => {
  const values = Float64Array.from({ length: 40 }, (_, at) => (at % 4) + Math.floor(at / 4))

  test('a forecaster that knows the trend beats the naive ones, who lag behind', () => {
    const trend = (history: Float64Array, horizon: number): Float64Array =>
      Float64Array.from({ length: horizon }, (_, step) => history[history.length - 4 + step]! + 1)
    const result = backtest(values, trend, { horizon: 4, stepsPerDay: 4, origins: 3 })
    expect(result.origins).toBe(3)
    expect(result.model.mae).toBe(0)
    expect(result.naive['yesterday'].mae).toBe(1)
    expect(result.naive['last-week'].mae).toBeGreaterThan(6)
    expect(result.skill).toBe(1)
    expect([...result.maeByLead]).toEqual([0, 0, 0, 0])
  })

  test('the forecaster never sees its targets, and a missing target is left out', () => {
    const gappy = values.slice()
    gappy[38] = Number.NaN
    const lengths: number[] = []
    const last = (history: Float64Array, horizon: number): Float64Array => {
      lengths.push(history.length)
      return new Float64Array(horizon).fill(history.at(-1)!)
    }
    const result = backtest(gappy, last, { horizon: 4, stepsPerDay: 4, origins: 2, stride: 2 })
    expect(lengths).toEqual([34, 36])
    expect(result.model.rows).toBe(7)
  })

  test('a series shorter than the horizon is refused', () => {
    expect(() => backtest(values.slice(0, 3), () => [], { horizon: 4, stepsPerDay: 4, origins: 1 })).toThrow(
      /no origin/,
    )
  })
})
