import { afterEach, describe, expect, it } from 'vitest'
import type { News } from '../../src/engine/feed.ts'
import { createMemoryLedger } from '../../src/stores/ledger/memory.ts'
import { createMemoryReadings } from '../../src/stores/readings/memory.ts'
import { startTestHub, type TestHub, type TestHubOptions } from '../hub.ts'
import { VirtualClock } from '../virtual-clock.ts'

/** Weeks of a hub that learns, on a virtual clock: the real engine, trainer, domain and learner. */

const minute = 60_000
const hour = 60 * minute
const start = Date.UTC(2026, 1, 2)

let running: TestHub | undefined
afterEach(async () => {
  await running?.close()
  running = undefined
})

async function setUp(clock: VirtualClock, more: Partial<TestHubOptions> = {}): Promise<TestHub> {
  const training = { enabled: true, retrainMs: 24 * hour }
  running = await startTestHub({ clock, engine: { training }, ...more })
  return running
}

/** A heater that follows the hour of the day and the weekday, W. */
const watts = (at: number): number => {
  const hours = Math.floor((at - start) / hour)
  const weekend = Math.floor(hours / 24) % 7 >= 5 ? 300 : 0
  return 400 + 350 * Math.sin((hours % 24) * (Math.PI / 12)) + weekend + 40 * Math.sin(hours * 12.9898)
}

const rows = (from: number, to: number, device = 'heater') =>
  Array.from({ length: (to - from) / (10 * minute) }, (_, index) => {
    const at = from + index * 10 * minute
    return { device, metric: 'power', unit: 'W', value: watts(at), at }
  })

/** The trainer waits until a series has stood still for one look; it looks every 2 s. */
const letLearn = (clock: VirtualClock): Promise<void> => clock.advance(5000)

describe('a hub that learns', () => {
  it('answers naively at once, learns when there is enough, and says which of the two speaks', async () => {
    const clock = new VirtualClock(start + 2 * 24 * hour)
    const hub = await setUp(clock)
    await hub.push(rows(start, clock.now()))
    await letLearn(clock)
    const [first] = await hub.engine.forecasts()
    expect(first).toMatchObject({ device: 'heater', metric: 'energy', unit: 'kWh', model: { kind: 'naive' } })
    expect(first!.steps).toHaveLength(24)
    expect(first!.steps.every(({ mean, naive }) => mean === naive)).toBe(true)
    expect((await hub.engine.models())[0]!.reason).toContain('2.0 days of history')

    await clock.skip(36 * 24 * hour)
    await hub.push(rows(start + 2 * 24 * hour, clock.now()))
    await letLearn(clock)
    for (let day = 38; day < 41; day++) {
      await hub.push(rows(start + day * 24 * hour, start + (day + 1) * 24 * hour))
      await clock.advance(24 * hour)
    }
    const [learnt] = await hub.engine.forecasts()
    expect(learnt).toMatchObject({ model: { kind: 'learned', name: 'energy-boosting' } })
    const cards = await hub.engine.models()
    expect(cards[0]).toMatchObject({ live: true, model: learnt!.model })
    expect(cards[0]!.scores['model']!.rmse).toBeLessThan(cards[0]!.scores['slot-mean']!.rmse)
    expect(hub.engine.trainer.hasLearned).toBe(true)
    // at first sight, when there was enough, then with the first new hour after each day
    expect(cards).toHaveLength(4)
    expect(hub.errors).toEqual([])
  })

  it('renews the forecast each hour without learning each hour', async () => {
    const clock = new VirtualClock(start + 30 * 24 * hour)
    const hub = await setUp(clock)
    await hub.push(rows(start, clock.now()))
    await letLearn(clock)
    const origins: number[] = []
    for (let step = 0; step < 5; step++) {
      await hub.push(rows(clock.now() - 5000, clock.now() - 5000 + hour))
      await clock.advance(hour)
      origins.push((await hub.engine.forecasts())[0]!.origin)
    }
    expect(new Set(origins).size).toBe(5)
    expect(await hub.engine.models()).toHaveLength(1)
  })

  it('goes on after a restart with what it had learnt', async () => {
    const stores = { readings: createMemoryReadings(), ledger: createMemoryLedger() }
    const clock = new VirtualClock(start + 30 * 24 * hour)
    const before = await setUp(clock, stores)
    await before.push(rows(start, clock.now()))
    await letLearn(clock)
    const [card] = await before.engine.models()
    await before.close()

    const later = new VirtualClock(clock.now() + hour)
    const after = await setUp(later, stores)
    await letLearn(later)
    expect(await after.engine.models()).toEqual([card])
    expect((await after.engine.forecasts())[0]!.model.version).toBe(card!.model.version)
  })

  it('learns again when it is told to', async () => {
    const clock = new VirtualClock(start + 30 * 24 * hour)
    const hub = await setUp(clock)
    await hub.push(rows(start, clock.now()))
    await letLearn(clock)
    await clock.advance(minute)
    expect(hub.engine.trainer.again(['elsewhere'])).toBe(0)
    expect(hub.engine.trainer.again(null)).toBe(1)
    await letLearn(clock)
    expect(await hub.engine.models()).toHaveLength(2)
  })

  it('says while the hour runs what the hour will use, once a minute', async () => {
    const clock = new VirtualClock(start + 30 * 24 * hour)
    const hub = await setUp(clock)
    await hub.push(rows(start, clock.now()))
    await letLearn(clock)
    const said: News[] = []
    hub.engine.feed.subscribe((news) => {
      if (news.kind === 'predictions') said.push(news)
    })
    const from = start + 30 * 24 * hour
    for (let second = 10; second <= 600; second += 10) {
      await clock.advance(10_000)
      await hub.push([{ device: 'heater', metric: 'power', value: 1000, at: from + second * 1000 }])
    }
    expect(said.length).toBeGreaterThanOrEqual(9)
    expect(said.length).toBeLessThanOrEqual(11)
    const key = { site: 'home', device: 'heater', metric: 'energy' }
    const predictions = await hub.engine.ledger.predictions(key, from, from + hour)
    expect(predictions).toHaveLength(said.length)
    // ten minutes at 1 kW, then the forecast's share of the rest
    const step = (await hub.engine.forecasts())[0]!.steps[0]!
    expect(predictions.at(-1)!.value).toBeCloseTo(1 / 6 + (step.mean * 5) / 6, 1)
  })

  it('forgets a site that was removed, and does not bring it back from a training under way', async () => {
    const clock = new VirtualClock(start + 30 * 24 * hour)
    const hub = await setUp(clock)
    await hub.push(rows(start, clock.now()))
    await letLearn(clock)
    hub.engine.trainer.again(null)
    const learning = letLearn(clock)
    await hub.engine.removeSite('home')
    await learning
    await letLearn(clock)
    expect([
      await hub.engine.forecasts(),
      await hub.engine.models(),
      hub.engine.latest(),
      hub.engine.sites(),
    ]).toEqual([[], [], [], []])
  })

  it('takes a file whose data ended long ago: its forecast begins with the hour of its newest reading', async () => {
    const clock = new VirtualClock(start + 5000 * 24 * hour)
    const hub = await setUp(clock)
    await hub.push(rows(start, start + 30 * 24 * hour))
    await letLearn(clock)
    expect((await hub.engine.forecasts())[0]!.origin).toBe(start + 30 * 24 * hour - hour)
  })
})
