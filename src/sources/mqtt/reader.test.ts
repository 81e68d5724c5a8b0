import { describe, expect, it } from 'vitest'
import type { TopicMapping } from '../../core/topics.ts'
import { lineOf, profileReader } from './profiles/profile-kit.ts'
import { type TopicOptions, TopicReader } from './reader.ts'

const plain: TopicMapping = { topic: 'a/{device}/{metric}', payload: 'number' }

function readerOf(options: Partial<TopicOptions> = {}) {
  let now = 1000
  const times = { zoneOf: () => 'America/New_York', now: () => now }
  const reader = new TopicReader({ mappings: [plain], payloadBytes: 4096, times, ...options })
  const send = (topic: string, payload: string | Buffer, retained = false) =>
    reader.read(topic, Buffer.from(payload), retained)
  const wait = (ms: number): void => {
    now += ms
  }
  return { reader, send, wait }
}

describe('a topic that nothing reads', () => {
  it('is listed with its last payload, how often and since when', () => {
    const { reader, send, wait } = readerOf()
    expect(send('b/x', 'first')).toBeNull()
    wait(500)
    send('b/x', 'second')
    expect(reader.heard()).toEqual([
      {
        ...{ topic: 'b/x', kind: 'unmapped', fields: [], payload: 'second', bytes: 6 },
        retained: false,
        count: 2,
        since: 1000,
        last: 1500,
      },
    ])
    expect(reader.counts).toEqual({ unmapped: 2, fields: 0, retained: 0 })
  })

  it('is dropped and counted where there are too many, the longest silent one first', () => {
    const { reader, send } = readerOf({ heard: { topics: 2, bytes: 1_000_000, payloadBytes: 100 } })
    for (const topic of ['one', 'two', 'one', 'three']) send(topic, '1')
    expect(reader.heard().map(({ topic }) => topic)).toEqual(['one', 'three'])
    expect(reader.dropped).toBe(1)
  })

  it('takes no more bytes than the limit, whatever is sent', () => {
    const { reader, send } = readerOf({ heard: { topics: 1000, bytes: 10_000, payloadBytes: 100 } })
    for (let index = 0; index < 500; index++) send(`topic/${index}`, 'x'.repeat(4000))
    const list = reader.heard()
    expect(list.length).toBeGreaterThan(5)
    expect(list.length).toBeLessThan(30)
    expect(list.every(({ payload, bytes }) => payload.length === 100 && bytes === 4000)).toBe(true)
    expect(reader.dropped).toBe(500 - list.length)
  })

  it('cuts a payload between characters, and does not show bytes as text', () => {
    const { reader, send } = readerOf({ heard: { topics: 9, bytes: 10_000, payloadBytes: 4 } })
    send('euro', 'ab€€')
    send('picture', Buffer.from([0xff, 0xd8, 0xff]))
    expect(reader.heard().map(({ payload }) => payload)).toEqual(['ab', '(3 bytes that are no text)'])
  })

  it('is read once a mapping for it was added, and listed again once that is removed', () => {
    const { reader, send } = readerOf()
    send('b/x/temperature', '21')
    let changes = 0
    reader.onChange(() => changes++)
    reader.setMappings([{ topic: 'b/{device}/{metric}', payload: 'number', defaults: { unit: 'degF' } }])
    expect(send('b/x/temperature', '21')?.map(lineOf)).toEqual(['x temperature 21 degF'])
    expect([reader.heard(), changes, reader.filters()]).toEqual([[], 1, ['b/+/+', 'a/+/+']])
    reader.setMappings([])
    expect(send('b/x/temperature', '21')).toBeNull()
  })
})

describe('fields that no metric takes', () => {
  const mapping: TopicMapping = {
    ...{ topic: 'z/{device}', payload: 'json', fields: { at: 'when' } },
    metrics: { t: { metric: 'temperature' }, deep: { metric: 'deep' } },
  }

  it('are listed by their paths, and again at most every ten seconds', () => {
    const { reader, send, wait } = readerOf({ mappings: [mapping] })
    const message = JSON.stringify({
      t: 1,
      when: '2026-01-01',
      deep: { a: 1 },
      extra: { x: 1, y: [2] },
      none: null,
    })
    send('z/one', message)
    send('z/one', message)
    expect(reader.heard()).toMatchObject([{ kind: 'fields', fields: ['extra.x', 'extra.y.0'], count: 1 }])
    wait(10_000)
    send('z/one', message)
    expect(reader.heard()).toMatchObject([{ count: 2 }])
    wait(10_000)
    send('z/one', '{"t":1}')
    expect(reader.heard()).toEqual([])
  })
})

