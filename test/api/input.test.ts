import type { InjectOptions } from 'fastify'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { routes } from '../../src/contract/routes.ts'
import { problemReply } from '../../src/contract/schemas.ts'
import { startTestHub, type TestHub } from '../hub.ts'

/** What people, scripts and attackers send, and what they are told. */

let hub: TestHub
beforeEach(async () => {
  hub = await startTestHub({ open: true, limits: { bodyBytes: 1024 * 1024, batchReadings: 10_000 } })
})
afterEach(async () => {
  // nothing of it is a bug of the hub, and readings are still taken
  expect(hub.errors).toEqual([])
  expect(await hub.push([{ device: 'after', metric: 'power', value: 1 }])).toMatchObject({ accepted: 1 })
  await hub.close()
})

const path = '/api/v1/readings'
const json = { 'content-type': 'application/json' }
const send = (payload: InjectOptions['payload'], headers: Record<string, string> = json) =>
  hub.ask({ method: 'POST', url: path, headers, ...(payload === undefined ? {} : { payload }) })
const good = { device: 'lamp', metric: 'power', value: 5 }
const nested = (levels: number): string => `${'['.repeat(levels)}${']'.repeat(levels)}`
const stored = async (): Promise<readonly Record<string, unknown>[]> =>
  (await hub.ask({ url: `${path}?limit=10000` })).json().items

describe('a body that is no list of readings', () => {
  const bodies: readonly (readonly [string, string, number, string])[] = [
    ['nothing', '', 400, 'request_invalid'],
    ['half of it', '{"device":"lamp"', 400, 'request_invalid'],
    ['null', 'null', 400, 'request_invalid'],
    ['a number', '5', 400, 'request_invalid'],
    ['a text', '"lamp"', 400, 'request_invalid'],
    ['readings that are no list', '{"readings":{}}', 400, 'request_invalid'],
    ['a megabyte and more', `[${'{},'.repeat(400_000)}{}]`, 413, 'body_too_large'],
    ['10,001 rows', JSON.stringify(Array(10_001).fill({})), 413, 'batch_too_large'],
  ]
  test.each(bodies)('%s', async (_, body, status, code) => {
    const answer = await send(body)
    expect([answer.statusCode, answer.json().code]).toEqual([status, code])
    expect(answer.headers['content-type']).toContain('application/problem+json')
    expect(problemReply.strict().parse(answer.json()).detail).not.toBe('')
    expect(await stored()).toEqual([])
  })

  test.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'application/xml',
    'multipart/form-data; boundary=x',
  ])('sent as %s, which a form of another page could', async (type) => {
    const answer = await send(JSON.stringify(good), { 'content-type': type })
    expect([answer.statusCode, answer.json().code]).toEqual([400, 'request_invalid'])
  })

  test('an empty list is nothing, and is no error', async () => {
    const answer = await send('[]')
    expect([answer.statusCode, answer.json()]).toEqual([200, { accepted: 0, rejected: [] }])
  })
})

