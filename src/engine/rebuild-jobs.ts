import type { Job } from '../core/life.ts'
import type { Clock } from '../core/ports.ts'
import { isSameTarget, type Target, targetId } from '../core/target.ts'

interface Running {
  readonly job: Job
  /** The most that was left to derive again, ms of history. */
  totalMs: number
}

/**
 * Rebuilds as jobs, so that people see what the hub derives again and how far it is. They are kept in memory: the dirty
 * spans are stored, and a rebuild that a restart interrupts begins as a new job.
 */
export class RebuildJobs {
  readonly #clock: Clock
  readonly #endedMax: number
  readonly #running = new Map<string, Running>()
  /** Oldest first. */
  #ended: Job[] = []
  #count = 0

  /** `endedMax`: jobs that are kept after they ended. */
  constructor(clock: Clock, endedMax: number) {
    this.#clock = clock
    this.#endedMax = endedMax
  }

  /** Those of a site or of all, newest first. */
  all(site?: string): Job[] {
    const running = [...this.#running.values()].map(({ job }) => job)
    return [...this.#ended, ...running]
      .filter(({ target }) => site === undefined || target.site === site)
      .sort((a, b) => b.createdAt - a.createdAt)
  }

  /** So much of the history of a target is to be derived again; 0 ends its job. */
  left(target: Target, leftMs: number): void {
    const key = targetId(target)
    const known = this.#running.get(key)
    if (leftMs <= 0) {
      if (known) this.#end(key, { ...known.job, status: 'done', progress: 1, detail: 'Derived again.' })
      return
    }
    const totalMs = Math.max(leftMs, known?.totalMs ?? 0)
    const job = { ...(known?.job ?? this.#begin(target)), progress: 1 - leftMs / totalMs }
    this.#running.set(key, { job, totalMs })
  }

  failed(target: Target, detail: string): void {
    const key = targetId(target)
    const job = this.#running.get(key)?.job ?? this.#begin(target)
    this.#end(key, { ...job, status: 'failed', detail })
  }

  removeSite(site: string): void {
    for (const [key, { job }] of this.#running) if (job.target.site === site) this.#running.delete(key)
    this.#ended = this.#ended.filter(({ target }) => target.site !== site)
  }

  #begin(target: Target): Job {
    const now = this.#clock.now()
    return {
      id: `rebuild-${now}-${this.#count++}`,
      kind: 'rebuild',
      target,
      status: 'running',
      progress: 0,
      detail: 'Derives its history again.',
      by: 'hub',
      force: false,
      createdAt: now,
      startedAt: now,
    }
  }

  #end(key: string, job: Job): void {
    this.#running.delete(key)
    // late readings may have a target derived again each minute: its last job tells it all
    const others = this.#ended.filter(
      ({ target, status }) => status !== job.status || !isSameTarget(target, job.target),
    )
    this.#ended = [...others, { ...job, endedAt: this.#clock.now() }].slice(-this.#endedMax)
  }
}
