import type { Forecast } from '../../core/event.ts'
import { interval, stepEdges } from '../../core/forecast.ts'
import type { Target } from '../../core/target.ts'
import { hourMs } from '../../core/time.ts'
import { createRandom } from '../../ml/random.ts'
import type { ForecastInput, LearnInput, TaskInput } from '../domain.ts'

/** Made hours for the tests of this folder. */

/** A Monday. */
export const made0 = Date.UTC(2026, 0, 5)

export const madeTarget: Target = { site: 'home', domain: 'energy', subject: 'fridge' }

/** A household: day rhythm, weekends, and what was used in the last hours goes on; kWh by the hour. */
export function household(days: number, seed: number): Float64Array {
  const random = createRandom(seed)
  let mood = 0
  return Float64Array.from({ length: days * 24 }, (_, hour) => {
    mood = 0.97 * mood + 0.1 * random.normal()
    const weekend = Math.floor(hour / 24) % 7 >= 5 ? 0.4 : 0
    const rhythm = 0.5 + 0.4 * Math.max(0, Math.sin(((hour % 24) - 6) * (Math.PI / 12))) + weekend
    return Math.max(0, rhythm * Math.exp(mood) + 0.05 * random.normal())
  })
}

/** Every hour by itself: nothing to learn but the mean. */
export function noise(days: number, seed: number): Float64Array {
  const random = createRandom(seed)
  return Float64Array.from({ length: 24 * days }, () => random.next())
}

const taskOf = (values: Float64Array): TaskInput => ({
  target: madeTarget,
  unit: 'kWh',
  zone: 'Europe/Paris',
  now: made0 + values.length * hourMs + 60_000,
  start: made0,
  stepMs: hourMs,
  values,
  repairs: {},
})

export const toLearn = (values: Float64Array, more: Partial<LearnInput> = {}): LearnInput => ({
  ...taskOf(values),
  mode: 'learn',
  ...more,
})

export const toForecast = (values: Float64Array, more: Partial<ForecastInput> = {}): ForecastInput => ({
  ...taskOf(values),
  mode: 'forecast',
  shadows: [],
  drift: false,
  ...more,
})

/** The steps of a forecast with its 90 % interval, for tests that read rows. */
export function rowsOf(forecast: Forecast): {
  readonly at: number
  readonly mean: number
  readonly naive: number
  readonly lo: number
  readonly hi: number
}[] {
  const bounds = interval(forecast, 0.9)
  return [...forecast.mean].map((mean, step) => ({
    at: stepEdges(forecast)[step]!,
    mean,
    naive: forecast.baseline?.[step] ?? Number.NaN,
    lo: bounds?.lo[step] ?? Number.NaN,
    hi: bounds?.hi[step] ?? Number.NaN,
  }))
}
