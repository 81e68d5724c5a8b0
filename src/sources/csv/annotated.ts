import { type Layout, type Place, type Row, readBlocks } from './records.ts'

/**
 * Annotated CSV of InfluxDB 2: several tables in one file, each with lines of annotations and a header of its own.
 * https://docs.influxdata.com/influxdb/v2/reference/syntax/annotated-csv/
 */
export const isAnnotated = (text: string): boolean => /^#(datatype|group|default)[,;\t]/i.test(text)

/** Columns of the query, not of the data. */
const ofQuery = /^(|result|table|_start|_stop|_time|_value)$/

/** Columns of all tables, by their first appearance, and those that tell the series apart. */
export async function annotatedColumns(
  path: string,
  layout: Layout,
  from: Place,
): Promise<{ columns: string[]; keys: number[]; value: number }> {
  const columns: string[] = []
  const follow = tableFollower()
  for await (const block of readBlocks(path, layout, from)) {
    for (const row of block.rows) {
      if (follow(row) !== 'header') continue
      for (const name of row.fields ?? []) if (name !== '' && !columns.includes(name)) columns.push(name)
    }
  }
  const keys = [...columns.keys()].filter((index) => !ofQuery.test(columns[index]!))
  return { columns, keys, value: columns.indexOf('_value') }
}

/**
 * Brings the rows of each table into the same columns. Annotations and headers are left out (undefined); a row that does
 * not fit its own header is a faulty row.
 */
export function annotatedRows(columns: readonly string[]): (row: Row) => Row | undefined {
  const follow = tableFollower()
  let places: number[] = []
  let width = 0
  return (row) => {
    const kind = follow(row)
    if (kind === 'annotation') return undefined
    if (kind === 'header') {
      const names = row.fields ?? []
      width = names.length
      places = columns.map((name) => names.indexOf(name))
      return undefined
    }
    const { fields } = row
    if (fields && fields.length !== width) {
      const fault = `the row has ${fields.length} fields, the header of its table ${width}`
      return { line: row.line, text: row.text, fault }
    }
    if (!fields) return row
    return { ...row, fields: places.map((place) => (place < 0 ? '' : (fields[place] ?? ''))) }
  }
}

/** The header follows the annotations; without them the first row is one. */
function tableFollower(): (row: Row) => 'annotation' | 'header' | 'data' {
  let expectsHeader = true
  return (row) => {
    if (row.text.startsWith('#')) {
      expectsHeader = true
      return 'annotation'
    }
    if (!expectsHeader) return 'data'
    expectsHeader = false
    return 'header'
  }
}
