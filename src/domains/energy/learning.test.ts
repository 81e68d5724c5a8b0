import { describe, expect, it } from 'vitest'
import { dayMs, hourMs, minuteMs } from '../../core/time.ts'
import type { Steps } from '../domain.ts'
import { energyLearning } from './learning.ts'
import { made0 } from './made-home.ts'

const steps = (hours: number, known: (hour: number) => boolean): Steps => {
  const values = Float64Array.from({ length: hours }, (_, hour) => (known(hour) ? 1 : Number.NaN))
  const unknown = values.filter(Number.isNaN).length
  return {
    ...{ start: made0, stepMs: hourMs, values, unit: 'kWh' },
    repairs: { hours_unknown: unknown, hours_scaled_up: 0 },
  }
}
const pace = (metric: string, everyMs: number) => ({ metric, readings: 60, everyMs })

describe('why nothing is learnt of a meter', () => {
  it.each([
    [
      'power every three hours',
      undefined,
      [pace('power', 3 * hourMs)],
      /power comes every 3 h, .* every 2\.5 h/,
    ],
    [
      'a counter once a day',
      undefined,
      [pace('energy_total', dayMs)],
      /energy_total comes every 24 h, .* every 6 h/,
    ],
    [
      'both, each too slow',
      undefined,
      [pace('power', 4 * hourMs), pace('energy_total', 12 * hourMs)],
      /power comes every 4 h.*; energy_total comes every 12 h/,
    ],
    ['the first minutes', undefined, [pace('power', 10_000)], /^Not a whole hour of it is known yet\.$/],
    ['a single reading', undefined, [pace('power', Number.NaN)], /^Not a whole hour of it is known yet\.$/],
    [
      'a slow one beside a quick one',
      undefined,
      [pace('power', minuteMs), pace('energy_total', dayMs)],
      /^Not a whole/,
    ],
    [
      'two days',
      steps(48, () => true),
      [pace('power', minuteMs)],
      /^There is too little history to learn from: 2\.0 days of known hours; a model is learnt from 21 days on\.$/,
    ],
    [
      'months with gaps',
      steps(2400, (hour) => hour % 6 === 0),
      [pace('power', minuteMs)],
      /16\.7 days of known hours, 2000 of 2400 hours since its first are unknown; a model/,
    ],
  ])('is told: %s', (_, history, paces, sentence) => {
    expect(energyLearning.whyNot(history, paces)).toMatch(sentence)
  })
})
