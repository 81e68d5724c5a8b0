import { HomeostatError } from '../core/errors.ts'
import type { SeriesKey } from '../core/event.ts'
import {
  type ModelEntry,
  type ModelEvent,
  naiveVersion,
  type Standing,
  type StoredModel,
} from '../core/life.ts'
import type { Clock, Ledger, Log } from '../core/ports.ts'
import { SeriesMap, seriesId } from '../core/series.ts'
import type { Learning } from '../domains/domain.ts'
import type { Registry } from './registry.ts'
import type { Lease, Serving } from './serving.ts'

export interface LifecycleParts {
  readonly registry: Registry
  readonly ledger: Ledger
  readonly serving: Serving
  readonly clock: Clock
  readonly log: Log
  readonly learnings: readonly Learning[]
  /** What speaks for a series has changed: its forecast must be made anew. */
  readonly onChange: (series: SeriesKey) => void
}

/** Who wanted a change, and whether against the gate's word. */
export interface Wish {
  readonly by: string
  readonly force?: boolean
}

/** Seed of the models, for their manifests. */
const seed = 1

/**
 * Where each version stands, and every move between standings: artifacts first, then the pointer, then the index, then
 * what answers. A crash in between is mended when the series is next looked at, by what the pointer says.
 */
export class Lifecycle {
  readonly #parts: LifecycleParts
  readonly #kept: number
  readonly #entries = new Map<string, ModelEntry[]>()
  /** Version that was opened last, and well. */
  readonly #opened = new SeriesMap<string>()
  #turn: Promise<unknown> = Promise.resolve()

  /** `kept`: versions of a series that are kept, the newest; the live one and the one before it always. */
  constructor(parts: LifecycleParts, kept: number) {
    this.#parts = parts
    this.#kept = kept
  }

  async load(): Promise<void> {
    for (const entry of await this.#parts.ledger.models.all()) this.#of(entry.card.series).push(entry)
  }

  /** All versions of a series, newest first. */
  entries(series: SeriesKey): readonly ModelEntry[] {
    return this.#of(series)
  }

  standing(series: SeriesKey, standing: Standing): ModelEntry | undefined {
    return this.#of(series).find((entry) => entry.standing === standing && isLearnt(entry))
  }

  get anyLive(): boolean {
    for (const entries of this.#entries.values())
      if (entries.some((entry) => entry.standing === 'live' && isLearnt(entry))) return true
    return false
  }

  /** The version that was live before this one. */
  predecessor(series: SeriesKey): ModelEntry | undefined {
    const retired = this.#of(series).filter((entry) => entry.standing === 'retired' && isLearnt(entry))
    return retired.sort((a, b) => b.since - a.since)[0]
  }

  /** The learnt model that speaks, whole and checked; what is damaged is put apart, and the one before it speaks. */
  live(series: SeriesKey): Promise<StoredModel | undefined> {
    return this.#alone(async () => {
      const { model, refused } = await this.#newestGood(series)
      for (const { version, reason } of refused)
        await this.#move(series, version, 'refused', reason, 'registry')
      const known = this.standing(series, 'live')
      if (model && known?.card.model.version !== model.card.model.version) {
        const reason = known
          ? `Live: the pointer names it, ${known.card.model.version} could not be served.`
          : 'Live: the pointer names it.'
        await this.#index(model, 'live', reason, 'registry')
      }
      if (!model && known) await this.#move(series, known.card.model.version, 'retired', gone, 'registry')
      return model
    })
  }

