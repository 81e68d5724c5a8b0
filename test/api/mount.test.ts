import fastify, { type FastifyInstance } from 'fastify'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { z } from 'zod'
import { createKey, KeyRing } from '../../src/api/keys.ts'
import { Mount } from '../../src/api/mount.ts'
import { careHubTable } from '../../src/contract/care-hub.ts'
import { energyTable } from '../../src/contract/energy.ts'
import { influxV1Table, influxV2Table } from '../../src/contract/influx.ts'
import { metricsTable } from '../../src/contract/metrics.ts'
import {
  type Role,
  type Route,
  type RoutesByName,
  type RouteTable,
  routeTable,
} from '../../src/contract/route.ts'
import { hubTable } from '../../src/contract/routes.ts'
import { smokeTable } from '../../src/contract/smoke.ts'
import type { Log } from '../../src/core/ports.ts'
import { startTestHub } from '../hub.ts'

/** The one gate: every route of every table, for every kind of caller; expectations come from the contract alone. */

const quiet: Log = { info: () => undefined, warn: () => undefined, error: () => undefined }
const csvLimits = { exports: 1, exportIdleMs: 1000 }
const site = z.object({ site: z.string().optional() })
const reply = z.object({})

/** One route for each role and scope, as a domain could have it. */
const domainTable = routeTable({
  name: 'made domain',
  errorBody: ({ detail, status }) => ({ detail, status }),
  routes: {
    insights: {
      ...{ method: 'GET', path: '/api/device/:site/insights', aliases: ['/v1/device/:site/insights'] },
      ...{ summary: 'x', role: 'viewer', scope: 'params', params: site, reply },
    },
    tariffs: {
      ...{
        method: 'PUT',
        path: '/api/made',
        summary: 'x',
        role: 'operator',
        scope: 'query',
        query: site,
        reply,
      },
      bodyBytes: 1024,
    },
    plan: { method: 'POST', path: '/api/made', summary: 'x', role: 'admin', scope: 'hub', reply },
    about: { method: 'GET', path: '/api/made', summary: 'x', role: 'public', scope: 'none', reply },
  },
})

const tables: readonly RouteTable[] = [
  ...[hubTable, careHubTable, smokeTable, metricsTable, energyTable, domainTable],
  ...[influxV1Table, influxV2Table],
]
const callers = {
  guest: undefined,
  viewer: ['viewer', null],
  operator: ['operator', null],
  admin: ['admin', null],
  'viewer of alpha': ['viewer', ['alpha']],
  'admin of alpha': ['admin', ['alpha']],
  'admin of beta': ['admin', ['beta']],
} as const satisfies Record<string, undefined | readonly [Role, readonly string[] | null]>
type CallerName = keyof typeof callers
const names = Object.keys(callers) as CallerName[]
const rank = { public: -1, viewer: 0, operator: 1, admin: 2 } as const

/** Status of a request about the site alpha, where the handler answers 200. */
function expected(route: Route, name: CallerName): number {
  if (route.role === 'public') return 200
  const caller: undefined | readonly [Role, readonly string[] | null] = callers[name]
  if (caller === undefined) return 401
  const [role, sites] = caller
  if (rank[role] < rank[route.role]) return 403
  if (sites === null) return 200
  if (route.scope === 'hub') return 403
  const concernsAlpha = route.scope === 'query' || route.scope === 'params'
  return concernsAlpha && !sites.includes('alpha') ? 403 : 200
}

const keys = new KeyRing([])
const secrets = new Map<CallerName, string>()
for (const name of names) {
  const caller: undefined | readonly [Role, readonly string[] | null] = callers[name]
  if (caller === undefined) continue
  const { key, secret } = createKey(name, ...caller, 0)
  keys.add(key)
  secrets.set(name, secret)
}
const headersOf = (name: CallerName): Record<string, string> => {
  const secret = secrets.get(name)
  return secret === undefined ? {} : { authorization: `Bearer ${secret}` }
}

/** Handlers that note that they ran, and for which sites. */
const ran: { readonly name: string; readonly sites: readonly string[] | null }[] = []
const noting = (table: RouteTable<RoutesByName>) =>
  Object.fromEntries(
    Object.keys(table.routes).map((name) => [
      name,
      ({ sites }: { readonly sites: readonly string[] | null }) => {
        ran.push({ name: `${table.name}.${name}`, sites })
        return {}
      },
    ]),
  )

let server: FastifyInstance
let mount: Mount
beforeAll(async () => {
  server = fastify({ routerOptions: { ignoreTrailingSlash: true }, bodyLimit: 4096 })
  server.setValidatorCompiler(() => () => true)
  server.setSerializerCompiler(() => JSON.stringify)
  mount = new Mount({ open: false, keys }, quiet, csvLimits)
  mount.guard(server)
  for (const table of tables) await mount.add(server, table, noting(table))
})
afterAll(() => server.close())

const cases = tables.flatMap((table) =>
  Object.entries(table.routes).flatMap(([name, route]) =>
    [route.path, ...(route.aliases ?? [])].map((url) => ({ id: `${table.name}.${name}`, route, url })),
  ),
)

