import { describe, expect, it } from 'vitest'
import { entry, model } from '../../../test/conformance/ledger-life-samples.ts'
import { card } from '../../../test/conformance/ledger-samples.ts'
import { turnOfTheLoop, VirtualClock } from '../../../test/virtual-clock.ts'
import type { SeriesKey } from '../../core/event.ts'
import type { Jobs, Ledger, ReadingStore, WindowStore } from '../../core/ports.ts'
import type { Reading } from '../../core/reading.ts'
import { isDerived } from '../../core/series.ts'
import { dayMs, hourMs, minuteMs, quarterMs, secondMs } from '../../core/time.ts'
import type { ForecastInput, ForecastOutput, Learning } from '../../domains/domain.ts'
import { energyLearning } from '../../domains/energy/learning.ts'
import { createMemoryArtifacts } from '../../stores/artifacts/memory.ts'
import { createMemoryLedger } from '../../stores/ledger/memory.ts'
import { createMemoryReadings } from '../../stores/readings/memory.ts'
import { createMemoryWindows } from '../../stores/window/memory.ts'
import { Directory } from '../directory.ts'
import { Feed } from '../feed.ts'
import { Models } from './models.ts'

const start = Date.UTC(2026, 0, 1)
const silent = { info: () => undefined, warn: () => undefined, error: () => undefined }
const options = {
  ...{
    enabled: true,
    workers: 1,
    jobMs: hourMs,
    jobsWaiting: 100,
    heldMs: hourMs,
    imports: 2,
    importSilentMs: 60 * secondMs,
    kept: 5,
    open: 10,
    reloadMs: 0,
    code: '1',
  },
  ...{ guardDays: 7, challengerDays: 14, challengerShare: 0 },
}

/** Everything that waits for promises and turns of the loop only has run. */
const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 40; turn++) await turnOfTheLoop()
}

/** The models of a hub in memory, on a virtual clock; only the work of the worker threads is done by the test. */
class World {
  readonly clock = new VirtualClock(start + dayMs)
  readonly ledger: Ledger = createMemoryLedger()
  readonly readings: ReadingStore = createMemoryReadings()
  readonly windows: WindowStore = createMemoryWindows({ capacity: 4 })
  readonly models: Models
  /** Look-ups in the windows. */
  lookups = 0
  /** Series that were scanned. */
  readonly scanned: string[] = []
  /** Forecasts that were begun: seconds since the start, and the target. */
  readonly begun: (readonly [second: number, subject: string])[] = []
  /** Subjects whose forecast fails, and those whose forecast the ledger does not take. */
  readonly failing = new Set<string>()
  readonly unstorable = new Set<string>()
  /** Subjects whose history is still to be derived again. */
  readonly dirty = new Set<string>()

  constructor(change: Partial<Learning> = {}) {
    const directory = new Directory(this.ledger, { id: 'home', name: 'Home', zone: 'UTC' })
    directory.see({ site: 'home', device: 'meter', metric: 'power', unit: 'W', value: 1, at: start })
    this.models = new Models(
      {
        ...{ clock: this.clock, log: silent, directory, feed: new Feed(() => undefined) },
        ...{ learnings: [{ ...energyLearning, ...change }], artifacts: createMemoryArtifacts() },
        readings: this.#watchedReadings(),
        windows: this.#countedWindows(),
        ledger: this.#failingLedger(),
        jobs: this.#jobs,
        onForecast: () => undefined,
        isDirty: ({ subject }) => this.dirty.has(subject),
      },
      options,
    )
  }

  async start(...subjects: string[]): Promise<void> {
    for (const subject of subjects) await this.derive(subject, start, dayMs / quarterMs)
    await this.models.start()
    await this.pass(secondMs)
  }

  /** Quarter-hours of derived energy from `at` on are committed. */
  async derive(subject: string, at: number, count: number): Promise<void> {
    const readings = Array.from({ length: count }, (_, row) => quarter(subject, at + row * quarterMs))
    await this.readings.append(readings)
    for (const reading of readings) this.windows.push(reading)
    this.models.trainer.committed(readings)
  }

