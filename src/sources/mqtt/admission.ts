import type { AedesOptions, AuthenticateError, Client } from 'aedes'
import type { Log } from '../../core/ports.ts'
import { dayMs } from '../../core/time.ts'
import type { FreeAedes } from './free-aedes.ts'
import { type SessionOwner, SessionOwners } from './owners.ts'
import { covers } from './patterns.ts'

/** Sites that a client may publish for: null means all. */
export type Reach = readonly string[] | null

/** Who a client is, and what it may do. */
export interface Identity extends SessionOwner {
  readonly sites: Reach
  /** It may publish and subscribe below these topics only; absent: everywhere. */
  readonly topics?: readonly string[]
}

export interface Credentials {
  readonly username: string
  readonly password: string
  /** Where the client connects from. */
  readonly address: string
}

/** Undefined refuses. */
export type Authenticate = (credentials: Credentials) => Promise<Identity | undefined>

/** Sessions that are kept for clients that are away, and how long each. */
const sessionsAwayMax = 10_000
const sessionAwayMs = 7 * dayMs

export interface AdmissionOptions {
  /** Absent: everybody may connect. */
  readonly authenticate?: Authenticate | undefined
  /** Topic filters that nobody may subscribe to. */
  readonly refusedSubscriptions?: readonly string[]
  readonly log: Log
}

/** Who is connected, what each client may do, and who the sessions belong to. */
export class Admissions {
  readonly #options: AdmissionOptions
  readonly #refused: readonly (readonly string[])[]
  readonly #identities = new WeakMap<object, Identity>()
  readonly #owners = new SessionOwners<Client>({ away: sessionsAwayMax, awayMs: sessionAwayMs })
  /** Clients that want a session without a name to find it by. */
  readonly #nameless = new WeakSet<object>()

  constructor(options: AdmissionOptions) {
    this.#options = options
    this.#refused = (options.refusedSubscriptions ?? []).map((filter) => filter.split('/'))
  }

  /** For Aedes: notes what a client asks for, and decides whether it may connect. */
  get handlers(): Required<Pick<AedesOptions, 'preConnect' | 'authenticate'>> {
    return {
      preConnect: (client, packet, done) => {
        if (packet.clientId === '' && packet.clean === false) this.#nameless.add(client)
        done(null, true)
      },
      authenticate: (client, username, password, done) => {
        const credentials = {
          ...{ username: username ?? '', password: password?.toString('utf8') ?? '' },
          address: addressOf(client),
        }
        this.#admit(client, credentials).then(
          (refused) => done(refused ?? null, refused === undefined),
          (error: unknown) => {
            this.#options.log.error('MQTT authentication failed', { error: String(error) })
            done(unknownKey(), false)
          },
        )
      },
    }
  }

  /** Sites of the client; null: all, which also holds where nobody is asked who he is. */
  sitesOf(client: object | null): Reach {
    return (client && this.#identities.get(client)?.sites) ?? null
  }

  /** Why the client may not publish to the topic; undefined: it may. */
  publishFault(client: object | null, topic: string): string | undefined {
    const identity = client ? this.#identities.get(client) : undefined
    if (!identity) return undefined
    if (!identity.isValid()) return ended
    return isBelow(identity.topics, topic)
      ? undefined
      : 'Without a key, only the topics of the older systems are open.'
  }

  /** Whether the client may subscribe to a filter, or hear a topic: topics know no sites. */
  mayHear(client: object, filter: string): boolean {
    return (
      this.sitesOf(client) === null &&
      isBelow(this.#identities.get(client)?.topics, filter) &&
      !filter.startsWith('$share/') &&
      !this.#refused.some((one) => covers(one, filter.split('/')))
    )
  }

  /** Ends the sessions of those whose right has ended, and those whose clients were away too long or are too many. */
  endSessions(broker: FreeAedes): void {
    for (const { clientId, client } of this.#owners.ended(performance.now())) {
      this.#owners.release(clientId)
      client.conn.destroy(new Error(ended))
      broker.forgetSession(clientId).catch((error: unknown) => {
        this.#options.log.error('An MQTT session could not be ended', {
          client: clientId,
          error: String(error),
        })
      })
    }
  }

  /** Why the client is refused; undefined: it is connected. */
  async #admit(client: Client, credentials: Credentials): Promise<AuthenticateError | undefined> {
    const { authenticate } = this.#options
    const identity = await authenticate?.(credentials)
    if (authenticate && !identity) return unknownKey()
    if (this.#nameless.has(client)) return refusal(2, 'A session that is to be kept needs a client id.')
    if (!this.#owners.claim(client.id, identity, client))
      return refusal(2, 'The client id belongs to another key.')
    if (identity) this.#identities.set(client, identity)
    client.conn.once('close', () => {
      if (client.clean) this.#owners.release(client.id, client)
      else this.#owners.away(client.id, client, performance.now())
    })
    return undefined
  }
}

const ended = 'Its key was revoked, or its session has ended.'

const isBelow = (topics: readonly string[] | undefined, topic: string): boolean =>
  !topics || topics.some((below) => topic.startsWith(below))

const addressOf = ({ conn }: Client): string =>
  ('remoteAddress' in conn && typeof conn.remoteAddress === 'string' && conn.remoteAddress) || ''

/** Return codes of CONNACK: 2 client id refused, 5 not authorised (MQTT 3.1.1, table 3.1). */
const refusal = (returnCode: 2 | 5, reason: string): AuthenticateError =>
  Object.assign(new Error(reason), { returnCode })

const unknownKey = (): AuthenticateError => refusal(5, 'The key is not known.')
