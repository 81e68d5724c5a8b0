import type { DeviceChange, Removal } from '../../core/device.ts'
import { HomeostatError } from '../../core/errors.ts'
import type {
  Alert,
  ApiKey,
  Device,
  Forecast,
  ForecastKey,
  PointPrediction,
  Quarantined,
  Room,
  Site,
} from '../../core/event.ts'
import { forecastKeyId } from '../../core/forecast.ts'
import type { LedgerKeep } from '../../core/ledger-keep.ts'
import type { AlertFilter, AlertKey, Ledger, PredictionPosition } from '../../core/ports.ts'
import { findUnstorable } from '../../core/storable.ts'
import { compareTargets, type Target, TargetMap } from '../../core/target.ts'
import type { DirtySpans, LedgerTurn, MonitorState } from '../../core/turn.ts'
import { alertId, predictionId, siteAndId } from './keys.ts'
import { hides, hidesAlert, MemoryRemovals, takeOut } from './memory-devices.ts'
import { memoryIncidents } from './memory-incidents.ts'
import { memoryJobs } from './memory-jobs.ts'
import { memoryModels } from './memory-models.ts'
import { memoryNotes } from './memory-notes.ts'
import { memoryPeople } from './memory-people.ts'
import { memoryRecords } from './memory-records.ts'
import { memorySchedule } from './memory-schedule.ts'
import { compare, removeWhere } from './memory-upkeep.ts'
import { memoryWatch } from './memory-watch.ts'
import { quarantinedOf, quarantinedRow } from './rows.ts'

/** The ledger without a disk: for tests, and the plain version that the SQL one is held against. */
export function createMemoryLedger(options: { readonly quarantineLimit?: number } = {}): Ledger {
  return new MemoryLedger(options.quarantineLimit ?? 10_000)
}

