import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { HomeostatError } from '../core/errors.ts'
import { leaveGroupOut, purgedFolds, rollingOrigin } from './folds.ts'

describe('rolling origin', () => {
  test('tests the newest rows, each trained on what came before it', () => {
    const folds = rollingOrigin(10, { folds: 3, testRows: 2 })
    expect(folds.map((fold) => [...fold.test])).toEqual([
      [4, 5],
      [6, 7],
      [8, 9],
    ])
    expect(folds.map((fold) => [...fold.train])).toEqual([
      [0, 1, 2, 3],
      [0, 1, 2, 3, 4, 5],
      [0, 1, 2, 3, 4, 5, 6, 7],
    ])
  })

  test('leaves a gap, forgets old rows and skips origins with too little history', () => {
    const folds = rollingOrigin(10, { folds: 4, testRows: 2, gapRows: 1, minTrainRows: 3, maxTrainRows: 4 })
    expect(folds.map((fold) => [...fold.train])).toEqual([
      [0, 1, 2],
      [1, 2, 3, 4],
      [3, 4, 5, 6],
    ])
  })

  test('says so when nothing fits', () => {
    expect(() => rollingOrigin(3, { folds: 2, testRows: 3 })).toThrow(/3 rows are too few/)
  })
})

describe('leave group out', () => {
  test('tests every group once, trained on all others', () => {
    const folds = leaveGroupOut(['a', 'b', 'a', 'c'])
    expect(folds.map(({ name, train, test: rows }) => [name, [...train], [...rows]])).toEqual([
      ['a', [1, 3], [0, 2]],
      ['b', [0, 2, 3], [1]],
      ['c', [0, 1, 2], [3]],
    ])
  })

  test('one group cannot be left out', () => {
    expect(() => leaveGroupOut([1, 1])).toThrow(HomeostatError)
  })
})

describe('purged folds', () => {
  test('test every row once and keep training away from it on both sides', () => {
    const gaps = fc.array(fc.integer({ min: 0, max: 20 }), { minLength: 6, maxLength: 80 })
    const span = fc.integer({ min: 0, max: 30 })
    fc.assert(
      fc.property(gaps, fc.integer({ min: 2, max: 5 }), span, span, (steps, folds, purgeMs, embargoMs) => {
        let now = 0
        const at = steps.map((step) => {
          now += step
          return now
        })
        const made = purgedFolds(at, { folds, purgeMs, embargoMs })
        expect(made.flatMap((fold) => [...fold.test])).toEqual(at.map((_, row) => row))
        for (const { train, test: rows } of made)
          for (const row of train) {
            const before = row < rows[0]! && at[row]! < at[rows[0]!]! - purgeMs
            const after = row > rows.at(-1)! && at[row]! > at[rows.at(-1)!]! + embargoMs
            expect(before || after).toBe(true)
          }
      }),
    )
  })

  test('rows out of order are refused', () => {
    expect(() => purgedFolds([3, 2, 4], { folds: 2, purgeMs: 0, embargoMs: 0 })).toThrow(/order of time/)
  })
})