describe.each(cases)('$route.method $url', ({ id, route, url }) => {
  test.each(names)(
    'mount: answers %s by role and site, and runs the handler only for status 200',
    async (name) => {
      ran.length = 0
      const path = url.replace(':site', 'alpha').replaceAll(/:\w+/g, 'x')
      const query = route.scope === 'query' ? '?site=alpha' : ''
      const status = expected(route, name)
      const answer = await server.inject({
        method: route.method,
        url: path + query,
        headers: headersOf(name),
      })
      expect(answer.statusCode).toBe(status)
      expect(ran.map((run) => run.name)).toEqual(status === 200 ? [id] : [])
      if (status !== 200) return
      const concernsAlpha = route.scope === 'query' || route.scope === 'params'
      const own: readonly string[] | null = callers[name]?.[1] ?? null
      const everything = route.role === 'public' ? [] : own
      expect(ran[0]?.sites).toEqual(concernsAlpha ? ['alpha'] : everything)
    },
  )

  test('mount: has a role and a scope that fit each other', () => {
    if (route.scope === 'params') expect(route.path).toContain(':site')
    if (route.scope === 'query') expect(route.query).toBeDefined()
    if (route.scope === 'body') expect(route.body ?? route.params).toBeDefined()
    if (route.role === 'public') expect(route.scope).toBe('none')
  })
})

test('mount: without a site, the answer covers the sites of the key', async () => {
  ran.length = 0
  await server.inject({ url: '/api/v1/latest', headers: headersOf('admin of beta') })
  expect(ran).toEqual([{ name: 'hub.latest', sites: ['beta'] }])
})

test('mount: answers errors in the form of the table', async () => {
  const refused = await server.inject({ url: '/api/device/alpha/insights' })
  expect(refused.json()).toEqual({ detail: expect.stringContaining('API key'), status: 401 })
  expect(refused.headers['content-type']).toContain('application/json')
  const smoke = await server.inject({ url: '/model/info' })
  expect([smoke.statusCode, smoke.json()]).toEqual([401, { error: expect.stringContaining('API key') }])
})

test('mount: refuses a body above the limit of its route', async () => {
  const headers = headersOf('admin')
  const payload = { text: 'x'.repeat(2000) }
  const put = await server.inject({ method: 'PUT', url: '/api/made?site=alpha', headers, payload })
  expect([put.statusCode, put.json()]).toEqual([
    413,
    { detail: expect.stringContaining('1024'), status: 413 },
  ])
  const post = await server.inject({ method: 'POST', url: '/api/made', headers, payload })
  expect(post.statusCode).toBe(200)
})

test('mount: refuses a table without a handler for each route', async () => {
  const other = fastify()
  await expect(
    new Mount({ open: false, keys }, quiet, csvLimits).add(other, domainTable as RouteTable, {}),
  ).rejects.toThrow('The route made domain.insights has no handler.')
})

test('guard: a server refuses a route beside the mount, also in a scope within', async () => {
  const other = fastify()
  new Mount({ open: false, keys }, quiet, csvLimits).guard(other)
  const handler = () => 'open'
  expect(() => other.get('/beside', handler)).toThrow(
    'GET /beside is not mounted: it has no role and no scope.',
  )
  await expect(
    other.register(async (within) => {
      within.get('/within', handler)
    }),
  ).rejects.toThrow('GET /within is not mounted')
})

describe('a whole hub', () => {
  test('serves the routes of these tables through the mount, and nothing else but documents and the page', async () => {
    const hub = await startTestHub()
    const { mounted, open } = hub.server.gate
    const known = new Set(tables.flatMap(({ routes }) => Object.values(routes)))
    const unknown = mounted.filter(({ route, socket }) => !socket && !known.has(route))
    expect(unknown).toEqual([])
    expect(mounted.length).toBeGreaterThan(cases.length - Object.keys(domainTable.routes).length)
    const others = open.filter(
      (url) => !/^\/(docs(\/.*)?|openapi\.json|assets\/.*|redoc(\/.*)?|[\w.-]+\.\w+)?$/.test(url),
    )
    expect(others).toEqual([])
    expect(open).toContain('/')
    expect(() => hub.server.get('/beside', () => 'open')).toThrow()
    await hub.close()
  })

  test('admits WebSocket clients by role and site', async () => {
    const hub = await startTestHub()
    const port = await hub.listen()
    for (const { route, url, socket } of hub.server.gate.mounted) {
      if (!socket) continue
      for (const name of names) {
        const caller: undefined | readonly [Role, readonly string[] | null] = callers[name]
        const secret = caller && (await hub.key(...caller))
        const protocols = secret === undefined ? [] : ['homeostat', `key.${secret}`]
        const client = new WebSocket(`ws://127.0.0.1:${port}${url}?site=alpha`, protocols)
        const status = await new Promise<number>((resolve, reject) => {
          client.once('error', reject)
          client.once('close', (code) => resolve(code === 1008 ? 403 : code))
          // an admitted client is answered
          client.once('open', () => client.send('{}'))
          client.once('message', () => resolve(200))
        })
        client.terminate()
        expect(`${url} ${name} ${status}`).toBe(`${url} ${name} ${expected(route, name) === 200 ? 200 : 403}`)
      }
    }
    await hub.close()
  })
})
