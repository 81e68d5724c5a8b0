import { describe, expect, test } from 'vitest'
import type { Frame } from '../frame.ts'
import { createRandom } from '../random.ts'
import { symmetricEigen } from './linear.ts'
import { fitPca } from './pca.ts'

/** b follows a, c is noise of its own. */
function frameOf(rows: number, seed = 3): Frame {
  const random = createRandom(seed)
  const a = Float64Array.from({ length: rows }, () => random.normal())
  const b = a.map((value) => 2 * value + 0.1 * random.normal())
  const c = a.map(() => 5 + random.normal())
  return { rows, names: ['a', 'b', 'c'], columns: [a, b, c] }
}

const rowOf = (a: number, b: number, c: number): Frame => ({
  rows: 1,
  names: ['a', 'b', 'c'],
  columns: [Float64Array.of(a), Float64Array.of(b), Float64Array.of(c)],
})

describe('principal components', () => {
  const model = fitPca(frameOf(1_000), { varianceShare: 0.8 })

  test('far out along the usual way is T2, off the usual way is Q', () => {
    const along = model.statistics(rowOf(5, 10, 5))
    const off = model.statistics(rowOf(1, -2, 5))
    expect(along.t2[0]).toBeGreaterThan(20)
    expect(along.q[0]).toBeLessThan(0.1)
    expect(off.t2[0]).toBeLessThan(2)
    expect(off.q[0]).toBeGreaterThan(1)
    expect(model.predict(rowOf(1, -2, 5))[0]).toBeGreaterThan(model.predict(rowOf(1, 2, 5))[0]! * 3)
  })

  test('the mean score of normal rows is about the number of columns', () => {
    const scores = fitPca(frameOf(1_000), { shrinkage: 1e-9 }).predict(frameOf(1_000))
    expect(scores.reduce((sum, score) => sum + score, 0) / 1_000).toBeCloseTo(3, 5)
  })

  test('the score is the distance under correlations drawn towards 0 by the shrinkage', () => {
    const [a, b] = [Float64Array.of(1, 2, 3, 4, 6), Float64Array.of(2, 1, 4, 3, 7)]
    const two: Frame = { rows: 5, names: ['a', 'b'], columns: [a, b] }
    const z = [a, b].map((column) => {
      const mean = column.reduce((sum, value) => sum + value, 0) / 5
      const spread = Math.sqrt(column.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 5)
      return column.map((value) => (value - mean) / spread)
    })
    const r = 0.7 * (z[0]!.reduce((sum, value, row) => sum + value * z[1]![row]!, 0) / 5)
    fitPca(two, { shrinkage: 0.3 })
      .predict(two)
      .forEach((score, row) => {
        const [x, y] = [z[0]![row]!, z[1]![row]!]
        expect(score).toBeCloseTo((x * x + y * y - 2 * r * x * y) / (1 - r * r), 9)
      })
  })

  test('contributions sum to the score and name the column that moved', () => {
    const row = rowOf(0.2, 0.4, 12)
    const adds = model.contributions(row)
    const sum = Object.values(adds).reduce((total, of) => total + of[0]!, 0)
    expect(sum).toBeCloseTo(model.predict(row)[0]!, 9)
    expect(adds['c']![0]).toBeGreaterThan(0.9 * sum)
  })

  test('a column that never varied is strange as soon as it does', () => {
    const frame = frameOf(200)
    const constant: Frame = {
      rows: 200,
      names: ['a', 'k'],
      columns: [frame.columns[0]!, new Float64Array(200).fill(7)],
    }
    const scores = fitPca(constant).predict({
      rows: 2,
      names: ['a', 'k'],
      columns: [Float64Array.of(0, 0), Float64Array.of(7, 8)],
    })
    expect(scores[0]).toBeLessThan(0.1)
    expect(scores[1]).toBeGreaterThan(100)
  })

  test('shrinkage of 0 is refused: copies of a column would be divided by 0', () => {
    expect(() => fitPca(frameOf(10), { shrinkage: 0 })).toThrow(/shrinkage/)
  })
})

describe('eigenvectors', () => {
  test('agree with numpy', () => {
    // numpy.linalg.eigh([[4, 1, 0.5], [1, 3, -1], [0.5, -1, 2]])
    const { values } = symmetricEigen([
      [4, 1, 0.5],
      [1, 3, -1],
      [0.5, -1, 2],
    ])
    const expected = [4.622905121644135, 3.317544438556552, 1.0595504397993136]
    values.forEach((value, at) => {
      expect(value).toBeCloseTo(expected[at]!, 12)
    })
  })

  test('put a matrix together again', () => {
    const random = createRandom(12)
    const size = 12
    const rows = Array.from({ length: size }, () => Array.from({ length: 30 }, () => random.normal()))
    const matrix = rows.map((a) => rows.map((b) => a.reduce((sum, value, at) => sum + value * b[at]!, 0)))
    const { values, vectors } = symmetricEigen(matrix)
    for (let i = 0; i < size; i++)
      for (let j = 0; j < size; j++) {
        const again = values.reduce((sum, value, at) => sum + value * vectors[at]![i]! * vectors[at]![j]!, 0)
        expect(again).toBeCloseTo(matrix[i]![j]!, 9)
      }
  })
})
