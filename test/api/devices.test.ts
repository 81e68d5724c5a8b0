import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Removal } from '../../src/core/device.ts'
import type { Alert } from '../../src/core/event.ts'
import { hourMs, minuteMs } from '../../src/core/time.ts'
import { createMemoryJournal } from '../../src/stores/journal/memory.ts'
import { createMemoryLedger } from '../../src/stores/ledger/memory.ts'
import { createMemoryReadings } from '../../src/stores/readings/memory.ts'
import { startTestHub, type TestHub } from '../hub.ts'
import { noon, startTwoSites, type TwoSites } from './two-sites.ts'

/** What people do to devices, over the API and with a journal between the path and the stores. */

const rules = [
  { name: 'hot', metric: 'temperature', above: 50, level: 'critical', forSeconds: 0 },
  { name: 'damp', metric: 'humidity', above: 90, level: 'warning', forSeconds: 0 },
] as const
const start = Math.floor(Date.now() / hourMs) * hourMs - 3 * hourMs

let hub: TestHub
let secret: string
beforeEach(async () => {
  await open()
})
afterEach(() => hub.close())

async function open(stores: Partial<Pick<TestHub, 'readings' | 'ledger'>> = {}): Promise<void> {
  hub = await startTestHub({
    ...{ journal: createMemoryJournal(), readings: createMemoryReadings(), ledger: createMemoryLedger() },
    ...stores,
    domainSettings: { thresholds: { rules } },
  })
  secret = await hub.key('admin')
}

async function ask(method: 'GET' | 'POST' | 'PATCH' | 'DELETE', path: string, payload?: object) {
  const answer = await hub.ask({
    ...{ method, url: `/api/v1${path}`, secret },
    ...(payload ? { payload } : {}),
  })
  return { status: answer.statusCode, body: answer.json() }
}
const items = async (path: string) => (await ask('GET', path)).body.items

const power = (device: string, at: number, value: number, more: object = {}) => ({
  ...{ device, metric: 'power', unit: 'W', at, value },
  ...more,
})
const minutes = (device: string, from: number, values: readonly number[]) =>
  values.map((value, index) => power(device, start + (from + index) * minuteMs, value))

/** What the hub tells of a site, route by route. */
async function told() {
  const [devices, series, latest, readings, alerts, forecasts] = await Promise.all(
    ['devices', 'series', 'latest', 'readings', 'alerts', 'forecasts'].map((name) =>
      items(`/${name}?site=home`),
    ),
  )
  const { series: seriesCount } = (await hub.ask({ url: '/health', secret })).json()
  return { devices, series, latest, readings, alerts, forecasts, seriesCount }
}

const valuesOf = async (device: string, metric = 'power'): Promise<number[]> =>
  (await items(`/readings?site=home&device=${encodeURIComponent(device)}&metric=${metric}`)).map(
    ({ value }: { value: number }) => value,
  )
const derivedOf = (subject: string) => valuesOf(`@energy:${subject}`, 'energy')

