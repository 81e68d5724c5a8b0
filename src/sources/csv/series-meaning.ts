import { toCanonical } from '../../core/units.ts'
import { readCounter } from './counter.ts'
import { likelyUnit, normalise, quantityNamed, readName } from './names.ts'
import { type NumberStyle, parseCell } from './numbers.ts'
import type { Survey, SurveyedSeries } from './survey.ts'
import { metricOfUnit, unitOf } from './unit-words.ts'

/** What the readings of one series of a surveyed file are. */
export interface SeriesMeaning {
  readonly device: string
  readonly metric: string
  readonly unit: string
  readonly room?: string
  readonly why: string
}

/** Why a series is not imported; `metric` and `unit` as far as they are known. */
export interface SeriesSkip {
  readonly skip: string
  readonly metric?: string
  readonly unit?: string
}

/** Names of fields that say only that there is a value. */
const bareField = /^(value|state|mean|last|max|min|_value|reading|sum)$/
const deviceTags = [
  'entity_id',
  'device',
  'device_id',
  'sensor',
  'sensor_id',
  'name',
  'item',
  'topic',
  'host',
]
const roomTags = ['room', 'room_id', 'area', 'location', 'raum']
const unitTags = ['unit', 'unit_of_measurement', 'units', 'einheit', 'unite']
const notTags = new Set([...unitTags, '_field', '_measurement', 'domain', 'tags', 'type'])

/** Home Assistant keeps states of these domains as on and off. */
const switches = /^(switch|light|input_boolean|fan|siren)$/

/** Decides by the name of a series, a unit beside it, and its values. `backward`: the file is newest first. */
export function meaningOf(
  series: SurveyedSeries,
  style: NumberStyle,
  backward: boolean,
): SeriesMeaning | SeriesSkip {
  const texts = withTags(series.texts)
  const values = series.cells.map((cell) => parseCell(cell, style))
  const numbers = values.filter((value) => typeof value === 'number')
  if (numbers.length === 0 && values.length === 0) return { skip: 'no value in any row' }
  if (numbers.length < values.length / 2) return { skip: 'text, not a number' }
  const device = deviceOf(texts)
  const room = roomTags.map((tag) => texts[tag]).find((text) => text !== undefined && text !== device)
  const where = room === undefined ? {} : { room }
  const entity = /^([a-z_]+)\.(.+)$/.exec(texts['entity_id'] ?? '')
  const domain = entity?.[1] ?? texts['domain'] ?? ''
  const names = namesOf(texts, entity?.[2])
  if (series.cells.every((cell) => Number.isNaN(Number(cell)))) {
    const metric = stateMetric(names, domain)
    return { device, metric, unit: 'state', ...where, why: 'states such as on and off' }
  }
  const unit =
    unitTags.map((tag) => unitOf(texts[tag] ?? '')).find(Boolean) ?? unitOf(texts['_measurement'] ?? '')
  const isEntity = texts['entity_id'] !== undefined
  const found = measured(names, numbers, unit, isEntity)
  if ('skip' in found) return found
  const { metric, why } = found
  if (metric !== 'energy' && metric !== 'energy_total') return { device, ...found, ...where }
  // an entity is recorded when it changes: what rises without an end is its register
  const ordered = backward ? [...numbers].reverse() : numbers
  const verdict = readCounter(
    `${names.map(normalise).join('_')}${isEntity ? '_register' : ''}`,
    [ordered],
    toCanonical('energy', found.unit)?.scale,
  )
  const kind = verdict.counter ? 'energy_total' : 'energy'
  return { device, metric: kind, unit: found.unit, ...where, why: `${why}; ${verdict.why}` }
}

/** InfluxDB 1 writes all tags of a series into one text: room=hall,sensor=t1. */
function withTags(texts: Readonly<Record<string, string>>): Record<string, string> {
  const own = Object.entries(texts).filter(([, text]) => text !== '')
  const { tags, name } = texts
  if (tags === undefined) return Object.fromEntries(own)
  const split = tags.split(',').flatMap((part) => {
    const equals = part.indexOf('=')
    return equals > 0 ? [[part.slice(0, equals).toLowerCase(), part.slice(equals + 1)]] : []
  })
  const rest = own.filter(([column]) => column !== 'tags' && column !== 'name')
  return {
    ...Object.fromEntries(rest),
    ...Object.fromEntries(split),
    ...(name ? { _measurement: name } : {}),
  }
}

