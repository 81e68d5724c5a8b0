import { zoneOffsetMs } from '../../core/calendar.ts'
import { dayMs } from '../../core/time.ts'

/** Whether the rows of a file run forward in time or, newest first, backward. */
export type Direction = 'forward' | 'backward'

/**
 * Wall time to UTC over the changes of the clocks. The hour that spring skips is no time (undefined). The hour that
 * autumn repeats is told apart by order: once a series does not move on any more in the direction of the file, its other
 * pass has begun. A file that is newest first has the second pass first.
 */
export function wallClock(
  zone: string,
  direction: Direction,
): {
  toUtc: (wall: number, series: string) => number | undefined
  restartable: () => boolean
} {
  const backward = direction === 'backward'
  const repeated = new Map<string, { wall: number; turned: boolean }>()
  /** The span of wall time around the last time asked for in which the offset stays the same. */
  const steady = { from: 1, to: 0, offset: zoneOffsetMs(zone, 0) }
  const toUtc = (wall: number, series: string): number | undefined => {
    if (wall >= steady.from && wall < steady.to) {
      if (repeated.size > 0) repeated.clear()
      return wall - steady.offset
    }
    const before = zoneOffsetMs(zone, wall - dayMs)
    const after = zoneOffsetMs(zone, wall + dayMs)
    if (before === after) {
      if (repeated.size > 0) repeated.clear()
      remember(wall, before)
      return wall - before
    }
    const first = zoneOffsetMs(zone, wall - before) === before ? wall - before : undefined
    const second = zoneOffsetMs(zone, wall - after) === after ? wall - after : undefined
    if (first === undefined || second === undefined) return first ?? second
    const last = repeated.get(series)
    const turns = last !== undefined && (backward ? wall >= last.wall : wall <= last.wall)
    const turned = turns || last?.turned === true
    repeated.set(series, { wall, turned })
    return turned === backward ? first : second
  }
  /** A day before and behind which nothing changes is steady as a whole. */
  const remember = (wall: number, offset: number): void => {
    const from = Math.floor(wall / dayMs) * dayMs
    if (zoneOffsetMs(zone, from - dayMs) !== offset || zoneOffsetMs(zone, from + 2 * dayMs) !== offset) return
    steady.from = from
    steady.to = from + dayMs
    steady.offset = offset
  }
  return { toUtc, restartable: () => repeated.size === 0 }
}