describe('rows', () => {
  const rows: readonly (readonly [string, unknown, string])[] = [
    ['a number', 5, 'reading_not_object'],
    ['null', null, 'reading_not_object'],
    ['a list', [1], 'reading_not_object'],
    ['nothing', {}, 'field_missing'],
    ['no metric', { device: 'lamp', value: 1 }, 'field_missing'],
    ['no value', { device: 'lamp', metric: 'power' }, 'field_missing'],
    ['text for a value', { ...good, value: 'much' }, 'value_not_number'],
    ['a list for a value', { ...good, value: [1] }, 'value_not_number'],
    ['null for a value', { ...good, value: null }, 'value_not_number'],
    ['infinity', { ...good, value: '1e999' }, 'value_not_number'],
    ['an empty device', { ...good, device: '' }, 'id_invalid'],
    ['a device of 129 characters', { ...good, device: 'x'.repeat(129) }, 'id_invalid'],
    ['a line break in the device', { ...good, device: 'a\nb' }, 'id_invalid'],
    ['a NUL in the site', { ...good, site: 'a\u0000b' }, 'id_invalid'],
    ['the separator of series in the metric', { ...good, metric: 'a\u001fb' }, 'id_invalid'],
    ['an object for a device', { ...good, device: { toString: 1 } }, 'id_invalid'],
    ['an object for a site', { ...good, site: { toString: 1, valueOf: 1 } }, 'id_invalid'],
    ['a foreign unit', { ...good, unit: 'degC' }, 'unit_unknown'],
    ['a list for a unit', { ...good, unit: ['W'] }, 'unit_invalid'],
    ['seconds for ms', { ...good, at: 1_772_452_800 }, 'at_invalid'],
    ['a time in the far future', { ...good, at: '2999-01-01T00:00:00Z' }, 'at_in_future'],
    ['no time at all', { ...good, at: 'soon' }, 'at_invalid'],
    ['an object for a time', { ...good, at: {} }, 'at_invalid'],
  ]

  test('bad ones are named by their index and kept in quarantine; good ones among them are stored', async () => {
    const mixed = rows.flatMap(([, row], index) => [row, { ...good, device: `good-${index}` }])
    const answer = await send(JSON.stringify(mixed))
    expect(answer.statusCode).toBe(200)
    const { accepted, rejected } = routes.push.reply.parse(answer.json())
    expect(accepted).toBe(rows.length)
    expect(rejected.map(({ index, code }) => [index, code])).toEqual(
      rows.map(([, , code], index) => [2 * index, code]),
    )
    for (const { message } of rejected) expect(message).not.toMatch(/\{\w+\}/)
    expect((await stored()).map(({ device }) => device).sort()).toEqual(
      rows.map((_, index) => `good-${index}`).sort(),
    )
    const { items } = (await hub.ask({ url: '/api/v1/quarantine?limit=1000' })).json()
    const codes = items.map(({ code }: { code: string }) => code).reverse()
    expect(codes).toEqual(rows.map(([, , code]) => code))
    expect((await hub.ask({ url: '/health' })).json()).toMatchObject({
      readings_stored: rows.length,
      quarantined: rows.length,
    })
  })

  test('a batch without a good row is answered with 400 and the error of each row', async () => {
    const answer = await send('[{}, 5]')
    expect(answer.statusCode).toBe(400)
    expect(routes.push.reply.parse(answer.json())).toMatchObject({
      accepted: 0,
      rejected: [{ index: 0 }, { index: 1 }],
    })
  })

  test.each([
    ['one row', JSON.stringify(good)],
    ['a list', JSON.stringify([good])],
    ['an object with readings', JSON.stringify({ readings: [good] })],
    ['UTF-8 named in the type', JSON.stringify(good), 'application/json; charset=utf-8'],
  ])('%s is taken', async (_, body, type = 'application/json') => {
    const answer = await send(body, { 'content-type': type })
    expect([answer.statusCode, answer.json()]).toEqual([200, { accepted: 1, rejected: [] }])
  })

  test.each([
    ['a value', (deep: string) => `{"device":"lamp","metric":"power","value":${deep}}`],
    ['a device', (deep: string) => `{"device":${deep},"metric":"power","value":1}`],
    ['a time', (deep: string) => `{"device":"lamp","metric":"power","value":1,"at":${deep}}`],
    ['a row', (deep: string) => deep],
    ['an unknown field', (deep: string) => `{"device":"lamp","metric":"power","x":${deep}}`],
  ])(
    '%s that is nested deep is refused by itself, and with its body where it is nested deeper',
    async (_, row) => {
      for (const [levels, status] of [
        [40, 200],
        [2000, 400],
        [200_000, 400],
      ] as const) {
        const answer = await send(
          `[${row(nested(levels))},${JSON.stringify({ ...good, device: `g${levels}` })}]`,
        )
        expect(answer.statusCode).toBe(status)
        if (status === 200) expect(answer.json().accepted).toBe(1)
        else
          expect(answer.json()).toMatchObject({
            code: 'request_invalid',
            detail: expect.stringContaining('64 levels deep'),
          })
      }
      expect(await stored()).toHaveLength(1)
    },
  )

  test('keys that would poison a prototype change nothing', async () => {
    const body = `[{"__proto__":{"device":"ghost","metric":"power","value":1,"site":"x"}},
      {"device":"lamp","metric":"power","value":1,"__proto__":{"room":"x"},"constructor":{"prototype":{"unit":"x"}}}]`
    const answer = await send(body)
    expect(answer.json()).toMatchObject({ accepted: 1, rejected: [{ index: 0, code: 'field_missing' }] })
    expect(await stored()).toMatchObject([{ device: 'lamp', unit: 'W', site: 'home' }])
    expect((await stored())[0]).not.toHaveProperty('room')
    expect(Object.hasOwn(Object.prototype, 'device')).toBe(false)
  })

  test.each([
    'Küche',
    'λάμπα',
    '灯 🔆',
    '../../etc/passwd',
    "x'; DROP TABLE readings; --",
    '<script>',
    '%2e',
    '__proto__',
  ])('the name %s is a name like any other', async (name) => {
    const answer = await send(JSON.stringify({ ...good, site: name, device: name, metric: name, room: name }))
    expect(answer.json()).toEqual({ accepted: 1, rejected: [] })
    const place = new URLSearchParams({ site: name, device: name, metric: name }).toString()
    expect((await hub.ask({ url: `${path}?${place}` })).json().items).toMatchObject([
      { site: name, device: name },
    ])
    for (const list of ['latest', 'series']) {
      const { items } = (await hub.ask({ url: `/api/v1/${list}?${place}` })).json()
      expect(items).toMatchObject([{ site: name, device: name, metric: name, room: name }])
    }
    expect((await hub.ask({ url: `/api/v1/window?${place}` })).json().items).toHaveLength(1)
    expect((await hub.ask({ url: `/api/v1/rollups?${place}` })).json().items).toHaveLength(1)
    const url = `/api/v1/sites/${encodeURIComponent(name)}`
    expect((await hub.ask({ method: 'DELETE', url })).json()).toEqual({ removed: name })
    expect(await stored()).toEqual([])
  })

  test('a site with the longest name can be erased', async () => {
    const site = '灯'.repeat(64)
    await hub.push([{ ...good, site }])
    const url = `/api/v1/sites/${encodeURIComponent(site)}`
    expect((await hub.ask({ method: 'DELETE', url })).json()).toEqual({ removed: site })
  })
})

