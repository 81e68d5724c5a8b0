import type { Client } from 'aedes'

/** What a client may do. */
export interface Admission {
  /** Sites that it may publish for: null means all. */
  readonly sites: readonly string[] | null
  /** It may publish and subscribe below these topics only; absent: everywhere. */
  readonly topics?: readonly string[]
  /** Whether it may stay: a key can be revoked, a session can end. */
  isValid(): boolean
}

export interface Credentials {
  readonly username: string
  readonly password: string
  /** Where the client connects from. */
  readonly address: string
}

/** Undefined refuses. */
export type Authenticate = (credentials: Credentials) => Promise<Admission | undefined>

/** How long a client whose right ended may stay connected in silence. */
const sweepMs = 2000

/** Cuts clients whose right has ended, until stopped. */
export class Admissions {
  readonly #admissions = new WeakMap<Client, Admission>()
  readonly #clients = new Set<Client>()
  readonly #timer = setInterval(() => this.#cutInvalid(), sweepMs).unref()

  stop(): void {
    clearInterval(this.#timer)
  }

  set(client: Client, admission: Admission): void {
    this.#admissions.set(client, admission)
    this.#clients.add(client)
    client.conn.once('close', () => this.#clients.delete(client))
  }

  /** Sites of the client; null: all, which also holds where nobody is asked who he is. */
  sitesOf(client: Client | null): readonly string[] | null {
    return (client && this.#admissions.get(client)?.sites) ?? null
  }

  /** Whether the client may use the topic, or the topic filter. */
  allows(client: Client | null, topic: string): boolean {
    const topics = client && this.#admissions.get(client)?.topics
    return !topics || topics.some((below) => topic.startsWith(below))
  }

  #cutInvalid(): void {
    for (const client of this.#clients) {
      if (this.#admissions.get(client)?.isValid() === false)
        client.conn.destroy(new Error('Its key was revoked, or its session has ended.'))
    }
  }
}
