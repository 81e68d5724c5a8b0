import { describe, expect, it } from 'vitest'
import { purgedFolds } from './folds.ts'
import type { Frame } from './frame.ts'
import { learnTable } from './learn.ts'
import { r2 } from './metrics.ts'
import { accuracy, classesOf } from './metrics-classification.ts'
import { createRandom } from './random.ts'

const rows = 600
const random = createRandom(2)
const frame: Frame = {
  rows,
  names: ['a', 'b', 'noise'],
  columns: ['a', 'b', 'noise'].map(() => Float64Array.from({ length: rows }, () => random.normal())),
}
const [a, b] = frame.columns
const value = Float64Array.from(
  { length: rows },
  (_, row) => 3 * a![row]! + b![row]! ** 2 + 0.3 * random.normal(),
)
const classOf = value.map((one) => (one > 1 ? 1 : 0))
const folds = purgedFolds(
  Array.from({ length: rows }, (_, row) => row),
  { folds: 4, purgeMs: 0, embargoMs: 0 },
)

describe('learning a table', () => {
  it('learns numbers, and says what mattered', () => {
    const learnt = learnTable(frame, value, 'regression', folds)
    expect(r2(value, learnt.predict(frame))).toBeGreaterThan(0.85)
    expect(learnt.importance.map(({ name }) => name)).toEqual(['a', 'b', 'noise'])
  })

  it('learns classes, and weighs its learners by what they showed on the folds', () => {
    const learnt = learnTable(frame, classOf, 'classification', folds)
    expect(accuracy(classOf, classesOf(learnt.predict(frame)))).toBeGreaterThan(0.9)
    expect(learnt.trials.reduce((sum, { weight }) => sum + weight, 0)).toBeCloseTo(1, 12)
    const briers = learnt.trials.map(({ weight, scores }) => [
      weight,
      scores && 'brier' in scores ? scores.brier : 0,
    ])
    const best = briers.reduce((least, one) => (one[1]! < least[1]! ? one : least))
    expect(best[0]).toBe(Math.max(...briers.map(([weight]) => weight!)))
  })

  it('tells more than two classes apart', () => {
    const three = value.map((one) => (one < -1 ? 0 : one < 2 ? 1 : 2))
    const learnt = learnTable(frame, three, 'classification', folds)
    expect(learnt.outputs).toBe(3)
    expect(accuracy(three, classesOf(learnt.predict(frame), 3))).toBeGreaterThan(0.8)
  })

  it('tries the rows alone, too, where that is asked for', () => {
    const learnt = learnTable(frame, value, 'regression', folds, { alone: ['a', 'b'] })
    expect(learnt.trials.map(({ name }) => name)).toContain('ridge, rows alone')
  })

  it('learns without folds, and leaves out folds that lack a class', () => {
    const sorted = Float64Array.from(classOf).sort()
    const half = purgedFolds([...sorted.keys()], { folds: 2, purgeMs: 0, embargoMs: 0 })
    const learnt = learnTable(frame, sorted, 'classification', half.slice(0, 1))
    expect(learnt.trials[0]).toMatchObject({ name: 'boosting', weight: 1, scores: undefined })
  })

  it('refuses a target that is the same in every row', () => {
    expect(() => learnTable(frame, new Float64Array(rows).fill(4), 'regression', folds)).toThrow(
      /is 4 in every row/,
    )
  })
})
