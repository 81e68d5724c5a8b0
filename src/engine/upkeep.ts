import type { Clock, Ledger, Log, ReadingStore } from '../core/ports.ts'

export interface UpkeepParts {
  readonly readings: ReadingStore
  readonly ledger: Ledger
  readonly clock: Clock
  readonly log: Log
}

export interface UpkeepOptions {
  readonly quarantineRows: number
  /** null: for ever. */
  readonly readingsKeptMs: number | null
  readonly predictionsKeptMs: number
  readonly forecastsKeptMs: number
}

const everyMs = 60_000

/** Keeps the stores small and quick: roll-ups and compaction once a minute, bounded in each step; the ledger daily. */
export class Upkeep {
  readonly #parts: UpkeepParts
  readonly #options: UpkeepOptions
  readonly #stop = new AbortController()
  #done: Promise<void> | undefined

  constructor(parts: UpkeepParts, options: UpkeepOptions) {
    this.#parts = parts
    this.#options = options
  }

  start(): void {
    this.#done = this.#run()
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    await this.#done
  }

  /** Old predictions, logs, notes, jobs and quarantined rows go. */
  async cleanUp(): Promise<void> {
    const { ledger, clock } = this.#parts
    const { predictionsKeptMs, forecastsKeptMs, quarantineRows } = this.#options
    const now = clock.now()
    await ledger.maintain({
      quarantined: quarantineRows,
      keepFrom: now - predictionsKeptMs,
      forecastsFrom: now - forecastsKeptMs,
    })
  }

  async #run(): Promise<void> {
    const { clock, log } = this.#parts
    while (!this.#stop.signal.aborted) {
      await clock.sleep(everyMs, this.#stop.signal)
      if (this.#stop.signal.aborted) return
      try {
        await this.#once()
      } catch (error) {
        log.error('Upkeep failed; it is tried again in a minute.', { error: String(error) })
      }
    }
  }

  async #once(): Promise<void> {
    const { readings, clock } = this.#parts
    const { readingsKeptMs } = this.#options
    const now = clock.now()
    await readings.maintain(readingsKeptMs === null ? undefined : now - readingsKeptMs)
  }
}
