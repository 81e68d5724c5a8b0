/** A session, connected or not, and the key that it belongs to. */
interface Owner<Client> {
  /** Undefined: a broker that is open to everybody. */
  readonly key: string | undefined
  /** The connection that had it last. */
  readonly client: Client
  /** When its client went away, monotonic ms; undefined while it is connected. */
  awaySinceMs: number | undefined
}

/** A session and the connection that had it last. */
export interface EndedSession<Client> {
  readonly clientId: string
  readonly client: Client
}

export interface OwnerLimits {
  /** Sessions whose clients are away, of all keys; beyond it those go that have been away longest. */
  readonly away: number
  /** How long a session is kept for a client that is away, ms. */
  readonly awayMs: number
}

/**
 * Which key each client id belongs to: MQTT lets whoever names a client id take its session over, with all that waits in
 * it.
 */
export class SessionOwners<Client extends object> {
  readonly #limits: OwnerLimits
  readonly #owners = new Map<string, Owner<Client>>()

  constructor(limits: OwnerLimits) {
    this.#limits = limits
  }

  get size(): number {
    return this.#owners.size
  }

  /** A client connects. False where another key has the id; nothing has changed then. */
  claim(clientId: string, key: string | undefined, client: Client): boolean {
    const owner = this.#owners.get(clientId)
    if (owner && owner.key !== key) return false
    this.#owners.set(clientId, { key, client, awaySinceMs: undefined })
    return true
  }

  /** Its connection has ended, and the session stays; nothing where another connection has taken it over. */
  away(clientId: string, client: Client, nowMs: number): void {
    const owner = this.#owners.get(clientId)
    if (owner?.client !== client) return
    // those that went last are last
    this.#owners.delete(clientId)
    this.#owners.set(clientId, { ...owner, awaySinceMs: nowMs })
  }

  /** The session has ended, for `client` where it is given: not where another connection has taken it over. */
  release(clientId: string, client?: Client): void {
    if (client === undefined || this.#owners.get(clientId)?.client === client) this.#owners.delete(clientId)
  }

  /** Sessions that must end: of keys that are not valid any more, and of clients that were away too long. */
  ended(nowMs: number, isValid: (key: string) => boolean): EndedSession<Client>[] {
    const ended: EndedSession<Client>[] = []
    const away: EndedSession<Client>[] = []
    for (const [clientId, { key, client, awaySinceMs }] of this.#owners) {
      if (key !== undefined && !isValid(key)) ended.push({ clientId, client })
      else if (awaySinceMs === undefined) continue
      else if (nowMs - awaySinceMs > this.#limits.awayMs) ended.push({ clientId, client })
      else away.push({ clientId, client })
    }
    ended.push(...away.slice(0, Math.max(0, away.length - this.#limits.away)))
    return ended
  }
}
