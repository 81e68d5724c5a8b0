import { z } from 'zod'
import { type DomainRoutes, type RouteHandlers, routeTable } from '../../src/contract/route.ts'
import type { DomainHub } from '../../src/core/domain-hub.ts'
import type { Domain } from '../../src/domains/domain.ts'

/** A domain as one could be: a limit of humidity per room, kept as records. */

const site = z.object({ site: z.string().optional() })
const oneSite = z.object({ site: z.string() })
const limit = z.object({ humidityMax: z.number() })
const room = z.object({ room: z.string() })
const kept = z.object({ site: z.string(), key: z.string(), at: z.number(), body: z.unknown() })

const dampTable = routeTable({
  name: 'damp',
  errorBody: ({ code, detail }) => ({ damp: code, detail }),
  routes: {
    limits: {
      ...{
        method: 'GET',
        path: '/api/v1/damp/limits',
        aliases: ['/damp/limits'],
        summary: 'Limits of rooms',
      },
      ...{ role: 'viewer', scope: 'query', query: site, reply: z.array(kept) },
    },
    putLimit: {
      ...{ method: 'PUT', path: '/api/v1/damp/limits/:room', summary: 'Set the limit of a room' },
      ...{ role: 'operator', scope: 'query', query: oneSite, params: room, body: limit, reply: kept },
    },
    removeLimit: {
      ...{ method: 'DELETE', path: '/api/v1/damp/limits/:room', summary: 'Remove the limit of a room' },
      ...{ role: 'operator', scope: 'query', query: oneSite, params: room },
      reply: z.object({ removed: z.boolean() }),
    },
    check: {
      ...{ method: 'POST', path: '/api/v1/damp/check', summary: 'Compare a site with its settings' },
      ...{ role: 'viewer', scope: 'body', body: oneSite },
      reply: z.object({
        at: z.number(),
        humidityMax: z.number(),
        devices: z.array(z.string()),
        limits: z.number(),
        hours: z.number(),
      }),
    },
    predict: {
      ...{ method: 'POST', path: '/api/v1/damp/predict', summary: 'Predict', role: 'viewer', scope: 'body' },
      body: z.object({ site: z.string(), subject: z.string() }),
      reply: z.object({ version: z.string(), value: z.number() }),
    },
  },
})

type DampRoutes = (typeof dampTable)['routes']

const handlers = (hub: DomainHub): RouteHandlers<DampRoutes> => {
  const limits = hub.records('limits')
  return {
    limits: async ({ sites }) =>
      (await limits.list(sites, 100)).map(({ site, key, at, body }) => ({ site, key, at, body })),
    async putLimit({ sites, query, params, body }) {
      const { site, key, at } = await limits.put(sites, query.site, params.room, body)
      return { site, key, at, body }
    },
    removeLimit: async ({ sites, query, params }) => ({
      removed: await limits.remove(sites, query.site, params.room),
    }),
    async check({ sites, body: { site } }) {
      const settings = await hub.settings(sites, site)
      const latest = hub.latest(sites).filter((reading) => reading.site === site)
      const [first] = latest
      const hours = first ? await hub.rollups(sites, first, 0, hub.now()) : []
      return {
        at: hub.now(),
        humidityMax: Number(settings['humidityMax']),
        devices: [...new Set(latest.map(({ device }) => device))],
        limits: (await limits.list([site], 100)).length,
        hours: hours.length,
      }
    },
    async predict({ sites, body: { site, subject } }) {
      const rows = [{ hour: 18 }]
      const { model, predictions } = await hub.predict(sites, { site, domain: 'energy', subject }, rows)
      return { version: model.version, value: predictions[0] ?? Number.NaN }
    },
  }
}

const routes: DomainRoutes<DomainHub> = { contract: dampTable, handlers }

export const damp: Domain = {
  name: 'damp',
  scopes: () => [],
  routes: async () => routes,
  settings: z.strictObject({
    humidityMax: z.number().min(0).max(100).default(70),
    rooms: z.array(z.string()).default([]),
  }),
}
