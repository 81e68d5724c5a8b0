import { dayStart } from '../../core/calendar.ts'
import type { Card, Forecast, ForecastKey } from '../../core/event.ts'
import {
  checkForecast,
  forecastEnd,
  forecastKeyId,
  leadHours,
  stepAt,
  type Truth,
} from '../../core/forecast.ts'
import type { LeadSums, LoggedForecast, Loss, ReportDay } from '../../core/life.ts'
import type { ScoredTo, WatchLedger } from '../../core/ports.ts'
import { dayMs } from '../../core/time.ts'
import { Turns } from '../../core/turns.ts'
import type { ForecastOutput, Learning } from '../../domains/domain.ts'
import { addNamed, bins, noSums } from './report.ts'

/** The truth of one target and metric. */
export interface WatchRow extends ForecastKey {
  /** IANA zone of the site, for civil days. */
  readonly zone: string
  /** Truth up to the newest whole step. */
  readonly truth: Truth
  /** How its forecasts are scored. */
  readonly loss: Learning['loss']
  /** By version; without its card, a version's errors are summed but not sorted into the deciles of the card. */
  readonly cards: ReadonlyMap<string, Card>
}

/** The longest forecast that is scored, unless configured otherwise. */
const horizonDefaultMs = 31 * dayMs

/**
 * Logs the forecasts of models and scores them when their truth is known: each (forecast, step) once, also when the
 * program stops in between, since the sums and the time up to which they reach are one transaction. A step whose truth
 * is unknown when a later one is scored stays unscored: late data changes no report.
 */
export class Watch {
  readonly #ledger: WatchLedger
  readonly #horizonMs: number
  readonly #turns = new Turns(1)

  constructor(ledger: WatchLedger, options: { readonly horizonMs?: number } = {}) {
    this.#ledger = ledger
    this.#horizonMs = options.horizonMs ?? horizonDefaultMs
  }

  /**
   * Scores the truths that became known since the last pass, of all rows in one transaction. Each target and metric at
   * most once a call. Overlapping calls are serialised. Rejects with the error of the ledger; then nothing of the call
   * is scored, and the next one makes up for it.
   */
  pass(rows: readonly WatchRow[]): Promise<void> {
    return this.#turns.run(() => this.#pass(rows))
  }

  /**
   * Logs new forecasts, published or in shadow, and the drift of their inputs. A second forecast of the same origin and
   * version replaces the first. RangeError for an invalid forecast, or one that is longer than the horizon.
   */
  async log(outputs: readonly Pick<ForecastOutput, 'published' | 'shadows' | 'drifts'>[]): Promise<void> {
    const forecasts = outputs.flatMap(forecastsIn)
    for (const { forecast } of forecasts) this.#check(forecast)
    if (forecasts.length > 0) await this.#ledger.log(forecasts)
    const drifts = outputs.flatMap((output) => output.drifts)
    if (drifts.length > 0) await this.#ledger.putDrifts(drifts)
  }

  #check(forecast: Forecast): void {
    checkForecast(forecast)
    if (forecastEnd(forecast) - forecast.origin > this.#horizonMs)
      throw new RangeError(
        `The forecast of ${forecast.model.version} ends more than ${this.#horizonMs} ms after its origin.`,
      )
  }