describe('a retained message', () => {
  const timed: TopicMapping = { topic: 'r/{device}/{metric}', payload: 'json' }

  it('without a time of its own is listed and not stored', () => {
    const { reader, send } = readerOf({ mappings: [plain, timed] })
    expect(send('a/x/power', '5', true)).toBeNull()
    expect(send('r/x/power', '{"value":5}', true)).toBeNull()
    expect(send('r/x/power', '{"value":5,"at":"2026-01-01T00:00:00Z"}', true)).toHaveLength(1)
    expect(reader.heard().map(({ topic, kind }) => [topic, kind])).toEqual([
      ['a/x/power', 'retained'],
      ['r/x/power', 'retained'],
    ])
    expect(reader.counts.retained).toBe(2)
    expect(send('a/x/power', '6')).toHaveLength(1)
  })

  it('is stored where the configuration says so', () => {
    const { send } = readerOf({ retained: 'take' })
    expect(send('a/x/power', '5', true)).toHaveLength(1)
  })

  it('that describes devices is used all the same', () => {
    const { reader } = profileReader()
    const config = { stat_t: 'x/t', dev_cla: 'temperature', dev: { ids: 'x' } }
    reader.read('homeassistant/sensor/x/config', Buffer.from(JSON.stringify(config)), true)
    expect(reader.read('x/t', Buffer.from('20'))?.map(lineOf)).toEqual(['x temperature 20'])
  })
})

describe('a time without an offset', () => {
  const json: TopicMapping = { topic: 'j/{device}/{metric}', payload: 'json' }
  const message = '{"value":1,"at":"2026-11-30T00:00:57"}'

  it.each([
    ['is in the zone of the site', json, '2026-11-30T05:00:57.000Z'],
    [
      'is in the zone of its mapping, where that has one',
      { ...json, zone: 'Asia/Tokyo' },
      '2026-11-29T15:00:57.000Z',
    ],
  ])('%s', (_name, mapping, expected) => {
    const { send } = readerOf({ mappings: [mapping] })
    const [row] = send('j/x/power', message) ?? []
    expect(new Date(Number(row?.at)).toISOString()).toBe(expected)
  })
})

describe('profiles', () => {
  it('come after mappings', () => {
    const { reader, lines } = profileReader()
    reader.setMappings([
      {
        topic: 'tele/{device}/SENSOR',
        payload: 'json',
        metrics: { 'ENERGY.Power': { metric: 'pv_power', unit: 'kW' } },
      },
    ])
    expect(lines('tele/pow/SENSOR', { ENERGY: { Power: 2, Total: 3 } })).toEqual(['pow pv_power 2 kW'])
  })

  it('take the site from a level before their topics, and know the devices of each site apart', () => {
    const { lines, reader } = profileReader({ prefix: 'homes/{site}' })
    const config = (unit: string) => ({
      stat_t: 'x/t',
      dev_cla: 'temperature',
      unit_of_meas: unit,
      dev: { ids: 'x' },
    })
    lines('homes/north/homeassistant/sensor/x/config', config('°F'))
    lines('homes/south/homeassistant/sensor/x/config', { ...config('°C'), stat_t: 'homes/south/x/t' })
    expect(lines('homes/north/x/t', '70')).toEqual(['north x temperature 70 °F'])
    expect(lines('homes/south/x/t', '20')).toEqual(['south x temperature 20 °C'])
    expect(lines('tele/pow/SENSOR', { ENERGY: { Power: 2 } })).toEqual([])
    expect(reader.filters()).toEqual(expect.arrayContaining(['homes/+/zigbee2mqtt/#', 'homes/north/x/t']))
  })

  it('take no descriptions from a client that does not reach all sites', () => {
    const { reader, lines } = profileReader()
    const config = Buffer.from(JSON.stringify({ stat_t: 'x/t', dev_cla: 'power', dev: { ids: 'x' } }))
    reader.read('homeassistant/sensor/x/config', config, false, false)
    expect(lines('x/t', '1')).toEqual([])
  })
})

describe('a proposed mapping', () => {
  it.each<[string, string, string[]]>([
    ['garage/freezer/temperature', '-18.5', ['freezer temperature -18.5 degC']],
    ['cellar/boiler/pressure_kpa', '140', ['boiler pressure 140 kPa']],
    ['plant/pump1/state', 'ON', ['plant pump1 ON']],
    [
      'meters/solar/telemetry',
      '{"ts":"2026-11-29T10:00:00Z","power_w":1200,"energy_total_kwh":8.2,"mode":"auto"}',
      ['solar power 1200 W', 'solar energy_total 8.2 kWh'],
    ],
  ])('reads what it is made of: %s', (topic, payload, expected) => {
    const { reader } = readerOf()
    const mapping = reader.propose(topic, payload)
    expect(reader.preview(mapping, topic, payload)?.rows.map(lineOf)).toEqual(expected)
  })

  it('that is no filter is refused', () => {
    const { reader } = readerOf()
    const wrong: TopicMapping = { topic: 'a/{dev}', payload: 'number' }
    expect(() => reader.preview(wrong, 'a/b', '1')).toThrow(/"{dev}" is none of/)
    expect(() => reader.setMappings([wrong])).toThrow(/"{dev}" is none of/)
  })
})
