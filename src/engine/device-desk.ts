import { type DeviceChange, isAboutRemoved, type Removal, type RemovedSeries } from '../core/device.ts'
import { HomeostatError } from '../core/errors.ts'
import type { Device, Series, SeriesKey } from '../core/event.ts'
import type { Clock, Ledger, Log, ReadingStore, WindowStore } from '../core/ports.ts'
import type { Reading } from '../core/reading.ts'
import { derivedDevice, isDerived, seriesId, targetOfDerived } from '../core/series.ts'
import { isSameTarget, type Target } from '../core/target.ts'
import { Turns } from '../core/turns.ts'
import { type DeviceEdit, edited } from './device-edit.ts'
import type { Directory } from './directory.ts'
import type { Feed } from './feed.ts'
import type { IncidentDesk } from './incidents/desk.ts'
import type { Models } from './models/models.ts'
import type { InsidePath, Path } from './path.ts'
import type { Projector } from './projector.ts'
import type { Watcher } from './watcher.ts'

export interface DeviceDeskParts {
  readonly readings: ReadingStore
  readonly ledger: Pick<Ledger, 'removals'>
  readonly windows: WindowStore
  readonly directory: Directory
  readonly path: Pick<Path, 'alone'>
  readonly projector: Pick<Projector, 'commit' | 'flush' | 'problem'>
  readonly models: Pick<Models, 'hide' | 'restore' | 'erase' | 'reloadForgotten'>
  readonly incidents: IncidentDesk
  readonly feed: Feed
  readonly clock: Clock
  readonly log: Log
}

export interface DeviceDeskOptions {
  readonly windowReadings: number
  /** How long a removal can be undone, ms. */
  readonly removedKeptMs: number
}

/** What a removal takes away. */
interface Extent {
  readonly known: Device
  /** Measured series. */
  readonly own: readonly Series[]
  readonly targets: readonly Target[]
  /** Those that keep other sources. */
  readonly narrowed: readonly Target[]
  /** Series that are derived of these, and of targets that keep other sources. */
  readonly derived: readonly Series[]
}

type Begun = Pick<Removal, 'id' | 'site' | 'device' | 'at' | 'until' | 'by'>

/**
 * What people do to devices. Each change is a frame of the journal between two turns: readings of before belong to the
 * old device, readings of after to the new one. Memory follows once the frame is durable, so a change that fails changes
 * nothing.
 */
export class DeviceDesk {
  readonly #parts: DeviceDeskParts
  readonly #options: DeviceDeskOptions
  readonly #turns = new Turns(1)
  #count = 0

  constructor(parts: DeviceDeskParts, options: DeviceDeskOptions) {
    this.#parts = parts
    this.#options = options
  }

