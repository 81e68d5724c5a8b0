import type { InjectOptions, LightMyRequestResponse } from 'fastify'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { Networks } from '../../src/api/networks.ts'
import { loopbackHost, startTestHub, type TestHub, type TestHubOptions } from '../hub.ts'
import { VirtualClock } from '../virtual-clock.ts'

/** People who sign in: sessions by cookie, tokens, what ends them, and what a page elsewhere cannot do with them. */

const password = 'correct horse'
const own = `http://${loopbackHost}`
const fromPage = { origin: own, 'sec-fetch-site': 'same-origin' }

let hub: TestHub
const start = async (options: TestHubOptions = {}): Promise<void> => {
  hub = await startTestHub(options)
}
afterEach(async () => {
  expect(hub.errors).toEqual([])
  await hub.close()
})

const addUser = (name: string, change: Partial<Parameters<TestHub['hub']['people']['create']>[0]> = {}) =>
  hub.hub.people.create({ name, role: 'admin', sites: null, password, ...change })

const signIn = (name: string, secret = password, more: InjectOptions = {}) =>
  hub.ask({
    ...{ method: 'POST', url: '/api/v1/session', payload: { name, password: secret }, headers: fromPage },
    ...more,
  })

const cookieOf = (answer: LightMyRequestResponse): string =>
  String(answer.headers['set-cookie']).split(';')[0] ?? ''

const login = (name: string) => hub.ask({ method: 'POST', url: '/api/v1/login', payload: { name, password } })

const refresh = (token: string) =>
  hub.ask({ method: 'POST', url: '/api/v1/login/refresh', payload: { refresh_token: token } })

const codeOf = (answer: LightMyRequestResponse): unknown[] => [answer.statusCode, answer.json().code]

