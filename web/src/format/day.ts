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

/**
 * A moment, UTC ms, by the clocks of a zone, as a field for day and time holds it: 2026-03-29T14:30. An hour that the
 * clocks leap over comes out as the one after it. Undefined of any other text.
 */
export function momentOf(text: string, zone: string): number | undefined {
  const [day = '', clock = ''] = text.split('T')
  const start = startOfDay(day, zone)
  if (start === undefined || !/^\d\d:\d\d(:\d\d)?$/.test(clock)) return undefined
  const utc = Date.parse(`${text}Z`)
  if (Number.isNaN(utc)) return undefined
  // the offset of the zone may change between the beginning of the day and the moment
  const first = utc - offsetAt(start, zone)
  return utc - offsetAt(first, zone)
}

/** How far the clocks of a zone are ahead of UTC, ms. */
function offsetAt(at: number, zone: string): number {
  const parts = new Intl.DateTimeFormat('en-CA', {
    ...{ timeZone: zone, hourCycle: 'h23', year: 'numeric', month: '2-digit', day: '2-digit' },
    ...{ hour: '2-digit', minute: '2-digit', second: '2-digit' },
  }).formatToParts(at)
  const part = (type: string): number => Number(parts.find((one) => one.type === type)?.value)
  const local = Date.UTC(
    part('year'),
    part('month') - 1,
    part('day'),
    part('hour'),
    part('minute'),
    part('second'),
  )
  return local - Math.floor(at / spans.secondMs) * spans.secondMs
}

/** First moment of the day after. */
export function endOfDay(day: string, zone: string): number | undefined {
  const start = startOfDay(day, zone)
  if (start === undefined) return undefined
  const next = new Date(Date.parse(`${day}T00:00:00Z`) + spans.dayMs).toISOString().slice(0, 10)
  return startOfDay(next, zone)
}
