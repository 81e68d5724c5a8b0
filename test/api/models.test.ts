import type { InjectOptions } from 'fastify'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { problemReply } from '../../src/contract/schemas.ts'
import { targetOfSeries } from '../../src/core/old-card.ts'
import { startTestHub } from '../hub.ts'
import { versions } from './learnt.ts'
import { mark, noon, startTwoSites, type TwoSites } from './two-sites.ts'

/** What people ask of models, trainings and schedules, and what they are told when it cannot be. */

let hub: TwoSites
beforeEach(async () => {
  hub = await startTwoSites({ open: true, limits: { predictRows: 3 } })
})
afterEach(async () => {
  expect(hub.errors).toEqual([])
  await hub.close()
})

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE'
const energy = { site: 'alpha', device: 'alpha-meter', metric: 'energy' }
const query = 'site=alpha&device=alpha-meter&metric=energy'
const ask = (method: Method, url: string, payload?: object): ReturnType<TwoSites['ask']> =>
  hub.ask({ method, url: `/api/v1/${url}`, ...(payload === undefined ? {} : { payload }) } as InjectOptions)
const statuses = async (): Promise<Record<string, string>> =>
  Object.fromEntries(
    (await ask('GET', `models?${query}`))
      .json()
      .items.map((item: { model: { version: string }; status: string }) => [item.model.version, item.status]),
  )
const asFound = { [versions.rejected]: 'rejected', [versions.live]: 'live', [versions.before]: 'retired' }
const version = (name: string) => ({ ...energy, version: name })
const row = { hour: 18 }
const manyRows = { ...energy, rows: [row, row, row, row] }

