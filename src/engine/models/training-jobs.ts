import { HomeostatError } from '../../core/errors.ts'
import type { Job, JobStatus } from '../../core/life.ts'
import type { Clock, JobLedger, Log } from '../../core/ports.ts'
import { type Target, targetId } from '../../core/target.ts'
import { Turns } from '../../core/turns.ts'

export interface TrainingJobsParts {
  readonly ledger: JobLedger
  readonly clock: Clock
  readonly log: Log
  /** Whether the history of a target is not complete yet: its training waits, and `look` is called when it may be. */
  readonly isHeld?: (target: Target) => boolean
  /** Trains one target; returns a sentence with the result. Rejects when aborted. */
  readonly work: (job: Job, signal: AbortSignal, progress: (share: number) => void) => Promise<string>
}

export interface TrainingJobsOptions {
  /** Jobs that run at the same time. */
  readonly atOnce: number
  /** Jobs that may wait. */
  readonly waiting: number
  /** Time of one job. */
  readonly jobMs: number
  /** A training waits for the history of its target so long at most. */
  readonly heldMs: number
}

interface Running {
  readonly job: Job
  readonly stop: AbortController
  progress: number
  /** Resolves when it has ended. */
  done: Promise<void>
}

const interrupted = 'Started again after a restart.'

/** Pause before a job runs again whose status could not be stored. */
const storeAgainMs = 10_000

/**
 * Trainings, one a target at most, stored in the ledger: those that waited or ran when the process ended are resumed,
 * once; a job that a restart interrupted twice has failed.
 */
export class TrainingJobs {
  readonly #parts: TrainingJobsParts
  readonly #options: TrainingJobsOptions
  readonly #waiting = new Map<string, Job>()
  readonly #running = new Map<string, Running>()
  /** Jobs enter the queue one call after the other: else two calls could queue the same target. */
  readonly #entering = new Turns(1)
  readonly #stop = new AbortController()
  #lookAtMs = Number.POSITIVE_INFINITY
  #count = 0
  #state: 'not started' | 'running' | 'stopped' = 'not started'

  constructor(parts: TrainingJobsParts, options: TrainingJobsOptions) {
    this.#parts = parts
    this.#options = options
  }

  /** Whether they run here; if training is switched off, queued jobs wait for another start. */
  get areRun(): boolean {
    return this.#state === 'running'
  }

  get active(): number {
    return this.#waiting.size + this.#running.size
  }

  has = (target: Target): boolean =>
    this.#waiting.has(targetId(target)) || this.#running.has(targetId(target))

  async start(): Promise<void> {
    this.#state = 'running'
    await this.#entering.run(() => this.#resume())
    this.#next()
  }

