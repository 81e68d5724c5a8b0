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
  [/(^|_)apparent_power$/, 'apparent_power'],
  [/(^|_)reactive_power$/, 'reactive_power'],
  [/(^|_)power_factor$/, 'power_factor'],
  [/(^|_)frequency$/, 'frequency'],
  [/(^|_)(active_power|power)$/, 'power'],
  [
    /(^|_)(total_)?(energy_(returned|export(ed)?)|(returned|export(ed)?)_energy)(_total)?$/,
    'energy_returned_total',
  ],
  // one that begins anew is no total, except where a node has no other
  [/(^|_)(energy_today|today_energy)$/, 'energy_today'],
  [/(^|_)(energy_yesterday|yesterday_energy)$/, 'energy_yesterday'],
  [/(^|_)(total_energy|energy_total|total_daily_energy|energy)$/, 'energy_total'],
  [/(^|_)battery_voltage$/, 'battery_voltage'],
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
const ambiguous = /^(energy_.*|tvoc)$/

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
    const unit = ambiguous.test(metric) ? undefined : canonicalUnit(metric)
    return { metric, rest: name.replace(pattern, ''), ...(unit === undefined ? {} : { unit }) }
  }
  return { rest: name }
}
