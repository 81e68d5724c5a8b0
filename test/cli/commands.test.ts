import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { makePlace, type Place, patienceMs, posting, requireBuild, type Serving } from './cli.ts'

/** The commands beside `serve`: on the folder, and through the hub that holds it. */

vi.setConfig({ testTimeout: patienceMs })

let place: Place
beforeEach(async () => {
  requireBuild()
  place = await makePlace()
})
afterEach(() => place.clear())

const csv = `time,device,metric,value,unit
2026-03-02T10:00:00Z,fridge,power,80,W
2026-03-02T10:01:00Z,fridge,power,0.1,kW
2026-03-02T10:02:00Z,fridge,power,broken,W
`

test.each([
  [['--version'], 0, /^\d+\.\d+\.\d+\n$/, /^$/],
  [['--help'], 0, /Usage: homeostat .*serve .*import .*key .*doctor /s, /^$/],
  [['sevre'], 2, /^$/, /sevre/],
  [['serve', '--prot', '1'], 2, /^$/, /Did you mean --port/],
  [['serve', '--port', '70000'], 2, /^$/, /A port is a number from 0 to 65535/],
  [['import', 'absent.csv'], 4, /Importing into/, /absent\.csv/],
  [
    ['doctor', '--config', 'absent.yaml'],
    1,
    /fail +configuration +.*absent\.yaml: there is no such file/,
    /^$/,
  ],
] as const)('homeostat %j ends with %i', async (args, code, out, error) => {
  const ended = await place.run(...args)
  expect(ended.code).toBe(code)
  expect(ended.out).toMatch(out)
  expect(ended.error).toMatch(error)
  // a mistake of its user is a sentence, not a stack
  expect(ended.error).not.toMatch(/\n\s+at /)
})

test('keys are made, listed and revoked on the folder, and through the hub that holds it', async () => {
  expect(await place.run('key', 'list')).toMatchObject({ code: 0, out: 'There are no keys.\n' })
  const first = await place.run('key', 'create', 'wall display', '--role', 'viewer', '--site', 'home')
  expect(first).toMatchObject({ code: 0, error: '' })
  const secret = /^hs_\S+$/m.exec(first.out)?.[0] ?? ''
  place.configure({ auth: { required: true } })
  const hub = await place.serve('--no-demo')
  const status = async (key: string): Promise<number> =>
    (await hub.ask('/api/v1/sites', { headers: { authorization: `Bearer ${key}` } })).status
  expect(await status(secret)).toBe(200)

  const second = await place.run('key', 'create', 'phone', '--role', 'admin')
  const other = /^hs_\S+$/m.exec(second.out)?.[0] ?? ''
  expect(await status(other)).toBe(200)
  const [id] = secret.split('_').slice(1)
  const listed = await place.run('key', 'list')
  expect(listed.out).toMatch(new RegExp(`^${id}  viewer    home  wall display$`, 'm'))
  expect(listed.out).toMatch(/^[0-9a-f]{12} {2}admin {5}all sites {2}phone$/m)
  expect(listed.out).not.toMatch(/hs_/)

  expect(await place.run('key', 'revoke', String(id))).toMatchObject({ code: 0, out: `Revoked ${id}.\n` })
  expect(await status(secret)).toBe(401)
  expect(await place.run('key', 'revoke', String(id))).toMatchObject({ code: 4, out: '' })
  await hub.stop()
  expect(await place.run('key', 'revoke', String(other.split('_')[1]))).toMatchObject({ code: 0 })
  expect((await place.run('key', 'list')).out).toBe('There are no keys.\n')
})

test('a file is imported into the folder, and by itself through the hub that holds it; twice is once', async () => {
  const file = place.write('fridge.csv', csv)
  const alone = await place.run('import', file)
  expect(alone.code).toBe(1)
  expect(alone.out).toContain(`Importing into ${place.data}`)
  const hub = await place.serve('--no-demo')
  const through = await place.run('import', file)
  expect(through.code).toBe(1)
  expect(through.out).toContain(`A hub holds ${place.data}: importing through ${place.url}`)
  const items = [
    expect.objectContaining({ device: 'fridge', metric: 'power', value: 80, unit: 'W' }),
    expect.objectContaining({ device: 'fridge', metric: 'power', value: 100, unit: 'W' }),
  ]
  expect(await hub.ask('/api/v1/readings')).toMatchObject({ body: { items } })
  const good = place.write('good.csv', csv.split('\n').slice(0, 3).join('\n'))
  expect(await place.run('import', good, '--site', 'elsewhere')).toMatchObject({ code: 0, error: '' })
  expect(await hub.ask('/api/v1/readings?site=elsewhere')).toMatchObject({ body: { items } })
})

test('what is imported is exported again, from the folder and from the hub that holds it; a stop leaves no file', async () => {
  const file = place.write('good.csv', csv.split('\n').slice(0, 3).join('\n'))
  expect(await place.run('import', file)).toMatchObject({ code: 0 })
  const alone = await place.run('export', '--out', 'alone.csv')
  expect(alone).toMatchObject({ code: 0, error: '' })
  expect(alone.out).toContain('Exported 2 rows to ')
  const hub = await place.serve('--no-demo')
  const through = await place.run('export', '--out', 'through.json', '--device', 'fridge')
  expect(through).toMatchObject({ code: 0, error: '' })
  const read = (name: string): string => readFileSync(join(place.path, name), 'utf8')
  expect(read('alone.csv').split('\n')).toEqual([
    'at,site,device,metric,value,unit,room',
    '2026-03-02T10:00:00.000Z,home,fridge,power,80,W,',
    '2026-03-02T10:01:00.000Z,home,fridge,power,100,W,',
    '',
  ])
  expect(JSON.parse(read('through.json'))).toMatchObject([{ value: 80 }, { value: 100 }])
  const wrong = await place.run('export', '--out', 'x.csv', '--what', 'dreams')
  expect(wrong.code).toBe(2)
  expect(wrong.error).toContain('readings, rollups, forecasts, energy')
  expect(await place.run('export')).toMatchObject({ code: 2 })
  await hub.stop()
})

