import { beforeAll, describe, expect, test } from 'vitest'
import { VirtualClock } from '../../../test/virtual-clock.ts'
import { HomeostatError } from '../../core/errors.ts'
import type { Emit } from '../../core/ports.ts'
import { hourMs } from '../../core/time.ts'
import { createRandom } from '../../ml/random.ts'
import { createSimulator, type Simulator, type SimulatorOptions } from '../simulator.ts'
import type { SimulatedReading } from './reading.ts'
import { counterMetric, seriesName } from './sensors.ts'

/** A home whose newest days come first, and the older ones once it lives. */

const stepMs = 5_000
const start = Date.parse('2025-06-12T10:07:31Z')
const seam = Date.parse('2025-06-12T04:00:00Z')
const from = seam - 72 * hourMs

interface Sent {
  readonly clockAt: number
  readonly reading: SimulatedReading
  readonly detail: string
}

async function lived(
  options: Partial<SimulatorOptions> = {},
  refuse: (call: number) => void = () => undefined,
) {
  const clock = new VirtualClock(start)
  const sent: Sent[] = []
  let calls = 0
  const emit: Emit = async (batch) => {
    refuse(calls++)
    const { detail, ready } = simulator.health()
    expect(ready).toBe(true)
    for (const reading of batch) {
      sent.push({ clockAt: clock.now(), reading: reading as SimulatedReading, detail })
    }
    return { accepted: batch.length, rejected: [] }
  }
  const simulator: Simulator = createSimulator({
    ...{ seed: 4, createRandom, clock, stepMs, tickMs: 120_000, faults: { reset: 0 } },
    ...{ historyFrom: seam, historyStepMs: hourMs / 4, older: { from, to: seam }, olderSlowStepMs: hourMs },
    ...options,
  })
  const stop = new AbortController()
  const done = simulator.run(emit, stop.signal)
  // who waits for it learns of it; it must not end the tests meanwhile
  done.catch(() => undefined)
  await clock.advance(0)
  return { clock, sent, simulator, stop, done }
}

describe('a simulated home with an older past', () => {
  let sent: Sent[]
  let simulator: Simulator
  beforeAll(async () => {
    const home = await lived()
    ;({ sent, simulator } = home)
    await home.clock.advance(20_000)
    home.stop.abort()
    await home.done
  })

  const isOlder = ({ reading }: Sent): boolean => reading.at < seam

  test('tells the newest days first and at once, then lives, and only then tells the older ones', () => {
    const first = sent.findIndex(isOlder)
    const recent = sent.slice(0, first)
    expect(recent[0]?.reading.at).toBe(seam)
    expect(recent.at(-1)?.reading.at).toBe(Math.floor(start / stepMs) * stepMs)
    expect(recent.filter(({ clockAt }) => clockAt !== start)).toEqual([])
    expect(Math.min(...sent.filter(isOlder).map(({ reading }) => reading.at))).toBe(from)
  })

  test('lives on time while the older past is told', () => {
    const steps = sent.filter(({ reading }) => reading.metric === 'setpoint' && reading.at > start)
    expect(steps.map(({ reading }) => reading.at - start)).toEqual([4_000, 9_000, 14_000, 19_000])
    expect(steps.map(({ clockAt, reading }) => clockAt - reading.at)).toEqual([0, 0, 0, 0])
  })

  test('says while the older past is under way, and is ready all along', () => {
    const details = sent.filter(isOlder).map(({ detail }) => detail)
    expect(new Set(details)).toEqual(new Set(['live, and emitting history']))
    expect(sent.at(-1)?.detail).toBe('live')
    expect(simulator.health()).toEqual({ ready: false, detail: 'ended' })
  })

  test('tells nothing twice', () => {
    const keys = sent.map(({ reading }) => `${seriesName(reading)} ${reading.at}`)
    expect(new Set(keys).size).toBe(keys.length)
  })

  test('has counters that never fall nor leap, once they are sorted by time', () => {
    const counters = new Map<string, SimulatedReading[]>()
    for (const { reading } of sent) {
      if (reading.metric !== counterMetric) continue
      counters.set(reading.device, [...(counters.get(reading.device) ?? []), reading])
    }
    expect(counters.size).toBe(15)
    for (const readings of counters.values()) {
      const sorted = readings.toSorted((a, b) => a.at - b.at)
      for (let i = 1; i < sorted.length; i++) {
        const hours = (sorted[i]!.at - sorted[i - 1]!.at) / hourMs
        const kwh = sorted[i]!.value - sorted[i - 1]!.value
        expect(kwh).toBeGreaterThanOrEqual(0)
        // no house takes 25 kW
        expect(kwh).toBeLessThan(0.001 + 25 * hours)
      }
    }
  })

  test('rests between slices of the older past', () => {
    const times = new Set(sent.filter(isOlder).map(({ clockAt }) => clockAt))
    expect(times.size).toBeGreaterThan(2)
  })

  test('stops in the middle of the older past when it is told to', async () => {
    const { clock, sent: some, stop, done } = await lived()
    await clock.advance(50)
    stop.abort()
    await done
    expect(some.filter(isOlder).length).toBeLessThan(sent.filter(isOlder).length / 2)
  })

  test('ends as a whole where the older past is refused for good', async () => {
    const {
      clock,
      done,
      sent: some,
    } = await lived({}, (call) => {
      if (call === 2) throw new HomeostatError('internal', { reference: 'x' })
    })
    await clock.advance(20_000)
    await expect(done).rejects.toMatchObject({ code: 'internal' })
    expect(some.filter(({ reading }) => reading.at > start)).toEqual([])
  })

  test('lives where its counters stood before, when it is told what they stood at', async () => {
    const stands = new Map([['house/energy_total', 4321.125]])
    const { sent: some, stop, done } = await lived({ stands, historyFrom: seam + 1 })
    stop.abort()
    await done
    const house = some.filter(({ reading }) => seriesName(reading) === 'house/energy_total')
    expect(house[0]?.reading).toMatchObject({ at: seam + 1, value: 4321.125 })
    expect(house[1]?.reading.at).toBe(seam + hourMs / 4)
  })
})
