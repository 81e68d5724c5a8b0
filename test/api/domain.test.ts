import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createDomainHub } from '../../src/api/domain-hub.ts'
import { domains } from '../../src/domains/index.ts'
import { versions } from './learnt.ts'
import { damp } from './made-domain.ts'
import { mark, noon, startTwoSites, type TwoSites } from './two-sites.ts'

/** A domain's routes, records and settings, through the gate. */

let hub: TwoSites
beforeEach(async () => {
  const limits = { recordsPerDomain: 3, recordBytes: 100 }
  hub = await startTwoSites({
    domains: [...domains, damp],
    domainSettings: { damp: { humidityMax: 65 } },
    limits,
  })
})
afterEach(async () => {
  expect(hub.errors).toEqual([])
  await hub.close()
})

const putLimit = (site: string, room: string, secret: string, humidityMax: unknown = 60) =>
  hub.ask({
    ...{ method: 'PUT', url: `/api/v1/damp/limits/${room}?site=${site}`, secret },
    payload: { humidityMax },
  })

describe('routes of a domain', () => {
  test('domain: records are kept by site, listed within the reach of the key, and removed', async () => {
    const [admin, alpha] = [await hub.key('admin'), await hub.key('operator', ['alpha'])]
    expect((await putLimit('alpha', 'bath', alpha)).json()).toEqual({
      ...{ site: 'alpha', key: 'bath', at: noon + 6000, body: { humidityMax: 60 } },
    })
    expect((await putLimit('beta', 'bath', admin)).statusCode).toBe(200)
    const sitesOf = async (url: string, secret: string) =>
      (await hub.ask({ url, secret })).json().map(({ site }: { site: string }) => site)
    expect(await sitesOf('/api/v1/damp/limits', alpha)).toEqual(['alpha'])
    expect(await sitesOf('/damp/limits', admin)).toEqual(['alpha', 'beta'])
    expect(await sitesOf('/damp/limits?site=beta', admin)).toEqual(['beta'])
    const remove = { method: 'DELETE', url: '/api/v1/damp/limits/bath?site=alpha', secret: alpha } as const
    expect((await hub.ask(remove)).json()).toEqual({ removed: true })
    expect((await hub.ask(remove)).json()).toEqual({ removed: false })
    expect(await sitesOf('/damp/limits', admin)).toEqual(['beta'])
  })

  test('domain: errors have the form of its table, for refusals of the gate, the schema and the hub', async () => {
    const alpha = await hub.key('operator', ['alpha'])
    const codes = [
      await hub.ask({ url: '/damp/limits' }),
      await hub.ask({ url: '/damp/limits?site=beta', secret: alpha }),
      await putLimit('alpha', 'bath', alpha, 'dry'),
      await putLimit('alpha', 'a%07b', alpha),
      await hub.ask({ method: 'POST', url: '/api/v1/damp/check', payload: { site: 'beta' }, secret: alpha }),
    ].map((answer) => [answer.statusCode, answer.json().damp])
    expect(codes).toEqual([
      [401, 'key_missing'],
      [403, 'site_forbidden'],
      [400, 'request_invalid'],
      [400, 'id_invalid'],
      [403, 'site_forbidden'],
    ])
  })

  test('domain: the hub shows it readings and settings of the site', async () => {
    const secret = await hub.key('viewer', ['alpha'])
    const ask = () =>
      hub.ask({ method: 'POST', url: '/api/v1/damp/check', payload: { site: 'alpha' }, secret })
    expect((await ask()).json()).toEqual({
      ...{ at: noon + 6000, humidityMax: 65, devices: ['alpha-air', 'alpha-meter'], limits: 0, hours: 1 },
    })
  })

  test('domain: predicts by the live model of a target, within its reach', async () => {
    const secret = await hub.key('viewer', ['alpha'])
    const ask = (site: string, subject: string) =>
      hub.ask({ method: 'POST', url: '/api/v1/damp/predict', payload: { site, subject }, secret })
    expect((await ask('alpha', 'alpha-meter')).json()).toEqual({
      version: versions.live,
      value: expect.any(Number),
    })
    expect((await ask('alpha', 'nothing')).statusCode).toBe(404)
    const refused = await ask('beta', `beta-${mark}-meter`)
    expect([refused.statusCode, refused.json().damp]).toEqual([403, 'site_forbidden'])
  })

  test('domain: limits of records, in rows per site and in bytes', async () => {
    const secret = await hub.key('admin')
    for (const room of ['a', 'b', 'c']) expect((await putLimit('alpha', room, secret)).statusCode).toBe(200)
    const full = await putLimit('alpha', 'd', secret)
    expect([full.statusCode, full.json().damp]).toEqual([409, 'records_full'])
    expect((await putLimit('alpha', 'a', secret, 50)).statusCode).toBe(200)
    expect((await putLimit('beta', 'd', secret)).statusCode).toBe(200)
    const records = createDomainHub(hub.hub, 'damp').records('notes')
    await expect(records.put(null, 'beta', 'long', 'ä'.repeat(50))).rejects.toMatchObject({
      code: 'record_too_large',
    })
    await expect(records.put(null, 'beta', 'fits', 'ä'.repeat(49))).resolves.toMatchObject({ key: 'fits' })
  })

  test('domain: its own kinds of records are separate from its settings and from other domains', async () => {
    const notes = createDomainHub(hub.hub, 'damp').records('notes')
    await notes.put(null, 'alpha', 'a', 1)
    const other = createDomainHub(hub.hub, 'energy')
    expect(await other.records('notes').list(null, 9)).toEqual([])
    expect(() => other.records('settings')).toThrow('"settings" is not a kind of records.')
  })

  test('domain: is in the OpenAPI document, and its records go with their site', async () => {
    const secret = await hub.key('admin')
    const { paths } = (await hub.ask({ url: '/openapi.json' })).json()
    expect(paths['/api/v1/damp/limits/{room}'].put).toMatchObject({
      ...{ summary: 'Set the limit of a room', operationId: 'damp.putLimit', tags: ['damp'] },
    })
    await putLimit('alpha', 'bath', secret)
    await putLimit('beta', 'bath', secret)
    await hub.ask({ method: 'DELETE', url: '/api/v1/sites/alpha', secret })
    const { length } = (await hub.ask({ url: '/damp/limits', secret })).json()
    expect(length).toBe(1)
  })
})