describe('PATCH /api/v1/devices/{id}', () => {
  it('names a device whose id has slashes, and takes the name back', async () => {
    const id = 'zigbee/0x00 12/büro'
    await hub.push([power(id, start, 1)])
    const path = `/devices/${encodeURIComponent(id)}?site=home`
    expect(await ask('PATCH', path, { name: 'Office', role: 'house', hidden: true, type: 'meter' })).toEqual({
      status: 200,
      body: expect.objectContaining({ id, name: 'Office', role: 'house', hidden: true, type: 'meter' }),
    })
    expect(await items(`/devices?device=${encodeURIComponent(id)}`)).toMatchObject([{ id, name: 'Office' }])
    const { body } = await ask('PATCH', path, { name: null, role: null, hidden: false, type: null })
    expect(body).toEqual({ site: 'home', id, type: 'meter', attributes: {} })
    expect(await items('/devices')).toEqual([body])
  })

  it('keeps a room that a person set, whatever the next readings say', async () => {
    await hub.push([power('lamp', start, 1, { room: 'hall' })])
    await ask('PATCH', '/devices/lamp', { room: 'attic' })
    expect((await items('/series'))[0].room).toBe('attic')
    expect((await items('/readings'))[0].room).toBe('attic')
    await hub.push([power('lamp', start + 1, 2, { room: 'hall' }), power('lamp', start + 2, 3)])
    expect((await items('/devices'))[0]).toMatchObject({ room: 'attic', fixed: ['room'] })
    expect((await items('/latest'))[0]).toMatchObject({ room: 'attic', value: 3 })
    expect(new Set((await items('/readings')).map(({ room }: { room: string }) => room))).toEqual(
      new Set(['attic']),
    )
    await ask('PATCH', '/devices/lamp', { room: null })
    await hub.push([power('lamp', start + 3, 4, { room: 'hall' })])
    expect((await items('/devices'))[0]).toMatchObject({ room: 'hall' })
  })

  it('keeps what people said over a restart, and over a source that knows the device better', async () => {
    await hub.push([power('lamp', start, 1)])
    await ask('PATCH', '/devices/lamp', { name: 'Lamp', type: 'light', room: 'attic' })
    const { readings, ledger, engine } = hub
    const site = engine.sites()[0]!
    await engine.putSite(site, [
      { site: 'home', id: 'lamp', type: 'plug', room: 'hall', attributes: { watts: 5 } },
    ])
    const said = { name: 'Lamp', type: 'light', room: 'attic', attributes: { watts: 5 } }
    expect((await items('/devices'))[0]).toMatchObject(said)
    await hub.close()
    await open({ readings, ledger })
    await hub.push([power('lamp', start + 1, 2, { room: 'hall' })])
    expect((await items('/devices'))[0]).toMatchObject(said)
  })

  it.each([
    ['an unknown device', '/devices/nothing?site=home', { name: 'x' }, 404, 'not_found'],
    ['an unknown field', '/devices/lamp', { id: 'x' }, 400, 'request_invalid'],
    ['an unknown role', '/devices/lamp', { role: 'oven' }, 400, 'request_invalid'],
    ['a name that is too long', '/devices/lamp', { name: 'x'.repeat(101) }, 400, 'request_invalid'],
    ['a name with control characters', '/devices/lamp', { name: 'a\u0007' }, 400, 'request_invalid'],
  ])('refuses %s', async (_what, path, body, status, code) => {
    await hub.push([power('lamp', start, 1)])
    expect(await ask('PATCH', path, body)).toMatchObject({ status, body: { code } })
  })

  it('asks which site where two have the device', async () => {
    await hub.push([power('lamp', start, 1), power('lamp', start, 1, { site: 'office' })])
    const { status, body } = await ask('PATCH', '/devices/lamp', { name: 'x' })
    expect([status, body.detail]).toEqual([400, expect.stringContaining('home, office')])
    expect((await ask('PATCH', '/devices/lamp?site=office', { name: 'x' })).status).toBe(200)
  })
})

