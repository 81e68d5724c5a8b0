import { Aedes, type AedesPublishPacket, type PublishPacket } from 'aedes'

type Deliver = (packet: AedesPublishPacket, done: () => void) => void

/**
 * Aedes, in which a publisher does not wait for subscribers. By itself it ends a PUBLISH when the slowest subscriber
 * of the topic has drained its socket, and lets at most 100 PUBLISH wait like that: one subscriber that sleeps then
 * stops every publisher until it is cut. Here a delivery is begun and not waited for; `authorizeForward` sees how
 * much waits for a subscriber and cuts those that do not read.
 */
export class FreeAedes extends Aedes {
  readonly #eager = new WeakMap<Deliver, Deliver>()
  readonly #unheard = new WeakSet<object>()

  /** The message is acknowledged as usual, but neither retained nor delivered. */
  withhold(packet: PublishPacket): void {
    this.#unheard.add(packet)
  }

  /** Aedes itself calls it with the client between the two. */
  override publish(packet: PublishPacket, ...rest: readonly unknown[]): void {
    const done = rest.at(-1)
    if (!this.#unheard.has(packet)) Reflect.apply(super.publish, this, [packet, ...rest])
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
