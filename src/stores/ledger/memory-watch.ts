import type { Drift, LoggedForecast, ReportDay, VersionKey } from '../../core/life.ts'
import type { WatchLedger } from '../../core/ports.ts'
import { compareSeries, seriesId } from '../../core/series.ts'
import { versionId } from './keys.ts'
import { compare, removeWhere, type Upkeep } from './memory-upkeep.ts'
import { addDays } from './report-sums.ts'

export function memoryWatch(): WatchLedger & Upkeep {
  const log = new Map<string, LoggedForecast>()
  const days = new Map<string, ReportDay>()
  const drifts = new Map<string, Drift>()
  const scored = new Map<string, Parameters<WatchLedger['score']>[1][number]>()

  return {
    async log(forecasts) {
      for (const logged of structuredClone(forecasts)) log.set(loggedId(logged), logged)
    },
    logged: async (series, from, to) =>
      [...log.values()]
        .filter(({ forecast }) => compareSeries(forecast, series) === 0)
        .filter(({ forecast: { origin } }) => origin >= from && origin < to)
        .sort(
          ({ forecast: a }, { forecast: b }) =>
            a.origin - b.origin || compare(a.model.version, b.model.version),
        ),
    async score(add, scoredTo) {
      const [copies, states] = structuredClone([add, scoredTo])
      addDays(days, copies)
      for (const state of states) scored.set(seriesId(state.series), state)
    },
    scoredTo: async (series) => scored.get(seriesId(series))?.to,
    days: async (series, from, to) =>
      [...days.values()]
        .filter((row) => compareSeries(row.series, series) === 0 && row.day >= from && row.day < to)
        .sort((a, b) => a.day - b.day || compare(a.version, b.version)),
    async putDrifts(put) {
      for (const drift of structuredClone(put)) drifts.set(versionId(drift), drift)
    },
    drifts: async (series) =>
      [...drifts.values()]
        .filter((drift) => compareSeries(drift.series, series) === 0)
        .sort((a, b) => compare(a.version, b.version)),

    removeSite(site) {
      removeWhere(log, ({ forecast }) => forecast.site === site)
      for (const rows of [days, drifts, scored])
        removeWhere<string, Pick<VersionKey, 'series'>>(rows, ({ series }) => series.site === site)
    },
    dropBefore(keepFrom, forecastsFrom) {
      removeWhere(log, ({ forecast }) => forecast.origin < forecastsFrom)
      removeWhere(days, ({ day }) => day < keepFrom)
      removeWhere(drifts, ({ at }) => at < keepFrom)
    },
  }
}

const loggedId = ({ forecast }: LoggedForecast): string =>
  `${seriesId(forecast)}\u001f${forecast.origin}\u001f${forecast.model.version}`
