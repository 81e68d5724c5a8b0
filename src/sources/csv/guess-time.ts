import { isZone } from '../../core/calendar.ts'
import { HomeostatError } from '../../core/errors.ts'
import { parseTime } from '../../core/reading.ts'
import { cellsOf, type GuessContext, type MappingFlags } from './guess-context.ts'
import { columnIndex, type TimeSource } from './mapping.ts'
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
    const format = readTimeFormat(cellsOf(head, index))
    if (format) return { kind: 'column', index, format, zone }
    const shown = cellsOf(head, index).find((cell) => cell.trim() !== '') ?? ''
    throw refuse(
      `the column "${head.columns[index]}" holds no times: "${shown.slice(0, 40)}"; times are ISO 8601, day.month.year, or seconds or milliseconds since 1970`,
    )
  }
  const candidates: { index: number; format: TimeFormat; rank: number }[] = []
  for (const [index, name] of head.columns.entries()) {
    const format = readTimeFormat(cellsOf(head, index))
    if (!format) continue
    const plain = normalise(name)
    const named = timeNames.test(plain)
    // a number in the right range is a time only where the name says so
    if (!named && format.startsWith('epoch')) continue
    const place = timeRank.indexOf(plain)
    candidates.push({ index, format, rank: !named ? 100 : place < 0 ? 50 : place })
  }
  const best = candidates.sort((a, b) => a.rank - b.rank || a.index - b.index)[0]
  if (best) return { kind: 'column', index: best.index, format: best.format, zone }
  throw refuse(
    `no column holds times (${head.columns.join(', ')}); name it by --time COL, or, if the rows are evenly spaced, ` +
      'give the time of the first one and the distance: --start 2024-01-31T00:00:00Z --every 1s',
  )
}

function steps(flags: MappingFlags, refuse: (detail: string) => HomeostatError): TimeSource {
  const { start = '', every = '' } = flags
  if (flags.time !== undefined) throw refuse('--time and --start/--every exclude each other')
  const at = /Z|[+-]\d{2}:?\d{2}$/.test(start) ? parseTime(start, 0) : undefined
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
  h: 3_600_000,
  d: 86_400_000,
}

/** The usual distance of two rows of the sample in ms: the median of the steps forward; 0 where there are none. */
export function guessStepMs(context: GuessContext, time: TimeSource): number {
  if (time.kind === 'steps') return time.everyMs
  const { read } = timesOf(time.format, time.zone)
  const times = cellsOf(context.head, time.index)
    .map((cell) => read(cell, ''))
    .filter((at) => typeof at === 'number')
  const distances = times.slice(1).map((at, index) => at - times[index]!)
  const forward = distances.filter((ms) => ms > 0).sort((a, b) => a - b)
  return forward[forward.length >> 1] ?? 0
}
