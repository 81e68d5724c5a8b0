import { describe, expect, test } from 'vitest'
import { createRandom } from './random.ts'
import { fisher, sidak, smallestP, TailWindow } from './tail.ts'

describe('a tail window', () => {
  const random = createRandom(6)
  const exponential = (): number => -Math.log(1 - random.next())
  const window = new TailWindow(5_000, 0.05)
  for (let at = 0; at < 5_000; at++) window.push(exponential())

  test('gives the rank within the record', () => {
    expect(window.pValue(Math.LN2)).toBeCloseTo(0.5, 1)
    expect(window.pValue(0)).toBe(1)
  })

  test('goes on beyond the record as an exponential does', () => {
    // p = exp(-score) for these scores; 250 excesses give the rate to about 1/16, so 13 to within exp(13 / 16)
    expect(Math.abs(Math.log(window.pValue(13)) + 13)).toBeLessThan(2.5)
    expect(window.pValue(14)).toBeLessThan(window.pValue(13))
  })

  test('never says impossible', () => {
    expect(window.pValue(1e9)).toBe(smallestP)
  })

  test('goes on after a JSON round trip with the same bits', () => {
    const copy = TailWindow.load(JSON.parse(JSON.stringify(window)))
    for (const score of [0.1, 2, 9, 11, 20]) expect(copy.pValue(score)).toBe(window.pValue(score))
  })
})

test('with few scores a record has its rank and no more', () => {
  const window = new TailWindow(100)
  for (let at = 0; at < 5; at++) window.push(at)
  expect(window.pValue(1e6)).toBe(1 / 6)
})

test('scores that were all alike make any other as strange as can be said', () => {
  const window = new TailWindow(100)
  for (let at = 0; at < 100; at++) window.push(0)
  expect(window.pValue(0)).toBe(1)
  expect(window.pValue(1e-12)).toBe(smallestP)
})

describe("Fisher's combination", () => {
  // expected: scipy.stats.combine_pvalues(p, method='fisher') of scipy 1.17.1
  test.each([
    [[0.5], 0.5],
    [[0.1, 0.2], 0.09824046010856295],
    [[0.01, 0.5, 0.3], 0.04296326835599419],
    [[1, 1], 1],
  ])('%j', (pValues, expected) => expect(fisher(pValues)).toBeCloseTo(expected, 12))

  test('is uniform for independent uniform p-values', () => {
    const random = createRandom(1)
    let below = 0
    for (let trial = 0; trial < 20_000; trial++)
      if (fisher([1 - random.next(), 1 - random.next(), 1 - random.next()]) <= 0.05) below++
    expect(Math.abs(below / 20_000 - 0.05)).toBeLessThan(5 * Math.sqrt((0.05 * 0.95) / 20_000))
  })
})

test('the smallest of many p-values is worth less, and small ones do not drown in rounding', () => {
  expect(sidak(0.05, 1)).toBeCloseTo(0.05, 15)
  expect(sidak(0.05, 2)).toBeCloseTo(0.0975, 12)
  expect(sidak(1e-18, 10) / 1e-17).toBeCloseTo(1, 12)
})
