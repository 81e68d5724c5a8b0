import type { Card, Comparison, Verdict } from '../core/event.ts'
import type { StoredModel } from '../core/life.ts'
import { pairedTest } from './compare.ts'
import { type Measure, measureOf, measureText } from './measure.ts'

/**
 * The gate: a candidate goes live only if it beats the best naive forecast, and the live model, beyond noise, on days
 * that neither had seen. It knows nothing but losses per civil day, so it serves every measure.
 */

/** Chance that a candidate which is no better passes. */
const alpha = 0.05
/** From so many days on a live model that was not beaten stays, and the candidate is rejected. */
const daysEnough = 14
/** Fewer days tell nothing, in either direction. */
const daysMin = 5
/** Less than this is no difference that anybody would notice. */
const gainMin = 0.01
/** A score that only rounding leaves. */
const exact = 1e-9

/** What a training found. The gate decides by it whether the candidate goes live. */
export interface Judged {
  /** The candidate, as its domain opens it. */
  readonly body: string
  /** Its report, but for the verdict. */
  readonly report: Omit<Card, 'verdict'>
  readonly losses: DayLosses
}

/**
 * Mean loss by civil day, by the measure that decides. Of each forecaster one entry a day, the same days for all; NaN: it
 * did not predict the day unseen.
 */
export interface DayLosses {
  readonly candidate: Float64Array
  /** The best naive forecast, by its name and in words. */
  readonly naive: { readonly name: string; readonly label: string; readonly days: Float64Array }
  /** The live learnt model, if there is one. */
  readonly live?: Float64Array
}

/** The candidate with its whole report. Every domain's candidates pass this gate. */
export function modelOf({ body, report, losses }: Judged): StoredModel {
  return { body, card: { ...report, verdict: decide(report.decidedBy, losses) } }
}

/** Compares losses on the days that both predicted, paired by the day. */
export function compareDays(measure: Measure, candidate: Float64Array, rival: Float64Array): Comparison {
  const differences: number[] = []
  let ours = 0
  let theirs = 0
  for (const [day, our] of candidate.entries()) {
    const their = rival[day]!
    if (!Number.isFinite(our) || !Number.isFinite(their)) continue
    ours += our
    theirs += their
    differences.push(their - our)
  }
  const { p } = pairedTest(differences)
  return { days: differences.length, gain: gainOf(measure, ours, theirs), p }
}

/** Against a rival without a loss nothing can be gained. */
function gainOf({ of }: Measure, ours: number, theirs: number): number {
  if (theirs > 0) return 1 - of(ours / theirs)
  return ours > 0 ? -1 : 0
}

/** `decidedBy`: name of the measure; see `measureOf`. */
export function decide(decidedBy: string, { candidate, naive, live }: DayLosses): Verdict {
  const measure = measureOf(decidedBy)
  const known = naive.days.filter(Number.isFinite)
  const score = measure.of(known.reduce((sum, loss) => sum + loss, 0) / known.length)
  const againstLive = live && compareDays(measure, candidate, live)
  return verdictOf({
    measure,
    naive: { ...naive, score, comparison: compareDays(measure, candidate, naive.days) },
    live: againstLive,
  })
}

/** The verdict from the comparisons. `live` is undefined while no learnt model is live. */
export function verdictOf({
  measure,
  naive,
  live,
}: {
  readonly measure: Measure
  readonly naive: {
    readonly name: string
    readonly label: string
    readonly score: number
    readonly comparison: Comparison
  }
  readonly live: Comparison | undefined
}): Verdict {
  const comparisons: Record<string, Comparison> = {
    [naive.name]: naive.comparison,
    ...(live ? { live } : {}),
  }
  const rival = `the best naive forecast (${naive.label})`
  const text = (comparison: Comparison, name: string): string => sentence(measure, comparison, name)
  if (naive.score < exact)
    return { status: 'rejected', reason: `Rejected: ${rival} is exact already.`, comparisons }
  if (!isBeaten(naive.comparison))
    return { status: 'rejected', reason: `Rejected: ${text(naive.comparison, rival)}.`, comparisons }
  if (!live) return { status: 'live', reason: `Live: ${text(naive.comparison, rival)}.`, comparisons }
  const status = statusAgainst(live)
  const reason = live.days < daysMin ? tooFew(live) : text(live, 'the live model')
  return { status, reason: `${titles[status]}: ${reason}.`, comparisons }
}

const titles = { live: 'Live', challenger: 'Challenger', rejected: 'Rejected' } as const

const isBeaten = ({ gain, p }: Comparison): boolean => gain > 0 && p < alpha

function statusAgainst(live: Comparison): Verdict['status'] {
  if (live.days < daysMin) return 'challenger'
  if (isBeaten(live)) return 'live'
  if (live.gain <= 0) return 'rejected'
  return live.days >= daysEnough && live.gain < gainMin ? 'rejected' : 'challenger'
}

const tooFew = ({ days }: Comparison): string =>
  `it beats the naive forecasts, but only ${days} of the judged days ${days === 1 ? 'is' : 'are'} new to the live model, too few to tell them apart`

function sentence({ name }: Measure, { gain, p, days: count }: Comparison, rival: string): string {
  if (count === 0) return `there is no unseen day on which it could be compared with ${rival}`
  const days = `${count} unseen days`
  const percent = `${(Math.abs(gain) * 100).toFixed(1)} %`
  const measure = measureText(name)
  if (gain <= 0) return `its ${measure} is ${percent} above ${rival} on ${days}`
  const better = `its ${measure} is ${percent} below ${rival} on ${days}`
  if (count < daysMin) return `${better}, too few to tell`
  return p < alpha
    ? `${better}; chance does that ${onceIn(p)}`
    : `${better}, but chance alone does that ${onceIn(p)}`
}

/** A probability in plain words. */
function onceIn(p: number): string {
  if (p < 0.001) return 'less than once in 1000 times'
  if (p > 0.4) return 'every other time'
  return `once in ${Math.round(1 / p)} times`
}
