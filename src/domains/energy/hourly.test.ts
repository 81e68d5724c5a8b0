import { describe, expect, it } from 'vitest'
import { hourMs } from '../../core/time.ts'
import { type EnergyMetric, EnergySpans, HourlyEnergy } from './hourly.ts'

const minute = 60_000

/** Hourly energy of readings [minutes, value]; undefined while there is no whole hour. */
function hourly(metric: EnergyMetric, readings: readonly (readonly [number, number])[]) {
  const spans = new EnergySpans(metric)
  const hours = new HourlyEnergy()
  for (const [at, value] of readings) {
    const span = spans.add(at * minute, value)
    if (span) hours.add(span)
  }
  const last = spans.last()
  if (last) hours.add(last)
  return { ...hours.series(), resets: spans.resets }
}

const every = (step: number, from: number, to: number, value: (at: number) => number): [number, number][] =>
  Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, index) => [
    from + index * step,
    value(from + index * step),
  ])

describe('power', () => {
  it('is held until the next reading', () => {
    const { values, start } = hourly(
      'power',
      every(5, 0, 120, (at) => (at < 60 ? 1000 : 500)),
    )
    expect(start).toBe(0)
    expect([...values!]).toEqual([1, 0.5].map((kwh) => expect.closeTo(kwh, 9)))
  })

  it('is cut at the hour, not at the reading', () => {
    const { values } = hourly(
      'power',
      every(7, 3, 185, () => 600),
    )
    expect([...values!].slice(1)).toEqual([0.6, 0.6].map((kwh) => expect.closeTo(kwh, 9)))
  })

  it('says nothing across a silence: the hour is unknown, not zero', () => {
    const { values, gaps } = hourly('power', [
      ...every(5, 0, 70, () => 1000),
      ...every(5, 140, 240, () => 1000),
    ])
    expect([...values!]).toEqual([expect.closeTo(1, 9), Number.NaN, Number.NaN, expect.closeTo(1, 9)])
    expect(gaps).toBe(2)
  })

  it('is scaled up where a little of the hour is missing', () => {
    const { values, filled } = hourly(
      'power',
      every(5, 10, 120, () => 1200),
    )
    expect([values![0], filled]).toEqual([expect.closeTo(1.2, 9), 1])
  })
})

describe('a counter', () => {
  it('gives its differences', () => {
    const { values } = hourly(
      'energy_total',
      every(15, 0, 180, (at) => 1000 + at / 60),
    )
    expect([...values!]).toEqual([1, 1, 1].map((kwh) => expect.closeTo(kwh, 9)))
  })

  it('that was replaced by one that had counted already says nothing of that hour', () => {
    const { values, resets, gaps } = hourly('energy_total', [
      ...every(15, 0, 120, (at) => 9000 + at / 60),
      ...every(15, 135, 240, (at) => 8200 + at / 60),
    ])
    expect(resets).toBe(1)
    // three quarters of the third hour are known: enough to scale it up
    expect([...values!]).toEqual([1, 1, 1, 1].map((kwh) => expect.closeTo(kwh, 9)))
    expect(gaps).toBe(0)
  })

  it('that was reset goes on from zero', () => {
    const { values, resets } = hourly(
      'energy_total',
      every(15, 0, 180, (at) => (at < 90 ? 1000 + at / 60 : (at - 90) / 60)),
    )
    expect(resets).toBe(1)
    // what was used between the last reading before the reset and the reset itself is lost
    expect([...values!]).toEqual([expect.closeTo(1, 9), expect.closeTo(0.75, 9), expect.closeTo(1, 9)])
  })

  it('that was silent for hours does not say in which of them it counted', () => {
    const { values } = hourly('energy_total', [
      ...every(15, 0, 60, (at) => at / 60),
      ...every(15, 300, 420, (at) => at / 60),
    ])
    expect([...values!].map(Number.isNaN)).toEqual([false, true, true, true, true, false, false])
  })
})

describe('interval energy', () => {
  it('belongs to the interval that begins at the reading', () => {
    const { values, start } = hourly('energy', [
      [60, 1],
      [120, 2],
      [180, 3],
    ])
    expect([start, [...values!]]).toEqual([hourMs, [1, 2, 3]])
  })

  it('adds up within the hour', () => {
    const { values } = hourly(
      'energy',
      every(10, 0, 110, () => 0.25),
    )
    expect([...values!]).toEqual([1.5, 1.5].map((kwh) => expect.closeTo(kwh, 9)))
  })

  it('stands for its usual interval when the next one is missing', () => {
    const { values } = hourly('energy', [...every(60, 0, 600, () => 1), ...every(60, 780, 900, () => 1)])
    expect([...values!].map((kwh) => (Number.isNaN(kwh) ? '-' : kwh)).join(' ')).toBe(
      '1 1 1 1 1 1 1 1 1 1 1 - - 1 1 1',
    )
  })

  it('is not misled by one stray reading', () => {
    const readings: [number, number][] = [
      ...every(60, 0, 600, () => 1),
      [600.1, 1],
      ...every(60, 660, 1200, () => 1),
    ]
    const { values } = hourly('energy', readings)
    expect([...values!].slice(12)).toEqual(Array.from({ length: 9 }, () => 1))
  })
})

it('takes nothing from a reading that is not newer', () => {
  const spans = new EnergySpans('power')
  spans.add(10 * minute, 100)
  expect([spans.add(5 * minute, 1), spans.add(10 * minute, 1)]).toEqual([undefined, undefined])
  expect(spans.add(11 * minute, 100)).toMatchObject({ from: 10 * minute, to: 11 * minute })
})
