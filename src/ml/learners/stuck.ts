/**
 * Stuck sensor: how long a value has not moved, as a multiple of the longest stand-still that the series has shown.
 * Above 1 it has never stood still for so long. What is often constant (a door, a room at night) is thereby known.
 */
import { SortedWindow } from '../conformal.ts'
import { asLearner, featureByFeature, type SeriesDetector } from '../streaming.ts'

export interface StuckOptions {
  /** A value within this of the last counts as unmoved, in the value's unit. */
  readonly tolerance: number
  /** Stand-stills remembered. */
  readonly runs: number
  /** No stand-still shorter than this is held to be the longest, so that a lively series does not cry at two alike. */
  readonly minRunMs: number
}

interface StuckState {
  readonly value: number | null
  readonly sinceMs: number
  readonly lastMs: number
  readonly runsMs: readonly number[]
}

class Stuck implements SeriesDetector {
  readonly #options: StuckOptions
  readonly #runsMs: SortedWindow
  #value: number | undefined
  #sinceMs = 0
  #lastMs = 0

  constructor(options: StuckOptions, state?: StuckState) {
    this.#options = options
    this.#runsMs = new SortedWindow(options.runs)
    if (!state) return
    for (const run of state.runsMs) this.#runsMs.push(run)
    this.#value = state.value ?? undefined
    this.#sinceMs = state.sinceMs
    this.#lastMs = state.lastMs
  }

  knows(): boolean {
    return this.#value !== undefined
  }

  score(value: number, at: number): number {
    if (this.#value === undefined || this.#moved(value)) return 0
    const longest = this.#runsMs.sorted().at(-1) ?? 0
    return Math.max(0, at - this.#sinceMs) / Math.max(longest, this.#options.minRunMs)
  }

  learn(value: number, at: number): void {
    if (this.#value === undefined || this.#moved(value)) {
      if (this.#value !== undefined) this.#runsMs.push(this.#lastMs - this.#sinceMs)
      this.#value = value
      this.#sinceMs = at
    }
    this.#lastMs = at
  }

  toJSON(): StuckState {
    return {
      value: this.#value ?? null,
      sinceMs: this.#sinceMs,
      lastMs: this.#lastMs,
      runsMs: [...this.#runsMs.inOrder()],
    }
  }

  #moved(value: number): boolean {
    return Math.abs(value - this.#value!) > this.#options.tolerance
  }
}

export const stuckStream = featureByFeature<StuckOptions, StuckState>(
  'stuck',
  { tolerance: 0, runs: 200, minRunMs: 600_000 },
  (options, state) => new Stuck(options, state),
)

export const stuck = asLearner(stuckStream)
