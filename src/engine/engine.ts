import type { Device, Forecast, Rollup, Series, SeriesKey, Site } from '../core/event.ts'
import type { Clock, Columns, ReadingFilter, ReadingPosition, Sink, SourceAdapter } from '../core/ports.ts'
import type { Reading } from '../core/reading.ts'
import { isDerived } from '../core/series.ts'
import { Counters } from './counters.ts'
import { DeviceDesk } from './device-desk.ts'
import { Directory } from './directory.ts'
import { Feed } from './feed.ts'
import { IncidentDesk } from './incidents/desk.ts'
import { Models } from './models/models.ts'
import type { EngineOptions, EngineParts, ReadLedger } from './options.ts'
import { Path } from './path.ts'
import { createSchedule } from './schedule/schedule.ts'
import type { Scheduler } from './schedule/scheduler.ts'
import { SeriesOrder } from './series-order.ts'
import { removeSite, type SiteRemovalParts } from './site-removal.ts'
import { SiteSettings } from './site-settings.ts'
import { Sources, type StartedSource } from './sources.ts'
import { Storage, type StorageStatus } from './storage.ts'
import { Upkeep } from './upkeep.ts'

/** Open alerts that are given their incidents at the start. */
const openAlertsMax = 100_000

/** Everything that happens, in order. Knows ports, never an adapter. */
export class Engine {
  readonly counters = new Counters()
  readonly feed: Feed
  readonly models: Models
  /** Settings of the domains by site. */
  readonly settings: SiteSettings
  readonly incidents: IncidentDesk
  /** Rebuilds of derived series as jobs, newest first. */
  readonly rebuilds = () => this.#path.rebuilds()
  /** What people do to devices. */
  readonly devices: DeviceDesk
  #scheduler: Scheduler | undefined
  readonly #parts: EngineParts
  readonly #options: EngineOptions
  readonly #directory: Directory
  readonly #path: Path
  readonly #storage: Storage
  readonly #upkeep: Upkeep
  readonly #sources: Sources
  readonly #order = new SeriesOrder()
  #ready = false
  readonly freeze: Storage['freeze'] = () => this.#storage.freeze()