describe('DELETE /api/v1/devices/{id}', () => {
  it('takes a device out of every answer, and gives it back', async () => {
    await hub.push([...minutes('lamp', 0, [600, 600, 600]), ...minutes('lamp', 60, [1])])
    await hub.push([{ device: 'stove', metric: 'temperature', value: 80, at: Date.now() }])
    const before = await told()
    expect(before.alerts).toHaveLength(1)
    expect(await derivedOf('lamp')).not.toEqual([])
    for (const id of ['lamp', 'stove']) expect((await ask('DELETE', `/devices/${id}`)).status).toBe(200)
    const nothing = { devices: [], series: [], latest: [], readings: [], alerts: [], forecasts: [] }
    expect(await told()).toEqual({ ...nothing, seriesCount: 0 })
    expect(await derivedOf('lamp')).toEqual([])
    expect(hub.engine.incidents.unresolved()).toEqual([])
    expect((await ask('GET', '/window?site=home&device=lamp&metric=power')).status).toBe(404)
    const removed = await items('/devices/removed')
    expect(removed.map(({ device }: Removal) => device).sort()).toEqual(['lamp', 'stove'])
    for (const { id } of removed)
      expect((await ask('POST', `/devices/removed/${id}/restore`)).status).toBe(200)
    const { alerts, ...restored } = await told()
    expect({ ...restored, alerts: before.alerts }).toEqual(before)
    // its condition may have ended meanwhile: the next reading raises it again
    expect(alerts).toMatchObject([{ rule: 'hot', until: expect.any(Number) }])
    expect((await ask('GET', '/window?site=home&device=lamp&metric=power')).body.items).toHaveLength(4)
    expect(await items('/devices/removed')).toEqual([])
  })

  it('begins a device anew that sends again, and mixes nothing until it is restored', async () => {
    await hub.push(minutes('lamp', 0, [1, 2]))
    await ask('PATCH', '/devices/lamp', { name: 'Old lamp', room: 'attic' })
    await ask('DELETE', '/devices/lamp')
    await hub.push(minutes('lamp', 1, [20, 30]))
    expect(await items('/devices')).toEqual([{ site: 'home', id: 'lamp', type: 'appliance', attributes: {} }])
    expect(await valuesOf('lamp')).toEqual([20, 30])
    expect((await ask('POST', '/devices/lamp/restore')).status).toBe(200)
    expect(await valuesOf('lamp')).toEqual([1, 20, 30])
    expect((await items('/devices'))[0]).toMatchObject({ name: 'Old lamp', room: 'attic' })
    expect((await ask('GET', '/window?site=home&device=lamp&metric=power')).body.items).toHaveLength(3)
  })

  it('deletes one series, and derives the energy of the device from what is left', async () => {
    const energy = (minute: number, value: number) => ({
      ...{ device: 'lamp', metric: 'energy_total', unit: 'kWh', at: start + minute * minuteMs, value },
    })
    await hub.push(Array.from({ length: 61 }, (_, minute) => energy(minute, minute / 10)))
    await hub.push(Array.from({ length: 61 }, (_, minute) => power('lamp', start + minute * minuteMs, 600)))
    const sum = async () => (await derivedOf('lamp')).reduce((total, value) => total + value, 0)
    await vi.waitFor(async () => expect(await sum()).toBeCloseTo(6, 1), { timeout: 5000 })
    await ask('DELETE', '/devices/lamp?metric=energy_total')
    expect((await items('/series')).map(({ metric }: { metric: string }) => metric)).toEqual(['power'])
    expect(await items('/devices')).toHaveLength(1)
    await vi.waitFor(async () => expect(await sum()).toBeCloseTo(0.6, 1), { timeout: 5000 })
    expect(await items('/devices/removed')).toMatchObject([{ device: 'lamp', metric: 'energy_total' }])
  })

  it('closes and hides the alerts about a series that is deleted, and leaves the others of its device', async () => {
    const send = (metric: string, value: number) =>
      hub.push([{ device: 'bath', metric, value, at: Date.now() }])
    await send('temperature', 80)
    await send('humidity', 95)
    await ask('DELETE', '/devices/bath?metric=temperature')
    expect((await items('/alerts')).map(({ rule, until }: Alert) => [rule, until])).toEqual([
      ['damp', undefined],
    ])
    await send('humidity', 50)
    expect(await items('/alerts?open=true')).toEqual([])
    await ask('POST', '/devices/bath/restore')
    expect((await items('/alerts')).map(({ rule }: Alert) => rule).sort()).toEqual(['damp', 'hot'])
    await send('temperature', 81)
    expect(await items('/alerts?open=true')).toMatchObject([{ rule: 'hot', value: 81 }])
  })

  it('stays deleted over a restart, and is erased once its time has come', async () => {
    await hub.push(minutes('lamp', 0, [1, 2]))
    await ask('DELETE', '/devices/lamp')
    const { readings, ledger } = hub
    await hub.close()
    await open({ readings, ledger })
    expect([await items('/devices'), await valuesOf('lamp')]).toEqual([[], []])
    await hub.engine.devices.eraseDue()
    expect(await items('/devices/removed')).toHaveLength(1)
    const [removal] = await ledger.removals.list()
    const { clock } = hub.engine
    vi.spyOn(clock, 'now').mockReturnValue(removal!.until)
    await hub.engine.devices.eraseDue()
    vi.restoreAllMocks()
    expect([await items('/devices/removed'), await ledger.removals.list()]).toEqual([[], []])
    expect((await ask('POST', `/devices/removed/${removal!.id}/restore`)).status).toBe(404)
  })

  it('keeps readings apart that arrive while it runs', async () => {
    await hub.push(minutes('lamp', 0, [1]))
    const pushes = Array.from({ length: 20 }, (_, index) => hub.push(minutes('lamp', 2 + index, [2])))
    const [removed] = await Promise.all([ask('DELETE', '/devices/lamp'), ...pushes])
    expect(removed.status).toBe(200)
    await hub.push(minutes('lamp', 50, [3]))
    const kept = await valuesOf('lamp')
    expect(kept.at(-1)).toBe(3)
    expect(kept).not.toContain(1)
    await ask('POST', '/devices/lamp/restore')
    expect(await valuesOf('lamp')).toEqual([1, ...Array.from({ length: 20 }, () => 2), 3])
  })
})

