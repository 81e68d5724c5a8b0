import { execFile, spawnSync } from 'node:child_process'
import { createServer } from 'node:net'
import { promisify } from 'node:util'
import type { Packet } from 'mqtt-packet'
import { afterEach, describe, expect, it } from 'vitest'
import { createMqttSource, hypervoltMappings, type Reach, type TopicMapping } from '../../src/sources/mqtt.ts'
import {
  atEnd,
  client,
  closeAll,
  connectPacket,
  Intake,
  keptLog,
  publishPacket,
  type RawClient,
  rawClient,
  start,
  until,
} from './kit.ts'

const payloadBytes = 4096

interface Setting {
  readonly mappings?: readonly TopicMapping[]
  readonly keys?: Readonly<Record<string, Reach>>
  readonly clientBufferBytes?: number
  readonly sessionMessages?: number
}

async function broker({ mappings = hypervoltMappings('HyperVolt/sensors'), keys, ...rest }: Setting = {}) {
  const intake = new Intake()
  const { log, lines } = keptLog()
  const source = createMqttSource({
    kind: 'broker',
    ...{ host: '127.0.0.1', port: 0, mappings, payloadBytes, batchReadings: 1000, defaultSite: 'home', log },
    ...(keys ? { authenticate: async (_name: string, password: string) => keys[password] } : {}),
    ...rest,
  })
  const running = start(source, intake)
  await until('the broker listens', () => source.health().ready)
  const port = Number(/:(\d+),/.exec(source.health().detail)?.[1])
  return { intake, lines, source, port, ...running }
}

const topic = 'HyperVolt/sensors/kitchen/temperature'
const reading = (value: number, more: object = {}): string =>
  JSON.stringify({ sensor_type: 'temperature', sensor_id: 't1', value, ...more })

async function connected(port: number, id: string, more: object = {}): Promise<RawClient> {
  const made = await rawClient(port)
  made.send(connectPacket(id, more))
  expect(await made.next('connack')).toMatchObject({ returnCode: 0 })
  return made
}

/** So many times there and back: what the broker had to send by then has come. */
async function settle(port: number, rounds = 5): Promise<void> {
  const made = await connected(port, `settle-${Math.random()}`)
  for (let round = 0; round < rounds; round++) {
    made.send({ cmd: 'pingreq' })
    await made.next('pingresp')
  }
  made.socket.destroy()
}

afterEach(closeAll)

describe('an acknowledgement', () => {
  it.each([
    [1, 'puback'],
    [2, 'pubrec'],
  ] as const)('of QoS %i comes after the commit, never before', async (qos, answer) => {
    const { intake, port } = await broker()
    intake.hold()
    const sender = await connected(port, 'sender')
    sender.send(publishPacket(topic, reading(21.5), qos, 7))
    await until('the message is on its way', () => intake.waiting === 1)
    await settle(port)
    expect(sender.packets).toEqual([])
    intake.release()
    expect(await sender.next(answer)).toMatchObject({ messageId: 7 })
    expect(intake.values).toEqual([21.5])
    if (qos === 2) {
      sender.send({ cmd: 'pubrel', messageId: 7 })
      await sender.next('pubcomp')
    }
  })

  it.each([0, 1, 2] as const)(
    'never comes where the commit fails at QoS %i: the connection breaks',
    async (qos) => {
      const { intake, port, lines } = await broker()
      intake.failNext()
      const sender = await connected(port, 'sender')
      sender.send(publishPacket(topic, reading(1), qos, 9))
      await until('the connection breaks', () => sender.closed)
      expect(sender.packets).toEqual([])
      expect(intake.rows).toEqual([])
      expect(lines.filter((line) => line.includes('the disk is full'))).toHaveLength(1)
    },
  )

  it('comes for what a client sends again after a failed commit', async () => {
    const { intake, port } = await broker()
    intake.failNext()
    const sender = await client(port, { clientId: 'sender', clean: false, reconnectPeriod: 20 })
    await sender.publishAsync(topic, reading(1), { qos: 1 })
    expect(intake.values).toEqual([1])
  })

  it('comes for many messages with few commits, in their order', async () => {
    const { intake, port } = await broker()
    const sender = await client(port)
    const values = Array.from({ length: 2000 }, (_, index) => index)
    await Promise.all(values.map((value) => sender.publishAsync(topic, reading(value), { qos: 1 })))
    expect(intake.values).toEqual(values)
    expect(intake.batches).toBeLessThan(500)
  })

  it('comes for a bad message too, or its client would send it for ever', async () => {
    const { intake, port } = await broker()
    const sender = await client(port)
    const bad = ['', 'x', '[]', '{}', Buffer.from([0xff]), Buffer.alloc(payloadBytes + 1, 'x')]
    for (const payload of bad) await sender.publishAsync(topic, payload, { qos: 1 })
    expect(intake.rows.map(({ fault }) => fault?.code)).toEqual([
      ...['payload_not_json', 'payload_not_json', 'reading_not_object', 'field_missing'],
      ...['payload_not_json', 'payload_too_large'],
    ])
  })
})

