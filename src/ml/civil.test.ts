import { describe, expect, it } from 'vitest'
import { hourMs, minuteMs } from '../core/time.ts'
import { bySlot, civilSteps, originSlot, slotsAhead } from './civil.ts'

const zone = 'Europe/Paris'
/** Clocks go back at 03:00, 2024-10-27T01:00Z, and forward at 02:00, 2025-03-30T01:00Z. */
const autumn = Date.UTC(2024, 9, 26, 22)
const spring = Date.UTC(2025, 2, 29, 23)
const slotsOf = (startMs: number, stepMs: number, count: number, of = zone): number[] => [
  ...civilSteps({ startMs, stepMs, zone: of }, count).slots,
]

describe('civil slots', () => {
  it('count steps where no clock changes, and without times', () => {
    expect(slotsOf(Date.UTC(2024, 5, 1), hourMs, 4)).toEqual([0, 1, 2, 3])
    expect([...civilSteps(undefined, 3).slots]).toEqual([0, 1, 2])
  })

  it('repeat an hour in autumn and skip one in spring', () => {
    expect(slotsOf(autumn, hourMs, 6)).toEqual([0, 1, 2, 2, 3, 4])
    expect(slotsOf(spring, hourMs, 4)).toEqual([0, 1, 3, 4])
    expect(slotsOf(autumn, 30 * minuteMs, 8)).toEqual([0, 1, 2, 3, 4, 5, 4, 5])
  })

  it('never fall below 0, also where the series begins within the repeated hour', () => {
    const startMs = autumn + 2.5 * hourMs
    const { slots, startMs: local } = civilSteps({ startMs, stepMs: 30 * minuteMs, zone }, 4)
    expect([...slots]).toEqual([1, 0, 1, 2])
    expect(new Date(local).toISOString()).toBe('2024-10-27T02:00:00.000Z')
  })

  it('start at the time of the wall clock', () => {
    const { startMs } = civilSteps({ startMs: autumn, stepMs: hourMs, zone }, 4)
    expect(new Date(startMs).toISOString()).toBe('2024-10-27T00:00:00.000Z')
  })

  it('of days do not move with the clocks', () => {
    expect(slotsOf(Date.UTC(2024, 9, 25, 22), 24 * hourMs, 4)).toEqual([0, 1, 2, 3])
  })

  it('hold the mean of what shares them, and nothing where an hour was skipped', () => {
    const slots = Int32Array.of(0, 1, 1, 3)
    expect([...bySlot(slots, Float64Array.of(1, 2, 4, 8))]).toEqual([1, 3, Number.NaN, 8])
    expect([...bySlot(slots, Float64Array.of(1, Number.NaN, 4, 8))]).toEqual([1, 4, Number.NaN, 8])
  })

  it('that a forecast covers are one more in spring, one less in autumn, and start at the earliest', () => {
    const [back, ahead] = [autumn, spring].map((startMs) =>
      Int32Array.from(slotsOf(startMs, hourMs, 30)),
    ) as [Int32Array, Int32Array]
    expect([slotsAhead(back, 0, 24), slotsAhead(ahead, 0, 24)]).toEqual([23, 25])
    const halves = Int32Array.from(slotsOf(autumn, 30 * minuteMs, 12))
    // from the second half of the hour before it is repeated on
    expect([originSlot(halves, 5, 4), slotsAhead(halves, 5, 4)]).toEqual([4, 3])
  })
})
