import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { HomeostatError } from '../core/errors.ts'
import {
  AdaptiveConformal,
  conformalPValue,
  conformalQuantile,
  cqr,
  cqrScores,
  SortedWindow,
  splitConformal,
} from './conformal.ts'
import { createRandom } from './random.ts'

/** Five standard errors of a share of `trials`: a right implementation leaves it once in two million seeds. */
const slack = (share: number, trials: number): number => 5 * Math.sqrt((share * (1 - share)) / trials)

describe('the conformal quantile', () => {
  test('is the ceil((n + 1)(1 - alpha))-th smallest', () => {
    const nine = [9, 1, 8, 2, 7, 3, 6, 4, 5]
    expect(conformalQuantile(nine, 0.1)).toBe(9)
    expect(conformalQuantile(nine, 0.2)).toBe(8)
    expect(conformalQuantile(nine, 0.15)).toBe(9)
    expect(conformalQuantile(nine, 0.5)).toBe(5)
  })

  test('promises nothing where there are too few scores', () => {
    expect(conformalQuantile([1, 2, 3], 0.1)).toBe(Number.POSITIVE_INFINITY)
    expect(conformalQuantile([], 0.5)).toBe(Number.POSITIVE_INFINITY)
  })

  test('leaves out what is not known', () => {
    expect(conformalQuantile([Number.NaN, 1, 2, 3], 0.5)).toBe(2)
  })

  test.each([0, 1, Number.NaN])('alpha %d is refused', (alpha) => {
    expect(() => conformalQuantile([1], alpha)).toThrow(HomeostatError)
  })
})

describe('split conformal', () => {
  // The law: over calibration sets of n, a new score is covered with probability ceil((n + 1)(1 - alpha)) / (n + 1),
  // which is the very share that the finite-sample quantile promises.
  test.each([
    [19, 0.1],
    [30, 0.1],
    [50, 0.05],
    [9, 0.2],
  ])('covers exactly what it promises with %d scores at alpha %d', (n, alpha) => {
    const random = createRandom(7)
    const trials = 20_000
    let covered = 0
    for (let trial = 0; trial < trials; trial++) {
      const scores = Float64Array.from({ length: n }, () => Math.abs(random.normal()))
      if (Math.abs(random.normal()) <= conformalQuantile(scores, alpha)) covered++
    }
    const promise = Math.ceil((n + 1) * (1 - alpha) - 1e-9) / (n + 1)
    expect(promise).toBeGreaterThanOrEqual(1 - alpha)
    expect(Math.abs(covered / trials - promise)).toBeLessThan(slack(promise, trials))
  })

  test('gives every lead time a width of its own', () => {
    const errors = Float64Array.from([1, 10, 2, 20, 3, 30])
    expect([...splitConformal(errors, 2, 0.5)]).toEqual([2, 20])
  })

  test('refuses a matrix that is not whole rows', () => {
    expect(() => splitConformal(new Float64Array(5), 2, 0.1)).toThrow(/not whole rows of 2/)
  })
})

describe('conformalised quantile regression', () => {
  test('scores are positive outside and negative inside', () => {
    expect([...cqrScores([0, 5, 12], [1, 1, 1], [10, 10, 10])]).toEqual([1, -4, 2])
  })

  test('widens an interval that is too narrow and narrows one that is too wide to the promised coverage', () => {
    for (const half of [0.3, 4]) {
      const random = createRandom(11)
      const draw = (): number => random.normal()
      const count = 2_000
      const lo = new Float64Array(count).fill(-half)
      const hi = new Float64Array(count).fill(half)
      const [by] = cqr(cqrScores(Float64Array.from({ length: count }, draw), lo, hi), 1, 0.1)
      expect(Math.sign(by!)).toBe(half < 1 ? 1 : -1)
      let covered = 0
      for (let row = 0; row < 20_000; row++) if (Math.abs(draw()) <= half + by!) covered++
      expect(Math.abs(covered / 20_000 - 0.9)).toBeLessThan(slack(0.9, 2_000) + slack(0.9, 20_000))
    }
  })
})

