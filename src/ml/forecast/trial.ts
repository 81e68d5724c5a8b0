/**
 * What members are worth, found out by forecasting what is known already: at past origins of every series, having
 * learnt from what came before. Gives the weights of the blend and the quantiles around it.
 */
import { type BlendOptions, blended, weighing } from './blend.ts'
import { offsetsOf } from './intervals.ts'
import { type Forecasts, type Member, taskOf } from './member.ts'
import {
  meanBefore,
  type Prepared,
  prepare,
  type Series,
  scaleAt,
  slotOf,
  slotsFor,
  toSteps,
} from './series.ts'

/** Which past origins are tried. */
export interface TrialOptions {
  /** Share of a series that they take up at most. */
  readonly share: number
  readonly originsMax: number
  /** Steps between them. */
  readonly spacing: number
  /**
   * How often members learn anew on the way. With 1, all origins are forecast by what was learnt before the first. With
   * more, each part of the origins is forecast by what was learnt right before it, and its weights and quantiles rest
   * on earlier parts only: such forecasts are honest, and come back as `past`.
   */
  readonly refits: number
}

/** What is believed of measured values. Neither function looks at anything after the steps that it is given. */
export interface Firewall {
  /** The steps that were known at an origin without what a learner should not believe; a copy. */
  repair(known: Float64Array): Float64Array
  /** The steps after an origin as they are judged: as measured, NaN where they are no measurement. */
  judged(repaired: Float64Array, actual: Float64Array): Float64Array
}

/** A series with its past origins. */
export interface History {
  readonly series: Series
  /** All of it, repaired. */
  readonly prepared: Prepared
  readonly pasts: readonly Past[]
}

/** A past origin, and the series as it was known there: what lies before the origin may be read of it. */
interface Past {
  /** Step. */
  readonly origin: number
  readonly prepared: Prepared
  /** What came, as it is judged; one value a lead time. */
  readonly actual: Float64Array
}

/** What a trial showed of one series. Plain numbers: with the members they make the forecast. */
export interface SeriesState {
  /** One a member; they sum to 1. */
  readonly weights: Float64Array
  /** By quantile and lead time: how far it lies from the mean, in scales. */
  readonly offsets: readonly Float64Array[]
  /** No quantile lies farther from the mean, in the unit of the series, while its scale is at most `widest`. */
  readonly worst: number
  readonly widest: number
  /** Mean and scale at the end of what was learnt from. */
  readonly mean: number
  readonly scale: number
  readonly past: PastSkill
}

/** How a forecast did at past origins, in units of the series' scale (mean |change over a season|). */
export interface PastSkill {
  readonly origins: number
  /** Mean over the origins of the blend's root mean square error in scales; NaN of a series without past origins. */
  readonly error: number
  /** The same of each member. */
  readonly members: Readonly<Record<string, number>>
}

/** A forecast at a past origin, made from nothing that came later. */
export interface PastForecast {
  readonly origin: number
  readonly mean: Float64Array
  /** By quantile; absent for the first part of the origins, before which there was no error to learn from. */
  readonly quantiles?: readonly Float64Array[]
  readonly actual: Float64Array
  /** What was known at the origin, repaired. */
  readonly known: Float64Array
}

interface Setting {
  readonly season: number
  readonly horizon: number
  readonly quantiles: readonly number[]
  readonly trial: TrialOptions
  readonly blend: BlendOptions
  readonly firewall?: Firewall
}

export function historyOf(series: Series, prepared: Prepared, setting: Setting): History {
  const { season, horizon, firewall } = setting
  const { values } = series
  const origins = pastOrigins(prepared, values.length, setting)
  const pasts: Past[] = []
  let view = prepared
  for (const origin of origins.toReversed()) {
    const known = firewall?.repair(values.slice(0, origin))
    // the same Prepared serves as long as later repairs did not touch what was known earlier
    if (known && !isStartOf(known, view.series.values))
      view = prepare({ ...series, values: known }, season, horizon)
    const came = values.slice(origin, origin + horizon)
    const actual = new Float64Array(horizon).fill(Number.NaN)
    actual.set(firewall && known ? firewall.judged(known, came) : came)
    pasts.unshift({ origin, prepared: view, actual })
  }
  return { series, prepared, pasts }
}

