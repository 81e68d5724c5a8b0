import { createServer, type Server, type Socket } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { createServer as createTlsServer } from 'node:tls'
import type { AedesOptions, Client } from 'aedes'
import { HomeostatError, problem } from '../../core/errors.ts'
import type { Log, MqttLink, MqttSource } from '../../core/ports.ts'
import { idLimits, parseId, type RawReading } from '../../core/reading.ts'
import { minuteMs } from '../../core/time.ts'
import { Admissions, type Authenticate } from './admission.ts'
import { FreeAedes } from './free-aedes.ts'
import { Gather } from './gather.ts'
import { isAlertTopic, type TopicMapping } from './mapping.ts'
import { boundPackets } from './packet-lengths.ts'
import { TopicReader } from './reader.ts'

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
      const admissions = new Admissions(options)
      const broker = createBroker(options, { gather, pending, admissions, signal })
      await broker.listen()
      const tellDropped = createDropReport(broker, options.log)
      const sweep = setInterval(() => {
        admissions.endSessions(broker)
        tellDropped()
      }, sweepEveryMs)
      running = broker
      broker.on('client', () => clients++)
      broker.on('clientDisconnect', () => clients--)
      const sockets = new Set<Socket>()
      const server = serverOf(options.tls, (socket) => {
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
  readonly admissions: Admissions
  readonly signal: AbortSignal
}

function createBroker(options: BrokerOptions, parts: BrokerParts): FreeAedes {
  const { log, clientBufferBytes = mib } = options
  const { sessionMessages = 10_000, sessionBytes = 32 * mib, retainedBytes = 32 * mib } = options
  const { admissions } = parts
  const mayHear = (client: object, filter: string): boolean => admissions.mayHear(client, filter)
  const aedes: AedesOptions = {
    drainTimeout: drainTimeoutMs,
    maxClientsIdLength: clientIdCharacters,
    ...admissions.handlers,
    authorizePublish: publishing(options, parts, () => broker),
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
  }: BrokerOptions,
  { gather, pending, admissions, signal }: BrokerParts,
  broker: () => FreeAedes,
): NonNullable<AedesOptions['authorizePublish']> {
  return (client, packet, done) => {
    // a hub that stops does not answer: the client keeps its message and sends it again
    if (signal.aborted) return
    const fault = admissions.publishFault(client, packet.topic)
    if (fault !== undefined) return done(new Error(fault))
    if (isAlertTopic(packet.topic)) return done(new Error('Alerts are published by the hub only.'))
    if (packet.topic.startsWith('$')) return done(new Error('Topics that begin with $ belong to the broker.'))
    // a PUBLISH was looked at before, a will was not
    if (/[#+]/.test(packet.topic)) return done(new Error('A topic to publish to has no wildcards.'))
    const sites = admissions.sitesOf(client)
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
