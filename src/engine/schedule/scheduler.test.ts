import { describe, expect, test } from 'vitest'
import { caller, nightly, start, startWorld, untilTold, zone } from '../../../test/schedule-world.ts'
import { turnOfTheLoop } from '../../../test/virtual-clock.ts'
import { localParts } from '../../core/calendar.ts'
import type { ScheduleLedger } from '../../core/ports.ts'
import { dayMs, hourMs, minuteMs } from '../../core/time.ts'
import { createMemoryLedger } from '../../stores/ledger/memory.ts'
import type { Call } from './scheduler.ts'

describe('triggers', () => {
  test('a year of a daily job: once per civil day, at its hour where the day has it', async () => {
    const { runs, pass } = await startWorld({ options: { lookMs: dayMs } })
    await pass(Date.parse('2028-01-01T00:00:00+01:00') - start)
    expect(runs.length).toBe(365)
    const days = runs.map((at) => {
      const { month, day } = localParts(zone, at)
      return `${month}-${day}`
    })
    expect(new Set(days).size).toBe(365)
    const odd = runs.filter((at) => localParts(zone, at).hour !== 2)
    expect(odd).toEqual([Date.parse('2027-03-28T03:00:00+02:00')])
  })

  test('five days of downtime are one run, at the start; the next one comes at its time', async () => {
    const before = await startWorld()
    await before.pass(dayMs)
    await before.scheduler.stop()
    const later = start + 6 * dayMs + 10 * hourMs
    const { runs, pass } = await startWorld({ schedule: before.schedule, at: later })
    expect(runs).toEqual([later])
    await pass(dayMs)
    expect(runs).toEqual([later, Date.parse('2027-01-08T02:00:00+01:00')])
  })

  test('a restart without anything missed fires nothing', async () => {
    const before = await startWorld()
    await before.pass(3 * hourMs)
    expect(before.runs.length).toBe(1)
    await before.scheduler.stop()
    const { runs } = await startWorld({ schedule: before.schedule, at: start + 4 * hourMs })
    expect(runs).toEqual([])
  })

  test('a period fires first after one whole period, or at the moment it is given, and keeps its beat', async () => {
    const { scheduler, calls, pass } = await startWorld()
    await scheduler.putFunction(caller('a', ['A']))
    await scheduler.putFunction(caller('b', ['B']))
    const every = { everyMs: 12 * hourMs, once: false, enabled: true }
    await scheduler.putTrigger({ name: 'a', event: 'A', ...every })
    await scheduler.putTrigger({ name: 'b', event: 'B', ...every, nextAt: start + 30_000 })
    await pass(dayMs)
    const times = (name: string): number[] =>
      calls.filter(({ url }) => url.endsWith(name)).map(({ at }) => at - start)
    expect(times('/a')).toEqual([12 * hourMs, 24 * hourMs])
    expect(times('/b')).toEqual([30_000, 12 * hourMs + 30_000])
  })

  test('periods that were missed fire once, and begin anew', async () => {
    const before = await startWorld()
    await before.scheduler.putFunction(caller('a', ['A']))
    const trigger = { name: 'a', event: 'A', everyMs: 12 * hourMs, once: false, enabled: true }
    await before.scheduler.putTrigger(trigger)
    await before.scheduler.stop()
    const at = start + 36 * hourMs - 1000
    const { calls, pass } = await startWorld({ schedule: before.schedule, at })
    expect(calls.map((call) => call.at)).toEqual([at])
    await pass(12 * hourMs)
    expect(calls.map((call) => call.at)).toEqual([at, at + 12 * hourMs])
  })

  test('a one-shot fires once, also when it was missed', async () => {
    const before = await startWorld()
    await before.scheduler.putFunction(caller('a', ['A']))
    const trigger = { name: 'once', event: 'A', everyMs: hourMs, once: true, enabled: true }
    await before.scheduler.putTrigger(trigger)
    await before.scheduler.stop()
    const { calls, scheduler, pass } = await startWorld({
      schedule: before.schedule,
      at: start + 5 * hourMs,
    })
    await pass(3 * dayMs)
    expect(calls.length).toBe(1)
    const spent = scheduler.triggers().find(({ name }) => name === 'once')
    expect(spent).toEqual({ ...trigger, builtIn: false, enabled: false, lastAt: start + 5 * hourMs })
  })

  test('a trigger that is switched off rests, and comes back at its next time, not for what it slept through', async () => {
    const { scheduler, runs, pass } = await startWorld()
    await scheduler.putTrigger({ ...nightly, enabled: false })
    await pass(3 * dayMs)
    expect(runs).toEqual([])
    await scheduler.putTrigger(nightly)
    await pass(hourMs)
    expect(runs).toEqual([])
    await pass(2 * hourMs)
    expect(runs).toEqual([start + 3 * dayMs + 2 * hourMs])
  })

  test('a change is heeded at once, though the scheduler sleeps', async () => {
    const { scheduler, runs, pass } = await startWorld({ options: { lookMs: 10 * dayMs } })
    await pass(3 * hourMs)
    await scheduler.putTrigger({ ...nightly, cron: '30 3 * * *' })
    await pass(hourMs)
    expect(runs).toEqual([start + 2 * hourMs, start + 3.5 * hourMs])
  })

  test('run fires now and leaves the next time as it is', async () => {
    const { scheduler, runs, pass } = await startWorld()
    await pass(hourMs)
    await scheduler.run('nightly')
    await turnOfTheLoop()
    expect(runs).toEqual([start + hourMs])
    expect(scheduler.triggers()[0]).toMatchObject({ lastAt: start + hourMs, nextAt: start + 2 * hourMs })
    await expect(scheduler.run('nothing')).rejects.toMatchObject({ code: 'not_found' })
  })

  test('the machine slept: what became due meanwhile fires when it wakes', async () => {
    const { clock, runs, pass } = await startWorld()
    await pass(minuteMs)
    await clock.skip(8 * hourMs)
    await pass(minuteMs)
    expect(runs.length).toBe(1)
  })
})

