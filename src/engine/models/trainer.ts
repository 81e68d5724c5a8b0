import type { Card, Forecast, Series, SeriesKey } from '../../core/event.ts'
import type { Job, StoredModel } from '../../core/life.ts'
import type { Clock, Jobs, Ledger, Log, ReadingStore, WindowStore } from '../../core/ports.ts'
import { isDerived, SeriesMap, seriesId } from '../../core/series.ts'
import { hourMs } from '../../core/time.ts'
import type { ForecastInput, ForecastOutput, LearnInput, Learning, Steps } from '../../domains/domain.ts'
import type { Directory } from '../directory.ts'
import type { Feed } from '../feed.ts'
import type { Forgotten } from './forgotten.ts'
import type { Lifecycle } from './lifecycle.ts'
import { isLearnt } from './model-index.ts'
import type { Overseer } from './overseer.ts'
import type { Spoken, Target } from './target.ts'
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
}

export interface TrainerOptions {
  readonly enabled: boolean
  /** Trainings at the same time. */
  readonly workers: number
  readonly jobMs: number
  /** Trainings that may wait. */
  readonly jobsWaiting: number
}

interface State {
  /** Hour of the newest reading when it was looked at last, since when, and when the newest forecast was made. */
  seenHour: number
  hourSinceMs: number
  doneHour: number
  /** The same of the count of readings that came late. */
  seenLate: number
  lateSinceMs: number
  doneLate: number
  /** A first training was asked for, since there is enough to learn from. */
  asked: boolean
}

/** Between two looks, and how long the newest hour and late history must have stood still: an import is let finish. */
const checkMs = 500
const stillMs = 500
/** Between two looks while somebody waits for that. */
const waitingCheckMs = 100

/** Forecasts that are written as one: each write waits for the disk. */
const publishedAtOnce = 64

/** A forecast looks back four weeks, and the naive ones are compared over eight. */
const forecastHistoryMs = 100 * 24 * hourMs

/**
 * Forecasts each target when a new hour is whole, and learns it when somebody asks for it (the schedule, a person) or
 * there is enough to learn from for the first time. Both off the loop that carries readings, learning beside
 * forecasting. A target is forecast once its newest hour has stood still for a moment: an import is let finish.
 */
export class Trainer {
  readonly jobs: TrainingJobs
  readonly #parts: TrainerParts
  readonly #options: TrainerOptions
  readonly #states = new SeriesMap<State>()
  /** Readings of a source that came later than what follows them. */
  readonly #late = new SeriesMap<number>()
  readonly #stop = new AbortController()
  #done: Promise<void> | undefined

  constructor(parts: TrainerParts, options: TrainerOptions) {
    this.#parts = parts
    this.#options = options
    const { ledger, clock, log } = parts
    this.jobs = new TrainingJobs(
      {
        ledger: ledger.jobs,
        clock,
        log,
        work: (job, signal, progress) => this.#learn(job, signal, progress),
      },
      { atOnce: options.workers, waiting: options.jobsWaiting, jobMs: options.jobMs },
    )
  }

  get training(): boolean {
    return this.jobs.active > 0
  }

