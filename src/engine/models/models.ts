import { HomeostatError } from '../../core/errors.ts'
import type { ForecastKey, ModelRef, SeriesKey } from '../../core/event.ts'
import type { ForgottenSpan, Job, ModelEntry, ModelEvent, VersionKey } from '../../core/life.ts'
import type { ArtifactStore } from '../../core/ports.ts'
import type { Reading } from '../../core/reading.ts'
import type { Target } from '../../core/target.ts'
import type { FeatureRow } from '../../domains/domain.ts'
import { Registry } from '../registry/registry.ts'
import { Forgotten } from './forgotten.ts'
import { type ImportHoldOptions, ImportHolds } from './import-holds.ts'
import { Lifecycle } from './lifecycle.ts'
import type { MissingModel } from './missing.ts'
import { isLearnt } from './model-index.ts'
import { Overseer, type OverseerOptions } from './overseer.ts'
import { type ReportCard, reportCard } from './report.ts'
import { Serving } from './serving.ts'
import type { Learnable } from './target.ts'
import { Trainer, type TrainerOptions, type TrainerParts } from './trainer.ts'
import { Watch } from './watch.ts'

/** What the trainer needs of the world outside, and where models are kept. */
export interface ModelsParts
  extends Omit<TrainerParts, 'lifecycle' | 'overseer' | 'forgotten' | 'isImporting' | 'onHistory'> {
  readonly artifacts: ArtifactStore
}

export interface ModelsOptions extends TrainerOptions, OverseerOptions, ImportHoldOptions {
  /** Versions of a target that are kept. */
  readonly kept: number
  /** Models held open for predictions on request. */
  readonly open: number
  /** How often to check whether another process has published; 0: never. */
  readonly reloadMs: number
  /** Version of the program, for the manifests. */
  readonly code: string
}

/** The life of all models: trained, judged, published, queried, watched, rolled back. */
export class Models {
  readonly trainer: Trainer
  readonly imports: ImportHolds
  readonly #parts: ModelsParts
  readonly #options: ModelsOptions
  readonly #lifecycle: Lifecycle
  readonly #overseer: Overseer
  readonly #forgotten: Forgotten
  readonly #serving: Serving
  readonly #stop = new AbortController()
  #reloading: Promise<void> | undefined
  #forgets = 0

