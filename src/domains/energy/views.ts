import { energyTable } from '../../contract/energy.ts'
import type { DomainRoutes, RouteHandlers } from '../../contract/route.ts'
import { addDays, dayStart, zoneOffsetMs } from '../../core/calendar.ts'
import { type DomainHub, requireWithin } from '../../core/domain-hub.ts'
import { HomeostatError } from '../../core/errors.ts'
import { moment } from '../../core/moment.ts'
import type { ReadingPosition } from '../../core/ports.ts'
import type { Reading } from '../../core/reading.ts'
import { derivedDevice } from '../../core/series.ts'
import { dayMs, hourMs, quarterMs } from '../../core/time.ts'
import { derivedMetrics } from './monitor.ts'

const yearMs = 366 * dayMs
/** Derived readings that are read at a time. */
const pageReadings = 10_000

interface Span {
  readonly from: number
  readonly to: number
}

interface EnergyOfSpan extends Span {
  readonly kwh: number
  readonly complete: boolean
}

const handlers = (hub: DomainHub): RouteHandlers<(typeof energyTable)['routes']> => ({
  async energy({ query, sites }) {
    const { site, device, by, limit, cursor } = query
    requireWithin(sites, site)
    const known = hub.sites(sites).find(({ id }) => id === site)
    if (!known) throw new HomeostatError('not_found', { what: `site "${site}"` })
    if (!(await hub.devices([site])).some(({ id }) => id === device))
      throw new HomeostatError('not_found', { what: `device ${site}/${device}` })
    const to = nextQuarter(query.to === undefined ? hub.now() : moment('to', query.to))
    const from = nextQuarter(query.from === undefined ? to - yearMs : moment('from', query.from))
    const within = { from: cursor === undefined ? from : Math.max(from, positionOf(cursor)), to }
    const spans: EnergyOfSpan[] = []
    for await (const span of sumsBy(by, known.zone, within, derivedQuarters(hub, site, device, within))) {
      spans.push(span)
      if (spans.length > limit) break
    }
    const items = spans.slice(0, limit)
    return { items, next: spans.length > limit ? String(spans[limit]!.from) : null }
  },
})

export const energyRoutes: DomainRoutes<DomainHub> = { contract: energyTable, handlers }

/** Energy is derived by quarter-hours: a span begins and ends with one. */
const nextQuarter = (at: number): number => Math.ceil(at / quarterMs) * quarterMs

/** Where the next page begins, UTC ms. */
function positionOf(cursor: string): number {
  const at = Number(cursor)
  if (!/^-?\d+$/.test(cursor) || !Number.isSafeInteger(at)) throw new HomeostatError('cursor_invalid')
  return at
}

/** The derived readings of a device, in the order of their time. */
async function* derivedQuarters(
  hub: DomainHub,
  site: string,
  subject: string,
  { from, to }: Span,
): AsyncGenerator<Reading> {
  const filter = { device: derivedDevice({ domain: 'energy', subject }), from, to }
  let after: ReadingPosition | undefined
  do {
    const page: readonly Reading[] = await hub.read([site], filter, pageReadings, after)
    yield* page
    after = page.length < pageReadings ? undefined : page.at(-1)
  } while (after)
}

/** Sums by the civil hours or days that lie in the span; the first and the last one may be cut by it. */
async function* sumsBy(
  by: 'hour' | 'day',
  zone: string,
  within: Span,
  quarters: AsyncIterable<Reading>,
): AsyncGenerator<EnergyOfSpan> {
  let sum: (Span & { kwh: number; knownMs: number }) | undefined
  for await (const { metric, at, value } of quarters) {
    if (!sum || at >= sum.to) {
      if (sum && sum.knownMs > 0) yield spanOf(sum)
      const { from, to } = civilSpan(by, zone, at)
      sum = { from: Math.max(from, within.from), to: Math.min(to, within.to), kwh: 0, knownMs: 0 }
    }
    if (metric === derivedMetrics.energy) sum.kwh += value
    else if (metric === derivedMetrics.coverage) sum.knownMs += value * quarterMs
  }
  if (sum && sum.knownMs > 0) yield spanOf(sum)
}

/** Shares of quarters are rounded: a millisecond a span is none that is unknown. */
const roundingMs = 1

const spanOf = ({ from, to, kwh, knownMs }: Span & { kwh: number; knownMs: number }): EnergyOfSpan => ({
  from,
  to,
  kwh,
  complete: knownMs >= to - from - roundingMs,
})

function civilSpan(by: 'hour' | 'day', zone: string, at: number): Span {
  if (by === 'day') return { from: dayStart(zone, at), to: addDays(zone, at, 1) }
  const offsetMs = zoneOffsetMs(zone, at)
  const from = Math.floor((at + offsetMs) / hourMs) * hourMs - offsetMs
  return { from, to: from + hourMs }
}
