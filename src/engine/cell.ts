import type { Alert, Series, SeriesKey } from '../core/event.ts'
import { isDerived, targetOfDerived } from '../core/series.ts'
import { type Target, targetId } from '../core/target.ts'
import type { Domain, Scope, SiteView } from '../domains/domain.ts'
import type { ConfiguredDomain, SiteSettings } from './site-settings.ts'
import { Watcher } from './watcher.ts'

/** A series of the site and the watchers that it is a source of. */
export interface CellSeries {
  series: Series
  watchers: readonly Watcher[]
}

/** What the last process left of the targets of a site, by `targetId`. */
export interface LeftBehind {
  state(target: Target): unknown
  openAlerts(target: Target): readonly Alert[]
}

/** The domains with their settings on the site. */
export type CellSettings = Pick<SiteSettings, 'domains' | 'current'>

/** Watchers that are not used any more, and those that took the place of some of them. */
export interface Replaced {
  readonly gone: readonly Watcher[]
  readonly renewed: readonly Watcher[]
}

/** How many measured series there are, counted over all sites. */
export interface SeriesTally {
  measured: number
}

const nothing: LeftBehind = { state: () => undefined, openAlerts: () => [] }

/** One site: its series and the watchers of its targets. Removing a site drops its cell. */
export class Cell implements SiteView {
  readonly site: string
  readonly #zoneOf: (site: string) => string
  readonly #settings: CellSettings
  readonly #domains: readonly Domain[]
  readonly #byDevice = new Map<string, Map<string, CellSeries>>()
  readonly #byRoom = new Map<string, Set<CellSeries>>()
  readonly #watchers = new Map<string, Watcher>()
  readonly #tally: SeriesTally
  #measured = 0
  #left: LeftBehind = nothing

  constructor(site: string, settings: CellSettings, zoneOf: (site: string) => string, tally: SeriesTally) {
    this.site = site
    this.#tally = tally
    this.#settings = settings
    this.#domains = settings.domains.filter(({ monitor }) => monitor)
    this.#zoneOf = zoneOf
  }

  get zone(): string {
    return this.#zoneOf(this.site)
  }