describe('a sender', () => {
  it('at QoS 0 is not read further while its messages wait', async () => {
    const { intake, port } = await broker()
    intake.hold()
    const sender = await connected(port, 'sender')
    const count = 20_000
    const message = publishPacket(topic, reading(1, { padding: 'x'.repeat(900) }))
    for (let index = 0; index < count / 100; index++) {
      sender.send(...Array.from({ length: 100 }, () => message))
    }
    await until('messages are on their way', () => intake.waiting > 0)
    await settle(port)
    expect(intake.waiting).toBe(1)
    expect(sender.socket.writableLength).toBeGreaterThan(5_000_000)
    intake.release()
    await until('all have come', () => intake.rows.length === count)
  })

  it('with a QoS 2 message sent twice has it stored at least, and published once', async () => {
    const { intake, port } = await broker()
    const heard: string[] = []
    const listener = await client(port)
    listener.on('message', (_topic, payload) => heard.push(payload.toString()))
    await listener.subscribeAsync('#')
    const sender = await connected(port, 'sender', { clean: false })
    sender.send(publishPacket(topic, reading(3), 2, 5))
    await sender.next('pubrec')
    sender.send({ ...publishPacket(topic, reading(3), 2, 5), dup: true } as Packet)
    await sender.next('pubrec')
    sender.send({ cmd: 'pubrel', messageId: 5 })
    await sender.next('pubcomp')
    await settle(port)
    expect(heard).toEqual([reading(3)])
    expect(intake.values.length).toBeGreaterThan(0)
  })

  it.each(['$SYS/x', '$other'])('cannot publish to %s', async (forbidden) => {
    const { port } = await broker()
    const sender = await connected(port, 'sender')
    sender.send(publishPacket(forbidden, 'x', 1))
    await until('it is cut', () => sender.closed)
    expect(sender.packets).toEqual([])
  })

  it.each(['a/#', 'a/+/b'])('cannot publish to the wildcard %s', async (wildcard) => {
    const { port } = await broker()
    const sender = await connected(port, 'sender')
    // the library would not send it
    const plain = Buffer.from(wildcard)
    const body = Buffer.concat([Buffer.from([0, plain.length]), plain, Buffer.from('x')])
    sender.send(Buffer.concat([Buffer.from([0x30, body.length]), body]))
    await until('it is cut', () => sender.closed)
  })

  it('leaves its will as a reading when its connection breaks', async () => {
    const { intake, port } = await broker()
    const will = { topic, payload: Buffer.from(reading(0)), qos: 1, retain: false }
    const sender = await connected(port, 'sender', { will })
    sender.socket.destroy()
    await until('the will has come', () => intake.rows.length === 1)
  })
})

/** Under CI=true it must be there. */
const noSender = process.env['CI'] !== 'true' && spawnSync('mosquitto_pub', ['--help']).error !== undefined

