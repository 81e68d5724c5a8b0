import { isObject, type JsonObject } from '../payload.ts'

/** One property of a device. */
export interface Property {
  /** In the payload, dots for depth. */
  readonly path: string
  readonly metric: string
  readonly unit: string | undefined
  /** Which of several equal parts of the device it belongs to, e.g. `l1`. */
  readonly endpoint?: string
  /** Values of the payload that mean 1 and 0. */
  readonly on?: unknown
  readonly off?: unknown
}

type Quantity = readonly [metric: string, unit: string]

/** By name; with the unit that is sent where the device describes none. '?': there are several. */
const quantities: Readonly<Record<string, Quantity>> = {
  temperature: ['temperature', 'degC'],
  local_temperature: ['temperature', 'degC'],
  device_temperature: ['internal_temperature', 'degC'],
  cpu_temperature: ['internal_temperature', 'degC'],
  current_heating_setpoint: ['setpoint', 'degC'],
  occupied_heating_setpoint: ['setpoint', 'degC'],
  humidity: ['humidity', '%'],
  soil_moisture: ['soil_moisture', '%'],
  pressure: ['pressure', 'hPa'],
  illuminance: ['illuminance', 'lx'],
  illuminance_lux: ['illuminance', 'lx'],
  co2: ['co2', 'ppm'],
  voc: ['tvoc', '?'],
  pm25: ['pm2_5', 'ug/m3'],
  pm10: ['pm10', 'ug/m3'],
  pm1: ['pm1', 'ug/m3'],
  noise: ['noise', 'dB'],
  power: ['power', 'W'],
  energy: ['energy_total', 'kWh'],
  produced_energy: ['energy_returned_total', 'kWh'],
  power_factor: ['power_factor', ''],
  ac_frequency: ['frequency', 'Hz'],
  // V of a plug, mV of a battery
  voltage: ['voltage', '?'],
  current: ['current', 'A'],
  battery: ['battery', '%'],
  linkquality: ['linkquality', 'lqi'],
  brightness: ['brightness', ''],
  position: ['position', '%'],
  battery_low: ['battery_low', 'state'],
  occupancy: ['motion', 'state'],
  motion: ['motion', 'state'],
  presence: ['occupied', 'state'],
  contact: ['door', 'state'],
  water_leak: ['leak', 'state'],
  smoke: ['smoke', 'state'],
  gas: ['gas', 'state'],
  carbon_monoxide: ['carbon_monoxide', 'state'],
  vibration: ['vibration', 'state'],
  tamper: ['tamper', 'state'],
  state: ['switch', 'state'],
}

/** Times, what was done to the device, and what is a matter of taste: no readings. */
const noReadings =
  /^(last_seen|elapsed|device|update|update_available|update_state|color|color_mode|color_temp.*|effect|power_on_behavior|power_outage_.*|identify|child_lock|.*_calibration|.*_precision|.*_timeout|.*_sensitivity|sensitivity|calibration)(\.|$)/

export const isNoReading = (path: string): boolean => noReadings.test(path)

/** The property of a name where the device describes nothing; undefined where the unit would be a guess. */
export function usualProperty(path: string): Property | undefined {
  const quantity = Object.hasOwn(quantities, path) ? quantities[path] : undefined
  if (!quantity || quantity[1] === '?') return undefined
  return { path, metric: quantity[0], unit: quantity[1], ...onOffOf(path, {}) }
}

/** Access, bit 0: the device publishes it. */
const isPublished = ({ access }: JsonObject): boolean => typeof access !== 'number' || (access & 1) === 1

/** The properties that a device exposes (zigbee2mqtt.io/guide/usage/exposes). */
export function propertiesOf(exposes: unknown, prefix = '', depth = 0): Property[] {
  if (!Array.isArray(exposes) || depth > 4) return []
  return exposes.flatMap((expose: unknown) => {
    if (!isObject(expose)) return []
    const { type, name, property, features } = expose
    if (Array.isArray(features)) {
      // a composite is an object in the payload; a light or a switch is only a group
      const inner = type === 'composite' && typeof property === 'string' ? `${prefix}${property}.` : prefix
      return propertiesOf(features, inner, depth + 1)
    }
    if ((type !== 'numeric' && type !== 'binary') || typeof property !== 'string') return []
    const path = `${prefix}${property}`
    if (!isPublished(expose) || expose['category'] === 'config' || isNoReading(path)) return []
    return propertyOf(path, typeof name === 'string' ? name : property, expose)
  })
}

function propertyOf(path: string, name: string, expose: JsonObject): Property {
  const [, plain = name, phase] = /^(.+)_(phase_[abc])$/.exec(name) ?? []
  const quantity = Object.hasOwn(quantities, plain) ? quantities[plain] : undefined
  const given = typeof expose['unit'] === 'string' ? expose['unit'] : undefined
  const usual = quantity?.[1] === '?' ? undefined : quantity?.[1]
  const isBinary = expose['type'] === 'binary'
  const endpoint = typeof expose['endpoint'] === 'string' ? expose['endpoint'] : phase
  return {
    path,
    metric: quantity?.[0] ?? path,
    unit: isBinary ? 'state' : (given ?? usual),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(isBinary ? onOffOf(plain, expose) : {}),
  }
}

/** `contact` is true while the door is closed. */
function onOffOf(name: string, { value_on, value_off }: JsonObject): Pick<Property, 'on' | 'off'> {
  if (name === 'contact') return { on: false, off: true }
  return value_on === undefined ? {} : { on: value_on, off: value_off }
}
