import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import type { TurnEntry } from '../src/core/journal.ts'
import type { Reading } from '../src/core/reading.ts'
import { emptyFacts } from '../src/core/turn.ts'
import { createFileJournal } from '../src/stores/journal/file.ts'
import { createDuckDbReadings } from '../src/stores/readings/duckdb.ts'
import { median, quantile, type Report, round } from './report.ts'

const seriesCount = 1000
/** The two take turns in so many blocks, so that what else the machine does hits both. */
const blocks = 4

/**
 * Durable appends of the same rows to DuckDB and to the journal, one caller that waits for each: rows a second, time a
 * commit, and what they cost the processors and the calling thread.
 */
export async function run(report: Report): Promise<void> {
  for (const [rows, commits] of [
    [1, 200],
    [32, 200],
    [100, 200],
    [300, 200],
    [1_000, 200],
    [10_000, 40],
  ] as const) {
    await measure(report, rows, commits)
  }
}

async function measure(report: Report, rows: number, commits: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-store-'))
  const store = createDuckDbReadings({ folder })
  const journal = createFileJournal({ folder: join(folder, 'journal') })
  try {
    await store.open()
    await journal.open(0)
    const keys = Array.from({ length: seriesCount }, (_, device) => ({
      device: `d${device}`,
      metric: 'power',
    }))
    const first = keys.map((key, index) => ({ ...key, site: 'home', unit: 'W', value: 0, at: index }))
    await store.append(first)
    await journal.append(turnOf(first), 0)
    const [toStore, toJournal] = [new Samples(), new Samples()]
    for (let block = 0; block < blocks; block++) {
      const batches = Array.from({ length: commits / blocks }, (_, commit) =>
        batchOf(keys, rows, 1_700_000_000_000 + block * commits + commit),
      )
      await toStore.take(batches, (batch) => store.append(batch))
      await toJournal.take(batches, (batch) => journal.append(turnOf(batch), batch[0]!.at))
    }
    const target = rows === 1_000 ? { target: 250_000 } : {}
    tell(report, `append by ${rows}`, rows, toStore, { target })
    tell(report, `journal, append by ${rows}`, rows, toJournal, { peer: toStore })
  } finally {
    await store.close()
    await journal.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** What appends took, one after the other. */
class Samples {
  readonly waitMs: number[] = []
  /** Of all threads. */
  cpuMs = 0
  /** Of the calling thread. */
  activeMs = 0
  elapsedMs = 0

  async take(
    batches: readonly (readonly Reading[])[],
    append: (batch: readonly Reading[]) => Promise<unknown>,
  ): Promise<void> {
    const [start, loop, cpu] = [performance.now(), performance.eventLoopUtilization(), process.cpuUsage()]
    for (const batch of batches) {
      const from = performance.now()
      await append(batch)
      this.waitMs.push(performance.now() - from)
    }
    const { user, system } = process.cpuUsage(cpu)
    this.cpuMs += (user + system) / 1000
    this.activeMs += performance.eventLoopUtilization(loop).active
    this.elapsedMs += performance.now() - start
  }

  get commits(): number {
    return this.waitMs.length
  }
}

function tell(
  report: Report,
  name: string,
  rows: number,
  samples: Samples,
  { peer, target = {} }: { readonly peer?: Samples; readonly target?: { readonly target?: number } },
): void {
  const figure = (what: string, unit: string, of: (samples: Samples) => number, more: object = {}): void => {
    const ratio = peer ? { ratio: round(of(samples) / of(peer)), note: 'ratio: to DuckDB' } : {}
    report({ bench: 'store', name: `${name}${what}`, value: round(of(samples)), unit, ...ratio, ...more })
  }
  figure('', 'rows/s', ({ commits, elapsedMs }) => (rows * commits * 1000) / elapsedMs, target)
  figure(', processor time a commit', 'ms', ({ cpuMs, commits }) => cpuMs / commits)
  figure(', median commit', 'ms', ({ waitMs }) => median(waitMs))
  figure(', p99 commit', 'ms', ({ waitMs }) => quantile(waitMs, 0.99))
  figure(', slowest commit', 'ms', ({ waitMs }) => Math.max(...waitMs))
  figure(', calling thread', 'us/row', ({ activeMs, commits }) => (activeMs * 1000) / commits / rows)
}

const turnOf = (readings: readonly Reading[]): TurnEntry => ({
  ...{ kind: 'turn', readings, facts: emptyFacts, commands: [] },
})

function batchOf(keys: readonly { device: string; metric: string }[], rows: number, at: number): Reading[] {
  return Array.from({ length: rows }, (_, row) => ({
    site: 'home',
    ...keys[row % keys.length]!,
    value: row / 7,
    unit: 'W',
    at: at + Math.floor(row / keys.length) * 1000,
  }))
}
