import { describe, expect, it, test } from 'vitest'
import { localParts, localToUtc, zoneOffsetMs } from '../core/calendar.ts'
import { dayMs } from '../core/time.ts'
import { nextRun } from './cron.ts'

function* runs(expression: string, zone: string, from: number, to: number): Generator<number> {
  for (
    let at = nextRun(expression, zone, from - 1);
    at !== undefined && at < to;
    at = nextRun(expression, zone, at)
  ) {
    yield at
  }
}

const dayOf = (zone: string, at: number): string => {
  const { year, month, day } = localParts(zone, at)
  return `${year}-${month}-${day}`
}

/** Civil days of two years and, of each, the moment that a wall clock shows `hour:minute`, by our own calendar. */
function wallClock(zone: string, hour: number, minute: number): Map<string, number> {
  const days = new Map<string, number>()
  for (let day = 1; day <= 731; day++) {
    const noon = localToUtc(zone, 2027, 1, day, 12)
    if (localParts(zone, noon).year > 2028) break
    const { year, month, day: date } = localParts(zone, noon)
    days.set(dayOf(zone, noon), localToUtc(zone, year, month, date, hour, minute))
  }
  return days
}

const zones = [
  ...['Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'UTC'],
  // these change their clocks at midnight
  ...['Africa/Cairo', 'America/Santiago'],
]

describe.each(zones)('in %s over two years', (zone) => {
  const from = localToUtc(zone, 2027, 1, 1)
  const to = localToUtc(zone, 2029, 1, 1)

  it.each([
    [2, 0],
    [1, 30],
    [2, 30],
    [0, 0],
    [1, 45],
    [23, 59],
  ])('a daily job at %i:%i fires once per civil day, at that time where the day has it', (hour, minute) => {
    const expected = wallClock(zone, hour, minute)
    const fired = [...runs(`${minute} ${hour} * * *`, zone, from, to)]
    expect(fired.map((at) => dayOf(zone, at))).toEqual([...expected.keys()])
    for (const at of fired) {
      const parts = localParts(zone, at)
      if (parts.hour === hour && parts.minute === minute) expect(at).toBe(expected.get(dayOf(zone, at)))
      // the day does not have that time: its clock jumps over it, to this moment
      else {
        expect(parts.hour * 60 + parts.minute).toBeGreaterThan(hour * 60 + minute)
        expect(zoneOffsetMs(zone, at)).toBeGreaterThan(zoneOffsetMs(zone, at - 1))
      }
    }
  })
})

test.each(['2027-03-28', '2027-10-31'])('an hourly job runs on evenly through the change of %s', (day) => {
  const noon = Date.parse(`${day}T12:00:00Z`)
  const fired = [...runs('0 * * * *', 'Europe/Berlin', noon - dayMs, noon + dayMs)]
  expect(fired).toEqual(Array.from({ length: 48 }, (_, hour) => noon - dayMs + hour * 3_600_000))
})

test('a time that does not exist comes with the end of the gap', () => {
  const eve = Date.parse('2027-03-27T12:00:00Z')
  expect(nextRun('0 2 * * *', 'Europe/Berlin', eve)).toBe(Date.parse('2027-03-28T01:00:00Z'))
  expect(nextRun('30 2 * * *', 'Europe/Berlin', eve)).toBe(Date.parse('2027-03-28T01:00:00Z'))
})

test('a time that comes twice fires the first time', () => {
  const eve = Date.parse('2027-10-30T12:00:00Z')
  const first = Date.parse('2027-10-31T00:00:00Z')
  expect(nextRun('0 2 * * *', 'Europe/Berlin', eve)).toBe(first)
  expect(nextRun('0 2 * * *', 'Europe/Berlin', first)).toBe(first + 25 * 3_600_000)
})

test('a list of times is like several daily ones', () => {
  const days = [Date.parse('2027-10-30T12:00:00Z'), Date.parse('2027-11-01T00:00:00Z')] as const
  expect(
    [...runs('30 2,14 * * *', 'Europe/Berlin', ...days)].map((at) => new Date(at).toISOString()),
  ).toEqual(['2027-10-30T12:30:00.000Z', '2027-10-31T00:30:00.000Z', '2027-10-31T13:30:00.000Z'])
})

test('the next run lies strictly after the moment given', () => {
  const two = Date.parse('2027-06-01T02:00:00Z')
  expect(nextRun('0 2 * * *', 'UTC', two - 1)).toBe(two)
  expect(nextRun('0 2 * * *', 'UTC', two)).toBe(two + dayMs)
  expect(nextRun('0 2 * * *', 'UTC', two + 500)).toBe(two + dayMs)
})

test('what never fires has no next run', () => {
  expect(nextRun('0 2 30 2 *', 'UTC', 0)).toBeUndefined()
})

test.each([
  ['0 2 * *', 'five fields'],
  ['0 0 2 * * *', 'five fields'],
  ['@daily', 'five fields'],
  ['2027-01-01T00:00:00', 'five fields'],
  ['', 'five fields'],
  ['0 25 * * *', 'invalid value for hour: 25'],
  ['x 2 * * *', 'cannot be read'],
  ['*/0 * * * *', 'cannot be read'],
])('the expression "%s" is refused by name', (expression, why) => {
  expect(() => nextRun(expression, 'UTC', 0)).toThrow(
    expect.objectContaining({ code: 'data_invalid', message: expect.stringContaining(`"${expression}"`) }),
  )
  expect(() => nextRun(expression, 'UTC', 0)).toThrow(why)
})

test('an unknown zone is refused by name', () => {
  expect(() => nextRun('0 2 * * *', 'Europe/Nowhere', 0)).toThrow('There is no time zone "Europe/Nowhere".')
})
