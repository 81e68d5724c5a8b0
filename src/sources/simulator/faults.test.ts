import { describe, expect, test } from 'vitest'
import { dayMs } from '../../core/time.ts'
import { createRandom } from '../../ml/random.ts'
import { type Fault, noFaults } from './faults.ts'
import { createHome } from './home.ts'
import type { SimulatedReading } from './reading.ts'

const stepMs = 300_000
const from = Date.parse('2025-05-05T00:00:00Z')

function run(faults: object, days = 14) {
  const home = createHome({ seed: 11, createRandom, faults: { ...noFaults, ...faults } })
  const series = new Map<string, SimulatedReading[]>()
  for (let at = from; at < from + days * dayMs; at += stepMs) {
    for (const reading of home.step(at)) {
      const key = `${reading.device}/${reading.metric}`
      const known = series.get(key)
      if (known) known.push(reading)
      else series.set(key, [reading])
    }
  }
  return { faults: home.faults(), series }
}

const events = new Set(['motion', 'door', 'window_open', 'smoke'])
const of = (series: Map<string, SimulatedReading[]>, fault: Fault): SimulatedReading[] =>
  series.get(`${fault.device}/${fault.metric}`) ?? []
const touched = (rows: readonly SimulatedReading[], fault: Fault): SimulatedReading[] =>
  rows.filter(({ at }) => at >= fault.from && at <= fault.to)

const clean = run({}).series

describe('a listed fault is in the data, and only listed ones are', () => {
  test('gap: the readings are missing, and no others are', () => {
    const { faults, series } = run({ gap: 4 })
    expect(faults.length).toBeGreaterThan(20)
    expect(new Set(faults.map(({ kind }) => kind))).toEqual(new Set(['gap']))
    for (const fault of faults) expect(touched(of(series, fault), fault)).toEqual([])
    for (const [key, rows] of clean) {
      const [device, metric] = key.split('/')
      const mine = faults.filter((fault) => fault.device === device && fault.metric === metric)
      const left = rows.filter((row) => !mine.some((fault) => touched([row], fault).length > 0))
      expect(series.get(key)).toEqual(left)
    }
  })

  test('stuck: the value is that of the reading before, all along', () => {
    const { faults, series } = run({ stuck: 6 })
    expect(faults.length).toBeGreaterThan(20)
    for (const fault of faults) {
      expect(fault.kind).toBe('stuck')
      const rows = of(series, fault)
      const before = rows.findLast(({ at }) => at < fault.from)!
      const frozen = touched(rows, fault)
      expect(frozen.length).toBeGreaterThan(0)
      for (const { value } of frozen) expect(value).toBe(before.value)
    }
  })

  test('spike: one reading is far off what was true', () => {
    const { faults, series } = run({ spike: 6 })
    expect(faults.length).toBeGreaterThan(20)
    for (const fault of faults) {
      expect(fault.from).toBe(fault.to)
      const [spike] = touched(of(series, fault), fault)
      const [truth] = touched(of(clean, fault), fault)
      expect(Math.abs(spike!.value - truth!.value)).toBeGreaterThan(10)
    }
  })

  test('reset: a counter falls there, and nowhere else', () => {
    const { faults, series } = run({ reset: 4 })
    expect(faults.length).toBeGreaterThan(5)
    const listed = new Set(faults.map(({ device, metric, from: at }) => `${device}/${metric}/${at}`))
    const seen = new Set<string>()
    for (const [key, rows] of series) {
      if (!key.endsWith('/energy_total')) continue
      rows.forEach((row, i) => {
        if (i > 0 && row.value < rows[i - 1]!.value) seen.add(`${key}/${row.at}`)
      })
    }
    expect(seen).toEqual(listed)
  })

  test('all together at high rates: every value that is off or missing is inside a listed fault', () => {
    const { faults, series } = run({ gap: 3, stuck: 3, spike: 5 })
    for (const [key, rows] of clean) {
      const [device, metric = ''] = key.split('/')
      const got = new Map(series.get(key)?.map((row) => [row.at, row.value]))
      const mine = faults.filter((fault) => fault.device === device && fault.metric === metric)
      for (const { at, value } of rows) {
        if (got.get(at) === value) continue
        const listed = mine.some((fault) => at >= fault.from && at <= fault.to)
        expect(listed, `${key} ${new Date(at).toISOString()}`).toBe(true)
      }
      if (events.has(metric)) expect(mine.every(({ kind }) => kind === 'gap')).toBe(true)
    }
  })
})

test('the usual rates are rare: some faults in a month, in far less than a hundredth of the readings', () => {
  const home = createHome({ seed: 2, createRandom })
  let readings = 0
  for (let at = from; at < from + 30 * dayMs; at += 900_000) readings += home.step(at).length
  const lost = home.faults().reduce((sum, fault) => sum + 1 + (fault.to - fault.from) / 900_000, 0)
  expect(home.faults().length).toBeGreaterThan(3)
  expect(lost / readings).toBeLessThan(0.01)
})