  /** Those that can be undone, the newest first. */
  removals(): Removal[] {
    return [...this.#parts.directory.removals].reverse()
  }

  /** Throws `not_found`, `change_not_stored`. */
  edit(site: string, id: string, edit: DeviceEdit): Promise<Device> {
    const { directory, path, windows } = this.#parts
    return this.#turns.run(() =>
      path.alone(async ({ reactor }) => {
        const device = edited(this.#device(site, id), edit)
        await this.#commit({ kind: 'edited', device })
        directory.put(device)
        if (device.room !== undefined) {
          windows.setRoom(site, id, device.room)
          reactor.setRoom(site, id, device.room)
        }
        this.#tell(site, [])
        return device
      }),
    )
  }

  /** Deletes a device, or one series of it. Throws as `edit` does. */
  remove(site: string, device: string, metric: string | undefined, by: string): Promise<Removal> {
    return this.#turns.run(async () => {
      const stored = await this.#stored(site)
      const { removal, hidden } = await this.#parts.path.alone(async (inside) => {
        const extent = this.#extentOf(inside, stored, { site, device }, metric)
        const isWhole =
          metric === undefined || extent.own.length === this.#ofDevice(stored, site, device).length
        const series = [...extent.own, ...extent.derived].map(removedSeries)
        const removal: Removal = {
          ...this.#begin(site, device, by),
          ...(isWhole ? { known: extent.known } : { metric: metric ?? '' }),
          ...{ kind: 'deleted', series, targets: extent.targets, narrowed: extent.narrowed },
        }
        await this.#take(inside, removal)
        return { removal, hidden: this.#hide(inside, removal) }
      })
      await this.#settle(hidden)
      return removal
    })
  }

  /**
   * Makes a device a part of another: its readings, also those to come, are the other's. Throws as `edit` does, and
   * `not_acceptable_state` where the two measure the same in units that do not fit.
   */
  merge(site: string, device: string, into: string, by: string): Promise<Removal> {
    if (device === into)
      throw new HomeostatError('request_invalid', { detail: 'a device cannot be merged into itself' })
    return this.#turns.run(async () => {
      const stored = await this.#stored(site)
      const { removal, hidden } = await this.#parts.path.alone(async (inside) => {
        const { known, own, targets, narrowed, derived } = this.#extentOf(
          inside,
          stored,
          { site, device },
          undefined,
        )
        this.#device(site, into)
        const series = [...own, ...derived].map((one) => this.#mergedSeries(one, targets, device, into))
        const removal: Removal = {
          ...this.#begin(site, device, by),
          ...{ kind: 'merged', into, known, series, targets, narrowed },
        }
        await this.#take(inside, removal)
        const moved = this.#moveWindows(removal)
        const hidden = this.#hide(inside, removal)
        inside.reactor.renew(site, moved, this.#parts.clock.now())
        return { removal, hidden }
      })
      await this.#settle(hidden)
      return removal
    })
  }

  /** Takes a removal back. Throws `not_found`, `not_acceptable_state` with what is in its way, `change_not_stored`. */
  restore(id: string): Promise<Removal> {
    const { directory, path, projector, windows } = this.#parts
    return this.#turns.run(async () => {
      const removal = directory.removals.find((one) => one.id === id)
      if (!removal) throw new HomeostatError('not_found', { what: `removal "${id}"` })
      await path.alone(async () => {
        this.#requireRestorable(removal)
        await this.#commit({ kind: 'restored', removal })
        directory.restored(removal)
        windows.removeSeries(removal.series.flatMap(({ into }) => into ?? []))
      })
      await projector.flush()
      const newest = await this.#refill(removal)
      await this.#parts.models.restore(removal.targets, newest)
      this.#tell(removal.site, [])
      return removal
    })
  }

  /** Erases what can no longer be undone. */
  async eraseDue(): Promise<void> {
    const { directory, clock, ledger, projector, models, log } = this.#parts
    const due = directory.removals.filter(({ until }) => until <= clock.now())
    for (const removal of due) {
      await this.#turns.run(async () => {
        const versions = await ledger.removals.versions(removal)
        await this.#commit({ kind: 'erased', removal })
        directory.erased(removal)
        await projector.flush()
        await models.erase(versions)
      })
      const { site, device, kind } = removal
      log.info('What was removed is erased.', { site, device, kind })
    }
  }

  #device(site: string, id: string): Device {
    const device = this.#parts.directory.device(site, id)
    if (device) return device
    throw new HomeostatError('not_found', { what: `device "${id}" on the site "${site}"` })
  }

  /** Series of a site, also those whose readings are too old for the windows. */
  async #stored(site: string): Promise<Series[]> {
    return (await this.#parts.readings.series()).filter((series) => series.site === site)
  }

  #ofSite(stored: readonly Series[], site: string): Series[] {
    const all = new Map(stored.map((series) => [seriesId(series), series]))
    for (const { value: _value, at: _at, ...series } of this.#parts.windows.latest())
      if (series.site === site) all.set(seriesId(series), series)
    return [...all.values()]
  }

  #ofDevice(stored: readonly Series[], site: string, device: string): Series[] {
    return this.#ofSite(stored, site).filter((series) => series.device === device)
  }

  #extentOf(
    { reactor }: InsidePath,
    stored: readonly Series[],
    { site, device }: { readonly site: string; readonly device: string },
    metric: string | undefined,
  ): Extent {
    const known = this.#device(site, device)
    const own = this.#ofDevice(stored, site, device).filter(
      (one) => metric === undefined || one.metric === metric,
    )
    if (metric !== undefined && own.length === 0)
      throw new HomeostatError('not_found', { what: `series ${site}/${device}/${metric}` })
    const all = this.#ofSite(stored, site)
    const derivedOf = (targets: readonly Target[]): Series[] =>
      all.filter((series) => {
        const target = targetOfDerived(series)
        return target !== undefined && targets.some((one) => isSameTarget(one, target))
      })
    let { alone, others } = reactor.watchersOf(site, own)
    // domains derive from what others derive
    for (let before = -1; before < alone.length; ) {
      before = alone.length
      const gone = derivedOf(alone.map(({ target }) => target))
      ;({ alone, others } = reactor.watchersOf(site, [...own, ...gone]))
    }
    const targets = alone.map(({ target }) => target)
    const narrowed = others.map(({ target }) => target)
    return { known, own, derived: derivedOf([...targets, ...narrowed]), targets, narrowed }
  }

  #begin(site: string, device: string, by: string): Begun {
    const { clock, directory } = this.#parts
    const at = clock.now()
    let id: string
    do id = `${at.toString(36)}-${this.#count++}`
    while (directory.removals.some((removal) => removal.id === id))
    return { id, site, device, at, until: at + this.#options.removedKeptMs, by }
  }

  #mergedSeries(one: Series, targets: readonly Target[], device: string, into: string): RemovedSeries {
    const { site, metric, unit } = one
    const target = targetOfDerived(one)
    const isOwn =
      target === undefined ||
      (target.subject === device && targets.some((gone) => isSameTarget(gone, target)))
    if (!isOwn) return removedSeries(one)
    const name = target === undefined ? into : derivedDevice({ domain: target.domain, subject: into })
    const other = this.#parts.windows.find({ site, device: name, metric })
    if (other && other.unit !== unit)
      throw new HomeostatError('not_acceptable_state', {
        detail: `${device} measures ${metric} in "${unit}" and ${into} in "${other.unit}"; delete one of these series first`,
      })
    return { ...removedSeries(one), into: { site, device: name, metric } }
  }

  /** Closes what is open of the targets, then stores the removal. */
  async #take({ reactor, contribute }: InsidePath, removal: Removal): Promise<void> {
    const { clock, incidents } = this.#parts
    this.#requireStorable()
    const watchersOf = (targets: readonly Target[]): Watcher[] =>
      targets.flatMap((target) => reactor.watcher(target) ?? [])
    await contribute((turn) => {
      const now = clock.now()
      for (const watcher of watchersOf(removal.targets)) reactor.closeAlerts(watcher, () => true, now, turn)
      for (const watcher of watchersOf(removal.narrowed))
        reactor.closeAlerts(watcher, (alert) => isAboutRemoved(removal, alert), now, turn)
    })
    await incidents.resolveTargets(removal.targets, removal.by)
    await this.#commit({ kind: 'removed', removal })
    this.#parts.directory.removed(removal)
  }

  /** Everything in memory of what is stored as removed. The result resolves when nothing of it is under way. */
  #hide({ reactor }: InsidePath, { site, series, targets }: Removal): Promise<void> {
    const { windows, incidents, models, clock } = this.#parts
    const keys = series.map(({ key }) => key)
    // what is derived of a target that stays comes again
    const isGone = (key: SeriesKey): boolean => {
      const target = targetOfDerived(key)
      return target === undefined || targets.some((gone) => isSameTarget(gone, target))
    }
    reactor.removeSeries(site, keys.filter(isGone), clock.now())
    windows.removeSeries(keys)
    incidents.removeTargets(targets)
    this.#tell(site, keys)
    return models.hide(targets)
  }

  async #settle(hidden: Promise<void>): Promise<void> {
    await Promise.all([hidden, this.#parts.projector.flush()])
    await this.#parts.models.reloadForgotten()
  }

  /** The windows of a merged device, into those of the other: where both have a time, its own reading counts. */
  #moveWindows({ site, series, into = '' }: Removal): Series[] {
    const { windows, directory } = this.#parts
    const room = directory.device(site, into)?.room
    return series.flatMap(({ key, into: other, unit }) => {
      if (other === undefined || isDerived(other.device)) return []
      const moved: Series = { ...other, unit, ...(room === undefined ? {} : { room }) }
      this.#pushAbsent(moved, windows.get(key))
      return [moved]
    })
  }

  #pushAbsent(series: Series, columns: { readonly at: Float64Array; readonly value: Float64Array }): void {
    const { windows } = this.#parts
    const known = new Set(windows.get(series).at)
    for (const [row, at] of columns.at.entries())
      if (!known.has(at)) windows.push({ ...series, at, value: columns.value[row]! })
  }

  /** Brings back what memory holds of the series, and has everything derived again that depends on them. */
  async #refill(removal: Removal): Promise<readonly Reading[]> {
    const { readings, windows, path, clock } = this.#parts
    const { site, device, into, series } = removal
    const names = new Set([
      device,
      ...series.flatMap(({ key, into }) => [key.device, into?.device ?? key.device]),
    ])
    const stored = (await this.#stored(site)).filter((one) => names.has(one.device))
    const newest = await readings.newest(this.#options.windowReadings, stored)
    await path.alone(async ({ reactor }) => {
      const isCopied = (key: SeriesKey): boolean =>
        series.some((one) => one.into && seriesId(one.into) === seriesId(key))
      const theirs = new Set(stored.flatMap((one) => (one.device === device ? one.metric : [])))
      // what both of a merge began to measure since is mixed in the window
      if (into !== undefined)
        windows.removeSeries(
          stored.filter((one) => one.device === into && theirs.has(one.metric) && !isCopied(one)),
        )
      const known = new Map<string, Set<number>>()
      for (const reading of newest) {
        const id = seriesId(reading)
        const ats = known.get(id) ?? new Set(windows.get(reading).at)
        known.set(id, ats)
        // what came since is newer than what is stored
        if (!ats.has(reading.at)) windows.push(reading)
      }
      const gone = reactor.seriesOf(site, [...names]).filter((one) => windows.find(one) === undefined)
      const now = clock.now()
      reactor.removeSeries(site, gone, now)
      reactor.renew(
        site,
        stored.filter((one) => !isDerived(one.device)),
        now,
      )
    })
    return newest
  }

  #requireStorable(): void {
    const { problem } = this.#parts.projector
    if (problem !== undefined) throw new HomeostatError('change_not_stored', { detail: problem })
  }

  /** A merge mixes two devices: what was done to one of them later must be undone first. */
  #requireRestorable(removal: Removal): void {
    const { directory, windows } = this.#parts
    const { site, device, kind } = removal
    const later = directory.removals.slice(directory.removals.indexOf(removal) + 1)
    const names = namesOf(removal)
    const blocking = later.findLast(
      (one) =>
        one.site === site &&
        (kind === 'merged' || one.kind === 'merged') &&
        namesOf(one).some((name) => names.includes(name)),
    )
    if (blocking)
      throw new HomeostatError('not_acceptable_state', {
        detail: `${blocking.device} was ${blocking.kind} later (${blocking.id}); undo that first`,
      })
    const changed = removal.series.find(({ key, unit }) => (windows.find(key)?.unit ?? unit) !== unit)
    if (changed)
      throw new HomeostatError('not_acceptable_state', {
        detail: `${device} measures ${changed.key.metric} in another unit now than "${changed.unit}"; delete that series first`,
      })
  }

  async #commit(change: DeviceChange): Promise<void> {
    this.#requireStorable()
    await this.#parts.projector.commit({ kind: 'device-changed', change })
  }

  #tell(site: string, removed: readonly SeriesKey[]): void {
    this.#parts.feed.publish({ kind: 'devices', site, removed })
  }
}

const namesOf = ({ device, into }: Removal): string[] => (into === undefined ? [device] : [device, into])

const removedSeries = ({ site, device, metric, unit }: Series): RemovedSeries => ({
  key: { site, device, metric },
  unit,
})
