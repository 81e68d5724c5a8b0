import { zoneOffsetMs } from '../../core/calendar.ts'
import { type Problem, problem } from '../../core/errors.ts'
import { dayMs } from '../../core/time.ts'

/**
 * How a column writes its times. `wall` has no offset, so that a zone is needed; `dmy` and `mdy` are wall times too.
 * Seconds since 1970 are told from milliseconds by range, which is safe for a column, not for a single value.
 */
export type TimeFormat = 'offset' | 'wall' | 'dmy' | 'mdy' | 'epoch_s' | 'epoch_ms'

/** 1990 to 2100, in seconds: a household's times lie there, and the same range in ms does not overlap it. */
const epochMin = 631_152_000
const epochMax = 4_102_444_800

const iso =
  /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?)? ?(?:(Z)|([+-])(\d{2}):?(\d{2})?)?$/i
const local =
  /^(\d{1,2})([./-])(\d{1,2})\2(\d{4})(?:[ T,]+(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?)?$/

/**
 * The format that at least nine in ten of the values follow, or undefined. Empty values do not count. `dateOrder`
 * (dmy or mdy) decides where 3/4/2024 could be either.
 */
export function readTimeFormat(values: readonly string[], dateOrder?: string): TimeFormat | undefined {
  const texts = values.map((value) => value.trim()).filter((text) => text !== '')
  if (texts.length === 0) return undefined
  const share = (test: (text: string) => boolean) => texts.filter(test).length / texts.length
  if (share((text) => iso.test(text)) >= 0.9) {
    return share((text) => hasOffset(text)) >= 0.5 ? 'offset' : 'wall'
  }
  if (share((text) => local.test(text)) >= 0.9) return dayFirst(texts, dateOrder)
  const within = (from: number, to: number) => (text: string) =>
    /^\d+(\.\d+)?$/.test(text) && Number(text) >= from && Number(text) <= to
  if (share(within(epochMin, epochMax)) >= 0.9) return 'epoch_s'
  if (share(within(epochMin * 1000, epochMax * 1000)) >= 0.9) return 'epoch_ms'
  return undefined
}

const hasOffset = (text: string): boolean =>
  text.length > 10 && /(Z|[+-]\d{2}(:?\d{2})?)$/i.test(text.slice(10))

/** 13.01. can only be day first. Points are day first wherever they are used; slashes without proof are not guessed. */
function dayFirst(texts: readonly string[], dateOrder?: string): TimeFormat | undefined {
  const parts = texts.map((text) => local.exec(text)).filter((match) => match !== null)
  if (dateOrder === 'dmy' || dateOrder === 'mdy') return dateOrder
  if (parts.every((match) => match[2] === '.')) return 'dmy'
  if (parts.some((match) => Number(match[1]) > 12)) return 'dmy'
  if (parts.some((match) => Number(match[3]) > 12)) return 'mdy'
  return undefined
}

/** Reads one cell. `series` tells series apart that share the file, for the hour that autumn repeats. */
export type TimeReader = (text: string, series: string) => number | Problem

/** A reader for a column, and whether it is inside the days around a change of the clocks. */
export interface Times {
  readonly read: TimeReader
  /** False while the reader remembers something that a later start of the program would not know. */
  readonly restartable: () => boolean
}

/** `zone` is used for times without an offset. Throws RangeError for an unknown zone. */
export function timesOf(format: TimeFormat, zone: string): Times {
  if (format === 'epoch_s' || format === 'epoch_ms') {
    const scale = format === 'epoch_s' ? 1000 : 1
    return { read: (text) => readEpoch(text.trim(), scale), restartable: () => true }
  }
  const clock = wallClock(zone)
  let lastText = ''
  let lastWall: Wall | undefined
  const read: TimeReader = (text, series) => {
    if (text !== lastText) {
      lastText = text
      lastWall = readWall(text.trim(), format)
    }
    if (!lastWall) return problem('at_invalid', { got: `"${text.trim().slice(0, 60)}"` })
    if (lastWall.offsetMs !== undefined) return lastWall.ms - lastWall.offsetMs
    const at = clock.toUtc(lastWall.ms, series)
    return (
      at ?? {
        code: 'at_invalid',
        message: `The local time ${text.trim()} does not exist in ${zone}: the clocks were put forward over it.`,
      }
    )
  }
  return { read, restartable: clock.restartable }
}

function readEpoch(text: string, scale: number): number | Problem {
  const ms = /^\d+(\.\d+)?$/.test(text) ? Math.round(Number(text) * scale) : Number.NaN
  if (ms >= epochMin * 1000 && ms <= epochMax * 1000) return ms
  return problem('at_invalid', { got: `"${text.slice(0, 60)}"` })
}

/** The clock on the wall as if it were UTC; `offsetMs` where the text says how far it is from UTC. */
interface Wall {
  readonly ms: number
  readonly offsetMs?: number
}

function readWall(text: string, format: TimeFormat): Wall | undefined {
  const match = iso.exec(text)
  if (match) {
    const [, year, month, day, hour, minute, second, fraction, zulu, sign, offsetHours, offsetMinutes] = match
    const ms = wallMs(year, month, day, hour, minute, second, fraction)
    if (ms === undefined) return undefined
    if (zulu) return { ms, offsetMs: 0 }
    if (sign === undefined) return { ms }
    const offset = (Number(offsetHours) * 60 + Number(offsetMinutes ?? 0)) * 60_000
    return { ms, offsetMs: sign === '-' ? -offset : offset }
  }
  if (format !== 'dmy' && format !== 'mdy') return undefined
  const other = local.exec(text)
  if (!other) return undefined
  const [, one, , two, year, hour, minute, second, fraction] = other
  const [day, month] = format === 'dmy' ? [one, two] : [two, one]
  const ms = wallMs(year, month, day, hour, minute, second, fraction)
  return ms === undefined ? undefined : { ms }
}

function wallMs(
  year: string | undefined,
  month: string | undefined,
  day: string | undefined,
  hour = '0',
  minute = '0',
  second = '0',
  fraction = '',
): number | undefined {
  const [h, m, s] = [Number(hour), Number(minute), Number(second)]
  // 24:00 is the end of the day in ISO 8601, 60 a leap second
  if (h > 24 || m > 59 || s > 60 || (h === 24 && m + s > 0)) return undefined
  const date = dayMsOf(Number(year), Number(month), Number(day))
  if (date === undefined) return undefined
  const ms = fraction === '' ? 0 : Math.round(Number(`0.${fraction}`) * 1000)
  return date + ((h * 60 + m) * 60 + s) * 1000 + ms
}

/** The last day asked for: rows come by the thousand from the same one. */
let lastDay = { year: Number.NaN, month: 0, day: 0, ms: 0 }

/** Midnight of a day, or undefined for one that no calendar has. */
function dayMsOf(year: number, month: number, day: number): number | undefined {
  if (lastDay.day === day && lastDay.month === month && lastDay.year === year) return lastDay.ms
  const ms = Date.UTC(year, month - 1, day)
  const back = new Date(ms)
  if (back.getUTCMonth() !== month - 1 || back.getUTCDate() !== day) return undefined
  lastDay = { year, month, day, ms }
  return ms
}

/**
 * Wall time to UTC over the changes of the clocks. The hour that spring skips is no time (undefined). The hour that
 * autumn repeats is told apart by order: once a series does not move forward any more, its second pass has begun.
 */
function wallClock(zone: string): {
  toUtc: (wall: number, series: string) => number | undefined
  restartable: () => boolean
} {
  const repeated = new Map<string, { wall: number; second: boolean }>()
  zoneOffsetMs(zone, 0)
  const toUtc = (wall: number, series: string): number | undefined => {
    const before = zoneOffsetMs(zone, wall - dayMs)
    const after = zoneOffsetMs(zone, wall + dayMs)
    if (before === after) {
      if (repeated.size > 0) repeated.clear()
      return wall - before
    }
    const first = zoneOffsetMs(zone, wall - before) === before ? wall - before : undefined
    const second = zoneOffsetMs(zone, wall - after) === after ? wall - after : undefined
    if (first === undefined || second === undefined) return first ?? second
    const last = repeated.get(series)
    const isSecond = last !== undefined && (last.second || wall <= last.wall)
    repeated.set(series, { wall, second: isSecond })
    return isSecond ? second : first
  }
  return { toUtc, restartable: () => repeated.size === 0 }
}
