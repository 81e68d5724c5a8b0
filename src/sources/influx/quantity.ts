import { canonicalUnit, toCanonical } from '../../core/units.ts'
import { readName } from '../csv/names.ts'

export interface Quantity {
  readonly metric: string
  readonly unit?: string | undefined
}

/** What a unit alone tells. Percent, and units that only the name explains, are absent. */
const byUnit: readonly string[] = [
  'power',
  'energy_total',
  'temperature',
  'illuminance',
  'co2',
  'tvoc',
  'pressure',
  'noise',
  'voltage',
  'current',
  'irradiance',
]

/** Canonical units of quantities that sensors of a home report in no other one. */
const singleUnits: ReadonlySet<string> = new Set(['%', 'ppm', 'lx', 'dB', 'ug/m3', '1/cm3', 'state'])

/**
 * The metric that a name and a unit stand for; undefined where they do not tell. A meter in a home counts: energy is a
 * total unless its sender uses the metric `energy` by its name.
 */
export function metricOf(name: string, unit: string | undefined): Quantity | undefined {
  const named = readName(name, [])
  const known = unit ?? named.unit
  if (named.not !== undefined) return undefined
  if (known === undefined) {
    const usual = named.metric === undefined ? undefined : canonicalUnit(named.metric)
    return named.metric !== undefined && singleUnits.has(usual ?? '') ? { metric: named.metric } : undefined
  }
  if (named.metric !== undefined && toCanonical(named.metric, known))
    return { metric: named.metric === 'energy' ? 'energy_total' : named.metric, unit: known }
  if (unit === undefined || unit === '%' || unit === '1') return undefined
  const metric = byUnit.find((candidate) => toCanonical(candidate, unit))
  return metric === undefined ? undefined : { metric, unit }
}

/** A name that already is one of the hub's metrics. */
export const isMetric = (name: string): boolean => canonicalUnit(name) !== undefined
