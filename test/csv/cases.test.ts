import { describe, expect, it } from 'vitest'
import type { MappingFlags } from '../../src/sources/csv/guess-context.ts'
import { importOf } from './import-of.ts'

/** Files in the forms in which meters, portals and tools export them, and the readings that are right. */

const hourly = (hour: number): string => new Date(Date.UTC(2026, 2, 2, hour)).toISOString()
const column = (name: string, values: readonly (number | string)[]): string =>
  `time,${name}\n${values.map((value, hour) => `${hourly(hour)},${value}`).join('\n')}\n`
const rising = (count: number, from: number, by: number): string[] =>
  Array.from({ length: count }, (_, row) => (from + row * by).toFixed(3))

describe('a column of kWh', () => {
  const morning = ['0', '0', '0.03', '0.2', '0.5', '0.8', '1.1', '1.4', '1.7', '1.9', '2.0', '2.1']
  const dayOfSolar = [...morning, ...morning.toReversed()]
  const cases: [what: string, name: string, values: readonly (number | string)[], metric: string][] = [
    ['of a register', 'energy_kwh', rising(30, 5000, 0.3), 'energy_total'],
    [
      'of a register that starts over once',
      'e_kwh',
      [...rising(20, 900, 0.5), ...rising(20, 0.5, 0.5)],
      'energy_total',
    ],
    [
      'of a register that starts over at midnight',
      'today_kwh',
      [...rising(24, 0, 0.4), ...rising(24, 0, 0.4)],
      'energy_total',
    ],
    [
      'of a register without a telling name, over days',
      'pv_kwh',
      [0, 1, 2].flatMap(() => rising(24, 0, 0.4)),
      'energy_total',
    ],
    [
      'of a register that reads 0 once',
      'total_kwh',
      ['7000.1', '7000.3', '0', '7000.6', '7000.9'],
      'energy_total',
    ],
    [
      'of a register that drops out twice in a row',
      'meter_kwh',
      [...rising(9, 80, 0.1), 0, 0, ...rising(9, 81, 0.1)],
      'energy_total',
    ],
    [
      'of a register that jitters',
      'energy_total_kwh',
      ['100.02', '100.01', '100.05', '100.1', '100.12'],
      'energy_total',
    ],
    ['of a register that did not move', 'meter_total_kwh', ['12.5', '12.5', '12.5'], 'energy_total'],
    ['of a register that stands still beside others', 'export_t2_kwh', [200.5, 200.5, 200.5], 'energy_total'],
    ['of a standby that never changes', 'lamp_kwh', ['0.05', '0.05', '0.05'], 'energy'],
    ['of a solar morning', 'pv_energy_kwh', morning, 'energy'],
    ['of a solar day', 'solar_total_kwh', dayOfSolar, 'energy'],
    ['of solar days', 'pv_energy_kwh', [...dayOfSolar, ...dayOfSolar], 'energy'],
    ['of intervals', 'total_consumption_kwh', ['0.4', '0.2', '0.5', '0.3', '0.6', '0.2'], 'energy'],
    [
      'of a machine that runs now and then',
      'washer_kwh',
      [0, 0, '0.5', '0.9', 0, 0, '0.4', 0, 0, 0],
      'energy',
    ],
    ['of slowly rising intervals', 'Mains kWhs', rising(24, 0.5, 0.01), 'energy'],
  ]
  for (const [what, name, values, metric] of cases) {
    it(`${what} is ${metric}`, async () => {
      expect((await importOf(column(name, values))).metrics).toEqual([metric])
    })
  }

  it('of a register is known in a file that is newest first, and for each device apart', async () => {
    const rows = Array.from({ length: 30 }, (_, row) => [`a,${800 + row * 0.2}`, `b,${90 + row * 0.3}`])
    const lines = rows.flatMap((both, hour) => both.map((text) => `${hourly(hour)},${text}`))
    const text = `time,device,energy_kwh\n${lines.toReversed().join('\n')}\n`
    const { metrics, mapping } = await importOf(text)
    expect(metrics).toEqual(['energy_total'])
    expect(mapping.time).toMatchObject({ direction: 'backward' })
  })

  it('is judged by the whole file: the first rows of a long one may only rise', async () => {
    const day = Array.from({ length: 1440 }, (_, minute) =>
      Math.max(0, Math.sin((minute / 1440) * 2 * Math.PI - 1.5)),
    )
    const rows = Array.from({ length: 20_000 }, (_, minute) => {
      const at = new Date(Date.UTC(2026, 2, 2) + minute * 60_000).toISOString()
      return `${at},${(minute < 9000 ? 2000 + minute / 1000 : 100 * day[minute % 1440]!).toFixed(4)}`
    })
    expect((await importOf(`time,energy_kwh\n${rows.join('\n')}\n`)).metrics).toEqual(['energy'])
  })

  it('that could be either says how to tell', async () => {
    const { mapping } = await importOf(column('pv_energy_kwh', morning))
    const flag = /--column "(.*)"/.exec(mapping.values[0]!.why)?.[1]
    expect(flag).toBe('pv_energy_kwh=export/energy_total:kWh')
    expect((await importOf(column('pv_energy_kwh', morning), { column: [flag!] })).metrics).toEqual([
      'energy_total',
    ])
  })
})

