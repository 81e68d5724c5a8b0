const secondMs = 1000
const minuteMs = 60 * secondMs
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs

export const spans = { secondMs, minuteMs, hourMs, dayMs } as const

const formats = new Map<string, Intl.DateTimeFormat>()

const shapes = {
  clock: { hour: '2-digit', minute: '2-digit' },
  clockSeconds: { hour: '2-digit', minute: '2-digit', second: '2-digit' },
  day: { day: 'numeric', month: 'short' },
  date: { day: 'numeric', month: 'short', year: 'numeric' },
  month: { month: 'short', year: 'numeric' },
  dayClock: { weekday: 'short', day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' },
  full: { day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit' },
} as const satisfies Record<string, Intl.DateTimeFormatOptions>

export type TimeShape = keyof typeof shapes

/** A moment in the site's zone, in the reader's own notation. */
export function timeText(at: number, zone: string, shape: TimeShape): string {
  const id = `${shape}|${zone}`
  let format = formats.get(id)
  if (!format) {
    format = new Intl.DateTimeFormat(undefined, { ...shapes[shape], timeZone: zone, hourCycle: 'h23' })
    formats.set(id, format)
  }
  return format.format(at)
}

/**
 * How long ago, coarse on purpose: a text that changes every second is noise. Beyond two months it is a date.
 */
export function ageText(at: number, now: number, zone: string): string {
  const age = now - at
  if (age < 10 * secondMs) return 'now'
  if (age < minuteMs) return `${Math.floor(age / (10 * secondMs)) * 10} s`
  if (age < hourMs) return `${Math.floor(age / minuteMs)} min`
  if (age < 2 * dayMs) return `${Math.floor(age / hourMs)} h`
  if (age < 60 * dayMs) return `${Math.floor(age / dayMs)} d`
  return timeText(at, zone, 'date')
}

/** A number of days or hours as a phrase: 540 days. */
export function spanText(fromAt: number, toAt: number): string {
  const length = Math.max(0, toAt - fromAt)
  if (length < 2 * hourMs) return plural(Math.round(length / minuteMs), 'minute')
  if (length < 2 * dayMs) return plural(Math.round(length / hourMs), 'hour')
  return plural(Math.round(length / dayMs), 'day')
}

export const plural = (count: number, noun: string): string =>
  `${new Intl.NumberFormat().format(count)} ${noun}${count === 1 ? '' : 's'}`
