import { HomeostatError, type Problem, problem } from './errors.ts'
import type { SeriesKey } from './event.ts'
import { isDerived } from './series.ts'
import { latestMs } from './time.ts'
import { canonicalUnit, toCanonical, unitFault } from './units.ts'

/** One measurement. `value` is finite and in the canonical unit, `at` UTC epoch ms; states are numbers (open 1). */
export interface Reading extends SeriesKey {
  readonly value: number
  readonly unit: string
  readonly at: number
  readonly room?: string
}

/**
 * What a source hands in: fields as they came, not trusted. `fault` is set where the source could not even
 * take the payload apart; such a row goes to quarantine as it is. `payload` is what arrived, for quarantine.
 */
export interface RawReading {
  readonly source: string
  readonly site?: unknown
  readonly device?: unknown
  readonly metric?: unknown
  readonly value?: unknown
  readonly unit?: unknown
  readonly at?: unknown
  readonly room?: unknown
  readonly fault?: Problem
  readonly payload?: string
  /** The MQTT topic that it came on. */
  readonly topic?: string
}

/** What parsing needs to know of the hub. `now` is UTC ms. */
export interface ParseContext {
  readonly now: number
  readonly defaultSite: string
  readonly maxFutureMs: number
  /** Start of the current civil day of a site, UTC ms: bare clock times count from it. */
  readonly dayStart: (site: string) => number
}

export type Parsed =
  | { readonly ok: true; readonly reading: Reading; readonly stamped: boolean }
  | { readonly ok: false; readonly problem: Problem }

/** Longest texts, in UTF-16 code units; devices and rooms as in the widest of the seed formats. */
export const idLimits = { site: 64, device: 128, metric: 64, room: 100, unit: 20 } as const

/**
 * Whether a store can take what a monitor derived. A turn that a store refuses for its content must not be acknowledged:
 * in the journal it would hold up everything after it.
 */
export const isStorable = ({ value, at }: Pick<Reading, 'value' | 'at'>): boolean =>
  Number.isFinite(value) && Math.abs(at) <= latestMs

/** Throws `turn_refused` at the first reading that is not storable. */
export function requireStorable(readings: readonly Reading[]): void {
  const refused = readings.find((reading) => !isStorable(reading))
  if (!refused) return
  const { site, device, metric, value, at } = refused
  throw new HomeostatError('turn_refused', { detail: `${site} ${device} ${metric} is ${value} at ${at}` })
}

/** 1990-01-01: no sensor of a home is older, a number of seconds is always smaller. */
const earliestAt = 631_152_000_000

/** States as they are written by common devices. */
const states: Readonly<Record<string, number>> = {
  on: 1,
  off: 0,
  true: 1,
  false: 0,
  open: 1,
  closed: 0,
  opened: 1,
  close: 0,
  detected: 1,
  clear: 0,
  motion: 1,
  no_motion: 0,
  occupied: 1,
  unoccupied: 0,
  vacant: 0,
  wet: 1,
  dry: 0,
  home: 1,
  away: 0,
  yes: 1,
  no: 0,
}

