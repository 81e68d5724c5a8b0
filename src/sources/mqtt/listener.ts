import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '../../core/ports.ts'
import { minuteMs } from '../../core/time.ts'
import { isAlertTopic } from './mapping.ts'
import { covers } from './patterns.ts'
import type { TopicReader } from './reader.ts'

export interface ListenerOptions {
  readonly url: string
  readonly username?: string | undefined
  readonly password?: string | undefined
  readonly clientId: string
  readonly reconnectMs: number
  /** Filters of what is listened to beside the topics that are read; none: nothing is. */
  readonly listenTo: readonly string[]
  /** Messages of a minute; then nothing more is listened to until it ends. */
  readonly listenMessages: number
  readonly log: Log
}

const cachedTopicsMax = 10_000

/**
 * Hears topics of an external broker that nothing reads, to list them. On a connection of its own, at QoS 0 and without a
 * session: a wide filter on the one that reads would fill the broker's queue for a hub that is away with messages of
 * no use.
 */
export async function listen(
  options: ListenerOptions,
  topics: TopicReader,
  signal: AbortSignal,
): Promise<void> {
  const { url, username, password, clientId, reconnectMs, listenTo, listenMessages, log } = options
  if (listenTo.length === 0) return
  const { connect } = await import('mqtt')
  if (signal.aborted) return
  const client = connect(url, {
    ...{ clientId: `${clientId}-listen`, clean: true, reconnectPeriod: reconnectMs, resubscribe: false },
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
  })
  const known = new KnownTopics(topics)
  const subscribe = (): void => {
    client.subscribeAsync([...listenTo], { qos: 0 }).then(
      (granted) => {
        const refused = granted.filter(({ qos }) => qos > 2).map(({ topic }) => topic)
        if (refused.length > 0)
          log.info('The MQTT broker does not let the hub listen to all topics.', {
            refused: refused.join(', '),
          })
      },
      () => undefined,
    )
  }
  let heard = 0
  let isPaused = false
  client.on('connect', () => {
    if (!isPaused) subscribe()
  })
  // the reading connection reports what is wrong
  client.on('error', () => undefined)
  client.on('message', (topic, payload, { retain }) => {
    heard++
    if (heard > listenMessages && !isPaused) {
      isPaused = true
      client.unsubscribeAsync([...listenTo]).catch(() => undefined)
    }
    if (!isPaused && !known.has(topic)) topics.noteUnmapped(topic, payload, retain)
  })
  while (!signal.aborted) {
    await sleep(minuteMs, undefined, { signal }).catch(() => undefined)
    heard = 0
    if (isPaused && client.connected) subscribe()
    isPaused = false
  }
  known.close()
  await client.endAsync(true)
}

/** Topics that are read, or that the reading connection hears anyway. */
class KnownTopics {
  readonly #topics: TopicReader
  readonly #known = new Map<string, boolean>()
  #filters: readonly (readonly string[])[] = []
  readonly close: () => void

  constructor(topics: TopicReader) {
    this.#topics = topics
    const renew = (): void => {
      this.#known.clear()
      this.#filters = []
    }
    this.close = topics.onChange(renew)
  }

  has(topic: string): boolean {
    const found = this.#known.get(topic)
    if (found !== undefined) return found
    if (this.#filters.length === 0) this.#filters = this.#topics.filters().map((filter) => filter.split('/'))
    const levels = topic.split('/')
    const isKnown =
      topic.startsWith('homeostat/canary/') ||
      isAlertTopic(topic) ||
      this.#filters.some((filter) => covers(filter, levels))
    if (this.#known.size >= cachedTopicsMax) this.#known.clear()
    this.#known.set(topic, isKnown)
    return isKnown
  }
}