  async #resume(): Promise<void> {
    const { ledger, clock } = this.#parts
    const left = await ledger.all({ status: ['queued', 'running'] })
    const taken = left.sort(byTurn).map((job): Job => {
      if (job.status === 'queued') return job
      if (job.detail !== interrupted) return { ...job, status: 'queued', progress: 0, detail: interrupted }
      const endedAt = clock.now()
      return { ...job, status: 'failed', endedAt, detail: 'The process ended while it ran, twice.' }
    })
    const resumed = onePerTarget(taken, clock.now())
    await ledger.put(resumed)
    for (const job of resumed) if (job.status === 'queued') this.#waiting.set(targetId(job.target), job)
  }

  /** What runs is cut short and stays in the ledger for the next start. */
  async stop(): Promise<void> {
    this.#state = 'stopped'
    this.#stop.abort()
    for (const { stop } of this.#running.values()) stop.abort()
    await this.#entering.run(async () => undefined)
    await Promise.all([...this.#running.values()].map(({ done }) => done))
  }

  /**
   * Targets that wait or run already keep the job they have. Returns the jobs, one a target; durable. Rejects with
   * `stopping` after `stop`, `not_acceptable_state` if too many wait.
   */
  async queue(wanted: readonly Target[], request: Pick<Job, 'by' | 'force'>): Promise<Job[]> {
    const jobs = await this.#entering.run(() => this.#enter(wanted, request))
    this.#next()
    return jobs
  }

  async #enter(wanted: readonly Target[], { by, force }: Pick<Job, 'by' | 'force'>): Promise<Job[]> {
    if (this.#state === 'stopped') throw new HomeostatError('stopping')
    const targets = [...new Map(wanted.map((target) => [targetId(target), target])).values()]
    const fresh = targets.filter((target) => !this.has(target))
    if (this.#waiting.size + fresh.length > this.#options.waiting)
      throw new HomeostatError('not_acceptable_state', {
        detail: `${this.#waiting.size} trainings wait, and at most ${this.#options.waiting} may (limits.trainingJobs)`,
      })
    const createdAt = this.#parts.clock.now()
    const jobs = fresh.map((target): Job => {
      const id = `${createdAt.toString(36)}-${String(this.#count++).padStart(6, '0')}`
      const detail = 'Waits for its turn.'
      return { id, kind: 'train', target, status: 'queued', progress: 0, detail, by, force, createdAt }
    })
    await this.#parts.ledger.put(jobs)
    for (const job of jobs) this.#waiting.set(targetId(job.target), job)
    return targets.flatMap((target) => this.#jobOf(target) ?? [])
  }

  /** As the ledger knows it, with the progress of the moment. */
  async get(id: string): Promise<Job> {
    const known = await this.#parts.ledger.get(id)
    if (!known) throw new HomeostatError('not_found', { what: `job "${id}"` })
    return this.now(known)
  }

  now(job: Job): Job {
    const running = this.#running.get(targetId(job.target))
    return running?.job.id === job.id ? { ...job, progress: running.progress } : job
  }

  async cancel(id: string, by: string): Promise<Job> {
    const job = await this.get(id)
    const key = targetId(job.target)
    const running = this.#running.get(key)
    if (running?.job.id === id) {
      running.stop.abort(new HomeostatError('not_acceptable_state', { detail: `Cancelled by ${by}` }))
      await running.done
      const ended = await this.get(id)
      // the ledger did not take its end: this is the second attempt, and the caller learns of its failure
      return isOpen(ended) ? this.#end(ended, 'cancelled', `Cancelled by ${by}.`) : ended
    }
    if (this.#waiting.get(key)?.id !== id)
      throw new HomeostatError('not_acceptable_state', { detail: `The job ${id} is ${job.status} already` })
    this.#waiting.delete(key)
    return this.#end(job, 'cancelled', `Cancelled by ${by} before it began.`)
  }

  /** Drops the site's trainings; resolves when those that ran have ended, whatever others still run. */
  removeSite(site: string): Promise<void> {
    return this.remove((target) => target.site === site)
  }

  /** The same for some targets. */
  async remove(isGone: (target: Target) => boolean): Promise<void> {
    await this.#entering.run(async () => {
      for (const [key, { target }] of this.#waiting) if (isGone(target)) this.#waiting.delete(key)
    })
    const own = [...this.#running.values()].filter(({ job }) => isGone(job.target))
    for (const { stop } of own) stop.abort()
    await Promise.all(own.map(({ done }) => done))
  }

  #jobOf(target: Target): Job | undefined {
    return this.#waiting.get(targetId(target)) ?? this.#running.get(targetId(target))?.job
  }

  /** A target may not be held any more. */
  look(): void {
    this.#next()
  }

  #isHeld({ target, createdAt }: Job): boolean {
    if (!this.#parts.isHeld?.(target)) return false
    const leftMs = createdAt + this.#options.heldMs - this.#parts.clock.now()
    if (leftMs > 0) this.#lookIn(leftMs)
    return leftMs > 0
  }

  /** One timer for all that are held: the first of them to have waited long enough. */
  #lookIn(ms: number): void {
    const { clock } = this.#parts
    const atMs = clock.monotonic() + ms
    if (atMs >= this.#lookAtMs) return
    this.#lookAtMs = atMs
    void clock.sleep(ms, this.#stop.signal).then(() => {
      this.#lookAtMs = Number.POSITIVE_INFINITY
      if (!this.#stop.signal.aborted) this.#next()
    })
  }

  #next(): void {
    for (const [key, job] of this.#waiting) {
      if (!this.areRun || this.#running.size >= this.#options.atOnce) return
      if (this.#isHeld(job)) continue
      this.#waiting.delete(key)
      const running: Running = { job, stop: new AbortController(), progress: 0, done: Promise.resolve() }
      this.#running.set(key, running)
      running.done = this.#run(running)
        .catch((error: unknown) => this.#runAgain(running, error))
        .finally(() => {
          this.#running.delete(key)
          this.#next()
        })
    }
  }

  /** The ledger did not take its status: the job waits again, so that it is not lost until a restart. */
  async #runAgain({ job, stop }: Running, error: unknown): Promise<void> {
    const { clock, log } = this.#parts
    log.error('The status of a training could not be stored; it is tried again.', {
      ...job.target,
      error: String(error),
    })
    await clock.sleep(storeAgainMs, stop.signal)
    if (!stop.signal.aborted) this.#waiting.set(targetId(job.target), job)
  }

  async #run(running: Running): Promise<void> {
    const { ledger, clock, log, work } = this.#parts
    const { job: waited, stop } = running
    const again = waited.detail === interrupted
    const job = { ...waited, status: 'running' as const, startedAt: clock.now() }
    await ledger.put([again ? job : { ...job, detail: 'Learning.' }])
    const { jobMs } = this.#options
    const timer = new AbortController()
    const limit = clock.sleep(jobMs, timer.signal).then(() => {
      if (!timer.signal.aborted) stop.abort(new TooLong(`It took longer than ${jobMs / 1000} s.`))
    })
    try {
      // cancelled or stopped while its status was stored
      stop.signal.throwIfAborted()
      const result = await work(job, stop.signal, (share) => {
        running.progress = share
      })
      await this.#end(job, 'done', result)
    } catch (error) {
      // a stop of the hub leaves the job in the ledger, to be taken up by the next start
      if (this.#state === 'stopped') return
      const cancelled = stop.signal.aborted && !(stop.signal.reason instanceof TooLong)
      const why: unknown = stop.signal.aborted ? stop.signal.reason : error
      await this.#end(
        job,
        cancelled ? 'cancelled' : 'failed',
        why instanceof Error ? why.message : String(why),
      )
      if (!cancelled) log.error('Learning failed.', { ...job.target, error: String(why) })
    } finally {
      timer.abort()
      await limit
    }
  }

  async #end(job: Job, status: JobStatus, detail: string): Promise<Job> {
    const progress = status === 'done' ? 1 : (this.#running.get(targetId(job.target))?.progress ?? 0)
    const ended = { ...job, status, detail, progress, endedAt: this.#parts.clock.now() }
    await this.#parts.ledger.put([ended])
    return ended
  }
}

const isOpen = ({ status }: Job): boolean => status === 'queued' || status === 'running'

/** The first of the queued jobs of each target stays queued; the ledger of an older version may hold several. */
function onePerTarget(jobs: readonly Job[], endedAt: number): Job[] {
  const first = new Map<string, Job>()
  return jobs.map((job): Job => {
    const known = first.get(targetId(job.target))
    if (job.status !== 'queued') return job
    if (known) return { ...job, status: 'cancelled', endedAt, detail: `The job ${known.id} is the same.` }
    first.set(targetId(job.target), job)
    return job
  })
}

/** What ran comes before what waited, then in the order of asking. */
const byTurn = (a: Job, b: Job): number =>
  Number(b.status === 'running') - Number(a.status === 'running') ||
  a.createdAt - b.createdAt ||
  (a.id < b.id ? -1 : 1)

class TooLong extends Error {}
