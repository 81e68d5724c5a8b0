import type { Clock, Ledger, Log, ReadingStore } from '../core/ports.ts'

export interface UpkeepParts {
  readonly readings: ReadingStore
  readonly ledger: Ledger
  readonly clock: Clock
  readonly log: Log
}

export interface UpkeepOptions {
  readonly quarantineRows: number
  /** Versions of each series, the newest. */
  readonly modelsKept: number
  /** null: for ever. */
  readonly readingsKeptMs: number | null
  readonly predictionsKeptMs: number
}

const everyMs = 60_000

/** Keeps the stores small and quick: roll-ups, compaction, retention, once a minute and bounded in each step. */
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
    const { readings, ledger, clock } = this.#parts
    const { readingsKeptMs, predictionsKeptMs, quarantineRows, modelsKept } = this.#options
    const now = clock.now()
    await readings.maintain(readingsKeptMs === null ? undefined : now - readingsKeptMs)
    await ledger.maintain({
      quarantined: quarantineRows,
      models: modelsKept,
      keepFrom: now - predictionsKeptMs,
    })
  }
}
