import type { Series } from '../core/event.ts'
import type { Clock, Columns, Log, ReadingStore, WindowStore } from '../core/ports.ts'
import { isStorable, type Reading } from '../core/reading.ts'
import type { Target } from '../core/target.ts'
import { dayMs, minuteMs, secondMs } from '../core/time.ts'
import type { TimeSpan } from '../core/turn.ts'
import type { Effects, Monitor, RebuildReach } from '../domains/domain.ts'
import type { Pump } from './pump.ts'
import type { Reactor } from './reactor.ts'
import type { RebuildJobs } from './rebuild-jobs.ts'
import { seriesName, type Watcher } from './watcher.ts'

export interface RebuilderParts {
  readonly readings: Pick<ReadingStore, 'scan' | 'read'>
  readonly windows: WindowStore
  readonly reactor: Reactor
  readonly pump: Pick<Pump, 'contribute'>
  readonly clock: Clock
  readonly log: Log
  /** Shows what is derived again. */
  readonly jobs: Pick<RebuildJobs, 'left' | 'failed'>
  /** A span of a target was derived again. */
  readonly onRebuilt: (target: Target, sources: readonly Series[]) => void
}

/** A span is rebuilt once nothing was added to it for so long: an import is let finish. */
const stillMs = secondMs
const checkMs = 500
/** One target is rebuilt at most so often while readings keep arriving late. */
const everyMs = minuteMs
/** History is rebuilt in pieces, the newest first, so that what is of use comes soon and memory stays bounded. */
const pieceMs = 30 * dayMs
/** Readings that are replayed before other work has its turn. */
const sliceRows = 2_000

/**
 * Derives dirty spans again with the monitor of their target: what came in late, was lost with a failed commit, or was
 * stored before there was a monitor. A rebuild that reaches the newest readings also replaces the live monitor, whose
 * state has not seen the late ones.
 */
export class Rebuilder {
  readonly #parts: RebuilderParts
  readonly #rebuiltAtMs = new WeakMap<Watcher, number>()
  /** The first reading of each in its dirty spans: asked once for all pieces of them, until a span is added. */
  readonly #oldest = new WeakMap<Watcher, { readonly dirtyAtMs: number; readonly oldest: number }>()
  readonly #stop = new AbortController()
  #wake = new AbortController()
  #running: Promise<void> | undefined

  constructor(parts: RebuilderParts) {
    this.#parts = parts
  }

  /** A span was marked dirty. */
  look(): void {
    this.#wake.abort()
  }

  start(): void {
    this.#running = this.#run()
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    this.#wake.abort()
    await this.#running
  }

  async #run(): Promise<void> {
    const { clock, log } = this.#parts
    while (!this.#stop.signal.aborted) {
      this.#wake = new AbortController()
      const { due, inMs } = this.#nextDue()
      if (!due) {
        await this.#rest(inMs)
        continue
      }
      try {
        await this.#rebuildNewest(due)
      } catch (error) {
        if (this.#stop.signal.aborted) return
        this.#rebuiltAtMs.set(due, clock.monotonic())
        this.#parts.jobs.failed(due.target, `${String(error)}; it is tried again in a minute.`)
        log.error('A span could not be derived again; it is tried again in a minute.', {
          ...due.target,
          error: String(error),
        })
      }
    }
  }

