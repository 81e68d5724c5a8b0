import { beforeEach, describe, expect, it } from 'vitest'
import { LifecycleWorld } from '../../../test/crash/lifecycle-kit.ts'
import { fridge } from '../../../test/crash/registry-kit.ts'
import type { Forecast } from '../../core/event.ts'
import { naiveVersion } from '../../core/life.ts'
import type { Ledger } from '../../core/ports.ts'
import { dayMs, hourMs } from '../../core/time.ts'
import { energyLearning } from '../../domains/energy/learning.ts'
import { Directory } from '../directory.ts'
import { Overseer, type OverseerOptions } from './overseer.ts'
import type { Predicted } from './target.ts'
import { Watch } from './watch.ts'

/** Midnight in the site's zone. */
const start = Date.UTC(2026, 5, 1)

let world: LifecycleWorld
beforeEach(async () => {
  world = new LifecycleWorld()
  await world.learn('v1')
})

function overseerOf(options: Partial<OverseerOptions> = {}): Overseer {
  const { ledger, clock, lifecycle } = world
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined }
  const directory = new Directory(ledger, { id: fridge.site, name: 'Home', zone: 'UTC' })
  const watch = new Watch(ledger.watch)
  return new Overseer(
    { watch, lifecycle, ledger, directory, clock, log },
    { guardDays: 7, challengerDays: 14, challengerShare: 0, ...options },
  )
}

/** The truth is 1 at every hour, the naive forecast is 2; `off` is the error of each version. */
function predictedAt(origin: number, off: Readonly<Record<string, number>>): Predicted {
  const forecasts = Object.entries(off).map(
    ([version, error]): Forecast => ({
      kind: 'forecast',
      target: fridge,
      metric: 'energy',
      ...{ unit: 'kWh', origin, madeAt: origin, baselineName: 'yesterday', quantiles: [] },
      model: { name: 'energy', version, kind: version === naiveVersion ? 'naive' : 'learned' },
      grid: [{ stepMs: hourMs, count: 24 }],
      // not the same on each day, so that there is something to test
      mean: new Float64Array(24).fill(1 + error * (1 + 0.1 * Math.sin(origin / dayMs))),
      baseline: new Float64Array(24).fill(2),
    }),
  )
  const values = new Float64Array((origin - start) / hourMs).fill(1)
  return {
    target: { learning: energyLearning, target: fridge },
    steps: { start, stepMs: hourMs, values, unit: 'kWh', repairs: {} },
    output: { published: forecasts[0]!, shadows: forecasts.slice(1), drifts: [] },
  }
}

/** One forecast a day, each at the end of the day before it. */
async function live(overseer: Overseer, days: number, off: Readonly<Record<string, number>>): Promise<void> {
  for (let day = 1; day <= days; day++) await overseer.watch([predictedAt(start + day * dayMs, off)])
}

describe('the overseer', () => {
  beforeEach(() => world.clock.skip(start - world.clock.now()))

  it('takes back what is worse than the naive forecast, and tells it as an info', async () => {
    await live(overseerOf(), 6, { v1: 3 })
    expect(world.statuses()).toEqual({ v1: 'live' })
    await live(overseerOf(), 10, { v1: 3 })
    expect(world.statuses()).toEqual({ v1: 'rejected' })
    const infos = await world.ledger.notes.infos({}, 10)
    expect(infos).toMatchObject([
      {
        site: fridge.site,
        level: 1,
        summary: 'The energy forecast of fridge was rolled back',
      },
    ])
    expect(infos[0]!.detail).toContain('larger than that of the naive forecast of the same hours')
    expect(infos[0]!.detail).toContain('Now the naive forecast is live.')
  })

  it('makes the version before it live again, if that one was better in shadow', async () => {
    await world.learn('v2')
    await live(overseerOf(), 10, { v2: 3, v1: 0.5 })
    expect(world.statuses()).toEqual({ v1: 'live', v2: 'rejected' })
    expect((await world.ledger.notes.infos({}, 10))[0]!.detail).toContain(
      'Now the version before it (v1) is live.',
    )
  })

  it('leaves a model be that is better than the naive forecast', async () => {
    await live(overseerOf(), 20, { v1: 0.5 })
    expect(world.statuses()).toEqual({ v1: 'live' })
    expect(await world.ledger.notes.infos({}, 10)).toEqual([])
  })

  it('promotes a challenger that was better in the shadow, and drops one that was worse', async () => {
    await world.learn('v2', 'challenger')
    await live(overseerOf(), 10, { v1: 0.5, v2: 0.2 })
    expect(world.statuses()).toEqual({ v1: 'retired', v2: 'live' })
    expect(await world.history()).toContain('v2 live shadow')
    await world.learn('v3', 'challenger')
    for (let day = 11; day <= 30; day++)
      await overseerOf().watch([predictedAt(start + day * dayMs, { v2: 0.2, v3: 0.6 })])
    expect(world.statuses()).toMatchObject({ v2: 'live', v3: 'rejected' })
  })

  it('compares a challenger with the naive forecast if the live one was rolled back meanwhile', async () => {
    await world.learn('v2', 'challenger')
    await world.rollBack(naiveVersion)
    await live(overseerOf(), 10, { [naiveVersion]: 1, v2: 0.4 })
    expect(world.statuses()).toEqual({ v1: 'rejected', v2: 'live' })
    expect(world.reasonOf('v2')).toContain('smaller than that of the naive forecast on the same hours')
  })

  it('compares inputs once a civil day', async () => {
    const overseer = overseerOf()
    const asked: boolean[] = []
    for (let hour = 0; hour < 25; hour++) {
      asked.push(overseer.wantsDrift(fridge))
      await world.clock.skip(hourMs)
    }
    expect(asked.flatMap((wants, hour) => (wants ? [hour] : []))).toEqual([0, 24])
  })
})

