/**
 * Features of a forecast: what is known at an origin about one step after it. One function makes them for training
 * and for use, and it reads values before the origin only (besides the calendar and covariates known ahead).
 * Everything but shares and calendar is in units of the series' scale and relative to the same slot of the last season,
 * so that one model serves many series.
 */
import { localParts } from '../../core/calendar.ts'
import { cycleSeasons, meanBefore, type Prepared, scaleAt } from './series.ts'

/** Names of the features, in the order in which `writeFeatures` gives them. */
export function featureNames(all: readonly Prepared[]): string[] {
  const series = all[0]?.series
  const calendar = series?.times ? calendarNames : []
  const ahead = Object.keys(series?.ahead ?? {}).sort()
  return [...shapeNames, ...calendar, ...ahead.flatMap((name) => [`ahead ${name}`, `ahead ${name} change`])]
}

const shapeNames = [
  'lead',
  'season-2',
  'season-3',
  'season-4',
  'season-5',
  'season-6',
  'season-7',
  'cycle-1',
  'cycle-2',
  'cycle-3',
  'slot mean',
  'slot deviation',
  'slot long mean',
  'before-1',
  'before-2',
  'after-1',
  'after-2',
  'last',
  'last mean 3',
  'last season mean',
  'last cycle mean',
  'long mean',
  'season trend',
  'least',
  'most',
  'change 1',
  'change 3',
  'change 6',
  'change half',
  'change season',
  'cycle change 1',
  'cycle change 3',
  'cycle change season',
  'cycle change slot',
  'roughness',
  'cycle roughness',
  'level',
] as const

const calendarNames = ['hour', 'weekday', 'day of year']

/** The same slot in the newest season that is known at the origin, `back` seasons further back; NaN before the start. */
export function slotBefore(p: Prepared, origin: number, lead: number, back = 0, period = p.season): number {
  const at = origin + lead - period * (Math.floor(lead / period) + 1 + back)
  return at >= p.first ? p.filled[at]! : Number.NaN
}

/** Mean of the slot over the newest `seasons` seasons known at the origin, of as many as there are. */
export function slotMean(p: Prepared, origin: number, lead: number, seasons: number): number {
  let sum = 0
  let known = 0
  for (let back = 0; back < seasons; back++) {
    const value = slotBefore(p, origin, lead, back)
    if (Number.isNaN(value)) break
    sum += value
    known++
  }
  return sum / known
}

/** Per-origin part, shared by its leads. */
export interface OriginView {
  readonly prepared: Prepared
  readonly origin: number
  readonly scale: number
  readonly shared: Float64Array
}

const at = (p: Prepared, place: number): number => (place >= p.first ? p.filled[place]! : Number.NaN)

/** Mean of y(t) - y(t - period) over the `count` steps before the origin. */
function change(p: Prepared, origin: number, count: number, period: number): number {
  if (origin - count - period < p.first) return Number.NaN
  return meanBefore(p, origin, count) - (p.sums[origin - period]! - p.sums[origin - period - count]!) / count
}

function roughness(p: Prepared, origin: number, period: number, count: number): number {
  let sum = 0
  let n = 0
  for (let t = Math.max(p.first + period, origin - count); t < origin; t++) {
    sum += Math.abs(p.filled[t]! - p.filled[t - period]!)
    n++
  }
  return n > 0 ? sum / n : Number.NaN
}

