import { zoneOffsetMs } from '../../core/calendar.ts'
import { hourMs, minuteMs } from '../../core/time.ts'

const withoutOffset = /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?)?$/i

/** How far the clock of a device may be ahead of the hub's. */
const aheadMs = 10 * minuteMs

/**
 * UTC ms of an ISO 8601 text without an offset, as local time of the zone; anything else is returned as it is. Of the
 * hour that the autumn change repeats, the second is meant where the message arrives within it, otherwise the first. A
 * time that the spring change skips is moved by the length of the gap, as by a device that has not changed its clock.
 */
export function localTime(value: unknown, zone: string, now: number): unknown {
  if (typeof value !== 'string' || value.length > 32 || value.endsWith('Z')) return value
  const parts = withoutOffset.exec(value.trim())
  if (!parts) return value
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts
    .slice(1, 7)
    .map((part) => Number(part ?? 0))
  const wall = Date.UTC(year, month - 1, day, hour, minute, second)
  // a day or hour that does not exist is left for the parser to refuse
  if (new Date(wall).getUTCDate() !== day || month > 12 || hour > 23 || minute > 59 || second > 59)
    return value
  const ms = Math.floor(Number(`0.${parts[7] ?? 0}`) * 1000)
  return utcOf(wall, zone, now) + ms
}

function utcOf(wall: number, zone: string, now: number): number {
  const before = wall - zoneOffsetMs(zone, wall - 24 * hourMs)
  const after = wall - zoneOffsetMs(zone, wall + 24 * hourMs)
  if (before === after) return before
  const exists = (at: number): boolean => at + zoneOffsetMs(zone, at) === wall
  if (!exists(before)) return exists(after) ? after : before
  if (!exists(after)) return before
  return now >= after - aheadMs && now < after + hourMs ? after : before
}
