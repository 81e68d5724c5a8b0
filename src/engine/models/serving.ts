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

/** The right to ask one version, until it is given back. */
export interface Lease {
  readonly ref: ModelRef
  readonly unit: string
  readonly model: OpenModel
  release(): void
}

/**
 * Models that answer on the loop. A swap is one assignment: whoever asked before it is answered by the old version,
 * whoever asks after it by the new one, and every answer can name the version that made it.
 */
export class Serving {
  /** In the order in which they were put. */
  readonly #served = new Map<string, Served>()
  readonly #limit: number

  /** `limit`: models held open; the one that was put longest ago makes room. */
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

  /** Resolves when the version that was replaced has answered its last request. */
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
