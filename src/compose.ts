import { join } from 'node:path'
import { usualCost } from './api/password.ts'
import { People, type PeopleParts } from './api/people.ts'
import type { Config } from './config/load.ts'
import type { ArtifactStore } from './core/ports.ts'
import { dayMs, minuteMs } from './core/time.ts'
import type { Domain } from './domains/domain.ts'
import { domains as shipped } from './domains/index.ts'
import { Engine } from './engine/engine.ts'
import type { IncidentOptions } from './engine/incidents/options.ts'
import type { EngineParts } from './engine/options.ts'
import { createCaller } from './platform/caller.ts'
import { systemClock } from './platform/clock.ts'
import { nextRun } from './platform/cron.ts'
import { createDisk } from './platform/disk.ts'
import { createThreadJobs } from './platform/jobs.ts'
import { artifactStores } from './stores/artifacts/index.ts'
import { journals } from './stores/journal/index.ts'
import { ledgers } from './stores/ledger/index.ts'
import { readingStores } from './stores/readings/index.ts'
import { createMemoryWindows } from './stores/window/memory.ts'

export interface EngineChoices extends Pick<EngineParts, 'log'> {
  readonly version: string
  readonly scheduled: boolean
  /** Default: those that are shipped. */
  readonly domains?: readonly Domain[] | undefined
  /** Where worker threads find others than those that are shipped; see `JobRequest`. */
  readonly domainsModule?: URL | undefined
}

/** The engine with this machine's adapters; what must be closed before it is put on `stops`. */
export function createEngine(
  config: Config,
  { log, version, scheduled, domains = shipped, domainsModule }: EngineChoices,
  stops: (() => Promise<unknown>)[],
): Engine {
  const { limits, retention, training, site, incidents } = config
  const jobs = createThreadJobs({
    // from source in development
    file: new URL(`./engine/train-worker${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url),
    // no more than learn: with a forecast beside a training, readings waited more than twice as long on two processors
    threads: training.workers,
    memoryMb: training.memoryMb,
    // while the stores open; a command that does not learn needs none
    warm: training.enabled,
    ...(domainsModule && { always: { domainsModule: domainsModule.href } }),
  })
  stops.push(() => jobs.close())
  return new Engine(
    {
      disk: createDisk(config.data),
      ...createStores(config),
      artifacts: createArtifacts(config),
      windows: createMemoryWindows({ capacity: limits.windowReadings }),
      clock: systemClock,
      log,
      jobs,
      calling: { nextRun, call: createCaller() },
      domains: domains.map((domain) => ({
        domain,
        settings: domain.settings.parse(config.domains[domain.name] ?? {}),
      })),
    },
    {
      ...limits,
      site,
      journalKeptMs: retention.journalDays * dayMs,
      readingsKeptMs: retention.readingsDays === null ? null : retention.readingsDays * dayMs,
      predictionsKeptMs: retention.predictionsDays * dayMs,
      forecastsKeptMs: retention.forecastsDays * dayMs,
      incidentsKeptMs: retention.incidentsDays * dayMs,
      incidents: incidentOptions(incidents),
      scheduled,
      training: {
        ...training,
        zone: site.zone,
        jobMs: training.jobSeconds * 1000,
        jobsWaiting: limits.trainingJobs,
        kept: limits.modelsKept,
        open: limits.modelsOpen,
        reloadMs: config.artifacts.reloadSeconds * 1000,
        code: version,
      },
    },
  )
}

/** Users and sessions, not open yet. */
export function createPeople({ auth, limits }: Config, parts: PeopleParts): People {
  const { sessionDays, accessSeconds, signInMinutes } = auth
  return new People(parts, {
    usersMax: limits.users,
    sessionsPerUser: limits.sessionsPerUser,
    preferencesBytes: limits.preferencesBytes,
    sessionMs: sessionDays * dayMs,
    accessMs: accessSeconds * 1000,
    attemptsPerName: auth.signInsPerName,
    attemptsPerAddress: auth.signInsPerAddress,
    attemptMs: signInMinutes * minuteMs,
    passwordCost: usualCost,
  })
}

/** What the data folder holds, not open yet. */
export const createStores = ({
  data,
  limits,
}: Config): Pick<EngineParts, 'journal' | 'readings' | 'ledger'> => ({
  journal: journals.file({ folder: journalFolderOf(data), segmentBytes: limits.journalSegmentBytes }),
  readings: readingStores.duckdb({
    folder: data,
    memoryLimitMb: limits.memoryMb,
    walLimitBytes: limits.walBytes,
  }),
  ledger: ledgers.sqlite({ folder: data, quarantineLimit: limits.quarantineRows }),
})

export const journalFolderOf = (data: string): string => join(data, 'journal')

const incidentOptions = (incidents: Config['incidents']): IncidentOptions => ({
  resolveAfterMs: incidents.resolveAfterMinutes * minuteMs,
  coolDownMs: incidents.coolDownMinutes * minuteMs,
  escalateAfterMs: {
    critical: incidents.escalateAfterMinutes.critical * minuteMs,
    warning: incidents.escalateAfterMinutes.warning * minuteMs,
    info: incidents.escalateAfterMinutes.info * minuteMs,
  },
  escalationsMax: incidents.escalationsMax,
  emergencyDomains: incidents.emergencyDomains,
  alertsKept: incidents.alertsKept,
  windowsMax: incidents.windowsMax,
})

function createArtifacts({ data, artifacts }: Config): ArtifactStore {
  const { store, folder, endpoint = '', bucket, region, accessKey = '', secretKey = '' } = artifacts
  if (store === 'file') return artifactStores.file({ folder: folder ?? join(data, 'models') })
  const requestMs = artifacts.requestSeconds * 1000
  return artifactStores.s3({ endpoint, bucket, region, accessKey, secretKey, requestMs })
}
