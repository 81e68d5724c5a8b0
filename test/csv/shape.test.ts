import { describe, expect, it } from 'vitest'
import type { MappingFlags } from '../../src/sources/csv/guess-context.ts'
import { importOf } from './import-of.ts'

/** What stands above, below and in the header of a table. */

const lines = ['2026-01-05T00:00Z export power 410 W', '2026-01-05T00:30Z export power 395.5 W']

describe('lines above a short table', () => {
  const table = 'Zeit;Leistung (W)\n05.01.2026 00:00;410\n05.01.2026 00:30;395,5\n'
  const pairs = Array.from({ length: 40 }, (_, row) => `Setting ${row};${row * 3}`).join('\n')
  const prose = Array.from(
    { length: 25 },
    (_, row) => `This file was made by the portal, see page ${row}, please keep it.`,
  ).join('\n')
  const cases: [what: string, above: string][] = [
    ['pairs of a name and a number', pairs],
    ['pairs with times', `Created;06.01.2026 10:00\nFrom;05.01.2026 00:00\nTo;06.01.2026 00:00\nRows;2`],
    ['sentences with commas', prose],
    ['more than two hundred lines', Array.from({ length: 300 }, (_, row) => `Remark ${row}`).join('\n')],
    [
      'a wider table of devices',
      `Serial;Kind;Place;Since\n${Array.from({ length: 9 }, (_, row) => `00${row};meter;room ${row};2025`).join('\n')}`,
    ],
  ]
  for (const [what, above] of cases) {
    it(`that are ${what} do not change what is read`, async () => {
      for (const gap of ['\n', '\n\n']) {
        const { lines: read, head } = await importOf(`${above}${gap}${table}`)
        expect(read).toEqual(lines)
        expect(head.notes.join()).toContain('above the header')
      }
    })
  }

  it('do not change it either where the times are numbers', async () => {
    const text = `${pairs.replaceAll(';', ',')}\ntime,power_w\n1767571200,410\n1767573000,395.5\n`
    expect((await importOf(text)).lines).toEqual(lines)
  })
})

describe('rows that sum up', () => {
  const table = 'time;power_w\n2026-01-05 00:00;410\n2026-01-05 00:30;395,5\n'
  const cases: [what: string, text: string, summaries: number][] = [
    ['one at the end', `${table}Total;805,5\n`, 1],
    ['several at the end', `${table}Sum;805,5\nAverage:;402,75\nMax (W);410\nMinimum;395,5\n`, 4],
    ['in other languages', `${table}Summe;805,5\nMittelwert;402,75\nmoyenne;402,75\nTotale;805,5\n`, 4],
    ['of fewer fields', `${table}Total\n`, 1],
    ['of more rows than the table', `${table}${'Total;805,5\n'.repeat(9)}`, 9],
    [
      'with the word behind an empty time',
      `${table.replaceAll(/^(.*);(.*)$/gm, '$1;;$2').replace('time;;', 'time;note;')};Total;805,5\n`,
      1,
    ],
    ['above the rows', table.replace('\n', '\nTotal;805,5\n'), 1],
  ]
  for (const [what, text, summaries] of cases) {
    it(`${what} are left out and counted`, async () => {
      const { lines: read, counts } = await importOf(text)
      expect(read).toEqual(lines)
      expect(counts).toMatchObject({ summaries, badRows: 0, readings: 2 })
    })
  }

  it('below a file that numbers its times are left out', async () => {
    const { lines: read, counts } = await importOf(
      'time,power_w\n1767571200,410\n1767573000,395.5\nTotal,805.5\n',
    )
    expect(read).toEqual(lines)
    expect(counts.summaries).toBe(1)
  })

  it('do not make a register of intervals, or intervals of a register', async () => {
    const rows = Array.from(
      { length: 24 },
      (_, hour) => `2026-01-05 ${hour}:00,${(500 + hour * 0.3).toFixed(1)}`,
    )
    const { metrics } = await importOf(`time,e_kwh\n${rows.join('\n')}\nTotal,6.9\nAverage,0.3\n`)
    expect(metrics).toEqual(['energy_total'])
  })

  it('are no devices that happen to be called so', async () => {
    const text = 'time,device,power_w\n2026-01-05 00:00,total,410\n2026-01-05 00:30,total,395.5\n'
    const { lines: read, counts } = await importOf(text)
    expect(read).toEqual(lines.map((line) => line.replace('export', 'total')))
    expect(counts.summaries).toBe(0)
  })
})

describe('names of columns', () => {
  it('that stand there twice keep their unit, and become devices of their own', async () => {
    const { lines: read, head } = await importOf('time,power_w,power_w\n2026-01-05 00:00,410,395.5\n')
    expect(read).toEqual([
      '2026-01-05T00:00Z power_w power 410 W',
      '2026-01-05T00:00Z power_w_2 power 395.5 W',
    ])
    expect(head.notes).toContain('Names that the header has more than once are numbered: power_w_2.')
  })

  it('that are made up are not those of other columns', async () => {
    const { head } = await importOf('time,a,a,a_2,,column_5\n2026-01-05 00:00,1,2,3,4,5\n')
    expect(head.columns).toEqual(['time', 'a', 'a_3', 'a_2', 'column_5_2', 'column_5'])
  })

  it('that are missing are made up, and can be given a meaning', async () => {
    const text = ',power_w,\n2026-01-05 00:00,410,21.5\n2026-01-05 00:30,395.5,21\n'
    const first = await importOf(text)
    expect(first.lines).toEqual(lines)
    expect(first.mapping.skipped).toMatchObject([{ name: 'column_3', why: 'the name tells no metric' }])
    const flags: MappingFlags = { column: ['column_3=temperature:degC'] }
    expect((await importOf(text, flags)).lines).toContain('2026-01-05T00:00Z export temperature 21.5 degC')
  })

  it('that are missing where the rows have seconds since 1970 are no reason to refuse', async () => {
    expect((await importOf(',power_w\n1767571200,410\n1767573000,395.5\n')).lines).toEqual(lines)
  })

  it('behind a byte order mark and a line that names the delimiter may have line breaks', async () => {
    const text =
      '\ufeffsep=;\r\n"Zeit\r\n(lokal)";"Leistung\r\n[W]"\r\n05.01.2026 00:00;410\r\n05.01.2026 00:30;395,5\r\n'
    const { lines: read, head } = await importOf(text)
    expect(head.columns).toEqual(['Zeit (lokal)', 'Leistung [W]'])
    expect(read).toEqual(lines)
    expect((await importOf(text.replace('sep=;\r\n', ''))).lines).toEqual(lines)
  })
})