  constructor(parts: EngineParts, options: EngineOptions) {
    const { windows, clock, log } = parts
    this.#storage = new Storage(parts, options)
    const { readings, ledger, projector } = this.#storage
    this.#parts = { ...parts, readings, ledger }
    this.#options = options
    this.feed = new Feed((error) => log.error('A listener failed and was dropped.', { error: String(error) }))
    this.incidents = new IncidentDesk(
      { ledger: ledger.incidents, feed: this.feed, clock, log },
      options.incidents,
    )
    this.#directory = new Directory(ledger, options.site)
    const shared = { readings, ledger, windows, clock, log, counters: this.counters, feed: this.feed }
    this.settings = new SiteSettings(parts.domains, { ...shared, records: ledger.records, limits: options })
    this.#path = new Path(
      {
        ...shared,
        directory: this.#directory,
        projector,
        incidents: this.incidents,
        settings: this.settings,
        onCommitted: ({ readings }) => this.models.trainer.committed(readings),
        onRebuilt: (target) => this.models.trainer.rebuilt(target),
      },
      { ...options, defaultSite: options.site.id },
    )
    const onForecast = (forecast: Forecast): void => this.#path.use(forecast)
    const learnings = parts.domains.flatMap(({ domain }) => domain.learning ?? [])
    this.models = new Models(
      {
        ...{ ...this.#parts, ...shared, learnings, directory: this.#directory, onForecast },
        isDirty: (target) => this.#path.isDirty(target),
      },
      options.training,
    )
    this.devices = new DeviceDesk({ ...shared, ...this.#people() }, options)
    this.#upkeep = new Upkeep({ ...shared, eraseDue: () => this.devices.eraseDue() }, options)
    this.#sources = new Sources(log)
  }

  /** Opens the stores, then takes up where the last process stopped: sites, windows, open alerts, forecasts. */
  async open(): Promise<void> {
    const { ledger, log, clock } = this.#parts
    const startedMs = clock.monotonic()
    await this.#storage.open()
    await this.#directory.load()
    await this.incidents.open(await ledger.alerts({ open: true }, openAlertsMax))
    await this.#path.start()
    log.info('Stores are open.', { series: this.seriesCount, ms: Math.round(clock.monotonic() - startedMs) })
    this.#upkeep.start()
    const own = { directory: this.#directory, models: this.models, upkeep: this.#upkeep, freeze: this.freeze }
    this.#scheduler = createSchedule({ ...this.#parts, ...own }, this.#options.training)
    await this.models.start()
    if (this.#options.scheduled) await this.scheduler.start()
    this.#ready = true
  }

  startSource(adapter: SourceAdapter): StartedSource {
    return this.#sources.start(adapter, this.#path.emitFor(adapter.name))
  }

  /** Sources stop taking, then the pump empties, then the stores close. */
  async close(): Promise<void> {
    this.#ready = false
    await this.#sources.stop()
    await this.#path.stop()
    await this.incidents.stop()
    await this.#scheduler?.stop()
    await this.models.stop()
    await this.#upkeep.stop()
    await this.#storage.close()
  }

  /** What fires when. */
  get scheduler(): Scheduler {
    if (!this.#scheduler) throw new Error('The engine is not open.')
    return this.#scheduler
  }

  /** Readings in the inbox. */
  get waiting(): number {
    return this.#path.waiting
  }

  /** True where a further batch of the source would have to wait. */
  isFull(source: string): boolean {
    return this.#path.isFull(source)
  }

  /** Resolves when the pump has room for more rows of the source; see `Path.room`. */
  room(source: string): Promise<void> {
    return this.#path.room(source)
  }

  /** Alerts go there too, before they are on disk. */
  addSink(sink: Sink): void {
    this.#path.addSink(sink)
  }

  /** What is missing before readings are taken; empty when ready. */
  missing(): string[] {
    if (!this.#ready) return ['stores']
    const { problem } = this.#storage
    const sources = this.sources().flatMap(({ name, ready, detail }) => (ready ? [] : [`${name}: ${detail}`]))
    return problem === undefined ? sources : [problem, ...sources]
  }

  sources(): { name: string; ready: boolean; detail: string }[] {
    return this.#sources.health()
  }

  sites(): Site[] {
    return this.#directory.sites()
  }

  /** Adds or changes a site, with devices of which more is known than their readings say. */
  async putSite(site: Site, devices: readonly Device[] = []): Promise<void> {
    await this.#directory.putSite(site)
    if (devices.length > 0) await this.#directory.putDevices(devices)
  }

  /** What changes that people make go through. */
  #people(): SiteRemovalParts {
    const { incidents, models, feed } = this
    const [path, directory] = [this.#path, this.#directory]
    return {
      ...{ incidents, models, feed, path, directory },
      ...this.#parts,
      projector: this.#storage.projector,
    }
  }

  /** See `removeSite`. */
  removeSite(site: string): Promise<void> {
    return removeSite(this.#people(), site)
  }

  /** Newest reading of every measured series, ordered by series. */
  latest(): Reading[] {
    const measured: Reading[] = []
    for (const reading of this.#parts.windows.latest()) if (!isDerived(reading.device)) measured.push(reading)
    return this.#order.sort(measured)
  }

  get storage(): StorageStatus {
    return this.#storage.status
  }

  get seriesCount(): number {
    return this.#path.seriesCount
  }

  /** The reading as that of the device which it counts for: see `Directory.place`. */
  place(reading: Reading): Reading {
    return this.#directory.place(reading)
  }

  findSeries(key: SeriesKey): Series | undefined {
    return this.#parts.windows.find(key)
  }

  window(key: SeriesKey): Columns & { readonly capacity: number } {
    return { ...this.#parts.windows.get(key), capacity: this.#options.windowReadings }
  }

  readings(filter: ReadingFilter, limit: number, after?: ReadingPosition): Promise<Reading[]> {
    return this.#parts.readings.read(filter, limit, after)
  }

  rollups(key: SeriesKey, from: number, to: number): Promise<Rollup[]> {
    return this.#parts.readings.rollups(key, from, to)
  }

  forecasts(): Promise<Forecast[]> {
    return this.#parts.ledger.forecasts()
  }

  /** What is read as the ledger keeps it. */
  get ledger(): ReadLedger {
    return this.#parts.ledger
  }

  get clock(): Clock {
    return this.#parts.clock
  }
}
