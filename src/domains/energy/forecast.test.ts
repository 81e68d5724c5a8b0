import { describe, expect, it } from 'vitest'
import type { Drift } from '../../core/life.ts'
import { hourMs } from '../../core/time.ts'
import { modelOf } from '../../ml/gate.ts'
import type { LearnInput } from '../domain.ts'
import { forecastEnergy } from './forecast.ts'
import { featureNames } from './forecaster.ts'
import { learnEnergy } from './learn.ts'
import { household, made0, rowsOf, toForecast, toLearn } from './made-home.ts'

const learnt = (input: LearnInput, onProgress?: (share: number) => void) =>
  modelOf(learnEnergy(input, onProgress))

describe('the naive forecast', () => {
  it('is given where no learnt model is live, under its own name', () => {
    const { published, naive, shadows, drifts } = forecastEnergy(toForecast(household(60, 10)))
    expect(published.model).toEqual({ name: published.baselineName, version: 'naive', kind: 'naive' })
    expect(published.mean).toHaveLength(24)
    expect(rowsOf(published).every((row) => row.mean === row.naive && row.lo < row.hi)).toBe(true)
    expect(naive).toMatchObject({
      model: published.model,
      verdict: { status: 'live', reason: 'Naive forecast: no learnt model is live.', comparisons: {} },
      features: [],
    })
    expect(naive!.residualDeciles).toHaveLength(9)
    expect([shadows, drifts]).toEqual([[], []])
  })

  it('tells how much history is missing', () => {
    const { naive, published } = forecastEnergy(toForecast(household(2, 10)))
    expect(naive!.verdict.reason).toBe(
      'Naive forecast: 2.0 days of known hours, a model is learnt from 21 days on.',
    )
    expect(published.mean).toHaveLength(24)
  })

  it('needs a single hour, and is empty without one', () => {
    expect(forecastEnergy(toForecast(Float64Array.of(1))).published.mean).toHaveLength(24)
    expect(forecastEnergy(toForecast(Float64Array.of(Number.NaN))).published.mean.some(Number.isFinite)).toBe(
      false,
    )
  })
})

describe('a learnt model', () => {
  const values = household(100, 9)
  const live = learnt(toLearn(values.slice(0, 99 * 24)))
  const shadow = learnt(toLearn(values.slice(0, 60 * 24)))

  it('forecasts with the naive forecast beside it, and so do those in shadow', () => {
    const { published, shadows, naive } = forecastEnergy(toForecast(values, { live, shadows: [shadow] }))
    expect(published).toMatchObject({ model: live.card.model, origin: made0 + values.length * hourMs })
    expect(shadows.map(({ model }) => model)).toEqual([shadow.card.model])
    expect(naive).toBeUndefined()
    for (const forecast of [published, ...shadows]) {
      expect(forecast.mean).toHaveLength(24)
      expect(forecast.baselineName).toBe(published.baselineName)
      expect(rowsOf(forecast).some((row) => row.mean !== row.naive)).toBe(true)
      expect(forecast.baseline).toEqual(published.baseline)
    }
    expect(shadows[0]!.mean).not.toEqual(published.mean)
  })

  it('may forecast in shadow of the naive one', () => {
    const { published, shadows } = forecastEnergy(toForecast(values, { shadows: [shadow] }))
    expect([published.model.kind, shadows[0]!.model.kind]).toEqual(['naive', 'learned'])
  })

  it('never forecasts less than nothing for a consumer, but does for a series that goes below zero', () => {
    const idle = household(60, 11).map((value, hour) => (hour % 24 < 20 ? 0 : value))
    for (const { mean, lo } of rowsOf(
      forecastEnergy(toForecast(idle, { live: learnt(toLearn(idle)) })).published,
    )) {
      expect(mean).toBeGreaterThanOrEqual(0)
      expect(lo).toBeGreaterThanOrEqual(0)
    }
    const battery = household(60, 12).map((value) => value - 1.2)
    const { published } = forecastEnergy(toForecast(battery, { live: learnt(toLearn(battery)) }))
    expect(published.mean.some((mean) => mean < 0)).toBe(true)
  })

  it('measures how far its inputs have drifted: little in a usual week, far in one of three times the use', () => {
    const usual = forecastEnergy(toForecast(values, { live, shadows: [shadow], drift: true }))
    expect(usual.drifts.map(({ version }) => version)).toEqual(
      [live, shadow].map((m) => m.card.model.version),
    )
    const { psi } = usual.drifts[0]!
    expect(Object.keys(psi).toSorted()).toEqual(featureNames.toSorted())
    for (const name of ['lead', 'hour', 'weekday']) expect(psi[name], name).toBeLessThan(0.02)
    const trebled = values.map((value, hour) => (hour >= values.length - 14 * 24 ? value * 3 : value))
    const [moved] = forecastEnergy(toForecast(trebled, { live, drift: true })).drifts
    expect(moved!.psi['base']).toBeGreaterThan(1)
    expect(moved!.psi['base']).toBeGreaterThan(4 * psi['base']!)
    expect(moved!.psi['hour']).toBeLessThan(0.02)
    const beyond = ({ psi, usual = {} }: Drift): number =>
      Math.max(...featureNames.map((name) => psi[name]! - 1.5 * usual[name]!))
    expect(usual.drifts[0]!.usual!['scale']).toBeGreaterThan(0.25)
    expect(beyond(usual.drifts[0]!)).toBeLessThan(0.1)
    expect(beyond(moved!)).toBeGreaterThan(0.25)
  })
})
