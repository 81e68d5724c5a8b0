import { execFile, spawnSync } from 'node:child_process'
import { createServer } from 'node:net'
import { promisify } from 'node:util'
import type { Packet } from 'mqtt-packet'
import { afterEach, describe, expect, it } from 'vitest'
import { createMqttSource } from '../../src/sources/mqtt.ts'
import { broker, connected, payloadBytes, reading, settle, topic } from './broker-kit.ts'
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
  until,
} from './kit.ts'

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
  it('that awaits its acknowledgement is read on, up to its quota of bytes', async () => {
    const { intake, port } = await broker({ clientPendingBytes: 100_000 })
    intake.hold()
    const sender = await connected(port, 'sender')
    const payload = reading(1, { padding: 'x'.repeat(3000) })
    // each in a piece of its own, since a piece that is read is taken whole
    for (let id = 1; id <= 25; id++) {
      sender.send(publishPacket(topic, payload, 1, id))
      await until('the message is heard', () => intake.offered === id)
    }
    for (let id = 26; id <= 50; id++) {
      sender.send(publishPacket(topic, payload, 1, id))
      await settle(port, 1)
    }
    // a message counts with what it takes beside its payload
    expect(intake.offered * payload.length).toBeLessThan(100_000 + payload.length)
    expect(sender.packets).toEqual([])
    intake.release()
    await until('all are acknowledged', () => sender.packets.length === 50)
    sender.send(publishPacket(topic, payload, 1, 51))
    await until('so is the next', () => sender.packets.length === 51)
  })

  it.each([0, 1] as const)('that pours at QoS %i fills its quota and delays nobody else', async (qos) => {
    const { intake, port } = await broker({ clientPendingBytes: 200_000 })
    intake.hold()
    const [flood, other] = [await connected(port, 'flood'), await connected(port, 'other')]
    const count = 20_000
    const payload = reading(1, { padding: 'x'.repeat(900) })
    for (let id = 1; id <= count; id++) flood.send(publishPacket(topic, payload, qos, id))
    await until('its quota is full', () => intake.offered * payload.length > 120_000)
    await settle(port)
    // a piece that is read is taken whole
    expect(intake.offered * payload.length).toBeLessThan(200_000 + 2 * 65_536)
    expect(flood.socket.writableLength).toBeGreaterThan(5_000_000)
    const before = intake.offered
    other.send(publishPacket(topic, reading(2), 1, 1))
    await until('the other is heard', () => intake.offered > before)
    intake.release()
    await until('all are stored', () => intake.rows.length === count + 1)
    if (qos > 0) await until('all are acknowledged', () => flood.packets.length === count)
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
        topic,
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
