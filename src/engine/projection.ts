import type { Quarantined } from '../core/event.ts'
import type { JournalEntry, JournalFrame } from '../core/journal.ts'
import type { Ledger, ReadingStore } from '../core/ports.ts'
import { emptyFacts, hasFacts, mergeFacts } from '../core/turn.ts'
import type { Positions } from './journal-report.ts'
import { appendParts, halvesOf, isRefusal, recordParts } from './refusals.ts'

export interface ProjectedStores {
  readonly readings: Pick<ReadingStore, 'append' | 'position' | 'removeSite' | 'change'>
  readonly ledger: Pick<Ledger, 'record' | 'position' | 'removeSite' | 'change'>
}

/** A batch that weighs so much does not wait for more, and is not made larger; see `weightOf`. */
export const batchWeight = 20_000

/** What a frame adds to a batch: its readings, at least one. */
export const weightOf = (entry: JournalEntry): number =>
  entry.kind === 'turn' ? Math.max(1, entry.readings.length) : 1

/** How many of the frames, one at least, make the next batch; what is no turn comes alone. */
export function batchLength(frames: readonly Pick<JournalFrame, 'entry'>[]): number {
  let weight = 0
  for (const [index, { entry }] of frames.entries()) {
    if (entry.kind !== 'turn') return Math.max(1, index)
    weight += weightOf(entry)
    if (index > 0 && weight > batchWeight) return index
  }
  return frames.length
}

/**
 * Brings frames of a journal into both stores. Each store keeps the position of the last frame that it has in the same
 * transaction, so that every frame gets there exactly once, whatever stops in between. What a store will never take goes
 * to quarantine, part by part, so that it does not hold up the frames behind it.
 */
export class Projection {
  readonly #stores: ProjectedStores
  readonly #onRefused: (rows: readonly Quarantined[]) => void
  /** How far each store is, and how far it says so on disk: frames without anything for it cost it nothing. */
  #applied: Positions = { readings: 0, ledger: 0 }
  #stored: Positions = { readings: 0, ledger: 0 }

  /** `onRefused` is told what went to quarantine because a store refuses it. */
  constructor(stores: ProjectedStores, onRefused: (rows: readonly Quarantined[]) => void = () => undefined) {
    this.#stores = stores
    this.#onRefused = onRefused
  }

  /** Call once, before anything else; the stores must be open. Resolves with how far each of them is. */
  async open(): Promise<Positions> {
    const { readings, ledger } = this.#stores
    this.#applied = { readings: await readings.position(), ledger: await ledger.position() }
    this.#stored = this.#applied
    return this.#applied
  }

