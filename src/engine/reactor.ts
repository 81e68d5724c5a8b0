import type { Alert, Forecast, Series, SeriesKey } from '../core/event.ts'
import type { Clock, Log, WindowStore } from '../core/ports.ts'
import { isStorable, type Reading } from '../core/reading.ts'
import { findUnstorable } from '../core/storable.ts'
import type { Target } from '../core/target.ts'
import { hourMs } from '../core/time.ts'
import type { DirtySpans, MonitorState, Turn } from '../core/turn.ts'
import type { Effects } from '../domains/domain.ts'
import { Cell, type CellSettings, type LeftBehind, type Replaced } from './cell.ts'
import type { Counters } from './counters.ts'
import { WakeQueue } from './wake-queue.ts'
import type { Watcher } from './watcher.ts'

export interface ReactorParts {
  readonly settings: CellSettings
  readonly windows: WindowStore
  readonly zoneOf: (site: string) => string
  readonly counters: Counters
  readonly clock: Clock
  readonly log: Log
  /** A span of a target was marked dirty. */
  readonly onDirty?: () => void
}

export interface ReactorOptions {
  /** How old a reading may be to raise alerts, ms. */
  readonly liveWithinMs: number
}

/** Monitor states of one turn at most: saving is spread over turns. */
const statesPerTurn = 256
/** Between two saves of the state of one target. */
const saveEveryMs = 10_000
/** Derived readings that other domains derive from, so many times over. */
const depthMax = 4

/**
 * Passes each reading to the monitors of its series and gathers what they conclude, before the commit. A monitor that
 * throws costs only its own conclusion.
 */
export class Reactor {
  readonly #parts: ReactorParts
  readonly #options: ReactorOptions
  readonly #cells = new Map<string, Cell>()
  readonly #wakes = new WakeQueue<Watcher>()
  /** Watchers whose state has changed since it was saved, the one that waits longest first. */
  readonly #unsaved = new Set<Watcher>()
  /** Watchers whose state must be saved with what else of them is: an alert, or a span that is clean again. */
  readonly #urgent = new Set<Watcher>()
  /** Watchers whose dirty spans have changed since they were saved. */
  readonly #unsavedDirty = new Set<Watcher>()
  /** Watchers with dirty spans. */
  readonly #dirty = new Set<Watcher>()
  readonly #faultLoggedMs = new WeakMap<Watcher, number>()
  readonly #tally = { measured: 0 }
  #alerts: Alert[] = []

  constructor(parts: ReactorParts, options: ReactorOptions) {
    this.#parts = parts
    this.#options = options
  }

  /** Takes over the series of a site, with what the last process left. Before any reading of the site. */
  restore(site: string, series: readonly Series[], left: LeftBehind): Cell {
    const cell = this.#cellOf(site)
    cell.restore(series, left)
    for (const watcher of cell.watchers()) this.#wakes.update(watcher)
    return cell
  }

  /** Measured series, of all sites. */
  get seriesCount(): number {
    return this.#tally.measured
  }

  cell(site: string): Cell | undefined {
    return this.#cells.get(site)
  }

