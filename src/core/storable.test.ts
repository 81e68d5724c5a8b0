import { describe, expect, it } from 'vitest'
import { findUnstorable } from './storable.ts'

describe('findUnstorable', () => {
  const cyclic: Record<string, unknown> = {}
  cyclic['self'] = cyclic

  it.each([
    ['an alert', { target: { site: 'home' }, since: 1, at: 2, message: 'warm', value: 21.5 }, undefined],
    ['an absent field', { value: undefined, room: null }, undefined],
    ['a number that is not one', { value: Number.NaN }, 'alert.value is NaN'],
    [
      'an infinite number within a list',
      { values: [1, Number.POSITIVE_INFINITY] },
      'alert.values.1 is Infinity',
    ],
    ['a moment that no date can hold', { since: 9e15 }, 'alert.since is 9000000000000000'],
    ['a large number that is no moment', { value: 9e15 }, undefined],
    ['a bigint', { value: 1n }, 'alert.value is a bigint'],
    ['a function', { save: () => 1 }, 'alert.save is a function'],
    ['an object within itself', cyclic, /^alert(\.self)+ is nested more than 8 levels deep$/],
  ])('%s', (_, value, expected) => {
    const found = findUnstorable(value, 'alert')
    if (expected instanceof RegExp) expect(found).toMatch(expected)
    else expect(found).toBe(expected)
  })
})
