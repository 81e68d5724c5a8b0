import { statSync } from 'node:fs'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TurnEntry } from '../../src/core/journal.ts'
import type { Reading } from '../../src/core/reading.ts'
import { emptyFacts } from '../../src/core/turn.ts'
import { Projector } from '../../src/engine/projector.ts'
import { systemClock } from '../../src/platform/clock.ts'
import { type JournalDisk, machineDisk } from '../../src/stores/journal/disk.ts'
import { createFileJournal } from '../../src/stores/journal/file.ts'
import { createSqliteLedger } from '../../src/stores/ledger/sqlite.ts'
import { createDuckDbReadings } from '../../src/stores/readings/duckdb.ts'
import { quantile } from '../report.ts'

/** Turns into a projector over a file journal, DuckDB and SQLite, as a hub has them, in a process of its own. */
export interface ProjectingLoad {
  readonly folder: string
  readonly turnsPerSecond: number
  /** Of each turn. */
  readonly readings: number
  readonly seconds: number
  /** See `DuckDbOptions.walLimitBytes`. */
  readonly walBytes: number
  /** Turns go into the journal and nowhere else. */
  readonly isJournalOnly?: boolean
  /** How much longer each sync of the journal takes, where the process itself is not slowed. */
  readonly journalSyncMs: number
}

export interface ProjectingResult {
  /** From the moment when a turn was due until it is durable. The first second warms up, untimed. */
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
  /** How much later than due the event loop comes to a timer. */
  readonly loopP99Ms: number
  readonly loopMaxMs: number
  /** Processor time of all threads, share of one processor. */
  readonly cpuShare: number
  readonly projections: number
  readonly checkpoints: number
  /** One commit to each store before it began: shows whether they are slowed. */
  readonly readingsCommitMs: number
  readonly ledgerCommitMs: number
}

const loopResolutionMs = 1
/** A turn in so many has facts, as in a hub, whose monitors save their states. */
const factsEvery = 50

export async function loadProjector(load: ProjectingLoad): Promise<ProjectingResult> {
  const { folder, walBytes, journalSyncMs } = load
  const readings = createDuckDbReadings({ folder, walLimitBytes: walBytes })
  const ledger = createSqliteLedger({ folder, quarantineLimit: 1000 })
  const disk = journalSyncMs > 0 ? slowed(journalSyncMs) : machineDisk
  const journal = createFileJournal({ folder: join(folder, 'journal'), disk })
  await readings.open()
  await ledger.open()
  const readingsCommitMs = await timed(() => readings.append(turnOf(load, -1).readings))
  const ledgerCommitMs = await timed(() => ledger.record(turnOf(load, 0).facts))
  const projector = new Projector(
    { journal, readings, ledger, clock: systemClock, log: silent },
    { journalLagBytes: 8 << 20, journalKeptMs: 0 },
  )
  await projector.open()
  const seen = watchStores(projector, join(folder, 'readings.duckdb.wal'))
  const loop = monitorEventLoopDelay({ resolution: loopResolutionMs })
  const [start, cpu] = [performance.now(), process.cpuUsage()]
  const commit = (turn: TurnEntry): Promise<unknown> =>
    load.isJournalOnly ? journal.append(turn, systemClock.now()) : projector.commit(turn)
  const latencies = await commitSteadily(commit, load, () => loop.enable())
  loop.disable()
  const elapsedMs = performance.now() - start
  const { user, system } = process.cpuUsage(cpu)
  const { projections, checkpoints } = seen.stop()
  await projector.close()
  await readings.close()
  await ledger.close()
  if (projector.failures > 0) throw new Error(`${projector.failures} projections failed`)
  return {
    ...{ p50Ms: quantile(latencies, 0.5), p99Ms: quantile(latencies, 0.99), maxMs: Math.max(...latencies) },
    loopP99Ms: loop.percentile(99) / 1e6 - loopResolutionMs,
    loopMaxMs: loop.max / 1e6 - loopResolutionMs,
    cpuShare: (user + system) / 1000 / elapsedMs,
    ...{ projections, checkpoints, readingsCommitMs, ledgerCommitMs },
  }
}

