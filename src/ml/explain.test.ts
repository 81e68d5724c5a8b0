import { expect, test } from 'vitest'
import { gainImportance, shapValues } from './explain.ts'
import type { Frame } from './frame.ts'
import { goesRight } from './learners/boosting/flat-trees.ts'
import { madeData, rowsOf } from './learners/boosting/made-data.ts'
import { type BoostingModel, forEachBlock } from './learners/boosting/model.ts'
import { boosting, boostingClassifier } from './learners/boosting.ts'

const { frame, target } = madeData(1500, 5, 4)
const gaps = frame.columns.map((c, k) => (k === 1 ? c.map((v, row) => (row % 5 === 0 ? Number.NaN : v)) : c))
const mixed: Frame = {
  ...frame,
  columns: gaps.map((c, k) => (k === 2 ? c.map((v) => Math.floor(Math.abs(v) * 4)) : c)),
  categorical: ['x2'],
}
const few = rowsOf(mixed, 0, 12)

/** What the trees expect of a row when only the columns of `known` (bits) are known. */
function expected({ parts: { trees } }: BoostingModel, row: Float64Array, known: number): number {
  const below = (node: number): number => {
    const column = trees.feature[node]!
    if (column < 0) return trees.value[node]!
    const left = trees.left[node]!
    if ((known >> column) & 1) {
      const right = goesRight(row[column]!, trees.value[node]!, trees.flags[node]!, trees.sets)
      return below(left + (right ? 1 : 0))
    }
    const share = trees.cover[left]! / trees.cover[node]!
    return share * below(left) + (1 - share) * below(left + 1)
  }
  return trees.roots.reduce((sum, root) => sum + below(root), 0)
}

test('the values are the Shapley values by their definition, over all orders of the columns', () => {
  const model = boosting.fit(mixed, target, { rounds: 12, maxLeaves: 15 })
  const { values } = shapValues(model, few)
  const factorial = (n: number): number => (n <= 1 ? 1 : n * factorial(n - 1))
  forEachBlock(model.parts, few, (matrix, _, rows) => {
    for (let row = 0; row < rows; row++) {
      const x = matrix.slice(row * 5, row * 5 + 5)
      for (let column = 0; column < 5; column++) {
        let sum = 0
        for (let known = 0; known < 32; known++) {
          if ((known >> column) & 1) continue
          const size = known.toString(2).replaceAll('0', '').length
          const weight = (factorial(size) * factorial(4 - size)) / factorial(5)
          sum += weight * (expected(model, x, known | (1 << column)) - expected(model, x, known))
        }
        expect(values[row * 5 + column]).toBeCloseTo(sum, 10)
      }
    }
  })
})

test('base and values add up to the raw score, for each class', () => {
  const classes = target.map((value) => (value > 3 ? 2 : value > 1 ? 1 : 0))
  const model = boostingClassifier.fit(mixed, classes, { rounds: 9 })
  const { base, values } = shapValues(model, few)
  const raw = model.rawScores(few)
  for (let k = 0; k < raw.length; k++) {
    const sum = values.subarray(k * 5, k * 5 + 5).reduce((a, b) => a + b, base[k % 3]!)
    expect(sum).toBeCloseTo(raw[k]!, 9)
  }
})

test('gain names the columns that matter, and noise last', () => {
  const noisy = {
    ...frame,
    names: [...frame.names, 'noise'],
    columns: [...frame.columns, target.map((_, k) => (k * 37) % 101)],
  }
  const model = boosting.fit(noisy, target)
  const importance = gainImportance(model)
  expect(importance.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 12)
  expect(importance.at(-1)?.name).toBe('noise')
})