const isStartOf = (start: Float64Array, values: Float64Array): boolean =>
  start.every((value, at) => Object.is(value, values[at]!) || value === values[at]!)

/**
 * Origins with their whole horizon inside the series; of one that is too short for that, those after its first season,
 * whose later steps stay unknown.
 */
function pastOrigins(
  { slots, first, season }: Prepared,
  end: number,
  { horizon, trial: { share, originsMax, spacing } }: Setting,
): number[] {
  const start = slots.indexOf(first)
  const length = end - start
  // one origin is worth up to half of a series
  const usable = Math.max(length * share, length >= 2 * horizon + season ? horizon : 0)
  const room = Math.floor(usable) - horizon
  const whole = room < 0 ? 0 : Math.min(originsMax, 1 + Math.floor(room / spacing))
  if (whole > 0) return Array.from({ length: whole }, (_, at) => end - horizon - (whole - 1 - at) * spacing)
  const origins: number[] = []
  for (let at = end - 1; at >= start + season; at -= spacing) origins.unshift(at)
  return origins.slice(-originsMax)
}

export interface TrialResult {
  readonly states: readonly SeriesState[]
  /** By series; empty without refits. */
  readonly past: readonly (readonly PastForecast[])[]
}

/** Lets the members forecast what is known already. `started` is told before each of them learns. */
export function tryMembers(
  histories: readonly History[],
  members: readonly Member[],
  setting: Setting,
  started: (member: Member, nth: number) => void,
): TrialResult {
  const { refits } = setting.trial
  const tally = new Tally(histories, members, setting)
  for (let part = 0; part < refits; part++) {
    const spans = histories.map(({ pasts }) => ({
      from: Math.floor((part * pasts.length) / refits),
      to: Math.floor(((part + 1) * pasts.length) / refits),
    }))
    const begun = (member: Member, nth: number): void => started(member, part * members.length + nth)
    tally.add(spans, forecastPart(histories, spans, members, setting, begun))
  }
  return { states: tally.states(), past: tally.past }
}

interface Span {
  readonly from: number
  readonly to: number
}

/** By member, by step; undefined of members that had too little to learn from. */
type PartForecasts = readonly (Forecasts | undefined)[]

/** Forecasts of the past origins in `spans`, by members that learnt from what lies before the first of them. */
function forecastPart(
  histories: readonly History[],
  spans: readonly Span[],
  members: readonly Member[],
  { season, horizon, firewall }: Setting,
  started: (member: Member, nth: number) => void,
): PartForecasts {
  const withheld = histories.map(({ series: { values }, pasts }, at) => {
    const { from, to } = spans[at]!
    return from < to ? values.length - pasts[from]!.origin : 0
  })
  const cut = Math.max(0, ...withheld)
  const learnFrom = histories.flatMap(({ series, prepared }) => {
    if (cut === 0) return [prepared]
    const start = series.values.slice(0, Math.max(0, series.values.length - cut))
    const values = firewall ? firewall.repair(start) : start
    return values.every(Number.isNaN) ? [] : [prepare({ ...series, values }, season, horizon)]
  })
  const asked = askedOf(histories, spans, horizon)
  return members.map((member, nth) => {
    started(member, nth)
    const fitted = member.fit(learnFrom, horizon)
    return fitted && asked.toSteps(fitted.forecast(asked.task))
  })
}

