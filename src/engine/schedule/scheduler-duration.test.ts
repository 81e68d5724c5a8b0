import { expect, test } from 'vitest'
import { parseDuration } from './scheduler-duration.ts'

test.each([
  ['12h', 12 * 3_600_000],
  ['30s', 30_000],
  ['1h30m', 90 * 60_000],
  ['500ms', 500],
  ['1.5h', 90 * 60_000],
  ['.5s', 500],
  ['1.s', 1000],
  ['1h1m1s', 3_661_000],
  ['1s1s', 2000],
  ['250us', 0.25],
  ['250µs', 0.25],
  ['1000000ns', 1],
  ['0', 0],
  ['0s', 0],
  [' 5m ', 300_000],
])('"%s" is %d ms', (text, ms) => {
  expect(parseDuration(text)).toBeCloseTo(ms, 9)
})

test.each(['', '5', '-5s', '+5s', '5 s', '5d', 'h', '1h30', '.s', '1..5s', '1e3s', 'Infinitys', '5S'])(
  '"%s" is no duration',
  (text) => {
    expect(parseDuration(text)).toBeUndefined()
  },
)