describe('a question', () => {
  const series = 'site=home&device=lamp&metric=power'
  const questions: readonly (readonly [string, number, string])[] = [
    ['/api/v1/readings?limit=0', 400, 'request_invalid'],
    ['/api/v1/readings?limit=-1', 400, 'request_invalid'],
    ['/api/v1/readings?limit=1.5', 400, 'request_invalid'],
    ['/api/v1/readings?limit=ten', 400, 'request_invalid'],
    ['/api/v1/readings?limit=10001', 400, 'request_invalid'],
    ['/api/v1/readings?limit=99999999999999999999', 400, 'request_invalid'],
    ['/api/v1/quarantine?limit=1001', 400, 'request_invalid'],
    ['/api/v1/latest?limit=10001', 400, 'request_invalid'],
    ['/api/v1/readings?site=a&site=b', 400, 'request_invalid'],
    ['/api/v1/readings?from=yesterday', 400, 'request_invalid'],
    ['/api/v1/readings?from=12:00:00', 400, 'request_invalid'],
    ['/api/v1/readings?from=9999999999999999999999', 400, 'request_invalid'],
    ['/api/v1/readings?to=-9999999999999999999999', 400, 'request_invalid'],
    [`/api/v1/rollups?${series}&from=nonsense`, 400, 'request_invalid'],
    ['/api/v1/window?site=home', 400, 'request_invalid'],
    [`/api/v1/window?${series}`, 404, 'not_found'],
    [`/api/v1/rollups?${series}`, 404, 'not_found'],
    ['/api/v1/nothing', 404, 'not_found'],
    ['/api/v1/sites/%zz', 400, 'request_invalid'],
    ['/api/v1/%00', 404, 'not_found'],
    ['/../etc/passwd', 404, 'not_found'],
    ['/..%2f..%2fpackage.json', 404, 'not_found'],
  ]
  test.each(questions)('%s', async (url, status, code) => {
    const answer = await hub.ask({ url })
    expect([answer.statusCode, answer.json().code]).toEqual([status, code])
    expect(answer.headers['content-type']).toContain('application/problem+json')
    problemReply.strict().parse(answer.json())
  })

  test('may give its time as ISO 8601 or as milliseconds', async () => {
    const at = Date.parse('2026-03-02T12:00:00Z')
    await hub.push([0, 1, 2].map((step) => ({ ...good, at: at + step * 1000, value: step })))
    for (const [from, to] of [
      [at + 1000, at + 2000],
      ['2026-03-02T12:00:01Z', '2026-03-02T12:00:02Z'],
      ['2026-03-02T12:00:01', '2026-03-02T12:00:02.000'],
      ['2026-03-02T13:00:01%2B01:00', '2026-03-02 13:00:02%2B01:00'],
    ]) {
      const { items } = (await hub.ask({ url: `${path}?from=${from}&to=${to}` })).json()
      expect(items).toMatchObject([{ at: at + 1000, value: 1 }])
    }
    const before1970 = await hub.ask({ url: `${path}?from=-1000&to=0` })
    expect(before1970.json()).toEqual({ items: [], next: null })
  })

  test.each([
    ['DELETE', '/api/v1/sites/nowhere'],
    ['DELETE', '/api/v1/keys/000000000000'],
  ] as const)('%s %s finds nothing', async (method, url) => {
    const answer = await hub.ask({ method, url })
    expect([answer.statusCode, answer.json().code]).toEqual([404, 'not_found'])
  })

  test.each([
    ['POST', '/api/v1/latest'],
    ['PUT', '/api/v1/readings'],
    ['DELETE', '/api/v1/sites'],
  ] as const)('%s %s: the path is there for other methods', async (method, url) => {
    const answer = await hub.ask({ method, url })
    expect([answer.statusCode, answer.json().code]).toEqual([405, 'method_not_allowed'])
  })

  test.each([
    ['no name', { role: 'viewer' }],
    ['an unknown role', { name: 'x', role: 'root' }],
    ['a key it does not know', { name: 'x', role: 'viewer', sha256: 'x' }],
    ['no site at all', { name: 'x', role: 'viewer', sites: [] }],
    ['a list', []],
  ])('for a new key with %s makes none', async (_, payload) => {
    const answer = await hub.ask({ method: 'POST', url: '/api/v1/keys', payload })
    expect([answer.statusCode, answer.json().code]).toEqual([400, 'request_invalid'])
    expect((await hub.ask({ url: '/api/v1/keys' })).json().items).toEqual([])
  })
})

describe('a hub of its own', () => {
  // `typeByMetric` of the engine's directory is a plain object: the metric finds Object's own function there, no
  // ledger takes that as the type of a device, and the row is tried again with every later commit
  test('a metric called constructor is a metric like any other', async () => {
    const own = await startTestHub({ open: true })
    try {
      await own.push([{ ...good, metric: 'constructor' }])
    } finally {
      await own.close()
    }
  })
})
