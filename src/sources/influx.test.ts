import { describe, expect, test } from 'vitest'
import { createInflux } from '../compose.ts'
import { influx as settings } from '../config/ways.ts'
import { parseReading, type RawReading } from '../core/reading.ts'

const noon = Date.parse('2026-03-02T12:00:00Z')

function read(
  text: string,
  { database = 'home', influx = {} as object, sites = null as string[] | null } = {},
) {
  const way = createInflux(settings.parse(influx), 'home')
  const body = { database, precision: 's', rowsMax: 1000, sites }
  const batches = [...way.read(Buffer.from(text), body)]
  const rows = batches.flatMap(({ rows }) => rows)
  return { rows, batches, notes: way.notes() }
}

const context = { now: noon, defaultSite: 'home', maxFutureMs: 600_000, dayStart: () => noon }

/** As a reading is stored: "site device metric value unit", with the room where there is one. */
function stored(raw: RawReading): string {
  const parsed = parseReading(raw, context)
  if (!parsed.ok) return parsed.problem.code
  const { site, device, metric, value, unit, room } = parsed.reading
  return [site, device, metric, value, unit, ...(room === undefined ? [] : [room])].join(' | ')
}

const readings = (text: string, options = {}): string[] => read(text, options).rows.map(stored)

/** As Home Assistant writes a state: unit as measurement, attributes as fields. */
const entity = (measurement: string, id: string, fields: string, domain = 'sensor'): string =>
  `${measurement},domain=${domain},entity_id=${id} ${fields}`

