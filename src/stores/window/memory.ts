import type { Series, SeriesKey } from '../../core/event.ts'
import type { WindowStore } from '../../core/ports.ts'
import type { Reading } from '../../core/reading.ts'
import { SeriesMap } from '../../core/series.ts'
import { Window } from '../../core/window.ts'

interface Entry {
  series: Series
  readonly window: Window
}

/** Windows in this process's memory: `capacity` readings a series (16 bytes each). */
export function createMemoryWindows(options: { readonly capacity: number }): WindowStore {
  const entries = new SeriesMap<Entry>()
  let series: SeriesKey[] = []
  const keepKnown = (): void => {
    series = series.filter((key) => entries.get(key) !== undefined)
  }

  return {
    push(reading) {
      let entry = entries.get(reading)
      if (!entry) {
        entry = { series: toSeries(reading), window: new Window(options.capacity) }
        entries.set(reading, entry)
        const { site, device, metric } = reading
        series.push({ site, device, metric })
      }
      const changed = entry.window.push(reading.at, reading.value)
      if (reading.at === entry.window.newestAt && isNews(entry.series, reading)) {
        entry.series = toSeries(reading, entry.series.room)
      }
      return changed
    },
    get(key) {
      return entries.get(key)?.window.columns() ?? { at: new Float64Array(0), value: new Float64Array(0) }
    },
    forgetAfter: (key, at) => entries.get(key)?.window.forgetAfter(at),
    newestAt: (key) => entries.get(key)?.window.newestAt ?? Number.NEGATIVE_INFINITY,
    *latest() {
      for (const entry of entries.values()) yield newestOf(entry)
    },
    newest(key) {
      const entry = entries.get(key)
      return entry && newestOf(entry)
    },
    get series() {
      return series
    },
    find: (key: SeriesKey) => entries.get(key)?.series,
    get size() {
      return entries.size
    },
    removeSite(site) {
      entries.removeSite(site)
      keepKnown()
    },
    removeSeries(removed) {
      for (const key of removed) entries.delete(key)
      keepKnown()
    },
    setRoom(site, device, room) {
      for (const entry of entries.values()) {
        const { series } = entry
        if (series.site === site && series.device === device) entry.series = { ...series, room }
      }
    },
  }
}

function newestOf({ series, window }: Entry): Reading {
  // as one literal: spreading costs five times as much, and there may be tens of thousands
  const { site, device, metric, unit, room } = series
  const [value, at] = [window.newestValue, window.newestAt]
  return room === undefined
    ? { site, device, metric, unit, value, at }
    : { site, device, metric, unit, room, value, at }
}

const isNews = (known: Series, reading: Reading): boolean =>
  known.unit !== reading.unit || (reading.room !== undefined && known.room !== reading.room)

function toSeries(reading: Reading, knownRoom?: string): Series {
  const { site, device, metric, unit } = reading
  const room = reading.room ?? knownRoom
  return room === undefined ? { site, device, metric, unit } : { site, device, metric, unit, room }
}