  /**
   * The watcher that is due with the newest dirty span, so that all targets have their newest month before one has its
   * whole history; or in how many ms the next one will be due. Infinity: nothing is dirty.
   */
  #nextDue(): { readonly due: Watcher | undefined; readonly inMs: number } {
    const nowMs = this.#parts.clock.monotonic()
    let due: Watcher | undefined
    let newest = Number.NEGATIVE_INFINITY
    let inMs = Number.POSITIVE_INFINITY
    for (const watcher of this.#parts.reactor.dirty()) {
      const rebuiltAtMs = this.#rebuiltAtMs.get(watcher) ?? Number.NEGATIVE_INFINITY
      const dueAtMs = Math.max(watcher.dirtyAtMs + stillMs, rebuiltAtMs + everyMs)
      inMs = Math.min(inMs, Math.max(0, dueAtMs - nowMs))
      const to = watcher.dirty.newest()?.to ?? Number.NEGATIVE_INFINITY
      if (dueAtMs > nowMs || (due && to <= newest)) continue
      due = watcher
      newest = to
    }
    return { due, inMs }
  }

  /** Sleeps for so long; where nothing is dirty, until something is. */
  async #rest(ms: number): Promise<void> {
    const { signal } = this.#wake
    if (Number.isFinite(ms)) return this.#parts.clock.sleep(Math.max(checkMs, ms), this.#stop.signal)
    if (signal.aborted) return
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
  }

  /** The newest piece of the newest dirty span. */
  async #rebuildNewest(watcher: Watcher): Promise<void> {
    const reach = watcher.domain.rebuild
    const [first] = watcher.dirty.all()
    const span = watcher.dirty.newest()
    if (!reach || !first || !span || this.#isGone(watcher)) return
    const oldest = await this.#oldestOf(watcher, { from: first.from, to: span.to })
    this.#showLeft(watcher, oldest)
    const piece = { from: Math.max(span.from, span.to - pieceMs, Math.min(oldest, span.to)), to: span.to }
    await this.#rebuildPiece(watcher, piece, reach)
    const isWhole = piece.from <= Math.max(oldest, span.from)
    if (isWhole) this.#rebuiltAtMs.set(watcher, this.#parts.clock.monotonic())
    await this.#parts.pump.contribute(() => this.#parts.reactor.clean(watcher, isWhole ? span : piece))
    this.#showLeft(watcher, oldest)
    const { target, scope } = watcher
    this.#parts.onRebuilt(target, scope.sources)
  }

  /** How much of the history that has readings is dirty. */
  #showLeft(watcher: Watcher, oldest: number): void {
    if (this.#isGone(watcher)) return
    const latest = Math.max(watcher.newestAt, oldest)
    const leftMs = watcher.dirty
      .all()
      .reduce((sum, { from, to }) => sum + Math.max(0, Math.min(to, latest) - Math.max(from, oldest)), 0)
    // a span without readings takes no time, and is done with those that have some
    const isDone = watcher.dirty.isEmpty || !Number.isFinite(leftMs)
    this.#parts.jobs.left(watcher.target, isDone ? 0 : Math.max(1, leftMs))
  }

  /** Whether its site was removed meanwhile. */
  #isGone(watcher: Watcher): boolean {
    return this.#parts.reactor.watcher(watcher.target) !== watcher
  }

  /** Timestamp of the first reading in the span of any source; Infinity where there is none. */
  async #oldestOf(watcher: Watcher, { from, to }: TimeSpan): Promise<number> {
    const known = this.#oldest.get(watcher)
    if (known?.dirtyAtMs === watcher.dirtyAtMs) return known.oldest
    const { sources } = watcher.scope
    let oldest = Number.POSITIVE_INFINITY
    for (const { site, device, metric } of sources) {
      const [first] = await this.#parts.readings.read({ sites: [site], device, metric, from, to }, 1)
      oldest = Math.min(oldest, first?.at ?? oldest)
    }
    this.#oldest.set(watcher, { dirtyAtMs: watcher.dirtyAtMs, oldest })
    return oldest
  }

  async #rebuildPiece(
    watcher: Watcher,
    piece: TimeSpan,
    { warmUpMs, settleMs }: RebuildReach,
  ): Promise<void> {
    const derivedIn = { from: piece.from - settleMs, to: piece.to + settleMs }
    const from = derivedIn.from - warmUpMs
    const reachesNow = derivedIn.to >= watcher.newestAt
    const to = reachesNow ? Number.POSITIVE_INFINITY : derivedIn.to
    const monitor = watcher.freshMonitor()
    const replay = new Replay(monitor)
    const history = await this.#load(watcher.scope.sources, from, to)
    for (let rows = 1; replay.next(history); rows++) {
      if (rows % sliceRows > 0) continue
      await this.#parts.clock.yield()
      this.#stop.signal.throwIfAborted()
    }
    await this.#parts.pump.contribute((turn) => {
      if (this.#isGone(watcher)) return
      // readings that arrived while the history was read are still in the windows
      const isComplete = !reachesNow || this.#catchUp(watcher, replay)
      for (const { derived = [] } of replay.effects) {
        for (const reading of derived) {
          if (reading.at < derivedIn.from || reading.at >= derivedIn.to || !isStorable(reading)) continue
          this.#parts.windows.push(reading)
          turn.readings.push(reading)
        }
      }
      if (reachesNow && isComplete) watcher.replaceMonitor(monitor, replay.positions)
    })
  }

  /** False where a window does not reach back to what was read: the live monitor then stays. */
  #catchUp(watcher: Watcher, replay: Replay): boolean {
    const { windows } = this.#parts
    const columns = watcher.scope.sources.map((series) => ({ series, ...windows.get(series) }))
    const isGap = columns.some(({ series, at }) => {
      const newest = replay.positions.get(seriesName(series)) ?? Number.NEGATIVE_INFINITY
      return at.length > 0 && at[0]! > newest && watcher.position(series) > newest && Number.isFinite(newest)
    })
    if (isGap) return false
    while (replay.next(columns));
    return true
  }

  async #load(sources: readonly Series[], from: number, to: number): Promise<SourceColumns[]> {
    const history: SourceColumns[] = []
    for (const series of sources) {
      const parts: Columns[] = []
      for await (const part of this.#parts.readings.scan(series, from, to)) parts.push(part)
      history.push({
        series,
        at: join(parts.map(({ at }) => at)),
        value: join(parts.map(({ value }) => value)),
      })
    }
    return history
  }
}

