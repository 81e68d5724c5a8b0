import type { MqttClient } from 'mqtt'
import { covers } from './patterns.ts'

/** Filters of one SUBSCRIBE packet. */
const filtersOfPacket = 100

/** The filters that one connection is subscribed to, kept in step with those that are wanted. */
export class Subscriptions {
  readonly #client: MqttClient
  /** Those that the broker has granted on this connection. */
  #granted = new Set<string>()

  constructor(client: MqttClient) {
    this.#client = client
  }

  /** A new connection: everything is asked for again, since a broker may have lost its session. */
  forget(): void {
    this.#granted = new Set()
  }

  /** Resolves with the filters that the broker refuses. Rejects where the connection breaks. */
  async bring(wanted: readonly string[]): Promise<string[]> {
    const next = new Set(wanted)
    const gone = [...this.#granted].filter((filter) => !next.has(filter))
    const added = wanted.filter((filter) => !this.#granted.has(filter))
    const refused: string[] = []
    // first the new ones: a wide filter that replaces narrow ones must not leave a gap
    for (let start = 0; start < added.length; start += filtersOfPacket) {
      const part = added.slice(start, start + filtersOfPacket)
      const granted = await this.#client.subscribeAsync(part, { qos: 1 })
      for (const { topic, qos } of granted) {
        if (qos > 2) refused.push(topic)
        else this.#granted.add(topic)
      }
    }
    for (let start = 0; start < gone.length; start += filtersOfPacket) {
      const part = gone.slice(start, start + filtersOfPacket)
      await this.#client.unsubscribeAsync(part)
      for (const filter of part) this.#granted.delete(filter)
    }
    return refused
  }
}

const cachedTopicsMax = 10_000

/** How close together the copies of one message come. */
const copyMs = 100

/**
 * Finds the second copy of a message: some brokers deliver once for each filter that fits (MQTT 3.1.1, section 3.3.5).
 * Only on topics that several filters fit is the same payload, right after the first, taken for a copy.
 */
export class Copies {
  #filters: readonly (readonly string[])[] = []
  readonly #overlapping = new Map<string, boolean>()
  #last: { readonly topic: string; readonly payload: Buffer; readonly at: number } | undefined

  use(filters: readonly string[]): void {
    this.#filters = filters.map((filter) => filter.split('/'))
    this.#overlapping.clear()
  }

  /** `now` in ms, of any clock that never goes back. */
  isCopy(topic: string, payload: Buffer, now: number): boolean {
    if (!this.#isOverlapping(topic)) return false
    const last = this.#last
    if (last?.topic === topic && now - last.at < copyMs && payload.equals(last.payload)) return true
    this.#last = { topic, payload, at: now }
    return false
  }

  #isOverlapping(topic: string): boolean {
    const known = this.#overlapping.get(topic)
    if (known !== undefined) return known
    const levels = topic.split('/')
    const isOverlapping = this.#filters.filter((filter) => covers(filter, levels)).length > 1
    if (this.#overlapping.size >= cachedTopicsMax) this.#overlapping.clear()
    this.#overlapping.set(topic, isOverlapping)
    return isOverlapping
  }
}
