import { describe, expect, it } from 'vitest'
import { incompleteBeta, pairedTest, studentTail } from './compare.ts'
import { createRandom } from './random.ts'

// figures made with SciPy 1.17.1: stats.t.sf, stats.ttest_1samp(alternative='greater'), and the formula of the paper
describe('the tail of Student t', () => {
  it.each([
    [0, 5, 0.5],
    [1, 1, 0.25000000000000006],
    [2.015, 5, 0.05000308616340318],
    [1.5, 9, 0.08392532802853753],
    [-1.5, 9, 0.9160746719714625],
    [3.2, 33, 0.0015165274888158753],
    [8, 4, 0.0006619484546085836],
    [0.3, 120, 0.3823481055875932],
    [12.7062, 1, 0.0250000092803552],
    [40, 30, 6.863022597203209e-28],
  ])('of %d with %d degrees of freedom is that of SciPy', (t, freedom, p) => {
    expect(studentTail(t, freedom) / p).toBeCloseTo(1, 11)
  })

  it('has a whole beta function under it', () => {
    expect([incompleteBeta(0, 2, 3), incompleteBeta(1, 2, 3)]).toEqual([0, 1])
    expect(incompleteBeta(0.3, 1, 1)).toBeCloseTo(0.3, 13)
    expect(incompleteBeta(0.3, 2, 5) + incompleteBeta(0.7, 5, 2)).toBeCloseTo(1, 13)
  })
})

describe('the paired test', () => {
  const differences = [0.3, 0.4, 0.5, 0.2, -0.1, -0.2, 0.05, 0.35, 0.6, 0.1, 0, -0.3]

  it('is the t test where origins do not overlap', () => {
    const { count, mean, t, p } = pairedTest(differences)
    expect([count, mean, t, p]).toEqual([
      12,
      expect.closeTo(0.1583333333333333, 12),
      expect.closeTo(1.945638715058088, 12),
      expect.closeTo(0.0388462109501336, 12),
    ])
  })

  it('takes account of what overlaps', () => {
    const [one, two] = [1, 2].map((lags) => pairedTest(differences, { lags }))
    expect([one!.t, one!.p]).toEqual([
      expect.closeTo(1.305765528448936, 12),
      expect.closeTo(0.10914016032982683, 12),
    ])
    expect([two!.t, two!.p]).toEqual([
      expect.closeTo(1.3477776258276624, 12),
      expect.closeTo(0.10241594403132134, 12),
    ])
  })

  it('bears a sum of autocovariances that falls below zero', () => {
    const swinging = [1, -0.9, 1.1, -1, 0.9, -1.1, 1, -0.9]
    const { t, p } = pairedTest(swinging, { lags: 1 })
    expect([Number.isFinite(t), p > 0.3 && p < 0.7]).toEqual([true, true])
  })

  it('tells nothing from fewer than five pairs', () => {
    expect(pairedTest([1, 1, 1, 1])).toEqual({ count: 4, mean: 1, t: 0, p: 1 })
    expect(pairedTest([])).toEqual({ count: 0, mean: 0, t: 0, p: 1 })
  })

  it('goes by the sign where all differences are the same', () => {
    expect([0.1, 0, -0.1].map((value) => pairedTest(new Array(6).fill(value)).p)).toEqual([0, 1, 1])
  })

  it('refuses what is not a number', () => {
    expect(() => pairedTest([1, 2, Number.NaN, 4, 5])).toThrow('the difference 2 is NaN.')
  })

  it('cries wolf as often as it says, and sees what is there', () => {
    const random = createRandom(1)
    const share = (mean: number, lags: number): number => {
      let passed = 0
      for (let run = 0; run < 4000; run++) {
        const shocks = Array.from({ length: 21 + lags }, () => random.normal())
        const drawn = Array.from({ length: 20 }, (_, at) => {
          let sum = 0
          for (let lag = 0; lag <= lags; lag++) sum += shocks[at + lag]!
          return mean + sum
        })
        if (pairedTest(drawn, { lags }).p < 0.05) passed++
      }
      return passed / 4000
    }
    expect(share(0, 0)).toBeGreaterThan(0.04)
    expect(share(0, 0)).toBeLessThan(0.06)
    // what overlaps by one step is harder to tell: the correction keeps it near, the plain test would be at 0.13
    expect(share(0, 1)).toBeLessThan(0.09)
    expect(share(0.6, 0)).toBeGreaterThan(0.75)
  })
})
