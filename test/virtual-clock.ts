import type { Clock } from '../src/core/ports.ts'

interface Sleeper {
  readonly dueMs: number
  readonly wake: () => void
}

/** A clock that stands still until it is told to go on; sleepers wake in the order of their times. */
export class VirtualClock implements Clock {
  readonly #startMs: number
  #passedMs = 0
  #sleepers: Sleeper[] = []

  /** `startMs` is UTC epoch ms. */
  constructor(startMs: number) {
    this.#startMs = startMs
  }

  now = (): number => this.#startMs + this.#passedMs

  monotonic = (): number => this.#passedMs

  sleep = (ms: number, signal?: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve()
      const wake = (): void => {
        this.#sleepers = this.#sleepers.filter((other) => other !== sleeper)
        signal?.removeEventListener('abort', wake)
        resolve()
      }
      const sleeper = { dueMs: this.#passedMs + ms, wake }
      this.#sleepers.push(sleeper)
      signal?.addEventListener('abort', wake, { once: true })
    })

  yield = (): Promise<void> => turnOfTheLoop()

  /** Time passes in which nobody slept: those who sleep now wake at its end. */
  async skip(ms: number): Promise<void> {
    this.#passedMs += ms
    await this.advance(0)
  }

  /** Lets time pass. Between two sleepers what the first one started may run, up to its next real wait. */
  async advance(ms: number): Promise<void> {
    const end = this.#passedMs + ms
    for (;;) {
      const [next] = this.#sleepers.filter(({ dueMs }) => dueMs <= end).sort((a, b) => a.dueMs - b.dueMs)
      if (!next) break
      this.#passedMs = Math.max(this.#passedMs, next.dueMs)
      next.wake()
      await turnOfTheLoop()
    }
    this.#passedMs = end
    await turnOfTheLoop()
  }
}

/** Everything that waits for promises only has run when this resolves. */
export const turnOfTheLoop = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
