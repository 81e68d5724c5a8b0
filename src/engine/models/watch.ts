import { dayStart } from '../../core/calendar.ts'
import type { Card, Forecast, SeriesKey } from '../../core/event.ts'
import type { LeadSums, LoggedForecast, ReportDay } from '../../core/life.ts'
import type { WatchLedger } from '../../core/ports.ts'
import { seriesId } from '../../core/series.ts'
import { hourMs } from '../../core/time.ts'
import { Turns } from '../../core/turns.ts'
import type { ForecastOutput, Steps } from '../../domains/domain.ts'
import { bins, noSums } from './report.ts'

/** What became true of one series. */
export interface WatchRow {
  readonly series: SeriesKey
  /** IANA zone of the site: civil days are told apart in it. */
  readonly zone: string
  /** Truth up to the newest whole step; NaN where it is unknown. */
  readonly steps: Pick<Steps, 'start' | 'stepMs' | 'values'>
  /** By version; whose card is missing has its errors counted, but not sorted into the deciles of its card. */
  readonly cards: ReadonlyMap<string, Card>
}

/** The longest forecast that is followed to its end, unless told otherwise. */
const horizonDefaultMs = 48 * hourMs

/**
 * Keeps what models say of the coming hours, and scores it when those hours are known: each (forecast, hour) once,
 * also when the program stops in between, since the sums and the time up to which they reach are one transaction.
 * An hour whose truth is unknown when a later one is scored stays unscored: late data changes no report.
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
   * Scores the truths that became known since the last pass, of all series in one transaction. Each series at most
   * once a call. Calls may overlap: they follow each other. Rejects with what the ledger rejects with; nothing of
   * the call is then scored, and the next one makes up for it.
   */
  pass(rows: readonly WatchRow[]): Promise<void> {
    return this.#turns.run(() => this.#pass(rows))
  }

  /**
   * Keeps what was just said, spoken or in shadow, to be scored, and how far the inputs have drifted. Said anew of the
   * same origin by the same version: the new one counts. RangeError for a forecast that cannot be scored fairly.
   */
  async log(outputs: readonly Pick<ForecastOutput, 'spoken' | 'shadows' | 'drifts'>[]): Promise<void> {
    const forecasts = outputs.flatMap(saidIn)
    for (const { forecast } of forecasts) assertFair(forecast, this.#horizonMs)
    if (forecasts.length > 0) await this.#ledger.log(forecasts)
    const drifts = outputs.flatMap((output) => output.drifts)
    if (drifts.length > 0) await this.#ledger.putDrifts(drifts)
  }

  async #pass(rows: readonly WatchRow[]): Promise<void> {
    const days: ReportDay[] = []
    const reached = new Map<string, { series: SeriesKey; to: number }>()
    for (const row of rows) {
      const { series, steps } = row
      const id = seriesId(series)
      if (reached.has(id)) throw new RangeError(`${JSON.stringify(series)} is twice in one pass.`)
      const to = steps.start + steps.values.length * steps.stepMs
      const from = Math.max((await this.#ledger.scoredTo(series)) ?? Number.NEGATIVE_INFINITY, steps.start)
      if (to <= from) continue
      const open = await this.#ledger.logged(series, from - this.#horizonMs + 1, to)
      days.push(...scoreDays(row, from, open))
      reached.set(id, { series, to })
    }
    if (reached.size > 0) await this.#ledger.score(days, [...reached.values()])
  }
}

function saidIn({ spoken, shadows }: Pick<ForecastOutput, 'spoken' | 'shadows'>): LoggedForecast[] {
  const others = shadows.filter(({ model }) => model.version !== spoken.model.version)
  return [{ forecast: spoken, spoken: true }, ...others.map((forecast) => ({ forecast, spoken: false }))]
}

/** A forecast tells of regular steps from its origin on, and ends while it is still looked at. */
function assertFair({ steps, origin, stepMs, model }: Forecast, horizonMs: number): void {
  for (const { at } of steps) {
    const lead = (at - origin) / stepMs
    if (lead < 0 || !Number.isInteger(lead))
      throw new RangeError(`The forecast of ${model.version} has a step at ${at}, its origin is ${origin}.`)
    if (at - origin >= horizonMs)
      throw new RangeError(`The forecast of ${model.version} goes beyond ${horizonMs} ms after its origin.`)
  }
}

/** What is added up for one version and one civil day. */
interface Tally {
  readonly leads: { -readonly [Sum in keyof LeadSums]: number }[]
  /** The steps that were scored. */
  readonly scored: Set<number>
  readonly residualBins: number[]
}

/**
 * Sums of the steps in [from, end of the truth) that the forecasts cover and whose truth is known, by version and
 * civil day. Forecasts in steps of another length than the truth's are left out: there is nothing to hold them to.
 */
export function scoreDays(row: WatchRow, from: number, forecasts: readonly LoggedForecast[]): ReportDay[] {
  const { steps, series, zone } = row
  const tallies = new Map<string, Map<number, Tally>>()
  for (const { forecast } of forecasts) {
    if (forecast.stepMs !== steps.stepMs) continue
    const { version } = forecast.model
    const deciles = row.cards.get(version)?.residualDeciles ?? []
    for (const step of forecast.steps) {
      const truth = steps.values[(step.at - steps.start) / steps.stepMs]
      // after the ledger a NaN may be null: isFinite knows both
      if (step.at < from || truth === undefined || !allFinite(truth, step.mean, step.naive)) continue
      if (step.at < forecast.origin)
        throw new RangeError(
          `${version} would be scored on ${step.at}, which it had seen at ${forecast.origin}.`,
        )
      const tally = tallyOf(tallies, version, dayStart(zone, step.at), forecast.steps.length)
      tally.scored.add(step.at)
      addStep(tally, (step.at - forecast.origin) / forecast.stepMs, step, truth, deciles)
    }
  }
  return [...tallies].flatMap(([version, days]) =>
    [...days].map(([day, { scored, ...sums }]) => ({ series, version, day, truths: scored.size, ...sums })),
  )
}

function tallyOf(
  tallies: Map<string, Map<number, Tally>>,
  version: string,
  day: number,
  leads: number,
): Tally {
  let days = tallies.get(version)
  if (!days) {
    days = new Map()
    tallies.set(version, days)
  }
  let tally = days.get(day)
  if (!tally) {
    tally = { leads: [], scored: new Set(), residualBins: new Array<number>(bins).fill(0) }
    days.set(day, tally)
  }
  while (tally.leads.length < leads) tally.leads.push({ ...noSums })
  return tally
}

function addStep(
  { leads, residualBins }: Tally,
  lead: number,
  step: Forecast['steps'][number],
  truth: number,
  deciles: readonly number[],
): void {
  const error = step.mean - truth
  const naiveError = step.naive - truth
  while (leads.length <= lead) leads.push({ ...noSums })
  const sums = leads[lead]!
  sums.count++
  sums.error += error
  sums.absolute += Math.abs(error)
  sums.squared += error * error
  sums.naiveAbsolute += Math.abs(naiveError)
  sums.naiveSquared += naiveError * naiveError
  const { lo, hi } = step
  if (lo !== undefined && hi !== undefined && allFinite(lo, hi)) {
    sums.withInterval++
    if (lo <= truth && truth <= hi) sums.inside++
  }
  if (deciles.length !== bins - 1) return
  let bin = 0
  while (bin < deciles.length && error > deciles[bin]!) bin++
  residualBins[bin]!++
}

const allFinite = (...values: readonly number[]): boolean => values.every((value) => Number.isFinite(value))
