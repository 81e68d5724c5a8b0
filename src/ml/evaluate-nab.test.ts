import { describe, expect, test } from 'vitest'
import { HomeostatError } from '../core/errors.ts'
import { type NabFile, nabProbationaryRows, nabProfiles, nabWindows, scoreNab } from './evaluate-nab.ts'
import { createRandom } from './random.ts'

const rows = 200
const windows: [number, number][] = [
  [60, 79],
  [120, 139],
]

const detecting = (...at: number[]): NabFile => {
  const scores = new Float64Array(rows)
  for (const row of at) scores[row] = 1
  return { scores, windows }
}

describe('the published properties', () => {
  test('a detector that speaks at the first row of every window and nowhere else has 100', () => {
    for (const profile of Object.values(nabProfiles))
      expect(scoreNab([detecting(60, 120), detecting(60, 120)], profile).score).toBeCloseTo(100, 10)
  })

  test('a detector that never speaks has 0', () => {
    const silent = scoreNab([detecting()], nabProfiles.standard, 1)
    expect(silent).toMatchObject({ score: 0, windowsFound: 0, falsePositives: 0 })
  })

  test('equal scores everywhere are no better than silence, so silence is chosen', () => {
    expect(scoreNab([detecting()]).threshold).toBe(Number.POSITIVE_INFINITY)
    expect(scoreNab([detecting()]).score).toBe(0)
  })
})

describe('the weight of a detection, by the formula of the paper', () => {
  const sigmoid = (y: number): number => 2 * (1 / (1 + Math.exp(5 * y))) - 1
  const score = (...at: number[]): number => scoreNab([detecting(...at)], nabProfiles.standard, 1).score
  const worth = (points: number): number => (100 * points) / 4 // two windows: from -2 to +2

  test.each([
    ['first row of a window', [60], 1 + 1],
    ['middle of a window', [70], 1 + sigmoid(-0.5) / sigmoid(-1)],
    ['last row of a window', [79], 1 + sigmoid(-0.05) / sigmoid(-1)],
    ['twice in one window: the earlier counts', [60, 70], 1 + 1],
    ['before any window', [40], -0.11],
    ['right after a window', [80], 0.11 * sigmoid(1 / 19)],
    ['far after a window: cut to the full cost', [199], -0.11],
    ['in probation: nothing', [29], 0],
    ['first row after probation', [30], -0.11],
  ])('%s', (_, at, points) => expect(score(...at)).toBeCloseTo(worth(points), 10))
})

test('one threshold is chosen for all files together', () => {
  const clear = {
    scores: Float64Array.from({ length: rows }, (_, at) => (at === 60 ? 0.5 : 0)),
    windows: [windows[0]!],
  }
  const noisy = { scores: Float64Array.from({ length: rows }, (_, at) => (at % 2 ? 0.6 : 0)), windows: [] }
  const result = scoreNab([clear, noisy])
  expect(result.score).toBe(0)
  expect(scoreNab([clear]).score).toBeCloseTo(100, 10)
})

test('a better threshold than the chosen one does not exist', () => {
  const random = createRandom(4)
  const files = Array.from({ length: 5 }, () => ({
    scores: Float64Array.from({ length: rows }, (_, at) => random.next() + (at >= 60 && at < 80 ? 0.2 : 0)),
    windows,
  }))
  const chosen = scoreNab(files)
  expect(scoreNab(files, nabProfiles.standard, chosen.threshold)).toEqual(chosen)
  for (let threshold = 0; threshold < 1.3; threshold += 0.01)
    expect(scoreNab(files, nabProfiles.standard, threshold).score).toBeLessThanOrEqual(chosen.score + 1e-9)
})

test('false negatives weigh more, and false positives, where the profile says so', () => {
  const files = [detecting(60, 40)]
  const standard = scoreNab(files, nabProfiles.standard, 1).score
  expect(scoreNab(files, nabProfiles.rewardLowFalsePositives, 1).score).toBeLessThan(standard)
  // scaled to 0..100 a missed window costs as much, but a false alarm less
  expect(scoreNab(files, nabProfiles.rewardLowFalseNegatives, 1).score).toBeGreaterThan(standard)
})

test('probation is 15 % of a file and at most 750 rows', () => {
  expect(nabProbationaryRows(1127)).toBe(169)
  expect(nabProbationaryRows(15_902)).toBe(750)
})

test('windows are found by their times, and a time that no row has is refused', () => {
  expect(nabWindows([10, 20, 30, 40], [[20, 30]])).toEqual([[1, 2]])
  expect(() => nabWindows([10, 20], [[10, 25]])).toThrow(HomeostatError)
})
