import { describe, expect, it } from 'vitest'
import { profileReader } from './profile-kit.ts'

const numeric = (property: string, unit: string, more: object = {}) => ({
  ...{ type: 'numeric', name: property, property, unit, access: 1 },
  ...more,
})

const inventory = (names: readonly string[], exposes: readonly object[]) =>
  names.map((friendly_name, index) => ({
    ...{ ieee_address: `0x${index}`, type: 'EndDevice', friendly_name },
    definition: { model: 'M', vendor: 'V', exposes },
  }))

describe('a device that bridge/devices describes', () => {
  it('has the metrics and units of its exposes, nested ones and endpoints too', () => {
    const { lines, reader } = profileReader()
    const exposes = [
      numeric('voltage', 'mV'),
      numeric('power_l1', 'W', { name: 'power', endpoint: 'l1' }),
      numeric('power_l2', 'W', { name: 'power', endpoint: 'l2' }),
      { type: 'binary', name: 'contact', property: 'contact', value_on: false, value_off: true, access: 1 },
      { type: 'composite', name: 'probe', property: 'probe', features: [numeric('depth', 'cm')] },
      {
        type: 'switch',
        features: [{ ...numeric('state', ''), type: 'binary', value_on: 'ON', value_off: 'OFF' }],
      },
      numeric('temperature_calibration', '°C', { access: 7 }),
      { type: 'enum', name: 'action', property: 'action', access: 1 },
    ]
    lines('zigbee2mqtt/bridge/devices', inventory(['cellar/tank'], exposes))
    const state = {
      voltage: 2900,
      power_l1: 5,
      power_l2: 6,
      contact: false,
      probe: { depth: 12 },
      state: 'ON',
    }
    expect(lines('zigbee2mqtt/cellar/tank', { ...state, action: 'single', last_seen: 1 })).toEqual([
      'cellar/tank voltage 2900 mV',
      'cellar/tank/l1 power 5 W',
      'cellar/tank/l2 power 6 W',
      'cellar/tank door 1 state',
      'cellar/tank probe.depth 12 cm',
      'cellar/tank switch 1 state',
    ])
    expect(reader.heard().map(({ kind, fields }) => [kind, fields])).toEqual([['fields', ['action']]])
  })

  it('takes the time when the device was last seen', () => {
    const { send } = profileReader()
    const [row] = send('zigbee2mqtt/t', { temperature: 20, last_seen: '2026-11-29T23:00:00-05:00' }) ?? []
    expect(row?.at).toBe('2026-11-29T23:00:00-05:00')
  })

  it('does not collide with one of the same name at another coordinator', () => {
    const { lines } = profileReader()
    lines('garage-z2m/bridge/devices', inventory(['lamp'], [numeric('power', 'W')]))
    expect(lines('garage-z2m/lamp', { power: 3 })).toEqual(['garage-z2m/lamp power 3 W'])
    expect(lines('zigbee2mqtt/lamp', { power: 4 })).toEqual(['lamp power 4 W'])
  })
})

describe('before bridge/devices is heard', () => {
  it('properties with one usual unit are read, the others are listed', () => {
    const { lines, reader } = profileReader()
    expect(lines('zigbee2mqtt/plug', { power: 7, energy: 1.5, voltage: 230, occupancy: true })).toEqual([
      'plug power 7 W',
      'plug energy_total 1.5 kWh',
      'plug motion true state',
    ])
    expect(reader.heard().map(({ fields }) => fields)).toEqual([['voltage']])
  })
})

it.each([
  ['zigbee2mqtt/a/b/availability', { state: 'offline' }, ['a/b available 0 state']],
  ['zigbee2mqtt/a/availability', 'online', ['a available 1 state']],
  ['zigbee2mqtt/a/set', { state: 'ON' }, []],
  ['zigbee2mqtt/bridge/state', { state: 'online' }, []],
  ['zigbee2mqtt/bridge/logging', 'x', []],
])('the topic %s', (topic, payload, expected) => {
  const { lines, reader } = profileReader()
  expect(lines(topic, payload)).toEqual(expected)
  expect(reader.heard()).toEqual([])
})
