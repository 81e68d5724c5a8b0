import type { RemovalLedger } from '../core/device.ts'
import type { IncidentLedger } from '../core/incident-ledger.ts'
import type { Ledger, ReadingStore } from '../core/ports.ts'

/**
 * The stores as everybody but the projector sees them: what was committed before a call is in them (see
 * `Projector.flush`). That holds for reads, and for direct changes of what turns write too, so that an older turn never
 * replaces them.
 */
export type Flush = () => Promise<void>

export function projectedReadings(store: ReadingStore, flush: Flush): ReadingStore {
  return {
    open: () => store.open(),
    close: () => store.close(),
    append: (readings) => store.append(readings),
    position: () => store.position(),
    removeSite: (site) => store.removeSite(site),
    change: (change) => flush().then(() => store.change(change)),
    maintain: (keepFrom) => store.maintain(keepFrom),
    stats: () => store.stats(),
    read: (filter, limit, after) => flush().then(() => store.read(filter, limit, after)),
    newest: (perSeries, only) => flush().then(() => store.newest(perSeries, only)),
    rollups: (series, from, to) => flush().then(() => store.rollups(series, from, to)),
    series: () => flush().then(() => store.series()),
    async *scan(series, from, to) {
      await flush()
      yield* store.scan(series, from, to)
    },
    async *scanMany(series, from, to) {
      await flush()
      yield* store.scanMany(series, from, to)
    },
  }
}

export function projectedLedger(ledger: Ledger, flush: Flush): Ledger {
  return {
    open: () => ledger.open(),
    close: () => ledger.close(),
    record: (turn) => ledger.record(turn),
    position: () => ledger.position(),
    removeSite: (site) => ledger.removeSite(site),
    change: (change) => flush().then(() => ledger.change(change)),
    maintain: (keep) => ledger.maintain(keep),
    monitorStates: (site) => flush().then(() => ledger.monitorStates(site)),
    dirtySpans: (site) => flush().then(() => ledger.dirtySpans(site)),
    putSites: (sites) => flush().then(() => ledger.putSites(sites)),
    sites: () => flush().then(() => ledger.sites()),
    putDevices: (devices) => flush().then(() => ledger.putDevices(devices)),
    devices: (site) => flush().then(() => ledger.devices(site)),
    rooms: (site) => flush().then(() => ledger.rooms(site)),
    putForecasts: (forecasts) => ledger.putForecasts(forecasts),
    forecasts: (site) => ledger.forecasts(site),
    putPredictions: (predictions) => flush().then(() => ledger.putPredictions(predictions)),
    predictions: (of, from, to, limit, after) =>
      flush().then(() => ledger.predictions(of, from, to, limit, after)),
    putAlerts: (alerts) => flush().then(() => ledger.putAlerts(alerts)),
    alerts: (filter, limit) => flush().then(() => ledger.alerts(filter, limit)),
    putQuarantined: (rows) => flush().then(() => ledger.putQuarantined(rows)),
    quarantined: (limit, before) => flush().then(() => ledger.quarantined(limit, before)),
    removeQuarantined: (ids) => flush().then(() => ledger.removeQuarantined(ids)),
    putKey: (key) => ledger.putKey(key),
    removeKey: (id) => ledger.removeKey(id),
    keys: () => ledger.keys(),
    models: ledger.models,
    jobs: ledger.jobs,
    watch: ledger.watch,
    schedule: ledger.schedule,
    notes: ledger.notes,
    incidents: projectedIncidents(ledger.incidents, flush),
    records: ledger.records,
    people: ledger.people,
    removals: projectedRemovals(ledger.removals, flush),
  }
}

const projectedRemovals = (removals: RemovalLedger, flush: Flush): RemovalLedger => ({
  list: (site) => flush().then(() => removals.list(site)),
  merges: () => flush().then(() => removals.merges()),
  versions: (removal) => flush().then(() => removals.versions(removal)),
})

/** Revisions keep an older turn from replacing what people did; see `IncidentLedger.put`. */
const projectedIncidents = (incidents: IncidentLedger, flush: Flush): IncidentLedger => ({
  put: (changed) => incidents.put(changed),
  get: (id) => flush().then(() => incidents.get(id)),
  list: (filter, limit) => flush().then(() => incidents.list(filter, limit)),
  recent: (endedFrom) => flush().then(() => incidents.recent(endedFrom)),
  putWindow: (window) => incidents.putWindow(window),
  windows: (sites) => incidents.windows(sites),
  removeWindow: (id) => incidents.removeWindow(id),
})
