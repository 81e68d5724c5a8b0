import { setTimeout as sleep } from 'node:timers/promises'
import { HomeostatError, type Problem } from '../core/errors.ts'
import type { Emit, Receipt } from '../core/ports.ts'
import type { RawReading } from '../core/reading.ts'
import { annotatedRows } from './csv/annotated.ts'
import type { FileHead } from './csv/head.ts'
import type { Mapping } from './csv/mapping.ts'
import { type Place, type Row, readBlocks } from './csv/records.ts'
import { type RowSink, rowReader } from './csv/rows.ts'

/** A row that was not taken, or not wholly. `text` is the row as it stands in the file. */
export interface BadRow {
  readonly line: number
  readonly code: string
  readonly message: string
  readonly text: string
}

/** What an import did so far. All of it is acknowledged. Plain data, so that it can be kept with the place. */
export interface ImportCounts {
  /** Rows of data read, gaps and bad ones included. */
  rows: number
  /** Readings that the hub has. */
  readings: number
  /** Cells that hold no value. */
  empty: number
  /** Rows in which nothing was measured. */
  gaps: number
  /** Rows with at least one fault. */
  badRows: number
  /** Faults by their code; a row may have several. */
  bad: Record<string, number>
  /** Devices of accepted readings, in order of first sight. */
  devices: string[]
  /** Span of the accepted readings, UTC ms. */
  from: number | null
  to: number | null
}

/** From where an import goes on, and what it had done by then. */
export interface Checkpoint {
  readonly place: Place
  readonly counts: ImportCounts
}

export interface CsvImport {
  readonly head: FileHead
  readonly mapping: Mapping
  /** Absent: from the start. */
  readonly from?: Checkpoint
  readonly emit: Emit
  /** In file order within a batch; called before the checkpoint that lies behind the rows. */
  readonly onBad: (rows: readonly BadRow[]) => Promise<void>
  /** After each acknowledged batch. */
  readonly onProgress: (place: Place, counts: ImportCounts) => void
  /** Where an import could go on: everything before the place is acknowledged. */
  readonly onCheckpoint: (checkpoint: Checkpoint) => Promise<void>
}

/** As the hub takes them from any source. */
const batchReadings = 5000
const retryMs = 250

export const noCounts = (): ImportCounts => ({
  rows: 0,
  readings: 0,
  empty: 0,
  gaps: 0,
  badRows: 0,
  bad: {},
  devices: [],
  from: null,
  to: null,
})

/** Readings on their way, the rows that they are from, and what else was seen on the way. */
class Batch implements RowSink {
  readonly readings: RawReading[] = []
  readonly rows: Row[] = []
  readonly bad: BadRow[] = []
  /** Rows, empty cells and gaps since the batch before. */
  seen = 0
  cells = 0
  gaps = 0
  /** How far the file was read. */
  place: Place
  /** Whether an import may go on from `place`. */
  restartable = false
  #row: Row | undefined

  constructor(place: Place) {
    this.place = place
  }

  begin(row: Row): void {
    this.#row = row
    this.seen++
  }

  reading(reading: RawReading): void {
    this.readings.push(reading)
    this.rows.push(this.#row!)
  }

  fault(problem: Problem): void {
    this.bad.push(badRow(this.#row!, problem))
  }

  empty(): void {
    this.cells++
  }
}

/**
 * Streams a file into the hub: while one batch is on its way the next is read, never more. Resolves with the counts
 * and whether the end was reached (false after an abort). Rejects with what `emit` or the file system rejects with;
 * an overloaded hub is waited for.
 */
export async function importCsv(
  job: CsvImport,
  signal: AbortSignal,
): Promise<{ counts: ImportCounts; finished: boolean }> {
  const { head, mapping } = job
  const reader = rowReader(mapping)
  const start = job.from?.place ?? head.data
  const counts = job.from ? structuredClone(job.from.counts) : noCounts()
  const devices = new Set(counts.devices)
  const widest = mapping.values.length * (mapping.cells?.length ?? 1) + mapping.events.length
  const shape = mapping.annotated ? annotatedRows(head.columns) : undefined
  let number = counts.rows
  let batch = new Batch(start)
  let onItsWay: Promise<void> = Promise.resolve()

  const send = async (): Promise<void> => {
    const full = batch
    batch = new Batch(full.place)
    await onItsWay
    onItsWay = deliver(job, full, counts, devices, signal)
    // whoever awaits it next sees the failure; until then it must not count as unhandled
    onItsWay.catch(() => undefined)
  }

  for await (const block of readBlocks(head.path, head, start, signal)) {
    for (const raw of block.rows) {
      const row = shape ? shape(raw) : raw
      if (!row) continue
      if (batch.readings.length > 0 && batch.readings.length + widest > batchReadings) {
        await send()
        if (signal.aborted) break
      }
      batch.begin(row)
      if (!reader.take(row, number++, batch)) batch.gaps++
    }
    if (signal.aborted) break
    batch.place = block.end
    // a table of an annotated file begins with its header, which an import that goes on below would not know
    batch.restartable = !shape && reader.restartable()
    await send()
  }
  await onItsWay
  return { counts, finished: !signal.aborted }
}

const badRow = (row: Row, { code, message }: Problem): BadRow => ({
  line: row.line,
  code,
  message,
  text: row.text,
})

async function deliver(
  job: CsvImport,
  batch: Batch,
  counts: ImportCounts,
  devices: Set<string>,
  signal: AbortSignal,
): Promise<void> {
  const bad = batch.bad
  for (let from = 0; from < batch.readings.length; from += batchReadings) {
    const readings = batch.readings.slice(from, from + batchReadings)
    const { accepted, rejected } = await emitPatiently(job.emit, readings, signal)
    counts.readings += accepted
    for (const { index, problem } of rejected) bad.push(badRow(batch.rows[from + index]!, problem))
    note(readings, new Set(rejected.map(({ index }) => index)), counts, devices)
  }
  counts.rows += batch.seen
  counts.empty += batch.cells
  counts.gaps += batch.gaps
  if (bad.length > 0) {
    bad.sort((a, b) => a.line - b.line)
    counts.badRows += new Set(bad.map(({ line }) => line)).size
    for (const { code } of bad) counts.bad[code] = (counts.bad[code] ?? 0) + 1
    await job.onBad(bad)
  }
  job.onProgress(batch.place, counts)
  if (batch.restartable) await job.onCheckpoint({ place: batch.place, counts: structuredClone(counts) })
}

async function emitPatiently(
  emit: Emit,
  readings: readonly RawReading[],
  signal: AbortSignal,
): Promise<Receipt> {
  for (;;) {
    try {
      return await emit(readings)
    } catch (error) {
      const waits = error instanceof HomeostatError && error.code === 'overloaded'
      if (!waits || signal.aborted) throw error
      await sleep(retryMs, undefined, { signal }).catch(() => undefined)
    }
  }
}

/** Device and span of what was accepted. */
function note(
  readings: readonly RawReading[],
  rejected: ReadonlySet<number>,
  counts: ImportCounts,
  devices: Set<string>,
): void {
  for (const [index, { device, at }] of readings.entries()) {
    if (rejected.has(index) || typeof device !== 'string' || typeof at !== 'number') continue
    if (!devices.has(device)) {
      devices.add(device)
      counts.devices.push(device)
    }
    if (counts.from === null || at < counts.from) counts.from = at
    if (counts.to === null || at > counts.to) counts.to = at
  }
}
