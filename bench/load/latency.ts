import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import WebSocket from 'ws'
import { quantile } from '../report.ts'
import { cpuSecondsSince, serveLoad, wallNow } from './child.ts'
import { connectPacket, encodePackets, fill } from './packets.ts'
import type { LatencyLoad, LoadResult } from './spec.ts'
import { Stamp } from './stamp.ts'

/** Publishes and listens in one process, so that one clock sees both ends. The first second warms up, uncounted. */
export async function loadLatency(load: LatencyLoad): Promise<LoadResult> {
  const count = load.perSecond * load.seconds
  const sentAt = new Float64Array(count)
  const latencies = new Float64Array(count).fill(Number.NaN)
  const listener = new WebSocket(load.wsUrl)
  listener.on('message', (data) => {
    const now = performance.now()
    const k = placeOf(String(data), load.baseAt)
    if (k >= 0 && k < count) latencies[k] = now - sentAt[k]!
  })
  await new Promise((resolve, reject) => listener.once('open', resolve).once('error', reject))
  const publisher = await connectPublisher(load.port)
  try {
    const startedAt = wallNow()
    const [start, cpu] = [performance.now(), process.cpuUsage()]
    await publish(load, count, sentAt, (block) => publisher.write(block))
    const seconds = (performance.now() - start) / 1000
    // frames under way
    await sleep(2000)
    const counted = latencies.subarray(load.perSecond)
    const seen = counted.filter((ms) => !Number.isNaN(ms))
    return {
      sent: counted.length,
      acknowledged: seen.length,
      seconds,
      rate: count / seconds,
      startedAt,
      p50Ms: quantile(seen, 0.5),
      p99Ms: quantile(seen, 0.99),
      statuses: {},
      complaint: seen.length < counted.length ? `${counted.length - seen.length} frames never came` : '',
      cpuSeconds: cpuSecondsSince(cpu),
      cut: seen.length < counted.length,
    }
  } finally {
    publisher.destroy()
    listener.terminate()
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

/** Number of the reading that a frame in the HyperVolt form carries. */
function placeOf(frame: string, baseAt: number): number {
  const { data } = JSON.parse(frame)
  return Date.parse(data?.timestamp) - baseAt
}

function connectPublisher(port: number) {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  return new Promise<typeof socket>((resolve, reject) => {
    socket.once('error', reject)
    socket.write(connectPacket(`latency-${process.pid}`))
    socket.once('data', () => {
      socket.off('error', reject)
      socket.on('error', () => socket.destroy())
      resolve(socket)
    })
  })
}

serveLoad('latency', loadLatency)
