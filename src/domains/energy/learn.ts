import type { Card, Forecast, ModelRef, Score } from '../../core/event.ts'
import { splitConformal } from '../../ml/conformal.ts'
import type { Model } from '../../ml/learner.ts'
import { boosting } from '../../ml/learners/boosting.ts'
import { mae, rmse } from '../../ml/metrics.ts'
import { type NaiveKind, naiveForecast, naiveKinds } from '../../ml/naive.ts'
import type { LearningInput, LearningOutput } from '../domain.ts'
import { buildFeatures, featureNames, History, horizon } from './features.ts'

/**
 * Day-ahead energy of one device, by the hour: gradient boosting on lags, rolling means and the calendar, all 24 lead
 * times by one model (direct, the lead time is a feature). Judged by rolling origins against the three naive
 * forecasts; what is live is whatever was better on hours that it had not seen.
 */

const level = 0.9

/** Days before a model is learnt at all: one week to judge on, the rest to learn from. */
export const learnDaysMin = 21
/** Days that are judged, the newest ones, at most. */
const judgedDaysMax = 56
const folds = 4
/** Hours between judged origins: prime to 24, so that every lead time meets every hour of the day. */
const judgedStride = 25
const rowsMax = 30_000
/** More history than this is another life. */
const learnHoursMax = 400 * 24
/** Strides of training origins, all prime to 24. */
const strides = [1, 5, 7, 11, 13, 17, 19, 23, 25, 29, 31]

const boostingOptions = { rounds: 80, learningRate: 0.06, maxLeaves: 8, minChildRows: 150, l2: 1, seed: 1 }

/** What one forecaster said of the judged hours: origins x 24, row-major. */
interface Judged {
  readonly origins: readonly number[]
  readonly actual: Float64Array
  /** Absent where there is too little history to learn from. */
  readonly model?: { readonly said: Float64Array; readonly share: number }
  readonly naive: Readonly<Record<NaiveKind, Float64Array>>
}

/** Learnt state as it is kept. */
interface Body {
  readonly model: unknown
  readonly share: number
  readonly widths: readonly number[]
}

/** See `Learning`; runs in a worker. */
export function learnEnergy(input: LearningInput): LearningOutput {
  const history = new History(input.values, input.start, input.zone)
  if (input.mode === 'renew' && input.kept) return renew(input, history, input.kept)
  const days = input.values.length / 24
  const judged = judge(history, input.mode === 'learn' && days >= learnDaysMin)
  const { scores, steps } = scoresOf(judged)
  const naiveName = bestNaive(scores)
  const learnt = judged.model
    ? { model: train(history, input.values.length), share: judged.model.share }
    : undefined
  const live = learnt !== undefined && scores['model']!.rmse < scores[naiveName]!.rmse
  const said = live ? judged.model!.said : judged.naive[naiveName]
  const widths = steps > 0 ? widthsOf(judged.actual, said) : []
  const kind = live ? 'learned' : 'naive'
  const ref: ModelRef = { name: live ? 'energy-boosting' : naiveName, version: versionOf(input.now), kind }
  const coverage = coverageOf(judged.actual, said)
  const card: Card = {
    series: input.target,
    model: learnt ? { ...ref, name: 'energy-boosting', kind: 'learned' } : ref,
    trainedAt: input.now,
    span: {
      from: input.start,
      to: input.start + input.values.length * input.stepMs,
      steps: knownSteps(input),
    },
    features: learnt ? featureNames : [],
    folds: learnt ? folds : judged.origins.length,
    scoredSteps: steps,
    unit: input.unit,
    scores,
    ...(coverage ? { coverage } : {}),
    live: live || !learnt,
    reason: reasonOf(live, learnt !== undefined, days, scores, naiveName),
    repairs: input.repairs,
  }
  const forecast = forecastOf(input, history, live ? learnt : undefined, { ref, naiveName, widths })
  const body: Body = { model: learnt?.model.toJSON() ?? null, share: learnt?.share ?? 0, widths }
  return { forecast, card, body: JSON.stringify(body) }
}

/** A new forecast by a model that is live already. */
function renew(
  input: LearningInput,
  history: History,
  kept: NonNullable<LearningInput['kept']>,
): LearningOutput {
  const body = JSON.parse(kept.body) as Body
  const { card } = kept
  const live = card.live && card.model.kind === 'learned'
  const naiveName = bestNaive(card.scores)
  const model = live ? { model: boosting.load(body.model), share: body.share } : undefined
  const ref: ModelRef = live ? card.model : { name: naiveName, version: card.model.version, kind: 'naive' }
  const forecast = forecastOf(input, history, model, { ref, naiveName, widths: body.widths })
  return { forecast, card, body: kept.body }
}

