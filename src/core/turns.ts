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

/** A mutex per key: tasks of one key run one after the other, tasks of different keys side by side. */
export class KeyedTurns {
  readonly #tails = new Map<string, Promise<void>>()

  /** Runs `task` after all earlier tasks of the key; resolves or rejects as the task does. Not re-entrant. */
  run<Result>(key: string, task: () => Promise<Result>): Promise<Result> {
    const result = (this.#tails.get(key) ?? Promise.resolve()).then(task)
    const tail = result.then(noop, noop).then(() => {
      if (this.#tails.get(key) === tail) this.#tails.delete(key)
    })
    this.#tails.set(key, tail)
    return result
  }

  /** Resolves when all tasks that were given so far, of the keys that match, have ended. Never rejects. */
  async settled(matches: (key: string) => boolean): Promise<void> {
    await Promise.all([...this.#tails].flatMap(([key, tail]) => (matches(key) ? [tail] : [])))
  }
}

const noop = (): void => {}
