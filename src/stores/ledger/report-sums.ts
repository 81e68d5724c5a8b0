import type { LeadSums, ReportDay } from '../../core/life.ts'
import { seriesId } from '../../core/series.ts'

/** What makes two report days the same one. */
export const reportDayId = ({ series, version, day }: ReportDay): string =>
  `${seriesId(series)}\u001f${version}\u001f${day}`

/** Adds each day to what is known of its (series, version, day), in the order given. */
export function addDays(known: Map<string, ReportDay>, days: readonly ReportDay[]): void {
  for (const day of days) {
    const before = known.get(reportDayId(day))
    known.set(reportDayId(day), before ? sum(before, day) : day)
  }
}

const sum = (a: ReportDay, b: ReportDay): ReportDay => ({
  ...a,
  leads: longest(a.leads, b.leads).map((_, lead) => addLeads(a.leads[lead] ?? none, b.leads[lead] ?? none)),
  residualBins: longest(a.residualBins, b.residualBins).map(
    (_, bin) => (a.residualBins[bin] ?? 0) + (b.residualBins[bin] ?? 0),
  ),
})

const longest = <Item>(a: readonly Item[], b: readonly Item[]): readonly Item[] =>
  a.length >= b.length ? a : b

const none: LeadSums = {
  count: 0,
  error: 0,
  absolute: 0,
  squared: 0,
  naiveAbsolute: 0,
  naiveSquared: 0,
  withInterval: 0,
  inside: 0,
}

const addLeads = (a: LeadSums, b: LeadSums): LeadSums => ({
  count: a.count + b.count,
  error: a.error + b.error,
  absolute: a.absolute + b.absolute,
  squared: a.squared + b.squared,
  naiveAbsolute: a.naiveAbsolute + b.naiveAbsolute,
  naiveSquared: a.naiveSquared + b.naiveSquared,
  withInterval: a.withInterval + b.withInterval,
  inside: a.inside + b.inside,
})
