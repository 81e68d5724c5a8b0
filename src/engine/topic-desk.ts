import { HomeostatError, type Problem } from '../core/errors.ts'
import type { Log } from '../core/ports.ts'
import type { RawReading, Reading } from '../core/reading.ts'
import type { HeardTopic, MqttTopics, TopicMapping } from '../core/topics.ts'
import { Turns } from '../core/turns.ts'
import { putRecord, type RecordParts } from './site-settings.ts'

/** A mapping that was added while the hub runs. */
export interface AddedMapping {
  readonly id: string
  readonly mapping: TopicMapping
  /** Name of the key that added it. */
  readonly by: string
  /** UTC ms. */
  readonly at: number
}

/** What a mapping would make of a message. */
export interface Preview {
  /** Whether the topic is one of the mapping's. */
  readonly fits: boolean
  readonly readings: readonly Reading[]
  readonly problems: readonly Problem[]
  /** Fields that no metric takes. */
  readonly unread: readonly string[]
}

export interface TopicDeskParts extends RecordParts {
  readonly topics: MqttTopics
  readonly log: Log
  /** Whether the engine would take the row. */
  readonly check: (raw: RawReading) => Reading | Problem
}

/** Mappings concern topics and not sites: they belong to no site, and removing one leaves them. */
const kind = { site: '*', domain: 'mqtt', kind: 'mapping' } as const

/** Topics that nothing reads, and the mappings that people add for them. */
export class TopicDesk {
  readonly #parts: TopicDeskParts
  readonly #turns = new Turns(1)
  /** The newest first: the last decision about a topic counts. */
  #mappings: readonly AddedMapping[] = []

  constructor(parts: TopicDeskParts) {
    this.#parts = parts
  }

  /** Reads the mappings that were added before. The ledger must be open. */
  async load(): Promise<void> {
    const { records, limits, topics, log } = this.#parts
    const kept = await records.list(kind, limits.recordsPerDomain)
    const added = kept.map(({ key, at, body }) => ({
      ...(body as Omit<AddedMapping, 'id' | 'at'>),
      id: key,
      at,
    }))
    // one that an older version kept and that is refused now does not keep the hub from starting
    const valid = added.filter(({ id, mapping }) => {
      try {
        topics.preview(mapping, '', '')
        return true
      } catch (error) {
        log.error('A mapping of topics is not valid and is not used.', { id, error: String(error) })
        return false
      }
    })
    this.#use(valid)
  }

  get topics(): MqttTopics {
    return this.#parts.topics
  }

  get mappings(): readonly AddedMapping[] {
    return this.#mappings
  }

  /** A listed topic; throws `not_found`. */
  heard(topic: string): HeardTopic {
    const found = this.#parts.topics.heard().find((entry) => entry.topic === topic)
    if (!found)
      throw new HomeostatError('not_found', { what: `topic "${topic}" among those that are listed` })
    return found
  }

  /** Throws `mapping_invalid`. */
  preview(mapping: TopicMapping, topic: string, payload: string): Preview {
    const read = this.#parts.topics.preview(mapping, topic, payload)
    if (!read) return { fits: false, readings: [], problems: [], unread: [] }
    const readings: Reading[] = []
    const problems: Problem[] = []
    for (const row of read.rows) {
      const checked = this.#parts.check(row)
      if ('code' in checked) problems.push(checked)
      else readings.push(checked)
    }
    return { fits: true, readings, problems, unread: read.unread }
  }

  /** Durable when it resolves, and used from then on. Throws `mapping_invalid`, `record_too_large` or `records_full`. */
  add(id: string, mapping: TopicMapping, by: string): Promise<AddedMapping> {
    return this.#turns.run(async () => {
      this.#parts.topics.preview(mapping, '', '')
      const at = await putRecord(this.#parts, { ...kind, key: id }, { mapping, by })
      const added = { id, mapping, by, at }
      this.#use([added, ...this.#mappings.filter((other) => other.id !== id)])
      return added
    })
  }

  /** Throws `not_found`. */
  remove(id: string): Promise<void> {
    return this.#turns.run(async () => {
      if (!(await this.#parts.records.remove({ ...kind, key: id })))
        throw new HomeostatError('not_found', { what: `mapping "${id}"` })
      this.#use(this.#mappings.filter((mapping) => mapping.id !== id))
    })
  }

  #use(mappings: readonly AddedMapping[]): void {
    this.#mappings = [...mappings].sort((a, b) => b.at - a.at || (a.id < b.id ? -1 : 1))
    this.#parts.topics.setMappings(this.#mappings.map(({ mapping }) => mapping))
  }
}
