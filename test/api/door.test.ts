import { afterEach, describe, expect, test } from 'vitest'
import type { Route } from '../../src/contract/route.ts'
import { routes } from '../../src/contract/routes.ts'
import type { Reading } from '../../src/core/reading.ts'
import { createMemoryReadings } from '../../src/stores/readings/memory.ts'
import { loopbackHost, startTestHub, type TestHub, type TestHubOptions } from '../hub.ts'

/** Who is let in by where the request comes from, and what everybody gets to see. */

let hub: TestHub
const start = async (options: TestHubOptions = {}): Promise<void> => {
  hub = await startTestHub({ open: true, ...options })
}
afterEach(async () => {
  expect(hub.errors).toEqual([])
  await hub.close()
})

const everywhere = [...Object.values<Route>(routes), ...pageRoutes()]

function pageRoutes(): Pick<Route, 'method' | 'path'>[] {
  const paths = [
    '/',
    '/metrics',
    '/docs',
    '/openapi.json',
    '/nothing',
    '/model/info',
    '/model/nothing',
    '/config',
  ]
  return paths.map((path) => ({ method: 'GET', path }))
}

describe('a hub that is open to this machine', () => {
  test.each(everywhere)(
    '$method $path is closed to a name that was bent to loopback',
    async ({ method, path }) => {
      await start()
      for (const host of [
        'evil.example',
        'evil.example:8000',
        '127.0.0.1.evil.example',
        'localhost.evil.example',
        '192.168.1.5',
        '0.0.0.0:8000',
      ]) {
        const answer = await hub.ask({ method, url: path, headers: { host } })
        expect([host, answer.statusCode]).toEqual([host, 403])
        expect(answer.body).toContain('Host header')
      }
    },
  )

  test.each(everywhere)('$method $path is closed to pages from elsewhere', async ({ method, path }) => {
    await start()
    for (const origin of [
      'https://evil.example',
      'http://127.0.0.1:9999',
      'http://localhost:8000',
      'null',
      'file://',
      '',
    ]) {
      const answer = await hub.ask({ method, url: path, headers: { origin } })
      expect([origin, answer.statusCode]).toEqual([origin, 403])
      expect(answer.body).toContain('Origin header')
    }
  })

  test('takes the names of loopback, and its own page', async () => {
    await start()
    for (const host of [
      '127.0.0.1',
      '127.0.0.1:8000',
      'localhost:8000',
      'LOCALHOST:8000',
      '[::1]:8000',
      '127.1.2.3:80',
    ]) {
      const answer = await hub.ask({ url: '/api/v1/sites', headers: { host } })
      expect([host, answer.statusCode]).toEqual([host, 200])
    }
    const headers = { origin: `http://${loopbackHost}` }
    expect((await hub.ask({ url: '/api/v1/sites', headers })).statusCode).toBe(200)
  })

  test('lets no other page read an answer: there is no CORS header', async () => {
    await start()
    const asked = { method: 'OPTIONS', url: '/api/v1/readings' } as const
    const headers = { origin: 'https://evil.example', 'access-control-request-method': 'POST' }
    for (const request of [{ ...asked, headers }, { ...asked }, { url: '/api/v1/sites' }]) {
      const answer = await hub.ask(request)
      expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control'))).toEqual([])
    }
  })

  test('obeys a key where one is sent, and does not fall back on being open', async () => {
    await start()
    const secret = await hub.key('viewer')
    expect((await hub.ask({ url: '/api/v1/keys', secret })).statusCode).toBe(403)
    expect((await hub.ask({ url: '/api/v1/keys', secret: 'hs_000000000000_x' })).statusCode).toBe(401)
    const headers = { authorization: 'Basic YTpi' }
    expect((await hub.ask({ url: '/api/v1/keys', headers })).statusCode).toBe(401)
  })
})

