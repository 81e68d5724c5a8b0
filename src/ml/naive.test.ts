import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { localParts } from '../core/calendar.ts'
import { HomeostatError } from '../core/errors.ts'
import { hourMs } from '../core/time.ts'
import { naiveForecast, naiveForecasts, naiveKinds } from './naive.ts'

/** `days` days of 4 steps whose value is day * 10 + slot. */
const days = (count: number): number[] =>
  Array.from({ length: count * 4 }, (_, at) => Math.floor(at / 4) * 10 + (at % 4))

describe('with enough history every kind gives what it promises', () => {
  const made = naiveForecasts(days(28), 6, 4)

  test.each([
    ['yesterday', [270, 271, 272, 273, 270, 271]],
    ['last-week', [210, 211, 212, 213, 220, 221]],
    ['slot-mean', [135, 136, 137, 138, 135, 136]],
  ] as const)('%s', (kind, expected) => {
    expect([...made[kind].mean]).toEqual(expected)
    expect(made[kind].basis).toEqual(new Array(6).fill('itself'))
  })

  test('last week beyond a week repeats the last week', () => {
    const { mean } = naiveForecast('last-week', days(28), 9 * 4, 4)
    expect(mean[7 * 4]).toBe(210)
    expect(mean[8 * 4]).toBe(220)
  })

  test('the slot mean forgets what is older than 28 days', () => {
    const old = [1e9, 1e9, 1e9, 1e9, ...days(28)]
    expect(naiveForecast('slot-mean', old, 4, 4).mean).toEqual(
      naiveForecast('slot-mean', days(28), 4, 4).mean,
    )
  })
})

describe('short or broken history falls back, and the basis tells', () => {
  test('a missing yesterday takes the day before', () => {
    const history = days(3)
    history[9] = Number.NaN
    const { mean, basis } = naiveForecast('yesterday', history, 2, 4)
    expect([...mean]).toEqual([20, 11])
    expect(basis).toEqual(['itself', 'same-slot'])
  })

  test('two days of history have no last week, so the newest day stands in', () => {
    const { mean, basis } = naiveForecast('last-week', days(2), 1, 4)
    expect(mean[0]).toBe(10)
    expect(basis).toEqual(['same-slot'])
  })

  test('a missing last week takes the week before it rather than yesterday', () => {
    const history = days(28)
    history[21 * 4] = Number.NaN
    const { mean, basis } = naiveForecast('last-week', history, 1, 4)
    expect(mean[0]).toBe(140)
    expect(basis).toEqual(['same-slot'])
  })

  test('less than a day gives the last value where the slot was never seen', () => {
    const { mean, basis } = naiveForecast('slot-mean', [7, 8], 4, 4)
    expect([...mean]).toEqual([8, 8, 7, 8])
    expect(basis).toEqual(['last-value', 'last-value', 'itself', 'itself'])
  })

  test('no value at all gives NaN, based on nothing', () => {
    const { mean, basis } = naiveForecast('yesterday', [Number.NaN], 1, 24)
    expect(mean[0]).toBeNaN()
    expect(basis).toEqual(['nothing'])
  })
})

test('a forecast is never made of anything but values of the history', () => {
  const history = fc.array(fc.oneof(fc.integer({ min: -50, max: 50 }), fc.constant(Number.NaN)), {
    maxLength: 300,
  })
  fc.assert(
    fc.property(
      history,
      fc.integer({ min: 1, max: 60 }),
      fc.constantFrom(...naiveKinds),
      (values, horizon, kind) => {
        const { mean } = naiveForecast(kind, values, horizon, 5)
        const known = values.filter((value) => !Number.isNaN(value))
        for (const value of mean) {
          if (known.length === 0) expect(value).toBeNaN()
          else if (kind === 'slot-mean') {
            expect(value).toBeGreaterThanOrEqual(Math.min(...known))
            expect(value).toBeLessThanOrEqual(Math.max(...known))
          } else expect(known).toContain(value)
        }
      },
    ),
  )
})

test('a horizon of 0 is refused', () => {
  expect(() => naiveForecast('yesterday', [1], 0, 24)).toThrow(HomeostatError)
})

describe('"the same time" is that of the wall clock', () => {
  const zone = 'Europe/Paris'
  /** By the hour, the hour of the wall clock; of a week that ends at 00:00 of the given day, UTC ms. */
  const clock = (endMs: number) => {
    const startMs = endMs - 7 * 24 * hourMs
    const values = Float64Array.from(
      { length: 7 * 24 },
      (_, hour) => localParts(zone, startMs + hour * hourMs).hour,
    )
    return { values, times: { startMs, stepMs: hourMs, zone } }
  }

  // a day after a change of clocks, and a day over it
  test.each([['2024-10-27T23:00Z'], ['2024-10-26T22:00Z'], ['2025-03-30T22:00Z'], ['2025-03-29T23:00Z']])(
    'from %s on, for every kind',
    (text) => {
      const endMs = Date.parse(text)
      const { values, times } = clock(endMs)
      const expected = Array.from({ length: 24 }, (_, hour) => localParts(zone, endMs + hour * hourMs).hour)
      const made = naiveForecasts(values, 24, 24, times)
      for (const kind of naiveKinds) expect([...made[kind].mean], kind).toEqual(expected)
    },
  )
})
