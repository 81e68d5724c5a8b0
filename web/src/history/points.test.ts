import { describe, expect, test } from 'vitest'
import type { Reading, Rollup } from '../api/types.ts'
import {
  addToHours,
  columnsWithGaps,
  extentOfHours,
  heldUntil,
  isUnusual,
  reportsByHour,
  spanOf,
  withLive,
} from './points.ts'

const hour = 3_600_000
const now = 1_000 * hour + 1234

const stored = (at: number, value: number): Reading => ({
  site: 'home',
  device: 'd',
  metric: 'power',
  unit: 'W',
  at,
  value,
})

const rollup = (at: number, over: Partial<Rollup> = {}): Rollup => ({
  at,
  count: 2,
  min: 1,
  max: 3,
  mean: 2,
  first: 1,
  last: 3,
  ...over,
})

describe('the span of a range', () => {
  test('ends now while the series speaks', () => {
    expect(spanOf('24h', now, now - 5000)).toEqual({ from: now - 24 * hour, to: now, endsNow: true })
  })

  test('ends with the data where that ended before the range began', () => {
    const newest = now - 5000 * hour
    expect(spanOf('7d', now, newest)).toMatchObject({ to: newest + 1, endsNow: false })
  })

  test('begins on a whole hour where hours are shown', () => {
    expect(spanOf('30d', now, now).from % hour).toBe(0)
  })
})

test('live points follow the stored ones, each time once', () => {
  const live = [1, 2, 3].map((at) => ({ at, value: at * 10 }))
  expect(withLive([stored(1, 5), stored(2, 6)], live, 0)).toEqual([
    { at: 1, value: 5 },
    { at: 2, value: 6 },
    { at: 3, value: 30 },
  ])
})

describe('a live point among the hours', () => {
  test('makes the hour in progress grow', () => {
    const [grown] = addToHours([rollup(0)], { at: 10, value: 8 })
    expect(grown).toEqual({ at: 0, count: 3, min: 1, max: 8, mean: 4, first: 1, last: 8 })
  })

  test('begins a new hour', () => {
    expect(addToHours([rollup(0)], { at: hour + 5, value: 8 })[1]).toMatchObject({
      at: hour,
      count: 1,
      mean: 8,
    })
  })

  test('changes nothing when it is late', () => {
    const hours = [rollup(hour)]
    expect(addToHours(hours, { at: 5, value: 8 })).toBe(hours)
  })
})

describe('gaps', () => {
  test('no line is drawn over a silence', () => {
    const rows = [stored(0, 1), stored(100, 2), stored(200, 3)]
    const { at, values } = columnsWithGaps(rows, [(row) => row.value], (_, index) => index === 2)
    expect(at).toEqual([0, 100, 101, 200])
    expect(values).toEqual([[1, 2, null, 3]])
  })

  const minute = 60_000
  const silences = (...steps: number[]): number[] => {
    const rows = [{ at: 0 }]
    for (const step of steps) rows.push({ at: (rows.at(-1)?.at ?? 0) + step })
    return rows.flatMap((_, index) => (isUnusual(rows, index) ? [index] : []))
  }
  const often = (step: number): number[] => new Array<number>(20).fill(step)

  test.each([
    ['hourly readings', often(hour), []],
    ['an outage among readings by the second', [...often(1000), hour, ...often(1000)], [21]],
    ['a pause of ten minutes', [...often(1000), 10 * minute, ...often(1000)], []],
    ['a past by the quarter of an hour before a live sensor', [...often(15 * minute), ...often(1000)], []],
    ['an outage between the two', [...often(15 * minute), 4 * hour, ...often(1000)], [21]],
    ['two readings', [hour], []],
  ])('of %s are where the pace around them says', (_, steps, found) => {
    expect(silences(...steps)).toEqual(found)
  })
})

test('a state holds until the end of the chart', () => {
  expect(heldUntil([{ at: 1, value: 1 }], 9)).toEqual([
    { at: 1, value: 1 },
    { at: 9, value: 1 },
  ])
  expect(heldUntil([], 9)).toEqual([])
})

test('reports of a state are counted by the hour, silent hours as none', () => {
  const hours = [rollup(0, { count: 4, mean: 0.5 }), rollup(3 * hour, { count: 1, mean: 1 })]
  expect(reportsByHour(hours).map(({ value }) => value)).toEqual([2, 0, 0, 1])
})

test('the mean of hours is weighed by their readings', () => {
  const hours = [rollup(0, { count: 1, mean: 10 }), rollup(hour, { count: 3, mean: 2 })]
  expect(extentOfHours(hours)?.mean).toBe(4)
})
