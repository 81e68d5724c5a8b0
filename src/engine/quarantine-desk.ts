import { type Problem, problem } from '../core/errors.ts'
import type { Quarantined } from '../core/event.ts'
import type { Ledger, Receipt } from '../core/ports.ts'
import type { RawReading, Reading } from '../core/reading.ts'
import type { MqttTopics } from '../core/topics.ts'
import { payloadKept } from './quarantine.ts'

export interface QuarantineDeskParts {
  readonly ledger: Pick<Ledger, 'quarantined' | 'removeQuarantined'>
  readonly topics: MqttTopics
  /** Whether the engine would take the row. */
  readonly check: (raw: RawReading) => Reading | Problem
  /** Hands rows to the engine; resolves once they are durable. */
  readonly take: (rows: readonly RawReading[]) => Promise<Receipt>
}

export interface Retried {
  /** Rows that are readings now, and left the quarantine. */
  readonly stored: number
  /** Rows that stay, with what is wrong with them now. */
  readonly stay: number
  readonly problems: readonly { readonly id: number; readonly problem: Problem }[]
}

interface Kept {
  readonly id: number
  readonly row: Quarantined
}

/** Rows that are looked at in one step. */
const pageRows = 500

/** Problems that are named in an answer. */
const problemsMax = 100

/** What people do with the rows in quarantine. */
export class QuarantineDesk {
  readonly #parts: QuarantineDeskParts

  constructor(parts: QuarantineDeskParts) {
    this.#parts = parts
  }

  /** Those with these ids, or all; returns how many there were. */
  clear(ids: readonly number[] | 'all'): Promise<number> {
    return this.#parts.ledger.removeQuarantined(ids)
  }

  /**
   * Reads rows again, with the mappings and profiles of now. What has no time of its own gets the time at which it arrived
   * then. A row that is still bad stays as it was.
   */
  async retry(ids: readonly number[] | 'all', signal?: AbortSignal): Promise<Retried> {
    const { ledger, take } = this.#parts
    const wanted = ids === 'all' ? undefined : new Set(ids)
    const problems: { id: number; problem: Problem }[] = []
    let [stored, stay] = [0, 0]
    let before: number | undefined
    while (!signal?.aborted) {
      const page = await ledger.quarantined(pageRows, before)
      before = page.at(-1)?.id
      const good: { readonly id: number; readonly rows: readonly RawReading[] }[] = []
      for (const kept of page) {
        if (wanted && !wanted.has(kept.id)) continue
        const rows = this.#readAgain(kept)
        if (!('code' in rows)) {
          good.push({ id: kept.id, rows })
          continue
        }
        stay++
        if (problems.length < problemsMax) problems.push({ id: kept.id, problem: rows })
      }
      if (good.length > 0) {
        await take(good.flatMap(({ rows }) => rows))
        stored += await ledger.removeQuarantined(good.map(({ id }) => id))
      }
      if (page.length < pageRows) break
    }
    return { stored, stay, problems }
  }

  /** The readings of a row, or why it stays. */
  #readAgain({ row }: Kept): readonly RawReading[] | Problem {
    if (row.payload.length >= payloadKept) return problem('payload_cut', { limit: payloadKept })
    const found =
      row.topic === undefined ? rowsOfPush(row) : this.#parts.topics.readAgain(row.topic, row.payload)
    if (!found) return problem('topic_unmapped', { topic: row.topic ?? '' })
    // of a message with several values only the one that was refused: the others are stored
    const own = found.filter((raw) => isSame(raw.device, row.device) && isSame(raw.metric, row.metric))
    const rows = (own.length > 0 ? own : found).map((raw) => ({ ...raw, at: raw.at ?? row.at }))
    if (rows.length === 0) return problem('nothing_read')
    for (const raw of rows) {
      const checked = this.#parts.check(raw)
      if ('code' in checked) return checked
    }
    return rows
  }
}

const isSame = (got: unknown, kept: string | undefined): boolean => kept === undefined || String(got) === kept

/** A row that was handed in as an object; its payload is that object as JSON. */
function rowsOfPush({ source, payload }: Quarantined): RawReading[] {
  try {
    const raw: unknown = JSON.parse(payload)
    if (typeof raw === 'object' && raw !== null && !Array.isArray(raw)) return [{ ...raw, source, payload }]
  } catch {
    // no object: there is nothing to read
  }
  return []
}
