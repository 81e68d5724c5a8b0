import { HomeostatError } from '../../core/errors.ts'
import type { LineField } from '../line-protocol.ts'
import type { LineHead } from '../line-protocol-head.ts'
import { attributeMetric, entityOf, isHomeAssistant, isKnownUnit, stateMetric } from './home-assistant.ts'
import { isMetric, metricOf, type Quantity } from './quantity.ts'

/** Where the parts of a reading are in a point. */
export interface InfluxOptions {
  /** The hub's own site. */
  readonly defaultSite: string
  /** Databases and buckets that mean the hub's own site; any other name is a site. */
  readonly ownDatabases: readonly string[]
  /** Tags that name each part; of several the first that the point has. */
  readonly tags: {
    readonly site: readonly string[]
    readonly device: readonly string[]
    readonly metric: readonly string[]
    readonly unit: readonly string[]
    readonly room: readonly string[]
    /** Tags that describe a device and do not tell it from another one. */
    readonly ignored: readonly string[]
  }
  /** Measurements that do not tell what is measured: the field does. */
  readonly neutralMeasurements: readonly string[]
  /** Exceptions; the first that fits decides what it gives. */
  readonly mappings: readonly PointMapping[]
}

/** `{measurement}`, `{field}`, `{database}` and `{TAG}` in the parts are filled in; a part whose tag is absent is not given. */
export interface PointMapping {
  readonly measurement?: string | undefined
  readonly field?: string | undefined
  readonly tags?: Readonly<Record<string, string>> | undefined
  readonly site?: string | undefined
  readonly device?: string | undefined
  readonly metric?: string | undefined
  readonly unit?: string | undefined
  readonly room?: string | undefined
}

/** The series of a field. */
export interface FieldPlace {
  readonly site: string
  readonly device: string
  readonly metric: string
  readonly unit: string | undefined
  readonly room: string | undefined
}

type Tags = ReadonlyMap<string, string>

/** Fields that hold the value of what measurement or tags name. */
const valueFields: ReadonlySet<string> = new Set(['value', 'val', 'state'])

/** The site of a database or bucket; `home/autogen` is `home` with the retention policy of InfluxDB 1. */
export function siteOfDatabase(database: string, options: InfluxOptions): string {
  const name = database.replace(/\/autogen$/, '')
  return name === '' || options.ownDatabases.includes(name) ? options.defaultSite : name
}

/** Throws `config_invalid` for a mapping that gives nothing. */
export function checkMappings(mappings: readonly PointMapping[]): void {
  const index = mappings.findIndex(
    ({ site, device, metric, unit, room }) => [site, device, metric, unit, room].join('') === '',
  )
  if (index < 0) return
  const detail = 'it gives none of site, device, metric, unit and room'
  throw new HomeostatError('config_invalid', { where: `influx.mappings.${index}`, detail })
}

/** The series that a field of a point belongs to. Different points have different series, as far as their tags differ. */
export function placeOf(
  head: LineHead,
  field: LineField,
  fields: readonly LineField[],
  database: string,
  options: InfluxOptions,
): FieldPlace {
  const tags: Tags = new Map(head.tags.map(({ key, value }) => [key, value]))
  const place = isHomeAssistant(head)
    ? ofHomeAssistant(head, tags, field, fields)
    : ofTags(head, tags, field, fields, options)
  const usual = {
    ...place,
    site: first(tags, options.tags.site)?.value ?? siteOfDatabase(database, options),
    room: first(tags, options.tags.room)?.value,
  }
  const mapping = options.mappings.find((candidate) => fits(candidate, head, field, tags))
  return mapping ? filled(mapping, usual, { head, field, tags, database }) : usual
}

type Measured = Pick<FieldPlace, 'device' | 'metric' | 'unit'>

function ofHomeAssistant(
  { measurement }: LineHead,
  tags: Tags,
  field: LineField,
  fields: readonly LineField[],
): Measured {
  const entity = entityOf(measurement, tags, fields)
  const device = entity.id
  if (!valueFields.has(field.key)) return { device, metric: attributeMetric(field.key), unit: undefined }
  return { device, metric: stateMetric(entity), unit: entity.unit }
}