describe('POST /api/v1/devices/{id}/merge', () => {
  it('makes the readings of a device those of another, also those to come', async () => {
    await hub.push([...minutes('new', 20, [3]), ...minutes('old', 0, [1, 2])])
    const { status, body } = await ask('POST', '/devices/old/merge', { into: 'new' })
    expect([status, body]).toEqual([
      200,
      expect.objectContaining({ kind: 'merged', device: 'old', into: 'new' }),
    ])
    await hub.push(minutes('old', 30, [4]))
    expect((await items('/devices')).map(({ id }: { id: string }) => id)).toEqual(['new'])
    expect(await valuesOf('new')).toEqual([1, 2, 3, 4])
    expect(await items('/latest')).toMatchObject([{ device: 'new', value: 4 }])
    expect((await ask('GET', '/window?site=home&device=new&metric=power')).body.items).toHaveLength(4)
    const { readings, ledger } = hub
    await hub.close()
    await open({ readings, ledger })
    await hub.push(minutes('old', 31, [5]))
    expect(await valuesOf('new')).toEqual([1, 2, 3, 4, 5])
    expect((await items('/devices')).map(({ id }: { id: string }) => id)).toEqual(['new'])
  })

  it('gives each device its own readings back, also those that came since', async () => {
    await hub.push([...minutes('new', 20, [3]), ...minutes('old', 0, [1, 2])])
    await ask('PATCH', '/devices/old', { name: 'The old one' })
    await ask('POST', '/devices/old/merge', { into: 'new' })
    await hub.push([...minutes('old', 30, [4]), ...minutes('new', 40, [5])])
    await ask('POST', '/devices/old/restore')
    await hub.push([...minutes('old', 50, [6]), ...minutes('new', 51, [7])])
    expect([await valuesOf('old'), await valuesOf('new')]).toEqual([
      [1, 2, 4, 6],
      [3, 5, 7],
    ])
    expect((await items('/devices')).map(({ name, id }: { name: string; id: string }) => name ?? id)).toEqual(
      ['new', 'The old one'],
    )
    expect((await ask('GET', '/window?site=home&device=new&metric=power')).body.items).toHaveLength(3)
    expect((await ask('GET', '/window?site=home&device=old&metric=power')).body.items).toHaveLength(4)
  })

  it('derives the energy of the device that stays from the readings of both', async () => {
    const hour = (device: string, from: number) =>
      minutes(
        device,
        from,
        Array.from({ length: 61 }, () => 1000),
      )
    await hub.push([...hour('old', 0), ...hour('new', 60)])
    const sum = async (subject: string) =>
      (await derivedOf(subject)).reduce((total, value) => total + value, 0)
    await ask('POST', '/devices/old/merge', { into: 'new' })
    await vi.waitFor(async () => expect(await sum('new')).toBeCloseTo(2, 0), { timeout: 5000 })
    expect(await derivedOf('old')).toEqual([])
    await ask('POST', '/devices/old/restore')
    await vi.waitFor(
      async () =>
        expect([await sum('old'), await sum('new')]).toEqual([expect.closeTo(1, 0), expect.closeTo(1, 0)]),
      { timeout: 5000 },
    )
  })

  it('follows a chain of merges, undone in reverse only', async () => {
    await hub.push([...minutes('a', 0, [1]), ...minutes('b', 1, [2]), ...minutes('c', 2, [3])])
    const { body: first } = await ask('POST', '/devices/a/merge', { into: 'b' })
    const { body: second } = await ask('POST', '/devices/b/merge', { into: 'c' })
    await hub.push([...minutes('a', 3, [10]), ...minutes('b', 4, [20]), ...minutes('c', 5, [30])])
    expect(await valuesOf('c')).toEqual([1, 2, 3, 10, 20, 30])
    expect(await ask('POST', `/devices/removed/${first.id}/restore`)).toMatchObject({
      status: 409,
      body: { detail: expect.stringContaining(second.id) },
    })
    await ask('POST', `/devices/removed/${second.id}/restore`)
    expect([await valuesOf('b'), await valuesOf('c')]).toEqual([
      [1, 2, 10, 20],
      [3, 30],
    ])
    await ask('POST', `/devices/removed/${first.id}/restore`)
    expect([await valuesOf('a'), await valuesOf('b')]).toEqual([
      [1, 10],
      [2, 20],
    ])
  })

  it.each([
    ['itself', 'old', 400, 'request_invalid'],
    ['a device that is not there', 'nothing', 404, 'not_found'],
    ['a device with another unit of the same metric', 'odd', 409, 'not_acceptable_state'],
  ])('refuses %s', async (_what, into, status, code) => {
    const flow = (device: string, unit: string) => ({ device, metric: 'flow', unit, at: start, value: 1 })
    await hub.push([flow('old', 'l/min'), flow('odd', 'm3/h')])
    expect(await ask('POST', '/devices/old/merge', { into })).toMatchObject({ status, body: { code } })
    expect(await items('/devices')).toHaveLength(2)
  })
})

