import { describe, expect, test } from 'vitest'
import { HomeostatError } from '../../core/errors.ts'
import type { Frame } from '../frame.ts'
import { createRandom } from '../random.ts'
import { madeData, rowsOf } from './boosting/made-data.ts'
import { boosting, boostingClassifier } from './boosting.ts'

const { frame, target } = madeData(3000, 8, 5)
const learnt = rowsOf(frame, 0, 2000)
const unseen = rowsOf(frame, 2000, 3000)
const learntTarget = target.slice(0, 2000)
const unseenTarget = target.slice(2000)

const rmse = (a: Float64Array, b: Float64Array): number =>
  Math.sqrt(a.reduce((sum, value, k) => sum + (value - b[k]!) ** 2, 0) / a.length)
const mean = (a: Float64Array): number => a.reduce((sum, value) => sum + value, 0) / a.length

/** A frame of columns by name. */
function frameOf(columns: Record<string, ArrayLike<number>>, categorical: string[] = []): Frame {
  const names = Object.keys(columns)
  const arrays = Object.values(columns).map((column) => Float64Array.from(column))
  return { rows: arrays[0]?.length ?? 0, names, columns: arrays, categorical }
}

describe('boosting learns', () => {
  test('the mean, far better than a constant, on rows that it has not seen', () => {
    const model = boosting.fit(learnt, learntTarget)
    const constant = unseenTarget.map(() => mean(learntTarget))
    expect(rmse(model.predict(unseen), unseenTarget)).toBeLessThan(0.55 * rmse(constant, unseenTarget))
  })

  test('a step exactly, with one tree of two leaves', () => {
    const x = Float64Array.from({ length: 100 }, (_, k) => k)
    const y = x.map((value) => (value < 40 ? 1 : 5))
    const model = boosting.fit(frameOf({ x }), y, {
      rounds: 1,
      maxLeaves: 2,
      learningRate: 1,
      minChildRows: 1,
    })
    const said = model.predict(frameOf({ x: [0, 39, 39.4, 39.6, 40, 99] }))
    for (const [k, value] of [1, 1, 1, 5, 5, 5].entries()) expect(said[k]).toBeCloseTo(value, 9)
  })

  test.each([0.1, 0.5, 0.9])('the %d quantile: that share of unseen values lies below', (alpha) => {
    const many = madeData(12_000, 8, 9)
    const options = { loss: 'quantile', alpha, rounds: 150, maxLeaves: 8 } as const
    const model = boosting.fit(rowsOf(many.frame, 0, 8000), many.target.slice(0, 8000), options)
    const said = model.predict(rowsOf(many.frame, 8000, 12_000))
    const below = said.filter((value, k) => many.target[8000 + k]! <= value).length / 4000
    expect(Math.abs(below - alpha)).toBeLessThan(0.05)
  })

  test('the median, which a few wild values do not move', () => {
    const wild = learntTarget.map((value, k) => (k % 50 === 0 ? 1e4 : value))
    const model = boosting.fit(learnt, wild, { loss: 'absolute' })
    expect(rmse(model.predict(unseen), unseenTarget)).toBeLessThan(2)
  })

  test('from missing values, which go the way that fits', () => {
    const x = Float64Array.from({ length: 300 }, (_, k) => (k % 3 === 0 ? Number.NaN : k % 7))
    const y = x.map((value) => (Number.isNaN(value) ? 9 : value))
    const model = boosting.fit(frameOf({ x }), y, { rounds: 60, learningRate: 0.5, minChildRows: 1 })
    const said = model.predict(frameOf({ x: [Number.NaN, 0, 6] }))
    expect(said[0]).toBeCloseTo(9, 3)
    expect(said[1]).toBeCloseTo(0, 3)
    expect(said[2]).toBeCloseTo(6, 3)
  })

  test('from categories without order, with one split where numbers would need many', () => {
    const random = createRandom(3)
    const x = Float64Array.from({ length: 2000 }, () => random.below(20))
    const y = x.map((value) => (value % 2 === 0 ? 1 : -1))
    const options = { rounds: 1, maxLeaves: 2, learningRate: 1 }
    const asNames = boosting.fit(frameOf({ x }, ['x']), y, options)
    expect(rmse(asNames.predict(frameOf({ x }, ['x'])), y)).toBeLessThan(1e-9)
    const asNumbers = boosting.fit(frameOf({ x }), y, options)
    expect(rmse(asNumbers.predict(frameOf({ x })), y)).toBeGreaterThan(0.9)
  })

  test('nothing from rows of weight zero', () => {
    const odd = learntTarget.map((value, k) => (k % 2 === 0 ? value : 1e6))
    const sampleWeight = odd.map((_, k) => (k % 2 === 0 ? 1 : 0))
    const model = boosting.fit(learnt, odd, { sampleWeight })
    expect(Math.max(...model.predict(unseen))).toBeLessThan(100)
  })

  test('and keeps to a monotone constraint at every step, for every loss', () => {
    const random = createRandom(8)
    const x = Float64Array.from({ length: 2000 }, () => random.next())
    const z = Float64Array.from({ length: 2000 }, () => random.next())
    const y = x.map((value, k) => value + 0.5 * Math.sin(12 * value) + 2 * z[k]! + 0.1 * random.normal())
    const grid = Float64Array.from({ length: 200 }, (_, k) => k / 200)
    for (const loss of ['squared', 'absolute', 'quantile'] as const) {
      const free = boosting.fit(frameOf({ x, z }), y, { loss, alpha: 0.3 })
      const bound = boosting.fit(frameOf({ x, z }), y, { loss, alpha: 0.3, monotone: { x: 1 } })
      const falls = (model: typeof free): number => {
        const said = model.predict(frameOf({ x: grid, z: grid.map(() => 0.4) }))
        return said.filter((value, k) => k > 0 && value < said[k - 1]! - 1e-12).length
      }
      expect(falls(free)).toBeGreaterThan(0)
      expect(falls(bound)).toBe(0)
    }
  })

  test('until the tail no longer gets better, and keeps the best round', () => {
    const random = createRandom(2)
    const weak = learnt.columns[0]!.map((value) => Math.sign(value) + 3 * random.normal())
    const truth = unseen.columns[0]!.map(Math.sign)
    const options = { rounds: 300, learningRate: 0.3 }
    const stopped = boosting.fit(learnt, weak, { ...options, earlyStopping: { share: 0.2, rounds: 10 } })
    const unchecked = boosting.fit(learnt, weak, options)
    expect(stopped.parts.trees.roots.length).toBeLessThan(30)
    expect(rmse(stopped.predict(unseen), truth)).toBeLessThan(0.5 * rmse(unchecked.predict(unseen), truth))
  })
})