/** `stamped` is true where the hub set the time because the sender gave none. */
export function parseReading(raw: RawReading, context: ParseContext): Parsed {
  if (raw.fault) return { ok: false, problem: raw.fault }
  const site = raw.site === undefined ? context.defaultSite : parseId(raw.site, idLimits.site)
  if (site === undefined) return refuseId('site', raw.site)
  const device = parseId(raw.device, idLimits.device)
  if (device === undefined) return refuseId('device', raw.device)
  if (isDerived(device)) return refuse(problem('id_reserved', { device }))
  const metric = parseId(raw.metric, idLimits.metric)
  if (metric === undefined) return refuseId('metric', raw.metric)
  let room: string | undefined
  if (raw.room !== undefined && raw.room !== null && raw.room !== '') {
    room = parseId(raw.room, idLimits.room)
    if (room === undefined) return refuseId('room', raw.room)
  }

  const number = parseValue(raw.value)
  if (number === undefined) {
    return raw.value === undefined
      ? refuse(problem('field_missing', { field: 'value' }))
      : refuse(problem('value_not_number', { got: show(raw.value) }))
  }
  const at =
    raw.at === undefined || raw.at === null || raw.at === ''
      ? context.now
      : parseTime(raw.at, () => context.dayStart(site))
  if (at === undefined || at < earliestAt) return refuse(problem('at_invalid', { got: show(raw.at) }))
  if (at > context.now + context.maxFutureMs) {
    const limitMinutes = context.maxFutureMs / 60_000
    return refuse(problem('at_in_future', { at: showTime(at), limitMinutes }))
  }

  const measured = inCanonicalUnit(metric, number, raw.unit)
  if ('code' in measured) return refuse(measured)
  const { value, unit } = measured
  const reading: Reading =
    room === undefined
      ? { site, device, metric, value, unit, at }
      : { site, device, metric, value, unit, at, room }
  return {
    ok: true,
    reading,
    stamped: at === context.now && (raw.at === undefined || raw.at === null || raw.at === ''),
  }
}

/** A number, a numeric text or a known state as a number; undefined for anything else, also for NaN and infinity. */
export function parseValue(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined
  if (typeof value === 'boolean') return value ? 1 : 0
  if (typeof value !== 'string') return undefined
  const text = value.trim()
  if (text === '' || text.length > 40) return undefined
  const number = /^[+-]?(\d|\.\d)/.test(text) ? Number(text) : Number.NaN
  if (Number.isFinite(number)) return number
  return Object.hasOwn(states, text.toLowerCase()) ? states[text.toLowerCase()] : undefined
}

const isoDate = /^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}([.,]\d{1,9})?)?( ?(Z|[+-]\d{2}(:?\d{2})?))?)?$/i
const clockTime = /^(\d{2}):(\d{2}):(\d{2})(\.\d{1,3})?$/

/**
 * ISO 8601 (UTC without an offset), ms since 1970 as number or text, or HH:MM:SS of the day that starts at `dayStart()`.
 * Undefined for anything else, and for a clock time where no day is given.
 */
export function parseTime(value: unknown, dayStart?: () => number): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? Math.round(value) : undefined
  if (typeof value !== 'string') return undefined
  if (value.length === 24) {
    const at = parseFullIso(value)
    if (at !== undefined) return at
  }
  const text = value.trim()
  if (/^\d{10,16}$/.test(text)) return Number(text)
  if (isoDate.test(text)) return parseIso(text)
  const clock = clockTime.exec(text)
  if (!clock || !dayStart) return undefined
  const [hours, minutes, seconds] = [Number(clock[1]), Number(clock[2]), Number(clock[3])]
  if (hours > 23 || minutes > 59 || seconds > 60) return undefined
  return (
    dayStart() + ((hours * 60 + minutes) * 60 + seconds) * 1000 + Math.round(Number(clock[4] ?? 0) * 1000)
  )
}

/** The day of the last full time: readings of one minute share it, and Date.parse is the dearest part of parsing. */
const lastDay = { text: '', start: Number.NaN }

/** `2026-05-30T10:00:00.123Z`, the form that JSON dates have; undefined for anything else. */
function parseFullIso(text: string): number | undefined {
  if (text[10] !== 'T' || text[13] !== ':' || text[16] !== ':' || text[19] !== '.' || text[23] !== 'Z')
    return undefined
  if (!text.startsWith(lastDay.text) || lastDay.text === '') {
    const day = text.slice(0, 10)
    if (!isoDate.test(day)) return undefined
    const start = startOfDay(day)
    if (start === undefined) return undefined
    lastDay.text = day
    lastDay.start = start
  }
  const hours = digits(text, 11, 2)
  const minutes = digits(text, 14, 2)
  const seconds = digits(text, 17, 2)
  const ms = digits(text, 20, 3)
  // comparisons with NaN are false: what is no digit is left to the slow way, which refuses it
  if (!(hours < 24 && minutes < 60 && seconds < 60 && ms < 1000)) return undefined
  return lastDay.start + ((hours * 60 + minutes) * 60 + seconds) * 1000 + ms
}