  ofDevice(device: string): readonly Series[] {
    return [...(this.#byDevice.get(device)?.values() ?? [])].map(({ series }) => series)
  }

  inRoom(room: string): readonly Series[] {
    return [...(this.#byRoom.get(room) ?? [])].map(({ series }) => series)
  }

  *all(): Iterable<Series> {
    for (const metrics of this.#byDevice.values()) for (const { series } of metrics.values()) yield series
  }

  watchers(): Iterable<Watcher> {
    return this.#watchers.values()
  }

  watcher(target: Target): Watcher | undefined {
    return this.#watchers.get(targetId(target))
  }

  /** The site is removed: its series do not count any more. */
  drop(): void {
    this.#tally.measured -= this.#measured
  }

  /** Takes over the series of an earlier process, before any reading. */
  restore(series: readonly Series[], left: LeftBehind): void {
    for (const one of series) this.#add(one)
    this.#left = left
    for (const domain of this.#domains) this.#scope(domain)
    this.#left = nothing
  }

  /** The watchers of these series: those that have no other source, and the others. */
  watchersOf(keys: readonly SeriesKey[]): { readonly alone: Watcher[]; readonly others: Watcher[] } {
    const entries = new Set(keys.flatMap((key) => this.#byDevice.get(key.device)?.get(key.metric) ?? []))
    const watchers = new Set([...entries].flatMap((entry) => entry.watchers))
    const isWithin = ({ device, metric }: Series): boolean => {
      const entry = this.#byDevice.get(device)?.get(metric)
      return entry === undefined || entries.has(entry)
    }
    const isAlone = (watcher: Watcher): boolean => watcher.scope.sources.every(isWithin)
    const [alone, others] = [[...watchers].filter(isAlone), [...watchers].filter((one) => !isAlone(one))]
    return { alone, others }
  }

  /** Takes series out. Returns the watchers that are gone, and those that took the place of others. */
  remove(keys: readonly SeriesKey[]): Replaced {
    const { alone, others } = this.watchersOf(keys)
    for (const watcher of alone) this.#watchers.delete(targetId(watcher.target))
    for (const { device, metric } of keys) {
      const metrics = this.#byDevice.get(device)
      const entry = metrics?.get(metric)
      if (!metrics || !entry) continue
      metrics.delete(metric)
      if (metrics.size === 0) this.#byDevice.delete(device)
      if (entry.series.room !== undefined) this.#byRoom.get(entry.series.room)?.delete(entry)
      if (isDerived(device)) continue
      this.#measured--
      this.#tally.measured--
    }
    return { gone: [...alone, ...others], renewed: others.map((watcher) => this.#renew(watcher)) }
  }

  /** What these series hold has changed altogether: new watchers take the place of theirs. */
  renew(series: readonly Series[]): Replaced {
    for (const one of series) this.see(one)
    const { alone, others } = this.watchersOf(series)
    const gone = [...alone, ...others]
    return { gone, renewed: gone.map((watcher) => this.#renew(watcher)) }
  }

  #renew(watcher: Watcher): Watcher {
    const { target, sources } = watcher.scope
    const left = sources.filter(({ device, metric }) => this.#byDevice.get(device)?.has(metric))
    const successor = watcher.successor({ target, sources: left })
    for (const source of sources) this.#detach(source, watcher)
    this.#watchers.set(targetId(target), successor)
    for (const source of left) this.#attach(watcher.domain, source, successor)
    return successor
  }

  /**
   * The settings of a domain have changed: asks for its scopes again. Returns the watchers that remain, with new
   * monitors, and those whose targets are gone.
   */
  reconfigure(name: string): { readonly kept: readonly Watcher[]; readonly gone: readonly Watcher[] } {
    const domain = this.#domains.find((one) => one.name === name)
    if (!domain) return { kept: [], gone: [] }
    const kept = new Set(this.#scope(domain))
    const gone = [...this.#watchers.values()].filter((one) => one.domain === domain && !kept.has(one))
    for (const watcher of gone) {
      this.#watchers.delete(targetId(watcher.target))
      for (const source of watcher.scope.sources) this.#detach(source, watcher)
    }
    return { kept: [...kept], gone }
  }

  /** The watchers of all targets that the domain has, or of those that the changed series belong to. */
  #scope(domain: Domain, changed?: readonly Series[]): Watcher[] {
    const settings = this.#settings.current(domain.name, this.site)
    return [...domain.scopes(this, settings, changed)].map((scope) =>
      this.#ensure({ domain, settings }, scope),
    )
  }

  /** The series of a reading; a new one, or one whose room changed, gets its watchers. */
  see(series: Series): CellSeries {
    const known = this.#byDevice.get(series.device)?.get(series.metric)
    if (known && (series.room === undefined || series.room === known.series.room)) return known
    const changed = known ? this.#move(known, series) : [this.#add(series).series]
    for (const domain of this.#domains) this.#scope(domain, changed)
    return this.#byDevice.get(series.device)!.get(series.metric)!
  }

  #add(series: Series): CellSeries {
    const entry: CellSeries = { series, watchers: [] }
    let metrics = this.#byDevice.get(series.device)
    if (!metrics) {
      metrics = new Map()
      this.#byDevice.set(series.device, metrics)
    }
    metrics.set(series.metric, entry)
    if (!isDerived(series.device)) {
      this.#measured++
      this.#tally.measured++
    }
    this.#enter(entry)
    return entry
  }

  /** The device stands in another room now, with all its series. Returns what the targets of both rooms depend on. */
  #move(known: CellSeries, { device, room }: Series): Series[] {
    const before = known.series.room
    const moved = [...(this.#byDevice.get(device)?.values() ?? [])]
    for (const entry of moved) {
      if (entry.series.room !== undefined) this.#byRoom.get(entry.series.room)?.delete(entry)
      entry.series = { ...entry.series, ...(room === undefined ? {} : { room }) }
      this.#enter(entry)
    }
    const left = before === undefined ? [] : this.inRoom(before)
    return [...moved.map(({ series }) => series), ...left]
  }

  #enter(entry: CellSeries): void {
    const { room } = entry.series
    if (room === undefined) return
    const inside = this.#byRoom.get(room) ?? new Set()
    inside.add(entry)
    this.#byRoom.set(room, inside)
  }

  #ensure(configured: ConfiguredDomain, scope: Scope): Watcher {
    const id = targetId(scope.target)
    const known = this.#watchers.get(id)
    if (known) {
      for (const source of known.scope.sources) this.#detach(source, known)
      known.reconfigure(scope, configured.settings)
    }
    const { target } = scope
    const watcher =
      known ?? new Watcher(configured, scope, this.#left.openAlerts(target), this.#left.state(target))
    this.#watchers.set(id, watcher)
    for (const source of scope.sources) this.#attach(configured.domain, source, watcher)
    return watcher
  }

  #attach(domain: Domain, source: Series, watcher: Watcher): void {
    const entry = this.#byDevice.get(source.device)?.get(source.metric)
    // what a domain derives is no source of its own: it would feed on itself
    if (!entry || targetOfDerived(source)?.domain === domain.name) return
    if (!entry.watchers.includes(watcher)) entry.watchers = [...entry.watchers, watcher]
  }

  #detach({ device, metric }: Series, watcher: Watcher): void {
    const entry = this.#byDevice.get(device)?.get(metric)
    if (entry) entry.watchers = entry.watchers.filter((other) => other !== watcher)
  }
}