function ofTags(
  { measurement }: LineHead,
  tags: Tags,
  field: LineField,
  fields: readonly LineField[],
  options: InfluxOptions,
): Measured {
  const { device, name } = deviceOf(measurement, tags, options)
  const isValue = valueFields.has(field.key)
  const tagged = isValue || fields.length === 1 ? first(tags, options.tags.unit)?.value : undefined
  const metricTag = first(tags, options.tags.metric)?.value
  if (metricTag !== undefined) {
    return { device, unit: tagged, metric: isValue ? metricTag : `${metricTag}_${field.key}` }
  }
  const unit = tagged ?? (isValue && isKnownUnit(measurement) ? measurement : undefined)
  const isNeutral = name === measurement || options.neutralMeasurements.includes(measurement)
  const quantity = !isValue
    ? fieldQuantity(field.key, isNeutral ? '' : `${measurement}_`, unit)
    : isNeutral
      ? quantityOf(lastPart(name), unit, name === measurement ? name : 'value')
      : quantityOf(measurement, unit, measurement)
  return { device, metric: quantity.metric, unit: unit ?? quantity.unit }
}

const quantityOf = (name: string, unit: string | undefined, otherwise: string): Quantity =>
  isMetric(name) ? { metric: name } : (metricOf(name, unit) ?? { metric: otherwise })

/** A field `energy` is a meter's total: a live sensor hardly ever sends what it measured since its last message. */
function fieldQuantity(key: string, prefix: string, unit: string | undefined): Quantity {
  if (isMetric(key)) return { metric: key === 'energy' ? 'energy_total' : key }
  return metricOf(key, unit) ?? { metric: `${prefix}${key}` }
}

/** What a topic such as home/kitchen/temperature ends with. */
const lastPart = (name: string): string => name.slice(name.lastIndexOf('/') + 1)

/**
 * The device: a tag that names one, else the room, else the measurement (`name`), and whatever else tells it from
 * others. Behind a topic the host is only the machine that relays; without a topic it is where the device is.
 */
function deviceOf(
  measurement: string,
  tags: Tags,
  { tags: names }: InfluxOptions,
): { readonly device: string; readonly name: string } {
  const { site, metric, unit, room, ignored } = names
  const chosen = first(tags, names.device) ?? first(tags, room)
  const name = chosen?.value ?? measurement
  const known = new Set([...[site, metric, unit, room, ignored].flat(), 'topic', 'host'])
  if (chosen) known.add(chosen.key)
  const hasOwnHost = chosen !== undefined && chosen.key !== 'host' && !tags.has('topic')
  const host = hasOwnHost ? tags.get('host') : undefined
  const others = [...tags].filter(([key]) => !known.has(key)).sort(byKey)
  const parts = [host, name, ...others.map(([, value]) => value)]
  return { device: parts.filter((part) => part !== undefined).join('/'), name }
}

const byKey = ([a]: readonly [string, string], [b]: readonly [string, string]): number => (a < b ? -1 : 1)

function first(
  tags: Tags,
  keys: readonly string[],
): { readonly key: string; readonly value: string } | undefined {
  for (const key of keys) {
    const value = tags.get(key)
    if (value !== undefined) return { key, value }
  }
  return undefined
}

const fits = (mapping: PointMapping, { measurement }: LineHead, field: LineField, tags: Tags): boolean =>
  (mapping.measurement === undefined || mapping.measurement === measurement) &&
  (mapping.field === undefined || mapping.field === field.key) &&
  Object.entries(mapping.tags ?? {}).every(([key, value]) => tags.get(key) === value)

function filled(
  mapping: PointMapping,
  usual: FieldPlace,
  { head, field, tags, database }: { head: LineHead; field: LineField; tags: Tags; database: string },
): FieldPlace {
  const names = new Map([
    ...tags,
    ['measurement', head.measurement],
    ['field', field.key],
    ['database', database],
  ])
  const fill = (template: string | undefined): string | undefined => {
    if (template === undefined) return undefined
    const parts = [...template.matchAll(/\{([^{}]+)\}/g)].map(([, name]) => names.get(name ?? ''))
    if (parts.includes(undefined)) return undefined
    return template.replace(/\{([^{}]+)\}/g, (_whole, name: string) => names.get(name) ?? '')
  }
  return {
    site: fill(mapping.site) ?? usual.site,
    device: fill(mapping.device) ?? usual.device,
    metric: fill(mapping.metric) ?? usual.metric,
    unit: fill(mapping.unit) ?? usual.unit,
    room: fill(mapping.room) ?? usual.room,
  }
}
