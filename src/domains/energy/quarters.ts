import { quarterMs } from '../../core/time.ts'
import type { Span } from './spans.ts'

/** Energy of a quarter-hour as far as it is known. */
export interface Quarter {
  kwh: number
  knownMs: number
}

/** Distributes spans evenly over quarter-hours. Keys are the starts of quarters, UTC ms. */
export class Quarters {
  readonly #quarters: Map<number, Quarter>

  constructor(saved: readonly (readonly [number, Quarter])[] = []) {
    this.#quarters = new Map(saved.map(([start, quarter]) => [start, { ...quarter }]))
  }

  /** Leaves out what lies before `from`. */
  add(span: Span, from: number): void {
    const lastedMs = span.to - span.from
    if (!(lastedMs > 0)) return
    const first = Math.max(startOfQuarter(span.from), from)
    for (let start = first; start < span.to; start += quarterMs) {
      const insideMs = Math.min(span.to, start + quarterMs) - Math.max(span.from, start)
      if (insideMs <= 0) continue
      const quarter = this.get(start) ?? { kwh: 0, knownMs: 0 }
      quarter.kwh += (span.kwh * insideMs) / lastedMs
      quarter.knownMs += insideMs
      this.#quarters.set(start, quarter)
    }
  }

  get(start: number): Quarter | undefined {
    return this.#quarters.get(start)
  }

  /** Starts of the known quarters, in no order. */
  starts(): IterableIterator<number> {
    return this.#quarters.keys()
  }

  /** Drops quarters that begin before `start`. */
  dropBefore(start: number): void {
    for (const known of this.#quarters.keys()) if (known < start) this.#quarters.delete(known)
  }

  save(): (readonly [number, Quarter])[] {
    return [...this.#quarters].map(([start, quarter]) => [start, { ...quarter }])
  }
}

export const startOfQuarter = (at: number): number => Math.floor(at / quarterMs) * quarterMs