describe('every answer', () => {
  test.each(['/', '/metrics'])('%s is kept from being framed, sniffed or scripted by others', async (url) => {
    await start()
    const answer = await hub.ask({ url, headers: { accept: 'text/html' } })
    expect(answer.headers).toMatchObject({
      'x-frame-options': 'SAMEORIGIN',
      'referrer-policy': 'no-referrer',
      'cross-origin-resource-policy': 'same-origin',
    })
    const policy = String(answer.headers['content-security-policy'])
    expect(policy).toMatch(/default-src 'self'/)
    expect(policy).toMatch(/frame-ancestors 'none'/)
    expect(policy).not.toMatch(/script-src[^;]*'unsafe/)
    // plain HTTP on a home network stays plain
    expect(answer.headers).not.toHaveProperty('strict-transport-security')
    expect(policy).not.toContain('upgrade-insecure-requests')
  })

  test.each(['/', '/api/v1/sites', '/nothing', '/docs/', '/openapi.json', '/metrics'])(
    '%s is what its type says, and does not say what the hub is made of',
    async (url) => {
      await start()
      const answer = await hub.ask({ url })
      expect(answer.headers['x-content-type-options']).toBe('nosniff')
      expect(answer.headers).not.toHaveProperty('x-powered-by')
      expect(answer.headers).not.toHaveProperty('server')
    },
  )

  test('is for HEAD what it is for GET, without a body', async () => {
    await start({ open: false })
    expect((await hub.ask({ method: 'HEAD', url: '/api/v1/sites' })).statusCode).toBe(401)
    const answer = await hub.ask({ method: 'HEAD', url: '/livez' })
    expect([answer.statusCode, answer.body]).toEqual([200, ''])
  })
})

describe('GET /', () => {
  test.each([undefined, 'application/json', '*/*'])('with Accept %s says ok', async (accept) => {
    await start()
    const answer = await hub.ask({ url: '/', headers: accept === undefined ? {} : { accept } })
    expect([answer.statusCode, answer.json()]).toEqual([200, { status: 'ok' }])
  })

  test('is the page for a browser, also where a key is needed', async () => {
    await start({ open: false })
    const headers = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' }
    const answer = await hub.ask({ url: '/', headers })
    // without a built page a browser, too, gets JSON
    const type = String(answer.headers['content-type'])
    if (type.startsWith('application/json')) return expect(answer.json()).toEqual({ status: 'ok' })
    expect(type).toBe('text/html; charset=utf-8')
    const parts = [...answer.body.matchAll(/(?:src|href)="\.\/([^"]+\.(?:js|css))"/g)].map(([, part]) => part)
    expect(parts.length).toBeGreaterThan(0)
    for (const part of parts) expect((await hub.ask({ url: `/${part}` })).statusCode).toBe(200)
  })
})

describe('the documents', () => {
  test.each(['/docs', '/docs/', '/docs/static/index.html', '/docs/json'])('%s loads', async (url) => {
    await start()
    const answer = await hub.ask({ url })
    expect([200, 302]).toContain(answer.statusCode)
  })

  test('/openapi.json describes every route of the contract, and every reference in it leads somewhere', async () => {
    await start()
    const api = (await hub.ask({ url: '/openapi.json' })).json()
    expect(api.openapi).toMatch(/^3\.\d\.\d$/)
    expect(api.info).toMatchObject({ title: 'Homeostat', version: '0.0.0-test' })
    const described = new Set<string>()
    const named = new Set<string>()
    for (const [path, methods] of Object.entries<Record<string, Operation>>(api.paths)) {
      for (const [method, operation] of Object.entries(methods)) {
        described.add(`${method.toUpperCase()} ${path.replace(/\{(\w+)\}/g, ':$1')}`)
        const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
        const parameters = operation.parameters ?? []
        expect(parameters.filter((one) => one.in === 'path').map(({ name }) => name)).toEqual(inPath)
        for (const parameter of parameters) expect(parameter.schema).toBeTypeOf('object')
        expect(operation.summary).toMatch(/./)
        expect(operation.responses['200']?.description).toBeTypeOf('string')
        if (operation.operationId !== undefined) named.add(operation.operationId)
      }
    }
    const mounted = hub.server.gate.mounted.filter(({ socket }) => !socket)
    expect([...described].sort()).toEqual(mounted.map(({ route, url }) => `${route.method} ${url}`).sort())
    expect([...named]).toEqual(expect.arrayContaining([...Object.keys(routes), 'care-hub.event']))
    for (const [, reference] of JSON.stringify(api).matchAll(/"\$ref":"#\/([^"]+)"/g)) {
      const target = (reference ?? '').split('/').reduce((at, part) => at?.[part], api)
      expect([reference, typeof target]).toEqual([reference, 'object'])
    }
  })
})

interface Operation {
  readonly operationId?: string
  readonly summary?: string
  readonly parameters?: readonly { readonly in: string; readonly name: string; readonly schema?: unknown }[]
  readonly responses: Readonly<Record<string, { readonly description?: string }>>
}

describe('too much', () => {
  test('requests of one client are answered with 429, readings are not', async () => {
    await start({ limits: { requestsPerMinute: 3 } })
    const codes = []
    for (let request = 0; request < 5; request++)
      codes.push((await hub.ask({ url: '/api/v1/sites' })).statusCode)
    expect(codes).toEqual([200, 200, 200, 429, 429])
    const refused = await hub.ask({ url: '/api/v1/sites' })
    expect(refused.json().code).toBe('rate_limited')
    expect(refused.headers['content-type']).toContain('application/problem+json')
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0)
    const payload = { device: 'lamp', metric: 'power', value: 1 }
    for (let row = 0; row < 5; row++)
      expect((await hub.ask({ method: 'POST', url: '/api/v1/readings', payload })).statusCode).toBe(200)
  })

  test('readings at once are told to come again, and are taken then', async () => {
    const memory = createMemoryReadings()
    let open = (): void => undefined
    const gate = new Promise<void>((resolve) => {
      open = resolve
    })
    const readings = {
      ...memory,
      append: async (rows: readonly Reading[]) => {
        await gate
        return memory.append(rows)
      },
    }
    await start({ readings, limits: { inboxReadings: 4 }, engine: { turnReadings: 2 } })
    const payload = [1, 2].map((value) => ({ device: `lamp-${value}`, metric: 'power', value }))
    const push = () => hub.ask({ method: 'POST', url: '/api/v1/readings', payload })
    const slow = [push(), push()]
    await expect.poll(() => hub.engine.isFull('push')).toBe(true)
    const refused = await push()
    expect([refused.statusCode, refused.json().code]).toEqual([503, 'overloaded'])
    expect(refused.headers['retry-after']).toBe('1')
    open()
    for (const answer of await Promise.all(slow)) expect(answer.json()).toEqual({ accepted: 2, rejected: [] })
    expect((await push()).statusCode).toBe(200)
  })
})
