import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import fastify, { type FastifyInstance, type InjectOptions, type LightMyRequestResponse } from 'fastify'
import { validatorCompiler } from 'fastify-type-provider-zod'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { careHubHandlers } from '../../src/api/compat/care-hub.ts'
import { onError } from '../../src/api/errors.ts'
import { createKey, KeyRing } from '../../src/api/keys.ts'
import { Mount } from '../../src/api/mount.ts'
import { careHubTable } from '../../src/contract/care-hub.ts'
import type { Role } from '../../src/core/event.ts'
import type { Ledger, Log } from '../../src/core/ports.ts'
import { dayMs } from '../../src/core/time.ts'
import { Scheduler, schedulerLimits } from '../../src/engine/schedule/scheduler.ts'
import { createCaller } from '../../src/platform/caller.ts'
import { nextRun } from '../../src/platform/cron.ts'
import { createMemoryLedger } from '../../src/stores/ledger/memory.ts'
import { startTestHub } from '../hub.ts'
import { VirtualClock } from '../virtual-clock.ts'

/** The care hub's interface, its scripts in their own words, against real endpoints on loopback. */

const now = Date.parse('2027-01-10T12:00:00Z')
const quiet: Log = { info: () => undefined, warn: () => undefined, error: () => undefined }

interface Endpoint {
  readonly server: Server
  /** As a gateway registers it: without a scheme. */
  readonly address: string
  readonly calls: {
    readonly method: string | undefined
    readonly path: string | undefined
    readonly body: unknown
  }[]
}

