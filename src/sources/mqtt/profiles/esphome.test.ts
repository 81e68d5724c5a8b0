import { expect, it } from 'vitest'
import { profileReader } from './profile-kit.ts'

it.each([
  ['attic/sensor/temperature/state', '21.50', ['attic temperature 21.50 degC']],
  ['attic/sensor/attic_humidity/state', '44', ['attic humidity 44 %']],
  ['attic/sensor/living_room_temperature/state', '19', ['attic/living_room temperature 19 degC']],
  ['attic/sensor/wifi_signal/state', '-60', ['attic wifi_signal -60']],
  ['attic/binary_sensor/hall_motion/state', 'ON', ['attic/hall motion ON state']],
  ['attic/switch/fan/state', 'OFF', ['attic/fan switch OFF state']],
  ['attic/status', 'offline', ['attic available 0 state']],
  ['attic/sensor/temperature/state', 'nan', []],
])('%s %s', (topic, payload, expected) => {
  const { lines, reader } = profileReader()
  expect(lines(topic, payload)).toEqual(expected)
  expect(reader.heard()).toEqual([])
})

it('an energy without a unit is listed, until its discovery message tells the unit', () => {
  const { lines, reader } = profileReader()
  expect(lines('attic/sensor/total_energy/state', '12')).toEqual([])
  expect(reader.heard().map(({ topic, kind }) => [topic, kind])).toEqual([
    ['attic/sensor/total_energy/state', 'unmapped'],
  ])
  lines('homeassistant/sensor/attic/total_energy/config', {
    ...{ name: 'Total energy', stat_t: 'attic/sensor/total_energy/state', unit_of_meas: 'Wh' },
    ...{ dev_cla: 'energy', stat_cla: 'total_increasing', dev: { ids: 'aabb', name: 'attic' } },
  })
  expect(lines('attic/sensor/total_energy/state', '12')).toEqual(['attic energy_total 12 Wh'])
})
