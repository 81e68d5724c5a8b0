import { Aedes, type AedesOptions, type AedesPublishPacket, type PublishPacket } from 'aedes'

type Deliver = (packet: AedesPublishPacket, done: () => void) => void

/** What sessions keep for clients that are away, in memory: the part of Aedes' store that is bounded here. */
interface Sessions {
  outgoingEnqueueCombi(to: readonly { readonly clientId: string }[], packet: object): Promise<void>
  /** The message that the client has acknowledged, undefined where it was none. */
  outgoingClearMessageId(client: { readonly id: string }, packet: object): Promise<object | undefined>
}

/**
 * Aedes, in which a publisher does not wait for subscribers. By itself it ends a PUBLISH when the slowest subscriber
 * of the topic has drained its socket, and lets at most 100 PUBLISH wait like that: one subscriber that sleeps then
 * stops every publisher until it is cut. Here a delivery is begun and not waited for; `authorizeForward` sees how
 * much waits for a subscriber and cuts those that do not read. Nor does a session grow for ever that nobody comes
 * back to: it keeps the oldest `sessionMessages`.
 */
export class FreeAedes extends Aedes {
  readonly #eager = new WeakMap<Deliver, Deliver>()
  readonly #unheard = new WeakSet<object>()
  /** Clients that are about to be read on. */
  readonly #readOn = new Set<object>()
  /** Messages that each session keeps, by client id; none where there is none. */
  readonly #kept = new Map<string, number>()
  readonly #sessionMessages: number
  /** The types of Aedes leave it out. */
  declare readonly persistence: Sessions

  constructor(options: AedesOptions, sessionMessages: number) {
    super(options)
    this.#sessionMessages = sessionMessages
  }

  override async listen(): Promise<void> {
    await super.listen()
    const { persistence } = this
    const enqueue = persistence.outgoingEnqueueCombi.bind(persistence)
    const clear = persistence.outgoingClearMessageId.bind(persistence)
    persistence.outgoingEnqueueCombi = (sessions, packet) => {
      const open = sessions.filter(({ clientId }) => (this.#kept.get(clientId) ?? 0) < this.#sessionMessages)
      for (const { clientId } of open) this.#kept.set(clientId, (this.#kept.get(clientId) ?? 0) + 1)
      return enqueue(open, packet)
    }
    persistence.outgoingClearMessageId = async (client, packet) => {
      const cleared = await clear(client, packet)
      const left = (this.#kept.get(client.id) ?? 0) - (cleared ? 1 : 0)
      if (left > 0) this.#kept.set(client.id, left)
      else this.#kept.delete(client.id)
      return cleared
    }
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
