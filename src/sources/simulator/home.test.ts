import { beforeAll, describe, expect, test } from 'vitest'
import { parseReading } from '../../core/reading.ts'
import { dayMs, minuteMs } from '../../core/time.ts'
import { canonicalUnit } from '../../core/units.ts'
import { createRandom } from '../../ml/random.ts'
import { noFaults } from './faults.ts'
import { createHome, type Home, type HomeOptions } from './home.ts'
import type { SimulatedReading } from './reading.ts'

const march = Date.parse('2025-03-10T00:00:00Z')

function live(options: Partial<HomeOptions>, from: number, days: number, stepMs = 5 * minuteMs) {
  const home = createHome({ seed: 3, createRandom, ...options })
  const readings: SimulatedReading[] = []
  for (let at = from; at < from + days * dayMs; at += stepMs) readings.push(...home.step(at))
  return { home, readings }
}

const pick = (readings: readonly SimulatedReading[], device: string, metric: string) =>
  readings.filter((reading) => reading.device === device && reading.metric === metric)

const valuesOf = (readings: readonly SimulatedReading[]): number[] => readings.map(({ value }) => value)

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length

describe('a home without faults over four weeks', () => {
  let home: Home
  let readings: SimulatedReading[]
  beforeAll(() => {
    ;({ home, readings } = live({ faults: noFaults }, march, 28))
  })

  test('lists no fault', () => expect(home.faults()).toEqual([]))

  test('gives only readings that the hub takes as they are, in canonical units, with a room', () => {
    const context = { now: march + 29 * dayMs, defaultSite: 'x', maxFutureMs: 0, dayStart: () => march }
    const changed = readings.filter((given) => {
      const parsed = parseReading(given, context)
      if (!parsed.ok) return true
      const { site, device, metric, value, unit, at, room } = parsed.reading
      const same = value === given.value && unit === given.unit && at === given.at && room === given.room
      return !same || unit !== (canonicalUnit(metric) ?? 'raw') || site !== 'demo' || device !== given.device
    })
    expect(changed).toEqual([])
  })

  test('gives a reading of a series at most once at a time, and the times of a series rise', () => {
    const last = new Map<string, number>()
    const late = readings.filter(({ device, metric, at }) => {
      const key = `${device}/${metric}`
      const before = last.get(key) ?? 0
      last.set(key, at)
      return at <= before
    })
    expect(late).toEqual([])
    expect(last.size).toBeGreaterThan(60)
  })

  test('has a device for every reading, in the same room', () => {
    const rooms = new Map(home.devices.map((device) => [device.id, device.room]))
    expect(readings.filter(({ device, room }) => rooms.get(device) !== room)).toEqual([])
    expect(new Set(home.devices.map(({ id }) => id)).size).toBe(home.devices.length)
    expect(home.devices.filter(({ type }) => type === 'appliance')).toHaveLength(10)
  })

  test('imports what it needs beyond sun and battery: grid = load - pv - battery', () => {
    const [load, pv, battery, grid] = (
      [
        ['house', 'power'],
        ['pv', 'pv_power'],
        ['battery', 'battery_power'],
        ['grid-meter', 'grid_power'],
      ] as const
    ).map(([device, metric]) => valuesOf(pick(readings, device, metric))) as [
      number[],
      number[],
      number[],
      number[],
    ]
    // each is rounded to 0.1 W
    grid.forEach((value, i) => {
      expect(Math.abs(value - (load[i]! - pv[i]! - battery[i]!))).toBeLessThanOrEqual(0.2 + 1e-9)
    })
    expect(Math.min(...grid)).toBeLessThan(-500)
    expect(Math.max(...grid)).toBeGreaterThan(500)
  })

  test('counts in its counters what its powers add up to', () => {
    for (const device of ['fridge', 'heat-pump', 'house', 'ev-charger']) {
      const power = valuesOf(pick(readings, device, 'power')).slice(1)
      const total = valuesOf(pick(readings, device, 'energy_total'))
      const kwh = (power.reduce((sum, watts) => sum + watts, 0) * 300) / 3.6e6
      expect(total.at(-1)! - total[0]!).toBeCloseTo(kwh, 1)
    }
  })

  test('has counters that never fall', () => {
    const last = new Map<string, number>()
    const fallen = readings.filter(({ device, metric, value }) => {
      if (metric !== 'energy_total') return false
      const before = last.get(device) ?? 0
      last.set(device, value)
      return value < before
    })
    expect(fallen).toEqual([])
    expect(last.size).toBe(15)
  })

  test('has counters that add up: the house is its appliances and the rest, and what came in', () => {
    const ids = home.devices.filter(({ type }) => type === 'appliance').map(({ id }) => id)
    const at = new Map<number, Map<string, number>>()
    for (const reading of readings) {
      if (reading.metric !== 'energy_total') continue
      const shown = at.get(reading.at) ?? new Map<string, number>()
      at.set(reading.at, shown.set(reading.device, reading.value))
    }
    expect(at.size).toBeGreaterThan(8000)
    for (const shown of at.values()) {
      const kwh = (device: string): number => shown.get(device)!
      const parts = ids.reduce((sum, id) => sum + kwh(id), kwh('rest'))
      // each shows whole Wh
      expect(Math.abs(kwh('house') - parts)).toBeLessThan(0.007)
      // the battery keeps some, and loses some
      const came = kwh('pv') + kwh('grid-meter') - kwh('feed-in-meter')
      expect(Math.abs(kwh('house') - came)).toBeLessThan(60)
    }
  })

  test('draws in its appliances and the rest what the house draws', () => {
    const ids = [...home.devices.filter(({ type }) => type === 'appliance').map(({ id }) => id), 'rest']
    const sums = new Map<number, number>()
    for (const { device, metric, value, at } of readings)
      if (metric === 'power' && ids.includes(device)) sums.set(at, (sums.get(at) ?? 0) + value)
    for (const { at, value } of pick(readings, 'house', 'power'))
      expect(Math.abs(value - sums.get(at)!)).toBeLessThan(0.7)
  })

  test('spends at least what its ten appliances spend', () => {
    const ids = home.devices.filter(({ type }) => type === 'appliance').map(({ id }) => id)
    const sums = new Map<number, number>()
    for (const { device, metric, value, at } of readings) {
      if (metric === 'power' && ids.includes(device)) sums.set(at, (sums.get(at) ?? 0) + value)
    }
    for (const { at, value } of pick(readings, 'house', 'power')) expect(value).toBeGreaterThan(sums.get(at)!)
  })

  test('keeps the battery between empty and full, and uses it', () => {
    const soc = valuesOf(pick(readings, 'battery', 'soc'))
    expect(Math.min(...soc)).toBeGreaterThanOrEqual(0)
    expect(Math.max(...soc)).toBeLessThanOrEqual(100)
    expect(Math.max(...soc) - Math.min(...soc)).toBeGreaterThan(50)
  })

  test('gives no more from the battery than went in', () => {
    const power = valuesOf(pick(readings, 'battery', 'battery_power'))
    const given = power.filter((watts) => watts > 0).reduce((sum, watts) => sum + watts, 0)
    const taken = -power.filter((watts) => watts < 0).reduce((sum, watts) => sum + watts, 0)
    expect(given / taken).toBeGreaterThan(0.8)
    expect(given / taken).toBeLessThan(1)
  })

  test('makes no power at night, and most of it around noon', () => {
    const pv = pick(readings, 'pv', 'pv_power')
    const hour = (at: number): number => new Date(at).getUTCHours()
    for (const { at, value } of pv) if (hour(at) >= 20 || hour(at) < 4) expect(value).toBe(0)
    const noon = mean(valuesOf(pv.filter(({ at }) => hour(at) === 11)))
    expect(noon).toBeGreaterThan(2 * mean(valuesOf(pv.filter(({ at }) => hour(at) === 6))))
  })

  test('breathes: CO2 is never below the air outside, and higher where people have slept', () => {
    const co2 = pick(readings, 'bedroom-climate', 'co2')
    const all = valuesOf(readings.filter(({ metric }) => metric === 'co2'))
    expect(all.filter((value) => value < 420 || value > 4000)).toEqual([])
    const at = (hour: number): number =>
      mean(valuesOf(co2.filter((r) => new Date(r.at).getUTCHours() === hour)))
    expect(at(4)).toBeGreaterThan(at(13) + 300)
  })

  test('stays as warm and as dry inside as people live', () => {
    const climate = readings.filter(({ device }) => device.endsWith('-climate'))
    const odd = climate.filter(
      ({ metric, value }) =>
        (metric === 'temperature' && Math.abs(value - 21) > 9) ||
        (metric === 'humidity' && Math.abs(value - 57) > 42),
    )
    expect(odd).toEqual([])
    expect(Math.abs(mean(valuesOf(pick(readings, 'living-room-climate', 'temperature'))) - 21)).toBeLessThan(
      1.5,
    )
  })

  test('lives differently on weekdays and at weekends', () => {
    const motions = pick(readings, 'living-room-pir', 'motion').filter(({ value }) => value === 1)
    const daytime = motions.filter(({ at }) => {
      const hour = new Date(at).getUTCHours()
      return hour >= 8 && hour < 14
    })
    const weekend = daytime.filter(({ at }) => [0, 6].includes(new Date(at).getUTCDay())).length / 8
    const weekday = daytime.filter(({ at }) => ![0, 6].includes(new Date(at).getUTCDay())).length / 20
    expect(weekend).toBeGreaterThan(2 * weekday)
  })

  test('sees motion only where somebody is or has just been, by its own ground truth', () => {
    const stays = home.occupancy()
    for (const { at, room, value, metric } of readings) {
      if (metric !== 'motion' || value !== 1 || room === 'hall') continue
      const near = stays.some(
        (stay) => stay.room === room && stay.from <= at + 2 * minuteMs && stay.to >= at - 62 * minuteMs,
      )
      expect(near, `${room} ${new Date(at).toISOString()}`).toBe(true)
    }
  })

  test('knows of every person at every time where they are', () => {
    for (const person of home.people) {
      const stays = home.occupancy().filter((stay) => stay.person === person)
      expect(stays[0]!.from).toBeLessThan(march)
      for (let i = 1; i < stays.length; i++) expect(stays[i]!.from).toBe(stays[i - 1]!.to)
      expect(stays.at(-1)!.to).toBe(readings.at(-1)!.at)
    }
  })
})

