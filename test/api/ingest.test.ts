import { afterEach, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { type IngestMessage, ingestMessage } from '../../src/contract/ingest.ts'
import { createMemoryReadings } from '../../src/stores/readings/memory.ts'
import { startTestHub, type TestHub, type TestHubOptions } from '../hub.ts'
import { createGatedReadings } from './gate.ts'

let hub: TestHub
let port: number
const sockets: WebSocket[] = []
const start = async (options: TestHubOptions = {}): Promise<void> => {
  hub = await startTestHub({ open: true, ...options })
  port = await hub.listen()
}
/** A test that fails with its gate shut must not keep the hub from closing. */
const gates: { open(): void }[] = []
const openedAtEnd = <Gate extends { open(): void }>(gate: Gate): Gate => {
  gates.push(gate)
  return gate
}
afterEach(async () => {
  for (const gate of gates.splice(0)) gate.open()
  for (const socket of sockets.splice(0)) socket.terminate()
  expect(hub.errors).toEqual([])
  await hub.close()
})

interface Client {
  readonly socket: WebSocket
  readonly receipts: IngestMessage[]
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>
  send(frame: unknown): void
}

async function open(query = '', secret?: string): Promise<Client> {
  const protocols = secret === undefined ? [] : ['homeostat', `key.${secret}`]
  const socket = new WebSocket(`ws://127.0.0.1:${port}/api/v1/ingest${query}`, protocols)
  sockets.push(socket)
  const receipts: IngestMessage[] = []
  socket.on('message', (data) => {
    const message: unknown = JSON.parse(String(data))
    expect(ingestMessage.parse(message)).toEqual(message)
    receipts.push(ingestMessage.parse(message))
  })
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.on('close', (code, reason) => resolve({ code, reason: String(reason) }))
  })
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve)
    socket.once('error', reject)
  })
  const send = (frame: unknown): void =>
    socket.send(typeof frame === 'string' || Buffer.isBuffer(frame) ? frame : JSON.stringify(frame))
  return { socket, receipts, closed, send }
}

const power = (value: unknown, device = 'lamp') => ({ device, metric: 'power', value, at: 1_772_452_800_000 })
const receipts = async ({ receipts }: Client, count: number): Promise<IngestMessage[]> => {
  await expect.poll(() => receipts.length, { timeout: 20_000 }).toBe(count)
  return receipts
}
const good = (frame: number, accepted = 1) => ({ type: 'receipt', frame, accepted, rejected: [] })

/** So many turns of the event loop, which client and hub share: whatever can happen by then has happened. */
async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve))
}

