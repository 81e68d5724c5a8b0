import { addDays, dayStart } from '../../core/calendar.ts'
import type { SeriesKey } from '../../core/event.ts'
import { type Info, naiveVersion, type ReportDay } from '../../core/life.ts'
import type { Clock, Ledger, Log } from '../../core/ports.ts'
import { SeriesMap } from '../../core/series.ts'
import type { Directory } from '../directory.ts'
import { guardVerdict, rollBackTarget, shadowVerdict, speaks } from './guard.ts'
import type { Lifecycle } from './lifecycle.ts'
import type { Spoken } from './target.ts'
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
  /** Share of the forecasts that a challenger speaks; 0: it stays in shadow. */
  readonly challengerShare: number
}

/** The guard looks over up to four of its spans. */
const guardLooks = 4

/**
 * Looks after what speaks: logs and scores it, and once a civil day takes back a live model that does worse than the
 * naive forecast, and decides about challengers. What it does by itself it says as an Info.
 */
export class Overseer {
  readonly #parts: OverseerParts
  readonly #options: OverseerOptions
  /** Civil day up to which a series was judged, and in which its inputs were compared. */
  readonly #judged = new SeriesMap<number>()
  readonly #compared = new SeriesMap<number>()

  constructor(parts: OverseerParts, options: OverseerOptions) {
    this.#parts = parts
    this.#options = options
  }

  /** Whether the inputs are to be compared with those that were learnt from: once a civil day. */
  wantsDrift(series: SeriesKey): boolean {
    const { directory, clock } = this.#parts
    const today = dayStart(directory.zoneOf(series.site), clock.now())
    const isNew = this.#compared.get(series) !== today
    this.#compared.set(series, today)
    return isNew
  }

  /** Lets the challenger speak for its share of the forecasts; the live model's is then said in shadow. */
  choose(made: Spoken): Spoken {
    const { target, output } = made
    const challenger = this.#parts.lifecycle.standing(target.target, 'challenger')?.card.model.version
    const other = output.shadows.find(({ model }) => model.version === challenger)
    if (!other || !speaks(target.target, other.origin, this.#options.challengerShare)) return made
    const shadows = output.shadows.map((forecast) => (forecast === other ? output.spoken : forecast))
    return { ...made, output: { ...output, spoken: other, shadows } }
  }

  /** Scores what is known by now, logs what was said, and judges where a new day has begun. */
  async watch(spoken: readonly Spoken[]): Promise<void> {
    const { watch, lifecycle, directory, clock } = this.#parts
    await watch.pass(
      spoken.map(({ target: { target: series }, steps }) => ({
        series,
        zone: directory.zoneOf(series.site),
        steps,
        cards: new Map(lifecycle.entries(series).map(({ card }) => [card.model.version, card])),
      })),
    )
    await watch.log(spoken.map(({ output }) => output))
    await lifecycle.naive(
      spoken.flatMap(({ output: { naive } }) =>
        naive ? [{ card: naive, standing: 'live', reason: naive.verdict.reason, since: clock.now() }] : [],
      ),
    )
    for (const { target } of spoken) await this.#judge(target.target)
  }

  /** Once a civil day is scored to its end. */
  async #judge(series: SeriesKey): Promise<void> {
    const { lifecycle, ledger, directory } = this.#parts
    const zone = directory.zoneOf(series.site)
    const until = await ledger.watch.scoredTo(series)
    if (until === undefined || this.#judged.get(series) === dayStart(zone, until)) return
    this.#judged.set(series, dayStart(zone, until))
    const live = lifecycle.standing(series, 'live')
    const challenger = lifecycle.standing(series, 'challenger')
    if (!live && !challenger) return
    const { guardDays, challengerDays } = this.#options
    const from = Math.min(addDays(zone, until, -guardLooks * guardDays - 1), challenger?.since ?? until)
    const days = await ledger.watch.days(series, from, until)
    const of = (version: string): ReportDay[] => days.filter((day) => day.version === version)
    const own = of(live?.card.model.version ?? naiveVersion)
    if (live) {
      const before = lifecycle.predecessor(series)?.card.model.version
      const guarded = {
        ...{ days: own, zone, until, since: live.since, guardDays },
        ...(before === undefined ? {} : { predecessor: { version: before, days: of(before) } }),
      }
      const verdict = guardVerdict(guarded)
      if (verdict !== 'keep') {
        await this.#takeBack(series, rollBackTarget(guarded), verdict.rollBack)
        return
      }
    }
    if (!challenger) return
    const { version } = challenger.card.model
    const times = { zone, until, since: challenger.since, maxDays: challengerDays }
    // the live one may have been taken back while it was tried
    const rival = live ? {} : { rival: 'the naive forecast' }
    const outcome = shadowVerdict({ live: own, challenger: of(version), ...times, ...rival })
    if (outcome === 'wait') return
    if ('drop' in outcome) await lifecycle.drop(series, version, outcome.drop)
    else await lifecycle.promote(series, version, outcome.promote, { by: 'shadow' })
  }

  async #takeBack(series: SeriesKey, to: string, reason: string): Promise<void> {
    const now = await this.#parts.lifecycle.rollBack(series, to, reason, 'guard')
    const speaks = now === naiveVersion ? 'the naive forecast' : `the version before it (${now})`
    await this.#inform(series, `${reason} Now ${speaks} speaks.`)
  }

  async #inform({ site, device, metric }: SeriesKey, detail: string): Promise<void> {
    const { ledger, clock } = this.#parts
    const at = clock.now()
    const info: Info = {
      id: `${at}-${site}-${device}-${metric}`,
      at,
      site,
      summary: `The ${metric} forecast of ${device} was rolled back`,
      detail,
      level: 1,
    }
    await ledger.notes.putInfos([info])
  }

  removeSite(site: string): void {
    this.#judged.removeSite(site)
    this.#compared.removeSite(site)
  }
}
