import { beforeAll, describe, expect, test } from 'vitest'
import { createRandom } from '../../ml/random.ts'
import { noFaults } from './faults.ts'
import { createHome } from './home.ts'
import { olderPast } from './older-past.ts'
import type { SimulatedReading } from './reading.ts'
import { counterMetric, seriesName } from './sensors.ts'

const quarterMs = 15 * 60_000
const hourMs = 4 * quarterMs
const seam = Date.parse('2025-03-10T12:00:00Z')
const from = seam - 30 * hourMs

const stands = new Map([
  ['fridge/energy_total', 700],
  ['house/energy_total', 12.345],
])

function tell(to = seam): SimulatedReading[] {
  const home = createHome({ seed: 3, createRandom, faults: noFaults, slowStepMs: hourMs, tickMs: 120_000 })
  return [...olderPast(home, { from, to, stands }, quarterMs)].flat()
}

describe('the older past of a home', () => {
  let readings: SimulatedReading[]
  let counted: SimulatedReading[]
  beforeAll(() => {
    readings = tell()
    counted = readings.filter(({ metric }) => metric === counterMetric)
  })

  test('tells everything but the counters in order of time, then the counters, the newest first', () => {
    const others = readings.slice(0, -counted.length)
    expect(others.filter(({ metric }) => metric === counterMetric)).toEqual([])
    // a step tells what happened since the one before
    const steps = others.filter(({ metric }) => metric === 'power').map(({ at }) => at)
    expect(steps).toEqual(steps.toSorted((a, b) => a - b))
    const times = counted.map(({ at }) => at)
    expect(times).toEqual(times.toSorted((a, b) => b - a))
    expect([times[0], times.at(-1), others[0]?.at]).toEqual([seam - quarterMs, from, from])
  })

  test('lies wholly before the seam, and tells nothing twice', () => {
    expect(readings.filter(({ at }) => at < from || at >= seam)).toEqual([])
    expect(new Set(readings.map((reading) => `${seriesName(reading)} ${reading.at}`)).size).toBe(
      readings.length,
    )
  })

  test('has counters that rise to what they stand at where the younger ones begin', () => {
    for (const [name, kwh] of stands) {
      const newestFirst = counted.filter((reading) => seriesName(reading) === name)
      const values = newestFirst.map(({ value }) => value)
      expect(values).toEqual(values.toSorted((a, b) => b - a))
      const watts = readings.filter((one) => one.device === newestFirst[0]?.device && one.metric === 'power')
      const energy = watts.slice(1).reduce((sum, { value }) => sum + (value * quarterMs) / 3.6e9, 0)
      expect(values[0]! - values.at(-1)!).toBeCloseTo(energy, 1)
      expect(kwh - values[0]!).toBeGreaterThanOrEqual(0)
      expect(kwh - values[0]!).toBeLessThan(2)
    }
  })

  test('is the same again where it ends earlier, but for the counters, which join elsewhere', () => {
    const sooner = tell(seam - 8 * hourMs).filter(({ metric }) => metric !== counterMetric)
    expect(readings.slice(0, sooner.length)).toEqual(sooner)
    expect(sooner.length).toBeGreaterThan(1000)
  })

  test('reads powers at every step, and what flows nowhere once an hour', () => {
    const times = (name: string): number[] =>
      readings.filter((reading) => seriesName(reading) === name).map(({ at }) => at)
    expect(times('heat-pump/power')).toHaveLength(120)
    expect(times('pv/pv_power')).toHaveLength(120)
    expect(times('hall-climate/temperature')).toHaveLength(30)
    expect(times('hall-climate/temperature').filter((at) => at % hourMs !== 0)).toEqual([])
  })
})
