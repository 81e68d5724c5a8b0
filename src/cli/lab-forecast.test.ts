import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test, vi } from 'vitest'
import { temporaryFolder } from '../../test/servers.ts'
import { isoIn, localParts } from '../core/calendar.ts'
import { dayMs, hourMs } from '../core/time.ts'
import { createRandom } from '../ml/random.ts'
import { labForecast } from './lab-forecast.ts'

vi.setConfig({ testTimeout: 120_000 })

const folder = temporaryFolder('homeostat-lab-forecast')
afterAll(() => folder.remove())
const at = (name: string): string => join(folder.path, name)
const zone = 'Europe/Paris'

/** W by the hour of the wall clock: 1,000 from 7 to 22 o'clock, 200 else. */
const watts = (time: number): number => {
  const { hour } = localParts(zone, time)
  return hour >= 7 && hour < 22 ? 1000 : 200
}

function write(name: string, from: number, hours: number, noise: number): void {
  const random = createRandom(from / hourMs)
  const rows = Array.from({ length: hours }, (_, hour) => {
    const time = from + hour * hourMs
    // a repeated hour stands there twice
    return `${isoIn(zone, time).slice(0, 19)},${(watts(time) + noise * random.normal()).toFixed(1)}`
  })
  writeFileSync(at(name), `time,load_w\n${rows.join('\n')}\n`)
}

interface Report {
  readonly season: number
  readonly mean: { readonly mase: number }
  readonly series: readonly {
    readonly forecast: { readonly times?: readonly string[]; readonly mean: readonly number[] }
  }[]
}

async function forecast(name: string, more: object = {}): Promise<Report> {
  const flags = { input: at(name), zone, horizon: 24, level: [0.9], ...more }
  return JSON.parse(await labForecast({ ...flags, json: true })) as Report
}

describe('lab forecast after a change of clocks', () => {
  // local midnights after the clocks went back, and ahead, and one without a change
  test.each([
    ['the day it went back', Date.UTC(2024, 9, 27, 23)],
    ['two days after it went back', Date.UTC(2024, 9, 28, 23)],
    ['the day it went ahead', Date.UTC(2024, 2, 31, 22)],
    ['over the day it goes ahead', Date.UTC(2024, 2, 30, 23)],
    ['without a change', Date.UTC(2024, 6, 10, 22)],
  ])('is as good as ever, %s', async (_, end) => {
    write('load.csv', end - 21 * dayMs, 21 * 24, 30)
    write('later.csv', end, 24, 30)
    const { mean, series } = await forecast('load.csv', { actuals: at('later.csv') })
    expect(mean.mase).toBeLessThan(1.05)
    const [{ forecast: made }] = series as [Report['series'][number]]
    for (const [step, value] of made.mean.entries())
      expect(Math.abs(value - watts(end + step * hourMs))).toBeLessThan(120)
  })
})

describe('lab forecast, what is not given', () => {
  const end = Date.UTC(2024, 9, 26, 22)

  test('is found: the season of the file', async () => {
    write('load.csv', end - 10 * dayMs, 10 * 24, 30)
    expect(await forecast('load.csv')).toMatchObject({ season: 24 })
    const text = await labForecast({ input: at('load.csv'), zone, horizon: 24, level: [0.9] })
    expect(text).toContain('The series repeat themselves after 24 steps')
    expect(text).toContain('The first of them begins at 2024-10-27T00:00:00+02:00.')
  })

  test('is written: the times of the steps, by the clock of the zone', async () => {
    write('load.csv', end - 10 * dayMs, 10 * 24, 30)
    const { series } = await forecast('load.csv', { out: at('out.csv') })
    const expected = Array.from({ length: 24 }, (_, step) => isoIn(zone, end + step * hourMs))
    expect(expected.slice(1, 4)).toEqual([
      '2024-10-27T01:00:00+02:00',
      '2024-10-27T02:00:00+02:00',
      '2024-10-27T02:00:00+01:00',
    ])
    expect(series[0]!.forecast.times).toEqual(expected)
    const [head, ...rows] = readFileSync(at('out.csv'), 'utf8').trimEnd().split('\n')
    expect(head).toBe('series,step,mean,lo,hi,time')
    expect(rows.map((row) => row.split(',').at(-1))).toEqual(expected)
  })

  test('is left out where the steps have no times', async () => {
    const values = Array.from({ length: 400 }, (_, step) => Math.sin((2 * Math.PI * step) / 20).toFixed(3))
    writeFileSync(at('plain.csv'), `load\n${values.join('\n')}\n`)
    const { season, series } = await forecast('plain.csv', { out: at('out.csv') })
    expect(season).toBe(20)
    expect(series[0]!.forecast.times).toBeUndefined()
    expect(readFileSync(at('out.csv'), 'utf8')).toMatch(/^series,step,mean,lo,hi\n/)
  })
})
