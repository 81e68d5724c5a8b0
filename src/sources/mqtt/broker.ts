import { createServer, type Server, type Socket } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { AedesOptions, AuthenticateError, Client } from 'aedes'
import { HomeostatError, problem } from '../../core/errors.ts'
import type { Log, MqttLink, MqttSource } from '../../core/ports.ts'
import { idLimits, parseId, type RawReading } from '../../core/reading.ts'
import { dayMs, minuteMs } from '../../core/time.ts'
import { FreeAedes } from './free-aedes.ts'
import { Gather } from './gather.ts'
import { isAlertTopic, type TopicMapping } from './mapping.ts'
import { SessionOwners } from './owners.ts'
import { boundPackets } from './packet-lengths.ts'
import { covers } from './patterns.ts'
import { TopicReader } from './reader.ts'

/** Sites that a client may publish for: null means all. */
export type Reach = readonly string[] | null

/** Who a client is. */
export interface Identity {
  /** Of its key: sessions belong to keys. */
  readonly key: string
  readonly sites: Reach
}

export interface BrokerOptions {
  readonly host: string
  /** 0 takes a free one; `health` names it. */
  readonly port: number
  readonly mappings: readonly TopicMapping[]
  readonly payloadBytes: number
  /** Reads the messages; default: one with these mappings and no profiles. */
  readonly topics?: TopicReader
  readonly batchReadings: number
  /** Bytes that may wait for a subscriber before it is cut; default 1 MiB. */
  readonly clientBufferBytes?: number
  /** Bytes of one client's messages that may wait for their commit before it is not read further; default 4 MiB. */
  readonly clientPendingBytes?: number
  /** Messages that are kept for a session whose client is away; default 10,000. */
  readonly sessionMessages?: number
  /** Bytes that are kept for all such sessions; default 32 MiB. One of them takes at most a quarter. */
  readonly sessionBytes?: number
  /** Bytes of retained messages, over all topics; default 32 MiB. */
  readonly retainedBytes?: number
  /** Topic filters that nobody may subscribe to; messages of these topics reach no client. */
  readonly refusedSubscriptions?: readonly string[]
  /** Site of a reading that names none. */
  readonly defaultSite: string
  /** Who may connect; undefined refuses. Absent: everybody may (loopback only, the caller sees to it). */
  readonly authenticate?: ((username: string, password: string) => Promise<Identity | undefined>) | undefined
  /** Whether a key is valid still; asked for each message and, of those that send none, every two seconds. */
  readonly isValid?: ((key: string) => boolean) | undefined
  readonly log: Log
}

const mib = 1024 * 1024

/** A client that takes nothing for so long is cut, however little waits for it. */
const drainTimeoutMs = 10_000

const clientIdCharacters = 128

const connectionsMax = 10_000

/** Sessions that are kept for clients that are away, and how long each. */
const sessionsAwayMax = 10_000
const sessionAwayMs = 7 * dayMs
/** How often sessions are looked through. */
const sweepEveryMs = 2000

/**
 * A packet may be longer than a payload that becomes readings, so that such a payload is quarantined rather than
 * sent again for ever, and so that topics that the hub does not read may carry a picture.
 */
const packetBytesMax = ({ payloadBytes, topics }: BrokerOptions): number =>
  Math.max(mib, 2 * payloadBytes, (topics?.payloadBytesMax ?? 0) + mib / 16)

/**
 * An MQTT 3.1.1 broker in this process. A message of a mapped topic is acknowledged (PUBACK, PUBREC) after its commit.
 * Its client is read on meanwhile, so that an alarm does not wait for the commits of what was sent before it, until too
 * many bytes of the client wait.
 */
export function createBrokerSource(options: BrokerOptions): MqttSource {
  let port: number | undefined
  let clients = 0
  let running: FreeAedes | undefined
  const link: MqttLink = {
    publish: (topic, payload, { qos, retain }) =>
      running
        ? running.send(topic, payload, qos, retain)
        : Promise.reject(new Error('The broker is not running.')),
  }

  return {
    name: 'mqtt',
    link,
    health: () => ({
      ready: port !== undefined,
      detail:
        port === undefined
          ? 'broker not listening'
          : `broker on ${options.host}:${port}, ${clients} ${clients === 1 ? 'client' : 'clients'}`,
    }),
    async run(emit, signal) {
      const gather = new Gather(emit, options.batchReadings)
      const pending = new PendingBytes(options.clientPendingBytes ?? 4 * mib)
      const owners = new SessionOwners<Client>({ away: sessionsAwayMax, awayMs: sessionAwayMs })
      const broker = createBroker(options, { gather, pending, owners, signal })
      await broker.listen()
      const tellDropped = createDropReport(broker, options.log)
      const sweep = setInterval(() => {
        endSessions(broker, owners, options)
        tellDropped()
      }, sweepEveryMs)
      running = broker
      broker.on('client', () => clients++)
      broker.on('clientDisconnect', () => clients--)
      const sockets = new Set<Socket>()
      const server = createServer({ noDelay: true }, (socket) => {
        sockets.add(socket)
        socket.once('close', () => sockets.delete(socket))
        boundPackets(socket, packetBytesMax(options), () => pending.hasRoom(socket))
        broker.handle(socket)
      })
      try {
        port = await listen(server, options)
        await aborted(signal)
        port = undefined
        running = undefined
        await gather.drained()
        // the acknowledgements of the last commit leave before the connections end
        await nextTurn()
      } finally {
        clearInterval(sweep)
        await new Promise<void>((resolve) => broker.close(() => resolve()))
        for (const socket of sockets) socket.destroy()
        await new Promise<void>((resolve) => server.close(() => resolve()))
      }
    },
  }
}

