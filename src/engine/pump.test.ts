import { describe, expect, it } from 'vitest'
import type { ThresholdRule } from '../contract/thresholds.ts'
import type { Clock, ReadingStore } from '../core/ports.ts'
import type { RawReading } from '../core/reading.ts'
import { thresholds } from '../domains/thresholds/index.ts'
import { createThroughJournal } from '../stores/journal/through.ts'
import { createMemoryLedger } from '../stores/ledger/memory.ts'
import { createMemoryReadings } from '../stores/readings/memory.ts'
import { createMemoryWindows } from '../stores/window/memory.ts'
import { Counters } from './counters.ts'
import { Directory } from './directory.ts'
import { Feed } from './feed.ts'
import { Incidents } from './incidents/incidents.ts'
import { options as incidentOptions } from './incidents/made-alerts.ts'
import { Projector } from './projector.ts'
import { Pump, type PumpOptions } from './pump.ts'
import { Reactor } from './reactor.ts'
import { SiteSettings } from './site-settings.ts'

const now = Date.UTC(2026, 5, 1)
const usual: PumpOptions = {
  defaultSite: 'home',
  inboxReadings: 1000,
  turnReadings: 100,
  series: 1000,
  maxFutureMs: 600_000,
}
const hot: ThresholdRule = { name: 'hot', metric: 'temperature', above: 50, level: 'critical', forSeconds: 0 }

const row = (device: string, value: unknown, more: Partial<RawReading> = {}): RawReading => ({
  source: 'test',
  device,
  metric: 'temperature',
  value,
  at: now,
  ...more,
})

/** The real pieces on memory stores; `hold` makes commits wait, `fail` and `failRecord` make them fail, `story` tells what came when. */
async function setUp(options: Partial<PumpOptions> = {}, rules: readonly ThresholdRule[] = []) {
  const story: string[] = []
  const faults = {
    fail: false,
    failRecord: false,
    failures: 0,
    release: undefined as (() => void) | undefined,
  }
  const memory = createMemoryReadings()
  await memory.open()
  const readings: ReadingStore = {
    ...memory,
    async append(batch) {
      if (faults.release) await new Promise<void>((resolve) => (faults.release = resolve))
      if (faults.fail || faults.failures-- > 0) throw new Error('disk full')
      await memory.append(batch)
      story.push(`stored ${batch.length}`)
    },
  }
  const ledger = createMemoryLedger()
  await ledger.open()
  const record = ledger.record.bind(ledger)
  ledger.record = async (facts) => {
    if (faults.failRecord) throw new Error('disk full')
    await record(facts)
  }
  const windows = createMemoryWindows({ capacity: 60 })
  const counters = new Counters()
  const feed = new Feed(() => story.push('listener dropped'))
  feed.subscribe((news) => story.push(news.kind))
  const silent = () => undefined
  const logged: string[] = []
  const note = (message: string): void => void logged.push(message)
  const passed = { ms: 0 }
  const sleeps: number[] = []
  const directory = new Directory(ledger, { id: 'home', name: 'Home', zone: 'UTC' })
  const clock: Clock = {
    now: () => now,
    monotonic: () => passed.ms,
    sleep: async (ms) => void sleeps.push(ms),
    yield: () => new Promise((resolve) => setImmediate(resolve)),
  }
  const log = { info: note, warn: note, error: note }
  const settings = new SiteSettings([{ domain: thresholds, settings: { rules } }], {
    ...{ records: ledger.records, clock, log, limits: { recordsPerDomain: 10, recordBytes: 1000 } },
  })
  const reactor = new Reactor(
    { settings, windows, names: { zoneOf: () => 'UTC', nameOf: () => undefined }, counters, clock, log },
    { liveWithinMs: 600_000 },
  )
  const pump = new Pump(
    {
      projector: new Projector(
        { journal: createThroughJournal({ readings, ledger }), readings, ledger, clock, log },
        { journalLagBytes: 1 << 20, journalKeptMs: 0 },
      ),
      windows,
      directory,
      reactor,
      incidents: new Incidents(incidentOptions),
      feed,
      counters,
      clock,
      log,
      onAlerts: (alerts) => feed.publish({ kind: 'alerts', alerts }),
      onCommands: silent,
      onCommitted: silent,
    },
    { ...usual, ...options },
  )
  const emit = pump.emitFor('test')
  const hold = (): void => {
    faults.release = silent
  }
  const release = (): void => {
    const go = faults.release
    faults.release = undefined
    go?.()
  }
  return {
    ...{ pump, emit, reactor, memory, ledger, directory, windows, counters, story, faults, hold, release },
    ...{ logged, passed, sleeps },
  }
}

