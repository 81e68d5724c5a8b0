import type { ForecastKey } from '../../core/event.ts'
import { forecastEnd, forecastKeyId } from '../../core/forecast.ts'
import type { Drift, LoggedForecast, ReportDay } from '../../core/life.ts'
import type { ScoredTo, WatchLedger } from '../../core/ports.ts'
import { isSameTarget, type Target } from '../../core/target.ts'
import { forecastBytes, forecastOfBytes } from './forecast-bytes.ts'
import { isThinned } from './forecast-thinning.ts'
import { versionId } from './keys.ts'
import { hides, type TakeOut, takeOut } from './memory-devices.ts'
import { compare, removeWhere, type Upkeep } from './memory-upkeep.ts'
import { addDays } from './report-sums.ts'

export function memoryWatch(): WatchLedger & Upkeep & { readonly takeOut: TakeOut } {
  const log = new Map<string, LoggedForecast>()
  const days = new Map<string, ReportDay>()
  const drifts = new Map<string, Drift>()
  const scored = new Map<string, ScoredTo>()

  return {
    async log(forecasts) {
      for (const { forecast, published } of forecasts)
        log.set(loggedId(forecast), { forecast: rounded(forecast), published })
    },
    logged: async (of, from, to) =>
      [...log.values()]
        .filter(({ forecast }) => isOf(forecast, of))
        .filter(({ forecast }) => forecast.origin < to && forecastEnd(forecast) > from)
        .sort(
          ({ forecast: a }, { forecast: b }) =>
            a.origin - b.origin || compare(a.model.version, b.model.version),
        ),
    async score(add, scoredTo) {
      const [copies, states] = structuredClone([add, scoredTo])
      addDays(days, copies)
      for (const state of states) scored.set(forecastKeyId(state), state)
    },
    scoredTo: async (of) => scored.get(forecastKeyId(of))?.to,
    days: async (of, from, to) =>
      [...days.values()]
        .filter((row) => isOf(row, of) && row.day >= from && row.day < to)
        .sort((a, b) => a.day - b.day || compare(a.version, b.version)),
    async putDrifts(put) {
      for (const drift of structuredClone(put)) drifts.set(versionId(drift), drift)
    },
    drifts: async (target) =>
      [...drifts.values()]
        .filter((drift) => isSameTarget(drift.target, target))
        .sort((a, b) => compare(a.version, b.version)),

    removeSite(site) {
      removeWhere(log, ({ forecast }) => forecast.target.site === site)
      for (const rows of [days, drifts, scored])
        removeWhere<string, { readonly target: Target }>(rows, ({ target }) => target.site === site)
    },
    takeOut(removal) {
      const ofTargets = [days, drifts, scored].map((rows: Map<string, { readonly target: Target }>) =>
        takeOut(rows, ({ target }) => hides(removal, target)),
      )
      const logged = takeOut(log, ({ forecast }) => hides(removal, forecast.target))
      return () => {
        for (const putBack of [...ofTargets, logged]) putBack()
      }
    },
    dropBefore(keepFrom, forecastsFrom, thinBefore) {
      removeWhere(log, ({ forecast }) => {
        const scoredTo = scored.get(forecastKeyId(forecast))?.to
        return forecast.origin < forecastsFrom || isThinned(forecast, scoredTo, thinBefore)
      })
      removeWhere(days, ({ day }) => day < keepFrom)
      removeWhere(drifts, ({ at }) => at < keepFrom)
    },
  }
}

const isOf = (row: ForecastKey, of: ForecastKey): boolean => forecastKeyId(row) === forecastKeyId(of)

/** With the rounding of the log on disk. */
const rounded = (forecast: LoggedForecast['forecast']): LoggedForecast['forecast'] => {
  const { target, metric, origin } = structuredClone(forecast)
  return forecastOfBytes(forecastBytes(forecast), { target, metric, origin })
}

const loggedId = (forecast: LoggedForecast['forecast']): string =>
  `${forecastKeyId(forecast)}\u001f${forecast.origin}\u001f${forecast.model.version}`