describe('overseer: a day whose decision could not be carried out', () => {
  beforeEach(() => world.clock.skip(start - world.clock.now()))

  /** What does not work until it is mended, and how many infos there are while it does not. */
  const faults: readonly [what: string, fault: (isBroken: () => boolean) => Ledger][] = [
    [
      'the index of models takes nothing',
      (isBroken) => {
        const put: Ledger['models']['put'] = async (...args) => {
          if (isBroken()) throw new Error('disk full')
          return world.ledger.models.put(...args)
        }
        return { ...world.ledger, models: { ...world.ledger.models, put } }
      },
    ],
    [
      'the store of artifacts takes nothing',
      (isBroken) => {
        const { artifacts } = world
        const { put, remove } = artifacts
        artifacts.put = async (...args) => (isBroken() ? Promise.reject(new Error('no store')) : put(...args))
        artifacts.remove = async (...args) =>
          isBroken() ? Promise.reject(new Error('no store')) : remove(...args)
        return world.ledger
      },
    ],
    [
      'the report days cannot be read',
      (isBroken) => {
        const { watch } = world.ledger
        const days: typeof watch.days = async (...args) => {
          if (isBroken()) throw new Error('disk full')
          return watch.days(...args)
        }
        world.ledger = { ...world.ledger, watch: { ...watch, days } }
        return world.ledger
      },
    ],
    [
      'notes cannot be stored',
      (isBroken) => {
        const { notes } = world.ledger
        const putInfos: typeof notes.putInfos = async (infos) => {
          if (isBroken()) throw new Error('disk full')
          return notes.putInfos(infos)
        }
        world.ledger = { ...world.ledger, notes: { ...notes, putInfos } }
        return world.ledger
      },
    ],
  ]

  it.each(faults)('is judged again at the next scoring: %s', async (_, fault) => {
    let broken = false
    await world.restart({ over: fault(() => broken) })
    const overseer = overseerOf()
    await live(overseer, 6, { v1: 3 })
    broken = true
    for (let day = 7; day <= 16; day++)
      expect(await overseer.watch([predictedAt(start + day * dayMs, { v1: 3 })])).toEqual([])
    expect(await world.ledger.notes.infos({}, 10)).toEqual([])
    broken = false
    // the next hour, of the same civil day
    await overseer.watch([predictedAt(start + 16 * dayMs + hourMs, { v1: 3 })])
    expect(world.statuses()['v1']).not.toBe('live')
    expect(await world.ledger.notes.infos({}, 10)).toHaveLength(1)
  })

  it('neither skips the scores nor the decisions about other targets', async () => {
    const heater = { ...fridge, subject: 'heater' }
    await world.lifecycle.add(world.candidate('w1', 'live', heater), { by: 'schedule' })
    const overseer = overseerOf()
    for (let day = 1; day <= 16; day++) {
      const of = predictedAt(start + day * dayMs, { w1: 3 })
      const { published } = of.output
      const bad = { ...published, target: heater, grid: [] }
      const failures = await overseer.watch([
        { ...of, target: { ...of.target, target: heater }, output: { ...of.output, published: bad } },
        predictedAt(start + day * dayMs, { v1: 3 }),
      ])
      expect(failures.map(({ item }) => item.target.target.subject)).toEqual(['heater'])
    }
    expect(world.statuses()).toEqual({ v1: 'rejected' })
    expect(world.statuses(heater)).toEqual({ w1: 'live' })
  })
})

describe('what is published while a challenger is tried', () => {
  const origins = Array.from({ length: 400 }, (_, hour) => start + hour * hourMs)
  const published = (share: number): string[] =>
    origins.map((origin) => {
      const { output } = overseerOf({ challengerShare: share }).choose(predictedAt(origin, { v1: 0, v2: 0 }))
      // both predict, one of them is published
      expect([output.published, ...output.shadows].map(({ model }) => model.version).toSorted()).toEqual([
        'v1',
        'v2',
      ])
      return output.published.model.version
    })

  it('is the live one alone, unless a share is asked for', async () => {
    await world.learn('v2', 'challenger')
    expect(new Set(published(0))).toEqual(new Set(['v1']))
  })

  it('is the challenger in its share of the forecasts, the same ones each time', async () => {
    await world.learn('v2', 'challenger')
    const quarter = published(0.25)
    const share = quarter.filter((version) => version === 'v2').length / origins.length
    expect(Math.abs(share - 0.25)).toBeLessThan(0.07)
    expect(published(0.25)).toEqual(quarter)
    expect(new Set(published(1))).toEqual(new Set(['v2']))
  })

  it('is never a version that is no challenger', async () => {
    await world.learn('v2')
    expect(new Set(published(1))).toEqual(new Set(['v1']))
  })
})
