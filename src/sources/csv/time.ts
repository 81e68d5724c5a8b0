import { type Problem, problem } from '../../core/errors.ts'
import { dayMs, minuteMs, secondMs } from '../../core/time.ts'
import { type Direction, wallClock } from './wall-clock.ts'

/**
 * How a column writes its times. `wall` is year-month-day without an offset, so that a zone is needed; `dmy`, `mdy`,
 * `compact` (20240131T1000) and `excel` (days since 1899-12-30) are wall times too. The units of numbers since 1970 are
 * told apart by range, which is safe for a column, not for a single value.
 */
export type TimeFormat = 'offset' | 'wall' | 'dmy' | 'mdy' | 'compact' | 'excel' | EpochFormat

type EpochFormat = 'epoch_s' | 'epoch_ms' | 'epoch_us' | 'epoch_ns'

export interface TimeHints {
  /** dmy or mdy: decides where 3/4/2024 could be either. */
  readonly dateOrder?: string | undefined
  /** The name of the column says that it holds times: then numbers may be compact times or days of a spreadsheet. */
  readonly named?: boolean
}

/** 1990 to 2100, in seconds: a household's times lie there, and the same range in ms does not overlap it. */
const epochMin = 631_152_000
const epochMax = 4_102_444_800
const epochsPerSecond: Readonly<Record<EpochFormat, number>> = {
  epoch_s: 1,
  epoch_ms: 1e3,
  epoch_us: 1e6,
  epoch_ns: 1e9,
}

/** Day 0 of spreadsheets, and 1990 to 2100 in their days. */
const excelEpoch = Date.UTC(1899, 11, 30)
const excelMin = 32_874
const excelMax = 73_051

const clock = String.raw`(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?(?: ?([ap])\.?m\.?)?`
const offset = String.raw`(?: ?(?:(Z|UTC|GMT)|([+-])(\d{2}):?(\d{2})?))?`
const iso = new RegExp(String.raw`^(\d{4})([-/.])(\d{1,2})\2(\d{1,2})(?:[T ,]+${clock})?${offset}$`, 'i')
const local = new RegExp(
  String.raw`^(\d{1,2})([./-])(\d{1,2})\2(\d{4}|\d{2})(?:[T ,]+${clock})?${offset}$`,
  'i',
)
const compact = /^((?:19|20)\d{2})(\d{2})(\d{2})(?:[T ]?(\d{2}):?(\d{2}):?(\d{2})?)?(Z)?$/

export const isEpoch = (format: TimeFormat): format is EpochFormat => format.startsWith('epoch')

/** Whether times of this format need a zone. */
export const needsZone = (format: TimeFormat): boolean => format !== 'offset' && !isEpoch(format)

/** The format that at least nine in ten of the values follow, or undefined. Empty values do not count. */
export function readTimeFormat(values: readonly string[], hints: TimeHints = {}): TimeFormat | undefined {
  const texts = values.map((value) => value.trim()).filter((text) => text !== '')
  if (texts.length === 0) return undefined
  const most = (test: (text: string) => boolean) => texts.filter(test).length >= 0.9 * texts.length
  if (most((text) => iso.test(text))) return offsetOr(texts, 'wall')
  if (most((text) => local.test(text))) {
    const order = dayFirst(texts, hints.dateOrder)
    return order && offsetOr(texts, order)
  }
  const within = (from: number, to: number) => (text: string) =>
    /^\d+([.,]\d+)?$/.test(text) &&
    Number(text.replace(',', '.')) >= from &&
    Number(text.replace(',', '.')) <= to
  for (const [format, scale] of Object.entries(epochsPerSecond)) {
    if (most(within(epochMin * scale, epochMax * scale))) return format as EpochFormat
  }
  if (!hints.named) return undefined
  if (most((text) => readCompact(text) !== undefined)) return 'compact'
  return most(within(excelMin, excelMax)) ? 'excel' : undefined
}

/** `offset` is read by ISO 8601 only: the order of day and month is not a part of it. */
function offsetOr(texts: readonly string[], format: TimeFormat): TimeFormat {
  const own = texts.filter(
    (text) => text.length > 10 && /(Z|UTC|GMT|[+-]\d{2}(:?\d{2})?)$/i.test(text.slice(10)),
  )
  return format === 'wall' && own.length * 2 >= texts.length ? 'offset' : format
}

