import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { connect } from 'node:net'
import { afterEach, describe, expect, test, vi } from 'vitest'
import {
  accepts,
  freePort,
  type RunningServer,
  serverOrSkip,
  startInflux,
  startMosquitto,
  startPostgres,
  startRedis,
  temporaryFolder,
} from './servers.ts'

const table = [
  { name: 'mosquitto', start: () => startMosquitto() },
  { name: 'influxd', start: startInflux },
  { name: 'redis-server', start: startRedis },
  { name: 'postgres', start: startPostgres },
] as const

describe('a server of the tests', () => {
  for (const { name, start } of table) {
    const { available, reason } = serverOrSkip(name)
    test.skipIf(!available)(
      `${name} accepts, and after its stop is gone with its folder ${reason}`,
      async () => {
        const server: RunningServer = await start()
        expect(await accepts(server.port)).toBe(true)
        expect(existsSync(server.folder)).toBe(true)
        await server.stop()
        expect(await accepts(server.port)).toBe(false)
        expect(existsSync(server.folder)).toBe(false)
        expect(() => process.kill(server.pid, 0)).toThrow()
      },
    )
  }

  test('a program that throws leaves neither process nor folder behind', async () => {
    const script = `
      import { startRedis } from './test/servers.ts'
      const server = await startRedis()
      console.log(JSON.stringify({ port: server.port, folder: server.folder }))
      throw new Error('the test failed')`
    const { available, reason } = serverOrSkip('redis-server')
    if (!available) throw new Error(reason)
    const run = spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
      encoding: 'utf8',
    })
    expect(run.status, run.stderr).toBe(1)
    const left = JSON.parse(run.stdout)
    expect(existsSync(left.folder)).toBe(false)
    expect(await accepts(left.port)).toBe(false)
  })
})

describe('serverOrSkip', () => {
  afterEach(() => vi.unstubAllEnvs())

  test('a missing server is a skip with its reason, and an error under CI', () => {
    vi.stubEnv('CI', '')
    // @ts-expect-error not one of the names
    expect(serverOrSkip('no-such-server')).toMatchObject({ available: false })
    vi.stubEnv('CI', 'true')
    // @ts-expect-error not one of the names
    expect(() => serverOrSkip('no-such-server')).toThrow('not installed')
  })
})

test('freePort gives ports that nobody listens on, each once', async () => {
  const ports = await Promise.all(Array.from({ length: 50 }, freePort))
  expect(new Set(ports).size).toBe(50)
  const refused = await new Promise((resolve) => {
    connect(ports[0]!, '127.0.0.1')
      .once('error', () => resolve(true))
      .once('connect', () => resolve(false))
  })
  expect(refused).toBe(true)
})

test('a temporary folder is there until it is removed', () => {
  const folder = temporaryFolder('homeostat-test')
  expect(existsSync(folder.path)).toBe(true)
  folder.remove()
  expect(existsSync(folder.path)).toBe(false)
})