describe.skipIf(noSender)('mosquitto_pub (skipped where mosquitto-clients is not installed)', () => {
  const message = '{"sensor_type":"temperature","sensor_id":"t1","value":21.5}'
  const send = (port: number, ...more: readonly string[]) =>
    promisify(execFile)('mosquitto_pub', ['-p', String(port), '-t', topic, '-m', message, ...more])

  it.each([0, 1, 2])('sends the HyperVolt form at QoS %i', async (qos) => {
    const { intake, port } = await broker()
    await send(port, '-q', String(qos))
    await until('it has come', () => intake.rows.length > 0)
    expect(intake.rows).toEqual([
      {
        ...{ source: 'mqtt', device: 't1', metric: 'temperature', value: 21.5, room: 'kitchen' },
        payload: message,
      },
    ])
  })

  it('is told where it speaks MQTT 5', async () => {
    const { port } = await broker()
    await expect(send(port, '-V', 'mqttv5')).rejects.toMatchObject({
      stderr: expect.stringMatching(/protocol version|refused/i),
    })
  })
})

describe('a broker like any other', () => {
  it('passes on messages of topics that are none of ours, and of those that are', async () => {
    const { intake, port } = await broker()
    const heard: string[] = []
    const listener = await client(port)
    listener.on('message', (at, payload) => heard.push(`${at} ${payload}`))
    await listener.subscribeAsync('#', { qos: 1 })
    const sender = await client(port)
    for (const qos of [0, 1, 2] as const) await sender.publishAsync('other/topic', `${qos}`, { qos })
    await sender.publishAsync(topic, reading(5), { qos: 1 })
    await until('all are heard', () => heard.length === 4)
    expect(heard).toEqual(['other/topic 0', 'other/topic 1', 'other/topic 2', `${topic} ${reading(5)}`])
    expect(intake.values).toEqual([5])
  })

  it('retains messages, and forgets those that are emptied', async () => {
    const { port } = await broker()
    const sender = await client(port)
    await sender.publishAsync('state/a', 'on', { qos: 1, retain: true })
    await sender.publishAsync('state/b', 'on', { qos: 1, retain: true })
    await sender.publishAsync('state/a', '', { qos: 1, retain: true })
    const heard: string[] = []
    const listener = await client(port)
    listener.on('message', (at, _payload, { retain }) => heard.push(`${at} ${retain}`))
    await listener.subscribeAsync('state/#')
    await until('something is heard', () => heard.length > 0)
    await settle(port)
    expect(heard).toEqual(['state/b true'])
  })

  it('keeps messages for a session while its client is away, so many and no more', async () => {
    const { port } = await broker({ sessionMessages: 3 })
    const before = await client(port, { clientId: 'listener', clean: false })
    await before.subscribeAsync('other/#', { qos: 1 })
    await before.endAsync()
    const sender = await client(port)
    const values = async (packets: RawClient): Promise<string[]> => {
      packets.send({ cmd: 'pingreq' })
      await packets.next('pingresp')
      await settle(port)
      const heard = packets.packets.splice(0).filter((packet) => packet.cmd === 'publish')
      for (const { messageId = 0 } of heard) packets.send({ cmd: 'puback', messageId })
      return heard.map(({ payload }) => payload.toString())
    }
    // what was acknowledged makes room
    for (const round of ['a', 'b']) {
      for (const value of [1, 2, 3, 4, 5]) {
        await sender.publishAsync('other/x', `${round}${value}`, { qos: 1 })
      }
      const session = await rawClient(port)
      session.send(connectPacket('listener', { clean: false }))
      expect(await session.next('connack')).toMatchObject({ sessionPresent: true })
      expect(await values(session)).toEqual([`${round}1`, `${round}2`, `${round}3`])
      await sender.publishAsync('other/x', 'live', { qos: 1 })
      expect(await values(session)).toEqual(['live'])
      session.send({ cmd: 'pingreq' }, { cmd: 'disconnect' })
      await until('it is gone', () => session.closed)
    }
  })

  it('stops delivering to who unsubscribes', async () => {
    const { port } = await broker()
    const heard: string[] = []
    const listener = await client(port)
    listener.on('message', (_at, payload) => heard.push(payload.toString()))
    await listener.subscribeAsync('x')
    const sender = await client(port)
    await sender.publishAsync('x', '1', { qos: 1 })
    await until('the first is heard', () => heard.length === 1)
    await listener.unsubscribeAsync('x')
    await sender.publishAsync('x', '2', { qos: 1 })
    await settle(port)
    expect(heard).toEqual(['1'])
  })
})

