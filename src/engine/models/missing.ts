/** Why targets have no learnt model: told to whoever asks, without reading any history for the answer. */
import type { Job } from '../../core/life.ts'
import type { JobLedger, WindowStore } from '../../core/ports.ts'
import { isSameTarget, type Target, TargetMap } from '../../core/target.ts'
import type { Steps } from '../../domains/domain.ts'
import { pacesOf } from './measured.ts'
import type { Learnable } from './target.ts'

export interface MissingModel {
  readonly target: Target
  /** A sentence. */
  readonly reason: string
}

export interface MissingParts {
  readonly windows: WindowStore
  readonly ledger: JobLedger
  readonly isImporting: (site: string) => boolean
  /** Whether history of the target is still to be derived again. */
  readonly isDirty: (target: Target) => boolean
  /** Whether trainings run here, and whether one of the target is queued or runs. */
  readonly trainings: { readonly areRun: boolean; has(target: Target): boolean }
}

/** The newest jobs of a site that are searched for the last training of a target. */
const jobsLookedThrough = 500

export class Missing {
  readonly #parts: MissingParts
  /** What the history of each target lacked when it was read last; null: nothing. */
  readonly #lacks = new TargetMap<string | null>()

  constructor(parts: MissingParts) {
    this.#parts = parts
  }

  /** The history of a target was read; undefined: not one step of it is whole. */
  look(learnable: Learnable, steps: Steps | undefined): void {
    const { learning, target } = learnable
    const isEnough = steps !== undefined && learning.isEnough(steps)
    this.#lacks.set(target, isEnough ? null : learning.whyNot(steps, pacesOf(this.#parts.windows, learnable)))
  }

  remove(targets: readonly Target[]): void {
    for (const target of targets) this.#lacks.delete(target)
  }

  removeSite(site: string): void {
    this.#lacks.removeSite(site)
  }

  /** Of targets with derived steps, and of those that are measured but of which nothing could be derived. */
  async of(derived: readonly Learnable[], measured: readonly Learnable[]): Promise<MissingModel[]> {
    const jobs = new Map<string, readonly Job[]>()
    const missing: MissingModel[] = []
    for (const { target } of derived) {
      const lack = this.#lacks.get(target)
      const known = this.#waitsFor(target) ?? (lack === undefined ? 'Its history is being read.' : lack)
      missing.push({ target, reason: known ?? (await this.#training(target, jobs)) })
    }
    for (const learnable of measured) {
      const paces = pacesOf(this.#parts.windows, learnable)
      const { target, learning } = learnable
      missing.push({ target, reason: this.#waitsFor(target) ?? learning.whyNot(undefined, paces) })
    }
    return missing
  }

  #waitsFor(target: Target): string | undefined {
    const { isImporting, isDirty, trainings } = this.#parts
    if (!trainings.areRun) return 'Training is switched off here (training.enabled).'
    if (isImporting(target.site))
      return 'An import for its site is running; it is learnt once that has ended.'
    if (isDirty(target)) return 'Its history is being derived again; it is learnt after that.'
    return undefined
  }

  /** How far the training of a target with enough history is. */
  async #training(target: Target, jobs: Map<string, readonly Job[]>): Promise<string> {
    const { trainings, ledger } = this.#parts
    if (trainings.has(target)) return 'Its training is queued or running.'
    const { site } = target
    const ofSite = jobs.get(site) ?? (await ledger.all({ site }, jobsLookedThrough))
    jobs.set(site, ofSite)
    const last = ofSite.find((job) => isSameTarget(job.target, target))
    return last?.status === 'failed' || last?.status === 'cancelled'
      ? `Its last training ${last.status === 'failed' ? 'failed' : 'was cancelled'}: ${last.detail}`
      : 'Its history suffices; it is trained after its next forecast.'
  }
}
