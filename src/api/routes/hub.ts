import { HomeostatError } from '../../core/errors.ts'
import { forecastJson } from '../../core/forecast.ts'
import type { AlertFilter, AlertKey } from '../../core/ports.ts'
import { decodeCursor, encodeCursor, pageOf, whole } from '../cursor.ts'
import { type Handlers, type Hub, within } from '../hub.ts'
import { createKey } from '../keys.ts'
import { forecastKeyPlace, forecastKeyTypes, isNamed, ofSites } from '../target.ts'
import type { deviceRoutes } from './devices.ts'
import type { importRoutes } from './imports.ts'
import type { incidentRoutes } from './incidents.ts'
import type { influxNoteRoutes } from './influx.ts'
import type { modelRoutes } from './models.ts'
import type { readingRoutes } from './readings.ts'
import type { topicRoutes } from './topics.ts'
import type { userRoutes } from './users.ts'

/** Sites, rooms, devices, forecasts, alerts, keys, and the health of the hub. */
export const hubRoutes = (
  hub: Hub,
): Omit<
  Handlers,
  | keyof ReturnType<typeof readingRoutes>
  | keyof ReturnType<typeof modelRoutes>
  | keyof ReturnType<typeof incidentRoutes>
  | keyof ReturnType<typeof userRoutes>
  | keyof ReturnType<typeof importRoutes>
  | keyof ReturnType<typeof influxNoteRoutes>
  | keyof ReturnType<typeof deviceRoutes>
  | keyof ReturnType<typeof topicRoutes>
> => ({
  sites({ sites }) {
    const all = hub.engine.sites()
    return whole(sites === null ? all : all.filter(({ id }) => sites.includes(id)))
  },

  async removeSite({ params }) {
    await hub.removeSite(params.site)
    return { removed: params.site }
  },

  async rooms({ sites }) {
    return whole(within(await hub.engine.ledger.rooms(), sites))
  },

  async devices({ query, sites }) {
    const devices = within(await hub.engine.ledger.devices(), sites).filter(
      ({ id }) => query.device === undefined || id === query.device,
    )
    return pageOf(devices, query, ['string', 'string'], ({ site, id }) => [site, id])
  },

  async forecasts({ query, sites }) {
    const forecasts = ofSites(await hub.engine.forecasts(), sites).filter((item) => isNamed(item, query))
    const { items, next } = pageOf(forecasts, query, forecastKeyTypes, forecastKeyPlace)
    return { items: items.map(forecastJson), next }
  },

  async alerts({ query: { open, limit, cursor }, sites }) {
    const filter: AlertFilter = {
      ...(sites === null ? {} : { sites }),
      ...(open === undefined ? {} : { open: open === 'true' }),
      ...(cursor === undefined ? {} : { after: alertKeyOf(cursor) }),
    }
    const found = await hub.engine.ledger.alerts(filter, limit + 1)
    const items = found.slice(0, limit)
    return { items, next: found.length > limit ? alertCursor(items.at(-1)!) : null }
  },

  async settings({ params: { domain }, query: { site } }) {
    requireKnown(hub, site)
    return { domain, site, ...(await hub.engine.settings.of(domain, site)) }
  },

  async putSettings({ params: { domain }, query: { site }, body }) {
    requireKnown(hub, site)
    return { domain, site, ...(await hub.engine.settings.put(domain, site, body)) }
  },

  async backup({ type }) {
    const stream = await hub.backup()
    type('application/gzip')
    return stream
  },

  me: ({ caller: { name, kind, role, sites } }) => ({ name, kind, role, sites: sites && [...sites] }),

  async keys() {
    const keys = (await hub.engine.ledger.keys()).map(({ sha256: _sha256, ...key }) => key)
    return whole(keys)
  },

  async createKey({ body, status }) {
    const { key, secret } = createKey(body.name, body.role, body.sites, hub.engine.clock.now())
    await hub.engine.ledger.putKey(key)
    hub.keys.add(key)
    status(201)
    const { sha256: _sha256, ...shown } = key
    return { ...shown, secret }
  },

  async removeKey({ params }) {
    if (!(await hub.engine.ledger.removeKey(params.id)))
      throw new HomeostatError('not_found', { what: `key "${params.id}"` })
    hub.keys.remove(params.id)
    return { removed: params.id }
  },

  health() {
    const { engine } = hub
    const now = engine.clock.now()
    return {
      status: engine.missing().length === 0 ? ('healthy' as const) : ('degraded' as const),
      timestamp: new Date(now).toISOString(),
      version: hub.version,
      uptime_seconds: Math.round((now - hub.startedAt) / 1000),
      model_loaded: engine.models.anyLive,
      model_path: hub.modelStore,
      demo: engine.sites().some(({ demo }) => demo),
      open: hub.open,
      series: engine.seriesCount,
      readings_stored: engine.counters.readingsStored,
      quarantined: engine.counters.quarantinedTotal,
      topics_not_understood: hub.topics.topics.heard().length,
      training: engine.models.trainer.training,
      sources: engine.sources(),
    }
  },

  livez: () => ({ status: 'ok' as const }),

  readyz({ status }) {
    const missing = hub.engine.missing()
    if (missing.length > 0) status(503)
    return { status: missing.length === 0 ? ('ready' as const) : ('unready' as const), missing }
  },
})
function requireKnown({ engine }: Hub, site: string): void {
  if (engine.sites().some(({ id }) => id === site)) return
  throw new HomeostatError('not_found', { what: `site "${site}"` })
}

const alertCursor = ({ since, rule, target }: AlertKey): string =>
  encodeCursor([since, rule, target.site, target.domain, target.subject])

function alertKeyOf(cursor: string): AlertKey {
  const types = ['number', 'string', 'string', 'string', 'string'] as const
  const [since, rule, site, domain, subject] = decodeCursor(cursor, types).map(String)
  return {
    since: Number(since),
    rule: rule ?? '',
    target: { site: site ?? '', domain: domain ?? '', subject: subject ?? '' },
  }
}
