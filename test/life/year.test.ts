import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Info, ModelEntry, ModelEvent } from '../../src/core/life.ts'
import { naiveVersion } from '../../src/core/life.ts'
import { dayMs, hourMs } from '../../src/core/time.ts'
import { startTestHub, type TestHub } from '../hub.ts'
import { VirtualClock } from '../virtual-clock.ts'
import { createHome, days, events, start } from './year-home.ts'

/**
 * A year of a home on a virtual clock, with what goes wrong in a year. The real engine, schedule, trainer, gate, watch
 * and guard; data every six hours, training every ten days.
 */

const zone = 'Europe/Berlin'
const seriesOf = (device: string) => ({ site: 'home', device, metric: 'energy' })
/** The owner takes the month of the wrong wire out of what is learnt. */
const forgottenOn = 280

const dayOf = (at: number): number => Math.floor((at - start) / dayMs)
const stamps = /(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z/g
/** Versions are named by their second; the table names the day. */
const named = (text: string): string =>
  text.replace(stamps, (stamp) => `#${dayOf(Date.parse(stamp.replace(stamps, '$1-$2-$3T$4:$5:$6Z')))}`)

/** Who made way for another is told with the other; the rest is the story. */
const isTold = ({ reason }: ModelEvent): boolean => !/^(Replaced by|Undecided when)/.test(reason)

const lineOf = ({ at, target, version, status, by, reason }: ModelEvent): string =>
  [
    String(dayOf(at)).padStart(3),
    target.subject.padEnd(5),
    named(version).padEnd(5),
    status.padEnd(10),
    by.padEnd(6),
    named(reason),
  ].join(' | ')

describe('a year', () => {
  let hub: TestHub
  let story: readonly ModelEvent[] = []
  let infos: readonly Info[] = []
  let models: readonly ModelEntry[] = []

  beforeAll(async () => {
    const clock = new VirtualClock(start)
    hub = await startTestHub({
      clock,
      engine: { site: { id: 'home', name: 'Home', zone }, predictionsKeptMs: 400 * dayMs },
      training: { enabled: true, retrainHours: 240, zone },
    })
    const home = createHome()
    for (let now = start; now < start + days * dayMs; now += 6 * hourMs) {
      await clock.skip(6 * hourMs)
      await hub.push(home(now, 6))
      if (now === start + forgottenOn * dayMs) await forget()
      for (let look = 0; look < 4; look++) await clock.advance(1000)
    }
    story = (await hub.engine.models.events({}, 10_000)).toReversed()
    infos = await hub.engine.ledger.notes.infos({}, 100)
    models = await hub.engine.models.all()
  }, 900_000)
  afterAll(() => hub.close())

  async function forget(): Promise<void> {
    const [from, to] = events.clampOnWrongWire
    await hub.engine.models.forget({
      series: { ...seriesOf('clamp'), metric: 'power' },
      ...{ from: start + from * dayMs, to: start + to * dayMs },
      ...{ reason: 'the clamp was on the wrong wire', by: 'the owner' },
    })
  }

  const of = (device: string, status: string, [from, to]: readonly [number, number]): ModelEvent[] =>
    story.filter(
      (event) =>
        event.target.subject === device &&
        event.status === status &&
        event.version !== naiveVersion &&
        dayOf(event.at) >= from &&
        dayOf(event.at) < to,
    )

  const cardsOf = (device: string) =>
    models
      .map(({ card }) => card)
      .filter(({ target, model }) => target.subject === device && model.kind === 'learned')

  it('is the story that is expected: what was published, tried, rejected and rolled back, and why', async () => {
    const table = story.filter(isTold).map(lineOf).join('\n')
    await expect(`${table}\n`).toMatchFileSnapshot('year.story.txt')
    expect(hub.errors).toEqual([])
  })

  it('begins with the naive forecasts, and with models as soon as there are three weeks', () => {
    for (const device of ['meter', 'clamp']) {
      expect(of(device, 'live', [0, 21])).toEqual([])
      expect(of(device, 'live', [21, 22])).toHaveLength(1)
    }
  })

  it('does not notice that the meter was replaced: the reset is repaired', () => {
    expect(of('meter', 'rejected', [0, days]).filter(({ by }) => by === 'guard')).toEqual([])
  })

  it('learns the holiday away: what was live in it makes way after it', () => {
    const [from, to] = events.holiday
    // what was learnt within three weeks after it still has the holiday in its newest month
    const learntFromIt = of('meter', 'live', [from, to + 21]).map(({ version }) => version)
    expect(learntFromIt.length).toBeGreaterThan(0)
    expect(of('meter', 'retired', [to, to + 28]).map(({ version }) => version)).toEqual(
      expect.arrayContaining(learntFromIt),
    )
  })

  it('does not learn from the days on which the sensor stuck', () => {
    for (const { repairs, span } of cardsOf('clamp')) {
      expect(span.to).toBeGreaterThan(start + events.clampStuck[1] * dayMs)
      expect(repairs['hours_stuck']).toBeGreaterThanOrEqual(115)
    }
  })

  it('makes nothing live on the wrong wire, and rolls nothing back that is no worse than the naive forecast', () => {
    const [from, to] = events.clampOnWrongWire
    expect(of('clamp', 'live', [from, to])).toEqual([])
    expect(of('clamp', 'rejected', [from + 1, to]).length).toBeGreaterThan(1)
    // the forecaster follows the level of the last days, so its error stays below that of the naive forecasts
    expect(story.filter(({ by }) => by === 'guard')).toEqual([])
    expect(infos).toEqual([])
  })

  it('learns anew at once without the month that is forgotten', () => {
    const anew = of('clamp', 'live', [forgottenOn, forgottenOn + 1]).at(-1)
    expect(anew!.reason).toContain('below the best naive forecast')
    for (const { repairs, model } of cardsOf('clamp').filter((card) => card.trainedAt > anew!.at))
      expect([model.version, repairs['forgotten']]).toEqual([model.version, 30 * 24])
  })

  it('ends with models that know what no naive forecast knows, and with intervals that do not cover less than they promise', async () => {
    for (const device of ['meter', 'clamp']) {
      const key = { target: { site: 'home', domain: 'energy', subject: device }, metric: 'energy' }
      const reports = await hub.engine.models.reports(key, start + 300 * dayMs, start + days * dayMs)
      const learnt = reports.filter(({ version }) => version !== naiveVersion)
      expect(learnt.length).toBeGreaterThan(1)
      // the first ones for the clamp still have little to learn from: a month is forgotten
      for (const { version, total } of learnt) expect([version, total.skill! > 0]).toEqual([version, true])
      expect([device, learnt[0]!.version, learnt[0]!.total.skill! > 0.4]).toEqual([
        device,
        learnt[0]!.version,
        true,
      ])
      const all = learnt.reduce((count, { total }) => count + total.count, 0)
      const inside = learnt.reduce((count, { total }) => count + total.count * total.coverage!, 0)
      // they never promise too much; a year with such faults leaves them too wide (meter 96 %, clamp 99.6 %): still owed
      expect(inside / all).toBeGreaterThan(0.87)
    }
  })
})
