import { connect } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { startTestHub, type TestHub, type TestHubOptions } from '../hub.ts'

/** Pages of other origins, methods, and clients that are slow or do not speak HTTP. */

let hub: TestHub
const start = async (options: TestHubOptions = {}): Promise<void> => {
  hub = await startTestHub(options)
}
afterEach(async () => {
  expect(hub.errors).toEqual([])
  await hub.close()
})

describe('cors.origins', () => {
  const panel = 'https://panel.example.org'
  const edge = { origins: [panel] }

  test('a page of such an origin may ask with a key; the preflight names what it may send', async () => {
    await start({ edge })
    const preflight = await hub.ask({
      ...{ method: 'OPTIONS', url: '/api/v1/readings' },
      headers: { origin: panel, 'access-control-request-method': 'POST' },
    })
    expect(preflight.statusCode).toBe(204)
    expect(preflight.headers).toMatchObject({
      'access-control-allow-origin': panel,
      'access-control-allow-methods': expect.stringContaining('PUT, PATCH'),
      'access-control-allow-headers': expect.stringContaining('authorization'),
    })
    const secret = await hub.key('viewer')
    const answer = await hub.ask({ url: '/api/v1/sites', secret, headers: { origin: panel } })
    expect(answer.statusCode).toBe(200)
    expect(answer.headers['access-control-allow-origin']).toBe(panel)
    expect(answer.headers['vary']).toContain('Origin')
    expect(answer.headers).not.toHaveProperty('access-control-allow-credentials')
    const refused = await hub.ask({ url: '/api/v1/sites', headers: { origin: panel } })
    // the page can read why
    expect([refused.statusCode, refused.headers['access-control-allow-origin']]).toEqual([401, panel])
  })

  test.each([
    'https://panel.example.org.evil.example',
    'http://panel.example.org',
    'https://panel.example.org:8443',
    'https://evil.example',
    'null',
    '*',
  ])('a page of %s may not', async (origin) => {
    await start({ edge })
    const asked = { url: '/api/v1/sites', headers: { origin, 'access-control-request-method': 'GET' } }
    for (const method of ['GET', 'OPTIONS'] as const) {
      const answer = await hub.ask({ ...asked, method })
      expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control'))).toEqual([])
    }
  })

  test('a hub that is open to this machine takes them, too, and no others', async () => {
    await start({ open: true, edge })
    expect((await hub.ask({ url: '/api/v1/sites', headers: { origin: panel } })).statusCode).toBe(200)
    const evil = await hub.ask({ url: '/api/v1/sites', headers: { origin: 'https://evil.example' } })
    expect(evil.statusCode).toBe(403)
  })
})

describe('methods', () => {
  test.each([
    ['TRACE', '/api/v1/sites'],
    ['TRACE', '/nothing'],
    ['TRACE', '/model/info'],
    ['PATCH', '/api/v1/keys/abc'],
    ['DELETE', '/livez'],
    ['PUT', '/api/v1/sites'],
  ] as const)('%s %s is 405 with the methods that are taken', async (method, url) => {
    await start()
    const answer = await hub.ask({ method: method as 'GET', url })
    expect([answer.statusCode, answer.json().code]).toEqual([405, 'method_not_allowed'])
    if (method !== 'TRACE') expect(answer.headers['allow']).toMatch(/^(GET, HEAD|DELETE)/)
  })

  test.each([
    ['BREW /coffee HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n', 405, 'method_not_allowed'],
    ['\u0016\u0003\u0001 this is TLS\r\n\r\n', 405, 'method_not_allowed'],
    [`GET / HTTP/1.1\r\nHost: x\r\nX-Long: ${'x'.repeat(20_000)}\r\n\r\n`, 431, 'headers_too_large'],
    ['GET / HTTP/1.1\r\nHost 127.0.0.1\r\n\r\n', 400, 'request_invalid'],
  ])('what is not HTTP is answered in the form of every error: %.20j', async (text, status, code) => {
    await start()
    const answer = await raw(await hub.listen(), text)
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
    expect(JSON.parse(answer.split('\r\n\r\n')[1] ?? '')).toMatchObject({ status, code })
  })
})

describe('slow clients', () => {
  test.each([
    ['headers', 'GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: '],
    [
      'a body',
      'POST /api/v1/readings HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n[',
    ],
  ])(
    'connections that send %s byte by byte are closed',
    async (_, begun) => {
      await start({ open: true, limits: { headersSeconds: 1, requestSeconds: 1 } })
      const port = await hub.listen()
      const sockets = Array.from({ length: 30 }, () => {
        const socket = connect(port, '127.0.0.1', () => socket.write(begun))
        const drip = setInterval(() => socket.write(' '), 200)
        socket.on('error', () => undefined)
        socket.resume()
        return new Promise((resolve) =>
          socket.once('close', () => {
            clearInterval(drip)
            resolve(undefined)
          }),
        )
      })
      await Promise.all(sockets)
      expect((await hub.ask({ url: '/livez' })).statusCode).toBe(200)
    },
    30_000,
  )
})

function raw(port: number, text: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(text))
    let answer = ''
    socket.on('data', (chunk) => {
      answer += chunk
    })
    socket.on('error', () => undefined)
    socket.once('close', () => resolve(answer))
  })
}

describe('trustProxy', () => {
  const forwarded = {
    'x-forwarded-for': '203.0.113.7',
    'x-forwarded-proto': 'https',
    'x-forwarded-host': 'home.example',
  }
  const credentials = { name: 'Maria', password: 'correct horse' }
  const signIn = (remoteAddress: string) =>
    hub.ask({
      method: 'POST',
      url: '/api/v1/session',
      payload: credentials,
      remoteAddress,
      headers: forwarded,
    })

  test.each([
    ['named', '10.0.0.2', true],
    ['in a named network', '10.1.2.3', true],
    ['any other', '10.0.0.3', false],
  ])('headers of a proxy that is %s: the address and HTTPS that they tell', async (_, proxy, isTrusted) => {
    await start({ trustProxy: ['10.0.0.2', '10.1.0.0/16'] })
    const { id } = await hub.hub.people.create({ ...credentials, role: 'viewer', sites: null })
    const answer = await signIn(proxy)
    expect(answer.statusCode).toBe(200)
    expect(String(answer.headers['set-cookie']).includes('Secure')).toBe(isTrusted)
    expect(hub.hub.people.sessionsOf(id)[0]?.address).toBe(isTrusted ? '203.0.113.7' : proxy)
  })

  test('no proxy is trusted by default', async () => {
    await start()
    const { id } = await hub.hub.people.create({ ...credentials, role: 'viewer', sites: null })
    await signIn('127.0.0.1')
    expect(hub.hub.people.sessionsOf(id)[0]?.address).toBe('127.0.0.1')
  })
})
