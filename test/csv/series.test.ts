import { describe, expect, it } from 'vitest'
import { importOf } from './import-of.ts'

/** Files in which several series share a column of values, or the times stand in the header. */

const skipped = ({ mapping }: Awaited<ReturnType<typeof importOf>>) =>
  Object.fromEntries(mapping.skipped.map(({ name, why, flag }) => [name, [why, flag]]))

describe('the history of Home Assistant', () => {
  const history = `entity_id,state,last_changed
sensor.cellar_energy,812.40,2026-01-05T00:00:00.000Z
sensor.cellar_energy,unavailable,2026-01-05T00:10:00.000Z
sensor.cellar_energy,812.55,2026-01-05T00:20:00.000Z
sensor.attic_temperature,unknown,2026-01-05T00:00:00.000Z
sensor.attic_temperature,-3.5,2026-01-05T00:05:00.000Z
sensor.attic_humidity,71,2026-01-05T00:05:00.000Z
sensor.washer_power,2100,2026-01-05T00:05:00.000Z
sensor.phone_battery,64,2026-01-05T00:05:00.000Z
binary_sensor.porch_motion,on,2026-01-05T00:05:00.000Z
binary_sensor.back_door,off,2026-01-05T00:05:00.000Z
switch.pump,on,2026-01-05T00:05:00.000Z
climate.hall,heat,2026-01-05T00:05:00.000Z
sensor.garden_moisture,31,2026-01-05T00:05:00.000Z
sensor.boat_power,0.4,2026-01-05T00:05:00.000Z
`

  it('is a series for each entity, with metric and unit by its name and values', async () => {
    const { lines, counts } = await importOf(history)
    expect(lines).toEqual([
      '2026-01-05T00:00Z sensor.cellar_energy energy_total 812.4 kWh',
      '2026-01-05T00:20Z sensor.cellar_energy energy_total 812.55 kWh',
      '2026-01-05T00:05Z sensor.attic_temperature temperature -3.5 degC',
      '2026-01-05T00:05Z sensor.attic_humidity humidity 71 %',
      '2026-01-05T00:05Z sensor.washer_power power 2100 W',
      '2026-01-05T00:05Z sensor.phone_battery battery 64 %',
      '2026-01-05T00:05Z binary_sensor.porch_motion motion 1 state',
      '2026-01-05T00:05Z binary_sensor.back_door door 0 state',
      '2026-01-05T00:05Z switch.pump switch 1 state',
    ])
    expect(counts).toMatchObject({ readings: 9, empty: 2, gaps: 3, badRows: 0 })
  })

  it('names the entities that are left out, and a hint leads to their readings when its gaps are filled in', async () => {
    const all = skipped(await importOf(history))
    expect(all).toEqual({
      'climate.hall': ['text, not a number', undefined],
      'sensor.garden_moisture': ['the name tells no metric', '--column "sensor.garden_moisture=METRIC:UNIT"'],
      'sensor.boat_power': ['unit not stated', '--column "sensor.boat_power=power:UNIT"'],
    })
    const { lines } = await importOf(history, { column: ['sensor.boat_power=power:kW'] })
    expect(lines).toHaveLength(10)
    expect(lines.at(-1)).toBe('2026-01-05T00:05Z sensor.boat_power power 400 W')
    await expect(importOf(history, { column: ['sensor.boat_power=power:UNIT'] })).rejects.toThrow(
      /still says UNIT/,
    )
  })

  it('is read by the unit where the file has one, whatever the order of its rows', async () => {
    const text = `last_changed,unit_of_measurement,entity_id,state
2026-01-05T00:20:00Z,Wh,sensor.a_energy,700100
2026-01-05T00:10:00Z,Wh,sensor.a_energy,700050
2026-01-05T00:00:00Z,Wh,sensor.a_energy,700000
2026-01-05T00:00:00Z,°F,sensor.b_temperature,50
`
    expect((await importOf(text)).lines).toEqual([
      '2026-01-05T00:20Z sensor.a_energy energy_total 700.1 kWh',
      '2026-01-05T00:10Z sensor.a_energy energy_total 700.05 kWh',
      '2026-01-05T00:00Z sensor.a_energy energy_total 700 kWh',
      '2026-01-05T00:00Z sensor.b_temperature temperature 10 degC',
    ])
  })

  it('knows an entity whose rows stand at the end of a large file', async () => {
    const rows = Array.from(
      { length: 30_000 },
      (_, n) => `sensor.a_power,${100 + (n % 50)},${1_767_571_200 + n}`,
    )
    const text = `entity_id,state,time\n${rows.join('\n')}\nsensor.z_temperature,20.5,1767571200\n`
    const { lines } = await importOf(text)
    expect(lines.at(-1)).toBe('2026-01-05T00:00Z sensor.z_temperature temperature 20.5 degC')
  })
})

