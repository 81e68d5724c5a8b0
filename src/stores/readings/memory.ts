import { type DeviceChange, hiddenBy, hiddenKey, type Removal } from '../../core/device.ts'
import type { Rollup, Series, SeriesKey } from '../../core/event.ts'
import type {
  Columns,
  ReadingFilter,
  ReadingPosition,
  ReadingStore,
  SeriesColumns,
} from '../../core/ports.ts'
import { type Reading, requireStorable } from '../../core/reading.ts'
import { compareSeries, isDerived, SeriesMap } from '../../core/series.ts'
import { hourMs } from '../../core/time.ts'

interface Kept {
  series: Series
  readonly values: Map<number, number>
  /** Hours whose readings were removed; later readings of such an hour do not change it. */
  readonly closed: Map<number, Rollup>
}

/**
 * Readings in memory: the plain version, for short-lived hubs and as what the durable stores are compared with.
 * Nothing is left when the process ends.
 */
export function createMemoryReadings(): ReadingStore {
  const kept = new SeriesMap<Kept>()
  let last = 0

  const shown = (): Kept[] => [...kept.values()].filter(({ series }) => !hiddenBy(series.device))
  const sorted = (): Kept[] => shown().sort((a, b) => compareSeries(a.series, b.series))

  return {
    async open() {},
    async append(readings, position) {
      requireStorable(readings)
      for (const reading of readings) put(kept, reading)
      if (position !== undefined) last = position
    },
    async position() {
      return last
    },
    async read(filter, limit, after) {
      const found = shown()
        .filter(({ series }) => matches(filter, series))
        .flatMap((one) => readingsOf(one, filter.from, filter.to))
        .filter((reading) => after === undefined || compareReadings(reading, after) > 0)
      return found.sort(compareReadings).slice(0, Math.max(0, limit))
    },
    async newest(perSeries, only) {
      const wanted = sorted().filter(({ series }) => isNamed(series, only))
      return wanted.flatMap((one) => (perSeries > 0 ? readingsOf(one).slice(-perSeries) : []))
    },
    async *scan(key, from, to): AsyncGenerator<Columns> {
      const columns = columnsOf(kept.get(key), from, to)
      if (columns) yield columns
    },
    async *scanMany(keys, from, to): AsyncGenerator<SeriesColumns> {
      const wanted = new SeriesMap<SeriesKey>()
      for (const key of keys) wanted.set(key, key)
      for (const { site, device, metric } of [...wanted.values()].sort(compareSeries)) {
        const series = { site, device, metric }
        const columns = columnsOf(kept.get(series), from, to)
        if (columns) yield { series, ...columns }
      }
    },
    async rollups(key, from, to) {
      const one = kept.get(key)
      if (!one) return []
      const hours = new Map([...hoursOf(one), ...one.closed])
      return [...hours.values()].filter(({ at }) => at >= from && at < to).sort((a, b) => a.at - b.at)
    },
    async series() {
      return sorted().map((one) => one.series)
    },
    async stats() {
      let readings = 0
      for (const one of shown()) readings += one.values.size
      return { readings, bytes: 0 }
    },
    async removeSite(site) {
      kept.removeSite(site)
    },
    async change(change, position) {
      applyChange(kept, change)
      if (position !== undefined) last = position
    },
    async maintain(keepFrom) {
      if (keepFrom === undefined) return
      const before = hourStart(keepFrom)
      for (const one of kept.values()) if (!isDerived(one.series.device)) closeHours(one, before)
    },
    async close() {},
  }
}

function put(all: SeriesMap<Kept>, reading: Reading): void {
  const { site, device, metric, unit, at, value } = reading
  const known = all.get(reading)
  const room = reading.room ?? known?.series.room
  const series = { site, device, metric, unit, ...(room === undefined ? {} : { room }) }
  if (known) known.series = series
  else all.set(reading, { series, values: new Map(), closed: new Map() })
  all.get(reading)!.values.set(at, value)
}

const isNamed = (series: SeriesKey, only: readonly SeriesKey[] | undefined): boolean =>
  only === undefined || only.some((key) => compareSeries(key, series) === 0)

/** As the store on disk does it; see `duckdb-change.ts`. */
function applyChange(kept: SeriesMap<Kept>, change: DeviceChange): void {
  if (change.kind === 'edited') {
    const { site, id, room } = change.device
    for (const one of kept.values()) {
      const isOwn = one.series.site === site && one.series.device === id
      if (isOwn && room !== undefined) one.series = { ...one.series, room }
    }
    return
  }
  const { removal } = change
  const hidden = [...kept.values()].filter(({ series }) => hiddenBy(series.device)?.removal === removal.id)
  if (change.kind === 'removed' && hidden.length === 0) hide(kept, removal)
  if (change.kind === 'restored' && hidden.length > 0) restore(kept, hidden, removal)
  if (change.kind === 'erased') for (const { series } of hidden) kept.delete(series)
}

