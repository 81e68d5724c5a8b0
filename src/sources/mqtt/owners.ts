/** Who a session belongs to. */
export interface SessionOwner {
  /** Of an API key or a user: all clients with this key are one owner. */
  readonly key: string
  /** Whether its right lasts: a key can be revoked, a sign-in can end. */
  isValid(): boolean
}

/** A session, connected or not, and who it belongs to. */
interface Owned<Client> {
  /** By the right that it was last claimed with; undefined: a broker that is open to everybody. */
  readonly owner: SessionOwner | undefined
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
  /** Sessions whose clients are away, of all owners; beyond it those go that have been away longest. */
  readonly away: number
  /** How long a session is kept for a client that is away, ms. */
  readonly awayMs: number
}

/**
 * Who each client id belongs to: MQTT lets whoever names a client id take its session over, with all that waits in
 * it.
 */
export class SessionOwners<Client extends object> {
  readonly #limits: OwnerLimits
  readonly #sessions = new Map<string, Owned<Client>>()

  constructor(limits: OwnerLimits) {
    this.#limits = limits
  }

  get size(): number {
    return this.#sessions.size
  }

  /** A client connects. False where another owner has the id; nothing has changed then. */
  claim(clientId: string, owner: SessionOwner | undefined, client: Client): boolean {
    const session = this.#sessions.get(clientId)
    if (session && session.owner?.key !== owner?.key) return false
    this.#sessions.set(clientId, { owner, client, awaySinceMs: undefined })
    return true
  }

  /** Its connection has ended, and the session stays; nothing where another connection has taken it over. */
  away(clientId: string, client: Client, nowMs: number): void {
    const session = this.#sessions.get(clientId)
    if (session?.client !== client) return
    // those that went last are last
    this.#sessions.delete(clientId)
    this.#sessions.set(clientId, { ...session, awaySinceMs: nowMs })
  }

  /** The session has ended, for `client` where it is given: not where another connection has taken it over. */
  release(clientId: string, client?: Client): void {
    if (client === undefined || this.#sessions.get(clientId)?.client === client)
      this.#sessions.delete(clientId)
  }

  /** Sessions that must end: of owners whose right has ended, and of clients that were away too long. */
  ended(nowMs: number): EndedSession<Client>[] {
    const ended: EndedSession<Client>[] = []
    const away: EndedSession<Client>[] = []
    for (const [clientId, { owner, client, awaySinceMs }] of this.#sessions) {
      if (owner?.isValid() === false) ended.push({ clientId, client })
      else if (awaySinceMs === undefined) continue
      else if (nowMs - awaySinceMs > this.#limits.awayMs) ended.push({ clientId, client })
      else away.push({ clientId, client })
    }
    ended.push(...away.slice(0, Math.max(0, away.length - this.#limits.away)))
    return ended
  }
}
