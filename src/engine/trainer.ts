import type { Card, Forecast, Series, SeriesKey } from '../core/event.ts'
import type { Clock, Jobs, Ledger, Log, ReadingStore, WindowStore } from '../core/ports.ts'
import { SeriesMap } from '../core/series.ts'
import type { Learning, LearningInput, LearningOutput, Steps } from '../domains/domain.ts'
import type { Directory } from './directory.ts'
import type { Feed } from './feed.ts'

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
  readonly onForecast: (forecast: Forecast) => void
}

interface Target {
  readonly learning: Learning
  readonly source: Series
  readonly target: SeriesKey
}

interface State {
  /** Hour of the newest reading when it was looked at last, and when the newest forecast was made. */
  seenHour: number
  doneHour: number
  learnAgain: boolean
  card: Card | undefined
}

const hourMs = 3_600_000
const checkMs = 2000

/** Forecasts that are written as one: each write waits for the disk. */
const publishedAtOnce = 64

/**
 * Learns each target when there is something new to learn from, off the loop that carries readings.
 * A target is looked at once its newest hour has stood still for one check: an import in progress is let finish.
 */
export class Trainer {
  readonly #parts: TrainerParts
  readonly #options: { readonly enabled: boolean; readonly retrainMs: number }
  readonly #states = new SeriesMap<State>()
  readonly #stop = new AbortController()
  #done: Promise<void> | undefined
  #training = false

  constructor(parts: TrainerParts, options: { readonly enabled: boolean; readonly retrainMs: number }) {
    this.#parts = parts
    this.#options = options
  }

  get training(): boolean {
    return this.#training
  }

  get hasLearned(): boolean {
    for (const { card } of this.#states.values()) if (card?.live && card.model.kind === 'learned') return true
    return false
  }

  start(): void {
    if (this.#options.enabled) this.#done = this.#run()
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    await this.#done
  }

  /** Everything of a site (or of all) is learnt again, from the next check on. Returns the number of targets. */
  again(sites: readonly string[] | null): number {
    const targets = this.#targets().filter(({ target }) => sites === null || sites.includes(target.site))
    for (const { target } of targets) this.#state(target).learnAgain = true
    return targets.length
  }

  removeSite(site: string): void {
    this.#states.removeSite(site)
  }

  async #run(): Promise<void> {
    const { clock, ledger } = this.#parts
    // oldest first, so that the newest judgement of a series stays
    for (const card of (await ledger.models()).reverse()) this.#state(card.series).card = card
    while (!this.#stop.signal.aborted) {
      const due = this.#due()
      this.#training = due.length > 0
      const unlearnt = await this.#answer(due)
      for (const target of unlearnt) await this.#attempt(target, () => this.#learn(target))
      this.#training = false
      await clock.sleep(checkMs, this.#stop.signal)
    }
  }

  /** One target that fails does not keep the others from learning. */
  async #attempt<Result>({ target }: Target, work: () => Promise<Result>): Promise<Result | undefined> {
    if (this.#stop.signal.aborted) return undefined
    try {
      return await work()
    } catch (error) {
      if (!this.#stop.signal.aborted) {
        this.#parts.log.error('Learning failed.', { ...target, error: String(error) })
      }
      return undefined
    }
  }

  #targets(): Target[] {
    const series: Series[] = []
    for (const reading of this.#parts.windows.latest()) series.push(reading)
    return this.#parts.learnings.flatMap((learning) =>
      learning.targets(series).map((target) => ({ ...target, learning })),
    )
  }

  #due(): Target[] {
    return this.#targets().filter(({ source, target }) => {
      const state = this.#state(target)
      const hour = Math.floor(this.#parts.windows.newestAt(source) / hourMs)
      const still = hour === state.seenHour
      state.seenHour = hour
      return still && (state.learnAgain || hour > state.doneHour)
    })
  }

  /** A forecast for everyone at once: by the kept model, else naive and labelled so. Returns who has to learn. */
  async #answer(due: readonly Target[]): Promise<Target[]> {
    const unlearnt: Target[] = []
    let outputs: LearningOutput[] = []
    for (const target of due) {
      const answer = await this.#attempt(target, () => this.#quickAnswer(target))
      if (answer?.output) outputs.push(answer.output)
      if (answer?.learn) unlearnt.push(target)
      if (outputs.length < publishedAtOnce) continue
      await this.#publish(outputs)
      outputs = []
    }
    await this.#publish(outputs)
    return unlearnt
  }

  async #quickAnswer(target: Target): Promise<{ output?: LearningOutput; learn: boolean }> {
    const { ledger, clock } = this.#parts
    const state = this.#state(target.target)
    state.doneHour = state.seenHour
    const steps = await this.#collect(target)
    if (!steps) return { learn: false }
    const { card } = state
    const enough = target.learning.isEnough(steps)
    const isFresh = card !== undefined && clock.now() - card.trainedAt < this.#options.retrainMs
    if (isFresh && !state.learnAgain) {
      const kept = await ledger.model(target.target, card.model.version)
      if (kept) return { output: await this.#work(target, steps, { mode: 'renew', kept }), learn: false }
    }
    state.learnAgain = false
    if (enough && card) return { learn: true }
    return { output: await this.#work(target, steps, { mode: 'naive' }), learn: enough }
  }

  async #learn(target: Target): Promise<void> {
    const steps = await this.#collect(target)
    if (!steps) return
    const output = await this.#work(target, steps, { mode: 'learn' })
    await this.#publish([output])
    const { model, reason } = output.card
    const { site, device } = target.target
    this.#parts.log.info('A model was judged.', { site, device, ...model, reason })
  }

  #collect({ learning, source }: Target): Promise<Steps | undefined> {
    const { readings, windows } = this.#parts
    return learning.collect(source, readings, windows.newestAt(source))
  }

  #work(
    { learning, target }: Target,
    steps: Steps,
    how: Pick<LearningInput, 'mode' | 'kept'>,
  ): Promise<LearningOutput> {
    const { directory, clock, jobs } = this.#parts
    const input = { ...steps, ...how, target, now: clock.now(), zone: directory.zoneOf(target.site) }
    return jobs.run<LearningInput, LearningOutput>(learning.task, input, this.#stop.signal)
  }

  async #publish(outputs: readonly LearningOutput[]): Promise<void> {
    const { ledger, directory, feed, onForecast } = this.#parts
    // a site may have been erased meanwhile
    const sites = new Set(directory.sites().map(({ id }) => id))
    const wanted = outputs.filter(({ card }) => sites.has(card.series.site))
    if (wanted.length === 0) return
    const judged = wanted.filter(
      ({ card }) => this.#state(card.series).card?.model.version !== card.model.version,
    )
    const forecasts = wanted.map(({ forecast }) => forecast)
    await ledger.putModels(judged.map(({ card, body }) => ({ card, body })))
    await ledger.putForecasts(forecasts)
    for (const { card } of judged) this.#state(card.series).card = card
    for (const forecast of forecasts) onForecast(forecast)
    feed.publish({ kind: 'forecasts', forecasts })
  }

  #state(target: SeriesKey): State {
    let state = this.#states.get(target)
    if (!state) {
      state = { seenHour: Number.NaN, doneHour: Number.NEGATIVE_INFINITY, learnAgain: false, card: undefined }
      this.#states.set(target, state)
    }
    return state
  }
}