describe('a subscriber that does not read', () => {
  it('is cut, and holds up neither publishers nor other subscribers', async () => {
    const { port, lines } = await broker({ clientBufferBytes: 100_000 })
    const stalled = await connected(port, 'stalled')
    stalled.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 'x', qos: 0 }] })
    await stalled.next('suback')
    stalled.socket.pause()
    let heard = 0
    const listener = await client(port)
    listener.on('message', () => heard++)
    await listener.subscribeAsync('x')
    const sender = await client(port)
    const payload = Buffer.alloc(4000)
    const cut = (): boolean => lines.some((line) => /MQTT client cut .*stalled.*does not read/.test(line))
    let sent = 0
    // were one to wait for the other, this would stand still until the drain timeout of 10 s
    while (!cut()) {
      await Promise.all(Array.from({ length: 50 }, () => sender.publishAsync('x', payload, { qos: 1 })))
      sent += 50
      expect(sent).toBeLessThan(20_000)
    }
    await until('the other has heard all', () => heard === sent)
    expect(lines.filter((line) => line.startsWith('MQTT client cut'))).toHaveLength(1)
  })

  it('is not cut for the retained messages that it asked for', async () => {
    const { port, lines } = await broker({ clientBufferBytes: 50_000 })
    const sender = await client(port)
    const payload = Buffer.alloc(400_000)
    const [topics, subscriptions] = [10, 12]
    for (let index = 0; index < topics; index++) {
      await sender.publishAsync(`state/${index}`, payload, { qos: 1, retain: true })
    }
    const reader = await connected(port, 'reader')
    reader.socket.pause()
    for (let index = 0; index < subscriptions; index++) {
      const filter = { topic: 'state/#', qos: 0 } as const
      reader.send({ cmd: 'subscribe', messageId: index + 1, subscriptions: [filter] })
    }
    await settle(port)
    reader.socket.resume()
    await until('all are heard', () => {
      return reader.packets.filter(({ cmd }) => cmd === 'publish').length === topics * subscriptions
    })
    expect(lines).toEqual([])
  })
})

describe('what is not MQTT 3.1.1', () => {
  it.each([
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n')],
    ['TLS', Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00])],
    ['zeros', Buffer.alloc(100)],
    ['a publish before the connect', Buffer.from([0x30, 0x04, 0x00, 0x01, 0x61, 0x62])],
    ['another protocol name', Buffer.from([0x10, 0x0c, 0, 4, 0x4d, 0x51, 0x58, 0x58, 4, 2, 0, 0, 0, 0])],
    ['a length of five bytes', Buffer.from([0x10, 0xff, 0xff, 0xff, 0xff, 0x7f])],
    ['a packet of 256 MiB', Buffer.from([0x10, 0xff, 0xff, 0xff, 0x7f])],
  ])('%s: the connection ends', async (_name, bytes) => {
    const { port, source } = await broker()
    const made = await rawClient(port)
    made.send(bytes)
    await until('it is cut', () => made.closed)
    await settle(port)
    expect(source.health().ready).toBe(true)
  })

  it('half a packet waits for its other half', async () => {
    const { intake, port } = await broker()
    const sender = await connected(port, 'sender')
    const { generate } = await import('mqtt-packet')
    const bytes = generate(publishPacket(topic, reading(4), 1))
    for (const byte of bytes) {
      sender.send(Buffer.from([byte]))
      await new Promise((resolve) => setImmediate(resolve))
    }
    await sender.next('puback')
    expect(intake.values).toEqual([4])
  })

  it('a giant packet ends at its header, before it takes memory', async () => {
    const { port, lines } = await broker()
    const sender = await connected(port, 'sender')
    // PUBLISH, 200 MiB
    sender.send(Buffer.from([0x30, 0x80, 0x80, 0x80, 0x64, 0, 1, 0x61]))
    await until('it is cut', () => sender.closed)
    expect(lines.join()).toContain('A packet is longer than')
  })

  it.each(['an MQTT 5 client', 'an MQTT 5 client with properties'])(
    '%s is told the version',
    async (name) => {
      const { port } = await broker()
      const made = await rawClient(port)
      const properties = name.includes('with') ? { properties: { sessionExpiryInterval: 60 } } : {}
      const { generate } = await import('mqtt-packet')
      const packet = connectPacket('five', { protocolVersion: 5, ...properties })
      const bytes: Buffer[] = []
      made.socket.on('data', (chunk) => bytes.push(chunk))
      made.send(generate(packet, { protocolVersion: 5 }))
      await until('it is cut', () => made.closed)
      // CONNACK with code 1, unacceptable protocol version (MQTT 3.1.1, section 3.1.2.2)
      expect(Buffer.concat(bytes)).toEqual(Buffer.from([0x20, 0x02, 0x00, 0x01]))
    },
  )
})

