import type { FolderContents } from '../core/contents.ts'
import { HomeostatError } from '../core/errors.ts'
import type { Quarantined } from '../core/event.ts'
import type { Journal, JournalEntry, JournalFrame } from '../core/journal.ts'
import type { Clock, Ledger, Log, ReadingStore } from '../core/ports.ts'
import { Turns } from '../core/turns.ts'
import { requireTurns } from './contents-check.ts'
import { reportOpening } from './journal-report.ts'
import { batchLength, batchWeight, Projection, projectFrames, weightOf } from './projection.ts'

export interface ProjectorParts {
  readonly journal: Journal
  readonly readings: ReadingStore
  readonly ledger: Ledger
  readonly clock: Clock
  readonly log: Log
  /** Notices at the start what is lost, and is told what is acknowledged. */
  readonly contents?: FolderContents | undefined
}

export interface ProjectorOptions {
  /** Frames that the stores do not have yet, bytes; then commits wait. */
  readonly journalLagBytes: number
  /** How long frames are kept that the stores have, ms; 0: no longer than needed. */
  readonly journalKeptMs: number
}

/** How long frames wait for others, so that the stores take many at once. */
const everyMs = 250
/** Pauses before a projection that failed is tried again. */
const retryMs = [250, 500, 1000, 2000]
/** Attempts when the hub stops: what is missing is projected at the next start. */
const attemptsAtStop = 3
const reportEveryMs = 2000

interface Pending extends JournalFrame {
  readonly bytes: number
}

/**
 * One durable write a turn: `commit` resolves once the turn is in the journal. Its frames are projected into the stores
 * in large batches, off the path of an acknowledgement.
 */
export class Projector {
  readonly #parts: ProjectorParts
  readonly #options: ProjectorOptions
  readonly #projection: Projection
  readonly #projecting = new Turns(1)
  #queue: Pending[] = []
  /** Of the queue; see `weightOf`. */
  #weight = 0
  #lagBytes = 0
  #released = 0
  #running: Promise<void> | undefined
  #probing: Promise<void> | undefined
  #pause: { readonly controller: AbortController; readonly isRetry: boolean } | undefined
  #flushes: { readonly position: number; readonly resolve: () => void }[] = []
  #held: (() => void)[] = []
  #journalProblem: string | undefined
  #storeProblem: string | undefined
  readonly #stop = new AbortController()
  failures = 0
  /** Parts of turns that went to quarantine because a store refuses them. */
  refused = 0

  constructor(parts: ProjectorParts, options: ProjectorOptions) {
    this.#parts = parts
    this.#options = options
    this.#projection = new Projection(parts, (rows) => this.#tellRefused(rows))
  }

