import type { FolderContents } from '../core/contents.ts'
import type { Disk } from '../core/disk.ts'
import type { Freezable, FrozenStores } from '../core/frozen.ts'
import type { Journal } from '../core/journal.ts'
import type { ArtifactStore, Clock, Jobs, Ledger, Log, ReadingStore, WindowStore } from '../core/ports.ts'
import type { DiskWatchOptions } from './disk-watch.ts'
import type { IncidentOptions } from './incidents/options.ts'
import type { ModelsOptions } from './models/models.ts'
import type { ProjectorOptions } from './projector.ts'
import type { Calling, RetrainOptions } from './schedule/schedule.ts'
import type { ConfiguredDomain } from './site-settings.ts'

export interface EngineParts {
  readonly disk: Disk
  /** Notices at the start what is lost; absent where the stores are in memory. */
  readonly contents?: FolderContents | undefined
  readonly journal: Journal
  /** The stores as they lie on disk; absent where they are in memory. */
  readonly freezable?: { readonly readings: Freezable; readonly ledger: Freezable } | undefined
  /** Scheduled backups; absent: there are none. */
  readonly backups?: Backups | undefined
  readonly readings: ReadingStore
  readonly ledger: Ledger
  readonly artifacts: ArtifactStore
  readonly windows: WindowStore
  readonly clock: Clock
  readonly log: Log
  readonly jobs: Jobs
  readonly calling: Calling
  readonly domains: readonly ConfiguredDomain[]
}

export interface Backups {
  /** Hour of the day, in the zone of the hub's own site. */
  readonly hour: number
  save(freeze: () => Promise<FrozenStores>, signal: AbortSignal): Promise<void>
}

export interface EngineOptions extends ProjectorOptions, DiskWatchOptions {
  readonly site: { readonly id: string; readonly name: string; readonly zone: string }
  readonly inboxReadings: number
  readonly turnReadings: number
  readonly windowReadings: number
  readonly series: number
  /** Rebuilds that are listed after they ended. */
  readonly rebuildJobs: number
  readonly maxFutureMs: number
  /** How old a reading may be to raise alerts, ms. */
  readonly liveWithinMs: number
  readonly quarantineRows: number
  readonly recordsPerDomain: number
  readonly recordBytes: number
  readonly closedAlertRows: number
  readonly modelEventRows: number
  /** null: for ever. */
  readonly readingsKeptMs: number | null
  readonly predictionsKeptMs: number
  readonly forecastsKeptMs: number
  readonly incidents: IncidentOptions
  readonly incidentsKeptMs: number
  /** How long deleted and merged devices can be restored, ms. */
  readonly removedKeptMs: number
  readonly training: ModelsOptions & RetrainOptions
  /** Whether the schedule runs; a command that opens the engine for a moment leaves it to the hub. */
  readonly scheduled: boolean
}

/** The part of the ledger that the API reads directly. */
export type ReadLedger = Pick<
  Ledger,
  | 'rooms'
  | 'devices'
  | 'quarantined'
  | 'removeQuarantined'
  | 'predictions'
  | 'alerts'
  | 'notes'
  | 'records'
  | 'people'
  | 'jobs'
  | 'keys'
  | 'putKey'
  | 'removeKey'
>
