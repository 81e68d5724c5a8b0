import { problem } from '../core/errors.ts'
import { parseValue, type RawReading } from '../core/reading.ts'
import { seriesId } from '../core/series.ts'
import { isHomeAssistant } from './influx/home-assistant.ts'
import { checkMappings, type FieldPlace, type InfluxOptions, placeOf } from './influx/mapping.ts'
import { InfluxNotes } from './influx/notes.ts'
import { LineCache, type LineField, type LinePoint, LineReader } from './line-protocol.ts'
import type { LineHead } from './line-protocol-head.ts'
import { nanosOf } from './line-protocol-time.ts'

export type { InfluxOptions, PointMapping } from './influx/mapping.ts'

/** Some readings of a body. A bad line is a row with a fault, so that it goes to quarantine. */
export interface InfluxRows {
  readonly rows: readonly RawReading[]
  /** Line of each row, from 1. */
  readonly lines: readonly number[]
  /** What is wrong with a line, in InfluxDB's words, by the index of its row. */
  readonly faults: ReadonlyMap<number, string>
  /** Text fields that were left out. */
  readonly leftOut: number
}

export interface InfluxBody {
  /** Database or bucket; may be empty. */
  readonly database: string
  /** Unit of the timestamps; see `isPrecision`. */
  readonly precision: string
  /** Points that are taken at once have about so many rows. */
  readonly rowsMax: number
  /** Sites that the sender reaches; null: all. */
  readonly sites: readonly string[] | null
}

/** Whether InfluxDB knows this unit of timestamps. */
export const isPrecision = (precision: string): boolean => nanosOf(precision) !== undefined

const source = 'influx'
/** Places of fields that are remembered, of each head. */
const placesMax = 1000
const ownersMax = 100_000

/**
 * Turns line protocol into readings: one for each field that is a number, a boolean, or text that is a number or a known
 * state. Other text is left out and counted by its name.
 */
export class Influx {
  readonly notes = new InfluxNotes()
  readonly #options: InfluxOptions
  readonly #cache = new LineCache()
  /** What is known of the heads of the cache, by database and field. */
  readonly #places = new WeakMap<LineHead, Map<string, FieldPlace>>()
  /** Measurement and tag keys that a series was first seen with. */
  readonly #owners = new Map<string, string>()

  /** Throws `config_invalid`. */
  constructor(options: InfluxOptions) {
    checkMappings(options.mappings)
    this.#options = options
  }

  /** The rows of a body, some at a time, so that a long body never is in memory as rows as a whole. */
  *read(bytes: Buffer, body: InfluxBody): Generator<InfluxRows, void, void> {
    const reader = new LineReader(bytes, nanosOf(body.precision) ?? 1, this.#cache)
    let batch = emptyBatch()
    for (let entry = reader.next(); entry; entry = reader.next()) {
      if (entry.kind === 'point') this.#addPoint(entry, body, batch)
      else {
        const fault = problem('line_invalid', { line: entry.line, reason: entry.reason })
        batch.faults.set(batch.rows.length, entry.reason)
        batch.rows.push({ source, fault, payload: entry.text })
      }
      while (batch.lines.length < batch.rows.length) batch.lines.push(entry.line)
      if (batch.rows.length < body.rowsMax) continue
      yield batch
      batch = emptyBatch()
    }
    if (batch.rows.length > 0 || batch.leftOut > 0) yield batch
  }

  #addPoint({ head, fields, time }: LinePoint, body: InfluxBody, batch: Batch): void {
    const at = time?.at
    const isEntity = isHomeAssistant(head)
    for (const field of fields) {
      const value = numberOf(field, fields, isEntity)
      const place = this.#place(head, field, fields, body, isEntity)
      if (value === undefined) {
        if (isTold(field, fields) || !isReached(place.site, body)) continue
        batch.leftOut++
        this.notes.add({ kind: 'text', site: place.site, measurement: head.measurement, field: field.key })
        continue
      }
      const { site, device, metric, unit, room } = place
      batch.rows.push({ source, site, device, metric, value, unit, at, room })
    }
  }

  #place(
    head: LineHead,
    field: LineField,
    fields: readonly LineField[],
    body: InfluxBody,
    isEntity: boolean,
  ): FieldPlace {
    const { database } = body
    // what Home Assistant's fields mean depends on other fields of the point
    if (isEntity) return placeOf(head, field, fields, database, this.#options)
    let places = this.#places.get(head)
    if (!places || places.size >= placesMax) {
      places = new Map()
      this.#places.set(head, places)
    }
    const key = `${fields.length === 1}\u001f${database}\u001f${field.key}`
    let place = places.get(key)
    if (!place) {
      place = placeOf(head, field, fields, database, this.#options)
      places.set(key, place)
      if (isReached(place.site, body)) this.#noteMerged(place, head, field.key)
    }
    return place
  }

  /** Two measurements may hold the same field of a device: then one series has the values of both, which is told. */
  #noteMerged(place: FieldPlace, { measurement, tags }: LineHead, field: string): void {
    const series = seriesId(place)
    const form = [measurement, ...tags.map(({ key }) => key).sort()].join('\u001f')
    const owner = this.#owners.get(series)
    if (owner === undefined) {
      if (this.#owners.size >= ownersMax) this.#owners.clear()
      this.#owners.set(series, form)
    } else if (owner !== form) {
      this.notes.add({ kind: 'merged', site: place.site, measurement, field })
    }
  }
}

interface Batch extends InfluxRows {
  readonly rows: RawReading[]
  readonly lines: number[]
  readonly faults: Map<number, string>
  leftOut: number
}

const emptyBatch = (): Batch => ({ rows: [], lines: [], faults: new Map(), leftOut: 0 })

const isReached = (site: string, { sites }: InfluxBody): boolean => sites === null || sites.includes(site)

/** Undefined for text that is neither a number nor a known state. Attributes of Home Assistant never are. */
function numberOf(
  field: LineField,
  fields: readonly LineField[],
  isEntity: boolean,
): number | boolean | undefined {
  if (field.kind !== 'string') return typeof field.value === 'bigint' ? Number(field.value) : field.value
  if (isTold(field, fields) || (isEntity && field.key !== 'state')) return undefined
  return parseValue(field.value)
}

/** A state in words beside the same as a number. */
const isTold = (field: LineField, fields: readonly LineField[]): boolean =>
  field.key === 'state' &&
  field.kind === 'string' &&
  fields.some(({ key, kind }) => key === 'value' && kind !== 'string')
