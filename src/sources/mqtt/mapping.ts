import { isUtf8 } from 'node:buffer'
import { HomeostatError, type Problem, problem } from '../../core/errors.ts'
import type { RawReading } from '../../core/reading.ts'
import type { ReadingPart, TopicMapping } from '../../core/topics.ts'
import { localTime } from './local-time.ts'
import { filterOf, match, patternFault, type TopicParts, withoutCovered } from './patterns.ts'
import { isObject, leafPaths, parsePayload, pick } from './payload.ts'

export type { TopicMapping } from '../../core/topics.ts'

type FieldPaths = NonNullable<TopicMapping['fields']>

/** The form of seed D: HyperVolt/sensors/{location}/{sensor_type}, with everything in the payload as well. */
export const hypervoltMappings = (prefix: string): TopicMapping[] => {
  const fields = {
    device: 'sensor_id',
    metric: 'sensor_type',
    value: 'value',
    unit: 'unit',
    room: 'location',
    at: 'timestamp',
  }
  return [
    { topic: `${prefix}/{room}/{metric}`, payload: 'json', fields },
    { topic: `${prefix}/#`, payload: 'json', fields },
  ]
}

/** What times without an offset are converted with. `now` is UTC ms. */
export interface LocalTimes {
  /** IANA zone of a site as a message names it; of the hub's own where it names none. */
  zoneOf(site: unknown): string
  now(): number
}

const utc: LocalTimes = { zoneOf: () => 'UTC', now: () => Date.now() }

/** The mapping of one topic. */
export interface MappedTopic {
  decode(payload: Buffer): RawReading[]
  /** The fields of a payload that no metric takes. */
  unread(payload: Buffer): string[]
}

const cachedTopicsMax = 10_000

/** Topics on which the hub publishes its alerts: never readings, whatever the mappings are. */
export const isAlertTopic = (topic: string): boolean => /^homeostat\/[^/]+\/alerts$/.test(topic)

/**
 * Finds the mapping of a topic and decodes its payloads. The first mapping that fits is taken.
 * The constructor throws `config_invalid` for a topic that is no filter.
 */
export class TopicMap {
  /** What to subscribe to, without filters that another one covers. */
  readonly filters: readonly string[]
  readonly #mappings: readonly { readonly levels: readonly string[]; readonly mapping: TopicMapping }[]
  readonly #decoders = new Map<string, MappedTopic['decode'] | null>()
  readonly #payloadBytes: number
  readonly #times: LocalTimes