function forecastOf(
  input: LearningInput,
  history: History,
  learnt: { readonly model: Model; readonly share: number } | undefined,
  said: { readonly ref: ModelRef; readonly naiveName: NaiveKind; readonly widths: readonly number[] },
): Forecast {
  const origin = input.values.length
  const naive = naiveForecast(said.naiveName, input.values, horizon, 24).mean
  let mean = naive
  if (learnt) {
    const { base, difference } = predict(learnt.model, history, [origin])
    mean = base.map((value, lead) => value + learnt.share * difference[lead]!)
  }
  const least = input.values.some((value) => value < 0) ? Number.NEGATIVE_INFINITY : 0
  const steps = Array.from({ length: horizon }, (_, lead) => {
    const width = said.widths[lead]
    const at = input.start + (origin + lead) * input.stepMs
    const center = Math.max(least, mean[lead]!)
    const interval =
      width === undefined || !Number.isFinite(width)
        ? {}
        : { lo: Math.max(least, center - width), hi: center + width }
    return { at, mean: center, naive: naive[lead]!, ...interval }
  }).filter(({ mean: value, naive: other }) => Number.isFinite(value) && Number.isFinite(other))
  return {
    ...input.target,
    unit: input.unit,
    origin: input.start + origin * input.stepMs,
    madeAt: input.now,
    stepMs: input.stepMs,
    level,
    model: said.ref,
    naiveName: said.naiveName,
    steps,
  }
}

/** Rolling origins over the newest days; each fold is predicted by a model that was fitted to what lies before it. */
function judge(history: History, learn: boolean): Judged {
  const { length } = history.values
  const judgedHours = Math.min(judgedDaysMax * 24, Math.floor(length * (learn ? 0.4 : 0.5)))
  const origins: number[] = []
  for (
    let origin = length - horizon;
    origin >= length - judgedHours && origin >= 24;
    origin -= judgedStride
  ) {
    origins.unshift(origin)
  }
  const actual = new Float64Array(origins.length * horizon)
  const naive = { yesterday: actual.slice(), 'last-week': actual.slice(), 'slot-mean': actual.slice() }
  for (const [row, origin] of origins.entries()) {
    actual.set(history.values.subarray(origin, origin + horizon), row * horizon)
    const past = history.values.subarray(0, origin)
    for (const kind of naiveKinds) naive[kind].set(naiveForecast(kind, past, horizon, 24).mean, row * horizon)
  }
  return learn
    ? { origins, actual, naive, model: predictFolds(history, origins) }
    : { origins, actual, naive }
}

/** Share of the learnt difference that is taken: what would have been best over the hours judged so far. */
class Shrink {
  #cross = 0
  #square = 0

  /** Before anything was judged: most of it, since no learner is perfect. */
  get share(): number {
    return this.#square > 0 ? Math.min(1, Math.max(0, this.#cross / this.#square)) : 0.7
  }

  add(difference: number, truth: number): void {
    if (!Number.isFinite(difference) || !Number.isFinite(truth)) return
    this.#cross += difference * truth
    this.#square += difference * difference
  }
}

function predictFolds(history: History, origins: readonly number[]): { said: Float64Array; share: number } {
  const said = new Float64Array(origins.length * horizon)
  const perFold = Math.ceil(origins.length / folds)
  const shrink = new Shrink()
  for (let from = 0; from < origins.length; from += perFold) {
    const fold = origins.slice(from, from + perFold)
    const { base, difference } = predict(train(history, fold[0]!), history, fold)
    const { share } = shrink
    for (const [row, value] of base.entries()) {
      said[from * horizon + row] = value + share * difference[row]!
      const hour = fold[Math.floor(row / horizon)]! + (row % horizon)
      shrink.add(difference[row]!, history.at(hour) - value)
    }
  }
  return { said, share: shrink.share }
}

/** Learns from every hour before `end`. The target is the difference to the mean of its slot. */
function train(history: History, end: number): Model {
  const first = Math.max(24, end - learnHoursMax)
  const last = end - horizon
  const wanted = Math.max(1, ((last - first) * horizon) / rowsMax)
  const stride = strides.find((step) => step >= wanted) ?? strides.at(-1)!
  const origins: number[] = []
  for (let origin = last; origin >= first; origin -= stride) origins.unshift(origin)
  const { frame, base } = buildFeatures(history, origins)
  const target = new Float64Array(frame.rows)
  const kept: number[] = []
  for (let row = 0; row < frame.rows; row++) {
    target[row] = history.at(origins[Math.floor(row / horizon)]! + (row % horizon)) - base[row]!
    if (Number.isFinite(target[row]!)) kept.push(row)
  }
  const columns = frame.columns.map((column) => Float64Array.from(kept, (row) => column[row]!))
  const known = Float64Array.from(kept, (row) => target[row]!)
  return boosting.fit({ rows: kept.length, names: frame.names, columns }, known, boostingOptions)
}

