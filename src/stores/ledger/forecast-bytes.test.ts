import { describe, expect, it } from 'vitest'
import type { Forecast } from '../../core/event.ts'
import { hourMs, quarterMs } from '../../core/time.ts'
import { createRandom } from '../../ml/random.ts'
import { forecastBytes, forecastOfBytes } from './forecast-bytes.ts'

const steps = 48 * 4 + 120
const random = createRandom(4)
const column = (of: () => number): Float64Array => Float64Array.from({ length: steps }, of)

const forecast = (change: Partial<Forecast> = {}): Forecast => ({
  kind: 'forecast',
  target: { site: 'home', domain: 'energy', subject: 'fridge' },
  metric: 'energy',
  unit: 'kWh',
  origin: Date.UTC(2026, 0, 5),
  madeAt: Date.UTC(2026, 0, 5) + 1234,
  model: { name: 'energy-boosting', version: '20260105T000000Z', kind: 'learned' },
  grid: [
    { stepMs: quarterMs, count: 48 * 4 },
    { stepMs: hourMs, count: 120 },
  ],
  mean: column(() => random.normal()),
  quantiles: [],
  ...change,
})

const again = (made: Forecast): Forecast => {
  const { target, metric, origin } = made
  return forecastOfBytes(forecastBytes(made), { target, metric, origin })
}

describe('a forecast as bytes', () => {
  it.each([
    ['an offset', () => 1e6 + random.next()],
    ['both signs', () => 40 * random.normal()],
    ['tiny values', () => 1e-300 * random.next()],
    ['a range that overflows', () => random.next() * 1.7e308 * (random.next() < 0.5 ? -1 : 1)],
    ['gaps', () => (random.next() < 0.3 ? Number.NaN : random.next())],
    ['nothing known', () => Number.NaN],
    ['one value', () => 0.1 + 0.2],
  ])('keeps a column with %s to 1/30,000 of its range, the least value and NaN exactly', (_, of) => {
    const mean = column(of)
    const found = again(forecast({ mean })).mean
    const known = [...mean].filter(Number.isFinite)
    const [least, most] = [Math.min(...known), Math.max(...known)]
    for (const [step, value] of mean.entries()) {
      if (Number.isNaN(value)) expect(found[step]).toBeNaN()
      // halves, since the range may overflow
      else expect(Math.abs(found[step]! / 2 - value / 2)).toBeLessThanOrEqual((most / 2 - least / 2) / 30_000)
    }
    if (known.length > 0) expect(found[mean.indexOf(least)]).toBe(least)
  })

  it('keeps what is beside the columns, and which of them there are', () => {
    const plain = forecast({ mean: new Float64Array(steps) })
    expect(again(plain)).toStrictEqual(plain)
    const zeros = new Float64Array(steps)
    const quantiles = [0.05, 0.5, 0.95].map((level) => ({ level, values: zeros }))
    const whole = forecast({ mean: zeros, baseline: zeros, baselineName: 'last-week', quantiles })
    expect(again(whole)).toStrictEqual(whole)
  })

  it('of a week with four columns has less than 3 kB', () => {
    const quantiles = [0.05, 0.95].map((level) => ({ level, values: column(() => random.normal()) }))
    const whole = forecast({ baseline: column(() => random.normal()), baselineName: 'last-week', quantiles })
    expect(forecastBytes(whole).length).toBeLessThan(3000)
  })
})
