import { describe, expect, test } from 'vitest'
import { HomeostatError } from '../core/errors.ts'
import {
  accuracy,
  averagePrecision,
  balancedAccuracy,
  brier,
  classesOf,
  classificationScores,
  confusion,
  ece,
  logLoss,
  macroPrecisionRecall,
  precisionRecall,
  rocAuc,
} from './metrics-classification.ts'

// Expected figures: scikit-learn 1.9.1 (brier_score_loss, log_loss, roc_auc_score, average_precision_score,
// balanced_accuracy_score, confusion_matrix, f1_score); the calibration error by its formula in numpy.
const actual = [0, 0, 1, 1, 0, 1, 0, 1, 1, 0]
const chance = [0.1, 0.4, 0.35, 0.8, 0.4, 0.9, 0.2, 0.4, 0.65, 0.55]
const predicted = classesOf(chance)
const actual3 = [0, 2, 1, 1, 2]
const chance3 = [0.7, 0.2, 0.1, 0.1, 0.3, 0.6, 0.3, 0.5, 0.2, 0.5, 0.4, 0.1, 0.2, 0.2, 0.6]

describe('figures agree with scikit-learn', () => {
  test.each([
    ['brier', brier(actual, chance), 0.16275],
    ['log loss', logLoss(actual, chance), 0.4874062850159113],
    ['roc auc', rocAuc(actual, chance), 0.8],
    ['average precision', averagePrecision(actual, chance), 0.8392857142857143],
    ['accuracy', accuracy(actual, predicted), 0.7],
    ['balanced accuracy', balancedAccuracy(actual, predicted), 0.7],
    ['precision', precisionRecall(actual, predicted).precision, 0.75],
    ['recall', precisionRecall(actual, predicted).recall, 0.6],
    ['f1', precisionRecall(actual, predicted).f1, 0.6666666666666666],
    ['ece', ece(actual, chance), 0.235],
    ['log loss of three classes', logLoss(actual3, chance3, 3), 0.5975528207809628],
    ['brier of three classes', brier(actual3, chance3, 3), 0.328],
    ['balanced accuracy of three', balancedAccuracy(actual3, classesOf(chance3, 3)), 0.8333333333333334],
  ])('%s', (_, got, expected) => expect(got).toBeCloseTo(expected, 12))

  test('confusion counts actual by predicted', () => {
    expect(confusion(actual, predicted)).toEqual([
      [4, 1],
      [2, 3],
    ])
  })
})

test('the area under the curve does not depend on the scale of the scores', () => {
  const stretched = chance.map((value) => 1000 * value ** 3 - 7)
  expect(rocAuc(actual, stretched)).toBe(rocAuc(actual, chance))
  expect(averagePrecision(actual, stretched)).toBe(averagePrecision(actual, chance))
})

test('scores that are all equal know nothing', () => {
  const flat = chance.map(() => 0.3)
  expect(rocAuc(actual, flat)).toBe(0.5)
  expect(averagePrecision(actual, flat)).toBe(0.5)
})

test('a single class leaves the curves undefined, not wrong', () => {
  expect(rocAuc([1, 1], [0.2, 0.4])).toBeNaN()
  expect(averagePrecision([0, 0], [0.2, 0.4])).toBeNaN()
  expect(precisionRecall([0, 0], [0, 0])).toEqual({
    precision: Number.NaN,
    recall: Number.NaN,
    f1: Number.NaN,
  })
})

test('a certain and wrong forecast costs much, but not infinitely', () => {
  expect(logLoss([1], [0])).toBeCloseTo(34.5, 1)
})

test('three classes have the plain mean of their precisions, recalls and F1', () => {
  // of the classes 0, 1, 2: precision 1/2, 1, 1; recall 1, 1/2, 1; F1 2/3, 2/3, 1
  const scores = classificationScores(actual3, chance3, 3)
  expect(scores.accuracy).toBe(0.8)
  expect(scores.precision).toBeCloseTo(5 / 6, 12)
  expect(scores.recall).toBeCloseTo(5 / 6, 12)
  expect(scores.f1).toBeCloseTo(7 / 9, 12)
  expect(scores.rocAuc).toBeNaN()
})

test('a class that is never claimed counts with precision 0', () => {
  const { precision, recall, f1 } = macroPrecisionRecall([0, 1, 2], [0, 1, 1])
  expect([precision, recall]).toEqual([0.5, 2 / 3])
  expect(f1).toBeCloseTo(5 / 9, 12)
})

describe('bad input', () => {
  test.each([
    ['no rows', () => accuracy([], []), /no rows/],
    ['a NaN target', () => brier([Number.NaN], [0.5]), /actual is NaN/],
    ['a probability above 1', () => brier([1], [1.5]), /probability at row 1 is 1.5/],
    ['a class that is none', () => rocAuc([0, 2], [0.1, 0.2]), /classes 0..1/],
    ['too few probabilities', () => logLoss([0, 1], [0.1, 0.2, 0.7], 3), /3 probabilities for 2 rows of 3/],
  ])('%s is refused with a sentence', (_, score, sentence) => {
    expect(score).toThrow(HomeostatError)
    expect(score).toThrow(sentence)
  })
})
