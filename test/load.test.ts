import { once } from 'node:events'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import mqtt from 'mqtt'
import { expect, test } from 'vitest'
import { isBad } from '../bench/load/packets.ts'
import { runLoad } from '../bench/load/run.ts'
import { type HttpLoad, layoutFor, type Message, type MqttLoad, messageOf } from '../bench/load/spec.ts'
import { median, quantile } from '../bench/report.ts'
import { freePort, serverOrSkip, startMosquitto, temporaryFolder } from './servers.ts'

const { available, reason } = serverOrSkip('mosquitto')

for (const qos of [0, 1] as const) {
  test.skipIf(!available)(
    `what an MQTT load sends at QoS ${qos} is what it says it sends ${reason}`,
    async () => {
      const [broker, folder] = [await startMosquitto(), temporaryFolder('load')]
      try {
        const got: string[] = []
        const subscriber = await mqtt.connectAsync(broker.url)
        subscriber.on('message', (topic, payload) => got.push(`${topic} ${payload}`))
        await subscriber.subscribeAsync('HyperVolt/sensors/#')
        const ackLog = join(folder.path, 'acks')
        const layout = { ...layoutFor(1500, 'c', 7), prepared: 700 }
        const load: MqttLoad = {
          ...{ kind: 'mqtt', port: broker.port, clients: 2, qos, count: 3000, window: 50 },
          ...{ badEvery: 2, maxSeconds: 20, ...(qos === 1 ? { ackLog } : {}), ...layout },
        }
        const result = await runLoad(load)
        expect(result).toMatchObject({ sent: 3000, acknowledged: 3000, cut: false })
        await expect.poll(() => got.length).toBe(3000)
        await subscriber.endAsync()
        const good = numbers(2, 1500).filter(({ k }) => !isBad(k % 700, 2))
        const wanted = good.map(({ client, k }) => asMqtt(messageOf(layout, client, k)))
        const sent = new Set(got)
        expect(good).toHaveLength(1500)
        expect(wanted.filter((one) => !sent.has(one))).toEqual([])
        if (qos === 1) {
          const logged = readFileSync(ackLog, 'utf8').trim().split('\n').sort()
          expect(logged).toEqual(
            numbers(2, 1500)
              .map(({ client, k }) => `${client} ${k}`)
              .sort(),
          )
        }
      } finally {
        await broker.stop()
        folder.remove()
      }
    },
  )
}

test('what an HTTP load sends is what it says it sends, and only 2xx counts as acknowledged', async () => {
  const got: Message[] = []
  let requests = 0
  const server = createServer(async (request, response) => {
    const refuse = ++requests % 10 === 0
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const { readings } = JSON.parse(Buffer.concat(chunks).toString())
    if (!refuse) got.push(...readings.map((row: Message) => ({ ...row, at: Date.parse(String(row.at)) })))
    response.writeHead(refuse ? 503 : 200).end(refuse ? 'full' : '{"accepted":3}')
  })
  const folder = temporaryFolder('load')
  try {
    const port = await freePort()
    await once(server.listen(port, '127.0.0.1'), 'listening')
    const ackLog = join(folder.path, 'acks')
    const layout = { ...layoutFor(60, 'h', 5), prepared: 12 }
    const load: HttpLoad = {
      ...{ kind: 'http', port, connections: 4, requests: 80, batch: 3, format: 'json', path: '/' },
      ...{ headers: {}, ackLog, maxSeconds: 20, ...layout },
    }
    const result = await runLoad(load)
    expect(result).toMatchObject({ sent: 240, acknowledged: 216, statuses: { 200: 72, 503: 8 } })
    expect(result.complaint).toContain('full')
    const logged = readFileSync(ackLog, 'utf8').trim().split('\n')
    const wanted = logged.map((line) => {
      const [client, k] = line.split(' ')
      return JSON.stringify(messageOf(layout, Number(client), Number(k)))
    })
    expect(wanted.sort()).toEqual(
      got
        .map(({ device, metric, value, unit, at, room }) =>
          JSON.stringify({ device, metric, value, unit, room, at }),
        )
        .sort(),
    )
  } finally {
    server.close()
    folder.remove()
  }
})

test.skipIf(!available)(
  `a load whose server dies says so and keeps what was acknowledged ${reason}`,
  async () => {
    const [broker, folder] = [await startMosquitto(), temporaryFolder('load')]
    try {
      const ackLog = join(folder.path, 'acks')
      const load: MqttLoad = {
        ...{ kind: 'mqtt', port: broker.port, clients: 2, qos: 1, count: 2_000_000, window: 50 },
        ...{ badEvery: 0, maxSeconds: 20, ackLog, ...layoutFor(1_000_000, 'c') },
      }
      const running = runLoad(load)
      await expect
        .poll(() => existsSync(ackLog) && statSync(ackLog).size, { timeout: 10_000 })
        .toBeGreaterThan(0)
      process.kill(broker.pid, 'SIGKILL')
      const result = await running
      expect(result.cut).toBe(true)
      const logged = readFileSync(ackLog, 'utf8').trim().split('\n')
      expect(logged).toHaveLength(result.acknowledged)
      expect(result.acknowledged).toBeLessThanOrEqual(result.sent)
    } finally {
      await broker.stop()
      folder.remove()
    }
  },
)

test('quantiles lie between neighbours', () => {
  expect(median([4, 1, 3, 2])).toBe(2.5)
  expect(quantile([1, 2, 3, 4, 5], 0.99)).toBeCloseTo(4.96)
  expect(median([])).toBeNaN()
})

function numbers(clients: number, each: number): { client: number; k: number }[] {
  return Array.from({ length: clients * each }, (_, i) => ({ client: Math.floor(i / each), k: i % each }))
}

function asMqtt({ device, metric, value, unit, room, at }: Message): string {
  const time = new Date(at).toISOString()
  const payload = { sensor_type: metric, sensor_id: device, value, unit, location: room, timestamp: time }
  return `HyperVolt/sensors/${room}/${metric} ${JSON.stringify(payload)}`
}
