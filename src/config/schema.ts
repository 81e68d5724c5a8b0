import { availableParallelism } from 'node:os'
import { z } from 'zod'
import { isZone } from '../core/calendar.ts'
import { edge, edgeLimits } from './edge.ts'
import { incidents } from './incidents-schema.ts'
import { count, id, kib, mib, port, text } from './kinds.ts'
import { log } from './log.ts'
import { mqttSection } from './mqtt-schema.ts'
import { backup } from './schema-backup.ts'
import { influx, ingest } from './ways.ts'

/**
 * Every key of the configuration: its default, its limits, its unit (last in the name) and what it does, on one page.
 * The example file, the names of environment variables and the hints in error messages are made from it.
 */

const site = z
  .strictObject({
    id: id.default('home').describe('Site of a reading that names none.'),
    name: text(100).default('Home').describe('How the site is called on the pages.'),
    zone: text(64)
      .refine(isZone, 'an IANA time zone such as Europe/Athens')
      .default(machineZone)
      .describe('IANA time zone of civil days and tariff hours. Default: the zone of this machine.'),
  })
  .prefault({})
  .describe("The hub's own home or building.")

const limits = z
  .strictObject({
    inboxReadings: count(1, 10_000_000, 65_536).describe(
      'Readings of one source that are not committed yet; then the source waits.',
    ),
    turnReadings: count(1, 1_000_000, 16_384).describe('Readings of one commit.'),
    batchReadings: count(1, 1_000_000, 10_000).describe('Readings of one request.'),
    bodyBytes: count(kib, 1024 * mib, 16 * mib).describe('Length of a request.'),
    payloadBytes: count(64, 16 * mib, 64 * kib).describe('Length of an MQTT message.'),
    windowReadings: count(2, 100_000, 60).describe('Newest readings of each series held in memory.'),
    series: count(1, 10_000_000, 100_000).describe('Series that the hub keeps.'),
    clientBufferBytes: count(kib, 1024 * mib, mib).describe(
      'What may wait for a slow live client before it is cut.',
    ),
    mqttSessionBytes: count(64 * kib, mib * kib, 32 * mib).describe(
      'What MQTT keeps for clients that are away.',
    ),
    mqttRetainedBytes: count(64 * kib, mib * kib, 32 * mib).describe('Retained messages of MQTT.'),
    clientPendingBytes: count(64 * kib, 1024 * mib, 4 * mib).describe(
      'Messages of one MQTT client that may wait for their commit before it is not read further.',
    ),
    topicsHeard: count(0, 1_000_000, 1000).describe(
      'Topics listed because they, or some of their fields, are not understood.',
    ),
    topicsHeardBytes: count(kib, 1024 * mib, mib).describe('What these may take in memory.'),
    topicPayloadBytes: count(16, mib, 2 * kib).describe('What is kept of the last payload of such a topic.'),
    topicMappings: count(0, 10_000, 1000).describe('Mappings of topics that are added while the hub runs.'),
    describedEntities: count(1, 1_000_000, 10_000).describe(
      'Devices and entities that one MQTT profile keeps of those that describe themselves.',
    ),
    descriptionBytes: count(64 * kib, 64 * mib, 4 * mib).describe(
      'Length of an MQTT message in which devices describe themselves.',
    ),
    listenMessages: count(1, 10_000_000, 10_000).describe(
      'Messages of a minute at mqtt.listenTo; then nothing more is listened to until it ends.',
    ),
    liveClients: count(0, 100_000, 200).describe('Live connections at the same time.'),
    quarantineRows: count(0, 10_000_000, 10_000).describe('Bad messages kept for looking at.'),
    closedAlertRows: count(0, 10_000_000, 100_000).describe(
      'Alerts that ended and are kept, the last ones; open ones always stay.',
    ),
    modelEventRows: count(0, 10_000_000, 100_000).describe(
      'Events in the lives of models that are kept, the newest.',
    ),
    modelsKept: count(1, 1000, 5).describe(
      'Versions of each model that are kept, the newest; the live one and the one before it always.',
    ),
    modelsOpen: count(1, 1_000_000, 1000).describe('Models held in memory to answer questions.'),
    imports: count(1, 1000, 16).describe('Imports that run at the same time.'),
    trainingJobs: count(1, 10_000_000, 100_000).describe('Trainings that may wait.'),
    rebuildJobs: count(1, 100_000, 100).describe('Rebuilds that are listed after they ended.'),
    predictRows: count(1, 100_000, 1000).describe('Rows of one request for predictions.'),
    recordsPerDomain: count(1, 10_000_000, 10_000).describe('Records of one domain on one site.'),
    recordBytes: count(kib, 16 * mib, 64 * kib).describe('Length of a record of a domain.'),
    maxFutureMs: count(0, 86_400_000, 600_000).describe('How far ahead of this clock a reading may be.'),
    liveWithinMs: count(1000, 86_400_000, 600_000).describe(
      'How old a reading may be to raise alerts; what is older is history.',
    ),
    requestsPerSecond: count(1, 1_000_000, 1_000).describe('Requests of one client.'),
    exports: count(1, 1000, 8).describe('Answers in CSV that are written at the same time.'),
    exportIdleMs: count(1000, 3_600_000, 60_000).describe(
      'How long the client of an answer in CSV may take nothing before it is cut.',
    ),
    journalLagBytes: count(64 * kib, 1024 * mib, 8 * mib).describe(
      'Acknowledged turns in the journal that the stores do not have yet; then commits wait.',
    ),
    journalSegmentBytes: count(256 * kib, 1024 * mib, 4 * mib).describe('Length of a file of the journal.'),
    diskWarningShare: z
      .number()
      .min(0.5)
      .max(1)
      .default(0.9)
      .describe(
        'Share of the disk of the data folder in use above which the hub warns, and again once it was 0.05 lower; 1: never.',
      ),
    walBytes: count(mib, 16_384 * mib, 64 * mib).describe(
      'Length of the write-ahead log before it is merged.',
    ),
    memoryMb: count(64, 1_048_576, 128).describe('Memory that the store of readings may take.'),
    ...edgeLimits,
  })
  .refine(({ inboxReadings, turnReadings }) => turnReadings <= inboxReadings, {
    message: 'a number not above limits.inboxReadings',
    path: ['turnReadings'],
  })
  .prefault({})
  .describe('Everything has a limit.')

