import { HomeostatError } from '../../core/errors.ts'
import type { RawReading } from '../../core/reading.ts'
import { secondMs } from '../../core/time.ts'
import type { HeardKind, HeardTopic, MessageRead, MqttTopics, TopicMapping } from '../../core/topics.ts'
import { type HeardLimits, HeardTopics } from './heard.ts'
import { localTime } from './local-time.ts'
import { bytesFault, type LocalTimes, type MappedTopic, TopicMap } from './mapping.ts'
import { patternFault, withoutCovered } from './patterns.ts'
import { parsePayload } from './payload.ts'
import { type ProfiledTopic, ProfileSet, type ProfileSettings } from './profile-set.ts'
import type { ProfileRead, ProfileRow } from './profiles/profile.ts'
import { proposeMapping } from './propose.ts'

export interface TopicOptions {
  /** Those of the configuration. */
  readonly mappings: readonly TopicMapping[]
  readonly payloadBytes: number
  /** Absent: none. */
  readonly profiles?: ProfileSettings
  readonly heard?: HeardLimits
  /**
   * What becomes of a retained message without a time of its own. A broker sends it again at each connection without
   * its age, so any time given to it would be made up: by default it is listed and not stored. `take`: it is stored as
   * measured now.
   */
  readonly retained?: 'leave-out' | 'take'
  readonly times?: LocalTimes
}

/** Readings to store; null: none, and nothing that must be stored before the message is acknowledged. */
type ReadMessage = (payload: Buffer, retained: boolean, mayDescribe: boolean) => RawReading[] | null

const cachedTopicsMax = 20_000

/** How often a topic with a mapping is searched for fields that it does not read. */
const unreadEveryMs = 10 * secondMs

const usualHeard: HeardLimits = { topics: 1000, bytes: 1024 * 1024, payloadBytes: 2048 }

/**
 * Reads the messages of all topics: the mappings added while the hub runs come first, then those of the configuration,
 * then profiles. What nothing reads is listed.
 */
export class TopicReader implements MqttTopics {
  readonly #options: TopicOptions
  readonly #times: LocalTimes
  readonly #heard: HeardTopics
  readonly #profiles: ProfileSet | undefined
  readonly #readers = new Map<string, ReadMessage>()
  readonly #listeners = new Set<() => void>()
  #map: TopicMap
  /** What is read has changed since topics were last listed. */
  #isStale = false

  constructor(options: TopicOptions) {
    this.#options = options
    this.#times = options.times ?? { zoneOf: () => 'UTC', now: () => Date.now() }
    this.#heard = new HeardTopics(options.heard ?? usualHeard)
    this.#profiles = options.profiles && new ProfileSet(options.profiles)
    this.#map = this.#mapOf(options.mappings)
  }