const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5))

describe('the order of a turn', () => {
  it('is: alert, store, answer, feed', async () => {
    const { emit, story } = await setUp({}, [hot])
    await emit([row('stove', 80)]).then(() => story.push('answered'))
    await settle()
    expect(story).toEqual(['alerts', 'stored 1', 'readings', 'answered'])
  })

  it('answers nothing before the commit', async () => {
    const { emit, story, hold, release } = await setUp()
    hold()
    const answer = emit([row('a', 1)]).then(() => story.push('answered'))
    await settle()
    expect(story).toEqual([])
    release()
    await answer
    expect(story).toContain('answered')
  })

  it('takes what came meanwhile as one commit', async () => {
    const { emit, story, hold, release } = await setUp()
    hold()
    const first = emit([row('a', 1)])
    await settle()
    const others = [2, 3, 4].map((value) => emit([row(`b${value}`, value)]))
    release()
    await Promise.all([first, ...others])
    expect(story.filter((line) => line.startsWith('stored'))).toEqual(['stored 1', 'stored 3'])
  })

  it('cuts a batch longer than a turn and answers after its last row', async () => {
    const { emit, story } = await setUp({ turnReadings: 10 })
    const batch = Array.from({ length: 25 }, (_, index) => row(`d${index}`, index === 24 ? 'bad' : index))
    expect(await emit(batch)).toMatchObject({ accepted: 24, rejected: [{ index: 24 }] })
    expect(story.filter((line) => line.startsWith('stored'))).toEqual(['stored 10', 'stored 10', 'stored 4'])
  })
})

describe('what cannot be taken', () => {
  it('goes to quarantine with its code, and the rest is stored', async () => {
    const { emit, memory, ledger, counters } = await setUp()
    const receipt = await emit([row('a', 1), row('b', 'warm'), row('', 2), row('c', 3)])
    expect(receipt.accepted).toBe(2)
    expect(receipt.rejected.map(({ index, problem }) => [index, problem.code])).toEqual([
      [1, 'value_not_number'],
      [2, 'id_invalid'],
    ])
    expect((await memory.read({}, 10)).map(({ device }) => device)).toEqual(['a', 'c'])
    expect((await ledger.quarantined(10)).map(({ row: { code } }) => code).sort()).toEqual([
      'id_invalid',
      'value_not_number',
    ])
    expect([counters.readingsStored, counters.quarantinedTotal]).toEqual([2, 2])
  })

  it('is kept cut to 1,024 characters', async () => {
    const { emit, ledger } = await setUp()
    await emit([row('a', 'x', { payload: 'y'.repeat(5000) })])
    expect((await ledger.quarantined(1))[0]!.row.payload).toHaveLength(1024)
  })

  it('includes a unit that the series does not have, but converts one that fits', async () => {
    const { emit, memory } = await setUp()
    const ldr = (value: number, unit: string, at: number) => row('l', value, { metric: 'ldr', unit, at })
    const receipt = await emit([ldr(1, 'kWh', now), ldr(500, 'Wh', now + 1), ldr(3, 'V', now + 2)])
    expect(receipt.rejected.map(({ problem }) => problem.code)).toEqual(['unit_changed'])
    expect((await memory.read({}, 10)).map(({ value, unit }) => [value, unit])).toEqual([
      [1, 'kWh'],
      [0.5, 'kWh'],
    ])
  })

  it('includes a value that becomes infinite in the unit of its series', async () => {
    const { emit, memory } = await setUp()
    const far = (value: number, unit: string, at: number) => row('dial', value, { metric: 'far', unit, at })
    const receipt = await emit([far(1, 'mm', now), far(1e308, 'm', now + 1), far(2, 'm', now + 2)])
    expect(receipt.rejected).toMatchObject([{ index: 1, problem: { code: 'value_too_large' } }])
    expect((await memory.read({}, 10)).map(({ value }) => value)).toEqual([1, 2000])
  })

  it('includes a series beyond the limit', async () => {
    const { emit } = await setUp({ series: 2 })
    const receipt = await emit([row('a', 1), row('b', 1), row('c', 1), row('a', 2, { at: now + 1 })])
    expect(receipt.rejected).toMatchObject([{ index: 2, problem: { code: 'series_limit' } }])
  })
})

