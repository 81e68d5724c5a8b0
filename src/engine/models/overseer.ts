import { addDays, dayStart } from '../../core/calendar.ts'
import type { ForecastKey } from '../../core/event.ts'
import { type Info, naiveVersion, type ReportDay } from '../../core/life.ts'
import type { Clock, Ledger, Log } from '../../core/ports.ts'
import { type Target, TargetMap } from '../../core/target.ts'
import type { Directory } from '../directory.ts'
import { attemptTogether, type Failure } from './attempts.ts'
import { guardVerdict, publishesChallenger, rollBackTarget, shadowVerdict } from './guard.ts'
import type { Lifecycle } from './lifecycle.ts'
import type { Predicted } from './target.ts'
import type { Watch } from './watch.ts'

export interface OverseerParts {
  readonly watch: Watch
  readonly lifecycle: Lifecycle
  readonly ledger: Ledger
  readonly directory: Directory
  readonly clock: Clock
  readonly log: Log
}

export interface OverseerOptions {
  /** Whole days over which the live model must not be worse than the naive forecast. */
  readonly guardDays: number
  /** Days after which a challenger must have shown that it is better. */
  readonly challengerDays: number
  /** Share of the published forecasts that a challenger makes; 0: it stays in shadow. */
  readonly challengerShare: number
}

/** The guard evaluates up to four of its spans. */
const guardLooks = 4

/**
 * Watches the forecasts: logs and scores them, and once a civil day rolls back a live model that is worse than the naive
 * forecast, and decides about challengers. Each roll-back is reported as an Info.
 */
export class Overseer {
  readonly #parts: OverseerParts
  readonly #options: OverseerOptions
  /** Civil day up to which a target was judged, and in which its inputs were compared. */
  readonly #judged = new TargetMap<number>()
  readonly #compared = new TargetMap<number>()
  /** Roll-backs that happened and could not be reported yet. */
  readonly #unreported = new TargetMap<Info>()

  constructor(parts: OverseerParts, options: OverseerOptions) {
    this.#parts = parts
    this.#options = options
  }

  /** Whether the inputs are to be compared with the training data: once a civil day. */
  wantsDrift(target: Target): boolean {
    const { directory, clock } = this.#parts
    const today = dayStart(directory.zoneOf(target.site), clock.now())
    const isNew = this.#compared.get(target) !== today
    this.#compared.set(target, today)
    return isNew
  }

