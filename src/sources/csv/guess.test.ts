import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { guessMapping } from './guess.ts'
import type { MappingFlags } from './guess-context.ts'
import { readHead } from './head.ts'
import type { Field, Mapping } from './mapping.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'homeostat-guess-'))
})
afterAll(() => rm(folder, { recursive: true }))

async function guess(text: string, flags: MappingFlags = {}): Promise<Mapping> {
  const file = join(folder, 'station.csv')
  await writeFile(file, text)
  return guessMapping(await readHead(file), flags)
}

const said = (field: Field | undefined) => (!field ? '' : 'fixed' in field ? field.fixed : `@${field.column}`)
/** COLUMN=device/metric:unit*factor of every column that is imported. */
const imported = (mapping: Mapping) =>
  mapping.values.map(({ name, device, metric, unit, factor }) => {
    const scaled = factor === 1 ? '' : `*${factor}`
    return `${name}=${said(device)}/${said(metric)}:${said(unit)}${scaled}`
  })
const skipped = (mapping: Mapping) =>
  Object.fromEntries(mapping.skipped.map(({ name, why, flag }) => [name, [why, flag]]))
const row = (text: string, times = 3) =>
  Array.from({ length: times }, (_, n) => `2024-01-0${n + 1} 00:00:00,${text}`).join('\n')

describe('guessMapping, wide', () => {
  it('gives one device to a station whose metrics differ', async () => {
    const mapping = await guess(`timestamp,value_Temperatur,value_PM2.5\n${row('4.5,8')}`)
    expect(imported(mapping)).toEqual([
      'value_Temperatur=station/temperature:degC',
      'value_PM2.5=station/pm2_5:ug/m3',
    ])
  })

  it('gives each column its device where a metric occurs twice', async () => {
    const mapping = await guess(`timestamp,load_w,pv_w,pv_forecast_w\n${row('1,2,3')}`)
    expect(imported(mapping)).toEqual(['load_w=load/power:W', 'pv_w=pv/power:W'])
    expect(skipped(mapping)['pv_forecast_w']?.[0]).toBe('a forecast, not a measurement')
    const named = await guess(`timestamp,load_w,pv_w\n${row('1,2')}`, { device: 'house' })
    expect(imported(named)).toEqual(['load_w=house_load/power:W', 'pv_w=house_pv/power:W'])
  })

  it('skips what has no unit, and says the flag that would include it', async () => {
    const mapping = await guess(`time,Light,anomaly,note,CO2\n${row('400,0,fine,500')}`)
    expect(imported(mapping)).toEqual(['CO2=station/co2:ppm'])
    expect(skipped(mapping)).toEqual({
      Light: ['unit not stated', '--column "Light=station/illuminance:lx"'],
      anomaly: ['the name tells no metric', '--column "anomaly=station/METRIC:UNIT"'],
      note: ['text, not a number', undefined],
    })
  })

  it('obeys --column before any guess, once or more for a column', async () => {
    const column = ['Light=desk/illuminance:klx', 'CO2=desk/co2:ppm*2', 'CO2=copy/co2:ppm']
    const mapping = await guess(`time,Light,CO2\n${row('400,500')}`, { column })
    expect(imported(mapping)).toEqual([
      'Light=desk/illuminance:klx',
      'CO2=desk/co2:ppm*2',
      'CO2=copy/co2:ppm',
    ])
  })

  it('takes the device from its column', async () => {
    const mapping = await guess(`timestamp,device_id,temp_c,power_w\n${row('x1,20,7')}`)
    expect(imported(mapping)).toEqual(['temp_c=@1/temperature:degC', 'power_w=@1/power:W'])
  })

  it('knows a meter by its rising', async () => {
    const rising = Array.from({ length: 9 }, (_, n) => `2024-01-0${n + 1} 00:00,${100 + n},${n % 3}`)
    const mapping = await guess(
      `time,a_energy_kwh,b_energy_kwh\n${rising.join('\n')}\n2024-01-10 00:00,109,1\n`,
    )
    expect(imported(mapping)).toEqual([
      'a_energy_kwh=station/energy_total:kWh',
      'b_energy_kwh=station/energy:kWh',
    ])
  })
})

describe('guessMapping, long', () => {
  const text = `at,device,metric,value,unit,room\n2024-01-01T00:00:00Z,t1,temperature,20,degC,kitchen\n`

  it('takes every field from its column', async () => {
    const mapping = await guess(text)
    expect(mapping).toMatchObject({ format: 'long', time: { index: 0, format: 'offset' } })
    expect(imported(mapping)).toEqual(['value=@1/@2:@4'])
    expect(said(mapping.values[0]?.room)).toBe('@5')
  })

  it('can be told which column is which', async () => {
    const other = 'when,who,what,much\n2024-01-01,t1,temperature,20\n'
    const column = ['who=@device', 'what=@metric', 'much=@value']
    expect(imported(await guess(other, { column, format: 'long' }))).toEqual(['much=@1/@2:'])
    await expect(guess(other, { format: 'long' })).rejects.toThrow(/--column "COL=@metric"/)
  })

  it('reads a long file as wide where it is told so', async () => {
    const column = ['value=t1/temperature:degC']
    expect(imported(await guess(text, { format: 'wide', column }))).toEqual(['value=t1/temperature:degC'])
  })
})