function predict(
  model: Model,
  history: History,
  origins: readonly number[],
): { base: Float64Array; difference: Float64Array } {
  const { frame, base } = buildFeatures(history, origins)
  return { base, difference: model.predict(frame) }
}

/** Errors over the hours that everybody forecast and whose truth is known. */
function scoresOf(judged: Judged): { scores: Record<string, Score>; steps: number } {
  const columns = { ...(judged.model ? { model: judged.model.said } : {}), ...judged.naive }
  const rows: number[] = []
  for (const [row, value] of judged.actual.entries()) {
    if (Number.isFinite(value) && Object.values(columns).every((column) => Number.isFinite(column[row])))
      rows.push(row)
  }
  if (rows.length === 0) return { scores: {}, steps: 0 }
  const pick = (column: Float64Array): Float64Array => Float64Array.from(rows, (row) => column[row]!)
  const truth = pick(judged.actual)
  const scores = Object.fromEntries(
    Object.entries(columns).map(([name, column]) => {
      const said = pick(column)
      return [name, { mae: mae(truth, said), rmse: rmse(truth, said) }]
    }),
  )
  return { scores, steps: rows.length }
}

/** The naive forecast with the smallest error; the mean of the slot while nothing could be scored. */
function bestNaive(scores: Readonly<Record<string, Score>>): NaiveKind {
  const errorOf = (kind: NaiveKind): number => scores[kind]?.rmse ?? Number.POSITIVE_INFINITY
  return naiveKinds.reduce((best, kind) => (errorOf(kind) < errorOf(best) ? kind : best), 'slot-mean')
}

const errorsOf = (actual: Float64Array, said: Float64Array): Float64Array =>
  actual.map((value, row) => Math.abs(value - said[row]!))

const widthsOf = (actual: Float64Array, said: Float64Array): number[] => [
  ...splitConformal(errorsOf(actual, said), horizon, 1 - level),
]

/** Each origin is held against the intervals that the origins before it would have given: as it was in life. */
function coverageOf(actual: Float64Array, said: Float64Array): Card['coverage'] {
  const errors = errorsOf(actual, said)
  let inside = 0
  let steps = 0
  for (let origin = originsToCalibrate * horizon; origin < errors.length; origin += horizon) {
    const widths = splitConformal(errors.subarray(0, origin), horizon, 1 - level)
    for (let lead = 0; lead < horizon; lead++) {
      const error = errors[origin + lead]!
      if (Number.isNaN(error) || !Number.isFinite(widths[lead]!)) continue
      steps++
      if (error <= widths[lead]!) inside++
    }
  }
  return steps === 0 ? undefined : { level, measured: inside / steps, steps }
}

/** Fewer errors than 1 / 0.1 - 1 cannot promise 90 %. */
const originsToCalibrate = 9

function reasonOf(
  live: boolean,
  learnt: boolean,
  days: number,
  scores: Readonly<Record<string, Score>>,
  naiveName: NaiveKind,
): string {
  if (!learnt) {
    return days < learnDaysMin
      ? `Naive forecast: ${days.toFixed(1)} days of history, a model is learnt from ${learnDaysMin} days on.`
      : 'Naive forecast, until the model is learnt.'
  }
  const [ours, naive] = [scores['model']!.rmse, scores[naiveName]!.rmse]
  const rival = `the best naive forecast (${naiveLabels[naiveName]})`
  if (naive < exact) return `Not live: ${rival} is exact already.`
  const percent = `${Math.abs((1 - ours / naive) * 100).toFixed(1)} %`
  return live
    ? `Live: its root mean square error is ${percent} below ${rival} on hours it had not seen.`
    : `Not live: its root mean square error is ${percent} above ${rival} on hours it had not seen; the naive one is used.`
}

/** An error in kWh that only rounding leaves. */
const exact = 1e-9

const naiveLabels: Readonly<Record<NaiveKind, string>> = {
  yesterday: 'same time yesterday',
  'last-week': 'same time last week',
  'slot-mean': 'mean of the hour over 28 days',
}

const knownSteps = ({ values }: LearningInput): number =>
  values.reduce((count, value) => count + (Number.isNaN(value) ? 0 : 1), 0)

/** 20261121T083005Z */
const versionOf = (now: number): string => new Date(now).toISOString().replace(/[-:]|\.\d+/g, '')