  /**
   * Opens the journal and projects what the stores lack of it. They must be open. Where the journal can take nothing at
   * the moment, that is a `problem`, and no reason to reject. Rejects with `data_lost` where acknowledged turns are lost.
   * Resolves with the position of the newest turn.
   */
  async open(): Promise<number> {
    const { journal, clock, log, contents } = this.#parts
    const startedMs = clock.monotonic()
    const found = await this.#projection.open()
    const span = await journal.open(Math.max(found.readings, found.ledger))
    if (contents) requireTurns(contents, found, span)
    const after = Math.min(found.readings, found.ledger)
    let reportedMs = startedMs
    const replayed = await projectFrames(this.#projection, journal.read(after), (done) => {
      if (clock.monotonic() - reportedMs < reportEveryMs) return
      reportedMs = clock.monotonic()
      const { frames, readings, position = 0 } = done
      log.info('The journal is replayed.', { frames, of: span.last - position + frames, readings })
    })
    if (replayed.position !== undefined) await this.#release(replayed.position)
    const { frames, readings: rows, firstAt } = replayed
    const isComplete = contents?.known?.isComplete ?? false
    await reportOpening(this.#parts, { found, span, frames, rows, firstAt, isComplete, startedMs })
    await journal.makeRoom().catch((error: unknown) => this.#failJournal(error))
    return Math.max(span.last, found.readings, found.ledger)
  }

  /**
   * Resolves once the entry is durable. Rejects with `store_failed` when the disk fails, or when the stores have been
   * failing for so long that no further frame may wait for them.
   */
  async commit(entry: JournalEntry): Promise<void> {
    const { journal, clock } = this.#parts
    while (this.#lagBytes >= this.#options.journalLagBytes) {
      if (this.#storeProblem !== undefined)
        throw new HomeostatError('store_failed', { detail: this.#storeProblem })
      await new Promise<void>((resolve) => this.#held.push(resolve))
    }
    const at = clock.now()
    try {
      const written = await journal.append(entry, at)
      this.#journalProblem = undefined
      if (!written) return
      this.#parts.contents?.markJournal(written.position)
      this.#add({ ...written, at, entry })
      this.#running ??= this.#run()
      if (this.#weight >= batchWeight) this.#wake()
    } catch (error) {
      this.#failJournal(error)
      throw new HomeostatError('store_failed', { detail: String(error) }, error)
    }
  }

  /** Resolves when the stores have what was committed before the call, or cannot take it now (see `problem`). */
  flush(): Promise<void> {
    const newest = this.#queue.at(-1)
    if (!newest || this.#storeProblem !== undefined) return Promise.resolve()
    return new Promise((resolve) => {
      this.#flushes.push({ position: newest.position, resolve })
      this.#wake()
    })
  }

  /**
   * Runs `work` while both stores have exactly the turns up to a position, among them all that were committed before the
   * call. Meanwhile the stores take none; commits go on. Rejects with `backup_failed` while the stores cannot be written.
   */
  async atPosition<Result>(work: (position: number) => Promise<Result>): Promise<Result> {
    await this.flush()
    return this.#projecting.run(async () => {
      if (this.#storeProblem !== undefined)
        throw new HomeostatError('backup_failed', { detail: this.#storeProblem })
      await this.#projection.savePositions()
      return work(this.#projection.position)
    })
  }

  /** Why nothing can be written at the moment; undefined when all is well. */
  get problem(): string | undefined {
    if (this.#journalProblem !== undefined) return `the journal cannot be written: ${this.#journalProblem}`
    if (this.#storeProblem !== undefined) return `the stores cannot be written: ${this.#storeProblem}`
    return undefined
  }

  /** What the stores do not have yet. */
  get lag(): { readonly frames: number; readonly bytes: number } {
    return { frames: this.#queue.length, bytes: this.#lagBytes }
  }

  get journalBytes(): number {
    return this.#parts.journal.bytes
  }

  /** Projects what there is, unless the stores fail; then the next start does. */
  async close(): Promise<void> {
    this.#stop.abort()
    this.#pause?.controller.abort()
    await this.#running
    await this.#probing
    try {
      if (this.#storeProblem === undefined) await this.#projection.savePositions()
    } finally {
      await this.#parts.journal.close()
    }
  }

  #add(frame: Pending): void {
    this.#queue.push(frame)
    this.#lagBytes += frame.bytes
    this.#weight += weightOf(frame.entry)
  }

  /** Ends the pause in which frames wait for others. */
  #wake(): void {
    if (this.#pause && !this.#pause.isRetry) this.#pause.controller.abort()
  }

  async #run(): Promise<void> {
    const isStopping = (): boolean => this.#stop.signal.aborted
    let attempts = 0
    let waitedUpTo = 0
    while (this.#queue.length > 0 && !(isStopping() && attempts >= attemptsAtStop)) {
      const hasWaited = this.#queue[0]!.position <= waitedUpTo
      if (!hasWaited && this.#weight < batchWeight && this.#flushes.length === 0)
        await this.#sleep(everyMs, false)
      waitedUpTo = this.#queue.at(-1)!.position
      try {
        await this.#project()
        if (attempts > 0) this.#parts.log.info('The stores take what is in the journal again.', { attempts })
        attempts = 0
        this.#storeProblem = undefined
      } catch (error) {
        this.#fail(error, attempts === 0)
        await this.#sleep(retryMs[attempts] ?? retryMs.at(-1)!, true)
        attempts++
      }
    }
    this.#running = undefined
  }

  #fail(error: unknown, isFirst: boolean): void {
    this.failures++
    this.#storeProblem = String(error)
    if (isFirst)
      this.#parts.log.error('The stores could not take what is in the journal; it is tried again.', {
        error: String(error),
      })
    // reads go on with what is there, and commits are refused once the lag is full
    for (const { resolve } of this.#flushes.splice(0)) resolve()
    for (const enter of this.#held.splice(0)) enter()
  }

  #tellRefused(rows: readonly Quarantined[]): void {
    this.refused += rows.length
    for (const { message, payload } of rows)
      this.#parts.log.error('A store refuses a part of a turn; it is in quarantine.', { message, payload })
  }

  async #sleep(ms: number, isRetry: boolean): Promise<void> {
    if (this.#stop.signal.aborted) return
    const controller = new AbortController()
    this.#pause = { controller, isRetry }
    await this.#parts.clock.sleep(ms, controller.signal)
    this.#pause = undefined
  }

  #failJournal(error: unknown): void {
    this.#journalProblem = String(error)
    this.#probing ??= this.#probe()
  }

  /** Looks every second whether the journal can be written again, also when nobody sends. */
  async #probe(): Promise<void> {
    const { clock, journal, log } = this.#parts
    let isTold = false
    while (this.#journalProblem !== undefined && !this.#stop.signal.aborted) {
      await clock.sleep(1000, this.#stop.signal)
      try {
        await journal.makeRoom()
        this.#journalProblem = undefined
      } catch (error) {
        this.#journalProblem = String(error)
        if (!isTold)
          log.error('The journal cannot be written; readings are refused until it can.', {
            error: String(error),
          })
        isTold = true
      }
    }
    this.#probing = undefined
    if (isTold && this.#journalProblem === undefined) log.info('The journal can be written again.')
  }

  /** One batch into both stores. What failed in one of them is tried again there only. */
  async #project(): Promise<void> {
    const batch = this.#queue.slice(0, batchLength(this.#queue))
    await this.#projecting.run(() => this.#projection.apply(batch))
    this.#queue.splice(0, batch.length)
    for (const { bytes, entry } of batch) {
      this.#lagBytes -= bytes
      this.#weight -= weightOf(entry)
    }
    for (const enter of this.#held.splice(0)) enter()
    const { position } = batch.at(-1)!
    const done = this.#flushes.filter((flush) => flush.position <= position)
    this.#flushes = this.#flushes.filter((flush) => flush.position > position)
    for (const { resolve } of done) resolve()
    await this.#release(position)
  }

  /** Lets segments go that both stores have on disk. */
  async #release(position: number): Promise<void> {
    const { journal, clock, log } = this.#parts
    const { releasable } = journal
    if (releasable <= this.#released || releasable > position) return
    try {
      await this.#projection.savePositions()
      const { journalKeptMs } = this.#options
      await journal.release(
        releasable,
        journalKeptMs > 0 ? clock.now() - journalKeptMs : Number.POSITIVE_INFINITY,
      )
      this.#released = releasable
    } catch (error) {
      log.warn('Old parts of the journal could not be removed.', { error: String(error) })
    }
  }
}
