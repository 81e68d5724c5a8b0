import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Reading } from '../../core/reading.ts'
import { hourMs, minuteMs, quarterMs, secondMs } from '../../core/time.ts'
import { EnergyMonitor } from './monitor.ts'
import type { EnergyMetric } from './spans.ts'

const start = Date.UTC(2026, 0, 5)
const target = { site: 'home', domain: 'energy', subject: 'fridge' }
const units = { power: 'W', energy: 'kWh', energy_total: 'kWh' } as const

const reading = (metric: EnergyMetric, at: number, value: number): Reading => ({
  site: 'home',
  device: 'fridge',
  metric,
  unit: units[metric],
  value,
  at,
})

/** `count` readings from `start` on, one each `everyMs`. */
const series = (
  metric: EnergyMetric,
  everyMs: number,
  count: number,
  valueAt: (index: number) => number,
): Reading[] =>
  Array.from({ length: count }, (_, index) => reading(metric, start + index * everyMs, valueAt(index)))

interface Derived {
  readonly [quarter: number]: { kwh?: number; share?: number }
}

/** Derived quarters by their number since `start`. */
function derive(monitor: EnergyMonitor, readings: readonly Reading[]): Derived {
  const quarters: Record<number, { kwh?: number; share?: number }> = {}
  for (const one of readings) {
    for (const { device, metric, at, value } of monitor.take(one, one.at)?.derived ?? []) {
      expect(device).toBe('@energy:fridge')
      const number = (at - start) / quarterMs
      const quarter = quarters[number] ?? {}
      quarters[number] = quarter
      // each quarter is derived once
      const name = metric === 'energy' ? 'kwh' : 'share'
      expect(quarter[name]).toBeUndefined()
      quarter[name] = value
    }
  }
  return quarters
}

const fresh = (): EnergyMonitor => new EnergyMonitor({ target, sources: [] })
const byTime = (readings: readonly Reading[]): Reading[] => readings.toSorted((a, b) => a.at - b.at)
const total = (derived: Derived): number =>
  Object.values(derived).reduce((sum: number, { kwh = 0 }: { kwh?: number }) => sum + kwh, 0)
const knownQuarters = (derived: Derived): number =>
  Object.values(derived).filter(({ share = 0 }: { share?: number }) => share >= 0.75).length

describe('energy of a device by the quarter-hour', () => {
  it('integrates power that is held until the next reading', () => {
    const derived = derive(
      fresh(),
      series('power', 10 * secondMs, 181, () => 1200),
    )
    expect(derived).toEqual({
      0: { kwh: expect.closeTo(0.3), share: 1 },
      1: { kwh: expect.closeTo(0.3), share: 1 },
    })
  })

  it('takes the differences of a counter, resets included', () => {
    const counts = [10, 10.1, 10.2, 0.05, 0.15]
    const derived = derive(
      fresh(),
      series('energy_total', 5 * minuteMs, 5, (index) => counts[index]!),
    )
    expect(derived).toEqual({ 0: { kwh: expect.closeTo(0.25), share: 1 } })
  })

  it('leaves out what a replaced counter cannot tell', () => {
    const counts = [10, 10.1, 10.2, 9, 9.1, 9.2, 9.3]
    const derived = derive(
      fresh(),
      series('energy_total', 5 * minuteMs, 7, (index) => counts[index]!),
    )
    expect(derived[0]).toEqual({ kwh: expect.closeTo(0.2), share: expect.closeTo(2 / 3) })
  })

  it.each<readonly [string, EnergyMetric, number, number]>([
    ['power each half hour', 'power', 30 * minuteMs, 800],
    ['power each hour', 'power', hourMs, 800],
    ['interval energy each hour', 'energy', hourMs, 0.8],
    ['interval energy each 10 minutes', 'energy', 10 * minuteMs, 0.8 / 6],
  ])('knows every quarter of %s', (_name, metric, everyMs, value) => {
    const count = (48 * hourMs) / everyMs + 1
    const derived = derive(
      fresh(),
      series(metric, everyMs, count, () => value),
    )
    expect(knownQuarters(derived)).toBe(48 * 4)
    expect(total(derived)).toBeCloseTo(48 * 0.8)
  })

  it('loses no hour of an hourly counter that jitters by seconds', () => {
    const readings = series('energy_total', hourMs, 496, (index) => 100 + index * 0.5).map((one, index) => ({
      ...one,
      at: one.at + ((index * 7919) % 5) * secondMs - 2 * secondMs,
    }))
    const derived = derive(fresh(), readings)
    expect(knownQuarters(derived)).toBeGreaterThanOrEqual(494 * 4)
    expect(total(derived)).toBeCloseTo(494.75 * 0.5, 0)
  })

  it('does not know what a device used while it was silent', () => {
    const readings = [
      ...series('power', minuteMs, 16, () => 600),
      ...series('power', minuteMs, 31, () => 600).map((one) => ({ ...one, at: one.at + 90 * minuteMs })),
    ]
    const derived = derive(fresh(), readings)
    expect(Object.keys(derived)).toEqual(['0', '6', '7'])
  })

  it('goes on with power when a better series ended long ago', () => {
    const imported = series('energy', hourMs, 48, () => 0.5)
    const live = series('power', minuteMs, 61, () => 1000).map((one) => ({
      ...one,
      at: one.at + 72 * hourMs,
    }))
    const derived = derive(fresh(), [...imported, ...live])
    expect(derived[72 * 4]).toEqual({ kwh: expect.closeTo(0.25), share: 1 })
  })

  it('prefers a counter to power, and power to a counter that is slower than a quarter-hour', () => {
    const power = series('power', minuteMs, 181, () => 1000)
    const fine = series('energy_total', 5 * minuteMs, 37, (index) => index * 0.05)
    const coarse = series('energy_total', hourMs, 4, (index) => index * 0.6)
    expect(total(derive(fresh(), byTime([...fine, ...power])))).toBeCloseTo(0.6 * 3)
    const mixed = derive(fresh(), byTime([...coarse, ...power]))
    expect(mixed[11]).toEqual({ kwh: expect.closeTo(0.25), share: 1 })
  })

  it('derives the same after a restart at any reading', () => {
    const readings = byTime([
      ...series('power', 7 * minuteMs, 40, (index) => 100 + index),
      ...series('energy_total', 11 * minuteMs, 26, (index) => index * 0.03),
    ])
    const whole = derive(fresh(), readings)
    fc.assert(
      fc.property(fc.integer({ min: 0, max: readings.length }), (cut) => {
        const before = fresh()
        const first = derive(before, readings.slice(0, cut))
        const saved: unknown = JSON.parse(JSON.stringify(before.save()))
        const after = new EnergyMonitor({ target, sources: [] }, { saved, open: [] })
        expect({ ...first, ...derive(after, readings.slice(cut)) }).toEqual(whole)
      }),
    )
  })

  it('keeps its state small, however long it runs', () => {
    const monitor = fresh()
    derive(
      monitor,
      byTime([
        ...series('power', minuteMs, 5000, () => 100),
        ...series('energy_total', hourMs, 80, (index) => index),
      ]),
    )
    expect(JSON.stringify(monitor.save()).length).toBeLessThan(4000)
  })
})
