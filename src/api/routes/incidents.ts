import { randomUUID } from 'node:crypto'
import { HomeostatError } from '../../core/errors.ts'
import type { Incident, IncidentChange, MaintenanceWindow } from '../../core/incident.ts'
import type { IncidentFilter } from '../../core/incident-ledger.ts'
import { moment } from '../../core/moment.ts'
import type { IncidentDesk } from '../../engine/incidents/desk.ts'
import { decodeCursor, encodeCursor, pageOf } from '../cursor.ts'
import { type Handlers, type Hub, type HubRequest, within } from '../hub.ts'

/** Newest first: by start descending, then id. */
const placeTypes = ['number', 'string'] as const
const placeOf = ({ since, id }: Incident): [number, string] => [-since, id]

/** What is wrong now and was before, what people did about it, and when nobody is to be told. */
export const incidentRoutes = (hub: Hub) => ({ ...actRoutes(hub), ...listRoutes(hub), ...windowRoutes(hub) })

const listRoutes = ({ engine: { incidents: desk } }: Hub): Handlers<'incidents' | 'incident'> => ({
  async incidents({ query, sites }) {
    const wanted = { ...filterOf(query), ...(sites === null ? {} : { sites }) }
    // those are all in memory, and there they are newer than on the disk
    if (query.status !== undefined && query.status !== 'resolved') {
      const page = pageOf(
        desk.unresolved().filter((incident) => matches(incident, wanted)),
        query,
        placeTypes,
        placeOf,
      )
      return { ...page, items: page.items.map(summaryOf) }
    }
    const items = await desk.list(wanted, query.limit + 1)
    const page = items.slice(0, query.limit)
    return {
      items: page.map(summaryOf),
      next: items.length > query.limit ? encodeCursor(placeOf(page.at(-1)!)) : null,
    }
  },

  async incident({ params, sites }) {
    return detailOf(await find(desk, params.id, sites))
  },
})

const actRoutes = ({
  engine: { incidents: desk, clock },
}: Hub): Handlers<'acknowledgeIncident' | 'snoozeIncident' | 'resolveIncident'> => ({
  async acknowledgeIncident({ params, sites, caller }) {
    await find(desk, params.id, sites)
    return detailOf(await desk.acknowledge(params.id, caller.name))
  },

  async snoozeIncident({ params, body, sites, caller }) {
    await find(desk, params.id, sites)
    const until = moment('until', body.until)
    if (until <= clock.now()) return invalid('"until" must lie in the future')
    return detailOf(await desk.snooze(params.id, until, caller.name))
  },

  async resolveIncident({ params, sites, caller }) {
    await find(desk, params.id, sites)
    return detailOf(await desk.resolve(params.id, caller.name))
  },
})

const windowRoutes = ({ engine }: Hub): Handlers<'maintenance' | 'addMaintenance' | 'removeMaintenance'> => ({
  async maintenance({ query, sites }) {
    const windows = await engine.incidents.windows(sites ?? undefined)
    return pageOf(windows, query, placeTypes, ({ from, id }) => [from, id])
  },

  async addMaintenance({ body, caller, status }) {
    if (!reaches(caller.sites, body.site)) throw new HomeostatError('site_forbidden', { site: body.site })
    if (!engine.sites().some(({ id }) => id === body.site))
      throw new HomeostatError('not_found', { what: `site "${body.site}"` })
    const now = engine.clock.now()
    const from = body.from === undefined ? now : moment('from', body.from)
    const to = moment('to', body.to)
    if (to <= from) return invalid('"to" must lie after "from"')
    if (to <= now) return invalid('"to" must lie in the future')
    const window: MaintenanceWindow = {
      ...{ id: randomUUID(), site: body.site, from, to, by: caller.name, reason: body.reason },
      ...(body.domain === undefined ? {} : { domain: body.domain }),
      ...(body.subject === undefined ? {} : { subject: body.subject }),
    }
    await engine.incidents.addWindow(window)
    status(201)
    return window
  },

  async removeMaintenance({ params, sites }) {
    const windows = within(await engine.incidents.windows(), sites)
    if (!windows.some(({ id }) => id === params.id))
      throw new HomeostatError('not_found', { what: `maintenance window "${params.id}"` })
    await engine.incidents.removeWindow(params.id)
    return { removed: params.id }
  },
})

/** Throws `not_found` also where the caller does not reach its site, so that ids tell nothing. */
async function find(desk: IncidentDesk, id: string, sites: readonly string[] | null): Promise<Incident> {
  const incident = await desk.get(id)
  if (incident && reaches(sites, incident.target.site)) return incident
  throw new HomeostatError('not_found', { what: `incident "${id}"` })
}

/** Without its alerts, as lists and the live feed show it. */
export const shownChange = ({ incident, notify }: IncidentChange) => ({
  incident: summaryOf(incident),
  ...(notify === undefined ? {} : { notify }),
})

function summaryOf(incident: Incident) {
  const { alerts: _alerts, dropped: _dropped, ...summary } = incident
  return summary
}

function detailOf(incident: Incident) {
  const { dropped: _dropped, ...detail } = incident
  return detail
}

function filterOf({ status, level, domain, cursor }: HubRequest<'incidents'>['query']): IncidentFilter {
  const place = cursor === undefined ? undefined : decodeCursor(cursor, placeTypes)
  return {
    ...(level === undefined ? {} : { level }),
    ...(domain === undefined ? {} : { domain }),
    ...(status === undefined
      ? {}
      : { statuses: status === 'unresolved' ? (['open', 'acknowledged', 'snoozed'] as const) : [status] }),
    ...(place === undefined ? {} : { after: { since: -Number(place[0]), id: String(place[1]) } }),
  }
}

const matches = (incident: Incident, { sites, statuses, level, domain }: IncidentFilter): boolean =>
  (sites === undefined || sites.includes(incident.target.site)) &&
  (statuses === undefined || statuses.includes(incident.status)) &&
  (level === undefined || incident.level === level) &&
  (domain === undefined || incident.target.domain === domain)

const reaches = (sites: readonly string[] | null, site: string): boolean =>
  sites === null || sites.includes(site)

function invalid(detail: string): never {
  throw new HomeostatError('request_invalid', { detail })
}
