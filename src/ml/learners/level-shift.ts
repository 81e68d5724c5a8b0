/**
 * Level shift: how far the mean of the newest values lies from the mean of the values before them, in standard
 * deviations of those (two windows, Kifer, Ben-David and Gehrke 2004). Slow on purpose: a spike moves it little, a new
 * level moves it until the older window has learnt it.
 */
import { asLearner, featureByFeature, type SeriesDetector } from '../streaming.ts'

export interface LevelShiftOptions {
  /** Values of the newer window, the one to be scored among them. */
  readonly recentValues: number
  /** Values of the older window, which ends where the newer one begins. */
  readonly pastValues: number
  /** Values that the older window needs before anything is scored. */
  readonly minValues: number
}

interface WindowState {
  /** As they lie in the ring, so that they are counted anew at the same moment. */
  readonly values: readonly number[]
  readonly next: number
  readonly origin: number
  readonly sum: number
  readonly squares: number
}

interface LevelShiftState {
  readonly recent: WindowState
  readonly past: WindowState
}

/** Keeps the score finite where the past was flat: a spread below this share of the level is rounding. */
const smallestSpread = 1e-9

/** No reading is that large; the square of a larger one would not be finite. */
const largestValue = 1e150
const clamped = (value: number): number => Math.max(-largestValue, Math.min(largestValue, value))

class LevelShift implements SeriesDetector {
  readonly #options: LevelShiftOptions
  /** One value short of the newer window: the value to be scored completes it. */
  readonly #recent: MeanWindow
  readonly #past: MeanWindow

  constructor(options: LevelShiftOptions, state?: LevelShiftState) {
    this.#options = options
    this.#recent = new MeanWindow(options.recentValues - 1, state?.recent)
    this.#past = new MeanWindow(options.pastValues, state?.past)
  }

  knows(): boolean {
    return this.#past.size >= this.#options.minValues
  }

  score(value: number): number {
    if (!this.knows()) return 0
    const level = this.#past.mean()
    const recent = (this.#recent.sum() + clamped(value)) / (this.#recent.size + 1)
    const spread = Math.max(this.#past.deviation(), smallestSpread * Math.abs(level), Number.MIN_VALUE ** 0.5)
    return Math.abs(recent - level) / spread
  }

  learn(value: number): void {
    const left = this.#recent.push(clamped(value))
    if (left !== undefined) this.#past.push(left)
  }

  toJSON(): LevelShiftState {
    return { recent: this.#recent.toJSON(), past: this.#past.toJSON() }
  }
}

/** Sum and spread of the newest values. Kept about an origin, and counted anew each time the ring comes round. */
class MeanWindow {
  readonly #ring: Float64Array
  #size = 0
  #next = 0
  #origin = 0
  #sum = 0
  #squares = 0

  constructor(capacity: number, state?: WindowState) {
    this.#ring = new Float64Array(capacity)
    if (!state) return
    this.#ring.set(state.values)
    this.#size = state.values.length
    this.#next = state.next
    this.#origin = state.origin
    this.#sum = state.sum
    this.#squares = state.squares
  }

  get size(): number {
    return this.#size
  }

  sum(): number {
    return this.#sum + this.#size * this.#origin
  }

  mean(): number {
    return this.#origin + this.#sum / this.#size
  }

  deviation(): number {
    const mean = this.#sum / this.#size
    return Math.sqrt(Math.max(0, this.#squares / this.#size - mean * mean))
  }

  /** Adds a value; returns the one that leaves. */
  push(value: number): number | undefined {
    const capacity = this.#ring.length
    if (capacity === 0) return value
    const left = this.#size === capacity ? this.#ring[this.#next]! : undefined
    this.#ring[this.#next] = value
    this.#next = (this.#next + 1) % capacity
    if (left === undefined) {
      this.#size++
      if (this.#size === 1) this.#origin = value
    } else this.#add(left, -1)
    this.#add(value, 1)
    if (this.#next === 0) this.#countAnew()
    return left
  }

  toJSON(): WindowState {
    return {
      values: [...this.#ring.subarray(0, this.#size)],
      next: this.#next,
      origin: this.#origin,
      sum: this.#sum,
      squares: this.#squares,
    }
  }

  #add(value: number, sign: 1 | -1): void {
    const distance = value - this.#origin
    this.#sum += sign * distance
    this.#squares += sign * distance * distance
  }

  #countAnew(): void {
    this.#origin = this.mean()
    this.#sum = 0
    this.#squares = 0
    for (let at = 0; at < this.#size; at++) this.#add(this.#ring[at]!, 1)
  }
}

/** Defaults in values, not in time: four hours against a week at five minutes, two days against twelve weeks hourly. */
export const levelShiftStream = featureByFeature<LevelShiftOptions, LevelShiftState>(
  'level-shift',
  { recentValues: 48, pastValues: 2_000, minValues: 10 },
  (options, state) => new LevelShift(options, state),
)

export const levelShift = asLearner(levelShiftStream)
