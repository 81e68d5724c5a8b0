import { describe, expect, it } from 'vitest'
import { HomeostatError } from '../../core/errors.ts'
import { modelOf } from '../../ml/gate.ts'
import type { LearnInput } from '../domain.ts'
import { openEnergy } from './body.ts'
import { forecastEnergy } from './forecast.ts'
import { featureNames, seriesOf } from './forecaster.ts'
import { learnEnergy } from './learn.ts'
import { household, toForecast, toLearn } from './made-home.ts'

const learnt = (input: LearnInput, onProgress?: (share: number) => void) =>
  modelOf(learnEnergy(input, onProgress))

const values = household(60, 3)
const stored = learnt(toLearn(values))

describe('an opened model', () => {
  it('predicts from the features alone the values of the forecast, to the bit', () => {
    const input = toForecast(values, { live: stored })
    const open = openEnergy(stored)
    const frame = open.forecaster.features(seriesOf(input, values), [values.length])
    const rows = Array.from({ length: 24 }, (_, row) =>
      Object.fromEntries(featureNames.map((name, column) => [name, frame.columns[column]![row]!])),
    )
    const { mean } = forecastEnergy(input).published
    expect(open.predict(rows)).toEqual(mean)
  })

  it('gives a number for whatever is known, near the mean where that is nothing', () => {
    const [bare, evening] = openEnergy(stored).predict([{}, { hour: 18, base: 2 }])
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length
    expect(Math.abs(bare! - mean)).toBeLessThan(mean)
    expect(evening).toBeGreaterThan(bare!)
  })
})

describe('a model is refused', () => {
  type Json = Record<string, unknown>
  const bodyOf = (edit: (body: Json) => Json): string => JSON.stringify(edit(JSON.parse(stored.body)))
  /** With the forecaster's state changed. */
  const learnt = (edit: (forecaster: Json) => Json): string =>
    bodyOf((body) => ({ ...body, forecaster: edit(body['forecaster'] as Json) }))
  const series = (edit: (one: Json) => Json): string =>
    learnt((all) => ({ ...all, series: (all['series'] as Json[]).map(edit) }))
  type Trees = { names: string[]; value: number[] }
  /** With the trees of every boosted member changed. */
  const trees = (edit: (state: Trees) => unknown): string =>
    learnt((all) => ({
      ...all,
      members: (all['members'] as { name: string; state?: Trees | null }[]).map(({ name, state }) =>
        state ? { name, state: edit(state) } : state === null ? { name, state } : { name },
      ),
    }))
  const cases: readonly (readonly [string, string, RegExp])[] = [
    ['cut off', stored.body.slice(0, -10), /JSON/],
    ['of another format', bodyOf((body) => ({ ...body, format: 'other' })), /its format is "other", not/],
    [
      'of an earlier version',
      JSON.stringify({ format: 'homeostat-energy-1', model: {}, share: 0.7, widths: [] }),
      /it was learnt by an earlier version of Homeostat; it is learnt anew/,
    ],
    ['no object', '[]', /no object/],
    [
      'of another forecaster',
      learnt((all) => ({ ...all, format: 'homeostat-forecast-0' })),
      /its format is "homeostat-forecast-0", not "homeostat-forecast-1"/,
    ],
    ['without weights', series(({ weights: _, ...one }) => one), /its weights is no list/],
    ['with NaN as its mean', series((one) => ({ ...one, mean: Number.NaN })), /its mean is no number/],
    [
      'with 23 lead times',
      series((one) => ({ ...one, offsets: (one['offsets'] as number[][]).map((row) => row.slice(1)) })),
      /offsets are not 24 numbers a quantile/,
    ],
    [
      'with an unknown member',
      learnt((all) => ({ ...all, members: [{ name: 'oracle' }] })),
      /its member "oracle" is not known here/,
    ],
    [
      'with a leaf that is no number',
      trees((state) => ({ ...state, value: state.value.map(() => null) })),
      /has no value/,
    ],
    [
      'of other features',
      learnt((all) => ({
        ...all,
        features: (all['features'] as string[]).map((name) => (name === 'hour' ? 'hourly' : name)),
      })),
      /other features: .*hourly/,
    ],
    [
      'whose leaves differ by a bit',
      trees((state) => ({ ...state, value: state.value.map((value) => value * (1 + 2 ** -40)) })),
      /where it predicted .* when it was stored/,
    ],
    [
      'without a probe',
      learnt((all) => ({ ...all, probe: { names: [], columns: [], predicted: [] } })),
      /its probe is damaged/,
    ],
    [
      'without its references of drift',
      bodyOf((body) => ({ ...body, drift: {} })),
      /no reference of drift for base/,
    ],
  ]

  it.each(cases)('that is %s', (_, body, reason) => {
    const open = (): unknown => openEnergy({ ...stored, body })
    expect(open).toThrow(HomeostatError)
    expect(open).toThrow(reason)
    expect(open).toThrow(`The model energy-forecast ${stored.card.model.version} is refused: `)
  })
})
