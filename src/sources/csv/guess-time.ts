import { isZone } from '../../core/calendar.ts'
import { HomeostatError } from '../../core/errors.ts'
import { parseTime } from '../../core/reading.ts'
import { dayMs, hourMs } from '../../core/time.ts'
import { cellsOf, type GuessContext, type MappingFlags } from './guess-context.ts'
import { columnIndex, type TimeSource, timeText } from './mapping.ts'
import { normalise } from './names.ts'
import { readTimeFormat, type TimeFormat, timesOf } from './time.ts'

const timeNames =
  /^(timestamp|datetime|date_time|time|at|ts|date|datum|zeit|zeitpunkt|zeitstempel|_?time_?utc|utc|created_?at|measured_at|recorded_at|last_changed|last_updated)$/
const timeRank = ['timestamp', 'datetime', 'date_time', 'time', 'at', 'ts']

/** Finds the column that holds the times. Throws `mapping_unclear` or `column_unknown`. */
export function guessTime(context: GuessContext): TimeSource {
  const { head, flags } = context
  const zone = flags.zone ?? 'UTC'
  const refuse = (detail: string) => new HomeostatError('mapping_unclear', { file: head.path, detail })
  if (!isZone(zone)) throw refuse(`--zone "${zone}" is no zone; give an IANA name such as Europe/Paris`)
  if (flags.start !== undefined || flags.every !== undefined) return steps(flags, refuse)
  if (flags.time !== undefined) {
    const index = columnIndex(head.path, head.columns, flags.time)
    const found = timeColumn(context, index)
    if (found) return { kind: 'column', zone, ...found }
    const shown = cellsOf(head, index).find((cell) => cell.trim() !== '') ?? ''
    throw refuse(
      `the column "${head.columns[index]}" holds no times: "${shown.slice(0, 40)}"; times are ISO 8601, ` +
        'day.month.year, day/month/year (--date-order says which comes first), or seconds or milliseconds since 1970',
    )
  }
  const candidates: (TimeColumn & { rank: number })[] = []
  for (const [index, name] of head.columns.entries()) {
    const found = timeColumn(context, index)
    if (!found) continue
    const plain = normalise(name)
    const named = timeNames.test(plain)
    // a number in the right range is a time only where the name says so
    if (!named && found.format.startsWith('epoch')) continue
    const place = timeRank.indexOf(plain)
    candidates.push({ ...found, rank: !named ? 100 : place < 0 ? 50 : place })
  }
  const best = candidates.sort((a, b) => a.rank - b.rank || a.index - b.index)[0]
  if (best) {
    const { rank: _, ...column } = best
    return { kind: 'column', zone, ...column }
  }
  throw refuse(
    `no column holds times (${head.columns.join(', ')}); name it by --time COL (for dates such as 3/4/2024 also --date-order), or, if the rows are evenly spaced, ` +
      'give the time of the first one and the distance: --start 2024-01-31T00:00:00Z --every 1s',
  )
}

interface TimeColumn {
  readonly index: number
  readonly format: TimeFormat
  readonly clock?: number
}

/** How a column is a time: alone, or, where it holds days only, with the first column that holds clock times. */
function timeColumn({ head, flags }: GuessContext, index: number): TimeColumn | undefined {
  const format = readTimeFormat(cellsOf(head, index), flags.dateOrder)
  if (!format || format.startsWith('epoch') || cellsOf(head, index).some((cell) => cell.includes(':'))) {
    return format && { index, format }
  }
  const isClock = (cell: string) => /^\s*\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?\s*$/.test(cell)
  const clock = head.columns.findIndex((_, at) => {
    const cells = cellsOf(head, at)
    return cells.length > 0 && cells.filter(isClock).length >= 0.9 * cells.length
  })
  return clock < 0 ? { index, format } : { index, format, clock }
}

function steps(flags: MappingFlags, refuse: (detail: string) => HomeostatError): TimeSource {
  const { start = '', every = '' } = flags
  if (flags.time !== undefined) throw refuse('--time and --start/--every exclude each other')
  const at = /Z|[+-]\d{2}:?\d{2}$/.test(start) ? parseTime(start) : undefined
  if (at === undefined)
    throw refuse(`--start "${start}" must be a time with its offset: 2024-01-31T00:00:00Z`)
  const match = /^(\d+(?:\.\d+)?)\s*(ms|s|m|min|h|d)$/.exec(every)
  const everyMs = match ? Number(match[1]) * (unitMs[match[2] ?? ''] ?? 0) : 0
  if (!(everyMs > 0)) throw refuse(`--every "${every}" must be a number with ms, s, m, h or d: 30s`)
  return { kind: 'steps', start: at, everyMs }
}

const unitMs: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  min: 60_000,
  h: hourMs,
  d: dayMs,
}

/** A warning where rows share their time although nothing tells their devices apart: the later would replace the other. */
export function sharedTimes(context: GuessContext, time: TimeSource): string[] {
  const times = sampleTimes(context, time)
  const shared = times.length - new Set(times).size
  if (shared <= times.length / 20) return []
  return [
    `${shared} of the first ${times.length} rows have a time that another row has, too: of two values of a series at ` +
      'one time the later counts. If a column names the device, say so: --column "COL=@device".',
  ]
}

/** The usual distance of two rows of the sample in ms: the median of the steps forward; 0 where there are none. */
export function guessStepMs(context: GuessContext, time: TimeSource): number {
  if (time.kind === 'steps') return time.everyMs
  const times = sampleTimes(context, time)
  const distances = times.slice(1).map((at, index) => at - times[index]!)
  const forward = distances.filter((ms) => ms > 0).sort((a, b) => a - b)
  return forward[forward.length >> 1] ?? 0
}

function sampleTimes(context: GuessContext, time: TimeSource): number[] {
  if (time.kind === 'steps') return []
  const { read } = timesOf(time.format, time.zone)
  return context.head.sample
    .map((row) => read(timeText(time, row), ''))
    .filter((at) => typeof at === 'number')
}