describe('ingest socket', () => {
  test('takes a reading, a list, and an object with readings, with a receipt each that names bad rows', async () => {
    await start()
    const client = await open()
    client.send(power(1))
    client.send([power(2), power('x'), power(3, 'fan')])
    client.send(Buffer.from(JSON.stringify({ readings: [power(4)] })))
    client.send([])
    expect(await receipts(client, 4)).toEqual([
      good(1),
      { ...good(2, 2), rejected: [expect.objectContaining({ index: 1, code: 'value_not_number' })] },
      good(3),
      good(4, 0),
    ])
    expect(hub.engine.counters.readingsStored).toBe(4)
  })

  test('answers a frame that is no reading with an error, and goes on', async () => {
    await start({ limits: { batchReadings: 2 } })
    const client = await open()
    for (const frame of ['{', '5', [power(1), power(2), power(3)], power(4)]) client.send(frame)
    const got = await receipts(client, 4)
    expect(
      got.map((message) => [message.frame, 'code' in message ? message.code : message.accepted]),
    ).toEqual([
      [1, 'request_invalid'],
      [2, 'request_invalid'],
      [3, 'batch_too_large'],
      [4, 1],
    ])
  })

  test('takes line protocol where the connection says so', async () => {
    await start()
    const client = await open('?format=line&precision=s&bucket=cabin')
    client.send('power,device=fridge,unit=W value=80 1772452800\nbad\nfan,device=x mode="auto"')
    const [receipt] = await receipts(client, 1)
    expect(receipt).toMatchObject({ accepted: 1, rejected: [{ index: 1, code: 'line_invalid' }] })
    const [reading] = await hub.engine.readings({}, 10)
    expect(reading).toMatchObject({ site: 'cabin', device: 'fridge', value: 80, at: 1_772_452_800_000 })
  })

  test('sends a receipt after the commit of its frame, in the order of the frames', async () => {
    const gate = openedAtEnd(createGatedReadings())
    await start({ readings: gate.readings })
    gate.shut()
    const client = await open()
    client.send(power(1))
    client.send('{')
    for (let frame = 3; frame <= 40; frame++) client.send(power(frame, `lamp-${frame}`))
    await expect.poll(() => hub.engine.latest().length).toBe(39)
    await turns(500)
    expect(client.receipts).toEqual([])
    gate.open()
    const got = await receipts(client, 40)
    expect(got.map(({ frame }) => frame)).toEqual(Array.from({ length: 40 }, (_, index) => index + 1))
    expect(got.filter(({ type }) => type === 'error')).toHaveLength(1)
  })

  test('is not read while more bytes wait for their commit than the limit, and loses nothing', async () => {
    const gate = openedAtEnd(createGatedReadings())
    await start({ readings: gate.readings, limits: { clientPendingBytes: 200_000 } })
    gate.shut()
    const client = await open()
    const frames = 3000
    const padding = 'x'.repeat(5000)
    for (let frame = 0; frame < frames; frame++)
      client.send({ ...power(frame, `lamp-${frame}`), note: padding })
    await expect.poll(() => hub.engine.waiting).toBeGreaterThan(30)
    await turns(3000)
    // what the hub does not read stays with the client
    expect(hub.engine.waiting).toBeLessThan(300)
    expect(client.socket.bufferedAmount).toBeGreaterThan(0)
    gate.open()
    expect((await receipts(client, frames)).every(({ type }) => type === 'receipt')).toBe(true)
    expect(hub.engine.counters.readingsStored).toBe(frames)
  })

  test('tells of a store that fails, frame by frame, and stays open', async () => {
    const memory = createMemoryReadings()
    let isBroken = true
    const append: typeof memory.append = (rows) =>
      isBroken ? Promise.reject(new Error('no disk')) : memory.append(rows)
    await start({ readings: { ...memory, append } })
    const client = await open()
    client.send(power(1))
    expect(await receipts(client, 1)).toMatchObject([{ type: 'error', frame: 1, code: 'store_failed' }])
    isBroken = false
    client.send(power(1))
    expect((await receipts(client, 2))[1]).toEqual(good(2))
    expect(hub.errors.join()).toContain('no disk')
    await hub.close()
    await start()
  })

  test('refuses a query, a frame that is too long, and more clients than the limit', async () => {
    await start({ limits: { frameBytes: 1000, ingestClients: 1 } })
    expect((await (await open('?format=xml')).closed).code).toBe(1008)
    const client = await open()
    expect((await (await open()).closed).code).toBe(1013)
    client.send('x'.repeat(1001))
    expect((await client.closed).code).toBe(1009)
    const next = await open()
    next.send(power(1))
    expect(await receipts(next, 1)).toEqual([good(1)])
  })
})

describe('who may send over the ingest socket', () => {
  test('needs the role operator; rows for other sites are refused alone', async () => {
    await start({ open: false })
    expect((await (await open()).closed).code).toBe(1008)
    expect((await (await open('', await hub.key('viewer'))).closed).code).toBe(1008)
    const client = await open('', await hub.key('operator', ['cabin']))
    client.send([power(1), { ...power(2), site: 'cabin' }])
    expect(await receipts(client, 1)).toMatchObject([
      { accepted: 1, rejected: [{ index: 0, code: 'site_forbidden' }] },
    ])
  })

  test('with a key that is revoked it ends, and takes nothing more', async () => {
    await start({ open: false })
    const secret = await hub.key('operator')
    const client = await open('', secret)
    client.send(power(1))
    await receipts(client, 1)
    const url = `/api/v1/keys/${secret.split('_')[1]}`
    expect((await hub.ask({ method: 'DELETE', url, secret: await hub.key('admin') })).statusCode).toBe(200)
    client.send(power(2, 'fan'))
    expect(await client.closed).toEqual({ code: 1008, reason: 'the API key was revoked' })
    expect(hub.engine.counters.readingsStored).toBe(1)
  })

  test('a client that reads no receipts is cut, and does not hold up the stop of the hub', async () => {
    await start({ limits: { clientBufferBytes: 64 * 1024 } })
    const client = await open()
    client.socket.pause()
    const bad = Array.from({ length: 200 }, () => power('x'))
    let sent = 0
    const closed = () => client.socket.readyState === WebSocket.CLOSED || sent > 3000
    while (!closed() && hub.engine.counters.quarantinedTotal < 400_000) {
      client.send(bad)
      sent++
      await new Promise((resolve) => setImmediate(resolve))
      if ((await connections()) === 0) break
    }
    expect(await connections()).toBe(0)
  })
})

const connections = (): Promise<number> =>
  new Promise((resolve, reject) =>
    hub.server.server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
  )