it('a clock time counts from midnight of the own site of its reading', async () => {
  const { emit, memory, directory } = await setUp()
  await directory.putSite({ id: 'goa', name: 'Goa', zone: 'Asia/Kolkata', demo: false })
  // 05:30 there
  await emit([row('a', 1, { at: '00:00:00' }), row('b', 2, { site: 'goa', at: '05:00:00' })])
  const readings = await memory.read({}, 10)
  expect(readings.map(({ device, at }) => [device, now - at])).toEqual([
    ['b', 30 * 60_000],
    ['a', 0],
  ])
})

describe('a failing store', () => {
  it('leaves the batch with its sender, and the next one is taken', async () => {
    const { emit, memory, faults, ledger } = await setUp()
    faults.fail = true
    await expect(emit([row('a', 1)])).rejects.toMatchObject({ code: 'store_failed' })
    faults.fail = false
    expect(await emit([row('a', 1)])).toMatchObject({ accepted: 1 })
    expect(await memory.read({}, 10)).toHaveLength(1)
    // the device was new in the turn that failed, and is written all the same
    expect(await ledger.devices()).toMatchObject([{ id: 'a' }])
  })

  it('answers a long batch once, and keeps no row of it waiting', async () => {
    const { pump, emit, memory, faults } = await setUp({ turnReadings: 2 })
    faults.fail = true
    const long = Array.from({ length: 7 }, (_, index) => row(`d${index}`, index))
    await expect(emit(long)).rejects.toMatchObject({ code: 'store_failed' })
    faults.fail = false
    await emit(long)
    expect([(await memory.read({}, 99)).length, pump.waiting]).toEqual([7, 0])
  })

  it('is tried again twice before the sender is told', async () => {
    const { emit, story, faults, counters } = await setUp()
    faults.failures = 2
    expect(await emit([row('a', 1)])).toMatchObject({ accepted: 1 })
    expect([counters.commitRetries, counters.commitsFailed, story.at(-1)]).toEqual([2, 0, 'readings'])
  })

  it('still owes the alerts that have left to the ledger, once', async () => {
    const { emit, ledger, story, faults } = await setUp({}, [hot])
    faults.failRecord = true
    await expect(emit([row('stove', 80)])).rejects.toMatchObject({ code: 'store_failed' })
    expect([story, await ledger.alerts({}, 9)]).toEqual([['alerts'], []])
    faults.failRecord = false
    await emit([row('stove', 80)])
    expect(await ledger.alerts({}, 9)).toMatchObject([{ rule: 'hot', since: now, value: 80 }])
    expect(story.filter((line) => line === 'alerts')).toHaveLength(1)
  })
})

