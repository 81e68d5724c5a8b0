import { afterEach, describe, expect, it } from 'vitest'
import type { Alert } from '../../src/core/event.ts'
import { alertTopic, createMqttAlerts } from '../../src/sinks/mqtt-alerts.ts'
import { createMqttSource, type TopicMapping } from '../../src/sources/mqtt.ts'
import { createMemoryReadings } from '../../src/stores/readings/memory.ts'
import { startTestHub } from '../hub.ts'
import { serverOrSkip, startMosquitto } from '../servers.ts'
import { connected, settle } from './broker-kit.ts'
import { atEnd, client, closeAll, Intake, keptLog, publishPacket, start, until } from './kit.ts'

afterEach(closeAll)

/** Everything that is JSON. */
const everything: readonly TopicMapping[] = [{ topic: '#', payload: 'json' }]

const shared = { mappings: everything, payloadBytes: 4096, batchReadings: 1000 }

/** A hub whose MQTT takes every topic, with a limit of 50 on temperatures and a disk that can be held up. */
async function hubAt(
  broker: { readonly kind: 'broker' } | { readonly kind: 'external'; readonly url: string },
) {
  const store = createMemoryReadings()
  let [release, held] = [(): void => undefined, Promise.resolve()]
  const rules = [{ name: 'hot', metric: 'temperature', above: 50, level: 'critical' }]
  const append: typeof store.append = async (readings) => {
    await held
    await store.append(readings)
  }
  const hub = await startTestHub({
    domainSettings: { thresholds: { rules } },
    readings: { ...store, append },
  })
  const { log } = keptLog()
  const source =
    broker.kind === 'broker'
      ? createMqttSource({ ...broker, ...shared, host: '127.0.0.1', port: 0, defaultSite: 'home', log })
      : createMqttSource({ ...broker, ...shared, clientId: 'hub', canaryMs: 100, reconnectMs: 50, log })
  hub.engine.addSink(createMqttAlerts(source.link))
  hub.engine.startSource(source)
  atEnd(() => hub.close())
  await until('MQTT is ready', () => source.health().ready)
  const port = Number(/:(\d+),/.exec(source.health().detail)?.[1])
  return {
    ...{ hub, store, source, port },
    hold: (): void => {
      held = new Promise((resolve) => {
        release = resolve
      })
      atEnd(() => release())
    },
    release: () => release(),
  }
}

const temperature = (value: number, at: number, site = 'home'): string =>
  JSON.stringify({ site, device: 'stove', metric: 'temperature', value, at })

/** Alerts as a subscriber hears them. */
async function alertsAt(port: number, filter = 'homeostat/+/alerts') {
  const heard: { readonly topic: string; readonly alert: Alert; readonly retain: boolean }[] = []
  const listener = await client(port)
  listener.on('message', (topic, payload, { retain }) => {
    heard.push({ topic, alert: JSON.parse(payload.toString()) as Alert, retain })
  })
  await listener.subscribeAsync(filter, { qos: 1 })
  return heard
}

describe('alerts over the broker of the hub', () => {
  it('reach a subscriber before the commit', async () => {
    const { hub, port, store, hold, release } = await hubAt({ kind: 'broker' })
    const heard = await alertsAt(port, 'homeostat/home/alerts')
    hold()
    const at = Date.now()
    const sender = await connected(port, 'sender')
    sender.send(publishPacket('stove', temperature(80, at), 1, 1))
    await until('the alert is heard', () => heard.length === 1)
    // the sender awaits the acknowledgement of the first, and is heard all the same
    sender.send(publishPacket('stove', temperature(20, at + 1), 1, 2))
    await until('its end is heard', () => heard.length === 2)
    expect([await store.read({}, 9), sender.packets]).toEqual([[], []])
    const target = { site: 'home', domain: 'thresholds', subject: 'stove' }
    const open = { rule: 'hot', target, level: 'critical', since: at }
    expect(heard).toMatchObject([
      { topic: 'homeostat/home/alerts', retain: false, alert: { ...open, value: 80 } },
      { topic: 'homeostat/home/alerts', retain: false, alert: { ...open, value: 20, until: at + 1 } },
    ])
    release()
    await sender.next('puback')
    await sender.next('puback')
    expect(await hub.ledger.alerts({}, 9)).toMatchObject([heard[1]!.alert])
  })

  it('are no readings, although every topic is mapped', async () => {
    const { hub, store, port } = await hubAt({ kind: 'broker' })
    const heard = await alertsAt(port)
    const sender = await client(port)
    await sender.publishAsync('stove', temperature(80, Date.now()), { qos: 1 })
    await until('the alert is heard', () => heard.length === 1)
    await settle(port)
    expect(await store.read({}, 9)).toHaveLength(1)
    expect(hub.engine.counters.quarantinedTotal).toBe(0)
  })

  it('are kept for a session whose subscriber is away', async () => {
    const { port } = await hubAt({ kind: 'broker' })
    const before = await client(port, { clientId: 'siren', clean: false })
    await before.subscribeAsync('homeostat/+/alerts', { qos: 1 })
    await before.endAsync()
    const sender = await client(port)
    await sender.publishAsync('stove', temperature(80, Date.now()), { qos: 1 })
    const again = await connected(port, 'siren', { clean: false })
    expect(await again.next('publish')).toMatchObject({ topic: 'homeostat/home/alerts', qos: 1 })
  })

  it.each(['homeostat/home/alerts', 'homeostat/a%2Fb/alerts'])('cannot be forged: %s', async (topic) => {
    const { hub, port } = await hubAt({ kind: 'broker' })
    const heard = await alertsAt(port)
    const forger = await connected(port, 'forger')
    forger.send(publishPacket(topic, temperature(80, Date.now()), 1, 1))
    await until('it is cut', () => forger.closed)
    const will = { topic, payload: Buffer.from(temperature(80, Date.now())), qos: 1, retain: false }
    const dying = await connected(port, 'dying', { will })
    dying.socket.destroy()
    await until('it is gone', () => dying.closed)
    await settle(port)
    expect([heard, forger.packets, hub.engine.latest()]).toEqual([[], [], []])
  })
})

