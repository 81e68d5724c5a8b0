import { unguardCell } from '../../core/csv-text.ts'
import { type Problem, problem } from '../../core/errors.ts'
import { parseValue, type RawReading } from '../../core/reading.ts'
import {
  type EventColumn,
  type Field,
  type GapRule,
  type Mapping,
  timeText,
  type ValueColumn,
} from './mapping.ts'
import type { Row } from './records.ts'
import { timesOf } from './time.ts'

/** Texts that say that there is no value. */
const absent = new Set([
  '',
  'nan',
  'na',
  'n/a',
  'null',
  'none',
  'nil',
  '-',
  '--',
  '?',
  'unknown',
  'unavailable',
])

/** 0x10 is a number to JavaScript, not to a sensor. */
const hasRadix = /^[+-]?0[box]/i

/** A number or a known state (on, open) as a number; null for an empty cell, undefined for anything else. */
export function parseCell(cell: string, decimalComma: boolean): number | null | undefined {
  const code = cell.charCodeAt(0)
  // the common case: a digit or a minus first
  if (!decimalComma && ((code >= 48 && code <= 57) || code === 45)) {
    const number = Number(cell)
    if (Number.isFinite(number) && !hasRadix.test(cell)) return number
  }
  const text = cell.trim()
  if (absent.has(text.toLowerCase())) return null
  if (hasRadix.test(text)) return undefined
  return parseValue(decimalComma ? text.replaceAll('.', '').replace(',', '.') : text)
}

/** Where the readings of a row and its faults go. */
export interface RowSink {
  reading(reading: RawReading): void
  /** A cell or a whole row that cannot be taken; several may come from one row. */
  fault(problem: Problem): void
  empty(): void
}

export interface RowReader {
  /** `number` counts the rows of data from 0. False: the row is a gap, nothing was measured. */
  take(row: Row, number: number, sink: RowSink): boolean
  /** False while an import that stops here could not go on with the same result. */
  restartable(): boolean
}

/** Turns rows into readings as the mapping says. The values keep their unit: the hub converts. */
export function rowReader(mapping: Mapping): RowReader {
  const { values, events, time, width } = mapping
  const times = time.kind === 'column' ? timesOf(time.format, time.zone) : undefined
  const series = seriesOf(mapping)
  const isGap = gapTest(mapping)
  const place = textOf(mapping.site)

  const timeOf = (fields: readonly string[], number: number): number | Problem => {
    if (time.kind === 'steps') return time.start + number * time.everyMs
    const text = timeText(time, fields)
    return times ? times.read(text, series(fields)) : problem('at_invalid', { got: text })
  }
  const valueTakers = values.map((column) => valueTaker(column, mapping.decimalComma))
  const eventTakers = events.map(eventTaker)

  return {
    take(row, number, sink) {
      const { fields } = row
      if (!fields) {
        sink.fault(problem('data_invalid', { detail: `The row cannot be taken apart: ${row.fault ?? ''}` }))
        return true
      }
      if (fields.length !== width && !(fields.length === width + 1 && fields[width] === '')) {
        const detail = `The row has ${fields.length} fields, the header ${width}`
        sink.fault(problem('data_invalid', { detail }))
        return true
      }
      if (isGap(fields)) return false
      const at = timeOf(fields, number)
      if (typeof at !== 'number') {
        sink.fault(at)
        return true
      }
      const site = place?.(fields)
      for (const take of valueTakers) take(fields, at, site, sink)
      for (const take of eventTakers) take(fields, at, site, sink)
      return true
    },
    restartable: () => times?.restartable() ?? true,
  }
}

type Taker = (fields: readonly string[], at: number, site: string | undefined, sink: RowSink) => void

function valueTaker(column: ValueColumn, decimalComma: boolean): Taker {
  const { index, name, factor } = column
  const device = textOf(column.device)!
  const metric = textOf(column.metric)!
  const unit = textOf(column.unit)
  const room = textOf(column.room)
  return (fields, at, site, sink) => {
    const cell = fields[index]!
    const number = parseCell(cell, decimalComma)
    if (typeof number !== 'number') {
      if (number === null) sink.empty()
      else sink.fault(notNumber(name, cell))
      return
    }
    sink.reading({
      source: 'csv',
      site,
      device: device(fields),
      metric: metric(fields),
      value: number * factor,
      unit: unit?.(fields),
      at,
      room: room?.(fields),
    })
  }
}

function notNumber(column: string, cell: string): Problem {
  const { code, message } = problem('value_not_number', { got: `"${cell.trim().slice(0, 60)}"` })
  return { code, message: `${column}: ${message}` }
}

function eventTaker(column: EventColumn): Taker {
  const device = textOf(column.device)!
  return (fields, at, site, sink) => {
    const id = device(fields) ?? ''
    const rule = column.rules.find((one) => one.device.test(id))
    if (!rule) {
      const detail = `It is not known what the sensor "${id.slice(0, 60)}" sees`
      sink.fault(problem('data_invalid', { detail }))
      return
    }
    const seen = fields[column.index]!.trim()
    const room = rule.room && seen !== '' ? seen : undefined
    sink.reading({ source: 'csv', site, device: id, metric: rule.metric, value: 1, unit: 'state', at, room })
  }
}

/** The text of a field in a row; an empty cell is no text. */
function textOf(field: Field | undefined): ((fields: readonly string[]) => string | undefined) | undefined {
  if (!field) return undefined
  if ('fixed' in field) {
    const { fixed } = field
    return () => fixed
  }
  const { column } = field
  return (fields) => {
    const text = fields[column]!.trim()
    // an export guards texts that a spreadsheet would run
    return text === '' ? undefined : unguardCell(bare(text))
  }
}

/** ['kitchen_PIR'], a list of one as Python prints it, is kitchen_PIR. */
const bare = (text: string): string => (text.startsWith('[') ? text.replace(/^\['?|'?\]$/g, '') : text)

/** What tells the series of a file apart, as a text. */
function seriesOf(mapping: Mapping): (fields: readonly string[]) => string {
  const roles = mapping.roles.filter(({ role }) => role === 'device' || role === 'metric')
  const columns = roles.map(({ index }) => index)
  return (fields) => (columns.length === 0 ? '' : columns.map((index) => fields[index]).join('\u001f'))
}

function gapTest(mapping: Mapping): (fields: readonly string[]) => boolean {
  const { gaps, decimalComma } = mapping
  const same = (cell: string, { value }: GapRule): boolean => {
    if (cell.trim() === value) return true
    const number = parseCell(cell, decimalComma)
    return typeof number === 'number' && number === parseCell(value, decimalComma)
  }
  const fits = (fields: readonly string[], rule: GapRule): boolean =>
    same(fields[rule.index]!, rule) &&
    rule.zeros.every((index) => parseCell(fields[index]!, decimalComma) === 0)
  return (fields) => gaps.some((rule) => fits(fields, rule))
}