/** One task for all past origins in `spans`: those of one series that were seen alike are asked together. */
function askedOf(histories: readonly History[], spans: readonly Span[], horizon: number) {
  const all: Prepared[] = []
  const origins: number[][] = []
  const places = histories.map(({ pasts }, at) =>
    pasts.slice(spans[at]!.from, spans[at]!.to).map(({ prepared, origin }) => {
      if (all.at(-1) !== prepared) {
        all.push(prepared)
        origins.push([])
      }
      origins.at(-1)!.push(origin)
      return { prepared, origin, view: all.length - 1, nth: origins.at(-1)!.length - 1 }
    }),
  )
  const slots = Math.max(horizon, ...all.map((prepared, at) => slotsFor(prepared, origins[at]!, horizon)))
  const task = taskOf(
    all,
    origins.map((list, at) => list.map((origin) => slotOf(all[at]!, origin, horizon))),
    slots,
  )
  return {
    task,
    toSteps: (forecasts: Forecasts): Forecasts =>
      places.map((list) =>
        list.map(({ prepared, origin, view, nth }) =>
          toSteps(prepared, origin, horizon, forecasts[view]![nth]!),
        ),
      ),
  }
}

/** Keeps the errors of all that was tried, in order of time. */
class Tally {
  readonly #histories: readonly History[]
  readonly #members: readonly Member[]
  readonly #setting: Setting
  /** Past origins that share steps are up to so many apart. */
  readonly #overlap: number
  readonly #scales: readonly (readonly number[])[]
  /** `[series][origin][member]`, root mean square in scales. */
  readonly #errors: number[][][]
  /** Of the blends, `[series][origin][lead]`, in scales. */
  readonly #residuals: Float64Array[][]
  readonly past: PastForecast[][]