describe('settings of a site', () => {
  const url = '/api/v1/settings/damp?site=alpha'
  const put = (payload: object, secret: string) => hub.ask({ method: 'PUT', url, payload, secret })

  test('settings: of the site over those of the file over the defaults', async () => {
    const secret = await hub.key('admin', ['alpha'])
    const show = async () => (await hub.ask({ url, secret })).json()
    const named = { domain: 'damp', site: 'alpha' }
    expect(await show()).toEqual({ ...named, settings: { humidityMax: 65, rooms: [] }, own: {} })
    const own = { rooms: ['bath'] }
    const changed = { ...named, settings: { humidityMax: 65, rooms: ['bath'] }, own }
    expect((await put(own, secret)).json()).toEqual(changed)
    expect(await show()).toEqual(changed)
    const check = { method: 'POST', url: '/api/v1/damp/check', payload: { site: 'alpha' }, secret } as const
    await put({ humidityMax: 80 }, secret)
    expect((await hub.ask(check)).json()).toMatchObject({ humidityMax: 80 })
    await put({}, secret)
    expect((await hub.ask(check)).json()).toMatchObject({ humidityMax: 65 })
  })

  test.each([
    [{ humidityMax: 101 }, 'domains.damp.humidityMax'],
    [{ humidityMx: 50 }, 'humidityMx'],
    [{ rooms: 'bath' }, 'domains.damp.rooms'],
  ])('settings: %j are refused, and change nothing', async (payload, named) => {
    const secret = await hub.key('admin')
    await put({ humidityMax: 50 }, secret)
    const answer = await put(payload, secret)
    expect([answer.statusCode, answer.json().code]).toEqual([400, 'settings_invalid'])
    expect(answer.json().detail).toContain(named)
    expect((await hub.ask({ url, secret })).json().own).toEqual({ humidityMax: 50 })
  })

  test('settings: reach the monitors of the site at once', async () => {
    const secret = await hub.key('admin')
    const rules = [{ name: 'warm', metric: 'temperature', above: 25, level: 'info' }]
    const url = '/api/v1/settings/thresholds?site=alpha'
    expect((await hub.ask({ method: 'PUT', url, payload: { rules }, secret })).statusCode).toBe(200)
    const at = hub.clock.now()
    await hub.push(
      ['alpha', 'beta'].map((site) => ({ site, device: 'air', metric: 'temperature', value: 30, at })),
    )
    const alerts = await hub.ledger.alerts({ open: true }, 9)
    expect(alerts.filter(({ rule }) => rule === 'warm').map(({ target }) => target.site)).toEqual(['alpha'])
  })

  test('settings: of an unknown domain or site do not exist', async () => {
    const secret = await hub.key('admin')
    for (const path of ['/api/v1/settings/dampp?site=alpha', '/api/v1/settings/damp?site=gamma']) {
      expect((await hub.ask({ url: path, secret })).statusCode).toBe(404)
      expect((await hub.ask({ method: 'PUT', url: path, payload: {}, secret })).statusCode).toBe(404)
    }
    expect((await hub.ask({ url: '/api/v1/settings/damp', secret })).statusCode).toBe(400)
  })

  test('settings: that an older version kept and the schema refuses now are named', async () => {
    const secret = await hub.key('admin')
    const record = { site: 'alpha', domain: 'damp', kind: 'settings', key: '', at: 1, body: { old: true } }
    await hub.ledger.records.put([record], 10)
    const answer = await hub.ask({ url, secret })
    expect([answer.statusCode, answer.json().code]).toEqual([400, 'settings_invalid'])
    expect((await put({}, secret)).statusCode).toBe(200)
  })
})
