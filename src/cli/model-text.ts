import type { z } from 'zod'
import type * as m from '../contract/model-schemas.ts'
import type { SeriesKey } from '../core/event.ts'
import { figure, percent, textTable } from './lab-text.ts'

/** How versions of models are written for people: lists, one card, two side by side. */

export type Entry = z.output<typeof m.modelEntry>
export type Report = z.output<typeof m.report>

export const nameOf = ({ site, device, metric }: SeriesKey): string => `${site}/${device}/${metric}`

/** "2026-02-27 01:00", in UTC. */
export const timeText = (at: number): string => new Date(at).toISOString().slice(0, 16).replace('T', ' ')

/**
 * 1 - RMSE / RMSE of the best naive forecast on the same unseen steps, as the gate weighed it; undefined where the card
 * holds no such pair.
 */
export function skillOf({ verdict, scores }: Pick<Entry, 'verdict' | 'scores'>): number | undefined {
  const [duel] = Object.entries(verdict.duels).filter(([rival]) => rival !== 'live')
  if (duel) return duel[1].gain
  const naive = Object.entries(scores).filter(([name]) => name !== 'model' && name !== 'live')
  const best = Math.min(...naive.map(([, { rmse }]) => rmse))
  const own = scores['model']?.rmse
  return own === undefined || !Number.isFinite(best) || best === 0 ? undefined : 1 - own / best
}

export const share = (value: number | null | undefined): string => percent(value ?? Number.NaN)
const number = (value: number | null | undefined): string => figure(value ?? Number.NaN)

const isNaive = ({ model }: Entry): boolean => model.kind === 'naive'

/** `asked`: what the list was narrowed to, said where it is empty: it may be spelt wrong. */
export function listText(
  entries: readonly Entry[],
  asked: { readonly [Key in keyof SeriesKey]?: string | undefined },
): string {
  const of = (['metric', 'device', 'site'] as const).flatMap((key) =>
    asked[key] === undefined ? [] : `the ${key} ${asked[key]}`,
  )
  if (entries.length === 0) return `There are no models${of.length === 0 ? '' : ` of ${of.join(', ')}`}.\n`
  const head = ['series', 'version', 'stands', 'since (UTC)', 'skill', 'coverage', 'why']
  return textTable([
    head,
    ...entries.map((entry) => [
      nameOf(entry.series),
      entry.model.version,
      entry.standing,
      timeText(entry.since),
      isNaive(entry) ? '-' : share(skillOf(entry)),
      share(entry.coverage?.measured),
      entry.reason,
    ]),
  ])
}

/** One card: where it stands and why, what it learnt from, how it was judged, and how its forecasts turned out. */
export function cardText(entry: Entry, report: Report | undefined): string {
  const { span, verdict, coverage, unit } = entry
  const repairs = Object.entries(entry.repairs).filter(([, count]) => count > 0)
  const duels = Object.entries(verdict.duels)
  return [
    `${nameOf(entry.series)}  ${entry.model.name} ${entry.model.version}\n`,
    `${entry.standing} since ${timeText(entry.since)} UTC: ${entry.reason}\n`,
    verdict.reason === entry.reason ? '' : `The gate said (${verdict.standing}): ${verdict.reason}\n`,
    `Learnt ${timeText(entry.trainedAt)} UTC from ${span.steps} steps, ${timeText(span.from)} to ${timeText(span.to)}, ${entry.features.length} features.\n`,
    `Repaired before: ${repairs.map(([what, count]) => `${what.replaceAll('_', ' ')} ${count}`).join(', ') || 'nothing'}.\n`,
    `\nOn ${entry.scoredSteps} unseen steps of ${entry.folds} folds, in ${unit}:\n`,
    textTable([
      ['forecaster', 'MAE', 'RMSE'],
      ...Object.entries(entry.scores).map(([name, { mae, rmse }]) => [name, figure(mae), figure(rmse)]),
    ]),
    duels.length === 0
      ? ''
      : `\n${textTable([['against', 'origins', 'gain', 'p'], ...duels.map(([rival, { origins, gain, p }]) => [rival, String(origins), share(gain), p.toPrecision(2)])])}`,
    coverage
      ? `\nIts ${share(coverage.level)} interval held ${share(coverage.measured)} of ${coverage.steps} steps.\n`
      : '',
    report
      ? `\n${reportText(report, unit)}`
      : '\nNone of its forecasts has met its truth in the last 28 days.\n',
  ].join('')
}

const shownLeads = [1, 6, 12, 24]

function reportText(
  { days, truths, total, leads, drift, residualPsi, inputPsi }: Report,
  unit: string,
): string {
  const rows = [
    ...leads
      .filter(({ lead }) => shownLeads.includes(lead))
      .map((one) => [`${one.lead} h ahead`, one] as const),
    ['all', total] as const,
  ]
  const worst = inputPsi?.worst[0]
  return [
    `What came of it in ${days} days, ${truths} truths, in ${unit}:\n`,
    textTable([
      ['lead', 'MAE', 'RMSE', 'bias', 'naive RMSE', 'skill', 'coverage'],
      ...rows.map(([name, one]) => [
        ...[name, number(one.mae), number(one.rmse), number(one.bias), number(one.naiveRmse)],
        ...[share(one.skill), share(one.coverage)],
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
  const told = (name: string, of: (report: Report) => string): string[] => [
    name,
    ...reports.map((report) => (report ? of(report) : '-')),
  ]
  const duel = ({ verdict: { duels } }: Entry): string => {
    const live = duels['live']
    return live ? `${share(live.gain)} (p ${live.p.toPrecision(2)})` : '-'
  }
  const { unit } = pair[0]
  const days = reports.some((report) => report !== undefined && report.days > 0)
  return [
    `${nameOf(pair[0].series)}\n`,
    textTable([
      row('', ({ model }) => model.version),
      row('stands', ({ standing }) => standing),
      row('learnt (UTC)', ({ trainedAt }) => timeText(trainedAt)),
      row('steps learnt from', ({ span }) => String(span.steps)),
      row(`RMSE when judged, ${unit}`, ({ scores }) => number(scores['model']?.rmse ?? bestOf(scores))),
      row('skill when judged', (entry) => (isNaive(entry) ? '-' : share(skillOf(entry)))),
      row('against the live one then', duel),
      row('coverage when judged', ({ coverage }) => share(coverage?.measured)),
      ...(days
        ? [
            told('days spoken', (report) => String(report.days)),
            told(`RMSE, ${unit}`, ({ total }) => number(total.rmse)),
            told(`MAE, ${unit}`, ({ total }) => number(total.mae)),
            told(`bias, ${unit}`, ({ total }) => number(total.bias)),
            told('skill', ({ total }) => share(total.skill)),
            told('coverage', ({ total }) => share(total.coverage)),
            told('drift', ({ drift }) => drift),
          ]
        : []),
    ]),
    days ? '' : 'There is no day of which both have spoken and the truth is known.\n',
  ].join('')
}

const bestOf = (scores: Entry['scores']): number => Math.min(...Object.values(scores).map(({ rmse }) => rmse))
