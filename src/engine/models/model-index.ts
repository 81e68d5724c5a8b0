import { HomeostatError } from '../../core/errors.ts'
import type { Card } from '../../core/event.ts'
import type { ModelEntry, ModelEvent, ModelStatus } from '../../core/life.ts'
import type { Clock, Log, ModelLedger } from '../../core/ports.ts'
import { type Target, targetId } from '../../core/target.ts'
import { nameOf } from '../registry/registry-names.ts'

export interface ModelIndexParts {
  readonly ledger: ModelLedger
  readonly clock: Clock
  readonly log: Log
  /** The live model of a target has changed. */
  readonly onChange: (target: Target) => void
}

/** New status of a version, and why. */
export type Change = Pick<ModelEntry, 'status' | 'reason'>

/** The versions of each target and their status: the ledger's index, in memory. */
export class ModelIndex {
  readonly #parts: ModelIndexParts
  /** The newest first. */
  readonly #entries = new Map<string, readonly ModelEntry[]>()

  constructor(parts: ModelIndexParts) {
    this.#parts = parts
  }

  async load(): Promise<void> {
    for (const entry of await this.#parts.ledger.all()) this.#set(entry)
  }

  /** All versions of a target, newest first. */
  of(target: Target): readonly ModelEntry[] {
    return this.#entries.get(targetId(target)) ?? []
  }

  known(target: Target, version: string): ModelEntry | undefined {
    return this.of(target).find(({ card }) => card.model.version === version)
  }

  /** Throws `model_missing` with the known versions. */
  find(target: Target, version: string): ModelEntry {
    const entry = this.known(target, version)
    if (entry) return entry
    const known = this.of(target).filter(isLearnt)
    const detail =
      known.length > 0 ? `there are ${known.map(({ card }) => card.model.version).join(', ')}` : noModel
    throw new HomeostatError('model_missing', { model: nameOf(target, version), detail })
  }

  /** The learnt version that has the status. */
  status(target: Target, status: ModelStatus): ModelEntry | undefined {
    return this.of(target).find((entry) => entry.status === status && isLearnt(entry))
  }

  /** Versions that were live, the last one first. */
  retired(target: Target): ModelEntry[] {
    return this.of(target)
      .filter((entry) => entry.status === 'retired' && isLearnt(entry))
      .sort((a, b) => b.since - a.since)
  }

  get anyLive(): boolean {
    for (const entries of this.#entries.values())
      if (entries.some((entry) => entry.status === 'live' && isLearnt(entry))) return true
    return false
  }

  /**
   * Changes the status of a version. If it goes live, the one that was live gets the `outgoing` status, and a challenger
   * is rejected; all in one transaction.
   */
  async put(
    card: Card,
    change: Change,
    by: string,
    outgoing: Change = { status: 'retired', reason: replaced(card.model.version) },
  ): Promise<void> {
    const since = this.#parts.clock.now()
    const moved = this.of(card.target).flatMap((entry): ModelEntry[] => {
      if (change.status !== 'live' || entry.card.model.version === card.model.version) return []
      if (entry.status === 'live') return [{ ...entry, ...outgoing, since }]
      // it was compared with a model that is live no more
      if (entry.status === 'challenger')
        return [{ ...entry, status: 'rejected', reason: overtaken(card.model.version), since }]
      return []
    })
    await this.#write([{ card, ...change, since }, ...moved], by)
  }

  /** Nothing happens where the version is not known. */
  async move(target: Target, version: string, change: Change, by: string): Promise<void> {
    const entry = this.known(target, version)
    if (entry) await this.#write([{ ...entry, ...change, since: this.#parts.clock.now() }], by)
  }

  /** Entries as they are, without an event in the history. */
  async putQuietly(entries: readonly ModelEntry[]): Promise<void> {
    if (entries.length > 0) await this.#parts.ledger.put(entries, [])
    for (const entry of entries) this.#set(entry)
  }

  /** Their history stays. */
  async remove(target: Target, gone: readonly ModelEntry[]): Promise<void> {
    await this.#parts.ledger.remove(gone.map(({ card }) => ({ target, version: card.model.version })))
    this.#entries.set(
      targetId(target),
      this.of(target).filter((entry) => !gone.includes(entry)),
    )
  }

  /** Here only: the ledger hides its entries. */
  forget(target: Target): void {
    this.#entries.delete(targetId(target))
  }

  /** As the ledger has it. */
  async reload(target: Target): Promise<void> {
    this.forget(target)
    for (const entry of await this.#parts.ledger.of(target)) this.#set(entry)
  }

  /** Targets of a site that have a version. */
  targetsOf(site: string): Target[] {
    return [...this.#entries.values()].flatMap(([entry]) =>
      entry && entry.card.target.site === site ? [entry.card.target] : [],
    )
  }

  /** Here only: the ledger erases the site as a whole. */
  removeSite(site: string): void {
    for (const [id, entries] of this.#entries)
      if (entries[0]?.card.target.site === site) this.#entries.delete(id)
  }

  async #write(entries: readonly ModelEntry[], by: string): Promise<void> {
    const { ledger, log, onChange } = this.#parts
    const events = entries.map(({ card, status, reason, since }): ModelEvent => {
      return { target: card.target, version: card.model.version, at: since, status, reason, by }
    })
    await ledger.put(entries, events)
    for (const entry of entries) this.#set(entry)
    for (const { target, version, status, reason } of events)
      log.info('A model changed its status.', { ...target, version, status, reason, by })
    if (entries[0]) onChange(entries[0].card.target)
  }

  #set(entry: ModelEntry): void {
    const { target, model } = entry.card
    const others = this.of(target).filter(({ card }) => card.model.version !== model.version)
    this.#entries.set(
      targetId(target),
      [...others, entry].sort((a, b) => b.card.trainedAt - a.card.trainedAt),
    )
  }
}

export const isLearnt = ({ card }: ModelEntry): boolean => card.model.kind === 'learned'

/** The end of a sentence that names the requested model. */
export const noModel = 'no learnt model is live, only the naive forecast is'

const replaced = (version: string): string => `Replaced by ${version}.`
const overtaken = (version: string): string => `Undecided when ${version} went live.`

/** The reason without the name of the model, which is known where it is stored. */
export const bare = (message: string): string => message.replace(/^The model .*? is refused: /s, '')

/** Throws `not_acceptable_state` for a version that is kept but was never live, or is live. */
export function requireOnceLive(entry: ModelEntry | undefined): void {
  if (!entry || entry.status === 'retired' || entry.status === 'refused') return
  const { version } = entry.card.model
  const detail =
    entry.status === 'live'
      ? `The model ${version} is live already`
      : `The model ${version} cannot be rolled back to: it is ${entry.status} (${entry.reason}); promote it instead`
  throw new HomeostatError('not_acceptable_state', { detail })
}
