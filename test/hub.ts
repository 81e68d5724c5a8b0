import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from 'fastify'
import { openDesks } from '../src/api/desks.ts'
import type { Hub } from '../src/api/hub.ts'
import { createKey, KeyRing } from '../src/api/keys.ts'
import { People, type PeopleOptions } from '../src/api/people.ts'
import { createServer } from '../src/api/server.ts'
import { createInflux } from '../src/compose.ts'
import { influx as influxSettings } from '../src/config/ways.ts'
import type { Disk } from '../src/core/disk.ts'
import type { Role } from '../src/core/event.ts'
import type { Journal } from '../src/core/journal.ts'
import type { ArtifactStore, Clock, Jobs, Ledger, Log, ReadingStore, Receipt } from '../src/core/ports.ts'
import type { RawReading } from '../src/core/reading.ts'
import type { Domain, ForecastInput, LearnInput } from '../src/domains/domain.ts'
import { domains as shipped } from '../src/domains/index.ts'
import { Engine } from '../src/engine/engine.ts'
import type { Backups, EngineOptions } from '../src/engine/options.ts'
import type { Settings } from '../src/engine/site-settings.ts'
import { runWork } from '../src/engine/train-worker.ts'
import { createCaller } from '../src/platform/caller.ts'
import { systemClock } from '../src/platform/clock.ts'
import { nextRun } from '../src/platform/cron.ts'
import { TopicReader } from '../src/sources/mqtt/reader.ts'
import { countRows, createPushSource, rowsOf } from '../src/sources/push.ts'
import { createMemoryArtifacts } from '../src/stores/artifacts/memory.ts'
import { createThroughJournal } from '../src/stores/journal/through.ts'
import { createMemoryLedger } from '../src/stores/ledger/memory.ts'
import { createMemoryReadings } from '../src/stores/readings/memory.ts'
import { createMemoryWindows } from '../src/stores/window/memory.ts'

/** A whole hub in this process: the real engine and API over stores in memory, learning inline. */
export interface TestHub {
  readonly engine: Engine
  readonly server: FastifyInstance
  readonly hub: Hub
  readonly readings: ReadingStore
  readonly ledger: Ledger
  /** What the hub logged as an error; a test that expects none looks here. */
  readonly errors: readonly string[]
  /** What it logged as an info. */
  readonly infos: readonly { readonly message: string; readonly fields: unknown }[]
  /** Hands rows in as a source does; resolves after the commit. */
  push(rows: readonly Partial<RawReading>[]): Promise<Receipt>
  /** Makes a key and returns its secret. */
  key(role: Role, sites?: readonly string[] | null): Promise<string>
  /** A request from a client at this machine. */
  ask(options: InjectOptions & { readonly secret?: string | undefined }): Promise<LightMyRequestResponse>
  /** Listens on a free loopback port; for WebSockets and raw sockets. */
  listen(): Promise<number>
  close(): Promise<void>
}

export interface TestHubOptions {
  /** Default: this machine's clock. */
  readonly clock?: Clock
  /** Requests without a key are taken while there is no user. */
  readonly open?: boolean
  readonly people?: Partial<PeopleOptions>
  /** Default: the built page. */
  readonly webFolder?: string
  readonly trustProxy?: readonly string[]
  /** A line in the log for each request. */
  readonly access?: boolean
  readonly edge?: Partial<Pick<Hub, 'trusted' | 'origins'>>
  readonly limits?: Partial<Hub['limits']>
  /** As in the configuration file. */
  readonly influx?: object
  /** Default: those that are shipped. */
  readonly domains?: readonly Domain[]
  /** As in the configuration file, by domain. */
  readonly domainSettings?: Readonly<Record<string, Settings>>
  readonly engine?: Partial<Omit<EngineOptions, 'training'>>
  readonly training?: Partial<EngineOptions['training']>
  /** Default: half full. */
  readonly disk?: Disk
  /** Default: none, the stores are written at once. */
  readonly journal?: Journal
  readonly readings?: ReadingStore
  readonly ledger?: Ledger
  readonly artifacts?: ArtifactStore
  /** Default: one without mappings and profiles. */
  readonly topics?: TopicReader
  readonly topicMappings?: number
  readonly backups?: Backups
}

