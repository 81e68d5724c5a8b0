import { HomeostatError } from '../../core/errors.ts'
import {
  type ModelEntry,
  type ModelStatus,
  naiveVersion,
  type StoredModel,
  type VersionKey,
} from '../../core/life.ts'
import type { Clock, Ledger, Log } from '../../core/ports.ts'
import { type Target, TargetMap, targetId } from '../../core/target.ts'
import { KeyedTurns } from '../../core/turns.ts'
import type { Learning } from '../../domains/domain.ts'
import type { Registry } from '../registry/registry.ts'
import { nameOf, refusal } from '../registry/registry-names.ts'
import { HiddenVersions } from './hidden-versions.ts'
import { ModelCache } from './model-cache.ts'
import { bare, isLearnt, ModelIndex, noModel, requireOnceLive } from './model-index.ts'
import type { Lease, Serving } from './serving.ts'

export interface LifecycleParts {
  readonly registry: Registry
  readonly ledger: Pick<Ledger, 'models'>
  readonly serving: Serving
  readonly clock: Clock
  readonly log: Log
  readonly learnings: readonly Learning[]
  /** The live model of a target has changed: its forecast must be made anew. */
  readonly onChange: (target: Target) => void
}

/** Who requested a change, and whether it overrules the gate. */
export interface ModelRequest {
  readonly by: string
  readonly force?: boolean
}

/** Seed of the models, for their manifests. */
const seed = 1

/**
 * The status of each version, and every change of it: artifacts first, then the pointer, then the index, then the model
 * that serves. A crash in between is mended when the target is next loaded, by the pointer.
 */
export class Lifecycle {
  readonly #parts: LifecycleParts
  readonly #kept: number
  readonly #index: ModelIndex
  /** Version that was opened last, and well. */
  readonly #opened = new TargetMap<string>()
  readonly #cache = new ModelCache()
  readonly #turns = new KeyedTurns()
  readonly #hidden = new HiddenVersions()

  /** `kept`: versions of a target that are kept, the newest; the live one and the one before it always. */
  constructor(parts: LifecycleParts, kept: number) {
    this.#parts = parts
    this.#kept = kept
    this.#index = new ModelIndex({ ...parts, ledger: parts.ledger.models })
  }

  load(): Promise<void> {
    return this.#index.load()
  }

  /** All versions of a target, newest first. */
  entries(target: Target): readonly ModelEntry[] {
    return this.#index.of(target)
  }

  status(target: Target, status: ModelStatus): ModelEntry | undefined {
    return this.#index.status(target, status)
  }

  get anyLive(): boolean {
    return this.#index.anyLive
  }

  /** The version that was live before this one. */
  predecessor(target: Target): ModelEntry | undefined {
    return this.#index.retired(target)[0]
  }

  /** The live learnt model, whole and checked; a damaged one is quarantined, and the one before it is live. */
  live(target: Target): Promise<StoredModel | undefined> {
    return this.#alone(target, () => this.#loadLive(target))
  }

  /** Models of these sites (null: all) are read again when they are used next. */
  forgetLoaded(sites: readonly string[] | null): void {
    this.#cache.forget(sites)
  }

