import type { ForecastKey } from '../../core/event.ts'
import { forecastKeyId } from '../../core/forecast.ts'
import type { LeadSums, ReportDay } from '../../core/life.ts'

/** Identity of a report day. */
export const reportDayId = (day: ForecastKey & Pick<ReportDay, 'version' | 'day'>): string =>
  `${forecastKeyId(day)}\u001f${day.version}\u001f${day.day}`

/** Adds each day to the known sums of its (target, metric, version, day), in the order given. */
export function addDays(known: Map<string, ReportDay>, days: readonly ReportDay[]): void {
  for (const day of days) {
    const before = known.get(reportDayId(day))
    known.set(reportDayId(day), before ? addDay(before, day) : day)
  }
}

const addDay = (a: ReportDay, b: ReportDay): ReportDay => ({
  ...a,
  knownMs: a.knownMs + b.knownMs,
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
  losses: {},
  baselineCount: 0,
  baseline: {},
  withInterval: 0,
  inside: 0,
}

const addLeads = (a: LeadSums, b: LeadSums): LeadSums => ({
  count: a.count + b.count,
  error: a.error + b.error,
  losses: addNamed(a.losses, b.losses),
  baselineCount: a.baselineCount + b.baselineCount,
  baseline: addNamed(a.baseline, b.baseline),
  withInterval: a.withInterval + b.withInterval,
  inside: a.inside + b.inside,
})

function addNamed(a: LeadSums['losses'], b: LeadSums['losses']): LeadSums['losses'] {
  const sums: Record<string, number> = { ...a }
  for (const [name, sum] of Object.entries(b)) sums[name] = (sums[name] ?? 0) + sum
  return sums
}

/**
 * Sums of lead times as bytes: numbers written as text cost several times as much, hour by hour.
 *
 *     u16 length of the JSON, JSON of the names of the losses and of the baseline's, then by lead time as f64: count,
 *     error, baselineCount, withInterval, inside, each loss, each loss of the baseline
 */
interface Names {
  readonly losses: readonly string[]
  readonly baseline: readonly string[]
}

const fixed = 5
const encoder = new TextEncoder()
const decoder = new TextDecoder()

export function bytesOf(leads: readonly LeadSums[]): Uint8Array {
  const names: Names = {
    losses: [...new Set(leads.flatMap((lead) => Object.keys(lead.losses)))],
    baseline: [...new Set(leads.flatMap((lead) => Object.keys(lead.baseline)))],
  }
  const text = encoder.encode(JSON.stringify(names))
  const numbers = leads.flatMap((lead) => [
    ...[lead.count, lead.error, lead.baselineCount, lead.withInterval, lead.inside],
    ...names.losses.map((name) => lead.losses[name] ?? 0),
    ...names.baseline.map((name) => lead.baseline[name] ?? 0),
  ])
  const bytes = new Uint8Array(2 + text.length + 8 * numbers.length)
  bytes.set(new Uint8Array(Uint16Array.of(text.length).buffer))
  bytes.set(text, 2)
  bytes.set(new Uint8Array(Float64Array.from(numbers).buffer), 2 + text.length)
  return bytes
}

export function leadsOf(bytes: Uint8Array): LeadSums[] {
  // copies, for numbers begin at multiples of their size; a driver may give an ArrayBuffer
  const all = new Uint8Array(bytes)
  const [length = 0] = new Uint16Array(all.slice(0, 2).buffer)
  const { losses, baseline } = JSON.parse(decoder.decode(all.subarray(2, 2 + length))) as Names
  const numbers = new Float64Array(all.slice(2 + length).buffer)
  const width = fixed + losses.length + baseline.length
  return Array.from({ length: numbers.length / width }, (_, lead): LeadSums => {
    const row = numbers.subarray(lead * width, (lead + 1) * width)
    const [count = 0, error = 0, baselineCount = 0, withInterval = 0, inside = 0] = row
    return {
      ...{ count, error, baselineCount, withInterval, inside },
      losses: named(losses, row.subarray(fixed)),
      baseline: named(baseline, row.subarray(fixed + losses.length)),
    }
  })
}

/** A lead time that knows nothing has no losses. */
const named = (names: readonly string[], sums: Float64Array): LeadSums['losses'] =>
  Object.fromEntries(names.map((name, index) => [name, sums[index] ?? 0]))
