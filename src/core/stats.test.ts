import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RunningStats } from './stats.ts'

const values = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 2, maxLength: 60 })

function plain(list: readonly number[]): { mean: number; variance: number } {
  const mean = list.reduce((sum, value) => sum + value, 0) / list.length
  return { mean, variance: list.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (list.length - 1) }
}

const of = (list: readonly number[]): RunningStats => {
  const stats = new RunningStats()
  for (const value of list) stats.update(value)
  return stats
}

const close = (a: number, b: number): boolean =>
  Math.abs(a - b) <= 1e-6 * Math.max(1, Math.abs(a), Math.abs(b))

describe('running statistics', () => {
  it('agree with two passes over the values', () => {
    fc.assert(
      fc.property(values, (list) => {
        const { mean, variance } = plain(list)
        const stats = of(list)
        return close(stats.mean, mean) && close(stats.variance, variance)
      }),
    )
  })

  it('forget a value that is taken back', () => {
    fc.assert(
      fc.property(values, fc.double({ min: -1e6, max: 1e6, noNaN: true }), (list, extra) => {
        const stats = of([...list, extra])
        stats.revert(extra)
        return (
          close(stats.mean, of(list).mean) &&
          Math.abs(stats.variance - of(list).variance) <= 1e-3 * Math.max(1, of(list).variance)
        )
      }),
    )
  })

  it('merge into what one would have seen', () => {
    fc.assert(
      fc.property(values, values, (left, right) => {
        const stats = of(left)
        stats.merge(of(right))
        const both = of([...left, ...right])
        return (
          close(stats.mean, both.mean) && close(stats.variance, both.variance) && stats.count === both.count
        )
      }),
    )
  })

  it('keep their precision far from zero', () => {
    expect(of([1e9 + 1, 1e9 + 2, 1e9 + 3]).variance).toBeCloseTo(1, 6)
  })

  it('say that there is nothing rather than zero', () => {
    const stats = new RunningStats()
    expect([stats.mean, stats.variance]).toEqual([Number.NaN, Number.NaN])
    stats.update(3)
    expect([stats.mean, stats.std]).toEqual([3, Number.NaN])
    stats.revert(3)
    expect(stats.count).toBe(0)
    expect(() => stats.revert(3)).toThrow(RangeError)
  })
})
