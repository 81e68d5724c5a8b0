/**
 * MSTL (Bandara, Hyndman and Bergmeir 2021): the series is taken apart into a trend and a pattern for each season, the
 * trend is forecast by exponential smoothing that is chosen automatically (ETS), the patterns are repeated. The work is
 * done by augurs; its compiled code needs bytes to start from, so it is started outside and handed in.
 */
import { localMember, type Member } from '../forecast/member.ts'
import { cycleSeasons } from '../forecast/series.ts'

/** The part of augurs that is used: `MSTL` of `@bsull/augurs/mstl`, once it is initialised. */
export interface AugursMstl {
  ets(periods: number[]): {
    fit(values: Float64Array): void
    predict(steps: number): { readonly point: readonly number[] }
    free(): void
  }
}

/** It takes tens of milliseconds a forecast, so only the newest origins are tried; the others stay unknown. */
const originsMax = 3

/** A member for forecasts, like any other. Of a series shorter than two seasons it has no forecast. */
export function mstlMember(augurs: AugursMstl): Member {
  return localMember('mstl', ({ filled, first, season }, origins, horizon) => {
    const tried = new Set([...origins].sort((a, b) => b - a).slice(0, originsMax))
    return origins.map((origin) => {
      const history = filled.slice(first, origin)
      const periods = [season, cycleSeasons * season].filter((one) => one > 1 && history.length >= 2 * one)
      if (!tried.has(origin) || periods.length === 0) return new Float64Array(horizon).fill(Number.NaN)
      return forecastOne(augurs, history, periods, horizon)
    })
  })
}

function forecastOne(
  augurs: AugursMstl,
  history: Float64Array,
  periods: number[],
  horizon: number,
): Float64Array {
  // no model fits a series that never moves
  if (history.every((value) => value === history[0])) return new Float64Array(horizon).fill(history[0]!)
  const model = augurs.ets(periods)
  try {
    model.fit(history)
    return Float64Array.from(model.predict(horizon).point)
  } finally {
    model.free()
  }
}