const hubSchema = z.strictObject({
  data: text(4096).default('./data').describe('Folder that holds everything the hub keeps.'),
  importFile: text(4096)
    .optional()
    .describe('CSV file that is imported when the hub starts, once; again only where the file has changed.'),
  host: text(253)
    .default('127.0.0.1')
    .describe('Address to listen on. Anything but a loopback address needs a key: homeostat key create.'),
  port: port(8000).describe('Port of the page and the API; 0 takes a free one.'),
  site,
  mqtt: mqttSection,
  influx,
  ingest,
  demo: z
    .strictObject({
      enabled: z
        .union([z.boolean(), z.literal('auto')])
        .default('auto')
        .describe('Show a simulated home; auto: as long as there is no real reading.'),
    })
    .prefault({})
    .describe('The demo home.'),
  simulator: z
    .strictObject({
      seed: count(0, 2 ** 31 - 1, 1).describe('The same seed gives the same home.'),
      intervalSeconds: z.number().min(1).max(3600).default(5).describe('Time between its readings.'),
      historyDays: count(0, 400, 35).describe('Days that it has lived before the hub starts.'),
      latitude: z.number().min(-90).max(90).optional().describe('Degrees, north is +.'),
      longitude: z.number().min(-180).max(180).optional().describe('Degrees, east is +.'),
    })
    .prefault({})
    .describe('How the simulated home lives.'),
  incidents,
  ...edge,
  limits,
  retention: z
    .strictObject({
      readingsDays: z
        .number()
        .min(1)
        .max(36_500)
        .nullable()
        .default(null)
        .describe('Readings older than this go, their hourly roll-ups stay; null keeps them for ever.'),
      journalDays: z
        .number()
        .min(0)
        .max(36_500)
        .default(0)
        .describe(
          'How long turns stay in the journal after the stores have them, for replay; 0: not at all.',
        ),
      predictionsDays: z
        .number()
        .min(1)
        .max(36_500)
        .default(90)
        .describe('Logged predictions, reports, notes and ended trainings older than this go.'),
      forecastsDays: z
        .number()
        .min(3)
        .max(36_500)
        .default(14)
        .describe('Logged forecasts older than this go; how they turned out stays in the reports.'),
      incidentsDays: z
        .number()
        .min(2)
        .max(36_500)
        .default(365)
        .describe('Incidents and maintenance windows that ended before go; what is open stays.'),
      removedDays: z.number().min(0).max(3650).default(30).describe('How long a deletion can be undone.'),
    })
    .prefault({})
    .describe('What is kept for how long.'),
  backup,
  training: z
    .strictObject({
      enabled: z.boolean().default(true).describe('Learn from the readings.'),
      retrainHour: count(0, 23, 2).describe("Hour of the day, in the site's zone, of the daily training."),
      retrainHours: z
        .number()
        .min(0.1)
        .max(8760)
        .default(24)
        .describe('Hours between two trainings; 24 means daily at training.retrainHour.'),
      workers: count(1, 64, Math.max(1, availableParallelism() - 1)).describe(
        'Trainings at the same time, in threads of their own. Default: the processors of this machine but one.',
      ),
      jobSeconds: count(1, 86_400, 600).describe('Time of one training before it is ended.'),
      memoryMb: count(64, 65_536, 1024).describe('Memory of one training before it is ended.'),
      importHours: count(0, 168, 6).describe('Hours that a training waits for an import at most.'),
      importSilentSeconds: count(10, 3600, 60).describe('An import that is silent for so long has ended.'),
      guardDays: count(1, 90, 7).describe(
        'Days over which a live model must not do worse than the naive forecast, else it is rolled back.',
      ),
      challengerDays: count(7, 365, 28).describe(
        'Days that a challenger has, in shadow, to show that it is better than the live model.',
      ),
      challengerShare: z
        .number()
        .min(0)
        .max(1)
        .default(0)
        .describe('Share of the forecasts that a challenger may speak; 0 keeps it in shadow.'),
    })
    .prefault({})
    .describe('Learning.'),
  artifacts: z
    .strictObject({
      store: z.enum(['file', 's3']).default('file').describe('Where learnt models are kept.'),
      folder: text(4096)
        .optional()
        .describe('Folder of the store "file". Default: models in the data folder.'),
      endpoint: text(2048)
        .regex(/^https?:\/\/./, 'a URL that begins with http:// or https://')
        .optional()
        .describe('Address of the store "s3", e.g. http://minio:9000.'),
      bucket: text(63).default('models').describe('Bucket of the store "s3"; made when it is missing.'),
      region: text(64).default('us-east-1').describe('Region of the store "s3".'),
      accessKey: text(200).optional().meta({ secret: true }).describe('Access key of the store "s3".'),
      secretKey: text(200).optional().meta({ secret: true }).describe('Secret key of the store "s3".'),
      requestSeconds: count(1, 600, 30).describe('Time of one request to the store "s3".'),
      reloadSeconds: count(0, 86_400, 3600).describe(
        'How often to look whether another process has published a newer model; 0: never.',
      ),
    })
    .refine(({ store, endpoint }) => store !== 's3' || endpoint !== undefined, {
      message: 'an address, since artifacts.store is s3',
      path: ['endpoint'],
    })
    .prefault({})
    .describe('Learnt models.'),
  log,
})

