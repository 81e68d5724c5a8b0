import { describe, expect, it } from 'vitest'
import { HomeostatError } from '../../core/errors.ts'
import { openEnergy } from './body.ts'
import { buildFeatures, featureNames, History } from './features.ts'
import { forecastEnergy } from './forecast.ts'
import { learnEnergy } from './learn.ts'
import { household, made0, toForecast, toLearn } from './made-home.ts'

const values = household(60, 3)
const stored = learnEnergy(toLearn(values))

describe('an opened model', () => {
  it('says of the features alone what the forecast says, to the bit', () => {
    const { frame } = buildFeatures(new History(values, made0, 'Europe/Paris'), [values.length])
    const rows = Array.from({ length: 24 }, (_, row) =>
      Object.fromEntries(featureNames.map((name, column) => [name, frame.columns[column]![row]!])),
    )
    const { mean } = forecastEnergy(toForecast(values, { live: stored })).published
    expect(openEnergy(stored).predict(rows)).toEqual(mean)
  })

  it('gives a number for whatever is known, near the mean where that is nothing', () => {
    const [bare, evening] = openEnergy(stored).predict([{}, { hour: 18, slot_mean_28d: 2 }])
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length
    expect(Math.abs(bare! - mean)).toBeLessThan(mean)
    expect(evening).toBeGreaterThan(bare!)
  })
})

describe('a model is refused', () => {
  type Edit = (body: Record<string, unknown>) => Record<string, unknown>
  const bodyOf = (edit: Edit): string => JSON.stringify(edit(JSON.parse(stored.body)))
  const trees = (body: Record<string, unknown>) => body['model'] as { value: number[]; names: string[] }
  const cases: readonly (readonly [string, string, RegExp])[] = [
    ['cut off', stored.body.slice(0, -10), /JSON/],
    ['of another format', bodyOf((body) => ({ ...body, format: 'other' })), /its format is "other", not/],
    ['no object', '[]', /no object/],
    ['without a share', bodyOf(({ share: _, ...body }) => body), /its share is no number/],
    ['with NaN as its mean', bodyOf((body) => ({ ...body, mean: Number.NaN })), /its mean is no number/],
    ['with 23 widths', bodyOf((body) => ({ ...body, widths: new Array(23).fill(1) })), /widths are not 24/],
    [
      'with a leaf that is no number',
      bodyOf((body) => ({ ...body, model: { ...trees(body), value: trees(body).value.map(() => null) } })),
      /has no value/,
    ],
    [
      'of other features',
      bodyOf((body) => ({
        ...body,
        model: {
          ...trees(body),
          names: trees(body).names.map((name) => (name === 'hour' ? 'hourly' : name)),
        },
      })),
      /other features: hourly/,
    ],
    [
      'whose leaves differ by a bit',
      bodyOf((body) => ({
        ...body,
        model: { ...trees(body), value: trees(body).value.map((value) => value * (1 + 2 ** -40)) },
      })),
      /where it said .* when it was stored/,
    ],
    [
      'without a probe',
      bodyOf((body) => ({ ...body, probe: { rows: [], said: [] } })),
      /its probe is damaged/,
    ],
    [
      'without its references of drift',
      bodyOf((body) => ({ ...body, drift: {} })),
      /no reference of drift for lead/,
    ],
  ]

  it.each(cases)('that is %s', (_, body, reason) => {
    const open = (): unknown => openEnergy({ ...stored, body })
    expect(open).toThrow(HomeostatError)
    expect(open).toThrow(reason)
    expect(open).toThrow(`The model energy-boosting ${stored.card.model.version} is refused: `)
  })
})
