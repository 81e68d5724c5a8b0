import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { hourMs } from '../core/time.ts'
import { createRandom } from './random.ts'
import { type RepairKind, repairSteps } from './repair.ts'

const days = 90

/** A house by the hour, kWh: rhythm, moods, one appliance that runs now and then. */
function house(seed: number): Float64Array {
  const random = createRandom(seed)
  let mood = 0
  return Float64Array.from({ length: days * 24 }, (_, hour) => {
    mood = 0.9 * mood + 0.15 * random.normal()
    const rhythm = 0.3 + 0.5 * Math.max(0, Math.sin(((hour % 24) - 6) * (Math.PI / 12)))
    return rhythm * Math.exp(mood) + (random.next() < 0.05 ? 1.5 : 0)
  })
}

/** A device that is off, on standby, or draws its rated power for hours. */
function charger(seed: number): Float64Array {
  const random = createRandom(seed)
  const values = new Float64Array(days * 24).fill(0.002)
  for (let day = 0; day < days; day++) {
    if (random.next() < 0.5) continue
    const from = day * 24 + 18
    values.fill(11, from, from + 2 + random.below(6))
  }
  return values
}

const kindsOf = (values: Float64Array): RepairKind[] =>
  repairSteps(values, hourMs).repairs.map(({ kind }) => kind)

const seeds = Array.from({ length: 20 }, (_, seed) => seed)
const somewhere = (seed: number): number => 300 + createRandom(seed + 1000).below(1200)

/** Share of the seeds in which a fault of a house is found. */
const found = (
  harm: (values: Float64Array, at: number) => void,
  is: (repaired: Float64Array, at: number, clean: Float64Array) => boolean,
): number =>
  seeds.filter((seed) => {
    const clean = house(seed)
    const harmed = clean.slice()
    const at = somewhere(seed)
    harm(harmed, at)
    return is(repairSteps(harmed, hourMs).values, at, clean)
  }).length / seeds.length

describe('the firewall finds', () => {
  it('spikes of ten times the largest', () => {
    const rate = found(
      (values, at) => values.fill(30, at, at + 1),
      (repaired, at) => Number.isNaN(repaired[at]!),
    )
    expect(rate).toBe(1)
  })

  it('a sensor that is stuck for half a day, and takes out nothing else', () => {
    const rate = found(
      (values, at) => values.fill(values[at]!, at, at + 12),
      (repaired, at) =>
        repaired.every((value, step) => Number.isNaN(value) === (step >= at && step < at + 12)),
    )
    expect(rate).toBeGreaterThanOrEqual(0.95)
  })

  it.each([1000, 1 / 1000, 60, 1 / 60, 3600, 1 / 3600])(
    'three days in units of %d, and scales them back',
    (factor) => {
      const rate = found(
        (values, at) => {
          for (let step = at; step < at + 72; step++) values[step] = values[step]! * factor
        },
        (repaired, _, clean) => repaired.every((value, step) => Math.abs(value / clean[step]! - 1) < 1e-9),
      )
      expect(rate).toBeGreaterThanOrEqual(0.9)
    },
  )

  it('a unit that changed for good', () => {
    const rate = found(
      (values, at) => {
        for (let step = 1200 + (at >> 1); step < values.length; step++) values[step] = values[step]! * 1000
      },
      (repaired, _, clean) => repaired.every((value, step) => Math.abs(value / clean[step]! - 1) < 1e-9),
    )
    expect(rate).toBeGreaterThanOrEqual(0.9)
  })

  it('short gaps, which it counts and leaves', () => {
    const values = house(1)
    values.fill(Number.NaN, 100, 102)
    values.fill(Number.NaN, 200, 230)
    const { repairs, counts, values: repaired } = repairSteps(values, hourMs)
    expect(repairs).toEqual([{ from: 100, to: 102, kind: 'gap' }])
    expect(counts).toEqual({ gap: 2, spike: 0, stuck: 0, unit_jump: 0 })
    expect(repaired).toEqual(values)
  })
})

