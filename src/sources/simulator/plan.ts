import { between, type CreateRandom, type Random, seedOf } from './chance.ts'

export const roomNames = [
  'living-room',
  'kitchen',
  'bedroom',
  'kids-room',
  'bathroom',
  'office',
  'hall',
] as const

export type RoomName = (typeof roomNames)[number]

export type Activity = 'sleep' | 'wash' | 'eat' | 'cook' | 'work' | 'relax' | 'play' | 'chores' | 'away'

export type Role = 'commuter' | 'home-worker' | 'child'

export interface Person {
  readonly name: string
  readonly role: Role
}

/** From this minute on (since the plan day's midnight, wall clock) the person is in `room`, null being outside. */
export interface Stay {
  readonly from: number
  readonly room: RoomName | null
  readonly activity: Activity
}

/** A plan day runs from 04:00 to 04:00, so that a late evening belongs to the day that it ends. */
export const planDayStart = 240

/** What the family does together on one day. */
interface FamilyDay {
  readonly weekday: number
  readonly outing: boolean
  readonly trip: 'none' | 'leaves' | 'away' | 'returns'
  readonly dinner: number
  readonly cookName: string
}

/** The days of a family: a function of (seed, person, day) alone. `weekday` 0 is Monday. */
export function createPlanner(createRandom: CreateRandom, seed: number, people: readonly Person[]) {
  const adults = people.filter((person) => person.role !== 'child')
  const family = (day: number, weekday: number): FamilyDay => {
    const random = createRandom(seedOf(seed, 'family', day))
    const week = createRandom(seedOf(seed, 'week', day - weekday))
    const trip = week.next() < 0.07
    return {
      weekday,
      outing: random.next() < 0.6,
      trip: !trip || weekday < 5 ? 'none' : weekday === 5 ? 'leaves' : 'returns',
      dinner: (weekday >= 5 ? 1140 : 1120) + 18 * random.normal(),
      cookName: adults[random.below(adults.length)]?.name ?? '',
    }
  }
  return (person: Person, day: number, weekday: number): readonly Stay[] => {
    const random = createRandom(seedOf(seed, 'plan', person.name, day))
    const shared = family(day, weekday)
    const stays = draft(person, shared, random)
    return inOrder(stays)
  }
}

/** Appends stays one after another, each for some minutes. */
class Draft {
  readonly stays: Stay[] = []
  minute = planDayStart

  stay(minutes: number, room: RoomName | null, activity: Activity): this {
    this.stays.push({ from: this.minute, room, activity })
    this.minute += Math.max(minutes, 2)
    return this
  }

  /** Stays until a minute of the day; nothing when that is past. */
  until(minute: number, room: RoomName | null, activity: Activity): this {
    return minute > this.minute + 1 ? this.stay(minute - this.minute, room, activity) : this
  }
}

function draft(person: Person, day: FamilyDay, random: Random): Stay[] {
  const plan = new Draft()
  const weekend = day.weekday >= 5
  const bed: RoomName = person.role === 'child' ? 'kids-room' : 'bedroom'
  if (day.trip === 'away') return plan.stay(1440, null, 'away').stays
  if (day.trip === 'returns') {
    plan.until(1050 + 30 * random.normal(), null, 'away')
  } else {
    morning(plan, person, weekend, bed, random)
    if (day.trip === 'leaves') return plan.stay(1440, null, 'away').stays
    if (weekend) weekendDay(plan, person, day, random)
    else if (person.role === 'home-worker') workAtHome(plan, day, random)
    else outAllDay(plan, person, day, random)
  }
  evening(plan, person, day, bed, random)
  return plan.stays
}

const wakeMinute: Readonly<Record<Role, number>> = { commuter: 372, 'home-worker': 402, child: 412 }

function morning(plan: Draft, person: Person, weekend: boolean, bed: RoomName, random: Random): void {
  const wake = (weekend ? 505 : wakeMinute[person.role]) + (weekend ? 30 : 9) * random.normal()
  plan
    .until(wake, bed, 'sleep')
    .stay(between(random, 10, 24), 'bathroom', 'wash')
    .stay(weekend ? between(random, 35, 60) : between(random, 16, 28), 'kitchen', 'eat')
}