describe('a learnt model of a device that is deleted', () => {
  let two: TwoSites
  beforeEach(async () => {
    two = await startTwoSites({ journal: createMemoryJournal(), readings: createMemoryReadings() })
  })
  afterEach(() => two.close())

  it('is gone with its forecasts and reports, and live again when the device is restored', async () => {
    const key = await two.key('admin')
    const get = async (path: string) => (await two.ask({ url: `/api/v1${path}`, secret: key })).json().items
    const all = async () => ({
      models: (await get('/models?site=alpha')).map((one: { model: object; status: string }) => [
        one.model,
        one.status,
      ]),
      history: (await get('/models/history?site=alpha')).length,
      forecasts: (await get('/forecasts?site=alpha')).length,
      report: (await get('/models/report?site=alpha&device=alpha-meter&metric=energy')).length,
      forgotten: (await get('/forgotten?site=alpha')).length,
    })
    const before = await all()
    expect(before).toMatchObject({ forecasts: 1, forgotten: 1 })
    const removal = await two.engine.devices.remove('alpha', 'alpha-meter', undefined, 'test')
    expect(await all()).toEqual({ models: [], history: 0, forecasts: 0, report: 0, forgotten: 0 })
    await two.push([
      { site: 'alpha', device: 'alpha-meter', metric: 'energy_total', unit: 'kWh', at: noon, value: 1 },
    ])
    await two.clock.advance(5000)
    expect(await get('/models?site=alpha')).toEqual([])
    await two.engine.devices.restore(removal.id)
    expect(await all()).toMatchObject({
      models: before.models,
      forecasts: 1,
      report: before.report,
      forgotten: 1,
    })
    expect(two.errors).toEqual([])
  })
})