/** However long they take, as `loadSteady` does; `onWarm` after the first second. */
async function commitSteadily(
  commit: (turn: TurnEntry) => Promise<unknown>,
  load: ProjectingLoad,
  onWarm: () => void,
): Promise<number[]> {
  const { turnsPerSecond, seconds } = load
  const count = turnsPerSecond * seconds
  const latencies: number[] = []
  const commits: Promise<unknown>[] = []
  const start = performance.now()
  while (commits.length < count) {
    const due = Math.min(count, Math.ceil(((performance.now() - start) / 1000) * turnsPerSecond))
    for (let k = commits.length; k < due; k++) {
      if (k === turnsPerSecond) onWarm()
      const dueMs = start + (k / turnsPerSecond) * 1000
      const committed = commit(turnOf(load, k))
      commits.push(
        k < turnsPerSecond ? committed : committed.then(() => void latencies.push(performance.now() - dueMs)),
      )
    }
    await sleep(1)
  }
  await Promise.all(commits)
  return latencies
}

function turnOf({ readings, turnsPerSecond }: ProjectingLoad, k: number): TurnEntry {
  const at = 1_700_000_000_000 + Math.round((k * 1000) / turnsPerSecond)
  const rows: Reading[] = Array.from({ length: readings }, (_, row) => ({
    ...{ site: 'home', device: `d${(k + 1) % 8}-${row}`, metric: 'power', unit: 'W', value: row / 7, at },
  }))
  const target = { site: 'home', domain: 'energy', subject: `d${k % 100}` }
  const facts =
    k % factsEvery === 0 ? { ...emptyFacts, states: [{ target, at, state: `{"at":${at}}` }] } : emptyFacts
  return { kind: 'turn', readings: rows, facts, commands: [] }
}

/** Counts how often what waits for the stores becomes less, and how often DuckDB's log does. */
function watchStores(
  projector: Projector,
  wal: string,
): { stop(): { projections: number; checkpoints: number } } {
  const counts = { projections: 0, checkpoints: 0 }
  let [frames, bytes] = [0, 0]
  const timer = setInterval(() => {
    const lag = projector.lag.frames
    const length = statSync(wal, { throwIfNoEntry: false })?.size ?? 0
    if (lag < frames) counts.projections++
    if (length < bytes) counts.checkpoints++
    ;[frames, bytes] = [lag, length]
  }, 20)
  return {
    stop() {
      clearInterval(timer)
      return counts
    },
  }
}

/** This machine's disk, on which every sync takes so much longer. */
function slowed(ms: number): JournalDisk {
  const { allocate, open, fsyncFolder } = machineDisk
  return {
    ...machineDisk,
    allocate: (path, bytes) => sleep(ms).then(() => allocate(path, bytes)),
    fsyncFolder: (path) => sleep(ms).then(() => fsyncFolder(path)),
    open(path) {
      const file = open(path)
      return { ...file, datasync: () => sleep(ms).then(() => file.datasync()) }
    },
  }
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const from = performance.now()
  await work()
  return performance.now() - from
}

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined }

export type ProjectingAnswer = { readonly result: ProjectingResult } | { readonly error: string }

if (process.send !== undefined && process.env['HOMEOSTAT_LOAD'] === 'projecting') {
  process.once('disconnect', () => process.exit(1))
  process.once('message', (message) => {
    const answer = (told: ProjectingAnswer): void => void process.send?.(told, () => process.exit(0))
    // the parent of this file sends nothing else
    loadProjector(message as ProjectingLoad).then(
      (result) => answer({ result }),
      (error: unknown) => answer({ error: String(error) }),
    )
  })
}
