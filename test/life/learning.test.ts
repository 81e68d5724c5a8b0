import { afterEach, describe, expect, it } from 'vitest'
import type { News } from '../../src/engine/feed.ts'
import { createMemoryArtifacts } from '../../src/stores/artifacts/memory.ts'
import { createMemoryLedger } from '../../src/stores/ledger/memory.ts'
import { createMemoryReadings } from '../../src/stores/readings/memory.ts'
import { startTestHub, type TestHub, type TestHubOptions } from '../hub.ts'
import { turnOfTheLoop, VirtualClock } from '../virtual-clock.ts'

/** Weeks of a hub that learns, on a virtual clock: the real engine, trainer, domain and learner. */

const minute = 60_000
const hour = 60 * minute
const start = Date.UTC(2026, 1, 2)

const heater = { site: 'home', domain: 'energy', subject: 'heater' }

let running: TestHub | undefined
afterEach(async () => {
  await running?.close()
  running = undefined
})

async function setUp(clock: VirtualClock, more: Partial<TestHubOptions> = {}): Promise<TestHub> {
  running = await startTestHub({ clock, training: { enabled: true }, ...more })
  return running
}

/** A heater that follows the hour of the day and runs high every other day, which no naive forecast knows, W. */
const watts = (at: number): number => {
  const hours = Math.floor((at - start) / hour)
  const high = Math.floor(hours / 24) % 2 === 0 ? 300 : 0
  return 400 + 350 * Math.sin((hours % 24) * (Math.PI / 12)) + high + 40 * Math.sin(hours * 12.9898)
}

const rows = (from: number, to: number, device = 'heater') =>
  Array.from({ length: (to - from) / (10 * minute) }, (_, index) => {
    const at = from + index * 10 * minute
    return { device, metric: 'power', unit: 'W', value: watts(at), at }
  })

/** The trainer waits until a series has stood still for one look; what it queues then is learnt inline. */
async function letLearn(clock: VirtualClock): Promise<void> {
  for (let look = 0; look < 6; look++) await clock.advance(1000)
}

