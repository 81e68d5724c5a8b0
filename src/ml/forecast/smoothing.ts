/**
 * Double seasonal exponential smoothing with a first-order autoregression of its errors (Taylor 2003, "Short-term
 * electricity demand forecasting using double seasonal exponential smoothing", additive form): a level, a pattern of the
 * season (the day) and one of the cycle (the week), each forgetting at its own pace.
 */
import { localMember, type Member } from './member.ts'
import { cycleSeasons, type Prepared } from './series.ts'

/** How fast each part forgets, 0..1, and the share of an error that is still there a step later. */
export interface SmoothingPaces {
  readonly level: number
  readonly season: number
  readonly cycle: number
  readonly echo: number
}

const grid: readonly SmoothingPaces[] = [0.003, 0.02, 0.1].flatMap((level) =>
  [0.03, 0.12, 0.35].flatMap((season) =>
    [0.03, 0.15, 0.4].flatMap((cycle) => [0.6, 0.9, 0.98].map((echo) => ({ level, season, cycle, echo }))),
  ),
)

/** The paces are those that did best, forecasting as far ahead, at points of the series before the origin. */
export const smoothedMember: Member = localMember('smoothed', forecastOrigins)

/** Points before the first origin at which paces are compared, at most. */
const pointsMax = 60

function forecastOrigins(prepared: Prepared, origins: readonly number[], horizon: number): Float64Array[] {
  if (origins.length === 0) return []
  const stops = stopsFor(prepared, origins)
  const tries = grid.map((paces) => tryPaces(prepared, paces, stops, new Set(origins), horizon))
  return origins.map((origin) => {
    const before = stops.filter((stop) => stop + horizon <= origin).length
    let best = tries[0]!
    let least = Number.POSITIVE_INFINITY
    for (const one of tries) {
      // the newer half: by then the patterns have settled
      let sum = 0
      for (let at = before >> 1; at < before; at++) sum += one.errors[at]!
      if (sum >= least) continue
      least = sum
      best = one
    }
    return best.said.get(origin)!
  })
}

/** The origins, and points a season apart before and between them, rising. */
function stopsFor({ season, first }: Prepared, origins: readonly number[]): number[] {
  const from = Math.max(first + 3 * season, Math.min(...origins) - pointsMax * season)
  const stops = new Set(origins)
  for (let at = Math.max(...origins); at >= from; at -= season) stops.add(at)
  return [...stops].sort((a, b) => a - b)
}

interface Tried {
  /** By stop: sum of |error| over the horizon, of the steps that are known. */
  readonly errors: Float64Array
  /** Forecasts by origin. */
  readonly said: ReadonlyMap<number, Float64Array>
}

function tryPaces(
  prepared: Prepared,
  paces: SmoothingPaces,
  stops: readonly number[],
  origins: ReadonlySet<number>,
  horizon: number,
): Tried {
  const { filled } = prepared
  const errors = new Float64Array(stops.length)
  const said = new Map<number, Float64Array>()
  const smoother = new Smoother(prepared, paces, stops[0]!)
  for (const [nth, stop] of stops.entries()) {
    smoother.runTo(stop)
    const known = Math.min(horizon, filled.length - stop)
    for (let lead = 0; lead < known; lead++)
      errors[nth]! += Math.abs(filled[stop + lead]! - smoother.ahead(lead))
    if (origins.has(stop))
      said.set(
        stop,
        Float64Array.from({ length: horizon }, (_, lead) => smoother.ahead(lead)),
      )
  }
  return { errors, said }
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
