import { expect, it } from 'vitest'
import { profileReader } from './profile-kit.ts'

it.each([
  ['shellies/shelly1pm-A/relay/0/energy', '60000', ['shelly1pm-A energy_total 1 kWh']],
  ['shellies/shelly1pm-A/relay/0/power', '12.5', ['shelly1pm-A power 12.5 W']],
  ['shellies/shelly25-B/relay/1/power', '3', ['shelly25-B/1 power 3 W']],
  ['shellies/shelly25-B/relay/0', 'on', ['shelly25-B switch 1 state']],
  ['shellies/shellyem-C/emeter/1/total', '8000', ['shellyem-C/1 energy_total 8000 Wh']],
  ['shellies/shellyht-D/sensor/temperature', '21.4', ['shellyht-D temperature 21.4 degC']],
  ['shellies/shelly1-E/ext_temperature/0', '5.5', ['shelly1-E/ext0 temperature 5.5 degC']],
  ['shellies/shelly1pm-A/temperature', '40', ['shelly1pm-A internal_temperature 40 degC']],
  ['shellies/shelly1pm-A/online', 'false', ['shelly1pm-A available 0 state']],
  ['shellies/announce', '{"id":"x"}', []],
  ['shellies/shelly1pm-A/relay/0/command', 'on', []],
])('the first generation: %s', (topic, payload, expected) => {
  const { lines, reader } = profileReader()
  expect(lines(topic, payload)).toEqual(expected)
  expect(reader.heard()).toEqual([])
})

const plug = {
  ...{ id: 0, source: 'init', output: true, apower: 12.3, voltage: 230.1, current: 0.05 },
  aenergy: { total: 8123.4, by_minute: [1, 2, 3], minute_ts: 1700000000 },
  temperature: { tC: 41.2, tF: 106.2 },
}

it('the second generation sends the whole state of a component', () => {
  const { lines, reader } = profileReader()
  expect(lines('shellyplus-1/status/switch:0', plug)).toEqual([
    'shellyplus-1 switch true state',
    'shellyplus-1 power 12.3 W',
    'shellyplus-1 voltage 230.1 V',
    'shellyplus-1 current 0.05 A',
    'shellyplus-1 energy_total 8123.4 Wh',
    'shellyplus-1 internal_temperature 41.2 degC',
  ])
  expect(lines('shellyplus-1/status/switch:1', { id: 1, apower: 1 })).toEqual(['shellyplus-1/1 power 1 W'])
  expect(reader.heard()).toEqual([])
})

it('NotifyStatus has what has changed, with its time', () => {
  const { send } = profileReader()
  const params = { ts: 1631186545.04, 'switch:0': { id: 0, apower: 8.9 }, sys: { uptime: 1 } }
  const rows = send('shellyplus-1/events/rpc', { src: 'x', dst: 'y', method: 'NotifyStatus', params })
  expect(rows?.map(({ device, metric, value, at }) => [device, metric, value, at])).toEqual([
    ['shellyplus-1', 'power', 8.9, 1631186545040],
  ])
})

it('the meters em and em1 have phases, and counters in Wh', () => {
  const { lines } = profileReader()
  expect(
    lines('pro3em/status/em:0', { id: 0, a_act_power: 100, b_act_power: -20, total_act_power: 80 }),
  ).toEqual(['pro3em/a power 100 W', 'pro3em/b power -20 W', 'pro3em power 80 W'])
  expect(lines('pro3em/status/emdata:0', { id: 0, total_act: 5000, total_act_ret: 10 })).toEqual([
    'pro3em energy_total 5000 Wh',
    'pro3em energy_returned_total 10 Wh',
  ])
  expect(lines('em/status/em1:1', { id: 1, act_power: 7, voltage: 231, pf: 0.9 })).toEqual([
    'em/1 power 7 W',
    'em/1 voltage 231 V',
    'em/1 power_factor 0.9',
  ])
})
