import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { profileNames } from '../../src/sources/mqtt/profiles/index.ts'
import { createMqttSource, TopicReader } from '../../src/sources/mqtt.ts'
import { type RunningServer, serverOrSkip, startMosquitto } from '../servers.ts'
import { client, closeAll, Intake, keptLog, start, until } from './kit.ts'

const mosquitto = serverOrSkip('mosquitto')

const profiles = {
  ...{ enabled: profileNames, prefix: '', discoveryPrefix: 'homeassistant' },
  ...{ entities: 100, descriptionBytes: 100_000 },
}
const shared = { mappings: [], payloadBytes: 4096, batchReadings: 1000 }
const garage = { topic: 'garage/{device}/{metric}', payload: 'number' } as const
const newTopics = () => new TopicReader({ mappings: [], payloadBytes: 4096, profiles })

const config = JSON.stringify({
  ...{ stat_t: 'attic/t', dev_cla: 'temperature', unit_of_meas: '°C' },
  dev: { ids: 'a', name: 'Attic' },
})

describe('the broker of the hub', () => {
  afterEach(closeAll)

  async function hub() {
    const [intake, topics] = [new Intake(), newTopics()]
    const { log } = keptLog()
    const source = createMqttSource({
      ...{ kind: 'broker', host: '127.0.0.1', port: 0, defaultSite: 'home', log, topics },
      ...shared,
    })
    start(source, intake)
    await until('the broker listens', () => source.health().ready)
    const sender = await client(Number(/:(\d+),/.exec(source.health().detail)?.[1]))
    const send = (topic: string, payload: string, retain = false) =>
      sender.publishAsync(topic, payload, { qos: 1, retain })
    return { intake, topics, send }
  }

  it('reads a topic from the moment when a mapping is added', async () => {
    const { intake, topics, send } = await hub()
    await send('garage/freezer/power', '80')
    expect(topics.heard()).toMatchObject([{ topic: 'garage/freezer/power', kind: 'unmapped', payload: '80' }])
    topics.setMappings([garage])
    await send('garage/freezer/power', '81')
    expect(intake.values).toEqual(['81'])
  })

  it('takes a message with the retain flag of its sender as new', async () => {
    const { intake, topics, send } = await hub()
    topics.setMappings([garage])
    await send('garage/freezer/power', '82', true)
    expect(intake.values).toEqual(['82'])
  })

  it('takes an inventory that is larger than a reading may be', async () => {
    const { intake, send } = await hub()
    const exposes = [{ type: 'numeric', name: 'power', property: 'power', unit: 'kW', access: 1 }]
    const device = (friendly_name: string) => ({ ieee_address: '0x', friendly_name, definition: { exposes } })
    const inventory = JSON.stringify(Array.from({ length: 100 }, (_, index) => device(`plug${index}`)))
    expect(inventory.length).toBeGreaterThan(4096)
    await send('zigbee2mqtt/bridge/devices', inventory)
    await send('zigbee2mqtt/plug99', '{"power":2}')
    expect(intake.rows).toMatchObject([{ device: 'plug99', value: 2, unit: 'kW' }])
  })
})

describe.skipIf(!mosquitto.available)(`an external broker ${mosquitto.reason}`, () => {
  let server: RunningServer
  beforeAll(async () => {
    server = await startMosquitto()
  })
  afterAll(() => server.stop())
  afterEach(closeAll)

  let hubs = 0
  async function hub(options: { readonly clientId?: string; readonly listenTo?: readonly string[] } = {}) {
    const [intake, topics] = [new Intake(), newTopics()]
    const { log } = keptLog()
    const source = createMqttSource({
      ...{ kind: 'external', url: server.url, clientId: `topics-${hubs++}`, canaryMs: 100, reconnectMs: 50 },
      ...{ log, topics, listenTo: ['#'], ...shared },
      ...options,
    })
    const running = start(source, intake)
    await until('it is ready', () => source.health().ready)
    const sender = await client(server.port)
    const send = (topic: string, payload: string, retain = false) =>
      sender.publishAsync(topic, payload, { qos: 1, retain })
    /** Until it is heard: a subscription takes its time. */
    const sendUntil = async (what: string, topic: string, check: () => boolean): Promise<void> => {
      for (let value = 0; !check(); value++) {
        if (value > 200) throw new Error(`waited in vain until ${what}`)
        await send(topic, String(value))
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    }
    return { intake, topics, send, sendUntil, ...running }
  }

  it('is listened to for topics that nothing reads, and subscribed to when one is mapped', async () => {
    const { intake, topics, sendUntil } = await hub()
    await sendUntil('the topic is listed', 'garage/freezer/power', () => topics.heard().length > 0)
    expect(topics.heard()).toMatchObject([{ topic: 'garage/freezer/power', kind: 'unmapped' }])
    topics.setMappings([garage])
    await sendUntil('a reading comes', 'garage/freezer/power', () => intake.rows.length > 0)
    expect(topics.heard()).toEqual([])
    topics.setMappings([])
    await sendUntil('it is listed again', 'garage/freezer/power', () => topics.heard().length > 0)
  })

  it('is not listened to where nothing is to be listened to', async () => {
    const { intake, topics, send, sendUntil } = await hub({ listenTo: [] })
    await send('other/topic', '1')
    await sendUntil('what is subscribed to comes', 'tele/x/LWT2', () => topics.heard().length > 0)
    expect(topics.heard().map(({ topic }) => topic)).toEqual(['tele/x/LWT2'])
    expect(intake.rows).toEqual([])
  })

  it('is subscribed to what devices announce', async () => {
    const { intake, send, sendUntil } = await hub({ listenTo: [] })
    await send('homeassistant/sensor/attic/t/config', config)
    await sendUntil('the state comes', 'attic/t', () => intake.rows.length > 0)
    expect(intake.rows[0]).toMatchObject({ device: 'Attic', metric: 'temperature', unit: '°C' })
  })

  it('keeps what is retained: it is listed, and no reading at any connection', async () => {
    const sender = await client(server.port)
    const retain = { qos: 1, retain: true } as const
    await sender.publishAsync(
      'homeassistant/sensor/cellar/t/config',
      config.replaceAll('ttic', 'ellar'),
      retain,
    )
    await sender.publishAsync('aellar/t', '20', retain)
    for (let connection = 0; connection < 2; connection++) {
      const { intake, topics, stop } = await hub({ clientId: 'retained' })
      await until('it is listed', () => topics.heard().some(({ topic }) => topic === 'aellar/t'))
      expect(topics.heard().filter(({ topic }) => topic === 'aellar/t')).toMatchObject([
        { kind: 'retained', payload: '20', retained: true },
      ])
      expect(intake.rows).toEqual([])
      await stop()
    }
  })

  it('that delivers once for each filter gives one reading', async () => {
    const { intake, topics, send } = await hub({ listenTo: [] })
    topics.setMappings([
      { topic: 'over/+/{device}/{metric}', payload: 'number' },
      { topic: 'over/lap/#', payload: 'number', defaults: { device: 'd', metric: 'm' } },
    ])
    await until('it is subscribed', () => topics.filters().includes('over/lap/#'))
    await new Promise((resolve) => setTimeout(resolve, 300))
    await send('over/lap/x/power', '5')
    await send('over/lap/x/power', '6')
    await until('both have come', () => intake.rows.length >= 2)
    expect(intake.values).toEqual(['5', '6'])
  })
})
