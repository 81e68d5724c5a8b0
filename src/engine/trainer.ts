import type { Card, Forecast, Series, SeriesKey } from '../core/event.ts'
import type { Clock, Jobs, Ledger, Log, ReadingStore, WindowStore } from '../core/ports.ts'
import { SeriesMap } from '../core/series.ts'
import type { Learning, LearningInput, LearningOutput } from '../domains/domain.ts'
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
  #training = 0

  constructor(parts: TrainerParts, options: { readonly enabled: boolean; readonly retrainMs: number }) {
    this.#parts = parts
    this.#options = options
  }

  get training(): boolean {
    return this.#training > 0
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
    const { clock, ledger, log } = this.#parts
    // oldest first, so that the newest judgement of a series stays
    for (const card of (await ledger.models()).reverse()) this.#state(card.series).card = card
    while (!this.#stop.signal.aborted) {
      for (const target of this.#due()) {
        if (this.#stop.signal.aborted) return
        this.#training++
        try {
          await this.#learn(target)
        } catch (error) {
          if (!this.#stop.signal.aborted) {
            log.error('Learning failed.', { ...target.target, error: String(error) })
          }
        } finally {
          this.#training--
        }
      }
      await clock.sleep(checkMs, this.#stop.signal)
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

  async #learn({ learning, source, target }: Target): Promise<void> {
    const { readings, ledger, windows, directory, jobs, clock, log } = this.#parts
    const state = this.#state(target)
    state.doneHour = state.seenHour
    const now = clock.now()
    const steps = await learning.collect(source, readings, windows.newestAt(source))
    if (!steps) return
    const input = { ...steps, target, now, zone: directory.zoneOf(target.site) }
    const run = (job: LearningInput): Promise<LearningOutput> =>
      jobs.run(learning.task, job, this.#stop.signal)
    const { card } = state
    const renew = card !== undefined && !state.learnAgain && now - card.trainedAt < this.#options.retrainMs
    const stored = renew ? await ledger.model(target, card.model.version) : undefined
    if (stored) {
      await this.#publish(target, await run({ ...input, mode: 'renew', kept: stored }), false)
      return
    }
    // an answer at once, labelled as what it is; then the learnt one, if it is better
    if (!card) await this.#publish(target, await run({ ...input, mode: 'naive' }), false)
    state.learnAgain = false
    const output = await run({ ...input, mode: 'learn' })
    await this.#publish(target, output, true)
    const { model, reason } = output.card
    log.info('A model was judged.', { ...target, model: model.name, version: model.version, reason })
  }

  async #publish(target: SeriesKey, output: LearningOutput, isNew: boolean): Promise<void> {
    const { ledger, directory, feed, onForecast } = this.#parts
    const { forecast, card, body } = output
    // the site may have been erased meanwhile
    if (!directory.sites().some(({ id }) => id === target.site)) return
    if (isNew) await ledger.putModel({ card, body })
    await ledger.putForecasts([forecast])
    if (isNew) this.#state(target).card = card
    onForecast(forecast)
    feed.publish({ kind: 'forecasts', forecasts: [forecast] })
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