describe('the seed', () => {
  const text = (seed: number): string => JSON.stringify(live({ seed }, march, 2).readings)
  test('gives the same bytes again', () => expect(text(7)).toBe(text(7)))
  test('gives other bytes for another seed', () => expect(text(7)).not.toBe(text(8)))

  test('gives the same life whatever the step', () => {
    const counter = (stepMs: number): number =>
      pick(live({ seed: 5, faults: noFaults }, march, 1.01, stepMs).readings, 'house', 'energy_total')
        .filter(({ at }) => at === march + dayMs)
        .map(({ value }) => value)[0]!
    expect(counter(15 * minuteMs)).toBeCloseTo(counter(minuteMs), 3)
  })

  test('gives two homes of one town the same sky and other lives', () => {
    const [a, b] = [1, 2].map((seed) => live({ seed, weatherSeed: 9, faults: noFaults }, march, 1).readings)
    expect(valuesOf(pick(a!, 'weather-station', 'cloud_cover'))).toEqual(
      valuesOf(pick(b!, 'weather-station', 'cloud_cover')),
    )
    expect(valuesOf(pick(a!, 'house', 'power'))).not.toEqual(valuesOf(pick(b!, 'house', 'power')))
  })
})

describe('seasons', () => {
  const at = (month: number) =>
    live({ faults: noFaults }, Date.UTC(2025, month, 8), 10, 15 * minuteMs).readings
  test('make summers warm and sunny, and winters cold with a busy heat pump', () => {
    const [winter, summer] = [at(0), at(6)]
    const average = (readings: SimulatedReading[], device: string, metric: string): number =>
      mean(valuesOf(pick(readings, device, metric)))
    expect(average(summer, 'weather-station', 'temperature_outdoor')).toBeGreaterThan(
      average(winter, 'weather-station', 'temperature_outdoor') + 10,
    )
    expect(average(summer, 'pv', 'pv_power')).toBeGreaterThan(2 * average(winter, 'pv', 'pv_power'))
    expect(average(winter, 'heat-pump', 'power')).toBeGreaterThan(2.5 * average(summer, 'heat-pump', 'power'))
  })

  test('are the other way round south of the equator', () => {
    const south = { latitude: -35, longitude: 149, zone: 'Australia/Sydney', faults: noFaults }
    const temperature = (month: number): number =>
      mean(
        valuesOf(
          pick(
            live(south, Date.UTC(2025, month, 8), 6, 15 * minuteMs).readings,
            'weather-station',
            'temperature_outdoor',
          ),
        ),
      )
    expect(temperature(0)).toBeGreaterThan(temperature(6) + 5)
  })
})

describe('time', () => {
  test('cannot go back', () => {
    const home = createHome({ seed: 1, createRandom })
    home.step(march)
    expect(() => home.step(march)).toThrow(RangeError)
  })

  test('follows the wall clock over a day of 23 hours', () => {
    const wakes = (day: string): number => {
      const from = Date.parse(`${day}T00:00:00Z`)
      const { home } = live({ seed: 4, faults: noFaults }, from, 1)
      const risen = home
        .occupancy()
        .find((stay) => stay.activity === 'wash' && stay.from > from + 3 * 3_600_000)
      return (risen!.from - from) / 3_600_000
    }
    // the Mondays before and after the change of 30 March: the same wall clock is one hour of UTC earlier
    expect(wakes('2025-03-24') - wakes('2025-03-31')).toBeGreaterThan(0.4)
    expect(wakes('2025-03-24') - wakes('2025-03-31')).toBeLessThan(1.6)
  })
})
