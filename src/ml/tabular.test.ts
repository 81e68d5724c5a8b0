import { describe, expect, it } from 'vitest'
import type { Frame } from './frame.ts'
import { createRandom } from './random.ts'
import { spansFor, timedFeatures } from './tabular.ts'

const minute = 60_000
const rows = 300
const random = createRandom(1)
const at = Float64Array.from({ length: rows }, (_, row) => Date.UTC(2024, 0, 5, 22) + row * minute)
const frame: Frame = {
  rows,
  names: ['co2'],
  columns: [Float64Array.from({ length: rows }, () => 400 + 50 * random.normal())],
}
const options = { spansMs: [5 * minute, 60 * minute], zone: 'UTC' }

const column = (made: Frame, name: string): Float64Array => {
  const place = made.names.indexOf(name)
  expect(place, `${name} of ${made.names.join(', ')}`).toBeGreaterThanOrEqual(0)
  return made.columns[place]!
}

describe('features of rows in order of time', () => {
  const made = timedFeatures(frame, at, options)
  const values = frame.columns[0]!

  it('are what a plain loop says', () => {
    const row = 200
    expect(column(made, 'co2 change 5 min')[row]).toBe(values[row]! - values[row - 5]!)
    const hour = [...values.subarray(row - 59, row + 1)]
    const mean = hour.reduce((sum, value) => sum + value, 0) / 60
    const variance = hour.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 60
    expect(column(made, 'co2 over mean 1 h')[row]).toBeCloseTo(values[row]! - mean, 9)
    expect(column(made, 'co2 deviation 1 h')[row]).toBeCloseTo(Math.sqrt(variance), 9)
    expect(column(made, 'hour')[row]).toBeCloseTo(1 + 20 / 60, 12)
    expect(column(made, 'weekday')[row]).toBe(6)
  })

  it('do not move when later rows do', () => {
    const changed = { ...frame, columns: [values.map((value, row) => (row <= 200 ? value : -1e6))] }
    const other = timedFeatures(changed, at, options)
    for (const [place, one] of made.columns.entries())
      expect(other.columns[place]!.subarray(0, 201), made.names[place]).toEqual(one.subarray(0, 201))
  })

  it('are the same for the rows of a shorter table', () => {
    const short = timedFeatures(
      { ...frame, rows: 150, columns: [values.subarray(0, 150)] },
      at.subarray(0, 150),
      options,
    )
    for (const [place, one] of short.columns.entries())
      expect(one, short.names[place]).toEqual(made.columns[place]!.subarray(0, 150))
  })

  it('do not reach into another group, nor over a gap', () => {
    const groups = Array.from(at, (_, row) => (row < 100 ? 'a' : 'b'))
    const change = column(timedFeatures(frame, at, options, groups), 'co2 change 5 min')
    expect([99, 100, 104, 105].map((row) => Number.isNaN(change[row]!))).toEqual([false, true, true, false])
    const gap = at.map((time, row) => (row < 100 ? time : time + 600 * minute))
    expect(column(timedFeatures(frame, gap, options), 'co2 change 5 min')[102]).toBeNaN()
  })

  it('know missing values and leave them out of means', () => {
    const holes = { ...frame, columns: [values.map((value, row) => (row % 3 === 0 ? Number.NaN : value))] }
    const over = column(timedFeatures(holes, at, options), 'co2 over mean 5 min')
    expect(over[201]).toBeNaN()
    expect(over[202]).toBeCloseTo(values[202]! - (values[199]! + values[200]! + values[202]!) / 3, 9)
  })

  it('are refused for times that go back', () => {
    const back = at.map((time, row) => (row === 7 ? time - 10 * minute : time))
    expect(() => timedFeatures(frame, back, options)).toThrow(/row 8 is not/)
  })

  it('take spans that suit the distance of the rows', () => {
    expect(spansFor(at)).toEqual([5, 10, 15, 30, 60].map((span) => span * minute))
    const hourly = at.map((_, row) => row * 60 * minute)
    expect(spansFor(hourly)).toEqual([1, 2, 3, 6, 24].map((span) => span * 60 * minute))
  })
})
