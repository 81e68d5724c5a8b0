/**
 * How long somebody stays in a room, and where they go next: per room the mean and the sample standard deviation of
 * stays, their distribution by band of the day, and the probability of each next room (a semi-Markov process, Howard
 * 1971). Durations are in seconds, as the home care hub has them.
 */
import { HomeostatError } from '../../core/errors.ts'
import { conformalPValue } from '../conformal.ts'
import type { Frame } from '../frame.ts'
import type { Learner, Model } from '../learner.ts'
import { fisher } from '../tail.ts'
import { checkFrame, columnsByName } from './columns.ts'

/** A motion in a room, or something that is no room but ends a stay (a door): then `room` is undefined. */
export interface RoomEvent {
  readonly room: string | undefined
  readonly at: number
}

export interface Stay {
  readonly room: string
  /** Time of the first and of the last event, ms. */
  readonly since: number
  readonly until: number
  readonly durationS: number
  /** The room of the stay after this one; undefined for the last. */
  readonly next: string | undefined
}

/**
 * Consecutive events of the same room are one stay, from the first to the last of them. An event without a room ends
 * the stay before it. `now` (ms) lets the last stay run to now instead of its last event: somebody who lies still
 * sends none.
 */
export function groupStays(events: readonly RoomEvent[], now?: number): Stay[] {
  const groups: { room: string; since: number; until: number }[] = []
  let open: (typeof groups)[number] | undefined
  for (const { room, at } of [...events].sort((a, b) => a.at - b.at)) {
    if (room === undefined) open = undefined
    else if (open?.room === room) open.until = at
    else {
      open = { room, since: at, until: at }
      groups.push(open)
    }
  }
  if (open && now !== undefined) open.until = Math.max(open.until, now)
  return groups.map((group, at) => ({
    ...group,
    durationS: (group.until - group.since) / 1000,
    next: groups[at + 1]?.room,
  }))
}

export interface RoomProfile {
  readonly count: number
  readonly meanS: number
  /** Sample standard deviation (n - 1); 0 for a single stay. */
  readonly stdS: number
  /** Durations in rising order, all hours; thinned to evenly spaced ones where there are many. */
  readonly durationsS: readonly number[]
  /** The same for each band of the day. */
  readonly bands: readonly (readonly number[])[]
  /** Probability of each next room, of those that were seen. */
  readonly next: Readonly<Record<string, number>>
}

export interface RoomStayOptions {
  /** Bands that the day is cut into, equally long. */
  readonly bands: number
  /** Stays that a band needs to be trusted; with fewer all hours together are taken. */
  readonly minBandStays: number
}

const defaults: RoomStayOptions = { bands: 6, minBandStays: 20 }

/** Durations kept of a distribution. */
const durationsMax = 500

export type RoomStayProfile = Readonly<Record<string, RoomProfile>>

/** One profile a room. `hourOf` gives the local hour of the day (0..24) of a time, from the site's calendar. */
export function profileStays(
  stays: readonly Stay[],
  hourOf: (at: number) => number,
  options: Partial<RoomStayOptions> = {},
): RoomStayProfile {
  const { bands } = { ...defaults, ...options }
  const rooms = new Map<string, Stay[]>()
  for (const stay of stays) {
    const list = rooms.get(stay.room)
    if (list) list.push(stay)
    else rooms.set(stay.room, [stay])
  }
  const names = [...rooms.keys()].sort()
  return Object.fromEntries(names.map((name) => [name, profileOf(rooms.get(name)!, hourOf, bands)]))
}

function profileOf(stays: readonly Stay[], hourOf: (at: number) => number, bands: number): RoomProfile {
  const durations = stays.map((stay) => stay.durationS)
  const mean = durations.reduce((sum, value) => sum + value, 0) / durations.length
  const squares = durations.reduce((sum, value) => sum + (value - mean) ** 2, 0)
  const byBand: number[][] = Array.from({ length: bands }, () => [])
  for (const stay of stays) byBand[bandOf(hourOf(stay.since), bands)]!.push(stay.durationS)
  const followed = stays.filter((stay) => stay.next !== undefined)
  const counts: Record<string, number> = {}
  for (const { next } of followed) counts[next!] = (counts[next!] ?? 0) + 1
  return {
    count: stays.length,
    meanS: mean,
    stdS: durations.length > 1 ? Math.sqrt(squares / (durations.length - 1)) : 0,
    durationsS: thinned(durations),
    bands: byBand.map(thinned),
    next: Object.fromEntries(
      Object.keys(counts)
        .sort()
        .map((room) => [room, counts[room]! / followed.length]),
    ),
  }
}

