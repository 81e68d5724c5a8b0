import { HomeostatError } from '../../core/errors.ts'
import type { Clock } from '../../core/ports.ts'
import { type Target, TargetMap } from '../../core/target.ts'

export interface ImportHoldOptions {
  /** Imports at the same time. */
  readonly imports: number
  /** An import that did not announce itself again for so long has ended. */
  readonly importSilentMs: number
}

/** An import that was announced. */
export interface RunningImport {
  readonly id: string
  readonly sites: readonly string[]
  readonly by: string
  /** UTC ms. */
  readonly since: number
  readonly expiresAt: number
}

interface Held {
  readonly running: RunningImport
  readonly expiresMs: number
}

/**
 * Imports that run. They announce themselves, again and again while they go on, so that one that was killed ends by
 * itself; trainings of their sites wait for them.
 */
export class ImportHolds {
  readonly #clock: Clock
  readonly #options: ImportHoldOptions
  readonly #onEnd: (targets: readonly Target[]) => void
  /** Targets whose history came in with an import that runs. */
  readonly #touched = new TargetMap<true>()
  readonly #held = new Map<string, Held>()
  readonly #stop = new AbortController()
  #count = 0
  #isWatching = false

  /** `onEnd` gets the targets whose history came in, once no import holds their site any more. */
  constructor(clock: Clock, options: ImportHoldOptions, onEnd: (targets: readonly Target[]) => void) {
    this.#clock = clock
    this.#options = options
    this.#onEnd = onEnd
  }

  removeSite(site: string): void {
    this.#touched.removeSite(site)
  }

  holds(site: string): boolean {
    for (const { running } of this.#held.values()) if (running.sites.includes(site)) return true
    return false
  }

  /** History of the target came in. */
  touch(target: Target): void {
    if (this.#held.size > 0 && !this.#touched.get(target) && this.holds(target.site))
      this.#touched.set(target, true)
  }

  all(): RunningImport[] {
    return [...this.#held.values()].map(({ running }) => running)
  }

  /** Throws `not_acceptable_state` where too many run. */
  begin(sites: readonly string[], by: string): RunningImport {
    const { imports } = this.#options
    if (this.#held.size >= imports)
      throw new HomeostatError('not_acceptable_state', {
        detail: `${this.#held.size} imports run, and at most ${imports} may (limits.imports)`,
      })
    const since = this.#clock.now()
    const id = `${since.toString(36)}-${this.#count++}`
    return this.#hold({ id, by, since }, sites)
  }

  /** The import goes on, maybe with further sites. Throws `not_found` where it has ended. */
  renew(id: string, sites: readonly string[]): RunningImport {
    const { running } = this.#known(id)
    return this.#hold(running, [...new Set([...running.sites, ...sites])])
  }

  /** Throws `not_found` where it has ended already. */
  end(id: string): void {
    this.#known(id)
    this.#held.delete(id)
    const free = [...this.#touched.entries()]
      .map(([target]) => target)
      .filter(({ site }) => !this.holds(site))
    for (const target of free) this.#touched.delete(target)
    this.#onEnd(free)
  }

  /** Throws `not_found`. */
  get(id: string): RunningImport {
    return this.#known(id).running
  }

  stop(): void {
    this.#stop.abort()
    this.#held.clear()
  }

  #known(id: string): Held {
    const held = this.#held.get(id)
    if (!held) throw new HomeostatError('not_found', { what: `running import "${id}"` })
    return held
  }

  #hold(of: Pick<RunningImport, 'id' | 'by' | 'since'>, sites: readonly string[]): RunningImport {
    const { importSilentMs } = this.#options
    const running = {
      id: of.id,
      by: of.by,
      since: of.since,
      sites,
      expiresAt: this.#clock.now() + importSilentMs,
    }
    const expiresMs = this.#clock.monotonic() + importSilentMs
    this.#held.set(of.id, { running, expiresMs })
    if (!this.#isWatching) void this.#watch()
    return running
  }

  /** Ends the imports that fell silent; one timer for all, while there are any. */
  async #watch(): Promise<void> {
    this.#isWatching = true
    while (this.#held.size > 0) {
      const firstMs = Math.min(...[...this.#held.values()].map(({ expiresMs }) => expiresMs))
      await this.#clock.sleep(Math.max(0, firstMs - this.#clock.monotonic()), this.#stop.signal)
      if (this.#stop.signal.aborted) return
      const nowMs = this.#clock.monotonic()
      for (const [id, { expiresMs }] of this.#held) if (expiresMs <= nowMs) this.end(id)
    }
    this.#isWatching = false
  }
}
