import { connect, type IPublishPacket, type MqttClient, type Packet } from 'mqtt'
import { generate } from 'mqtt-packet'
import type { Log, SourceAdapter } from '../../core/ports.ts'
import { Gather } from './gather.ts'
import { TopicMap, type TopicMapping } from './mapping.ts'

export interface ExternalOptions {
  /** mqtt://, mqtts://, ws:// or wss:// of a broker such as Mosquitto or EMQX. */
  readonly url: string
  readonly username?: string | undefined
  readonly password?: string | undefined
  /** Fixed, so that the broker keeps the session of this hub while it is away. */
  readonly clientId: string
  readonly mappings: readonly TopicMapping[]
  readonly payloadBytes: number
  readonly batchReadings: number
  readonly canaryMs?: number
  readonly log: Log
}

/** A canary that did not come back for so many rounds means: connected, but deaf. */
const canaryRoundsMax = 3

/**
 * Subscribes to an external broker with a persistent session at QoS 1. A message is acknowledged after its commit.
 *
 * The library answers messages strictly one after the other, which would make one commit per message. So a QoS 1
 * message is shown to it as QoS 0 (it then answers nothing), and its PUBACK is written here, after the commit.
 */
export function createExternalSource(options: ExternalOptions): SourceAdapter {
  const state: State = { connected: false, subscribed: false, canariesMissed: 0, detail: 'connecting' }
  const canaryMs = options.canaryMs ?? 10_000

  return {
    name: 'mqtt',
    health: () => {
      const deaf = state.canariesMissed >= canaryRoundsMax
      const ready = state.connected && state.subscribed && !deaf
      const why = deaf ? 'connected but deaf: its own canary message does not come back' : state.detail
      return { ready, detail: ready ? `subscribed at ${withoutSecrets(options.url)}` : why }
    },
    async run(emit, signal) {
      const gather = new Gather(emit, options.batchReadings)
      const client = open(options)
      const canary = `homeostat/canary/${options.clientId}`
      listen(client, options, gather, canary, () => {
        state.canariesMissed = 0
      })
      watch(client, options, canary, state)
      await sing(client, canary, canaryMs, state, signal)
      await gather.drained()
      await client.endAsync()
    },
  }
}

/** Returns at once and goes on trying: the broker may come up after the hub. */
function open({ url, username, password, clientId }: ExternalOptions): MqttClient {
  return connect(url, {
    clientId,
    clean: false,
    reconnectPeriod: 2000,
    resubscribe: false,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
  })
}

interface State {
  connected: boolean
  subscribed: boolean
  canariesMissed: number
  detail: string
}

function watch(client: MqttClient, options: ExternalOptions, canary: string, state: State): void {
  const filters = [...new TopicMap(options.mappings, 0).filters, canary]
  client.on('connect', () => {
    state.connected = true
    state.canariesMissed = 0
    client.subscribeAsync(filters, { qos: 1 }).then(
      (granted) => {
        const refused = granted.filter(({ qos }) => qos > 2).map(({ topic }) => topic)
        state.subscribed = refused.length === 0
        if (refused.length > 0) state.detail = `the broker refuses to subscribe ${refused.join(', ')}`
      },
      (error: unknown) => {
        state.detail = `subscription failed: ${error instanceof Error ? error.message : String(error)}`
      },
    )
  })
  client.on('close', () => {
    state.connected = false
    state.subscribed = false
    state.detail = 'connection lost, trying again'
  })
  client.on('error', (error) => {
    state.detail = error.message
    options.log.warn('The MQTT broker answers with an error.', { error: error.message })
  })
}

function listen(
  client: MqttClient,
  options: ExternalOptions,
  gather: Gather,
  canary: string,
  onCanary: () => void,
): void {
  const map = new TopicMap(options.mappings, options.payloadBytes)
  const received = new WeakMap<
    object,
    { readonly messageId: number; readonly stream: MqttClient['stream'] }
  >()
  client.on('packetreceive', (packet: Packet) => {
    if (packet.cmd !== 'publish' || packet.qos !== 1 || packet.messageId === undefined) return
    received.set(packet, { messageId: packet.messageId, stream: client.stream })
    packet.qos = 0
  })
  client.on('message', (topic: string, payload: Buffer, packet: IPublishPacket) => {
    const due = received.get(packet)
    // an acknowledgement belongs to its connection; on a new one the broker sends the message again
    const acknowledge = (): void => {
      if (due && due.stream === client.stream && client.connected) {
        due.stream.write(generate({ cmd: 'puback', messageId: due.messageId }))
      }
    }
    if (topic === canary) {
      onCanary()
      acknowledge()
      return
    }
    const decode = map.decoder(topic)
    if (!decode) return acknowledge()
    gather.add(decode(payload), (error) => {
      if (!error) acknowledge()
      // not stored: break the connection, so that the broker sends it again
      else client.stream.destroy()
    })
  })
}

async function sing(
  client: MqttClient,
  canary: string,
  canaryMs: number,
  state: State,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    if (client.connected) {
      state.canariesMissed++
      client.publish(canary, String(state.canariesMissed), { qos: 0 })
      if (state.canariesMissed > canaryRoundsMax) {
        state.canariesMissed = 1
        state.detail = 'deaf, connecting anew'
        client.stream.destroy()
      }
    }
    await new Promise<void>((resolve) => {
      const timer = setTimeout(done, canaryMs)
      function done(): void {
        clearTimeout(timer)
        signal.removeEventListener('abort', done)
        resolve()
      }
      signal.addEventListener('abort', done, { once: true })
    })
  }
}

const withoutSecrets = (url: string): string => url.replace(/\/\/[^@/]*@/, '//')
