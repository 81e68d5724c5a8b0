import { afterEach, describe, expect, it } from 'vitest'
import { broker, connected, settle } from './broker-kit.ts'
import { client, closeAll, connectPacket, type RawClient, rawClient, until } from './kit.ts'

afterEach(closeAll)

/** A session named `listener` that hears `other/#`, whose client has gone. */
async function leaveSession(port: number, qos: 1 | 2): Promise<void> {
  const before = await client(port, { clientId: 'listener', clean: false })
  await before.subscribeAsync('other/#', { qos })
  await before.endAsync()
}

async function comeBack(port: number): Promise<RawClient> {
  const session = await rawClient(port)
  session.send(connectPacket('listener', { clean: false }))
  expect(await session.next('connack')).toMatchObject({ returnCode: 0 })
  return session
}

async function leave(session: RawClient): Promise<void> {
  session.send({ cmd: 'disconnect' })
  await until('it is gone', () => session.closed)
}

const count = 40
const all = Array.from({ length: count }, (_, nth) => String(nth))

describe('a session with QoS 2', () => {
  /** Takes what comes, and answers so many of each step. */
  async function take(session: RawClient, steps: { readonly pubrec: number; readonly pubcomp: number }) {
    const heard: string[] = []
    let left = { ...steps }
    for (let idle = 0; idle < 3; ) {
      const packets = session.packets.splice(0)
      idle = packets.length === 0 ? idle + 1 : 0
      for (const packet of packets) {
        if (packet.cmd === 'publish') heard.push(`${packet.payload}${packet.dup ? ' again' : ''}`)
        if (packet.cmd === 'publish' && left.pubrec-- > 0)
          session.send({ cmd: 'pubrec', messageId: packet.messageId ?? 0 })
        if (packet.cmd === 'pubrel' && left.pubcomp-- > 0)
          session.send({ cmd: 'pubcomp', messageId: packet.messageId ?? 0 })
      }
      left = { pubrec: Math.max(0, left.pubrec), pubcomp: Math.max(0, left.pubcomp) }
      session.send({ cmd: 'pingreq' })
      await session.next('pingresp')
      await settle(session.socket.remotePort ?? 0, 2)
    }
    return heard
  }

  it('gets each message once, in order, wherever its client breaks off', async () => {
    const { port } = await broker()
    await leaveSession(port, 2)
    const sender = await client(port)
    for (const value of all) await sender.publishAsync('other/x', value, { qos: 2 })
    const first = await comeBack(port)
    expect(await take(first, { pubrec: 20, pubcomp: 10 })).toEqual(all)
    first.socket.destroy()
    // 10 are done, of 10 the PUBREL is owed, and 20 were never answered
    const second = await comeBack(port)
    expect(await take(second, { pubrec: count, pubcomp: count })).toEqual(
      all.slice(20).map((value) => `${value} again`),
    )
    await leave(second)
    const third = await comeBack(port)
    await sender.publishAsync('other/x', 'live', { qos: 2 })
    expect(await take(third, { pubrec: 1, pubcomp: 1 })).toEqual(['live'])
  })
})

describe('a session', () => {
  it('without a client id is refused, because nobody could come back to it', async () => {
    const { port } = await broker()
    const nameless = await rawClient(port)
    // CONNECT of MQTT 3.1.1 without flags, keepalive 60; the library does not make one
    nameless.send(Buffer.from([0x10, 12, 0, 4, ...Buffer.from('MQTT'), 4, 0, 0, 60, 0, 0]))
    expect(await nameless.next('connack')).toMatchObject({ returnCode: 2 })
    await until('it is cut', () => nameless.closed)
    await connected(port, '', { clean: true })
  })

  it('keeps so many bytes, and all sessions together', async () => {
    const { port } = await broker({ sessionBytes: 40_000 })
    await leaveSession(port, 1)
    const sender = await client(port)
    for (const value of all) await sender.publishAsync('other/x', value.padEnd(2000), { qos: 1 })
    const session = await comeBack(port)
    await settle(port)
    // a quarter of the bytes
    const heard = session.packets.filter(({ cmd }) => cmd === 'publish')
    expect(heard).toHaveLength(3)
  })

  it('keeps no subscription that was refused beside others', async () => {
    const { port } = await broker({ refusedSubscriptions: ['secret/#'] })
    const session = await connected(port, 'listener', { clean: false })
    const topics = ['secret/a', '$share/group/other/#', 'other/#', '#']
    session.send({
      ...{ cmd: 'subscribe', messageId: 1 },
      subscriptions: topics.map((topic) => ({ topic, qos: 1 as const })),
    })
    expect(await session.next('suback')).toMatchObject({ granted: [128, 128, 1, 1] })
    const sender = await client(port)
    const say = async (): Promise<void> => {
      await sender.publishAsync('secret/a', 'secret', { qos: 1 })
      await sender.publishAsync('other/x', 'open', { qos: 1 })
    }
    await say()
    await leave(session)
    await say()
    const back = await comeBack(port)
    await settle(port)
    const heard = [...session.packets, ...back.packets].flatMap((packet) =>
      packet.cmd === 'publish' ? [packet.payload.toString()] : [],
    )
    expect(new Set(heard)).toEqual(new Set(['open']))
  })
})

it('retained messages take so many bytes; a topic for which there is no room keeps none', async () => {
  const { port } = await broker({ retainedBytes: 10_000 })
  const sender = await client(port)
  const retain = (topic: string, payload: string) =>
    sender.publishAsync(topic, payload, { qos: 1, retain: true })
  for (const value of [1, 2, 3, 4, 5, 6]) await retain(`state/${value}`, 'x'.repeat(2000))
  await retain('state/1', 'y'.repeat(9000))
  await retain('state/2', '')
  await retain('state/7', 'z'.repeat(2000))
  const heard: string[] = []
  const listener = await client(port)
  listener.on('message', (topic) => heard.push(topic))
  await listener.subscribeAsync('state/#')
  await settle(port)
  expect(heard.sort()).toEqual(['state/3', 'state/7'])
})
