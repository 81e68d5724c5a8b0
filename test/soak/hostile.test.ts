import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { generate, type Packet } from 'mqtt-packet'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { connectPacket, publishPacket } from '../mqtt/kit.ts'
import { type HubProcess, hubOrSkip, startHub } from '../servers/hub.ts'

/**
 * Many clients that take from a hub and give nothing back: its memory stays bounded, and it answers others meanwhile.
 * Runs with `npm run test:soak`, on the built program; `SOAK_CLIENTS` is how many clients.
 */
const clients = Number(process.env['SOAK_CLIENTS'] ?? 0)
const built = hubOrSkip()

const probeFile = fileURLToPath(new URL('probe.mjs', import.meta.url))

const growthMbMax = 100
const readyMsMax = 200

let hub: HubProcess
const sockets: Socket[] = []

describe.skipIf(clients === 0 || !built.available)(`hostile clients ${built.reason}`, () => {
  beforeEach(async () => {
    hub = await startHub()
  })
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy()
    await hub.stop()
  })

  it('WebSockets that do not read, at 20,000 series: memory and answers stay bounded', async () => {
    const series = 20_000
    const push = async (from: number, count: number): Promise<void> => {
      const at = Date.now()
      const readings = Array.from({ length: count }, (_, index) => ({
        ...{ device: `sensor-${from + index}`, metric: 'humidity', room: `room-${index}` },
        ...{ value: 40 + (at % 20), at },
      }))
      const headers = { 'content-type': 'application/json' }
      const body = JSON.stringify({ readings })
      const answer = await fetch(`${hub.url}/api/v1/readings`, { method: 'POST', headers, body })
      expect(answer.status).toBe(200)
    }
    for (let round = 0; round < 3; round++) {
      for (let from = 0; from < series; from += 5000) await push(from, 5000)
    }
    await measured('websockets', async () => {
      for (let count = 0; count < clients; count++) await deafWebSocket('/api/v1/live')
      for (let round = 0; round < 40; round++) {
        await push((round * 2500) % series, 2500)
        await pause(100)
      }
    })
  }, 300_000)

  it('MQTT subscribers that do not read: memory and answers stay bounded', async () => {
    const publisher = await mqttClient('publisher')
    await measured('mqtt subscribers', async () => {
      for (let count = 0; count < clients; count++) {
        const deaf = await mqttClient(`deaf-${count}`)
        send(deaf, subscribePacket('soak/#', 0))
        await once(deaf, 'data')
        deaf.pause()
      }
      await publish(publisher, 2000, (index) => publishPacket(`soak/${index % 50}`, Buffer.alloc(8192, 120)))
    })
  }, 300_000)

  it('idle sessions with large retained messages and queues: memory and answers stay bounded', async () => {
    const publisher = await mqttClient('publisher')
    await measured('idle sessions', async () => {
      for (let count = 0; count < clients; count++) {
        const idle = await mqttClient(`idle-${count}`, { clean: false })
        send(idle, subscribePacket('soak/#', 1))
        await once(idle, 'data')
        idle.end()
      }
      await publish(publisher, 1000, (index) => ({
        ...publishPacket(`soak/kept/${index}`, Buffer.alloc(60_000, 120)),
        retain: true,
      }))
      await publish(publisher, 3000, (index) =>
        publishPacket(`soak/queue/${index % 50}`, Buffer.alloc(8192, 120), 1, 1 + index),
      )
    })
  }, 300_000)
})

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/**
 * Works while the hub is watched; fails where its memory grows too much or it leaves others waiting. How long it leaves
 * them waiting without the clients is what else this machine does, and is allowed for.
 */
async function measured(name: string, work: () => Promise<void>): Promise<void> {
  const quiet = await watched(() => pause(5000))
  const { beforeMb, mostMb, readyMs } = await watched(async () => {
    await work()
    await pause(3000)
  })
  const figures = { clients, beforeMb, growthMb: mostMb - beforeMb, readyMs, quietMs: quiet.readyMs }
  process.stdout.write(`${name} ${JSON.stringify(figures, (_, value) => rounded(value))}\n`)
  expect(figures.growthMb).toBeLessThanOrEqual(growthMbMax)
  expect(readyMs).toBeLessThanOrEqual(readyMsMax + quiet.readyMs)
}

/** The most memory, and the slowest answer of `/readyz`, while `work` runs. */
async function watched(
  work: () => Promise<void>,
): Promise<{ readonly beforeMb: number; readonly mostMb: number; readonly readyMs: number }> {
  const beforeMb = hub.memory().now
  let [mostMb, isDone] = [beforeMb, false]
  const probe = spawn(process.execPath, [probeFile, hub.url], { stdio: ['ignore', 'pipe', 'inherit'] })
  const answered = text(probe.stdout)
  const watch = async (): Promise<void> => {
    while (!isDone) {
      mostMb = Math.max(mostMb, hub.memory().now)
      await pause(50)
    }
  }
  const watching = watch()
  try {
    await work()
  } finally {
    isDone = true
    probe.kill()
    await watching
  }
  const slowest = await answered
  if (slowest === '') throw new Error('the probe ended without a figure')
  return { beforeMb, mostMb, readyMs: Number(slowest) }
}

const rounded = (value: unknown): unknown => (typeof value === 'number' ? Math.round(value) : value)

async function opened(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1' })
  socket.on('error', () => undefined)
  sockets.push(socket)
  await once(socket, 'connect')
  return socket
}

/** Takes the handshake and reads nothing more. */
async function deafWebSocket(path: string): Promise<void> {
  const socket = await opened(hub.port)
  const handshake = [
    ...[`GET ${path} HTTP/1.1`, `Host: 127.0.0.1:${hub.port}`, 'Connection: Upgrade', 'Upgrade: websocket'],
    ...['Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', '\r\n'],
  ]
  socket.write(handshake.join('\r\n'))
  await once(socket, 'readable')
  socket.pause()
}

const send = (socket: Socket, packet: Packet): boolean => socket.write(generate(packet))

async function mqttClient(id: string, more: object = {}): Promise<Socket> {
  const socket = await opened(hub.mqttPort)
  send(socket, connectPacket(id, more))
  await once(socket, 'data')
  return socket
}

const subscribePacket = (topic: string, qos: 0 | 1): Packet => ({
  cmd: 'subscribe',
  messageId: 1,
  subscriptions: [{ topic, qos }],
})

/** As fast as the broker reads. */
async function publish(socket: Socket, count: number, packet: (index: number) => Packet): Promise<void> {
  socket.resume()
  for (let index = 0; index < count; index++) {
    if (!send(socket, packet(index))) await once(socket, 'drain')
    if (socket.destroyed) throw new Error('the hub cut its publisher')
  }
  await pause(1000)
}
