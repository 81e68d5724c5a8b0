import type { InjectOptions } from 'fastify'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Route, type RouteName, routes } from '../../src/contract/routes.ts'
import { problemReply } from '../../src/contract/schemas.ts'
import { errorCodes } from '../../src/core/errors.ts'
import type { Role } from '../../src/core/event.ts'
import { mark, noon, startTwoSites, type TwoSites } from './two-sites.ts'

/** Who asks: nobody, a key for all sites by its role, an admin of the site that is asked for, an admin of another. */
const askers = {
  guest: undefined,
  viewer: ['viewer', null],
  operator: ['operator', null],
  admin: ['admin', null],
  own: ['admin', ['alpha']],
  other: ['admin', ['beta']],
} as const satisfies Record<string, undefined | readonly [Role, readonly string[] | null]>

type Asker = keyof typeof askers

interface Scenario {
  readonly request: (hub: TwoSites) => InjectOptions | Promise<InjectOptions>
  /** Expected status for guest, viewer, operator, admin, own, other. */
  readonly status: readonly [number, number, number, number, number, number]
  /** What a good answer to the admin of all sites says. */
  readonly says: unknown
}

const list = (...items: unknown[]): unknown => ({ items, next: null })
const some = (part: object): unknown => expect.objectContaining(part)
const meter = 'site=alpha&device=alpha-meter&metric=energy_total'
const forAll = [401, 200, 200, 200, 200, 200] as const
const ofAlpha = [401, 200, 200, 200, 200, 403] as const
const ofHub = [401, 403, 403, 200, 403, 403] as const
const open = [200, 200, 200, 200, 200, 200] as const
const get = (url: string) => () => ({ url })
const alpha = { site: 'alpha' }
const beta = { site: 'beta' }

/** One row a route: a route that is new in the contract does not compile without one. */
const scenarios: Readonly<Record<RouteName, Scenario>> = {
  sites: {
    request: get('/api/v1/sites'),
    status: forAll,
    says: list(
      { id: 'alpha', name: 'alpha', zone: 'Europe/Berlin', demo: false },
      { id: 'beta', name: 'beta', zone: 'Europe/Berlin', demo: false },
    ),
  },
  removeSite: {
    async request(hub) {
      await hub.push([{ site: 'alpha', device: 'alpha-lamp', metric: 'power', value: 1 }])
      return { method: 'DELETE', url: '/api/v1/sites/alpha' }
    },
    status: [401, 403, 403, 200, 200, 403],
    says: { removed: 'alpha' },
  },
  rooms: {
    request: get('/api/v1/rooms'),
    status: forAll,
    says: list({ site: 'alpha', id: 'alpha-room' }, { site: 'beta', id: `beta-${mark}-room` }),
  },
  devices: {
    request: get('/api/v1/devices?site=alpha'),
    status: ofAlpha,
    says: list(
      { ...alpha, id: 'alpha-air', type: 'climate', room: 'alpha-room', attributes: {} },
      { ...alpha, id: 'alpha-meter', type: 'appliance', attributes: {} },
    ),
  },
  series: {
    request: get('/api/v1/series?metric=co2'),
    status: forAll,
    says: list(
      { ...alpha, device: 'alpha-air', metric: 'co2', unit: 'ppm', room: 'alpha-room' },
      { ...beta, device: `beta-${mark}-air`, metric: 'co2', unit: 'ppm', room: `beta-${mark}-room` },
    ),
  },
  readings: {
    request: get('/api/v1/readings?site=alpha&metric=co2&from=2026-03-02T11:59:58Z&to=1772452799000'),
    status: ofAlpha,
    says: list(some({ ...alpha, device: 'alpha-air', value: 900, unit: 'ppm', at: noon - 2000 })),
  },
  push: {
    request: () => ({
      method: 'POST',
      url: '/api/v1/readings',
      payload: { ...alpha, device: 'alpha-lamp', metric: 'power', value: '0.06', unit: 'kW', at: noon },
    }),
    // the other site's key is told so by its row
    status: [401, 403, 200, 200, 200, 400],
    says: { accepted: 1, rejected: [] },
  },
  latest: {
    request: get('/api/v1/latest?site=alpha'),
    status: ofAlpha,
    says: list(
      some({ device: 'alpha-air', metric: 'co2', value: 1500, at: noon - 1000 }),
      some({ device: 'alpha-meter', metric: 'energy_total', value: 120.1, unit: 'kWh' }),
    ),
  },
  window: {
    request: get('/api/v1/window?site=alpha&device=alpha-air&metric=co2'),
    status: ofAlpha,
    says: {
      ...{ ...alpha, device: 'alpha-air', metric: 'co2', unit: 'ppm' },
      items: [
        { at: noon - 2000, value: 900 },
        { at: noon - 1000, value: 1500 },
      ],
      stats: some({ count: 2, capacity: 60, mean: 1200, min: 900, max: 1500 }),
    },
  },
  rollups: {
    request: get(`/api/v1/rollups?${meter}&from=2026-03-02T09:00:00Z&to=2026-03-02T10:00:00Z`),
    status: ofAlpha,
    says: {
      unit: 'kWh',
      ...{ next: null, items: [some({ at: noon - 3 * 3_600_000, count: 1, mean: 118.5 })] },
    },
  },
  forecasts: {
    request: get('/api/v1/forecasts?site=alpha'),
    status: ofAlpha,
    says: list(some({ ...alpha, device: 'alpha-meter', metric: 'energy', unit: 'kWh', stepMs: 3_600_000 })),
  },
  models: {
    request: get('/api/v1/models'),
    status: forAll,
    says: list(
      some({ series: some({ site: 'alpha' }), live: true }),
      some({ series: some({ site: 'beta' }), live: true }),
    ),
  },
  train: {
    request: () => ({ method: 'POST', url: '/api/v1/train?site=alpha' }),
    status: [401, 403, 200, 200, 200, 403],
    says: { queued: 1 },
  },
  predictions: {
    request: get('/api/v1/predictions?site=alpha&device=alpha-meter&metric=energy'),
    status: ofAlpha,
    says: list(some({ ...alpha, device: 'alpha-meter', at: noon, unit: 'kWh' })),
  },
  alerts: {
    request: get('/api/v1/alerts?site=alpha'),
    status: ofAlpha,
    says: list(some({ ...alpha, rule: 'stuffy', level: 'warning', since: noon - 1000, value: 1500 })),
  },
  quarantine: {
    request: get('/api/v1/quarantine'),
    status: [401, 403, 200, 200, 403, 403],
    says: list(
      some({ code: 'value_not_number', payload: expect.stringContaining(`beta-${mark} is broken`) }),
      some({ code: 'value_not_number', payload: expect.stringContaining('alpha is broken') }),
    ),
  },
  keys: {
    request: get('/api/v1/keys'),
    status: ofHub,
    says: some({ items: expect.arrayContaining([some({ role: 'admin', sites: null })]) }),
  },
  createKey: {
    request: () => ({
      method: 'POST',
      url: '/api/v1/keys',
      payload: { name: 'wall display', role: 'viewer', sites: ['alpha'] },
    }),
    status: [401, 403, 403, 201, 403, 403],
    says: some({
      name: 'wall display',
      role: 'viewer',
      sites: ['alpha'],
      secret: expect.stringMatching(/^hs_/),
    }),
  },
  removeKey: {
    async request(hub) {
      const id = /^hs_([0-9a-f]{12})_/.exec(await hub.key('viewer'))?.[1]
      return { method: 'DELETE', url: `/api/v1/keys/${id}` }
    },
    status: ofHub,
    says: { removed: expect.stringMatching(/^[0-9a-f]{12}$/) },
  },
  health: {
    request: get('/health'),
    status: open,
    says: some({
      status: 'healthy',
      demo: false,
      open: false,
      series: 4,
      quarantined: 2,
      model_loaded: false,
    }),
  },
  livez: { request: get('/livez'), status: open, says: { status: 'ok' } },
  readyz: { request: get('/readyz'), status: open, says: { status: 'ready', missing: [] } },
}

