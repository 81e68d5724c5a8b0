import { spawn } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { generate } from 'mqtt-packet'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { program } from '../servers/hub.ts'
import { makePlace, type Place, patienceMs, posting, requireBuild } from './cli.ts'

/** `homeostat user`, with and without a hub that runs, and what its users may do at that hub. */

requireBuild()

let place: Place
beforeEach(async () => {
  place = await makePlace()
})
afterEach(() => place.clear())

const password = 'correct horse'

/** Runs a command that reads a password from standard input. */
function give(text: string, ...args: string[]): Promise<{ code: number | null; out: string; error: string }> {
  const { PATH } = process.env
  const child = spawn(process.execPath, [program, ...args], {
    cwd: place.path,
    env: { PATH, HOME: place.path, TZ: 'UTC', NO_COLOR: '1' },
  })
  const said = { out: '', error: '' }
  child.stdout.on('data', (chunk) => {
    said.out += chunk
  })
  child.stderr.on('data', (chunk) => {
    said.error += chunk
  })
  child.stdin.end(text)
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, ...said })))
}

const login = async (secret: string): Promise<{ status: number; body: Record<string, string> }> => {
  const body = JSON.stringify({ name: 'Maria', password: secret })
  const headers = { 'content-type': 'application/json' }
  const answer = await fetch(`${place.url}/api/v1/login`, { method: 'POST', headers, body })
  return { status: answer.status, body: (await answer.json()) as Record<string, string> }
}

describe('homeostat user', { timeout: patienceMs }, () => {
  test('adds, lists and removes users of a folder that no hub holds', async () => {
    const made = await give(`${password}\n`, 'user', 'create', 'Maria', '--role', 'viewer', '--site', 'home')
    expect([made.code, made.out]).toEqual([0, 'viewer    home  Maria\n'])
    expect(await give(`${password}\n`, 'user', 'create', 'maria', '--role', 'admin')).toMatchObject({
      code: 5,
      error: 'There is already a user "maria".\n',
    })
    expect(await give('short\n', 'user', 'create', 'Peter', '--role', 'admin')).toMatchObject({
      code: 2,
      error: expect.stringContaining('8 to 200 characters, this one 5'),
    })
    expect((await give('', 'user', 'list')).out).toBe('viewer    home  Maria\n')
    expect((await give('', 'user', 'remove', 'MARIA')).code).toBe(0)
    expect((await give('', 'user', 'list')).out).toBe('There are no users.\n')
    expect((await give('', 'user', 'remove', 'Maria')).code).toBe(4)
  })

  test('speaks to the hub that holds the folder; a removed user is out of HTTP and MQTT', async () => {
    const hub = await place.serve('--no-demo')
    expect((await hub.ask('/api/v1/sites')).status).toBe(200)
    await give(`${password}\n`, 'user', 'create', 'Maria', '--role', 'operator')
    expect((await hub.ask('/api/v1/sites')).status).toBe(401)
    await give('another horse\n', 'user', 'password', 'Maria')
    expect((await login(password)).status).toBe(401)
    const { body } = await login('another horse')
    const headers = { authorization: `Bearer ${body['access_token']}` }
    const row = [{ device: 'lamp', metric: 'power', value: 1 }]
    expect((await hub.ask('/api/v1/readings', posting(row, headers))).status).toBe(200)

    const socket = connect(place.mqttPort, '127.0.0.1')
    const closed = new Promise((resolve) => socket.once('close', resolve))
    const accepted = new Promise<Buffer>((resolve) => socket.once('data', resolve))
    socket.write(
      generate({
        ...{
          cmd: 'connect',
          protocolId: 'MQTT',
          protocolVersion: 4,
          clean: true,
          clientId: 'a',
          keepalive: 0,
        },
        ...{ username: 'Maria', password: Buffer.from(body['access_token'] ?? '') },
      }),
    )
    expect((await accepted)[3]).toBe(0)
    expect((await give('', 'user', 'remove', 'Maria')).code).toBe(0)
    await closed
    expect((await hub.ask('/api/v1/readings', posting(row, headers))).status).toBe(401)
  })

  test('a hub for the network says that MQTT is for this machine only, unless it is told otherwise', async () => {
    const start = async (...args: string[]): Promise<string> => {
      const hub = await place.serve('--no-demo', ...args)
      await hub.stop()
      return hub.started.tail
    }
    expect((await place.run('serve', '--host', '0.0.0.0')).error).toContain('homeostat user create')
    await give(`${password}\n`, 'user', 'create', 'Maria', '--role', 'admin')
    expect(await start('--host', '0.0.0.0')).toContain("MQTT takes this machine's clients only")
    expect(await start()).not.toContain('MQTT takes')
    place.configure({ mqtt: { host: '0.0.0.0' } })
    expect(await start('--host', '0.0.0.0')).not.toContain('MQTT takes')
  })

  test('the secret of tokens is readable for this user only, is the same after a restart, and is not logged', async () => {
    await give(`${password}\n`, 'user', 'create', 'Maria', '--role', 'admin')
    const first = await place.serve('--no-demo')
    const { body } = await login(password)
    const file = join(place.data, 'secret.key')
    expect(statSync(file).mode & 0o777).toBe(0o600)
    const secret = readFileSync(file)
    await first.stop()
    const second = await place.serve('--no-demo')
    const headers = { authorization: `Bearer ${body['access_token']}` }
    expect((await second.ask('/api/v1/me', { headers })).status).toBe(200)
    expect(readFileSync(file).equals(secret)).toBe(true)
    const logged = [first, second].map(({ started }) => started.tail).join('')
    for (const form of ['hex', 'base64', 'base64url'] as const)
      expect(logged).not.toContain(secret.toString(form))
    for (const token of [body['access_token'], body['refresh_token'], password])
      expect(logged).not.toContain(token)
  })
})