  async #pass(rows: readonly WatchRow[]): Promise<void> {
    const days: ReportDay[] = []
    const reached = new Map<string, ScoredTo>()
    for (const row of rows) {
      const { target, metric, truth } = row
      const id = forecastKeyId(row)
      if (reached.has(id)) throw new RangeError(`${JSON.stringify({ target, metric })} is twice in one pass.`)
      const to = truth.start + truth.values.length * truth.stepMs
      const from = Math.max((await this.#ledger.scoredTo(row)) ?? Number.NEGATIVE_INFINITY, truth.start)
      if (to <= from) continue
      days.push(...scoreDays(row, from, await this.#ledger.logged(row, from, to)))
      reached.set(id, { target, metric, to })
    }
    if (reached.size > 0) await this.#ledger.score(days, [...reached.values()])
  }
}

function forecastsIn({
  published,
  shadows,
}: Pick<ForecastOutput, 'published' | 'shadows'>): LoggedForecast[] {
  const others = shadows.filter(({ model }) => model.version !== published.model.version)
  return [
    { forecast: published, published: true },
    ...others.map((forecast) => ({ forecast, published: false })),
  ]
}

/** The sums of one version and one civil day. */
interface Tally {
  readonly leads: LeadSums[]
  /** Known steps of the truth that the version predicted, by their start. */
  readonly known: Set<number>
  readonly residualBins: number[]
}

/**
 * Sums over the steps of the forecasts that end in (from, end of the truth] and whose truth is known, by version and
 * civil day. A step counts on the day on which it begins, at its lead time in hours.
 */
export function scoreDays(row: WatchRow, from: number, forecasts: readonly LoggedForecast[]): ReportDay[] {
  const tallies = new Tallies(row)
  // cut to what is new, but for the beginning of the steps that end in it
  const longest = Math.max(
    0,
    ...forecasts.flatMap(({ forecast }) => forecast.grid.map(({ stepMs }) => stepMs)),
  )
  const truth = truthFrom(row.truth, from - longest)
  for (const { forecast } of forecasts) {
    const { version } = forecast.model
    for (const loss of row.loss(forecast, truth)) {
      if (loss.end <= from) continue
      if (loss.at < forecast.origin)
        throw new RangeError(
          `${version} would be scored on ${loss.at}, which it had seen at ${forecast.origin}.`,
        )
      tallies.add(version, loss, leadHours(forecast.origin, loss.at))
    }
    tallies.addKnown(forecast, from)
  }
  return tallies.days()
}

function truthFrom({ start, stepMs, values }: Truth, from: number): Truth {
  const skipped = Math.max(0, Math.floor((from - start) / stepMs))
  return { start: start + skipped * stepMs, stepMs, values: values.subarray(skipped) }
}

class Tallies {
  readonly #row: WatchRow
  readonly #byVersion = new Map<string, Map<number, Tally>>()

  constructor(row: WatchRow) {
    this.#row = row
  }

  add(version: string, loss: Loss, lead: number): void {
    const tally = this.#of(version, dayStart(this.#row.zone, loss.at))
    while (tally.leads.length <= lead) tally.leads.push(noSums)
    tally.leads[lead] = addLoss(tally.leads[lead]!, loss)
    const deciles = this.#row.cards.get(version)?.residualDeciles ?? []
    if (deciles.length !== bins - 1) return
    let bin = 0
    while (bin < deciles.length && loss.error > deciles[bin]!) bin++
    tally.residualBins[bin]!++
  }

  /** The known steps of the truth that end after `from` and that the forecast predicts. */
  addKnown(forecast: Forecast, from: number): void {
    const { start, stepMs, values } = this.#row.truth
    const first = Math.max(from, forecast.origin, start)
    const end = Math.min(forecastEnd(forecast), start + values.length * stepMs)
    for (let index = Math.ceil((first - start) / stepMs); start + (index + 1) * stepMs <= end; index++) {
      if (!Number.isFinite(values[index])) continue
      const at = start + index * stepMs
      const mean = forecast.mean[stepAt(forecast, at)]
      if (Number.isFinite(mean)) this.#of(forecast.model.version, dayStart(this.#row.zone, at)).known.add(at)
    }
  }

  days(): ReportDay[] {
    const { target, metric, truth } = this.#row
    return [...this.#byVersion].flatMap(([version, days]) =>
      [...days].map(([day, { known, leads, residualBins }]) => {
        return { target, metric, version, day, leads, knownMs: known.size * truth.stepMs, residualBins }
      }),
    )
  }

  #of(version: string, day: number): Tally {
    const days = this.#byVersion.get(version) ?? new Map<number, Tally>()
    this.#byVersion.set(version, days)
    const tally = days.get(day) ?? {
      leads: [],
      known: new Set(),
      residualBins: new Array<number>(bins).fill(0),
    }
    days.set(day, tally)
    return tally
  }
}

function addLoss(sums: LeadSums, { error, losses, baseline, inside }: Loss): LeadSums {
  return {
    count: sums.count + 1,
    error: sums.error + error,
    losses: addNamed(sums.losses, losses),
    baselineCount: sums.baselineCount + (baseline ? 1 : 0),
    baseline: addNamed(sums.baseline, baseline ?? {}),
    withInterval: sums.withInterval + (inside === undefined ? 0 : 1),
    inside: sums.inside + (inside === true ? 1 : 0),
  }
}
