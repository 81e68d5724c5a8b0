import type { Forecast, PointPrediction } from '../../core/event.ts'
import { sumBetween } from '../../core/forecast.ts'
import type { Reading } from '../../core/reading.ts'
import { derivedDevice } from '../../core/series.ts'
import type { Target } from '../../core/target.ts'
import { hourMs, minuteMs, quarterMs, secondMs } from '../../core/time.ts'
import type { Effects, Monitor, Resume, Scope } from '../domain.ts'
import { type Quarter, Quarters, startOfQuarter } from './quarters.ts'
import { type EnergyMetric, EnergySpans, energyMetrics, isEnergyMetric, type SpansState } from './spans.ts'

/** Metrics of the derived series: kWh per quarter-hour, and the share of the quarter that is known, 0 to 1. */
export const derivedMetrics = { energy: 'energy', coverage: 'energy_coverage' } as const

/** A source with at least this share of a quarter is preferred by rank; below it, whichever knows most counts. */
const shareEnough = 0.75
/** The nowcast of an hour is renewed at most so often. */
const predictEveryMs = minuteMs
/** While an import brings readings of the past, the last one of them is not known to be the last. */
const importPauseMs = 5 * secondMs

/** One measured series of the device. */
interface Source {
  readonly spans: EnergySpans
  readonly quarters: Quarters
}

interface SavedState {
  readonly sources: readonly (readonly [
    EnergyMetric,
    { readonly spans: SpansState; readonly quarters: readonly (readonly [number, Quarter])[] },
  ])[]
  readonly doneTo: number | null
  readonly hour: readonly (readonly [number, Quarter])[]
  readonly predictedAt: number | null
}

/**
 * Energy of one device by the quarter-hour, derived from the best of its series as readings arrive, and a nowcast of
 * the hour in progress: what was used so far plus the forecast's share of the rest.
 *
 * A quarter is derived once, when the best live source has passed its end. The best source is one that measures at
 * least every quarter-hour, then `energy` before `energy_total` before `power`; a source that is silent no longer
 * counts, so an import that ended long ago hides no live device.
 *
 * The last reading before a silence counts for its usual interval: the monitor wakes for that. So the last row of an
 * import is no less known than the others.
 */
export class EnergyMonitor implements Monitor {
  #wakeAt = Number.POSITIVE_INFINITY
  readonly #target: Target
  readonly #device: string
  readonly #sources = new Map<EnergyMetric, Source>()
  /** The same by the rank of their metric. */
  #byRank: readonly Source[] = []
  /** Derived quarters of the hour in progress. */
  readonly #hour: Map<number, Quarter>
  /** Start of the first quarter that is not derived yet. */
  #doneTo: number
  #predictedAt: number
  #forecast: Forecast | undefined

  constructor({ target }: Scope, resume?: Resume) {
    this.#target = target
    this.#device = derivedDevice(target)
    const saved = resume?.saved as SavedState | undefined
    for (const [metric, { spans, quarters }] of saved?.sources ?? []) {
      this.#add(metric, { spans: new EnergySpans(metric, spans), quarters: new Quarters(quarters) })
    }
    this.#hour = new Map(saved?.hour ?? [])
    this.#doneTo = saved?.doneTo ?? Number.NEGATIVE_INFINITY
    this.#predictedAt = saved?.predictedAt ?? Number.NEGATIVE_INFINITY
    this.#wakeAt = this.#closesAt()
  }

  get wakeAt(): number {
    return this.#wakeAt
  }

