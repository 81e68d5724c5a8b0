import { connect, type Socket } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { type LiveMessage, liveMessage, sensorUpdate } from '../../src/contract/live.ts'
import { startTestHub, type TestHub, type TestHubOptions } from '../hub.ts'
import { createGatedReadings } from './gate.ts'
import { mark, startTwoSites } from './two-sites.ts'

/** The live channels over real sockets. */

let hub: TestHub
let port: number
const sockets: (WebSocket | Socket)[] = []

const start = async (options: TestHubOptions = {}): Promise<void> => {
  hub = await startTestHub({ open: true, ...options })
  port = await hub.listen()
}
afterEach(async () => {
  for (const socket of sockets.splice(0)) {
    if (socket instanceof WebSocket) socket.terminate()
    else socket.destroy()
  }
  expect(hub.errors).toEqual([])
  await hub.close()
})

interface Client {
  readonly socket: WebSocket
  /** Everything that arrived. */
  readonly texts: string[]
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>
}

interface Way {
  readonly secret?: string
  readonly origin?: string
  readonly host?: string
}

/** Resolves when the socket is open; rejects where the hub refuses to upgrade. */
async function open(path: string, { secret, origin, host }: Way = {}): Promise<Client> {
  const protocols = secret === undefined ? [] : ['homeostat', `key.${secret}`]
  const headers = { ...(host === undefined ? {} : { host }) }
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, protocols, {
    headers,
    ...(origin === undefined ? {} : { origin }),
  })
  sockets.push(socket)
  const texts: string[] = []
  socket.on('message', (data) => texts.push(String(data)))
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.on('close', (code, reason) => resolve({ code, reason: String(reason) }))
  })
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve)
    socket.once('error', reject)
  })
  return { socket, texts, closed }
}

const power = (value: number, device = 'lamp') => ({
  site: 'home',
  device,
  metric: 'power',
  value,
  at: at(value),
})
const at = (value: number): number => Date.parse('2026-03-02T12:00:00Z') + value * 1000
const arrived = (client: Client, count: number) =>
  expect.poll(() => client.texts.length, { timeout: 10_000 }).toBeGreaterThanOrEqual(count)
const messages = ({ texts }: Client): LiveMessage[] =>
  texts.map((text) => {
    const message: unknown = JSON.parse(text)
    expect(liveMessage.parse(message)).toEqual(message)
    return liveMessage.parse(message)
  })
const valuesOf = (client: Client): number[] =>
  messages(client).flatMap((message) =>
    'readings' in message ? message.readings.map(({ value }) => value) : [],
  )

describe.each(['/ws/sensors', '/ws/sensors/'])('%s', (path) => {
  test('sends a frame a reading in the form of the seed', async () => {
    await start()
    const client = await open(path)
    await hub.push([{ ...power(5), room: 'kitchen' }, power(6)])
    await arrived(client, 2)
    const frames = client.texts.map((text) => JSON.parse(text))
    for (const frame of frames) expect(sensorUpdate.parse(frame)).toEqual(frame)
    expect(frames).toEqual([
      {
        type: 'sensor_update',
        data: {
          ...{ sensor_type: 'power', sensor_id: 'lamp', value: 5, unit: 'W', location: 'kitchen' },
          timestamp: '2026-03-02T12:00:05.000Z',
        },
      },
      expect.objectContaining({ data: expect.objectContaining({ value: 6, location: '' }) }),
    ])
  })

  test('ends with a message that is too long', async () => {
    await start()
    const client = await open(path)
    client.socket.send('x'.repeat(64 * 1024))
    await arrived(client, 1)
    client.socket.send('x'.repeat(64 * 1024 + 1))
    expect((await client.closed).code).toBe(1009)
  })

  test('answers what it is sent', async () => {
    await start()
    const client = await open(path)
    for (const text of ['{"hello":1}', '5', 'null', '{', '', 'hello', '\u0000']) client.socket.send(text)
    await arrived(client, 7)
    const echo = { type: 'echo', message: 'Message received' }
    const error = { type: 'error', message: 'Invalid JSON' }
    expect(client.texts.map((text) => JSON.parse(text))).toEqual([
      echo,
      echo,
      echo,
      error,
      error,
      error,
      error,
    ])
  })
})

