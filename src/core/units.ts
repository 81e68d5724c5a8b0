/**
 * Canonical units by metric, and what converts to them. Values are stored in the canonical unit only.
 * Conversion is affine: canonical = value * scale + offset. Constants are exact by definition (SI, IAU, ISO 80000).
 */
import { candidates, symbolsOf, withPrefixes } from './unit-spelling.ts'

interface Conversion {
  readonly dimension: string
  readonly spelling: string
  readonly scale: number
  readonly offset: number
}

/**
 * Spellings by dimension; the first of each list is canonical. [spelling, scale, offset]. Units that take an SI prefix
 * have all of them, so that no spelling in another case is mistaken for the only one that is listed.
 */
const dimensions: Readonly<Record<string, readonly (readonly [string, number, number?])[]>> = {
  power: withPrefixes('W', 1),
  // what a supply must bear and what only swings to and fro: neither is power that is used
  apparentPower: withPrefixes('VA', 1),
  reactivePower: withPrefixes('var', 1),
  energy: [
    ['kWh', 1],
    ...withPrefixes('Wh', 1e-3),
    ...withPrefixes('J', 1 / 3.6e6),
    ...withPrefixes('Ws', 1 / 3.6e6),
    ['Wmin', 1 / 60_000],
    ['kWmin', 1 / 60],
    ['TWh', 1e9],
  ],
  apparentEnergy: [['kVAh', 1], ...withPrefixes('VAh', 1e-3)],
  reactiveEnergy: [['kvarh', 1], ...withPrefixes('varh', 1e-3)],
  temperature: [
    ['degC', 1],
    ['°C', 1],
    ['C', 1],
    ['ºC', 1],
    ['degF', 5 / 9, -160 / 9],
    ['°F', 5 / 9, -160 / 9],
    ['F', 5 / 9, -160 / 9],
    ['K', 1, -273.15],
  ],
  ratio: [
    ['%', 1],
    ['%RH', 1],
    ['% RH', 1],
    ['%rH', 1],
    ['1', 100],
  ],
  illuminance: [
    ['lx', 1],
    ['lux', 1],
    ['klx', 1e3],
  ],
  fraction: [
    ['ppm', 1],
    ['ppb', 1e-3],
  ],
  traceFraction: [
    ['ppb', 1],
    ['ppm', 1e3],
  ],
  pressure: [
    ['hPa', 1],
    ...withPrefixes('Pa', 1e-2),
    ['mbar', 1],
    ['bar', 1e3],
    ['mmHg', 1.33322387415],
    ['inHg', 33.8638866667],
  ],
  massDensity: [
    ['ug/m3', 1],
    ['µg/m³', 1],
    ['μg/m³', 1],
    ['ug/m³', 1],
    ['µg/m3', 1],
    ['mg/m3', 1e3],
    ['mg/m³', 1e3],
  ],
  soundLevel: [
    ['dB', 1],
    ['dBA', 1],
    ['dB(A)', 1],
    ['dB (A)', 1],
  ],
  voltage: withPrefixes('V', 1),
  current: withPrefixes('A', 1),
  carbonIntensity: [
    ['gCO2eq/kWh', 1],
    ['gCO2/kWh', 1],
    ['g/kWh', 1],
    ['kgCO2eq/kWh', 1e3],
  ],
  energyPrice: [
    ['currency/kWh', 1],
    ['EUR/kWh', 1],
    ['USD/kWh', 1],
    ['INR/kWh', 1],
    ['GBP/kWh', 1],
    ['currency/MWh', 1e-3],
    ['EUR/MWh', 1e-3],
  ],
  speed: [
    ['m/s', 1],
    ['km/h', 1 / 3.6],
    ['kn', 0.514444444444],
    ['mph', 0.44704],
  ],
  irradiance: [
    ['W/m2', 1],
    ['W/m²', 1],
    ['kW/m2', 1e3],
  ],
  numberDensity: [
    ['1/cm3', 1],
    ['#/cm3', 1],
    ['#/cm³', 1],
  ],
  length: [
    ['mm', 1],
    ['cm', 10],
    ['m', 1e3],
    ['in', 25.4],
  ],
  state: [
    ['state', 1],
    ['bool', 1],
    ['boolean', 1],
  ],
}