interface SourceColumns extends Columns {
  readonly series: Series
}

/** Passes the readings of several series to a monitor in the order of their timestamps, each once. */
class Replay {
  readonly effects: Effects[] = []
  readonly #monitor: Monitor
  readonly #positions = new Map<string, number>()
  #columns: readonly SourceColumns[] = []
  /** By source: the next row, and the timestamp of the newest reading that was passed. */
  #rows: number[] = []
  #seen: number[] = []

  constructor(monitor: Monitor) {
    this.#monitor = monitor
  }

  /** Timestamp of the newest reading that was passed, by `seriesName`. */
  get positions(): ReadonlyMap<string, number> {
    for (const [source, { series }] of this.#columns.entries()) {
      const seen = this.#seen[source]!
      if (Number.isFinite(seen)) this.#positions.set(seriesName(series), seen)
    }
    return this.#positions
  }

  /** Passes the next reading of the columns that the monitor has not seen; false when there is none. */
  next(columns: readonly SourceColumns[]): boolean {
    if (columns !== this.#columns) this.#begin(columns)
    let next = -1
    for (let source = 0; source < columns.length; source++) {
      const at = columns[source]!.at[this.#rows[source]!]
      if (at !== undefined && (next < 0 || at < columns[next]!.at[this.#rows[next]!]!)) next = source
    }
    if (next < 0) return false
    const { series, at, value } = columns[next]!
    const row = this.#rows[next]!++
    this.#seen[next] = at[row]!
    this.#pass(readingOf(series, at[row]!, value[row]!))
    return true
  }

  #begin(columns: readonly SourceColumns[]): void {
    const { positions } = this
    this.#columns = columns
    this.#seen = columns.map(({ series }) => positions.get(seriesName(series)) ?? Number.NEGATIVE_INFINITY)
    this.#rows = columns.map(({ at }, source) => {
      const first = at.findIndex((one) => one > this.#seen[source]!)
      return first < 0 ? at.length : first
    })
  }

  #pass(reading: Reading): void {
    // time-driven conclusions come where they would have come
    for (let wakeAt = this.#monitor.wakeAt; wakeAt <= reading.at; wakeAt = this.#monitor.wakeAt) {
      this.#keep(this.#monitor.take('wake', wakeAt))
      if (this.#monitor.wakeAt <= wakeAt) break
    }
    this.#keep(this.#monitor.take(reading, reading.at))
  }

  #keep(effects: Effects | undefined): void {
    if (effects) this.effects.push(effects)
  }
}

/** As one literal: a spread for each of millions of readings would cost more than what the monitor does with it. */
function readingOf({ site, device, metric, unit, room }: Series, at: number, value: number): Reading {
  return room === undefined
    ? { site, device, metric, value, unit, at }
    : { site, device, metric, value, unit, at, room }
}

function join(parts: readonly Float64Array[]): Float64Array {
  const [only] = parts
  if (only && parts.length === 1) return only
  const joined = new Float64Array(parts.reduce((sum, part) => sum + part.length, 0))
  let offset = 0
  for (const part of parts) {
    joined.set(part, offset)
    offset += part.length
  }
  return joined
}
