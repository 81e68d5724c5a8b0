import type { Emit, Log, SourceAdapter } from '../core/ports.ts'

/** A source that was started. */
export interface StartedSource {
  /** Ends it; resolves when what it had emitted is settled. */
  stop(): Promise<void>
  /** Rejects where it failed by itself (also logged: the hub goes on without it, and is not ready). */
  readonly done: Promise<void>
}

interface Entry {
  readonly adapter: SourceAdapter
  readonly stop: AbortController
  readonly done: Promise<void>
}

/** The sources of a hub while they run. */
export class Sources {
  readonly #log: Log
  #entries: Entry[] = []

  constructor(log: Log) {
    this.#log = log
  }

  start(adapter: SourceAdapter, emit: Emit): StartedSource {
    const stop = new AbortController()
    const done = adapter.run(emit, stop.signal)
    const entry = { adapter, stop, done }
    this.#entries.push(entry)
    done.catch((error: unknown) => {
      this.#log.error('A source stopped.', { source: adapter.name, error: String(error) })
    })
    return {
      done,
      stop: async () => {
        stop.abort()
        this.#entries = this.#entries.filter((other) => other !== entry)
        await done
      },
    }
  }

  /** Resolves when all have ended, well or not. */
  async stop(): Promise<void> {
    for (const { stop } of this.#entries) stop.abort()
    await Promise.allSettled(this.#entries.map(({ done }) => done))
  }

  health(): { name: string; ready: boolean; detail: string }[] {
    return this.#entries.map(({ adapter }) => ({ name: adapter.name, ...adapter.health() }))
  }
}
