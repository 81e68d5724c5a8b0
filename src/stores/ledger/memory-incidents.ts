import { endedAt, type Incident, type MaintenanceWindow } from '../../core/incident.ts'
import type { IncidentLedger } from '../../core/incident-ledger.ts'
import { hides, type TakeOut, takeOut } from './memory-devices.ts'
import { compare, removeWhere } from './memory-upkeep.ts'

export function memoryIncidents(): IncidentLedger & {
  removeSite(site: string): void
  /** Drops what ended before. */
  trim(endedBefore: number): void
  readonly takeOut: TakeOut
} {
  const incidents = new Map<string, Incident>()
  const windows = new Map<string, MaintenanceWindow>()

  return {
    async put(put) {
      for (const incident of structuredClone(put)) {
        if ((incidents.get(incident.id)?.revision ?? 0) <= incident.revision)
          incidents.set(incident.id, incident)
      }
    },
    get: async (id) => incidents.get(id),
    list: async ({ sites, statuses, level, domain, after }, limit) =>
      [...incidents.values()]
        .filter(({ target }) => sites === undefined || sites.includes(target.site))
        .filter(({ status }) => statuses === undefined || statuses.includes(status))
        .filter((incident) => level === undefined || incident.level === level)
        .filter(({ target }) => domain === undefined || target.domain === domain)
        .filter((incident) => after === undefined || byAge(incident, after) > 0)
        .sort(byAge)
        .slice(0, limit),
    recent: async (endedFrom) =>
      [...incidents.values()].filter((incident) => (endedAt(incident) ?? endedFrom) >= endedFrom),
    async putWindow(window) {
      windows.set(window.id, structuredClone(window))
    },
    windows: async (sites) =>
      [...windows.values()]
        .filter(({ site }) => sites === undefined || sites.includes(site))
        .sort((a, b) => a.from - b.from || compare(a.id, b.id)),
    removeWindow: async (id) => windows.delete(id),
    trim(endedBefore) {
      removeWhere(windows, ({ to }) => to < endedBefore)
      removeWhere(incidents, (incident) => (endedAt(incident) ?? endedBefore) < endedBefore)
    },
    takeOut: (removal) => takeOut(incidents, ({ target }) => hides(removal, target)),
    removeSite(site) {
      removeWhere(incidents, ({ target }) => target.site === site)
      removeWhere(windows, (window) => window.site === site)
    },
  }
}

/** Newest first. */
const byAge = (a: Pick<Incident, 'since' | 'id'>, b: Pick<Incident, 'since' | 'id'>): number =>
  b.since - a.since || compare(a.id, b.id)