describe('a wall clock that is set', () => {
  test('forward is noticed within a minute', async () => {
    const { clock, runs, pass } = await startWorld()
    await pass(10_000)
    clock.offsetMs = 3 * hourMs
    await pass(minuteMs)
    expect(runs.length).toBe(1)
  })

  test('a little back does not repeat the day', async () => {
    const { clock, runs, pass } = await startWorld()
    await pass(2 * hourMs + 10_000)
    clock.offsetMs = -30 * minuteMs
    await pass(2 * hourMs)
    expect(runs.length).toBe(1)
  })

  test('back by years: what was planned in that future comes at its next time from now', async () => {
    const given = { at: start + 1000 * dayMs }
    const { clock, scheduler, runs, pass } = await startWorld(given)
    clock.offsetMs = -1000 * dayMs
    await pass(minuteMs)
    expect(scheduler.triggers()[0]?.nextAt).toBe(start + 2 * hourMs)
    await pass(2 * hourMs)
    expect(runs.length).toBe(1)
  })

  test('back while the hub was down: a period begins anew', async () => {
    const first = await startWorld({ at: start + 1000 * dayMs })
    await first.scheduler.putFunction(caller('a', ['A']))
    const trigger = { name: 'a', event: 'A', everyMs: hourMs, once: false, enabled: true }
    await first.scheduler.putTrigger(trigger)
    await first.pass(2 * hourMs)
    const second = await startWorld({ schedule: first.schedule })
    await second.pass(3 * hourMs)
    expect(second.calls.length).toBe(3)
  })

  test('back by years does not silence a daily job for years', async () => {
    const { clock, runs, pass } = await startWorld()
    await pass(3 * hourMs)
    clock.offsetMs = -1000 * dayMs
    await pass(2 * dayMs)
    expect(runs.length).toBe(3)
  })
})

