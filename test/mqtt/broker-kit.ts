import { expect } from 'vitest'
import type { Authenticate, Credentials, Identity, Reach } from '../../src/sources/mqtt/admission.ts'
import { createMqttSource, hypervoltMappings, type TopicMapping } from '../../src/sources/mqtt.ts'
import { connectPacket, Intake, keptLog, type RawClient, rawClient, start, until } from './kit.ts'

/** The broker in this process, and what its tests send to it. */

export const payloadBytes = 4096

interface Setting {
  readonly mappings?: readonly TopicMapping[]
  /** Sites by password. */
  readonly keys?: Readonly<Record<string, Reach>>
  /** Instead of `keys`. */
  readonly authenticate?: Authenticate
  readonly clientBufferBytes?: number
  readonly clientPendingBytes?: number
  readonly sessionMessages?: number
  readonly sessionBytes?: number
  readonly retainedBytes?: number
  readonly refusedSubscriptions?: readonly string[]
}

export async function broker({
  mappings = hypervoltMappings('HyperVolt/sensors'),
  keys,
  ...rest
}: Setting = {}) {
  const intake = new Intake()
  const { log, lines } = keptLog()
  const source = createMqttSource({
    kind: 'broker',
    ...{ host: '127.0.0.1', port: 0, mappings, payloadBytes, batchReadings: 1000, defaultSite: 'home', log },
    ...(keys ? { authenticate: async ({ password }: Credentials) => identityOf(keys, password) } : {}),
    ...rest,
  })
  const running = start(source, intake)
  await until('the broker listens', () => source.health().ready)
  const port = Number(/:(\d+),/.exec(source.health().detail)?.[1])
  return { intake, lines, source, port, ...running }
}

function identityOf(keys: Readonly<Record<string, Reach>>, password: string): Identity | undefined {
  const sites = keys[password]
  return sites === undefined
    ? undefined
    : { key: password, sites, isValid: () => Object.hasOwn(keys, password) }
}

export const topic = 'HyperVolt/sensors/kitchen/temperature'
export const reading = (value: number, more: object = {}): string =>
  JSON.stringify({ sensor_type: 'temperature', sensor_id: 't1', value, ...more })

export async function connected(port: number, id: string, more: object = {}): Promise<RawClient> {
  const made = await rawClient(port)
  made.send(connectPacket(id, more))
  expect(await made.next('connack')).toMatchObject({ returnCode: 0 })
  return made
}

/** So many times there and back: what the broker had to send by then has come. */
export async function settle(port: number, rounds = 5): Promise<void> {
  const made = await connected(port, `settle-${Math.random()}`)
  for (let round = 0; round < rounds; round++) {
    made.send({ cmd: 'pingreq' })
    await made.next('pingresp')
  }
  made.socket.destroy()
}
