import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createMqttSource, hypervoltMappings } from '../../src/sources/mqtt.ts'
import {
  accepts,
  freePort,
  type RunningServer,
  serverOrSkip,
  startMosquitto,
  startProcess,
  stopProcess,
  temporaryFolder,
  untilReady,
} from '../servers.ts'
import { atEnd, client, closeAll, Intake, keptLog, start, until } from './kit.ts'

const mosquitto = serverOrSkip('mosquitto')

/** Debian keeps servers where not every user looks. */
const path = `${process.env['PATH']}:/usr/sbin`

const sendByHand = (...args: readonly string[]) => spawnSync('mosquitto_pub', args, { encoding: 'utf8' })

/** In Debian it is in another package than the broker. Under CI=true it must be there. */
const noSender = process.env['CI'] !== 'true' && sendByHand('--help').error !== undefined

const topic = 'HyperVolt/sensors/kitchen/temperature'
const reading = (value: number): string =>
  JSON.stringify({ sensor_type: 'temperature', sensor_id: 't1', value })

interface Setting {
  readonly clientId?: string
  readonly username?: string
  readonly password?: string
  readonly batchReadings?: number
}

let hubs = 0

/** A hub's side, with short times so that a test need not wait. */
function subscriber(url: string, setting: Setting = {}) {
  const intake = new Intake()
  const { log, lines } = keptLog()
  const source = createMqttSource({
    kind: 'external',
    ...{ url, mappings: hypervoltMappings('HyperVolt/sensors'), payloadBytes: 4096, batchReadings: 1000 },
    ...{ canaryMs: 100, reconnectMs: 50, log, clientId: `hub-${hubs++}` },
    ...setting,
  })
  return { intake, lines, source, ...start(source, intake) }
}

async function readySubscriber(url: string, setting: Setting = {}) {
  const made = subscriber(url, setting)
  await until('it is ready', () => made.source.health().ready)
  return made
}

/** Mosquitto on a port of its own that can be stopped and started, with what it keeps on disk. */
async function mosquittoAt(port: number, folder: string, lines: readonly string[]) {
  const config = join(folder, 'mosquitto.conf')
  writeFileSync(config, `${[`listener ${port} 127.0.0.1`, 'log_dest stderr', ...lines].join('\n')}\n`)
  const env = { ...process.env, PATH: path }
  const started = startProcess('mosquitto', ['-c', config], { env })
  await untilReady(started, () => accepts(port))
  let stopped = false
  const stop = async (): Promise<void> => {
    if (!stopped) await stopProcess(started)
    stopped = true
  }
  atEnd(stop)
  return { stop }
}

function emptyFolder(): string {
  const { path, remove } = temporaryFolder('mosquitto')
  atEnd(remove)
  return path
}

