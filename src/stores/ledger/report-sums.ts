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
  truths: a.truths + b.truths,
  leads: longest(a.leads, b.leads).map((_, lead) => addLeads(a.leads[lead] ?? none, b.leads[lead] ?? none)),
  residualBins: longest(a.residualBins, b.residualBins).map(
    (_, bin) => (a.residualBins[bin] ?? 0) + (b.residualBins[bin] ?? 0),
  ),
})

const longest = <Item>(a: readonly Item[], b: readonly Item[]): readonly Item[] =>
  a.length >= b.length ? a : b

/** Eight numbers a lead time, as they lie in memory: numbers written as text cost several times as much, hour by hour. */
export function bytesOf(leads: readonly LeadSums[]): Uint8Array {
  const numbers = new Float64Array(8 * leads.length)
  let place = 0
  for (const lead of leads) {
    numbers[place++] = lead.count
    numbers[place++] = lead.error
    numbers[place++] = lead.absolute
    numbers[place++] = lead.squared
    numbers[place++] = lead.naiveAbsolute
    numbers[place++] = lead.naiveSquared
    numbers[place++] = lead.withInterval
    numbers[place++] = lead.inside
  }
  return new Uint8Array(numbers.buffer)
}

export function leadsOf(bytes: Uint8Array): LeadSums[] {
  // A copy, for eight-byte numbers begin at a multiple of eight, and the bytes of a driver anywhere.
  const numbers = new Float64Array(new Uint8Array(bytes).buffer)
  return Array.from({ length: numbers.length / 8 }, (_, lead) => leadAt(numbers, 8 * lead))
}

const leadAt = (numbers: Float64Array, place: number): LeadSums => ({
  count: numbers[place] ?? 0,
  error: numbers[place + 1] ?? 0,
  absolute: numbers[place + 2] ?? 0,
  squared: numbers[place + 3] ?? 0,
  naiveAbsolute: numbers[place + 4] ?? 0,
  naiveSquared: numbers[place + 5] ?? 0,
  withInterval: numbers[place + 6] ?? 0,
  inside: numbers[place + 7] ?? 0,
})

const none = leadAt(new Float64Array(8), 0)

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
