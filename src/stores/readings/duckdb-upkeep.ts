import { setImmediate } from 'node:timers/promises'
import { hourMs } from '../../core/time.ts'
import { Turns } from '../../core/turns.ts'
import type { DatabaseFile } from './duckdb-file.ts'
import { loosePeriods, prepareRollUp, rollUp, sortPeriod } from './duckdb-rollup.ts'
import { derivedSeries } from './duckdb-schema.ts'
import { Session } from './duckdb-session.ts'

/** Rows a step of the roll-up takes in: about 0.1 s of work. */
const rollUpRows = 262_144

/** Numbers a step of the removal passes over. */
const removalRows = 1_048_576

/** Runs work between two commits of the writer. */
type WithoutCommits = (work: () => Promise<void>) => Promise<void>

interface UpkeepOptions {
  readonly walLimitBytes: number
  readonly withoutCommits: WithoutCommits
}

/**
 * Maintenance in steps of one transaction each, in a session of its own: appends commit meanwhile, except during a
 * checkpoint. Steps run one at a time, so that no two of them change the same rows.
 */
export class Upkeep {
  readonly #file: DatabaseFile
  readonly #session: Session
  readonly #walLimitBytes: number
  readonly #withoutCommits: WithoutCommits
  readonly #steps = new Turns(1)
  #mark: number
  /** The mark when the roll-ups were last sorted, and when readings were last removed: without a new one both rest. */
  #sortedAt = Number.NEGATIVE_INFINITY
  #removed = { mark: Number.NEGATIVE_INFINITY, before: Number.NEGATIVE_INFINITY }
  #checkpointing: Promise<void> | undefined
  /** Why the last checkpoint failed. */
  #failure: unknown
  #stopped = false

  private constructor(
    file: DatabaseFile,
    session: Session,
    { walLimitBytes, withoutCommits }: UpkeepOptions,
    mark: number,
  ) {
    this.#file = file
    this.#session = session
    this.#walLimitBytes = walLimitBytes
    this.#withoutCommits = withoutCommits
    this.#mark = mark
  }

  static async open(file: DatabaseFile, options: UpkeepOptions): Promise<Upkeep> {
    const session = await Session.open(file.instance)
    await prepareRollUp(session)
    const [[mark]] = (await session.numbers('SELECT rolled_to::DOUBLE FROM upkeep')) as [[number]]
    return new Upkeep(file, session, options, mark)
  }

  /** Number of the last reading that the kept roll-ups know of. */
  get mark(): number {
    return this.#mark
  }

  /** Rolls up the readings to number `lastSeq`, sorts, removes what is older than `keepFrom`, bounds the log. */
  async maintain(lastSeq: number, keepFrom: number | undefined): Promise<void> {
    // with nothing new there is no other wait: a caller that asks in a loop would keep commits from ending
    await setImmediate()
    while (this.#mark < lastSeq && !this.#stopped) {
      await this.#step(async () => {
        const upTo = Math.min(lastSeq, this.#mark + rollUpRows)
        // another call may have come here first
        if (upTo <= this.#mark) return
        await rollUp(this.#session, this.#mark, upTo)
        this.#mark = upTo
      })
    }
    const mark = this.#mark
    if (this.#sortedAt !== mark) {
      const periods = await this.#step(() => loosePeriods(this.#session))
      for (const period of periods ?? []) await this.#step(() => sortPeriod(this.#session, period))
      if (!this.#stopped) this.#sortedAt = mark
    }
    if (keepFrom !== undefined) {
      const before = Math.floor(keepFrom / hourMs) * hourMs
      if (this.#removed.mark !== mark || before > this.#removed.before) {
        await this.#remove(before)
        if (!this.#stopped) this.#removed = { mark, before }
      }
    }
    if (!this.#stopped && this.#file.bytes().wal > this.#walLimitBytes / 4) await this.checkpoint()
  }

  /** Holds upkeep off while `work` changes what it works on. */
  exclusive<Result>(work: () => Promise<Result>): Promise<Result> {
    return this.#steps.run(work)
  }

  /**
   * For the writer, before each commit: has the log moved where it is over its limit. Throws what the last attempt
   * failed with where the log has grown to twice its limit.
   */
  boundLogBeforeCommit(): void {
    const { wal } = this.#file.bytes()
    if (wal < this.#walLimitBytes) return
    const failure = this.#failure
    // tried again in any case: the cause of the failure may be gone
    this.checkpoint().catch(() => undefined)
    if (wal >= 2 * this.#walLimitBytes && failure) throw failure
  }

  /**
   * Moves the log's content into the file, while nothing else is written: DuckDB would let commits go on and write
   * them to a second log, which the next opening may refuse where the process is killed meanwhile (docs/adr/0010).
   */
  checkpoint(): Promise<void> {
    this.#checkpointing ??= this.#steps
      .run(() => this.#withoutCommits(() => this.#file.checkpoint(this.#session)))
      .then(
        () => {
          this.#failure = undefined
        },
        (error: unknown) => {
          this.#failure = error
          throw error
        },
      )
      .finally(() => {
        this.#checkpointing = undefined
      })
    return this.#checkpointing
  }

  /** Lets the step that runs end, and begins no further one. */
  async close(): Promise<void> {
    this.#stopped = true
    try {
      await this.checkpoint()
    } finally {
      this.#session.close()
    }
  }

  /** The instance is lost: begins nothing further, and moves nothing into the file. */
  async abandon(): Promise<void> {
    this.#stopped = true
    await this.#steps.run(async () => undefined)
    this.#session.close()
  }

  /** One piece of upkeep in its turn, then the log; nothing, and undefined, once the store closes. */
  async #step<Result>(work: () => Promise<Result>): Promise<Result | undefined> {
    const result = await this.#steps.run(async () => (this.#stopped ? undefined : await work()))
    if (!this.#stopped && this.#file.bytes().wal >= this.#walLimitBytes) await this.checkpoint()
    return result
  }

  /**
   * The hours are closed first, then their readings go, step by step. Readings that are not rolled up yet stay.
   * Cut short, the rest goes next time.
   */
  async #remove(before: number): Promise<void> {
    const bounds = await this.#step(async () => {
      await this.#session.run(
        `UPDATE rollups SET closed = true
         WHERE at_ms < $1 AND NOT closed AND series NOT IN (${derivedSeries})`,
        [before],
      )
      return await this.#session.numbers(
        'SELECT min(seq)::DOUBLE, max(seq)::DOUBLE FROM readings WHERE at_ms < $1 AND seq <= $2',
        [before, this.#mark],
      )
    })
    const [first, last] = (bounds ?? []).map(([bound]) => bound ?? undefined)
    if (first === undefined || last === undefined) return
    for (let from = first; from <= last && !this.#stopped; from += removalRows) {
      const to = Math.min(last, from + removalRows - 1)
      const sql = 'DELETE FROM readings WHERE at_ms < $1 AND seq >= $2 AND seq <= $3'
      await this.#step(() => this.#session.run(sql, [before, from, to]))
    }
  }
}