  /** Publishes the challenger's forecast for its share of the origins; the live model's is then made in shadow. */
  choose(made: Predicted): Predicted {
    const { target, output } = made
    const challenger = this.#parts.lifecycle.status(target.target, 'challenger')?.card.model.version
    const other = output.shadows.find(({ model }) => model.version === challenger)
    if (!other || !publishesChallenger(target.target, other.origin, this.#options.challengerShare))
      return made
    const shadows = output.shadows.map((forecast) => (forecast === other ? output.published : forecast))
    return { ...made, output: { ...output, published: other, shadows } }
  }

  /**
   * Scores what is known by now, logs the new forecasts, and judges if a new day has begun. Each of it for all targets,
   * whatever fails for one of them. Returns the targets for which scoring or logging failed.
   */
  async watch(published: readonly Predicted[]): Promise<Failure<Predicted>[]> {
    const failures = [
      ...(await attemptTogether(published, (made) => this.#score(made))),
      ...(await attemptTogether(published, (made) => this.#log(made))),
    ]
    for (const { output } of published) await this.#judgeSafely(output.published)
    return failures
  }

  #score(made: readonly Predicted[]): Promise<void> {
    const { watch, lifecycle, directory } = this.#parts
    return watch.pass(
      made.map(({ target: { target, learning }, steps, output }) => ({
        target,
        metric: output.published.metric,
        zone: directory.zoneOf(target.site),
        truth: steps,
        loss: learning.loss,
        cards: new Map(lifecycle.entries(target).map(({ card }) => [card.model.version, card])),
      })),
    )
  }

  async #log(made: readonly Predicted[]): Promise<void> {
    const { watch, lifecycle, clock } = this.#parts
    await watch.log(made.map(({ output }) => output))
    await lifecycle.naive(
      made.flatMap(({ output: { naive } }) =>
        naive ? [{ card: naive, status: 'live', reason: naive.verdict.reason, since: clock.now() }] : [],
      ),
    )
  }

  /** A fault concerns one target only; its day is judged with the next forecast. */
  async #judgeSafely(key: ForecastKey): Promise<void> {
    try {
      await this.#judge(key)
    } catch (error) {
      this.#parts.log.error('A model could not be judged; it is tried again with the next forecast.', {
        ...key.target,
        error: String(error),
      })
    }
  }

  /** Once a civil day is scored to its end. The day counts as judged when the decision is carried out. */
  async #judge({ target, metric }: ForecastKey): Promise<void> {
    const { ledger, directory } = this.#parts
    await this.#report(target)
    const zone = directory.zoneOf(target.site)
    const until = await ledger.watch.scoredTo({ target, metric })
    if (until === undefined || this.#judged.get(target) === dayStart(zone, until)) return
    await this.#decide({ target, metric }, zone, until)
    this.#judged.set(target, dayStart(zone, until))
  }

  async #decide({ target, metric }: ForecastKey, zone: string, until: number): Promise<void> {
    const { lifecycle, ledger } = this.#parts
    const live = lifecycle.status(target, 'live')
    const challenger = lifecycle.status(target, 'challenger')
    if (!live && !challenger) return
    const { guardDays, challengerDays } = this.#options
    const from = Math.min(addDays(zone, until, -guardLooks * guardDays - 1), challenger?.since ?? until)
    const days = await ledger.watch.days({ target, metric }, from, until)
    const of = (version: string): ReportDay[] => days.filter((day) => day.version === version)
    const own = of(live?.card.model.version ?? naiveVersion)
    if (live) {
      const before = lifecycle.predecessor(target)?.card.model.version
      const guarded = {
        ...{ days: own, zone, until, since: live.since, guardDays, decidedBy: live.card.decidedBy },
        ...(before === undefined ? {} : { predecessor: { version: before, days: of(before) } }),
      }
      const verdict = guardVerdict(guarded)
      if (verdict !== 'keep') {
        await this.#rollBack(target, rollBackTarget(guarded), verdict.rollBack)
        return
      }
    }
    if (!challenger) return
    const { version } = challenger.card.model
    const { decidedBy } = challenger.card
    const times = { zone, until, since: challenger.since, maxDays: challengerDays, decidedBy }
    // the live one may have been rolled back while it was tried
    const rival = live ? {} : { rival: 'the naive forecast' }
    const outcome = shadowVerdict({ live: own, challenger: of(version), ...times, ...rival })
    if (outcome === 'wait') return
    if ('drop' in outcome) await lifecycle.drop(target, version, outcome.drop)
    else await lifecycle.promote(target, version, outcome.promote, { by: 'shadow' })
  }

  async #rollBack(target: Target, to: string, reason: string): Promise<void> {
    const now = await this.#parts.lifecycle.rollBack(target, to, reason, 'guard')
    const live = now === naiveVersion ? 'the naive forecast' : `the version before it (${now})`
    const { site, domain, subject } = target
    const at = this.#parts.clock.now()
    this.#unreported.set(target, {
      id: `${at}-${site}-${domain}-${subject}`,
      at,
      site,
      summary: `The ${domain} forecast of ${subject} was rolled back`,
      detail: `${reason} Now ${live} is live.`,
      level: 1,
    })
    await this.#report(target)
  }

  /** What could not be stored is kept for the next attempt. */
  async #report(target: Target): Promise<void> {
    const info = this.#unreported.get(target)
    if (!info) return
    await this.#parts.ledger.notes.putInfos([info])
    this.#unreported.delete(target)
  }

  remove(target: Target): void {
    for (const held of [this.#judged, this.#compared, this.#unreported]) held.delete(target)
  }

  removeSite(site: string): void {
    this.#judged.removeSite(site)
    this.#compared.removeSite(site)
    this.#unreported.removeSite(site)
  }
}
