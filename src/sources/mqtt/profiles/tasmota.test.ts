import { describe, expect, it } from 'vitest'
import { profileReader } from './profile-kit.ts'

const utc = (at: unknown): string => new Date(Number(at)).toISOString()

describe('a SENSOR message', () => {
  it('has its time in the zone of the site, and its energies as counters', () => {
    const { send } = profileReader()
    const rows = send('tele/pow/SENSOR', {
      Time: '2026-11-30T00:00:57',
      ENERGY: { TotalStartTime: '2019-09-27T00:00:00', Total: 681.8, Yesterday: 6.4, Today: 2.4, Power: 275 },
    })
    expect(rows?.map(({ device, metric, value, unit }) => [device, metric, value, unit])).toEqual([
      ['pow', 'energy_total', 681.8, 'kWh'],
      ['pow', 'energy_today', 2.4, 'kWh'],
      ['pow', 'power', 275, 'W'],
    ])
    expect(new Set(rows?.map(({ at }) => utc(at)))).toEqual(new Set(['2026-11-30T05:00:57.000Z']))
  })

  it('keeps the first value of a list that begins with its sum, and names the others as unread', () => {
    const { lines, reader } = profileReader()
    const energy = { Total: [30.5, 10.2, 20.3], Power: [100, 50, 50], Voltage: 231 }
    expect(lines('tele/three/SENSOR', { ENERGY: energy })).toEqual([
      'three energy_total 30.5 kWh',
      'three power 100 W',
      'three voltage 231 V',
    ])
    expect(reader.heard()[0]?.fields).toEqual([
      'ENERGY.Total.1',
      'ENERGY.Total.2',
      'ENERGY.Power.1',
      'ENERGY.Power.2',
    ])
  })

  it('takes the other lists for channels, each a device of its own', () => {
    const { lines } = profileReader()
    expect(lines('tele/dual/SENSOR', { ENERGY: { Total: 3, Power: [40, 7] } })).toEqual([
      'dual energy_total 3 kWh',
      'dual power 40 W',
      'dual/2 power 7 W',
    ])
  })

  it('loses one field where a sensor says nan, and nothing else', () => {
    const { send } = profileReader()
    const rows = send(
      'tele/dht/SENSOR',
      '{"Time":"2026-11-30T00:00:57","AM2301":{"Temperature":nan,"Humidity":40.1}}',
    )
    expect(rows?.map(({ metric, value }) => [metric, value])).toEqual([
      ['temperature', 'nan'],
      ['humidity', 40.1],
    ])
  })

  it('takes temperatures in the unit that it names', () => {
    const { lines } = profileReader()
    expect(lines('tele/f/SENSOR', { DS18B20: { Id: '01', Temperature: 68.5 }, TempUnit: 'F' })).toEqual([
      'f temperature 68.5 degF',
    ])
  })

  it('tells sensors of one metric apart, also in a message from which one is missing', () => {
    const { lines } = profileReader()
    const both = { 'DS18B20-1': { Id: 'a', Temperature: 20 }, 'DS18B20-2': { Id: 'b', Temperature: 55 } }
    expect(lines('tele/tank/SENSOR', both)).toEqual([
      'tank/DS18B20-1 temperature 20 degC',
      'tank/DS18B20-2 temperature 55 degC',
    ])
    expect(lines('tele/tank/SENSOR', { 'DS18B20-2': { Id: 'b', Temperature: 56 } })).toEqual([
      'tank/DS18B20-2 temperature 56 degC',
    ])
  })

  it('has no time of its own where the device never learnt the time', () => {
    const { send } = profileReader()
    const rows = send('tele/pow/SENSOR', { Time: '1970-01-01T10:27:15', ENERGY: { Total: 0.178, Power: 18 } })
    expect(rows?.map(({ at }) => at)).toEqual([undefined, undefined])
  })
})

describe('a topic of Tasmota', () => {
  it.each([
    [
      'tele/plug/STATE',
      { Time: '2026-11-30T00:00:00', POWER: 'ON', Wifi: { RSSI: 70 } },
      ['plug switch 1 state'],
    ],
    ['tele/two/STATE', { POWER1: 'OFF', POWER2: 'ON' }, ['two switch 0 state', 'two/2 switch 1 state']],
    ['stat/plug/POWER', 'OFF', ['plug switch 0 state']],
    ['tele/plug/LWT', 'Online', ['plug available 1 state']],
    ['plug/tele/LWT', 'Offline', ['plug available 0 state']],
    ['tele/cellar/pump/SENSOR', { ANALOG: { Temperature: 9 } }, ['cellar/pump temperature 9 degC']],
    ['stat/plug/STATUS10', { StatusSNS: { ENERGY: { Power: 5 } } }, ['plug power 5 W']],
    ['stat/plug/RESULT', { POWER: 'ON' }, []],
    ['tasmota/discovery/AABB/config', { ip: '1.2.3.4' }, []],
  ])('%s', (topic, payload, expected) => {
    const { lines, reader } = profileReader()
    expect(lines(topic, payload)).toEqual(expected)
    expect(reader.heard()).toEqual([])
  })
})
