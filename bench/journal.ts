import { fork } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { TurnEntry } from '../src/core/journal.ts'
import { emptyFacts } from '../src/core/turn.ts'
import { Projector } from '../src/engine/projector.ts'
import { systemClock } from '../src/platform/clock.ts'
import { createFileJournal } from '../src/stores/journal/file.ts'
import { createSqliteLedger } from '../src/stores/ledger/sqlite.ts'
import { createDuckDbReadings } from '../src/stores/readings/duckdb.ts'
import { noteOthers } from './load/machine.ts'
import type { ProjectingAnswer, ProjectingLoad, ProjectingResult } from './load/projecting.ts'
import { slowDisk } from './load/slow-disk.ts'
import { type Report, round } from './report.ts'

/**
 * What an acknowledgement waits for while the stores take in what is in the journal, also on a slow disk; and how long a
 * start takes when the stores lack 64 MB of it. The journal alone: `bench store`.
 */
export async function run(report: Report, { isQuick }: { readonly isQuick: boolean }): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-journal-'))
  try {
    await steady(report, join(folder, 'steady'), isQuick ? 8 : 30)
    await onSlowDisk(report, join(folder, 'slow'), isQuick ? 5 : 12)
    await replay(report, join(folder, 'replay'), isQuick ? 8 : 64)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Beside it the journal alone, before and after: what is left of that is the machine's own. */
async function steady(report: Report, folder: string, seconds: number): Promise<void> {
  const load = { turnsPerSecond: 500, readings: 32, seconds, walBytes: 1 << 20, journalSyncMs: 0 }
  const alone = (name: string): Promise<ProjectingResult> =>
    project({ ...load, folder: join(folder, name), seconds: 6, isJournalOnly: true })
  const before = await alone('before')
  const others = noteOthers()
  const result = await project({ ...load, folder: join(folder, 'stores') })
  const busy = others()
  const after = await alone('after')
  const { projections, checkpoints, cpuShare } = result
  if (projections < 5 || checkpoints < 2)
    throw new Error(`only ${projections} projections and ${checkpoints} checkpoints`)
  const name = 'append through checkpoints and projections'
  const figure = (
    which: string,
    of: (result: ProjectingResult) => number,
    more: { readonly target?: number; readonly note?: string } = {},
  ): void => {
    const peer = (of(before) + of(after)) / 2
    const note = `${more.note ?? ''}the journal alone ${round(of(before))} before, ${round(of(after))} after`
    const line = { bench: 'journal', name: `${name}, ${which}`, value: round(of(result)), unit: 'ms' }
    report({ ...line, ...more, ratio: round(of(result) / peer), note })
  }
  const what = `500 turns of 32 readings a second for ${seconds} s, timed from when each was due; ${projections} projections, ${checkpoints} checkpoints; ${busy}; `
  figure('p50', ({ p50Ms }) => p50Ms)
  figure('p99', ({ p99Ms }) => p99Ms, { target: 10, note: what })
  figure('slowest', ({ maxMs }) => maxMs)
  figure('event loop late, p99', ({ loopP99Ms }) => loopP99Ms)
  report({
    bench: 'journal',
    name: `${name}, processor time`,
    value: round(100 * cpuShare),
    unit: '% of a core',
  })
}

const slowMs = 20

async function onSlowDisk(report: Report, folder: string, seconds: number): Promise<void> {
  mkdirSync(folder)
  const env = slowDisk(folder, slowMs)
  const load = { folder, turnsPerSecond: 500, readings: 1, seconds, walBytes: 1 << 20 }
  const others = noteOthers()
  const result = await project({ ...load, journalSyncMs: env ? 0 : slowMs }, env)
  const { p50Ms, p99Ms, readingsCommitMs, ledgerCommitMs, projections } = result
  if (p50Ms < slowMs) throw new Error(`a commit took ${p50Ms} ms; the disk is not slow`)
  const what = env
    ? `of the process, those of the stores too (a commit of DuckDB took ${round(readingsCommitMs)} ms, of SQLite ${round(ledgerCommitMs)} ms)`
    : 'of the journal only: without a C compiler those of the stores are as fast as they are'
  const note = `every fsync and fdatasync ${what}; 500 turns a second for ${seconds} s, ${projections} projections; ${others()}`
  const name = `slow disk, syncs ${slowMs} ms longer`
  const figure = (which: string, value: number, more: object = {}): void =>
    report({ bench: 'journal', name: `${name}: ${which}`, value: round(value), unit: 'ms', ...more })
  figure('event loop late, p99', result.loopP99Ms, { target: 5, note })
  figure('event loop late, most', result.loopMaxMs)
  figure('append, p50', p50Ms)
  figure('append, p99', p99Ms)
}

/** In a process of its own, so that nothing else is on its event loop. */
function project(
  load: ProjectingLoad,
  env: Readonly<Record<string, string>> = {},
): Promise<ProjectingResult> {
  mkdirSync(load.folder, { recursive: true })
  const child = fork(fileURLToPath(new URL('./load/projecting.ts', import.meta.url)), {
    execArgv: ['--import', import.meta.resolve('tsx')],
    // as the hub sets it for itself
    env: { ...process.env, UV_THREADPOOL_SIZE: '8', ...env, HOMEOSTAT_LOAD: 'projecting' },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const limit = setTimeout(() => child.kill('SIGKILL'), (load.seconds + 60) * 1000)
  const answer = new Promise<ProjectingResult>((resolve, reject) => {
    child.once('error', reject)
    child.once('message', (message) => {
      // the child sends nothing else
      const told = message as ProjectingAnswer
      if ('error' in told) reject(new Error(told.error))
      else resolve(told.result)
    })
    child.once('exit', (code, by) => reject(new Error(`the load ended without an answer (${code ?? by})`)))
  })
  child.send(load)
  return answer.finally(() => clearTimeout(limit))
}

/** Frames of 32 readings that no store has, as after a long failure of the stores, and the start that takes them in. */
async function replay(report: Report, folder: string, megabytes: number): Promise<void> {
  const writing = createFileJournal({ folder: join(folder, 'journal') })
  await writing.open(0)
  let [bytes, frames] = [0, 0]
  while (bytes < megabytes * 1e6) {
    const written = await Promise.all(
      Array.from({ length: 500 }, (_, index) => writing.append(frameOf(frames + index), frames + index)),
    )
    for (const one of written) bytes += one?.bytes ?? 0
    frames += written.length
  }
  await writing.close()
  const readings = createDuckDbReadings({ folder, walLimitBytes: 64 << 20 })
  const ledger = createSqliteLedger({ folder, quarantineLimit: 1000 })
  const journal = createFileJournal({ folder: join(folder, 'journal') })
  await readings.open()
  await ledger.open()
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined }
  const projector = new Projector(
    { journal, readings, ledger, clock: systemClock, log },
    { journalLagBytes: 8 << 20, journalKeptMs: 0 },
  )
  const [from, others] = [performance.now(), noteOthers()]
  await projector.open()
  const seconds = (performance.now() - from) / 1000
  const stored = (await readings.stats()).readings
  await projector.close()
  await readings.close()
  await ledger.close()
  if (stored !== frames * 32) throw new Error(`${stored} readings are stored, not ${frames * 32}`)
  const note = `${frames} frames of 32 readings, ${Math.round(stored / seconds)} readings/s; ${others()}`
  report({
    bench: 'journal',
    name: `replay of ${megabytes} MB of frames`,
    value: round(seconds),
    unit: 's',
    note,
  })
}

function frameOf(k: number): TurnEntry {
  const readings = Array.from({ length: 32 }, (_, row) => ({
    ...{ site: 'home', device: `d${row}`, metric: 'power', unit: 'W', value: row / 7, at: k * 1000 },
  }))
  return { kind: 'turn', readings, facts: emptyFacts, commands: [] }
}
