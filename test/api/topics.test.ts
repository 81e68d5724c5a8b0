import { afterEach, describe, expect, it } from 'vitest'
import type { RawReading } from '../../src/core/reading.ts'
import { TopicReader } from '../../src/sources/mqtt/reader.ts'
import { startTestHub, type TestHub, type TestHubOptions } from '../hub.ts'

const stops: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop()
})

const newTopics = () => new TopicReader({ mappings: [], payloadBytes: 4096 })

async function hubWith(options: TestHubOptions = {}) {
  const topics = options.topics ?? newTopics()
  const hub = await startTestHub({ open: true, ...options, topics })
  stops.push(() => hub.close())
  /** As a source does: what is read goes to the engine. */
  const hear = async (topic: string, payload: string): Promise<void> => {
    const rows: readonly RawReading[] = topics.read(topic, Buffer.from(payload)) ?? []
    if (rows.length > 0) await hub.push(rows)
  }
  return { hub, topics, hear, post: (url: string, payload: object) => ask(hub, 'POST', url, payload) }
}

async function ask(hub: TestHub, method: 'GET' | 'POST' | 'DELETE', url: string, payload?: object) {
  const answer = await hub.ask({ method, url: `/api/v1/${url}`, ...(payload ? { payload } : {}) })
  return { status: answer.statusCode, body: answer.json() }
}

const mapping = { topic: 'garage/{device}/{metric}', payload: 'number', defaults: { unit: 'degF' } }

describe('a mapping that is added while the hub runs', () => {
  it('turns a listed topic into readings at once, after a preview that stores nothing', async () => {
    const { hub, hear, post } = await hubWith()
    await hear('garage/freezer/temperature', '14')
    const { body: listed } = await ask(hub, 'GET', 'topics')
    expect(listed.items).toMatchObject([
      { topic: 'garage/freezer/temperature', kind: 'unmapped', payload: '14', count: 1 },
    ])
    const { body: preview } = await post('topics/preview', { mapping, topic: 'garage/freezer/temperature' })
    expect(preview).toMatchObject({ fits: true, readings: [{ device: 'freezer', value: -10, unit: 'degC' }] })
    expect(hub.engine.latest()).toEqual([])

    expect((await post('topics/mappings', mapping)).status).toBe(201)
    await hear('garage/freezer/temperature', '23')
    expect(hub.engine.latest()).toMatchObject([{ device: 'freezer', metric: 'temperature', value: -5 }])
    expect((await ask(hub, 'GET', 'topics')).body.items).toEqual([])
  })

  it('is kept over a restart, and is gone once it is removed', async () => {
    const first = await hubWith()
    const { body } = await first.post('topics/mappings', mapping)
    const topics = newTopics()
    const again = await hubWith({ ledger: first.hub.ledger, topics })
    expect(topics.filters()).toEqual(['garage/+/+'])
    expect((await ask(again.hub, 'DELETE', `topics/mappings/${body.id}`)).status).toBe(200)
    expect(topics.filters()).toEqual([])
    expect((await ask(again.hub, 'DELETE', `topics/mappings/${body.id}`)).status).toBe(404)
  })

  it.each([
    [{ topic: 'a/{dev}', payload: 'number' }, 'mapping_invalid'],
    [{ topic: 'a/#/b', payload: 'number' }, 'mapping_invalid'],
    [{ topic: 'a', payload: 'json', metrics: {} }, 'mapping_invalid'],
    [{ topic: 'a', payload: 'number', zone: 'Mars/Phobos' }, 'mapping_invalid'],
    [{ topic: 'a', payload: 'xml' }, 'request_invalid'],
    [{ topic: 'a'.repeat(501), payload: 'number' }, 'request_invalid'],
  ])('is refused where it cannot be right: %j', async (wrong, code) => {
    const { hub, post } = await hubWith()
    expect(await post('topics/mappings', wrong)).toMatchObject({ status: 400, body: { code } })
    expect((await ask(hub, 'GET', 'topics/mappings')).body.items).toEqual([])
  })

  it('is refused beyond the limit', async () => {
    const { post } = await hubWith({ topicMappings: 1 })
    expect((await post('topics/mappings', mapping)).status).toBe(201)
    expect((await post('topics/mappings', mapping)).body.code).toBe('records_full')
  })

  it('previews what would be refused, with the reason', async () => {
    const { post } = await hubWith()
    const json = { topic: 'm/{device}', payload: 'json', metrics: { p: { metric: 'power', unit: 'litre' } } }
    const { body } = await post('topics/preview', { mapping: json, topic: 'm/x', payload: '{"p":1,"q":2}' })
    expect(body).toMatchObject({ readings: [], problems: [{ code: 'unit_unknown' }], unread: ['q'] })
    const other = await post('topics/preview', { mapping: json, topic: 'n/x', payload: '{}' })
    expect(other.body).toMatchObject({ fits: false })
    expect((await post('topics/preview', { mapping: json, topic: 'm/silent' })).status).toBe(404)
  })
})