describe('a disk that stays full', () => {
  it('is told once a minute, and when it is over', async () => {
    const { emit, faults, logged, passed } = await setUp()
    const failed = 'A commit failed; nothing of it was acknowledged.'
    faults.fail = true
    const refused = async (): Promise<void> => {
      await expect(emit([row('a', 1)])).rejects.toMatchObject({ code: 'store_failed' })
    }
    await refused()
    const retried = Array.from({ length: 2 }, () => 'A commit failed and is tried again.')
    expect(logged).toEqual([...retried, failed])
    for (let second = 0; second < 120; second++) {
      passed.ms += 1000
      await refused()
    }
    expect(logged.slice(3)).toEqual([failed, failed])
    faults.fail = false
    await emit([row('a', 1)])
    await emit([row('a', 2)])
    expect(logged.slice(5)).toEqual(['Commits succeed again.'])
  })

  it('lets the hub owe the newest alerts only, each as it is in the end', async () => {
    const { emit, ledger, faults } = await setUp({ inboxReadings: 4096, turnReadings: 4096 }, [hot])
    faults.failRecord = true
    const alerts = 11_000
    for (let from = 0; from < alerts; from += 1000) {
      const flapping = Array.from({ length: 1000 }, (_, index) => [
        row('stove', 80, { at: now + 2 * (from + index) }),
        row('stove', 20, { at: now + 2 * (from + index) + 1 }),
      ])
      await expect(emit(flapping.flat())).rejects.toMatchObject({ code: 'store_failed' })
    }
    faults.failRecord = false
    await emit([row('fridge', 5)])
    const known = await ledger.alerts({}, 2 * alerts)
    expect(known).toHaveLength(10_000)
    expect(known.at(-1)).toMatchObject({ since: now + 2000, until: now + 2001 })
    expect(known.filter(({ until }) => until === undefined)).toEqual([])
  })
})

describe('a slow store', () => {
  it('delays no alert: the next batch is reacted to while the commit before it waits', async () => {
    const { emit, story, hold, release } = await setUp({}, [hot])
    hold()
    const first = emit([row('fridge', 5)])
    await settle()
    const second = emit([row('stove', 80)])
    await settle()
    expect(story).toEqual(['alerts'])
    release()
    await Promise.all([first, second])
  })

  it('lets a source with a full quota wait, and no other', async () => {
    const { pump, emit, story, hold, release } = await setUp({ inboxReadings: 2, turnReadings: 2 }, [hot])
    hold()
    const flood = Array.from({ length: 5 }, (_, index) => emit([row(`a${index}`, 1), row(`b${index}`, 2)]))
    await settle()
    const other = pump.emitFor('alarm')([row('stove', 80)])
    await settle()
    expect([pump.isFull('test'), story]).toEqual([true, ['alerts']])
    release()
    await Promise.all([...flood, other])
    expect(pump.waiting).toBe(0)
  })
})

describe('twice is once', () => {
  it('for the same series and time', async () => {
    const { emit, memory } = await setUp()
    await emit([row('a', 1), row('a', 1)])
    await emit([row('a', 1)])
    expect(await memory.read({}, 10)).toHaveLength(1)
  })

  it('but two messages without a time of their own are two readings', async () => {
    const { emit, memory } = await setUp()
    await emit([row('a', 1, { at: undefined }), row('a', 2, { at: undefined })])
    expect((await memory.read({}, 10)).map(({ at, value }) => [at - now, value])).toEqual([
      [0, 1],
      [1, 2],
    ])
  })
})