async function listen(status = 200): Promise<Endpoint> {
  const calls: Endpoint['calls'] = []
  const server = createServer(async (request, response) => {
    const body = request.headers['content-type'] === undefined ? undefined : await json(request)
    calls.push({ method: request.method, path: request.url, body })
    response.writeHead(status).end('{"status":"success"}')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { server, calls, address: `127.0.0.1:${(server.address() as AddressInfo).port}` }
}

let ledger: Ledger
let scheduler: Scheduler
let server: FastifyInstance
let keys: KeyRing
let endpoint: Endpoint
let trainings: string[]

beforeEach(async () => {
  ledger = createMemoryLedger()
  const clock = new VirtualClock(now)
  const world = { schedule: ledger.schedule, clock, log: quiet, nextRun, call: createCaller() }
  const builtIn = {
    triggers: [],
    functions: [
      {
        name: 'retrain',
        events: ['Retrain'],
        action: { kind: 'task', task: 'retrain' },
        lastError: '',
      } as const,
    ],
  }
  scheduler = new Scheduler({ ...world, tasks: {}, builtIn }, { ...schedulerLimits, zone: 'Europe/Berlin' })
  await scheduler.start()
  keys = new KeyRing([])
  trainings = []
  server = fastify({ routerOptions: { ignoreTrailingSlash: true } })
  server.setErrorHandler(onError(quiet))
  server.setValidatorCompiler(validatorCompiler)
  const train = async (by: string): Promise<number> => trainings.push(by)
  server.setSerializerCompiler(() => JSON.stringify)
  const handlers = careHubHandlers({ scheduler, notes: ledger.notes, now: clock.now, train })
  await new Mount({ open: false, keys }, quiet, { exports: 1, exportIdleMs: 1000 }).add(
    server,
    careHubTable,
    handlers,
  )
  endpoint = await listen()
})
afterEach(async () => {
  await server.close()
  await scheduler.stop()
  endpoint.server.closeAllConnections()
  await new Promise((resolve) => endpoint.server.close(resolve))
})

function secretOf(role: Role, sites: readonly string[] | null = null): string {
  const { key, secret } = createKey(role, role, sites, now)
  keys.add(key)
  return secret
}

const ask = (request: InjectOptions, secret = secretOf('admin')): Promise<LightMyRequestResponse> =>
  server.inject({ ...request, headers: { authorization: `Bearer ${secret}` } })

const post = (url: string, payload?: object): Promise<LightMyRequestResponse> =>
  ask({ method: 'POST', url, ...(payload ? { payload } : {}) })

const send = (method: 'GET' | 'POST' | 'DELETE', url: string, payload?: object): InjectOptions => ({
  ...{ method, url },
  ...(payload ? { payload } : {}),
})

const models = [
  ...['create_occupancy_model_function', 'create_motion_model_function', 'create_burglary_model_function'],
  ...['check_emergency_detection_function', 'check_burglary_detection_function', 'motion_analysis_function'],
]
const success = expect.objectContaining({ status: 'success' })
const noData = { status: 'no_data', message: expect.stringMatching(/yet/) }
const reader = [401, 200, 200, 200] as const
const operator = [401, 403, 200, 200] as const
const admin = [401, 403, 403, 200] as const
const news = { timestamp: now - 1000, summary: 'New model', detail: 'It was trained.', level: 1 }
const mine = { name: 'mine', subs: ['A'], url: '127.0.0.1:9/api/mine' }

/** What is asked, the status for guest, viewer, operator, admin, and what the admin is told. */
const scenarios: readonly (readonly [
  string,
  InjectOptions,
  readonly [number, number, number, number],
  unknown,
])[] = [
  ['an event', send('POST', '/api/event', { name: 'A', data: { n: 1 } }), operator, success],
  ['an event without data', send('POST', '/api/event', { name: 'A', data: null }), operator, success],
  ['a function', send('POST', '/api/function', mine), admin, success],
  ['its end', send('DELETE', '/api/function', { name: 'mine' }), admin, success],
  ['the status', send('GET', '/api/status'), reader, [expect.objectContaining({ name: 'retrain' })]],
  [
    'the status by its other name',
    send('GET', '/api/sif'),
    reader,
    [expect.objectContaining({ subs: ['Retrain'] })],
  ],
  ['training', send('POST', '/api/train'), operator, success],
  ...models.map((name) => [name, send('POST', `/api/${name}`, {}), operator, noData] as const),
  ['an emergency', send('POST', '/api/create_emergency_notification_function', {}), operator, success],
  ['a burglary', send('POST', '/api/create_burglary_notification_function', {}), operator, success],
  ['news', send('POST', '/api/info', news), operator, success],
  ['all news', send('GET', '/api/info'), reader, []],
  ['news that goes', send('DELETE', '/api/info', { timestamp: now }), operator, success],
]

describe.each(scenarios)('%s', (_name, request, statuses, says) => {
  test('is answered as the table says, for each role', async () => {
    const askers = {
      guest: '',
      viewer: secretOf('viewer'),
      operator: secretOf('operator'),
      admin: secretOf('admin'),
    }
    for (const [index, [asker, secret]] of Object.entries(askers).entries()) {
      const answer = secret === '' ? await server.inject(request) : await ask(request, secret)
      expect(`${asker} ${answer.statusCode}`).toBe(`${asker} ${statuses[index]}`)
      if (answer.statusCode >= 300)
        expect(answer.headers['content-type']).toContain('application/problem+json')
    }
    const own = await ask(request, secretOf('admin', ['alpha']))
    expect([own.statusCode, own.json().code]).toEqual([403, 'site_forbidden'])
  })

  test('is answered with and without a slash at its end', async () => {
    for (const url of [String(request.url), `${request.url}/`]) {
      const fresh = await ask({ ...request, url })
      expect(fresh.statusCode).toBe(200)
      expect(fresh.json()).toEqual(says)
    }
  })
})

test('a function is called with all its events, once they have come', async () => {
  const url = `${endpoint.address}/api/check`
  await post('/api/function', { name: 'check', subs: ['Motion', 'Door'], url, method: 'POST' })
  await post('/api/event', { name: 'Motion', data: { room: 'kitchen' } })
  expect((await ask(send('GET', '/api/status'))).json()[0]).toEqual({
    ...{ name: 'check', subs: ['Motion', 'Door'], last_invoke: null },
    events: [{ ready: ['Motion'], waiting: ['Door'] }],
  })
  await post('/api/event', { name: 'Door' })
  await vi.waitFor(() => expect(scheduler.functions()[0]?.lastInvokedAt).toBe(now))
  await vi.waitFor(() => expect(endpoint.calls.length).toBe(1))
  const timestamp = '2027-01-10T13:00:00'
  expect(endpoint.calls).toEqual([
    {
      ...{ method: 'POST', path: '/api/check' },
      body: { Motion: { data: { room: 'kitchen' }, timestamp }, Door: { timestamp } },
    },
  ])
  await vi.waitFor(async () =>
    expect((await ask(send('GET', '/api/status'))).json()[0]).toMatchObject({ last_invoke: now, events: [] }),
  )
})

test('a function without a method is called by GET, without a body; same name replaces', async () => {
  await post('/api/function', { name: 'f', subs: ['A'], url: '127.0.0.1:9/gone' })
  await post('/api/function', { name: 'f', subs: ['A'], url: `http://${endpoint.address}/api/f` })
  await post('/api/event', { name: 'A', data: 1 })
  await vi.waitFor(() => expect(endpoint.calls).toEqual([{ method: 'GET', path: '/api/f', body: undefined }]))
})

test('a mock uses its events up and calls nobody', async () => {
  await post('/api/function', {
    ...{ name: 'f', subs: ['A'], url: endpoint.address, method: 'POST', mock: true },
  })
  await post('/api/event', { name: 'A' })
  // the run has ended: a call would have been answered
  await vi.waitFor(async () => expect(await ledger.schedule.queuedEvents()).toEqual([]))
  expect((await ask(send('GET', '/api/status'))).json()[0]).toMatchObject({ last_invoke: now, events: [] })
  expect(endpoint.calls).toEqual([])
})

test('a function that was removed is not called any more', async () => {
  const url = `${endpoint.address}/api/f`
  await post('/api/function', { name: 'f', subs: ['A'], url, method: 'POST' })
  expect((await ask(send('DELETE', '/api/function', { name: 'f' }))).json()).toEqual({
    status: 'success',
    removed: true,
  })
  expect((await ask(send('DELETE', '/api/function', { name: 'f' }))).json()).toEqual({
    status: 'success',
    removed: false,
  })
  expect((await post('/api/event', { name: 'A' })).json()).toEqual({ status: 'success', functions: 0 })
})

test('an address that fails is said with the function, and the next event calls it again', async () => {
  const failing = await listen(500)
  await post('/api/function', { name: 'f', subs: ['A'], url: failing.address, method: 'POST' })
  for (const calls of [1, 2]) {
    await post('/api/event', { name: 'A' })
    await vi.waitFor(() => expect(failing.calls.length).toBe(calls))
    await vi.waitFor(() =>
      expect(scheduler.functions()[0]?.lastError).toBe(`${failing.address} answered 500.`),
    )
  }
  failing.server.closeAllConnections()
  failing.server.close()
})

test.each([
  [{ ...mine, url: 'ftp://10.0.0.7/x' }, 400, 'data_invalid'],
  [{ ...mine, subs: [] }, 400, 'data_invalid'],
  [{ ...mine, subs: 'A' }, 400, 'request_invalid'],
  [{ ...mine, name: '' }, 400, 'id_invalid'],
  [{ ...mine, name: 'retrain' }, 409, 'not_acceptable_state'],
  [{ ...mine, method: 'BREW' }, 400, 'data_invalid'],
])('the function %j is refused', async (payload, status, code) => {
  const answer = await post('/api/function', payload)
  expect([answer.statusCode, answer.json().code]).toEqual([status, code])
})

test('training says who wanted it, and how many series learn', async () => {
  expect((await post('/api/train')).json()).toEqual({ status: 'success', queued: 1 })
  expect(trainings).toEqual(['admin'])
})

describe('news', () => {
  test('of the last seven days come newest first, and go by their moment', async () => {
    for (const [daysAgo, summary] of [
      [1, 'yesterday'],
      [6.9, 'nearly a week ago'],
      [7.1, 'over a week ago'],
      [0, 'now'],
    ] as const) {
      await post('/api/info', { ...news, timestamp: now - daysAgo * dayMs, summary })
    }
    const all = (await ask(send('GET', '/api/info'))).json()
    expect(all.map(({ summary }: { summary: string }) => summary)).toEqual([
      'now',
      'yesterday',
      'nearly a week ago',
    ])
    expect(all[0]).toEqual({ timestamp: now, level: 1, summary: 'now', detail: 'It was trained.' })
    expect((await ask(send('DELETE', '/api/info', { timestamp: now }))).json()).toMatchObject({ removed: 1 })
    expect((await ask(send('GET', '/api/info'))).json().length).toBe(2)
  })

  test.each([
    { ...news, level: 3 },
    { ...news, timestamp: '2027' },
    { summary: 'x' },
    { ...news, timestamp: -1 },
    { ...news, timestamp: 1e300 },
  ])('%j is refused', async (payload) => {
    const answer = await post('/api/info', payload)
    expect([answer.statusCode, answer.json().code]).toEqual([400, 'request_invalid'])
  })

  test('infos: one of the day after tomorrow is refused, one of a clock that is a little ahead is taken', async () => {
    const answer = await post('/api/info', { ...news, timestamp: now + 2 * 86_400_000 })
    expect([answer.statusCode, answer.json().code]).toEqual([400, 'at_in_future'])
    expect((await post('/api/info', { ...news, timestamp: now + 60_000 })).statusCode).toBe(200)
  })

  test('an emergency that somebody found is kept as news of the highest level, in its own words', async () => {
    const timestamp = '2027-01-10T13:00:00'
    const message = 'No motion in the bathroom for 3 h.'
    await post('/api/create_emergency_notification_function', {
      EmergencyEvent: { data: { message }, timestamp },
    })
    await post('/api/create_burglary_notification_function', { BurglaryEvent: { timestamp } })
    const all: unknown[] = (await ask(send('GET', '/api/info'))).json()
    expect(all).toContainEqual({ timestamp: now, level: 2, summary: 'Emergency', detail: message })
    expect(all).toContainEqual({
      ...{ timestamp: now, level: 2, summary: 'Burglary' },
      detail: `{"BurglaryEvent":{"timestamp":"${timestamp}"}}`,
    })
  })
})

test('a whole hub answers them, documents them, and shows its own functions among the others', async () => {
  const whole = await startTestHub({ open: true, training: { enabled: true } })
  const url = `${endpoint.address}/api/f`
  await whole.ask(send('POST', '/api/function/', { name: 'f', subs: ['A'], url, method: 'POST' }))
  expect((await whole.ask(send('POST', '/api/event', { name: 'A' }))).json()).toEqual({
    status: 'success',
    functions: 1,
  })
  await vi.waitFor(() => expect(endpoint.calls.length).toBe(1))
  const names = (await whole.ask({ url: '/api/sif' })).json().map((one: { name: string }) => one.name)
  expect(names).toEqual(['clean-up', 'f', 'retrain', 'roll-up'])
  expect((await whole.ask(send('POST', '/api/train'))).json()).toEqual({
    ...{ status: 'no_data', message: 'There is no series to learn from yet.', queued: 0 },
  })
  const documents = (await whole.ask({ url: '/openapi.json' })).json()
  expect(Object.keys(documents.paths['/api/info'])).toEqual(['post', 'get', 'delete'])
  expect(
    documents.paths['/api/function'].post.requestBody.content['application/json'].schema.required,
  ).toEqual(['name', 'subs', 'url'])
  expect(whole.errors).toEqual([])
  await whole.close()
})