  constructor(parts: ModelsParts, options: ModelsOptions) {
    const { ledger, artifacts, directory, clock, log, learnings } = parts
    this.#parts = parts
    this.#options = options
    this.#serving = new Serving(options.open)
    this.#forgotten = new Forgotten(ledger.notes)
    const registry = new Registry({ artifacts, clock, log, code: options.code })
    const onChange = (target: Target): void => this.trainer.renew(target)
    const shared = { ledger, clock, log, directory }
    this.#lifecycle = new Lifecycle(
      { ...shared, registry, serving: this.#serving, learnings, onChange },
      options.kept,
    )
    const watch = new Watch(ledger.watch)
    this.#overseer = new Overseer({ ...shared, watch, lifecycle: this.#lifecycle }, options)
    this.imports = new ImportHolds(clock, options, (targets) => this.#importEnded(targets))
    const importing = {
      isImporting: (site: string): boolean => this.imports.holds(site),
      onHistory: (target: Target): void => this.imports.touch(target),
    }
    const own = { lifecycle: this.#lifecycle, overseer: this.#overseer, forgotten: this.#forgotten }
    this.trainer = new Trainer({ ...parts, ...own, ...importing }, options)
  }

  async start(): Promise<void> {
    await this.#parts.artifacts.open()
    await this.#lifecycle.load()
    for (const removal of this.#parts.directory.removals)
      await this.#lifecycle.keepHidden(await this.#parts.ledger.removals.versions(removal))
    await this.#forgotten.load()
    await this.trainer.start()
    if (this.#options.reloadMs > 0) this.#reloading = this.#reloadNowAndThen()
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    this.imports.stop()
    await this.trainer.stop()
    await this.#reloading
    await this.#parts.artifacts.close()
  }

  async removeSite(site: string): Promise<void> {
    await this.trainer.removeSite(site)
    this.imports.removeSite(site)
    this.#overseer.removeSite(site)
    this.#forgotten.removeSite(site)
    await this.#lifecycle.removeSite(site)
  }

  /** People removed these targets; resolves when nothing of them is under way any more. */
  async hide(targets: readonly Target[]): Promise<void> {
    const ended = this.trainer.remove(targets)
    for (const target of targets) this.#overseer.remove(target)
    await Promise.all([ended, ...targets.map((target) => this.#lifecycle.hide(target))])
  }

  /** They are back, and the ledger has them; `newest` are readings of their derived series. */
  async restore(targets: readonly Target[], newest: readonly Reading[]): Promise<void> {
    for (const target of targets) await this.#lifecycle.restore(target)
    await this.reloadForgotten()
    this.trainer.committed(newest)
    for (const target of targets) this.trainer.renew(target)
  }

  /** Forgotten spans were hidden or restored with their device. */
  reloadForgotten(): Promise<void> {
    return this.#forgotten.load()
  }

  /** Files of versions that cannot be restored any more. */
  erase(versions: readonly VersionKey[]): Promise<void> {
    return this.#lifecycle.erase(versions)
  }

  /** Whether a learnt model is live anywhere. */
  get anyLive(): boolean {
    return this.#lifecycle.anyLive
  }

  /** Newest first. */
  all(): Promise<ModelEntry[]> {
    return this.#parts.ledger.models.all()
  }

  events(filter: { readonly site?: string; readonly target?: Target }, limit: number): Promise<ModelEvent[]> {
    return this.#parts.ledger.models.events(filter, limit)
  }

  /** One report a version that was scored in [from, to), the newest version first. */
  async reports(of: ForecastKey, from: number, to: number): Promise<ReportCard[]> {
    const { watch } = this.#parts.ledger
    const [days, drifts] = await Promise.all([watch.days(of, from, to), watch.drifts(of.target)])
    const zone = this.#parts.directory.zoneOf(of.target.site)
    const cards = new Map(this.#lifecycle.entries(of.target).map(({ card }) => [card.model.version, card]))
    const versions = [...new Set(days.map(({ version }) => version))].sort().reverse()
    return versions.map((version) => reportCard({ ...of, version, zone }, days, cards.get(version), drifts))
  }

  promote(
    target: Target,
    version: string,
    wish: { readonly by: string; readonly force: boolean },
  ): Promise<ModelEntry> {
    const how = wish.force ? 'by force' : 'by hand'
    return this.#lifecycle.promote(target, version, `Made live ${how} by ${wish.by}.`, wish)
  }

  /** Returns the version that is live now. */
  rollBack(target: Target, version: string | undefined, by: string): Promise<string> {
    return this.#lifecycle.rollBack(target, version, `Rolled back by ${by}.`, by)
  }

  /** Predictions of the live model, and its version. */
  async predict(
    target: Target,
    rows: readonly FeatureRow[],
  ): Promise<{ readonly model: ModelRef; readonly unit: string; readonly predictions: readonly number[] }> {
    const lease = await this.#lifecycle.lease(target)
    try {
      const { ref, unit, model } = lease
      return { model: ref, unit, predictions: [...model.predict(rows)] }
    } finally {
      lease.release()
    }
  }

  /** Reads all live models again, as another process may have published or damaged them. Returns how many are live. */
  reload(sites: readonly string[] | null): Promise<number> {
    this.#lifecycle.forgetLoaded(sites)
    return this.#check(sites)
  }

  /** Checks for all targets whether another process has published; what has changed is forecast anew. */
  async #check(sites: readonly string[] | null = null): Promise<number> {
    let live = 0
    for (const { target } of this.trainer.targets(sites)) {
      if (this.#stop.signal.aborted) break
      if (await this.#lifecycle.live(target)) live++
    }
    return live
  }

  /** Queues trainings; with `domain`, of that domain only. */
  async train(
    want: {
      readonly sites: readonly string[] | null
      readonly subject?: string | undefined
      readonly domain?: string | undefined
    },
    wish: Pick<Job, 'by' | 'force'>,
  ): Promise<Job[]> {
    const { sites, subject } = want
    // of a meter that gives nothing to learn from, the training tells why
    const targets = [
      ...this.trainer.targets(sites, subject),
      ...this.trainer.measured(sites, subject),
    ].filter(({ learning }) => want.domain === undefined || learning.name === want.domain)
    return this.trainer.train(targets, wish)
  }

  /** Targets without a learnt version, and why. */
  missing(sites: readonly string[] | null, subject?: string): Promise<MissingModel[]> {
    const { trainer } = this
    const isMissing = ({ target }: Learnable): boolean => !this.#lifecycle.entries(target).some(isLearnt)
    return trainer.missing.of(
      trainer.targets(sites, subject).filter(isMissing),
      trainer.measured(sites, subject),
    )
  }

  forgotten(): readonly ForgottenSpan[] {
    return this.#forgotten.all()
  }

  /** Leaves a span out of learning, and learns the targets that it concerns anew. Times are UTC ms, [from, to). */
  async forget(
    span: Pick<ForgottenSpan, 'series' | 'from' | 'to' | 'reason' | 'by'>,
  ): Promise<ForgottenSpan> {
    if (!(span.from < span.to))
      throw new HomeostatError('data_invalid', { detail: 'A span to forget must begin before it ends' })
    const at = this.#parts.clock.now()
    const kept = { ...span, id: `${at.toString(36)}-${this.#forgets++}`, at }
    await this.#forgotten.add(kept)
    await this.#learnAnew(span.series, span.by)
    return kept
  }

  async remember(id: string, by: string): Promise<void> {
    const span = this.#forgotten.all().find((one) => one.id === id)
    if (!span) throw new HomeostatError('not_found', { what: `forgotten span "${id}"` })
    await this.#forgotten.remove(id)
    await this.#learnAnew(span.series, by)
  }

  async #learnAnew({ site, device }: SeriesKey, by: string): Promise<void> {
    const targets = this.trainer.targets([site], device)
    for (const { target } of targets) this.trainer.renew(target)
    await this.trainer.train(targets, { by, force: false })
  }

  /** What waited for an import is trained; what has learnt from a part of the file only, or before it, learns again. */
  #importEnded(touched: readonly Target[]): void {
    const { trainer } = this
    const learnt = touched.filter((target) => this.#lifecycle.entries(target).some(isLearnt))
    const again = learnt.flatMap(({ site, subject }) => trainer.targets([site], subject))
    trainer.jobs.look()
    if (again.length === 0) return
    trainer.train(again, { by: 'import', force: false }).catch((error: unknown) => {
      this.#parts.log.warn('Trainings after an import could not be queued.', { error: String(error) })
    })
  }

  async #reloadNowAndThen(): Promise<void> {
    const { clock, log } = this.#parts
    for (;;) {
      await clock.sleep(this.#options.reloadMs, this.#stop.signal)
      if (this.#stop.signal.aborted) return
      try {
        await this.#check()
      } catch (error) {
        log.warn('Models could not be checked.', { error: String(error) })
      }
    }
  }
}
