import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Route } from '../../src/contract/route.ts'
import { routes } from '../../src/contract/routes.ts'
import { mark, startTwoSites, type TwoSites } from './two-sites.ts'

/** A key for alpha never learns anything of beta, whatever it asks; all of beta's names bear the mark. */

let hub: TwoSites
let secret: string
beforeEach(async () => {
  hub = await startTwoSites()
  secret = await hub.key('admin', ['alpha'])
})
afterEach(async () => {
  expect(hub.errors).toEqual([])
  await hub.close()
})

const gets = Object.values<Route>(routes).filter(({ method }) => method === 'GET')
const series = (site: string) => `site=${site}&device=beta-${mark}-meter&metric=energy_total`

describe.each(gets)('GET $path', ({ path, role, scope }) => {
  test('says nothing of another site', async () => {
    const oneSeries = 'device=alpha-meter&metric=energy'
    for (const query of [
      '',
      '?limit=1',
      '?site=alpha',
      `?site=alpha&${oneSeries}`,
      '?site=%62eta',
      '?site=nowhere',
    ]) {
      const answer = await hub.ask({ url: path + query, secret })
      // a refusal may repeat the name that was asked for, and nothing more
      const own = query.includes('eta') ? answer.body.replaceAll('\\"beta\\"', '') : answer.body
      expect(own).not.toMatch(new RegExp(`beta|${mark}`))
      if (query.includes('eta') && scope === 'query') expect([403, 400]).toContain(answer.statusCode)
    }
  })

  test('does not tell a series that exists elsewhere from one that does not', async () => {
    if (scope !== 'query' || role === 'public') return
    const [there, nowhere] = await Promise.all(
      [series('beta'), series('beta').replace(mark, '0000')].map((query) =>
        hub.ask({ url: `${path}?${query}`, secret }),
      ),
    )
    expect(there?.statusCode).toBe(403)
    expect(there?.body).toBe(nowhere?.body)
    const [mine, absent] = await Promise.all(
      [series('alpha'), series('alpha').replace(mark, '0000')].map((query) =>
        hub.ask({ url: `${path}?${query}`, secret }),
      ),
    )
    expect(mine?.statusCode).toBe(absent?.statusCode)
    expect(mine?.body.replace(mark, '0000')).toBe(absent?.body)
  })
})

test.each(['/health', '/readyz', '/livez', '/', '/openapi.json'])(
  '%s names no site to anybody',
  async (url) => {
    for (const asker of [undefined, secret]) {
      const { body } = await hub.ask({ url, secret: asker })
      expect(body).not.toMatch(new RegExp(`alpha|beta|${mark}`))
    }
  },
)

test('/metrics is for keys of all sites', async () => {
  const status = async (asker: string | undefined): Promise<number> =>
    (await hub.ask({ url: '/metrics', secret: asker })).statusCode
  expect(await status(undefined)).toBe(401)
  expect(await status(secret)).toBe(403)
  const { body, statusCode } = await hub.ask({ url: '/metrics', secret: await hub.key('viewer') })
  expect(statusCode).toBe(200)
  expect(body).toMatch(/^homeostat_readings_stored_total 488$/m)
  expect(body).toMatch(/^homeostat_quarantined_total\{source="test",code="value_not_number"\} 2$/m)
})

test('rows for another site, or for none that can be, are refused one by one', async () => {
  const row = { device: 'lamp', metric: 'power', value: 1 }
  const payload = [
    { ...row, site: 'alpha' },
    { ...row, site: 'beta' },
    { ...row, site: ' beta ' },
    { ...row, site: 5 },
    { ...row, site: ['beta'] },
    { ...row, site: { toString: 'beta', valueOf: 1 } },
    { ...row, site: null },
    { ...row, site: 'alpha\u0000' },
    row,
  ]
  const answer = await hub.ask({ method: 'POST', url: '/api/v1/readings', payload, secret })
  expect(answer.statusCode).toBe(200)
  const { accepted, rejected } = routes.push.reply.parse(answer.json())
  expect(accepted).toBe(1)
  expect(rejected.map(({ index, code }) => [index, code])).toEqual([
    [1, 'site_forbidden'],
    [2, 'site_forbidden'],
    [3, 'site_forbidden'],
    [4, 'id_invalid'],
    [5, 'id_invalid'],
    [6, 'id_invalid'],
    [7, 'id_invalid'],
    // the hub's own site, which the key does not reach
    [8, 'site_forbidden'],
  ])
  expect(hub.engine.sites().map(({ id }) => id)).toEqual(['alpha', 'beta'])
  expect(hub.engine.findSeries({ site: 'beta', device: 'lamp', metric: 'power' })).toBeUndefined()
})

test('a site that is erased is gone from every list, and the other stays whole', async () => {
  const everything = await hub.key('admin')
  const before = await lists(await hub.key('admin', ['beta']))
  expect(
    (await hub.ask({ method: 'DELETE', url: '/api/v1/sites/alpha', secret: everything })).statusCode,
  ).toBe(200)
  for (const body of await lists(everything)) expect(body).not.toContain('alpha')
  expect(await lists(everything)).toEqual(before)
})

const listed = [
  'sites',
  'rooms',
  'devices',
  'series',
  'readings?limit=10000',
  'latest',
  'forecasts',
  'models',
  'models/history',
  'jobs',
  'forgotten',
  'infos',
  'alerts',
]

async function lists(asker: string): Promise<string[]> {
  const answers = await Promise.all(listed.map((list) => hub.ask({ url: `/api/v1/${list}`, secret: asker })))
  return answers.map(({ body }) => body)
}