let hub: TwoSites
beforeEach(async () => {
  hub = await startTwoSites()
})
afterEach(async () => {
  expect(hub.errors).toEqual([])
  await hub.close()
})

const secretOf = async (asker: Asker): Promise<string | undefined> => {
  const key: readonly [Role, readonly string[] | null] | undefined = askers[asker]
  return key && hub.key(...key)
}

/** Nothing is in the answer that the contract does not name: parsing leaves it as it is. */
function expectReply(route: Route, body: unknown): void {
  expect(route.reply.parse(body)).toEqual(body)
}

function expectProblem(body: unknown, status: number): void {
  const parsed = problemReply.strict().parse(body)
  expect(parsed.status).toBe(status)
  expect(errorCodes).toContain(parsed.code)
  expect(parsed.detail).not.toMatch(/\{\w+\}/)
}

test('every route of the contract has its scenarios', () => {
  expect(Object.keys(scenarios).sort()).toEqual(Object.keys(routes).sort())
})

describe.each(Object.keys(routes) as RouteName[])('route %s', (name) => {
  const { request, status, says } = scenarios[name]
  const route: Route = routes[name]

  test('answers each asker as the table says, in the form of the contract', async () => {
    for (const [index, asker] of (Object.keys(askers) as Asker[]).entries()) {
      const answer = await hub.ask({ ...(await request(hub)), secret: await secretOf(asker) })
      expect(`${asker} ${answer.statusCode}`).toBe(`${asker} ${status[index]}`)
      if (answer.statusCode < 300) expectReply(route, answer.json())
      else if (name === 'push' && asker === 'other') expectReply(route, answer.json())
      else {
        expect(answer.headers['content-type']).toContain('application/problem+json')
        expectProblem(answer.json(), answer.statusCode)
      }
      if (asker === 'admin') expect(answer.json()).toEqual(says)
    }
  })

  test('answers with and without a slash at its end', async () => {
    const { url, ...rest } = await request(hub)
    const [path, query] = String(url).split('?')
    const asked = { ...rest, url: `${path}/${query === undefined ? '' : `?${query}`}` }
    const answer = await hub.ask({ ...asked, secret: await hub.key('admin') })
    expect(answer.statusCode).toBe(status[3])
    expect(answer.json()).toEqual(says)
  })

  test('refuses an unknown and a revoked key', async () => {
    if (route.role === 'public') return
    const secret = await hub.key('admin')
    hub.hub.keys.remove(secret.split('_')[1] ?? '')
    for (const bad of [secret, 'hs_000000000000_x', 'nonsense', '']) {
      const answer = await hub.ask({ ...(await request(hub)), secret: bad })
      expect([answer.statusCode, answer.json().code]).toEqual([401, 'key_unknown'])
      expect(answer.headers['www-authenticate']).toBe('Bearer')
    }
  })
})

test('the key may come as X-API-Key', async () => {
  const headers = { 'x-api-key': await hub.key('viewer') }
  expect((await hub.ask({ url: '/api/v1/sites', headers })).statusCode).toBe(200)
})

test('a role that is too low is told so before its body is looked at', async () => {
  const secret = await hub.key('viewer')
  const asked = { method: 'POST', url: '/api/v1/keys', payload: { nonsense: true } } as const
  const answer = await hub.ask({ ...asked, secret })
  expect([answer.statusCode, answer.json().code]).toEqual([403, 'role_too_low'])
})
