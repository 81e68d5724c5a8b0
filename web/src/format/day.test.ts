import { describe, expect, test } from 'vitest'
import { dayOf, endOfDay, momentOf, startOfDay } from './day.ts'

const hourMs = 3_600_000

describe('a civil day', () => {
  test.each([
    ['2026-03-29', 'Europe/Berlin', '2026-03-28T23:00:00Z', 23],
    ['2026-10-25', 'Europe/Berlin', '2026-10-24T22:00:00Z', 25],
    ['2026-06-01', 'Europe/Berlin', '2026-05-31T22:00:00Z', 24],
    ['2026-06-01', 'UTC', '2026-06-01T00:00:00Z', 24],
    ['2026-06-01', 'Asia/Kathmandu', '2026-05-31T18:15:00Z', 24],
    ['2026-06-01', 'Pacific/Kiritimati', '2026-05-31T10:00:00Z', 24],
    ['2026-06-01', 'Pacific/Pago_Pago', '2026-06-01T11:00:00Z', 24],
    // its clocks went from midnight to one
    ['2018-11-04', 'America/Sao_Paulo', '2018-11-04T03:00:00Z', 23],
  ])('%s in %s begins at %s and has %d h', (day, zone, start, hours) => {
    const from = startOfDay(day, zone)
    expect(from).toBe(Date.parse(start))
    expect(((endOfDay(day, zone) ?? 0) - (from ?? 0)) / hourMs).toBe(hours)
  })

  test.each(['', '2026-02-30', '29.3.2026', '2026-3-1'])('is not "%s"', (text) => {
    expect(startOfDay(text, 'Europe/Berlin')).toBeUndefined()
    expect(endOfDay(text, 'Europe/Berlin')).toBeUndefined()
  })

  test('is told of a moment in the zone of the site', () => {
    expect(dayOf(Date.UTC(2026, 4, 31, 22), 'Europe/Berlin')).toBe('2026-06-01')
  })
})

describe('a moment of a field', () => {
  test.each([
    ['2026-03-28T22:30', Date.UTC(2026, 2, 28, 21, 30)],
    ['2026-03-29T01:59', Date.UTC(2026, 2, 29, 0, 59)],
    ['2026-03-29T03:00', Date.UTC(2026, 2, 29, 1, 0)],
    ['2026-03-29T12:00:30', Date.UTC(2026, 2, 29, 10, 0, 30)],
    ['2026-10-25T12:00', Date.UTC(2026, 9, 25, 11, 0)],
    ['2026-03-28', undefined],
    ['2026-02-30T10:00', undefined],
    ['', undefined],
  ])('%s in Berlin is %d', (text, at) => {
    expect(momentOf(text, 'Europe/Berlin')).toBe(at)
  })
})
