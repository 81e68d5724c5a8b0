import { expect, test } from 'vitest'
import { valueText } from './value-text.ts'

test.each([
  [1, 'state', 'door', 'open'],
  [0, 'state', 'window_open', 'closed'],
  [1, 'state', 'switch', 'on'],
  [0, 'state', 'constructor', 'off'],
  [0.5, 'state', 'door', '0.5'],
  [3, 'raw', 'people', '3'],
  [0.25, '1', 'share', '0.25'],
  [1500, 'ppm', 'co2', '1500 ppm'],
])('valueText: %f %s of %s is "%s"', (value, unit, metric, text) => {
  expect(valueText(value, unit, metric)).toBe(text)
})