  /** Versions that speak in shadow: the challenger, and the one that was live before. */
  async shadows(series: SeriesKey): Promise<StoredModel[]> {
    const wanted = [this.standing(series, 'challenger'), this.predecessor(series)]
    const models = await Promise.all(
      wanted.map((entry) => entry && this.#read(series, entry.card.model.version)),
    )
    return models.filter((model) => model !== undefined)
  }

  /** Keeps what was learnt, and lets it stand where its verdict says. */
  judged(model: StoredModel, { by, force }: Wish): Promise<ModelEntry> {
    return this.#alone(async () => {
      const { registry } = this.#parts
      const { series, verdict } = model.card
      await registry.put(model, seed)
      let { standing, reason } = verdict
      if (force && standing !== 'live') {
        reason = `Live by force (${by}), against the gate: ${reason}`
        standing = 'live'
      }
      // one challenger at a time, until it is decided: else none would ever be
      if (standing === 'challenger' && this.standing(series, 'challenger')) {
        standing = 'rejected'
        reason = `Another challenger is being tried. ${reason}`
      }
      if (standing === 'live') await this.#publish(model)
      await this.#index(model, standing, reason, force ? by : 'gate')
      await this.#trim(series)
      return this.#find(series, model.card.model.version)
    })
  }

  /**
   * Makes a kept version live. Without `force` it must have passed the gate at some time; `force` is told in the
   * history with the name of who wanted it.
   */
  promote(series: SeriesKey, version: string, reason: string, { by, force }: Wish): Promise<ModelEntry> {
    return this.#alone(async () => {
      const entry = this.#find(series, version)
      if (entry.standing === 'live') return entry
      if (entry.standing === 'refused')
        throw new HomeostatError('model_refused', { model: version, detail: entry.reason })
      if (entry.standing === 'rejected' && !force)
        throw new HomeostatError('not_acceptable_state', {
          detail: `The model ${version} did not pass the gate (${entry.reason}); it goes live by force only`,
        })
      const model = await this.#load(series, version)
      await this.#publish(model)
      await this.#index(model, 'live', reason, by)
      return this.#find(series, version)
    })
  }

  /** The one before it speaks again, or the naive forecast where there is none (or it is asked for). Returns which. */
  rollBack(series: SeriesKey, to: string | undefined, reason: string, by: string): Promise<string> {
    return this.#alone(async () => {
      const live = this.standing(series, 'live')
      if (!live) throw new HomeostatError('model_missing', { model: nameOf(series), detail: noModel })
      const target = to ?? this.predecessor(series)?.card.model.version ?? naiveVersion
      if (target === naiveVersion) {
        await this.#parts.registry.unpoint(series)
        void this.#parts.serving.drop(series)
      } else {
        const model = await this.#load(series, target)
        await this.#publish(model)
        await this.#index(model, 'live', reason, by)
      }
      // it has lost its place: not the one to come back to
      await this.#move(series, live.card.model.version, 'rejected', reason, by)
      return target
    })
  }

  /** A challenger that was not better. */
  drop(series: SeriesKey, version: string, reason: string): Promise<void> {
    return this.#alone(() => this.#move(series, version, 'rejected', reason, 'shadow'))
  }

  /** The naive forecast's own card, where it is the one that speaks. */
  naive(cards: readonly ModelEntry[]): Promise<void> {
    return this.#alone(async () => {
      const fresh = cards.filter(({ card, reason }) => {
        // it was made before a learnt model went live
        if (this.standing(card.series, 'live')) return false
        const known = this.#of(card.series).find((entry) => !isLearnt(entry))
        return known?.reason !== reason || known.standing !== 'live'
      })
      if (fresh.length > 0) await this.#parts.ledger.models.put(fresh, [])
      for (const entry of fresh) this.#set(entry)
    })
  }

  /** Opens the live model for questions on the loop. */
  async lease(series: SeriesKey): Promise<Lease> {
    const { serving } = this.#parts
    const open = serving.lease(series)
    if (open) return open
    const model = await this.live(series)
    if (!model) throw new HomeostatError('model_missing', { model: nameOf(series), detail: noModel })
    if (!serving.lease(series)) await serving.swap(model, this.#open(model))
    return serving.lease(series)!
  }

  async removeSite(site: string): Promise<void> {
    await this.#alone(async () => {
      for (const [id, entries] of this.#entries)
        if (entries[0]?.card.series.site === site) this.#entries.delete(id)
      this.#parts.serving.removeSite(site)
      await this.#parts.registry.removeSite(site)
    })
  }

  /** Complete load and a test prediction, then the pointer, then what answers. */
  async #publish(model: StoredModel): Promise<void> {
    const { registry, serving } = this.#parts
    const { series, model: ref } = model.card
    const open = this.#open(model)
    await registry.point(series, ref.version)
    // retired when its last request is done; nobody waits for that here
    void serving.swap(model, open)
  }

  #open(model: StoredModel): ReturnType<Learning['open']> {
    const [domain] = model.card.model.name.split('-')
    const learning = this.#parts.learnings.find(({ name }) => name === domain)
    if (learning) return learning.open(model)
    throw new HomeostatError('model_refused', {
      model: model.card.model.version,
      detail: `nothing here can open a model called ${model.card.model.name}`,
    })
  }

  /** What the pointer names, if it can be opened, else the one before; each is opened once in the life of a process. */
  async #newestGood(series: SeriesKey): Promise<Awaited<ReturnType<Registry['newestGood']>>> {
    const { registry } = this.#parts
    const found = await registry.newestGood(series)
    const { model, refused } = found
    if (!model || this.#opened.get(series) === model.card.model.version) return found
    try {
      this.#open(model)
      this.#opened.set(series, model.card.model.version)
      return found
    } catch (error) {
      if (!(error instanceof HomeostatError)) throw error
      const { version } = model.card.model
      await registry.quarantine(series, version, error.message)
      const next = await this.#newestGood(series)
      return { ...next, refused: [...refused, { version, reason: error.message }, ...next.refused] }
    }
  }

  async #read(series: SeriesKey, version: string): Promise<StoredModel | undefined> {
    try {
      return await this.#load(series, version)
    } catch (error) {
      if (error instanceof HomeostatError) return undefined
      throw error
    }
  }

  async #load(series: SeriesKey, version: string): Promise<StoredModel> {
    const { registry } = this.#parts
    try {
      const model = await registry.load(series, version)
      this.#open(model)
      return model
    } catch (error) {
      if (error instanceof HomeostatError && error.code === 'model_refused') {
        await registry.quarantine(series, version, error.message)
        await this.#move(series, version, 'refused', error.message, 'registry')
      }
      throw error
    }
  }

  /** The index follows: the version stands there now, and whoever was live (or challenged) before is retired. */
  async #index(model: StoredModel, standing: Standing, reason: string, by: string): Promise<void> {
    const { card } = model
    const now = this.#parts.clock.now()
    const own: ModelEntry = { card, standing, reason, since: now }
    const others = this.#of(card.series).filter((entry) => entry.card.model.version !== card.model.version)
    const moved = others.flatMap((entry): ModelEntry[] => {
      if (standing !== 'live') return []
      if (entry.standing === 'live')
        return [{ ...entry, standing: 'retired', reason: replaced(card.model.version), since: now }]
      // it was tried against a model that speaks no more
      if (entry.standing === 'challenger')
        return [{ ...entry, standing: 'rejected', reason: overtaken(card.model.version), since: now }]
      return []
    })
    await this.#write([own, ...moved], by)
  }

  async #move(
    series: SeriesKey,
    version: string,
    standing: Standing,
    reason: string,
    by: string,
  ): Promise<void> {
    const entry = this.#of(series).find(({ card }) => card.model.version === version)
    if (!entry) return
    await this.#write([{ ...entry, standing, reason, since: this.#parts.clock.now() }], by)
  }

  async #write(entries: readonly ModelEntry[], by: string): Promise<void> {
    const { ledger, log, onChange } = this.#parts
    const events = entries.map(({ card, standing, reason, since }): ModelEvent => {
      return { series: card.series, version: card.model.version, at: since, standing, reason, by }
    })
    await ledger.models.put(entries, events)
    for (const entry of entries) this.#set(entry)
    for (const { series, version, standing, reason } of events)
      log.info('A model stands elsewhere.', { ...series, version, standing, reason, by })
    if (entries[0]) onChange(entries[0].card.series)
  }

  async #trim(series: SeriesKey): Promise<void> {
    const entries = this.#of(series)
    const always = [
      this.standing(series, 'live'),
      this.standing(series, 'challenger'),
      this.predecessor(series),
    ]
    const kept = new Set([...entries.filter(isLearnt).slice(0, this.#kept), ...always])
    const gone = entries.filter((entry) => isLearnt(entry) && !kept.has(entry))
    if (gone.length === 0) return
    await this.#parts.registry.trim(
      series,
      entries.filter((entry) => kept.has(entry)).map(({ card }) => card.model.version),
    )
    await this.#parts.ledger.models.remove(gone.map(({ card }) => ({ series, version: card.model.version })))
    this.#entries.set(
      seriesId(series),
      entries.filter((entry) => !gone.includes(entry)),
    )
  }

  #find(series: SeriesKey, version: string): ModelEntry {
    const entry = this.#of(series).find(({ card }) => card.model.version === version)
    if (entry) return entry
    const known = this.#of(series).filter(isLearnt)
    const detail =
      known.length > 0 ? `there are ${known.map(({ card }) => card.model.version).join(', ')}` : noModel
    throw new HomeostatError('model_missing', { model: `${nameOf(series)} ${version}`, detail })
  }

  #of(series: SeriesKey): ModelEntry[] {
    const id = seriesId(series)
    let entries = this.#entries.get(id)
    if (!entries) {
      entries = []
      this.#entries.set(id, entries)
    }
    return entries
  }

  #set(entry: ModelEntry): void {
    const entries = this.#of(entry.card.series).filter(
      ({ card }) => card.model.version !== entry.card.model.version,
    )
    entries.push(entry)
    entries.sort((a, b) => b.card.trainedAt - a.card.trainedAt)
    this.#entries.set(seriesId(entry.card.series), entries)
  }

  /** One move at a time. */
  #alone<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#turn.then(work)
    this.#turn = result.catch(() => undefined)
    return result
  }
}

export const isLearnt = ({ card }: ModelEntry): boolean => card.model.kind === 'learned'

const nameOf = ({ site, device, metric }: SeriesKey): string => `${site}/${device}/${metric}`
const noModel = 'no learnt model is live, the naive forecast speaks'
const gone = 'Its files are gone; the naive forecast speaks.'
const replaced = (version: string): string => `Replaced by ${version}.`
const overtaken = (version: string): string => `Undecided when ${version} went live.`
