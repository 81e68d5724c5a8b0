import type { Clock } from '../../core/ports.ts'
import { type Target, TargetMap } from '../../core/target.ts'
import { minuteMs, secondMs } from '../../core/time.ts'

/** How long nothing further must have happened to a target before it is due: an import is let finish. */
const stillMs = 500
/** Pauses after a failure: doubled each time. */
const retryMs = { first: 5 * secondMs, most: 30 * minuteMs }
/** Longest sleep without anything to do. */
const idleMs = 24 * 60 * minuteMs

/** When each target is due to be forecast. Costs nothing while nothing happens, whatever the number of targets. */
export class Agenda {
  readonly #clock: Clock
  /** When each is due, monotonic ms. */
  readonly #dueMs = new TargetMap<number>()
  /** Failures in a row, also of targets that were taken and are being forecast. */
  readonly #failures = new TargetMap<number>()
  #sleep: { readonly wakeAtMs: number; readonly stop: AbortController } | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Due once nothing further has happened to it for a moment. */
  add(target: Target): void {
    this.#set(target, this.#clock.monotonic() + stillMs)
  }

  /** Due at once. */
  addNow(target: Target): void {
    this.#set(target, this.#clock.monotonic())
  }

  /** Due again after a pause that grows with each failure in a row. */
  retry(target: Target): void {
    const failures = this.#failures.get(target) ?? 0
    this.#failures.set(target, failures + 1)
    const pauseMs = Math.min(retryMs.most, retryMs.first * 2 ** failures)
    this.#set(target, this.#clock.monotonic() + pauseMs)
  }

  succeeded(target: Target): void {
    this.#failures.delete(target)
  }

  remove(target: Target): void {
    this.#dueMs.delete(target)
    this.#failures.delete(target)
  }

  removeSite(site: string): void {
    this.#dueMs.removeSite(site)
    this.#failures.removeSite(site)
  }

  /** Takes the targets that are due. */
  take(): Target[] {
    const now = this.#clock.monotonic()
    const due = [...this.#dueMs.entries()].flatMap(([target, dueMs]) => (dueMs <= now ? [target] : []))
    for (const target of due) this.#dueMs.delete(target)
    return due
  }

  /** Resolves when a target may be due, or the signal aborts. */
  async wait(signal: AbortSignal): Promise<void> {
    const now = this.#clock.monotonic()
    let wakeAtMs = now + idleMs
    for (const dueMs of this.#dueMs.values()) wakeAtMs = Math.min(wakeAtMs, dueMs)
    const stop = new AbortController()
    this.#sleep = { wakeAtMs, stop }
    await this.#clock.sleep(Math.max(0, wakeAtMs - now), AbortSignal.any([signal, stop.signal]))
    this.#sleep = undefined
  }

  #set(target: Target, dueMs: number): void {
    this.#dueMs.set(target, dueMs)
    if (this.#sleep && dueMs < this.#sleep.wakeAtMs) this.#sleep.stop.abort()
  }
}
