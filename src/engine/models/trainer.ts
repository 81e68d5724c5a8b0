import type { Forecast } from '../../core/event.ts'
import type { Job, StoredModel } from '../../core/life.ts'
import type { Clock, Jobs, Ledger, Log, ReadingStore, WindowStore } from '../../core/ports.ts'
import type { Reading } from '../../core/reading.ts'
import { targetOfDerived } from '../../core/series.ts'
import { isSameTarget, type Target, TargetMap } from '../../core/target.ts'
import { dayMs, hourMs } from '../../core/time.ts'
import type {
  Dataset,
  ForecastInput,
  ForecastOutput,
  LearnInput,
  Learning,
  Steps,
} from '../../domains/domain.ts'
import type { Directory } from '../directory.ts'
import type { Feed } from '../feed.ts'
import { Agenda } from './agenda.ts'
import { attemptTogether, type Failure } from './attempts.ts'
import { readDatasets } from './dataset.ts'
import type { Forgotten } from './forgotten.ts'
import { learntFrom, rivalOf } from './learnt-from.ts'
import type { Lifecycle } from './lifecycle.ts'
import { measuredTargets, pacesOf } from './measured.ts'
import { isLearnt } from './model-index.ts'
import type { Overseer } from './overseer.ts'
import type { Learnable, Predicted } from './target.ts'
import { TrainingJobs } from './training-jobs.ts'

export interface TrainerParts {
  readonly readings: ReadingStore
  readonly ledger: Ledger
  readonly windows: WindowStore
  readonly directory: Directory
  readonly feed: Feed
  readonly jobs: Jobs
  readonly clock: Clock
  readonly log: Log
  readonly learnings: readonly Learning[]
  readonly lifecycle: Lifecycle
  readonly overseer: Overseer
  readonly forgotten: Forgotten
  readonly onForecast: (forecast: Forecast) => void
  readonly isImporting: (site: string) => boolean
  /** History of the target came in. Called for each step. */
  readonly onHistory: (target: Target) => void
  /** Whether history of the target is still to be derived again. */
  readonly isDirty: (target: Target) => boolean
}

export interface TrainerOptions {
  readonly enabled: boolean
  /** Trainings at the same time. */
  readonly workers: number
  readonly jobMs: number
  /** Trainings that may wait. */
  readonly jobsWaiting: number
  /** A training waits for imports and for history that is derived again so long at most. */
  readonly heldMs: number
}

/** Forecasts that are made at the same time, and written as one. */
const atOnce = 8

/** A forecast looks back four weeks, and the naive ones are compared over eight. */
const forecastHistoryMs = 100 * dayMs

/** A step that is derived so long after its time is history that was brought in. */
const historyMs = hourMs

/** What a forecast is made from. */
interface History {
  /** Undefined if not one step is whole. */
  readonly steps: Steps | undefined
  /** The step of `everyMs` that is done once the forecast is made. */
  readonly doneStep: number
}

interface State {
  readonly learnable: Learnable
  /** Start of the newest derived step, UTC ms. */
  newestAt: number
  /** The step of `everyMs` for which a forecast was made last. */
  doneStep: number
  /** A first training was requested, since the history suffices. */
  requested: boolean
}

/**
 * Forecasts each target when a further step of its derived series is whole, and trains it on request (the schedule, a
 * person) or when there is enough history for the first time. It is told about new derived steps, so that it never
 * walks over all series and never reads raw history. One target that fails is retried with growing pauses and delays no
 * other.
 */
export class Trainer {
  readonly jobs: TrainingJobs
  readonly #parts: TrainerParts
  readonly #options: TrainerOptions
  readonly #states = new TargetMap<State>()
  readonly #agenda: Agenda
  readonly #stop = new AbortController()
  #done: Promise<void> | undefined

