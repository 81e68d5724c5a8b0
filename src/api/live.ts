import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { WebSocket } from 'ws'
import type { LiveMessage, SensorUpdate } from '../contract/live.ts'
import type { Frozen } from '../contract/routes.ts'
import type { Reading } from '../core/reading.ts'
import type { News } from '../engine/feed.ts'
import { authorise, identify, reachOf } from './auth.ts'
import { type Hub, within } from './hub.ts'

interface Client {
  readonly socket: WebSocket
  /** null: all sites. */
  readonly sites: readonly string[] | null
}

/** Close codes: 1008 policy (RFC 6455), 1013 try again later. */
const closeCodes = { policy: 1008, tryAgain: 1013 } as const

/** The two live channels. Each serialises a message once for all of its clients; a client that does not drain is cut. */
export async function registerLive(scope: FastifyInstance, hub: Hub): Promise<void> {
  const sensors = new Channel(hub)
  const live = new Channel(hub)
  const unsubscribe = hub.engine.feed.subscribe((news) => {
    if (sensors.size > 0 && news.kind === 'readings') {
      for (const reading of news.readings)
        sensors.send(reading.site, () => JSON.stringify(toSensorUpdate(reading)))
    }
    if (live.size > 0) sendNews(live, news, hub.engine.clock.now())
  })
  scope.addHook('onClose', async () => {
    unsubscribe()
  })

  scope.get('/ws/sensors', { websocket: true, schema: { hide: true } }, (socket, request) => {
    if (!sensors.admit(socket, request)) return
    socket.on('message', (data) => {
      socket.send(JSON.stringify(answerTo(String(data))))
    })
  })

  scope.get('/api/v1/live', { websocket: true, schema: { hide: true } }, (socket, request) => {
    const client = live.admit(socket, request)
    if (!client) return
    const readings = within(hub.engine.latest(), client.sites)
    socket.send(encode({ type: 'snapshot', at: hub.engine.clock.now(), readings }))
  })
}

class Channel {
  readonly #hub: Hub
  readonly #clients = new Set<Client>()

  constructor(hub: Hub) {
    this.#hub = hub
  }

  get size(): number {
    return this.#clients.size
  }

  /** Undefined where the client was refused and its socket closed. */
  admit(socket: WebSocket, request: FastifyRequest): Client | undefined {
    socket.on('error', () => socket.terminate())
    let sites: readonly string[] | null
    try {
      const caller = identify(request, this.#hub)
      const { site } = request.query as { site?: string }
      authorise(caller, { role: 'viewer', scope: 'query' }, site)
      sites = reachOf(caller, site)
    } catch (error) {
      socket.close(closeCodes.policy, error instanceof Error ? error.message.slice(0, 120) : '')
      return undefined
    }
    if (this.#clients.size >= this.#hub.limits.liveClients) {
      socket.close(closeCodes.tryAgain, 'too many live clients')
      return undefined
    }
    const client = { socket, sites }
    this.#clients.add(client)
    socket.on('close', () => this.#clients.delete(client))
    return client
  }

  /** To every client that may see the site. `make` runs at most once. */
  send(site: string, make: () => string): void {
    let text: string | undefined
    for (const client of this.#clients) {
      if (client.sites !== null && !client.sites.includes(site)) continue
      text ??= make()
      this.#deliver(client, text)
    }
  }

  /** To every client, cut to what it may see; `make` runs once for each distinct reach. */
  sendEach(make: (sites: readonly string[] | null) => string | undefined): void {
    const byReach = new Map<string, string | undefined>()
    for (const client of this.#clients) {
      const reach = JSON.stringify(client.sites)
      if (!byReach.has(reach)) byReach.set(reach, make(client.sites))
      const text = byReach.get(reach)
      if (text !== undefined) this.#deliver(client, text)
    }
  }

  #deliver(client: Client, text: string): void {
    if (client.socket.bufferedAmount > this.#hub.limits.clientBufferBytes) {
      this.#clients.delete(client)
      client.socket.terminate()
      return
    }
    client.socket.send(text)
  }
}

function sendNews(live: Channel, news: News, at: number): void {
  live.sendEach((sites) => {
    switch (news.kind) {
      case 'readings':
        return some(within(news.readings, sites), (readings) => ({ type: 'delta', at, readings }))
      case 'predictions':
        return some(within(news.predictions, sites), (predictions) => ({ type: 'predictions', predictions }))
      case 'forecasts':
        return some(within(news.forecasts, sites), (forecasts) => ({ type: 'forecasts', forecasts }))
      case 'alerts':
        return some(within(news.alerts, sites), (alerts) => ({ type: 'alerts', alerts }))
      case 'site_removed':
        return sites === null || sites.includes(news.site)
          ? encode({ type: 'site_removed', site: news.site })
          : undefined
    }
  })
}

const encode = (message: Frozen<LiveMessage>): string => JSON.stringify(message)

const some = <Item>(
  items: readonly Item[],
  message: (items: readonly Item[]) => Frozen<LiveMessage>,
): string | undefined => (items.length === 0 ? undefined : encode(message(items)))

/** Seed D: type and id of a sensor are our metric and device. */
function toSensorUpdate(reading: Reading): SensorUpdate {
  return {
    type: 'sensor_update',
    data: {
      sensor_type: reading.metric,
      sensor_id: reading.device,
      value: reading.value,
      unit: reading.unit,
      location: reading.room ?? '',
      timestamp: new Date(reading.at).toISOString(),
    },
  }
}

function answerTo(text: string): { type: string; message: string } {
  try {
    JSON.parse(text)
    return { type: 'echo', message: 'Message received' }
  } catch {
    return { type: 'error', message: 'Invalid JSON' }
  }
}
