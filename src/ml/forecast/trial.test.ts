/** What a forecaster owes whoever judges it and stores it: no hindsight, the same bits again, quantiles that hold. */
import { describe, expect, it } from 'vitest'
import { localParts } from '../../core/calendar.ts'
import { HomeostatError } from '../../core/errors.ts'
import { hourMs } from '../../core/time.ts'
import { coverage, mae } from '../metrics.ts'
import { createRandom } from '../random.ts'
import { firewallOf, repairSteps } from '../repair.ts'
import { type ForecastOptions, forecastSeries, learnForecaster, loadForecaster } from './forecast.ts'
import { lightMembersOf, membersOf } from './members.ts'
import type { Series } from './series.ts'

const zone = 'Europe/Paris'
const startMs = Date.UTC(2025, 0, 6)
const quantiles = [0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975]

/** Hours of a home that lives by the wall clock. */
function home(seed: number, days: number, from = startMs): Series {
  const random = createRandom(seed)
  const values = Float64Array.from({ length: 24 * days }, (_, hour) => {
    const at = localParts(zone, from + hour * hourMs)
    const rhythm = at.hour >= 6 && at.hour < 22 ? 1 : 0.2
    const weekend = at.weekday === 0 || at.weekday === 6 ? 0.4 : 0
    return Math.max(0, (rhythm + weekend) * Math.exp(0.2 * random.normal()))
  })
  return { id: `home ${seed}`, values, times: { startMs: from, stepMs: hourMs, zone } }
}

const light = (more: Partial<ForecastOptions> = {}): ForecastOptions => ({
  ...{ season: 24, horizon: 24, quantiles, members: lightMembersOf() },
  trial: { share: 0.6, spacing: 25, refits: 4 },
  blend: { pooled: true },
  ...more,
})

const changed = (series: Series, change: (value: number, step: number) => number): Series => ({
  ...series,
  values: series.values.map(change),
})

describe('past forecasts', () => {
  const series = home(1, 50)
  const firewall = firewallOf(hourMs)
  const [past] = learnForecaster([series], light({ firewall })).past

  it('are made for every past origin, with quantiles from the second part on', () => {
    expect(past!.length).toBeGreaterThan(20)
    const known = past!.map(({ quantiles }) => quantiles !== undefined)
    expect(known.indexOf(true)).toBe(Math.floor(past!.length / 4))
    expect(known.slice(known.indexOf(true))).not.toContain(false)
  })

  it('do not move when what came after them does', () => {
    // later values that change what repairs find in earlier ones, too
    const cut = 38 * 24
    const other = changed(series, (value, step) => (step < cut ? value : 40 + value))
    const [moved] = learnForecaster([other], light({ firewall })).past
    const before = past!.filter(({ origin }) => origin + 24 <= cut)
    expect(before.length).toBeGreaterThan(10)
    for (const [nth, forecast] of before.entries()) expect(moved![nth]).toEqual(forecast)
    expect(moved!.at(-1)).not.toEqual(past!.at(-1))
  })

  it('are judged by what was measured, though later repairs take it out', () => {
    // half a day that stands still: only its end tells that it was the sensor
    const stuck = changed(series, (value, step) => (step >= 1000 && step < 1012 ? 0.7 : value))
    expect(repairSteps(stuck.values, hourMs).counts.stuck).toBe(12)
    const [judged] = learnForecaster([stuck], light({ firewall })).past
    const within = judged!.filter(({ origin }) => origin < 1012 && origin + 24 > 1000)
    expect(within.length).toBeGreaterThan(0)
    for (const { origin, actual } of within) expect(actual).toEqual(stuck.values.slice(origin, origin + 24))
  })

  it('leave out truths far beyond what was known a day before, and change no others', () => {
    const broken = changed(series, (value, step) => (step === 1000 ? 5000 : value))
    const [judged] = learnForecaster([broken], light({ firewall })).past
    for (const { origin, actual } of judged!)
      for (const [lead, value] of actual.entries())
        expect(value).toBe(origin + lead === 1000 ? Number.NaN : broken.values[origin + lead])
  })

  it('learn from repaired values at the first origin that could know of the fault', () => {
    const broken = changed(series, (value, step) => (step === 1000 ? 5000 : value))
    const [judged] = learnForecaster([broken], light({ firewall })).past
    const after = judged!.filter(({ origin }) => origin > 1002)
    expect(Math.max(...after.flatMap(({ mean }) => [...mean]))).toBeLessThan(3)
    for (const { known } of after) expect(known[1000]).toBeNaN()
  })
})

