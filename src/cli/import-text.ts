import type { FileHead } from '../sources/csv/head.ts'
import { type Field, type Mapping, timeText } from '../sources/csv/mapping.ts'
import { rowTimes } from '../sources/csv/row-time.ts'
import { needsZone, type TimeFormat } from '../sources/csv/time.ts'
import type { ImportSummary } from './import-options.ts'

/** 1234567 -> 1,234,567 */
export const count = (value: number): string => value.toLocaleString('en-US')

export const megabytes = (bytes: number): string =>
  bytes < 1e5 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`

const delimiterNames: Readonly<Record<string, string>> = {
  ',': 'comma',
  ';': 'semicolon',
  '\t': 'tab',
  '|': 'bar',
}

/** What becomes of each column, as a table for the user. */
export function describeMapping(head: FileHead, mapping: Mapping): string {
  const separated = `${delimiterNames[head.delimiter] ?? head.delimiter} separated`
  const comma = mapping.values.some(({ index }) => head.styles[index] === ',') ? ', decimal comma' : ''
  const shape = mapping.format === 'long' ? 'long: one value a row' : 'wide: a column per sensor'
  const lines = [
    `${head.path}: ${megabytes(head.bytes)}, ${separated}${comma}, ${head.columns.length} columns, ${shape}`,
    describeTime(head, mapping),
  ]
  if (mapping.site && 'fixed' in mapping.site) lines.push(`Site: ${mapping.site.fixed}`)
  for (const gap of mapping.gaps) lines.push(`Gaps: rows with ${gap.why} are left out`)
  lines.push(...mapping.notes, '', ...table(valueRows(head, mapping)))
  const about = mapping.roles.filter(({ role }) => role !== 'time' && role !== 'clock' && role !== 'series')
  if (about.length > 0) {
    lines.push('', 'About the row:', ...about.map(({ name, role }) => `  ${name} is the ${role}`))
  }
  if (mapping.skipped.length > 0) {
    lines.push('', 'Skipped, and what would include it:')
    lines.push(
      ...table(
        mapping.skipped.slice(0, seriesShown).map(({ name, why, flag }) => [`  ${name}`, why, flag ?? '']),
      ),
    )
  }
  return `${lines.join('\n')}\n\n`
}

const formats: Readonly<Record<TimeFormat, string>> = {
  offset: 'ISO 8601 with offset',
  wall: 'without offset',
  dmy: 'day.month.year without offset',
  mdy: 'month/day/year without offset',
  compact: 'year, month and day without separators',
  excel: 'days of a spreadsheet (45292 is 2024-01-01)',
  epoch_s: 'seconds since 1970, by the range of its numbers',
  epoch_ms: 'milliseconds since 1970',
  epoch_us: 'microseconds since 1970',
  epoch_ns: 'nanoseconds since 1970',
}

function describeTime(head: FileHead, { time }: Mapping): string {
  if (time.kind === 'steps') {
    return `Time: none in the file; the first row is ${iso(time.start)}, each further one ${time.everyMs / 1000} s later`
  }
  if (time.kind === 'header')
    return `Times: in the header, taken as ${time.zone}${zoneHint(time.zoneWhy)} where they have no offset`
  const zone = needsZone(time.format) ? `, taken as ${time.zone}${zoneHint(time.zoneWhy)}` : ''
  const order = time.direction === 'backward' ? ', newest first' : ''
  const first = timeText(time, head.sample[0] ?? [])
  const at = rowTimes(time).read(head.sample[0] ?? [], '')
  const example = typeof at === 'number' ? `; ${first.trim()} is ${iso(at)}` : ''
  const second = time.clock ?? time.hour?.index
  const clock = second === undefined ? '' : ` with "${head.columns[second]}"`
  return `Time: column "${head.columns[time.index]}"${clock}, ${formats[time.format]}${order}${zone}${example}`
}

const zoneHint = (why: string | undefined): string => {
  if (why === '--zone') return ''
  return why === undefined ? ' (--zone ZONE if not)' : ` (${why}; --zone ZONE if not)`
}

/** Series of a file that are listed. */
const seriesShown = 200

function valueRows(head: FileHead, mapping: Mapping): string[][] {
  const said = (field: Field | undefined): string => {
    if (!field) return '-'
    return 'fixed' in field ? field.fixed : `by ${head.columns[field.column]}`
  }
  const named = Object.entries(mapping.series?.meanings ?? {}).map(([key, { device, metric, unit, why }]) => [
    key.split('\u001f').filter(Boolean).join(' '),
    ...[device, metric, unit, why],
  ])
  const shown = named.slice(0, seriesShown)
  if (named.length > shown.length)
    shown.push([`and ${named.length - shown.length} more series`, '', '', '', ''])
  const columns = mapping.series ? [] : mapping.values
  const values = columns.map(({ name, device, metric, unit, factor, why }) => {
    const scaled = factor === 1 ? '' : ` (times ${factor})`
    return [name, said(device), said(metric), `${said(unit)}${scaled}`, why]
  })
  const events = mapping.events.map(({ name, device, rules, why }) => {
    const metrics = rules.map(({ metric }) => metric).join(' or ')
    return [name, said(device), metrics, 'state', why]
  })
  const rows = [...shown, ...values, ...events]
  return rows.length === 0
    ? []
    : [[mapping.series ? 'SERIES' : 'COLUMN', 'DEVICE', 'METRIC', 'UNIT', 'HOW'], ...rows]
}

/** Pads all but the last cell of each row. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = []
  for (const row of rows) {
    for (const [index, cell] of row.entries()) widths[index] = Math.max(widths[index] ?? 0, cell.length)
  }
  return rows.map((row) =>
    row
      .map((cell, index) => cell.padEnd(widths[index] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}

/** What was done. `before` are the readings of the runs that this one went on from. */
export function describeSummary(summary: ImportSummary, mapping: Mapping, before: number): string {
  const { rows, readings, devices, from, to, gaps, empty, badRows, seconds } = summary
  const rate = seconds > 0 ? `, ${count(Math.round((readings - before) / seconds))} readings/s` : ''
  const verb = summary.dryRun ? 'Checked, nothing imported' : summary.finished ? 'Imported' : 'Stopped'
  const lines = [
    `${verb}: ${count(rows)} rows, ${count(readings)} readings of ${count(devices.length)} devices in ${seconds.toFixed(1)} s${rate}`,
  ]
  if (devices.length > 0) {
    const shown = devices.slice(0, 8).join(', ')
    lines.push(`Devices: ${shown}${devices.length > 8 ? ` and ${devices.length - 8} more` : ''}`)
  }
  if (from !== null && to !== null) lines.push(`Span: ${iso(from)} to ${iso(to)}`)
  if (gaps > 0) lines.push(`Left out: ${count(gaps)} rows (${leftOut(mapping)})`)
  if (empty > 0) lines.push(`Cells without a value (empty, unavailable, unknown, NaN): ${count(empty)}`)
  if (badRows > 0) {
    const codes = Object.entries(summary.bad).map(([code, times]) => `${code} ${count(times)}`)
    lines.push(
      `Bad rows: ${count(badRows)} (${codes.join(', ')}), by line number in ${summary.badFile ?? ''}`,
    )
  } else lines.push('Bad rows: none')
  return `${lines.join('\n')}\n`
}

const leftOut = ({ gaps, series }: Mapping): string =>
  [...gaps.map(({ why }) => why), ...(series ? ['rows of series that are skipped'] : [])].join('; ')

const iso = (at: number): string => new Date(at).toISOString()
