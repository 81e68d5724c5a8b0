import { describe, expect, it } from 'vitest'
import { importOf } from './import-of.ts'

/** Cells that hold more than a number, or no number at all. */

const minute = (row: number): string => `2026-01-05T00:${String(row).padStart(2, '0')}:00Z`
const column = (name: string, cells: readonly string[], delimiter = ','): string =>
  `time${delimiter}${name}\n${cells.map((cell, row) => `${minute(row)}${delimiter}${cell}`).join('\n')}\n`

describe('cells with their unit', () => {
  const cases: [what: string, name: string, cells: string[], lines: string[], delimiter?: string][] = [
    [
      'of power, in W and kW',
      'Oven',
      ['1.20 kW', '850 W', '0 W'],
      ['power 1200 W', 'power 850 W', 'power 0 W'],
    ],
    ['without a blank', 'Oven', ['1.2kW', '850W'], ['power 1200 W', 'power 850 W']],
    [
      'of temperature',
      'Hall',
      ['21.3 °C', '-4 °C', '70.7 °F'],
      ['temperature 21.3 degC', 'temperature -4 degC', 'temperature 21.5 degC'],
    ],
    [
      'of humidity, which the name tells',
      'Humidity',
      ['45 %', '46.5%'],
      ['humidity 45 %', 'humidity 46.5 %'],
    ],
    [
      'of energy',
      'House',
      ['1.2 MWh', '0.9 MWh', '1100 kWh', '950 kWh'],
      ['energy 1200 kWh', 'energy 900 kWh', 'energy 1100 kWh', 'energy 950 kWh'],
    ],
    ['with decimal commas', 'Oven', ['1,20 kW', '850,5 W'], ['power 1200 W', 'power 850.5 W'], ';'],
    [
      'with a no-break space and grouped digits',
      'Oven',
      ['1.250,5\u00a0W', '850,5\u00a0W'],
      ['power 1250.5 W', 'power 850.5 W'],
      ';',
    ],
    [
      'against the unit of the name',
      'power_w',
      ['1.2 kW', '850', '0.9 kW'],
      ['power 1200 W', 'power 850 W', 'power 900 W'],
    ],
    [
      'beside numbers without one, where all units are the same',
      'Oven',
      ['1.2 kW', '1.4', '0.9 kW'],
      ['power 1200 W', 'power 1400 W', 'power 900 W'],
    ],
    [
      'and cells without a value',
      'Oven',
      ['1.2 kW', 'NaN W', '-- kW', '850 W'],
      ['power 1200 W', 'power 850 W'],
    ],
    [
      'of few rows only',
      'power_w',
      ['850', '870', '1.2 kW', '900'],
      ['power 850 W', 'power 870 W', 'power 1200 W', 'power 900 W'],
    ],
  ]
  for (const [what, name, cells, lines, delimiter] of cases) {
    it(`${what} are converted one by one`, async () => {
      const found = await importOf(column(name, cells, delimiter))
      expect(found.lines.map((line) => line.split(' ').slice(2).join(' '))).toEqual(lines)
      expect(found.counts.badRows).toBe(0)
    })
  }

  it('of different units leave a number without one unclear', async () => {
    const { lines, counts } = await importOf(column('Oven', ['1.2 kW', '850 W', '900', '0']))
    expect(lines.map((line) => line.split(' ')[3])).toEqual(['1200', '850', '0'])
    expect(counts).toMatchObject({ badRows: 1, bad: { data_invalid: 1 } })
  })

  it('of a unit that may be two, or of no unit, are no numbers', async () => {
    const { counts } = await importOf(column('power_w', ['1', '2', '3', '4', '1.2 mw', '7 apples']))
    expect(counts).toMatchObject({ readings: 4, badRows: 2, bad: { value_not_number: 2 } })
    const { mapping } = await importOf(column('Solar', ['1.2 K', '3.4 K']))
    expect(mapping.skipped).toMatchObject([{ why: 'text, not a number' }])
  })

  it('of another quantity than the column are bad rows', async () => {
    const { counts } = await importOf(column('power_w', ['1', '2', '3', '21 °C']))
    expect(counts).toMatchObject({ readings: 3, badRows: 1 })
  })

  it('of a register are judged in one unit', async () => {
    const cells = Array.from({ length: 30 }, (_, row) =>
      row < 15 ? `${(999.4 + row * 0.04).toFixed(2)} kWh` : `${(1 + (row - 14) * 0.00004).toFixed(5)} MWh`,
    )
    const { metrics, values } = await importOf(column('House', cells))
    expect(metrics).toEqual(['energy_total'])
    expect(values.at(-1)).toBeCloseTo(1000.6, 6)
  })

  it('tell the metric of an entity', async () => {
    const text = `entity_id,state,last_changed
sensor.a,1.2 kW,${minute(0)}
sensor.a,850 W,${minute(1)}
sensor.b,21.5 °C,${minute(0)}
`
    expect((await importOf(text)).lines).toEqual([
      '2026-01-05T00:00Z sensor.a power 1200 W',
      '2026-01-05T00:01Z sensor.a power 850 W',
      '2026-01-05T00:00Z sensor.b temperature 21.5 degC',
    ])
  })

  it('do not make a header of numbers with units one of data', async () => {
    const { head } = await importOf('time,12V,24V\n2026-01-05T00:00:00Z,12.1,24.3\n')
    expect(head.columns).toEqual(['time', '12V', '24V'])
  })
})

describe('words for no value', () => {
  const words = [
    'No CT',
    'N/A',
    '--',
    '-',
    'null',
    'NaN',
    '#N/A',
    'missing',
    'n.a.',
    'unavailable',
    'unknown',
    '',
  ]
  const further = [
    'n. a.',
    'Not available',
    '(null)',
    '<NA>',
    '—',
    '#DIV/0!',
    '#WERT!',
    'no data',
    'ERR',
    'offline',
    'k. A.',
    'keine Daten',
    'Sin datos',
  ]

  it.each([...words, ...further])('"%s" is left out and counted, not bad', async (word) => {
    const { counts, lines } = await importOf(column('power_w', ['1', word, '3', word, '5']))
    expect(lines).toHaveLength(3)
    expect(counts).toMatchObject({ badRows: 0, empty: 2, words: { [word]: 2 } })
  })

  it('are counted each by itself', async () => {
    const { counts } = await importOf(column('power_w', ['1', 'No CT', 'NaN', 'No CT', '', '5', '6', '7']))
    expect(counts.words).toEqual({ 'No CT': 2, NaN: 1, '': 1 })
  })

  it('leave other words bad', async () => {
    const { counts } = await importOf(column('power_w', ['1', 'oops', '3', '4']))
    expect(counts).toMatchObject({ badRows: 1, empty: 0 })
  })

  it('leave a column of states what it is', async () => {
    const { mapping } = await importOf(column('mode', ['heat', 'error', 'heat', 'N/A', 'idle']))
    expect(mapping.skipped).toMatchObject([{ name: 'mode', why: 'text, not a number' }])
  })

  it('do not hide the kind of a column that mostly holds them', async () => {
    const { lines } = await importOf(column('power_w', ['No CT', 'No CT', 'No CT', '5', 'No CT']))
    expect(lines).toEqual(['2026-01-05T00:03Z export power 5 W'])
  })
})
