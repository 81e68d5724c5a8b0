import { describe, expect, test } from 'vitest'
import { dayMs, hourMs, minuteMs } from '../../core/time.ts'
import { createRandom } from '../random.ts'
import { findSeason } from './season.ts'
import type { Series } from './series.ts'

const wave = (length: number, period: number, noise: number, stepMs?: number, trend = 0): Series => {
  const random = createRandom(3)
  const values = Float64Array.from(
    { length },
    (_, at) => Math.sin((2 * Math.PI * at) / period) + noise * random.normal() + trend * at,
  )
  return {
    id: 'x',
    values,
    ...(stepMs === undefined ? {} : { times: { startMs: Date.UTC(2024, 0, 1), stepMs } }),
  }
}

describe('the season of series', () => {
  test.each<readonly [string, Series, number]>([
    ['a day of hours', wave(24 * 21, 24, 0.5, hourMs), 24],
    ['a day of half hours', wave(48 * 21, 48, 0.5, 30 * minuteMs), 48],
    ['a day of five minutes', wave(288 * 7, 288, 0.3, 5 * minuteMs), 288],
    ['a day of hours, though it is short', wave(24 * 3, 24, 0.2, hourMs), 24],
    ['a week of days', wave(7 * 30, 7, 0.3, dayMs), 7],
    ['a year of months', wave(12 * 8, 12, 0.3, 30.4 * dayMs), 12],
    ['steps without times', wave(900, 24, 0.5), 24],
    ['steps without times that grow', wave(900, 24, 0.5, undefined, 0.02), 24],
    ['a machine that turns every 50 steps of a minute', wave(2000, 50, 0.3, minuteMs), 50],
    ['noise by the hour, whose day is all there is', wave(24 * 21, 24, 1e6, hourMs), 24],
    ['noise without times', wave(600, 24, 1e6), 1],
    ['a single step', wave(1, 24, 0), 1],
  ])('is found in %s', (_, series, season) => {
    expect(findSeason([series]).season).toBe(season)
  })

  test('is one for all of them, and bears gaps', () => {
    const holes = wave(24 * 30, 24, 0.5, hourMs)
    for (let at = 0; at < holes.values.length; at += 3) holes.values[at] = Number.NaN
    expect(findSeason([holes, wave(24 * 30, 24, 0.5, hourMs)])).toMatchObject({ season: 24 })
  })

  test('is the day though the week repeats itself better', () => {
    const values = Float64Array.from({ length: 24 * 7 * 8 }, (_, hour) => {
      const isWeekend = Math.floor(hour / 24) % 7 >= 5
      return hour % 24 >= 8 && hour % 24 < 18 ? (isWeekend ? 200 : 900) : 200
    })
    const times = { startMs: Date.UTC(2024, 0, 1), stepMs: hourMs }
    expect(findSeason([{ id: 'office', values, times }]).season).toBe(24)
  })
})
