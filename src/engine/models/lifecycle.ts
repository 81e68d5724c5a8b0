import { HomeostatError } from '../../core/errors.ts'
import type { SeriesKey } from '../../core/event.ts'
import { type ModelEntry, naiveVersion, type Standing, type StoredModel } from '../../core/life.ts'
import type { Clock, Ledger, Log } from '../../core/ports.ts'
import { SeriesMap } from '../../core/series.ts'
import { Turns } from '../../core/turns.ts'
import type { Learning } from '../../domains/domain.ts'
import type { Registry } from '../registry/registry.ts'
import { nameOf, refusal } from '../registry/registry-names.ts'
import { isLearnt, ModelIndex, noModel } from './model-index.ts'
import type { Lease, Serving } from './serving.ts'

export interface LifecycleParts {
  readonly registry: Registry
  readonly ledger: Pick<Ledger, 'models'>
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
  readonly #index: ModelIndex
  /** Version that was opened last, and well. */
  readonly #opened = new SeriesMap<string>()
  readonly #turns = new Turns(1)

  /** `kept`: versions of a series that are kept, the newest; the live one and the one before it always. */
  constructor(parts: LifecycleParts, kept: number) {
    this.#parts = parts
    this.#kept = kept
    this.#index = new ModelIndex({ ...parts, ledger: parts.ledger.models })
  }

  load(): Promise<void> {
    return this.#index.load()
  }

  /** All versions of a series, newest first. */
  entries(series: SeriesKey): readonly ModelEntry[] {
    return this.#index.of(series)
  }

  standing(series: SeriesKey, standing: Standing): ModelEntry | undefined {
    return this.#index.standing(series, standing)
  }

  get anyLive(): boolean {
    return this.#index.anyLive
  }

  /** The version that was live before this one. */
  predecessor(series: SeriesKey): ModelEntry | undefined {
    return this.#index.retired(series)[0]
  }

  /** The learnt model that speaks, whole and checked; what is damaged is put apart, and the one before it speaks. */
  live(series: SeriesKey): Promise<StoredModel | undefined> {
    return this.#alone(() => this.#speaking(series))
  }

