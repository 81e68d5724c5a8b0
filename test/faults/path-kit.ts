import type { ThresholdRule } from '../../src/contract/thresholds.ts'
import type { Alert } from '../../src/core/event.ts'
import type { Journal } from '../../src/core/journal.ts'
import type { Ledger, Log, ReadingStore, Receipt } from '../../src/core/ports.ts'
import type { RawReading, Reading } from '../../src/core/reading.ts'
import type { Domain } from '../../src/domains/domain.ts'
import { domains as shipped } from '../../src/domains/index.ts'
import { Counters } from '../../src/engine/counters.ts'
import { Directory } from '../../src/engine/directory.ts'
import { Feed } from '../../src/engine/feed.ts'
import { IncidentDesk } from '../../src/engine/incidents/desk.ts'
import { options as incidentOptions } from '../../src/engine/incidents/made-alerts.ts'
import { Path } from '../../src/engine/path.ts'
import { projectedLedger, projectedReadings } from '../../src/engine/projected.ts'
import { Projector } from '../../src/engine/projector.ts'
import { type Settings, SiteSettings } from '../../src/engine/site-settings.ts'
import { createFileJournal } from '../../src/stores/journal/file.ts'
import { createThroughJournal } from '../../src/stores/journal/through.ts'
import { createMemoryLedger } from '../../src/stores/ledger/memory.ts'
import { createMemoryReadings } from '../../src/stores/readings/memory.ts'
import { createMemoryWindows } from '../../src/stores/window/memory.ts'
import { FragileJournalDisk } from '../crash/journal-disk.ts'
import type { VirtualClock } from '../virtual-clock.ts'

/** What goes wrong with the commits that follow. */
export interface Faults {
  /** Commits of readings that fail. */
  appends: number
  /** Commits of the ledger that fail, after their readings were stored. */
  records: number
  /** Appends to the journal that fail, where there is one. */
  journal: number
}

/** Stores that outlive the process on a virtual disk. */
export interface Disk {
  readonly readings: ReadingStore
  readonly ledger: Ledger
  /** The journal of a process; without it the stores are written at once. */
  readonly journal?: () => Journal
  /** What was not synced is gone. */
  readonly powerCut?: () => void
  readonly faults: Faults
}

export async function createDisk(
  kind: 'through' | 'journal' = 'through',
  pick: (below: number) => number = () => 0,
): Promise<Disk> {
  const faults = { appends: 0, records: 0, journal: 0 }
  const readings = createMemoryReadings()
  const ledger = createMemoryLedger()
  await readings.open()
  await ledger.open()
  const failing =
    <Input>(fault: keyof Faults, work: (input: Input, position?: number) => Promise<void>) =>
    async (input: Input, position?: number): Promise<void> => {
      if (faults[fault] > 0) {
        faults[fault]--
        throw new Error(`the disk refused ${fault}`)
      }
      await work(input, position)
    }
  const { append } = readings
  const record = ledger.record.bind(ledger)
  const files = new FragileJournalDisk(pick)
  files.failing = (what) => what === 'sync' && faults.journal > 0 && faults.journal-- > 0
  const journal = (): Journal => createFileJournal({ folder: '/journal', segmentBytes: 1 << 14, disk: files })
  return {
    faults,
    ...(kind === 'journal' && { journal, powerCut: () => files.powerCut() }),
    readings: { ...readings, append: failing('appends', append) },
    ledger: Object.assign(ledger, { record: failing('records', record) }),
  }
}

/** The disk as one process sees it: once the process is dead, nothing it does reaches the disk any more. */
function mount({ readings, ledger, journal }: Disk): Pick<Disk, 'readings' | 'ledger'> & {
  readonly journal: Journal
  unmount(): void
} {
  let isMounted = true
  const guard = <Store extends object>(store: Store): Store =>
    new Proxy(store, {
      get(object, name) {
        const value: unknown = Reflect.get(object, name)
        // the parts of a ledger are on the same disk
        if (typeof value === 'object' && value !== null) return guard(value)
        if (typeof value !== 'function') return value
        return (...args: unknown[]) => {
          if (!isMounted) throw new Error('The process is dead.')
          return Reflect.apply(value, object, args) as unknown
        }
      },
    })
  return {
    readings: guard(readings),
    ledger: guard(ledger),
    journal: guard(journal?.() ?? createThroughJournal({ readings, ledger })),
    unmount: () => {
      isMounted = false
    },
  }
}

