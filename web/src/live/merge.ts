import { idOf, type Reading } from '../api/types.ts'
import { isState } from '../format/words.ts'

/** The newest reading of a series, and how often it spoke while this page watched. */
export interface Live {
  readonly reading: Reading
  /** Running mean of the time between readings, ms; absent until two were seen. */
  readonly intervalMs?: number
}

const minuteMs = 60_000
const hourMs = 60 * minuteMs

/**
 * Takes readings into the map: the newest per series by its own time wins, late ones are passed over.
 * Returns the ids that changed, and whether a series was seen for the first time.
 */
export function mergeReadings(
  map: Map<string, Live>,
  readings: readonly Reading[],
): { changed: Set<string>; grown: boolean } {
  const changed = new Set<string>()
  let grown = false
  for (const reading of readings) {
    const id = idOf(reading)
    const was = map.get(id)
    if (was && was.reading.at > reading.at) continue
    if (was && was.reading.at === reading.at && was.reading.value === reading.value) continue
    map.set(id, next(was, reading))
    changed.add(id)
    grown ||= was === undefined
  }
  return { changed, grown }
}

/** Takes a site out; returns the ids that went. */
export function dropSite(map: Map<string, Live>, site: string): Set<string> {
  const gone = new Set<string>()
  for (const [id, { reading }] of map) if (reading.site === site) gone.add(id)
  for (const id of gone) map.delete(id)
  return gone
}

/**
 * Whether a series has fallen silent. Known pace: five intervals and at least a minute. Unknown: two hours for
 * quantities (hourly meters are fine), two days for states and batteries, which speak only when they change.
 */
export function isStale({ reading, intervalMs }: Live, now: number): boolean {
  const age = now - reading.at
  if (isState(reading.metric, reading.unit) || reading.metric === 'battery') return age > 48 * hourMs
  return age > (intervalMs === undefined ? 2 * hourMs : Math.max(minuteMs, 5 * intervalMs))
}

function next(was: Live | undefined, reading: Reading): Live {
  const step = was ? reading.at - was.reading.at : 0
  if (!was || step <= 0) {
    return was?.intervalMs === undefined ? { reading } : { reading, intervalMs: was.intervalMs }
  }
  // a first step may span a gap before the page was open: long ones do not count as a pace
  if (was.intervalMs === undefined) return step > 2 * hourMs ? { reading } : { reading, intervalMs: step }
  return { reading, intervalMs: was.intervalMs + (step - was.intervalMs) / 8 }
}
