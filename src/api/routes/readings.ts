import type { Caller } from '../../contract/route.ts'
import { HomeostatError, problem } from '../../core/errors.ts'
import type { SeriesKey } from '../../core/event.ts'
import { moment } from '../../core/moment.ts'
import type { PredictionPosition, ReadingPosition } from '../../core/ports.ts'
import { idLimits, parseId, type RawReading, type Reading } from '../../core/reading.ts'
import { RunningStats } from '../../core/stats.ts'
import { dayMs } from '../../core/time.ts'
import { decodeCursor, encodeCursor, pageOf, seriesPlace, seriesTypes } from '../cursor.ts'
import type { Handlers, Hub } from '../hub.ts'
import { forecastKeyOf } from '../target.ts'

const yearMs = 366 * dayMs

/** Readings, windows, roll-ups and live predictions. */
export const readingRoutes = (
  hub: Hub,
): Handlers<'readings' | 'push' | 'latest' | 'window' | 'rollups' | 'series' | 'predictions'> => ({
  async readings({ query, sites }) {
    const { device, metric, limit, cursor } = query
    const filter = {
      ...(sites === null ? {} : { sites }),
      ...(device === undefined ? {} : { device }),
      ...(metric === undefined ? {} : { metric }),
      ...span(query.from, query.to),
    }
    const after = cursor === undefined ? undefined : positionOf(cursor)
    const items = await hub.engine.readings(filter, limit + 1, after)
    if (items.length <= limit) return { items, next: null }
    const page = items.slice(0, limit)
    const last = page.at(-1)!
    return { items: page, next: encodeCursor([last.at, last.site, last.device, last.metric]) }
  },

  async push(request) {
    const rows = readingsOf(hub, request.body)
    const { inboxReadings } = hub.limits
    if (hub.engine.isFull('push')) throw new HomeostatError('overloaded', { limit: inboxReadings })
    const receipt = await hub.push.take(inReach(rows, request.caller, hub.defaultSite))
    if (receipt.accepted === 0 && rows.length > 0) request.status(400)
    return {
      accepted: receipt.accepted,
      rejected: receipt.rejected.map(({ index, problem: { code, message } }) => ({ index, code, message })),
    }
  },

  latest: ({ query, sites }) => latestPage(hub, query, sites),

  series({ query, sites }) {
    const { items, next } = latestPage(hub, query, sites)
    return { items: items.map(({ value: _value, at: _at, ...series }) => series), next }
  },

  window({ query }) {
    const { unit } = known(hub, query)
    const { at, value, capacity } = hub.engine.window(query)
    const stats = new RunningStats()
    for (const number of value) stats.update(number)
    const or = (number: number): number | null => (Number.isFinite(number) ? number : null)
    return {
      ...keyOf(query),
      unit,
      items: Array.from(at, (moment, index) => ({ at: moment, value: value[index]! })),
      stats: {
        count: value.length,
        capacity,
        mean: or(stats.mean),
        std: or(stats.std),
        min: or(value.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY)),
        max: or(value.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY)),
      },
    }
  },

  async rollups({ query }) {
    const [from, to] = yearUpTo(hub, query)
    const { unit } = known(hub, query)
    const hours = await hub.engine.rollups(query, from, to)
    return { ...pageOf(hours, query, ['number'], ({ at }) => [at]), unit }
  },

  async predictions({ query }) {
    const [from, to] = yearUpTo(hub, query)
    const { limit, cursor } = query
    const after = cursor === undefined ? undefined : predictionPositionOf(cursor)
    const items = await hub.engine.ledger.predictions(forecastKeyOf(query), from, to, limit + 1, after)
    if (items.length <= limit) return { items, next: null }
    const page = items.slice(0, limit)
    const { at, madeAt, model } = page.at(-1)!
    return { items: page, next: encodeCursor([at, madeAt, model.name, model.version]) }
  },
})

/** The rows of what a client sent. Throws `request_invalid` and `batch_too_large`. */
export function readingsOf({ push, limits }: Pick<Hub, 'push' | 'limits'>, body: unknown): RawReading[] {
  const { batchReadings } = limits
  // before any row is made
  const count = push.countRows(body) ?? 0
  if (count > batchReadings) throw new HomeostatError('batch_too_large', { limit: batchReadings, got: count })
  const rows = push.rowsOf(body)
  if (!rows) {
    throw new HomeostatError('request_invalid', {
      detail: 'the body is a reading, a list of readings, or {"readings": [...]}',
    })
  }
  return rows
}

/** A row for a site outside the caller's reach is rejected alone, like any other bad row. */
export function inReach(
  rows: readonly RawReading[],
  { sites }: Pick<Caller, 'sites'>,
  defaultSite: string,
): readonly RawReading[] {
  if (sites === null) return rows
  return rows.map((row) => {
    // as the parser reads it; the parser itself rejects an invalid name
    const site = row.site === undefined ? defaultSite : parseId(row.site, idLimits.site)
    if (site === undefined || sites.includes(site)) return row
    return { ...row, fault: problem('site_forbidden', { site }) }
  })
}

interface SeriesQuery {
  readonly device?: string | undefined
  readonly metric?: string | undefined
  readonly limit: number
  readonly cursor?: string | undefined
}

/** One page of the newest readings, one a series. Only those of the page are looked up. */
function latestPage(
  { engine }: Hub,
  { device, metric, limit, cursor }: SeriesQuery,
  sites: readonly string[] | null,
): { items: Reading[]; next: string | null } {
  const filter = {
    ...(sites === null ? {} : { sites }),
    ...(device === undefined ? {} : { device }),
    ...(metric === undefined ? {} : { metric }),
  }
  const after = cursor === undefined ? undefined : seriesOf(cursor)
  const found = engine.latest(filter, limit + 1, after)
  const items = found.slice(0, limit)
  return { items, next: found.length > limit ? encodeCursor(seriesPlace(items.at(-1)!)) : null }
}

const keyOf = ({ site, device, metric }: SeriesKey): SeriesKey => ({ site, device, metric })

function known(hub: Hub, key: SeriesKey): { readonly unit: string } {
  const series = hub.engine.findSeries(key)
  if (!series)
    throw new HomeostatError('not_found', { what: `series ${key.site}/${key.device}/${key.metric}` })
  return series
}

function span(
  from: string | number | undefined,
  to: string | number | undefined,
): { from?: number; to?: number } {
  return {
    ...(from === undefined ? {} : { from: moment('from', from) }),
    ...(to === undefined ? {} : { to: moment('to', to) }),
  }
}

function yearUpTo(
  hub: Hub,
  query: { from?: string | number | undefined; to?: string | number | undefined },
): [number, number] {
  const given = span(query.from, query.to)
  const to = given.to ?? hub.engine.clock.now()
  return [given.from ?? to - yearMs, to]
}

function predictionPositionOf(cursor: string): PredictionPosition {
  const [at, madeAt, name, version] = decodeCursor(cursor, ['number', 'number', 'string', 'string'])
  return { at: Number(at), madeAt: Number(madeAt), model: { name: String(name), version: String(version) } }
}

function seriesOf(cursor: string): SeriesKey {
  const [site, device, metric] = decodeCursor(cursor, seriesTypes)
  return { site: String(site), device: String(device), metric: String(metric) }
}

function positionOf(cursor: string): ReadingPosition {
  const [at, site, device, metric] = decodeCursor(cursor, ['number', ...seriesTypes])
  return { at: Number(at), site: String(site), device: String(device), metric: String(metric) }
}