describe('numbers', () => {
  const cases: [what: string, cells: string[], values: number[], delimiter?: string][] = [
    ['grouped by commas beside a point', ['"2,340"', '"12.75"'], [2340, 12.75]],
    ['grouped by points beside a comma', ['2.340', '12,75'], [2340, 12.75], ';'],
    ['grouped by points and with a comma', ['1.100,5', '0,25'], [1100.5, 0.25], ';'],
    ['grouped twice', ['"1,234,567"', '"1,100"'], [1_234_567, 1100]],
    ['grouped by apostrophes', ["1'234.5", '7.25'], [1234.5, 7.25]],
    ['grouped by spaces', ['1 234,5', '12 345,25'], [1234.5, 12_345.25], ';'],
    ['grouped by thin and narrow spaces', ['1\u2009234,5', '1\u202f500,25'], [1234.5, 1500.25], ';'],
    ['grouped beside smaller whole ones', ['950', '"1,100"', '870'], [950, 1100, 870]],
    ['not grouped, since others have four digits', ['1200', '"1,125"'], [1200, 1.125]],
    ['of a column that writes 0,125', ['0,125', '1,250'], [0.125, 1.25], ';'],
    ['with a point between commas', ['1.100', '1.250'], [1.1, 1.25]],
    ['with a minus sign of typographers', ['\u22121,5', '2,5'], [-1.5, 2.5], ';'],
    ['with an exponent', ['1.5e3', '2.25'], [1500, 2.25]],
  ]
  for (const [what, cells, values, delimiter = ','] of cases) {
    it(`${what} are read`, async () => {
      const rows = cells.map((cell, hour) => `${hourly(hour)}${delimiter}${cell}`)
      const text = `time${delimiter}power_w\n${rows.join('\n')}\n`
      expect((await importOf(text)).values).toEqual(values)
    })
  }

  it('are written in the style of each column', async () => {
    const text = 'time;power_w;voltage_v\n2026-01-01;1.100,5;230.5\n2026-01-02;7,5;231.25\n'
    expect((await importOf(text)).values).toEqual([1100.5, 230.5, 7.5, 231.25])
  })

  it('that could be either are asked for, and read as the flag says', async () => {
    const text = column('power_w', ['"1,100"', '"2,250"'])
    await expect(importOf(text)).rejects.toThrow(/"power_w", such as 1,100, .* --decimal \. or --decimal ,/)
    expect((await importOf(text, { decimal: '.' })).values).toEqual([1100, 2250])
    expect((await importOf(text, { decimal: ',' })).values).toEqual([1.1, 2.25])
    await expect(importOf('time;power_w\n2026-01-01;1.100\n')).rejects.toMatchObject({
      code: 'mapping_unclear',
    })
  })

  it('that do not fit their column are bad, not other numbers', async () => {
    const good = Array.from({ length: 30 }, (_, hour) => `${hourly(hour)};${hour},5`)
    const { counts, values } = await importOf(`time;power_w\n${good.join('\n')}\n${hourly(40)};7.25\n`)
    expect(counts).toMatchObject({ badRows: 1, readings: 30 })
    expect(values).not.toContain(725)
  })
})