describe('a key', () => {
  const keys = { all: null, forA: ['a'], forHome: ['home'] }
  const said = async (port: number, password: string, payload: string, at = topic): Promise<void> => {
    const sender = await client(port, { username: 'any', password })
    await sender.publishAsync(at, payload, { qos: 1 })
  }

  it.each([{ username: 'any', password: Buffer.from('wrong') }, { username: 'all' }, {}])(
    'that is wrong or missing is refused with return code 5: %j',
    async (credentials) => {
      const { port, source } = await broker({ keys })
      const made = await rawClient(port)
      made.send(connectPacket('stranger', credentials))
      expect(await made.next('connack')).toMatchObject({ returnCode: 5 })
      await until('it is cut', () => made.closed)
      expect(source.health().detail).toMatch(/ 0 clients$/)
    },
  )

  it('reaches its own sites, the default one too, and no other', async () => {
    const { intake, port } = await broker({ keys })
    await said(port, 'forA', reading(1, { site: 'a' }))
    await said(port, 'forA', reading(2, { site: 'b' }))
    await said(port, 'forA', reading(3))
    await said(port, 'forHome', reading(4))
    await said(port, 'forHome', reading(5, { site: 'home' }))
    await said(port, 'all', reading(6, { site: 'b' }))
    const refused = intake.rows.filter(({ fault }) => fault)
    expect(refused.map(({ value, fault }) => [value, fault?.code])).toEqual([
      [2, 'site_forbidden'],
      [3, 'site_forbidden'],
    ])
    expect(refused[0]?.fault?.message).toContain('"b"')
  })

  it.each(['{"toString":1,"valueOf":1}', '{"toString":1}', '["a"]', 'null', 'true', '""', '"a\\u0000"'])(
    'meets a site that is none without harm: %s',
    async (site) => {
      const { intake, port } = await broker({ keys })
      await said(port, 'forA', `{"sensor_type":"m","sensor_id":"d","value":1,"site":${site}}`)
      expect(intake.rows).toHaveLength(1)
      expect(intake.rows[0]?.fault?.code).toMatch(/^(id_invalid|site_forbidden)$/)
    },
  )

  it('for some sites hears nothing: not by subscribing, not in a session that another left', async () => {
    const { port } = await broker({ keys })
    const admin = await client(port, { password: 'all', username: 'x', clientId: 'dash', clean: false })
    await admin.subscribeAsync('#', { qos: 1 })
    await admin.endAsync()
    await said(port, 'all', reading(1, { site: 'b' }))
    const thief = await rawClient(port)
    const password = Buffer.from('forA')
    thief.send(connectPacket('dash', { username: 'x', password, clean: false }))
    await thief.next('connack')
    thief.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: '#', qos: 1 }] })
    expect(await thief.next('suback')).toMatchObject({ granted: [128] })
    await said(port, 'all', reading(2, { site: 'b' }))
    await said(port, 'all', reading(3, { site: 'a' }))
    thief.send({ cmd: 'pingreq' })
    await thief.next('pingresp')
    expect(thief.packets).toEqual([])
  })

  it('for some sites is heard by others only in what it says for these', async () => {
    const { intake, port } = await broker({ keys })
    const heard: string[] = []
    const listener = await client(port, { username: 'x', password: 'all' })
    listener.on('message', (_at, payload) => heard.push(payload.toString()))
    await listener.subscribeAsync('#')
    await said(port, 'forA', reading(1, { site: 'b' }))
    await said(port, 'forA', 'switch off', 'HyperVolt/commands/control')
    await said(port, 'forA', 'no JSON')
    await said(port, 'forA', reading(2, { site: 'a' }))
    await said(port, 'all', 'switch on', 'HyperVolt/commands/control')
    await until('the last is heard', () => heard.includes('switch on'))
    expect(heard).toEqual([reading(2, { site: 'a' }), 'switch on'])
    expect(intake.rows).toHaveLength(3)
  })
})