  async start(): Promise<void> {
    if (!this.#options.enabled) return
    await this.jobs.start()
    this.#done = this.#run()
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    await this.jobs.stop()
    await this.#done
  }

  /** What can be learnt, of the sites (null: all) and the device asked for. */
  targets(sites: readonly string[] | null, device?: string): Target[] {
    const series: Series[] = []
    for (const reading of this.#parts.windows.latest()) if (!isDerived(reading.device)) series.push(reading)
    return this.#parts.learnings
      .flatMap((learning) => learning.targets(series).map((target) => ({ ...target, learning })))
      .filter(({ target }) => sites === null || sites.includes(target.site))
      .filter(({ target }) => device === undefined || target.device === device)
  }

  /** Queues a training of each target. */
  train(targets: readonly Target[], wish: Pick<Job, 'by' | 'force'>): Promise<Job[]> {
    return this.jobs.queue(
      targets.map(({ target }) => target),
      wish,
    )
  }

  /** History has come in: what is made of it is made anew once no more comes, in the same hour still. */
  tookLate(source: SeriesKey): void {
    this.#late.set(source, (this.#late.get(source) ?? 0) + 1)
  }

  /** What speaks of the series has changed: it is forecast anew at the next check. */
  renew(series: SeriesKey): void {
    this.#state(series).doneHour = Number.NEGATIVE_INFINITY
  }

  async removeSite(site: string): Promise<void> {
    await this.jobs.removeSite(site)
    this.#states.removeSite(site)
    this.#late.removeSite(site)
  }

  async #run(): Promise<void> {
    const { clock } = this.#parts
    while (!this.#stop.signal.aborted) {
      const { due, waiting } = this.#look()
      for (let first = 0; first < due.length; first += publishedAtOnce) {
        await this.#forecastAll(due.slice(first, first + publishedAtOnce))
      }
      await clock.sleep(waiting ? waitingCheckMs : checkMs, this.#stop.signal)
    }
  }

  /** What is to be forecast now, and whether something waits for its readings to stand still. */
  #look(): { readonly due: readonly Target[]; readonly waiting: boolean } {
    const now = this.#parts.clock.monotonic()
    let waiting = false
    const due = this.targets(null).filter(({ source, target }) => {
      const state = this.#state(target)
      const hour = Math.floor(this.#parts.windows.newestAt(source) / hourMs)
      if (hour !== state.seenHour) [state.seenHour, state.hourSinceMs] = [hour, now]
      const late = this.#late.get(source) ?? 0
      if (late !== state.seenLate) [state.seenLate, state.lateSinceMs] = [late, now]
      const isStill = now - state.hourSinceMs >= stillMs
      const isLateStill = now - state.lateSinceMs >= stillMs
      const isDue = isStill && (hour > state.doneHour || (isLateStill && late > state.doneLate))
      waiting ||= !isDue && hour > state.doneHour
      return isDue
    })
    return { due, waiting }
  }

  async #forecastAll(due: readonly Target[]): Promise<void> {
    const made = await Promise.all(due.map((target) => this.#attempt(target, () => this.#forecast(target))))
    const spoken = made.filter((one) => one !== undefined)
    try {
      await this.#publish(spoken)
    } catch (error) {
      if (this.#stop.signal.aborted) return
      this.#parts.log.error('Forecasts could not be kept.', { error: String(error) })
      // made anew at the next check
      for (const { target } of due) this.renew(target)
    }
    await this.#askFirst(spoken)
  }

  /** What can be learnt and never was is learnt now: after the first forecasts, which would else wait for it. */
  async #askFirst(spoken: readonly Spoken[]): Promise<void> {
    const { lifecycle, log } = this.#parts
    const ready = spoken
      .filter(
        ({ target: { target, learning }, steps }) => !this.#state(target).asked && learning.isEnough(steps),
      )
      .map(({ target }) => target)
    const fresh = ready.filter(({ target }) => !lifecycle.entries(target).some(isLearnt))
    try {
      if (fresh.length > 0) await this.train(fresh, { by: 'start', force: false })
      for (const { target } of ready) this.#state(target).asked = true
    } catch (error) {
      // asked for again with the next forecast
      log.warn('First trainings could not be asked for.', { error: String(error) })
    }
  }

  /** One target that fails does not keep the others from speaking. */
  async #attempt<Result>({ target }: Target, work: () => Promise<Result>): Promise<Result | undefined> {
    if (this.#stop.signal.aborted) return undefined
    try {
      return await work()
    } catch (error) {
      if (!this.#stop.signal.aborted) {
        this.#parts.log.error('A forecast failed.', { ...target, error: String(error) })
      }
      return undefined
    }
  }

  async #forecast(target: Target): Promise<Spoken | undefined> {
    const { lifecycle, overseer, jobs } = this.#parts
    const state = this.#state(target.target)
    state.doneHour = state.seenHour
    state.doneLate = state.seenLate
    const steps = await this.#collect(target, forecastHistoryMs)
    if (!steps) return undefined
    const live = await lifecycle.live(target.target)
    const input: ForecastInput = {
      ...this.#inputOf(target, steps),
      mode: 'forecast',
      ...(live ? { live } : {}),
      shadows: await lifecycle.shadows(target.target),
      drift: overseer.wantsDrift(target.target),
    }
    const output = await jobs.run<ForecastInput, ForecastOutput>(target.learning.name, input, {
      signal: this.#stop.signal,
    })
    return { target, steps, output }
  }

  async #publish(made: readonly Spoken[]): Promise<void> {
    const { ledger, feed, onForecast, overseer, directory } = this.#parts
    // a site may have been erased meanwhile
    const wanted = made
      .filter(({ target }) => directory.has(target.target.site))
      .map((one) => overseer.choose(one))
    if (wanted.length === 0) return
    const forecasts = wanted.map(({ output }) => output.spoken)
    await ledger.putForecasts(forecasts)
    for (const forecast of forecasts) onForecast(forecast)
    feed.publish({ kind: 'forecasts', forecasts })
    await overseer.watch(wanted)
  }

  async #learn(job: Job, signal: AbortSignal, onProgress: (share: number) => void): Promise<string> {
    const { jobs, lifecycle, directory } = this.#parts
    const target = this.targets([job.series.site]).find(
      ({ target: series }) => seriesId(series) === seriesId(job.series),
    )
    if (!target) return 'There is nothing to learn from any more.'
    const steps = await this.#collect(target)
    if (!steps || !target.learning.isEnough(steps)) return 'There is too little history to learn from.'
    const same = job.force ? undefined : this.#learntFrom(target, steps)
    if (same !== undefined) return `There is nothing new: ${same} has learnt from the same hours.`
    const live = await this.#rival(target)
    const asked = this.#inputOf(target, steps)
    // versions are named by their second
    const newestAt = lifecycle.entries(target.target).find(isLearnt)?.card.trainedAt ?? 0
    const now = Math.max(asked.now, newestAt + 1000)
    const input: LearnInput = { ...asked, now, mode: 'learn', ...(live ? { live } : {}) }
    const model = await jobs.run<LearnInput, StoredModel>(target.learning.name, input, { signal, onProgress })
    signal.throwIfAborted()
    // a site may have been erased meanwhile
    if (!directory.has(job.series.site)) return 'The site was erased.'
    const entry = await lifecycle.judged(model, job)
    return entry.reason
  }