/** Texts that may name the quantity, the most telling first. */
function namesOf(texts: Readonly<Record<string, string>>, entity: string | undefined): string[] {
  const field = texts['_field']
  const measurement = texts['_measurement']
  return [
    ...(field !== undefined && !bareField.test(field) ? [field] : []),
    ...(entity === undefined ? [] : [entity]),
    ...(texts['type'] === undefined ? [] : [texts['type']]),
    ...deviceTags.slice(entity === undefined ? 0 : 1).flatMap((tag) => texts[tag] ?? []),
    ...(measurement !== undefined && unitOf(measurement) === undefined ? [measurement] : []),
  ]
}

function deviceOf(texts: Readonly<Record<string, string>>): string {
  for (const tag of deviceTags) if (texts[tag] !== undefined) return texts[tag]
  const tags = Object.entries(texts).filter(([name]) => !notTags.has(name))
  if (tags.length > 0) return tags.map(([, text]) => text).join('_')
  return texts['_measurement'] ?? 'series'
}

function stateMetric(names: readonly string[], domain: string): string {
  if (switches.test(domain)) return 'switch'
  for (const name of names) {
    const quantity = quantityNamed(normalise(name))
    if (quantity !== undefined && ['motion', 'door', 'window_open', 'occupied', 'smoke'].includes(quantity))
      return quantity
  }
  return 'state'
}

function measured(
  names: readonly string[],
  numbers: readonly number[],
  unit: string | undefined,
  isEntity: boolean,
): { metric: string; unit: string; why: string } | SeriesSkip {
  let known: SeriesSkip | undefined
  for (const name of names) {
    const read = readName(name, numbers, unit)
    if (read.not !== undefined) return { skip: read.not }
    if (read.metric !== undefined && read.unit !== undefined) {
      const why = unit === undefined ? read.why : `unit ${read.unit} as the file states`
      return { metric: read.metric, unit: read.unit, why }
    }
    if (read.metric === undefined || unit !== undefined) continue
    const usual = likelyUnit(read.metric, numbers)
    if (usual !== undefined)
      return { metric: read.metric, unit: usual, why: `${usual} by the range of its values` }
    const standard = isEntity ? entityUnit(read.metric, numbers) : undefined
    if (standard !== undefined)
      return { metric: read.metric, unit: standard, why: `${standard} is what Home Assistant records` }
    known ??= { skip: 'unit not stated', metric: read.metric }
  }
  if (
    isEntity &&
    names.some((name) => /battery|akku|batterie/i.test(name)) &&
    numbers.every((n) => n >= 0 && n <= 100)
  )
    return { metric: 'battery', unit: '%', why: '% is what Home Assistant records' }
  const metric = unit === undefined || known ? undefined : metricOfUnit(unit)
  if (unit !== undefined && metric !== undefined)
    return { metric, unit, why: `unit ${unit} as the file states` }
  return known ?? { skip: 'the name tells no metric', ...(unit === undefined ? {} : { unit }) }
}

/** Units that Home Assistant gives entities by default; not where the values look like another one. */
function entityUnit(metric: string, numbers: readonly number[]): string | undefined {
  const highest = numbers.reduce((a, b) => Math.max(a, Math.abs(b)), 0)
  if (metric === 'energy' || metric === 'energy_total') return highest <= 100_000 ? 'kWh' : undefined
  // a house of less than 50 W throughout is rather one in kW
  if (metric === 'power') return highest >= 50 ? 'W' : undefined
  if (metric === 'illuminance') return 'lx'
  if (metric === 'current') return highest <= 100 ? 'A' : undefined
  return undefined
}

/** The meanings of all series; two of the same device and metric get devices of their own. */
export function meaningsOf(
  survey: Survey,
  style: NumberStyle,
  backward: boolean,
): Map<string, SeriesMeaning | SeriesSkip> {
  const found = new Map([...survey.series].map(([key, series]) => [key, meaningOf(series, style, backward)]))
  const taken = new Map<string, string[]>()
  for (const [key, meaning] of found) {
    if ('skip' in meaning) continue
    const id = `${meaning.device}\u001f${meaning.metric}`
    taken.set(id, [...(taken.get(id) ?? []), key])
  }
  for (const keys of taken.values()) {
    if (keys.length < 2) continue
    for (const key of keys) {
      const meaning = found.get(key)
      if (!meaning || 'skip' in meaning) continue
      const { texts } = survey.series.get(key)!
      const all = Object.entries(texts).filter(([name, text]) => text !== '' && !unitTags.includes(name))
      found.set(key, { ...meaning, device: all.map(([, text]) => text).join('_') })
    }
  }
  return found
}