describe.skipIf(!mosquitto.available)(`with Mosquitto ${mosquitto.reason}`, () => {
  let server: RunningServer
  beforeAll(async () => {
    server = await startMosquitto()
  })
  afterAll(() => server.stop())
  afterEach(closeAll)

  it.skipIf(noSender)('takes what mosquitto_pub sends in the HyperVolt form', async () => {
    const { intake } = await readySubscriber(server.url)
    const message = '{"sensor_type":"temperature","sensor_id":"t1","value":21.5}'
    const { error, stderr } = sendByHand('-p', String(server.port), '-t', topic, '-m', message)
    expect(error ?? stderr).toBe('')
    await until('it has come', () => intake.rows.length > 0)
    expect(intake.rows).toEqual([
      {
        ...{ source: 'mqtt', device: 't1', metric: 'temperature', value: 21.5, room: 'kitchen' },
        topic,
        payload: message,
      },
    ])
  })

  it('is ready when a message came through, and says where it is subscribed, without secrets', async () => {
    const url = server.url.replace('//', '//user:pa%2Fss%40x@')
    const { source } = await readySubscriber(server.url)
    expect(source.health()).toEqual({ ready: true, detail: `subscribed at ${server.url}` })
    const hidden = subscriber(url.replace(String(server.port), String(await freePort())))
    await until('it has failed', () => hidden.lines.length > 0)
    expect(JSON.stringify([hidden.lines, hidden.source.health()])).not.toMatch(/pa%|user/)
  })

  it('gets what was sent at QoS 1 while it was away', async () => {
    const first = await readySubscriber(server.url, { clientId: 'away' })
    await first.stop()
    expect(first.source.health()).toEqual({ ready: false, detail: 'stopped' })
    const sender = await client(server.port)
    const values = Array.from({ length: 200 }, (_, index) => index)
    for (const value of values) await sender.publishAsync(topic, reading(value), { qos: 1 })
    const second = subscriber(server.url, { clientId: 'away' })
    await until('all have come', () => second.intake.rows.length === values.length)
    expect(second.intake.values).toEqual(values)
  })

  it('hears each message once, though two of its mappings fit', async () => {
    const { intake } = await readySubscriber(server.url)
    const sender = await client(server.port)
    for (const value of [1, 2, 3]) await sender.publishAsync(topic, reading(value), { qos: 1 })
    await until('the last has come', () => intake.values.includes(3))
    expect(intake.values).toEqual([1, 2, 3])
  })

  it('acknowledges after the commit: what was not committed when the connection broke comes again', async () => {
    const { intake, source } = await readySubscriber(server.url)
    intake.hold()
    const sender = await client(server.port)
    for (const value of [1, 2, 3]) await sender.publishAsync(topic, reading(value), { qos: 1 })
    await until('they are on their way', () => intake.waiting > 0)
    // the commit fails, which breaks the connection
    intake.failNext(intake.waiting)
    intake.release()
    await until('they have come again', () => intake.rows.length >= 3)
    expect(new Set(intake.values)).toEqual(new Set([1, 2, 3]))
    await until('it is ready again', () => source.health().ready)
    // acknowledged this time: a new connection brings none of them again
    const before = intake.rows.length
    await sender.publishAsync(topic, reading(4), { qos: 1 })
    await until('the next has come', () => intake.values.includes(4))
    expect(intake.rows.length).toBe(before + 1)
  })

  it('leaves a message with the broker when it stops before the commit', async () => {
    const first = await readySubscriber(server.url, { clientId: 'stopping' })
    first.intake.hold()
    const sender = await client(server.port)
    await sender.publishAsync(topic, reading(1), { qos: 1 })
    await until('it is on its way', () => first.intake.waiting === 1)
    first.abort()
    let echoes = 0
    sender.on('message', () => echoes++)
    await sender.subscribeAsync(topic)
    await sender.publishAsync(topic, reading(2), { qos: 1 })
    await until('subscribers have it', () => echoes === 1)
    first.intake.failNext(1)
    first.intake.release()
    await first.ended
    expect(first.intake.offered).toBe(1)
    const second = subscriber(server.url, { clientId: 'stopping' })
    await until('both have come', () => second.intake.rows.length >= 2)
    expect(second.intake.values).toEqual([1, 2])
  })

  it('makes few commits of many messages', async () => {
    const { intake } = await readySubscriber(server.url)
    const sender = await client(server.port)
    const values = Array.from({ length: 2000 }, (_, index) => index)
    await Promise.all(values.map((value) => sender.publishAsync(topic, reading(value), { qos: 1 })))
    await until('all have come', () => intake.rows.length === values.length)
    expect(intake.values).toEqual(values)
    expect(intake.batches).toBeLessThan(400)
  })

  it('does not read on while too many messages wait for their commit', async () => {
    const { intake, source } = await readySubscriber(server.url, { batchReadings: 10 })
    intake.hold()
    const sender = await client(server.port)
    const values = Array.from({ length: 500 }, (_, index) => index)
    await Promise.all(values.map((value) => sender.publishAsync(topic, reading(value), { qos: 1 })))
    await until('some wait', () => intake.offered >= 40)
    // many canary rounds: to be busy is not to be deaf
    await new Promise((resolve) => setTimeout(resolve, 600))
    expect(intake.offered).toBeLessThan(80)
    expect(source.health().ready).toBe(true)
    intake.release()
    await until('all have come', () => intake.rows.length === values.length)
    expect(intake.values).toEqual(values)
  })

  it('quarantines a bad message once, and acknowledges it', async () => {
    const first = await readySubscriber(server.url, { clientId: 'bad' })
    const sender = await client(server.port)
    await sender.publishAsync(topic, 'no JSON', { qos: 1 })
    await until('it has come', () => first.intake.rows.length === 1)
    await sender.publishAsync(topic, reading(1), { qos: 1 })
    await until('the next has come', () => first.intake.rows.length === 2)
    await first.stop()
    const second = await readySubscriber(server.url, { clientId: 'bad' })
    await sender.publishAsync(topic, reading(2), { qos: 1 })
    await until('the last has come', () => second.intake.rows.length > 0)
    expect(second.intake.values).toEqual([2])
  })

  it('gets by with few messages in flight, where the broker allows no more', async () => {
    const port = await freePort()
    await mosquittoAt(port, emptyFolder(), ['allow_anonymous true', 'max_inflight_messages 5'])
    const { intake } = await readySubscriber(`mqtt://127.0.0.1:${port}`)
    intake.hold()
    const sender = await client(port)
    const values = Array.from({ length: 60 }, (_, index) => index)
    await Promise.all(values.map((value) => sender.publishAsync(topic, reading(value), { qos: 1 })))
    await until('the window is full', () => intake.offered === 5)
    intake.release()
    await until('all have come', () => intake.rows.length === values.length)
    expect(intake.values).toEqual(values)
  })

  it.each(['kept', 'lost'])(
    'subscribes again after a restart of the broker, which %s its session',
    async (fate) => {
      const port = await freePort()
      const folder = emptyFolder()
      const keeping = ['persistence true', `persistence_location ${folder}/`, 'user root']
      const lines = ['allow_anonymous true', ...(fate === 'kept' ? keeping : ['persistence false'])]
      const first = await mosquittoAt(port, folder, lines)
      const { intake, source } = await readySubscriber(`mqtt://127.0.0.1:${port}`)
      await first.stop()
      await until('it is unready', () => !source.health().ready)
      expect(source.health().detail).toMatch(/connection lost|ECONNREFUSED/)
      await mosquittoAt(port, folder, lines)
      await until('it is ready again', () => source.health().ready)
      const sender = await client(port)
      await sender.publishAsync(topic, reading(1), { qos: 1 })
      await until('it has come', () => intake.rows.length === 1)
    },
  )

  it('waits for a broker that comes up later, and logs its absence once', async () => {
    const port = await freePort()
    const { source, lines } = subscriber(`mqtt://127.0.0.1:${port}`)
    await until('it has failed', () => /ECONNREFUSED/.test(source.health().detail))
    expect(source.health().ready).toBe(false)
    await mosquittoAt(port, emptyFolder(), ['allow_anonymous true'])
    await until('it is ready', () => source.health().ready)
    expect(lines).toHaveLength(1)
  })

  it('stops at once where there is no broker', async () => {
    const { source, stop } = subscriber(`mqtt://127.0.0.1:${await freePort()}`)
    await until('it has failed', () => /ECONNREFUSED/.test(source.health().detail))
    await stop()
  })

  it('with a wrong password says so, and comes in once the password is right', async () => {
    const [port, folder] = [await freePort(), emptyFolder()]
    const passwords = join(folder, 'passwords')
    const setPassword = (password: string): void => {
      writeFileSync(passwords, '')
      const made = spawnSync('mosquitto_passwd', ['-b', passwords, 'hub', password])
      expect(made.status).toBe(0)
    }
    setPassword('right')
    const lines = ['allow_anonymous false', `password_file ${passwords}`, 'user root']
    const first = await mosquittoAt(port, folder, lines)
    const { source } = subscriber(`mqtt://127.0.0.1:${port}`, { username: 'hub', password: 'other' })
    await until('it is refused', () => /Not authorized/.test(source.health().detail))
    expect(source.health()).toEqual({
      ready: false,
      detail: `mqtt://127.0.0.1:${port}: Connection refused: Not authorized`,
    })
    await first.stop()
    setPassword('other')
    await mosquittoAt(port, folder, lines)
    await until('it is ready', () => source.health().ready)
  })

  it('that may connect but hear nothing is deaf, and stays so over reconnections', async () => {
    const [port, folder] = [await freePort(), emptyFolder()]
    const acl = join(folder, 'acl')
    writeFileSync(acl, 'topic write #\n')
    await mosquittoAt(port, folder, ['allow_anonymous true', `acl_file ${acl}`, 'user root'])
    const { source } = subscriber(`mqtt://127.0.0.1:${port}`)
    let wasReady = false
    await until('it is deaf', () => {
      wasReady ||= source.health().ready
      return /deaf.*homeostat\/canary\//.test(source.health().detail)
    })
    // over the next rounds, with their reconnection
    const end = performance.now() + 600
    while (performance.now() < end) {
      wasReady ||= source.health().ready
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    expect(wasReady).toBe(false)
  })

  it('that may not sing but hears others is not deaf', async () => {
    const [port, folder] = [await freePort(), emptyFolder()]
    const acl = join(folder, 'acl')
    writeFileSync(acl, 'topic read #\nuser sender\ntopic readwrite #\n')
    const passwords = join(folder, 'passwords')
    spawnSync('mosquitto_passwd', ['-c', '-b', passwords, 'sender', 'x'])
    const lines = ['allow_anonymous true', `acl_file ${acl}`, `password_file ${passwords}`, 'user root']
    await mosquittoAt(port, folder, lines)
    const { source, intake } = subscriber(`mqtt://127.0.0.1:${port}`)
    const sender = await client(port, { username: 'sender', password: 'x' })
    const timer = setInterval(() => sender.publish(topic, reading(1)), 20)
    atEnd(() => clearInterval(timer))
    await until('it hears', () => intake.rows.length > 30)
    expect(source.health().ready).toBe(true)
  })
})