  /** Versions that speak in shadow: the challenger, and the one that was live before. */
  async shadows(series: SeriesKey): Promise<StoredModel[]> {
    const models = await this.#alone(() =>
      Promise.all(
        [this.standing(series, 'challenger'), this.predecessor(series)].map(
          (entry) => entry && this.#loadIfGood(series, entry.card.model.version),
        ),
      ),
    )
    return models.filter((model) => model !== undefined)
  }

  /** Keeps what was learnt, and lets it stand where its verdict says. */
  judged(model: StoredModel, { by, force }: Wish): Promise<ModelEntry> {
    return this.#alone(async () => {
      const { series, verdict } = model.card
      await this.#parts.registry.put(model, seed)
      let { standing, reason } = verdict
      const isForced = force === true && standing !== 'live'
      if (isForced) {
        reason = `Live by force (${by}), against the gate: ${reason}`
        standing = 'live'
      }
      // one challenger at a time, until it is decided: else none would ever be
      if (standing === 'challenger' && this.standing(series, 'challenger')) {
        standing = 'rejected'
        reason = `Another challenger is being tried. ${reason}`
      }
      if (standing === 'live') await this.#publish(model)
      await this.#index.put(model.card, { standing, reason }, isForced ? by : 'gate')
      await this.#trim(series)
      return this.#index.find(series, model.card.model.version)
    })
  }

  /**
   * Makes a kept version live. Without `force` it must have passed the gate at some time; `force` is told in the
   * history with the name of who wanted it.
   */
  promote(series: SeriesKey, version: string, reason: string, { by, force }: Wish): Promise<ModelEntry> {
    return this.#alone(async () => {
      const entry = this.#index.find(series, version)
      if (entry.standing === 'live') return entry
      if (entry.standing === 'refused') throw refusal(series, version, entry.reason.replace(/\.$/, ''))
      if (entry.standing === 'rejected' && !force)
        throw new HomeostatError('not_acceptable_state', {
          detail: `The model ${version} did not pass the gate (${entry.reason}); it goes live by force only`,
        })
      const model = await this.#load(series, version)
      await this.#publish(model)
      await this.#index.put(model.card, { standing: 'live', reason }, by)
      return this.#index.find(series, version)
    })
  }

  /**
   * The one before it speaks again, or the naive forecast where there is none (or it is asked for). Returns which.
   * Only what was live before can be gone back to: nothing comes in by this door that the gate did not let in.
   */
  rollBack(series: SeriesKey, to: string | undefined, reason: string, by: string): Promise<string> {
    return this.#alone(async () => {
      const live = this.standing(series, 'live')
      if (!live) throw new HomeostatError('model_missing', { model: nameOf(series), detail: noModel })
      const target = to ?? this.predecessor(series)?.card.model.version ?? naiveVersion
      // it loses its place: not the one to come back to
      const outgoing = { standing: 'rejected', reason } as const
      if (target === naiveVersion) {
        await this.#parts.registry.unpoint(series)
        await this.#index.move(series, live.card.model.version, outgoing, by)
        void this.#parts.serving.drop(series)
        return target
      }
      requireOnceLive(this.#index.known(series, target))
      const model = await this.#load(series, target)
      await this.#publish(model)
      await this.#index.put(model.card, { standing: 'live', reason }, by, outgoing)
      return target
    })
  }

  /** A challenger that was not better; nothing happens where it challenges no more. */
  drop(series: SeriesKey, version: string, reason: string): Promise<void> {
    return this.#alone(async () => {
      if (this.standing(series, 'challenger')?.card.model.version !== version) return
      await this.#index.move(series, version, { standing: 'rejected', reason }, 'shadow')
    })
  }

  /** The naive forecast's own card, where it is the one that speaks. */
  naive(cards: readonly ModelEntry[]): Promise<void> {
    return this.#alone(() =>
      this.#index.putQuietly(
        cards.filter(({ card, reason }) => {
          // it was made before a learnt model went live
          if (this.standing(card.series, 'live')) return false
          const known = this.entries(card.series).find((entry) => !isLearnt(entry))
          return known?.reason !== reason || known.standing !== 'live'
        }),
      ),
    )
  }

  /** Opens the live model for questions on the loop. */
  async lease(series: SeriesKey): Promise<Lease> {
    const { serving } = this.#parts
    const open = serving.lease(series)
    if (open) return open
    // between moves: what is opened here must not take the place of what went live meanwhile
    return this.#alone(async () => {
      const opened = serving.lease(series)
      if (opened) return opened
      const model = await this.#speaking(series)
      if (!model) throw new HomeostatError('model_missing', { model: nameOf(series), detail: noModel })
      void serving.swap(model, this.#open(model))
      return serving.lease(series)!
    })
  }

  async removeSite(site: string): Promise<void> {
    await this.#alone(async () => {
      this.#index.removeSite(site)
      this.#opened.removeSite(site)
      this.#parts.serving.removeSite(site)
      await this.#parts.registry.removeSite(site)
    })
  }

  async #speaking(series: SeriesKey): Promise<StoredModel | undefined> {
    const known = this.standing(series, 'live')?.card.model.version
    const { model, refused } = await this.#newestGood(series)
    for (const { version, reason } of refused) await this.#putApart(series, version, reason)
    const speaking = refused.length > 0 ? await this.#fallBack(series, model) : model
    if (speaking?.card.model.version === known) return speaking
    // damaged, published elsewhere, or the process ended between the pointer and the index
    void this.#parts.serving.drop(series)
    const isDamaged = refused.some(({ version }) => version === known)
    if (speaking) {
      const reason = isDamaged ? `Live: ${known} could not be served.` : 'Live: the pointer names it.'
      await this.#index.put(speaking.card, { standing: 'live', reason }, 'registry')
    } else if (known && !isDamaged) {
      await this.#index.move(series, known, unnamed, 'registry')
    }
    return speaking
  }

  /** What speaks instead. The pointer follows: what was put apart is not tried again and again. */
  async #fallBack(series: SeriesKey, previous: StoredModel | undefined): Promise<StoredModel | undefined> {
    const { registry } = this.#parts
    // the registry does not know which of its versions was rolled back
    const isOut = previous && this.#index.known(series, previous.card.model.version)?.standing === 'rejected'
    let model = isOut ? undefined : previous
    for (const { card } of this.#index.retired(series))
      model ??= await this.#loadIfGood(series, card.model.version)
    if (model) await registry.point(series, model.card.model.version)
    else await registry.unpoint(series)
    return model
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
    throw refusal(
      model.card.series,
      model.card.model.version,
      `nothing here can open a model called ${model.card.model.name}`,
    )
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
      await registry.quarantine(series, version, bare(error.message))
      const next = await this.#newestGood(series)
      return { ...next, refused: [...refused, { version, reason: error.message }, ...next.refused] }
    }
  }

  async #loadIfGood(series: SeriesKey, version: string): Promise<StoredModel | undefined> {
    try {
      return await this.#load(series, version)
    } catch (error) {
      if (error instanceof HomeostatError) return undefined
      throw error
    }
  }

  async #load(series: SeriesKey, version: string): Promise<StoredModel> {
    try {
      const model = await this.#parts.registry.load(series, version)
      this.#open(model)
      return model
    } catch (error) {
      if (error instanceof HomeostatError && error.code === 'model_refused')
        await this.#putApart(series, version, error.message)
      throw error
    }
  }

  /** Once: the first reason stays. */
  async #putApart(series: SeriesKey, version: string, message: string): Promise<void> {
    // the pointer itself may be no good: then there is no version to put apart
    if (version === '' || this.#index.known(series, version)?.standing === 'refused') return
    const reason = bare(message)
    await this.#parts.registry.quarantine(series, version, reason)
    await this.#index.move(series, version, { standing: 'refused', reason }, 'registry')
  }

  async #trim(series: SeriesKey): Promise<void> {
    const entries = this.entries(series)
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
    await this.#index.remove(series, gone)
  }

  /** One move at a time. */
  #alone<Result>(work: () => Promise<Result>): Promise<Result> {
    return this.#turns.run(work)
  }
}

const unnamed = {
  standing: 'retired',
  reason: 'Nothing points to it any more; the naive forecast speaks.',
} as const

/** What is wrong: which model it is about is known where the reason is kept. */
const bare = (message: string): string => message.replace(/^The model .*? is refused: /s, '')

/** Throws `not_acceptable_state` for a version that is kept but was never live, or is live. */
function requireOnceLive(entry: ModelEntry | undefined): void {
  if (!entry || entry.standing === 'retired' || entry.standing === 'refused') return
  const { version } = entry.card.model
  const detail =
    entry.standing === 'live'
      ? `The model ${version} is live already`
      : `The model ${version} is no model to go back to: it is ${entry.standing} (${entry.reason}); promote it instead`
  throw new HomeostatError('not_acceptable_state', { detail })
}