  take(event: Reading | 'wake', now: number): Effects | undefined {
    if (event === 'wake') return this.#close(now)
    if (!isEnergyMetric(event.metric)) return undefined
    const { spans, quarters } = this.#sourceOf(event.metric)
    for (const span of spans.add(event.at, event.value)) quarters.add(span, this.#doneTo)
    this.#wakeAt = Math.max(this.#closesAt(), now + importPauseMs)
    const derived = this.#deriveTo(event.at)
    const prediction = this.#predict(event.at, now)
    if (derived.length === 0 && !prediction) return undefined
    return { derived, predictions: prediction ? [prediction] : [] }
  }

  /** Closes the intervals of sources that have been silent long enough. */
  #close(now: number): Effects | undefined {
    let newest = Number.NEGATIVE_INFINITY
    for (const { spans, quarters } of this.#sources.values()) {
      if (spans.closesAt > now) continue
      const span = spans.close()
      if (!span) continue
      quarters.add(span, this.#doneTo)
      newest = Math.max(newest, span.to)
    }
    this.#wakeAt = this.#closesAt()
    const sources = [...this.#sources.values()]
    // whoever has told most: a counter in doubt would come to no end here
    const derived = this.#derive(newest, Math.max(...sources.map(({ spans }) => spans.settledTo)))
    return derived.length === 0 ? undefined : { derived }
  }

  #closesAt(): number {
    let first = Number.POSITIVE_INFINITY
    for (const { spans } of this.#sources.values()) first = Math.min(first, spans.closesAt)
    return first
  }

  use(forecast: Forecast): void {
    this.#forecast = forecast
  }

  save(): SavedState {
    return {
      sources: [...this.#sources].map(([metric, { spans, quarters }]) => [
        metric,
        { spans: spans.save(), quarters: quarters.save() },
      ]),
      // JSON has no infinity
      doneTo: Number.isFinite(this.#doneTo) ? this.#doneTo : null,
      hour: [...this.#hour],
      predictedAt: Number.isFinite(this.#predictedAt) ? this.#predictedAt : null,
    }
  }

  #sourceOf(metric: EnergyMetric): Source {
    let source = this.#sources.get(metric)
    if (!source) {
      source = { spans: new EnergySpans(metric), quarters: new Quarters() }
      this.#add(metric, source)
    }
    return source
  }

  #add(metric: EnergyMetric, source: Source): void {
    this.#sources.set(metric, source)
    this.#byRank = energyMetrics.flatMap((one) => this.#sources.get(one) ?? [])
  }

  /** Best first: those that measure at least every quarter-hour, then by the rank of their metric. */
  #ranked(): Source[] {
    return this.#byRank.toSorted((a, b) => Number(isCoarse(a)) - Number(isCoarse(b)))
  }

  /** The first of `#ranked` that is not silent at `at`; called for every reading. */
  #live(at: number): Source | undefined {
    let coarse: Source | undefined
    for (const source of this.#byRank) {
      const { spans } = source
      if (!(at - spans.settledTo <= spans.silenceMs)) continue
      if (!isCoarse(source)) return source
      coarse ??= source
    }
    return coarse
  }

  /** Derives the quarters that are complete at the reading at `at`. */
  #deriveTo(at: number): Reading[] {
    const best = this.#live(at)
    return best ? this.#derive(at, best.spans.settledTo) : []
  }

  /** Derives the quarters that end by `settledTo`. */
  #derive(at: number, settledTo: number): Reading[] {
    const end = startOfQuarter(settledTo)
    if (end <= this.#doneTo) return []
    const starts = new Set<number>()
    for (const { quarters } of this.#sources.values()) {
      for (const start of quarters.starts()) if (start < end) starts.add(start)
    }
    const derived: Reading[] = []
    for (const start of [...starts].sort((a, b) => a - b)) {
      const quarter = this.#bestOf(start)
      this.#hour.set(start, quarter)
      derived.push(this.#reading(derivedMetrics.energy, 'kWh', start, quarter.kwh))
      const share = Math.min(1, quarter.knownMs / quarterMs)
      derived.push(this.#reading(derivedMetrics.coverage, '1', start, share))
    }
    this.#doneTo = end
    for (const { quarters } of this.#sources.values()) quarters.dropBefore(end)
    const hour = startOfHour(at)
    for (const start of this.#hour.keys()) if (start < hour) this.#hour.delete(start)
    return derived
  }

  #bestOf(start: number): Quarter {
    let best: Quarter = { kwh: 0, knownMs: 0 }
    for (const { quarters } of this.#ranked()) {
      const quarter = quarters.get(start)
      if (!quarter) continue
      if (quarter.knownMs >= shareEnough * quarterMs) return quarter
      if (quarter.knownMs > best.knownMs) best = quarter
    }
    return best
  }

  #reading(metric: string, unit: string, at: number, value: number): Reading {
    return { site: this.#target.site, device: this.#device, metric, unit, value, at }
  }

  /** The hour that holds `at`; undefined without a forecast of it, and for the past. */
  #predict(at: number, now: number): PointPrediction | undefined {
    const forecast = this.#forecast
    if (!forecast || now - at > hourMs || now - this.#predictedAt < predictEveryMs) return undefined
    const hour = startOfHour(at)
    const expected = sumBetween(forecast, hour, hour + hourMs)
    if (!Number.isFinite(expected)) return undefined
    const best = this.#live(at)
    let kwh = 0
    let knownMs = 0
    for (let start = hour; start < hour + hourMs; start += quarterMs) {
      const quarter = this.#hour.get(start) ?? best?.quarters.get(start)
      kwh += quarter?.kwh ?? 0
      knownMs += Math.min(quarterMs, quarter?.knownMs ?? 0)
    }
    this.#predictedAt = now
    const value = kwh + (expected * (hourMs - knownMs)) / hourMs
    const { target, metric, unit, model } = forecast
    return { kind: 'value', target, metric, unit, model, at: hour, madeAt: Math.max(now, at), value }
  }
}

const startOfHour = (at: number): number => Math.floor(at / hourMs) * hourMs

/** Measures less often than every quarter-hour: how its energy falls over the quarters is not known. */
const isCoarse = ({ spans }: Source): boolean => spans.intervalMs > quarterMs
