import { zoneOffsetMs } from '../../core/calendar.ts'
import { dayMs } from '../../core/time.ts'

/** A stretch of simulated time: it ends at `at` (UTC ms) and lasted `seconds`; the rest is the home's local clock. */
export interface Tick {
  readonly at: number
  readonly seconds: number
  /** Local days since 1970-01-01. */
  readonly day: number
  /** Minutes since local midnight by the wall clock, [0, 1440). */
  readonly minute: number
  /** 0 is Monday. */
  readonly weekday: number
}

/** What the clock on the wall shows at the end of a tick. */
export function civilTick(zone: string, at: number, seconds: number): Tick {
  const local = at + zoneOffsetMs(zone, at)
  const day = Math.floor(local / dayMs)
  // 1970-01-01 was a Thursday
  const weekday = (((day + 3) % 7) + 7) % 7
  return { at, seconds, day, minute: (local - day * dayMs) / 60_000, weekday }
}