function hide(kept: SeriesMap<Kept>, removal: Removal): void {
  for (const { key, into } of removal.series) {
    const from = kept.get(key)
    if (!from) continue
    const target = into && kept.get(into)
    if (into) {
      const { unit } = (target ?? from).series
      const series = target?.series ?? { ...into, unit }
      const both = [from, ...(target ? [target] : [])]
      kept.set(into, {
        series,
        values: new Map(both.flatMap(({ values }) => [...values])),
        closed: new Map(both.flatMap(({ closed }) => [...closed])),
      })
    }
    if (target) rename(kept, { ...target }, hiddenKey(target.series, removal.id))
    kept.delete(key)
    rename(kept, from, hiddenKey(key, removal.id))
  }
}

function restore(kept: SeriesMap<Kept>, hidden: readonly Kept[], removal: Removal): void {
  for (const { into } of removal.series) if (into) kept.delete(into)
  for (const one of hidden) {
    const device = hiddenBy(one.series.device)?.name ?? one.series.device
    const key = { ...one.series, device }
    if (removal.into !== undefined && device === removal.device)
      takeOutShadow(kept, one, removal, removal.into)
    const fresh = kept.get(key)
    for (const [at, value] of fresh?.values ?? []) one.values.set(at, value)
    for (const [at, hour] of fresh?.closed ?? []) one.closed.set(at, hour)
    kept.delete(one.series)
    rename(kept, one, key)
  }
}

/** What the device began to measure after it was merged. */
function takeOutShadow(
  kept: SeriesMap<Kept>,
  { series, values }: Kept,
  removal: Removal,
  into: string,
): void {
  const { site, metric } = series
  if (removal.series.some(({ key }) => key.device === removal.device && key.metric === metric)) return
  const mixed = kept.get({ site, device: into, metric })
  if (!mixed) return
  for (const [at, value] of values) if (mixed.values.get(at) === value) mixed.values.delete(at)
  if (mixed.values.size === 0) kept.delete(mixed.series)
}

function rename(kept: SeriesMap<Kept>, one: Kept, { site, device, metric }: SeriesKey): void {
  one.series = { ...one.series, site, device, metric }
  kept.set(one.series, one)
}

const hourStart = (at: number): number => Math.floor(at / hourMs) * hourMs

function matches(filter: ReadingFilter, series: SeriesKey): boolean {
  if (filter.sites && !filter.sites.includes(series.site)) return false
  if (filter.device !== undefined && filter.device !== series.device) return false
  return filter.metric === undefined || filter.metric === series.metric
}

const compareReadings = (a: ReadingPosition, b: ReadingPosition): number => a.at - b.at || compareSeries(a, b)

/** Oldest first, in [from, to). */
function readingsOf(one: Kept, from = -Infinity, to = Infinity): Reading[] {
  const { site, device, metric, unit, room } = one.series
  return [...one.values]
    .filter(([at]) => at >= from && at < to)
    .sort(([a], [b]) => a - b)
    .map(([at, value]) => ({
      site,
      device,
      metric,
      value,
      unit,
      at,
      ...(room === undefined ? {} : { room }),
    }))
}

function columnsOf(one: Kept | undefined, from: number, to: number): Columns | undefined {
  const readings = one ? readingsOf(one, from, to) : []
  if (readings.length === 0) return undefined
  return {
    at: Float64Array.from(readings, (reading) => reading.at),
    value: Float64Array.from(readings, (reading) => reading.value),
  }
}

/** Removes the readings before `before`, and keeps their hours. */
function closeHours(one: Kept, before: number): void {
  for (const [at, hour] of hoursOf(one)) {
    if (at < before && !one.closed.has(at)) one.closed.set(at, hour)
  }
  for (const at of [...one.values.keys()]) if (at < before) one.values.delete(at)
}

function hoursOf(one: Kept): Map<number, Rollup> {
  const hours = new Map<number, Rollup>()
  for (const { at, value } of readingsOf(one)) {
    const hour = hourStart(at)
    const so = hours.get(hour) ?? {
      at: hour,
      count: 0,
      min: value,
      max: value,
      mean: 0,
      first: value,
      last: value,
    }
    const count = so.count + 1
    hours.set(hour, {
      at: hour,
      count,
      min: Math.min(so.min, value),
      max: Math.max(so.max, value),
      mean: so.mean + (value - so.mean) / count,
      first: so.first,
      last: value,
    })
  }
  return hours
}
