import { toCanonical } from '../../../core/units.ts'
import type { Entity } from './homeassistant-config.ts'
import { metricInName, slug } from './names.ts'

/** The series of an entity. */
export interface EntitySeries {
  /** The device that the entity belongs to. */
  readonly owner: string
  readonly device: string
  readonly metric: string
  readonly unit: string | undefined
}

/** Metrics of device classes whose name is another one. */
const metricOfClass: Readonly<Record<string, string>> = {
  atmospheric_pressure: 'pressure',
  carbon_dioxide: 'co2',
  volatile_organic_compounds: 'tvoc',
  volatile_organic_compounds_parts: 'tvoc',
  pm25: 'pm2_5',
  precipitation: 'rain',
  sound_pressure: 'noise',
  moisture: 'soil_moisture',
  occupancy: 'occupied',
  presence: 'occupied',
  window: 'window_open',
  garage_door: 'door',
  opening: 'door',
  connectivity: 'available',
}

/** Spans that a counter of energy may be of; one that begins anew each day is another series than the total. */
const spans = /(^|_)(today|yesterday|daily|day|weekly|week|monthly|month|yearly|year|hourly|last_hour)($|_)/

/** Words of an entity's name that add nothing to its metric. */
const fillers = /(^|_)(sensor|state|value|total|current|measurement|active|status|energy|consumption)(?=_|$)/g

/**
 * Names the series of all entities, so that no two of them share one. A device has its name, and its identifier too where
 * another device has the same name. An entity that is not simply the quantity of its device, such as the second
 * temperature of a thermometer with a probe, is a device of its own.
 */
export function seriesOf(entities: Iterable<Entity>): Map<Entity, EntitySeries> {
  const sorted = [...entities].sort((a, b) => (a.key < b.key ? -1 : 1))
  const names = deviceNames(sorted)
  const series = new Map<Entity, EntitySeries>()
  const taken = new Set<string>()
  for (const entity of sorted) {
    const owner = names.get(entity.device.id) ?? entity.device.id
    const { metric, rest } = quantityOf(entity, owner)
    const device = rest === '' ? owner : `${owner}/${rest}`
    const isFree = !taken.has(`${device}\n${metric}`)
    const unique = isFree ? device : `${owner}/${entity.objectId}`
    taken.add(`${unique}\n${metric}`)
    series.set(entity, { owner, device: unique, metric, unit: entity.unit ?? stateUnit(entity) })
  }
  return series
}

const stateUnit = ({ platform }: Entity): string | undefined => (platform === 'sensor' ? undefined : 'state')

function deviceNames(sorted: readonly Entity[]): Map<string, string> {
  const names = new Map<string, string>()
  const taken = new Set<string>()
  const byId = [...sorted].sort((a, b) => (a.device.id < b.device.id ? -1 : 1))
  for (const { device } of byId) {
    if (names.has(device.id)) continue
    const name = device.name ?? device.id
    const unique = taken.has(name) ? `${name} ${device.id}` : name
    taken.add(unique)
    names.set(device.id, unique)
  }
  return names
}

function quantityOf(entity: Entity, owner: string): { readonly metric: string; readonly rest: string } {
  const name = nameOf(entity, owner)
  if (entity.platform === 'switch') return { metric: 'switch', rest: stripped(name, ['switch']) }
  const { deviceClass } = entity
  if (deviceClass === undefined) {
    const found = metricInName(name)
    const metric = found.metric
    if (metric === undefined || !fits(metric, entity.unit)) return { metric: name || 'value', rest: '' }
    return { metric, rest: found.rest }
  }
  const known = metricOfClass[deviceClass] ?? deviceClass
  const plain = fits(known, entity.unit) ? known : deviceClass
  const metric =
    entity.platform === 'binary_sensor' && plain === 'battery' ? 'battery_low' : counted(plain, entity)
  const span = spans.exec(name)?.[2]
  if (metric.endsWith('_total') && span !== undefined)
    return { metric: `${plain}_${span}`, rest: stripped(name.replace(spans, '_'), [plain, deviceClass]) }
  return { metric, rest: stripped(name, [known, deviceClass]) }
}

/** A counter that only rises: its readings are the total so far. */
const counted = (metric: string, { stateClass }: Entity): string =>
  stateClass === 'total_increasing' || (stateClass === 'total' && metric === 'energy')
    ? `${metric}_total`
    : metric

const fits = (metric: string, unit: string | undefined): boolean =>
  unit === undefined || toCanonical(metric, unit) !== undefined

/** The name of the entity without that of its device. Without a name it is named by its device class. */
function nameOf({ name, objectId, deviceClass, device }: Entity, owner: string): string {
  if (name === null) return ''
  if (name === undefined) return deviceClass === undefined ? slug(objectId) : ''
  const plain = slug(name)
  for (const prefix of [slug(device.name ?? owner), slug(device.id)])
    if (prefix !== '' && `${plain}_`.startsWith(`${prefix}_`)) return plain.slice(prefix.length + 1)
  return plain
}

/** What is left of a name without the words for its quantity. */
function stripped(name: string, quantities: readonly string[]): string {
  let rest = `_${name}_`
  for (const word of quantities) rest = rest.replace(`_${word}_`, '_')
  const { metric, rest: before } = metricInName(rest.replace(/^_+|_+$/g, ''))
  const short = metric !== undefined && quantities.some((word) => word.startsWith(metric)) ? before : rest
  return short.replace(fillers, '').replace(/_+/g, '_').replace(/^_|_$/g, '')
}
