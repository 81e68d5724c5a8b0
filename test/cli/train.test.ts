import { afterEach, describe, expect, test } from 'vitest'
import { toError } from '../../src/cli/hub-client.ts'
import { train } from '../../src/cli/train.ts'
import { hourMs } from '../../src/core/time.ts'
import { createMemoryReadings } from '../../src/stores/readings/memory.ts'
import { startTestHub, type TestHub, type TestHubOptions } from '../hub.ts'
import { VirtualClock } from '../virtual-clock.ts'

/** The command `train` at the API of a hub in this process: what it shows, what it cancels, how it ends. */

const start = Date.UTC(2026, 0, 5)

let hub: TestHub
afterEach(() => hub.close())

/** A hub with devices that have used a kilowatt hour every hour; `workers: 0` lets trainings wait. */
async function startHub(devices: readonly string[], options: TestHubOptions = {}): Promise<void> {
  const clock = new VirtualClock(start + 30 * 24 * hourMs)
  const training = { enabled: true, ...options.training }
  hub = await startTestHub({ clock, open: true, ...options, training })
  for (const device of devices)
    await hub.push(
      Array.from({ length: 22 * 24 }, (_, hour) => {
        return {
          device,
          metric: 'energy',
          unit: 'kWh',
          value: 1 + (hour % 24) / 24,
          at: start + hour * hourMs,
        }
      }),
    )
}

type Flags = Parameters<typeof train>[1]

async function run(
  flags: Flags = {},
  { isTTY = false, stop = new AbortController() }: { isTTY?: boolean; stop?: AbortController } = {},
): Promise<{ readonly code: number; readonly text: string }> {
  let text = ''
  const write = (part: string): void => {
    text += part
  }
  const access = {
    async request(method: 'GET' | 'POST' | 'DELETE', url: string, payload?: unknown): Promise<unknown> {
      const body = payload === undefined ? {} : { payload: payload as object }
      const answer = await hub.ask({ method, url, ...body })
      if (answer.statusCode < 300) return answer.json()
      throw toError(answer.json())
    },
    close: async () => undefined,
  }
  const code = await train(access, flags, { write, isTTY }, stop.signal)
  return { code, text }
}

const jobs = async () =>
  (await hub.ledger.jobs.all()).map(({ target, status, by }) => [target.subject, status, by])

test('a training that fails says why, and the code is 1', async () => {
  const readings = createMemoryReadings()
  const broken = {
    ...readings,
    scanMany: (...range: Parameters<typeof readings.scanMany>) => {
      if (range[0].some(({ device }) => device === '@energy:broken')) throw new Error('the disk is gone')
      return readings.scanMany(...range)
    },
  }
  await startHub(['broken', 'fridge'], { readings: broken })
  const { code, text } = await run()
  expect(code).toBe(1)
  expect(text).toMatch(/^ +home +energy +broken +failed +- +- +the disk is gone$/m)
  expect(text).toMatch(/^ +home +energy +fridge +(live|rejected) .*\.$/m)
  const json = await run({ device: 'broken', json: true })
  expect(json.code).toBe(1)
  expect(JSON.parse(json.text)).toEqual({
    trainings: [
      {
        ...{ site: 'home', domain: 'energy', subject: 'broken', verdict: 'failed', version: null },
        ...{ skill: null, coverage: null, reason: 'the disk is gone' },
      },
    ],
  })
})

test('a terminal is shown a bar, which is gone before the table comes', async () => {
  await startHub(['fridge', 'heater'])
  const { code, text } = await run({}, { isTTY: true })
  expect(code).toBe(0)
  expect(text).toMatch(/^Learning 2 targets\.\n/)
  expect(text).toContain('0 of 2 trainings')
  const [before = '', table] = text.split(/(?= {2}site)/)
  // the cursor is shown again
  expect(before.lastIndexOf('\u001b[?25h')).toBeGreaterThan(before.lastIndexOf('\u001b[?25l'))
  expect(table).not.toContain('\u001b')
})

describe('an interruption', () => {
  test('cancels what the command asked for, and leaves what others did', async () => {
    await startHub(['fridge', 'heater', 'oven'], { training: { enabled: true, workers: 0 } })
    await hub.engine.models.train({ sites: null, subject: 'heater' }, { by: 'schedule', force: false })
    const stop = new AbortController()
    const ended = run({}, { stop })
    await expect.poll(jobs).toHaveLength(3)
    stop.abort()
    const { code, text } = await ended
    expect(code).toBe(130)
    expect((await jobs()).sort()).toEqual([
      ['fridge', 'cancelled', 'this machine'],
      ['heater', 'queued', 'schedule'],
      ['oven', 'cancelled', 'this machine'],
    ])
    expect(text).toMatch(/^ +home +energy +heater +queued +- +- +Waits for its turn\.$/m)
  })
})

test.each<[Flags, string]>([
  [{ site: 'cabin' }, 'There is no target to learn from of the site cabin; import some or connect a sensor.'],
  [
    { device: 'fridge', domain: 'occupancy' },
    'There is no target to learn from of the domain occupancy, the device fridge; import some or connect a sensor.',
  ],
])('what there is nothing to learn of is named: %j', async (flags, says) => {
  await startHub(['fridge'])
  await expect(run(flags)).rejects.toMatchObject({ code: 'not_found', message: says })
})
