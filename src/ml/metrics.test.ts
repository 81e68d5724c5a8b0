import { describe, expect, test } from 'vitest'
import { HomeostatError } from '../core/errors.ts'
import {
  bias,
  coverage,
  intervalScore,
  mae,
  mape,
  mase,
  meanWidth,
  msis,
  pinball,
  psi,
  r2,
  regressionScores,
  rmse,
  seasonalScale,
  smape,
} from './metrics.ts'

// Expected figures: scikit-learn 1.9.1 (mean_absolute_error, root_mean_squared_error, r2_score,
// mean_absolute_percentage_error, mean_pinball_loss), the others by their formula in numpy.
const actual = [3, -0.5, 2, 7, 4.2, 0.1]
const predicted = [2.5, 0, 2, 8, 4, 0.4]
const history = [1, 4, 2, 3, 5, 1, 6, 8]
const lo = predicted.map((value) => value - 0.4)
const hi = predicted.map((value) => value + 0.6)

describe('figures agree with scikit-learn and numpy', () => {
  test.each([
    ['mae', mae(actual, predicted), 0.4166666666666667],
    ['rmse', rmse(actual, predicted), 0.5212165257037297],
    ['r2', r2(actual, predicted), 0.9574338440111421],
    ['mape', mape(actual, predicted), 72.61904761904762],
    ['smape', smape(actual, predicted), 59.39886671593989],
    ['pinball 0.1', pinball(actual, predicted, 0.1), 0.2816666666666667],
    ['pinball 0.5', pinball(actual, predicted, 0.5), 0.20833333333333334],
    ['pinball 0.9', pinball(actual, predicted, 0.9), 0.13500000000000004],
    ['seasonal scale', seasonalScale(history, 3), 2],
    ['mase', mase(actual, predicted, history, 3), 0.20833333333333334],
    ['interval score', intervalScore(actual, lo, hi, 0.9), 3.333333333333332],
    ['coverage', coverage(actual, lo, hi), 0.6666666666666666],
    ['msis', msis(actual, lo, hi, 0.9, history, 3), 1.666666666666666],
    ['width', meanWidth(lo, hi), 1],
    ['bias', bias(actual, predicted), 1.1 / 6],
    [
      'psi',
      psi(
        Array.from({ length: 100 }, (_, i) => i),
        [5, 15, 15, 25, 35, 35, 35, 45, 55, 65, 75, 85, 95, 95, 12],
      ),
      0.2428273637522868,
    ],
  ])('%s', (_, got, expected) => expect(got).toBeCloseTo(expected, 12))
})

describe('bad input', () => {
  test.each([
    ['no rows', () => mae([], []), /no rows/],
    ['unequal lengths', () => rmse([1, 2], [1]), /predicted has 1 rows, not 2/],
    ['a NaN', () => r2([1, Number.NaN], [1, 2]), /actual is NaN at row 2/],
    ['an infinity', () => mae([1], [Number.POSITIVE_INFINITY]), /predicted is Infinity at row 1/],
    ['a quantile of 1', () => pinball([1], [1], 1), /between 0 and 1/],
    ['a season of 0', () => seasonalScale([1, 2], 0), /season/],
  ])('%s is refused with a sentence', (_, score, sentence) => {
    expect(score).toThrow(HomeostatError)
    expect(score).toThrow(sentence)
  })

  test('a figure that the data leave undefined is NaN', () => {
    expect(r2([2, 2], [1, 2])).toBeNaN()
    expect(mape([0, 0], [1, 2])).toBeNaN()
    expect(mase([1], [2], [5, 5, 5, 5], 1)).toBeNaN()
    expect(seasonalScale([1, 2], 24)).toBeNaN()
  })

  test('a gap in the history leaves its pairs out of the seasonal scale', () => {
    expect(seasonalScale([1, 2, Number.NaN, 4, 7], 1)).toBe(2)
  })
})

test('an interval end counts as inside', () => {
  expect(coverage([1, 2], [1, 0], [3, 2])).toBe(1)
})

test('the same population has a stability index of 0, also with ties', () => {
  expect(psi([1, 1, 1, 2, 3], [1, 1, 1, 2, 3])).toBe(0)
  expect(psi([4, 4, 4], [4, 4])).toBe(0)
})

test('a perfect forecast has perfect scores', () => {
  expect(regressionScores(actual, actual)).toEqual({
    rows: 6,
    mae: 0,
    rmse: 0,
    bias: 0,
    mape: 0,
    smape: 0,
    r2: 1,
  })
})