  watchers(): Watcher[] {
    return [...this.#cells.values()].flatMap((cell) => [...cell.watchers()])
  }

  watcher(target: Target): Watcher | undefined {
    return this.#cells.get(target.site)?.watcher(target)
  }

  /** Takes a reading into its turn, with all that follows from it. */
  react(reading: Reading, now: number, turn: Turn, depth = 0): void {
    const isNew = this.#parts.windows.push(reading)
    turn.readings.push(reading)
    const { watchers } = this.#cellOf(reading.site).see(reading)
    for (const watcher of watchers) {
      const isLive = this.#isLive(watcher, reading.at, now)
      if (reading.at > watcher.position(reading)) {
        this.#conclude(watcher, turn, { isLive, now, depth }, () => watcher.take(reading, now))
        this.#unsaved.add(watcher)
      } else if (isNew && watcher.domain.rebuild) {
        this.markDirty(watcher, { from: reading.at, to: reading.at + 1 })
      }
      if (isLive) this.#send(watcher, watcher.releaseHeldBack(), now, turn)
    }
  }

  /** Passes a reading that is stored already to one watcher: what follows is history. */
  replay(watcher: Watcher, reading: Reading, turn: Turn): void {
    const now = reading.at
    this.#conclude(watcher, turn, { isLive: false, now, depth: depthMax }, () => watcher.take(reading, now))
    this.#unsaved.add(watcher)
  }

  /** When a watcher wants to be woken next, UTC ms. */
  get nextWakeAt(): number {
    return this.#wakes.nextAt
  }

  /** Whether any watcher is due. */
  isWakeDue(now: number): boolean {
    return this.#wakes.refresh(now) <= now
  }

  /** Wakes the watchers that are due. */
  wake(now: number, turn: Turn): void {
    for (let watcher = this.#wakes.pop(now); watcher; watcher = this.#wakes.pop(now)) {
      const due = watcher
      this.#conclude(due, turn, { isLive: true, now, depth: 0 }, () => due.wake(now))
      this.#unsaved.add(due)
      // a monitor that asks for the same moment again would never let go
      if (due.wakeAt <= now) break
    }
  }

  /** Alerts that were raised or closed since the last call; they leave before the commit. */
  takeAlerts(): readonly Alert[] {
    const alerts = this.#alerts
    if (alerts.length > 0) this.#alerts = []
    return alerts
  }

  use(target: Target, forecast: Forecast): void {
    const watcher = this.watcher(target)
    if (watcher) this.#guard(watcher, () => watcher.use(forecast))
  }

  markDirty(watcher: Watcher, span: { readonly from: number; readonly to: number }): void {
    watcher.markDirty(span, this.#parts.clock.monotonic())
    this.#dirty.add(watcher)
    this.#unsavedDirty.add(watcher)
    this.#parts.onDirty?.()
  }

  /** The turn was lost: what was derived from its readings is derived again from what is stored. */
  markLost(turn: Turn): void {
    for (const reading of turn.readings) {
      const entry = this.#cells.get(reading.site)?.see(reading)
      for (const watcher of entry?.watchers ?? []) {
        if (watcher.domain.rebuild) this.markDirty(watcher, { from: reading.at, to: reading.at + 1 })
      }
    }
  }

  /** Watchers with spans to be derived again. */
  dirty(): Iterable<Watcher> {
    return this.#dirty
  }

  /** A span was derived again. */
  clean(watcher: Watcher, span: { readonly from: number; readonly to: number }): void {
    // its site may have been removed meanwhile
    if (this.watcher(watcher.target) !== watcher) return
    watcher.dirty.subtract(span)
    if (watcher.dirty.isEmpty) this.#dirty.delete(watcher)
    // a monitor that took over may want to be woken for what it has seen
    this.#wakes.update(watcher)
    this.#unsavedDirty.add(watcher)
    this.#urgent.add(watcher)
  }

  restoreDirty({ target, spans }: DirtySpans): void {
    const watcher = this.watcher(target)
    if (!watcher) return
    watcher.restoreDirty(spans)
    this.#dirty.add(watcher)
  }

  /** States that are due to be saved; all of them when the hub stops. */
  takeStates(all = false): MonitorState[] {
    const { clock } = this.#parts
    const nowMs = clock.monotonic()
    const due = [...this.#urgent]
    this.#urgent.clear()
    for (const watcher of this.#unsaved) {
      // they joined in about the order in which they were saved last: those behind are not due either
      if (!all && (due.length >= statesPerTurn || nowMs - watcher.savedAtMs < saveEveryMs)) break
      due.push(watcher)
    }
    return due.flatMap((watcher) => {
      this.#unsaved.delete(watcher)
      watcher.savedAtMs = nowMs
      return this.#guard(watcher, () => watcher.save(clock.now())) ?? []
    })
  }

  takeDirty(): DirtySpans[] {
    const spans = [...this.#unsavedDirty].map(({ target, dirty }) => ({
      target,
      // they may change before they are written
      spans: [...dirty.all()],
    }))
    this.#unsavedDirty.clear()
    return spans
  }

  /** States and dirty spans that could not be saved are due again. */
  returnStates(states: readonly MonitorState[], dirty: readonly DirtySpans[]): void {
    for (const { target } of states) {
      const watcher = this.watcher(target)
      if (watcher) this.#urgent.add(watcher)
    }
    for (const { target } of dirty) {
      const watcher = this.watcher(target)
      if (watcher) this.#unsavedDirty.add(watcher)
    }
  }

  /** The settings of a domain on a site have changed: closes the alerts of targets that are no longer watched. */
  reconfigure(site: string, domain: string, now: number, turn: Turn): void {
    const { kept, gone } = this.#cells.get(site)?.reconfigure(domain) ?? { kept: [], gone: [] }
    for (const watcher of kept) {
      this.#wakes.update(watcher)
      this.#unsaved.add(watcher)
    }
    for (const watcher of gone) {
      this.#send(watcher, watcher.close(now), now, turn)
      this.#forget(watcher)
    }
  }

  /** What a removal of these series would concern; see `Cell.watchersOf`. */
  watchersOf(site: string, keys: readonly SeriesKey[]): ReturnType<Cell['watchersOf']> {
    return this.#cells.get(site)?.watchersOf(keys) ?? { alone: [], others: [] }
  }

  /** Series of these devices. */
  seriesOf(site: string, devices: readonly string[]): Series[] {
    return devices.flatMap((device) => this.#cells.get(site)?.ofDevice(device) ?? [])
  }

  /** Closes alerts of what people remove. */
  closeAlerts(watcher: Watcher, isGone: (alert: Alert) => boolean, now: number, turn: Turn): void {
    this.#send(watcher, watcher.closeWhere(isGone, now), now, turn)
  }

  /** Takes series out, with the targets that have no other source; the others are derived again from what is left. */
  removeSeries(site: string, keys: readonly SeriesKey[], now: number): void {
    const cell = this.#cells.get(site)
    if (cell) this.#replace(cell.remove(keys), now)
  }

  /** The history of these series is another one now: everything that was derived of it is derived again. */
  renew(site: string, series: readonly Series[], now: number): void {
    this.#replace(this.#cellOf(site).renew(series), now)
  }

  /** The device stands in this room now. */
  setRoom(site: string, device: string, room: string): void {
    const cell = this.#cells.get(site)
    const [first] = cell?.ofDevice(device) ?? []
    if (!cell || !first) return
    for (const watcher of cell.see({ ...first, room }).watchers) this.#wakes.update(watcher)
  }

  #replace({ gone, renewed }: Replaced, now: number): void {
    for (const watcher of gone) this.#forget(watcher)
    for (const watcher of renewed) {
      this.#wakes.update(watcher)
      this.#unsaved.add(watcher)
      if (watcher.domain.rebuild) this.markDirty(watcher, { from: 0, to: now })
    }
  }

  removeSite(site: string): void {
    for (const watcher of this.#cells.get(site)?.watchers() ?? []) this.#forget(watcher)
    this.#cells.get(site)?.drop()
    this.#cells.delete(site)
  }

  #forget(watcher: Watcher): void {
    this.#wakes.delete(watcher)
    for (const set of [this.#unsaved, this.#urgent, this.#unsavedDirty, this.#dirty]) set.delete(watcher)
  }

  #cellOf(site: string): Cell {
    let cell = this.#cells.get(site)
    if (!cell) {
      cell = new Cell(site, this.#parts.settings, this.#parts.zoneOf, this.#tally)
      this.#cells.set(site, cell)
    }
    return cell
  }

  #isLive({ domain }: Watcher, at: number, now: number): boolean {
    return now - at <= (domain.liveWithinMs ?? this.#options.liveWithinMs)
  }

  #conclude(
    watcher: Watcher,
    turn: Turn,
    { isLive, now, depth }: { readonly isLive: boolean; readonly now: number; readonly depth: number },
    conclude: () => Effects | undefined,
  ): void {
    const effects = this.#guard(watcher, () => {
      const concluded = conclude()
      this.#wakes.update(watcher)
      return concluded
    })
    if (!effects) return
    const { derived = [], predictions = [], alerts = [], commands = [] } = effects
    for (const reading of derived) this.#derive(watcher, reading, now, turn, depth)
    turn.predictions.push(...this.#storable(watcher, 'prediction', predictions))
    if (isLive) turn.commands.push(...this.#storable(watcher, 'command', commands))
    const raised = this.#storable(watcher, 'alert', alerts)
    if (raised.length > 0) this.#send(watcher, watcher.filterAlerts(raised, isLive), now, turn)
  }

  /** Undefined where the monitor throws. */
  #guard<Result>(watcher: Watcher, work: () => Result): Result | undefined {
    try {
      return work()
    } catch (error) {
      this.#reportFault(watcher, error)
      return undefined
    }
  }

  /**
   * What a store can take of what a monitor concluded. A turn that a store refuses for its content must not be
   * acknowledged: in the journal it would hold up everything after it.
   */
  #storable<Effect>(watcher: Watcher, kind: string, effects: readonly Effect[]): readonly Effect[] {
    return effects.filter((effect) => {
      const found = findUnstorable(effect, kind)
      if (found !== undefined)
        this.#reportFault(watcher, new Error(`It concluded what cannot be stored: ${found}`))
      return found === undefined
    })
  }

