import { generate } from 'mqtt-packet'
import { afterEach, describe, expect, it } from 'vitest'
import type { Reach } from '../../src/sources/mqtt.ts'
import { broker, connected, reading, settle, topic } from './broker-kit.ts'
import { client, closeAll, connectPacket, publishPacket, rawClient, until } from './kit.ts'

/** Who reads nothing, speaks something else, or has a key for less than all. */

afterEach(closeAll)

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

  it('for some sites hears nothing', async () => {
    const { port } = await broker({ keys })
    const made = await connected(port, 'dash', { username: 'x', password: Buffer.from('forA') })
    made.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: '#', qos: 1 }] })
    expect(await made.next('suback')).toMatchObject({ granted: [128] })
    await said(port, 'all', reading(2, { site: 'b' }))
    await said(port, 'all', reading(3, { site: 'a' }))
    made.send({ cmd: 'pingreq' })
    await made.next('pingresp')
    expect(made.packets).toEqual([])
  })

  it('has its client ids for itself, while a session of them lasts', async () => {
    const { port } = await broker({ keys })
    const by = (key: string, clean: boolean) => ({ username: 'x', password: Buffer.from(key), clean })
    const refused = async (clean: boolean): Promise<void> => {
      const thief = await rawClient(port)
      thief.send(connectPacket('dash', by('forA', clean)))
      expect(await thief.next('connack')).toMatchObject({ returnCode: 2 })
      await until('it is cut', () => thief.closed)
    }
    const first = await connected(port, 'dash', by('all', false))
    await refused(false)
    await refused(true)
    first.send({ cmd: 'disconnect' })
    await until('it is gone', () => first.closed)
    await refused(false)
    // who comes with a clean session ends the one before with it
    const second = await connected(port, 'dash', by('all', true))
    second.send({ cmd: 'disconnect' })
    await until('it is gone', () => second.closed)
    // a closed connection is seen a moment later on the other side
    for (let returnCode = 2; returnCode !== 0; ) {
      const made = await rawClient(port)
      made.send(connectPacket('dash', by('forA', false)))
      const answer = await made.next('connack')
      returnCode = answer.cmd === 'connack' ? (answer.returnCode ?? 2) : 2
    }
  })

  it('that is revoked loses its connections, sessions and will', async () => {
    const given: Record<string, Reach> = { all: null, gone: null }
    const { port, intake } = await broker({ keys: given })
    const by = (key: string) => ({ username: 'x', password: Buffer.from(key), clean: false })
    const will = { topic, payload: Buffer.from(reading(9)), qos: 1, retain: false }
    const live = await connected(port, 'live', { ...by('gone'), will })
    const away = await connected(port, 'away', by('gone'))
    away.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 'other/#', qos: 1 }] })
    await away.next('suback')
    away.send({ cmd: 'disconnect' })
    await until('it is gone', () => away.closed)
    delete given['gone']
    live.send(publishPacket(topic, reading(1), 1))
    await until('it is cut', () => live.closed)
    await said(port, 'all', 'kept', 'other/x')
    // the next look at the sessions
    await new Promise((resolve) => setTimeout(resolve, 2500))
    given['gone'] = null
    const back = await rawClient(port)
    back.send(connectPacket('away', by('gone')))
    expect(await back.next('connack')).toMatchObject({ sessionPresent: false })
    expect([back.packets, intake.rows]).toEqual([[], []])
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