/** What the tests' clients send as Host, as a browser at this machine does. */
export const loopbackHost = '127.0.0.1:8000'

/** The built page where there is one; without it `GET /` answers JSON. */
const builtPage = fileURLToPath(new URL('../dist/web', import.meta.url))

const usualLimits: Hub['limits'] = {
  batchReadings: 10_000,
  inboxReadings: 65_536,
  bodyBytes: 16 * 1024 * 1024,
  bodiesBytes: 64 * 1024 * 1024,
  clientBufferBytes: 1024 * 1024,
  clientPendingBytes: 4 * 1024 * 1024,
  liveClients: 200,
  ingestClients: 100,
  frameBytes: 1024 * 1024,
  requestsPerMinute: 1_000_000,
  predictRows: 1000,
  recordsPerDomain: 10_000,
  recordBytes: 65_536,
  headersSeconds: 20,
  requestSeconds: 120,
  exports: 8,
  exportIdleMs: 60_000,
}

/** Passwords are hashed cheaply: their cost is stored with them. */
const usualPeople: PeopleOptions = {
  ...{ usersMax: 1000, sessionsPerUser: 50, preferencesBytes: 8192 },
  ...{ sessionMs: 30 * 86_400_000, accessMs: 900_000 },
  ...{ attemptsPerName: 10, attemptsPerAddress: 50, attemptMs: 900_000 },
  passwordCost: { n: 1024, r: 8, p: 1 },
}

const usualEngine: EngineOptions = {
  site: { id: 'home', name: 'Home', zone: 'Europe/Berlin' },
  inboxReadings: usualLimits.inboxReadings,
  turnReadings: 4096,
  windowReadings: 60,
  series: 100_000,
  rebuildJobs: 100,
  maxFutureMs: 600_000,
  liveWithinMs: 600_000,
  quarantineRows: 10_000,
  recordsPerDomain: usualLimits.recordsPerDomain,
  recordBytes: usualLimits.recordBytes,
  closedAlertRows: 10_000,
  modelEventRows: 10_000,
  readingsKeptMs: null,
  predictionsKeptMs: 90 * 86_400_000,
  forecastsKeptMs: 14 * 86_400_000,
  incidentsKeptMs: 365 * 86_400_000,
  removedKeptMs: 30 * 86_400_000,
  incidents: {
    ...{ resolveAfterMs: 300_000, coolDownMs: 900_000, escalationsMax: 12, alertsKept: 50, windowsMax: 100 },
    escalateAfterMs: { critical: 300_000, warning: 3_600_000, info: 0 },
    emergencyDomains: ['smoke', 'occupancy'],
  },
  ...{ journalLagBytes: 8 << 20, journalKeptMs: 0, diskWarningShare: 0.9 },
  scheduled: true,
  training: {
    ...{ enabled: false, workers: 1, jobMs: 600_000, jobsWaiting: 1000, kept: 5, open: 100, reloadMs: 0 },
    ...{ guardDays: 7, challengerDays: 28, challengerShare: 0, code: '0.0.0-test' },
    ...{ heldMs: 3_600_000, imports: 16, importSilentMs: 60_000 },
    ...{ retrainHour: 2, retrainHours: 24, zone: 'Europe/Berlin' },
  },
}