interface BrokerParts {
  readonly gather: Gather
  readonly pending: PendingBytes
  readonly owners: SessionOwners<Client>
  readonly signal: AbortSignal
}

function createBroker(options: BrokerOptions, parts: BrokerParts): FreeAedes {
  const { log, clientBufferBytes = mib, refusedSubscriptions = [] } = options
  const { sessionMessages = 10_000, sessionBytes = 32 * mib, retainedBytes = 32 * mib } = options
  const identities = new WeakMap<object, Identity>()
  const hearsAll = (client: object): boolean => (identities.get(client)?.sites ?? null) === null
  const refused = refusedSubscriptions.map((filter) => filter.split('/'))
  const mayHear = (client: object, filter: string): boolean =>
    hearsAll(client) &&
    !filter.startsWith('$share/') &&
    !refused.some((one) => covers(one, filter.split('/')))
  /** Clients that want a session without a name to find it by. */
  const nameless = new WeakSet<object>()
  const aedes: AedesOptions = {
    drainTimeout: drainTimeoutMs,
    maxClientsIdLength: clientIdCharacters,
    preConnect: (client, packet, done) => {
      if (packet.clientId === '' && packet.clean === false) nameless.add(client)
      done(null, true)
    },
    authenticate: authentication(options, { identities, nameless, owners: parts.owners }),
    authorizePublish: publishing(options, parts, identities, () => broker),
    // what others publish is open to keys for all sites only: topics know no sites
    authorizeSubscribe: (client, subscription, done) =>
      done(null, mayHear(client, subscription.topic) ? subscription : null),
    authorizeForward: (client, packet) => {
      if (!mayHear(client, packet.topic)) return null
      // retained messages wait for their reader, live ones do not
      if (!packet.retain && client.conn.writableLength > clientBufferBytes) {
        client.conn.destroy(new Error(`It does not read: more than ${clientBufferBytes} bytes wait for it.`))
      }
      return packet
    },
  }
  const broker = new FreeAedes(aedes, { sessionMessages, sessionBytes, retainedBytes }, mayHear)
  const cut = new WeakSet<Client>()
  broker.on('clientError', (client, error) => {
    // the first error is the reason; each delivery under way then fails as well
    if (!cut.has(client)) log.info('MQTT client cut', { client: client.id, error: error.message })
    cut.add(client)
  })
  broker.on('connectionError', (_client, error) =>
    log.info('MQTT connection failed', { error: error.message }),
  )
  return broker
}

function authentication(
  { authenticate, log }: BrokerOptions,
  {
    identities,
    nameless,
    owners,
  }: {
    readonly identities: WeakMap<object, Identity>
    readonly nameless: WeakSet<object>
    readonly owners: SessionOwners<Client>
  },
): NonNullable<AedesOptions['authenticate']> {
  return (client, username, password, done) => {
    const admit = (identity: Identity | undefined): void => {
      if (nameless.has(client)) done(refusal(2, 'A session that is to be kept needs a client id.'), false)
      else if (!owners.claim(client.id, identity?.key, client))
        done(refusal(2, 'The client id belongs to another key.'), false)
      else {
        if (identity) identities.set(client, identity)
        client.conn.once('close', () => {
          if (client.clean) owners.release(client.id, client)
          else owners.away(client.id, client, performance.now())
        })
        done(null, true)
      }
    }
    if (!authenticate) return admit(undefined)
    authenticate(username ?? '', password?.toString('utf8') ?? '').then(
      (identity) => (identity ? admit(identity) : done(refusal(5, 'The API key is not known.'), false)),
      (error: unknown) => {
        log.error('MQTT authentication failed', { error: String(error) })
        done(refusal(5, 'The API key is not known.'), false)
      },
    )
  }
}

/** Ends the sessions of revoked keys, and those whose clients have been away too long or are too many. */
function endSessions(
  broker: FreeAedes,
  owners: SessionOwners<Client>,
  { isValid, log }: BrokerOptions,
): void {
  for (const { clientId, client } of owners.ended(performance.now(), isValid ?? (() => true))) {
    owners.release(clientId)
    client.conn.destroy(new Error('Its API key was revoked, or its session has ended.'))
    broker.forgetSession(clientId).catch((error: unknown) => {
      log.error('An MQTT session could not be ended', { client: clientId, error: String(error) })
    })
  }
}

