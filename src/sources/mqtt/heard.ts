import { isUtf8 } from 'node:buffer'
import type { HeardKind, HeardTopic } from '../../core/topics.ts'

export interface HeardLimits {
  readonly topics: number
  /** Of topics, fields and kept payloads together. */
  readonly bytes: number
  /** Kept of each payload. */
  readonly payloadBytes: number
}

interface Entry extends HeardTopic {
  /** What it takes of the limit. */
  readonly size: number
}

/** What an entry takes beside its texts. */
const entryBytes = 200

/** Fields that are named for one topic. */
const fieldsMax = 50

/**
 * The topics that are heard and not read, in memory. Where a limit is reached, the one that was silent for longest is
 * dropped and counted: a flood of made-up topics costs no more than the limits.
 */
export class HeardTopics {
  readonly counts: Record<HeardKind, number> = { unmapped: 0, fields: 0, retained: 0 }
  dropped = 0
  readonly #limits: HeardLimits
  /** The longest silent one first. */
  readonly #entries = new Map<string, Entry>()
  #bytes = 0

  constructor(limits: HeardLimits) {
    this.#limits = limits
  }

  note(
    kind: HeardKind,
    { topic, payload, retained }: { topic: string; payload: Buffer; retained: boolean },
    now: number,
    fields: readonly string[] = [],
  ): void {
    this.counts[kind]++
    const key = keyOf(kind, topic)
    const before = this.#entries.get(key)
    if (before) this.#remove(key, before)
    const kept = textOf(payload, this.#limits.payloadBytes)
    const named = fields.slice(0, fieldsMax)
    const size = entryBytes + 2 * (topic.length + kept.length + named.join().length)
    const entry = {
      ...{ topic, kind, fields: named, payload: kept, bytes: payload.length, retained, size },
      ...{ count: (before?.count ?? 0) + 1, since: before?.since ?? now, last: now },
    }
    this.#entries.set(key, entry)
    this.#bytes += size
    this.#trim()
  }

  /** The topic is read by now. */
  forget(kind: HeardKind, topic: string): void {
    const key = keyOf(kind, topic)
    const entry = this.#entries.get(key)
    if (entry) this.#remove(key, entry)
  }

  /** Forgets what `isRead` accepts. */
  forgetWhere(isRead: (entry: HeardTopic) => boolean): void {
    for (const [key, entry] of this.#entries) if (isRead(entry)) this.#remove(key, entry)
  }

  /** By topic, then kind. */
  list(): HeardTopic[] {
    return [...this.#entries.values()]
      .sort((a, b) => compare(a.topic, b.topic) || compare(a.kind, b.kind))
      .map(({ size: _size, ...entry }) => entry)
  }

  #remove(key: string, { size }: Entry): void {
    this.#entries.delete(key)
    this.#bytes -= size
  }

  #trim(): void {
    const { topics, bytes } = this.#limits
    for (const [key, entry] of this.#entries) {
      if (this.#entries.size <= topics && this.#bytes <= bytes) return
      this.#remove(key, entry)
      this.dropped++
    }
  }
}

const keyOf = (kind: HeardKind, topic: string): string => `${kind} ${topic}`

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** Cut between characters. */
function textOf(payload: Buffer, limit: number): string {
  let end = Math.min(payload.length, limit)
  while (end > 0 && end < payload.length && (payload[end]! & 0xc0) === 0x80) end--
  const kept = payload.subarray(0, end)
  return isUtf8(kept) ? kept.toString('utf8') : `(${payload.length} bytes that are no text)`
}
