import { idOf, type Reading, type SeriesKey } from '../api/types.ts'
import { dropSite, type Live, mergeReadings } from './merge.ts'

type Listener = () => void

/** How often the page may change, ms: fast enough to feel live, slow enough to read. */
const flushMs = 200

/**
 * Newest readings by series. A cell listens to its own series only, so a busy hub redraws what changed and no more.
 */
export class LiveStore {
  readonly #map = new Map<string, Live>()
  readonly #bySeries = new Map<string, Set<Listener>>()
  readonly #any = new Set<Listener>()
  readonly #watchers = new Map<string, Set<(reading: Reading) => void>>()
  readonly #pending = new Set<string>()
  #timer: ReturnType<typeof setTimeout> | undefined
  #version = 0
  #skewMs = 0

  get(id: string): Live | undefined {
    return this.#map.get(id)
  }

  all(): IterableIterator<Live> {
    return this.#map.values()
  }

  /** Grows with every change that was told to listeners. */
  get version(): number {
    return this.#version
  }

  /** The hub's clock, UTC ms: ages are right also where the browser's clock is wrong. */
  now(): number {
    return Date.now() + this.#skewMs
  }

  setHubTime(at: number): void {
    const skewMs = at - Date.now()
    this.#skewMs = Math.abs(skewMs) < 2000 ? 0 : skewMs
  }

  /** Returns whether a series is new to the page. */
  take(readings: readonly Reading[]): boolean {
    if (this.#watchers.size > 0) this.#tellWatchers(readings)
    const { changed, grown } = mergeReadings(this.#map, readings)
    this.#announce(changed)
    return grown
  }

  removeSeries(series: readonly SeriesKey[]): void {
    this.#announce(new Set(series.map(idOf).filter((id) => this.#map.delete(id))))
  }

  removeSite(site: string): void {
    this.#announce(dropSite(this.#map, site))
  }

  subscribe(id: string, listener: Listener): () => void {
    const listeners = this.#bySeries.get(id) ?? new Set()
    this.#bySeries.set(id, listeners.add(listener))
    return () => {
      listeners.delete(listener)
      if (listeners.size === 0) this.#bySeries.delete(id)
    }
  }

  subscribeAny(listener: Listener): () => void {
    this.#any.add(listener)
    return () => this.#any.delete(listener)
  }

  /** Every reading of one series as it comes, none left out; for charts. */
  watch(id: string, watcher: (reading: Reading) => void): () => void {
    const watchers = this.#watchers.get(id) ?? new Set()
    this.#watchers.set(id, watchers.add(watcher))
    return () => {
      watchers.delete(watcher)
      if (watchers.size === 0) this.#watchers.delete(id)
    }
  }

  #tellWatchers(readings: readonly Reading[]): void {
    for (const reading of readings) {
      for (const watcher of this.#watchers.get(idOf(reading)) ?? []) watcher(reading)
    }
  }

  #announce(ids: Set<string>): void {
    if (ids.size === 0) return
    for (const id of ids) this.#pending.add(id)
    this.#timer ??= setTimeout(() => this.#flush(), flushMs)
  }

  #flush(): void {
    this.#timer = undefined
    this.#version++
    for (const id of this.#pending) for (const listener of this.#bySeries.get(id) ?? []) listener()
    this.#pending.clear()
    for (const listener of this.#any) listener()
  }
}
