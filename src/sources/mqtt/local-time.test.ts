import { expect, it } from 'vitest'
import { localTime } from './local-time.ts'

const utc = (text: string): number => Date.parse(text)
const late = utc('2027-01-01T00:00:00Z')

it.each([
  ['2026-11-30T00:00:57', 'America/New_York', '2026-11-30T05:00:57.000Z'],
  ['2026-11-30 00:00:57.25', 'America/New_York', '2026-11-30T05:00:57.250Z'],
  ['2026-11-30T00:00', 'Asia/Kolkata', '2026-11-29T18:30:00.000Z'],
  ['2026-11-30', 'Europe/Athens', '2026-11-29T22:00:00.000Z'],
  // skipped by the spring change
  ['2026-03-29T02:30:00', 'Europe/Berlin', '2026-03-29T01:30:00.000Z'],
])('a local time without an offset: %s in %s', (text, zone, expected) => {
  expect(new Date(Number(localTime(text, zone, late))).toISOString()).toBe(expected)
})

it.each([
  ['in the first of the two hours', '2026-10-25T00:30:05Z', '2026-10-25T00:30:00.000Z'],
  ['in the second of the two hours', '2026-10-25T01:30:05Z', '2026-10-25T01:30:00.000Z'],
  ['long afterwards', '2026-10-26T00:00:00Z', '2026-10-25T00:30:00.000Z'],
])('a repeated local time that arrives %s', (_when, now, expected) => {
  expect(new Date(Number(localTime('2026-10-25T02:30:00', 'Europe/Berlin', utc(now)))).toISOString()).toBe(
    expected,
  )
})

it.each([
  '2026-11-30T00:00:57Z',
  '2026-11-30T00:00:57+02:00',
  '00:00:57',
  1_700_000_000_000,
  '2026-02-30T00:00:00',
  '2026-11-30T24:10:00',
  undefined,
])('a time that is no local one is left to the parser: %s', (value) => {
  expect(localTime(value, 'America/New_York', late)).toBe(value)
})
