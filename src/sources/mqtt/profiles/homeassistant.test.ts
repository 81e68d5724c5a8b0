import { describe, expect, it } from 'vitest'
import { profileReader } from './profile-kit.ts'
import { compileTemplate } from './template.ts'

describe('a value template', () => {
  const json = { x: 21.46, y: { z: '7' }, 'a b': [3, 4], on: true, s: 'abc' }
  it.each<[string, unknown]>([
    ['{{ value }}', '{}'],
    ['{{ value_json.x }}', 21.46],
    ["{{ value_json['y'].z | float }}", 7],
    ['{{ value_json["a b"][1] }}', 4],
    ['{{ value_json.x | round(1) }}', 21.5],
    ['{{ value_json.x | float(0) | round }}', 21],
    ['{{ value_json.x|float / 10 }}', 2.146],
    ['{{ (value_json.x * 2 + 1) | round(2) }}', 43.92],
    ['{{ float(value_json.y.z) - 1 }}', 6],
    ["{{ value_json.get('s') }}", 'abc'],
    ['{{ value_json.none }}', undefined],
    ['{{ value_json.none.deep | float }}', undefined],
    ['{{ value_json.none | default(5) }}', 5],
    ["{{ 'ON' if value_json.x > 20 else 'OFF' }}", 'ON'],
    ["{{ 'ON' if value_json.s == 'x' and value_json.on else 'OFF' }}", 'OFF'],
    ['{{ value_json.s | float }}', 'abc'],
    ['{{ value_json.constructor }}', undefined],
    ['{{ value_json.none is defined }}', false],
  ])('%s', (source, expected) => {
    expect(compileTemplate(source)?.({ value: '{}', json })).toEqual(expected)
  })

  it.each([
    '{% if x %}1{% endif %}',
    'text',
    '{{ states("sensor.x") }}',
    '{{ value_json. }}',
    '{{ (1 }}',
    '{{ 1 2 }}',
  ])('of another form is not read: %s', (source) => {
    expect(compileTemplate(source)).toBeUndefined()
  })
})

const thermometer = {
  dev: { ids: ['01ad'], name: 'Bath', sa: 'Bathroom' },
  o: { name: 'maker' },
  '~': 'bath',
  stat_t: '~/state',
  cmps: {
    t: {
      p: 'sensor',
      dev_cla: 'temperature',
      unit_of_meas: '°F',
      val_tpl: '{{ value_json.t }}',
      uniq_id: 'a',
    },
    probe: {
      p: 'sensor',
      name: 'Probe temperature',
      dev_cla: 'temperature',
      unit_of_meas: '°C',
      val_tpl: "{{ value_json['probe'].t | float }}",
    },
    m: { p: 'binary_sensor', dev_cla: 'motion', pl_on: true, pl_off: false, val_tpl: '{{ value_json.m }}' },
    old: { p: 'sensor' },
  },
}

describe('an announcement', () => {
  it('of a device has several entities; those of one metric are told apart', () => {
    const { lines, send, reader } = profileReader()
    lines('homeassistant/device/01ad/config', thermometer)
    expect(lines('bath/state', { t: 70, probe: { t: '40' }, m: true, lux: 3 })).toEqual([
      'Bath motion 1 state',
      'Bath/probe temperature 40 °C',
      'Bath temperature 70 °F',
    ])
    expect(send('bath/state', { t: 70 })?.map(({ room }) => room)).toEqual(['Bathroom'])
    expect(reader.filters()).toContain('bath/state')
    expect(reader.heard()).toEqual([])
  })

  it('names the fields of the payload that no entity reads', () => {
    const { lines, reader } = profileReader()
    lines('homeassistant/device/01ad/config', thermometer)
    lines('bath/state', { t: 70, lux: 3 })
    expect(reader.heard().map(({ kind, fields }) => [kind, fields])).toEqual([['fields', ['lux']]])
  })

  it('is removed by an empty payload', () => {
    const { lines, reader } = profileReader()
    lines('homeassistant/device/01ad/config', thermometer)
    lines('homeassistant/device/01ad/config', '')
    expect(lines('bath/state', { t: 70 })).toEqual([])
    expect(reader.heard().map(({ topic, kind }) => [topic, kind])).toEqual([['bath/state', 'unmapped']])
    expect(reader.filters()).not.toContain('bath/state')
  })

  it('of a counter that only rises makes the metric a total; that of a day stays one', () => {
    const { lines } = profileReader()
    const energy = (object: string, name: string) => ({
      ...{ name, state_topic: `m/${object}`, device_class: 'energy', state_class: 'total_increasing' },
      ...{ unit_of_measurement: 'Wh', device: { identifiers: 'm', name: 'Meter' } },
    })
    lines('homeassistant/sensor/m/total/config', energy('total', 'Meter Energy'))
    lines('homeassistant/sensor/m/today/config', energy('today', 'Energy today'))
    expect(lines('m/total', '1234')).toEqual(['Meter energy_total 1234 Wh'])
    expect(lines('m/today', '12')).toEqual(['Meter energy_today 12 Wh'])
  })

  it('tells devices of the same name apart, whatever came first', () => {
    const config = (id: string) => ({
      ...{ name: 'Power', stat_t: `${id}/power`, dev_cla: 'power', unit_of_meas: 'W' },
      dev: { ids: [id], name: 'Plug' },
    })
    for (const order of [
      ['a', 'b'],
      ['b', 'a'],
    ]) {
      const { lines } = profileReader()
      for (const id of order) lines(`homeassistant/sensor/${id}/power/config`, config(id))
      expect([lines('a/power', '1'), lines('b/power', '2')]).toEqual([
        ['Plug power 1 W'],
        ['Plug b power 2 W'],
      ])
    }
  })

  it('of availability makes a reading of whether the device can be reached', () => {
    const { lines } = profileReader()
    lines('homeassistant/sensor/x/config', {
      ...{
        name: null,
        state_topic: 'x/t',
        device_class: 'temperature',
        device: { identifiers: 'x', name: 'X' },
      },
      availability: [{ topic: 'x/lwt', value_template: '{{ value_json.state }}' }],
    })
    expect(lines('x/lwt', { state: 'offline' })).toEqual(['X available 0 state'])
    expect(lines('x/t', 'unavailable')).toEqual([])
  })

  it('with a template that is not read says so in quarantine instead of guessing', () => {
    const { lines } = profileReader()
    lines('homeassistant/sensor/x/config', {
      ...{ state_topic: 'x/t', device_class: 'temperature', device: { identifiers: 'x', name: 'X' } },
      value_template: '{% if value_json.t %}{{ value_json.t }}{% endif %}',
    })
    expect(lines('x/t', { t: 3 })).toEqual(['X temperature template_unread'])
  })

  it('beyond the limit of entities is not taken', () => {
    const { lines, reader } = profileReader({ entities: 2 })
    lines('homeassistant/device/01ad/config', thermometer)
    expect(reader.filters()).not.toContain('bath/state')
  })
})