/** Tells in the log, once a minute at most, that messages were not kept for want of room. */
function createDropReport({ outgoing, retained }: FreeAedes, log: Log): () => void {
  let told = 0
  let toldMs = Number.NEGATIVE_INFINITY
  return () => {
    const nowMs = performance.now()
    const dropped = outgoing.dropped + retained.dropped
    if (dropped === told || nowMs - toldMs < minuteMs) return
    log.warn(
      'The MQTT broker has no room to keep all messages (limits.mqttSessionBytes, limits.mqttRetainedBytes).',
      {
        ofSessions: outgoing.dropped,
        retained: retained.dropped,
      },
    )
    told = dropped
    toldMs = nowMs
  }
}

/**
 * Reads a message before Aedes acknowledges it. A message from a key for some sites is delivered to subscribers only if
 * all of its readings are for these sites.
 */
function publishing(
  {
    mappings,
    payloadBytes,
    topics = new TopicReader({ mappings, payloadBytes }),
    defaultSite,
    isValid,
  }: BrokerOptions,
  { gather, pending, signal }: BrokerParts,
  identities: WeakMap<object, Identity>,
  broker: () => FreeAedes,
): NonNullable<AedesOptions['authorizePublish']> {
  return (client, packet, done) => {
    // a hub that stops does not answer: the client keeps its message and sends it again
    if (signal.aborted) return
    const identity = client ? identities.get(client) : undefined
    if (identity && isValid?.(identity.key) === false) return done(new Error('The API key was revoked.'))
    if (isAlertTopic(packet.topic)) return done(new Error('Alerts are published by the hub only.'))
    if (packet.topic.startsWith('$')) return done(new Error('Topics that begin with $ belong to the broker.'))
    // a PUBLISH was looked at before, a will was not
    if (/[#+]/.test(packet.topic)) return done(new Error('A topic to publish to has no wildcards.'))
    const sites = identity?.sites ?? null
    const payload = typeof packet.payload === 'string' ? Buffer.from(packet.payload) : packet.payload
    // with its retain flag a sender asks the broker to keep the message: it is as new as any other
    let rows = topics.read(packet.topic, payload, false, sites === null)
    if (!rows) {
      if (sites !== null) broker().withhold(packet)
      return done(null)
    }
    if (sites !== null) {
      rows = rows.map((row) => within(sites, row, defaultSite))
      if (rows.some(({ fault }) => fault)) broker().withhold(packet)
    }
    const bytes = payload.length + packet.topic.length + packetOverheadBytes
    if (client) pending.add(client.conn, bytes)
    gather.add(rows, (error) => {
      // before Aedes reads the client on, which it does when the message is done
      if (client) pending.add(client.conn, -bytes)
      done(error ?? null)
    })
    if (client) broker().readOn(client)
  }
}

/** What a packet takes beside its topic and payload while it waits. */
const packetOverheadBytes = 512

/** Bytes of the messages of each connection that wait for their commit. */
class PendingBytes {
  readonly #most: number
  readonly #bytes = new WeakMap<object, number>()

  constructor(most: number) {
    this.#most = most
  }

  add(connection: object, bytes: number): void {
    this.#bytes.set(connection, (this.#bytes.get(connection) ?? 0) + bytes)
  }

  /** Whether the connection may send more before these are committed. */
  hasRoom(connection: object): boolean {
    return (this.#bytes.get(connection) ?? 0) < this.#most
  }
}

function within(sites: readonly string[], row: RawReading, defaultSite: string): RawReading {
  const site = row.site === undefined ? defaultSite : parseId(row.site, idLimits.site)
  if (row.fault || (site !== undefined && sites.includes(site))) return row
  const fault =
    site === undefined
      ? problem('id_invalid', { field: 'site', limit: idLimits.site })
      : problem('site_forbidden', { site })
  return { ...row, fault }
}

/** Return codes of CONNACK: 2 client id refused, 5 not authorised (MQTT 3.1.1, table 3.1). */
const refusal = (returnCode: 2 | 5, reason: string): AuthenticateError =>
  Object.assign(new Error(reason), { returnCode })

/** Returns the port. */
function listen(server: Server, { host, port, log }: BrokerOptions): Promise<number> {
  server.maxConnections = connectionsMax
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException): void => {
      const taken = new HomeostatError('port_taken', { host, port, option: '--mqtt-port N' }, error)
      reject(error.code === 'EADDRINUSE' ? taken : error)
    }
    server.once('error', failed)
    server.listen(port, host, () => {
      server.off('error', failed)
      server.on('error', (error) =>
        log.error('MQTT connection could not be accepted', { error: error.message }),
      )
      const address = server.address()
      resolve(typeof address === 'object' && address ? address.port : port)
    })
  })
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}