const refused: readonly (readonly [string, Method, string, object | undefined, number, string, RegExp])[] = [
  [
    'a version that is none',
    'POST',
    'models/promote',
    version('v9'),
    404,
    'model_missing',
    /there are .*Z, .*Z/,
  ],
  ['a version as a path', 'POST', 'models/promote', version('../../x'), 404, 'model_missing', /\.\.\/x/],
  ['no version', 'POST', 'models/promote', energy, 400, 'request_invalid', /version/],
  [
    'no model',
    'POST',
    'models/promote',
    { ...version(versions.live), device: 'x' },
    404,
    'model_missing',
    /alpha\/energy\/x/,
  ],
  [
    'the naive one',
    'POST',
    'models/promote',
    version('naive'),
    409,
    'not_acceptable_state',
    /roll back to "naive"/,
  ],
  [
    'a rejected one',
    'POST',
    'models/promote',
    version(versions.rejected),
    409,
    'not_acceptable_state',
    /did not pass the gate \(It is no better than the live model\.\); it goes live by force only/,
  ],
  [
    'force that is no yes or no',
    'POST',
    'models/promote',
    { ...version(versions.live), force: 'yes' },
    400,
    'request_invalid',
    /force/,
  ],
  [
    'a word it does not know',
    'POST',
    'models/promote',
    { ...version(versions.live), foce: true },
    400,
    'request_invalid',
    /foce/,
  ],
  [
    'a way back to what never was live',
    'POST',
    'models/rollback',
    version(versions.rejected),
    409,
    'not_acceptable_state',
    /promote it instead/,
  ],
  [
    'a way back to what is live',
    'POST',
    'models/rollback',
    version(versions.live),
    409,
    'not_acceptable_state',
    /is live already/,
  ],
  [
    'a way back to nothing',
    'POST',
    'models/rollback',
    version('v9'),
    404,
    'model_missing',
    /no such version/,
  ],
  [
    'a way back without a live model',
    'POST',
    'models/rollback',
    { ...energy, device: 'alpha-air' },
    404,
    'model_missing',
    /no learnt model is live/,
  ],
  [
    'an unknown feature',
    'POST',
    'predict',
    { ...energy, rows: [row, { huor: 18 }] },
    400,
    'data_invalid',
    /no feature "huor"; there are base, scale, lead, .*hour/,
  ],
  [
    'a feature that is text',
    'POST',
    'predict',
    { ...energy, rows: [{ hour: '18' }] },
    400,
    'request_invalid',
    /rows/,
  ],
  ['no rows', 'POST', 'predict', { ...energy, rows: [] }, 400, 'request_invalid', /rows/],
  [
    'too many rows',
    'POST',
    'predict',
    manyRows,
    400,
    'request_invalid',
    /4 rows, at most 3 .*limits\.predictRows/,
  ],
  [
    'a series without a model',
    'POST',
    'predict',
    { ...energy, metric: 'co2', rows: [row] },
    404,
    'model_missing',
    /only the naive forecast is/,
  ],
  [
    'a report that ends before it begins',
    'GET',
    `models/report?${query}&from=${noon}&to=${noon - 1}`,
    undefined,
    400,
    'request_invalid',
    /"from" must lie before "to"/,
  ],
  [
    'a report of no time',
    'GET',
    `models/report?${query}&from=never`,
    undefined,
    400,
    'request_invalid',
    /"from" is "never"/,
  ],
  ['a report of no series', 'GET', 'models/report?site=alpha', undefined, 400, 'request_invalid', /device/],
  ['a training of another form', 'POST', 'train', { devices: ['x'] }, 400, 'request_invalid', /devices/],
  ['jobs of an unknown state', 'GET', 'jobs?status=lost', undefined, 400, 'request_invalid', /status/],
  ['an unknown job', 'DELETE', 'jobs/nothing', undefined, 404, 'not_found', /job "nothing"/],
  [
    'an ended job',
    'DELETE',
    'jobs/job-alpha',
    undefined,
    409,
    'not_acceptable_state',
    /job-alpha is done already/,
  ],
  [
    'a span that ends before it begins',
    'POST',
    'forgotten',
    { ...energy, from: noon, to: noon - 1 },
    400,
    'data_invalid',
    /begin before it ends/,
  ],
  ['a span without an end', 'POST', 'forgotten', { ...energy, from: noon }, 400, 'request_invalid', /to/],
  [
    'a span of no series',
    'POST',
    'forgotten',
    { ...energy, metric: 'x', from: noon - 1, to: noon },
    404,
    'not_found',
    /alpha\/alpha-meter\/x/,
  ],
  ['an unknown span', 'DELETE', 'forgotten/nothing', undefined, 404, 'not_found', /span "nothing"/],
  [
    'a cron expression of four fields',
    'PUT',
    'schedules/x',
    { event: 'X', cron: '0 2 * *', zone: 'UTC' },
    400,
    'data_invalid',
    /0 2 \* \*/,
  ],
  [
    'an hour that is none',
    'PUT',
    'schedules/x',
    { event: 'X', cron: '0 25 * * *', zone: 'UTC' },
    400,
    'data_invalid',
    /25/,
  ],
  [
    'a day that never comes',
    'PUT',
    'schedules/x',
    { event: 'X', cron: '0 0 30 2 *', zone: 'UTC' },
    400,
    'data_invalid',
    /never fire/,
  ],
  [
    'a zone that is none',
    'PUT',
    'schedules/x',
    { event: 'X', cron: '0 2 * * *', zone: 'Mars/Olympus' },
    400,
    'data_invalid',
    /time zone/,
  ],
  [
    'a cron expression without a zone',
    'PUT',
    'schedules/x',
    { event: 'X', cron: '0 2 * * *' },
    400,
    'data_invalid',
    /time zone/,
  ],
  [
    'cron and period',
    'PUT',
    'schedules/x',
    { event: 'X', cron: '0 2 * * *', zone: 'UTC', everyMs: 5000 },
    400,
    'data_invalid',
    /both/,
  ],
  [
    'neither cron nor period',
    'PUT',
    'schedules/x',
    { event: 'X' },
    400,
    'data_invalid',
    /cron expression or a period/,
  ],
  [
    'a period of a millisecond',
    'PUT',
    'schedules/x',
    { event: 'X', everyMs: 1 },
    400,
    'request_invalid',
    /everyMs/,
  ],
  ['a schedule without an event', 'PUT', 'schedules/x', { everyMs: 5000 }, 400, 'request_invalid', /event/],
  [
    'a name with a line break',
    'PUT',
    'schedules/a%0Ab',
    { event: 'X', everyMs: 5000 },
    400,
    'id_invalid',
    /name/,
  ],
  ['an unknown schedule', 'POST', 'schedules/x/run', undefined, 404, 'not_found', /schedule "x"/],
  ['a schedule that is not there', 'DELETE', 'schedules/x', undefined, 404, 'not_found', /schedule "x"/],
  [
    "the hub's own schedule",
    'DELETE',
    'schedules/retrain',
    undefined,
    409,
    'not_acceptable_state',
    /switched off, not removed/,
  ],
  ['news of no time', 'GET', 'infos?from=never', undefined, 400, 'request_invalid', /"from" is "never"/],
]