describe('functions', () => {
  test('run when all their events have come; one of each is used up', async () => {
    const { scheduler, calls } = await startWorld()
    await scheduler.putFunction(caller('pair', ['A', 'B']))
    await scheduler.event('A', { n: 1 })
    await scheduler.event('A', { n: 2 })
    await turnOfTheLoop()
    expect(calls).toEqual([])
    expect(scheduler.status().find(({ name }) => name === 'pair')).toEqual({
      ...{ name: 'pair', subs: ['A', 'B'], last_invoke: null },
      events: [
        { ready: ['A'], waiting: ['B'] },
        { ready: ['A'], waiting: ['B'] },
      ],
    })
    expect(await scheduler.event('B')).toBe(1)
    await turnOfTheLoop()
    const timestamp = '2027-01-01T00:00:00'
    expect(calls.map(({ body }) => body)).toEqual([{ A: { data: { n: 1 }, timestamp }, B: { timestamp } }])
    expect(scheduler.status().find(({ name }) => name === 'pair')).toMatchObject({
      last_invoke: start,
      events: [{ ready: ['A'], waiting: ['B'] }],
    })
  })

  test('an event goes to every function that waits for it, and to nobody else', async () => {
    const { scheduler, calls } = await startWorld()
    for (const name of ['one', 'two']) await scheduler.putFunction(caller(name, ['A']))
    await scheduler.putFunction(caller('other', ['B']))
    expect(await scheduler.event('A')).toBe(2)
    expect(await scheduler.event('Unheard')).toBe(0)
    await turnOfTheLoop()
    expect(calls.map(({ url }) => url.split('/').at(-1))).toEqual(['one', 'two'])
  })

  test('a function does not overlap with itself: the next run waits', async () => {
    const ends: (() => void)[] = []
    const call: Call = () => new Promise((resolve) => void ends.push(resolve))
    const { scheduler, calls } = await startWorld({ call })
    await scheduler.putFunction(caller('slow', ['A']))
    await scheduler.event('A')
    await scheduler.event('A')
    await turnOfTheLoop()
    expect(calls.length).toBe(1)
    // also when it was removed and put again meanwhile
    await scheduler.removeFunction('slow')
    await scheduler.putFunction(caller('slow', ['A']))
    await scheduler.event('A')
    await turnOfTheLoop()
    expect(calls.length).toBe(1)
    ends.shift()?.()
    await turnOfTheLoop()
    expect(calls.length).toBe(2)
    ends.shift()?.()
    await turnOfTheLoop()
    expect(calls.length).toBe(2)
  })

  test('so many run at a time, the longest idle first', async () => {
    const ends: (() => void)[] = []
    const call: Call = () => new Promise((resolve) => void ends.push(resolve))
    const { scheduler, calls } = await startWorld({ call, options: { runs: 2 } })
    for (const name of ['a', 'b', 'c']) await scheduler.putFunction(caller(name, ['A']))
    await scheduler.event('A')
    await scheduler.event('A')
    await turnOfTheLoop()
    expect(calls.length).toBe(2)
    ends.shift()?.()
    await turnOfTheLoop()
    expect(calls.at(-1)?.url).toContain('/c')
    for (let i = 0; i < 6; i++) {
      ends.shift()?.()
      await turnOfTheLoop()
    }
    expect(calls.length).toBe(6)
  })

  test('one that fails says why, is used up, and stops nobody else', async () => {
    const call: Call = async (url) => {
      if (url.endsWith('/bad')) throw new Error('It said no.')
    }
    const { scheduler, schedule, calls, problems } = await startWorld({ call })
    for (const name of ['bad', 'good']) await scheduler.putFunction(caller(name, ['A']))
    await scheduler.event('A')
    await turnOfTheLoop()
    expect(calls.length).toBe(2)
    expect(scheduler.functions().map(({ name, lastError }) => [name, lastError])).toEqual([
      ['bad', 'It said no.'],
      ['clean', ''],
      ['good', ''],
    ])
    expect(await schedule.functions()).toEqual(scheduler.functions())
    expect(problems).toEqual(['A function failed.'])
    expect(scheduler.status()[0]?.events).toEqual([])
  })

  test('a call that takes too long is ended', async () => {
    const call: Call = (_url, _method, _body, signal) => untilTold(signal)
    const { scheduler, pass } = await startWorld({ call })
    await scheduler.putFunction(caller('slow', ['A']))
    await scheduler.event('A')
    await pass(11_000)
    expect(scheduler.functions().at(-1)?.lastError).toBe('It took longer than 10 s.')
  })

  test('same name replaces: events that are still waited for stay', async () => {
    const { scheduler, schedule, calls } = await startWorld()
    await scheduler.putFunction(caller('f', ['A', 'B', 'C']))
    await scheduler.event('A')
    await scheduler.event('B')
    await scheduler.putFunction(caller('f', ['A', 'C']))
    expect((await schedule.queuedEvents()).map(({ event }) => event)).toEqual(['A'])
    await scheduler.event('C')
    await turnOfTheLoop()
    expect(Object.keys(calls[0]?.body ?? {})).toEqual(['A', 'C'])
  })

  test('an event writes its own row only, however many events wait', async () => {
    const { schedule } = createMemoryLedger()
    const written: number[] = []
    const counting: ScheduleLedger = {
      ...schedule,
      async changeQueue(added, removedIds) {
        written.push(added.length + removedIds.length)
        await schedule.changeQueue(added, removedIds)
      },
    }
    const { scheduler } = await startWorld({ schedule: counting })
    for (const name of ['f', 'g']) await scheduler.putFunction(caller(name, ['A', 'B']))
    for (let n = 0; n < 300; n++) await scheduler.event('A', n)
    expect(new Set(written)).toEqual(new Set([2]))
    expect(await schedule.queuedEvents()).toHaveLength(600)
  })

  test('a queue is bounded: of each event the newest stay', async () => {
    const { scheduler, calls, problems } = await startWorld({ options: { queuedEvents: 4 } })
    await scheduler.putFunction(caller('f', ['A', 'B']))
    for (let n = 1; n <= 5; n++) await scheduler.event('A', n)
    expect(problems.length).toBe(1)
    for (let n = 1; n <= 3; n++) await scheduler.event('B', n)
    await turnOfTheLoop()
    const timestamp = '2027-01-01T00:00:00'
    expect(calls.map(({ body }) => body)).toEqual([
      { A: { data: 4, timestamp }, B: { data: 1, timestamp } },
      { A: { data: 5, timestamp }, B: { data: 2, timestamp } },
    ])
  })

  test('one without a method runs and calls nobody', async () => {
    const { scheduler, calls } = await startWorld()
    await scheduler.putFunction(caller('mock', ['A'], ''))
    await scheduler.event('A')
    await turnOfTheLoop()
    expect(calls).toEqual([])
    expect(scheduler.functions().at(-1)).toMatchObject({ name: 'mock', lastInvokedAt: start })
  })

  test('events wait over a restart', async () => {
    const before = await startWorld()
    await before.scheduler.putFunction(caller('pair', ['A', 'B']))
    await before.scheduler.event('A', 'kept')
    await before.scheduler.stop()
    const { scheduler, calls } = await startWorld({ schedule: before.schedule, at: start + dayMs })
    await scheduler.event('B')
    await turnOfTheLoop()
    expect(calls[0]?.body).toEqual({
      A: { data: 'kept', timestamp: '2027-01-01T00:00:00' },
      B: { timestamp: '2027-01-02T00:00:00' },
    })
  })
})
