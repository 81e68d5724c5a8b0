import type { Clock, Ledger, Log, ReadingStore } from '../core/ports.ts'
import { dayMs } from '../core/time.ts'

export interface UpkeepParts {
  readonly readings: ReadingStore
  readonly ledger: Ledger
  readonly clock: Clock
  readonly log: Log
  /** Erases what people removed and can no longer restore. */
  readonly eraseDue: () => Promise<void>
}

export interface UpkeepOptions {
  readonly quarantineRows: number
  readonly closedAlertRows: number
  readonly modelEventRows: number
  /** null: for ever. */
  readonly readingsKeptMs: number | null
  readonly predictionsKeptMs: number
  readonly forecastsKeptMs: number
  readonly incidentsKeptMs: number
}

const everyMs = 60_000

/**
 * Keeps the stores small and quick. What came in is rolled up and compacted once a minute, in bounded steps, so that no
 * query has much left to add up. The schedule removes old readings and old rows of the ledger.
 */
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

  /** Deletes old rows of the ledger, and rows beyond their limit. */
  async cleanUp(): Promise<void> {
    const { ledger, clock } = this.#parts
    const { predictionsKeptMs, forecastsKeptMs, incidentsKeptMs, ...rows } = this.#options
    const now = clock.now()
    await ledger.maintain({
      quarantined: rows.quarantineRows,
      closedAlerts: rows.closedAlertRows,
      modelEvents: rows.modelEventRows,
      keepFrom: now - predictionsKeptMs,
      forecastsFrom: now - forecastsKeptMs,
      thinBefore: now - dayMs,
      incidentsFrom: now - incidentsKeptMs,
    })
  }

  /** Rolls up hours to the newest reading, and removes readings older than `readingsKeptMs`; their roll-ups stay. */
  async rollUp(): Promise<void> {
    const { readings, clock } = this.#parts
    const { readingsKeptMs } = this.#options
    await readings.maintain(readingsKeptMs === null ? undefined : clock.now() - readingsKeptMs)
  }

  async #run(): Promise<void> {
    const { clock, log } = this.#parts
    while (!this.#stop.signal.aborted) {
      await clock.sleep(everyMs, this.#stop.signal)
      if (this.#stop.signal.aborted) return
      try {
        await this.#parts.eraseDue()
        await this.#parts.readings.maintain()
      } catch (error) {
        log.error('Upkeep failed; it is tried again in a minute.', { error: String(error) })
      }
    }
  }
}
