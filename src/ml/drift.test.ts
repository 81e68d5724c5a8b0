import { describe, expect, it } from 'vitest'
import { psi, referenceOf, usualPsi } from './drift.ts'
import { psi as plainPsi } from './metrics.ts'
import { createRandom } from './random.ts'

const normal = (count: number, seed: number, mean = 0): number[] => {
  const random = createRandom(seed)
  return Array.from({ length: count }, () => mean + random.normal())
}

describe('the population stability index', () => {
  it('is computed by hand like this', () => {
    const reference = referenceOf([1, 2, 3, 4], 2)
    expect(reference).toEqual({ edges: [2], counts: [2, 2, 0] })
    // shares 1/2, 1/2 then; 1/4, 3/4 now
    expect(psi(reference, [1, 3, 4, 4])).toBeCloseTo(-0.25 * Math.log(0.5) + 0.25 * Math.log(1.5), 12)
  })

  it('is that of the plain one with the data at hand, where nothing is missing', () => {
    const [then, now] = [normal(500, 1), normal(300, 2, 0.4)]
    expect(psi(referenceOf(then), now)).toBeCloseTo(plainPsi(then, now), 12)
  })

  it('is small for the same, above 0.25 for another population', () => {
    const reference = referenceOf(normal(5000, 3))
    expect(psi(reference, normal(1000, 4))).toBeLessThan(0.05)
    expect(psi(reference, normal(1000, 5, 1))).toBeGreaterThan(0.25)
    expect(psi(reference, normal(5000, 3))).toBe(0)
  })

  it('survives JSON', () => {
    const reference = referenceOf(normal(200, 6))
    expect(psi(JSON.parse(JSON.stringify(reference)), normal(100, 7))).toBe(psi(reference, normal(100, 7)))
  })

  it('sees that a sensor fell silent, and that it speaks again', () => {
    const half = normal(400, 8).map((value, row) => (row % 2 === 0 ? value : Number.NaN))
    expect(psi(referenceOf(normal(400, 9)), half)).toBeGreaterThan(1)
    expect(psi(referenceOf(half), normal(400, 9))).toBeGreaterThan(1)
    expect(psi(referenceOf(half), half)).toBe(0)
    expect(psi(referenceOf([Number.NaN, Number.NaN]), [1, 2])).toBeGreaterThan(0.25)
  })

  it('sees a constant move, to either side', () => {
    const reference = referenceOf(new Array(50).fill(0))
    expect(psi(reference, new Array(50).fill(0))).toBe(0)
    for (const moved of [1, -1, 1e-9]) expect(psi(reference, new Array(50).fill(moved))).toBeGreaterThan(1)
  })

  it('puts equal values into one bin', () => {
    const mostlyZero = Array.from({ length: 100 }, (_, row) => (row < 85 ? 0 : row))
    const { edges, counts } = referenceOf(mostlyZero)
    expect(edges).toEqual([0, 89])
    expect(counts).toEqual([85, 5, 10, 0])
  })

  it('refuses nothing to refer to, or to compare', () => {
    expect(() => referenceOf([])).toThrow('there are no rows to refer to.')
    expect(() => psi(referenceOf([1]), [])).toThrow('there are no rows to compare.')
    expect(() => referenceOf([1], 1)).toThrow('bins must be a whole number from 2 on, not 1.')
  })

  it('knows what is usual: the group that lies farthest from the others', () => {
    // three groups of four: the third one is all above the others
    const column = [1, 2, 3, 4, 1, 2, 3, 4, 9, 9, 9, 9]
    const groups = [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]
    const reference = referenceOf(column, 2)
    // bins up to 3 and above: the others 6 and 2 of 8, the third none and 4 of 4
    const expected = (0.125 - 0.75) * Math.log(0.125 / 0.75) + (1 - 0.25) * Math.log(1 / 0.25)
    expect(usualPsi(column, groups, reference)).toBeCloseTo(expected, 12)
    expect(usualPsi(column.slice(0, 8), groups.slice(0, 8), reference)).toBe(0)
    // a group too small to say anything: what is left are 3 and 1 of 4, beside 3 and 2 of 5
    const small = usualPsi([...column.slice(0, 8), 9], [...groups.slice(0, 8), 2], reference)
    expect(small).toBeCloseTo(0.15 * Math.log(1.25) - 0.15 * Math.log(0.625), 12)
    // and one that has no other
    expect(usualPsi(column, new Array(12).fill(5), reference)).toBe(0)
  })

  it('has a usual week for a slow input that lies as far from the rest as any', () => {
    const slow = Array.from({ length: 20 * 168 }, (_, hour) => Math.floor(hour / 168) % 5)
    const weeks = slow.map((_, hour) => Math.floor(hour / 168))
    const reference = referenceOf(slow)
    expect(psi(reference, new Array(168).fill(2))).toBeGreaterThan(1)
    expect(psi(reference, new Array(168).fill(2))).toBeLessThanOrEqual(usualPsi(slow, weeks, reference))
  })
})