describe('the classifier learns', () => {
  const classes = learntTarget.map((value) => (value > 3 ? 2 : value > 1 ? 1 : 0))
  const unseenClasses = unseenTarget.map((value) => (value > 3 ? 2 : value > 1 ? 1 : 0))

  test('probabilities of two classes that mean what they say', () => {
    const two = classes.map((value) => Math.min(value, 1))
    const model = boostingClassifier.fit(learnt, two)
    const said = model.predict(unseen)
    const hits = said.filter((p, k) => p > 0.5 === unseenClasses[k]! > 0).length / 1000
    expect(model.outputs).toBe(1)
    expect(hits).toBeGreaterThan(0.82)
    expect(Math.abs(mean(said) - mean(unseenClasses.map((value) => Math.min(value, 1))))).toBeLessThan(0.03)
  })

  test('probabilities of three classes that add up to one', () => {
    const model = boostingClassifier.fit(learnt, classes)
    const said = model.predict(unseen)
    let hits = 0
    for (let row = 0; row < 1000; row++) {
      const three = said.subarray(row * 3, row * 3 + 3)
      expect(three[0]! + three[1]! + three[2]!).toBeCloseTo(1, 12)
      if (three.indexOf(Math.max(...three)) === unseenClasses[row]) hits++
    }
    expect(model.outputs).toBe(3)
    expect(hits / 1000).toBeGreaterThan(0.7)
  })

  test('a single class, which it then gives', () => {
    const model = boostingClassifier.fit(learnt, new Float64Array(2000))
    expect(Math.max(...model.predict(unseen))).toBeLessThan(1e-5)
  })
})