describe('signing in', () => {
  beforeEach(() => start())

  test('session cookie: scripts and other sites do not get it, and it opens what the role allows', async () => {
    await addUser('Maria', { role: 'viewer' })
    const answer = await signIn('maria')
    expect(answer.json()).toEqual({ name: 'Maria', kind: 'user', role: 'viewer', sites: null })
    const text = String(answer.headers['set-cookie'])
    expect(text).toMatch(
      /^homeostat_session=hu_\w{12}_[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=(25919\d\d|2592000)$/,
    )
    const headers = { cookie: cookieOf(answer) }
    expect((await hub.ask({ url: '/api/v1/sites', headers })).statusCode).toBe(200)
    expect(codeOf(await hub.ask({ url: '/api/v1/users', headers }))).toEqual([403, 'role_too_low'])
    const me = await hub.ask({ url: '/api/v1/me', headers })
    expect(me.json()).toMatchObject({ name: 'Maria', kind: 'user' })
  })

  test('session cookie: a key that is sent beside it counts, and a foreign cookie is no session', async () => {
    await addUser('Maria')
    const cookie = cookieOf(await signIn('Maria'))
    const secret = await hub.key('viewer')
    expect((await hub.ask({ url: '/api/v1/me', secret, headers: { cookie } })).json().kind).toBe('key')
    const changed = `${cookie.slice(0, -1)}${cookie.endsWith('A') ? 'B' : 'A'}`
    for (const bad of [changed, 'homeostat_session=', 'homeostat_session=hu_x', `x${cookie}`]) {
      const answer = await hub.ask({ url: '/api/v1/me', headers: { cookie: bad } })
      expect([bad, answer.statusCode]).toEqual([bad, 401])
    }
  })

  test.each([
    ['Maria', 'wrong horse'],
    ['Nobody', password],
    ['Maria', ''],
  ])('sign-in as %s with %j is refused, and does not tell whether the name exists', async (name, wrong) => {
    await addUser('Maria')
    const answer = await signIn(name, wrong)
    if (wrong === '') expect(answer.statusCode).toBe(400)
    else expect(codeOf(answer)).toEqual([401, 'sign_in_failed'])
    expect(answer.headers).not.toHaveProperty('set-cookie')
  })

  test('sign-in: the right password counts however its characters are composed', async () => {
    await addUser('Zoë', { password: 'caf\u00e9 au lait' })
    expect((await signIn('zoe\u0308', 'cafe\u0301 au lait')).statusCode).toBe(200)
  })

  test('passwords and secrets are kept as hashes only', async () => {
    await addUser('Maria')
    const cookie = cookieOf(await signIn('Maria'))
    const { refresh_token } = (await login('Maria')).json()
    const kept = JSON.stringify([await hub.ledger.people.users(), await hub.ledger.people.sessions()])
    for (const secret of [password, cookie.split('=')[1] ?? '', refresh_token])
      expect(kept).not.toContain(secret)
    expect(kept).toContain('"n":1024')
  })

  test('password hashes are renewed with the parameters of today when the user signs in', async () => {
    const { id } = await addUser('Maria')
    const [user] = await hub.ledger.people.users()
    const later = await startTestHub({
      ledger: hub.ledger,
      people: { passwordCost: { n: 2048, r: 8, p: 1 } },
    })
    expect(user?.password.n).toBe(1024)
    const asked = { method: 'POST', url: '/api/v1/session', payload: { name: 'Maria', password } } as const
    expect((await later.ask(asked)).statusCode).toBe(200)
    expect(later.hub.people.user(id)?.password.n).toBe(2048)
    expect((await later.ask(asked)).statusCode).toBe(200)
    await later.close()
  })
})

describe('too many sign-ins', () => {
  test('by name: refused also with the right password, others go on', async () => {
    await start({ people: { attemptsPerName: 3 } })
    await addUser('Maria')
    await addUser('Peter')
    for (let attempt = 0; attempt < 3; attempt++) await signIn('MARIA', 'wrong horse')
    expect(codeOf(await signIn('Maria'))).toEqual([429, 'rate_limited'])
    expect(codeOf(await login('Maria'))).toEqual([429, 'rate_limited'])
    expect((await signIn('Peter')).statusCode).toBe(200)
  })

  test('by address: whatever names are tried', async () => {
    await start({ people: { attemptsPerAddress: 3 } })
    await addUser('Maria')
    const guesses = await Promise.all(['a', 'b', 'c', 'd'].map((name) => signIn(name, 'wrong horse')))
    expect(guesses.map(({ statusCode }) => statusCode).sort()).toEqual([401, 401, 401, 429])
    const elsewhere = await signIn('Maria', password, { remoteAddress: '192.168.1.9' })
    expect(elsewhere.statusCode).toBe(200)
  })

  test('are forgotten after a while', async () => {
    const clock = new VirtualClock(Date.parse('2026-03-02T12:00:00Z'))
    await start({ clock, people: { attemptsPerName: 1, attemptMs: 60_000 } })
    await addUser('Maria')
    await signIn('Maria', 'wrong horse')
    expect((await signIn('Maria')).statusCode).toBe(429)
    await clock.advance(60_000)
    expect((await signIn('Maria')).statusCode).toBe(200)
  })
})

describe('a page elsewhere', () => {
  const elsewhere = [
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { origin: own, 'sec-fetch-site': 'cross-site' },
    { origin: own, 'sec-fetch-site': 'same-site' },
    {},
  ] as const
  const changes = [
    ['POST', '/api/v1/keys', { name: 'x', role: 'admin' }],
    ['DELETE', '/api/v1/session', undefined],
    ['PUT', '/api/v1/me/preferences', { theme: 'dark' }],
    ['POST', '/api/v1/readings', [{ device: 'lamp', metric: 'power', value: 1 }]],
  ] as const

  test.each(changes)('%s %s with the cookie of its visitor is refused', async (method, url, payload) => {
    await start()
    await addUser('Maria')
    const cookie = cookieOf(await signIn('Maria'))
    const body = payload === undefined ? {} : { payload: [...[payload]].flat(0)[0] as object }
    for (const headers of elsewhere) {
      const answer = await hub.ask({ method, url, headers: { ...headers, cookie }, ...body })
      expect([headers, ...codeOf(answer)]).toEqual([headers, 403, 'cross_site'])
    }
    const answer = await hub.ask({ method, url, headers: { ...fromPage, cookie }, ...body })
    expect(answer.statusCode).toBeLessThan(300)
  })

  test('cannot sign its visitor in, and cannot read by a WebSocket', async () => {
    await start()
    await addUser('Maria')
    const headers = { origin: 'https://evil.example' }
    expect(codeOf(await signIn('Maria', password, { headers }))).toEqual([403, 'cross_site'])
    const cookie = cookieOf(await signIn('Maria'))
    const port = await hub.listen()
    const host = `127.0.0.1:${port}`
    const closed = (origin: string) =>
      new Promise<number>((resolve) => {
        const socket = new WebSocket(`ws://${host}/api/v1/live`, { headers: { cookie, host }, origin })
        socket.once('close', resolve)
        socket.once('message', () => {
          resolve(0)
          socket.terminate()
        })
      })
    expect(await closed('https://evil.example')).toBe(1008)
    expect(await closed(`http://${host}`)).toBe(0)
  })
})

describe('sessions', () => {
  beforeEach(async () => {
    await start()
    await addUser('Maria', { role: 'viewer' })
  })
  const as = (answer: LightMyRequestResponse) => ({ ...fromPage, cookie: cookieOf(answer) })

  test('are listed by device, and end one by one', async () => {
    const phone = as(await signIn('Maria', password, { headers: { ...fromPage, 'user-agent': 'Phone' } }))
    const desk = as(await signIn('Maria', password, { headers: { ...fromPage, 'user-agent': 'Desk' } }))
    const listed = (await hub.ask({ url: '/api/v1/sessions', headers: desk })).json().items
    expect(listed.map(({ device, current }: never) => [device, current])).toEqual(
      expect.arrayContaining([
        ['Phone', false],
        ['Desk', true],
      ]),
    )
    const { id } = listed.find(({ device }: { device: string }) => device === 'Phone')
    const url = `/api/v1/sessions/${id}`
    expect((await hub.ask({ method: 'DELETE', url, headers: desk })).statusCode).toBe(200)
    expect(codeOf(await hub.ask({ url: '/api/v1/me', headers: phone }))).toEqual([401, 'session_ended'])
    expect((await hub.ask({ url: '/api/v1/me', headers: desk })).statusCode).toBe(200)
    expect((await hub.ask({ method: 'DELETE', url, headers: desk })).statusCode).toBe(404)
  })

  test('of others are neither listed nor ended', async () => {
    await addUser('Peter')
    const peter = as(await signIn('Peter'))
    const maria = as(await signIn('Maria'))
    const [session] = (await hub.ask({ url: '/api/v1/sessions', headers: peter })).json().items
    const url = `/api/v1/sessions/${session.id}`
    expect((await hub.ask({ method: 'DELETE', url, headers: maria })).statusCode).toBe(404)
    expect((await hub.ask({ url: '/api/v1/me', headers: peter })).statusCode).toBe(200)
  })

  test('end by signing out, which removes the cookie', async () => {
    const headers = as(await signIn('Maria'))
    const answer = await hub.ask({ method: 'DELETE', url: '/api/v1/session', headers })
    expect(answer.headers['set-cookie']).toMatch(/^homeostat_session=; .*Max-Age=0$/)
    expect((await hub.ask({ url: '/api/v1/me', headers })).statusCode).toBe(401)
  })

  test('last beyond a restart, and end by time', async () => {
    const headers = as(await signIn('Maria'))
    const later = await startTestHub({ ledger: hub.ledger })
    expect((await later.ask({ url: '/api/v1/me', headers })).statusCode).toBe(200)
    await later.close()
    const clock = new VirtualClock(Date.now() + 31 * 86_400_000)
    const muchLater = await startTestHub({ ledger: hub.ledger, clock })
    expect((await muchLater.ask({ url: '/api/v1/me', headers })).statusCode).toBe(401)
    expect(await hub.ledger.people.sessions()).toEqual([])
    await muchLater.close()
  })

  test('are so many for each user; the oldest ends', async () => {
    const few = await startTestHub({ people: { sessionsPerUser: 2 }, ledger: hub.ledger })
    const asked = { method: 'POST', url: '/api/v1/session', payload: { name: 'Maria', password } } as const
    for (let device = 0; device < 4; device++) expect((await few.ask(asked)).statusCode).toBe(200)
    expect(await hub.ledger.people.sessions()).toHaveLength(2)
    await few.close()
  })

  test.each([
    ['another password', { password: 'another horse' }],
    ['another role', { role: 'operator' }],
  ])('end with %s, and with the user', async (_, payload) => {
    const secret = await hub.key('admin')
    const change = { method: 'PUT', url: '/api/v1/users/maria', secret, payload } as const
    const headers = as(await signIn('Maria'))
    const { access_token } = (await login('Maria')).json()
    expect((await hub.ask(change)).statusCode).toBe(200)
    expect((await hub.ask({ url: '/api/v1/me', headers })).statusCode).toBe(401)
    expect((await hub.ask({ url: '/api/v1/me', secret: access_token })).statusCode).toBe(401)
    const again = as(await signIn('Maria', 'password' in payload ? payload.password : password))
    await hub.ask({ method: 'DELETE', url: '/api/v1/users/Maria', secret })
    await addUser('Maria')
    expect((await hub.ask({ url: '/api/v1/me', headers: again })).statusCode).toBe(401)
  })

  test('a user who knows the password changes it; the other sessions end', async () => {
    const other = as(await signIn('Maria'))
    const headers = as(await signIn('Maria'))
    const change = (known: string) =>
      hub.ask({
        ...{ method: 'PUT', url: '/api/v1/me/password', headers },
        payload: { password: known, newPassword: 'another horse' },
      })
    expect(codeOf(await change('wrong horse'))).toEqual([401, 'sign_in_failed'])
    expect((await change(password)).statusCode).toBe(200)
    expect((await hub.ask({ url: '/api/v1/me', headers })).statusCode).toBe(200)
    expect((await hub.ask({ url: '/api/v1/me', headers: other })).statusCode).toBe(401)
    expect((await signIn('Maria')).statusCode).toBe(401)
    expect((await signIn('Maria', 'another horse')).statusCode).toBe(200)
  })

  test('preferences: of each user, bounded, and gone with the user', async () => {
    const headers = as(await signIn('Maria'))
    const put = (payload: object) =>
      hub.ask({ method: 'PUT', url: '/api/v1/me/preferences', headers, payload })
    expect((await put({ language: 'de', units: { temperature: 'degF' } })).statusCode).toBe(200)
    const kept = await hub.ask({ url: '/api/v1/me/preferences', headers })
    expect(kept.json()).toEqual({ language: 'de', units: { temperature: 'degF' } })
    expect(codeOf(await put({ notes: 'x'.repeat(9000) }))).toEqual([413, 'preferences_too_large'])
    await addUser('Peter')
    const peter = as(await signIn('Peter'))
    expect((await hub.ask({ url: '/api/v1/me/preferences', headers: peter })).json()).toEqual({})
  })
})

describe('tokens', () => {
  beforeEach(async () => {
    await start()
    await addUser('Maria', { role: 'operator', sites: ['alpha'] })
  })

  test('access token: opens what the user may, as a key does', async () => {
    const { access_token: secret, expires_in } = (await login('Maria')).json()
    expect(expires_in).toBe(900)
    expect((await hub.ask({ url: '/api/v1/me', secret })).json()).toEqual({
      ...{ name: 'Maria', kind: 'user', role: 'operator', sites: ['alpha'] },
    })
    expect((await hub.ask({ url: '/api/v1/latest?site=beta', secret })).statusCode).toBe(403)
    expect((await hub.ask({ url: '/api/v1/me', headers: { 'x-api-key': secret } })).statusCode).toBe(200)
  })

  test('access token: no other algorithm, header, issuer or signature is accepted', async () => {
    const { access_token: token } = (await login('Maria')).json()
    const [head = '', body = '', signature = ''] = token.split('.')
    const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const claims = JSON.parse(Buffer.from(body, 'base64url').toString())
    const forged = [
      `${encode({ alg: 'none', typ: 'JWT' })}.${body}.`,
      `${encode({ alg: 'none', typ: 'JWT' })}.${body}.${signature}`,
      `${encode({ alg: 'HS512', typ: 'JWT' })}.${body}.${signature}`,
      `${encode({ typ: 'JWT', alg: 'HS256' })}.${body}.${signature}`,
      `${head}.${encode({ ...claims, exp: claims.exp + 9999 })}.${signature}`,
      `${head}.${body}.${'A'.repeat(signature.length)}`,
      ...[
        `${head}.${body}.`,
        `${head}.${body}`,
        `${head}..${signature}`,
        `${token}.x`,
        `eyJ${'x'.repeat(5000)}`,
      ],
    ]
    for (const secret of forged)
      expect([secret, ...codeOf(await hub.ask({ url: '/api/v1/me', secret }))]).toEqual([
        secret,
        401,
        'token_invalid',
      ])
    const other = await startTestHub({ ledger: hub.ledger })
    // another installation has another secret
    expect((await other.ask({ url: '/api/v1/me', secret: token })).statusCode).toBe(401)
    await other.close()
  })

  test('access token: ends by time', async () => {
    const clock = new VirtualClock(Date.parse('2026-03-02T12:00:00Z'))
    const timed = await startTestHub({ clock })
    await timed.hub.people.create({ name: 'Maria', role: 'viewer', sites: null, password })
    const asked = { method: 'POST', url: '/api/v1/login', payload: { name: 'Maria', password } } as const
    const { access_token: secret, refresh_token } = (await timed.ask(asked)).json()
    await clock.advance(899_000)
    expect((await timed.ask({ url: '/api/v1/me', secret })).statusCode).toBe(200)
    await clock.advance(1000)
    expect(codeOf(await timed.ask({ url: '/api/v1/me', secret }))).toEqual([401, 'token_invalid'])
    const again = { method: 'POST', url: '/api/v1/login/refresh', payload: { refresh_token } } as const
    const { access_token } = (await timed.ask(again)).json()
    expect((await timed.ask({ url: '/api/v1/me', secret: access_token })).statusCode).toBe(200)
    await timed.close()
  })

  test('refresh token: works once; a second use ends the session for both', async () => {
    const first = (await login('Maria')).json()
    const second = (await refresh(first.refresh_token)).json()
    expect(second.refresh_token).not.toBe(first.refresh_token)
    expect((await hub.ask({ url: '/api/v1/me', secret: second.access_token })).statusCode).toBe(200)
    expect(codeOf(await refresh(first.refresh_token))).toEqual([401, 'token_invalid'])
    for (const secret of [first.access_token, second.access_token])
      expect((await hub.ask({ url: '/api/v1/me', secret })).statusCode).toBe(401)
    expect((await refresh(second.refresh_token)).statusCode).toBe(401)
  })

  test('refresh token: of two requests at once one succeeds; a forged one ends nothing', async () => {
    const { refresh_token, access_token } = (await login('Maria')).json()
    const forged = `${refresh_token.slice(0, -1)}${refresh_token.endsWith('A') ? 'B' : 'A'}`
    expect((await refresh(forged)).statusCode).toBe(401)
    expect((await hub.ask({ url: '/api/v1/me', secret: access_token })).statusCode).toBe(200)
    const answers = await Promise.all([refresh(refresh_token), refresh(refresh_token)])
    expect(answers.map(({ statusCode }) => statusCode).sort()).toEqual([200, 401])
  })

  test('refresh token and session cookie: neither is taken for the other', async () => {
    const cookie = cookieOf(await signIn('Maria'))
    expect((await refresh(cookie.split('=')[1] ?? '')).statusCode).toBe(401)
    const { refresh_token } = (await login('Maria')).json()
    const headers = { cookie: `homeostat_session=${refresh_token}` }
    expect((await hub.ask({ url: '/api/v1/me', headers })).statusCode).toBe(401)
    expect((await hub.ask({ url: '/api/v1/me', secret: refresh_token })).statusCode).toBe(401)
  })

  test('a WebSocket of a session that has ended is closed, though nothing is sent on it', async () => {
    const { access_token } = (await login('Maria')).json()
    const port = await hub.listen()
    const socket = new WebSocket(`ws://127.0.0.1:${port}/api/v1/live`, ['homeostat', `key.${access_token}`])
    await new Promise((resolve) => socket.once('message', resolve))
    const closed = new Promise<number>((resolve) => socket.once('close', resolve))
    await hub.hub.people.remove('Maria')
    expect(await closed).toBe(1008)
  })
})

describe('a hub that was open to this machine', () => {
  test('asks for a sign-in once there is a user, and is open again without one', async () => {
    await start({ open: true })
    expect((await hub.ask({ url: '/api/v1/access' })).json()).toEqual({ users: false, open: true })
    const payload = { name: 'Maria', role: 'admin', password }
    expect((await hub.ask({ method: 'POST', url: '/api/v1/users', payload })).statusCode).toBe(201)
    expect((await hub.ask({ url: '/api/v1/access' })).json()).toEqual({ users: true, open: false })
    expect(codeOf(await hub.ask({ url: '/api/v1/sites' }))).toEqual([401, 'key_missing'])
    const headers = { ...fromPage, cookie: cookieOf(await signIn('Maria')) }
    expect((await hub.ask({ url: '/api/v1/sites', headers })).statusCode).toBe(200)
    await hub.ask({ method: 'DELETE', url: '/api/v1/users/Maria', headers })
    // the cookie that is left over does no harm
    expect((await hub.ask({ url: '/api/v1/me', headers })).json().kind).toBe('local')
  })

  test.each([
    [{ name: '', role: 'admin', password }, 400],
    [{ name: ' Maria', role: 'admin', password }, 400],
    [{ name: 'M\u0000', role: 'admin', password }, 400],
    [{ name: 'Maria', role: 'root', password }, 400],
    [{ name: 'Maria', role: 'admin', password: 'short' }, 400],
    [{ name: 'Maria', role: 'admin', sites: [], password }, 400],
    [{ name: 'Maria', role: 'admin', password: 'x'.repeat(201) }, 400],
  ])('does not take the user %j', async (payload, status) => {
    await start({ open: true })
    expect((await hub.ask({ method: 'POST', url: '/api/v1/users', payload })).statusCode).toBe(status)
  })

  test('users: a name is taken once without regard to case, and their number is bounded', async () => {
    await start({ people: { usersMax: 2 } })
    const secret = await hub.key('admin')
    const create = (name: string) =>
      hub.ask({ method: 'POST', url: '/api/v1/users', secret, payload: { name, role: 'viewer', password } })
    const both = await Promise.all([create('Maria'), create('MARIA')])
    expect(both.map(({ statusCode }) => statusCode).sort()).toEqual([201, 409])
    expect(codeOf(await create('maria'))).toEqual([409, 'user_exists'])
    expect((await create('Peter')).statusCode).toBe(201)
    expect(codeOf(await create('Paul'))).toEqual([409, 'users_full'])
  })
})

describe('auth.trustedNetworks', () => {
  const trusted = new Networks(['192.168.1.0/24', 'fd00::/8'])
  const device = { remoteAddress: '192.168.1.50', headers: { host: '192.168.1.2:8000' } }

  test('devices there use the routes of the older systems as operators, and no others', async () => {
    await start({ edge: { trusted } })
    const todo = { timestamp: Date.now(), summary: 'x', detail: 'y', level: 0 }
    const info = { method: 'POST', url: '/api/info', payload: todo } as const
    expect((await hub.ask({ ...info, ...device })).statusCode).toBeLessThan(300)
    expect(
      (await hub.ask({ ...info, ...device, remoteAddress: '::ffff:192.168.1.9' })).statusCode,
    ).toBeLessThan(300)
    for (const url of ['/api/v1/sites', '/api/v1/users', '/metrics', '/api/v1/readings'])
      expect((await hub.ask({ url, ...device })).statusCode).toBe(401)
    // functions call addresses: they need an admin
    const fun = { name: 'f', subs: ['e'], url: 'http://127.0.0.1/' }
    expect(
      (await hub.ask({ method: 'POST', url: '/api/function', payload: fun, ...device })).statusCode,
    ).toBe(403)
  })

  test.each([
    ['another network', { ...device, remoteAddress: '192.168.2.50' }],
    ['a page elsewhere', { ...device, headers: { ...device.headers, origin: 'https://evil.example' } }],
    ['a page of its own', { ...device, headers: { ...device.headers, origin: 'http://192.168.1.2:8000' } }],
    ['a name that was bent to the hub', { ...device, headers: { host: 'evil.example' } }],
    [
      'a forged address',
      {
        ...device,
        remoteAddress: '10.0.0.1',
        headers: { ...device.headers, 'x-forwarded-for': '192.168.1.50' },
      },
    ],
  ])('%s needs a key', async (_, from) => {
    await start({ edge: { trusted } })
    expect((await hub.ask({ url: '/api/status', ...from })).statusCode).toBe(401)
  })

  test('is off by default', async () => {
    await start()
    expect((await hub.ask({ url: '/api/status', ...device })).statusCode).toBe(401)
  })
})