  constructor(mappings: readonly TopicMapping[], payloadBytes: number, times = utc) {
    for (const { topic } of mappings) {
      const detail = patternFault(topic)
      if (detail !== undefined) throw new HomeostatError('config_invalid', { where: 'mqtt.mappings', detail })
    }
    this.#mappings = mappings.map((mapping) => ({ levels: mapping.topic.split('/'), mapping }))
    this.filters = withoutCovered(this.#mappings.map(({ levels }) => filterOf(levels)))
    this.#payloadBytes = payloadBytes
    this.#times = times
  }

  /** Null where no mapping fits. */
  decoder(topic: string): MappedTopic['decode'] | null {
    const known = this.#decoders.get(topic)
    if (known !== undefined) return known
    const decode = this.find(topic)?.decode ?? null
    if (this.#decoders.size >= cachedTopicsMax) this.#decoders.clear()
    this.#decoders.set(topic, decode)
    return decode
  }

  /** Not cached. */
  find(topic: string): MappedTopic | undefined {
    const levels = topic.split('/')
    for (const { levels: pattern, mapping } of this.#mappings) {
      const parts = match(pattern, levels)
      if (!parts) continue
      const context = {
        ...{ mapping, topic, payloadBytes: this.#payloadBytes, times: this.#times },
        parts: { ...present(mapping.defaults ?? {}), ...parts },
      }
      return {
        decode: (payload) => decode(context, payload),
        unread: (payload) => unreadFields(mapping, payload),
      }
    }
    return undefined
  }
}

const present = (parts: object): TopicParts =>
  Object.fromEntries(Object.entries(parts).filter(([, value]) => value !== undefined))

interface Context {
  readonly mapping: TopicMapping
  readonly topic: string
  /** Parts from the topic, otherwise the defaults of the mapping. */
  readonly parts: TopicParts
  readonly payloadBytes: number
  readonly times: LocalTimes
}

function decode(context: Context, bytes: Buffer): RawReading[] {
  const { mapping, topic, parts } = context
  const fault = bytesFault(bytes, context.payloadBytes)
  const payload = fault ? bytes.toString('utf8', 0, keptOfFaulty) : bytes.toString('utf8')
  if (fault) return [{ source: 'mqtt', fault, topic, payload }]
  if (mapping.payload === 'number') return [{ source: 'mqtt', ...parts, value: payload, topic, payload }]
  let message: unknown
  try {
    message = JSON.parse(payload)
  } catch {
    const parsed = parsePayload(payload)
    if ('fault' in parsed) return [{ source: 'mqtt', fault: parsed.fault, topic, payload }]
    message = parsed.value
  }
  if (!isObject(message)) {
    const got = message === null ? 'null' : Array.isArray(message) ? 'a list' : `a ${typeof message}`
    return [{ source: 'mqtt', fault: problem('reading_not_object', { got }), topic, payload }]
  }
  return mapping.metrics
    ? severalValues(context, mapping.metrics, message, payload)
    : [oneValue(context, message, payload)]
}

const keptOfFaulty = 1024

/** Why the bytes cannot be read at all. */
export function bytesFault(payload: Buffer, limit: number): Problem | undefined {
  if (payload.length > limit) return problem('payload_too_large', { bytes: payload.length, limit })
  return isUtf8(payload) ? undefined : problem('payload_not_json', { detail: 'it is not UTF-8' })
}

function oneValue(context: Context, message: object, payload: string): RawReading {
  const { topic, parts } = context
  const fields = context.mapping.fields ?? {}
  // one literal: 40,000 of them a second are built here, and spreading costs as much as parsing the JSON
  const raw: RawReading = {
    source: 'mqtt',
    site: part('site', fields, parts, message),
    device: part('device', fields, parts, message),
    metric: part('metric', fields, parts, message),
    value: part('value', fields, parts, message),
    unit: part('unit', fields, parts, message),
    at: time(context, fields, message),
    room: part('room', fields, parts, message),
    topic,
    payload,
  }
  const { device, metric, value } = raw
  if (device !== undefined && metric !== undefined && value !== undefined) return raw
  const missing = device === undefined ? 'device' : metric === undefined ? 'metric' : 'value'
  return { ...raw, fault: fieldMissing(missing, fields) }
}

function severalValues(
  context: Context,
  metrics: NonNullable<TopicMapping['metrics']>,
  message: object,
  payload: string,
): RawReading[] {
  const { topic, parts } = context
  const fields = context.mapping.fields ?? {}
  const site = part('site', fields, parts, message)
  const device = part('device', fields, parts, message)
  const at = time(context, fields, message)
  const room = part('room', fields, parts, message)
  const rows: RawReading[] = []
  for (const [key, { metric, unit }] of Object.entries(metrics)) {
    const value = pick(message, key)
    // a device that leaves a value out has none now
    if (value === undefined || value === null) continue
    const raw: RawReading = { source: 'mqtt', site, device, metric, value, unit, at, room, topic, payload }
    rows.push(device === undefined ? { ...raw, fault: fieldMissing('device', fields) } : raw)
  }
  return rows
}

/** Names the sender's own field, not ours. */
const fieldMissing = (name: ReadingPart, fields: FieldPaths): Problem =>
  problem('field_missing', { field: fields[name] ?? name })

/** The payload counts more than its topic. */
const part = (name: ReadingPart, fields: FieldPaths, parts: TopicParts, message: object): unknown =>
  pick(message, fields[name] ?? name) ?? parts[name]

function time({ mapping, parts, times }: Context, fields: FieldPaths, message: object): unknown {
  const at = part('at', fields, parts, message)
  // the usual form, and no other needs a zone
  if (typeof at !== 'string' || at.endsWith('Z')) return at
  const zone = mapping.zone ?? times.zoneOf(part('site', fields, parts, message))
  return localTime(at, zone, times.now())
}

const readingParts: readonly ReadingPart[] = ['site', 'room', 'device', 'metric', 'value', 'unit', 'at']

/** Those of a payload that is an object; a path that is read covers what lies below it. */
function unreadFields({ payload: form, fields = {}, metrics }: TopicMapping, payload: Buffer): string[] {
  if (form === 'number') return []
  const parsed = parsePayload(payload.toString('utf8'))
  if ('fault' in parsed || !isObject(parsed.value)) return []
  const names = metrics ? readingParts.filter((name) => name !== 'value' && name !== 'metric') : readingParts
  const taken = [...names.map((name) => fields[name] ?? name), ...Object.keys(metrics ?? {})]
  return leafPaths(parsed.value).filter(
    (path) => !taken.some((read) => path === read || path.startsWith(`${read}.`)),
  )
}