  /** Time passes, in steps that let what is begun come to its end. */
  async pass(ms: number, stepMs = ms): Promise<void> {
    for (let passed = 0; passed < ms; passed += stepMs) {
      await this.clock.advance(stepMs)
      await settle()
    }
  }

  /** Subjects that were forecast since the last call, by name. */
  takeBegun(): string[] {
    return this.begun
      .splice(0)
      .map(([, subject]) => subject)
      .toSorted()
  }

  async storedSubjects(): Promise<string[]> {
    return (await this.ledger.forecasts()).map(({ target }) => target.subject).toSorted()
  }

  #watchedReadings(): ReadingStore {
    const scanned = ({ site, device, metric }: SeriesKey): void => {
      if (!isDerived(device)) throw new Error(`The measured series ${device}/${metric} was scanned`)
      this.scanned.push(`${site}/${device}/${metric}`)
    }
    const { readings } = this
    return {
      ...readings,
      scan(key, from, to) {
        scanned(key)
        return readings.scan(key, from, to)
      },
      scanMany(keys, from, to) {
        keys.forEach(scanned)
        return readings.scanMany(keys, from, to)
      },
      read: () => Promise.reject(new Error('Readings were read')),
      newest: () => Promise.reject(new Error('Readings were read')),
    }
  }

  #countedWindows(): WindowStore {
    return new Proxy(this.windows, {
      get: (windows, name, receiver) => {
        this.lookups++
        return Reflect.get(windows, name, receiver)
      },
    })
  }

  #failingLedger(): Ledger {
    const { ledger } = this
    const putForecasts: Ledger['putForecasts'] = async (forecasts) => {
      if (forecasts.some(({ target }) => this.unstorable.has(target.subject))) throw new Error('disk full')
      return ledger.putForecasts(forecasts)
    }
    return { ...ledger, putForecasts }
  }

  get #jobs(): Jobs {
    const run = async (_task: string, input: ForecastInput): Promise<ForecastOutput> => {
      const { subject } = input.target
      this.begun.push([Math.floor((this.clock.now() - start - dayMs) / secondMs), subject])
      if (this.failing.has(subject)) throw new Error('no forecast')
      return { published: flat(input), shadows: [], drifts: [] }
    }
    return { run: run as Jobs['run'], close: async () => undefined }
  }
}

const quarter = (subject: string, at: number): Reading => {
  return { site: 'home', device: `@energy:${subject}`, metric: 'energy', unit: 'kWh', value: 0.25, at }
}

function flat({
  target,
  start: from,
  stepMs,
  values,
  now,
  unit,
}: ForecastInput): ForecastOutput['published'] {
  return {
    ...{ kind: 'forecast', target, metric: 'energy', unit, madeAt: now, quantiles: [] },
    origin: from + values.length * stepMs,
    model: { name: 'yesterday', version: 'naive', kind: 'naive' },
    grid: [{ stepMs, count: 24 }],
    mean: new Float64Array(24).fill(1),
  }
}

