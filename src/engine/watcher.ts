import type { Alert, Forecast, Series } from '../core/event.ts'
import type { Reading } from '../core/reading.ts'
import { Spans } from '../core/spans.ts'
import type { Target } from '../core/target.ts'
import { dayMs } from '../core/time.ts'
import type { MonitorState, TimeSpan } from '../core/turn.ts'
import type { Domain, Effects, Monitor, Scope } from '../domains/domain.ts'
import type { ConfiguredDomain, Settings } from './site-settings.ts'

/** What a watcher saves with its monitor's own state. */
interface SavedWatcher {
  /** Timestamp of the newest reading that the monitor has seen, by `seriesName`. */
  readonly positions: readonly (readonly [string, number])[]
  readonly monitor?: unknown
  readonly heldBack: readonly Alert[]
}

/** Spans of dirty history of one target: those less than a day apart are rebuilt as one. */
const dirtyLimits = { gapMs: dayMs, most: 16 }

/** Identity of a series within its site. */
export const seriesName = ({ device, metric }: Pick<Series, 'device' | 'metric'>): string =>
  `${device}\u001f${metric}`

/**
 * One target under watch: its monitor, how far the monitor has seen each source, and its alerts.
 *
 * Alerts of history are held back: they are raised when a live reading of the target finds the condition unchanged, and
 * forgotten when it ends before. So an import raises no alert, and neither does what is replayed after a restart.
 */
export class Watcher {
  readonly domain: Domain
  readonly target: Target
  #settings: Settings
  #scope: Scope
  #monitor: Monitor
  #positions = new Map<string, number>()
  #forecast: Forecast | undefined
  readonly #open = new Map<string, Alert>()
  readonly #heldBack = new Map<string, Alert>()
  #dirty = new Spans(dirtyLimits)
  /** When a dirty span was marked last, monotonic ms. */
  dirtyAtMs = 0
  /** When its state was saved last, monotonic ms. */
  savedAtMs = Number.NEGATIVE_INFINITY
  /** Whether a row of its state is in the ledger. */
  #isSaved = false

  constructor(
    { domain, settings }: ConfiguredDomain,
    scope: Scope,
    open: readonly Alert[] = [],
    saved?: unknown,
  ) {
    this.domain = domain
    this.#settings = settings
    this.target = scope.target
    this.#scope = scope
    for (const alert of open) this.#open.set(alertKey(alert), alert)
    const state = saved as SavedWatcher | undefined
    if (state) {
      this.#isSaved = true
      this.#positions = new Map(state.positions)
      for (const alert of state.heldBack) this.#heldBack.set(alertKey(alert), alert)
    }
    // a folder from before there were states: the monitor goes on after what its alerts have seen
    else if (open.length > 0) {
      const seenTo = Math.max(...open.map(({ at }) => at))
      for (const source of scope.sources) this.#positions.set(seriesName(source), seenTo)
    }
    this.#monitor = this.#createMonitor(this.#unclosed(), state?.monitor)
  }

  get scope(): Scope {
    return this.#scope
  }