test.each(refused)('%s: %s %s', async (_, method, url, body, status, code, says) => {
  const answer = await ask(method, url, body)
  expect([answer.statusCode, answer.json().code]).toEqual([status, code])
  const { detail } = problemReply.strict().parse(answer.json())
  expect(detail).toMatch(says)
  expect(detail).toMatch(/[^.]\.$/)
  expect(await statuses()).toEqual(asFound)
})

describe('a model', () => {
  test('that did not pass the gate goes live by force, which the history keeps with the name of the key', async () => {
    const secret = await hub.key('operator', ['alpha'])
    const payload = { ...version(versions.rejected), force: true }
    const answer = await hub.ask({ method: 'POST', url: '/api/v1/models/promote', payload, secret })
    expect(answer.json()).toMatchObject({ status: 'live', live: true })
    expect(await statuses()).toEqual({ ...asFound, [versions.rejected]: 'live', [versions.live]: 'retired' })
    const { items } = (await ask('GET', `models/history?${query}&limit=2`)).json()
    const by = 'operator of alpha'
    expect(items).toContainEqual(
      expect.objectContaining({
        version: versions.rejected,
        status: 'live',
        reason: `Made live by force by ${by}.`,
        by,
      }),
    )
    expect(items).toContainEqual(
      expect.objectContaining({ version: versions.live, reason: `Replaced by ${versions.rejected}.`, by }),
    )
    const said = (await ask('POST', 'predict', { ...energy, rows: [row] })).json()
    expect(said.model.version).toBe(versions.rejected)
  })

  test('is rolled back to the one before it, then to the naive forecast, then not at all', async () => {
    const back = () => ask('POST', 'models/rollback', energy)
    expect((await back()).json()).toEqual({ live: versions.before })
    expect(await statuses()).toEqual({ ...asFound, [versions.live]: 'rejected', [versions.before]: 'live' })
    expect((await back()).json()).toEqual({ live: 'naive' })
    expect((await back()).json()).toMatchObject({ status: 404, code: 'model_missing' })
    expect((await ask('POST', 'predict', { ...energy, rows: [row] })).statusCode).toBe(404)
    await hub.clock.advance(4000)
    await expect
      .poll(async () => (await ask('GET', 'forecasts?site=alpha')).json().items[0].model.kind)
      .toBe('naive')
  })

  test('whose files are damaged is refused, set aside with its reason, and the live one stays', async () => {
    const keys = await hub.artifacts.list('models/alpha/')
    const file = keys.find((key) => key.endsWith(`${versions.before}/model.json`)) ?? ''
    const bytes = (await hub.artifacts.get(file)) ?? new Uint8Array()
    await hub.artifacts.put(file, bytes.subarray(0, 1000))
    const reason = /model\.json has 1000 bytes instead of \d+; it may be cut short/
    for (const [url, body] of [
      ['models/rollback', energy],
      ['models/promote', { ...version(versions.before), force: true }],
      ['models/rollback', version(versions.before)],
    ] as const) {
      const answer = await ask('POST', url, body)
      expect([url, answer.statusCode, answer.json().code]).toEqual([url, 409, 'model_refused'])
      expect(answer.json().detail).toMatch(reason)
    }
    expect(await statuses()).toEqual({ ...asFound, [versions.before]: 'refused' })
    const { items } = (await ask('GET', `models?${query}`)).json()
    expect(items[2]).toMatchObject({ status: 'refused', reason: expect.stringMatching(reason) })
    expect((await ask('POST', 'predict', { ...energy, rows: [row] })).json().model.version).toBe(
      versions.live,
    )
  })

  test('answers rows of which nothing is known, and the same row with the same number', async () => {
    const { predictions } = (await ask('POST', 'predict', { ...energy, rows: [row, {}, row] })).json()
    expect(predictions).toHaveLength(3)
    expect(predictions.every(Number.isFinite)).toBe(true)
    expect(predictions[0]).toBe(predictions[2])
  })
})

