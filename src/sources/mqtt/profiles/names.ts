import { canonicalUnit } from '../../../core/units.ts'

/** Lower case with underscores. */
export const slug = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, '_')
    .replace(/^_+|_+$/g, '')

/** What ends a name, with the metric that it means; the first that fits counts. */
const words: readonly (readonly [RegExp, string])[] = [
  [/(^|_)pm_?2_?5$/, 'pm2_5'],
  [/(^|_)pm_?10$/, 'pm10'],
  [/(^|_)pm_?1(_0)?$/, 'pm1'],
  [/(^|_)dew_point$/, 'dew_point'],
  [/(^|_)(target_temperature|setpoint)$/, 'setpoint'],
  [/(^|_)(temperature|temp)$/, 'temperature'],
  [/(^|_)(relative_humidity|humidity|hum)$/, 'humidity'],
  [/(^|_)(barometric_pressure|air_pressure|pressure)$/, 'pressure'],
  [/(^|_)(illuminance|lux)$/, 'illuminance'],
  [/(^|_)eco2$/, 'eco2'],
  [/(^|_)(co2|carbon_dioxide)$/, 'co2'],
  [/(^|_)t?voc$/, 'tvoc'],
  [/(^|_)(active_power|power)$/, 'power'],
  [/(^|_)(total_energy|energy_total|total_daily_energy|energy)$/, 'energy_total'],
  [/(^|_)voltage$/, 'voltage'],
  [/(^|_)current$/, 'current'],
  [/(^|_)(battery_level|battery)$/, 'battery'],
  [/(^|_)(motion|pir)$/, 'motion'],
  [/(^|_)(occupancy|presence)$/, 'occupied'],
  [/(^|_)door$/, 'door'],
  [/(^|_)window$/, 'window_open'],
  [/(^|_)smoke$/, 'smoke'],
]

/** Metrics with several common units: a bare number could be in any of them. */
const ambiguous: readonly string[] = ['energy_total', 'tvoc']

/**
 * The metric that ends a name in lower case with underscores, what is left of the name, and the unit in which the metric
 * is usually written; without one where there are several.
 */
export function metricInName(name: string): {
  readonly metric?: string
  readonly rest: string
  readonly unit?: string
} {
  for (const [pattern, metric] of words) {
    if (!pattern.test(name)) continue
    const unit = ambiguous.includes(metric) ? undefined : canonicalUnit(metric)
    return { metric, rest: name.replace(pattern, ''), ...(unit === undefined ? {} : { unit }) }
  }
  return { rest: name }
}