  /** The target has other sources or settings now: a new monitor goes on where the old one was. */
  reconfigure(scope: Scope, settings = this.#settings): void {
    const isSame = settings === this.#settings && hasSameSources(scope, this.#scope)
    this.#scope = scope
    this.#settings = settings
    if (isSame) return
    const saved = this.#monitor.save?.()
    this.#monitor = this.#createMonitor(this.#unclosed(), saved)
    if (this.#forecast) this.#monitor.use?.(this.#forecast)
  }

  /** One of the same target that has seen nothing: what its sources hold has changed altogether. */
  successor(scope: Scope): Watcher {
    const configured = { domain: this.domain, settings: this.#settings }
    const watcher = new Watcher(configured, scope, [...this.#open.values()])
    watcher.#isSaved = this.#isSaved
    if (this.#forecast) watcher.use(this.#forecast)
    return watcher
  }

  /** Nobody watches the target any more: its alerts, closed. */
  close(at: number): Alert[] {
    return [...this.#open.values()].map((alert) => ({ ...alert, at, until: at }))
  }

  /** Those alerts closed that are about something that is not watched any more. */
  closeWhere(isGone: (alert: Alert) => boolean, at: number): Alert[] {
    const closed = this.close(at).filter(isGone)
    for (const alert of closed) this.#open.delete(alertKey(alert))
    return closed
  }

  get wakeAt(): number {
    return this.#monitor.wakeAt
  }

  get hasPosition(): boolean {
    return this.#positions.size > 0
  }

  /** Timestamp of the newest reading seen of a source; -Infinity before the first. */
  position(series: Pick<Series, 'device' | 'metric'>): number {
    return this.#positions.get(seriesName(series)) ?? Number.NEGATIVE_INFINITY
  }

  /** Timestamp of the newest reading seen of any source. */
  get newestAt(): number {
    return Math.max(Number.NEGATIVE_INFINITY, ...this.#positions.values())
  }

  /** Passes a reading that is newer than all of its series before. Throws as the monitor does. */
  take(reading: Reading, now: number): Effects | undefined {
    this.#positions.set(seriesName(reading), reading.at)
    return this.#monitor.take(reading, now)
  }

  wake(now: number): Effects | undefined {
    return this.#monitor.take('wake', now)
  }

  use(forecast: Forecast): void {
    this.#forecast = forecast
    this.#monitor.use?.(forecast)
  }

  /**
   * The alerts to be sent, of those that the monitor raised or closed. `isLive`: of a reading that is recent, or of a
   * wake-up.
   */
  filterAlerts(alerts: readonly Alert[], isLive: boolean): Alert[] {
    const sent: Alert[] = []
    for (const alert of alerts) {
      const key = alertKey(alert)
      if (alert.until === undefined) {
        if (isLive) this.#raise(alert, sent)
        else this.#heldBack.set(key, alert)
        continue
      }
      const wasHeldBack = this.#heldBack.delete(key)
      const wasOpen = this.#open.delete(key)
      if (wasOpen || (isLive && !wasHeldBack)) sent.push(alert)
    }
    return sent
  }

  /** Alerts of history whose condition still holds, once a live reading has arrived. */
  releaseHeldBack(): Alert[] {
    if (this.#heldBack.size === 0) return []
    const sent: Alert[] = []
    for (const alert of [...this.#heldBack.values()]) this.#raise(alert, sent)
    return sent
  }

  #raise(alert: Alert, sent: Alert[]): void {
    const key = alertKey(alert)
    this.#heldBack.delete(key)
    this.#open.set(key, alert)
    sent.push(alert)
  }

  /** Derived series of this span do not agree with the readings any more. */
  markDirty(span: TimeSpan, nowMs: number): void {
    this.#dirty.add(span)
    this.dirtyAtMs = nowMs
  }

  get dirty(): Spans {
    return this.#dirty
  }

  restoreDirty(spans: readonly TimeSpan[]): void {
    this.#dirty = new Spans(dirtyLimits, spans)
  }

  /** A monitor of the same target that has seen nothing; see `replaceMonitor`. */
  freshMonitor(): Monitor {
    return this.#createMonitor([])
  }

  /** Puts a monitor in place that has seen the readings of all sources up to `positions`. */
  replaceMonitor(monitor: Monitor, positions: ReadonlyMap<string, number>): void {
    this.#monitor = monitor
    this.#positions = new Map(positions)
    if (this.#forecast) monitor.use?.(this.#forecast)
  }

  /** The state to be saved now; undefined where there is nothing to save and nothing was. */
  save(now: number): MonitorState | undefined {
    const monitor = this.#monitor.save?.()
    const isEmpty = monitor === undefined && this.#heldBack.size === 0
    if (isEmpty && !this.#isSaved) return undefined
    this.#isSaved = !isEmpty
    const { target } = this
    if (isEmpty) return { target, at: now, state: undefined }
    const state: SavedWatcher = {
      positions: [...this.#positions],
      ...(monitor === undefined ? {} : { monitor }),
      heldBack: [...this.#heldBack.values()],
    }
    return { target, at: now, state: JSON.stringify(state) }
  }

  #unclosed(): Alert[] {
    return [...this.#open.values(), ...this.#heldBack.values()]
  }

  #createMonitor(open: readonly Alert[], saved?: unknown): Monitor {
    const monitor = this.domain.monitor?.(this.#scope, this.#settings, { saved, open })
    if (!monitor) throw new Error(`The domain ${this.domain.name} has no monitor.`)
    return monitor
  }
}

function hasSameSources({ sources }: Scope, other: Scope): boolean {
  const names = new Set(other.sources.map(seriesName))
  return sources.length === names.size && sources.every((source) => names.has(seriesName(source)))
}

const alertKey = ({ rule, since }: Alert): string => `${rule}\u001f${since}`