describe('a training', () => {
  test('is asked for by site, device and domain; who waits already keeps his place', async () => {
    const queued = async (url: string, body?: object): Promise<string[]> =>
      (await ask('POST', url, body)).json().jobs.map((job: { id: string }) => job.id)
    expect(await queued('train', { device: 'absent' })).toEqual([])
    expect(await queued('train', { domain: 'occupancy' })).toEqual([])
    const [first] = await queued('train?site=alpha', { device: 'alpha-meter', domain: 'energy' })
    const all = await queued('train')
    expect(all).toHaveLength(2)
    expect(all).toContain(first)
    const jobs = (await ask('GET', 'jobs?status=queued')).json().items
    expect(jobs.map(({ id }: { id: string }) => id).sort()).toEqual([...all].sort())
    expect((await ask('DELETE', `jobs/${first}`)).json()).toMatchObject({ id: first, status: 'cancelled' })
    expect((await ask('DELETE', `jobs/${first}`)).json()).toMatchObject({ status: 409 })
  })
})

describe('a span that is forgotten', () => {
  const spans = async (): Promise<string[]> =>
    (await ask('GET', 'forgotten')).json().items.map(({ id }: { id: string }) => id)
  const waiting = async (): Promise<string[]> =>
    (await ask('GET', 'jobs?status=queued')).json().items.map((job: { by: string }) => job.by)
  const readings = async (): Promise<unknown> =>
    (await ask('GET', 'readings?site=alpha&metric=energy_total&limit=1000')).json().items

  test('keeps its readings, has the device learn anew, and again when it is taken back', async () => {
    const kept = await readings()
    expect(kept).toHaveLength(242)
    const secret = await hub.key('operator', ['alpha'])
    const payload = {
      ...{ site: 'alpha', device: 'alpha-meter', metric: 'energy_total', reason: 'away' },
      ...{ from: noon - 20 * 3_600_000, to: noon - 10 * 3_600_000 },
    }
    const span = (await hub.ask({ method: 'POST', url: '/api/v1/forgotten', payload, secret })).json()
    expect(span).toMatchObject({ reason: 'away', by: 'operator of alpha', at: noon + 6000 })
    expect(await spans()).toContain(span.id)
    expect(await waiting()).toEqual(['operator of alpha'])
    expect(await readings()).toEqual(kept)
    const [{ id }] = (await ask('GET', 'jobs?status=queued')).json().items
    await ask('DELETE', `jobs/${id}`)

    expect((await ask('DELETE', `forgotten/${span.id}`)).json()).toEqual({ removed: span.id })
    expect(await spans()).not.toContain(span.id)
    expect(await waiting()).toHaveLength(1)
    expect(await readings()).toEqual(kept)
  })
})

const off = 'Training is switched off here (training.enabled).'