describe('laws', () => {
  test('the same seed gives the same bytes, another seed others', () => {
    const options = { rounds: 10, subsample: 0.7, columnSample: 0.5 }
    const text = (seed: number): string =>
      JSON.stringify(boosting.fit(learnt, learntTarget, { ...options, seed }))
    expect(text(1)).toBe(text(1))
    expect(text(1)).not.toBe(text(2))
  })

  test('the order of the columns does not matter, neither to learning nor to predicting', () => {
    const turned = { ...learnt, names: [...learnt.names].reverse(), columns: [...learnt.columns].reverse() }
    const model = boosting.fit(learnt, learntTarget, { rounds: 10, columnSample: 0.5 })
    const other = boosting.fit(turned, learntTarget, { rounds: 10, columnSample: 0.5 })
    expect(JSON.stringify(other)).toBe(JSON.stringify(model))
    expect(other.predict(turned)).toEqual(model.predict(learnt))
  })

  test('JSON and back predicts the same bits, also for one row without a frame', () => {
    const withGaps = { ...learnt, columns: learnt.columns.map((c, k) => (k === 2 ? c.map(Math.round) : c)) }
    withGaps.columns[0] = withGaps.columns[0]!.map((value, row) => (row % 9 === 0 ? Number.NaN : value))
    const named = { ...withGaps, categorical: ['x2'] }
    const model = boosting.fit(named, learntTarget, { rounds: 30 })
    const again = boosting.load(JSON.parse(JSON.stringify(model)))
    const said = model.predict(named)
    expect(again.predict(named)).toEqual(said)
    const sorted = [...named.names].sort().map((name) => named.columns[named.names.indexOf(name)]!)
    for (const row of [0, 1, 9, 1999]) {
      expect(again.predictRow(Float64Array.from(sorted, (column) => column[row]!))).toBe(said[row])
    }
  })

  test('an absent column counts as missing, an unknown one is not looked at', () => {
    const model = boosting.fit(learnt, learntTarget, { rounds: 20 })
    const gone = { ...unseen, names: unseen.names.slice(1), columns: unseen.columns.slice(1) }
    const empty = {
      ...unseen,
      columns: [unseen.columns[0]!.map(() => Number.NaN), ...unseen.columns.slice(1)],
    }
    const more = { ...gone, names: [...gone.names, 'zz'], columns: [...gone.columns, gone.columns[0]!] }
    expect(model.predict(gone)).toEqual(model.predict(empty))
    expect(model.predict(more)).toEqual(model.predict(empty))
  })

  test('constant and empty columns change nothing', () => {
    const { names, columns } = learnt
    const more = { ...learnt, names: [...names, 'c', 'd'], columns: [...columns, one(7), one(Number.NaN)] }
    const plain = boosting.fit(learnt, learntTarget, { rounds: 10 })
    const padded = boosting.fit(more, learntTarget, { rounds: 10 })
    expect(padded.predict(more)).toEqual(plain.predict(learnt))
    function one(value: number): Float64Array {
      return new Float64Array(2000).fill(value)
    }
  })

  test('one row, or only constant columns, give the target back', () => {
    expect(
      Array.from(boosting.fit(frameOf({ a: [1] }), Float64Array.of(4)).predict(frameOf({ a: [2] }))),
    ).toEqual([4])
    const flat = boosting.fit(frameOf({ a: [1, 1, 1] }), Float64Array.of(1, 2, 3))
    expect(flat.predict(frameOf({ a: [1] }))[0]).toBeCloseTo(2, 12)
  })

  test('the input is not written to', () => {
    const copies = learnt.columns.map((column) => column.slice())
    const targetCopy = learntTarget.slice()
    boosting.fit(learnt, learntTarget, { rounds: 3, loss: 'absolute' }).predict(learnt)
    expect(learnt.columns).toEqual(copies)
    expect(learntTarget).toEqual(targetCopy)
  })

  test('infinite features are as good as large ones', () => {
    const x = Float64Array.from({ length: 100 }, (_, k) => (k < 10 ? Number.POSITIVE_INFINITY : k))
    const y = x.map((value) => (value > 50 ? 1 : 0))
    const model = boosting.fit(frameOf({ x }), y, { rounds: 50, learningRate: 0.5, minChildRows: 1 })
    const said = model.predict(frameOf({ x: [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 60, 20] }))
    expect(said.map(Math.round)).toEqual(Float64Array.of(1, 0, 1, 0))
  })
})