describe('guessMapping, times and gaps', () => {
  it('prefers the column that is called timestamp', async () => {
    const mapping = await guess('created_at,timestamp,CO2\n2024-01-01,2024-01-02,500\n')
    expect(mapping.time).toMatchObject({ index: 1 })
    expect(skipped(mapping)['created_at']).toEqual(['another time', '--time "created_at"'])
  })

  it('does not take any large number for a time', async () => {
    await expect(guess('serial,CO2\n1709154000,500\n')).rejects.toThrow(/--time COL.*--start/)
    expect((await guess('serial,CO2\n1709154000,500\n', { time: 'serial' })).time).toMatchObject({
      format: 'epoch_s',
    })
  })

  it('spaces the rows of a file without times by --start and --every', async () => {
    const mapping = await guess('row,CO2\n1,500\n', { start: '2024-01-01T00:00:00Z', every: '15m' })
    expect(mapping.time).toEqual({ kind: 'steps', start: Date.UTC(2024, 0, 1), everyMs: 900_000 })
  })

  it('joins a column of days with one of clock times', async () => {
    const mapping = await guess('Date;Time;CO2\n16/12/2006;17:24:00;500\n16/12/2006;17:25:00;500\n')
    expect(mapping.time).toMatchObject({ index: 0, clock: 1, format: 'dmy' })
    expect(mapping.notes).toEqual([])
  })

  it('asks for the order of a date that could be either', async () => {
    const text = 'day,CO2\n3/4/2024 10:00,500\n'
    await expect(guess(text, { time: 'day' })).rejects.toThrow(/--date-order/)
    expect((await guess(text, { dateOrder: 'mdy' })).time).toMatchObject({ format: 'mdy' })
  })

  it('warns of rows that share their time though nothing tells them apart', async () => {
    const text = 'time,place,CO2\n2024-01-01,a,500\n2024-01-01,b,600\n2024-01-02,a,500\n2024-01-02,b,600\n'
    expect((await guess(text)).notes.join()).toMatch(/2 of the first 4 rows.*COL=@device/)
    expect((await guess(text, { column: ['place=@device'] })).notes).toEqual([])
  })

  it('marks gaps by --gap-when', async () => {
    const mapping = await guess(`time,status,CO2\n${row('error,500')}`, { gapWhen: ['status=error'] })
    expect(mapping.gaps).toMatchObject([{ index: 1, value: 'error', zeros: [] }])
  })

  const refused: [string, MappingFlags, string, RegExp][] = [
    ['an unknown time column', { time: 'when' }, 'column_unknown', /no column "when"; it has time, CO2/],
    ['a time column without times', { time: 'CO2' }, 'mapping_unclear', /"CO2" holds no times: "500"/],
    ['an unknown column of --column', { column: ['x=a/b'] }, 'column_unknown', /"x"/],
    ['an unknown column of --gap-when', { gapWhen: ['x=1'] }, 'column_unknown', /"x"/],
    ['a --gap-when without a value', { gapWhen: ['CO2'] }, 'mapping_unclear', /COL=VALUE/],
    ['an unknown zone', { zone: 'Europe/Pari' }, 'mapping_unclear', /IANA/],
    ['an unknown format', { format: 'tall' }, 'mapping_unclear', /neither long nor wide/],
    ['a start without an offset', { start: '2024-01-01', every: '1s' }, 'mapping_unclear', /offset/],
    ['a step without a unit', { start: '2024-01-01T00:00:00Z', every: '5' }, 'mapping_unclear', /--every/],
  ]
  for (const [name, flags, code, message] of refused) {
    it(`refuses ${name}`, async () => {
      const attempt = guess(`time,CO2\n${row('500')}`, flags)
      await expect(attempt).rejects.toMatchObject({ code, message: expect.stringMatching(message) })
    })
  }
})

describe('guessMapping, known data sets', () => {
  const household = 'datetime,Global_active_power,Voltage,Sub_metering_1,Sub_metering_2'

  it('takes the sub-meters of the household data as Wh of the interval, and no sums', async () => {
    const mapping = await guess(
      `${household}\n2006-12-16 17:00:00,152,8447,0,19\n2006-12-16 18:00:00,217,14074,0,403\n`,
    )
    expect(imported(mapping)).toEqual([
      'Sub_metering_1=Sub_metering_1/energy:Wh',
      'Sub_metering_2=Sub_metering_2/energy:Wh',
    ])
    expect(skipped(mapping)['Global_active_power']).toEqual([
      'the sum of its values of the interval’s minutes, unit not stated',
      '--column "Global_active_power=house/energy:kWh*0.0166667"',
    ])
    expect(mapping.gaps).toMatchObject([{ index: 2, value: '0', zeros: [1, 3, 4] }])
  })

  it('takes all of the same data by the minute', async () => {
    const mapping = await guess(
      `${household}\n2006-12-16 17:24:00,4.2,234,0,1\n2006-12-16 17:25:00,5.3,233,0,1\n`,
    )
    expect(imported(mapping)).toContain('Global_active_power=house/power:kW')
    expect(imported(mapping)).toContain('Voltage=house/voltage:V')
  })
})