export function viewOrigin(p: Prepared, origin: number): OriginView {
  const m = p.season
  const cycle = cycleSeasons * m
  const scale = scaleAt(p, origin)
  let least = Number.POSITIVE_INFINITY
  let most = Number.NEGATIVE_INFINITY
  for (let t = Math.max(p.first, origin - m); t < origin; t++) {
    least = Math.min(least, p.filled[t]!)
    most = Math.max(most, p.filled[t]!)
  }
  const absolute = [
    at(p, origin - 1),
    meanBefore(p, origin, Math.min(3, m)),
    meanBefore(p, origin, m),
    meanBefore(p, origin, cycle),
    meanBefore(p, origin, 4 * cycle),
  ]
  const half = Math.max(1, m >> 1)
  const relative = [
    (meanBefore(p, origin, m) - meanBefore(p, origin - m, m)) / scale,
    change(p, origin, 1, m) / scale,
    change(p, origin, Math.min(3, m), m) / scale,
    change(p, origin, Math.min(6, m), m) / scale,
    change(p, origin, half, m) / scale,
    change(p, origin, m, m) / scale,
    change(p, origin, 1, cycle) / scale,
    change(p, origin, Math.min(3, m), cycle) / scale,
    change(p, origin, m, cycle) / scale,
    roughness(p, origin, m, cycle) / scale,
    roughness(p, origin, cycle, cycle) / scale,
    meanBefore(p, origin, cycle) / scale,
  ]
  return { prepared: p, origin, scale, shared: Float64Array.from([...absolute, least, most, ...relative]) }
}

/** Writes the features of one lead (0 is the first step after the origin) to `columns[..][row]`. */
export function writeFeatures(
  view: OriginView,
  lead: number,
  columns: readonly Float64Array[],
  row: number,
): void {
  const { prepared: p, origin, scale, shared } = view
  const m = p.season
  const cycle = cycleSeasons * m
  const base = slotBefore(p, origin, lead)
  const rel = (value: number): number => (value - base) / scale
  let k = 0
  const put = (value: number): void => {
    columns[k++]![row] = value
  }
  put(lead + 1)
  let sum = base
  let squares = 0
  let n = 1
  for (let back = 1; back < cycleSeasons; back++) {
    const value = slotBefore(p, origin, lead, back)
    put(rel(value))
    if (Number.isNaN(value)) continue
    sum += value
    squares += rel(value) ** 2
    n++
  }
  for (let back = 0; back < 3; back++) put(rel(slotBefore(p, origin, lead, back, cycle)))
  put(rel(sum / n))
  put(Math.sqrt(Math.max(0, squares / n - rel(sum / n) ** 2)))
  let long = sum
  let nl = n
  for (let back = cycleSeasons; back < 4 * cycleSeasons; back++) {
    const value = slotBefore(p, origin, lead, back)
    if (Number.isNaN(value)) break
    long += value
    nl++
  }
  put(rel(long / nl))
  const slot = origin + lead - m * (Math.floor(lead / m) + 1)
  put(rel(at(p, slot - 1)))
  put(rel(at(p, slot - 2)))
  put(rel(slot + 1 < origin ? at(p, slot + 1) : at(p, slot + 1 - m)))
  put(rel(slot + 2 < origin ? at(p, slot + 2) : at(p, slot + 2 - m)))
  for (let s = 0; s < 5; s++) put(rel(shared[s]!))
  put(shared[7]!)
  put(rel(shared[5]!))
  put(rel(shared[6]!))
  for (let s = 8; s < 13; s++) put(shared[s]!)
  for (let s = 13; s < 16; s++) put(shared[s]!)
  put(rel(slotBefore(p, origin, lead, 0)) + (base - slotBefore(p, origin, lead, cycleSeasons)) / scale)
  put(shared[16]!)
  put(shared[17]!)
  put(shared[18]!)
  const { times, ahead } = p.series
  if (times) {
    const parts = localParts(times.zone ?? 'UTC', times.startMs + (origin + lead) * times.stepMs)
    put(parts.hour + parts.minute / 60)
    put(parts.weekday)
    put((Date.UTC(parts.year, parts.month - 1, parts.day) - Date.UTC(parts.year, 0, 1)) / 86_400_000)
  }
  for (const name of Object.keys(ahead ?? {}).sort()) {
    const column = ahead![name]!
    put(column[origin + lead] ?? Number.NaN)
    put((column[origin + lead] ?? Number.NaN) - (column[slot] ?? Number.NaN))
  }
}
