import { canonicalUnit, convert } from '../../core/units.ts'
import type { LineField } from '../line-protocol.ts'
import type { LineHead } from '../line-protocol-head.ts'
import { metricOf } from './quantity.ts'

/**
 * Points as Home Assistant's integration `influxdb` writes them: tags `domain` and `entity_id`; the measurement is the
 * unit (default), the entity, or domain and device class; `value` is the state as a number, `state` as text; attributes
 * are fields of their own, those that are no numbers with `_str` behind their name.
 */

export const isHomeAssistant = ({ tags }: LineHead): boolean =>
  tags.some(({ key }) => key === 'entity_id') && tags.some(({ key }) => key === 'domain')

/** What a point tells of its entity. */
export interface Entity {
  readonly domain: string
  readonly id: string
  readonly deviceClass: string | undefined
  readonly unit: string | undefined
}

/** Attributes that the integration is told to write as tags are tags here. */
export function entityOf(
  measurement: string,
  tags: ReadonlyMap<string, string>,
  fields: readonly LineField[],
): Entity {
  const domain = tags.get('domain') ?? ''
  const [, measuredClass] = measurement.startsWith(`${domain}__`) ? measurement.split('__') : []
  const attribute = (key: string): string | undefined => textOf(fields, `${key}_str`) ?? tags.get(key)
  const measuredUnit = isUnit(measurement) ? measurement : undefined
  return {
    domain,
    id: tags.get('entity_id') ?? '',
    deviceClass: attribute('device_class') ?? measuredClass,
    unit: attribute('unit_of_measurement') ?? measuredUnit,
  }
}

const textOf = (fields: readonly LineField[], key: string): string | undefined => {
  const field = fields.find((other) => other.key === key)
  return field?.kind === 'string' ? field.value : undefined
}

/** A known unit, or something short that is no name: dBm, GiB, €, 1/min. */
const isUnit = (text: string): boolean =>
  isKnownUnit(text) || (text.length <= 8 && !/^\w{4,}$|[._]/.test(text))

/** A unit that converts to others. */
export const isKnownUnit = (text: string): boolean => convert(1, text, text) !== undefined

/** Metrics of device classes that are called otherwise here. */
const sensors: Readonly<Record<string, string>> = {
  energy: 'energy_total',
  carbon_dioxide: 'co2',
  pm25: 'pm2_5',
  volatile_organic_compounds_parts: 'tvoc',
  atmospheric_pressure: 'pressure',
  sound_pressure: 'noise',
  precipitation: 'rain',
}

const binarySensors: Readonly<Record<string, string>> = {
  motion: 'motion',
  moving: 'motion',
  door: 'door',
  garage_door: 'door',
  window: 'window_open',
  occupancy: 'occupied',
  presence: 'occupied',
  smoke: 'smoke',
}

/** The metric of the entity's state. */
export function stateMetric({ domain, id, deviceClass, unit }: Entity): string {
  if (domain === 'binary_sensor') {
    return deviceClass === undefined ? 'state' : (binarySensors[deviceClass] ?? `${deviceClass}_detected`)
  }
  if (deviceClass !== undefined && domain === 'sensor') return sensors[deviceClass] ?? deviceClass
  if (domain === 'switch') return 'switch'
  return metricOf(id, unit)?.metric ?? (domain === 'sensor' ? 'value' : domain)
}

/**
 * The metric of an attribute. Attributes come without a unit, so one that could be meant in several, such as a
 * temperature, is not taken for the metric of that name.
 */
export function attributeMetric(key: string): string {
  const unit = canonicalUnit(key)
  return unit === undefined || unit === '%' || unit === 'state' ? key : `attribute_${key}`
}
