import type { AlertLevel } from './event.ts'
import type { Incident, IncidentStatus, MaintenanceWindow } from './incident.ts'

/** Incidents and maintenance windows; the alerts of an incident are kept with it. */
export interface IncidentLedger {
  /** Same id replaces, unless what is there has a higher revision: writes may overtake each other. */
  put(incidents: readonly Incident[]): Promise<void>
  get(id: string): Promise<Incident | undefined>
  /** Newest `since` first, then by id; at most `limit`, strictly after `filter.after`. */
  list(filter: IncidentFilter, limit: number): Promise<Incident[]>
  /** Those that have not ended, and those that ended at `endedFrom` or later (see `endedAt`); in no order. */
  recent(endedFrom: number): Promise<Incident[]>
  /** Same id replaces. */
  putWindow(window: MaintenanceWindow): Promise<void>
  /** By `from`, then id. */
  windows(sites?: readonly string[]): Promise<MaintenanceWindow[]>
  removeWindow(id: string): Promise<boolean>
}

/** Which incidents; absent means all. */
export interface IncidentFilter {
  readonly sites?: readonly string[]
  readonly statuses?: readonly IncidentStatus[]
  readonly level?: AlertLevel
  readonly domain?: string
  /** The last incident of the page before. */
  readonly after?: Pick<Incident, 'since' | 'id'>
}
