import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { quantile } from '../report.ts'
import { cpuSecondsSince, serveLoad, wallNow } from './child.ts'
import { connectPacket, encodePackets, fill, splitPackets } from './packets.ts'
import type { LoadResult, SteadyMqttLoad } from './spec.ts'
import { Stamp } from './stamp.ts'

/**
 * Publishes at QoS 1 at a steady rate and times each message from the moment when it was due to its PUBACK, as
 * `loadSteady` does over HTTP. The first second warms up: acknowledged, but not timed.
 */
export async function loadSteadyMqtt(load: SteadyMqttLoad): Promise<LoadResult> {
  const count = Math.round(load.perSecond * load.seconds)
  // else an identifier would stand for two messages
  if (count > 65_535) throw new Error(`at most 65,535 messages; ${count} were asked for`)
  const socket = await connectTo(load.port)
  const [startedAt, start, cpu] = [wallNow(), performance.now(), process.cpuUsage()]
  const latencies = new Float64Array(count).fill(Number.NaN)
  let acknowledged = 0
  const complaint = await new Promise<string>((resolve) => {
    setTimeout(resolve, load.maxSeconds * 1000, 'the time is up').unref()
    socket.on('error', (error) => resolve(error.message))
    socket.on('close', () => resolve('the broker closed the connection'))
    onAcknowledged(socket, (k) => {
      latencies[k] = performance.now() - (start + (k / load.perSecond) * 1000)
      if (++acknowledged === count) resolve('')
    })
    void publish(load, count, start, socket)
  })
  const seconds = (performance.now() - start) / 1000
  socket.destroy()
  const timed = latencies.subarray(load.perSecond).filter((ms) => !Number.isNaN(ms))
  return {
    ...{ sent: count, acknowledged, seconds, rate: acknowledged / seconds, startedAt, complaint },
    ...{ p50Ms: quantile(timed, 0.5), p99Ms: quantile(timed, 0.99), statuses: {} },
    ...{ cpuSeconds: cpuSecondsSince(cpu), cut: acknowledged < count },
  }
}

async function publish(load: SteadyMqttLoad, count: number, start: number, socket: Socket): Promise<void> {
  const packets = encodePackets(load, 0, 1, 0)
  const stamp = new Stamp()
  let sent = 0
  while (sent < count && !socket.destroyed) {
    const due = Math.min(count, Math.ceil(((performance.now() - start) / 1000) * load.perSecond))
    for (; sent < due; sent++) socket.write(fill(packets, load, sent, 1, stamp))
    await sleep(1)
  }
}

function connectTo(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  return new Promise((resolve, reject) => {
    socket.once('error', reject)
    socket.write(connectPacket(`steady-${process.pid}`))
    socket.once('data', (chunk) => {
      socket.off('error', reject)
      if (chunk[0] === 0x20 && chunk[3] === 0) resolve(socket)
      else reject(new Error(`the broker refused: CONNACK ${chunk.toString('hex')}`))
    })
  })
}

/** Calls with the number of each message whose PUBACK comes; its identifier is one more (see `fill`). */
function onAcknowledged(socket: Socket, acknowledge: (k: number) => void): void {
  let rest: Buffer = Buffer.alloc(0)
  socket.on('data', (chunk) => {
    const split = splitPackets(rest.length === 0 ? chunk : Buffer.concat([rest, chunk]))
    rest = split.rest
    for (const packet of split.packets) if (packet[0] === 0x40) acknowledge(packet.readUInt16BE(2) - 1)
  })
}

serveLoad('steady-mqtt', loadSteadyMqtt)