  constructor(histories: readonly History[], members: readonly Member[], setting: Setting) {
    this.#histories = histories
    this.#members = members
    this.#setting = setting
    this.#overlap = Math.ceil(setting.horizon / setting.trial.spacing) - 1
    this.#scales = histories.map(({ pasts }) =>
      pasts.map(({ prepared, origin }) => scaleAt(prepared, slotOf(prepared, origin, setting.horizon))),
    )
    this.#errors = histories.map(() => [])
    this.#residuals = histories.map(() => [])
    this.past = histories.map(() => [])
  }

  add(spans: readonly Span[], forecasts: PartForecasts): void {
    const { horizon, trial } = this.#setting
    const before = trial.refits > 1 ? this.states() : undefined
    const origins = spans.flatMap(({ from, to }, series) =>
      Array.from({ length: to - from }, (_, nth) => ({ series, place: from + nth, nth })),
    )
    const predictionsOf = (series: number, nth: number) => forecasts.map((of) => of?.[series]?.[nth])
    for (const { series, place, nth } of origins)
      this.#errors[series]!.push(
        predictionsOf(series, nth).map((predicted) =>
          predicted ? rootMeanSquare(this.#errorOf(predicted, series, place)) : Number.NaN,
        ),
      )
    const weigh = weighing(this.#errors, this.#members.length, this.#overlap, this.#setting.blend)
    for (const { series, place, nth } of origins) {
      const state = before?.[series]
      const blend = blended(predictionsOf(series, nth), state?.weights ?? weigh(series, place), horizon)
      if (state) this.#keep(series, place, blend, state)
      this.#residuals[series]!.push(this.#errorOf(blend, series, place))
    }
  }

  #errorOf(predicted: Float64Array, series: number, place: number): Float64Array {
    const { actual } = this.#histories[series]!.pasts[place]!
    const scale = this.#scales[series]![place]!
    return predicted.map((mean, lead) => (actual[lead]! - mean) / scale)
  }

  #keep(series: number, place: number, blend: Float64Array, state: SeriesState): void {
    const { prepared, origin, actual } = this.#histories[series]!.pasts[place]!
    const { mean, quantiles } = spread(prepared, origin, blend, state)
    const known = prepared.series.values.subarray(0, origin)
    this.past[series]!.push({
      ...{ origin, mean, actual, known },
      ...(this.#residuals[series]!.length > 0 && state.past.origins > 0 ? { quantiles } : {}),
    })
  }

  /** Weights before there was any error. */
  #unproven(): Float64Array {
    const hopes = Float64Array.from(this.#members, ({ hope = 1 }) => hope)
    const sum = hopes.reduce((total, hope) => total + hope, 0)
    return sum > 0 ? hopes.map((hope) => hope / sum) : hopes.fill(1 / hopes.length)
  }

  /** What has been shown so far. */
  states(): SeriesState[] {
    const { horizon, quantiles } = this.#setting
    const weigh = weighing(this.#errors, this.#members.length, this.#overlap, this.#setting.blend)
    const offsets = offsetsOf(this.#residuals, horizon, this.#overlap)
    return this.#histories.map(({ prepared }, series) => {
      const [errors, residuals] = [this.#errors[series]!, this.#residuals[series]!]
      return {
        weights: errors.length > 0 ? weigh(series) : this.#unproven(),
        offsets: quantiles.map((level) => offsets(series, level)),
        ...worstOf(residuals, this.#scales[series]!),
        mean: meanBefore(prepared, prepared.filled.length, prepared.filled.length),
        scale: scaleAt(prepared, prepared.filled.length),
        past: {
          origins: residuals.length,
          error: average(residuals.map(rootMeanSquare)),
          members: Object.fromEntries(
            this.#members.map(({ name }, k) => [name, average(errors.map((row) => row[k]!))]),
          ),
        },
      }
    })
  }
}

/** Origins from which on the worst error that was seen tells how bad errors get. */
const originsForWorst = 5

/**
 * Somewhat more than the worst error of all origins, in the series' unit. A jump of the level is an error of many scales
 * of the calm time before it; without this bound it would be expected as many scales of the time after it, which the
 * jump itself has widened.
 */
function worstOf(
  rows: readonly Float64Array[],
  scales: readonly number[],
): { readonly worst: number; readonly widest: number } {
  if (rows.length < originsForWorst) return { worst: Number.POSITIVE_INFINITY, widest: 1 }
  let worst = 0
  for (const [nth, row] of rows.entries())
    for (const error of row)
      if (Math.abs(error) * scales[nth]! > worst) worst = Math.abs(error) * scales[nth]!
  return { worst: worst * (1 + 2 / rows.length), widest: Math.max(...scales.slice(0, rows.length)) }
}

/** The blend as a forecast: its quantiles in rising order, and nothing below zero where the series never was. */
export function spread(
  prepared: Prepared,
  origin: number,
  blend: Float64Array,
  { offsets, worst, widest }: Pick<SeriesState, 'offsets' | 'worst' | 'widest'>,
): { readonly mean: Float64Array; readonly quantiles: Float64Array[] } {
  const slot = slotOf(prepared, origin, blend.length)
  const scale = scaleAt(prepared, slot)
  const most = worst * Math.max(1, scale / widest)
  let floor = 0
  for (let at = prepared.first; at < slot; at++)
    if (prepared.filled[at]! < 0) floor = Number.NEGATIVE_INFINITY
  const mean = blend.map((value) => Math.max(floor, value))
  const quantiles = offsets.map((offset) =>
    mean.map((value, lead) =>
      Math.max(floor, value + Math.max(-most, Math.min(most, scale * offset[lead]!))),
    ),
  )
  // each level is adapted by itself, so that neighbours may change places
  for (let lead = 0; lead < mean.length; lead++) {
    const rising = Float64Array.from(quantiles, (values) => values[lead]!).sort()
    for (const [level, values] of quantiles.entries()) values[lead] = rising[level]!
  }
  return { mean, quantiles }
}

/** Root mean square of the known errors of an origin. */
function rootMeanSquare(errors: Float64Array): number {
  let sum = 0
  let known = 0
  for (const error of errors) {
    if (Number.isNaN(error)) continue
    sum += error * error
    known++
  }
  return known > 0 ? Math.sqrt(sum / known) : Number.NaN
}

function average(values: readonly number[]): number {
  const known = values.filter((value) => !Number.isNaN(value))
  return known.reduce((sum, value) => sum + value, 0) / known.length
}