describe('what cannot be learnt from is refused with a sentence', () => {
  const refusal = (act: () => unknown): string => {
    try {
      act()
    } catch (error) {
      if (error instanceof HomeostatError) return `${error.code}: ${error.message}`
      throw error
    }
    return 'accepted'
  }
  const x = frameOf({ x: [1, 2, 3] })
  const y = Float64Array.of(1, 2, 3)
  const withNaN = Float64Array.from({ length: 20 }, (_, k) => (k === 16 ? Number.NaN : k))
  const good = JSON.parse(JSON.stringify(boosting.fit(learnt, learntTarget, { rounds: 3 })))

  test.each([
    [
      'NaN target',
      () => boosting.fit(frameOf({ x: withNaN }), withNaN),
      'The target is not a number in row 17.',
    ],
    [
      'no rows',
      () => boosting.fit(frameOf({ x: [] }), new Float64Array(0)),
      'There are no rows to learn from.',
    ],
    ['short target', () => boosting.fit(x, Float64Array.of(1)), 'The target has 1 values, the table 3 rows.'],
    ['alpha', () => boosting.fit(x, y, { loss: 'quantile', alpha: 1 }), 'between 0 and 1, not 1'],
    ['rounds', () => boosting.fit(x, y, { rounds: 1.5 }), 'rounds must be a whole number'],
    [
      'weights',
      () => boosting.fit(x, y, { sampleWeight: Float64Array.of(1, -1, 1) }),
      'The weight in row 2 is -1',
    ],
    ['classes', () => boostingClassifier.fit(x, Float64Array.of(0, 1, 1.5)), 'The class in row 3 is 1.5'],
    [
      'twice a name',
      () => boosting.fit({ ...x, names: ['x', 'x'], columns: [y, y] }, y),
      'Two columns are named "x"',
    ],
    ['null', () => boosting.load(null), 'not a model of boosted trees: it is not an object'],
    ['foreign', () => boosting.load({ a: 1 }), 'it does not say that it is one'],
    ['other loss', () => boostingClassifier.load(good), 'its loss is not one of logistic, softmax'],
    ['cut off', () => boosting.load({ ...good, value: good.value.slice(1) }), 'differ in length'],
    [
      'text for a number',
      () => boosting.load({ ...good, cover: good.cover.map(String) }),
      'not a number at position 0',
    ],
    [
      'no such column',
      () => boosting.load({ ...good, feature: good.feature.map(() => 99) }),
      'asks for column 99',
    ],
    [
      'no tree',
      () => boosting.load({ ...good, sizes: good.sizes.map((n: number) => n + 1) }),
      'is not a tree',
    ],
  ])('%s', (_, act, sentence) => {
    const said = refusal(act)
    expect(said).toContain('data_invalid: ')
    expect(said).toContain(sentence)
  })
})
