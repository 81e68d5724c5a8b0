/** Series out of CSV files: long (a value column), wide (a column a series), or m4 (a row a series). */
import { HomeostatError } from '../core/errors.ts'
import type { Series, StepTimes } from '../ml/forecast/series.ts'
import { parseCell } from '../sources/csv/rows.ts'
import {
  columnAt,
  holdsText,
  holdsTimes,
  type LabTable,
  numberColumn,
  readTable,
  textColumn,
  timeColumn,
} from './lab-table.ts'

export type SeriesFormat = 'long' | 'wide' | 'm4'

export interface SeriesFlags {
  readonly format?: SeriesFormat
  readonly time?: string
  readonly value?: string
  /** Long format: the column that names the series of a row. */
  readonly series?: string
  readonly zone: string
}

/** Gaps longer than this many steps in all are no series of regular steps any more. */
const stepsMax = 5_000_000

/** Series in the order in which the file has them. Rejects with `column_unknown` or `data_invalid`. */
export async function readSeries(path: string, flags: SeriesFlags): Promise<Series[]> {
  const format = flags.format ?? (flags.value === undefined ? undefined : 'long')
  const table = await readTable(path, format === 'm4' || format === undefined)
  if (format === 'm4' || (format === undefined && isM4(table)))
    return table.rows.map((_, row) => m4Row(table, row))
  for (const [row, fields] of table.rows.entries())
    if (fields.length < table.columns.length)
      throw new HomeostatError('data_invalid', {
        detail: `${table.name}, line ${table.lines[row]}: the row has ${fields.length} fields, the header ${table.columns.length}`,
      })
  return format === 'wide' || (format === undefined && flags.series === undefined)
    ? wide(table, flags)
    : long(table, flags)
}

/** The competition's own header. */
const isM4 = ({ columns }: LabTable): boolean => columns[0] === 'V1' && columns[1] === 'V2'

function m4Row(table: LabTable, row: number): Series {
  const [id = '', ...cells] = table.rows[row]!
  let end = cells.length
  while (end > 0 && cells[end - 1]!.trim() === '') end--
  const values = Float64Array.from({ length: end }, (_, at) => {
    const number = parseCell(cells[at]!, table.decimalComma)
    if (number === undefined) {
      const column = table.columns[at + 1] ?? String(at + 2)
      const detail = `${table.name}, line ${table.lines[row]}: "${cells[at]!.slice(0, 60)}" in the column ${column} is not a number`
      throw new HomeostatError('data_invalid', { detail })
    }
    return number ?? Number.NaN
  })
  return { id: id.trim(), values }
}

function wide(table: LabTable, flags: SeriesFlags): Series[] {
  const time = flags.time ?? table.columns.find((column) => holdsTimes(table, column))
  const named = flags.value?.split(',').map((name) => name.trim())
  const columns =
    named ??
    table.columns.filter(
      (column) => column !== time && !table.rowNumbers.has(column) && !holdsText(table, column),
    )
  if (columns.length === 0)
    throw new HomeostatError('data_invalid', { detail: `${table.name} has no column of numbers to forecast` })
  const grid =
    time === undefined ? undefined : gridOf(table, timeColumn(table, time, flags.zone), time, flags.zone)
  return columns.map((column) => {
    const values = numberColumn(table, column)
    return grid ? { id: column, values: grid.place(values), times: grid.times } : { id: column, values }
  })
}

function long(table: LabTable, flags: SeriesFlags): Series[] {
  const value = flags.value ?? onlyNumbers(table, flags)
  const time = flags.time ?? table.columns.find((column) => column !== value && holdsTimes(table, column))
  const names = flags.series === undefined ? undefined : textColumn(table, flags.series)
  columnAt(table, value)
  const groups = new Map<string, number[]>()
  for (const row of table.rows.keys()) {
    const name = names?.[row] ?? value
    const rows = groups.get(name)
    if (rows) rows.push(row)
    else groups.set(name, [row])
  }
  return [...groups].map(([id, rows]) => {
    const part: LabTable = {
      ...table,
      rows: rows.map((row) => table.rows[row]!),
      lines: Int32Array.from(rows, (row) => table.lines[row]!),
    }
    const values = numberColumn(part, value)
    if (time === undefined) return { id, values }
    const grid = gridOf(part, timeColumn(part, time, flags.zone), time, flags.zone)
    return { id, values: grid.place(values), times: grid.times }
  })
}

function onlyNumbers(table: LabTable, { time, series }: SeriesFlags): string {
  const fit = table.columns.filter(
    (column) =>
      column !== time &&
      column !== series &&
      !table.rowNumbers.has(column) &&
      !holdsTimes(table, column) &&
      !holdsText(table, column),
  )
  if (fit.length === 1) return fit[0]!
  throw new HomeostatError('data_invalid', {
    detail: `${table.name}: say by --value which column to forecast (${fit.join(', ') || 'none holds numbers'})`,
  })
}

interface Grid {
  readonly times: StepTimes
  /** One value a step: the mean of those that fall to it, NaN where none does. */
  place(values: Float64Array): Float64Array
}

/** Regular steps through the times of a table, in any order; the step is the median distance of two rows. */
function gridOf(table: LabTable, at: Float64Array, column: string, zone: string): Grid {
  const sorted = Float64Array.from(new Set(at)).sort()
  const distances = sorted.subarray(1).map((time, k) => time - sorted[k]!)
  if (distances.length === 0)
    throw new HomeostatError('data_invalid', {
      detail: `${table.name}: the column ${column} holds a single time, which makes no series`,
    })
  const stepMs = distances.slice().sort()[distances.length >> 1]!
  const startMs = sorted[0]!
  const steps = Math.round((sorted[sorted.length - 1]! - startMs) / stepMs) + 1
  if (steps > stepsMax)
    throw new HomeostatError('data_invalid', {
      detail: `${table.name}: steps of ${stepMs / 1000} s from the first to the last time would be ${steps}; at most ${stepsMax} are taken`,
    })
  return {
    times: { startMs, stepMs, zone },
    place(values) {
      const sums = new Float64Array(steps)
      const counts = new Float64Array(steps)
      for (const [row, value] of values.entries()) {
        if (Number.isNaN(value)) continue
        const step = Math.round((at[row]! - startMs) / stepMs)
        sums[step]! += value
        counts[step]!++
      }
      return sums.map((sum, step) => (counts[step]! > 0 ? sum / counts[step]! : Number.NaN))
    },
  }
}

/**
 * What came after a series, one value a step of the horizon: by time where both have times, else in order. NaN where
 * the file does not say.
 */
export function actualsFor(series: Series, files: readonly Series[], horizon: number): Float64Array {
  const found = files.find(({ id }) => id === series.id)
  if (!found) throw new HomeostatError('data_invalid', { detail: `the actuals hold no series ${series.id}` })
  const { times, values } = found
  const first =
    times && series.times
      ? Math.round(
          (series.times.startMs + series.values.length * series.times.stepMs - times.startMs) /
            series.times.stepMs,
        )
      : 0
  return Float64Array.from({ length: horizon }, (_, step) => values[first + step] ?? Number.NaN)
}
