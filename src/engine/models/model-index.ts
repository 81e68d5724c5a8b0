import { HomeostatError } from '../../core/errors.ts'
import type { Card, SeriesKey } from '../../core/event.ts'
import type { ModelEntry, ModelEvent, Standing } from '../../core/life.ts'
import type { Clock, Log, ModelLedger } from '../../core/ports.ts'
import { seriesId } from '../../core/series.ts'
import { nameOf } from '../registry/registry-names.ts'

export interface ModelIndexParts {
  readonly ledger: ModelLedger
  readonly clock: Clock
  readonly log: Log
  /** What speaks for a series has changed. */
  readonly onChange: (series: SeriesKey) => void
}

/** Where a version goes, and why. */
export type Place = Pick<ModelEntry, 'standing' | 'reason'>

/** Which versions there are of each series and where they stand: the ledger's index, at hand. */
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

  /** All versions of a series, newest first. */
  of(series: SeriesKey): readonly ModelEntry[] {
    return this.#entries.get(seriesId(series)) ?? []
  }

  known(series: SeriesKey, version: string): ModelEntry | undefined {
    return this.of(series).find(({ card }) => card.model.version === version)
  }

  /** Throws `model_missing` with the versions that there are. */
  find(series: SeriesKey, version: string): ModelEntry {
    const entry = this.known(series, version)
    if (entry) return entry
    const known = this.of(series).filter(isLearnt)
    const detail =
      known.length > 0 ? `there are ${known.map(({ card }) => card.model.version).join(', ')}` : noModel
    throw new HomeostatError('model_missing', { model: nameOf(series, version), detail })
  }

  /** The learnt version that stands there. */
  standing(series: SeriesKey, standing: Standing): ModelEntry | undefined {
    return this.of(series).find((entry) => entry.standing === standing && isLearnt(entry))
  }

  /** Versions that were live, the last one first. */
  retired(series: SeriesKey): ModelEntry[] {
    return this.of(series)
      .filter((entry) => entry.standing === 'retired' && isLearnt(entry))
      .sort((a, b) => b.since - a.since)
  }

  get anyLive(): boolean {
    for (const entries of this.#entries.values())
      if (entries.some((entry) => entry.standing === 'live' && isLearnt(entry))) return true
    return false
  }

  /**
   * The version stands there now. Where it is live, the one that was is retired, unless it is said where else it goes,
   * and a challenger is through; all in one transaction.
   */
  async put(
    card: Card,
    place: Place,
    by: string,
    outgoing: Place = { standing: 'retired', reason: replaced(card.model.version) },
  ): Promise<void> {
    const since = this.#parts.clock.now()
    const moved = this.of(card.series).flatMap((entry): ModelEntry[] => {
      if (place.standing !== 'live' || entry.card.model.version === card.model.version) return []
      if (entry.standing === 'live') return [{ ...entry, ...outgoing, since }]
      // it was tried against a model that speaks no more
      if (entry.standing === 'challenger')
        return [{ ...entry, standing: 'rejected', reason: overtaken(card.model.version), since }]
      return []
    })
    await this.#write([{ card, ...place, since }, ...moved], by)
  }

  /** Nothing happens where the version is not known. */
  async move(series: SeriesKey, version: string, place: Place, by: string): Promise<void> {
    const entry = this.known(series, version)
    if (entry) await this.#write([{ ...entry, ...place, since: this.#parts.clock.now() }], by)
  }

  /** Entries as they are, without a word in the history. */
  async putQuietly(entries: readonly ModelEntry[]): Promise<void> {
    if (entries.length > 0) await this.#parts.ledger.put(entries, [])
    for (const entry of entries) this.#set(entry)
  }

  /** Their history stays. */
  async remove(series: SeriesKey, gone: readonly ModelEntry[]): Promise<void> {
    await this.#parts.ledger.remove(gone.map(({ card }) => ({ series, version: card.model.version })))
    this.#entries.set(
      seriesId(series),
      this.of(series).filter((entry) => !gone.includes(entry)),
    )
  }

  /** Here only: the ledger erases the site as a whole. */
  removeSite(site: string): void {
    for (const [id, entries] of this.#entries)
      if (entries[0]?.card.series.site === site) this.#entries.delete(id)
  }

  async #write(entries: readonly ModelEntry[], by: string): Promise<void> {
    const { ledger, log, onChange } = this.#parts
    const events = entries.map(({ card, standing, reason, since }): ModelEvent => {
      return { series: card.series, version: card.model.version, at: since, standing, reason, by }
    })
    await ledger.put(entries, events)
    for (const entry of entries) this.#set(entry)
    for (const { series, version, standing, reason } of events)
      log.info('A model stands elsewhere.', { ...series, version, standing, reason, by })
    if (entries[0]) onChange(entries[0].card.series)
  }

  #set(entry: ModelEntry): void {
    const { series, model } = entry.card
    const others = this.of(series).filter(({ card }) => card.model.version !== model.version)
    this.#entries.set(
      seriesId(series),
      [...others, entry].sort((a, b) => b.card.trainedAt - a.card.trainedAt),
    )
  }
}

export const isLearnt = ({ card }: ModelEntry): boolean => card.model.kind === 'learned'

/** The end of a sentence that begins with what was asked for. */
export const noModel = 'no learnt model is live, the naive forecast speaks'

const replaced = (version: string): string => `Replaced by ${version}.`
const overtaken = (version: string): string => `Undecided when ${version} went live.`