describe('influx mapping', () => {
  test.each([
    // a point about one thing
    ['temperature,device=box,unit=degC value=21.5', 'home | box | temperature | 21.5 | degC'],
    ['temperature,device=box,unit=degF value=68', 'home | box | temperature | 20 | degC'],
    [
      'reading,device=box,metric=co2,unit=ppm,room=office value=600i',
      'home | box | co2 | 600 | ppm | office',
    ],
    ['reading,device=box,metric=pulse value=7', 'home | box | pulse | 7 | raw'],
    ['door,device=front value=true', 'home | front | door | 1 | state'],
    ['door,device=front state="open"', 'home | front | door | 1 | state'],
    ['power,device=fridge,unit=W value="80.5"', 'home | fridge | power | 80.5 | W'],
    ['energy,device=fridge,unit=Wh value=1500', 'home | fridge | energy | 1.5 | kWh'],
    ['W,device=fridge value=80', 'home | fridge | power | 80 | W'],
    // no device: the room, or the measurement
    ['temperature,room=kitchen value=21', 'home | kitchen | temperature | 21 | degC | kitchen'],
    ['kitchen temperature=21', 'home | kitchen | temperature | 21 | degC'],
    ['living_room_humidity value=41', 'home | living_room_humidity | humidity | 41 | %'],
    ['some_counter value=41', 'home | some_counter | some_counter | 41 | raw'],
    // the site
    ['temperature,site=cabin,device=box value=2', 'cabin | box | temperature | 2 | degC'],
    // names with a unit
    ['weather,device=roof temp_c=3.5', 'home | roof | temperature | 3.5 | degC'],
    ['inverter,device=pv power_kw=1.5', 'home | pv | power | 1500 | W'],
    ['plug,device=tv energy=12.5', 'home | tv | energy_total | 12.5 | kWh'],
    ['plug,device=tv energy_kwh=12.5', 'home | tv | energy_total | 12.5 | kWh'],
    // Telegraf on a machine
    ['cpu,cpu=cpu0,host=nas usage_idle=97', 'home | nas/cpu0 | cpu_usage_idle | 97 | raw'],
    ['mem,host=nas used_percent=41', 'home | nas | mem_used_percent | 41 | raw'],
    ['diskio,host=nas,name=sda reads=5i', 'home | nas/sda | diskio_reads | 5 | raw'],
  ])('mapping: %s', (text, expected) => {
    expect(readings(text)).toEqual([expected])
  })

  test('mapping: MQTT messages that Telegraf relays belong to their topic, not to the machine that relays', () => {
    const text = [
      'mqtt_consumer,host=nas,topic=zigbee2mqtt/fridge power=80,energy=12.5,linkquality=120i,state="ON"',
      'mqtt_consumer,host=nas,topic=home/attic/humidity value=61',
      'mqtt_consumer,host=nas,topic=home/attic/x value=61',
      'mqtt_consumer,device=fan,host=nas,topic=a/b power=3',
    ].join('\n')
    expect(readings(text)).toEqual([
      'home | zigbee2mqtt/fridge | power | 80 | W',
      'home | zigbee2mqtt/fridge | energy_total | 12.5 | kWh',
      'home | zigbee2mqtt/fridge | linkquality | 120 | raw',
      'home | zigbee2mqtt/fridge | value | 1 | raw',
      'home | home/attic/humidity | humidity | 61 | %',
      'home | home/attic/x | value | 61 | raw',
      'home | fan | power | 3 | W',
    ])
  })

  test.each([
    ['kWh', 'meter', 'value=1234.5,state_class_str="total_increasing"', 'energy_total | 1234.5 | kWh'],
    ['kWh', 'meter', 'value=1,device_class_str="energy"', 'energy_total | 1 | kWh'],
    ['W', 'plug', 'value=80', 'power | 80 | W'],
    ['kW', 'plug', 'value=1.2,device_class_str="power"', 'power | 1200 | W'],
    ['°C', 'attic', 'value=21.5', 'temperature | 21.5 | degC'],
    ['°F', 'attic', 'value=68', 'temperature | 20 | degC'],
    ['%', 'attic_humidity', 'value=55', 'humidity | 55 | %'],
    ['%', 'attic', 'value=55,device_class_str="humidity"', 'humidity | 55 | %'],
    ['%', 'phone', 'value=55,device_class_str="battery"', 'battery | 55 | %'],
    ['%', 'something', 'value=55', 'value | 55 | %'],
    ['ppm', 'office', 'value=600,device_class_str="carbon_dioxide"', 'co2 | 600 | ppm'],
    ['hPa', 'office', 'value=1013', 'pressure | 1013 | hPa'],
    ['dBm', 'wifi', 'value=-60,device_class_str="signal_strength"', 'signal_strength | -60 | dBm'],
    ['ppm,device_class=carbon_dioxide', 'x', 'value=600', 'co2 | 600 | ppm'],
    ['sensor.steps', 'steps', 'value=5', 'value | 5 | raw'],
    ['sensor__temperature', 'attic', 'value=68,unit_of_measurement_str="°F"', 'temperature | 20 | degC'],
  ])('mapping: a sensor of Home Assistant in %s: %s %s', (unit, id, fields, expected) => {
    expect(readings(entity(unit, id, fields))).toEqual([`home | ${id} | ${expected}`])
  })

  test.each([
    ['binary_sensor', 'state="on",value=1,device_class_str="door"', 'door | 1 | state'],
    ['binary_sensor', 'state="off",value=0,device_class_str="occupancy"', 'occupied | 0 | state'],
    ['binary_sensor', 'state="on",value=1,device_class_str="battery"', 'battery_detected | 1 | raw'],
    ['binary_sensor', 'state="on"', 'state | 1 | raw'],
    ['switch', 'state="on",value=1', 'switch | 1 | state'],
    ['light', 'state="on",value=1', 'light | 1 | raw'],
  ])('mapping: a %s of Home Assistant with %s', (domain, fields, expected) => {
    expect(readings(entity(`${domain}.x`, 'x', fields, domain))).toEqual([`home | x | ${expected}`])
  })

  test('mapping: attributes of Home Assistant are metrics of their own, without a unit that nobody told', () => {
    const fields = 'state="heat",temperature=70,current_temperature=68,battery=80,hvac_action_str="on"'
    const { rows, notes } = read(entity('climate.hall', 'hall', fields, 'climate'))
    expect(rows.map(stored)).toEqual([
      'home | hall | attribute_temperature | 70 | raw',
      'home | hall | current_temperature | 68 | raw',
      'home | hall | battery | 80 | %',
    ])
    expect(notes.map(({ field }) => field)).toEqual(['state', 'hvac_action_str'])
  })

  test('mapping: text that is no state is left out and counted by its name, a state beside its number is not', () => {
    const line = entity('W', 'plug', 'value=80,friendly_name_str="Home",icon_str="mdi:x"')
    const door = entity('binary_sensor.d', 'd', 'state="on",value=1', 'binary_sensor')
    const { rows, batches, notes } = read(`${line}\n${line}\n${door}\nfan,device=x mode="auto" 1700000000`)
    expect(rows).toHaveLength(3)
    expect(batches.map(({ leftOut }) => leftOut)).toEqual([5])
    expect(notes).toEqual([
      { kind: 'text', site: 'home', measurement: 'W', field: 'friendly_name_str', count: 2 },
      { kind: 'text', site: 'home', measurement: 'W', field: 'icon_str', count: 2 },
      { kind: 'text', site: 'home', measurement: 'fan', field: 'mode', count: 1 },
    ])
  })

  test('mapping: names of text fields are bounded, and none is told of a site beyond the reach of its sender', () => {
    const many = Array.from({ length: 1200 }, (_, index) => `m f${index}="x"`).join('\n')
    const { notes } = read(many)
    expect(notes).toHaveLength(1001)
    expect(notes.at(-1)).toEqual({
      kind: 'text',
      site: '',
      measurement: '(others)',
      field: '(others)',
      count: 200,
    })
    expect(read('m f="x"', { sites: ['cabin'] }).notes).toEqual([])
  })

  test('mapping: two measurements with one series are told', () => {
    const { rows, notes } = read('indoor,device=x temperature=1\noutdoor,device=x temperature=2')
    expect(new Set(rows.map(stored)).size).toBe(2)
    expect(notes).toEqual([
      { kind: 'merged', site: 'home', measurement: 'outdoor', field: 'temperature', count: 1 },
    ])
  })

  test.each([
    ['', 'home'],
    ['telegraf', 'home'],
    ['Home Assistant', 'home'],
    ['cabin', 'cabin'],
    ['cabin/autogen', 'cabin'],
    ['cabin/week', 'cabin/week'],
  ])('mapping: the database %j is the site %s', (database, site) => {
    expect(readings('power,device=x value=1', { database })).toEqual([`${site} | x | power | 1 | W`])
  })

  test('mapping: the first exception that fits decides what it gives; a part whose tag is absent is as usual', () => {
    const influx = {
      mappings: [
        {
          measurement: 'weather',
          field: 'temp',
          metric: 'temperature_outdoor',
          unit: 'degF',
          room: '{place}',
        },
        { tags: { model: 'x1' }, device: '{model}-{id}', metric: '{measurement}.{field}' },
      ],
    }
    const text = 'weather,device=roof temp=32,wet=1\npump,model=x1,id=7 flow=3\npump,model=x1,device=d flow=4'
    expect(readings(text, { influx })).toEqual([
      'home | roof | temperature_outdoor | 0 | degC',
      'home | roof | weather_wet | 1 | raw',
      'home | x1-7 | pump.flow | 3 | raw',
      'home | d/x1 | pump.flow | 4 | raw',
    ])
    expect(() => read('', { influx: { mappings: [{ measurement: 'x' }] } })).toThrow('influx.mappings.0')
  })

  test('mapping: points whose tags differ are different series', () => {
    const text = ['a=1,b=2', 'a=1,b=3', 'a=1', 'b=2'].map((tags) => `m,device=x,${tags} v=1`).join('\n')
    expect(new Set(readings(text)).size).toBe(4)
    // the values of the tags name the device, not their keys: where that is not enough, it is told
    expect(read('m,device=x,a=1 v=1\nm,device=x,b=1 v=1').notes).toMatchObject([
      { kind: 'merged', field: 'v' },
    ])
  })

  test('rows: times become milliseconds, absent ones are left to the hub, large integers lose their last digits', () => {
    const { rows } = read('m,device=x v=1 1700000000\nm,device=x v=9223372036854775807i')
    expect(rows.map(({ at, value }) => [at, value])).toEqual([
      [1_700_000_000_000, 1],
      [undefined, 2 ** 63],
    ])
  })

  test('rows: a bad line is a row with a fault, its line and its text; long bodies come in parts', () => {
    const way = createInflux(settings.parse({}), 'home')
    const body = { database: '', precision: 'ns', rowsMax: 2, sites: null }
    const batches = [...way.read(Buffer.from('m a=1,b=2,c=3\nbad\nm d=4\n\nm e=5'), body)]
    expect(batches.map(({ lines }) => lines)).toEqual([[1, 1, 1], [2, 3], [5]])
    expect([...batches[1]!.faults]).toEqual([[0, 'missing fields']])
    expect(batches[1]?.rows[0]).toMatchObject({ fault: { code: 'line_invalid' }, payload: 'bad' })
  })
})