  /** What must be subscribed to at another broker, without filters that others cover. */
  filters(): string[] {
    return withoutCovered([...this.#map.filters, ...(this.#profiles?.filters() ?? [])])
  }

  /** The largest payload that is read. */
  get payloadBytesMax(): number {
    return Math.max(this.#options.payloadBytes, this.#profiles?.descriptionBytes ?? 0)
  }

  /** Called when `filters` may have changed. Returns what ends that. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /**
   * The readings of a message; null where none must be stored before it is acknowledged. `retained`: the broker kept it,
   * and its age is unknown. `mayDescribe`: its sender may describe devices.
   */
  read(topic: string, payload: Buffer, retained = false, mayDescribe = true): RawReading[] | null {
    let reader = this.#readers.get(topic)
    if (!reader) {
      reader = this.#readerOf(topic)
      if (this.#readers.size >= cachedTopicsMax) this.#readers.clear()
      this.#readers.set(topic, reader)
    }
    return reader(payload, retained, mayDescribe)
  }

  /** Whether a mapping or profile reads the topic. */
  isRead(topic: string): boolean {
    return (this.#map.find(topic) ?? this.#profiles?.find(topic)) !== undefined
  }

  /** Lists a message that was heard beside what is subscribed to. */
  noteUnmapped(topic: string, payload: Buffer, retained: boolean): void {
    this.#heard.note('unmapped', { topic, payload, retained }, this.#times.now())
  }

  heard(): readonly HeardTopic[] {
    if (this.#isStale) {
      this.#isStale = false
      this.#heard.forgetWhere(({ kind, topic }) => kind === 'unmapped' && this.isRead(topic))
    }
    return this.#heard.list()
  }

  get counts(): Readonly<Record<HeardKind, number>> {
    return this.#heard.counts
  }

  get dropped(): number {
    return this.#heard.dropped
  }

  propose(topic: string, payload: string): TopicMapping {
    return proposeMapping(topic, payload)
  }

  preview(mapping: TopicMapping, topic: string, payload: string): MessageRead | undefined {
    const found = this.#mapOf([checked(mapping)]).find(topic)
    const bytes = Buffer.from(payload)
    return found && { rows: found.decode(bytes), unread: found.unread(bytes) }
  }

  readAgain(topic: string, payload: string): readonly RawReading[] | undefined {
    const bytes = Buffer.from(payload)
    const mapped = this.#map.find(topic)
    if (mapped) return mapped.decode(bytes)
    const profiled = this.#profiles?.find(topic)
    if (!profiled || profiled.form.kind === 'description') return undefined
    return this.#profileRows(profiled, topic, bytes)?.rows
  }

  setMappings(mappings: readonly TopicMapping[]): void {
    this.#map = this.#mapOf([...mappings.map(checked), ...this.#options.mappings])
    // the fields that a topic lacks are others now
    this.#heard.forgetWhere(({ kind }) => kind === 'fields')
    this.#changed()
  }

  #mapOf(mappings: readonly TopicMapping[]): TopicMap {
    return new TopicMap(mappings, this.#options.payloadBytes, this.#times)
  }

  #changed(): void {
    this.#readers.clear()
    this.#isStale = true
    for (const listener of this.#listeners) listener()
  }

  #readerOf(topic: string): ReadMessage {
    const mapped = this.#map.find(topic)
    if (mapped) return this.#mappedReader(topic, mapped)
    const profiled = this.#profiles?.find(topic)
    if (profiled) return this.#profiledReader(topic, profiled)
    return (payload, retained) => {
      this.noteUnmapped(topic, payload, retained)
      return null
    }
  }

  #mappedReader(topic: string, { decode, unread }: MappedTopic): ReadMessage {
    let searchedAt = Number.NEGATIVE_INFINITY
    return (payload, retained) => {
      const now = this.#times.now()
      if (now - searchedAt >= unreadEveryMs) {
        searchedAt = now
        this.#noteFields(topic, payload, retained, unread(payload))
      }
      const rows = decode(payload)
      return retained ? this.#ofKnownAge(rows, topic, payload) : rows
    }
  }

  #profiledReader(topic: string, profiled: ProfiledTopic): ReadMessage {
    const { form } = profiled
    if (form.kind === 'ignored') return () => null
    if (form.kind === 'description') {
      return (payload, _retained, mayDescribe) => {
        if (!mayDescribe || payload.length > this.payloadBytesMax) return null
        form.read(payload.toString('utf8'))
        this.#changed()
        return null
      }
    }
    return (payload, retained) => {
      const read = this.#profileRows(profiled, topic, payload)
      if (!read) {
        this.noteUnmapped(topic, payload, retained)
        return null
      }
      this.#noteFields(topic, payload, retained, read.unread)
      if (read.rows.length === 0) return null
      return retained ? this.#ofKnownAge(read.rows, topic, payload) : [...read.rows]
    }
  }

  #profileRows({ form, site }: ProfiledTopic, topic: string, bytes: Buffer): MessageRead | undefined {
    const fault = bytesFault(bytes, this.#options.payloadBytes)
    const payload = bytes.toString('utf8', 0, fault ? 1024 : undefined)
    const refused = (why: NonNullable<typeof fault>): MessageRead => ({
      rows: [{ source: 'mqtt', site, fault: why, topic, payload }],
      unread: [],
    })
    if (fault) return refused(fault)
    let read: ProfileRead | undefined
    if (form.kind === 'text') read = form.read(payload)
    else if (form.kind === 'json') {
      const parsed = parsePayload(payload)
      if ('fault' in parsed) return refused(parsed.fault)
      read = form.read(parsed.value)
    } else read = { rows: [] }
    if (!read) return undefined
    const rows = read.rows.map((row) => this.#rawOf(row, { site, topic, payload }))
    return { rows, unread: read.unread ?? [] }
  }

  #rawOf(
    { device, metric, value, unit, at, room, fault }: ProfileRow,
    message: Pick<RawReading, 'site' | 'topic' | 'payload'>,
  ): RawReading {
    const time =
      typeof at === 'string' ? localTime(at, this.#times.zoneOf(message.site), this.#times.now()) : at
    const raw = { source: 'mqtt', ...message, device, metric, value, unit, at: time, room }
    return fault ? { ...raw, fault } : raw
  }

  #noteFields(topic: string, payload: Buffer, retained: boolean, unread: readonly string[]): void {
    if (unread.length === 0) this.#heard.forget('fields', topic)
    else this.#heard.note('fields', { topic, payload, retained }, this.#times.now(), unread)
  }

  #ofKnownAge(rows: readonly RawReading[], topic: string, payload: Buffer): RawReading[] | null {
    if (this.#options.retained === 'take') return [...rows]
    const timed = rows.filter(({ at }) => at !== undefined && at !== null && at !== '')
    if (timed.length < rows.length)
      this.#heard.note('retained', { topic, payload, retained: true }, this.#times.now())
    return timed.length === 0 ? null : timed
  }
}

/** Throws `mapping_invalid`. */
function checked(mapping: TopicMapping): TopicMapping {
  const { topic, payload, metrics } = mapping
  const none = payload === 'json' && metrics && Object.keys(metrics).length === 0
  const detail = patternFault(topic) ?? (none ? '"metrics" names no field' : undefined)
  if (detail === undefined) return mapping
  throw new HomeostatError('mapping_invalid', { detail })
}
