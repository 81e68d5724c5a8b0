import type { SeriesKey } from '../core/event.ts'
import type { ReadingFilter, WindowStore } from '../core/ports.ts'
import type { Reading } from '../core/reading.ts'
import { compareSeries, isDerived } from '../core/series.ts'

/** Which series; absent means all. */
export type SeriesFilter = Pick<ReadingFilter, 'sites' | 'device' | 'metric'>

/**
 * The newest readings of measured series, in the order of lists. The sorted series are kept and shared by all who ask;
 * they are sorted again when series come or go, which is fast where few of many are new.
 */
export class NewestReadings {
  readonly #windows: Pick<WindowStore, 'newest' | 'series'>
  #sorted: SeriesKey[] = []
  /** The list that was sorted, and how many of it. */
  #known: readonly SeriesKey[] = []
  #count = 0

  constructor(windows: Pick<WindowStore, 'newest' | 'series'>) {
    this.#windows = windows
  }

  /** Those of the given series, as they are now; at most `limit`, strictly after `after`. */
  page({ sites, device, metric }: SeriesFilter, limit: number, after?: SeriesKey): Reading[] {
    const series = this.#series()
    const wanted = sites && new Set(sites)
    const page: Reading[] = []
    for (let place = after ? firstAfter(series, after) : 0; place < series.length; place++) {
      if (page.length >= limit) break
      const key = series[place]!
      if (wanted?.has(key.site) === false) continue
      if ((device ?? key.device) !== key.device || (metric ?? key.metric) !== key.metric) continue
      const reading = this.#windows.newest(key)
      if (reading) page.push(reading)
    }
    return page
  }

  #series(): readonly SeriesKey[] {
    const { series } = this.#windows
    if (series === this.#known && series.length === this.#count) return this.#sorted
    const before = series === this.#known ? this.#sorted : []
    const fresh = series.slice(series === this.#known ? this.#count : 0)
    this.#sorted = [...before, ...fresh.filter((key) => !isDerived(key.device))].sort(compareSeries)
    this.#known = series
    this.#count = series.length
    return this.#sorted
  }
}

/** Place of the first series behind `key`. */
function firstAfter(series: readonly SeriesKey[], key: SeriesKey): number {
  let low = 0
  let high = series.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (compareSeries(series[middle]!, key) > 0) high = middle
    else low = middle + 1
  }
  return low
}
