import { join } from 'node:path'
import type { Hub } from './api/hub.ts'
import { usualCost } from './api/password.ts'
import { People, type PeopleParts } from './api/people.ts'
import { dailyBackups } from './backup.ts'
import type { Config } from './config/load.ts'
import type { FolderContents } from './core/contents.ts'
import type { ArtifactStore } from './core/ports.ts'
import { dayMs, hourMs, minuteMs } from './core/time.ts'
import type { Domain } from './domains/domain.ts'
import { domains as shipped } from './domains/index.ts'
import { Engine } from './engine/engine.ts'
import type { IncidentOptions } from './engine/incidents/options.ts'
import type { EngineOptions, EngineParts } from './engine/options.ts'
import type { CheckOptions } from './engine/row-check.ts'
import { createCaller } from './platform/caller.ts'
import { systemClock } from './platform/clock.ts'
import { openContents } from './platform/contents.ts'
import { nextRun } from './platform/cron.ts'
import { createDisk } from './platform/disk.ts'
import { createThreadJobs } from './platform/jobs.ts'
import { Influx, isPrecision } from './sources/influx.ts'
import { hypervoltMappings } from './sources/mqtt/mapping.ts'
import { TopicReader } from './sources/mqtt/reader.ts'
import { artifactStores } from './stores/artifacts/index.ts'
import { journals } from './stores/journal/index.ts'
import { ledgers } from './stores/ledger/index.ts'
import { storesIn } from './stores/presence.ts'
import { readingStores } from './stores/readings/index.ts'
import { createMemoryWindows } from './stores/window/memory.ts'

export interface EngineChoices extends Pick<EngineParts, 'log'> {
  readonly version: string
  readonly scheduled: boolean
  /** Goes into backups. */
  readonly configFile?: string | undefined
  /** Go on without what the data folder has lost. */
  readonly acceptLoss?: boolean | undefined
  /** Default: those that are shipped. */
  readonly domains?: readonly Domain[] | undefined
  /** Where worker threads find others than those that are shipped; see `JobRequest`. */
  readonly domainsModule?: URL | undefined
}

/** The engine with this machine's adapters; what must be closed before it is put on `stops`. */
export function createEngine(
  config: Config,
  {
    log,
    version,
    scheduled,
    acceptLoss = false,
    configFile,
    domains = shipped,
    domainsModule,
  }: EngineChoices,
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
  const contents = contentsOf(config.data, acceptLoss)
  const stores = createStores(config, contents)
  return new Engine(
    {
      disk: createDisk(config.data),
      contents,
      ...stores,
      freezable: stores,
      backups: dailyBackups(config, { version, configFile }),
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
      removedKeptMs: retention.removedDays * dayMs,
      incidents: incidentOptions(incidents),
      scheduled,
      training: trainingOptions(config, version),
    },
  )
}

/** Times of the configuration are in the units that people read; the engine's are in milliseconds. */
function trainingOptions(
  { training, limits, site, artifacts }: Config,
  version: string,
): EngineOptions['training'] {
  return {
    ...training,
    zone: site.zone,
    jobMs: training.jobSeconds * 1000,
    jobsWaiting: limits.trainingJobs,
    heldMs: training.importHours * hourMs,
    imports: limits.imports,
    importSilentMs: training.importSilentSeconds * 1000,
    kept: limits.modelsKept,
    open: limits.modelsOpen,
    reloadMs: artifacts.reloadSeconds * 1000,
    code: version,
  }
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

/** Reads the messages of all MQTT topics, whichever broker they come from. */
export function createTopicReader(config: Config, engine: Pick<Engine, 'sites'>): TopicReader {
  const { mqtt, limits, site } = config
  const { topicsHeard: topics, topicsHeardBytes: bytes, topicPayloadBytes: payloadBytes } = limits
  return new TopicReader({
    mappings: [...mqtt.mappings, ...hypervoltMappings(mqtt.topicPrefix)],
    payloadBytes: limits.payloadBytes,
    profiles: {
      ...mqtt.profiles,
      entities: limits.describedEntities,
      descriptionBytes: limits.descriptionBytes,
    },
    heard: { topics, bytes, payloadBytes },
    retained: mqtt.retainedWithoutTime,
    times: {
      zoneOf: (id) => engine.sites().find((known) => known.id === (id ?? site.id))?.zone ?? site.zone,
      now: () => systemClock.now(),
    },
  })
}

/** What of the configuration decides whether a row becomes a reading. */
export const checksOf = ({ site, limits }: Config): CheckOptions => ({
  ...{ defaultSite: site.id, zone: site.zone, maxFutureMs: limits.maxFutureMs, series: limits.series },
})

/** Opened and checked with the stores. */
export const contentsOf = (data: string, acceptLoss = false): FolderContents =>
  openContents({ folder: data, acceptLoss, present: () => storesIn(data) })

/** The stores of the data folder, not open yet. With `contents` the ledger notices what it has lost. */
export const createStores = (
  { data, limits }: Config,
  contents?: FolderContents,
): Pick<EngineParts, 'journal' | 'readings' | 'ledger'> & NonNullable<EngineParts['freezable']> => ({
  journal: journals.file({ folder: journalFolderOf(data), segmentBytes: limits.journalSegmentBytes }),
  readings: readingStores.duckdb({
    folder: data,
    memoryLimitMb: limits.memoryMb,
    walLimitBytes: limits.walBytes,
  }),
  ledger: ledgers.sqlite({ folder: data, quarantineLimit: limits.quarantineRows, contents }),
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

/** What the ways in over HTTP need of a hub. Throws `config_invalid`. */
export const waysOf = ({ influx, ingest, limits, site }: Config): Pick<Hub, 'influx' | 'limits'> => ({
  influx: createInflux(influx, site.id),
  limits: {
    ...{ ...limits, ingestClients: ingest.clients, frameBytes: ingest.frameBytes },
    requestsPerMinute: limits.requestsPerSecond * 60,
  },
})

/** Throws `config_invalid`. */
export function createInflux(influx: Config['influx'], defaultSite: string): Hub['influx'] {
  const { ownDatabases, neutralMeasurements, mappings } = influx
  const way = new Influx({
    ...{ defaultSite, ownDatabases, neutralMeasurements, mappings },
    tags: {
      ...{ site: influx.siteTags, device: influx.deviceTags, metric: influx.metricTags },
      ...{ unit: influx.unitTags, room: influx.roomTags, ignored: influx.ignoredTags },
    },
  })
  return { isPrecision, read: (bytes, body) => way.read(bytes, body), notes: () => way.notes.list() }
}
