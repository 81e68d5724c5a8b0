import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { targetOfSeries } from '../../src/core/old-card.ts'
import { versions } from './learnt.ts'
import { mark, noon, startTwoSites, type TwoSites } from './two-sites.ts'

/** What a client of the smoke pipeline asks about models, and who may. */

let hub: TwoSites
beforeEach(async () => {
  hub = await startTwoSites()
})
afterEach(async () => {
  expect(hub.errors).toEqual([])
  await hub.close()
})

const now = noon + 6000
const iso = (at: number): string => new Date(at).toISOString()
const energy = { site: 'alpha', device: 'alpha-meter', metric: 'energy' }
const info = {
  ...{
    model_type: 'energy',
    algorithm: 'forecast',
    feature_count: 49,
    version: versions.live,
    target: targetOfSeries(energy),
  },
  ...{ training_timestamp: '2026-02-27T01:00:00.000Z', loaded_at: '2026-02-27T01:00:01.000Z' },
}
const some = (part: object): unknown => expect.objectContaining(part)

const questions = [
  ['GET', '/model/info', [401, 200, 200, 200], info],
  [
    ...(['POST', '/model/reload', [401, 403, 200, 200]] as const),
    { status: 'success', message: 'Models are up to date.', model_info: info, timestamp: iso(now) },
  ],
  [
    ...(['GET', '/predictions/stats', [401, 200, 200, 200]] as const),
    {
      ...{ total_predictions: 0, fire_predictions: 0, no_fire_predictions: 0, batch_predictions: 0 },
      ...{ average_confidence: 0, average_processing_time: 0, last_reset: iso(noon), timestamp: iso(now) },
      ...{ fire_detection_rate_percent: 0, safe_detection_rate_percent: 0, uptime_seconds: 6 },
    },
  ],
  ['GET', '/config', [401, 200, 200, 200], some({ service: 'homeostat', max_batch_size: 1000 })],
] as const

describe.each(questions)('%s %s', (method, url, status, says) => {
  test.each([url, `${url}/`])('is answered to who may ask: %s', async (path) => {
    const secrets = [
      undefined,
      await hub.key('viewer', ['alpha']),
      await hub.key('operator', ['alpha']),
      await hub.key('admin', ['alpha']),
    ]
    for (const [index, secret] of secrets.entries()) {
      const answer = await hub.ask({ method, url: path, secret })
      expect([index, answer.statusCode]).toEqual([index, status[index]])
      if (answer.statusCode === 200) expect(answer.json()).toEqual(says)
      expect(answer.body).not.toMatch(new RegExp(`beta|${mark}`))
    }
  })
})

test('/health has the fields that its clients read', async () => {
  const { body } = await hub.ask({ url: '/health' })
  const fields = {
    status: 'healthy',
    timestamp: iso(now),
    model_loaded: true,
    model_path: 'memory',
    uptime_seconds: 6,
  }
  expect(JSON.parse(body)).toMatchObject(fields)
})

test('reload: an operator of a site has the models of that site read anew, and no others', async () => {
  const read: string[] = []
  const get = hub.artifacts.get.bind(hub.artifacts)
  hub.artifacts.get = (key) => {
    read.push(key)
    return get(key)
  }
  const secret = await hub.key('operator', ['alpha'])
  expect((await hub.ask({ method: 'POST', url: '/model/reload', secret })).statusCode).toBe(200)
  expect(read.length).toBeGreaterThan(0)
  expect(read.filter((key) => !key.includes('/alpha/'))).toEqual([])
})

test('where no model is live, there is no info and nothing to read anew', async () => {
  const secret = await hub.key('operator', ['gamma'])
  const answer = await hub.ask({ url: '/model/info', secret })
  expect([answer.statusCode, answer.json()]).toEqual([500, { error: 'Model not available' }])
  const reload = await hub.ask({ method: 'POST', url: '/model/reload', secret })
  expect([reload.statusCode, reload.json()]).toEqual([
    500,
    { status: 'error', message: 'No learnt model is live.', timestamp: iso(now) },
  ])
})

test('a damaged live model is gone with the next reload, and the one before it is told', async () => {
  const secret = await hub.key('operator', ['alpha'])
  const damage = async (version: string): Promise<void> => {
    const keys = await hub.artifacts.list('models/alpha/')
    const file = keys.find((key) => key.endsWith(`${version}/model.json`)) ?? ''
    await hub.artifacts.put(file, new TextEncoder().encode('{'))
  }
  const reload = () => hub.ask({ method: 'POST', url: '/model/reload', secret })
  await damage(versions.live)
  expect((await reload()).json()).toMatchObject({
    ...{ status: 'success', model_info: { version: versions.before, loaded_at: iso(now) } },
  })
  const payload = { ...energy, rows: [{ hour: 1 }] }
  const said = await hub.ask({ method: 'POST', url: '/api/v1/predict', payload, secret })
  expect(said.json().model.version).toBe(versions.before)
  await damage(versions.before)
  expect((await reload()).json()).toMatchObject({ status: 'error', timestamp: iso(now) })
  const { statusCode, body } = await hub.ask({ url: '/model/info', secret })
  expect([statusCode, JSON.parse(body)]).toEqual([500, { error: 'Model not available' }])
  // another site's model is untouched
  expect((await hub.ask({ url: '/health' })).json()).toMatchObject({ model_loaded: true })
})

test('the newest live model is told, and follows a promotion', async () => {
  const secret = await hub.key('viewer')
  await hub.engine.models.promote(targetOfSeries(energy), versions.rejected, { by: 'test', force: true })
  expect((await hub.ask({ url: '/model/info', secret })).json()).toMatchObject({
    ...{ version: versions.rejected, target: targetOfSeries(energy), loaded_at: iso(now) },
  })
})

test('rows that were asked for are counted, each site for itself', async () => {
  const operator = await hub.key('operator')
  const ask = (rows: object[]) =>
    hub.ask({ method: 'POST', url: '/api/v1/predict', payload: { ...energy, rows }, secret: operator })
  await ask([{ hour: 1 }])
  await ask([{ hour: 1 }, { hour: 2 }])
  // what was refused is no prediction
  await ask([{ huor: 1 }])
  const stats = async (sites: string[] | null) =>
    (await hub.ask({ url: '/predictions/stats', secret: await hub.key('viewer', sites) })).json()
  expect(await stats(null)).toMatchObject({ total_predictions: 3, batch_predictions: 1 })
  expect(await stats(['alpha'])).toMatchObject({ total_predictions: 3 })
  expect(await stats(['beta'])).toMatchObject({ total_predictions: 0, batch_predictions: 0 })
})

test('/config lists what can be asked, and neither secrets nor paths of the machine', async () => {
  const { body } = await hub.ask({ url: '/config', secret: await hub.key('viewer') })
  const { endpoints } = JSON.parse(body)
  for (const [method, path] of [...questions, ['POST', '/api/v1/predict'], ['DELETE', '/api/v1/jobs/:id']])
    expect(endpoints).toContainEqual({ method, path, description: expect.stringMatching(/./) })
  expect(body).not.toMatch(/hs_|sha256|\/home|\/tmp|data\//)
})

test.each(['/model', '/model/', '/model/nothing', '/predictions/', '/predictions/a/b'])(
  '%s is no endpoint, said as its clients expect it',
  async (url) => {
    for (const method of ['GET', 'POST'] as const) {
      const answer = await hub.ask({ method, url })
      expect([answer.statusCode, answer.json()]).toEqual([404, { error: 'Endpoint not found' }])
    }
  },
)
