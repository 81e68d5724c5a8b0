import type { z } from 'zod'
import type * as m from '../contract/model-schemas.ts'
import { type Target, targetName } from '../core/target.ts'
import { figure, percent, textTable } from './lab-text.ts'

/** How versions of models are written for people: lists, one card, two side by side. */

export type Entry = z.output<typeof m.modelEntry>
export type Report = z.output<typeof m.report>

/** `home/energy/fridge`. */
export const nameOf = (target: Target): string => targetName(target)

/** "2026-02-27 01:00", in UTC. */
export const timeText = (at: number): string => new Date(at).toISOString().slice(0, 16).replace('T', ' ')

/** The gain on the best naive forecast by the measure that decides; undefined if the card does not compare them. */
export function skillOf({
  verdict,
  scores,
  decidedBy,
}: Pick<Entry, 'verdict' | 'scores' | 'decidedBy'>): number | undefined {
  const [comparison] = Object.entries(verdict.comparisons).filter(([rival]) => rival !== 'live')
  if (comparison) return comparison[1].gain
  const best = bestOf(
    Object.fromEntries(Object.entries(scores).filter(([name]) => name !== 'model' && name !== 'live')),
    decidedBy,
  )
  const own = scores['model']?.[decidedBy]
  return own === undefined || !Number.isFinite(best) || best === 0 ? undefined : 1 - own / best
}

const bestOf = (scores: Entry['scores'], measure: string): number =>
  Math.min(...Object.values(scores).map((score) => score[measure] ?? Number.POSITIVE_INFINITY))

/** All measures that the scores name, the one that decides first. */
const measuresOf = (scores: readonly Readonly<Record<string, unknown>>[], decidedBy: string): string[] => [
  ...new Set([decidedBy, ...scores.flatMap((score) => Object.keys(score))]),
]

const labels: Readonly<Record<string, string>> = { rmse: 'RMSE', mae: 'MAE', r2: 'R2' }
const labelOf = (measure: string): string => labels[measure] ?? measure

export const share = (value: number | null | undefined): string => percent(value ?? Number.NaN)
const number = (value: number | null | undefined): string => figure(value ?? Number.NaN)

/** Filters of a list of models. */
export type Narrow = {
  readonly [Key in 'site' | 'domain' | 'subject' | 'device' | 'metric']?: string | undefined
}

const isNaive = ({ model }: Entry): boolean => model.kind === 'naive'

/** `narrowed`: the filters of the list, named if it is empty: they may be misspelt. */
export function listText(entries: readonly Entry[], narrowed: Narrow): string {
  const of = (['metric', 'device', 'subject', 'domain', 'site'] as const).flatMap((key) =>
    narrowed[key] === undefined ? [] : `the ${key} ${narrowed[key]}`,
  )
  if (entries.length === 0) return `There are no models${of.length === 0 ? '' : ` of ${of.join(', ')}`}.\n`
  const head = ['target', 'version', 'status', 'since (UTC)', 'skill', 'coverage', 'why']
  return textTable([
    head,
    ...entries.map((entry) => [
      nameOf(entry.target),
      entry.model.version,
      entry.status,
      timeText(entry.since),
      isNaive(entry) ? '-' : share(skillOf(entry)),
      share(entry.coverage?.measured),
      entry.reason,
    ]),
  ])
}

/** One card: its status and the reason, its training data, its scores, and those of its forecasts since. */
export function cardText(entry: Entry, report: Report | undefined): string {
  const { span, verdict, coverage, unit } = entry
  const repairs = Object.entries(entry.repairs).filter(([, count]) => count > 0)
  const comparisons = Object.entries(verdict.comparisons)
  const measures = measuresOf(Object.values(entry.scores), entry.decidedBy)
  return [
    `${nameOf(entry.target)}  ${entry.model.name} ${entry.model.version}\n`,
    `${entry.status} since ${timeText(entry.since)} UTC: ${entry.reason}\n`,
    verdict.reason === entry.reason ? '' : `Verdict of the gate (${verdict.status}): ${verdict.reason}\n`,
    `Learnt ${timeText(entry.trainedAt)} UTC from ${span.steps} steps, ${timeText(span.from)} to ${timeText(span.to)}, ${entry.features.length} features.\n`,
    `Repaired before: ${repairs.map(([what, count]) => `${what.replaceAll('_', ' ')} ${count}`).join(', ') || 'nothing'}.\n`,
    `\nOn ${entry.scoredSteps} unseen steps of ${entry.folds} folds, in ${unit}:\n`,
    textTable([
      ['forecaster', ...measures.map(labelOf)],
      ...Object.entries(entry.scores).map(([name, score]) => [
        name,
        ...measures.map((measure) => number(score[measure])),
      ]),
    ]),
    comparisons.length === 0
      ? ''
      : `\n${textTable([['compared with', 'days', 'gain', 'p'], ...comparisons.map(([rival, { days, gain, p }]) => [rival, String(days), share(gain), p.toPrecision(2)])])}`,
    coverage
      ? `\nIts ${share(coverage.level)} interval covers ${share(coverage.measured)} of ${coverage.steps} steps.\n`
      : '',
    report ? `\n${reportText(report, unit)}` : '\nNo truth of its forecasts is known in the last 28 days.\n',
  ].join('')
}

