import type { FastifyInstance } from 'fastify'
import type { WebSocket } from 'ws'
import { type LiveMessage, liveRoutes, type SensorUpdate } from '../contract/live.ts'
import type { Caller, Frozen } from '../contract/route.ts'
import { forecastJson } from '../core/forecast.ts'
import type { Reading } from '../core/reading.ts'
import { SeriesMap } from '../core/series.ts'
import type { News } from '../engine/feed.ts'
import { isStillValid } from './auth.ts'
import { type Hub, within } from './hub.ts'
import { type Mount, policyViolation, type SocketCaller, tryAgainLater } from './mount.ts'
import { shownChange } from './routes/incidents.ts'
import { sendSnapshot } from './snapshot.ts'
import { ofSites } from './target.ts'

/** Listeners have little to say; the limit for frames of readings is higher. */
const messageBytesMax = 64 * 1024
/** WebSocket close code 1009: message too big (RFC 6455). */
const messageTooBig = 1009

interface Client {
  readonly socket: WebSocket
  /** null: all sites. */
  readonly sites: readonly string[] | null
  readonly caller: Caller
  /** Bytes of the page of the snapshot that is being sent, which may wait beside the news. */
  snapshotBytes: number
  /** What a snapshot of one page showed, until the first delta: a turn that was on its way then may bring it again. */
  shown?: readonly Reading[] | undefined
}

/** How long a client whose right ended may go on listening to silence. */
const sweepMs = 2000

/** The two live channels. Each serialises a message once for all of its clients; a client that does not drain is cut. */
export async function registerLive(scope: FastifyInstance, hub: Hub, mount: Mount): Promise<void> {
  const everybody = new Set<Client>()
  const sensors = new Channel(hub, everybody)
  const live = new Channel(hub, everybody)
  const unsubscribe = hub.engine.feed.subscribe((news) => {
    if (sensors.size > 0 && news.kind === 'readings') {
      for (const reading of news.readings)
        sensors.send(reading.site, () => JSON.stringify(toSensorUpdate(reading)))
    }
    if (live.size > 0) sendNews(live, news, hub.engine.clock.now())
  })
  // a feed may be silent for long
  const sweep = setInterval(() => {
    for (const channel of [sensors, live]) channel.endRevoked()
  }, sweepMs)
  scope.addHook('onClose', async () => {
    unsubscribe()
    clearInterval(sweep)
  })

  const answer = (socket: WebSocket, caller: SocketCaller): void => {
    const client = sensors.admit(socket, caller)
    if (client)
      socket.on('message', (data) => sensors.deliver(client, JSON.stringify(answerTo(String(data)))))
  }
  mount.socket(scope, liveRoutes.sensors, answer, { seed: true })

  mount.socket(scope, liveRoutes.live, (socket, caller) => {
    const client = live.admit(socket, caller)
    if (!client) return
    sendSnapshot(hub.engine, client, (text, sent) => live.deliver(client, text, sent))
  })
}

class Channel {
  readonly #hub: Hub
  readonly #clients = new Set<Client>()
  /** Clients of all channels. */
  readonly #everybody: Set<Client>

  constructor(hub: Hub, everybody: Set<Client>) {
    this.#hub = hub
    this.#everybody = everybody
  }

  get size(): number {
    return this.#clients.size
  }

  /** Undefined where there are too many clients; its socket is then closed. */
  admit(socket: WebSocket, { caller, sites }: SocketCaller): Client | undefined {
    if (this.#everybody.size >= this.#hub.limits.liveClients) {
      socket.close(tryAgainLater, 'too many live clients')
      return undefined
    }
    const client: Client = { socket, sites, caller, snapshotBytes: 0 }
    this.#clients.add(client)
    this.#everybody.add(client)
    socket.on('close', () => this.#forget(client))
    socket.on('message', (data) => {
      if (Buffer.byteLength(String(data)) > messageBytesMax)
        socket.close(messageTooBig, 'the message is too long')
    })
    return client
  }

  /** To every client that may see the site. `make` runs at most once. */
  send(site: string, make: () => string): void {
    let text: string | undefined
    for (const client of this.#clients) {
      if (client.sites !== null && !client.sites.includes(site)) continue
      text ??= make()
      this.deliver(client, text)
    }
  }

  /** To every client, cut to what it may see; `make` runs once for each distinct reach, and for each new client. */
  sendEach(make: (client: Client) => string | undefined): void {
    const byReach = new Map<unknown, string | undefined>()
    for (const client of this.#clients) {
      const reach = client.shown ? client : JSON.stringify(client.sites)
      if (!byReach.has(reach)) byReach.set(reach, make(client))
      const text = byReach.get(reach)
      if (text !== undefined) this.deliver(client, text)
    }
  }

  /** Cuts a client that does not drain, or whose key was revoked. */
  deliver(client: Client, text: string, sent?: (error?: Error) => void): void {
    const { socket, caller, snapshotBytes } = client
    if (socket.bufferedAmount > this.#hub.limits.clientBufferBytes + snapshotBytes) {
      this.#forget(client)
      socket.terminate()
    } else if (!isStillValid(caller, this.#hub)) this.#end(client)
    else socket.send(text, sent)
  }

  /** Cuts those whose key was revoked, or whose session has ended. */
  endRevoked(): void {
    for (const client of this.#clients) if (!isStillValid(client.caller, this.#hub)) this.#end(client)
  }

  #end(client: Client): void {
    this.#forget(client)
    const what = client.caller.kind === 'key' ? 'the API key was revoked' : 'the session has ended'
    client.socket.close(policyViolation, what)
  }

  #forget(client: Client): void {
    this.#clients.delete(client)
    this.#everybody.delete(client)
  }
}

function sendNews(live: Channel, news: News, at: number): void {
  live.sendEach((client) => {
    const { sites } = client
    switch (news.kind) {
      case 'readings':
        return some(unseen(within(news.readings, sites), client), (readings) => ({
          type: 'delta',
          at,
          readings,
        }))
      case 'predictions':
        return some(ofSites(news.predictions, sites), (predictions) => ({ type: 'predictions', predictions }))
      case 'forecasts':
        return some(ofSites(news.forecasts, sites), (forecasts) => ({
          type: 'forecasts',
          forecasts: forecasts.map(forecastJson),
        }))
      case 'alerts':
        return some(ofSites(news.alerts, sites), (alerts) => ({ type: 'alerts', alerts }))
      case 'incidents':
        return some(
          news.changes.filter(({ incident }) => sites === null || sites.includes(incident.target.site)),
          (changes) => ({ type: 'incidents', changes: changes.map(shownChange) }),
        )
      case 'commands':
        return undefined
      case 'devices':
        return sites === null || sites.includes(news.site)
          ? encode({ type: 'devices', site: news.site, removed: news.removed })
          : undefined
      case 'site_removed':
        return sites === null || sites.includes(news.site)
          ? encode({ type: 'site_removed', site: news.site })
          : undefined
    }
  })
}

/** Windows run a commit ahead of the feed: of the first delta, what the snapshot showed already is left out. */
function unseen(readings: readonly Reading[], client: Client): readonly Reading[] {
  if (!client.shown) return readings
  const shown = new SeriesMap<Reading>()
  for (const reading of client.shown) shown.set(reading, reading)
  client.shown = undefined
  return readings.filter((reading) => {
    const known = shown.get(reading)
    return known?.at !== reading.at || known.value !== reading.value
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
