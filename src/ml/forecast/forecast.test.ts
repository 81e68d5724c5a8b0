import { describe, expect, it } from 'vitest'
import { coverage, mase } from '../metrics.ts'
import { createRandom } from '../random.ts'
import { blended, weighing } from './blend.ts'
import { featureNames, viewer, writeFeatures } from './features.ts'
import { type ForecastOptions, forecastSeries, intervalOf, learnForecaster } from './forecast.ts'
import { offsetsOf } from './intervals.ts'
import { taskOf } from './member.ts'
import { membersOf } from './members.ts'
import { prepare, type Series, scaleAt } from './series.ts'

const season = 8

/** A day's shape, a week's shape, a level that wanders, and noise. */
function home(seed: number, length = 480): Float64Array {
  const random = createRandom(seed)
  let level = 50 + 10 * random.normal()
  return Float64Array.from({ length }, (_, at) => {
    level += 0.2 * random.normal()
    const day = 10 * Math.sin((2 * Math.PI * at) / season)
    const weekend = Math.floor(at / season) % 7 > 4 ? -12 : 0
    return level + day + weekend + 2 * random.normal()
  })
}

const homes = (count: number, length?: number): Series[] =>
  Array.from({ length: count }, (_, at) => ({ id: `home ${at}`, values: home(at + 1, length) }))

const options: ForecastOptions = { season, horizon: 16, quantiles: [0.05, 0.5, 0.95] }
const cut = (series: readonly Series[], to: number): Series[] =>
  series.map((one) => ({ ...one, values: one.values.slice(0, to) }))

describe('features and members', () => {
  const series = homes(2)
  const origin = 300
  const later = series.map((one) => ({
    ...one,
    values: one.values.map((value, at) => (at < origin ? value : 1e6 - value)),
  }))
  const before = series.map((one) => prepare(one, season))
  const after = later.map((one) => prepare(one, season))

  it('make features that do not move when the future does', () => {
    const read = (all: typeof before): number[] => {
      const columns = featureNames(all).map(() => new Float64Array(16))
      const view = viewer(all[0]!)(origin)
      for (let lead = 0; lead < 16; lead++) writeFeatures(view, lead, columns, lead)
      return columns.flatMap((column) => [...column])
    }
    expect(read(after)).toEqual(read(before))
  })

  it('give the same view of an origin whether or not later ones were looked at before', () => {
    const columns = () => featureNames(before).map(() => new Float64Array(1))
    const [fresh, used] = [columns(), columns()]
    const view = viewer(before[0]!)
    view(450)
    writeFeatures(view(origin), 3, used, 0)
    writeFeatures(viewer(before[0]!)(origin), 3, fresh, 0)
    expect(used).toEqual(fresh)
  })

  it('forecast from what lies before the origin', () => {
    const task = (all: typeof before) => taskOf(all, [[origin], [origin]], 16)
    const start = cut(series, origin).map((one) => prepare(one, season))
    for (const member of membersOf()) {
      const fitted = member.fit(start, 16)
      const [here, there] = [fitted?.forecast(task(before)), fitted?.forecast(task(after))]
      expect(here, member.name).toBeDefined()
      expect(there, member.name).toEqual(here)
    }
  })

  it('use covariates at the time of the step, and change nothing else by them', () => {
    const ahead = { warmth: Float64Array.from({ length: 500 }, (_, at) => at) }
    const all = [prepare({ ...series[0]!, ahead }, season)]
    const names = featureNames(all)
    const columns = names.map(() => new Float64Array(1))
    writeFeatures(viewer(all[0]!)(origin), 4, columns, 0)
    expect(columns[names.indexOf('ahead warmth')]![0]).toBe(304)
    expect(columns[names.indexOf('ahead warmth change')]![0]).toBe(season)
  })
})

describe('a forecast', () => {
  const length = 480
  const series = homes(12, length + 16)
  const past = cut(series, length)
  const forecasts = forecastSeries(past, options)

  it('beats the seasonal naive one, and covers about what it promises', () => {
    const errors = { ours: 0, naive: 0, inside: 0 }
    for (const [at, forecast] of forecasts.entries()) {
      const { mean } = forecast
      const { lo, hi } = intervalOf(forecast, 0.9)
      const values = past[at]!.values
      const actual = series[at]!.values.slice(length)
      const naive = Float64Array.from({ length: 16 }, (_, step) => values[length - season + (step % season)]!)
      errors.ours += mase(actual, mean, values, season) / 12
      errors.naive += mase(actual, naive, values, season) / 12
      errors.inside += coverage(actual, lo, hi) / 12
    }
    expect(errors.ours).toBeLessThan(0.75 * errors.naive)
    expect(errors.inside).toBeGreaterThan(0.82)
    expect(errors.inside).toBeLessThan(0.98)
  })

  it('comes with what its past origins showed, and shares that sum to one', () => {
    const { past: skill, weights } = forecasts[0]!
    expect(skill.origins).toBeGreaterThan(5)
    expect(skill.error).toBeLessThan(skill.members['season']!)
    expect(Object.values(weights).reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 12)
  })

  it('is the same at every run', () => {
    expect(forecastSeries(past, options)).toEqual(forecasts)
  })

  it('goes on with newer values without learning anew', () => {
    const forecaster = learnForecaster(cut(series, length - 8), options)
    const [newer] = forecaster.forecast(past)
    expect(newer!.mean).toHaveLength(16)
    expect(newer!.mean).not.toEqual(forecaster.forecast(cut(series, length - 8))[0]!.mean)
  })

  it('does not touch its input', () => {
    const copy = past.map(({ values }) => values.slice())
    forecastSeries(past.slice(0, 2), options)
    expect(past.map(({ values }) => values)).toEqual(copy)
  })

  it('is not expected below zero where nothing ever was', () => {
    const values = home(3).map((value) => Math.max(0, value - 55))
    const [one] = forecastSeries([{ id: 'load', values }], options)
    expect(Math.min(...one!.mean, ...one!.quantiles[0]!.values)).toBe(0)
  })
})