describe('the firewall leaves alone', () => {
  it('houses and chargers without faults', () => {
    expect(seeds.flatMap((seed) => [...kindsOf(house(seed)), ...kindsOf(charger(seed))])).toEqual([])
  })

  it('a level that changes for long by another factor: people buy heat pumps', () => {
    const kinds = seeds.flatMap((seed) =>
      [3, 8, 20, 1 / 5].flatMap((factor) =>
        kindsOf(house(seed).map((value, step) => (step >= somewhere(seed) ? value * factor : value))),
      ),
    )
    expect(kinds).toEqual([])
  })

  it('a heating that comes on after a summer on standby, a thousand times as much', () => {
    const kinds = seeds.flatMap((seed) => {
      const random = createRandom(seed)
      const heating = house(seed).map((value, step) =>
        step < 1000 ? 0.001 * (1 + 0.02 * random.normal()) : 3 * value,
      )
      return kindsOf(heating)
    })
    expect(kinds).toEqual([])
  })

  it('a standby with a few wash days, after which something else runs all day', () => {
    const kinds = seeds.flatMap((seed) => {
      const random = createRandom(seed)
      return kindsOf(
        Float64Array.from({ length: days * 24 }, (_, step) => {
          const size = step >= 1300 || random.next() < 0.15 ? 1 : 0.001
          return size * Math.exp(0.2 * random.normal())
        }),
      )
    })
    expect(kinds).toEqual([])
  })

  it('a rated power that is drawn for half a day, more than once', () => {
    const kinds = seeds.flatMap((seed) => kindsOf(house(seed).fill(3, 400, 412).fill(3, 900, 914)))
    expect(kinds).toEqual([])
  })

  it('what is off, and what is constant', () => {
    const off = house(1).fill(0, 500, 1200)
    expect(kindsOf(off)).toEqual([])
    for (const constant of [0, 0.01, -1])
      expect(kindsOf(new Float64Array(24 * 60).fill(constant))).toEqual([])
  })

  it('a week and less, nothing known, nothing at all', () => {
    const short = house(1).slice(0, 100)
    short[50] = 1e6
    expect(kindsOf(short)).toEqual([])
    expect(kindsOf(new Float64Array(24 * 30).fill(Number.NaN))).toEqual([])
    expect(kindsOf(new Float64Array(0))).toEqual([])
  })

  it('everything, and says so, where too much looks wrong', () => {
    const values = house(1)
    for (let day = 10; day < 80; day += 2) values.fill(values[day * 24]!, day * 24, day * 24 + 12)
    const { leftAlone, repairs, values: repaired } = repairSteps(values, hourMs)
    expect(leftAlone).toBeGreaterThan(0.1 * values.length)
    expect(repairs).toEqual([])
    expect(repaired).toEqual(values)
  })

  it('its input', () => {
    const values = house(2)
    values[700] = 500
    const before = values.slice()
    expect(repairSteps(values, hourMs).counts.spike).toBe(1)
    expect(values).toEqual(before)
  })
})

it('refuses steps that do not fill a day', () => {
  expect(() => repairSteps(house(1), 7 * 60_000)).toThrow(
    'a day is not a whole number of steps of 420000 ms.',
  )
})

const data = join(import.meta.dirname, '../../../shared/data')
const why = existsSync(data) ? '' : ' (skipped: there is no ../shared/data)'

describe.skipIf(!existsSync(data))(`real homes${why}`, () => {
  /** Hours of a column; where `skip` holds, nothing is known. */
  const hoursOf = (
    file: string,
    timeAt: (cell: string) => number,
    column: number,
    skip: (cells: string[]) => boolean,
  ): Float64Array => {
    const rows = readFileSync(join(data, file), 'utf8').trim().split('\n').slice(1)
    const cells = rows.map((row) => row.split(','))
    const hour = (row: string[]): number => Math.floor(timeAt(row[0]!) / hourMs)
    const values = new Float64Array(hour(cells.at(-1)!) - hour(cells[0]!) + 1).fill(Number.NaN)
    for (const row of cells) {
      if (skip(row)) continue
      const at = hour(row) - hour(cells[0]!)
      values[at] = (Number.isNaN(values[at]!) ? 0 : values[at]!) + Number(row[column])
    }
    return values
  }
  const touched = (values: Float64Array): number => {
    const { counts, leftAlone } = repairSteps(values, hourMs)
    return (counts.spike + counts.stuck + counts.unit_jump + leftAlone) / values.length
  }

  it('keep all but one hour in a thousand', () => {
    const utc = (text: string): number => Date.parse(`${text.replace(' ', 'T')}Z`)
    for (const column of [1, 5, 6, 7, 8]) {
      const file = 'energy_household/household_power_consumption_hourly_sub4.csv'
      const values = hoursOf(file, utc, column, (row) => Number(row[3]) === 0)
      expect(touched(values), `household, column ${column}`).toBeLessThan(0.001)
    }
    const load = hoursOf('energy_load/load_30min.csv', Date.parse, 1, (row) => row[1] === '')
    expect(touched(load), 'load').toBeLessThan(0.001)
  })
})
