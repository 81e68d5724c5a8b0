import { isZone } from '../../core/calendar.ts'
import { HomeostatError } from '../../core/errors.ts'
import { parseTime } from '../../core/reading.ts'
import { dayMs, hourMs } from '../../core/time.ts'
import { cellsOf, type GuessContext, type MappingFlags } from './guess-context.ts'
import type { FileHead } from './head.ts'
import { columnIndex, type TimeSource } from './mapping.ts'
import { normalise } from './names.ts'
import { type ColumnTimes, rowTimes } from './row-time.ts'
import { isEpoch, readTimeFormat, type TimeFormat, type TimeHints } from './time.ts'
import type { Direction } from './wall-clock.ts'

const timeNames =
  /^(timestamp|datetime|date_time|time|at|ts|date|datum|zeit|zeitpunkt|zeitstempel|_?time_?utc|utc|created_?at|measured_at|recorded_at|last_changed|last_updated)$/
const timeRank = ['timestamp', 'datetime', 'date_time', 'time', 'at', 'ts']
/** Words of which one alone makes a column of numbers one of times. */
const timeWords =
  /(^|_)(timestamp|datetime|time|date|datum|zeit|uhrzeit|horodate|horodatage|heure|fecha|hora|data|ora|start|d[ée]but|beginn|von|from|period|epoch|unix)(_|$)/
const dateWords = /(^|_)(datetime|date|datum|tag|day|fecha|data|jour|horodate)(_|$)/
/** The end of the interval that a row stands for: its time is the start. */
const endWords = /(^|_)(end|fin|ende|bis|to|until|stop|hasta|fine|einde)(_|$)/

/** Whether the name of a column says that its numbers are times, and not only counts. */
export function timeHints(name: string, cells: readonly string[], dateOrder?: string): TimeHints {
  const plain = normalise(name)
  const isTime = timeNames.test(plain) || timeWords.test(plain)
  // a count of steps may run through the same numbers as the days of a spreadsheet, but has no fraction
  const named =
    dateWords.test(plain) || (isTime && cells.some((cell) => /^\s*(\d{5}[.,]\d+|\d{8}\D?\d*)\s*$/.test(cell)))
  return { dateOrder, named }
}

/** Throws `mapping_unclear` where `--zone` names none. */
export function checkZone({ head, flags }: TimeContext): void {
  if (flags.zone === undefined || isZone(flags.zone)) return
  const detail = `--zone "${flags.zone}" is no zone; give an IANA name such as Europe/Paris`
  throw new HomeostatError('mapping_unclear', { file: head.path, detail })
}

/** Finds the column that holds the times. Throws `mapping_unclear` or `column_unknown`. */
export function guessTime(context: GuessContext): TimeSource {
  const { head, flags } = context
  const refuse = (detail: string) => new HomeostatError('mapping_unclear', { file: head.path, detail })
  if (flags.start !== undefined || flags.every !== undefined) return steps(flags, refuse)
  if (flags.time !== undefined) {
    const index = columnIndex(head.path, head.columns, flags.time)
    const found = timeSourceOf(context, index)
    if (found) return found
    const shown = cellsOf(head, index).find((cell) => cell.trim() !== '') ?? ''
    throw refuse(
      `the column "${head.columns[index]}" holds no times: "${shown.slice(0, 40)}"; times are ISO 8601, ` +
        'year/month/day, day.month.year, day/month/year (--date-order says which comes first), numbers of seconds, ' +
        'milliseconds, microseconds or nanoseconds since 1970, or days of a spreadsheet (45292 is 2024-01-01)',
    )
  }
  const best = candidates(context).sort((a, b) => a.rank - b.rank || a.index - b.index)[0]
  if (best) {
    const { rank: _, ...column } = best
    return sourceOf(context, column)
  }
  throw refuse(noTimes(context))
}

function candidates(context: GuessContext): (TimeColumn & { rank: number })[] {
  return context.head.columns.flatMap((name, index) => {
    const found = timeColumn(context, index, false)
    if (!found) return []
    const plain = normalise(name)
    const named = timeNames.test(plain)
    // a number in the right range is a time only where the name says so
    if (!named && !timeWords.test(plain) && isEpoch(found.format)) return []
    const place = timeRank.indexOf(plain)
    if (endWords.test(plain)) return [{ ...found, rank: 200 }]
    return [{ ...found, rank: !named ? 100 : place < 0 ? 50 : place }]
  })
}

function noTimes({ head, flags }: GuessContext): string {
  const listed = head.columns.slice(0, 20).join(', ') + (head.columns.length > 20 ? ', ...' : '')
  const isDate = (index: number) => readTimeFormat(cellsOf(head, index), { dateOrder: 'dmy' }) === 'dmy'
  const unsure = flags.dateOrder === undefined ? head.columns.find((_, index) => isDate(index)) : undefined
  if (unsure !== undefined)
    return `the dates of the column "${unsure}" could be day/month or month/day; say which by --date-order dmy or --date-order mdy`
  return (
    `no column holds times (${listed}); name it by --time COL (for dates such as 3/4/2024 also --date-order), or, if the rows are evenly spaced, ` +
    'give the time of the first one and the distance: --start 2024-01-31T00:00:00Z --every 1s'
  )
}

