import { dayStartsOf } from '../core/calendar.ts'
import type { Problem } from '../core/errors.ts'
import type { Series, SeriesKey, Site } from '../core/event.ts'
import type { Clock } from '../core/ports.ts'
import type { RawReading, Reading } from '../core/reading.ts'
import { admit } from './admit.ts'

/** What the check needs to see of the engine. */
export interface CheckedEngine {
  readonly clock: Pick<Clock, 'now'>
  readonly seriesCount: number
  sites(): readonly Site[]
  findSeries(key: SeriesKey): Series | undefined
  place(reading: Reading): Reading
}

export interface CheckOptions {
  readonly defaultSite: string
  /** Zone of sites that are not known yet. */
  readonly zone: string
  readonly maxFutureMs: number
  readonly series: number
}

/** Whether the engine would take the row, without giving it the row. */
export function checkRow(engine: CheckedEngine, options: CheckOptions, raw: RawReading): Reading | Problem {
  const now = engine.clock.now()
  const zoneOf = (site: string): string => engine.sites().find(({ id }) => id === site)?.zone ?? options.zone
  const { defaultSite, maxFutureMs } = options
  const context = { now, defaultSite, maxFutureMs, dayStart: dayStartsOf(zoneOf, now) }
  const windows = {
    find: (key: SeriesKey) => engine.findSeries(key),
    newestAt: () => Number.NEGATIVE_INFINITY,
    forgetAfter: () => undefined,
  }
  return admit(raw, context, windows, { count: engine.seriesCount, limit: options.series }, engine)
}
