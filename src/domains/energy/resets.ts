import { quarterMs } from '../../core/time.ts'
import { gapMsMax, type ResetFound } from './counter.ts'
import { startOfQuarter } from './quarters.ts'

/** [start of the quarter, number of resets]. */
export type ResetCount = readonly [start: number, count: number]

export interface ResetsState {
  readonly found: readonly ResetCount[]
  readonly told: readonly ResetCount[]
}

const none: readonly ResetCount[] = []

/** How often a counter was reset in each quarter-hour that was derived from it. */
export class Resets {
  /** In quarters that are not derived yet. */
  readonly #found: Map<number, number>
  /** In derived quarters, as long as it may turn out that a reset was none. */
  readonly #told: Map<number, number>

  constructor(saved?: ResetsState) {
    this.#found = new Map(saved?.found)
    this.#told = new Map(saved?.told)
  }

  /** `doneTo`: end of what is derived. Returns the counts of derived quarters that have changed. */
  add(found: readonly ResetFound[], doneTo: number): readonly ResetCount[] {
    if (found.length === 0) return none
    return found.flatMap(({ at, isTakenBack }): ResetCount[] => {
      const start = startOfQuarter(at)
      if (!isTakenBack) {
        // a quarter that is derived already was derived from another source
        if (start >= doneTo) this.#found.set(start, (this.#found.get(start) ?? 0) + 1)
        return []
      }
      const told = this.#told.get(start)
      if (told === undefined) {
        const left = (this.#found.get(start) ?? 0) - 1
        if (left > 0) this.#found.set(start, left)
        else this.#found.delete(start)
        return []
      }
      this.#told.set(start, told - 1)
      return [[start, told - 1]]
    })
  }

  /** The counts of quarters that are derived now, up to `end`, where the counter `isUsed`. */
  derive(end: number, isUsed: (start: number) => boolean): readonly ResetCount[] {
    if (this.#found.size === 0 && this.#told.size === 0) return none
    const derived = [...this.#found].filter(([start]) => start < end)
    for (const start of this.#told.keys()) if (start < end - gapMsMax - quarterMs) this.#told.delete(start)
    for (const [start] of derived) this.#found.delete(start)
    const told = derived.filter(([start]) => isUsed(start))
    for (const [start, count] of told) this.#told.set(start, count)
    return told
  }

  save(): ResetsState | undefined {
    const isEmpty = this.#found.size === 0 && this.#told.size === 0
    return isEmpty ? undefined : { found: [...this.#found], told: [...this.#told] }
  }
}