describe('the topic of a site', () => {
  it.each([
    ['home', 'homeostat/home/alerts'],
    ['flat/2', 'homeostat/flat%2F2/alerts'],
    ['a+b', 'homeostat/a%2Bb/alerts'],
    ['#1', 'homeostat/%231/alerts'],
    ['100%2F', 'homeostat/100%252F/alerts'],
  ])('%s has one level for its id: %s', async (site, topic) => {
    expect(alertTopic(site)).toBe(topic)
    const { port } = await hubAt({ kind: 'broker' })
    const heard = await alertsAt(port)
    const sender = await client(port)
    await sender.publishAsync('stove', temperature(80, Date.now(), site), { qos: 1 })
    await until('the alert is heard', () => heard.length === 1)
    expect(heard).toMatchObject([{ topic, alert: { target: { site } } }])
  })
})

const mosquitto = serverOrSkip('mosquitto')

describe.skipIf(!mosquitto.available)(`alerts over Mosquitto ${mosquitto.reason}`, () => {
  it('reach its subscribers before the commit, and are no readings although every topic is mapped', async () => {
    const server = await startMosquitto()
    atEnd(() => server.stop())
    const { hub, store, hold, release } = await hubAt({ kind: 'external', url: server.url })
    const heard = await alertsAt(server.port)
    const sender = await client(server.port)
    hold()
    const at = Date.now()
    await sender.publishAsync('stove', temperature(80, at), { qos: 1 })
    await until('the alert is heard', () => heard.length === 1)
    expect(await store.read({}, 9)).toEqual([])
    // also not a message of somebody else there that looks like a reading
    await sender.publishAsync('homeostat/home/alerts', temperature(90, at + 1), { qos: 1 })
    await sender.publishAsync('stove', temperature(30, at + 2), { qos: 1 })
    await until('its end is heard', () => heard.length === 3)
    release()
    await until('all are stored', () => hub.engine.counters.readingsStored === 2)
    expect((await store.read({}, 9)).map(({ value }) => value)).toEqual([80, 30])
    expect(hub.engine.counters.quarantinedTotal).toBe(0)
  })

  it('are acknowledged to it: they do not come again', async () => {
    const server = await startMosquitto('persistence false')
    atEnd(() => server.stop())
    const hubSource = () => {
      const intake = new Intake()
      const options = { ...shared, canaryMs: 100, reconnectMs: 50, clientId: 'hub', log: keptLog().log }
      const source = createMqttSource({ kind: 'external', url: server.url, ...options })
      return { intake, source, ...start(source, intake) }
    }
    const first = hubSource()
    await until('it is ready', () => first.source.health().ready)
    await first.source.link.publish(alertTopic('home'), temperature(1, 1), { qos: 1, retain: false })
    const sender = await client(server.port)
    await sender.publishAsync('stove', temperature(2, 2), { qos: 1 })
    await until('the reading has come', () => first.intake.rows.length > 0)
    await first.stop()
    const second = hubSource()
    await until('it is ready again', () => second.source.health().ready)
    await sender.publishAsync('stove', temperature(3, 3), { qos: 1 })
    await until('the next has come', () => second.intake.rows.length > 0)
    expect([...first.intake.values, ...second.intake.values]).toEqual([2, 3])
  })
})