  /** Of the last frame that was applied. */
  get position(): number {
    return Math.max(this.#applied.readings, this.#applied.ledger)
  }

  /**
   * A batch of `batchLength`, the next one in order; frames that a store has already are left out. Rejects with a store's
   * own error; what failed in one of them is missing there only when the same batch is tried again.
   */
  async apply(batch: readonly JournalFrame[]): Promise<void> {
    const results = await Promise.allSettled([this.#toReadings(batch), this.#toLedger(batch)])
    for (const result of results) if (result.status === 'rejected') throw result.reason
  }

  /** Makes the stores keep how far they are, also where the last frames had nothing for them. */
  async savePositions(): Promise<void> {
    const { readings, ledger } = this.#stores
    if (this.#stored.readings < this.#applied.readings) await readings.append([], this.#applied.readings)
    if (this.#stored.ledger < this.#applied.ledger) await ledger.record(emptyFacts, this.#applied.ledger)
    this.#stored = this.#applied
  }

  async #toReadings(batch: readonly JournalFrame[]): Promise<void> {
    const { readings, ledger } = this.#stores
    const missing = batch.filter(({ position }) => position > this.#applied.readings)
    const last = missing.at(-1)
    if (!last) return
    if (last.entry.kind === 'site-removed') await readings.removeSite(last.entry.site)
    if (last.entry.kind === 'device-changed') {
      await readings.change(last.entry.change, last.position)
      this.#stored = { ...this.#stored, readings: last.position }
    }
    const lists = missing.map(({ entry }) => (entry.kind === 'turn' ? entry.readings : []))
    const rows = lists.length === 1 ? lists[0]! : lists.flat()
    if (rows.length > 0) {
      try {
        await readings.append(rows, last.position)
      } catch (error) {
        if (!isRefusal(error)) throw error
        if (missing.length > 1) {
          for (const half of halvesOf(missing)) await this.#toReadings(half)
          return
        }
        const refused = await appendParts(readings, rows, last.position, last.at)
        await ledger.record({ ...emptyFacts, quarantined: refused })
        this.#onRefused(refused)
      }
      this.#stored = { ...this.#stored, readings: last.position }
    }
    this.#applied = { ...this.#applied, readings: last.position }
  }

  async #toLedger(batch: readonly JournalFrame[]): Promise<void> {
    const { ledger } = this.#stores
    const missing = batch.filter(({ position }) => position > this.#applied.ledger)
    const last = missing.at(-1)
    if (!last) return
    if (last.entry.kind === 'site-removed') await ledger.removeSite(last.entry.site)
    if (last.entry.kind === 'device-changed') {
      await ledger.change(last.entry.change, last.position)
      this.#stored = { ...this.#stored, ledger: last.position }
    }
    const turns = missing.flatMap(({ entry }) =>
      entry.kind === 'turn' && hasFacts(entry.facts) ? entry.facts : [],
    )
    if (turns.length > 0) {
      const facts = mergeFacts(turns)
      try {
        await ledger.record(facts, last.position)
      } catch (error) {
        if (!isRefusal(error)) throw error
        if (missing.length > 1) {
          for (const half of halvesOf(missing)) await this.#toLedger(half)
          return
        }
        this.#onRefused(await recordParts(ledger, facts, last.position, last.at))
      }
      this.#stored = { ...this.#stored, ledger: last.position }
    }
    this.#applied = { ...this.#applied, ledger: last.position }
  }
}

/** What was projected. */
export interface Projected {
  readonly frames: number
  readonly readings: number
  /** When the first and the last of these frames were appended, UTC ms; absent without any. */
  readonly firstAt?: number
  readonly lastAt?: number
  /** Of the last frame; absent without any. */
  readonly position?: number
}

/**
 * Projects frames in their order, in batches; resolves when the stores have all of them. `onBatch` is told how much they
 * have. Rejects with what the frames or a store reject with; the stores then have some of the frames before it.
 */
export async function projectFrames(
  projection: Projection,
  frames: AsyncIterable<JournalFrame>,
  onBatch: (projected: Projected) => void = () => undefined,
): Promise<Projected> {
  let projected: Projected = { frames: 0, readings: 0 }
  let waiting: JournalFrame[] = []
  let weight = 0
  const applyNext = async (): Promise<void> => {
    const batch = waiting.slice(0, batchLength(waiting))
    await projection.apply(batch)
    waiting = waiting.slice(batch.length)
    for (const { entry } of batch) weight -= weightOf(entry)
    projected = withBatch(projected, batch)
    onBatch(projected)
  }
  for await (const frame of frames) {
    waiting.push(frame)
    weight += weightOf(frame.entry)
    while (weight >= batchWeight) await applyNext()
  }
  while (waiting.length > 0) await applyNext()
  return projected
}

function withBatch(before: Projected, batch: readonly JournalFrame[]): Projected {
  const { position, at } = batch.at(-1)!
  const readings = batch.reduce(
    (sum, { entry }) => sum + (entry.kind === 'turn' ? entry.readings.length : 0),
    0,
  )
  return {
    frames: before.frames + batch.length,
    readings: before.readings + readings,
    firstAt: before.firstAt ?? batch[0]!.at,
    lastAt: at,
    position,
  }
}
