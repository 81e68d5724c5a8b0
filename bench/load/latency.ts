import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import WebSocket from 'ws'
import { quantile } from '../report.ts'
import { cpuSecondsSince, serveLoad, wallNow } from './child.ts'
import { connectPacket, encodePackets, fill, splitPackets, subscribePacket } from './packets.ts'
import type { LatencyLoad, LoadResult } from './spec.ts'
import { Stamp } from './stamp.ts'

/** Publishes and listens in one process, so that one clock sees both ends. The first second warms up, uncounted. */
export async function loadLatency(load: LatencyLoad): Promise<LoadResult> {
  const count = load.perSecond * load.seconds
  const sentAt = new Float64Array(count)
  const latencies = new Float64Array(count).fill(Number.NaN)
  const seen = (frame: Buffer): void => {
    const k = placeOf(frame, load.baseAt)
    if (k >= 0 && k < count) latencies[k] = performance.now() - sentAt[k]!
  }
  const stop = await (load.wsUrl === undefined ? subscribe(load.port, seen) : listen(load.wsUrl, seen))
  const publisher = await connectClient(load.port, 'publisher')
  try {
    const startedAt = wallNow()
    const [start, cpu] = [performance.now(), process.cpuUsage()]
    await publish(load, count, sentAt, (block) => publisher.write(block))
    const seconds = (performance.now() - start) / 1000
    // frames under way
    await sleep(2000)
    const counted = latencies.subarray(load.perSecond)
    const came = counted.filter((ms) => !Number.isNaN(ms))
    return {
      sent: counted.length,
      acknowledged: came.length,
      seconds,
      rate: count / seconds,
      startedAt,
      p50Ms: quantile(came, 0.5),
      p99Ms: quantile(came, 0.99),
      statuses: {},
      complaint: came.length < counted.length ? `${counted.length - came.length} frames never came` : '',
      cpuSeconds: cpuSecondsSince(cpu),
      cut: came.length < counted.length,
    }
  } finally {
    publisher.destroy()
    stop()
  }
}

/** QoS 0, as sensors send; a steady rate in steps of about a millisecond. */
async function publish(
  load: LatencyLoad,
  count: number,
  sentAt: Float64Array,
  write: (block: Buffer) => void,
): Promise<void> {
  const packets = encodePackets(load, 0, 0, 0)
  const stamp = new Stamp()
  const start = performance.now()
  let k = 0
  while (k < count) {
    const due = Math.min(count, Math.floor(((performance.now() - start) / 1000) * load.perSecond))
    while (k < due) {
      const n = Math.min(due - k, load.prepared - (k % load.prepared))
      sentAt.fill(performance.now(), k, k + n)
      write(fill(packets, load, k, n, stamp))
      k += n
    }
    await sleep(1)
  }
}

const stampKey = '"timestamp":"'

/** Number of the reading that a frame or message in the HyperVolt form carries; NaN where it carries none. */
function placeOf(frame: Buffer, baseAt: number): number {
  const from = frame.indexOf(stampKey)
  if (from < 0) return Number.NaN
  const start = from + stampKey.length
  return Date.parse(frame.toString('latin1', start, start + 24)) - baseAt
}

async function listen(url: string, seen: (frame: Buffer) => void): Promise<() => void> {
  const listener = new WebSocket(url)
  listener.on('message', (data) => {
    if (Buffer.isBuffer(data)) seen(data)
  })
  await new Promise((resolve, reject) => listener.once('open', resolve).once('error', reject))
  return () => listener.terminate()
}

async function subscribe(port: number, seen: (frame: Buffer) => void): Promise<() => void> {
  const socket = await connectClient(port, 'subscriber')
  let rest: Buffer = Buffer.alloc(0)
  const subscribed = new Promise<void>((resolve) => {
    socket.on('data', (chunk) => {
      const split = splitPackets(rest.length === 0 ? chunk : Buffer.concat([rest, chunk]))
      rest = split.rest
      for (const packet of split.packets) {
        if (packet[0] === 0x90) resolve()
        else seen(packet)
      }
    })
  })
  socket.write(subscribePacket('HyperVolt/sensors/#'))
  await subscribed
  return () => socket.destroy()
}

function connectClient(port: number, name: string): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  return new Promise((resolve, reject) => {
    socket.once('error', reject)
    socket.write(connectPacket(`${name}-${process.pid}`))
    socket.once('data', () => {
      socket.off('error', reject)
      socket.on('error', () => socket.destroy())
      resolve(socket)
    })
  })
}

serveLoad('latency', loadLatency)