test.each([
  ['/api/v1/train', 409, { code: 'not_acceptable_state', detail: off }],
  // as the care hub says it
  ['/api/train', 200, { status: 'error', message: off }],
])(
  '%s says so where training is switched off, instead of letting what is asked for wait for ever',
  async (url, status, says) => {
    const own = await startTestHub({ open: true })
    try {
      const answer = await own.ask({ method: 'POST', url })
      expect([answer.statusCode, answer.json()]).toEqual([status, expect.objectContaining(says)])
      expect((await own.ask({ url: '/api/v1/jobs' })).json().items).toEqual([])
    } finally {
      await own.close()
    }
  },
)

describe('a list of the newest', () => {
  test.each(['jobs', 'infos', 'models/history'])(
    '%s is full for a key of one site, whatever others do',
    async (url) => {
      const beta = { site: 'beta', device: `beta-${mark}-meter`, metric: 'energy' }
      const at = noon + 1000
      await hub.ledger.notes.putInfos([{ id: 'x', at, site: 'beta', summary: 'news', detail: '', level: 0 }])
      const state = {
        kind: 'train',
        status: 'failed',
        progress: 0,
        detail: '',
        by: '',
        force: false,
      } as const
      await hub.ledger.jobs.put([{ ...state, id: 'x', target: targetOfSeries(beta), createdAt: at }])
      await hub.engine.models.promote(targetOfSeries(beta), versions.rejected, { by: 'x', force: true })
      const secret = await hub.key('viewer', ['alpha', 'gamma'])
      const { items } = (await hub.ask({ url: `/api/v1/${url}?limit=1`, secret })).json()
      expect(items).toHaveLength(1)
      expect(JSON.stringify(items)).toContain('alpha')
    },
  )

  test('infos: what concerns all sites is for keys of all sites, and comes once', async () => {
    await hub.ledger.notes.putInfos([{ id: 'h', at: noon, site: null, summary: 'hub', detail: '', level: 2 }])
    const secret = await hub.key('viewer', ['alpha', 'beta'])
    const { items } = (await hub.ask({ url: '/api/v1/infos', secret })).json()
    expect(items.map(({ site }: { site: string | null }) => site)).toEqual(['alpha', 'beta'])
    const all = (await hub.ask({ url: '/api/v1/infos', secret: await hub.key('viewer') })).json().items
    expect(all.map(({ site }: { site: string | null }) => site)).toEqual([null, 'alpha', 'beta'])
  })

  test('history is narrowed by device alone, too', async () => {
    const { items } = (await ask('GET', 'models/history?device=alpha-meter&limit=2')).json()
    expect(items).toMatchObject([{ target: targetOfSeries(energy) }, { target: targetOfSeries(energy) }])
    const named = 'site=alpha&domain=energy&subject=alpha-meter'
    expect((await ask('GET', `models/history?${named}&limit=2`)).json().items).toEqual(items)
    expect((await ask('GET', 'models/history?metric=power')).json().items).toEqual([])
  })
})

describe('a schedule', () => {
  const put = async (name: string, body: object): Promise<unknown> =>
    (await ask('PUT', `schedules/${name}`, body)).json()

  test('keeps what is not said: an hour changed, switched off and on', async () => {
    const [, retrain] = (await ask('GET', 'schedules')).json().items
    expect(await put('retrain', { cron: '15 3 * * *' })).toMatchObject({
      ...{ cron: '15 3 * * *', zone: 'Europe/Berlin', event: retrain.event, builtIn: true, enabled: true },
      nextAt: Date.parse('2026-03-03T02:15:00Z'),
    })
    const off = await put('retrain', { enabled: false })
    expect(off).toMatchObject({ cron: '15 3 * * *', enabled: false })
    expect(off).not.toHaveProperty('nextAt')
    expect(await put('retrain', { enabled: true })).toMatchObject({
      nextAt: Date.parse('2026-03-03T02:15:00Z'),
    })
  })

  test('takes a period in the place of a cron expression', async () => {
    const period = await put('retrain', { everyMs: 3_600_000 })
    expect(period).toMatchObject({ everyMs: 3_600_000, nextAt: noon + 6000 + 3_600_000 })
    expect(period).not.toHaveProperty('cron')
  })
})