function outAllDay(plan: Draft, person: Person, day: FamilyDay, random: Random): void {
  const child = person.role === 'child'
  const home = child ? (day.weekday === 4 ? 810 : 900) + 22 * random.normal() : 1035 + 28 * random.normal()
  plan.stay(between(random, 4, 12), 'hall', 'chores').until(home, null, 'away')
  if (child && random.next() < 0.35) {
    plan.stay(between(random, 30, 60), 'kids-room', 'play').stay(between(random, 70, 130), null, 'away')
  }
}

function workAtHome(plan: Draft, day: FamilyDay, random: Random): void {
  // one day a week at the firm, Tuesdays mostly
  if (day.weekday === 1 && random.next() < 0.8) {
    plan.until(490 + 10 * random.normal(), 'living-room', 'chores').until(1020, null, 'away')
    return
  }
  const lunch = 735 + 14 * random.normal()
  plan
    .until(510 + 10 * random.normal(), 'living-room', 'chores')
    .until(lunch, 'office', 'work')
    .stay(between(random, 25, 45), 'kitchen', 'eat')
  if (random.next() < 0.3) plan.stay(between(random, 20, 50), null, 'away')
  plan.until(1005 + 20 * random.normal(), 'office', 'work')
  if (random.next() < 0.4) plan.stay(between(random, 25, 70), null, 'away')
}

function weekendDay(plan: Draft, person: Person, day: FamilyDay, random: Random): void {
  const own: RoomName = person.role === 'child' ? 'kids-room' : 'living-room'
  if (person.role === 'child') plan.stay(between(random, 50, 120), 'kids-room', 'play')
  else {
    plan.stay(between(random, 25, 60), random.next() < 0.5 ? 'kitchen' : 'living-room', 'chores')
    if (day.weekday === 5 && random.next() < 0.6) plan.stay(between(random, 50, 110), null, 'away')
    plan.stay(between(random, 20, 40), random.next() < 0.4 ? 'bathroom' : 'bedroom', 'chores')
  }
  plan.until(770 + 15 * random.normal(), own, 'relax').stay(between(random, 30, 50), 'kitchen', 'eat')
  if (day.outing) {
    plan.until(850 + 3 * random.normal(), own, 'relax').until(1010 + 12 * random.normal(), null, 'away')
  } else if (person.role === 'home-worker') {
    plan.stay(between(random, 60, 150), 'office', 'play')
  }
}

function evening(plan: Draft, person: Person, day: FamilyDay, bed: RoomName, random: Random): void {
  const child = person.role === 'child'
  const own: RoomName = child ? 'kids-room' : 'living-room'
  if (person.name === day.cookName) {
    plan
      .until(day.dinner - between(random, 38, 55), 'living-room', 'relax')
      .until(day.dinner, 'kitchen', 'cook')
  } else {
    plan.until(day.dinner, own, child ? 'play' : 'relax')
  }
  plan.stay(between(random, 25, 42), 'kitchen', 'eat')
  const late = day.weekday === 4 || day.weekday === 5
  const bedtime = child
    ? (late ? 1290 : 1238) + 12 * random.normal()
    : (late ? 1420 : 1362) + 24 * random.normal()
  if (!child && random.next() < 0.25) plan.stay(between(random, 30, 70), 'office', 'work')
  if (!child && day.weekday === 5 && random.next() < 0.25)
    plan.until(1425 + 20 * random.normal(), null, 'away')
  plan
    .until(bedtime - 14, own, child ? 'play' : 'relax')
    .stay(between(random, 8, 15), 'bathroom', 'wash')
    .stay(1440, bed, 'sleep')
}

/** A stay that begins after the day is over is never seen; the first one must begin it. */
const inOrder = (stays: readonly Stay[]): readonly Stay[] =>
  stays.filter((stay) => stay.from < planDayStart + 1440)
