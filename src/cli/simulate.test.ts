import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Command } from 'commander'
import { connectAsync } from 'mqtt'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { serverOrSkip, startMosquitto, temporaryFolder } from '../../test/servers.ts'
import type { Clock } from '../core/ports.ts'
import { hypervoltMappings, TopicMap } from '../sources/mqtt/mapping.ts'
import { type SimulateOptions, simulate, simulateCommand } from './simulate.ts'
import { messageOf } from './simulate-mqtt.ts'

const clock: Clock = {
  now: () => Date.parse('2025-06-02T10:00:30Z'),
  monotonic: () => 0,
  sleep: async () => undefined,
  yield: async () => undefined,
}
const defaults: SimulateOptions = {
  homes: 1,
  seed: 1,
  step: 600_000,
  days: 1,
  topicPrefix: 'HyperVolt/sensors',
  faults: true,
  zone: 'Europe/Berlin',
  latitude: 52.5,
  longitude: 13.4,
}

let folder: ReturnType<typeof temporaryFolder>
beforeEach(() => {
  folder = temporaryFolder('simulate')
})
afterEach(() => folder.remove())

function run(options: Partial<SimulateOptions>, signal = new AbortController().signal) {
  let text = ''
  const write = (more: string): void => {
    text += more
  }
  const out = { write, isTTY: false }
  return simulate({ ...defaults, ...options }, out, clock, signal).then((summary) => ({ ...summary, text }))
}

describe('simulate to files', () => {
  test('writes a file for each home and the truth, whole, that end now', async () => {
    const { readings, exitCode, text } = await run({ homes: 2, days: 2, out: folder.path })
    expect(exitCode).toBe(0)
    expect(readdirSync(folder.path).sort()).toEqual(['home-1.csv', 'home-2.csv', 'truth.json'])
    const rows = ['home-1', 'home-2'].map((name) => {
      const lines = readFileSync(join(folder.path, `${name}.csv`), 'utf8')
        .trimEnd()
        .split('\n')
      expect(lines.shift()).toBe('at,site,device,metric,value,unit,room')
      expect(lines[0]).toMatch(
        new RegExp(`^2025-05-31T10:00:00.000Z,${name},[a-z-]+,[a-z0-9_]+,[-0-9.]+,[^,]+,[a-z-]+$`),
      )
      expect(lines.at(-1)).toMatch(/^2025-06-02T09:50:00.000Z,/)
      return lines.length
    })
    expect(rows[0]! + rows[1]!).toBe(readings)
    expect(text).toContain(readings.toLocaleString('en'))
    const truth = JSON.parse(readFileSync(join(folder.path, 'truth.json'), 'utf8'))
    expect(truth).toMatchObject({ simulated: true, seed: 1, stepSeconds: 600 })
    expect(truth.homes[1]).toMatchObject({ site: 'home-2', file: 'home-2.csv', zone: 'Europe/Berlin' })
    expect(truth.homes[1].occupancy.length).toBeGreaterThan(50)
  })

  test('gives the same bytes for the same seed and start', async () => {
    const start = Date.parse('2025-01-01T00:00:00Z')
    const texts = []
    for (const seed of [4, 4, 5]) {
      await run({ seed, start, out: folder.path })
      texts.push(readFileSync(join(folder.path, 'home-1.csv'), 'utf8'))
    }
    expect(texts[0]).toBe(texts[1])
    expect(texts[0]).not.toBe(texts[2])
  })

  test('leaves nothing half done behind when it is stopped', async () => {
    const stop = new AbortController()
    setTimeout(() => stop.abort(), 150)
    const { exitCode, text } = await run({ days: 3650, out: folder.path }, stop.signal)
    expect(exitCode).toBe(130)
    expect(text).toContain('Stopped')
    expect(readdirSync(folder.path)).toEqual([])
  })

  test('says so when the folder cannot be written', async () => {
    await expect(run({ out: join(import.meta.dirname, 'simulate.ts') })).rejects.toMatchObject({
      code: 'file_unreadable',
    })
  })
})