describe('doctor', () => {
  test('finds a good place good, a taken port bad, and a running hub ready', async () => {
    const good = await place.run('doctor')
    expect(good).toMatchObject({ code: 0, error: '' })
    for (const what of ['node', 'configuration', 'disk', 'port', 'mqtt port', 'access', 'clock'])
      expect(good.out).toMatch(new RegExp(`^(ok|warn) +${what} `, 'm'))

    const server = createServer().listen(place.port, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    const taken = await place.run('doctor')
    await new Promise((resolve) => server.close(resolve))
    expect(taken.code).toBe(1)
    expect(taken.out).toMatch(new RegExp(`^fail +port +127.0.0.1:${place.port}.*--port N$`, 'm'))

    await place.serve('--no-demo')
    const running = await place.run('doctor')
    expect(running.code).toBe(0)
    expect(running.out).toMatch(new RegExp(`^ok +hub +runs at ${place.url}$`, 'm'))
    expect(running.out).toMatch(/^ok +readiness +takes readings$/m)
  })

  test('sees that a hub for the network would have no key, and that an external broker does not answer', async () => {
    place.configure({ host: '0.0.0.0', mqtt: { url: `mqtt://127.0.0.1:${place.mqttPort}` } })
    const { code, out } = await place.run('doctor')
    expect(code).toBe(1)
    expect(out).toMatch(/^fail +access +listens on 0\.0\.0\.0 without a key; run homeostat user create/m)
    expect(out).toMatch(/^fail +mqtt broker +127\.0\.0\.1:\d+ .*ECONNREFUSED/m)
    await place.run('key', 'create', 'x', '--role', 'admin')
    expect((await place.run('doctor')).out).toMatch(/^ok +access +listens on 0\.0\.0\.0, 1 keys, 0 users$/m)
  })

  test('does not mind where a broker that is not started would listen', async () => {
    place.configure({ mqtt: { enabled: false, host: '0.0.0.0' } })
    const { code, out } = await place.run('doctor')
    expect(out).toMatch(/^ok +access +open to this machine only$/m)
    expect(code).toBe(0)
  })
})

describe('the demo home', () => {
  const demo = { id: 'demo', name: 'Demo home', demo: true }
  // it comes when the hub takes readings already
  const appears = (hub: Serving): Promise<void> =>
    expect.poll(() => hub.ask('/api/v1/sites')).toMatchObject({ body: { items: [demo] } })
  const gone = { body: { items: [], next: null } }

  test('appears by itself, is labelled, and goes for good when it is deleted', async () => {
    const hub = await place.serve()
    await appears(hub)
    expect(await hub.ask('/health')).toMatchObject({ body: { demo: true } })
    const readings = async (): Promise<number> =>
      ((await hub.ask('/api/v1/latest')).body as { items: unknown[] }).items.length
    await expect.poll(readings, { timeout: 20_000 }).toBeGreaterThan(5)
    expect(await hub.ask('/api/v1/sites/demo', { method: 'DELETE' })).toEqual({
      status: 200,
      body: { removed: 'demo' },
    })
    for (const list of ['sites', 'readings', 'latest', 'devices', 'rooms'])
      expect([list, await hub.ask(`/api/v1/${list}`)]).toMatchObject([list, gone])
    expect(await hub.ask('/health')).toMatchObject({ body: { demo: false, series: 0, readings_stored: 0 } })
    expect(await hub.stop()).toBe(0)
    const again = await place.serve()
    expect(await again.ask('/api/v1/sites')).toMatchObject(gone)
  })

  test('comes back after a restart as itself, and goes for good with the first real reading', async () => {
    const first = await place.serve()
    await appears(first)
    expect(await first.stop()).toBe(0)
    const hub = await place.serve()
    await appears(hub)
    expect(
      await hub.ask('/api/v1/readings', posting({ device: 'lamp', metric: 'power', value: 1 })),
    ).toMatchObject({
      status: 200,
    })
    const sites = async (): Promise<unknown> => (await hub.ask('/api/v1/sites')).body
    const home = { items: [expect.objectContaining({ id: 'home', demo: false })], next: null }
    await expect.poll(sites, { timeout: 20_000 }).toEqual(home)
    const left = async (): Promise<unknown> => (await hub.ask('/api/v1/readings?site=demo')).body
    await expect.poll(left, { timeout: 20_000 }).toEqual({ items: [], next: null })
    expect(await hub.stop('SIGKILL')).toBe(null)
    const again = await place.serve()
    expect(await again.ask('/api/v1/sites')).toMatchObject({ body: home })
    expect(await again.ask('/api/v1/latest')).toMatchObject({ body: { items: [{ device: 'lamp' }] } })
  })

  test('does not come where it is not wanted', async () => {
    const hub = await place.serve('--no-demo')
    expect(await hub.ask('/api/v1/sites')).toMatchObject(gone)
    expect(await hub.ask('/health')).toMatchObject({ body: { demo: false } })
  })
})
