import { createServer, type Server, type Socket } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { createServer as createTlsServer } from 'node:tls'
import type { AedesOptions, AuthenticateError, Client } from 'aedes'
import { HomeostatError, problem } from '../../core/errors.ts'
import type { Log, MqttLink, MqttSource } from '../../core/ports.ts'
import { idLimits, parseId, type RawReading } from '../../core/reading.ts'
import { Admissions, type Authenticate } from './admission.ts'
import { FreeAedes } from './free-aedes.ts'
import { Gather } from './gather.ts'
import { isAlertTopic, TopicMap, type TopicMapping } from './mapping.ts'
import { boundPackets } from './packet-lengths.ts'

export interface BrokerOptions {
  readonly host: string
  /** 0 takes a free one; `health` names it. */
  readonly port: number
  readonly mappings: readonly TopicMapping[]
  readonly payloadBytes: number
  readonly batchReadings: number
  /** Bytes that may wait for a subscriber before it is cut; default 1 MiB. */
  readonly clientBufferBytes?: number
  /** Bytes of one client's messages that may wait for their commit before it is not read further; default 4 MiB. */
  readonly clientPendingBytes?: number
  /** Messages that are kept for a session whose client is away; default 10,000. */
  readonly sessionMessages?: number
  /** Site of a reading that names none. */
  readonly defaultSite: string
  /** Who may connect; undefined refuses. Absent: everybody may (loopback only, the caller sees to it). */
  readonly authenticate?: Authenticate | undefined
  /** Encrypts the connections. */
  readonly tls?: BrokerTls | undefined
  readonly log: Log
}

interface Pem {
  readonly cert: string
  readonly key: string
}

/** The certificate of now, and each later one. */
export interface BrokerTls {
  readonly pair: Pem
  onChange(listener: (pair: Pem) => void): void
}

const mib = 1024 * 1024

/** A client that takes nothing for so long is cut, however little waits for it. */
const drainTimeoutMs = 10_000

const clientIdCharacters = 128

const connectionsMax = 10_000

/**
 * A packet may be longer than a payload that becomes readings, so that such a payload is quarantined rather than
 * sent again for ever, and so that topics that are none of ours may carry a picture.
 */
const packetBytesMax = (payloadBytes: number): number => Math.max(mib, 2 * payloadBytes)

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
      const admissions = new Admissions()
      const broker = createBroker(options, gather, pending, signal, admissions)
      await broker.listen()
      running = broker
      broker.on('client', () => clients++)
      broker.on('clientDisconnect', () => clients--)
      const sockets = new Set<Socket>()
      const server = serverOf(options.tls, (socket) => {
        sockets.add(socket)
        socket.once('close', () => sockets.delete(socket))
        boundPackets(socket, packetBytesMax(options.payloadBytes), () => pending.hasRoom(socket))
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
        admissions.stop()
        await new Promise<void>((resolve) => broker.close(() => resolve()))
        for (const socket of sockets) socket.destroy()
        await new Promise<void>((resolve) => server.close(() => resolve()))
      }
    },
  }
}

function createBroker(
  options: BrokerOptions,
  gather: Gather,
  pending: PendingBytes,
  signal: AbortSignal,
  admissions: Admissions,
): FreeAedes {
  const { log, clientBufferBytes = mib, sessionMessages = 10_000 } = options
  const hearsAll = (client: Client): boolean => admissions.sitesOf(client) === null
  const aedes: AedesOptions = {
    drainTimeout: drainTimeoutMs,
    maxClientsIdLength: clientIdCharacters,
    ...authentication(options, admissions),
    authorizePublish: publishing(options, gather, pending, signal, admissions, () => broker),
    // what others publish is open to keys for all sites only: topics know no sites
    authorizeSubscribe: (client, subscription, done) => {
      const mayHear = hearsAll(client) && admissions.allows(client, subscription.topic)
      done(null, mayHear ? subscription : null)
    },
    authorizeForward: (client, packet) => {
      // a session that another key has left behind under this client's name
      if (!hearsAll(client) || !admissions.allows(client, packet.topic)) return null
      // retained messages wait for their reader, live ones do not
      if (!packet.retain && client.conn.writableLength > clientBufferBytes) {
        client.conn.destroy(new Error(`It does not read: more than ${clientBufferBytes} bytes wait for it.`))
      }
      return packet
    },
  }
  const broker = new FreeAedes(aedes, sessionMessages)
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
  admissions: Admissions,
): Pick<AedesOptions, 'authenticate'> {
  if (!authenticate) return {}
  return {
    authenticate: (client, username, password, done) => {
      const { conn } = client
      const address =
        ('remoteAddress' in conn && typeof conn.remoteAddress === 'string' && conn.remoteAddress) || ''
      authenticate({ username: username ?? '', password: password?.toString('utf8') ?? '', address }).then(
        (admission) => {
          if (admission === undefined) return done(refused(), false)
          admissions.set(client, admission)
          done(null, true)
        },
        (error: unknown) => {
          log.error('MQTT authentication failed', { error: String(error) })
          done(refused(), false)
        },
      )
    },
  }
}

/**
 * Takes a message before Aedes acknowledges it. A key for some sites speaks to the hub only: others hear it where
 * all that it said was for its own sites.
 */
function publishing(
  { mappings, payloadBytes, defaultSite }: BrokerOptions,
  gather: Gather,
  pending: PendingBytes,
  signal: AbortSignal,
  admissions: Admissions,
  broker: () => FreeAedes,
): NonNullable<AedesOptions['authorizePublish']> {
  const map = new TopicMap(mappings, payloadBytes)
  return (client, packet, done) => {
    // a hub that stops does not answer: the client keeps its message and sends it again
    if (signal.aborted) return
    if (isAlertTopic(packet.topic)) return done(new Error('Alerts are published by the hub only.'))
    if (packet.topic.startsWith('$')) return done(new Error('Topics that begin with $ belong to the broker.'))
    // a PUBLISH was looked at before, a will was not
    if (/[#+]/.test(packet.topic)) return done(new Error('A topic to publish to has no wildcards.'))
    if (!admissions.allows(client, packet.topic))
      return done(new Error('Without a key, only the topics of the older systems are open.'))
    const decode = map.decoder(packet.topic)
    const sites = admissions.sitesOf(client)
    if (!decode) {
      if (sites !== null) broker().withhold(packet)
      return done(null)
    }
    const payload = typeof packet.payload === 'string' ? Buffer.from(packet.payload) : packet.payload
    let rows = decode(payload)
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

function refused(): AuthenticateError {
  // 5: not authorised (MQTT 3.1.1, table 3.1)
  return Object.assign(new Error('The API key is not known.'), { returnCode: 5 })
}

function serverOf(tls: BrokerTls | undefined, take: (socket: Socket) => void): Server {
  if (!tls) return createServer({ noDelay: true }, take)
  const server = createTlsServer({ noDelay: true, ...tls.pair }, take)
  // connections that exist keep the certificate that they began with
  tls.onChange((pair) => server.setSecureContext(pair))
  return server
}

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