describe('/api/v1/live', () => {
  test('begins with a snapshot; then each commit is one delta', async () => {
    await start()
    await hub.push([power(1), power(2), power(7, 'fan')])
    const client = await open('/api/v1/live/')
    await arrived(client, 1)
    await hub.push([power(3)])
    await hub.push([power(4)])
    await arrived(client, 3)
    expect(messages(client).map(({ type }) => type)).toEqual(['snapshot', 'delta', 'delta'])
    expect(valuesOf(client)).toEqual([7, 2, 3, 4])
  })

  test('shows each reading of a turn that is on its way once: in the snapshot or in the delta', async () => {
    const gate = createGatedReadings()
    await start({ readings: gate.readings })
    await hub.push([power(1)])
    gate.shut()
    const pushed = hub.push([power(2), power(3), power(9, 'fan')])
    // the turn is taken when the window shows it
    await expect.poll(() => hub.engine.latest().length).toBe(2)
    const client = await open('/api/v1/live')
    await arrived(client, 1)
    gate.open()
    await pushed
    await hub.push([power(4), power(9, 'fan')])
    await arrived(client, 3)
    const values = valuesOf(client)
    expect(values.filter((value) => value < 9)).toEqual([3, 2, 4])
    // sent again by its sensor, told again
    expect(values.filter((value) => value === 9)).toHaveLength(2)
  })

  test('misses nothing and doubles nothing while readings stream and clients come', async () => {
    await start()
    let sent = 0
    let stopped = false
    const stream = (async () => {
      while (!stopped) {
        sent += 3
        await hub.push([power(sent - 2), power(sent - 1), power(sent)])
        await new Promise((resolve) => setImmediate(resolve))
      }
    })()
    const clients: Client[] = []
    for (let count = 0; count < 8; count++) clients.push(await open('/api/v1/live'))
    const last = sent
    await expect.poll(() => sent).toBeGreaterThan(last + 30)
    stopped = true
    await stream
    for (const client of clients) {
      await expect.poll(() => valuesOf(client).includes(sent), { timeout: 10_000 }).toBe(true)
      const values = valuesOf(client)
      const first = values[0] ?? 0
      // of a turn on its way the snapshot shows the newest, the delta the others
      const after = values.filter((value) => value >= first)
      expect(after).toEqual(Array.from({ length: sent - first + 1 }, (_, index) => first + index))
      expect(new Set(values).size).toBe(values.length)
    }
  })

  test('tells predictions, forecasts, alerts, incidents and the end of a site, to each key of its own sites only', async () => {
    const two = await startTwoSites()
    hub = two
    port = await hub.listen()
    const [alpha, all, narrowed] = [
      await open('/api/v1/live', { secret: await hub.key('viewer', ['alpha']) }),
      await open('/api/v1/live', { secret: await hub.key('viewer') }),
      await open('/api/v1/live?site=alpha', { secret: await hub.key('viewer') }),
    ]
    const raw = await open('/ws/sensors', { secret: await hub.key('viewer', ['alpha']) })
    await two.clock.advance(3_600_000)
    for (const [site, name] of [
      ['alpha', 'alpha'],
      ['beta', `beta-${mark}`],
    ] as const) {
      await hub.push([
        {
          site,
          device: `${name}-meter`,
          metric: 'energy_total',
          unit: 'kWh',
          at: two.clock.now(),
          value: 121,
        },
        { site, device: `${name}-air`, metric: 'co2', at: two.clock.now(), value: 400 },
        { site, device: `${name}-air`, metric: 'co2', at: two.clock.now(), value: 'no number' },
      ])
    }
    await two.clock.advance(6000)
    for (const client of [alpha, narrowed, all]) {
      await expect
        .poll(() => messages(client).map(({ type }) => type), { timeout: 10_000 })
        .toContain('forecasts')
    }
    await hub.engine.removeSite('beta')
    await hub.engine.removeSite('alpha')
    for (const client of [alpha, narrowed, all]) {
      await expect
        .poll(() => client.texts.at(-1), { timeout: 10_000 })
        .toContain('"site_removed","site":"alpha"')
      const types = new Set(messages(client).map(({ type }) => type))
      expect([...types].sort()).toEqual([
        'alerts',
        'delta',
        'forecasts',
        'incidents',
        'predictions',
        'site_removed',
        'snapshot',
      ])
    }
    expect(all.texts.join('')).toContain(mark)
    for (const client of [alpha, narrowed, raw]) expect(client.texts.join('')).not.toMatch(/beta|7f3a/)
    expect(raw.texts.length).toBeGreaterThan(0)
  })
})

