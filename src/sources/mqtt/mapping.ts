import { isUtf8 } from 'node:buffer'
import { HomeostatError, type Problem, problem } from '../../core/errors.ts'
import type { RawReading } from '../../core/reading.ts'

/** How messages of some topics become readings. */
export interface TopicMapping {
  /**
   * MQTT topic filter whose levels may be placeholders: `{site}`, `{room}`, `{device}`, `{metric}`; `+` and a
   * closing `#` as in MQTT. Example: `zigbee2mqtt/{device}`.
   */
  readonly topic: string
  /** `json`: an object; `number`: the bare value (also on, off, open...). */
  readonly payload: 'json' | 'number'
  /** Where in the object each part is, dots for depth. What is absent there comes from the topic. */
  readonly fields?: FieldPaths | undefined
  /** Several values in one object: key -> metric and its unit. Then `fields.value` and `fields.metric` are not used. */
  readonly metrics?:
    | Readonly<Record<string, { readonly metric: string; readonly unit?: string | undefined }>>
    | undefined
}

type FieldPaths = { readonly [Part in ReadingPart]?: string | undefined }

type ReadingPart = 'site' | 'room' | 'device' | 'metric' | 'value' | 'unit' | 'at'

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

type TopicParts = Partial<Record<ReadingPart, string>>
type Decode = (payload: Buffer) => RawReading[]

const cachedTopicsMax = 10_000

/** Topics on which the hub publishes its alerts: never readings, whatever the mappings are. */
export const isAlertTopic = (topic: string): boolean => /^homeostat\/[^/]+\/alerts$/.test(topic)

/**
 * Finds the mapping of a topic and decodes its payloads. The first mapping that fits is taken.
 * The constructor throws `config_invalid` for a topic that is no filter.
 */
export class TopicMap {
  /** What to subscribe to, without filters that another one covers: brokers deliver once for each that fits. */
  readonly filters: readonly string[]
  readonly #mappings: readonly { readonly levels: readonly string[]; readonly mapping: TopicMapping }[]
  readonly #decoders = new Map<string, Decode | null>()
  readonly #payloadBytes: number