  /** The newest version, where it has learnt from this very history. */
  #learntFrom({ source, target }: Target, steps: Steps): string | undefined {
    const { lifecycle, forgotten } = this.#parts
    const newest = lifecycle.entries(target).find(isLearnt)
    if (!newest || newest.standing === 'refused') return undefined
    const { card } = newest
    return hasSeen(card, steps) && !forgotten.touches(card, source, target) ? card.model.version : undefined
  }

  /** The live model as the one to beat, unless it learnt from what was forgotten since: then it has no claim. */
  async #rival({ source, target }: Target): Promise<StoredModel | undefined> {
    const { lifecycle, forgotten } = this.#parts
    const live = await lifecycle.live(target)
    return live && forgotten.touches(live.card, source, target) ? undefined : live
  }

  async #collect({ learning, source, target }: Target, historyMs?: number): Promise<Steps | undefined> {
    const { readings, windows, forgotten } = this.#parts
    const steps = await learning.collect(source, readings, windows.newestAt(source), historyMs)
    return steps && forgotten.leaveOut(steps, source, target)
  }

  #inputOf({ target }: Target, steps: Steps): Steps & Pick<LearnInput, 'target' | 'zone' | 'now'> {
    const { directory, clock } = this.#parts
    return { ...steps, target, now: clock.now(), zone: directory.zoneOf(target.site) }
  }

  #state(target: SeriesKey): State {
    let state = this.#states.get(target)
    if (!state) {
      state = {
        ...{ seenHour: Number.NaN, hourSinceMs: 0, doneHour: Number.NEGATIVE_INFINITY },
        ...{ seenLate: 0, lateSinceMs: 0, doneLate: 0, asked: false },
      }
      this.#states.set(target, state)
    }
    return state
  }
}

/** Whether the card tells of the same history: the same hours, as many of them unknown, repaired or left out. */
const hasSeen = ({ span, repairs }: Card, steps: Steps): boolean =>
  span.from === steps.start &&
  span.to === steps.start + steps.values.length * steps.stepMs &&
  isAlike(steps.repairs, repairs)

const isAlike = (some: Steps['repairs'], all: Steps['repairs']): boolean =>
  all['forgotten'] === some['forgotten'] && Object.entries(some).every(([name, count]) => all[name] === count)
