import { knownSets } from './known.ts'
import { isAbsent } from './numbers.ts'
import { type Layout, type Place, type Row, readBlocks } from './records.ts'

/**
 * A file in which several series share one column of values: which columns tell them apart, and what each series holds.
 * The column names say nothing about metric and unit there; the names and values of the series do.
 */
export interface Survey {
  /** Columns whose texts together name a series. */
  readonly keys: readonly number[]
  readonly value: number
  /** By the texts of the keys. */
  readonly series: ReadonlyMap<string, SurveyedSeries>
}

export interface SurveyedSeries {
  /** The texts of the key columns, by lower-case name of the column. */
  readonly texts: Readonly<Record<string, string>>
  /** Cells that hold a value, the first ones of the series in the order of the file. */
  readonly cells: readonly string[]
}

/** Series of a file that are looked at, and cells of each. */
const seriesMax = 20_000
const cellsMax = 500

/** Series are told apart by this text: the key columns of the row. */
export const seriesKey = (fields: readonly string[], keys: readonly number[]): string =>
  keys.map((index) => (fields[index] ?? '').trim()).join('\u001f')

const valueNames = /^(_value|value|state|reading|wert|messwert|valeur)$/
const nameNames =
  /^(entity_id|entity|device|device_id|device_name|sensor|sensor_id|sensor_name|meter_id|name|item|topic|channel|point|tags)$/
const furtherNames = /^(unit|units|unit_of_measurement|einheit|unite|room|room_id|location|area|raum|type)$/
const metricNames = /^(metric|measurement|quantity|phenomenon|sensor_type|messgr(ö|oe)(ß|ss)e)$/

/** Which columns hold the names and the values of series, or undefined for files of another kind. */
export function surveyColumns(columns: readonly string[]): { keys: number[]; value: number } | undefined {
  const names = columns.map((name) => name.trim().toLowerCase())
  if (knownSets.some(({ signature }) => signature.every((name) => names.includes(name)))) return undefined
  const value = names.findIndex((name) => valueNames.test(name))
  const named = [...names.keys()].filter((index) => nameNames.test(names[index]!))
  if (value < 0 || named.length === 0 || names.some((name) => metricNames.test(name))) return undefined
  const further = [...names.keys()].filter((index) => furtherNames.test(names[index]!))
  return { keys: [...named, ...further].sort((a, b) => a - b), value }
}

/** Reads the whole file once. `shape` brings a row into the columns of the file; undefined leaves it out. */
export async function surveySeries(
  path: string,
  layout: Layout,
  from: Place,
  columns: readonly string[],
  { keys, value }: { readonly keys: readonly number[]; readonly value: number },
  shape: (row: Row) => readonly string[] | undefined,
): Promise<Survey> {
  const series = new Map<string, { texts: Record<string, string>; cells: string[] }>()
  for await (const block of readBlocks(path, layout, from)) {
    for (const row of block.rows) {
      const fields = shape(row)
      if (!fields) continue
      const key = seriesKey(fields, keys)
      let known = series.get(key)
      if (!known) {
        if (series.size >= seriesMax) continue
        const texts = keys.map((index) => [
          columns[index]!.trim().toLowerCase(),
          (fields[index] ?? '').trim(),
        ])
        known = { texts: Object.fromEntries(texts), cells: [] }
        series.set(key, known)
      }
      const cell = fields[value] ?? ''
      if (known.cells.length < cellsMax && !isAbsent(cell)) known.cells.push(cell)
    }
  }
  return { keys, value, series }
}
