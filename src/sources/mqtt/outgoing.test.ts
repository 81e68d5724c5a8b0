import { expect, it } from 'vitest'
import { Outgoing } from './outgoing.ts'

const message = (brokerCounter: number, messageId?: number) => ({
  ...{ cmd: 'publish', brokerId: 'b', brokerCounter, topic: 't', payload: 'x' },
  messageId,
})
const client = { id: 'c' }
const limits = { messages: 100, bytes: 1 << 20 }

it('outgoing: gives a message another identifier where an older one has it still', () => {
  const outgoing = new Outgoing(limits)
  for (const counter of [1, 2]) outgoing.enqueue(client.id, message(counter))
  const [first, second] = [message(1, 65_535), message(2, 65_535)]
  outgoing.update(client, first)
  outgoing.update(client, second)
  expect([first.messageId, second.messageId]).toEqual([65_535, 1])
  expect(outgoing.clear(client, { cmd: 'puback', messageId: 65_535 })).toMatchObject({ brokerCounter: 1 })
  expect(outgoing.clear(client, { cmd: 'puback', messageId: 65_535 })).toBeUndefined()
})

it('outgoing: keeps the PUBREL of several messages apart', async () => {
  const outgoing = new Outgoing(limits)
  for (const counter of [1, 2, 3]) {
    outgoing.enqueue(client.id, message(counter))
    outgoing.update(client, message(counter, counter))
  }
  for (const messageId of [2, 1]) outgoing.update(client, { cmd: 'pubrel', messageId })
  outgoing.clear(client, { cmd: 'pubcomp', messageId: 2 })
  expect(await outgoing.stream(client).toArray()).toMatchObject([
    { cmd: 'pubrel', messageId: 1 },
    { cmd: 'publish', messageId: 3, dup: true },
  ])
})

it('outgoing: has its bytes back once messages are acknowledged or their session is dropped', () => {
  const outgoing = new Outgoing({ messages: 2, bytes: 1 << 20 })
  for (const counter of [1, 2, 3]) outgoing.enqueue(client.id, message(counter))
  expect(outgoing.dropped).toBe(1)
  outgoing.update(client, message(1, 1))
  const before = outgoing.bytes
  outgoing.clear(client, { cmd: 'puback', messageId: 1 })
  expect(outgoing.bytes).toBe(before / 2)
  outgoing.drop(client.id)
  expect(outgoing.bytes).toBe(0)
})
