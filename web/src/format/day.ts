import { spans } from './time.ts'

/** Zones begin a day at most so far from midnight UTC, and by whole quarters of an hour. */
const furthestMs = 15 * spans.hourMs
const stepMs = 15 * spans.minuteMs

const formats = new Map<string, Intl.DateTimeFormat>()

/** The civil day of a moment in a zone as 2026-03-29, which is what a date field holds. */
export function dayOf(at: number, zone: string): string {
  let format = formats.get(zone)
  if (!format) {
    format = new Intl.DateTimeFormat('en-CA', {
      timeZone: zone,
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
    })
    formats.set(zone, format)
  }
  return format.format(at)
}

/**
 * First moment, UTC ms, of a civil day (2026-03-29) in a zone. Days of 23 and 25 h come out right, and so do those
 * whose midnight the clocks leap over. Undefined of a text that is no day, or a day that the zone never had.
 */
export function startOfDay(day: string, zone: string): number | undefined {
  const utc = Date.parse(`${day}T00:00:00Z`)
  if (!/^\d{4}-\d\d-\d\d$/.test(day) || Number.isNaN(utc)) return undefined
  for (let at = utc - furthestMs; at <= utc + furthestMs; at += stepMs) {
    if (dayOf(at, zone) === day) return at
  }
  return undefined
}

/** First moment of the day after. */
export function endOfDay(day: string, zone: string): number | undefined {
  const start = startOfDay(day, zone)
  if (start === undefined) return undefined
  const next = new Date(Date.parse(`${day}T00:00:00Z`) + spans.dayMs).toISOString().slice(0, 10)
  return startOfDay(next, zone)
}
