import { describe, expect, test } from 'vitest'
import { HomeostatError } from '../core/errors.ts'
import type { Clock, Emit } from '../core/ports.ts'
import { minuteMs } from '../core/time.ts'
import { createRandom } from '../ml/random.ts'
import { createSimulator, type SimulatorOptions } from './simulator.ts'

const start = Date.parse('2025-06-02T10:00:30Z')

/** A clock that stands still but while somebody sleeps. */
function virtualClock(at = start) {
  let now = at
  const clock: Clock = {
    now: () => now,
    monotonic: () => now - at,
    sleep: async (ms) => {
      now += ms
    },
    yield: async () => undefined,
  }
  return clock
}

interface Sent {
  readonly clockAt: number
  readonly at: number
  readonly count: number
}

async function run(
  options: Partial<SimulatorOptions>,
  refuse: (call: number) => Error | undefined = () => undefined,
) {
  const clock = options.clock ?? virtualClock()
  const simulator = createSimulator({ seed: 1, createRandom, clock, until: start + 5 * minuteMs, ...options })
  const sent: Sent[] = []
  let calls = 0
  const emit: Emit = async (batch) => {
    const error = refuse(calls++)
    if (error) throw error
    sent.push({ clockAt: clock.now(), at: Number(batch.at(-1)?.at), count: batch.length })
    return { accepted: batch.length, rejected: [] }
  }
  await simulator.run(emit, new AbortController().signal)
  return { sent, calls, simulator }
}

describe('the simulator as a source', () => {
  test('lives at the pace of the clock: each step is sent when its time has come, not before, not after', async () => {
    const { sent } = await run({})
    expect(sent[0]?.at).toBe(Date.parse('2025-06-02T10:00:00Z'))
    expect(sent.slice(1).map(({ clockAt, at }) => clockAt - at)).toEqual([0, 0, 0, 0, 0])
  })

  test('sends days of history first, at once and in batches of at most 4,096, up to the live part', async () => {
    const { sent } = await run({ historyFrom: start - 2 * 86_400_000, stepMs: 5 * minuteMs })
    const bulk = sent.filter(({ clockAt }) => clockAt === start)
    expect(bulk.length).toBeGreaterThan(5)
    expect(bulk.slice(0, -1).every(({ count }) => count === 4096)).toBe(true)
    expect(bulk.at(-1)?.at).toBe(Date.parse('2025-06-02T10:00:00Z'))
  })

  test('goes through the past at its speed', async () => {
    const past = start - 3_600_000
    const { sent } = await run({ start: past, speed: 60, until: past + 10 * minuteMs })
    // ten minutes in ten seconds, from the full minute before
    expect(sent.map(({ clockAt }) => clockAt - start)).toEqual(
      [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((s) => s * 1000),
    )
  })

  test('never overtakes the clock, whatever its speed, unless told to', async () => {
    for (const speed of [0, 3600]) {
      const { sent } = await run({ speed })
      expect(sent.every(({ clockAt, at }) => at <= clockAt)).toBe(true)
      expect(sent).toHaveLength(6)
    }
    const ahead = await run({ speed: 0, aheadOfClock: true })
    expect(ahead.sent.every(({ clockAt }) => clockAt === start)).toBe(true)
  })

  test('sends a batch again that a full hub refused, and loses nothing', async () => {
    const free = await run({})
    const full = await run({}, (call) =>
      call < 3 ? new HomeostatError('overloaded', { limit: 1 }) : undefined,
    )
    const total = (sent: readonly Sent[]): number => sent.reduce((sum, { count }) => sum + count, 0)
    expect(full.calls).toBe(free.calls + 3)
    expect(total(full.sent)).toBe(total(free.sent))
  })

  test('ends with any other refusal', async () => {
    await expect(run({}, () => new HomeostatError('stopping'))).rejects.toThrow('stopping')
  })

  test('stops when it is told to, and says how it is', async () => {
    const stop = new AbortController()
    const simulator = createSimulator({ seed: 1, createRandom, clock: virtualClock() })
    expect(simulator.health()).toEqual({ ready: false, detail: 'not started' })
    let batches = 0
    await simulator.run(async (batch) => {
      expect(simulator.health().ready).toBe(true)
      if (++batches === 3) stop.abort()
      return { accepted: batch.length, rejected: [] }
    }, stop.signal)
    expect(batches).toBe(3)
    expect(simulator.health().ready).toBe(false)
  })

  test('refuses a step that is no step', () => {
    for (const stepMs of [0, 999, Number.NaN, 86_400_001]) {
      expect(() => createSimulator({ seed: 1, createRandom, clock: virtualClock(), stepMs })).toThrow(
        RangeError,
      )
    }
  })
})