describe('adaptive conformal', () => {
  const options = { alpha: 0.1, gamma: 0.02, horizon: 1, window: 200 }

  test('keeps its promise while the errors grow, where split conformal fails', () => {
    const random = createRandom(3)
    const steps = 4_000
    const scores = Float64Array.from({ length: steps }, (_, at) => Math.abs(random.normal()) * (1 + at / 500))
    const fixed = conformalQuantile(scores.subarray(0, 200), 0.1)
    const adaptive = new AdaptiveConformal(options)
    let outsideFixed = 0
    let outsideAdaptive = 0
    for (const score of scores) {
      if (score > fixed) outsideFixed++
      if (!adaptive.learn(0, score)) outsideAdaptive++
    }
    expect(outsideFixed / steps).toBeGreaterThan(0.3)
    // proposition 4.1 of Gibbs and Candes
    expect(Math.abs(outsideAdaptive / steps - 0.1)).toBeLessThanOrEqual(1.02 / (0.02 * steps))
  })

  test('keeps the bound of proposition 4.1 on any series of scores', () => {
    const scores = fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { minLength: 400, maxLength: 600 })
    fc.assert(
      fc.property(scores, fc.constantFrom(0.05, 0.1, 0.3), (series, alpha) => {
        const gamma = 0.05
        const adaptive = new AdaptiveConformal({ alpha, gamma, horizon: 1, window: 50 })
        const outside = series.filter((score) => !adaptive.learn(0, score)).length
        expect(Math.abs(outside / series.length - alpha)).toBeLessThanOrEqual(
          (1 + gamma) / (gamma * series.length),
        )
      }),
      { numRuns: 30 },
    )
  })

  test('lead times do not touch each other', () => {
    const adaptive = new AdaptiveConformal({ ...options, horizon: 2 })
    for (let at = 0; at < 50; at++) adaptive.learn(0, at)
    expect(adaptive.width(0)).toBeLessThan(Number.POSITIVE_INFINITY)
    expect(adaptive.width(1)).toBe(Number.POSITIVE_INFINITY)
  })

  test('goes on after a JSON round trip as if nothing had happened', () => {
    const random = createRandom(5)
    const one = new AdaptiveConformal({ ...options, window: 20 })
    for (let at = 0; at < 33; at++) one.learn(0, random.next())
    const two = AdaptiveConformal.load(JSON.parse(JSON.stringify(one)))
    for (let at = 0; at < 40; at++) {
      const score = random.next()
      expect(two.width(0)).toBe(one.width(0))
      expect(two.learn(0, score)).toBe(one.learn(0, score))
    }
  })
})

describe('conformal p-values', () => {
  test('are the share at least as strange, itself included', () => {
    const sorted = Float64Array.from([1, 2, 2, 3])
    expect(conformalPValue(sorted, 9)).toBe(1 / 5)
    expect(conformalPValue(sorted, 2)).toBe(4 / 5)
    expect(conformalPValue(sorted, 0)).toBe(1)
  })

  test('smoothed ones are uniform even where scores are tied', () => {
    const random = createRandom(2)
    const counts = new Float64Array(10)
    const trials = 20_000
    for (let trial = 0; trial < trials; trial++) {
      const sorted = Float64Array.from({ length: 15 }, () => random.below(4)).sort()
      counts[Math.min(9, Math.floor(10 * conformalPValue(sorted, random.below(4), random)))]!++
    }
    for (const count of counts) expect(Math.abs(count / trials - 0.1)).toBeLessThan(slack(0.1, trials))
  })

  test('a threshold on the p-value of a stream is its false-alarm rate', () => {
    const random = createRandom(8)
    const window = new SortedWindow(500)
    let alarms = 0
    const trials = 40_000
    for (let at = 0; at < trials + 500; at++) {
      const score = random.normal()
      if (at >= 500 && window.pValue(score) <= 0.02) alarms++
      window.push(score)
    }
    // consecutive p-values share their window, which widens the spread a little: twice the slack
    expect(Math.abs(alarms / trials - 10 / 501)).toBeLessThan(2 * slack(0.02, trials))
  })
})

test('a sorted window holds the newest scores, whatever comes in', () => {
  const scores = fc.array(fc.oneof(fc.integer({ min: -3, max: 3 }), fc.double()), { maxLength: 60 })
  fc.assert(
    fc.property(scores, fc.integer({ min: 1, max: 20 }), (series, capacity) => {
      const window = new SortedWindow(capacity)
      for (const score of series) window.push(score + 0) // + 0: no negative zeros
      const newest = series
        .filter((score) => !Number.isNaN(score))
        .map((score) => score + 0)
        .slice(-capacity)
      expect([...window.inOrder()]).toEqual(newest)
      expect([...window.sorted()]).toEqual([...Float64Array.from(newest).sort()])
    }),
  )
})