describe('flags', () => {
  test('must name one place to send to, and an end for files', async () => {
    await expect(run({})).rejects.toThrow('needs one of --mqtt URL and --out FOLDER')
    await expect(run({ mqtt: 'mqtt://127.0.0.1:1', out: 'x' })).rejects.toThrow('needs one of')
    const { days: _, ...endless } = defaults
    const out = { write: () => undefined, isTTY: false }
    const signal = new AbortController().signal
    await expect(simulate({ ...endless, out: 'x' }, out, clock, signal)).rejects.toThrow('--days')
    expect(existsSync('x')).toBe(false)
  })

  test.each([
    ['--homes', '0'],
    ['--homes', '1.5'],
    ['--days', '-1'],
    ['--speed', 'fast'],
    ['--step', '0'],
    ['--start', 'yesterday'],
    ['--zone', 'Mars/Base'],
  ])('%s %s is refused', async (flag, value) => {
    const program = new Command().exitOverride().configureOutput({ writeErr: () => undefined })
    simulateCommand(program)
    program.commands[0]?.exitOverride().configureOutput({ writeErr: () => undefined })
    await expect(program.parseAsync(['simulate', flag, value], { from: 'user' })).rejects.toMatchObject({
      code: 'commander.invalidArgument',
    })
  })
})

describe('simulate over MQTT', () => {
  test('names the broker that it cannot reach, without its password', async () => {
    const error = await run({ mqtt: 'mqtt://user:secret@127.0.0.1:1' }).catch((reason: Error) => reason)
    expect(String(error)).toContain('mqtt://127.0.0.1:1')
    expect(String(error)).not.toContain('secret')
  })

  const fridge = { source: 'simulator', site: 'home-2', device: 'fridge', metric: 'power', room: 'kitchen' }
  const reading = { ...fridge, value: 80, unit: 'W', at: Date.parse('2026-03-02T12:00:00Z') }

  test('messageOf: a hub reads the site, room and device of each of several homes back', () => {
    const { topic, payload } = messageOf(reading, 'HyperVolt/sensors', true)
    const map = new TopicMap(hypervoltMappings('HyperVolt/sensors'), 1000)
    const raw = map.decoder(topic)?.(Buffer.from(payload))
    const at = '2026-03-02T12:00:00.000Z'
    expect(raw).toEqual([{ ...reading, source: 'mqtt', at, payload }])
  })

  test('messageOf: one home sends exactly what a HyperVolt sensor does', () => {
    const { topic, payload } = messageOf(reading, 'HyperVolt/sensors', false)
    expect(topic).toBe('HyperVolt/sensors/kitchen/power')
    expect(Object.keys(JSON.parse(payload)).sort()).toEqual(
      ['location', 'sensor_id', 'sensor_type', 'timestamp', 'unit', 'value'].sort(),
    )
  })

  const { available, reason } = serverOrSkip('mosquitto')
  test.skipIf(!available)(
    `sends every reading in the HyperVolt form to a real broker ${reason}`,
    async () => {
      const broker = await startMosquitto()
      try {
        const listener = await connectAsync(broker.url)
        const got: { topic: string; message: Record<string, unknown> }[] = []
        listener.on('message', (topic, payload) =>
          got.push({ topic, message: JSON.parse(payload.toString()) }),
        )
        await listener.subscribeAsync('HyperVolt/sensors/#', { qos: 1 })
        const { readings } = await run({ homes: 2, days: 0.25, mqtt: broker.url })
        await expect.poll(() => got.length, { timeout: 10_000 }).toBe(readings)
        for (const { topic, message } of got) {
          const { site, location, sensor_type } = message
          expect(topic).toBe(`HyperVolt/sensors/${site}/${location}/${sensor_type}`)
        }
        expect(Object.keys(got[0]!.message).sort()).toEqual(
          ['location', 'sensor_id', 'sensor_type', 'site', 'timestamp', 'unit', 'value'].sort(),
        )
        const fridges = got.filter(({ topic }) => topic.endsWith('/kitchen/power'))
        const sitesOfFridges = new Set(
          fridges.flatMap(({ message }) => (message['sensor_id'] === 'fridge' ? [message['site']] : [])),
        )
        expect([...sitesOfFridges].sort()).toEqual(['home-1', 'home-2'])
        await listener.endAsync()
      } finally {
        await broker.stop()
      }
    },
  )
})
