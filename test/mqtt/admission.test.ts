import { afterEach, expect, test } from 'vitest'
import { broker, reading, topic } from './broker-kit.ts'
import { closeAll, connectPacket, rawClient } from './kit.ts'

/** What a client may do ends with its right, and is bounded by its topics. */

afterEach(closeAll)

test('admission: a client whose key was revoked is cut, though it is silent', async () => {
  let isValid = true
  const { port } = await broker({
    authenticate: async () => ({ key: 'a', sites: null, isValid: () => isValid }),
  })
  const client = await rawClient(port)
  client.send(connectPacket('a', { username: 'x', password: Buffer.from('key') }))
  expect(await client.next('connack')).toMatchObject({ returnCode: 0 })
  const closed = new Promise<void>((resolve) => client.socket.once('close', () => resolve()))
  isValid = false
  await closed
})

test('admission: is told name, password and address', async () => {
  const seen: unknown[] = []
  const { port } = await broker({
    async authenticate(credentials) {
      seen.push(credentials)
      return undefined
    },
  })
  const client = await rawClient(port)
  client.send(connectPacket('a', { username: 'x', password: Buffer.from('key') }))
  expect(await client.next('connack')).toMatchObject({ returnCode: 5 })
  expect(seen).toEqual([{ username: 'x', password: 'key', address: '127.0.0.1' }])
})

test('admission: a client that is bound to topics uses these and no others', async () => {
  const { port, intake } = await broker({
    authenticate: async () => ({ key: 'a', sites: null, topics: ['HyperVolt/'], isValid: () => true }),
  })
  const client = await rawClient(port)
  client.send(connectPacket('a'))
  await client.next('connack')
  const subscriptions = ['HyperVolt/commands/#', '#', 'homeostat/#', 'HyperVoltage/x'].map((name) => ({
    topic: name,
    qos: 0 as const,
  }))
  client.send({ cmd: 'subscribe', messageId: 1, subscriptions })
  expect(await client.next('suback')).toMatchObject({ granted: [0, 128, 128, 128] })
  client.send({
    cmd: 'publish',
    topic,
    payload: reading(20),
    qos: 1,
    messageId: 2,
    dup: false,
    retain: false,
  })
  expect(await client.next('puback')).toMatchObject({ messageId: 2 })
  expect(intake.values).toEqual([20])
  const closed = new Promise<void>((resolve) => client.socket.once('close', () => resolve()))
  client.send({
    cmd: 'publish',
    topic: 'other/x',
    payload: '1',
    qos: 1,
    messageId: 3,
    dup: false,
    retain: false,
  })
  await closed
})
