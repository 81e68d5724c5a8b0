import type { Clock } from '../../core/ports.ts'
import { type Target, targetId } from '../../core/target.ts'
import { minuteMs, secondMs } from '../../core/time.ts'

interface Entry {
  readonly target: Target
  /** Monotonic ms. */
  dueMs: number
}

/** How long nothing further must have happened to a target before it is due: an import is let finish. */
const stillMs = 500
/** Pauses after a failure: doubled each time. */
const retryMs = { first: 5 * secondMs, most: 30 * minuteMs }
/** Longest sleep without anything to do. */
const idleMs = 24 * 60 * minuteMs

/** When each target is due to be forecast. Costs nothing while nothing happens, whatever the number of targets. */
export class Agenda {
  readonly #clock: Clock
  readonly #entries = new Map<string, Entry>()
  readonly #failures = new Map<string, number>()
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
    const failures = this.#failures.get(targetId(target)) ?? 0
    this.#failures.set(targetId(target), failures + 1)
    const pauseMs = Math.min(retryMs.most, retryMs.first * 2 ** failures)
    this.#set(target, this.#clock.monotonic() + pauseMs)
  }

  succeeded(target: Target): void {
    this.#failures.delete(targetId(target))
  }

  removeSite(site: string): void {
    for (const [id, { target }] of this.#entries)
      if (target.site === site) {
        this.#entries.delete(id)
        this.#failures.delete(id)
      }
  }

  /** Takes the targets that are due. */
  take(): Target[] {
    const now = this.#clock.monotonic()
    const due: Target[] = []
    for (const [id, { target, dueMs }] of this.#entries) {
      if (dueMs > now) continue
      this.#entries.delete(id)
      due.push(target)
    }
    return due
  }

  /** Resolves when a target may be due, or the signal aborts. */
  async wait(signal: AbortSignal): Promise<void> {
    const now = this.#clock.monotonic()
    let wakeAtMs = now + idleMs
    for (const { dueMs } of this.#entries.values()) wakeAtMs = Math.min(wakeAtMs, dueMs)
    const stop = new AbortController()
    this.#sleep = { wakeAtMs, stop }
    await this.#clock.sleep(Math.max(0, wakeAtMs - now), AbortSignal.any([signal, stop.signal]))
    this.#sleep = undefined
  }

  #set(target: Target, dueMs: number): void {
    this.#entries.set(targetId(target), { target, dueMs })
    if (this.#sleep && dueMs < this.#sleep.wakeAtMs) this.#sleep.stop.abort()
  }
}
