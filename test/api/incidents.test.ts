import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { hourMs, minuteMs } from '../../src/core/time.ts'
import { startTestHub, type TestHub } from '../hub.ts'
import { VirtualClock } from '../virtual-clock.ts'

/** What readings become, from the threshold to what people are told and do, over HTTP. */

const start = Date.parse('2027-01-04T10:00:00Z')
const rules = [
  { name: 'stuffy', metric: 'co2', above: 1400, level: 'warning', forSeconds: 0 },
  { name: 'suffocating', metric: 'co2', above: 2500, level: 'critical', forSeconds: 0 },
] as const

let clock: VirtualClock
let hub: TestHub
beforeEach(async () => {
  clock = new VirtualClock(start)
  hub = await startTestHub({ clock, open: true, domainSettings: { thresholds: { rules } } })
})
afterEach(async () => {
  expect(hub.errors).toEqual([])
  await hub.close()
})

interface Shown {
  readonly id: string
  readonly status: string
}

const measure = (device: string, value: number) =>
  hub.push([{ site: 'home', device, metric: 'co2', value, at: clock.now() }])
const get = async (query: string) => (await hub.ask({ url: `/api/v1/incidents${query}` })).json()
const post = (url: string, payload?: object) =>
  hub.ask({ method: 'POST', url: `/api/v1/${url}`, ...(payload === undefined ? {} : { payload }) })

test('one stretch of bad air is one incident, which rises, ends and resolves', async () => {
  await measure('air', 1500)
  await clock.advance(minuteMs)
  await measure('air', 2600)
  const { items } = await get('?status=unresolved')
  expect(items).toMatchObject([{ level: 'critical', occurrences: 2, status: 'open', escalations: 1 }])
  await clock.advance(minuteMs)
  await measure('air', 800)
  await clock.advance(5 * minuteMs)
  expect(await get('?status=unresolved')).toEqual({ items: [], next: null })
  expect((await get('')).items).toMatchObject([{ id: items[0].id, status: 'resolved' }])
  expect(await get(`/${items[0].id}`)).toMatchObject({
    alerts: [
      { rule: 'stuffy', until: start + 2 * minuteMs },
      { rule: 'suffocating', until: start + 2 * minuteMs },
    ],
  })
})

test.each(['unresolved', 'resolved', undefined])(
  'pages of status %s hold each once, newest first',
  async (status) => {
    for (let index = 0; index < 25; index++) {
      await measure(`air ${index}`, 1500)
      // some begin at the same time
      await clock.advance(index % 3 === 0 ? 0 : 1000)
    }
    if (status !== 'unresolved') {
      await clock.advance(1000)
      for (let index = 0; index < 25; index++) await measure(`air ${index}`, 800)
      await clock.advance(10 * minuteMs)
    }
    const query = status === undefined ? '' : `&status=${status}`
    const all: Shown[] = (await get(`?limit=100${query}`)).items
    expect(all).toHaveLength(25)
    const paged: Shown[] = []
    for (let cursor: string | null = ''; cursor !== null; ) {
      const page = await get(`?limit=4${query}${cursor === '' ? '' : `&cursor=${cursor}`}`)
      paged.push(...page.items)
      cursor = page.next
    }
    expect(paged).toEqual(all)
  },
)

describe('what cannot be done is refused in words', () => {
  const until = start + hourMs
  test.each([
    ['incidents/unknown/acknowledge', undefined, 404, 'not_found', /no incident "unknown"/],
    ['incidents/ID/snooze', { until: start }, 400, 'request_invalid', /"until" must lie in the future/],
    ['incidents/ID/snooze', { until: 'soon' }, 400, 'request_invalid', /"until" is "soon"/],
    ['incidents/ID/snooze', {}, 400, 'request_invalid', /until/],
    ['maintenance', { site: 'nowhere', to: until }, 404, 'not_found', /site "nowhere"/],
    [
      'maintenance',
      { site: 'home', from: until, to: until },
      400,
      'request_invalid',
      /"to" must lie after "from"/,
    ],
    [
      'maintenance',
      { site: 'home', from: start - 2, to: start - 1 },
      400,
      'request_invalid',
      /in the future/,
    ],
    ['maintenance', { site: 'home', to: until, device: 'x' }, 400, 'request_invalid', /device/],
  ] as const)('%s %j', async (url, body, status, code, sentence) => {
    await measure('air', 1500)
    const [{ id }] = (await get('')).items
    const answer = await post(url.replace('ID', id), body)
    expect([answer.statusCode, answer.json().code]).toEqual([status, code])
    expect(answer.json().detail).toMatch(sentence)
    expect((await get('')).items).toMatchObject([{ status: 'open', suppressed: false }])
  })

  test('what is resolved already', async () => {
    await measure('air', 1500)
    const [{ id }] = (await get('')).items
    expect((await post(`incidents/${id}/resolve`)).json()).toMatchObject({ status: 'resolved' })
    for (const deed of ['acknowledge', 'resolve']) {
      const answer = await post(`incidents/${id}/${deed}`)
      expect([answer.statusCode, answer.json().code]).toEqual([409, 'not_acceptable_state'])
    }
  })

  test('more maintenance than the limit', async () => {
    const window = { site: 'home', to: until }
    await measure('air', 800)
    for (let count = 0; count < 100; count++) expect((await post('maintenance', window)).statusCode).toBe(201)
    const answer = await post('maintenance', window)
    expect([answer.statusCode, answer.json().detail]).toEqual([409, expect.stringMatching(/windowsMax/)])
  })
})

test('a site that is removed takes its incidents and its maintenance with it', async () => {
  await measure('air', 1500)
  await post('maintenance', { site: 'home', to: start + hourMs })
  await hub.engine.removeSite('home')
  expect(await get('')).toEqual({ items: [], next: null })
  expect(await get('?status=unresolved')).toEqual({ items: [], next: null })
  expect((await hub.ask({ url: '/api/v1/maintenance' })).json()).toEqual({ items: [], next: null })
})