/** 13.01. can only be day first. Points are day first wherever they are used; slashes without proof are not guessed. */
function dayFirst(texts: readonly string[], dateOrder?: string): 'dmy' | 'mdy' | undefined {
  if (dateOrder === 'dmy' || dateOrder === 'mdy') return dateOrder
  const parts = texts.map((text) => local.exec(text)).filter((match) => match !== null)
  if (parts.every((match) => match[2] === '.')) return 'dmy'
  const [first, second] = [
    parts.some((match) => Number(match[1]) > 12),
    parts.some((match) => Number(match[3]) > 12),
  ]
  if (first !== second) return first ? 'dmy' : 'mdy'
  return first ? undefined : byContinuity(texts)
}

/**
 * Rows within a day that go on at midnight: the order in which the next row belongs to the next day, where the other
 * order would put it weeks away. Days without clock times prove nothing: they could be months.
 */
function byContinuity(texts: readonly string[]): 'dmy' | 'mdy' | undefined {
  const furthest = (format: 'dmy' | 'mdy'): number => {
    const times = texts.map((text) => readWall(text, format)?.ms).filter((ms) => ms !== undefined)
    return times.reduce((most, ms, index) => Math.max(most, Math.abs(ms - (times[index - 1] ?? ms))), 0)
  }
  const days = new Set(texts.map((text) => text.split(/[T ,]/)[0]))
  if (days.size < 2 || texts.length < 2 * days.size) return undefined
  const [dmy, mdy] = [furthest('dmy'), furthest('mdy')]
  if (dmy <= 2 * dayMs && mdy >= 25 * dayMs) return 'dmy'
  if (mdy <= 2 * dayMs && dmy >= 25 * dayMs) return 'mdy'
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

/**
 * `zone` is used for times without an offset; `direction` is that of the rows, for the hour that autumn repeats.
 * Throws RangeError for an unknown zone.
 */
export function timesOf(format: TimeFormat, zone: string, direction: Direction = 'forward'): Times {
  if (isEpoch(format)) {
    const perMs = epochsPerSecond[format] / 1000
    return { read: (text) => readEpoch(text.trim(), perMs), restartable: () => true }
  }
  const civil = wallClock(zone, direction)
  let lastText = ''
  let lastWall: Wall | undefined
  const read: TimeReader = (text, series) => {
    if (text !== lastText) {
      lastText = text
      lastWall = readWall(text.trim(), format)
    }
    if (!lastWall) return problem('at_invalid', { got: `"${text.trim().slice(0, 60)}"` })
    if (lastWall.offsetMs !== undefined) return lastWall.ms - lastWall.offsetMs
    const at = civil.toUtc(lastWall.ms, series)
    return (
      at ?? {
        code: 'at_invalid',
        message: `The local time ${text.trim()} does not exist in ${zone}: the clocks were put forward over it.`,
      }
    )
  }
  return { read, restartable: civil.restartable }
}

function readEpoch(text: string, perMs: number): number | Problem {
  const ms = /^\d+([.,]\d+)?$/.test(text) ? Math.round(Number(text.replace(',', '.')) / perMs) : Number.NaN
  if (ms >= epochMin * 1000 && ms <= epochMax * 1000) return ms
  return problem('at_invalid', { got: `"${text.slice(0, 60)}"` })
}

/** The clock on the wall as if it were UTC; `offsetMs` where the text says how far it is from UTC. */
interface Wall {
  readonly ms: number
  readonly offsetMs?: number
}

function readWall(text: string, format: TimeFormat): Wall | undefined {
  const plain = readPlain(text)
  if (plain) return plain
  if (format === 'excel') return readExcel(text)
  if (format === 'compact') return readCompact(text)
  const match = iso.exec(text)
  if (match) {
    const [, year, , month, day, ...rest] = match
    return wallOf(year, month, day, rest)
  }
  if (format !== 'dmy' && format !== 'mdy') return undefined
  const other = local.exec(text)
  if (!other) return undefined
  const [, one, , two, year, ...rest] = other
  const [day, month] = format === 'dmy' ? [one, two] : [two, one]
  return wallOf(year?.length === 2 ? `20${year}` : year, month, day, rest)
}

/**
 * 2024-01-31 10:00:00 or with a T, with seconds or without, and with a Z or without: the forms that most rows have,
 * read without a regular expression. Undefined for any other text, also for those that are no time.
 */
function readPlain(text: string): Wall | undefined {
  const utc = text.charCodeAt(text.length - 1) === 90
  const end = utc ? text.length - 1 : text.length
  if ((end !== 19 && end !== 16 && end !== 23) || text[4] !== '-' || text[7] !== '-' || text[13] !== ':')
    return undefined
  if (text[10] !== ' ' && text[10] !== 'T') return undefined
  if (end > 16 && text[16] !== ':') return undefined
  if (end > 19 && text[19] !== '.') return undefined
  const [h, m] = [digits(text, 11, 2), digits(text, 14, 2)]
  const s = end > 16 ? digits(text, 17, 2) : 0
  const ms = end > 19 ? digits(text, 20, 3) : 0
  // comparisons with NaN are false
  if (!(h < 24 && m < 60 && s < 60 && ms < 1000)) return undefined
  const date = dayMsOf(digits(text, 0, 4), digits(text, 5, 2), digits(text, 8, 2))
  if (date === undefined) return undefined
  const wall = date + ((h * 60 + m) * 60 + s) * 1000 + ms
  return utc ? { ms: wall, offsetMs: 0 } : { ms: wall }
}

/** The number that `count` digits from `from` on stand for, NaN where one of them is no digit. */
function digits(text: string, from: number, count: number): number {
  let number = 0
  for (let index = from; index < from + count; index++) {
    const digit = text.charCodeAt(index) - 48
    if (!(digit >= 0 && digit <= 9)) return Number.NaN
    number = number * 10 + digit
  }
  return number
}

/** `rest` are the groups of `clock` and `offset`. */
function wallOf(
  year: string | undefined,
  month: string | undefined,
  day: string | undefined,
  rest: readonly (string | undefined)[],
): Wall | undefined {
  const [hour = '0', minute = '0', second = '0', fraction = '', half, utc, sign, offsetHours, offsetMinutes] =
    rest
  const clockMs = clockMsOf(Number(hour), Number(minute), Number(second), fraction, half?.toLowerCase())
  const date = dayMsOf(Number(year), Number(month), Number(day))
  if (clockMs === undefined || date === undefined) return undefined
  if (utc) return { ms: date + clockMs, offsetMs: 0 }
  if (sign === undefined) return { ms: date + clockMs }
  const offsetMs = (Number(offsetHours) * 60 + Number(offsetMinutes ?? 0)) * minuteMs
  return { ms: date + clockMs, offsetMs: sign === '-' ? -offsetMs : offsetMs }
}

/** `half` is a or p of a twelve-hour clock, on which 12:00 AM is midnight. */
function clockMsOf(
  h: number,
  m: number,
  s: number,
  fraction: string,
  half: string | undefined,
): number | undefined {
  // 24:00 is the end of the day in ISO 8601, 60 a leap second
  if (h > 24 || m > 59 || s > 60 || (h === 24 && m + s > 0)) return undefined
  if (half !== undefined && (h < 1 || h > 12)) return undefined
  const hours = half === undefined ? h : (h % 12) + (half === 'p' ? 12 : 0)
  const ms = fraction === '' ? 0 : Math.round(Number(`0.${fraction}`) * 1000)
  return ((hours * 60 + m) * 60 + s) * 1000 + ms
}

function readCompact(text: string): Wall | undefined {
  const match = compact.exec(text)
  if (!match) return undefined
  const [, year, month, day, hour, minute, second, utc] = match
  return wallOf(year, month, day, [hour, minute, second, undefined, undefined, utc])
}

/** Days and their fraction; the fraction is rounded to what its digits can tell: seconds, or minutes below five digits. */
function readExcel(text: string): Wall | undefined {
  const match = /^(\d{5})(?:[.,](\d+))?$/.exec(text)
  if (!match) return undefined
  const [, days, fraction = ''] = match
  const unit = fraction.length > 5 ? secondMs : minuteMs
  const clockMs = Math.round((Number(`0.${fraction || '0'}`) * dayMs) / unit) * unit
  return { ms: excelEpoch + Number(days) * dayMs + clockMs }
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