describe('a full inbox', () => {
  it('lets batches wait outside until there is room', async () => {
    const { pump, emit, hold, release } = await setUp({ inboxReadings: 4, turnReadings: 2 })
    hold()
    const batches = Array.from({ length: 6 }, (_, index) => emit([row(`a${index}`, 1), row(`b${index}`, 2)]))
    await settle()
    expect([pump.isFull('test'), pump.waiting]).toEqual([true, 4])
    release()
    const receipts = await Promise.all(batches)
    expect(receipts.map(({ accepted }) => accepted)).toEqual([2, 2, 2, 2, 2, 2])
    expect(pump.waiting).toBe(0)
  })

  it('refuses those outside when the hub stops, and settles those inside', async () => {
    const { pump, emit, memory, hold, release } = await setUp({ inboxReadings: 2, turnReadings: 1 })
    hold()
    const answers = [1, 2, 3, 4, 5].map((value) =>
      emit([row(`a${value}`, value)]).then(
        () => 'stored',
        (error: { code: string }) => error.code,
      ),
    )
    await settle()
    const stopped = pump.stop()
    release()
    await stopped
    const said = await Promise.all(answers)
    expect(said.filter((one) => one === 'stored')).toHaveLength((await memory.read({}, 10)).length)
    expect(said.filter((one) => one === 'stopping').length).toBeGreaterThan(0)
    await expect(emit([row('z', 1)])).rejects.toMatchObject({ code: 'stopping' })
  })
})

describe('a row that nobody expected', () => {
  it('costs itself only: deeper than a stack', async () => {
    const { emit, ledger } = await setUp()
    let deep: unknown = 1
    for (let level = 0; level < 50_000; level++) deep = [deep]
    const receipt = await emit([row('a', 1), row('b', deep), row('c', 3)])
    expect([receipt.accepted, receipt.rejected.map(({ index }) => index)]).toEqual([2, [1]])
    expect(await ledger.quarantined(5)).toHaveLength(1)
  })

  it.each(['constructor', '__proto__', 'toString', 'hasOwnProperty'])(
    'is stored under the metric %s',
    async (metric) => {
      const { emit, memory, ledger } = await setUp()
      expect(await emit([row('a', 1, { metric })])).toMatchObject({ accepted: 1 })
      expect(await memory.read({}, 5)).toMatchObject([{ metric, unit: 'raw' }])
      expect(await ledger.devices()).toMatchObject([{ id: 'a', type: 'sensor' }])
    },
  )
})

describe('pump: a turn waits for company', () => {
  it('never, where a sender waits for each answer', async () => {
    const { emit, sleeps, story } = await setUp()
    for (let value = 0; value < 20; value++) await emit([row('stove', value)])
    expect(sleeps).toEqual([])
    expect(story.filter((line) => line === 'stored 1')).toHaveLength(20)
  })

  it('a moment, where batches come in while others wait for their commit', async () => {
    const { emit, sleeps, story, hold, release } = await setUp()
    hold()
    const first = emit([row('stove', 1)])
    await settle()
    const others = [emit([row('oven', 1)]), emit([row('hob', 1)])]
    await settle()
    release()
    await Promise.all([first, ...others])
    await settle()
    // and once more for those that are answered
    expect(sleeps).toEqual([3, 3])
    expect(story.filter((line) => line.startsWith('stored'))).toEqual(['stored 1', 'stored 2'])
  })

  it('not, where it has many batches already', async () => {
    const { emit, sleeps, hold, release } = await setUp()
    hold()
    const first = emit([row('stove', 1)])
    await settle()
    const others = Array.from({ length: 16 }, (_, index) => emit([row(`d${index}`, 1)]))
    await settle()
    release()
    await Promise.all([first, ...others])
    expect(sleeps.length).toBeLessThanOrEqual(1)
  })

  it('not any more, once senders have been alone for a while', async () => {
    const { emit, sleeps, passed, hold, release } = await setUp()
    hold()
    const first = emit([row('stove', 1)])
    await settle()
    const second = emit([row('oven', 1)])
    await settle()
    release()
    await Promise.all([first, second])
    await settle()
    passed.ms += 60
    const before = sleeps.length
    await emit([row('stove', 2)])
    expect(sleeps.length).toBe(before)
  })
})
