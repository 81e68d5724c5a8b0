import type { ArtifactStore, Clock, Jobs, Ledger, Log, ReadingStore, WindowStore } from '../core/ports.ts'
import type { Learning, LiveModel } from '../domains/domain.ts'
import type { IncidentOptions } from './incidents/options.ts'
import type { ModelsOptions } from './models/models.ts'
import type { ThresholdRule } from './rules.ts'
import type { Calling, RetrainOptions } from './schedule/schedule.ts'

export interface EngineParts {
  readonly readings: ReadingStore
  readonly ledger: Ledger
  readonly artifacts: ArtifactStore
  readonly windows: WindowStore
  readonly clock: Clock
  readonly log: Log
  readonly jobs: Jobs
  readonly calling: Calling
  /** What the domains bring to the hot path and to the trainer. */
  readonly liveModels: readonly LiveModel[]
  readonly learnings: readonly Learning[]
}

export interface EngineOptions {
  readonly site: { readonly id: string; readonly name: string; readonly zone: string }
  readonly rules: readonly ThresholdRule[]
  readonly inboxReadings: number
  readonly turnReadings: number
  readonly windowReadings: number
  readonly series: number
  readonly maxFutureMs: number
  readonly quarantineRows: number
  /** null: for ever. */
  readonly readingsKeptMs: number | null
  readonly predictionsKeptMs: number
  readonly forecastsKeptMs: number
  readonly incidents: IncidentOptions
  readonly incidentsKeptMs: number
  readonly training: ModelsOptions & RetrainOptions
  /** Whether the schedule runs; a command that opens the engine for a moment leaves it to the hub. */
  readonly scheduled: boolean
}
