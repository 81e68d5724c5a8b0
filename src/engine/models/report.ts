/** The report of a model: the scores of its forecasts. Pure, from the sums of whole days. */
import { addDays } from '../../core/calendar.ts'
import type { Card, ForecastKey } from '../../core/event.ts'
import type { Drift, LeadSums, ReportDay } from '../../core/life.ts'
import { hourMs } from '../../core/time.ts'
import { measureOf, measureOfLoss, skillOf } from '../../ml/measure.ts'

/** Errors are forecast minus truth, in the unit of the metric. null: not known. */
export interface Figures {
  /** Forecast steps whose truth is known. */
  readonly count: number
  /** Mean error: above 0 the forecasts are too high. */
  readonly bias: number | null
  /** By the name of the measure: rmse, mae, pinball. */
  readonly scores: Readonly<Record<string, number | null>>
  /** The same of the naive forecast on the same steps. */
  readonly baseline: Readonly<Record<string, number | null>>
  /** 1 - score / baseline by the measure that decides: above 0 it is of use. */
  readonly skill: number | null
  /** Share of the truths inside the interval, 0 to 1; to be compared with `level`. */
  readonly coverage: number | null
  /** Nominal coverage of the interval. */
  readonly level: number | null
}

export interface InputDrift {
  readonly name: string
  readonly psi: number
  readonly usual: number
  readonly beyondUsual: number
}

/** By how much a distribution has moved, by the bounds in use for the population stability index: 0.1 and 0.25. */
export type DriftLevel = 'none' | 'some' | 'strong'

export interface ReportCard {
  readonly target: ForecastKey['target']
  readonly metric: string
  readonly version: string
  /** The measure that `skill` and the guard use. */
  readonly decidedBy: string
  /** Civil days that were scored: start of the first, end of the last, UTC ms; null if there are none. */
  readonly from: number | null
  readonly to: number | null
  readonly days: number
  /** Hours that were forecast and whose truth is known; each was forecast at several lead times. */
  readonly truths: number
  /** By lead time in hours: `lead` 1 holds the steps that begin in the first hour after the origin. */
  readonly leads: readonly (Figures & { readonly lead: number })[]
  readonly total: Figures
  /** How far its errors lie from those that it was judged by; null below a week of truths. */
  readonly residualPsi: number | null
  /**
   * How far its inputs of the newest week lie from those that it learnt from, how far a week of these lay from the
   * others at the most, and what is beyond half as much again of that: of the five with most beyond, and the most of
   * all (0: nothing is).
   */
  readonly inputPsi: { readonly worst: readonly InputDrift[]; readonly beyondUsual: number } | null
  /** The larger of both; `none` also where neither is known. */
  readonly drift: DriftLevel
}

/** Errors are sorted between nine deciles. */
export const bins = 10

export const noSums: LeadSums = {
  count: 0,
  error: 0,
  losses: {},
  baselineCount: 0,
  baseline: {},
  withInterval: 0,
  inside: 0,
}

const someDrift = 0.1
const strongDrift = 0.25
const worstShown = 5
/** Of twenty inputs one is a little farther out than ever before in many a week. */
const usualMargin = 1.5

/** A PSI of fewer truths says more about chance than about drift: hours of one day resemble each other. */
const residualTruthsMin = 168

/** Of the version that `of` names; days and drifts of others are ignored. */
export function reportCard(
  of: ForecastKey & { readonly version: string; readonly zone: string },
  days: readonly ReportDay[],
  card?: Card,
  drifts: readonly Drift[] = [],
): ReportCard {
  const own = days.filter(({ version }) => version === of.version).sort((a, b) => a.day - b.day)
  const leads = byLead(own)
  const level = card?.coverage?.level ?? null
  const decidedBy = card?.decidedBy ?? 'rmse'
  const truths = Math.round(own.reduce((sum, day) => sum + day.knownMs, 0) / hourMs)
  const residualPsi =
    card && truths >= residualTruthsMin ? psiOfResiduals(card.residualDeciles, residualBins(own)) : null
  const inputPsi = worstInputs(drifts.filter(({ version }) => version === of.version))
  const last = own.at(-1)
  return {
    target: of.target,
    metric: of.metric,
    version: of.version,
    decidedBy,
    from: own[0]?.day ?? null,
    to: last ? addDays(of.zone, last.day, 1) : null,
    days: own.length,
    truths,
    leads: leads.map((sums, index) => ({ lead: index + 1, ...figures(sums, level, decidedBy) })),
    total: figures(addSums(leads), level, decidedBy),
    residualPsi,
    inputPsi,
    drift: driftLevel(Math.max(residualPsi ?? 0, inputPsi?.beyondUsual ?? 0)),
  }
}

