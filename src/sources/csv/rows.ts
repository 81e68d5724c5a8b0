import { unguardCell } from '../../core/csv-text.ts'
import { type Problem, problem } from '../../core/errors.ts'
import type { RawReading } from '../../core/reading.ts'
import type { EventColumn, Field, GapRule, Mapping, TimedCell, ValueColumn } from './mapping.ts'
import { type NumberStyle, parseCell } from './numbers.ts'
import type { Row } from './records.ts'
import { rowTimes } from './row-time.ts'
import type { SeriesMeaning } from './series-meaning.ts'
import { seriesKey } from './survey.ts'
import { timesOf } from './time.ts'

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
  const times = time.kind === 'column' ? rowTimes(time) : undefined
  const series = seriesOf(mapping)
  const isGap = gapTest(mapping)
  const place = textOf(mapping.site)

  const meanings = new Map(Object.entries(mapping.series?.meanings ?? {}))
  const meaningOf = (fields: readonly string[]) => meanings.get(seriesKey(fields, mapping.series?.keys ?? []))

  const timeOf = (fields: readonly string[], number: number): number | Problem => {
    if (time.kind === 'steps') return time.start + number * time.everyMs
    if (time.kind === 'header') return problem('at_invalid', { got: 'nothing' })
    return times ? times.read(fields, series(fields)) : problem('at_invalid', { got: '' })
  }
  const cells = mapping.cells && cellsTaker(mapping)
  const valueTakers = values.map((column) => valueTaker(column, mapping.styles[column.index] ?? '.'))
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
      const meaning = mapping.series && meaningOf(fields)
      if (mapping.series && !meaning) return false
      if (cells) {
        cells(fields, meaning, place?.(fields), sink)
        return true
      }
      const at = timeOf(fields, number)
      if (typeof at !== 'number') {
        sink.fault(at)
        return true
      }
      const site = place?.(fields)
      if (meaning) takeSeries(mapping, meaning, fields, at, site, sink)
      else for (const take of valueTakers) take(fields, at, site, sink)
      for (const take of eventTakers) take(fields, at, site, sink)
      return true
    },
    restartable: () => times?.restartable() ?? true,
  }
}

/** The cell of a row whose series says what it is. */
function takeSeries(
  mapping: Mapping,
  { device, metric, unit, room }: SeriesMeaning,
  fields: readonly string[],
  at: number,
  site: string | undefined,
  sink: RowSink,
): void {
  const { index, name, factor } = mapping.values[0]!
  const number = parseCell(fields[index]!, mapping.styles[index] ?? '.')
  if (number === null) sink.empty()
  else if (number === undefined) sink.fault(notNumber(name, fields[index]!))
  else sink.reading({ source: 'csv', site, device, metric, value: number * factor, unit, at, room })
}

/** Takes the cells of a row whose times stand in the header; cells without a value need no time. */
function cellsTaker(mapping: Mapping) {
  const { values, styles, time } = mapping
  const times = time.kind === 'column' ? timesOf(time.format, time.zone, time.direction) : undefined
  const takers = mapping.cells!.flatMap((cell) =>
    values.map((column) => {
      const own = { ...column, index: cell.index }
      return { cell, own, take: valueTaker(own, styles[cell.index] ?? '.') }
    }),
  )
  const timeOf = (cell: TimedCell, fields: readonly string[]): number | Problem => {
    if ('at' in cell) return cell.at
    const day = time.kind === 'column' ? (fields[time.index]?.trim().split(/[ T]/, 1)[0] ?? '') : ''
    return times ? times.read(`${day} ${cell.clock}`, '') : problem('at_invalid', { got: cell.clock })
  }
  return (
    fields: readonly string[],
    meaning: SeriesMeaning | undefined,
    site: string | undefined,
    sink: RowSink,
  ): void => {
    for (const { cell, own, take } of takers) {
      if (parseCell(fields[cell.index]!, styles[cell.index] ?? '.') === null) {
        sink.empty()
        continue
      }
      const at = timeOf(cell, fields)
      if (typeof at !== 'number') sink.fault(at)
      else if (meaning) takeSeries({ ...mapping, values: [own] }, meaning, fields, at, site, sink)
      else take(fields, at, site, sink)
    }
  }
}

type Taker = (fields: readonly string[], at: number, site: string | undefined, sink: RowSink) => void

function valueTaker(column: ValueColumn, style: NumberStyle): Taker {
  const { index, name, factor } = column
  const device = textOf(column.device)!
  const metric = textOf(column.metric)!
  const unit = textOf(column.unit)
  const room = textOf(column.room)
  return (fields, at, site, sink) => {
    const cell = fields[index]!
    const number = parseCell(cell, style)
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
  const columns = mapping.series?.keys ?? roles.map(({ index }) => index)
  return (fields) => (columns.length === 0 ? '' : columns.map((index) => fields[index]).join('\u001f'))
}

function gapTest(mapping: Mapping): (fields: readonly string[]) => boolean {
  const { gaps, styles } = mapping
  const read = (fields: readonly string[], index: number) => parseCell(fields[index]!, styles[index] ?? '.')
  const same = (fields: readonly string[], { index, value }: GapRule): boolean => {
    if (fields[index]!.trim() === value) return true
    const number = read(fields, index)
    return typeof number === 'number' && number === parseCell(value, styles[index] ?? '.')
  }
  const fits = (fields: readonly string[], rule: GapRule): boolean =>
    same(fields, rule) && rule.zeros.every((index) => read(fields, index) === 0)
  return (fields) => gaps.some((rule) => fits(fields, rule))
}
