import type { Emit } from '../../core/ports.ts'
import type { RawReading } from '../../core/reading.ts'

/** Called once a message's readings are durable (in quarantine, if bad); with the error when they are not. */
export type Settled = (error?: Error) => void

/**
 * Messages that arrive in one tick of the event loop go to the pump as one batch: one promise for hundreds of
 * messages instead of one each. The order of arrival is kept.
 */
export class Gather {
  readonly #emit: Emit
  readonly #batchReadings: number
  #rows: RawReading[] = []
  #settled: Settled[] = []
  #pending = 0
  /** Rows that have not been settled. */
  #waiting = 0
  #below: { readonly rows: number; readonly call: () => void }[] = []
  #idle: (() => void)[] = []

  constructor(emit: Emit, batchReadings: number) {
    this.#emit = emit
    this.#batchReadings = batchReadings
  }

  add(rows: readonly RawReading[], settled: Settled): void {
    if (this.#settled.length === 0) queueMicrotask(() => this.#flush())
    for (const row of rows) this.#rows.push(row)
    this.#waiting += rows.length
    this.#settled.push(settled)
    if (this.#rows.length >= this.#batchReadings) this.#flush()
  }

  /** Calls back once fewer than `rows` wait for their commit; at once where that is so. */
  whenBelow(rows: number, call: () => void): void {
    if (this.#waiting < rows) call()
    else this.#below.push({ rows, call })
  }

  /** Resolves when all that was added is settled. */
  async drained(): Promise<void> {
    if (this.#pending > 0 || this.#settled.length > 0)
      await new Promise<void>((resolve) => this.#idle.push(resolve))
  }

  #flush(): void {
    if (this.#settled.length === 0) return
    const rows = this.#rows
    const settled = this.#settled
    this.#rows = []
    this.#settled = []
    this.#pending++
    this.#emit(rows).then(
      () => this.#settle(rows.length, settled),
      (error: unknown) =>
        this.#settle(rows.length, settled, error instanceof Error ? error : new Error(String(error))),
    )
  }

  #settle(rows: number, settled: readonly Settled[], error?: Error): void {
    for (const call of settled) call(error)
    this.#pending--
    this.#waiting -= rows
    for (const { rows: most, call } of this.#below.splice(0)) this.whenBelow(most, call)
    if (this.#pending > 0 || this.#settled.length > 0) return
    for (const resolve of this.#idle.splice(0)) resolve()
  }
}