export async function startTestHub(options: TestHubOptions = {}): Promise<TestHub> {
  const { clock = systemClock, readings = createMemoryReadings(), ledger = createMemoryLedger() } = options
  const { artifacts = createMemoryArtifacts(), domains = shipped, domainSettings = {} } = options
  const limits = { ...usualLimits, ...options.limits }
  const training = { ...usualEngine.training, ...options.training }
  const { inboxReadings, recordsPerDomain, recordBytes } = limits
  const bounds = { inboxReadings, recordsPerDomain, recordBytes }
  const journal = options.journal ?? createThroughJournal({ readings, ledger })
  const settings = { ...usualEngine, ...bounds, ...options.engine, training }
  const errors: string[] = []
  const infos: { message: string; fields: unknown }[] = []
  const engine = new Engine(
    {
      disk: options.disk ?? { usage: async () => ({ usedShare: 0.5, freeBytes: 1 << 30 }) },
      ...{ journal, readings, ledger, artifacts, clock, log: errorsTo(errors), jobs: inlineJobs(domains) },
      backups: options.backups,
      calling: { nextRun, call: createCaller() },
      windows: createMemoryWindows({ capacity: settings.windowReadings }),
      domains: domains.map((domain) => ({
        domain,
        settings: domain.settings.parse(domainSettings[domain.name] ?? {}),
      })),
    },
    settings,
  )
  await engine.open()
  const source = createPushSource()
  engine.startSource(source)
  const people = new People(
    { ledger: ledger.people, clock, log: errorsTo(errors), secret: randomBytes(32) },
    { ...usualPeople, ...options.people },
  )
  await people.open()
  const take: Hub['push']['take'] = (rows) => source.push(rows)
  const topics = options.topics ?? new TopicReader({ mappings: [], payloadBytes: 65_536 })
  const { maxFutureMs, series, site } = settings
  const checks = { defaultSite: site.id, zone: site.zone, maxFutureMs, series }
  const bounded = { topicMappings: options.topicMappings ?? 100, recordBytes }
  const desks = await openDesks({ engine, topics, log: errorsTo(errors), take, checks, limits: bounded })
  const hub: Hub = {
    ...desks,
    ...{ engine, people, limits, version: '0.0.0-test', startedAt: clock.now(), ...options.edge },
    get open() {
      return (options.open ?? false) && people.size === 0
    },
    keys: new KeyRing(await ledger.keys()),
    defaultSite: settings.site.id,
    modelStore: 'memory',
    influx: createInflux(influxSettings.parse(options.influx ?? {}), settings.site.id),
    push: { rowsOf, countRows, take },
    removeSite: (site) => engine.removeSite(site),
    // stores in memory refuse
    backup: async () => Readable.from((await engine.freeze()).files.map(({ name }) => name)),
  }
  const server = await createServer(hub, {
    ...{ webFolder: options.webFolder ?? builtPage, access: options.access ?? false },
    log: { ...errorsTo(errors), info: (message, fields) => void infos.push({ message, fields }) },
    ...(options.trustProxy && { trustProxy: options.trustProxy }),
  })
  return {
    ...{ engine, server, hub, readings, ledger, errors, infos },
    push: (rows) => source.push(rows.map((row) => ({ source: 'test', ...row }))),
    async key(role, sites = null) {
      const { key, secret } = createKey(`${role} of ${sites?.join(', ') ?? 'all'}`, role, sites, clock.now())
      await ledger.putKey(key)
      hub.keys.add(key)
      return secret
    },
    ask({ secret, headers, ...request }) {
      const authorization = secret === undefined ? {} : { authorization: `Bearer ${secret}` }
      return server.inject({ ...request, headers: { host: loopbackHost, ...authorization, ...headers } })
    },
    async listen() {
      const url = await server.listen({ host: '127.0.0.1', port: 0 })
      return Number(new URL(url).port)
    },
    async close() {
      await server.close()
      await engine.close()
    },
  }
}

/** The worker's own entry, without the thread. */
const inlineJobs = (domains: readonly Domain[]): Jobs => ({
  async run<Input, Output>(
    task: string,
    input: Input,
    { onProgress }: { readonly onProgress?: (share: number) => void } = {},
  ): Promise<Output> {
    const port = { postMessage: (share: number) => onProgress?.(share) }
    const request = { task, input: structuredClone(input) as ForecastInput | LearnInput, port }
    return runWork(domains, request) as Output
  },
  async close() {},
})

const errorsTo = (errors: string[]): Log => ({
  info: () => undefined,
  warn: () => undefined,
  error: (message, fields) => void errors.push(`${message} ${JSON.stringify(fields)}`),
})