export const addSums = (all: readonly LeadSums[]): LeadSums =>
  all.reduce(
    (sums, one) => ({
      count: sums.count + one.count,
      error: sums.error + one.error,
      losses: addNamed(sums.losses, one.losses),
      baselineCount: sums.baselineCount + one.baselineCount,
      baseline: addNamed(sums.baseline, one.baseline),
      withInterval: sums.withInterval + one.withInterval,
      inside: sums.inside + one.inside,
    }),
    noSums,
  )

type Named = Readonly<Record<string, number>>

export function addNamed(a: Named, b: Named): Named {
  const sums: Record<string, number> = { ...a }
  for (const name in b) sums[name] = (sums[name] ?? 0) + b[name]!
  return sums
}

function byLead(days: readonly ReportDay[]): LeadSums[] {
  const most = days.reduce((max, { leads }) => Math.max(max, leads.length), 0)
  return Array.from({ length: most }, (_, lead) => addSums(days.map(({ leads }) => leads[lead] ?? noSums)))
}

function figures(sums: LeadSums, level: number | null, decidedBy: string): Figures {
  const { count, baselineCount } = sums
  const measure = measureOf(decidedBy)
  const [loss, naive] = [sums.losses[measure.loss], sums.baseline[measure.loss]]
  return {
    count,
    bias: ratio(sums.error, count),
    scores: scoresOf(sums.losses, count),
    baseline: scoresOf(sums.baseline, baselineCount),
    skill:
      loss === undefined || naive === undefined
        ? null
        : (skillOf(measure, loss / count, naive / baselineCount) ?? null),
    coverage: ratio(sums.inside, sums.withInterval),
    level,
  }
}

const scoresOf = (losses: Named, count: number): Figures['scores'] =>
  Object.fromEntries(
    Object.entries(losses).map(([loss, sum]) => {
      const { name, of } = measureOfLoss(loss)
      const mean = ratio(sum, count)
      return [name, mean === null ? null : of(mean)]
    }),
  )

/** JSON knows no NaN. */
function ratio(part: number, whole: number): number | null {
  const value = part / whole
  return whole > 0 && Number.isFinite(value) ? value : null
}

function residualBins(days: readonly ReportDay[]): number[] {
  return Array.from({ length: bins }, (_, bin) =>
    days.reduce((sum, day) => sum + (day.residualBins[bin] ?? 0), 0),
  )
}

/**
 * Population stability index of errors against the deciles that they had: sum of (actual - expected) ln(actual /
 * expected) over the shares of the bins (Siddiqi, Credit Risk Scorecards, 2006). An error that equals a decile is
 * counted below it. Deciles that coincide (a device that is mostly off) enclose nothing: their bins are one. Half a
 * count is added to each bin, so that an empty one is finite.
 */
export function psiOfResiduals(deciles: readonly number[], counts: readonly number[]): number | null {
  if (deciles.length !== bins - 1 || counts.length !== bins) return null
  const merged: { expected: number; count: number }[] = []
  counts.forEach((count, bin) => {
    const last = merged.at(-1)
    const isEmpty = bin > 0 && bin < bins - 1 && deciles[bin] === deciles[bin - 1]
    if (last && isEmpty) {
      last.expected += 1 / bins
      last.count += count
    } else merged.push({ expected: 1 / bins, count })
  })
  const total = counts.reduce((sum, count) => sum + count, 0)
  if (total === 0) return null
  return merged.reduce((sum, { expected, count }) => {
    const actual = (count + 0.5) / (total + 0.5 * merged.length)
    return sum + (actual - expected) * Math.log(actual / expected)
  }, 0)
}

function worstInputs(drifts: readonly Drift[]): ReportCard['inputPsi'] {
  const newest = drifts.reduce<Drift | undefined>((a, b) => (a && a.at >= b.at ? a : b), undefined)
  const worst = Object.entries(newest?.psi ?? {})
    .filter(([, psi]) => Number.isFinite(psi))
    .map(([name, psi]) => inputDrift(name, psi, newest?.usual?.[name] ?? 0))
    .sort((a, b) => b.beyondUsual - a.beyondUsual || b.psi - a.psi)
    .slice(0, worstShown)
  return worst[0] ? { worst, beyondUsual: worst[0].beyondUsual } : null
}

/** A slow input (the mean of a week) lies far from the rest in any week: that is no drift. */
const inputDrift = (name: string, psi: number, usual: number): InputDrift => ({
  ...{ name, psi, usual },
  beyondUsual: Math.max(0, psi - usualMargin * usual),
})

function driftLevel(psi: number): DriftLevel {
  if (psi < someDrift) return 'none'
  return psi < strongDrift ? 'some' : 'strong'
}
