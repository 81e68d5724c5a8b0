import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Reading } from '../../core/reading.ts'
import { dayMs, hourMs, minuteMs, quarterMs, secondMs } from '../../core/time.ts'
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
/** As `derive`, and the monitor is woken when it wants to be, up to `to`. */
function deriveTo(monitor: EnergyMonitor, readings: readonly Reading[], to: number): Derived {
  const derived = derive(monitor, readings)
  const woken: Record<number, { kwh?: number; share?: number }> = {}
  while (monitor.wakeAt <= to) {
    for (const { metric, at, value } of monitor.take('wake', monitor.wakeAt)?.derived ?? [])
      woken[(at - start) / quarterMs] = {
        ...woken[(at - start) / quarterMs],
        [metric === 'energy' ? 'kwh' : 'share']: value,
      }
  }
  return { ...derived, ...woken }
}
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
    // what the device used before it restarted is not known; 0.05 kWh since then are two and a half minutes
    expect(derived).toEqual({ 0: { kwh: expect.closeTo(0.25), share: expect.closeTo(12.5 / 15) } })
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

  it.each<readonly [string, (index: number) => number]>([
    ['a steady counter', (index) => index * 0.03],
    ['a counter with false zeros', (index) => (index % 5 === 3 ? 0 : 8000 + index * 0.03)],
    ['a counter that is reset', (index) => (index < 12 ? 40 + index * 0.03 : (index - 12) * 0.03)],
    ['a counter that is replaced', (index) => (index < 12 ? 40 : 4000) + index * 0.03],
  ])('derives the same of %s after a restart at any reading', (_name, valueAt) => {
    const readings = byTime([
      ...series('power', 7 * minuteMs, 40, (index) => 100 + index),
      ...series('energy_total', 11 * minuteMs, 26, valueAt),
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

  it.each([
    ['power', 30 * minuteMs, 800, 0.8],
    ['power', hourMs, 800, 0.8],
    ['energy', hourMs, 0.8, 0.8],
    ['energy', 15 * minuteMs, 0.2, 0.8],
  ] as const)(
    'counts the last row of %s each %d ms for its usual interval',
    (metric, everyMs, value, perHour) => {
      const readings = series(metric, everyMs, (24 * hourMs) / everyMs, () => value)
      const derived = deriveTo(fresh(), readings, start + 48 * hourMs)
      expect(knownQuarters(derived)).toBe(24 * 4)
      expect(total(derived)).toBeCloseTo(24 * perHour)
    },
  )

  it('sums what a solar morning fed in, to the last row', () => {
    const rows = [0, 0, 0.02, 0.1, 0.31, 0.6, 0.95, 1.3, 1.62, 1.9, 2.1, 2.2]
    const readings = series('energy', hourMs, rows.length, (index) => rows[index]!)
    expect(total(deriveTo(fresh(), readings, start + dayMs))).toBeCloseTo(11.1)
  })

  it('counts a reading that comes after its interval was closed from there', () => {
    const monitor = fresh()
    const readings = series('power', 30 * minuteMs, 8, () => 1000)
    derive(monitor, readings)
    // an import that rested: the hub's own time is long past
    monitor.take('wake', start + dayMs)
    const late = { ...readings[0]!, at: start + 3 * hourMs + 50 * minuteMs }
    const later = { ...readings[0]!, at: start + 5 * hourMs }
    const derived = derive(monitor, [late, later])
    expect(derived[16]).toEqual({ kwh: expect.closeTo(0.25), share: 1 })
    expect(total(derived)).toBeLessThanOrEqual(1)
  })
})

/** A lifetime counter at 0.8 kW. */
const counting = (everyMs: number, count: number, valueAt: (index: number, kwh: number) => number) =>
  series('energy_total', everyMs, count, (index) => valueAt(index, 8000 + (0.8 * index * everyMs) / hourMs))

describe('a counter', () => {
  it.each([5 * secondMs, minuteMs, 5 * minuteMs, 15 * minuteMs, 30 * minuteMs, hourMs])(
    'goes on after false readings, one each %d ms',
    (everyMs) => {
      const count = (12 * hourMs) / everyMs + 1
      const at = (share: number): number => Math.floor(count * share)
      for (const falseValues of [[0], [0, 0], [0, 0, 0, 0], [3.2], [9_999_999]]) {
        const derived = derive(
          fresh(),
          counting(everyMs, count, (index, kwh) => falseValues[index - at(0.5)] ?? kwh),
        )
        const lost = (falseValues.length + 1) * (everyMs / hourMs) * 0.8
        expect(total(derived)).toBeLessThanOrEqual(12 * 0.8 + 1e-6)
        expect(total(derived)).toBeGreaterThanOrEqual(12 * 0.8 - lost - 1e-6)
        for (const { kwh = 0 } of Object.values(derived) as { kwh?: number }[]) expect(kwh).toBeLessThan(1)
      }
    },
  )

  it('reads 0 once, and loses nothing', () => {
    const counts = [8000, 0, 8000.4, 8000.6, 8000.8]
    const derived = derive(
      fresh(),
      series('energy_total', 30 * minuteMs, 5, (index) => counts[index]!),
    )
    expect(total(derived)).toBeCloseTo(0.8)
    expect(knownQuarters(derived)).toBe(8)
  })

  it.each([0, 8, 300, 8000])('begins with a false 0 before it shows %d kWh', (level) => {
    const derived = derive(
      fresh(),
      series('energy_total', 30 * minuteMs, 9, (index) => (index === 0 ? 0 : level + index * 0.2)),
    )
    expect(total(derived)).toBeLessThanOrEqual(1.6001)
    expect(total(derived)).toBeGreaterThanOrEqual(1.3999)
  })

  it('is reset once: the step of the reset is unknown, all others are known', () => {
    const derived = derive(
      fresh(),
      series('energy_total', 30 * minuteMs, 48, (index) =>
        index < 20 ? 4000 + index / 4 : (index - 20) / 4,
      ),
    )
    expect(total(derived)).toBeCloseTo(11.5)
    expect(knownQuarters(derived)).toBe(92)
  })

  it('is reset every day, and agrees with the power beside it', () => {
    const perDay = 96
    const watts = (index: number): number => (index % perDay < 40 ? 200 : 900)
    const today = (index: number): number => {
      let kwh = 0
      for (let at = index - (index % perDay); at < index; at++) kwh += watts(at) / 4000
      return kwh
    }
    const power = series('power', quarterMs, 2 * perDay + 1, watts)
    const counts = series('energy_total', quarterMs, 2 * perDay + 1, today)
    const kwh = (2 * (40 * 200 + 56 * 900)) / 4000
    expect(total(derive(fresh(), power))).toBeCloseTo(kwh)
    // of a last step there is no report, only a reset
    expect(total(derive(fresh(), counts))).toBeCloseTo(kwh - 0.45)
    const both = deriveTo(fresh(), byTime([...power, ...counts]), start + 3 * dayMs)
    // one more quarter: the last reading of the power counts for its interval
    expect(total(both)).toBeCloseTo(kwh + 0.05)
  })

  it('may use more in an hour than in all of the day before', () => {
    const today = [0, 0.1, 0.2, 0.3, 0, 0, 0, 0.1, 0.3, 0.5]
    const derived = derive(
      fresh(),
      series('energy_total', hourMs, 10, (index) => today[index]!),
    )
    expect(total(derived)).toBeCloseTo(0.8)
  })

  it('does not take a jitter of rounding for a reset', () => {
    const derived = derive(
      fresh(),
      series('energy_total', 5 * minuteMs, 289, (index) => {
        const kwh = 100 + index * 0.02
        return index % 7 === 3 ? kwh - 0.05 : kwh
      }),
    )
    expect(total(derived)).toBeCloseTo(288 * 0.02)
    expect(knownQuarters(derived)).toBe(96)
  })

  it.each([40, 3000, 7999, 12_000, 900_000])('is replaced by one at %d kWh, and gives no jump', (level) => {
    const derived = derive(
      fresh(),
      counting(15 * minuteMs, 97, (index, kwh) => (index < 48 ? kwh : level + 0.2 * (index - 48))),
    )
    expect(total(derived)).toBeCloseTo(95 * 0.2)
    expect(knownQuarters(derived)).toBe(95)
  })

  it.each([
    ['a large building', 300, 15 * minuteMs],
    ['an hourly one of a factory', 2000, hourMs],
    ['a small device', 0.002, 15 * minuteMs],
  ])('of %s is believed from the start', (_name, kw, everyMs) => {
    const kwhEach = (kw * everyMs) / hourMs
    const derived = derive(
      fresh(),
      series('energy_total', everyMs, 49, (index) => 500 + index * kwhEach),
    )
    expect(total(derived) / (48 * kwhEach)).toBeCloseTo(1)
  })

  it('knows the rise to a first high power', () => {
    // months on standby, then a car is charged
    const derived = derive(
      fresh(),
      series('energy_total', 5 * minuteMs, 289, (index) =>
        index < 144 ? 100 + index * 0.0001 : 100 + (index - 143) * (22 / 12),
      ),
    )
    expect(total(derived)).toBeCloseTo(145 * (22 / 12), 1)
  })

  it('reports only when it moved: it used next to nothing in between', () => {
    const minutes = [0, 20, 40, 60, 300, 320, 340, 360, 420.05, 480.1]
    const counts = [100, 100.1, 100.2, 100.3, 100.31, 100.41, 100.51, 100.61, 100.71, 100.81]
    const derived = derive(
      fresh(),
      counts.map((value, index) => reading('energy_total', start + minutes[index]! * minuteMs, value)),
    )
    const hours = Array.from({ length: 8 }, (_, hour) =>
      [0, 1, 2, 3].reduce((sum, quarter) => sum + (derived[4 * hour + quarter]?.kwh ?? Number.NaN), 0),
    )
    expect(hours[1]! + hours[2]! + hours[3]! + hours[4]!).toBeCloseTo(0.01)
    expect(hours[6]).toBeCloseTo(0.1, 3)
    expect(hours[7]).toBeCloseTo(0.1, 3)
    expect(knownQuarters(derived)).toBe(32)
  })

  it.each([8, 24])('that is read every %d hours does not tell when what was used', (hours) => {
    const derived = derive(
      fresh(),
      series('energy_total', hours * hourMs, 20, (index) => 100 + index * 4),
    )
    expect(knownQuarters(derived)).toBe(0)
  })

  it('does not know when it used what a long gap held', () => {
    const readings = series('energy_total', 15 * minuteMs, 97, (index) => 100 + index * 0.2)
    const derived = derive(
      fresh(),
      readings.filter((_, index) => index < 30 || index > 60),
    )
    expect(knownQuarters(derived)).toBe(29 + 35)
  })
})
