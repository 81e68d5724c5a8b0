/**
 * Canonical units by metric, and what converts to them. Values are stored in the canonical unit only.
 * Conversion is affine: canonical = value * scale + offset. Constants are exact by definition (SI, IAU, ISO 80000).
 */

interface Conversion {
  readonly dimension: string
  readonly scale: number
  readonly offset: number
}

/** Spellings by dimension; the first of each list is canonical. [spelling, scale, offset]. */
const dimensions: Readonly<Record<string, readonly (readonly [string, number, number?])[]>> = {
  power: [
    ['W', 1],
    ['kW', 1e3],
    ['MW', 1e6],
    ['mW', 1e-3],
    ['watt', 1],
    ['watts', 1],
    ['VA', 1],
  ],
  energy: [
    ['kWh', 1],
    ['Wh', 1e-3],
    ['MWh', 1e3],
    ['J', 1 / 3.6e6],
    ['kJ', 1 / 3600],
    ['MJ', 1 / 3.6],
    ['GJ', 1e3 / 3.6],
  ],
  temperature: [
    ['degC', 1],
    ['°C', 1],
    ['C', 1],
    ['celsius', 1],
    ['ºC', 1],
    ['degF', 5 / 9, -160 / 9],
    ['°F', 5 / 9, -160 / 9],
    ['F', 5 / 9, -160 / 9],
    ['fahrenheit', 5 / 9, -160 / 9],
    ['K', 1, -273.15],
    ['kelvin', 1, -273.15],
  ],
  ratio: [
    ['%', 1],
    ['percent', 1],
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
    ['Pa', 1e-2],
    ['kPa', 10],
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
  voltage: [
    ['V', 1],
    ['mV', 1e-3],
    ['kV', 1e3],
    ['volt', 1],
    ['volts', 1],
  ],
  current: [
    ['A', 1],
    ['mA', 1e-3],
    ['amp', 1],
    ['ampere', 1],
    ['amps', 1],
  ],
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

const conversions = new Map<string, Map<string, Conversion>>(
  Object.entries(dimensions).map(([dimension, spellings]) => [
    dimension,
    new Map(
      spellings.map(([spelling, scale, offset]) => [
        spelling.toLowerCase(),
        { dimension, scale, offset: offset ?? 0 },
      ]),
    ),
  ]),
)

/** Spellings that differ only in case and mean different things: exact spelling decides. */
const caseSensitive = new Map<string, Conversion>([
  ['mW', { dimension: 'power', scale: 1e-3, offset: 0 }],
  ['MW', { dimension: 'power', scale: 1e6, offset: 0 }],
])

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
 * How a value of `metric` in `unit` becomes canonical; undefined when the unit does not fit the metric.
 * For a metric that is not in the table only the identical unit fits (the caller keeps its own unit).
 */
export function toCanonical(metric: string, unit: string): Affine | undefined {
  const dimension = metricDimensions.get(metric)
  if (dimension === undefined) return identity
  const exact = caseSensitive.get(unit)
  if (exact?.dimension === dimension) return exact
  return conversions.get(dimension)?.get(unit.toLowerCase())
}

/** Converts between two units of one dimension, e.g. 1500 W in kW; undefined when they do not share one. */
export function convert(value: number, from: string, to: string): number | undefined {
  for (const [dimension, spellings] of conversions) {
    const a = pick(dimension, spellings, from)
    const b = pick(dimension, spellings, to)
    if (a && b) return (value * a.scale + a.offset - b.offset) / b.scale
  }
  return undefined
}

function pick(dimension: string, spellings: Map<string, Conversion>, unit: string): Conversion | undefined {
  const exact = caseSensitive.get(unit)
  return exact?.dimension === dimension ? exact : spellings.get(unit.toLowerCase())
}