  constructor(mappings: readonly TopicMapping[], payloadBytes: number) {
    this.#mappings = mappings.map((mapping) => ({ levels: mapping.topic.split('/'), mapping }))
    for (const { levels } of this.#mappings) checkPattern(levels)
    this.filters = withoutCovered(this.#mappings.map(({ levels }) => levels))
    this.#payloadBytes = payloadBytes
  }

  /** Null where no mapping fits: the message is none of ours. */
  decoder(topic: string): Decode | null {
    const known = this.#decoders.get(topic)
    if (known !== undefined) return known
    const decode = this.#find(topic)
    if (this.#decoders.size >= cachedTopicsMax) this.#decoders.clear()
    this.#decoders.set(topic, decode)
    return decode
  }

  #find(topic: string): Decode | null {
    const levels = topic.split('/')
    for (const { levels: pattern, mapping } of this.#mappings) {
      const parts = match(pattern, levels)
      if (parts) return (payload) => decode(mapping, parts, payload, this.#payloadBytes)
    }
    return null
  }
}

const placeholders: readonly string[] = ['{site}', '{room}', '{device}', '{metric}']

function checkPattern(levels: readonly string[]): void {
  const wrong = levels.find((level, index) => {
    if (level === '#') return index < levels.length - 1
    return /[#+{}]/.test(level) && level !== '+' && !placeholders.includes(level)
  })
  if (wrong === undefined) return
  const detail = `in the topic "${levels.join('/')}", "${wrong}" is none of a name, +, a closing # and ${placeholders.join(', ')}`
  throw new HomeostatError('config_invalid', { where: 'mqtt.mappings', detail })
}

function withoutCovered(patterns: readonly (readonly string[])[]): string[] {
  const topics = patterns.map((levels) =>
    levels.map((level) => (level.startsWith('{') ? '+' : level)).join('/'),
  )
  const filters = [...new Set(topics)].map((topic) => topic.split('/'))
  return filters
    .filter((one) => !filters.some((other) => other !== one && covers(other, one)))
    .map((levels) => levels.join('/'))
}

/** Whether all topics of the filter `narrow` are also topics of `wide`. */
export function covers(wide: readonly string[], narrow: readonly string[]): boolean {
  // a wildcard in front leaves out topics of the broker itself (MQTT 3.1.1, section 4.7.2)
  if (/^[#+]$/.test(wide[0] ?? '') && narrow[0]?.startsWith('$')) return false
  for (const [index, level] of wide.entries()) {
    if (level === '#') return true
    const other = narrow[index]
    if (other === undefined || other === '#') return false
    if (level !== '+' && level !== other) return false
  }
  return wide.length === narrow.length
}

function match(pattern: readonly string[], levels: readonly string[]): TopicParts | undefined {
  const parts: TopicParts = {}
  for (const [index, level] of pattern.entries()) {
    if (level === '#') return parts
    const got = levels[index]
    if (got === undefined) return undefined
    const name = /^\{(\w+)\}$/.exec(level)?.[1]
    if (name) parts[name as ReadingPart] = got
    else if (level !== '+' && level !== got) return undefined
  }
  return pattern.length === levels.length ? parts : undefined
}

function decode(mapping: TopicMapping, parts: TopicParts, payload: Buffer, limit: number): RawReading[] {
  if (payload.length > limit) {
    const fault = problem('payload_too_large', { bytes: payload.length, limit })
    return [{ source: 'mqtt', fault, payload: payload.toString('utf8', 0, 1024) }]
  }
  const text = payload.toString('utf8')
  if (!isUtf8(payload)) {
    const fault = problem('payload_not_json', { detail: 'it is not UTF-8' })
    return [{ source: 'mqtt', fault, payload: text }]
  }
  if (mapping.payload === 'number') return [{ source: 'mqtt', ...parts, value: text, payload: text }]
  let message: unknown
  try {
    message = JSON.parse(text)
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error)
    return [{ source: 'mqtt', fault: problem('payload_not_json', { detail }), payload: text }]
  }
  if (typeof message !== 'object' || message === null || Array.isArray(message)) {
    const got = message === null ? 'null' : Array.isArray(message) ? 'a list' : `a ${typeof message}`
    return [{ source: 'mqtt', fault: problem('reading_not_object', { got }), payload: text }]
  }
  const fields = mapping.fields ?? {}
  return mapping.metrics
    ? severalValues(fields, mapping.metrics, parts, message, text)
    : [oneValue(fields, parts, message, text)]
}

function oneValue(fields: FieldPaths, parts: TopicParts, message: object, payload: string): RawReading {
  // one literal: 40,000 of them a second are built here, and spreading costs as much as parsing the JSON
  const raw: RawReading = {
    source: 'mqtt',
    site: part('site', fields, parts, message),
    device: part('device', fields, parts, message),
    metric: part('metric', fields, parts, message),
    value: part('value', fields, parts, message),
    unit: part('unit', fields, parts, message),
    at: part('at', fields, parts, message),
    room: part('room', fields, parts, message),
    payload,
  }
  const { device, metric, value } = raw
  if (device !== undefined && metric !== undefined && value !== undefined) return raw
  const missing = device === undefined ? 'device' : metric === undefined ? 'metric' : 'value'
  return { ...raw, fault: fieldMissing(missing, fields) }
}

function severalValues(
  fields: FieldPaths,
  metrics: NonNullable<TopicMapping['metrics']>,
  parts: TopicParts,
  message: object,
  payload: string,
): RawReading[] {
  const site = part('site', fields, parts, message)
  const device = part('device', fields, parts, message)
  const at = part('at', fields, parts, message)
  const room = part('room', fields, parts, message)
  const rows: RawReading[] = []
  for (const [key, { metric, unit }] of Object.entries(metrics)) {
    const value = pick(message, key)
    // a device that leaves a value out has nothing to say of it now
    if (value === undefined || value === null) continue
    const raw: RawReading = { source: 'mqtt', site, device, metric, value, unit, at, room, payload }
    rows.push(device === undefined ? { ...raw, fault: fieldMissing('device', fields) } : raw)
  }
  return rows
}

/** Names the sender's own field, not ours. */
const fieldMissing = (name: ReadingPart, fields: FieldPaths): Problem =>
  problem('field_missing', { field: fields[name] ?? name })

/** The payload says more of a reading than its topic. */
const part = (name: ReadingPart, fields: FieldPaths, parts: TopicParts, message: object): unknown =>
  pick(message, fields[name] ?? name) ?? parts[name]

/** Own properties only, so that a message cannot reach into prototypes. */
function pick(message: object, path: string): unknown {
  if (Object.hasOwn(message, path)) return (message as Record<string, unknown>)[path]
  if (!path.includes('.')) return undefined
  let value: unknown = message
  for (const key of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined
    value = (value as Record<string, unknown>)[key]
  }
  return value
}