describe('a forecaster that is stored', () => {
  const series = [home(2, 40), home(3, 40)]
  const longer = [home(2, 43), home(3, 43)]
  const options: ForecastOptions = { season: 24, horizon: 24, quantiles }

  it.each([
    ['of all members', options],
    ['of the light ones', { ...light(), members: undefined }],
  ] as const)(
    '%s gives the same bits after it is loaded, at its end and later',
    (_, { members, ...rest }) => {
      const all = members === undefined && 'trial' in rest ? lightMembersOf() : membersOf()
      const learnt = learnForecaster(series, { ...rest, members: all })
      const text = JSON.stringify(learnt)
      const loaded = loadForecaster(JSON.parse(text), all)
      for (const now of [series, longer]) expect(loaded.forecast(now)).toEqual(learnt.forecast(now))
      expect(JSON.stringify(loaded)).toBe(text)
    },
  )

  it('keeps what is unknown or infinite: a series too short for past origins', () => {
    const short = [{ ...series[0]!, values: series[0]!.values.slice(0, 26) }]
    const learnt = learnForecaster(short, options)
    expect(loadForecaster(JSON.parse(JSON.stringify(learnt))).forecast(short)).toEqual(learnt.forecast(short))
  })

  it('refuses other series than it learnt from', () => {
    const learnt = learnForecaster([series[0]!], light())
    expect(() => learnt.forecast(series)).toThrow('1 series were learnt from, 2 are to be forecast')
    const ahead = { warmth: new Float64Array(24 * 41) }
    expect(() => learnt.forecast([{ ...series[0]!, ahead }])).toThrow(/ahead warmth.*learnt from were/)
    expect(() => loadForecaster({ format: 'other' })).toThrow(HomeostatError)
  })
})

describe('a forecaster of many series', () => {
  const series = [home(4, 40), home(5, 40), home(6, 40)]
  const options = light({ trial: {} })

  it('is learnt alike whenever it is', () => {
    expect(JSON.stringify(learnForecaster(series, options))).toBe(
      JSON.stringify(learnForecaster(series, options)),
    )
  })

  it('gives each series its own forecast, whatever place it has', () => {
    const there = forecastSeries(series, { ...options, members: membersOf().slice(0, 4) })
    const back = forecastSeries(series.toReversed(), { ...options, members: membersOf().slice(0, 4) })
    for (const [nth, { id, mean }] of back.toReversed().entries()) {
      expect(id).toBe(there[nth]!.id)
      for (const [lead, value] of mean.entries()) expect(value).toBeCloseTo(there[nth]!.mean[lead]!, 9)
    }
  })
})

describe('quantiles', () => {
  const series = Array.from({ length: 8 }, (_, seed) => home(seed + 10, 60))
  const known = series.map((one) => ({ ...one, values: one.values.slice(0, 55 * 24) }))
  const forecaster = learnForecaster(known, light({ trial: {} }))
  const days = [0, 1, 2, 3, 4].map((day) => {
    const now = series.map((one) => ({ ...one, values: one.values.slice(0, (55 + day) * 24) }))
    return { day, forecasts: forecaster.forecast(now) }
  })

  it('do not cross', () => {
    for (const { forecasts } of days)
      for (const forecast of forecasts)
        for (const [level, { values }] of forecast.quantiles.entries())
          for (const [lead, value] of values.entries())
            expect(value).toBeGreaterThanOrEqual(forecast.quantiles[level - 1]?.values[lead] ?? 0)
  })

  it.each([
    [0.9, 1, 7],
    [0.5, 3, 5],
  ])('hold what they promise: %d between two of them', (share, from, to) => {
    const inside = days.flatMap(({ day, forecasts }) =>
      forecasts.map((forecast, nth) =>
        coverage(
          series[nth]!.values.slice((55 + day) * 24, (56 + day) * 24),
          forecast.quantiles[from]!.values,
          forecast.quantiles[to]!.values,
        ),
      ),
    )
    const mean = inside.reduce((sum, value) => sum + value, 0) / inside.length
    expect(Math.abs(mean - share)).toBeLessThan(0.06)
  })
})

describe('covariates that are known ahead', () => {
  it('help where the series follows them', () => {
    const days = 60
    const random = createRandom(21)
    const warmth = Float64Array.from({ length: (days + 1) * 24 }, () => random.normal())
    const heated = changed(home(20, days + 1), (value, hour) => value + 2 * Math.max(0, -warmth[hour]!))
    const known = { ...heated, values: heated.values.slice(0, days * 24) }
    const truth = heated.values.slice(days * 24)
    const options = { season: 24, horizon: 24, quantiles: [0.5] }
    const [blind] = forecastSeries([known], options)
    const [seeing] = forecastSeries([{ ...known, ahead: { warmth } }], options)
    expect(mae(truth, seeing!.mean)).toBeLessThan(0.6 * mae(truth, blind!.mean))
  })
})

describe('around a change of clocks', () => {
  // clocks went back on 2024-10-27 and ahead on 2025-03-30; the forecasts cover the day of it, or the day after
  it.each([['2024-10-26T22:00Z'], ['2024-10-27T23:00Z'], ['2025-03-29T23:00Z'], ['2025-03-30T22:00Z']])(
    'forecasts from %s follow the wall clock, whatever they are made of',
    (text) => {
      const endMs = Date.parse(text)
      const days = 30
      const from = endMs - days * 24 * hourMs
      const hourOf = (at: number): number => localParts(zone, at).hour
      const values = Float64Array.from({ length: days * 24 }, (_, step) => {
        const hour = hourOf(from + step * hourMs)
        return hour >= 6 && hour < 21 ? 1000 : 200
      })
      const series = { id: 'clock', values, times: { startMs: from, stepMs: hourMs, zone } }
      for (const options of [light({ trial: {} }), { season: 24, horizon: 24, quantiles: [0.5] }]) {
        const [forecast] = forecastSeries([series], options)
        for (const [lead, value] of forecast!.mean.entries()) {
          const hour = hourOf(endMs + lead * hourMs)
          expect(value, `${hour} h`).toBeCloseTo(hour >= 6 && hour < 21 ? 1000 : 200, 0)
        }
      }
    },
  )
})
