/** The member that smooths (see smoother.ts) at paces that did well on the series itself. */
import { localMember, type Member } from './member.ts'
import type { Prepared } from './series.ts'
import { Smoother, type SmoothingPaces } from './smoother.ts'

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
    return best.forecasts.get(origin)!
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
  readonly forecasts: ReadonlyMap<number, Float64Array>
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
  const forecasts = new Map<number, Float64Array>()
  const smoother = new Smoother(prepared, paces, stops[0]!)
  for (const [nth, stop] of stops.entries()) {
    smoother.runTo(stop)
    const known = Math.min(horizon, filled.length - stop)
    for (let lead = 0; lead < known; lead++)
      errors[nth]! += Math.abs(filled[stop + lead]! - smoother.ahead(lead))
    if (origins.has(stop))
      forecasts.set(
        stop,
        Float64Array.from({ length: horizon }, (_, lead) => smoother.ahead(lead)),
      )
  }
  return { errors, forecasts }
}
