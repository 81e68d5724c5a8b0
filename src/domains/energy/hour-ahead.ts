import type { Forecast, PointPrediction, SeriesKey } from '../../core/event.ts'
import { stepAt } from '../../core/forecast.ts'
import { SeriesMap } from '../../core/series.ts'
import { hourMs } from '../../core/time.ts'
import type { LiveModel } from '../domain.ts'
import { type EnergyMetric, EnergySpans, energyMetrics, HourlyEnergy } from './hourly.ts'

interface Entry {
  readonly metric: EnergyMetric
  readonly spans: EnergySpans
  readonly hours: HourlyEnergy
  saidAt: number
}

/** A device is spoken of at most once a minute: the hour does not change faster. */
const quietMs = 60_000

/**
 * The hour in progress: what a device has used since the hour began, plus the live forecast's share for the rest.
 * Says nothing of a device without a forecast of the hour, and nothing of the past (late readings, an import).
 */
export function createHourAhead(): LiveModel {
  const entries = new SeriesMap<Entry>()
  const forecasts = new SeriesMap<Forecast>()

  return {
    metrics: energyMetrics,
    observe(reading, now) {
      if (now - reading.at > hourMs || reading.metric === 'energy') return undefined
      const key = { site: reading.site, device: reading.device, metric: 'energy' }
      const entry = entryOf(entries, key, reading.metric as EnergyMetric)
      if (entry.metric !== reading.metric) return undefined
      const span = entry.spans.add(reading.at, reading.value)
      if (span) entry.hours.add(span)
      const forecast = forecasts.get(key)
      if (!forecast || now - entry.saidAt < quietMs) return undefined
      const hour = Math.floor(reading.at / hourMs) * hourMs
      entry.hours.forgetBefore(hour)
      const prediction = nowcast(forecast, entry.hours.hour(hour), hour, reading.at, now)
      if (prediction) entry.saidAt = now
      return prediction
    },
    use: (forecast) => {
      const { target, metric } = forecast
      if (target.domain === 'energy')
        forecasts.set({ site: target.site, device: target.subject, metric }, forecast)
    },
    removeSite(site) {
      entries.removeSite(site)
      forecasts.removeSite(site)
    },
  }
}

/** A counter is better than power: it replaces the entry of the same device. */
function entryOf(entries: SeriesMap<Entry>, key: SeriesKey, metric: EnergyMetric): Entry {
  const known = entries.get(key)
  if (known && energyMetrics.indexOf(known.metric) <= energyMetrics.indexOf(metric)) return known
  const entry = {
    metric,
    spans: new EnergySpans(metric),
    hours: new HourlyEnergy(),
    saidAt: Number.NEGATIVE_INFINITY,
  }
  entries.set(key, entry)
  return entry
}

/** Where the hour's beginning was not seen, the forecast stands for it as well. */
function nowcast(
  forecast: Forecast,
  sofar: { readonly kwh: number; readonly knownMs: number },
  hour: number,
  at: number,
  now: number,
): PointPrediction | undefined {
  const step = stepAt(forecast, hour)
  const mean = forecast.mean[step]
  if (mean === undefined || !Number.isFinite(mean) || forecast.grid[0]?.stepMs !== hourMs) return undefined
  const { target, metric, unit, model } = forecast
  const unseenMs = hourMs - Math.min(hourMs, sofar.knownMs)
  const value = sofar.kwh + (mean * unseenMs) / hourMs
  return { kind: 'value', target, metric, unit, model, at: hour, madeAt: Math.max(now, at), value }
}
