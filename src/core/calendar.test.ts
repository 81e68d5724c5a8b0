import { describe, expect, it } from 'vitest'
import {
  addDays,
  dayHours,
  dayStart,
  isoIn,
  isZone,
  localParts,
  localToUtc,
  zoneOffsetMs,
} from './calendar.ts'

const iso = (at: number): string => new Date(at).toISOString()
const at = (text: string): number => Date.parse(text)

describe('civil days', () => {
  it.each([
    ['Europe/Paris', '2026-06-15T12:00:00Z', 24, '2026-06-14T22:00:00.000Z'],
    ['Europe/Paris', '2026-03-29T12:00:00Z', 23, '2026-03-28T23:00:00.000Z'],
    ['Europe/Paris', '2026-10-25T12:00:00Z', 25, '2026-10-24T22:00:00.000Z'],
    ['America/New_York', '2026-03-08T12:00:00Z', 23, '2026-03-08T05:00:00.000Z'],
    ['America/New_York', '2026-11-01T12:00:00Z', 25, '2026-11-01T04:00:00.000Z'],
    ['Australia/Lord_Howe', '2026-10-04T01:00:00Z', 23.5, '2026-10-03T13:30:00.000Z'],
    ['Asia/Kolkata', '2026-06-15T20:00:00Z', 24, '2026-06-15T18:30:00.000Z'],
    ['UTC', '2026-06-15T20:00:00Z', 24, '2026-06-15T00:00:00.000Z'],
  ])('in %s around %s have %d hours and begin at %s', (zone, moment, hours, start) => {
    expect(dayHours(zone, at(moment))).toBe(hours)
    expect(iso(dayStart(zone, at(moment)))).toBe(start)
  })

  it('follow each other without a hole for ten years', () => {
    let start = dayStart('Europe/Paris', at('2020-01-01T12:00:00Z'))
    for (let day = 0; day < 3653; day++) {
      const next = addDays('Europe/Paris', start, 1)
      expect(dayStart('Europe/Paris', next - 1)).toBe(start)
      expect(next - start).toBe(dayHours('Europe/Paris', start) * 3_600_000)
      start = next
    }
    expect(iso(start)).toBe('2029-12-31T23:00:00.000Z')
  })
})

describe('wall-clock times', () => {
  it('that the spring change skips lie behind the gap', () => {
    expect(iso(localToUtc('Europe/Paris', 2026, 3, 29, 2, 30))).toBe('2026-03-29T01:30:00.000Z')
  })

  it('that the autumn change repeats are the first of the two', () => {
    expect(iso(localToUtc('Europe/Paris', 2026, 10, 25, 2, 30))).toBe('2026-10-25T00:30:00.000Z')
  })

  it('come back from UTC for every hour of a year', () => {
    for (let moment = at('2026-01-01T00:00:00Z'); moment < at('2027-01-01T00:00:00Z'); moment += 3_600_000) {
      const { year, month, day, hour, minute } = localParts('America/New_York', moment)
      const back = localToUtc('America/New_York', year, month, day, hour, minute)
      // the second of the two repeated hours comes back as the first
      expect([moment, moment - 3_600_000]).toContain(back)
    }
  })

  it('of dates before zones were whole hours keep their offset', () => {
    expect(zoneOffsetMs('Asia/Kathmandu', at('2026-01-01T00:00:00Z'))).toBe(5.75 * 3_600_000)
  })

  it('carry the weekday', () => {
    expect(localParts('Europe/Paris', at('2026-11-20T23:30:00Z'))).toMatchObject({
      day: 21,
      hour: 0,
      minute: 30,
      weekday: 6,
    })
  })
})

it('knows zones by their names', () => {
  expect([isZone('Europe/Paris'), isZone('Mars/Olympus'), isZone('')]).toEqual([true, false, false])
})

describe('a moment by the clock of a zone', () => {
  it.each([
    ['Europe/Paris', '2024-10-27T00:30:00Z', '2024-10-27T02:30:00+02:00'],
    ['Europe/Paris', '2024-10-27T01:30:00Z', '2024-10-27T02:30:00+01:00'],
    ['America/St_Johns', '2024-01-01T00:00:00Z', '2023-12-31T20:30:00-03:30'],
    ['UTC', '2024-01-01T00:00:00Z', '2024-01-01T00:00:00Z'],
  ])('in %s: %s is %s', (zone, utc, local) => {
    expect(isoIn(zone, at(utc))).toBe(local)
    expect(Date.parse(isoIn(zone, at(utc)))).toBe(at(utc))
  })
})