  /** Versions that predict in shadow: the challenger, and the one that was live before. */
  async shadows(target: Target): Promise<StoredModel[]> {
    const models = await this.#alone(target, () =>
      Promise.all(
        [this.status(target, 'challenger'), this.predecessor(target)].map(
          (entry) => entry && this.#loadIfGood(target, entry.card.model.version),
        ),
      ),
    )
    return models.filter((model) => model !== undefined)
  }

  /** Stores a trained model, with the status of its verdict. */
  add(model: StoredModel, { by, force }: ModelRequest): Promise<ModelEntry> {
    const { target, verdict } = model.card
    return this.#alone(target, async () => {
      await this.#parts.registry.put(model, seed)
      let { status, reason } = verdict
      const isForced = force === true && status !== 'live'
      if (isForced) {
        reason = `Live by force (${by}), against the gate: ${reason}`
        status = 'live'
      }
      // one challenger at a time, until it is decided: else none would ever be
      if (status === 'challenger' && this.status(target, 'challenger')) {
        status = 'rejected'
        reason = `Another challenger is being tried. ${reason}`
      }
      if (status === 'live') await this.#publish(model)
      await this.#index.put(model.card, { status, reason }, isForced ? by : 'gate')
      await this.#trim(target)
      return this.#index.find(target, model.card.model.version)
    })
  }

  /**
   * Makes a kept version live. Without `force` it must have passed the gate at some time; `force` is recorded in the
   * history with the name of who requested it.
   */
  promote(target: Target, version: string, reason: string, { by, force }: ModelRequest): Promise<ModelEntry> {
    return this.#alone(target, async () => {
      const entry = this.#index.find(target, version)
      if (entry.status === 'live') return entry
      if (entry.status === 'refused') throw refusal(target, version, entry.reason.replace(/\.$/, ''))
      if (entry.status === 'rejected' && !force)
        throw new HomeostatError('not_acceptable_state', {
          detail: `The model ${version} did not pass the gate (${entry.reason}); it goes live by force only`,
        })
      const model = await this.#load(target, version)
      await this.#publish(model)
      await this.#index.put(model.card, { status: 'live', reason }, by)
      return this.#index.find(target, version)
    })
  }

  /**
   * Makes the version before it live again, or the naive forecast if there is none (or it is requested). Returns which.
   * Only a version that was live before can be rolled back to: nothing else has passed the gate.
   */
  rollBack(target: Target, to: string | undefined, reason: string, by: string): Promise<string> {
    return this.#alone(target, async () => {
      const live = this.status(target, 'live')
      if (!live) throw new HomeostatError('model_missing', { model: nameOf(target), detail: noModel })
      const version = to ?? this.predecessor(target)?.card.model.version ?? naiveVersion
      // it loses its place: not the one to come back to
      const outgoing = { status: 'rejected', reason } as const
      if (version === naiveVersion) {
        await this.#parts.registry.unpoint(target)
        await this.#index.move(target, live.card.model.version, outgoing, by)
        void this.#parts.serving.drop(target)
        return version
      }
      requireOnceLive(this.#index.known(target, version))
      const model = await this.#load(target, version)
      await this.#publish(model)
      await this.#index.put(model.card, { status: 'live', reason }, by, outgoing)
      return version
    })
  }

  /** Rejects a challenger that was not better; nothing happens if it is no challenger any more. */
  drop(target: Target, version: string, reason: string): Promise<void> {
    return this.#alone(target, async () => {
      if (this.status(target, 'challenger')?.card.model.version !== version) return
      await this.#index.move(target, version, { status: 'rejected', reason }, 'shadow')
    })
  }

  /** The naive forecast's own card, while it is live. */
  async naive(cards: readonly ModelEntry[]): Promise<void> {
    for (const entry of cards) {
      const { target } = entry.card
      await this.#alone(target, async () => {
        // it was made before a learnt model went live
        if (this.status(target, 'live')) return
        const known = this.entries(target).find((other) => !isLearnt(other))
        if (known?.reason === entry.reason && known.status === 'live') return
        await this.#index.putQuietly([entry])
      })
    }
  }

  /** Opens the live model for predictions on the loop. */
  async lease(target: Target): Promise<Lease> {
    const { serving } = this.#parts
    const open = serving.lease(target)
    if (open) return open
    // between moves: what is opened here must not take the place of what went live meanwhile
    return this.#alone(target, async () => {
      const opened = serving.lease(target)
      if (opened) return opened
      const model = await this.#loadLive(target)
      if (!model) throw new HomeostatError('model_missing', { model: nameOf(target), detail: noModel })
      void serving.swap(model, this.#open(model))
      return serving.lease(target)!
    })
  }

  /** People removed the target: nothing of it is served any more. Its files stay, since it may be restored. */
  hide(target: Target): Promise<void> {
    return this.#alone(target, async () => {
      for (const { card } of this.entries(target)) {
        const { version } = card.model
        this.#hidden.add({ target, version })
        this.#cache.drop(target, version)
      }
      this.#index.forget(target)
      this.#opened.delete(target)
      void this.#parts.serving.drop(target)
      await this.#parts.registry.unpoint(target)
    })
  }

  /** At the start: what removals hide. The process may have ended before a pointer was removed. */
  async keepHidden(versions: readonly VersionKey[]): Promise<void> {
    for (const key of versions) {
      this.#hidden.add(key)
      const isPointed = (await this.#parts.registry.latest(key.target)) === key.version
      if (isPointed && !this.#index.known(key.target, key.version))
        await this.#parts.registry.unpoint(key.target)
    }
  }

  /** The ledger has the target's versions again; the one that is live is pointed at, if it is whole. */
  restore(target: Target): Promise<void> {
    return this.#alone(target, async () => {
      await this.#index.reload(target)
      const live = this.status(target, 'live')?.card.model.version
      if (live === undefined) return
      await this.#parts.registry.point(target, live).catch(async (error: unknown) => {
        if (!(error instanceof HomeostatError)) throw error
        await this.#quarantine(target, live, error.message)
      })
    })
  }

  /** Erases the files of versions that nothing can restore any more. */
  async erase(versions: readonly VersionKey[]): Promise<void> {
    for (const key of versions) {
      this.#hidden.delete(key)
      await this.#alone(key.target, async () => {
        if (!this.#index.known(key.target, key.version))
          await this.#parts.registry.erase(key.target, key.version)
      })
    }
  }

  /** Resolves when all changes of the site's models that were under way have ended and its models are erased. */
  async removeSite(site: string): Promise<void> {
    await Promise.all(this.#index.targetsOf(site).map((target) => this.#alone(target, async () => undefined)))
    this.#index.removeSite(site)
    this.#opened.removeSite(site)
    this.#cache.removeSite(site)
    this.#parts.serving.removeSite(site)
    await this.#parts.registry.removeSite(site)
  }

  async #loadLive(target: Target): Promise<StoredModel | undefined> {
    const known = this.status(target, 'live')?.card.model.version
    const { model, refused } = await this.#newestGood(target)
    for (const { version, reason } of refused) await this.#quarantine(target, version, reason)
    const live = refused.length > 0 ? await this.#fallBack(target, model) : model
    if (live?.card.model.version === known) return live
    // damaged, published elsewhere, or the process ended between the pointer and the index
    void this.#parts.serving.drop(target)
    const isDamaged = refused.some(({ version }) => version === known)
    if (live) {
      const reason = isDamaged ? `Live: ${known} could not be served.` : 'Live: the pointer names it.'
      await this.#index.put(live.card, { status: 'live', reason }, 'registry')
    } else if (known && !isDamaged) {
      await this.#index.move(target, known, unnamed, 'registry')
    }
    return live
  }

  /** The version that is live instead. The pointer follows, so that a quarantined version is not tried again. */
  async #fallBack(target: Target, previous: StoredModel | undefined): Promise<StoredModel | undefined> {
    const { registry } = this.#parts
    // the registry does not know which of its versions was rolled back
    const isOut = previous && this.#index.known(target, previous.card.model.version)?.status === 'rejected'
    let model = isOut ? undefined : previous
    for (const { card } of this.#index.retired(target))
      model ??= await this.#loadIfGood(target, card.model.version)
    if (model) await registry.point(target, model.card.model.version)
    else await registry.unpoint(target)
    return model
  }

  /** Complete load and a test prediction, then the pointer, then the model that serves. */
  async #publish(model: StoredModel): Promise<void> {
    const { registry, serving } = this.#parts
    const { target, model: ref } = model.card
    const open = this.#open(model)
    await registry.point(target, ref.version)
    // retired when its last request is done; nobody waits for that here
    void serving.swap(model, open)
  }

  #open(model: StoredModel): ReturnType<Learning['open']> {
    const [domain] = model.card.model.name.split('-')
    const learning = this.#parts.learnings.find(({ name }) => name === domain)
    if (learning) return learning.open(model)
    throw refusal(
      model.card.target,
      model.card.model.version,
      `nothing here can open a model called ${model.card.model.name}`,
    )
  }

  /** The version that the pointer names, if it can be opened, else the one before; each is opened once in a process. */
  async #newestGood(target: Target): Promise<Awaited<ReturnType<Registry['newestGood']>>> {
    const { registry } = this.#parts
    const pointed = await registry.latest(target)
    const cached = pointed === undefined ? undefined : this.#cache.get(target, pointed)
    if (cached) return { model: cached, refused: [] }
    const found = await registry.newestGood(target)
    const { model, refused } = found
    if (!model) return found
    try {
      if (this.#opened.get(target) !== model.card.model.version) this.#open(model)
      this.#opened.set(target, model.card.model.version)
      this.#cache.add(model)
      return found
    } catch (error) {
      if (!(error instanceof HomeostatError)) throw error
      const { version } = model.card.model
      await registry.quarantine(target, version, bare(error.message))
      const next = await this.#newestGood(target)
      return { ...next, refused: [...refused, { version, reason: error.message }, ...next.refused] }
    }
  }

  async #loadIfGood(target: Target, version: string): Promise<StoredModel | undefined> {
    const cached = this.#cache.get(target, version)
    if (cached) return cached
    try {
      const model = await this.#load(target, version)
      this.#cache.add(model)
      return model
    } catch (error) {
      if (error instanceof HomeostatError) return undefined
      throw error
    }
  }

  async #load(target: Target, version: string): Promise<StoredModel> {
    try {
      const model = await this.#parts.registry.load(target, version)
      this.#open(model)
      return model
    } catch (error) {
      if (error instanceof HomeostatError && error.code === 'model_refused')
        await this.#quarantine(target, version, error.message)
      throw error
    }
  }

  /** Once: the first reason stays. */
  async #quarantine(target: Target, version: string, message: string): Promise<void> {
    // the pointer itself may be unreadable: then there is no version to quarantine
    if (version === '' || this.#index.known(target, version)?.status === 'refused') return
    const reason = bare(message)
    this.#cache.drop(target, version)
    await this.#parts.registry.quarantine(target, version, reason)
    await this.#index.move(target, version, { status: 'refused', reason }, 'registry')
  }

  async #trim(target: Target): Promise<void> {
    const entries = this.entries(target)
    const always = [this.status(target, 'live'), this.status(target, 'challenger'), this.predecessor(target)]
    const kept = new Set([...entries.filter(isLearnt).slice(0, this.#kept), ...always])
    const gone = entries.filter((entry) => isLearnt(entry) && !kept.has(entry))
    if (gone.length === 0) return
    const versions = entries.filter((entry) => kept.has(entry)).map(({ card }) => card.model.version)
    await this.#parts.registry.trim(target, [...versions, ...this.#hidden.of(target)])
    await this.#index.remove(target, gone)
  }

  /** One change of a target at a time. */
  #alone<Result>(target: Target, work: () => Promise<Result>): Promise<Result> {
    return this.#turns.run(targetId(target), work)
  }
}

const unnamed = {
  status: 'retired',
  reason: 'Nothing points to it any more; the naive forecast is live.',
} as const