describe('odd series', () => {
  const finite = (values: Float64Array, more: Partial<ForecastOptions> = {}): boolean => {
    const made = forecastSeries([{ id: 'odd', values }], { ...options, ...more })
    const [one] = made
    return [one!.mean, ...one!.quantiles.map(({ values }) => values)].every((column) =>
      column.every(Number.isFinite),
    )
  }

  it('are forecast with gaps, flat, periodic without noise, short, or without a season', () => {
    const gaps = home(5).map((value, at) => (at % 11 === 0 || (at > 200 && at < 240) ? Number.NaN : value))
    expect(finite(gaps)).toBe(true)
    expect(finite(new Float64Array(200).fill(3))).toBe(true)
    expect(finite(Float64Array.from({ length: 200 }, (_, at) => at % season))).toBe(true)
    expect(finite(home(6, 17))).toBe(true)
    expect(finite(home(6, 40))).toBe(true)
    expect(finite(home(7, 100), { season: 1 })).toBe(true)
  })

  it('have intervals of some width even where they are too short for a whole past origin', () => {
    const [one] = forecastSeries([{ id: 'short', values: home(8, 20) }], options)
    const { lo, hi } = intervalOf(one!, 0.9)
    expect(Math.min(...hi.map((value, lead) => value - lo[lead]!))).toBeGreaterThan(1)
  })

  it.each([
    ['shorter than the horizon', home(1, 12), /home has 12 values.*16 steps/],
    ['without any value', new Float64Array(50).fill(Number.NaN), /holds no value/],
    [
      'with an infinite value',
      Float64Array.of(...home(1, 40), Number.POSITIVE_INFINITY),
      /infinite at step 41/,
    ],
  ])('are refused %s, with a sentence', (_, values, sentence) => {
    expect(() => forecastSeries([{ id: 'home', values }], options)).toThrow(sentence)
  })
})

describe('parts', () => {
  it('give the better member the larger share, and a series its own', () => {
    const errors = [Array.from({ length: 9 }, () => [1, 2]), Array.from({ length: 9 }, () => [2, 1])]
    const weigh = weighing(errors, 2, 0)
    expect(weigh(0)[0]).toBeGreaterThan(0.6)
    expect(weigh(1)[1]).toBeGreaterThan(0.6)
    expect(weighing([[]], 2, 0)(0)).toEqual(Float64Array.of(0.5, 0.5))
  })

  it('leave an origin and those that share its steps out of its own weights', () => {
    // the second member shone at the origins 3 to 5 only
    const errors = Array.from({ length: 9 }, (_, origin) => (Math.abs(origin - 4) <= 1 ? [1.3, 1] : [1, 1.1]))
    const share = (overlap: number, left?: number): number => weighing([errors], 2, overlap)(0, left)[1]!
    expect(share(0, 4)).toBeLessThan(share(0))
    expect(share(1, 4)).toBeLessThan(share(0, 4))
  })

  it('blend those members that have a forecast', () => {
    const forecasts = [Float64Array.of(1, Number.NaN), Float64Array.of(3, 4), undefined]
    expect(blended(forecasts, Float64Array.of(0.5, 0.25, 0.25), 2)).toEqual(Float64Array.of(5 / 3, 4))
  })

  it('reach as far as the errors of the past, more where they were larger', () => {
    const random = createRandom(4)
    const rows = (size: number) =>
      Array.from({ length: 40 }, () => Float64Array.from([1, 2], (growth) => size * growth * random.normal()))
    const offsets = offsetsOf([rows(1), rows(5)], 2, 0)
    const [calm, wild] = [offsets(0, 0.95), offsets(1, 0.95)]
    expect(calm[1]! / calm[0]!).toBeGreaterThan(1.5)
    expect(wild[0]! / calm[0]!).toBeGreaterThan(3)
    // 1.645 is the normal quantile
    expect(calm[0]).toBeGreaterThan(1.2)
    expect(calm[0]).toBeLessThan(2.3)
    expect(Math.abs(offsets(0, 0.5)[0]!)).toBeLessThan(0.5)
  })

  it('measure the scale of a series over its seasons, and of a flat one as 1', () => {
    const steps = Float64Array.from({ length: 64 }, (_, at) => at)
    expect(scaleAt(prepare({ id: 'a', values: steps }, season), 64)).toBe(season)
    expect(scaleAt(prepare({ id: 'a', values: new Float64Array(64) }, season), 64)).toBe(1)
  })
})
