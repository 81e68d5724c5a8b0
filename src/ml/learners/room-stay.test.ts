import { describe, expect, test } from 'vitest'
import { hourMs } from '../../core/time.ts'
import { createRandom } from '../random.ts'
import { groupStays, longStayP, profileStays, roomStay, stayQuantileS, transitionP } from './room-stay.ts'

const second = 1_000
const hourOf = (at: number): number => (at / hourMs) % 24

describe('stays are grouped from events', () => {
  const events = [
    { room: 'kitchen', at: 0 },
    { room: 'kitchen', at: 60 * second },
    { room: 'bath', at: 90 * second },
    { room: 'kitchen', at: 100 * second },
    { room: undefined, at: 110 * second },
    { room: 'kitchen', at: 120 * second },
    { room: 'kitchen', at: 150 * second },
  ]

  test('from the first to the last event of a room, in order of time, a door between them splitting', () => {
    const stays = groupStays([...events].reverse())
    expect(stays.map(({ room, durationS, next }) => [room, durationS, next])).toEqual([
      ['kitchen', 60, 'bath'],
      ['bath', 0, 'kitchen'],
      ['kitchen', 0, 'kitchen'],
      ['kitchen', 30, undefined],
    ])
  })

  test('the last stay runs to now, so that somebody who lies still is seen', () => {
    expect(groupStays(events, 1_000 * second).at(-1)!.durationS).toBe(880)
  })

  test('nobody is in a room after the door, so nothing runs to now', () => {
    expect(groupStays(events.slice(0, 5), 1_000 * second).at(-1)!.durationS).toBe(0)
  })
})

describe('a profile', () => {
  const random = createRandom(4)
  // nights of about eight hours in the bedroom, naps of about half an hour, ten minutes in the bath
  const stays = Array.from({ length: 60 }, (_, day) => [
    { room: 'bedroom', hour: 22, durationS: 28_800 + 600 * random.normal(), next: 'bath' },
    { room: 'bath', hour: 7, durationS: 600 + 60 * random.normal(), next: 'kitchen' },
    {
      room: 'bedroom',
      hour: 14,
      durationS: 1_800 + 60 * random.normal(),
      next: day % 10 === 0 ? 'bath' : 'kitchen',
    },
  ])
    .flat()
    .map(({ hour, ...stay }) => ({ ...stay, since: hour * hourMs, until: hour * hourMs }))
  const profile = profileStays(stays, hourOf)

  test('has the mean and the sample standard deviation of the home care hub', () => {
    const small = profileStays(
      [10, 20, 60].map((durationS) => ({ room: 'hall', since: 0, until: 0, durationS, next: undefined })),
      hourOf,
    )
    expect(small['hall']).toMatchObject({ count: 3, meanS: 30 })
    expect(small['hall']!.stdS).toBeCloseTo(Math.sqrt((400 + 100 + 900) / 2), 12)
    const single = profileStays([{ room: 'hall', since: 0, until: 0, durationS: 5, next: undefined }], hourOf)
    expect(single['hall']!.stdS).toBe(0)
  })

  test('eight hours in bed are usual at night and not after lunch', () => {
    expect(longStayP(profile, 'bedroom', 22, 28_800)).toBeGreaterThan(0.3)
    expect(longStayP(profile, 'bedroom', 14, 28_800)).toBeLessThan(0.02)
    expect(stayQuantileS(profile, 'bedroom', 14, 0.5)).toBeCloseTo(1_800, -2)
  })

  test('an hour with too few stays is judged by all hours', () => {
    expect(longStayP(profile, 'bath', 3, 600)).toBe(longStayP(profile, 'bath', 7, 600))
  })

  test('a way that was never taken is rarer than a rare one', () => {
    expect(transitionP(profile, 'bath', 'kitchen')).toBeCloseTo(1, 12)
    expect(transitionP(profile, 'bath', 'street')).toBe(1 / 61)
    expect(profile['bedroom']!.next['bath']).toBeCloseTo(66 / 120, 12)
  })

  test('of a room that was never seen nothing is said', () => {
    expect(longStayP(profile, 'attic', 12, 1e9)).toBe(1)
    expect(transitionP(profile, 'attic', 'bath')).toBe(1)
    expect(stayQuantileS(profile, 'attic', 12, 0.5)).toBeNaN()
  })
})

test('as a learner, a stay that is too long scores above usual ones', () => {
  const random = createRandom(8)
  const rows = 400
  const room = Float64Array.from({ length: rows }, () => random.below(3))
  const durationS = room.map((code) => (100 + 1_000 * code) * (1 + 0.1 * random.normal()))
  const frame = { rows, names: ['room', 'durationS'], columns: [room, durationS] }
  const model = roomStay.fit(frame, undefined)
  const scores = model.predict({
    rows: 2,
    names: ['room', 'durationS'],
    columns: [Float64Array.of(0, 2), Float64Array.of(2_100, 2_100)],
  })
  expect(scores[0]).toBeGreaterThan(scores[1]! + 0.5)
})
