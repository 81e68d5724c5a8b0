import type { IPublishPacket, MqttClient, Packet } from 'mqtt'
import { generate } from 'mqtt-packet'
import type { Log, MqttLink, MqttSource } from '../../core/ports.ts'
import { Gather } from './gather.ts'
import { listen } from './listener.ts'
import { isAlertTopic, type TopicMapping } from './mapping.ts'
import { TopicReader } from './reader.ts'
import { Copies, Subscriptions } from './subscriptions.ts'

export interface ExternalOptions {
  /** mqtt://, mqtts://, ws:// or wss:// of a broker such as Mosquitto or EMQX. */
  readonly url: string
  readonly username?: string | undefined
  readonly password?: string | undefined
  /** Fixed, so that the broker keeps the session of this hub while it is away. */
  readonly clientId: string
  readonly mappings: readonly TopicMapping[]
  readonly payloadBytes: number
  /** Reads the messages; default: one with these mappings and no profiles. */
  readonly topics?: TopicReader
  /** What is listened to beside what is read; default: nothing. */
  readonly listenTo?: readonly string[]
  /** Messages of a minute that are listened to; default 10,000. */
  readonly listenMessages?: number
  readonly batchReadings: number
  /** Time between two canary messages. */
  readonly canaryMs?: number
  readonly reconnectMs?: number
  readonly log: Log
}

/** After this many rounds without any message, not even the canary, the connection counts as deaf. */
const canaryRoundsMax = 3

/** Rows that may wait for their commit, in batches; then the socket is not read further. */
const waitingBatchesMax = 4

const reconnectMsUsual = 2000

/**
 * Subscribes to an external broker with a persistent session at QoS 1. A message is acknowledged after its commit.
 * Ready means that a message came through on this connection: a canary that it sends to itself, if no other.
 *
 * The library answers messages strictly one after the other, which would make one commit per message. So a QoS 1
 * message is shown to it as QoS 0 (it then answers nothing), and its PUBACK is written here, after the commit.
 */
export function createExternalSource(options: ExternalOptions): MqttSource {
  const state: State = {
    connected: false,
    subscribed: false,
    heard: false,
    busy: false,
    silentRounds: 0,
    detail: 'connecting',
  }
  const canary = `homeostat/canary/${options.clientId}`
  const { mappings, payloadBytes } = options
  const topics = options.topics ?? new TopicReader({ mappings, payloadBytes })
  let connection: MqttClient | undefined
  const link: MqttLink = {
    async publish(topic, payload, sent) {
      if (!connection?.connected) throw new Error(`There is no connection to ${withoutSecrets(options.url)}.`)
      await connection.publishAsync(topic, payload, sent)
    },
  }

  return {
    name: 'mqtt',
    link,
    health: () => {
      const deaf = state.connected && state.silentRounds >= canaryRoundsMax
      const ready = state.connected && state.subscribed && state.heard && !deaf
      if (ready) return { ready, detail: `subscribed at ${withoutSecrets(options.url)}` }
      const why = `connected but deaf: neither its own messages on ${canary} come back nor any others`
      return { ready, detail: deaf ? why : state.detail }
    },
    async run(emit, signal) {
      const gather = new Gather(emit, options.batchReadings)
      const client = await open(options)
      connection = client
      const copies = new Copies()
      hear({ client, options, gather, canary, state, signal, topics, copies })
      const stopWatching = watch({ client, options, canary, state, topics, copies })
      const listening = listenBeside(options, topics, signal)
      await sendCanaries(client, canary, options.canaryMs ?? 10_000, state, signal)
      stopWatching()
      await listening
      await gather.drained()
      connection = undefined
      await client.endAsync()
      Object.assign(state, { connected: false, subscribed: false, heard: false, detail: 'stopped' })
    },
  }
}

/** Does not wait for the broker, and goes on trying: it may come up after the hub, or learn its password later. */
async function open(options: ExternalOptions): Promise<MqttClient> {
  const { url, username, password, clientId, reconnectMs = reconnectMsUsual } = options
  // loaded here: most hubs have their own broker and need no client
  const { connect } = await import('mqtt')
  return connect(url, {
    clientId,
    clean: false,
    reconnectPeriod: reconnectMs,
    reconnectOnConnackError: true,
    resubscribe: false,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
  })
}

interface State {
  connected: boolean
  subscribed: boolean
  /** A message came on this connection. */
  heard: boolean
  /** The socket is not read, since too much waits for its commit. */
  busy: boolean
  /** Canary rounds since the last message, also over reconnections. */
  silentRounds: number
  detail: string
}

function listenBeside(options: ExternalOptions, topics: TopicReader, signal: AbortSignal): Promise<void> {
  const { reconnectMs = reconnectMsUsual, listenTo = [], listenMessages = 10_000 } = options
  return listen({ ...options, reconnectMs, listenTo, listenMessages }, topics, signal)
}