/** UTC midnight of `2026-05-30`; undefined for a day that does not exist, which Date.parse would make the next one. */
function startOfDay(day: string): number | undefined {
  const start = Date.parse(day)
  return new Date(start).getUTCDate() === Number(day.slice(8)) ? start : undefined
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

function parseIso(text: string): number | undefined {
  if (startOfDay(text.slice(0, 10)) === undefined) return undefined
  let iso = text.replace(' ', 'T').replace(',', '.').replace(/\s/g, '')
  if (!/(Z|[+-]\d{2}(:?\d{2})?)$/i.test(iso.slice(10)) && iso.length > 10) iso += 'Z'
  iso = iso.replace(/([+-]\d{2})$/, (offset) => (iso.length > 10 ? `${offset}:00` : offset))
  iso = iso.replace(/(T.*[+-]\d{2})(\d{2})$/, '$1:$2')
  return orUndefined(Date.parse(iso))
}

const orUndefined = (ms: number): number | undefined => (Number.isNaN(ms) ? undefined : ms)

/** Control characters, and halves of a character, which no store could give back as they were. */
const unfit = /[\p{Cc}\p{Cs}]/u

/** Ids that were found good: a home has hundreds of them, and each comes again with every reading. */
const checkedIds = new Set<string>()
const checkedIdsMax = 20_000

/** Text of 1..limit characters without control characters, trimmed; numbers become text. Undefined otherwise. */
export function parseId(value: unknown, limit: number): string | undefined {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return String(value)
  if (typeof value !== 'string') return undefined
  if (value.length <= limit && checkedIds.has(value)) return value
  const text = value.trim()
  if (text === '' || text.length > limit || unfit.test(text)) return undefined
  if (checkedIds.size >= checkedIdsMax) checkedIds.clear()
  checkedIds.add(text)
  return text
}

function inCanonicalUnit(
  metric: string,
  number: number,
  given: unknown,
): Problem | { value: number; unit: string } {
  const canonical = canonicalUnit(metric)
  if (given === undefined || given === null || given === '' || given === 'raw') {
    return { value: number, unit: canonical ?? 'raw' }
  }
  if (typeof given !== 'string' || given.length > idLimits.unit) {
    return problem('unit_invalid', { limit: idLimits.unit })
  }
  if (canonical === undefined || given === canonical) return { value: number, unit: given }
  const affine = toCanonical(metric, given.trim())
  if (!affine) return unfitUnit(metric, given.trim(), canonical)
  const value = number * affine.scale + affine.offset
  if (!Number.isFinite(value)) return problem('value_too_large', { got: number, unit: given, canonical })
  return { value, unit: canonical }
}

function unfitUnit(metric: string, unit: string, canonical: string): Problem {
  const fault = unitFault(metric, unit)
  if (fault.kind === 'ambiguous')
    return problem('unit_ambiguous', { unit, metric, options: fault.options.join(' or ') })
  const hint = fault.metrics.length > 0 ? `, or use a metric in such units (${fault.metrics.join(', ')})` : ''
  return problem('unit_unknown', { unit, metric, canonical, hint })
}

function refuseId(field: keyof typeof idLimits, got: unknown): Parsed {
  return refuse(
    got === undefined
      ? problem('field_missing', { field })
      : problem('id_invalid', { field, limit: idLimits[field] }),
  )
}

const refuse = (why: Problem): Parsed => ({ ok: false, problem: why })

/** A value for a message. Objects are only named as such: they may be nested deeper than the stack. */
function show(value: unknown): string {
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? '(a list)' : '(an object)'
  const text = typeof value === 'string' ? `"${value}"` : String(value)
  return text.length > 60 ? `${text.slice(0, 57)}...` : text
}

const showTime = (at: number): string => (Math.abs(at) <= latestMs ? new Date(at).toISOString() : String(at))
