import { hourMs, minuteMs, quarterMs } from './time.ts'
/**
 * Civil time in a site's zone. Days there have 23, 24 or 25 hours; everything is stored in UTC ms all the same.
 * Offsets come from the runtime's own zone database (Intl); they are cached per hour, since Intl is slow.
 */

/** Calendar fields of a moment in a zone. `weekday` 0 is Sunday. `month` and `day` start at 1. */
export interface LocalParts {
  readonly year: number
  readonly month: number
  readonly day: number
  readonly hour: number
  readonly minute: number
  readonly weekday: number
}

interface Zone {
  readonly format: Intl.DateTimeFormat
  readonly offsets: Map<number, number>
}

const zones = new Map<string, Zone>()
const cachedHoursMax = 100_000

/** Whether the runtime knows this IANA zone name. */
export function isZone(name: string): boolean {
  try {
    zoneOf(name)
    return true
  } catch {
    return false
  }
}

/**
 * Local time minus UTC, in ms, at `at`. Throws RangeError for an unknown zone.
 * All changes of modern zones lie on quarter hours, so within one quarter the offset is one number.
 */
export function zoneOffsetMs(zone: string, at: number): number {
  const entry = zoneOf(zone)
  const quarter = Math.floor(at / quarterMs)
  const cached = entry.offsets.get(quarter)
  if (cached !== undefined) return cached
  const offset = computeOffset(entry.format, quarter * quarterMs)
  if (entry.offsets.size >= cachedHoursMax) entry.offsets.clear()
  entry.offsets.set(quarter, offset)
  return offset
}

/** Calendar fields at `at` in `zone`. */
export function localParts(zone: string, at: number): LocalParts {
  const local = new Date(at + zoneOffsetMs(zone, at))
  return {
    year: local.getUTCFullYear(),
    month: local.getUTCMonth() + 1,
    day: local.getUTCDate(),
    hour: local.getUTCHours(),
    minute: local.getUTCMinutes(),
    weekday: local.getUTCDay(),
  }
}

/** ISO 8601 to the second by the clock of the zone, with its offset: 2024-10-28T06:00:00+01:00; Z for no offset. */
export function isoIn(zone: string, at: number): string {
  const offset = zoneOffsetMs(zone, at)
  const local = new Date(at + offset).toISOString().slice(0, 19)
  if (offset === 0) return `${local}Z`
  const minutes = Math.abs(offset) / minuteMs
  const two = (value: number): string => String(Math.floor(value)).padStart(2, '0')
  return `${local}${offset < 0 ? '-' : '+'}${two(minutes / 60)}:${two(minutes % 60)}`
}

/**
 * UTC ms of a local wall-clock time. A time that the spring change skips becomes the same span after the gap;
 * a time that the autumn change repeats becomes the first of the two (as in RFC 5545 and Temporal "compatible").
 */
export function localToUtc(
  zone: string,
  year: number,
  month: number,
  day: number,
  hour = 0,
  minute = 0,
  second = 0,
): number {
  const wall = Date.UTC(year, month - 1, day, hour, minute, second)
  const before = zoneOffsetMs(zone, wall - 24 * hourMs)
  const after = zoneOffsetMs(zone, wall + 24 * hourMs)
  if (before === after) return wall - before
  const early = wall - before
  if (zoneOffsetMs(zone, early) === before) return early
  const late = wall - after
  return zoneOffsetMs(zone, late) === after ? late : early
}

/** Start of the civil day that holds `at`, UTC ms. */
export function dayStart(zone: string, at: number): number {
  const { year, month, day } = localParts(zone, at)
  return localToUtc(zone, year, month, day)
}

/** `dayStart` of any site at one moment, computed once a site. */
export function dayStartsOf(zoneOf: (site: string) => string, at: number): (site: string) => number {
  const starts = new Map<string, number>()
  return (site) => {
    const start = starts.get(site) ?? dayStart(zoneOf(site), at)
    starts.set(site, start)
    return start
  }
}

/** Start of the civil day `days` after (or before) the one that holds `at`. */
export function addDays(zone: string, at: number, days: number): number {
  const { year, month, day } = localParts(zone, at)
  return localToUtc(zone, year, month, day + days)
}

/** Hours of the civil day that holds `at`: 23, 24 or 25 (half hours in zones that shift by 30 minutes). */
export function dayHours(zone: string, at: number): number {
  return (addDays(zone, at, 1) - dayStart(zone, at)) / hourMs
}

function zoneOf(name: string): Zone {
  const known = zones.get(name)
  if (known) return known
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: name,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
    era: 'short',
  })
  const zone = { format, offsets: new Map<number, number>() }
  zones.set(name, zone)
  return zone
}

function computeOffset(format: Intl.DateTimeFormat, at: number): number {
  const fields: Record<string, number> = {}
  for (const { type, value } of format.formatToParts(at)) fields[type] = Number(value)
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = fields
  return Date.UTC(year, month - 1, day, hour, minute, second) - at
}
