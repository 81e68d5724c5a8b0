import type { ModelRef } from '../../core/event.ts'
import type { StoredModel } from '../../core/life.ts'
import { type Target, targetId } from '../../core/target.ts'
import type { OpenModel } from '../../domains/domain.ts'

/** A model in use. */
interface Served {
  readonly target: Target
  readonly ref: ModelRef
  readonly unit: string
  readonly model: OpenModel
  users: number
  /** Called when it was replaced and its last user is done. */
  retire: (() => void) | undefined
}

/** The right to query one version, until it is released. */
export interface Lease {
  readonly ref: ModelRef
  readonly unit: string
  readonly model: OpenModel
  release(): void
}

/**
 * Models that predict on the loop. A swap is one assignment: requests before it use the old version, requests after it
 * the new one, and every reply can name its version.
 */
export class Serving {
  /** In order of insertion. */
  readonly #served = new Map<string, Served>()
  readonly #limit: number

  /** `limit`: models held open; the one that was added first is dropped first. */
  constructor(limit: number) {
    this.#limit = limit
  }

  get size(): number {
    return this.#served.size
  }

  lease(target: Target): Lease | undefined {
    const served = this.#served.get(targetId(target))
    if (!served) return undefined
    served.users++
    let held = true
    return {
      ref: served.ref,
      unit: served.unit,
      model: served.model,
      release() {
        if (held && --served.users === 0) served.retire?.()
        held = false
      },
    }
  }

  /** Resolves when the last request of the replaced version has ended. */
  swap({ card: { target, unit, model: ref } }: StoredModel, model: OpenModel): Promise<void> {
    const gone = this.drop(target)
    this.#served.set(targetId(target), { target, ref, unit, model, users: 0, retire: undefined })
    for (const one of this.#served.values()) {
      if (this.#served.size <= this.#limit) break
      this.#served.delete(targetId(one.target))
    }
    return gone
  }

  /** No model answers for the target any more. */
  drop(target: Target): Promise<void> {
    const served = this.#served.get(targetId(target))
    this.#served.delete(targetId(target))
    if (!served || served.users === 0) return Promise.resolve()
    return new Promise((resolve) => {
      served.retire = resolve
    })
  }

  removeSite(site: string): void {
    for (const [id, { target }] of this.#served) if (target.site === site) this.#served.delete(id)
  }
}
