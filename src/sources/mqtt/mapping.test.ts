import { describe, expect, it } from 'vitest'
import type { RawReading } from '../../core/reading.ts'
import { hypervoltMappings, TopicMap, type TopicMapping } from './mapping.ts'

const read = (
  mappings: readonly TopicMapping[],
  topic: string,
  payload: string | Buffer,
  limit = 65_536,
): RawReading[] | null => {
  const decode = new TopicMap(mappings, limit).decoder(topic)
  return decode ? decode(Buffer.from(payload)) : null
}

/** The one row of a message, without what every row has and without what is undefined. */
const row = (mappings: readonly TopicMapping[], topic: string, payload: string | Buffer) => {
  const rows = read(mappings, topic, payload)
  expect(rows).toHaveLength(1)
  const { source, payload: kept, topic: from, ...rest } = rows![0]!
  expect(from).toBe(topic)
  expect(source).toBe('mqtt')
  expect(kept).toBe(payload.toString())
  return Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined))
}

describe('the HyperVolt form', () => {
  const topic = 'HyperVolt/sensors/kitchen/temperature'
  const whole = {
    sensor_type: 'temperature',
    sensor_id: 't1',
    value: 21.5,
    unit: 'celsius',
    location: 'cellar',
    timestamp: '2025-03-01T08:00:00Z',
  }
  const { sensor_type: metric, sensor_id: device, value } = whole
  const hypervolt = hypervoltMappings('HyperVolt/sensors')
  const cases: readonly [string, string, object, object][] = [
    [
      'takes every field from the payload',
      topic,
      whole,
      { device, metric, value, unit: 'celsius', room: 'cellar', at: '2025-03-01T08:00:00Z' },
    ],
    [
      'takes the location from the topic where the payload has none',
      topic,
      { sensor_type: metric, sensor_id: device, value },
      { device, metric, value, room: 'kitchen' },
    ],
    [
      'takes null for absent',
      topic,
      { sensor_type: metric, sensor_id: device, value, location: null, unit: null },
      { device, metric, value, room: 'kitchen' },
    ],
    [
      'takes the metric from the topic where the payload has none',
      topic,
      { sensor_id: device, value },
      { device, metric, value, room: 'kitchen' },
    ],
    [
      'knows no location on a shorter topic',
      'HyperVolt/sensors/t1',
      { sensor_type: metric, sensor_id: device, value },
      { device, metric, value },
    ],
    [
      'knows no location on a deeper topic',
      'HyperVolt/sensors/a/b/c',
      { sensor_type: metric, sensor_id: device, value },
      { device, metric, value },
    ],
    [
      'takes the prefix alone, as # does',
      'HyperVolt/sensors',
      { sensor_type: metric, sensor_id: device, value },
      { device, metric, value },
    ],
    [
      'leaves numbers and states as they are to the parser',
      topic,
      { sensor_type: metric, sensor_id: 7, value: 'on' },
      { device: 7, metric, value: 'on', room: 'kitchen' },
    ],
  ]
  it.each(cases)('%s', (_name, at, message, expected) => {
    expect(row(hypervolt, at, JSON.stringify(message))).toEqual(expected)
  })

  it.each([
    ['sensor_id', { sensor_type: 'temperature', value: 1 }],
    ['sensor_id', {}],
    ['value', { sensor_type: 'temperature', sensor_id: 't1' }],
    ['value', { sensor_type: 'temperature', sensor_id: 't1', value: null }],
  ])('names a missing %s as its sender does', (field, message) => {
    const { fault } = row(hypervolt, topic, JSON.stringify(message))
    expect(fault).toEqual({ code: 'field_missing', message: `The field "${field}" is missing.` })
  })

  it('names a missing sensor_type where the topic says nothing of it', () => {
    const { fault } = row(hypervolt, 'HyperVolt/sensors/x', '{"sensor_id":"t1","value":1}')
    expect(fault).toEqual({ code: 'field_missing', message: 'The field "sensor_type" is missing.' })
  })

  it('subscribes once to what two of its mappings fit', () => {
    expect(new TopicMap(hypervolt, 0).filters).toEqual(['HyperVolt/sensors/#'])
  })

  it('leaves other topics alone', () => {
    expect(read(hypervolt, 'HyperVolt/commands/x', '{}')).toBeNull()
    expect(read(hypervolt, 'HyperVolt/sensorsX/a/b', '{}')).toBeNull()
  })
})

