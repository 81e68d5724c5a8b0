import { access, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readSeries } from './lab-series.ts'
import { numberColumn, readTable, type TableOptions, timeColumn } from './lab-table.ts'

/** The files of `lab` are read as those of an import are. */

let folder: string
let file: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'homeostat-table-'))
  file = join(folder, 'log.csv')
})
afterAll(() => rm(folder, { recursive: true }))

async function table(text: string, options?: TableOptions) {
  await writeFile(file, text)
  return readTable(file, options)
}
const isoOf = (at: Float64Array): string[] => Array.from(at, (ms) => new Date(ms).toISOString().slice(0, 16))

describe('times of a table', () => {
  const cases: [what: string, text: string, column: string, times: string[]][] = [
    [
      'in nanoseconds',
      'time,x\n1767571200000000000,1\n1767571500000000000,2\n',
      'time',
      ['2026-01-05T00:00', '2026-01-05T00:05'],
    ],
    [
      'in days of a spreadsheet',
      'date,x\n46027,1\n46027.5,2\n',
      'date',
      ['2026-01-05T00:00', '2026-01-05T12:00'],
    ],
    [
      'of a twelve-hour clock',
      'time,x\n1/31/2026 12:05 AM,1\n1/31/2026 1:05 PM,2\n',
      'time',
      ['2026-01-31T00:05', '2026-01-31T13:05'],
    ],
    [
      'in two columns',
      'Date,Clock,x\n2026-01-05,07:30,1\n2026-01-05,08:00,2\n',
      'Date',
      ['2026-01-05T07:30', '2026-01-05T08:00'],
    ],
  ]
  for (const [what, text, column, times] of cases) {
    it(`${what} are times`, async () =>
      expect(isoOf(timeColumn(await table(text), column, 'UTC'))).toEqual(times))
  }

  it('of the hour that autumn repeats are told apart, newest first', async () => {
    const clocks = ['02:00', '01:30', '01:00', '01:30', '01:00', '00:30']
    const rows = clocks.map((clock, row) => `2025-10-26 ${clock},${row}`).join('\n')
    const at = timeColumn(await table(`time,x\n${rows}\n`), 'time', 'Europe/London')
    expect(isoOf(at).map((time) => time.slice(11))).toEqual([
      '02:00',
      '01:30',
      '01:00',
      '00:30',
      '00:00',
      '23:30',
    ])
  })

  it('make a series of steps in ms, while plain numbers count steps and are said to', async () => {
    const notes: string[] = []
    const flags = { zone: 'UTC', value: 'x' }
    await writeFile(file, 'time,x\n1767571200000000000,1\n1767571500000000000,2\n1767571800000000000,3\n')
    expect(await readSeries(file, flags, (note) => notes.push(note))).toMatchObject([{ step: 300_000 }])
    expect(notes).toEqual([])
    await writeFile(file, 'time,x\n10,1\n11,2\n12,3\n')
    expect(await readSeries(file, flags, (note) => notes.push(note))).toMatchObject([{ start: 10, step: 1 }])
    expect(notes).toEqual([
      expect.stringMatching(/^log\.csv: the column time holds plain numbers and no times/),
    ])
  })
})

describe('numbers of a table', () => {
  it('are read in the style of each column', async () => {
    const read = await table('time;a;b\n2026-01-05;1.100,5;2.5\n2026-01-06;7,5;2.25\n')
    expect([...numberColumn(read, 'a')]).toEqual([1100.5, 7.5])
    expect([...numberColumn(read, 'b')]).toEqual([2.5, 2.25])
  })

  it('that could be either are refused with the flag that decides', async () => {
    const text = 'time,a\n2026-01-05,"1,100"\n2026-01-06,"1,200"\n'
    const read = await table(text)
    expect(() => numberColumn(read, 'a')).toThrow(/log\.csv: .*"a", such as 1,100, .* --decimal/)
    expect([...numberColumn(await table(text, { decimal: '.' }), 'a')]).toEqual([1100, 1200])
  })
})

describe('bad rows of a table', () => {
  const good = Array.from({ length: 20 }, (_, minute) => `2026-01-05 00:${10 + minute},${minute},fine`)
  const text = `time,x,note\n${good.join('\n')}\n2026-01-05 01:00,oops,fine\nnever,1,fine\n2026-01-05 01:02,5\n2026-01-05 01:03,,\n`

  it('are refused by line', async () => {
    await expect(table(text)).rejects.toThrow(/log\.csv, line 24: the row has 2 fields, the header 3/)
  })

  it('are left out, counted and kept with line and reason where that is wanted', async () => {
    const read = await table(text, { skipBadRows: true })
    expect(read.rows).toHaveLength(21)
    expect([...numberColumn(read, 'x').slice(-2)]).toEqual([19, Number.NaN])
    expect(timeColumn(read, 'time', 'UTC')).toHaveLength(21)
    expect(read.notes).toEqual([
      `log.csv: 3 rows that cannot be read were left out, by line number in ${file}.bad.csv.`,
    ])
    const bad = (await readFile(`${file}.bad.csv`, 'utf8')).trim().split('\n')
    expect(bad.map((line) => line.split(',')[0])).toEqual(['line', '22', '23', '24'])
    expect(bad[1]).toContain('"2026-01-05 01:00,oops,fine"')
  })

  it('leave no file where there are none', async () => {
    await rm(`${file}.bad.csv`, { force: true })
    await table('time,x\n2026-01-05,1\n', { skipBadRows: true })
    await expect(access(`${file}.bad.csv`)).rejects.toThrow()
  })
})
