import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test, vi } from 'vitest'
import { temporaryFolder } from '../../test/servers.ts'
import { labLearn } from './lab-learn.ts'

vi.setConfig({ testTimeout: 60_000 })

const folder = temporaryFolder('homeostat-lab-learn')
afterAll(() => folder.remove())
const at = (name: string): string => join(folder.path, name)
const iso = (hour: number): string => new Date(Date.UTC(2024, 0, 1) + hour * 3_600_000).toISOString()
const usual = { drop: [], zone: 'UTC' } as const

describe('lab learn, the target', () => {
  /** A row every quarter of an hour; high CO2 goes with the second word. */
  const rooms = (words: readonly [string, string], unknown: readonly string[]): string => {
    const rows = Array.from({ length: 400 }, (_, row) => {
      const isHigh = Math.floor(row / 9) % 2 === 1
      const word = row % 40 === 5 ? unknown[((row / 5) % unknown.length) | 0]! : words[isHigh ? 1 : 0]
      return `${iso(row / 4)},${(isHigh ? 900 : 450) + (row % 7)},${row % 24},${word}`
    })
    return `time,co2,hour,state\n${rows.join('\n')}\n`
  }
  const learn = async (words: readonly [string, string], unknown: readonly string[]) => {
    writeFileSync(at('train.csv'), rooms(words, unknown))
    writeFileSync(at('test.csv'), rooms(words, unknown))
    const flags = { train: at('train.csv'), test: at('test.csv'), target: 'state', time: 'time', ...usual }
    const json = await labLearn({ ...flags, json: true })
    return { text: await labLearn(flags), report: JSON.parse(json) as LearnReport }
  }
  interface LearnReport {
    readonly task: string
    readonly classes: readonly string[]
    readonly rows: { readonly train: number; readonly test: number }
    readonly leftOut: { readonly train: number; readonly test: number }
    readonly features: readonly string[]
  }

  test.each<readonly [string, string]>([
    ['off', 'on'],
    ['closed', 'open'],
    ['clear', 'rain'],
    ['empty', 'full'],
  ])('of the words %s and %s is a category; what is not known is left out and counted', async (a, b) => {
    const { text, report } = await learn([a, b], ['unavailable', 'unknown', '', 'Unavailable'])
    expect(report).toMatchObject({
      task: 'classification',
      classes: [a, b],
      rows: { train: 390, test: 390 },
      leftOut: { train: 10, test: 10 },
    })
    expect(text).toContain('Left out, since their state is not known: 10 rows of the training file, 10 of')
  })

  test('a column named hour keeps its name beside the hour that is made of the time', async () => {
    const { report } = await learn(['off', 'on'], ['unknown'])
    expect(new Set(report.features).size).toBe(report.features.length)
    expect(report.features).toContain('hour')
    expect(report.features).toContain('hour made of the time')
  })

  test('words of a column that is learnt from are names, though one of them is a state', async () => {
    const rows = (from: number): string =>
      Array.from({ length: 300 }, (_, row) => {
        const sky = ['clear', 'rain', 'fog'][(row + from) % 3]!
        return `${sky},${row % 5},${sky === 'clear' ? 10 : 2}.5`
      }).join('\n')
    writeFileSync(at('train.csv'), `sky,wind,yield\n${rows(0)}\n`)
    writeFileSync(at('test.csv'), `sky,wind,yield\n${rows(1)}\n`)
    const flags = { train: at('train.csv'), test: at('test.csv'), target: 'yield', json: true, ...usual }
    expect(JSON.parse(await labLearn(flags))).toMatchObject({ task: 'regression', features: ['wind', 'sky'] })
  })
})
