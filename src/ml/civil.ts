/**
 * Regular steps laid onto the wall clock. Series are kept in steps of UTC, but people live by civil time: after a change
 * of clocks "the same time yesterday" lies 23 or 25 hours back. In slots of civil time it is always the same number of
 * slots away. The slot that a spring change skips holds nothing; one that an autumn change repeats holds the mean of both.
 */
import { zoneOffsetMs } from '../core/calendar.ts'
import { dayMs } from '../core/time.ts'

/** The times of a series' steps. Their calendar is that of `zone`, else UTC. */
export interface StepTimes {
  /** UTC ms of step 0. */
  readonly startMs: number
  readonly stepMs: number
  /** IANA name. */
  readonly zone?: string
}

export interface CivilSteps {
  /** Civil slot of each step. Rises by one a step, but at changes of clocks, where it jumps ahead or back. */
  readonly slots: Int32Array
  /** Time of slot 0 on the wall clock: ms since 1970 as if the zone were UTC. 0 without times. */
  readonly startMs: number
}

/** Slots of the first `count` steps, the smallest being 0. A shift of less than half a step does not count as one. */
export function civilSteps(times: StepTimes | undefined, count: number): CivilSteps {
  const slots = new Int32Array(count)
  for (let step = 0; step < count; step++) slots[step] = step
  if (!times || count === 0) return { slots, startMs: 0 }
  const { startMs, stepMs, zone = 'UTC' } = times
  const offsetAt = (step: number): number => zoneOffsetMs(zone, startMs + step * stepMs)
  const first = offsetAt(0)
  const shift = (offsetMs: number): number => Math.round((offsetMs - first) / stepMs)
  // no zone changes its offset and back within a day
  const perDay = Math.max(1, Math.floor(dayMs / stepMs))
  let least = 0
  for (let from = 0, before = first; from < count; from += perDay) {
    const to = Math.min(count, from + perDay)
    const after = offsetAt(to)
    for (let step = from; step < to; step++) {
      slots[step]! += shift(before === after ? before : offsetAt(step))
      if (slots[step]! < least) least = slots[step]!
    }
    before = after
  }
  if (least < 0) for (let step = 0; step < count; step++) slots[step]! -= least
  return { slots, startMs: startMs + first + least * stepMs }
}

/** The values by slot: the mean of the known ones that share it, NaN where there is none. */
export function bySlot(slots: Int32Array, values: Float64Array): Float64Array {
  let length = 0
  let isPlain = true
  for (let step = 0; step < values.length; step++) {
    if (slots[step] !== step) isPlain = false
    if (slots[step]! >= length) length = slots[step]! + 1
  }
  if (isPlain) return values
  const sums = new Float64Array(length)
  const counts = new Float64Array(length)
  for (let step = 0; step < values.length; step++) {
    if (Number.isNaN(values[step]!)) continue
    sums[slots[step]!]! += values[step]!
    counts[slots[step]!]!++
  }
  return sums.map((sum, slot) => (counts[slot]! > 0 ? sum / counts[slot]! : Number.NaN))
}

/** The first slot that a forecast of the steps [origin, origin + horizon) has to cover. */
export function originSlot(slots: Int32Array, origin: number, horizon: number): number {
  let least = slots[origin]!
  for (let step = origin + 1; step < origin + horizon; step++) if (slots[step]! < least) least = slots[step]!
  return least
}

/** Slots from the first one on that a forecast of these steps has to cover: a horizon more or less the shift. */
export function slotsAhead(slots: Int32Array, origin: number, horizon: number): number {
  const first = originSlot(slots, origin, horizon)
  let most = 0
  for (let step = origin; step < origin + horizon; step++)
    if (slots[step]! - first >= most) most = slots[step]! - first + 1
  return most
}