/**
 * Probability of a stay at least this long in this room at this hour, by the rank among the stays seen; 1 for a room
 * that was never seen (nothing is known of it). A stay that still runs may be asked about at any time.
 */
export function longStayP(
  profile: RoomStayProfile,
  room: string,
  hour: number,
  durationS: number,
  options: Partial<RoomStayOptions> = {},
): number {
  const { minBandStays } = { ...defaults, ...options }
  const known = profile[room]
  if (!known) return 1
  const band = known.bands[bandOf(hour, known.bands.length)]!
  return conformalPValue(Float64Array.from(band.length >= minBandStays ? band : known.durationsS), durationS)
}

/** Duration (s) below which the share `q` (0..1) of the stays in this room at this hour lay; NaN for an unknown room. */
export function stayQuantileS(profile: RoomStayProfile, room: string, hour: number, q: number): number {
  const known = profile[room]
  if (!known) return Number.NaN
  const band = known.bands[bandOf(hour, known.bands.length)]!
  const sorted = band.length >= defaults.minBandStays ? band : known.durationsS
  const place = q * (sorted.length - 1)
  const below = sorted[Math.floor(place)]!
  return below + (place - Math.floor(place)) * (sorted[Math.ceil(place)]! - below)
}

/**
 * P-value of going from one room to another: the probability of all next rooms that are as rare or rarer. A way never
 * taken has at most what one more stay would have given it; 1 where nothing is known of the room.
 */
export function transitionP(profile: RoomStayProfile, room: string, next: string): number {
  const known = profile[room]
  if (!known || Object.keys(known.next).length === 0) return 1
  const own = known.next[next] ?? 0
  const asRare = Object.values(known.next).filter((share) => share <= own)
  return Math.max(
    1 / (known.count + 1),
    asRare.reduce((sum, share) => sum + share, 0),
  )
}

interface RoomStayJson {
  readonly kind: 'room-stay'
  readonly options: RoomStayOptions
  readonly profile: RoomStayProfile
}

/**
 * The profile as a learner: rows are stays with the columns `room` and `next` (codes), `durationS` and `hour`; a
 * missing one says nothing. Score: -log10 of the p-values of a stay this long and of this way out, by Fisher.
 */
export const roomStay: Learner<RoomStayOptions> = {
  name: 'room-stay',
  task: 'anomaly',
  defaults,

  fit(frame, _target, options) {
    checkFrame(frame)
    const all = { ...defaults, ...options }
    const rows = rowsOf(frame).filter((row) => !Number.isNaN(row.durationS))
    // a row's hour travels as the time of the stay: profiles ask for the hour only
    const stays = rows.map((row) => ({ ...row, since: row.hour, until: row.hour }))
    const profile = profileStays(stays, (hour) => hour, all)
    return modelOf({ kind: 'room-stay', options: all, profile })
  },

  load: (json) => modelOf(json as RoomStayJson),
}

function modelOf(json: RoomStayJson): Model {
  if (json.kind !== 'room-stay')
    throw new HomeostatError('data_invalid', { detail: 'this is not a room-stay profile' })
  const { profile, options } = json
  return {
    outputs: 1,
    predict: (frame) =>
      Float64Array.from(rowsOf(frame), ({ room, next, durationS, hour }) => {
        const long = Number.isNaN(durationS) ? 1 : longStayP(profile, room, hour, durationS, options)
        const way = next === undefined ? 1 : transitionP(profile, room, next)
        return Math.max(0, -Math.log10(fisher([long, way])))
      }),
    toJSON: () => json,
  }
}

function rowsOf(frame: Frame): { room: string; next: string | undefined; durationS: number; hour: number }[] {
  const [room, next, duration, hour] = columnsByName(frame, ['room', 'next', 'durationS', 'hour'])
  return Array.from({ length: frame.rows }, (_, row) => ({
    room: String(room![row]!),
    next: Number.isNaN(next![row]!) ? undefined : String(next![row]!),
    durationS: duration![row]!,
    hour: Number.isNaN(hour![row]!) ? 0 : hour![row]!,
  }))
}

const bandOf = (hour: number, bands: number): number => {
  const within = ((hour % 24) + 24) % 24
  return Math.min(bands - 1, Math.floor((within / 24) * bands))
}

function thinned(durations: readonly number[]): number[] {
  const sorted = [...durations].sort((a, b) => a - b)
  if (sorted.length <= durationsMax) return sorted
  const step = (sorted.length - 1) / (durationsMax - 1)
  return Array.from({ length: durationsMax }, (_, at) => sorted[Math.round(at * step)]!)
}