describe('annotated CSV of InfluxDB', () => {
  const text = `#group,false,false,true,true,false,false,true,true,true
#datatype,string,long,dateTime:RFC3339,dateTime:RFC3339,dateTime:RFC3339,double,string,string,string
#default,_result,,,,,,,,
,result,table,_start,_stop,_time,_value,_field,_measurement,room
,,0,2026-01-01T00:00:00Z,2026-02-01T00:00:00Z,2026-01-05T00:00:00Z,21.5,temperature,climate,hall
,,0,2026-01-01T00:00:00Z,2026-02-01T00:00:00Z,2026-01-05T00:05:00Z,21.75,temperature,climate,hall
,,1,2026-01-01T00:00:00Z,2026-02-01T00:00:00Z,2026-01-05T00:00:00Z,48,humidity,climate,hall
,,2,2026-01-01T00:00:00Z,2026-02-01T00:00:00Z,2026-01-05T00:00:00Z,19,temperature,climate,bath

#group,false,false,true,true,false,false,true,true,true,true
#datatype,string,long,dateTime:RFC3339,dateTime:RFC3339,dateTime:RFC3339,double,string,string,string,string
#default,_result,,,,,,,,,
,result,table,_start,_stop,_time,_value,_field,_measurement,domain,entity_id
,,0,2026-01-01T00:00:00Z,2026-02-01T00:00:00Z,2026-01-05T00:00:00Z,1200.5,value,W,sensor,oven
,,1,2026-01-01T00:00:00Z,2026-02-01T00:00:00Z,2026-01-05T00:00:00Z,951.2,value,kWh,sensor,grid
,,1,2026-01-01T00:00:00Z,2026-02-01T00:00:00Z,2026-01-05T00:05:00Z,951.3,value,kWh,sensor,grid
`
  const lines = [
    '2026-01-05T00:00Z hall temperature 21.5 degC',
    '2026-01-05T00:05Z hall temperature 21.75 degC',
    '2026-01-05T00:00Z hall humidity 48 %',
    '2026-01-05T00:00Z bath temperature 19 degC',
    '2026-01-05T00:00Z oven power 1200.5 W',
    '2026-01-05T00:00Z grid energy_total 951.2 kWh',
    '2026-01-05T00:05Z grid energy_total 951.3 kWh',
  ]

  it('is read table by table, each by its own header', async () => {
    const { lines: read, counts } = await importOf(text)
    expect(read).toEqual(lines)
    expect(counts).toMatchObject({ rows: 7, badRows: 0, gaps: 0 })
  })

  it('is read with CRLF, and without some of its annotations', async () => {
    const fewer = text.replaceAll(/#(group|default).*\n/g, '')
    expect((await importOf(fewer.replaceAll('\n', '\r\n'))).lines).toEqual(lines)
  })

  it('gives two fields of one metric devices of their own', async () => {
    const both = text.replace('48,humidity', '28,temperature_floor')
    const read = (await importOf(both)).lines.map((line) => line.split(' ')[1])
    expect(new Set(read)).toEqual(
      new Set(['temperature_climate_hall', 'temperature_floor_climate_hall', 'bath', 'oven', 'grid']),
    )
  })

  it('reports a row that does not fit the header of its table', async () => {
    const { counts } = await importOf(`${text},,1,2026-01-05T00:10:00Z,951.4\n`)
    expect(counts).toMatchObject({ readings: 7, badRows: 1 })
  })
})

describe('CSV of InfluxDB 1', () => {
  it('is a series for each measurement and its tags', async () => {
    const text = `name,tags,time,value
temperature,"room=hall,sensor=t1",1767571200000000000,21.5
temperature,"room=bath,sensor=t2",1767571200000000000,23
humidity,"room=bath,sensor=t2",1767571200000000000,60
`
    expect((await importOf(text)).lines).toEqual([
      '2026-01-05T00:00Z t1 temperature 21.5 degC',
      '2026-01-05T00:00Z t2 temperature 23 degC',
      '2026-01-05T00:00Z t2 humidity 60 %',
    ])
  })
})

describe('times in the header', () => {
  it('that are moments make each row a series', async () => {
    const text = `entity_id,type,unit,2026-01-05T00:00:00.000Z,2026-01-05T01:00:00.000Z
sensor.from_grid,grid_consumption,kWh,0.5,0.25
sensor.roof,solar_production,kWh,0,
sensor.car,device_consumption,Wh,500,1000
`
    expect((await importOf(text)).lines).toEqual([
      '2026-01-05T00:00Z sensor.from_grid energy 0.5 kWh',
      '2026-01-05T01:00Z sensor.from_grid energy 0.25 kWh',
      '2026-01-05T00:00Z sensor.roof energy 0 kWh',
      '2026-01-05T00:00Z sensor.car energy 0.5 kWh',
      '2026-01-05T01:00Z sensor.car energy 1 kWh',
    ])
  })

  const clocks = ['00:00', '04:00', '08:00', '12:00', '16:00', '20:00']
  const days = `Date,${clocks.join(',')}\n05/01/2026,1,2,3,4,5,6\n13/01/2026,1,2,,4,5,6\n`
  it('that are clock times make each row a day of the site', async () => {
    const zone = { siteZone: { zone: 'Europe/Berlin', why: 'site' } }
    const { lines, counts } = await importOf(days, { column: ['*=house/energy:kWh'], ...zone })
    expect(lines).toHaveLength(11)
    expect(lines[0]).toBe('2026-01-04T23:00Z house energy 1 kWh')
    expect(lines.at(-1)).toBe('2026-01-13T19:00Z house energy 6 kWh')
    expect(counts).toMatchObject({ rows: 2, empty: 1, badRows: 0 })
  })

  it('are read by the unit that each row names', async () => {
    const text = days.replace('Date,', 'MPAN,Unit,Date,').replaceAll(/^(0|1)/gm, '1012345678901,kWh,$1')
    expect((await importOf(text)).lines[0]).toBe('2026-01-05T00:00Z 1012345678901 energy 1 kWh')
  })

  it('with a unit nowhere are asked for with the flag that decides', async () => {
    const { mapping, lines } = await importOf(days)
    expect(lines).toEqual([])
    expect(mapping.skipped).toMatchObject([{ flag: '--column "*=export/METRIC:UNIT"' }])
  })

  it('need no flag where the name of the file says what it holds', async () => {
    const { lines } = await importOf(days, {}, 'consumption-kwh.csv')
    expect(lines[0]).toBe('2026-01-05T00:00Z consumption-kwh energy 1 kWh')
  })
})

describe('hints of a wide file', () => {
  it('lead to the readings that they speak of, of the device that the row names', async () => {
    const text = `station;timestamp;device;temperature;pressure;Light
x;2026-01-05 00:00;100;4.25;98000;400
x;2026-01-05 00:05;100;4.5;98100;410
`
    const first = await importOf(text)
    expect(first.lines).toEqual([
      '2026-01-05T00:00Z 100 pressure 980 hPa',
      '2026-01-05T00:05Z 100 pressure 981 hPa',
    ])
    const flags = first.mapping.skipped.flatMap(({ flag }) => /--column "(.*)"/.exec(flag ?? '')?.[1] ?? [])
    expect(flags).toEqual(['temperature=temperature:degC', 'Light=illuminance:lx'])
    const { lines } = await importOf(text, { column: flags })
    expect(lines).toContain('2026-01-05T00:00Z 100 temperature 4.25 degC')
    expect(lines).toContain('2026-01-05T00:00Z 100 illuminance 400 lx')
  })

  it('keep apart two columns of one metric, which the device alone would make one series', async () => {
    const text = 'timestamp,device,pressure_sealevel,pressure\n2026-01-05 00:00,100,101300,98000\n'
    const first = await importOf(text)
    expect(first.lines).toEqual(['2026-01-05T00:00Z 100 pressure 980 hPa'])
    const flag = /--column "(.*)"/.exec(first.mapping.skipped[0]?.flag ?? '')?.[1] ?? ''
    expect((await importOf(text, { column: [flag] })).lines).toEqual([
      '2026-01-05T00:00Z 100 pressure_sealevel 101300 Pa',
      '2026-01-05T00:00Z 100 pressure 980 hPa',
    ])
  })

  it('name no unit that the values do not show', async () => {
    const { mapping } = await importOf('time,temperature\n2026-01-05,68.5\n2026-01-06,71\n')
    expect(mapping.skipped[0]?.flag).toBe('--column "temperature=export/temperature:UNIT"')
  })
})