interface Watched {
  readonly client: MqttClient
  readonly options: ExternalOptions
  readonly canary: string
  readonly state: State
  readonly topics: TopicReader
  readonly copies: Copies
}

/** Devices that describe themselves come in a flood; then the broker is asked once. */
const subscribeAfterMs = 100

/** Subscribes on each connection, and when other topics are wanted. Returns what ends that. */
function watch({ client, options, canary, state, topics, copies }: Watched): () => void {
  const { log } = options
  const subscriptions = new Subscriptions(client)
  let logged = ''
  const fail = (what: string, error: unknown): void => {
    state.detail = `${what}: ${sentence(error)}`
    // an attempt every two seconds is one line in the log, not one each
    if (state.detail !== logged) log.warn('The MQTT broker cannot be used.', { error: state.detail })
    logged = state.detail
  }
  const subscribe = async (): Promise<boolean> => {
    const filters = [...topics.filters(), canary]
    copies.use(filters)
    const refused = await subscriptions.bring(filters)
    if (refused.length > 0) fail('the broker refuses to subscribe', refused.join(', '))
    return refused.length === 0
  }
  client.on('connect', () => {
    state.connected = true
    state.detail = 'subscribing'
    subscriptions.forget()
    subscribe().then(
      (isGranted) => {
        if (!isGranted) return
        logged = ''
        state.subscribed = true
        state.detail = 'waiting for its own first message'
        client.publish(canary, '0', { qos: 0 })
      },
      (error: unknown) => fail('the broker refuses to subscribe', error),
    )
  })
  client.on('close', () => {
    // where there was no connection, the error names the reason
    if (state.connected) state.detail = 'connection lost, trying again'
    state.connected = false
    state.subscribed = false
    state.heard = false
  })
  client.on('error', (error) => fail(withoutSecrets(options.url), error))
  let timer: NodeJS.Timeout | undefined
  const stopListening = topics.onChange(() => {
    timer ??= setTimeout(() => {
      timer = undefined
      // a connection that breaks meanwhile subscribes when it is back
      if (client.connected) subscribe().catch(() => undefined)
    }, subscribeAfterMs)
  })
  return () => {
    stopListening()
    clearTimeout(timer)
  }
}

interface Heard extends Watched {
  readonly gather: Gather
  readonly signal: AbortSignal
}

function hear({ client, options, gather, canary, state, signal, topics, copies }: Heard): void {
  const received = new WeakMap<object, Due>()
  client.on('packetreceive', (packet: Packet) => {
    if (packet.cmd !== 'publish' || packet.qos !== 1 || packet.messageId === undefined) return
    received.set(packet, { messageId: packet.messageId, stream: client.stream })
    packet.qos = 0
  })
  client.on('message', (topic: string, payload: Buffer, packet: IPublishPacket) => {
    // a hub that stops does not answer: the broker keeps the message
    if (signal.aborted) return
    state.heard = true
    state.silentRounds = 0
    const due = received.get(packet)
    const isOwn = topic === canary || isAlertTopic(topic)
    if (isOwn || copies.isCopy(topic, payload, performance.now())) return acknowledge(client, due)
    const rows = topics.read(topic, payload, packet.retain)
    if (!rows) return acknowledge(client, due)
    gather.add(rows, (error) => {
      if (!error) acknowledge(client, due)
      // not stored: break the connection, so that the broker sends it again
      else client.stream.destroy()
    })
  })
  client.handleMessage = (_packet, done) => {
    state.busy = true
    gather.whenBelow(waitingBatchesMax * options.batchReadings, () => {
      state.busy = false
      done()
    })
  }
}

/** An acknowledgement that a message waits for, and the connection that it came on. */
interface Due {
  readonly messageId: number
  readonly stream: MqttClient['stream']
}

/** Nothing where the connection is another one by now: there the broker sends the message again. */
function acknowledge(client: MqttClient, due: Due | undefined): void {
  if (!due || due.stream !== client.stream || !client.connected) return
  const { stream, messageId } = due
  // the acknowledgements of one commit leave together
  if (stream.writableCorked === 0) {
    stream.cork()
    process.nextTick(() => stream.uncork())
  }
  stream.write(generate({ cmd: 'puback', messageId }))
}

/** Publishes the canary each round until the signal aborts, and reconnects after several rounds without a message. */
async function sendCanaries(
  client: MqttClient,
  canary: string,
  canaryMs: number,
  state: State,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await pause(canaryMs, signal)
    if (signal.aborted || !state.subscribed || state.busy) continue
    state.silentRounds++
    if (state.silentRounds % (canaryRoundsMax + 1) === 0) client.stream.destroy()
    else client.publish(canary, String(state.silentRounds), { qos: 0 })
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal.addEventListener('abort', done, { once: true })
  })
}

/** Errors of several addresses at once have a code and no message. */
function sentence(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.message || ('code' in error ? String(error.code) : error.name)
}

const withoutSecrets = (url: string): string => url.replace(/\/\/.*@/, '//')