/** A process that runs the path of a reading over a disk. */
export interface Process {
  readonly path: Path
  readonly counters: Counters
  /** Alerts that left, in order. */
  readonly sent: readonly Alert[]
  readonly errors: readonly string[]
  emit(rows: readonly Partial<RawReading>[]): Promise<Receipt>
  /** Changes the settings of a domain on a site. */
  put(domain: string, site: string, own: Settings): Promise<void>
  /** Ends in order. */
  stop(): Promise<void>
  /** Ends at once: what is not on the disk is lost. */
  kill(): Promise<void>
}

export async function startProcess(
  disk: Disk,
  clock: VirtualClock,
  options: {
    readonly rules?: readonly ThresholdRule[]
    readonly domains?: readonly Domain[]
    readonly windowReadings?: number
    readonly liveWithinMs?: number
  } = {},
): Promise<Process> {
  const { rules = [], domains = shipped, windowReadings = 60, liveWithinMs = 600_000 } = options
  const { unmount, ...stores } = mount(disk)
  const errors: string[] = []
  const log: Log = {
    info: () => undefined,
    warn: () => undefined,
    error: (message, fields) => void errors.push(`${message} ${JSON.stringify(fields)}`),
  }
  const sent: Alert[] = []
  const projector = new Projector({ ...stores, clock, log }, { journalLagBytes: 1 << 20, journalKeptMs: 0 })
  const flush = (): Promise<void> => projector.flush()
  const readings = projectedReadings(stores.readings, flush)
  const ledger = projectedLedger(stores.ledger, flush)
  await settled(projector.open(), clock)
  const directory = new Directory(ledger, { id: 'home', name: 'Home', zone: 'UTC' })
  await directory.load()
  const counters = new Counters()
  const configured = domains.map((domain) => ({
    ...{ domain, settings: domain.settings.parse(domain.name === 'thresholds' ? { rules } : {}) },
  }))
  const settings = new SiteSettings(configured, {
    ...{ records: ledger.records, clock, log, limits: { recordsPerDomain: 100, recordBytes: 10_000 } },
  })
  const feed = new Feed((error) => void errors.push(String(error)))
  const incidents = new IncidentDesk({ ledger: ledger.incidents, feed, clock, log }, incidentOptions)
  await incidents.open(await ledger.alerts({ open: true }, 1000))
  const path = new Path(
    {
      ...{ readings, ledger, directory, counters, clock, log },
      windows: createMemoryWindows({ capacity: windowReadings }),
      ...{ settings, feed, incidents, projector },
      onCommitted: () => undefined,
      onRebuilt: () => undefined,
    },
    {
      ...{ defaultSite: 'home', inboxReadings: 10_000, turnReadings: 1000, series: 1000, rebuildJobs: 10 },
      ...{ maxFutureMs: 7 * 86_400_000, liveWithinMs, windowReadings },
    },
  )
  path.addSink({
    send: async ({ alert }) => void sent.push(alert),
    close: async () => undefined,
  })
  await settled(path.start(), clock)
  const emit = path.emitFor('test')
  const stop = async (): Promise<void> => {
    try {
      await path.stop()
    } finally {
      await incidents.stop()
      await projector.close()
    }
  }
  return {
    ...{ path, counters, sent, errors },
    emit: (rows) => emit(rows.map((row) => ({ source: 'test', ...row }))),
    async put(domain, site, own) {
      await settled(settings.put(domain, site, own), clock)
    },
    stop: () => settled(stop(), clock),
    async kill() {
      unmount()
      // its last tries fail
      await settled(
        stop().catch(() => undefined),
        clock,
      )
    },
  }
}

/** Lets time pass until the promise is settled. */
export async function settled<Result>(promise: Promise<Result>, clock: VirtualClock): Promise<Result> {
  let isSettled = false
  const done = (): void => {
    isSettled = true
  }
  promise.then(done, done)
  for (let round = 0; !isSettled; round++) {
    if (round > 1000) throw new Error('It does not settle, however much time passes.')
    await clock.advance(50)
  }
  return promise
}

/** All readings on the disk, in the order of lists. */
export const storedReadings = ({ readings }: Disk): Promise<Reading[]> => readings.read({}, 1_000_000)