describe('a hub that learns', () => {
  it('answers naively at once, learns when there is enough, and shows which of the two is live', async () => {
    const clock = new VirtualClock(start + 2 * 24 * hour)
    const hub = await setUp(clock)
    await hub.push(rows(start, clock.now()))
    await letLearn(clock)
    const [first] = await hub.engine.forecasts()
    expect(first).toMatchObject({ target: heater, metric: 'energy', unit: 'kWh', model: { kind: 'naive' } })
    expect(first!.mean).toHaveLength(24)
    expect(first!.baseline).toEqual(first!.mean)
    expect((await hub.engine.models.all())[0]!.reason).toContain('2.0 days of known hours')

    await clock.skip(36 * 24 * hour)
    await hub.push(rows(start + 2 * 24 * hour, clock.now()))
    await letLearn(clock)
    for (let day = 38; day < 42; day++) {
      await clock.skip(24 * hour)
      await hub.push(rows(start + day * 24 * hour, start + (day + 1) * 24 * hour))
      await letLearn(clock)
    }
    const [learnt] = await hub.engine.forecasts()
    expect(learnt).toMatchObject({ model: { kind: 'learned', name: 'energy-forecast' } })
    const entries = await hub.engine.models.all()
    const live = entries.filter(({ status }) => status === 'live')
    expect(live).toHaveLength(1)
    expect(live[0]!.card.model).toEqual(learnt!.model)
    const { scores } = live[0]!.card
    expect(scores['model']!['rmse']).toBeLessThan(scores['slot-mean']!['rmse']!)
    expect(hub.engine.models.anyLive).toBe(true)
    // the naive one at first sight, one when there was enough, then one each night after a day with new data
    expect(entries).toHaveLength(5)
    expect(hub.errors).toEqual([])
  })

  it('renews the forecast each hour without learning each hour', async () => {
    // past the night's training
    const clock = new VirtualClock(start + 30 * 24 * hour + 3 * hour)
    const hub = await setUp(clock)
    await hub.push(rows(start, clock.now()))
    await letLearn(clock)
    const origins: number[] = []
    for (let step = 0; step < 5; step++) {
      await clock.advance(hour)
      await hub.push(rows(clock.now() - 6000 - hour, clock.now() - 6000))
      await clock.advance(1000)
      origins.push((await hub.engine.forecasts())[0]!.origin)
    }
    expect(new Set(origins).size).toBe(5)
    const learnt = (await hub.engine.models.all()).filter(({ card }) => card.model.kind === 'learned')
    expect(learnt).toHaveLength(1)
  })

  it('goes on after a restart with what it had learnt', async () => {
    const stores = {
      readings: createMemoryReadings(),
      ledger: createMemoryLedger(),
      artifacts: createMemoryArtifacts(),
    }
    const clock = new VirtualClock(start + 30 * 24 * hour + 3 * hour)
    const before = await setUp(clock, stores)
    await before.push(rows(start, clock.now()))
    await letLearn(clock)
    const entries = await before.engine.models.all()
    const { model } = (await before.engine.forecasts())[0]!
    await before.close()

    const later = new VirtualClock(clock.now() + hour)
    const after = await setUp(later, stores)
    await letLearn(later)
    expect(await after.engine.models.all()).toEqual(entries)
    expect(model.kind).toBe('learned')
    expect((await after.engine.forecasts())[0]!.model).toEqual(model)
  })

  it('learns again when it is told to', async () => {
    const clock = new VirtualClock(start + 30 * 24 * hour)
    const hub = await setUp(clock)
    await hub.push(rows(start, clock.now()))
    await letLearn(clock)
    await clock.advance(minute)
    const wish = { by: 'a test', force: false }
    const learnt = async () =>
      (await hub.engine.models.all()).filter(({ card }) => card.model.kind === 'learned').length
    const before = await learnt()
    expect(await hub.engine.models.train({ sites: ['elsewhere'] }, wish)).toEqual([])
    await hub.push(rows(clock.now(), clock.now() + 2 * hour))
    expect(await hub.engine.models.train({ sites: null }, wish)).toHaveLength(1)
    await letLearn(clock)
    expect(await learnt()).toBe(before + 1)
  })

  it('takes history that comes in after what follows it: it is learnt from in the same hour', async () => {
    const clock = new VirtualClock(start + 30 * 24 * hour + 10 * minute)
    const hub = await setUp(clock)
    const recent = start + 28 * 24 * hour
    await hub.push(rows(recent, clock.now()))
    await letLearn(clock)
    expect((await hub.engine.forecasts())[0]!.model.kind).toBe('naive')
    await hub.push(rows(start, recent))
    // it is derived again first
    for (let wait = 0; wait < 5; wait++) await letLearn(clock)
    const jobs = await hub.engine.ledger.jobs.all()
    expect((await hub.engine.forecasts())[0]!.model.kind).toBe('learned')
    expect(jobs.map(({ by }) => by)).toEqual(['start'])
  })

  it('does not learn the same hours twice, unless it must or some of them were forgotten', async () => {
    const clock = new VirtualClock(start + 30 * 24 * hour)
    const hub = await setUp(clock)
    await hub.push(rows(start, clock.now()))
    await letLearn(clock)
    const versions = async () =>
      (await hub.engine.models.all()).filter(({ card }) => card.model.kind === 'learned').length
    const train = async (force = false): Promise<string | undefined> => {
      const [job] = await hub.engine.models.train({ sites: null }, { by: 'a test', force })
      for (let turn = 0; turn < 100; turn++) await turnOfTheLoop()
      return (await hub.engine.ledger.jobs.get(job!.id))?.detail
    }
    expect(await train()).toMatch(/^There is nothing new: \d{8}T\d{6}Z has learnt from the same hours\.$/)
    expect(await versions()).toBe(1)
    // within one second, by which versions are named
    expect(await train(true)).toMatch(/^(Live|Challenger|Rejected)/)
    expect(await train(true)).toMatch(/^(Live|Challenger|Rejected)/)
    expect(await versions()).toBe(3)
    const series = { site: 'home', device: 'heater', metric: 'power' }
    const day = { from: start + 24 * hour, to: start + 48 * hour, reason: 'guests', by: 'a test' }
    await clock.advance(minute)
    const { id } = await hub.engine.models.forget({ series, ...day })
    await letLearn(clock)
    expect(await versions()).toBe(4)
    await clock.advance(minute)
    await hub.engine.models.remember(id, 'a test')
    await letLearn(clock)
    expect(await versions()).toBe(5)
  })

  it('learns at night the sites of each zone, also of one that was not known at the start', async () => {
    const clock = new VirtualClock(start + 30 * 24 * hour)
    const hub = await setUp(clock)
    await hub.engine.putSite({ id: 'far', name: 'Far', zone: 'Asia/Tokyo', demo: false })
    await hub.push(rows(start, clock.now()).map((row) => ({ ...row, site: 'far' })))
    await letLearn(clock)
    await hub.push(rows(clock.now(), clock.now() + hour).map((row) => ({ ...row, site: 'far' })))
    await clock.advance(3 * hour)
    await letLearn(clock)
    const jobs = await hub.engine.ledger.jobs.all()
    expect(jobs.map(({ by, target }) => [by, target.site])).toContainEqual(['schedule', 'far'])
  })

  it('predicts the running hour once a minute', async () => {
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
    const key = { target: heater, metric: 'energy' }
    const predictions = await hub.engine.ledger.predictions(key, from, from + hour, 1000)
    expect(predictions).toHaveLength(said.length)
    // ten minutes at 1 kW, then the forecast's share of the rest
    const [mean] = (await hub.engine.forecasts())[0]!.mean
    expect(predictions.at(-1)!.value).toBeCloseTo(1 / 6 + (mean! * 5) / 6, 1)
  })

  it('forgets a site that was removed, and does not bring it back from a training under way', async () => {
    const clock = new VirtualClock(start + 30 * 24 * hour)
    const hub = await setUp(clock)
    await hub.push(rows(start, clock.now()))
    await letLearn(clock)
    await hub.engine.models.train({ sites: null }, { by: 'a test', force: false })
    const learning = letLearn(clock)
    await hub.engine.removeSite('home')
    await learning
    await letLearn(clock)
    expect([
      await hub.engine.forecasts(),
      await hub.engine.models.all(),
      hub.engine.latest(),
      hub.engine.sites(),
    ]).toEqual([[], [], [], []])
  })

  it('takes a file whose data ended long ago: its forecast begins after the hour of its newest reading', async () => {
    const clock = new VirtualClock(start + 5000 * 24 * hour)
    const hub = await setUp(clock)
    await hub.push(rows(start, start + 30 * 24 * hour))
    await letLearn(clock)
    // nothing follows the newest reading: it holds for as long as those before it did
    expect((await hub.engine.forecasts())[0]!.origin).toBe(start + 30 * 24 * hour)
  })
})