  constructor(parts: TrainerParts, options: TrainerOptions) {
    this.#parts = parts
    this.#options = options
    const { ledger, clock, log } = parts
    this.#agenda = new Agenda(clock)
    this.jobs = new TrainingJobs(
      {
        ledger: ledger.jobs,
        clock,
        log,
        isHeld: (target) => parts.isImporting(target.site) || parts.isDirty(target),
        work: (job, signal, progress) => this.#learn(job, signal, progress),
      },
      { ...options, atOnce: options.workers, waiting: options.jobsWaiting },
    )
  }

  get training(): boolean {
    return this.jobs.active > 0
  }

  async start(): Promise<void> {
    this.committed(this.#parts.windows.latest())
    if (!this.#options.enabled) return
    await this.jobs.start()
    this.#done = this.#run()
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    await this.jobs.stop()
    await this.#done
  }

  /** Readings are committed: those that are derived steps may make a target due. */
  committed(readings: Iterable<Pick<Reading, 'site' | 'device' | 'at'>>): void {
    for (const reading of readings) {
      const target = targetOfDerived(reading)
      if (target) this.derived(target, reading.at)
    }
  }

  /** A derived step of the target, which begins at `at` (UTC ms), is committed. Cheap: called for each. */
  derived(target: Target, at: number): void {
    const state = this.#state(target)
    if (!state) return
    if (at < this.#parts.clock.now() - historyMs) this.#parts.onHistory(target)
    if (at <= state.newestAt) return
    const before = stepOf(state)
    state.newestAt = at
    if (stepOf(state) > Math.max(before, state.doneStep)) this.#agenda.add(target)
  }

  /** History of the target was derived again: its forecast is made anew, in the same step still. */
  rebuilt(target: Target): void {
    if (!this.#states.get(target)) return
    this.#agenda.add(target)
    this.#parts.onHistory(target)
    this.jobs.look()
  }

  /** The live model of the target has changed: it is forecast anew at once. */
  renew(target: Target): void {
    if (this.#states.get(target)) this.#agenda.addNow(target)
  }

  /** What can be learnt, of the given sites (null: all) and subject. */
  targets(sites: readonly string[] | null, subject?: string): Learnable[] {
    return [...this.#states.values()]
      .map(({ learnable }) => learnable)
      .filter(({ target }) => sites === null || sites.includes(target.site))
      .filter(({ target }) => subject === undefined || target.subject === subject)
  }

  /** Targets that are measured, but of which nothing could be derived. */
  measured(sites: readonly string[] | null, subject?: string): Learnable[] {
    return measuredTargets(this.#parts, sites, subject).filter(({ target }) => !this.#states.get(target))
  }

  /** Queues a training of each target. */
  train(targets: readonly Learnable[], request: Pick<Job, 'by' | 'force'>): Promise<Job[]> {
    return this.jobs.queue(
      targets.map(({ target }) => target),
      request,
    )
  }

  /** Forgets targets at once; resolves when their trainings have ended. What is under way of them is not stored. */
  remove(targets: readonly Target[]): Promise<void> {
    for (const target of targets) {
      this.#states.delete(target)
      this.#agenda.remove(target)
    }
    return this.jobs.remove((target) => targets.some((gone) => isSameTarget(gone, target)))
  }

  async removeSite(site: string): Promise<void> {
    await this.jobs.removeSite(site)
    this.#states.removeSite(site)
    this.#agenda.removeSite(site)
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop
    while (!signal.aborted) {
      const due = this.#agenda.take().flatMap((target) => this.#states.get(target) ?? [])
      for (let first = 0; first < due.length && !signal.aborted; first += atOnce)
        await this.#forecastAll(due.slice(first, first + atOnce).map(({ learnable }) => learnable))
      if (!signal.aborted) await this.#agenda.wait(signal)
    }
  }

  async #forecastAll(due: readonly Learnable[]): Promise<void> {
    const histories = new Map<Learnable, History>()
    const unread = await attemptTogether(due, (some) => this.#readAll(some, histories))
    for (const { item, error } of unread) this.#retry(item.target, error)
    const made = await Promise.all(
      [...histories].map(([target, history]) => this.#attempt(target, () => this.#forecast(target, history))),
    )
    const predicted = made.filter((one) => one !== undefined)
    const failures = await this.#publish(predicted)
    const failed = new Map(failures.map(({ item, error }) => [item.target, error]))
    for (const [{ target }, error] of failed) this.#retry(target, error)
    const stored = predicted.filter(({ target }) => !failed.has(target))
    for (const { target } of stored) this.#agenda.succeeded(target.target)
    await this.#requestFirst(stored)
  }

  /** Trains targets for the first time, after their first forecasts: these would otherwise wait for the training. */
  async #requestFirst(predicted: readonly Predicted[]): Promise<void> {
    const { lifecycle, log } = this.#parts
    const ready = predicted
      .filter(
        ({ target: { target, learning }, steps }) =>
          !this.#states.get(target)?.requested && learning.isEnough(steps),
      )
      .map(({ target }) => target)
    const fresh = ready.filter(({ target }) => !lifecycle.entries(target).some(isLearnt))
    try {
      if (fresh.length > 0) await this.train(fresh, { by: 'start', force: false })
      for (const { target } of ready) {
        const state = this.#states.get(target)
        if (state) state.requested = true
      }
    } catch (error) {
      // it is requested again with the next forecast
      log.warn('First trainings could not be queued.', { error: String(error) })
    }
  }

  /** A target that fails is retried; the others are published. */
  async #attempt<Result>({ target }: Learnable, work: () => Promise<Result>): Promise<Result | undefined> {
    if (this.#stop.signal.aborted) return undefined
    try {
      const result = await work()
      if (result === undefined) this.#agenda.succeeded(target)
      return result
    } catch (error) {
      this.#retry(target, error)
      return undefined
    }
  }

  #retry(target: Target, error: unknown): void {
    // its site may have been erased meanwhile
    if (this.#stop.signal.aborted || !this.#states.get(target)) return
    this.#parts.log.error('A forecast failed; it is retried.', { ...target, error: String(error) })
    this.#agenda.retry(target)
  }

  /** Reads all in one pass of the store, and gives way to other work after each. */
  async #readAll(some: readonly Learnable[], histories: Map<Learnable, History>): Promise<void> {
    const known = some.flatMap(({ target }) => this.#states.get(target) ?? [])
    const doneSteps = known.map(stepOf)
    const needs = known.map(({ learnable: { learning, target }, newestAt }) =>
      learning.needs(target, newestAt, forecastHistoryMs),
    )
    const datasets = await readDatasets(this.#parts, needs)
    for (const [index, { learnable }] of known.entries()) {
      const steps = this.#stepsOf(learnable, datasets[index]!)
      histories.set(learnable, { doneStep: doneSteps[index]!, steps })
      await this.#parts.clock.yield()
    }
  }

  async #forecast(learnable: Learnable, { steps, doneStep }: History): Promise<Predicted | undefined> {
    const { lifecycle, overseer, jobs } = this.#parts
    const { target } = learnable
    const state = this.#states.get(target)
    if (!state || !steps) return undefined
    const live = await lifecycle.live(target)
    const input: ForecastInput = {
      ...this.#inputOf(target, steps),
      mode: 'forecast',
      ...(live ? { live } : {}),
      shadows: await lifecycle.shadows(target),
      drift: overseer.wantsDrift(target),
    }
    const output = await jobs.run<ForecastInput, ForecastOutput>(learnable.learning.name, input, {
      signal: this.#stop.signal,
    })
    state.doneStep = Math.max(state.doneStep, doneStep)
    return { target: learnable, steps, output }
  }

  /** Returns the targets that could not be stored, scored or logged; the others are. */
  async #publish(made: readonly Predicted[]): Promise<Failure<Predicted>[]> {
    const { overseer } = this.#parts
    const wanted = made.filter((one) => this.#isWanted(one.target)).map((one) => overseer.choose(one))
    const failures = await attemptTogether(wanted, (some) => this.#store(some))
    const isFailed = new Set(failures.map(({ item }) => item))
    const stored = wanted.filter((one) => !isFailed.has(one) && this.#isWanted(one.target))
    return [...failures, ...(await overseer.watch(stored))]
  }

  /** Its site or device may have been removed meanwhile; a new one of the same name is another. */
  #isWanted(learnable: Learnable): boolean {
    const { site } = learnable.target
    return this.#parts.directory.has(site) && this.#states.get(learnable.target)?.learnable === learnable
  }

  async #store(made: readonly Predicted[]): Promise<void> {
    const { ledger, feed, onForecast } = this.#parts
    const forecasts = made.map(({ output }) => output.published)
    await ledger.putForecasts(forecasts)
    for (const forecast of forecasts) onForecast(forecast)
    feed.publish({ kind: 'forecasts', forecasts })
  }

  async #learn(job: Job, signal: AbortSignal, onProgress: (share: number) => void): Promise<string> {
    const { jobs, lifecycle } = this.#parts
    const { site, subject } = job.target
    const target =
      this.#states.get(job.target)?.learnable ??
      measuredTargets(this.#parts, [site], subject).find((one) => isSameTarget(one.target, job.target))
    if (!target) return 'There is nothing to learn from any more.'
    const steps = await this.#collect(target)
    if (!steps || !target.learning.isEnough(steps))
      return target.learning.whyNot(steps, pacesOf(this.#parts.windows, target))
    const same = job.force ? undefined : learntFrom(this.#parts, target, steps)
    if (same !== undefined) return `There is nothing new: ${same} has learnt from the same hours.`
    const live = await rivalOf(this.#parts, target)
    const given = this.#inputOf(target.target, steps)
    // versions are named by their second
    const newestAt = lifecycle.entries(target.target).find(isLearnt)?.card.trainedAt ?? 0
    const now = Math.max(given.now, newestAt + 1000)
    const input: LearnInput = { ...given, now, mode: 'learn', ...(live ? { live } : {}) }
    const model = await jobs.run<LearnInput, StoredModel>(target.learning.name, input, { signal, onProgress })
    signal.throwIfAborted()
    if (!this.#isWanted(target)) return 'The device or its site was removed.'
    const entry = await lifecycle.add(model, job)
    return entry.reason
  }

  /** The whole history that is learnt from. */
  async #collect(learnable: Learnable): Promise<Steps | undefined> {
    const { learning, target } = learnable
    const newestAt = this.#states.get(target)?.newestAt
    if (newestAt === undefined) return undefined
    const [dataset] = await readDatasets(this.#parts, [learning.needs(target, newestAt)])
    return this.#stepsOf(learnable, dataset!)
  }

  #stepsOf({ learning, target }: Learnable, dataset: Dataset): Steps | undefined {
    const steps = learning.steps(dataset)
    return steps && this.#parts.forgotten.leaveOut(steps, ...learning.measured(target))
  }

  #inputOf(target: Target, steps: Steps): Steps & Pick<LearnInput, 'target' | 'zone' | 'now'> {
    const { directory, clock } = this.#parts
    return { ...steps, target, now: clock.now(), zone: directory.zoneOf(target.site) }
  }

  /** Of a target that a domain learns; undefined for those of other domains. */
  #state(target: Target): State | undefined {
    const known = this.#states.get(target)
    if (known) return known
    const learning = this.#parts.learnings.find(({ name }) => name === target.domain)
    if (!learning) return undefined
    const state: State = {
      learnable: { learning, target },
      ...{ newestAt: Number.NEGATIVE_INFINITY, doneStep: Number.NEGATIVE_INFINITY, requested: false },
    }
    this.#states.set(target, state)
    return state
  }
}

/** The number of the first step of `everyMs` that is not whole, counted from the epoch. */
const stepOf = ({ newestAt, learnable: { learning } }: State): number =>
  Math.floor((newestAt + learning.stepMs) / learning.everyMs)
