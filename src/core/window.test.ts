import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Window } from './window.ts'

/** The plain version: a sorted list of the newest `capacity` distinct times. */
function plain(pushes: readonly (readonly [number, number])[], capacity: number): [number, number][] {
  let kept: [number, number][] = []
  for (const [at, value] of pushes) {
    if (kept.length === capacity && at < kept[0]![0]) continue
    kept = [...kept.filter(([other]) => other !== at), [at, value] as [number, number]]
      .sort((a, b) => a[0] - b[0])
      .slice(-capacity)
  }
  return kept
}

describe('a window', () => {
  it('holds the same as a sorted list, whatever the order of arrival', () => {
    const pushes = fc.array(fc.tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 5 })), {
      maxLength: 80,
    })
    fc.assert(
      fc.property(pushes, fc.integer({ min: 1, max: 12 }), (list, capacity) => {
        const window = new Window(capacity)
        for (const [at, value] of list) window.push(at, value)
        const { at, value } = window.columns()
        expect(Array.from(at, (moment, index) => [moment, value[index]])).toEqual(plain(list, capacity))
        expect(window.count).toBe(at.length)
        expect(window.newestAt).toBe(at.length === 0 ? Number.NEGATIVE_INFINITY : at.at(-1))
      }),
      { numRuns: 500 },
    )
  })

  it('says whether a push changed anything', () => {
    const window = new Window(2)
    expect([
      window.push(10, 1),
      window.push(20, 2),
      window.push(20, 2),
      window.push(20, 3),
      // older than the window: what it was before is not known
      window.push(5, 0),
    ]).toEqual([true, true, false, true, true])
  })

  it('gives copies', () => {
    const window = new Window(3)
    window.push(1, 1)
    window.columns().value[0] = 99
    expect(window.newestValue).toBe(1)
  })
})

it('Window: forgets what is later than a time, and goes on from there', () => {
  const window = new Window(3)
  for (const at of [1, 2, 3, 90, 91]) window.push(at, at)
  window.forgetAfter(10)
  expect([...window.columns().at]).toEqual([3])
  for (const at of [4, 5, 6]) window.push(at, at)
  expect([...window.columns().at]).toEqual([4, 5, 6])
  window.forgetAfter(0)
  expect([window.count, window.newestAt]).toEqual([0, Number.NEGATIVE_INFINITY])
})