describe('rows in quarantine', () => {
  const wrongUnit = { ...mapping, defaults: { unit: 'litre' } }

  it('name the topic and the device that they came from', async () => {
    const { hub, hear, post } = await hubWith()
    await post('topics/mappings', wrongUnit)
    await hear('garage/freezer/temperature', '14')
    expect((await ask(hub, 'GET', 'quarantine')).body.items).toMatchObject([
      { code: 'unit_unknown', topic: 'garage/freezer/temperature', device: 'freezer', metric: 'temperature' },
    ])
  })

  it('become readings of the time when they arrived, once a mapping fits them', async () => {
    const { hub, hear, post } = await hubWith()
    await post('topics/mappings', wrongUnit)
    await hear('garage/freezer/temperature', '14')
    await hear('garage/freezer/humidity', 'wet and cold')
    const [, { at }] = (await ask(hub, 'GET', 'quarantine')).body.items
    await post('topics/mappings', mapping)
    const { body } = await post('quarantine/retry', {})
    expect(body).toMatchObject({ stored: 1, stay: 1, problems: [{ code: 'value_not_number' }] })
    expect(hub.engine.latest()).toMatchObject([{ device: 'freezer', value: -10, at }])
    expect((await ask(hub, 'GET', 'quarantine')).body.items).toMatchObject([{ metric: 'humidity' }])
    expect((await post('quarantine/retry', {})).body).toMatchObject({ stored: 0, stay: 1 })
  })

  it('of a message with several values come alone: the others are stored already', async () => {
    const { hub, hear, post } = await hubWith()
    const metrics = (unit: string) => ({
      p: { metric: 'power', unit: 'W' },
      t: { metric: 'temperature', unit },
    })
    await post('topics/mappings', { topic: 'm/{device}', payload: 'json', metrics: metrics('litre') })
    await hear('m/x', '{"p":1,"t":20}')
    await post('topics/mappings', { topic: 'm/{device}', payload: 'json', metrics: metrics('degC') })
    expect((await post('quarantine/retry', {})).body).toMatchObject({ stored: 1, stay: 0 })
    const { body } = await ask(hub, 'GET', 'readings')
    expect(body.items.map(({ metric }: { metric: string }) => metric).sort()).toEqual([
      'power',
      'temperature',
    ])
  })

  it('that were cut cannot be read again, and say so', async () => {
    const { hear, post } = await hubWith()
    await post('topics/mappings', {
      topic: 'm/{device}',
      payload: 'json',
      metrics: { p: { metric: 'power' } },
    })
    await hear('m/x', JSON.stringify({ p: 'much', text: 'x'.repeat(2000) }))
    expect((await post('quarantine/retry', {})).body.problems).toMatchObject([{ code: 'payload_cut' }])
  })

  it('handed in over HTTP are read again, too', async () => {
    const { hub, post } = await hubWith()
    await post('readings', { device: 'd', metric: 'power', value: 5, unit: 'litre' })
    expect((await post('quarantine/retry', {})).body).toMatchObject({
      ...{ stored: 0, stay: 1 },
      problems: [{ code: 'unit_unknown' }],
    })
    expect((await ask(hub, 'GET', 'quarantine')).body.items).toHaveLength(1)
  })

  it('are removed by their ids, or all', async () => {
    const { hub, post } = await hubWith()
    await hub.push([{ device: 'a' }, { device: 'b' }, { device: 'c' }])
    const ids = (await ask(hub, 'GET', 'quarantine')).body.items.map(({ id }: { id: number }) => id)
    expect((await post('quarantine/clear', { ids: [ids[0]] })).body).toEqual({ removed: 1 })
    expect((await post('quarantine/clear', {})).body).toEqual({ removed: 2 })
  })
})

it('the metrics count what is not understood, without naming topics', async () => {
  const { hub, hear } = await hubWith()
  await hear('x/1', 'a')
  await hear('x/2', 'b')
  const { body } = await hub.ask({ url: '/metrics' })
  expect(body).toMatch(/^homeostat_mqtt_not_understood_total\{kind="unmapped"\} 2$/m)
  expect(body).toMatch(/^homeostat_mqtt_topics_not_understood 2$/m)
  expect(body).not.toContain('x/1')
})