describe('who may listen', () => {
  const paths = ['/api/v1/live', '/ws/sensors']

  test.each(paths)('%s: pages from elsewhere and bent names may not', async (path) => {
    await start()
    for (const way of [
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { origin: `http://localhost:${port}` },
      { host: 'evil.example' },
    ]) {
      await expect(open(path, way)).rejects.toThrow('403')
    }
    // a refused one leaves nothing behind
    await expect.poll(connections).toBe(0)
    expect((await open(path, { origin: `http://127.0.0.1:${port}` })).socket.readyState).toBe(WebSocket.OPEN)
  })

  test.each(paths)(
    '%s: where a key is needed, it comes as a subprotocol, and its sites count',
    async (path) => {
      await start({ open: false })
      await hub.push([power(1)])
      const refusals = [
        {},
        { secret: 'hs_000000000000_x' },
        { secret: await hub.key('admin', ['other']), path: '?site=home' },
      ]
      for (const { path: query = '', ...way } of refusals) {
        const client = await open(path + query, way)
        expect(await client.closed).toMatchObject({ code: 1008 })
        expect(client.texts).toEqual([])
      }
      const client = await open(path, { secret: await hub.key('viewer', ['home']) })
      await hub.push([power(2)])
      await expect.poll(() => client.texts.join('')).toContain('"value":2')
    },
  )

  test.each(paths)('%s: with a key that is revoked it ends', async (path) => {
    await start({ open: false })
    const secret = await hub.key('viewer')
    const client = await open(path, { secret })
    await hub.push([power(1)])
    await expect.poll(() => client.texts.join('')).toContain('"value":1')
    const id = secret.split('_')[1]
    const asked = { method: 'DELETE', url: `/api/v1/keys/${id}` } as const
    expect((await hub.ask({ ...asked, secret: await hub.key('admin') })).statusCode).toBe(200)
    await hub.push([power(2)])
    expect(await client.closed).toEqual({ code: 1008, reason: 'the API key was revoked' })
    expect(client.texts.join('')).not.toContain('"value":2')
  })

  test('no more than the limit, over both channels; who leaves makes room', async () => {
    await start({ limits: { liveClients: 2 } })
    const [first] = [await open('/api/v1/live'), await open('/ws/sensors')]
    for (const path of paths) expect(await (await open(path)).closed).toMatchObject({ code: 1013 })
    first.socket.close()
    await first.closed
    await hub.push([power(1)])
    const next = await open('/api/v1/live')
    await arrived(next, 1)
    expect(next.socket.readyState).toBe(WebSocket.OPEN)
  })
})

describe('a client that does not read', () => {
  const limits = { clientBufferBytes: 64 * 1024 }
  const big = (step: number) =>
    Array.from({ length: 500 }, (_, index) => ({ ...power(step, `sensor-${index}`), room: 'x'.repeat(90) }))

  test.each(['/api/v1/live', '/ws/sensors'])('%s: is cut, and the others get everything', async (path) => {
    await start({ limits })
    const reader = await open(path)
    const deaf = await rawClient(path)
    await expect.poll(() => hub.engine.feed.size).toBe(1)
    let step = 0
    // kernel buffers take some megabytes before the hub's own fill
    while (!deaf.gone() && step < 400) {
      await hub.push(big(++step))
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(deaf.gone()).toBe(true)
    await hub.push([power(step + 1, 'last')])
    await expect.poll(() => reader.texts.at(-1), { timeout: 20_000 }).toContain('"last"')
    const frames = reader.texts.join('').match(/"value":/g)?.length ?? 0
    expect(frames).toBe(step * 500 + 1)
  })

  test('is cut, too, where it floods the hub with messages that want an answer', async () => {
    await start({ limits })
    const deaf = await rawClient('/ws/sensors')
    // a masked text frame "1", many times over
    const frames = Buffer.concat(Array(20_000).fill(Buffer.from([0x81, 0x81, 0, 0, 0, 0, 0x31])))
    let written = 0
    while (!deaf.gone() && written < 2000) {
      deaf.socket.write(frames)
      written++
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(deaf.gone()).toBe(true)
  })

  test('does not hold up the stop of the hub', async () => {
    await start()
    const reader = await open('/api/v1/live')
    await rawClient('/api/v1/live')
    await hub.server.close()
    expect(await reader.closed).toEqual({ code: 1001, reason: 'the hub stops' })
  })

  test('gets a snapshot that is larger than the buffer, and what follows', async () => {
    await start({ limits: { clientBufferBytes: 1024 } })
    await hub.push(big(1))
    const client = await open('/api/v1/live')
    await hub.push([power(2)])
    await arrived(client, 2)
    expect(messages(client).map(({ type }) => type)).toEqual(['snapshot', 'delta'])
  })
})

/** Opens a WebSocket by hand and reads nothing after the handshake. `gone` once the hub has cut it. */
async function rawClient(path: string): Promise<{ readonly socket: Socket; gone(): boolean }> {
  const socket = connect({ port, host: '127.0.0.1' })
  sockets.push(socket)
  let gone = false
  socket.on('error', () => undefined)
  const handshake = [
    `GET ${path} HTTP/1.1`,
    `Host: 127.0.0.1:${port}`,
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    '\r\n',
  ]
  socket.write(handshake.join('\r\n'))
  await new Promise<void>((resolve) => socket.once('readable', resolve))
  socket.pause()
  const open = await connections()
  const watch = async (): Promise<void> => {
    while (!gone) {
      gone = (await connections()) < open
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }
  watch().catch(() => undefined)
  return { socket, gone: () => gone }
}

/** Connections that the hub holds; a client that does not read does not notice its own end. */
const connections = (): Promise<number> =>
  new Promise((resolve, reject) =>
    hub.server.server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
  )
