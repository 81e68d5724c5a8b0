import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { connectAsync } from 'mqtt'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { makePlace, type Place, patienceMs, posting, requireBuild, type Serving } from './cli.ts'

/** `homeostat serve` as its user starts and stops it. */

vi.setConfig({ testTimeout: patienceMs })

let place: Place
beforeEach(async () => {
  requireBuild()
  place = await makePlace()
})
afterEach(() => place.clear())

const lamp = { device: 'lamp', metric: 'power', value: 5 }

describe('a hub', () => {
  test('says where it is, takes readings, and stops at SIGTERM and SIGINT with code 0', async () => {
    for (const [round, signal] of (['SIGTERM', 'SIGINT'] as const).entries()) {
      const hub = await place.serve('--no-demo')
      await expect
        .poll(() => hub.started.tail)
        .toContain(`on ${place.url}, MQTT on 127.0.0.1:${place.mqttPort}`)
      expect(hub.started.tail).toContain('Stop with Ctrl+C.')
      expect(await hub.ask('/readyz')).toEqual({ status: 200, body: { status: 'ready', missing: [] } })
      expect(
        await hub.ask('/api/v1/readings', posting({ ...lamp, at: 1_772_452_800_000 + round })),
      ).toMatchObject({
        body: { accepted: 1 },
      })
      expect(await hub.ask('/api/v1/readings')).toMatchObject({ body: { items: { length: round + 1 } } })
      expect(await hub.stop(signal)).toBe(0)
      expect(existsSync(join(place.data, 'hub.json'))).toBe(false)
    }
  })

  test('DATA_FILE is imported when the hub starts, and not again by a restart', async () => {
    place.write('energy.csv', 'time,device,metric,value,unit\n2026-03-02T10:00:00Z,lamp,power,5,W\n')
    place.write('.env', 'DATA_FILE=energy.csv\n')
    const values = async (hub: Serving): Promise<unknown> => {
      const { items } = (await hub.ask('/api/v1/readings?device=lamp')).body as { items: { value: number }[] }
      return items.map(({ value }) => value)
    }
    const first = await place.serve('--no-demo')
    await expect.poll(() => values(first), { timeout: 20_000 }).toEqual([5])
    await expect.poll(() => existsSync(join(place.data, 'imports', 'at-start.json'))).toBe(true)
    const at = '2026-03-02T10:00:00Z'
    await first.ask('/api/v1/readings', posting({ ...lamp, at, value: 6 }))
    expect(await first.stop()).toBe(0)

    const second = await place.serve('--no-demo')
    await second.ask('/api/v1/readings', posting({ ...lamp, at: '2026-03-02T11:00:00Z', value: 7 }))
    expect(await second.stop()).toBe(0)
    const third = await place.serve('--no-demo')
    expect(await values(third)).toEqual([6, 7])
    expect(await third.stop()).toBe(0)

    place.write('energy.csv', 'time,device,metric,value,unit\n2026-03-02T12:00:00Z,lamp,power,8.5,W\n')
    const fourth = await place.serve('--no-demo')
    await expect.poll(() => values(fourth), { timeout: 20_000 }).toEqual([6, 7, 8.5])
    expect(await fourth.stop()).toBe(0)
  })

  test('a DATA_FILE that cannot be imported is an error in the log, and the hub runs', async () => {
    place.write('.env', 'DATA_FILE=absent.csv\n')
    const hub = await place.serve('--no-demo')
    await expect.poll(() => hub.started.tail, { timeout: 20_000 }).toContain('absent.csv: it cannot be read')
    expect(await hub.ask('/readyz')).toMatchObject({ status: 200 })
    expect(await hub.stop()).toBe(0)
  })

  test('stops with code 0 under load and with clients that hold on, and keeps all that it acknowledged', async () => {
    const hub = await place.serve('--no-demo')
    const idle = connect({ port: place.port, host: '127.0.0.1' })
    const deaf = connect({ port: place.port, host: '127.0.0.1' })
    for (const socket of [idle, deaf]) socket.on('error', () => undefined)
    deaf.write(
      `GET /ws/sensors HTTP/1.1\r\nHost: 127.0.0.1:${place.port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    )
    let acknowledged = 0
    let sent = 0
    const client = async (name: number): Promise<void> => {
      for (let batch = 0; ; batch++) {
        const rows = Array.from({ length: 100 }, (_, row) => ({
          ...lamp,
          device: `lamp-${name}`,
          at: 1_772_452_800_000 + batch * 100 + row,
        }))
        sent += rows.length
        const answer = await hub.ask('/api/v1/readings', posting(rows)).catch(() => undefined)
        if (answer?.status !== 200) return
        acknowledged += (answer.body as { accepted: number }).accepted
      }
    }
    const clients = [0, 1, 2, 3].map(client)
    await expect.poll(() => acknowledged, { timeout: 20_000 }).toBeGreaterThan(2000)
    expect(await hub.stop()).toBe(0)
    await Promise.all(clients)
    for (const socket of [idle, deaf]) socket.destroy()
    const again = await place.serve('--no-demo')
    expect(await stored(again)).toBeGreaterThanOrEqual(acknowledged)
    expect(await stored(again)).toBeLessThanOrEqual(sent)
  })

  test('takes odd names and impossible times with the store on disk, too', async () => {
    const hub = await place.serve('--no-demo')
    const names = ['Küche', '灯 🔆', "x'; DROP TABLE readings; --", '__proto__', '%']
    const rows = names.map((name) => ({ ...lamp, device: name, room: name }))
    expect(await hub.ask('/api/v1/readings', posting(rows))).toMatchObject({
      body: { accepted: names.length },
    })
    for (const name of names) {
      const answer = await hub.ask(`/api/v1/readings?device=${encodeURIComponent(name)}`)
      expect(answer).toMatchObject({ status: 200, body: { items: [{ device: name, room: name }] } })
    }
    const cursor = Buffer.from('[9007199254740991,"a\\u0000","\\ud800",""]').toString('base64url')
    const latest = 8.64e15
    for (const [query, status] of [
      ['device=%00', 200],
      ['metric=a%1fb', 200],
      [`from=-${latest}&to=${latest}`, 200],
      ['to=9999999999999999999999', 400],
      [`cursor=${cursor}`, 200],
      ['limit=10000', 200],
    ] as const) {
      expect([query, (await hub.ask(`/api/v1/readings?${query}`)).status]).toEqual([query, status])
    }
  })

  test('at 0.0.0.0 needs a key: without one it refuses to start, with one it asks for it, over MQTT as well', async () => {
    const wide = ['serve', '--no-demo', '--host', '0.0.0.0']
    const refused = await place.run(...wide)
    expect(refused.code).toBe(2)
    expect(refused.error).toMatch(
      /Refusing to listen on 0\.0\.0\.0 without authentication.*homeostat key create/,
    )
    place.configure({ mqtt: { host: '0.0.0.0' } })
    expect(await place.run('serve', '--no-demo')).toMatchObject({ code: 2 })

    const secrets: Record<string, string> = {}
    for (const role of ['admin', 'viewer']) {
      const made = await place.run('key', 'create', role, '--role', role)
      secrets[role] = /^hs_\S+$/m.exec(made.out)?.[0] ?? ''
    }
    const hub = await place.serve(...wide.slice(1))
    const bearer = { authorization: `Bearer ${secrets['admin']}` }
    expect(await hub.ask('/api/v1/sites')).toMatchObject({ status: 401, body: { code: 'key_missing' } })
    expect(await hub.ask('/api/v1/sites', { headers: bearer })).toMatchObject({ status: 200 })
    expect(await hub.ask('/health')).toMatchObject({ status: 200, body: { open: false } })

    const mqtt = `mqtt://127.0.0.1:${place.mqttPort}`
    const once = { reconnectPeriod: 0, connectTimeout: 10_000 }
    for (const password of [undefined, 'wrong', secrets['viewer']]) {
      const options = password === undefined ? once : { ...once, username: 'x', password }
      await expect(connectAsync(mqtt, options, false)).rejects.toThrow(/not authorized/i)
    }
    const client = await connectAsync(
      mqtt,
      { ...once, username: 'x', password: secrets['admin'] ?? '' },
      false,
    )
    const payload = JSON.stringify({ sensor_type: 'ldr', sensor_id: 'ldr_1', value: 7 })
    await client.publishAsync('HyperVolt/sensors/hall/ldr', payload, { qos: 1 })
    await client.endAsync()
    expect(await hub.ask('/api/v1/latest', { headers: bearer })).toMatchObject({
      body: { items: [{ device: 'ldr_1', value: 7 }] },
    })
  })
})

describe('a start that cannot be', () => {
  test('because a key of the configuration is not known names the nearest one', async () => {
    place.configure({ limits: { inboxReading: 5 } })
    const { code, error } = await place.run('serve')
    expect(code).toBe(2)
    expect(error).toContain('there is no key "limits.inboxReading". Did you mean "limits.inboxReadings"?')
  })

  test.each([
    ['the page', 'port', '--port N'],
    ['MQTT', 'mqttPort', '--mqtt-port N'],
  ] as const)(
    'because the port of %s is taken says which and what to do, and leaves the folder free',
    async (_, which, option) => {
      const server = createServer().listen(place[which], '127.0.0.1')
      await new Promise((resolve) => server.once('listening', resolve))
      const { code, error } = await place.run('serve', '--no-demo')
      server.close()
      expect(code).toBe(5)
      expect(error).toContain(
        `The port ${place[which]} on 127.0.0.1 is taken; choose another with ${option}.`,
      )
      expect(existsSync(join(place.data, 'hub.json'))).toBe(false)
    },
  )

  test('because another hub holds the folder names its process; that one goes on', async () => {
    const hub = await place.serve('--no-demo')
    const { code, error } = await place.run('serve', '--no-demo', '--port', '0', '--mqtt-port', '0')
    expect(code).toBe(5)
    expect(error).toContain(`The folder ${place.data} is held by another hub (process ${hub.pid}).`)
    expect((await hub.ask('/readyz')).status).toBe(200)
    expect(await hub.stop('SIGKILL')).toBe(null)
    // who was killed holds nothing any more
    expect((await (await place.serve('--no-demo')).ask('/readyz')).status).toBe(200)
  })

  test('is none where the process that is said to hold the folder is another one by now', async () => {
    mkdirSync(place.data)
    writeFileSync(join(place.data, 'hub.json'), JSON.stringify({ pid: process.pid, born: '1' }))
    expect((await (await place.serve('--no-demo')).ask('/readyz')).status).toBe(200)
  })
})

async function stored(hub: Serving): Promise<number> {
  let count = 0
  let cursor: string | null = ''
  while (cursor !== null) {
    const path: string = `/api/v1/readings?limit=10000${cursor === '' ? '' : `&cursor=${cursor}`}`
    const page = (await hub.ask(path)).body as { items: unknown[]; next: string | null }
    count += page.items.length
    cursor = page.next
  }
  return count
}