const shownLeads = [1, 6, 12, 24, 48, 72, 120, 168]

function reportText(
  { days, truths, total, leads, drift, residualPsi, inputPsi, decidedBy }: Report,
  unit: string,
): string {
  const rows = [
    ...leads
      .filter(({ lead }) => shownLeads.includes(lead))
      .map((one) => [`${one.lead} h ahead`, one] as const),
    ['all', total] as const,
  ]
  const worst = inputPsi?.worst[0]
  const measures = measuresOf([total.scores], decidedBy)
  return [
    `Its forecasts over ${days} days, ${truths} hours of truth, in ${unit}:\n`,
    textTable([
      ['lead', ...measures.map(labelOf), 'bias', `naive ${labelOf(decidedBy)}`, 'skill', 'coverage'],
      ...rows.map(([name, one]) => [
        ...[name, ...measures.map((measure) => number(one.scores[measure])), number(one.bias)],
        ...[number(one.baseline[decidedBy]), share(one.skill), share(one.coverage)],
      ]),
    ]),
    `Drift: ${drift}`,
    residualPsi === null ? '' : `; PSI of its errors ${figure(residualPsi)}`,
    worst ? `; of its inputs at most ${figure(worst.psi)} (${worst.name})` : '',
    '.\n',
  ].join('')
}

/** One version beside another; the reports are over the same days. */
export function compareText(pair: readonly [Entry, Entry], reports: readonly (Report | undefined)[]): string {
  const row = (name: string, of: (entry: Entry) => string): string[] => [name, of(pair[0]), of(pair[1])]
  const reportRow = (name: string, of: (report: Report) => string): string[] => [
    name,
    ...reports.map((report) => (report ? of(report) : '-')),
  ]
  const comparison = ({ verdict: { comparisons } }: Entry): string => {
    const live = comparisons['live']
    return live ? `${share(live.gain)} (p ${live.p.toPrecision(2)})` : '-'
  }
  const { unit, decidedBy } = pair[0]
  const measures = measuresOf(
    reports.flatMap((report) => (report ? [report.total.scores] : [])),
    decidedBy,
  )
  const days = reports.some((report) => report !== undefined && report.days > 0)
  return [
    `${nameOf(pair[0].target)}\n`,
    textTable([
      row('', ({ model }) => model.version),
      row('status', ({ status }) => status),
      row('learnt (UTC)', ({ trainedAt }) => timeText(trainedAt)),
      row('steps learnt from', ({ span }) => String(span.steps)),
      row(`${labelOf(decidedBy)} when judged, ${unit}`, ({ scores }) =>
        number(scores['model']?.[decidedBy] ?? bestOf(scores, decidedBy)),
      ),
      row('skill when judged', (entry) => (isNaive(entry) ? '-' : share(skillOf(entry)))),
      row('compared with the live one then', comparison),
      row('coverage when judged', ({ coverage }) => share(coverage?.measured)),
      ...(days
        ? [
            reportRow('days predicted', (report) => String(report.days)),
            ...measures.map((measure) =>
              reportRow(`${labelOf(measure)}, ${unit}`, ({ total }) => number(total.scores[measure])),
            ),
            reportRow(`bias, ${unit}`, ({ total }) => number(total.bias)),
            reportRow('skill', ({ total }) => share(total.skill)),
            reportRow('coverage', ({ total }) => share(total.coverage)),
            reportRow('drift', ({ drift }) => drift),
          ]
        : []),
    ]),
    days ? '' : 'There is no day that both predicted and whose truth is known.\n',
  ].join('')
}
