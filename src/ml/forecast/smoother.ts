/**
 * Double seasonal exponential smoothing with a first-order autoregression of its errors (Taylor 2003, "Short-term
 * electricity demand forecasting using double seasonal exponential smoothing", additive form): a level, a pattern of the
 * season (the day) and one of the cycle (the week), each forgetting at its own pace.
 */
import { cycleSeasons, type Prepared } from './series.ts'

/** How fast each part forgets, 0..1, and the share of an error that is still there a step later. */
export interface SmoothingPaces {
  readonly level: number
  readonly season: number
  readonly cycle: number
  readonly echo: number
}

/** The state of the smoothing at a place of a series. */
export class Smoother {
  readonly #values: Float64Array
  readonly #paces: SmoothingPaces
  readonly #season: Float64Array
  readonly #cycle: Float64Array
  #level: number
  #error = 0
  #at: number

  /** Starts from the first season, of which no value at or after `end` is looked at. */
  constructor({ filled, first, season }: Prepared, paces: SmoothingPaces, end: number) {
    this.#values = filled
    this.#paces = paces
    this.#season = new Float64Array(season)
    this.#cycle = new Float64Array(cycleSeasons * season)
    this.#at = Math.min(end, first + season)
    let sum = 0
    for (let at = first; at < this.#at; at++) sum += filled[at]!
    this.#level = sum / (this.#at - first)
    for (let at = first; at < this.#at; at++) this.#season[at % season] = filled[at]! - this.#level
  }

  /** Takes in the values before `to`. */
  runTo(to: number): void {
    const { level, season, cycle } = this.#paces
    const [daily, weekly] = [this.#season, this.#cycle]
    for (; this.#at < to; this.#at++) {
      const value = this.#values[this.#at]!
      const day = this.#at % daily.length
      const week = this.#at % weekly.length
      const error = value - this.#level - daily[day]! - weekly[week]!
      this.#level += level * error
      daily[day]! += season * error
      weekly[week]! += cycle * error
      this.#error = error
    }
  }

  /** The forecast of the step `lead` (0 the next one). */
  ahead(lead: number): number {
    const at = this.#at + lead
    const pattern = this.#season[at % this.#season.length]! + this.#cycle[at % this.#cycle.length]!
    return this.#level + pattern + this.#paces.echo ** (lead + 1) * this.#error
  }
}