describe('a topic', () => {
  const json = (topic: string): TopicMapping => ({ topic, payload: 'json' })

  it.each<[string, string, object | null]>([
    [
      '{site}/{room}/{device}/{metric}',
      'home/hall/d1/power',
      { site: 'home', room: 'hall', device: 'd1', metric: 'power' },
    ],
    ['{site}/{room}/{device}/{metric}', 'home/hall/d1', null],
    ['{site}/{room}/{device}/{metric}', 'home/hall/d1/power/x', null],
    ['tele/+/{device}/{metric}', 'tele/any/d1/power', { device: 'd1', metric: 'power' }],
    ['tele/+/{device}/{metric}', 'cmnd/any/d1/power', null],
    ['a/{device}/{metric}/#', 'a/d1/power/x/y', { device: 'd1', metric: 'power' }],
    ['a/{device}/{metric}/#', 'a/d1/power', { device: 'd1', metric: 'power' }],
    ['a/{device}/{metric}/#', 'a/d1', null],
    ['a/{room}/{device}/{metric}', 'a//d1/power', { room: '', device: 'd1', metric: 'power' }],
    ['a/{device}/{metric}', 'a/__proto__/constructor', { device: '__proto__', metric: 'constructor' }],
  ])('of the form %s fits %s or not', (form, topic, parts) => {
    if (parts === null) expect(read([json(form)], topic, '{"value":1}')).toBeNull()
    else expect(row([json(form)], topic, '{"value":1}')).toEqual({ ...parts, value: 1 })
  })

  it('says less than its payload', () => {
    const message = '{"value":1,"device":"inside","site":"other"}'
    expect(row([json('{site}/{device}/{metric}')], 'home/d1/power', message)).toEqual({
      ...{ site: 'other', device: 'inside', metric: 'power', value: 1 },
    })
  })

  it('goes to the first mapping that fits, also in the cache', () => {
    const map = new TopicMap([json('a/{device}/power'), json('a/{device}/{metric}'), json('a/+/+')], 1000)
    for (const _again of [1, 2]) {
      const decoded = map.decoder('a/d1/power')!(Buffer.from('{"metric":"m","value":1}'))
      expect(decoded[0]).toMatchObject({ device: 'd1', metric: 'm' })
      expect(map.decoder('a/d1/energy')!(Buffer.from('{"value":1}'))[0]).toMatchObject({ metric: 'energy' })
      expect(map.decoder('b/d1/energy')).toBeNull()
    }
  })

  it('is looked up again after 10,000 others: the cache has a bound', () => {
    const map = new TopicMap([json('a/{device}/{metric}')], 1000)
    const before = map.decoder('a/d/m')
    expect(map.decoder('a/d/m')).toBe(before)
    for (let index = 0; index < 10_000; index++) map.decoder(`none/${index}`)
    expect(map.decoder('a/d/m')).not.toBe(before)
  })

  it.each([
    ['a/#', ['a/{device}/b', 'a/#', 'a', 'b/+'], ['a/#', 'b/+']],
    ['+', ['a/{device}', 'a/b', 'a/b/c', 'a/+'], ['a/+', 'a/b/c']],
    ['no wildcard', ['a/b', 'a/b', 'a/c'], ['a/b', 'a/c']],
    ['a wildcard in front, but for $ topics', ['#', '$SYS/load', 'a'], ['#', '$SYS/load']],
    ['nothing wider than itself', ['a/+/c', 'a/b/+', 'a/+/#'], ['a/+/#']],
  ])('is subscribed to once where %s covers it', (_name, topics, filters) => {
    expect(new TopicMap(topics.map(json), 0).filters).toEqual(filters)
  })

  it.each(['a/#/b', 'sensor-{device}/x', 'a/b#', 'a/{colour}', '{}', 'a+/b'])(
    'of the form %s is refused at the start',
    (topic) => {
      expect(() => new TopicMap([json(topic)], 0)).toThrow(
        expect.objectContaining({ code: 'config_invalid', message: expect.stringContaining(topic) }),
      )
    },
  )
})

