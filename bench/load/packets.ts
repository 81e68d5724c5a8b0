import { type Layout, messageOf } from './spec.ts'
import type { Stamp } from './stamp.ts'

/** MQTT 3.1.1 (OASIS standard, 2014) packets as bytes, no more than a load needs. */

/** Encoded PUBLISH packets of one client, one behind the other; `starts` has one entry more than there are packets. */
export interface Packets {
  readonly bytes: Buffer
  readonly starts: Int32Array
  /** Where the packet identifier stands; -1 at QoS 0. */
  readonly ids: Int32Array
  /** Where the 24 characters of the time stand; -1 in a malformed one that has none. */
  readonly stamps: Int32Array
}

const marker = '0000-00-00T00:00:00.000Z'

export function encodePackets(layout: Layout, client: number, qos: 0 | 1, badEvery: number): Packets {
  const count = layout.prepared
  const [starts, ids, stamps] = [new Int32Array(count + 1), new Int32Array(count), new Int32Array(count)]
  const parts: Buffer[] = []
  let length = 0
  for (let k = 0; k < count; k++) {
    const { metric, room, device, value, unit } = messageOf(layout, client, k)
    const topic = Buffer.from(`HyperVolt/sensors/${room}/${metric}`)
    const good = `{"sensor_type":"${metric}","sensor_id":"${device}","value":${value},"unit":"${unit}","location":"${room}","timestamp":"${marker}"}`
    const payload = isBad(k, badEvery) ? malformed(k, device) : good
    const packet = publish(topic, Buffer.from(payload), qos)
    const stamp = payload.indexOf(marker)
    starts[k] = length
    ids[k] = qos === 0 ? -1 : length + packet.length - payload.length - 2
    stamps[k] = stamp < 0 ? -1 : length + packet.length - payload.length + stamp
    parts.push(packet)
    length += packet.length
  }
  starts[count] = length
  return { bytes: Buffer.concat(parts, length), starts, ids, stamps }
}

/** Whether message k of a client is one of the malformed. */
export const isBad = (k: number, badEvery: number): boolean => badEvery > 0 && k % badEvery === badEvery - 1

/** What sends nonsense in the field: cut text, no value, a word for a number, a time of another world, an array. */
function malformed(k: number, device: string): string {
  const kinds = [
    `{"sensor_type":"temperature","sensor_id":"${device}","val`,
    `{"sensor_type":"temperature","sensor_id":"${device}","unit":"degC"}`,
    `{"sensor_type":"temperature","sensor_id":"${device}","value":"NaN"}`,
    `{"sensor_type":"temperature","sensor_id":"${device}","value":21.5,"timestamp":"yesterday"}`,
    `[${k},${k + 1}]`,
    '\u0000\u0001\u0002 not text',
  ]
  return kinds[k % kinds.length]!
}

/**
 * Copies packets k..k+n of the client (n at most to the end of the prepared ones) into a buffer of their own,
 * with their identifiers (k mod 65,535 + 1) and times.
 */
export function fill(packets: Packets, layout: Layout, k: number, n: number, stamp: Stamp): Buffer {
  const first = k % layout.prepared
  const start = packets.starts[first]!
  const block = Buffer.allocUnsafe(packets.starts[first + n]! - start)
  packets.bytes.copy(block, 0, start)
  for (let i = 0; i < n; i++) {
    const id = packets.ids[first + i]!
    if (id >= 0) {
      const identifier = ((k + i) % 65_535) + 1
      block[id - start] = identifier >> 8
      block[id - start + 1] = identifier & 255
    }
    const at = packets.stamps[first + i]!
    if (at >= 0) stamp.iso(block, at - start, layout.baseAt + k + i)
  }
  return block
}

export function connectPacket(clientId: string): Buffer {
  const id = Buffer.from(clientId)
  // protocol level 4, clean session, no keep alive
  const body = [0, 4, 77, 81, 84, 84, 4, 2, 0, 0, id.length >> 8, id.length & 255]
  return Buffer.concat([Buffer.from([0x10, ...remaining(body.length + id.length), ...body]), id])
}

/** Subscribes with QoS 0. */
export function subscribePacket(filter: string): Buffer {
  const topic = Buffer.from(filter)
  const head = [0x82, ...remaining(topic.length + 5), 0, 1, topic.length >> 8, topic.length & 255]
  return Buffer.concat([Buffer.from(head), topic, Buffer.alloc(1)])
}

/** The whole packets at the beginning of a stream, and what is left of it. */
export function splitPackets(stream: Buffer): { readonly packets: Buffer[]; readonly rest: Buffer } {
  const packets: Buffer[] = []
  let from = 0
  for (;;) {
    let [length, place, shift] = [0, from + 1, 0]
    for (; place < stream.length && stream[place]! >= 128; place++, shift += 7) {
      length |= (stream[place]! & 127) << shift
    }
    if (place >= stream.length) break
    const end = place + 1 + (length | (stream[place]! << shift))
    if (end > stream.length) break
    packets.push(stream.subarray(from, end))
    from = end
  }
  return { packets, rest: stream.subarray(from) }
}

export const disconnectPacket = Buffer.from([0xe0, 0])

export function publish(topic: Buffer, payload: Buffer, qos: 0 | 1): Buffer {
  const length = 2 + topic.length + (qos === 0 ? 0 : 2) + payload.length
  const head = [0x30 | (qos << 1), ...remaining(length), topic.length >> 8, topic.length & 255]
  return Buffer.concat([Buffer.from(head), topic, Buffer.alloc(qos === 0 ? 0 : 2), payload])
}

function remaining(length: number): number[] {
  const bytes: number[] = []
  let rest = length
  do {
    const low = rest % 128
    rest = Math.floor(rest / 128)
    bytes.push(rest > 0 ? low | 128 : low)
  } while (rest > 0)
  return bytes
}
