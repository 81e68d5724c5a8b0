import { HomeostatError } from '../core/errors.ts'

interface Count {
  tries: number
  readonly since: number
}

/** Names and addresses that are remembered; beyond it the oldest are forgotten. */
const countsMax = 20_000

/** Counts attempts by key within a span of time. */
export class Attempts {
  readonly #most: number
  readonly #spanMs: number
  readonly #counts = new Map<string, Count>()

  constructor(most: number, spanMs: number) {
    this.#most = most
    this.#spanMs = spanMs
  }

  /** Counts one more attempt, before it is known how it ends. Throws `rate_limited` above the limit. */
  add(key: string, now: number): void {
    const known = this.#counts.get(key)
    const isOver = known === undefined || now - known.since >= this.#spanMs || now < known.since
    const count = isOver ? { tries: 0, since: now } : known
    if (count.tries >= this.#most) {
      const seconds = Math.ceil((count.since + this.#spanMs - now) / 1000)
      throw new HomeostatError('rate_limited', { seconds })
    }
    count.tries++
    if (isOver) {
      // a new span makes it the newest entry
      this.#counts.delete(key)
      this.#counts.set(key, count)
      if (this.#counts.size > countsMax) this.#counts.delete(this.#counts.keys().next().value ?? '')
    }
  }

  /** Forgets the attempts of a key that turned out to be right. */
  clear(key: string): void {
    this.#counts.delete(key)
  }
}
