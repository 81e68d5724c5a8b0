import { expect, it } from 'vitest'
import { toRanges } from './duckdb-rollup.ts'

const hour = 3_600_000

it('joins hours that lie close and leaves those apart that lie far', () => {
  expect(toRanges([])).toEqual([])
  expect(toRanges([0, hour, 3 * hour])).toEqual([{ from: 0, to: 4 * hour }])
  expect(toRanges([0, 1000 * hour])).toEqual([
    { from: 0, to: hour },
    { from: 1000 * hour, to: 1001 * hour },
  ])
})