/** The dimension of each metric that Homeostat knows. Others keep the unit that they come with. */
const metricDimensions: ReadonlyMap<string, string> = new Map(
  Object.entries({
    power: 'power',
    pv_power: 'power',
    battery_power: 'power',
    grid_power: 'power',
    energy: 'energy',
    energy_total: 'energy',
    apparent_power: 'apparentPower',
    reactive_power: 'reactivePower',
    apparent_energy: 'apparentEnergy',
    reactive_energy: 'reactiveEnergy',
    temperature: 'temperature',
    temperature_outdoor: 'temperature',
    setpoint: 'temperature',
    dew_point: 'temperature',
    humidity: 'ratio',
    soc: 'ratio',
    battery: 'ratio',
    cloud_cover: 'ratio',
    illuminance: 'illuminance',
    co2: 'fraction',
    eco2: 'fraction',
    tvoc: 'traceFraction',
    pressure: 'pressure',
    pm1: 'massDensity',
    pm2_5: 'massDensity',
    pm10: 'massDensity',
    noise: 'soundLevel',
    voltage: 'voltage',
    current: 'current',
    carbon_intensity: 'carbonIntensity',
    price: 'energyPrice',
    wind_speed: 'speed',
    irradiance: 'irradiance',
    rain: 'length',
    nc0_5: 'numberDensity',
    nc1_0: 'numberDensity',
    nc2_5: 'numberDensity',
    motion: 'state',
    door: 'state',
    window_open: 'state',
    occupied: 'state',
    switch: 'state',
    smoke: 'state',
  }),
)

const conversions = new Map<string, ReadonlyMap<string, Conversion>>(
  Object.entries(dimensions).map(([dimension, spellings]) => [
    dimension,
    new Map(
      spellings.map(([spelling, scale, offset]) => [
        spelling,
        { dimension, spelling, scale, offset: offset ?? 0 },
      ]),
    ),
  ]),
)

const canonicalUnits = new Map(
  [...metricDimensions].map(([metric, dimension]) => [metric, dimensions[dimension]?.[0]?.[0]]),
)

/** Unit that a metric is stored in, or undefined for a metric that is not in the table. */
export const canonicalUnit = (metric: string): string | undefined => canonicalUnits.get(metric)

/** Every metric of the table. */
export const knownMetrics: readonly string[] = Object.freeze([...metricDimensions.keys()])

/** A conversion to canonical: multiply, then add. */
export interface Affine {
  readonly scale: number
  readonly offset: number
}

const identity: Affine = { scale: 1, offset: 0 }

/**
 * How a value of `metric` in `unit` becomes canonical; undefined when the unit does not fit the metric, or may be two
 * units (see `unitFault`). For a metric that is not in the table only the identical unit fits (the caller keeps its own
 * unit).
 */
export function toCanonical(metric: string, unit: string): Affine | undefined {
  const dimension = metricDimensions.get(metric)
  return dimension === undefined ? identity : pick(dimension, unit)
}

/** Why a unit does not fit a metric of the table. */
export type UnitFault =
  /** "mw": the spellings that it may stand for. */
  | { readonly kind: 'ambiguous'; readonly options: readonly string[] }
  /** "VA" for power: the metrics that are in such units; empty where no metric is. */
  | { readonly kind: 'unfit'; readonly metrics: readonly string[] }

/** Why `toCanonical` gave no answer. */
export function unitFault(metric: string, unit: string): UnitFault {
  const options = meanings(metricDimensions.get(metric) ?? '', unit)
  if (options.length > 1) return { kind: 'ambiguous', options: options.map(({ spelling }) => spelling) }
  const fitting = [...conversions.keys()].filter((dimension) => meanings(dimension, unit).length > 0)
  const metrics = knownMetrics.filter((one) => fitting.includes(metricDimensions.get(one) ?? ''))
  return { kind: 'unfit', metrics }
}

/** Converts between two units of one dimension, e.g. 1500 W in kW; undefined when they do not share one. */
export function convert(value: number, from: string, to: string): number | undefined {
  for (const dimension of conversions.keys()) {
    const a = pick(dimension, from)
    const b = pick(dimension, to)
    if (a && b) return (value * a.scale + a.offset - b.offset) / b.scale
  }
  return undefined
}

/** What was found of spellings that are not in the table as they stand: a home has few, and they come again and again. */
const found = new Map<string, readonly Conversion[]>()
const foundMax = 1000

/** The conversions of a dimension that a unit may stand for, each different from the others. */
function meanings(dimension: string, unit: string): readonly Conversion[] {
  const spellings = conversions.get(dimension)
  if (!spellings) return []
  const exact = spellings.get(unit)
  if (exact) return [exact]
  const key = `${dimension} ${unit}`
  const known = found.get(key)
  if (known) return known
  const looked = [unit.trim(), ...symbolsOf(unit)]
    .map((text) => candidates(spellings, text))
    .find((list) => list.length > 0)
  const distinct = (looked ?? []).filter(
    (one, at, list) =>
      list.findIndex(({ scale, offset }) => scale === one.scale && offset === one.offset) === at,
  )
  if (found.size >= foundMax) found.clear()
  found.set(key, distinct)
  return distinct
}

function pick(dimension: string, unit: string): Conversion | undefined {
  const [only, other] = meanings(dimension, unit)
  return other ? undefined : only
}
