import type { RawReading } from './reading.ts'

/** How messages of some MQTT topics become readings. */
export interface TopicMapping {
  /**
   * MQTT topic filter whose levels may be placeholders: `{site}`, `{room}`, `{device}`, `{metric}`; `+` and a
   * closing `#` as in MQTT. Example: `zigbee2mqtt/{device}`.
   */
  readonly topic: string
  /** `json`: an object; `number`: the bare value (also on, off, open...). */
  readonly payload: 'json' | 'number'
  /** Where in the object each part is, dots for depth. What is absent there comes from the topic. */
  readonly fields?: { readonly [Part in ReadingPart]?: string | undefined } | undefined
  /** Several values in one object: key -> metric and its unit. Then `fields.value` and `fields.metric` are not used. */
  readonly metrics?:
    | Readonly<Record<string, { readonly metric: string; readonly unit?: string | undefined }>>
    | undefined
  /** Used where neither payload nor topic has the part. */
  readonly defaults?: { readonly [Part in DefaultPart]?: string | undefined } | undefined
  /** IANA zone of times without an offset; default: the zone of the site. */
  readonly zone?: string | undefined
}

export type ReadingPart = 'site' | 'room' | 'device' | 'metric' | 'value' | 'unit' | 'at'
export type DefaultPart = 'site' | 'room' | 'device' | 'metric' | 'unit'

/**
 * Why a topic is listed: `unmapped`: neither a mapping nor a profile reads it. `fields`: some fields of its payload are
 * not read. `retained`: a retained message without a time was left out, because its age is unknown.
 */
export type HeardKind = 'unmapped' | 'fields' | 'retained'

/** What the hub heard over MQTT and did not store. Times are UTC ms. */
export interface HeardTopic {
  readonly topic: string
  readonly kind: HeardKind
  /** The fields that are not read, for `fields`. */
  readonly fields: readonly string[]
  /** The last payload as text, cut at limits.topicPayloadBytes. */
  readonly payload: string
  /** Length of the whole last payload. */
  readonly bytes: number
  /** The last message was retained. */
  readonly retained: boolean
  /** Messages since `since`. */
  readonly count: number
  readonly since: number
  readonly last: number
}

/** A message as a mapping or profile reads it. */
export interface MessageRead {
  readonly rows: readonly RawReading[]
  /** Fields of the payload that become no reading. */
  readonly unread: readonly string[]
}

/** The reading side of MQTT, as the rest of the hub uses it. Everything is in memory. */
export interface MqttTopics {
  /** By topic, then kind. */
  heard(): readonly HeardTopic[]
  /** Messages since the start by kind; also of topics that are not listed any more. */
  readonly counts: Readonly<Record<HeardKind, number>>
  /** Topics that are not listed any more, because limits.topicsHeard or limits.topicsHeardBytes was reached. */
  readonly dropped: number
  /** The mapping that would read the last payload of a topic, or the given one. */
  propose(topic: string, payload: string): TopicMapping
  /** What the mapping reads from a message; undefined: it does not fit the topic. Throws `mapping_invalid`. */
  preview(mapping: TopicMapping, topic: string, payload: string): MessageRead | undefined
  /**
   * What the mappings and profiles of now read from a message that came earlier; undefined: nothing reads the topic.
   * Changes nothing and lists nothing.
   */
  readAgain(topic: string, payload: string): readonly RawReading[] | undefined
  /** Replaces the mappings that were added while the hub runs; they come before those of the configuration. */
  setMappings(mappings: readonly TopicMapping[]): void
}
