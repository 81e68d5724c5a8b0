import type { Readable } from 'node:stream'
import { Aedes, type AedesOptions, type AedesPublishPacket, type PublishPacket } from 'aedes'
import { Outgoing, type OutgoingPacket, RetainedBytes } from './outgoing.ts'

type Deliver = (packet: AedesPublishPacket, done: () => void) => void

interface ClientId {
  readonly id: string
}

/** The part of Aedes' store that is replaced or bounded here. Its types leave it out. */
interface Persistence {
  addSubscriptions(client: ClientId, subscriptions: readonly { readonly topic: string }[]): Promise<void>
  cleanSubscriptions(client: ClientId): Promise<void>
  cleanIncoming(client: ClientId): Promise<void>
  delWill(client: ClientId): Promise<unknown>
  storeRetained(packet: OutgoingPacket): Promise<void>
  outgoingEnqueue(session: { readonly clientId: string }, packet: OutgoingPacket): Promise<void>
  outgoingEnqueueCombi(
    sessions: readonly { readonly clientId: string }[],
    packet: OutgoingPacket,
  ): Promise<void>
  outgoingUpdate(client: ClientId, packet: OutgoingPacket): Promise<void>
  outgoingClearMessageId(client: ClientId, packet: OutgoingPacket): Promise<OutgoingPacket | undefined>
  outgoingStream(client: ClientId): Readable
}

export interface StoreLimits {
  /** Messages that one session keeps. */
  readonly sessionMessages: number
  /** Bytes that all sessions keep. */
  readonly sessionBytes: number
  /** Bytes of all retained messages. */
  readonly retainedBytes: number
}

/**
 * Aedes, in which a publisher does not wait for subscribers. By itself it ends a PUBLISH when the slowest subscriber
 * of the topic has drained its socket, and lets at most 100 PUBLISH wait like that: one subscriber that sleeps then
 * stops every publisher until it is cut. Here a delivery is begun and not waited for; `authorizeForward` sees how
 * much waits for a subscriber and cuts those that do not read. What sessions and topics keep has limits, in bytes.
 */
export class FreeAedes extends Aedes {
  readonly #eager = new WeakMap<Deliver, Deliver>()
  readonly #unheard = new WeakSet<object>()
  /** Clients that are about to be read on. */
  readonly #readOn = new Set<object>()
  readonly outgoing: Outgoing
  readonly retained: RetainedBytes
  readonly #mayHear: (client: ClientId, filter: string) => boolean
  declare readonly persistence: Persistence

  /** `mayHear`: whether a client may subscribe to a filter; a session keeps no others. */
  constructor(
    options: AedesOptions,
    { sessionMessages, sessionBytes, retainedBytes }: StoreLimits,
    mayHear: (client: ClientId, filter: string) => boolean,
  ) {
    super(options)
    this.outgoing = new Outgoing({ messages: sessionMessages, bytes: sessionBytes })
    this.retained = new RetainedBytes(retainedBytes)
    this.#mayHear = mayHear
  }

  override async listen(): Promise<void> {
    await super.listen()
    const { persistence, outgoing, retained } = this
    const addSubscriptions = persistence.addSubscriptions.bind(persistence)
    const cleanSubscriptions = persistence.cleanSubscriptions.bind(persistence)
    const storeRetained = persistence.storeRetained.bind(persistence)
    const replaced: Partial<Persistence> = {
      // Aedes stores a packet's refused subscriptions with those that it grants
      addSubscriptions: (client, all) =>
        addSubscriptions(
          client,
          all.filter(({ topic }) => this.#mayHear(client, topic)),
        ),
      // a client begins anew
      cleanSubscriptions(client) {
        outgoing.drop(client.id)
        return cleanSubscriptions(client)
      },
      // without room the topic has none: an old one would pass for the newest
      storeRetained: (packet) =>
        storeRetained(retained.take(packet) ? packet : { ...packet, payload: new Uint8Array() }),
      outgoingEnqueue: async ({ clientId }, packet) => outgoing.enqueue(clientId, packet),
      async outgoingEnqueueCombi(sessions, packet) {
        for (const { clientId } of sessions) outgoing.enqueue(clientId, packet)
      },
      outgoingUpdate: async (client, packet) => outgoing.update(client, packet),
      outgoingClearMessageId: async (client, packet) => outgoing.clear(client, packet),
      outgoingStream: (client) => outgoing.stream(client),
    }
    Object.assign(persistence, replaced)
  }

  /** Forgets a session: its subscriptions, messages and will. */
  async forgetSession(id: string): Promise<void> {
    await this.persistence.cleanSubscriptions({ id })
    await this.persistence.cleanIncoming({ id })
    await this.persistence.delWill({ id })
  }

  /** Publishes a message of the hub itself; resolves once it is on its way to the subscribers. */
  send(topic: string, payload: string, qos: 0 | 1, retain: boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const packet: PublishPacket = { cmd: 'publish', dup: false, topic, payload, qos, retain }
      Reflect.apply(super.publish, this, [packet, (error?: Error) => (error ? reject(error) : resolve())])
    })
  }

  /**
   * Reads a client on while messages of it are under way. Aedes counts the packets that it has begun, and reads the next
   * ones when all are done; with nothing to wait for, it reads them now. Once for all messages of a piece.
   */
  readOn(client: object): void {
    if (this.#readOn.has(client)) return
    this.#readOn.add(client)
    queueMicrotask(() => {
      this.#readOn.delete(client)
      const next: unknown = Reflect.get(client, '_nextBatch')
      if (typeof next !== 'function') return
      Reflect.set(client, '_parsingBatch', 0)
      Reflect.apply(next, client, [])
    })
  }

  /** The message is acknowledged as usual, but neither retained nor delivered. */
  withhold(packet: PublishPacket): void {
    this.#unheard.add(packet)
  }

  /** Aedes itself calls it with the client between the two. */
  override publish(packet: PublishPacket, client: unknown, done?: unknown): void {
    if (!this.#unheard.has(packet)) Reflect.apply(super.publish, this, [packet, client, done])
    else if (typeof done === 'function') done()
  }

  override subscribe(topic: string, deliver: Deliver, done: () => void): void {
    const eager: Deliver = (packet, delivered) => {
      deliver(packet, () => undefined)
      delivered()
    }
    this.#eager.set(deliver, eager)
    super.subscribe(topic, eager, done)
  }

  override unsubscribe(topic: string, deliver: Deliver, done: () => void): void {
    super.unsubscribe(topic, this.#eager.get(deliver) ?? deliver, done)
  }
}
