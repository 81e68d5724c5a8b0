/**
 * Lets at most `permits` tasks run at a time; the others wait in call order.
 * One permit makes a mutex.
 */
export class Turns {
  #free: number
  readonly #waiting: (() => void)[] = []

  constructor(permits: number) {
    this.#free = permits
  }

  /** Runs `task` when its turn comes; resolves or rejects as the task does. Not re-entrant. */
  async run<Result>(task: () => Promise<Result>): Promise<Result> {
    if (this.#free > 0) this.#free--
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
    try {
      return await task()
    } finally {
      // the permit goes straight to the next in line, so that nobody overtakes
      const next = this.#waiting.shift()
      if (next) next()
      else this.#free++
    }
  }
}
