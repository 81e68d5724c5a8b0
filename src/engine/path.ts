import type { Alert, Forecast, Series } from '../core/event.ts'
import type { Job } from '../core/life.ts'
import type { Clock, Emit, Ledger, Log, ReadingStore, Sink, WindowStore } from '../core/ports.ts'
import type { Target } from '../core/target.ts'
import { mergeTurn, type Turn } from '../core/turn.ts'
import type { Counters } from './counters.ts'
import type { Directory } from './directory.ts'
import type { Feed } from './feed.ts'
import type { IncidentDesk } from './incidents/desk.ts'
import type { Projector } from './projector.ts'
import { Pump, type PumpOptions } from './pump.ts'
import { Reactor, type ReactorOptions } from './reactor.ts'
import { RebuildJobs } from './rebuild-jobs.ts'
import { Rebuilder } from './rebuilder.ts'
import { restoreSites } from './restore.ts'
import type { SiteSettings } from './site-settings.ts'
import { Waker } from './waker.ts'

export interface PathParts {
  readonly readings: ReadingStore
  readonly ledger: Ledger
  readonly windows: WindowStore
  readonly directory: Directory
  readonly settings: SiteSettings
  /** Open already. */
  readonly incidents: IncidentDesk
  readonly projector: Pick<Projector, 'commit'>
  readonly feed: Feed
  readonly counters: Counters
  readonly clock: Clock
  readonly log: Log
  /** A turn is committed. */
  readonly onCommitted: (turn: Turn) => void
  /** History of a target was derived again. */
  readonly onRebuilt: (target: Target, sources: readonly Series[]) => void
}

export interface PathOptions extends PumpOptions, ReactorOptions {
  readonly windowReadings: number
  /** Rebuilds that are listed after they ended. */
  readonly rebuildJobs: number
}

/** What work that runs alone may use. */
export interface InsidePath {
  readonly reactor: Reactor
  readonly contribute: (work: (turn: Turn) => void) => Promise<void>
}

/** The path of a reading from its source to the disk, with everything that concludes from it on the way. */
export class Path {
  readonly #parts: PathParts
  readonly #options: PathOptions
  readonly #reactor: Reactor
  readonly #pump: Pump
  readonly #waker: Waker
  readonly #rebuilder: Rebuilder
  readonly #rebuilds: RebuildJobs
  readonly #sinks: Sink[] = []

  constructor(parts: PathParts, options: PathOptions) {
    const { directory, feed } = parts
    this.#parts = parts
    this.#options = options
    parts.settings.onChange = (domain, site) => this.#reconfigure(site, domain)
    const reactor = new Reactor(
      { ...parts, names: directory, onDirty: () => this.#rebuilder.look() },
      options,
    )
    this.#reactor = reactor
    this.#pump = new Pump(
      {
        ...parts,
        reactor,
        onAlerts: (alerts) => this.#sendAlerts(alerts),
        onCommands: (commands) => feed.publish({ kind: 'commands', commands }),
        onCommitted: (turn) => {
          this.#waker.look()
          parts.onCommitted(turn)
        },
      },
      options,
    )
    this.#waker = new Waker({ ...parts, reactor, pump: this.#pump })
    this.#rebuilds = new RebuildJobs(parts.clock, options.rebuildJobs)
    this.#rebuilder = new Rebuilder({ ...parts, reactor, pump: this.#pump, jobs: this.#rebuilds })
  }

  /** Takes up where the last process stopped. The stores must be open. */
  async start(): Promise<void> {
    await this.#parts.settings.load()
    const replayed = await restoreSites(
      { ...this.#parts, reactor: this.#reactor },
      this.#options.windowReadings,
      this.#parts.clock.now() + this.#options.maxFutureMs,
    )
    for (const forecast of await this.#parts.ledger.forecasts()) this.use(forecast)
    // alerts that ended while the hub was away
    this.#parts.incidents.take(replayed.alerts)
    // what cannot be stored now is derived again once it can
    await this.#pump.contribute((turn) => mergeTurn(turn, replayed)).catch(() => undefined)
    this.#waker.start()
    this.#rebuilder.start()
  }

  /** The sources must have stopped; resolves when everything is settled. */
  async stop(): Promise<void> {
    await this.#rebuilder.stop()
    await this.#waker.stop()
    await this.#pump.stop()
  }

  /** What a source hands its batches to. */
  emitFor(source: string): Emit {
    return this.#pump.emitFor(source)
  }

  /** Measured series that are known. */
  get seriesCount(): number {
    return this.#reactor.seriesCount
  }

  /** Whether history of the target is still to be derived again. */
  isDirty(target: Target): boolean {
    return this.#reactor.watcher(target)?.dirty.isEmpty === false
  }

  /** Readings that are not committed yet. */
  get waiting(): number {
    return this.#pump.waiting
  }

  /** True where a further batch of the source would have to wait. */
  isFull(source: string): boolean {
    return this.#pump.isFull(source)
  }

  /** Resolves when there is room for more rows of the source; see `Pump.room`. */
  room(source: string): Promise<void> {
    return this.#pump.room(source)
  }

  /** Alerts go there too, before they are on disk. */
  addSink(sink: Sink): void {
    this.#sinks.push(sink)
  }

  /** Rebuilds of derived series as jobs, newest first. */
  rebuilds(): Job[] {
    return this.#rebuilds.all()
  }

  /** A new forecast is live. */
  use(forecast: Forecast): void {
    this.#reactor.use(forecast.target, forecast)
  }

  /** The settings of a domain on a site have changed; resolves when what follows from it is stored. */
  async #reconfigure(site: string, domain: string): Promise<void> {
    const now = this.#parts.clock.now()
    const done = this.#pump.contribute((turn) => this.#reactor.reconfigure(site, domain, now, turn))
    this.#waker.look()
    await done
  }

  /** Runs `work` between two turns; see `Pump.alone`. */
  alone<Result>(work: (inside: InsidePath) => Promise<Result>): Promise<Result> {
    return this.#pump.alone(async (contribute) => {
      const result = await work({ reactor: this.#reactor, contribute })
      this.#waker.look()
      return result
    })
  }

  /** Drops the cell of a site; resolves when nothing of it is on its way to the disk any more. */
  async removeSite(site: string): Promise<void> {
    this.#parts.settings.removeSite(site)
    this.#reactor.removeSite(site)
    this.#rebuilds.removeSite(site)
    const { counters, directory } = this.#parts
    // turns are committed in order: with this one, all before it are
    await this.#pump.contribute(() => undefined).catch(() => undefined)
    counters.removeSite(
      site,
      directory.sites().some(({ id, demo }) => id === site && demo),
    )
  }

  #sendAlerts(alerts: readonly Alert[]): void {
    this.#parts.feed.publish({ kind: 'alerts', alerts })
    this.#parts.incidents.take(alerts)
    for (const sink of this.#sinks) {
      for (const alert of alerts) {
        sink.send({ kind: 'alert', alert }).catch((error: unknown) => {
          this.#parts.counters.alertsUnsent++
          this.#parts.log.warn('An alert could not be sent.', { rule: alert.rule, error: String(error) })
        })
      }
    }
  }
}
