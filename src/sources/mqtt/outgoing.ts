import { Readable } from 'node:stream'

/** A message on its way to a client: a PUBLISH, or the PUBREL that took its place. */
export interface OutgoingPacket {
  readonly cmd: string
  readonly brokerId?: string
  readonly brokerCounter?: number
  readonly topic?: string
  readonly payload?: Uint8Array | string
  messageId?: number | undefined
}

interface ClientId {
  readonly id: string
}

export interface OutgoingLimits {
  /** Messages of one session. */
  readonly messages: number
  /** Bytes of all sessions. One session takes at most a quarter of them. */
  readonly bytes: number
}

/** What a packet takes beside its topic and payload. */
const overheadBytes = 512

interface Entry {
  readonly key: string
  packet: OutgoingPacket
  readonly bytes: number
  /** It was sent before: a copy is marked as such (MQTT 3.1.1, section 3.3.1.1). */
  isSent: boolean
}

/** The messages of one session, in order, and found by the identifier that they were sent with. */
class Queue {
  readonly entries = new Map<string, Entry>()
  readonly byMessageId = new Map<number, Entry>()
  bytes = 0
}

/**
 * The messages that sessions keep until their clients have acknowledged them: the part of Aedes' store that is done anew
 * here. That one mixes up the PUBREL of several messages, so that a session with QoS 2 loses some and gets others twice,
 * and has no limits. Here what does not fit is not kept, and counted.
 */
export class Outgoing {
  readonly #limits: OutgoingLimits
  readonly #queues = new Map<string, Queue>()
  #bytes = 0
  /** Messages that were not kept for a session because its queue, or all of them together, are full. */
  dropped = 0

  constructor(limits: OutgoingLimits) {
    this.#limits = limits
  }

  get bytes(): number {
    return this.#bytes
  }

  enqueue(clientId: string, packet: OutgoingPacket): void {
    const { messages, bytes: bytesMax } = this.#limits
    const bytes = (packet.payload?.length ?? 0) + (packet.topic?.length ?? 0) + overheadBytes
    const queue = this.#queues.get(clientId) ?? new Queue()
    if (
      queue.entries.size >= messages ||
      this.#bytes + bytes > bytesMax ||
      queue.bytes + bytes > bytesMax / 4
    ) {
      this.dropped++
      return
    }
    this.#queues.set(clientId, queue)
    const key = keyOf(packet)
    queue.entries.set(key, { key, packet: { ...packet, messageId: undefined }, bytes, isSent: false })
    queue.bytes += bytes
    this.#bytes += bytes
  }

  /**
   * A message is about to be sent, or its PUBREL is. Throws where the session does not keep the message. A message gets
   * another identifier where one of an earlier connection has it still.
   */
  update({ id }: ClientId, packet: OutgoingPacket): void {
    const queue = this.#queues.get(id)
    if (packet.cmd === 'pubrel') {
      const entry = queue?.byMessageId.get(packet.messageId ?? 0)
      // without one it is a PUBREC that came again: it is answered again
      if (entry) entry.packet = { cmd: 'pubrel', messageId: packet.messageId }
      return
    }
    const entry = queue?.entries.get(keyOf(packet))
    if (!queue || !entry) throw new Error('The session does not keep this message.')
    let messageId = packet.messageId ?? 1
    while ((queue.byMessageId.get(messageId) ?? entry) !== entry) messageId = (messageId % 65_535) + 1
    packet.messageId = messageId
    entry.packet.messageId = messageId
    entry.isSent = true
    queue.byMessageId.set(messageId, entry)
  }

  /** The client has the message. Returns it; undefined where there is none. */
  clear({ id }: ClientId, { messageId }: OutgoingPacket): OutgoingPacket | undefined {
    const queue = this.#queues.get(id)
    const entry = queue?.byMessageId.get(messageId ?? 0)
    if (!queue || !entry) return undefined
    queue.byMessageId.delete(messageId ?? 0)
    queue.entries.delete(entry.key)
    queue.bytes -= entry.bytes
    this.#bytes -= entry.bytes
    if (queue.entries.size === 0) this.#queues.delete(id)
    return entry.packet
  }

  /** What the session keeps now, oldest first. */
  stream({ id }: ClientId): Readable {
    const entries = [...(this.#queues.get(id)?.entries.values() ?? [])]
    return Readable.from(
      entries.map(({ packet, isSent }) => (packet.cmd === 'publish' ? { ...packet, dup: isSent } : packet)),
    )
  }

  /** The session has ended. */
  drop(clientId: string): void {
    this.#bytes -= this.#queues.get(clientId)?.bytes ?? 0
    this.#queues.delete(clientId)
  }
}

const keyOf = ({ brokerId = '', brokerCounter = 0 }: OutgoingPacket): string => `${brokerId} ${brokerCounter}`

/** The bytes of the retained messages of all topics, against their limit. */
export class RetainedBytes {
  readonly #limit: number
  readonly #byTopic = new Map<string, number>()
  #bytes = 0
  /** Messages that were not retained because there was no room. */
  dropped = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Whether there is room for the message in place of the one that the topic has. */
  take({ topic = '', payload = '' }: OutgoingPacket): boolean {
    this.#bytes -= this.#byTopic.get(topic) ?? 0
    this.#byTopic.delete(topic)
    if (payload.length === 0) return true
    const bytes = payload.length + topic.length + overheadBytes
    if (this.#bytes + bytes > this.#limit) {
      this.dropped++
      return false
    }
    this.#byTopic.set(topic, bytes)
    this.#bytes += bytes
    return true
  }
}