describe('times', () => {
  const cases: [what: string, text: string, first: string, flags?: MappingFlags][] = [
    [
      'of a twelve-hour clock',
      'when,load_w\n01/31/2026 12:15:00 AM,1\n01/31/2026 12:15:00 PM,2\n',
      '2026-01-31T00:15Z',
    ],
    [
      'of a twelve-hour clock in a column of its own',
      'Date,Start,End,load_w\n1/31/2026,1:00 PM,2:00 PM,1\n',
      '2026-01-31T13:00Z',
    ],
    ['with slashes, year first', 'time,load_w\n2026/1/5 7:30,1\n', '2026-01-05T07:30Z'],
    ['with points', 'zeit;load_w\n5.1.2026 07:30;1\n', '2026-01-05T07:30Z'],
    ['with two digits of the year', 'zeit;load_w\n05.01.26 07:30;1\n', '2026-01-05T07:30Z'],
    ['in seconds', 'time,load_w\n1767598200,1\n', '2026-01-05T07:30Z'],
    ['in milliseconds', 'time,load_w\n1767598200000,1\n', '2026-01-05T07:30Z'],
    ['in microseconds', 'time,load_w\n1767598200000000,1\n', '2026-01-05T07:30Z'],
    ['in nanoseconds', 'time,load_w\n1767598200000000000,1\n', '2026-01-05T07:30Z'],
    ['in days of a spreadsheet', 'Date,load_w\n46027.3125,1\n46027.3333333333,1\n', '2026-01-05T07:30Z'],
    ['in days of a spreadsheet with a comma', 'Datum;load_w\n46027,3125;1\n', '2026-01-05T07:30Z'],
    ['without separators', 'timestamp,load_w\n20260105T073000,1\n', '2026-01-05T07:30Z'],
    [
      'of the start, not the end',
      'Fin;Debut;load_w\n2026-01-05 08:00;2026-01-05 07:30;1\n',
      '2026-01-05T07:30Z',
    ],
    [
      'of a day that is written with its midnight',
      'Date,Time,load_w\n2026-01-05 00:00:00,07:30,1\n',
      '2026-01-05T07:30Z',
    ],
    [
      'in the zone that the header names',
      'Time (America/Chicago),load_w\n2026-01-05 01:30:00,1\n',
      '2026-01-05T07:30Z',
    ],
    [
      'in the zone of the site',
      'time,load_w\n2026-01-05 08:30:00,1\n',
      '2026-01-05T07:30Z',
      { siteZone: { zone: 'Europe/Berlin', why: 'site' } },
    ],
    [
      'in UTC where the header says so',
      'time_utc,load_w\n2026-01-05 07:30:00,1\n',
      '2026-01-05T07:30Z',
      { siteZone: { zone: 'Europe/Berlin', why: 'site' } },
    ],
    [
      'in the zone of the flag',
      'time,load_w\n2026-01-05 08:30:00,1\n',
      '2026-01-05T07:30Z',
      { zone: 'Europe/Berlin', siteZone: { zone: 'UTC', why: 'site' } },
    ],
    [
      'whose order of day and month midnight shows',
      'time,load_w\n04/03/2026 12:00,1\n04/03/2026 23:00,1\n05/03/2026 00:00,1\n05/03/2026 01:00,1\n',
      '2026-03-04T12:00Z',
    ],
  ]
  for (const [what, text, first, flags] of cases) {
    it(`${what} are read`, async () => {
      const { lines } = await importOf(text, flags)
      expect(lines[0]).toMatch(new RegExp(`^${first} `))
    })
  }

  const london = ['00:30', '01:00', '01:30', '01:00', '01:30', '02:00'].map(
    (clock) => `2025-10-26 ${clock}:00`,
  )
  const utc = [
    '2025-10-25T23:30Z',
    '2025-10-26T00:00Z',
    '2025-10-26T00:30Z',
    '2025-10-26T01:00Z',
    '2025-10-26T01:30Z',
    '2025-10-26T02:00Z',
  ]
  for (const order of ['oldest', 'newest'] as const) {
    it(`of the hour that autumn repeats are told apart in a file that is ${order} first`, async () => {
      const rows = london.map((time, row) => `${time},0.${row + 1}`)
      const text = `start,usage_kwh\n${(order === 'oldest' ? rows : rows.toReversed()).join('\n')}\n`
      const { lines } = await importOf(text, { zone: 'Europe/London' })
      const expected = utc.map((time, row) => `${time} export energy 0.${row + 1} kWh`)
      expect(lines.toSorted()).toEqual(expected)
    })
  }

  it('of the hour that spring skips are bad rows', async () => {
    const text = 'start,usage_kwh\n2025-03-30 00:30,1\n2025-03-30 01:30,1\n2025-03-30 02:30,1\n'
    const { counts } = await importOf(text, { zone: 'Europe/London' })
    expect(counts).toMatchObject({ readings: 2, badRows: 1, bad: { at_invalid: 1 } })
  })

  it('of days and counted hours go on counting when the clocks change', async () => {
    const hours = (day: string, count: number): string[] =>
      Array.from({ length: count }, (_, hour) => `${day};${hour + 1};0.${hour + 10}`)
    const rows = [...hours('26/10/2025', 25), ...hours('27/10/2025', 24)]
    const { lines, counts } = await importOf(`Fecha;Hora;Consumo_kWh\n${rows.join('\n')}\n`, {
      zone: 'Europe/Madrid',
    })
    expect(counts).toMatchObject({ readings: 49, badRows: 0 })
    const start = Date.UTC(2025, 9, 25, 22)
    expect(lines.map((line) => Date.parse(line.split(' ')[0]!))).toEqual(
      Array.from({ length: 49 }, (_, hour) => start + hour * 3_600_000),
    )
  })

  it('of days and hours from 0 are clock times, and hours that could begin with either are refused', async () => {
    const rows = [0, 1, 2, 3].map((hour) => `2026-01-05,${hour},1`).join('\n')
    const { lines } = await importOf(`date,hour,load_w\n${rows}\n`)
    expect(lines.at(-1)).toBe('2026-01-05T03:00Z export power 1 W')
    const unclear = importOf('date,hour,load_w\n2026-01-05,1,1\n2026-01-05,2,1\n')
    await expect(unclear).rejects.toThrow(/hours of the column "hour" may begin with 0 or with 1/)
  })

  it('that could be day or month first are asked for', async () => {
    await expect(importOf('time,load_w\n04/03/2026 12:00,1\n')).rejects.toThrow(
      /--date-order dmy or --date-order mdy/,
    )
  })
})

