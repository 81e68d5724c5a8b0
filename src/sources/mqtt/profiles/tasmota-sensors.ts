import { isObject, type JsonObject } from '../payload.ts'
import type { ProfileRow } from './profile.ts'

interface Field {
  readonly metric: string
  readonly unit: string
}

/** Fields of the object ENERGY. */
const energyFields: ReadonlyMap<string, Field> = new Map(
  Object.entries({
    Total: { metric: 'energy_total', unit: 'kWh' },
    Today: { metric: 'energy_today', unit: 'kWh' },
    ExportActive: { metric: 'energy_returned_total', unit: 'kWh' },
    Power: { metric: 'power', unit: 'W' },
    ApparentPower: { metric: 'apparent_power', unit: 'VA' },
    ReactivePower: { metric: 'reactive_power', unit: 'var' },
    Factor: { metric: 'power_factor', unit: '' },
    Voltage: { metric: 'voltage', unit: 'V' },
    Current: { metric: 'current', unit: 'A' },
    Frequency: { metric: 'frequency', unit: 'Hz' },
  }),
)

/** Fields of sensors. Where the message names the unit, `unit` is the field that does. */
const sensorFields: ReadonlyMap<string, Field> = new Map(
  Object.entries({
    Temperature: { metric: 'temperature', unit: 'TempUnit' },
    DewPoint: { metric: 'dew_point', unit: 'TempUnit' },
    Humidity: { metric: 'humidity', unit: '%' },
    Pressure: { metric: 'pressure', unit: 'PressureUnit' },
    SeaPressure: { metric: 'pressure_sea_level', unit: 'PressureUnit' },
    Illuminance: { metric: 'illuminance', unit: 'lx' },
    CarbonDioxide: { metric: 'co2', unit: 'ppm' },
    eCO2: { metric: 'eco2', unit: 'ppm' },
    TVOC: { metric: 'tvoc', unit: 'ppb' },
    'PM2.5': { metric: 'pm2_5', unit: 'ug/m3' },
    PM10: { metric: 'pm10', unit: 'ug/m3' },
    PM1: { metric: 'pm1', unit: 'ug/m3' },
    Moisture: { metric: 'soil_moisture', unit: '%' },
    Distance: { metric: 'distance', unit: 'cm' },
  }),
)

/** What Tasmota writes where it names a unit, and the unit where it names none. */
const namedUnits: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  TempUnit: { '': 'degC', C: 'degC', F: 'degF', K: 'K' },
  PressureUnit: { '': 'hPa', hPa: 'hPa', mmHg: 'mmHg', inHg: 'inHg' },
}

/** Names of parts, and sums of spans that have ended: no readings. */
const noReadings =
  /^(Id|Address|TotalStartTime|Yesterday|Period|TotalTariff|TodayTariff|YesterdayTariff|ExportTariff)$/

interface Place {
  readonly device: string
  readonly at: unknown
}

/**
 * Of a list, such as `Total` of several tariffs, the first value is the device's. Where that is the sum of the others,
 * these are left out; otherwise they are further channels, each a device of its own.
 */
export function readEnergy(
  { device, at }: Place,
  energy: JsonObject,
  rows: ProfileRow[],
  unread: string[],
): void {
  const isSummed = ['Total', 'Today', 'Power'].some((name) => firstIsSum(energy[name]))
  for (const [name, value] of Object.entries(energy)) {
    const field = energyFields.get(name)
    if (!field) {
      if (!noReadings.test(name)) unread.push(`ENERGY.${name}`)
      continue
    }
    const values: readonly unknown[] = Array.isArray(value) ? value : [value]
    for (const [index, item] of values.entries()) {
      if (item === null || item === undefined) continue
      if (index > 0 && isSummed) unread.push(`ENERGY.${name}.${index}`)
      else rows.push({ ...field, device: index === 0 ? device : `${device}/${index + 1}`, value: item, at })
    }
  }
}

function firstIsSum(list: unknown): boolean {
  if (!Array.isArray(list) || list.length < 3) return false
  const [first = 0, ...rest] = list.map(Number)
  const sum = rest.reduce((a, b) => a + b, 0)
  // values are rounded one by one
  return first > 0 && Math.abs(first - sum) <= 0.02 * first
}

interface Sensor extends Place {
  readonly name: string
  /** The whole message, which names units. */
  readonly message: JsonObject
  readonly splits: SensorSplits
}

export function readSensor(
  { device, name, at, message, splits }: Sensor,
  values: JsonObject,
  rows: ProfileRow[],
  unread: string[],
): void {
  for (const [key, value] of Object.entries(values)) {
    if (value === null || noReadings.test(key)) continue
    const field = sensorFields.get(key)
    if (!field || typeof value === 'object') {
      unread.push(`${name}.${key}`)
      continue
    }
    const named = String(message[field.unit] ?? '')
    const units = namedUnits[field.unit]
    rows.push({
      device: splits.has(device, field.metric) ? `${device}/${name}` : device,
      metric: field.metric,
      value,
      unit: units ? (units[named] ?? named) : field.unit,
      at,
    })
  }
}

const devicesMax = 10_000

/**
 * Metrics that several sensors of one device have, such as two DS18B20: each of these sensors is then a device of its own,
 * for as long as the hub runs, so that a message from which one is missing does not merge them.
 */
export class SensorSplits {
  readonly #metrics = new Map<string, Set<string>>()

  see(device: string, sources: readonly (readonly [string, unknown])[]): void {
    const seen = new Set<string>()
    for (const [name, values] of sources) {
      if (name === 'ENERGY' || !isObject(values)) continue
      for (const key of Object.keys(values)) {
        const metric = sensorFields.get(key)?.metric
        if (metric === undefined) continue
        if (seen.has(metric)) this.#add(device, metric)
        seen.add(metric)
      }
    }
  }

  has(device: string, metric: string): boolean {
    return this.#metrics.get(device)?.has(metric) ?? false
  }

  #add(device: string, metric: string): void {
    if (!this.#metrics.has(device) && this.#metrics.size >= devicesMax) this.#metrics.clear()
    const metrics = this.#metrics.get(device) ?? new Set()
    this.#metrics.set(device, metrics.add(metric))
  }
}
