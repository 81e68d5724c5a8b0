import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { loadConfig } from '../../src/config/load.ts'
import { hourMs, quarterMs } from '../../src/core/time.ts'
import { startHub } from '../../src/main.ts'
import { createMemoryLedger } from '../../src/stores/ledger/memory.ts'
import { createMemoryReadings } from '../../src/stores/readings/memory.ts'
import { surfaceHumidity, waterContent } from '../fixtures/domains/damp/physics.ts'
import { domains } from '../fixtures/domains/index.ts'
import { startTestHub, type TestHub } from '../hub.ts'
import { VirtualClock } from '../virtual-clock.ts'

/** The worked example of CONTRIBUTING.md: a domain that is one more line of the list of domains. */

const start = Date.UTC(2026, 0, 5)
const dry = 40
const humid = 65

let clock: VirtualClock
let stores: Pick<TestHub, 'readings' | 'ledger'>
let hub: TestHub
const startDamp = () =>
  startTestHub({ clock, domains, ...stores, domainSettings: { damp: { outdoorRoom: 'garden' } } })
beforeEach(async () => {
  clock = new VirtualClock(start)
  stores = { readings: createMemoryReadings(), ledger: createMemoryLedger() }
  hub = await startDamp()
})
afterEach(async () => {
  await hub.close()
  expect(hub.errors).toEqual([])
})

const air = (site: string, room: string, degC: number, humidity: number) => {
  const series = { site, room, device: `${room}-sensor`, at: clock.now() }
  return [
    { ...series, metric: 'temperature', value: degC },
    { ...series, metric: 'humidity', value: humidity },
  ]
}

/** Hours of a bathroom at 20 degrees, with 0 degrees and 80 % in the garden. */
async function pass(hours: number, humidity: number, ...sites: readonly string[]): Promise<void> {
  for (let quarter = 0; quarter < 4 * hours; quarter++) {
    for (const site of sites.length > 0 ? sites : ['home'])
      await hub.push([...air(site, 'garden', 0, 80), ...air(site, 'bath', 20, humidity)])
    await clock.advance(quarterMs)
  }
}

const alerts = () => hub.ledger.alerts({}, 9)

describe('the example domain', () => {
  test('damp: has the physics of EN ISO 13788 and DIN 4108-2', () => {
    // the standards' own case: 20 degC, 50 %, -5 degC outdoors; 12.6 degC at the wall is the least, f_Rsi is 0.7
    expect(surfaceHumidity(20, 50, -5, (12.6 + 5) / 25)).toBeCloseTo(80, 0)
    expect(surfaceHumidity(20, 50, -5, 1)).toBe(50)
    expect(waterContent(20, 100)).toBeCloseTo(17.3, 0)
  })

  test('damp: raises an alert when the wall has been too humid for long enough, and closes it', async () => {
    await pass(4, dry)
    await pass(5, humid)
    expect(await alerts()).toEqual([])
    await pass(2, humid)
    const since = start + 4 * hourMs
    const target = { site: 'home', domain: 'damp', subject: 'bath' }
    expect(await alerts()).toMatchObject([{ target, rule: 'damp', level: 'warning', since }])
    await pass(1, dry)
    expect(await alerts()).toMatchObject([{ since, until: start + 11 * hourMs + quarterMs }])
  })

  test('damp: stores the humidity of the wall as a derived series, which its route shows', async () => {
    await pass(1, dry)
    const series = { site: 'home', device: '@damp:bath', metric: 'surface_humidity', unit: '%' }
    const value = surfaceHumidity(20, dry, 0, 0.7)
    // the garden was measured before there was the room
    expect(await hub.readings.read({ device: '@damp:bath' }, 9)).toEqual([
      { ...series, value, at: start + quarterMs },
      { ...series, value, at: start + 2 * quarterMs },
    ])
    await pass(1, humid, 'home', 'office')
    const shown = async (secret?: string, query = '') => {
      const answer = await hub.ask({ url: `/api/v1/damp/rooms${query}`, secret })
      return answer.statusCode === 200
        ? answer.json().map((room: { site: string }) => room.site)
        : answer.statusCode
    }
    const home = await hub.key('viewer', ['home'])
    expect(await shown()).toBe(401)
    expect(await shown(home)).toEqual(['home'])
    expect(await shown(home, '?site=office')).toBe(403)
    expect(await shown(await hub.key('admin'))).toEqual(['home', 'office'])
  })

  test('damp: the usual surplus of a room is in its alert, also after a restart', async () => {
    await pass(12, dry)
    await hub.close()
    hub = await startDamp()
    await pass(7, humid)
    const surplus = (humidity: number) => waterContent(20, humidity) - waterContent(0, 80)
    const more = `${surplus(humid).toFixed(1)} g/m3 more water than outdoors, usually ${surplus(dry).toFixed(1)}`
    expect(await alerts()).toMatchObject([{ message: expect.stringContaining(more) }])
  })

  test('damp: a site may have settings of its own, which apply at once', async () => {
    const secret = await hub.key('admin')
    await pass(2, humid, 'home', 'office')
    const put = (payload: object) =>
      hub.ask({ method: 'PUT', url: '/api/v1/settings/damp?site=office', payload, secret })
    expect((await put({ surfaceHumidityMax: 120 })).json().code).toBe('settings_invalid')
    expect((await put({ forHours: 1 })).json().settings).toMatchObject({ forHours: 1, outdoorRoom: 'garden' })
    await pass(1, humid, 'home', 'office')
    expect((await alerts()).map(({ target }) => target.site)).toEqual(['office'])
  })
})

test('damp: its settings are keys of the configuration, and a hub starts with it', async () => {
  const data = await mkdtemp(join(tmpdir(), 'homeostat-damp-'))
  const config = loadConfig({
    ...{ cwd: data, domains, env: { HOMEOSTAT_DOMAINS_DAMP_FOR_HOURS: '3' } },
    flags: { data, port: 0, 'mqtt.enabled': false, 'demo.enabled': false, 'training.enabled': false },
  })
  expect(config.domains['damp']).toMatchObject({ forHours: 3, surfaceHumidityMax: 80 })
  const silent = () => undefined
  const log = { info: silent, warn: silent, error: silent }
  const running = await startHub(config, { log, version: '0', webFolder: data, domains })
  const answer = await fetch(`${running.url}/api/v1/damp/rooms`)
  expect([answer.status, await answer.json()]).toEqual([200, []])
  await running.close()
  await rm(data, { recursive: true })
})