describe('the life of the broker', () => {
  it('shows its real port and its clients', async () => {
    const { port, source } = await broker()
    expect(port).toBeGreaterThan(0)
    expect(source.health()).toEqual({ ready: true, detail: `broker on 127.0.0.1:${port}, 0 clients` })
    const one = await client(port)
    expect(source.health().detail).toMatch(/, 1 client$/)
    await one.endAsync()
    await until('it is gone', () => source.health().detail.endsWith('0 clients'))
  })

  it('forgets 1,000 clients that came and went, by a goodbye or without', async () => {
    const { port, source, ended, abort } = await broker()
    for (let wave = 0; wave < 20; wave++) {
      const clients = await Promise.all(
        Array.from({ length: 50 }, (_, index) => connected(port, `c${wave}-${index}`)),
      )
      for (const [index, one] of clients.entries()) {
        if (index % 3 === 0) one.send({ cmd: 'disconnect' })
        else one.socket.destroy()
      }
      await until('they are gone', () => clients.every(({ closed }) => closed))
    }
    await until('none is left', () => source.health().detail.endsWith(' 0 clients'))
    abort()
    // the server closes only when it has no connection
    await ended
  })

  it('stops: settles and acknowledges what is on its way, takes nothing new, closes everybody', async () => {
    const { intake, port, source, abort, ended } = await broker()
    intake.hold()
    const [sender, late, silent] = [
      await connected(port, 'a'),
      await connected(port, 'b'),
      await rawClient(port),
    ]
    sender.send(publishPacket(topic, reading(1), 1, 3))
    await until('the message is on its way', () => intake.waiting === 1)
    abort()
    await until('it is unready', () => !source.health().ready)
    late.send(publishPacket(topic, reading(2), 1, 4))
    intake.release()
    await ended
    expect(await sender.next('puback')).toMatchObject({ messageId: 3 })
    await until('all are closed', () => [sender, late, silent].every(({ closed }) => closed))
    expect(late.packets).toEqual([])
    expect(intake.values).toEqual([1])
    const again = createServer()
    atEnd(() => again.close())
    await new Promise<void>((resolve, reject) =>
      again.once('error', reject).listen(port, '127.0.0.1', resolve),
    )
  })

  it('stops under steady fire', async () => {
    const { port, ended, abort } = await broker()
    const sender = await client(port)
    const fire = (): void => {
      for (let index = 0; index < 20; index++) {
        sender.publish(topic, reading(index), { qos: 1 }, (error) => {
          if (!error && index === 0 && sender.connected) fire()
        })
      }
    }
    fire()
    await settle(port)
    abort()
    await ended
  })

  it('refuses a port that is taken, and says how to choose another', async () => {
    const { port } = await broker()
    const source = createMqttSource({
      ...{ kind: 'broker', host: '127.0.0.1', port, mappings: [], payloadBytes, batchReadings: 10 },
      ...{ defaultSite: 'home', log: keptLog().log },
    })
    await expect(source.run(new Intake().emit, new AbortController().signal)).rejects.toMatchObject({
      code: 'port_taken',
      message: expect.stringContaining('--mqtt-port'),
    })
  })
})