  /** Readings that were derived go to other domains at once; what is replayed is derived again there by itself. */
  #derive(watcher: Watcher, reading: Reading, now: number, turn: Turn, depth: number): void {
    if (!isStorable(reading)) {
      const { metric, value, at } = reading
      this.#reportFault(watcher, new Error(`It derived ${metric} = ${value} at ${at}`))
    } else if (depth < depthMax) this.react(reading, now, turn, depth + 1)
    else {
      this.#parts.windows.push(reading)
      turn.readings.push(reading)
    }
  }

  #send(watcher: Watcher, alerts: readonly Alert[], now: number, turn: Turn): void {
    const { domain } = watcher
    if (alerts.length > 0) this.#urgent.add(watcher)
    for (const alert of alerts) {
      const isLate = domain.liveWithinMs !== undefined && now - alert.at > this.#options.liveWithinMs
      const sent = isLate ? { ...alert, late: true } : alert
      turn.alerts.push(sent)
      this.#alerts.push(sent)
    }
  }

  /** Counted always, logged once an hour for each target. */
  #reportFault(watcher: Watcher, error: unknown): void {
    const { counters, clock, log } = this.#parts
    counters.countMonitorFault(watcher.domain.name)
    const nowMs = clock.monotonic()
    if (nowMs - (this.#faultLoggedMs.get(watcher) ?? Number.NEGATIVE_INFINITY) < hourMs) return
    this.#faultLoggedMs.set(watcher, nowMs)
    log.error('A monitor failed; the reading is kept and other monitors go on.', {
      ...watcher.target,
      error: error instanceof Error ? (error.stack ?? error.message) : String(error),
    })
  }
}