describe('what stands around the table', () => {
  const lines = [
    '2026-01-05T00:00Z export temperature -1.5 degC',
    '2026-01-05T00:15Z export temperature 2.25 degC',
  ]
  const table = 'Zeit;Temperatur (°C)\n05.01.2026 00:00;-1,5\n05.01.2026 00:15;2,25\n'
  const cases: [what: string, content: string | Buffer][] = [
    ['nothing', table],
    ['a byte order mark', `\ufeff${table}`],
    ['a line that names the delimiter', `\ufeffsep=;\r\n${table.replaceAll('\n', '\r\n')}`],
    ['a title and an empty line', `Export of the cellar\n\n${table}`],
    ['pairs that are as wide as the table', `Device;Cellar\nCreated;2026-01-06\nRows;2\n${table}`],
    ['a table that is wider', `Serial;Kind;From;To\n0001;Sensor;05.01.2026;06.01.2026\n${table}`],
    [
      'remarks, many of them',
      `${Array.from({ length: 40 }, (_, row) => `# remark ${row}; and more`).join('\n')}\n${table}`,
    ],
    ['a row of units', `Zeit;Temperatur\n;°C\n05.01.2026 00:00;-1,5\n05.01.2026 00:15;2,25\n`],
    ['a unit above the header', `Unit;°C\nZeit;Wert\n05.01.2026 00:00;-1,5\n05.01.2026 00:15;2,25\n`],
    ['a degree sign of one character', table.replace('°C', '\u2103')],
    ['a unit in words', table.replace('Temperatur (°C)', 'Messung [in Grad Celsius]')],
    ['Latin-1', Buffer.from(table, 'latin1')],
    ['UTF-16 with a byte order mark', Buffer.from(`\ufeff${table}`, 'utf16le')],
    ['UTF-16 without one', Buffer.from(table, 'utf16le')],
    ['UTF-16 of the other order', Buffer.from(`\ufeff${table}`, 'utf16le').swap16()],
    [
      'cells that Excel keeps as text',
      table.replace('-1,5', '="-1,5"').replace('05.01.2026 00:15', '="05.01.2026 00:15"'),
    ],
  ]
  for (const [what, content] of cases) {
    it(`${what} does not change what is read`, async () =>
      expect((await importOf(content)).lines).toEqual(lines))
  }

  it('a unit in another language makes the metric known', async () => {
    const text = 'Début;Fin;Valeur (en kW)\n2026-01-05 00:00;2026-01-05 00:30;0,4\n'
    expect((await importOf(Buffer.from(text, 'latin1'))).lines).toEqual([
      '2026-01-05T00:00Z export power 400 W',
    ])
  })

  it('a unit that several quantities have makes none known', async () => {
    expect((await importOf('time,Wert (%)\n2026-01-05,40\n')).lines).toEqual([])
  })
})

