/** The streaming learners that watch one series at a time, on series made to show what each is for. */

import { describe, expect, test } from 'vitest'
import { dayMs, minuteMs } from '../../core/time.ts'
import { createRandom } from '../random.ts'
import type { StreamingModel } from '../streaming.ts'
import { halfSpaceTreesStream } from './half-space-trees.ts'
import { levelShiftStream } from './level-shift.ts'
import { seasonalResidualStream } from './seasonal-residual.ts'
import { stuckStream } from './stuck.ts'

const monday = Date.UTC(2024, 0, 1)

/** Scores a series step by step, as in live use. */
function run(model: StreamingModel, values: readonly number[], stepMs: number, startMs = monday): number[] {
  return values.map((value, at) => {
    const score = model.scoreOne([value], startMs + at * stepMs)
    model.learnOne([value], startMs + at * stepMs)
    return score
  })
}

describe('seasonal residual', () => {
  const daily = (days: number, noise: number): number[] => {
    const random = createRandom(4)
    return Array.from(
      { length: days * 96 },
      (_, at) => 10 * Math.sin((2 * Math.PI * at) / 96) + noise * random.normal(),
    )
  }

  test('a usual value at an unusual hour is strange, though the series has often had it', () => {
    const values = daily(14, 0.5)
    const model = seasonalResidualStream.create(['x'])
    const scores = run(model, values, 15 * minuteMs)
    const at = monday + 14 * dayMs + 6 * 3_600_000 // the daily maximum, 10
    expect(model.scoreOne([10], at)).toBeLessThan(5)
    expect(model.scoreOne([-10], at)).toBeGreaterThan(30)
    expect(Math.max(...scores.slice(4 * 96))).toBeLessThan(10)
  })

  test('weekends have a profile of their own', () => {
    const model = seasonalResidualStream.create(['x'], { scale: 'none' })
    // 5 on workdays, 50 on weekends, three weeks of hours
    const values = Array.from({ length: 21 * 24 }, (_, hour) => (Math.floor(hour / 24) % 7 >= 5 ? 50 : 5))
    run(model, values, 60 * minuteMs)
    const saturday = monday + 26 * dayMs
    expect(model.scoreOne([50], saturday)).toBe(0)
    expect(model.scoreOne([5], saturday)).toBe(45)
    expect(model.scoreOne([5], saturday + 2 * dayMs)).toBe(0)
  })

  test('the clock on the wall counts: a habit keeps its hour when the clocks are put forward', () => {
    const [before, after] = [Date.UTC(2024, 2, 11, 5), Date.UTC(2024, 3, 1, 5)] // Mondays at 6:00 and 7:00 in Berlin
    const surprise = (zone: string): number => {
      const model = seasonalResidualStream.create(['x'], { scale: 'none', zone })
      // on at 7 o'clock in Berlin, which is 6:00 UTC in winter
      run(
        model,
        Array.from({ length: 14 * 24 }, (_, hour) => (hour % 24 === 1 ? 1 : 0)),
        60 * minuteMs,
        before,
      )
      return model.scoreOne([1], after)
    }
    expect(surprise('Europe/Berlin')).toBe(0)
    expect(surprise('UTC')).toBe(1)
  })

  test('one wild day does not change what is normal', () => {
    const values = daily(8, 0)
    const wild = values.map((value, at) => (at >= 5 * 96 && at < 6 * 96 ? 500 : value))
    const model = seasonalResidualStream.create(['x'], { scale: 'none' })
    run(model, wild, 15 * minuteMs)
    expect(model.scoreOne([10], monday + 8 * dayMs + 6 * 3_600_000)).toBeLessThan(1)
  })

  test('nothing is said of an hour that was not seen often enough', () => {
    const model = seasonalResidualStream.create(['x'])
    expect(Math.max(...run(model, daily(3, 1), 15 * minuteMs))).toBe(0)
  })
})

describe('level shift', () => {
  test('a new level scores in proportion to how far it is off, and is learnt in the end', () => {
    const random = createRandom(4)
    const values = Array.from({ length: 3_000 }, (_, at) => (at < 1_000 ? 20 : 26) + random.normal())
    const model = levelShiftStream.create(['x'], { pastValues: 500 })
    const scores = run(model, values, minuteMs)
    expect(Math.max(...scores.slice(300, 1_000))).toBeLessThan(1)
    expect(scores[1_047]).toBeGreaterThan(5)
    expect(Math.max(...scores.slice(1_700))).toBeLessThan(1)
  })

  test('agrees with the means and deviations counted from scratch', () => {
    const random = createRandom(5)
    const values = Array.from({ length: 400 }, () => 1e6 + random.normal())
    const scores = run(levelShiftStream.create(['x'], { recentValues: 7, pastValues: 50 }), values, minuteMs)
    for (let at = 60; at < 400; at += 13) {
      const recent = values.slice(at - 6, at + 1)
      const past = values.slice(at - 56, at - 6)
      const mean = (of: number[]): number => of.reduce((sum, value) => sum + value - 1e6, 0) / of.length
      const spread = Math.sqrt(mean(past.map((value) => (value - 1e6 - mean(past)) ** 2 + 1e6)))
      expect(scores[at]).toBeCloseTo(Math.abs(mean(recent) - mean(past)) / spread, 5)
    }
  })

  test('a single spike is no new level', () => {
    const values = Array.from({ length: 300 }, (_, at) => (at === 250 ? 30 : at % 7))
    expect(Math.max(...run(levelShiftStream.create(['x']), values, minuteMs))).toBeLessThan(1)
  })
})

describe('stuck', () => {
  test('a sensor that stands still longer than ever passes 1', () => {
    const random = createRandom(3)
    const values = Array.from({ length: 200 }, (_, at) => (at < 100 ? Math.round(100 * random.next()) : 42))
    const scores = run(stuckStream.create(['x']), values, minuteMs)
    expect(Math.max(...scores.slice(0, 100))).toBeLessThan(1)
    expect(scores[105]).toBeLessThan(1)
    expect(scores[199]).toBeGreaterThan(9)
  })

  test('a door that is often shut for a day is not stuck when it is shut for a day', () => {
    const values = Array.from({ length: 24 * 20 }, (_, hour) => (hour % 24 === 7 ? 1 : 0))
    const scores = run(stuckStream.create(['x']), values, 60 * minuteMs)
    expect(Math.max(...scores.slice(48))).toBeLessThanOrEqual(1)
  })
})

describe('half-space trees', () => {
  test('rows where none were lately score above rows in the thick', () => {
    const random = createRandom(2)
    const model = halfSpaceTreesStream.create(['a', 'b'])
    for (let at = 0; at < 1_000; at++) model.learnOne([random.normal(), random.normal()], at)
    const middle = model.scoreOne([0, 0], 0)
    const far = model.scoreOne([4, -4], 0)
    expect(middle).toBeLessThan(0.5)
    expect(far).toBeGreaterThan(0.9)
  })

  test('forget what is no longer so', () => {
    const random = createRandom(2)
    const model = halfSpaceTreesStream.create(['a'])
    for (let at = 0; at < 500; at++) model.learnOne([random.normal()], at)
    const before = model.scoreOne([3.4], 0)
    for (let at = 0; at < 500; at++) model.learnOne([3.4 + 0.1 * random.normal()], at)
    expect(model.scoreOne([3.4], 0)).toBeLessThan(before)
    // two windows later nothing is left of the rows around 0
    expect(model.scoreOne([-1], 0)).toBe(1)
  })
})