type TimeContext = Pick<GuessContext, 'head' | 'flags'> & Partial<Pick<GuessContext, 'known'>>

interface TimeColumn {
  readonly index: number
  readonly format: TimeFormat
  readonly clock?: number
  readonly hour?: { readonly index: number; readonly first: 0 | 1 }
}

/** How the times of one column are read, as its user names it; undefined where it holds none. */
export function timeSourceOf(context: TimeContext, index: number): ColumnTimes | undefined {
  const found = timeColumn(context, index, true)
  return found && sourceOf(context, found)
}

function sourceOf(context: TimeContext, column: TimeColumn): ColumnTimes {
  const { head, flags } = context
  const documented = flags.zone === undefined ? context.known?.zone : undefined
  const zone =
    documented === undefined
      ? zoneFor(flags, head.columns[column.index]!)
      : { zone: documented, zoneWhy: 'as its publisher documents' }
  const source = { kind: 'column' as const, ...column, ...zone, direction: 'forward' as Direction }
  return { ...source, direction: directionOf(sampleTimes(context, source)) }
}

/** `--zone`, a zone in the name of the column, the zone of the site, UTC. */
export function zoneFor(flags: MappingFlags, column: string): { zone: string; zoneWhy?: string } {
  if (flags.zone !== undefined) return { zone: flags.zone, zoneWhy: '--zone' }
  const named = /[[(]\s*([A-Za-z]+(?:\/[\w+-]+)+|UTC|GMT)\s*[\])]/.exec(column)?.[1]
  if (named !== undefined && isZone(named)) return { zone: named, zoneWhy: 'the name of the column' }
  if (/(^|_)(utc|gmt)(_|$)/.test(normalise(column))) return { zone: 'UTC', zoneWhy: 'the name of the column' }
  const { siteZone } = flags
  return siteZone ? { zone: siteZone.zone, zoneWhy: siteZone.why } : { zone: 'UTC' }
}

/** Whether most rows are later than the row before them. */
function directionOf(times: readonly number[]): Direction {
  let later = 0
  let earlier = 0
  for (const [index, at] of times.entries()) {
    const before = times[index - 1]
    if (before === undefined || at === before) continue
    if (at > before) later++
    else earlier++
  }
  return earlier > later ? 'backward' : 'forward'
}

const isClock = (cell: string): boolean =>
  /^\s*\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?(\s*[ap]\.?m\.?)?\s*$/i.test(cell)

/** How a column is a time: alone, or, where it holds days only, with the first column that holds clock times. */
function timeColumn({ head, flags }: TimeContext, index: number, told: boolean): TimeColumn | undefined {
  const cells = cellsOf(head, index)
  const hints = timeHints(head.columns[index]!, cells, flags.dateOrder)
  const format = readTimeFormat(cells, told ? { ...hints, named: true } : hints)
  if (!format || isEpoch(format) || format === 'excel') return format && { index, format }
  if (cells.some((cell) => cell.includes(':') && !/\D0?0:00(:00)?(\.0+)?$/.test(cell.trim())))
    return { index, format }
  const clocks = head.columns.flatMap((name, at) => {
    const own = cellsOf(head, at)
    const isOne = own.length > 0 && own.filter(isClock).length >= 0.9 * own.length
    return isOne ? [{ at, isEnd: endWords.test(normalise(name)) }] : []
  })
  const clock = (clocks.find(({ isEnd }) => !isEnd) ?? clocks[0])?.at
  if (clock !== undefined) return { index, format, clock }
  const hour = hourColumn(head, cells)
  return hour ? { index, format, hour } : { index, format }
}

const hourNames = /^(hour|hours|hr|hora|heure|stunde|uur|ora|hour_ending|he|hour_of_day)$/

/** The number of the hour beside days that come again. Which hour is the first one is clear only where 0 or 24 occurs. */
function hourColumn(head: FileHead, days: readonly string[]): { index: number; first: 0 | 1 } | undefined {
  if (new Set(days).size * 2 > days.length) return undefined
  const index = head.columns.findIndex((name) => hourNames.test(normalise(name)))
  if (index < 0) return undefined
  const cells = cellsOf(head, index).map((cell) => cell.trim())
  if (!cells.every((cell) => /^\d{1,2}$/.test(cell) && Number(cell) <= 25)) return undefined
  const [from0, from1] = [cells.some((cell) => Number(cell) === 0), cells.some((cell) => Number(cell) >= 24)]
  if (from0 !== from1) return { index, first: from0 ? 0 : 1 }
  const detail =
    `the hours of the column "${head.columns[index]}" may begin with 0 or with 1, which the rows do not show; ` +
    'write them as clock times such as 00:00'
  throw new HomeostatError('mapping_unclear', { file: head.path, detail })
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
  const distances = times.slice(1).map((at, index) => Math.abs(at - times[index]!))
  const steps = distances.filter((ms) => ms > 0).sort((a, b) => a - b)
  return steps[steps.length >> 1] ?? 0
}

function sampleTimes(context: TimeContext, time: TimeSource): number[] {
  if (time.kind !== 'column') return []
  const { read } = rowTimes(time)
  return context.head.sample.map((row) => read(row, '')).filter((at) => typeof at === 'number')
}