describe('pressure without a unit', () => {
  const rows = (values: readonly number[]): string =>
    `sensor_id;timestamp;pressure\n${values.map((value, hour) => `17;${hourly(hour)};${value}`).join('\n')}\n`
  it('is Pa or hPa by its range, of the device that the row names', async () => {
    const pa = await importOf(rows([96_321.44, 101_325.5]))
    expect(pa.lines).toEqual([
      '2026-03-02T00:00Z 17 pressure 963.2144 hPa',
      '2026-03-02T01:00Z 17 pressure 1013.255 hPa',
    ])
    expect((await importOf(rows([963.2, 1013.5]))).lines[0]).toBe('2026-03-02T00:00Z 17 pressure 963.2 hPa')
  })

  it('is Pa in the archive of sensor.community, whose times are UTC whatever the site', async () => {
    const text = `sensor_id;sensor_type;location;lat;lon;timestamp;pressure;temperature
17;BME280;3;48.1;9.2;2026-01-05T00:02:00;0;-3.5
17;BME280;3;48.1;9.2;2026-01-05T00:04:00;98000.5;nan
`
    const { lines } = await importOf(text, { siteZone: { zone: 'Europe/Berlin', why: 'site' } })
    expect(lines).toEqual([
      '2026-01-05T00:02Z 17 pressure 0 hPa',
      '2026-01-05T00:02Z 17 temperature -3.5 degC',
      '2026-01-05T00:04Z 17 pressure 980.005 hPa',
    ])
  })

  it('is not guessed in another range, and the hint does not say a unit', async () => {
    const { mapping } = await importOf(rows([1.2, 1.3]))
    expect(mapping.skipped).toMatchObject([{ name: 'pressure', flag: '--column "pressure=pressure:UNIT"' }])
  })
})
