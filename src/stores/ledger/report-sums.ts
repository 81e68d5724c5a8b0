import type { LeadSums, ReportDay } from '../../core/life.ts'
import { seriesId } from '../../core/series.ts'

/** What makes two report days the same one. */
export const reportDayId = ({ series, version, day }: ReportDay): string =>
  `${seriesId(series)}\u001f${version}\u001f${day}`

/** Adds each day to what is known of its (series, version, day), in the order given. */
export function addDays(known: Map<string, ReportDay>, days: readonly ReportDay[]): void {
  for (const day of days) {
    const before = known.get(reportDayId(day))
    known.set(reportDayId(day), before ? addDay(before, day) : day)
  }
}

const addDay = (a: ReportDay, b: ReportDay): ReportDay => ({
  ...a,
  leads: longest(a.leads, b.leads).map((_, lead) => addLeads(a.leads[lead] ?? none, b.leads[lead] ?? none)),
  residualBins: longest(a.residualBins, b.residualBins).map(
    (_, bin) => (a.residualBins[bin] ?? 0) + (b.residualBins[bin] ?? 0),
  ),
})

const longest = <Item>(a: readonly Item[], b: readonly Item[]): readonly Item[] =>
  a.length >= b.length ? a : b

/** The sums of a lead time, in the order in which they are kept. */
export const sums = [
  'count',
  'error',
  'absolute',
  'squared',
  'naiveAbsolute',
  'naiveSquared',
  'withInterval',
  'inside',
] as const satisfies readonly (keyof LeadSums)[]

export const leadOf = (kept: readonly number[]): LeadSums => ({
  count: kept[0] ?? 0,
  error: kept[1] ?? 0,
  absolute: kept[2] ?? 0,
  squared: kept[3] ?? 0,
  naiveAbsolute: kept[4] ?? 0,
  naiveSquared: kept[5] ?? 0,
  withInterval: kept[6] ?? 0,
  inside: kept[7] ?? 0,
})

const none = leadOf([])

const addLeads = (a: LeadSums, b: LeadSums): LeadSums => leadOf(sums.map((sum) => a[sum] + b[sum]))
