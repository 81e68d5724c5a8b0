import { type CreateRandom, happens, type Random, seedOf } from './chance.ts'
import type { Tick } from './civil.ts'
import { type Activity, createPlanner, type Person, planDayStart, type RoomName, type Stay } from './plan.ts'

/** Where one person is and what they do; `room` null is outside. */
export interface Presence {
  readonly name: string
  readonly role: Person['role']
  readonly room: RoomName | null
  readonly activity: Activity
}

/** Ground truth: a person was in `room` (null: outside) in [from, to). */
export interface Sojourn {
  readonly person: string
  readonly room: RoomName | null
  readonly activity: Activity
  readonly from: number
  readonly to: number
}

/** What happened in the home within a tick. */
export interface Life {
  readonly people: readonly Presence[]
  /** Activities that somebody took up in this tick. */
  readonly started: readonly Presence[]
  /** Somebody went for a snack or a drink in the kitchen. */
  readonly snacks: number
  /** Somebody went through the front door. */
  readonly doorPassed: boolean
  /** Whether somebody moved where a motion detector sees it. */
  moved(room: RoomName): boolean
}

interface Walker {
  readonly person: Person
  planDay: number
  plan: readonly Stay[]
  stay: Stay | undefined
  /** A short errand to another room, over at `until`. */
  errand: { readonly room: RoomName; readonly until: number } | undefined
  presence: Presence
  since: number
}

/** How often a person who does this is seen moving, times an hour. */
const movesPerHour: Readonly<Record<Activity, number>> = {
  sleep: 0.5,
  wash: 70,
  eat: 26,
  cook: 90,
  work: 9,
  relax: 8,
  play: 24,
  chores: 60,
  away: 0,
}

/** Newest sojourns kept as ground truth. */
const sojournLimit = 200_000

export function createOccupants(createRandom: CreateRandom, seed: number, people: readonly Person[]) {
  const planner = createPlanner(createRandom, seed, people)
  const random = createRandom(seedOf(seed, 'occupants'))
  const diary = new Diary()
  const walkers = people.map(newcomer)

  const tick = (now: Tick): Life => {
    const seen: Seen = { started: [], moved: new Set(), snacks: 0, doorPassed: false }
    for (const walker of walkers) {
      const fresh = follow(walker, now, planner)
      seen.snacks += wander(walker, now, random)
      const before = walker.presence
      const after = presenceOf(walker)
      if (after.room !== before.room || after.activity !== before.activity) {
        diary.close(walker, now.at)
        walker.presence = after
        walker.since = now.at
      }
      if (after.room !== before.room) pass(before.room, after.room, random, seen)
      if (fresh) seen.started.push(walker.presence)
      const pace = movesPerHour[walker.errand ? 'chores' : after.activity]
      if (after.room && happens(random, pace, now.seconds)) seen.moved.add(after.room)
    }
    takeParcel(walkers, now, random, seen)
    const { moved, ...life } = seen
    return { ...life, people: walkers.map(({ presence }) => presence), moved: (room) => moved.has(room) }
  }

  /** Everybody's whereabouts since the simulation began, in order of their end; the present ones end `at`. */
  const truth = (at: number): Sojourn[] => [
    ...diary.sojourns,
    ...walkers.flatMap((one) => sojournOf(one, at)),
  ]
  return { tick, truth }
}

/** What a tick has brought so far. */
interface Seen {
  readonly started: Presence[]
  readonly moved: Set<RoomName>
  snacks: number
  doorPassed: boolean
}

const newcomer = (person: Person): Walker => ({
  person,
  planDay: Number.NaN,
  plan: [],
  stay: undefined,
  errand: undefined,
  presence: { name: person.name, role: person.role, room: 'hall', activity: 'chores' },
  since: Number.NaN,
})

const presenceOf = ({ presence: { name, role }, errand, stay }: Walker): Presence => ({
  name,
  role,
  room: errand?.room ?? stay?.room ?? null,
  activity: stay?.activity ?? 'away',
})

/** Ends of stays in the order in which they came, the newest only. */
class Diary {
  readonly sojourns: Sojourn[] = []

  close(walker: Walker, at: number): void {
    if (this.sojourns.length >= sojournLimit) this.sojourns.splice(0, sojournLimit / 10)
    this.sojourns.push(...sojournOf(walker, at))
  }
}

/** From one room to another, mostly through the hall, or through the front door. */
function pass(from: RoomName | null, to: RoomName | null, random: Random, seen: Seen): void {
  if ((to === null) !== (from === null)) seen.doorPassed = true
  if (random.next() < 0.9) seen.moved.add('hall')
  if (to) seen.moved.add(to)
}

/** Now and then somebody rings, where somebody is up to open. */
function takeParcel(walkers: readonly Walker[], now: Tick, random: Random, seen: Seen): void {
  const up = walkers.some(({ presence }) => presence.room && presence.activity !== 'sleep')
  if (!up || !happens(random, 0.06, now.seconds)) return
  seen.doorPassed = true
  seen.moved.add('hall')
}

/** The stay that ends `to`; none before the first tick. */
function sojournOf({ presence, since: from }: Walker, to: number): Sojourn[] {
  const { name: person, room, activity } = presence
  return Number.isFinite(from) ? [{ person, room, activity, from, to }] : []
}

/** Moves along the plan; true where a new stay begins. */
function follow(walker: Walker, now: Tick, planner: ReturnType<typeof createPlanner>): boolean {
  const early = now.minute < planDayStart
  const day = early ? now.day - 1 : now.day
  if (day !== walker.planDay) {
    walker.planDay = day
    walker.plan = planner(walker.person, day, early ? (now.weekday + 6) % 7 : now.weekday)
  }
  const minute = early ? now.minute + 1440 : now.minute
  const stay = walker.plan.findLast((candidate) => candidate.from <= minute)
  const next = stay ?? walker.plan[0]
  const fresh = next !== walker.stay && next?.activity !== walker.stay?.activity
  if (next !== walker.stay) walker.errand = undefined
  walker.stay = next
  return fresh
}

/** Short errands: to the bathroom by day and by night, to the kitchen for a snack. Returns the snacks begun. */
function wander(walker: Walker, now: Tick, random: Random): number {
  const { stay } = walker
  if (walker.errand && now.at >= walker.errand.until) walker.errand = undefined
  if (walker.errand || !stay || stay.room === null || stay.activity === 'wash') return 0
  const asleep = stay.activity === 'sleep'
  const minutes = (low: number, high: number): number =>
    now.at + (low + (high - low) * random.next()) * 60_000
  if (stay.room !== 'bathroom' && happens(random, asleep ? 0.07 : 0.28, now.seconds)) {
    walker.errand = { room: 'bathroom', until: minutes(2, 6) }
  } else if (!asleep && stay.room !== 'kitchen' && happens(random, 0.35, now.seconds)) {
    walker.errand = { room: 'kitchen', until: minutes(2, 7) }
    return 1
  }
  return 0
}
