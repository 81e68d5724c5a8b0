import { describe, expect, test } from 'vitest'
import type { Frame } from '../frame.ts'
import { ridge } from './ridge.ts'

const frame = (
  columns: Readonly<Record<string, readonly number[]>>,
  categorical?: readonly string[],
): Frame => ({
  rows: Object.values(columns)[0]!.length,
  names: Object.keys(columns),
  columns: Object.values(columns).map((column) => Float64Array.from(column)),
  ...(categorical ? { categorical } : {}),
})

describe('ridge regression', () => {
  const xs = [1, 2, 3, 4, 5, 6]
  const zs = [2, -1, 4, 0, 3, 1]
  const line = Float64Array.from(xs, (x, row) => 3 * x - 2 * zs[row]! + 7)

  test('finds a line again, and goes on with it beyond what it has seen', () => {
    const model = ridge.fit(frame({ x: xs, z: zs }), line, { l2: 1e-9 })
    expect(model.predict(frame({ x: [100], z: [-50] }))[0]).toBeCloseTo(407, 4)
  })

  test('shrinks the one weight by rows / (rows + l2)', () => {
    const target = Float64Array.from(xs, (x) => 2 * x)
    const model = ridge.fit(frame({ x: xs }), target, { l2: 3 })
    // in standard deviations the columns' squares sum up to the rows, 6; the mean of the target is 7
    expect(model.predict(frame({ x: [6.5] }))[0]).toBeCloseTo(7 + (6 / 9) * 2 * 3, 12)
  })

  test('gives each code of a category its own height', () => {
    const room = [0, 1, 2, 0, 1, 2]
    const target = Float64Array.from(room, (code) => [5, 9, 1][code]!)
    const model = ridge.fit(frame({ room }, ['room']), target, { l2: 1e-6 })
    const said = model.predict(frame({ room: [2, 0, 1] }, ['room']))
    for (const [at, height] of [1, 5, 9].entries()) expect(said[at]).toBeCloseTo(height, 4)
  })

  test('takes the mean where a value is missing', () => {
    const model = ridge.fit(frame({ x: xs }), Float64Array.from(xs), { l2: 1e-9 })
    expect(model.predict(frame({ x: [Number.NaN] }))[0]).toBeCloseTo(3.5, 6)
  })

  test('shares the weight between columns that say the same', () => {
    const twice = ridge.fit(frame({ a: xs, b: xs }), line, { l2: 1 })
    const once = ridge.fit(frame({ a: xs }), line, { l2: 0.5 })
    expect(twice.predict(frame({ a: [9], b: [9] }))[0]).toBeCloseTo(once.predict(frame({ a: [9] }))[0]!, 9)
  })

  test('refuses a penalty that is none', () => {
    expect(() => ridge.fit(frame({ x: xs }), line, { l2: 0 })).toThrow(/l2 must lie above 0/)
  })
})