describe('trainer', () => {
  it('does nothing at all for an hour without news, however many series there are', async () => {
    const world = new World()
    const { windows } = world
    for (let series = 0; series < 99_000; series++)
      windows.push({ site: 'home', device: `d${series}`, metric: 'power', unit: 'W', value: 1, at: start })
    for (let series = 0; series < 1000; series++) windows.push(quarter(`d${series}`, start))
    await world.start('fridge')
    await world.pass(2 * hourMs, minuteMs)
    expect(windows.size).toBe(100_001)
    expect(world.takeBegun()).toEqual(['fridge'])
    world.lookups = 0
    world.scanned.length = 0
    await world.pass(hourMs, minuteMs)
    expect(world.lookups).toBe(0)
    expect(world.scanned).toEqual([])
    expect(world.begun).toEqual([])
  })

  it.each<[what: string, reading: (at: number) => Reading, due: string[]]>([
    ['the first quarter of an hour', (at) => quarter('fridge', at), []],
    ['the third quarter of an hour', (at) => quarter('fridge', at + 2 * quarterMs), []],
    ['the last quarter of an hour', (at) => quarter('fridge', at + 3 * quarterMs), ['fridge']],
    ['a quarter of an hour that was forecast', (at) => quarter('fridge', at - 2 * quarterMs), []],
    ['a measured reading', (at) => ({ ...quarter('fridge', at + hourMs), device: 'fridge' }), []],
    [
      'a step of a domain that learns nothing',
      (at) => ({ ...quarter('', at + hourMs), device: '@damp:hall' }),
      [],
    ],
  ])('%s makes exactly these targets due', async (_, reading, due) => {
    const world = new World()
    await world.start('fridge', 'heater')
    expect(world.takeBegun()).toEqual(['fridge', 'heater'])
    world.models.trainer.committed([reading(start + dayMs)])
    await world.pass(5 * secondMs)
    expect(world.takeBegun()).toEqual(due)
  })

  it('reads derived series only, each once a forecast', async () => {
    const world = new World()
    const raw = { site: 'home', device: 'fridge', metric: 'power', unit: 'W', value: 1, at: start }
    world.windows.push(raw)
    await world.readings.append([raw])
    await world.start('fridge')
    expect(world.scanned.toSorted()).toEqual([
      'home/@energy:fridge/energy',
      'home/@energy:fridge/energy_coverage',
    ])
    expect(await world.storedSubjects()).toEqual(['fridge'])
  })

  it('retries a forecast that failed after growing pauses, and no other one', async () => {
    const world = new World()
    world.failing.add('fridge')
    await world.start('fridge', 'heater', 'washer')
    expect(await world.storedSubjects()).toEqual(['heater', 'washer'])
    await world.pass(2 * minuteMs, secondMs)
    const of = (subject: string): number[] =>
      world.begun.splice(0).flatMap(([second, begun]) => (begun === subject ? [second] : []))
    expect(world.begun.filter(([, subject]) => subject !== 'fridge')).toHaveLength(2)
    const seconds = of('fridge')
    expect(seconds.slice(1).map((second, nth) => second - seconds[nth]!)).toEqual([5, 10, 20, 40])
    world.failing.clear()
    await world.pass(2 * minuteMs, secondMs)
    expect(await world.storedSubjects()).toEqual(['fridge', 'heater', 'washer'])
    // the pause of its next failure is the shortest one
    world.takeBegun()
    world.failing.add('fridge')
    await world.derive('fridge', start + dayMs, 4)
    await world.pass(7 * secondMs, secondMs)
    const [first, second] = of('fridge')
    expect(second! - first!).toBe(5)
  })

  it('makes a forecast anew that could not be stored, and stores the others of its batch', async () => {
    const world = new World()
    world.unstorable.add('heater')
    await world.start('fridge', 'heater', 'washer')
    expect(await world.storedSubjects()).toEqual(['fridge', 'washer'])
    expect(world.takeBegun()).toEqual(['fridge', 'heater', 'washer'])
    await world.pass(16 * secondMs, secondMs)
    expect(world.takeBegun()).toEqual(['heater', 'heater'])
    world.unstorable.clear()
    await world.pass(30 * secondMs, secondMs)
    expect(world.takeBegun()).toEqual(['heater'])
    expect(await world.storedSubjects()).toEqual(['fridge', 'heater', 'washer'])
  })

  it('makes the forecast anew of a target that could not be scored, and scores the others', async () => {
    let fails = false
    const world = new World({
      loss: (forecast, truth) => {
        if (fails && forecast.target.subject === 'heater') throw new RangeError('no loss')
        return energyLearning.loss(forecast, truth)
      },
    })
    await world.start('fridge', 'heater')
    world.takeBegun()
    fails = true
    for (const subject of ['fridge', 'heater']) await world.derive(subject, start + dayMs, 4)
    await world.pass(4 * secondMs, secondMs)
    const scoredTo = (subject: string) =>
      world.ledger.watch.scoredTo({ target: { site: 'home', domain: 'energy', subject }, metric: 'energy' })
    expect(await scoredTo('fridge')).toBe(start + dayMs + hourMs)
    expect(await scoredTo('heater')).toBe(start + dayMs)
    fails = false
    await world.pass(5 * secondMs, secondMs)
    expect(world.takeBegun()).toEqual(['fridge', 'heater', 'heater'])
    expect(await scoredTo('heater')).toBe(start + dayMs + hourMs)
  })

  it('forgets what failed of a site that is removed', async () => {
    const world = new World()
    world.failing.add('fridge')
    await world.start('fridge')
    expect(world.takeBegun()).toEqual(['fridge'])
    await world.models.removeSite('home')
    await world.pass(hourMs, minuteMs)
    expect(world.begun).toEqual([])
  })

  describe('during an import', () => {
    const weeks = 28 * (dayMs / quarterMs)
    /** A target with enough history to be learnt from, which came in with an import that runs. */
    async function importing(
      prepare: (world: World) => Promise<void> = async () => undefined,
    ): Promise<{ world: World; id: string; open: () => Promise<string[]> }> {
      const world = new World()
      await prepare(world)
      await world.models.start()
      const { id } = world.models.imports.begin(['home'], 'a test')
      await world.derive('fridge', start - 28 * dayMs, weeks)
      await world.pass(5 * secondMs, secondMs)
      const open = async () =>
        (await world.ledger.jobs.all({ status: ['queued'] })).map(({ target }) => target.subject)
      return { world, id, open }
    }

    it('forecasts, and trains when the import has ended', async () => {
      const { world, id, open } = await importing()
      expect(world.takeBegun()).toEqual(['fridge'])
      expect(await open()).toEqual(['fridge'])
      world.models.imports.end(id)
      await settle()
      expect(await open()).toEqual([])
      expect(world.takeBegun()).toEqual(['fridge'])
    })

    it('trains a target again at its end that had learnt before, maybe from a part of the file', async () => {
      const target = { site: 'home', domain: 'energy', subject: 'fridge' }
      const { world, id } = await importing((one) =>
        one.ledger.models.put(
          [entry('v1', { card: card({ target, model: model('v1') }), status: 'rejected' })],
          [],
        ),
      )
      const jobs = () => world.ledger.jobs.all({})
      expect(await jobs()).toEqual([])
      world.models.imports.end(id)
      await settle()
      expect((await jobs()).map((job) => [job.target.subject, job.by])).toEqual([['fridge', 'import']])
    })

    it('trains only once the history that came late is derived again', async () => {
      const { world, id, open } = await importing()
      world.dirty.add('fridge')
      world.models.imports.end(id)
      await settle()
      expect(await open()).toEqual(['fridge'])
      world.dirty.clear()
      world.models.trainer.rebuilt({ site: 'home', domain: 'energy', subject: 'fridge' })
      await settle()
      expect(await open()).toEqual([])
    })

    it('does not wait for an import that was not heard of any more', async () => {
      const { world, open } = await importing()
      await world.pass(60 * secondMs, secondMs)
      expect(world.models.imports.all()).toEqual([])
      expect(await open()).toEqual([])
    })

    it('waits for a second import of the same site', async () => {
      const { world, id, open } = await importing()
      const second = world.models.imports.begin(['home', 'barn'], 'a test')
      expect(() => world.models.imports.begin(['home'], 'a test')).toThrow(
        /at most 2 may \(limits\.imports\)/,
      )
      world.models.imports.end(id)
      await settle()
      expect(await open()).toEqual(['fridge'])
      world.models.imports.end(second.id)
      await settle()
      expect(await open()).toEqual([])
    })
  })
})

describe('a meter of which nothing can be derived', () => {
  it('is told why when it is to be learnt from, and is no target else', async () => {
    const world = new World()
    for (let row = 0; row < 4; row++)
      world.windows.push({
        ...{ site: 'home', device: 'boiler', metric: 'power', unit: 'W', value: 500 },
        at: start + row * 3 * hourMs,
      })
    await world.start('fridge')
    expect(world.models.trainer.targets(null).map(({ target }) => target.subject)).toEqual(['fridge'])
    const jobs = await world.models.train({ sites: null }, { by: 'someone', force: false })
    expect(jobs.map(({ target }) => target.subject)).toEqual(['fridge', 'boiler'])
    await world.pass(secondMs)
    const ended = await world.ledger.jobs.get(jobs[1]!.id)
    expect(ended).toMatchObject({ status: 'done' })
    expect(ended!.detail).toMatch(/^It is measured too seldom .* power comes every 3 h/)
  })
})