/** The part of a domain that the configuration needs: `domains.<name>` in the file has the keys of `settings`. */
export interface DomainSettings {
  readonly name: string
  readonly settings: z.ZodObject
  /** Lists that older versions had at the top of the file, by the setting whose list they extend now. */
  readonly olderKeys?: Readonly<Record<string, string>>
}

/** All keys of the hub, and those of the given domains. */
export function configSchemaOf(domains: readonly DomainSettings[]) {
  const sections = domains.map(({ name, settings }) => {
    const described = settings.description ?? `Settings of the domain ${name}.`
    return [name, settings.strict().prefault({}).describe(described)] as const
  })
  const section: z.ZodType<DomainTree> = z
    .strictObject(Object.fromEntries(sections))
    .prefault({})
    .describe('Settings of the domains, for all sites.')
  return hubSchema.extend({ domains: section }).extend(olderKeysOf(domains))
}

/** No key of the type: `withoutOlderKeys` takes them out again. */
function olderKeysOf(domains: readonly DomainSettings[]): Record<never, z.ZodType> {
  const lists = domains.flatMap(({ name, settings, olderKeys = {} }) =>
    Object.entries(olderKeys).map(([key, setting]) => {
      const list: z.core.$ZodType | undefined = settings.shape[setting]
      if (!list) throw new Error(`The domain ${name} has no setting ${setting}.`)
      return [key, z.optional(list).meta({ deprecated: true })] as const
    }),
  )
  return Object.fromEntries(lists)
}

export type DomainTree = Record<string, Record<string, unknown>>

/** Moves what is set under older keys to where it belongs now, after what is there. */
export function withoutOlderKeys<Tree extends { readonly domains: DomainTree }>(
  tree: Tree,
  domains: readonly DomainSettings[],
): Tree {
  const moved: Tree & Record<string, unknown> = { ...tree, domains: { ...tree.domains } }
  for (const { name, olderKeys = {} } of domains) {
    for (const [key, setting] of Object.entries(olderKeys)) {
      const section = moved.domains[name] ?? {}
      moved.domains[name] = { ...section, [setting]: [...listOf(section[setting]), ...listOf(moved[key])] }
      delete moved[key]
    }
  }
  return moved
}

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])

/** Checked and complete: every key is there, except those that have no default. `data` is an absolute path. */
export type Config = z.infer<ReturnType<typeof configSchemaOf>>

function machineZone(): string {
  return new Intl.DateTimeFormat('en').resolvedOptions().timeZone
}
