import { createServer, type Server } from 'node:net'
import { Aedes, type AedesPublishPacket, type AuthenticateError, type Client } from 'aedes'
import { HomeostatError, problem } from '../../core/errors.ts'
import type { Log, SourceAdapter } from '../../core/ports.ts'
import { Gather } from './gather.ts'
import { TopicMap, type TopicMapping } from './mapping.ts'

/** Sites that a client may publish for: null means all. */
export type Reach = readonly string[] | null

export interface BrokerOptions {
  readonly host: string
  readonly port: number
  readonly mappings: readonly TopicMapping[]
  readonly payloadBytes: number
  readonly batchReadings: number
  /** Site of a reading that names none. */
  readonly defaultSite: string
  /** Who may connect; undefined refuses. Absent: everybody may (loopback only, the caller sees to it). */
  readonly authenticate?: ((username: string, password: string) => Promise<Reach | undefined>) | undefined
  readonly log: Log
}

/** A client that does not read for so long is cut, so that it holds up nobody else on its topics. */
const drainTimeoutMs = 10_000

/** The longest MQTT packet by the standard is 256 MiB; here a packet is a message, not a file. */
const clientIdCharacters = 128

/**
 * An MQTT 3.1.1 broker in this process. A message of a mapped topic is acknowledged (PUBACK, PUBREC) after its
 * commit; until then its client is not read further, which is the backpressure.
 */
export function createBrokerSource(options: BrokerOptions): SourceAdapter {
  let listening = false
  let clients = 0

  return {
    name: 'mqtt',
    health: () => ({
      ready: listening,
      detail: listening
        ? `broker on ${options.host}:${options.port}, ${clients} clients`
        : 'broker not listening',
    }),
    async run(emit, signal) {
      const gather = new Gather(emit, options.batchReadings)
      const broker = await createBroker(options, gather)
      broker.on('client', () => clients++)
      broker.on('clientDisconnect', () => clients--)
      const server = createServer({ noDelay: true }, (socket) => {
        broker.handle(socket)
      })
      await listen(server, options)
      listening = true
      if (!signal.aborted) {
        await new Promise<void>((resolve) =>
          signal.addEventListener('abort', () => resolve(), { once: true }),
        )
      }
      listening = false
      server.close()
      await gather.drained()
      await new Promise<void>((resolve) => broker.close(() => resolve()))
    },
  }
}

async function createBroker(options: BrokerOptions, gather: Gather): Promise<Aedes> {
  const map = new TopicMap(options.mappings, options.payloadBytes)
  const reach = new WeakMap<Client, Reach>()
  const { authenticate, defaultSite, log } = options
  const broker = await Aedes.createBroker({
    drainTimeout: drainTimeoutMs,
    maxClientsIdLength: clientIdCharacters,
    authenticate: (client, username, password, done) => {
      if (!authenticate) return done(null, true)
      authenticate(username ?? '', password?.toString('utf8') ?? '').then(
        (sites) => {
          if (sites === undefined) return done(refused(), false)
          reach.set(client, sites)
          done(null, true)
        },
        (error: unknown) => {
          log.error('MQTT authentication failed', { error: String(error) })
          done(refused(), false)
        },
      )
    },
    authorizePublish: (client, packet, done) => {
      if (packet.topic.startsWith('$'))
        return done(new Error('Topics that begin with $ belong to the broker.'))
      const decode = map.decoder(packet.topic)
      if (!decode) return done(null)
      const sites = client ? (reach.get(client) ?? null) : null
      const payload = typeof packet.payload === 'string' ? Buffer.from(packet.payload) : packet.payload
      gather.add(
        decode(payload).map((row) =>
          sites === null || sites.includes(String(row.site ?? defaultSite))
            ? row
            : { ...row, fault: problem('site_forbidden', { site: String(row.site ?? defaultSite) }) },
        ),
        (error) => done(error ?? null),
      )
    },
    // what others publish is open to keys for all sites only: topics know no sites
    authorizeSubscribe: (client, subscription, done) =>
      done(null, (reach.get(client) ?? null) === null ? subscription : null),
    authorizeForward: (_client, packet: AedesPublishPacket) => packet,
  })
  broker.on('clientError', (client, error) =>
    log.info('MQTT client cut', { client: client.id, error: error.message }),
  )
  broker.on('connectionError', (_client, error) =>
    log.info('MQTT connection failed', { error: error.message }),
  )
  return broker
}

function refused(): AuthenticateError {
  // 5: not authorised (MQTT 3.1.1, table 3.1)
  return Object.assign(new Error('The API key is not known.'), { returnCode: 5 })
}

function listen(server: Server, options: BrokerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const { host, port } = options
      const taken = new HomeostatError('port_taken', { host, port, option: '--mqtt-port N' }, error)
      reject(error.code === 'EADDRINUSE' ? taken : error)
    })
    server.listen(options.port, options.host, resolve)
  })
}
