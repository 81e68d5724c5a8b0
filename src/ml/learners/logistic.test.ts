import { describe, expect, test } from 'vitest'
import type { Frame } from '../frame.ts'
import { createRandom } from '../random.ts'
import { logistic } from './logistic.ts'

const rows = 60
const a = Float64Array.from({ length: rows }, (_, i) => ((i * 37) % 101) / 10)
const b = Float64Array.from({ length: rows }, (_, i) => ((i * 53 + 7) % 89) / 5)
const target = a.map((value, i) => (value - 0.4 * b[i]! + ((i * 29) % 17) / 4 > 5 ? 1 : 0))
const frame: Frame = { rows, names: ['a', 'b'], columns: [a, b] }

describe('logistic regression', () => {
  // scikit-learn 1.9.1: LogisticRegression(C=1/l2, tol=1e-12) on StandardScaler columns
  test.each([
    [1, [0.05090962850682754, 0.027360683042715526, 0.8575527539322435]],
    [0.1, [0.0031489369594259785, 0.0007438594027119437, 0.9812705817318511]],
  ])('gives the probabilities of scikit-learn with l2 %d', (l2, expected) => {
    const chance = logistic.fit(frame, target, { l2 }).predict(frame)
    for (let row = 0; row < 3; row++) expect(chance[row]).toBeCloseTo(expected[row]!, 6)
  })

  test('stays finite where the classes are apart', () => {
    const apart: Frame = { rows: 4, names: ['x'], columns: [Float64Array.of(1, 2, 3, 4)] }
    const chance = logistic.fit(apart, Float64Array.of(0, 0, 1, 1), { l2: 1e-6 }).predict(apart)
    expect(chance[0]).toBeLessThan(0.01)
    expect(chance[3]).toBeGreaterThan(0.99)
  })

  test('takes the codes of a categorical column as names, not as numbers', () => {
    const random = createRandom(1)
    const code = Float64Array.from({ length: 300 }, () => random.below(3))
    const isOne = code.map((value) => (value === 1 ? 1 : 0))
    const rooms: Frame = { rows: 300, names: ['room'], columns: [code], categorical: ['room'] }
    const chance = logistic.fit(rooms, isOne).predict(rooms)
    expect(chance.every((p, row) => p > 0.5 === (isOne[row] === 1))).toBe(true)
  })

  test.each([
    ['one class', Float64Array.of(1, 1), /one class only/],
    ['three classes', Float64Array.of(0, 2), /two classes apart/],
  ])('%s is refused with a sentence', (_, classes, sentence) => {
    const two: Frame = { rows: 2, names: ['x'], columns: [Float64Array.of(1, 2)] }
    expect(() => logistic.fit(two, classes)).toThrow(sentence)
  })
})