describe('a payload', () => {
  const one: TopicMapping = {
    topic: '{device}/{metric}',
    payload: 'json',
    fields: { value: 'data.now.value', at: 'data.time', unit: 'data.now.unit' },
  }

  it.each([
    ['21.5', '21.5'],
    [' 21.5\n', ' 21.5\n'],
    ['on', 'on'],
    ['OFF', 'OFF'],
    ['', ''],
    ['{"value":1}', '{"value":1}'],
  ])('of a bare value is handed on as it is: %j', (payload, value) => {
    const mapping: TopicMapping = { topic: '{site}/{device}/{metric}', payload: 'number' }
    expect(row([mapping], 'h/d/power', payload)).toEqual({ site: 'h', device: 'd', metric: 'power', value })
  })

  it('is read at depth', () => {
    const message = { data: { now: { value: 3, unit: 'W' }, time: 1_700_000_000_000 } }
    expect(row([one], 'd/power', JSON.stringify(message))).toEqual({
      ...{ device: 'd', metric: 'power', value: 3, unit: 'W', at: 1_700_000_000_000 },
    })
  })

  it('may have dots in its names', () => {
    expect(row([one], 'd/m', '{"data.now.value":4}')).toEqual({ device: 'd', metric: 'm', value: 4 })
  })

  it.each(['{"data":5}', '{"data":null}', '{"data":{"now":[]}}', '{"data":{"now":"value"}}', '{}'])(
    'that does not go so deep lacks the field: %s',
    (message) => {
      const { fault } = row([one], 'd/m', message)
      expect(fault).toMatchObject({
        code: 'field_missing',
        message: 'The field "data.now.value" is missing.',
      })
    },
  )

  it.each(['__proto__', 'constructor', 'toString', '__proto__.polluted', 'constructor.name'])(
    'has no %s unless it was sent',
    (path) => {
      const mapping: TopicMapping = { topic: '{device}/{metric}', payload: 'json', fields: { value: path } }
      expect(row([mapping], 'd/m', '{"a":1}')['fault']).toMatchObject({ code: 'field_missing' })
    },
  )

  it('with a key __proto__ changes no prototype', () => {
    const message = '{"__proto__":{"value":1,"polluted":true},"value":2}'
    const mapping: TopicMapping = { topic: '{device}/{metric}', payload: 'json' }
    expect(row([mapping], 'd/m', message)).toEqual({ device: 'd', metric: 'm', value: 2 })
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false)
  })

  it.each<[string, string | Buffer, string, string]>([
    ['empty', '', 'payload_not_json', 'JSON'],
    ['cut off', '{"value":', 'payload_not_json', 'JSON'],
    ['Latin-1', Buffer.from('{"value":1,"unit":"°C"}', 'latin1'), 'payload_not_json', 'not UTF-8'],
    ['a list', '[{"value":1}]', 'reading_not_object', 'a list'],
    ['a number', '21.5', 'reading_not_object', 'a number'],
    ['a text', '"on"', 'reading_not_object', 'a string'],
    ['null', 'null', 'reading_not_object', 'null'],
  ])('that is %s is a fault', (_name, payload, code, words) => {
    const { fault } = row([one], 'd/m', payload)
    expect(fault).toMatchObject({ code, message: expect.stringContaining(words) })
  })

  it('that is too long is a fault, of which the beginning is kept', () => {
    const payload = Buffer.alloc(5000, 'x')
    const [first, ...others] = read([one], 'd/m', payload, 4999)!
    expect(others).toEqual([])
    expect(first?.fault).toMatchObject({ code: 'payload_too_large' })
    expect(first?.fault?.message).toMatch(/5000 bytes; at most 4999/)
    expect(first?.payload).toHaveLength(1024)
    expect(read([one], 'd/m', payload, 5000)![0]?.fault).toMatchObject({ code: 'payload_not_json' })
  })
})

describe('several values in one object', () => {
  const zigbee: TopicMapping = {
    topic: 'zigbee2mqtt/{device}',
    payload: 'json',
    fields: { at: 'last_seen', room: 'where.room' },
    metrics: {
      temperature: { metric: 'temperature', unit: 'degC' },
      'update.state': { metric: 'updating' },
      contact: { metric: 'contact' },
    },
  }
  const values = (message: object, mapping = zigbee) =>
    read([mapping], 'zigbee2mqtt/plug', JSON.stringify(message))!.map(
      ({ device, metric, value, unit, at, room }) => ({ device, metric, value, unit, at, room }),
    )

  it('are a row each, with the time and room of all', () => {
    const message = {
      ...{ temperature: 20.5, contact: false, linkquality: 80 },
      ...{ last_seen: '2025-03-01T08:00:00Z', where: { room: 'hall' }, update: { state: 'off' } },
    }
    const shared = { device: 'plug', at: '2025-03-01T08:00:00Z', room: 'hall' }
    expect(values(message)).toEqual([
      { ...shared, metric: 'temperature', value: 20.5, unit: 'degC' },
      { ...shared, metric: 'updating', value: 'off', unit: undefined },
      { ...shared, metric: 'contact', value: false, unit: undefined },
    ])
  })

  it('are left out where they are absent or null, which is no fault', () => {
    expect(values({ temperature: null, contact: true }).map(({ metric }) => metric)).toEqual(['contact'])
    expect(values({ linkquality: 3 })).toEqual([])
  })

  it('lack their device by the name that the sender gives it', () => {
    const mapping = { ...zigbee, topic: 'zigbee2mqtt/+', fields: { device: 'ieee' } }
    const [first] = read([mapping], 'zigbee2mqtt/plug', '{"temperature":1}')!
    expect(first?.fault).toEqual({ code: 'field_missing', message: 'The field "ieee" is missing.' })
    expect(values({ temperature: 1, ieee: '0x1' }, mapping)[0]?.device).toBe('0x1')
  })
})
