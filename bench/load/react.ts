import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import WebSocket from 'ws'
import { quantile } from '../report.ts'
import { cpuSecondsSince, serveLoad, wallNow } from './child.ts'
import { connectPacket, encodePackets, fill, publish, splitPackets, subscribePacket } from './packets.ts'
import type { AlertTimes, LoadResult, ReactLoad } from './spec.ts'
import { Stamp } from './stamp.ts'

/** Identifiers from here on belong to the readings that raise and end alerts, the others to those beside them. */
const firstProbeId = 60_000
const probeIds = 5000
/** Alerts that are checked, but not timed: the first ones meet code that was never run. */
const warmUp = 50
const arrivalMs = 10_000

/** Publisher and listeners in one process, so that one clock sees both ends. */
export async function loadReact(load: ReactLoad): Promise<LoadResult> {
  const count = load.alerts + warmUp
  const seconds = count / load.alertsPerSecond
  const others = Math.round(load.perSecond * seconds)
  if (others >= firstProbeId)
    throw new Error(`at most ${firstProbeId} other readings; ${others} were asked for`)
  const sentAtMs = new Float64Array(count)
  const [overWebSocket, overMqtt] = [new Arrivals(load.baseAt, sentAtMs), new Arrivals(load.baseAt, sentAtMs)]
  const stops = [await listen(load.wsUrl, overWebSocket), await subscribe(load, overMqtt)]
  const publisher = await connectClient(load.port, 'publisher')
  const [startedAt, startMs, cpu] = [wallNow(), performance.now(), process.cpuUsage()]
  let acknowledged = 0
  onPackets(publisher, (packet) => {
    if (packet[0] === 0x40) acknowledged++
  })
  try {
    await publishAll(load, count, others, sentAtMs, publisher)
    const end = performance.now() + arrivalMs
    const isOpen = (): boolean =>
      acknowledged < count + others || overWebSocket.arrived < count || overMqtt.arrived < count
    while (isOpen() && performance.now() < end) await sleep(20)
    const took = (performance.now() - startMs) / 1000
    const alerts = { webSocket: overWebSocket.times(), mqtt: overMqtt.times() }
    return {
      ...{ sent: count + others, acknowledged, seconds: took, rate: acknowledged / took, startedAt, alerts },
      ...{ p50Ms: alerts.webSocket.p50Ms, p99Ms: alerts.webSocket.p99Ms, statuses: {} },
      complaint: isOpen() ? `${count + others - acknowledged} messages were not acknowledged` : '',
      cpuSeconds: cpuSecondsSince(cpu),
      cut: acknowledged < count + others,
    }
  } finally {
    publisher.destroy()
    for (const stop of stops) stop()
  }
}

/** When the alert of each probe arrived on one way out. */
class Arrivals {
  arrived = 0
  readonly #latencies: Float64Array
  readonly #baseAt: number
  readonly #sentAtMs: Float64Array
  #repeated = 0

  constructor(baseAt: number, sentAtMs: Float64Array) {
    this.#baseAt = baseAt
    this.#sentAtMs = sentAtMs
    this.#latencies = new Float64Array(sentAtMs.length).fill(Number.NaN)
  }

  /** An alert names the time of the reading that raised or ended it, and so its number. */
  take({ at }: { readonly at: number }): void {
    const k = at - this.#baseAt
    if (!(k in this.#latencies)) return
    if (Number.isNaN(this.#latencies[k])) {
      this.#latencies[k] = performance.now() - this.#sentAtMs[k]!
      this.arrived++
    } else this.#repeated++
  }

  times(): AlertTimes {
    const timed = this.#latencies.subarray(warmUp).filter((ms) => !Number.isNaN(ms))
    return {
      p50Ms: quantile(timed, 0.5),
      p99Ms: quantile(timed, 0.99),
      maxMs: quantile(timed, 1),
      missed: this.#latencies.length - this.arrived,
      repeated: this.#repeated,
    }
  }
}

/** Both kinds at their steady rates, in steps of about a millisecond. */
async function publishAll(
  load: ReactLoad,
  count: number,
  others: number,
  sentAtMs: Float64Array,
  publisher: Socket,
): Promise<void> {
  const packets = encodePackets(load, 0, 1, 0)
  const stamp = new Stamp()
  const start = performance.now()
  let [probes, rest] = [0, 0]
  while (probes < count || rest < others) {
    const seconds = (performance.now() - start) / 1000
    for (; rest < Math.min(others, Math.floor(seconds * load.perSecond)); rest++) {
      publisher.write(fill(packets, load, rest, 1, stamp))
    }
    for (; probes < Math.min(count, Math.floor(seconds * load.alertsPerSecond)); probes++) {
      const packet = probePacket(load, probes)
      sentAtMs[probes] = performance.now()
      publisher.write(packet)
    }
    await sleep(1)
  }
}

/** Readings above and below the limit in turn. */
function probePacket({ probe, baseAt }: ReactLoad, k: number): Buffer {
  const { device, metric, unit } = probe
  const message = {
    ...{ sensor_type: metric, sensor_id: device, value: k % 2 === 0 ? probe.high : probe.low, unit },
    ...{ location: 'hall', timestamp: new Date(baseAt + k).toISOString() },
  }
  const payload = Buffer.from(JSON.stringify(message))
  const packet = publish(Buffer.from(`HyperVolt/sensors/hall/${metric}`), payload, 1)
  packet.writeUInt16BE(firstProbeId + (k % probeIds), packet.length - payload.length - 2)
  return packet
}

const alertsFrame = Buffer.from('{"type":"alerts"')

/** The live channel also brings every reading; only frames with alerts are parsed. */
async function listen(url: string, arrivals: Arrivals): Promise<() => void> {
  const listener = new WebSocket(url)
  listener.on('message', (data) => {
    if (!Buffer.isBuffer(data) || !data.subarray(0, alertsFrame.length).equals(alertsFrame)) return
    // the hub's own frame
    const { alerts } = JSON.parse(data.toString()) as { alerts: { at: number }[] }
    for (const alert of alerts) arrivals.take(alert)
  })
  await new Promise((resolve, reject) => listener.once('open', resolve).once('error', reject))
  return () => listener.terminate()
}

async function subscribe({ port, alertTopic }: ReactLoad, arrivals: Arrivals): Promise<() => void> {
  const socket = await connectClient(port, 'subscriber')
  await new Promise<void>((resolve) => {
    onPackets(socket, (packet) => {
      if (packet[0] === 0x90) resolve()
      // the hub's own alert, after the topic
      else arrivals.take(JSON.parse(packet.toString('utf8', packet.indexOf('{'))) as { at: number })
    })
    socket.write(subscribePacket(alertTopic))
  })
  return () => socket.destroy()
}

function onPackets(socket: Socket, take: (packet: Buffer) => void): void {
  let rest: Buffer = Buffer.alloc(0)
  socket.on('data', (chunk) => {
    const split = splitPackets(rest.length === 0 ? chunk : Buffer.concat([rest, chunk]))
    rest = split.rest
    for (const packet of split.packets) take(packet)
  })
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

serveLoad('react', loadReact)