class MemoryLedger implements Ledger {
  readonly #sites = new Map<string, Site>()
  readonly #rooms = new Map<string, Room>()
  readonly #devices = new Map<string, Device>()
  readonly #forecasts = new Map<string, Forecast>()
  readonly #predictions = new Map<string, PointPrediction>()
  readonly #alerts = new Map<string, Alert>()
  readonly #states = new TargetMap<MonitorState>()
  readonly #dirty = new TargetMap<DirtySpans>()
  readonly #keys = new Map<string, ApiKey>()
  readonly models = memoryModels()
  readonly jobs = memoryJobs()
  readonly watch = memoryWatch()
  readonly schedule = memorySchedule()
  readonly notes = memoryNotes()
  readonly incidents = memoryIncidents()
  readonly records = memoryRecords()
  readonly people = memoryPeople()
  readonly removals = new MemoryRemovals({
    devices: this.#devices,
    putDevices: (devices) => this.putDevices(devices),
    models: this.models,
    takeOut: [
      ...[this.#forecasts, this.#predictions].map(
        (rows: Map<string, { readonly target: Target }>) => (removal: Removal) =>
          takeOut(rows, ({ target }) => hides(removal, target)),
      ),
      (removal) => takeOut(this.#alerts, (alert) => hidesAlert(removal, alert)),
      (removal) => this.#dropStates(removal),
      ...[this.models, this.jobs, this.watch, this.notes, this.incidents].map((part) => part.takeOut),
    ],
  })
  readonly #quarantineLimit: number
  #quarantined: { id: number; row: Quarantined }[] = []
  #lastId = 0
  #position = 0

  constructor(quarantineLimit: number) {
    this.#quarantineLimit = quarantineLimit
  }

  async open(): Promise<void> {}

  async close(): Promise<void> {}

  async record(turn: LedgerTurn, position?: number): Promise<void> {
    const { predictions, alerts } = turn
    const refused = findUnstorable({ predictions, alerts }, 'turn')
    if (refused !== undefined) throw new HomeostatError('turn_refused', { detail: refused })
    if (position !== undefined) this.#position = position
    await this.putSites(turn.sites)
    await this.putDevices(turn.devices)
    await this.putQuarantined(turn.quarantined)
    await this.putPredictions(turn.predictions)
    await this.putAlerts(turn.alerts)
    await this.incidents.put(turn.incidents)
    for (const state of turn.states) {
      if (state.state === undefined) this.#states.delete(state.target)
      else this.#states.set(state.target, structuredClone(state))
    }
    for (const dirty of turn.dirty) {
      if (dirty.spans.length === 0) this.#dirty.delete(dirty.target)
      else this.#dirty.set(dirty.target, structuredClone(dirty))
    }
  }

  async position(): Promise<number> {
    return this.#position
  }

  async monitorStates(site?: string): Promise<MonitorState[]> {
    return ofTargets(site, this.#states)
  }

  async dirtySpans(site?: string): Promise<DirtySpans[]> {
    return ofTargets(site, this.#dirty)
  }

  async putSites(sites: readonly Site[]): Promise<void> {
    for (const site of sites) this.#sites.set(site.id, structuredClone(site))
  }

  async sites(): Promise<Site[]> {
    return [...this.#sites.values()].sort((a, b) => compare(a.id, b.id))
  }

  async removeSite(site: string): Promise<void> {
    this.#sites.delete(site)
    for (const map of [this.#rooms, this.#devices]) {
      removeWhere<string, { readonly site: string }>(map, (row) => row.site === site)
    }
    for (const map of [this.#forecasts, this.#predictions, this.#alerts]) {
      removeWhere<string, { readonly target: Target }>(map, ({ target }) => target.site === site)
    }
    this.#states.removeSite(site)
    this.#dirty.removeSite(site)
    const parts = [this.models, this.jobs, this.watch, this.notes, this.incidents, this.records]
    for (const part of [...parts, this.removals]) part.removeSite(site)
  }

  async change(change: DeviceChange, position?: number): Promise<void> {
    await this.removals.change(change)
    if (position !== undefined) this.#position = position
  }

  #dropStates({ targets }: Removal): () => void {
    for (const target of targets) for (const rows of [this.#states, this.#dirty]) rows.delete(target)
    return () => undefined
  }

  async putDevices(devices: readonly Device[]): Promise<void> {
    for (const device of devices) {
      const room = device.room ?? this.#devices.get(siteAndId(device))?.room
      const merged = room === undefined ? device : { ...device, room }
      this.#devices.set(siteAndId(device), structuredClone(merged))
      if (room !== undefined) {
        this.#rooms.set(siteAndId({ site: device.site, id: room }), { site: device.site, id: room })
      }
    }
  }

  async devices(site?: string): Promise<Device[]> {
    return of(site, this.#devices).sort(bySiteAndId)
  }

  async rooms(site?: string): Promise<Room[]> {
    return of(site, this.#rooms).sort(bySiteAndId)
  }

  async putForecasts(forecasts: readonly Forecast[]): Promise<void> {
    for (const forecast of forecasts) {
      const known = this.#forecasts.get(forecastKeyId(forecast))
      if (known && known.origin > forecast.origin) continue
      this.#forecasts.set(forecastKeyId(forecast), structuredClone(forecast))
    }
  }

  async forecasts(site?: string): Promise<Forecast[]> {
    return [...this.#forecasts.values()]
      .filter(({ target }) => site === undefined || target.site === site)
      .sort((a, b) => compareTargets(a.target, b.target) || compare(a.metric, b.metric))
  }

  async putPredictions(predictions: readonly PointPrediction[]): Promise<void> {
    for (const row of predictions) this.#predictions.set(predictionId(row), structuredClone(row))
  }

  async predictions(
    of: ForecastKey,
    from: number,
    to: number,
    limit: number,
    after?: PredictionPosition,
  ): Promise<PointPrediction[]> {
    return [...this.#predictions.values()]
      .filter((row) => forecastKeyId(row) === forecastKeyId(of) && row.at >= from && row.at < to)
      .filter((row) => after === undefined || comparePredictions(row, after) > 0)
      .sort(comparePredictions)
      .slice(0, limit)
  }

  async putAlerts(alerts: readonly Alert[]): Promise<void> {
    for (const alert of alerts) this.#alerts.set(alertId(alert), structuredClone(alert))
  }

  async alerts({ sites, open, after }: AlertFilter, limit: number): Promise<Alert[]> {
    return [...this.#alerts.values()]
      .filter(({ target }) => sites === undefined || sites.includes(target.site))
      .filter(({ until }) => open === undefined || (until === undefined) === open)
      .filter((alert) => after === undefined || compareAlerts(alert, after) > 0)
      .sort(compareAlerts)
      .slice(0, limit)
  }

  async putQuarantined(rows: readonly Quarantined[]): Promise<void> {
    for (const row of rows)
      this.#quarantined.push({ id: ++this.#lastId, row: quarantinedOf(quarantinedRow(row)) })
    if (this.#quarantined.length > 2 * this.#quarantineLimit) this.#trimQuarantined(this.#quarantineLimit)
  }

  async removeQuarantined(ids: readonly number[] | 'all'): Promise<number> {
    const before = this.#quarantined
    const gone = new Set(ids === 'all' ? before.map(({ id }) => id) : ids)
    this.#quarantined = before.filter(({ id }) => !gone.has(id))
    return before.length - this.#quarantined.length
  }

  async quarantined(limit: number, before?: number): Promise<{ id: number; row: Quarantined }[]> {
    return this.#quarantined
      .filter(({ id }) => before === undefined || id < before)
      .reverse()
      .slice(0, limit)
  }

  async putKey(key: ApiKey): Promise<void> {
    this.#keys.set(key.id, structuredClone(key))
  }

  async removeKey(id: string): Promise<boolean> {
    return this.#keys.delete(id)
  }

  async keys(): Promise<ApiKey[]> {
    return [...this.#keys.values()].sort((a, b) => compare(a.id, b.id))
  }

  async maintain(keep: LedgerKeep): Promise<void> {
    this.#trimQuarantined(keep.quarantined)
    const closed = [...this.#alerts.values()].filter(({ until }) => until !== undefined)
    closed.sort((a, b) => b.until! - a.until!)
    for (const alert of closed.slice(keep.closedAlerts)) this.#alerts.delete(alertId(alert))
    this.models.trimEvents(keep.modelEvents)
    this.incidents.trim(keep.incidentsFrom)
    removeWhere(this.#predictions, ({ madeAt }) => madeAt < keep.keepFrom)
    for (const part of [this.models, this.jobs, this.watch, this.notes])
      part.dropBefore(keep.keepFrom, keep.forecastsFrom, keep.thinBefore)
  }

  #trimQuarantined(keep: number): void {
    this.#quarantined = this.#quarantined.slice(Math.max(0, this.#quarantined.length - keep))
  }
}

function of<Row extends { readonly site: string }>(site: string | undefined, rows: Map<string, Row>): Row[] {
  return [...rows.values()].filter((row) => site === undefined || row.site === site)
}

const comparePredictions = (a: PredictionPosition, b: PredictionPosition): number =>
  a.at - b.at ||
  a.madeAt - b.madeAt ||
  compare(a.model.name, b.model.name) ||
  compare(a.model.version, b.model.version)
function ofTargets<Row extends { readonly target: Target }>(
  site: string | undefined,
  rows: TargetMap<Row>,
): Row[] {
  return (
    [...rows.values()]
      .filter(({ target }) => site === undefined || target.site === site)
      .sort((a, b) => compareTargets(a.target, b.target))
      // what is read may be changed by its reader, as with a disk
      .map((row) => structuredClone(row))
  )
}

const compareAlerts = (a: AlertKey, b: AlertKey): number =>
  b.since - a.since || compare(a.rule, b.rule) || compareTargets(a.target, b.target)

const bySiteAndId = (
  a: { readonly site: string; readonly id: string },
  b: { readonly site: string; readonly id: string },
): number => compare(a.site, b.site) || compare(a.id, b.id)
