import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { caller, clean, nightly, start, startWorld, untilTold } from '../../../test/schedule-world.ts'
import { turnOfTheLoop } from '../../../test/virtual-clock.ts'
import type { Trigger } from '../../core/life.ts'
import type { ScheduleLedger } from '../../core/ports.ts'
import { dayMs, hourMs } from '../../core/time.ts'
import { createMemoryLedger } from '../../stores/ledger/memory.ts'
import { createSqliteLedger } from '../../stores/ledger/sqlite.ts'
import type { Task } from './scheduler.ts'

const hang: Task = ({ signal }) => untilTold(signal)
const forEver = (): Promise<never> => new Promise(() => undefined)
const two = 2 * hourMs

describe('the process ends in the middle', () => {
  test('of a run: it is run again at the next start, once', async () => {
    const { schedule, pass } = await startWorld({ task: hang })
    await pass(two)
    const second = await startWorld({ schedule, at: start + 3 * hourMs })
    expect(second.runs).toEqual([start + 3 * hourMs])
    await second.pass(hourMs)
    expect(second.runs.length).toBe(1)
    expect(second.scheduler.functions()).toEqual([
      { ...clean, lastInvokedAt: start + 3 * hourMs, lastError: '' },
    ])
  })

  test('of the same run twice: it is given up, said so, and the next one comes at its time', async () => {
    const { schedule, pass } = await startWorld({ task: hang })
    await pass(two)
    await startWorld({ schedule, at: start + 3 * hourMs, task: hang })
    const third = await startWorld({ schedule, at: start + 4 * hourMs })
    expect(third.runs).toEqual([])
    expect(third.problems).toEqual(['A run is given up: the hub ended twice in the middle of it.'])
    expect(third.scheduler.functions()[0]?.lastError).toContain('ended twice')
    await third.pass(dayMs)
    expect(third.runs).toEqual([start + dayMs + two])
    expect(third.scheduler.functions()[0]?.lastError).toBe('')
  })

  test('of a firing: the event is queued, the trigger does not know: it counts once', async () => {
    const { schedule } = createMemoryLedger()
    let crashed = false
    const crashing: ScheduleLedger = {
      ...schedule,
      putTriggers: (triggers) => (crashed ? forEver() : schedule.putTriggers(triggers)),
    }
    const first = await startWorld({ schedule: crashing })
    crashed = true
    await first.pass(two)
    expect(first.runs).toEqual([])
    expect((await schedule.queuedEvents()).length).toBe(1)
    const second = await startWorld({ schedule, at: start + two + 1000 })
    await second.pass(hourMs)
    expect(second.runs).toEqual([start + two + 1000])
  })
})

test('all of it comes back from the disk: times, switches, functions, events that wait', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'homeostat-schedule-'))
  try {
    const before = createSqliteLedger({ folder })
    await before.open()
    const first = await startWorld({ schedule: before.schedule })
    await first.scheduler.putFunction(caller('pair', ['A', 'B']))
    await first.scheduler.event('A', { room: 'kitchen' })
    await first.scheduler.event('A')
    await first.scheduler.putTrigger({ name: 'b', event: 'B', everyMs: hourMs, once: true, enabled: true })
    const triggers = first.scheduler.triggers()
    const status = first.scheduler.status()
    await first.scheduler.stop()
    await before.close()

    const after = createSqliteLedger({ folder })
    await after.open()
    const second = await startWorld({ schedule: after.schedule })
    expect(second.scheduler.triggers()).toEqual(triggers)
    expect(second.scheduler.status()).toEqual(status)
    // a file answers between two turns of the loop, which a clock that does not move does not see
    await second.scheduler.run('b')
    await expect
      .poll(() => second.calls.map(({ body }) => body))
      .toEqual([
        {
          A: { data: { room: 'kitchen' }, timestamp: '2027-01-01T00:00:00' },
          B: { timestamp: '2027-01-01T00:00:00' },
        },
      ])
    await second.scheduler.stop()
    await after.close()
  } finally {
    await rm(folder, { recursive: true })
  }
})

test('nothing is changed before what is kept is known', async () => {
  const { scheduler } = await startWorld({ start: false })
  await expect(scheduler.event('A')).rejects.toMatchObject({ code: 'not_acceptable_state' })
  await expect(scheduler.putFunction(caller('f', ['A']))).rejects.toThrow('The schedule is not running.')
  await scheduler.start()
  await scheduler.putFunction(caller('f', ['A']))
})

describe('the hub stops', () => {
  test('a run under way is told to end, and runs again after the next start', async () => {
    const first = await startWorld({ task: hang })
    await first.pass(two)
    await first.scheduler.stop()
    const second = await startWorld({ schedule: first.schedule, at: start + 3 * hourMs, task: hang })
    expect(second.runs.length).toBe(1)
    await second.scheduler.stop()
    // stopping in an orderly way is nobody's fault: it is not given up after the second time
    const third = await startWorld({ schedule: first.schedule, at: start + 4 * hourMs })
    expect(third.runs.length).toBe(1)
    expect(third.scheduler.functions()[0]?.lastError).toBe('')
  })

  test('a run that merely returns when it is told to end has not done its work', async () => {
    const task: Task = ({ signal }) => untilTold(signal).catch(() => undefined)
    const first = await startWorld({ task })
    await first.pass(two)
    await first.scheduler.stop()
    const second = await startWorld({ schedule: first.schedule, at: start + 3 * hourMs })
    expect(second.runs.length).toBe(1)
  })

  test('a run that does not heed its signal does not hold it up for ever', async () => {
    const first = await startWorld({ task: forEver })
    await first.pass(two)
    const stopped = first.scheduler.stop()
    await first.pass(5000)
    await stopped
  })

  test('nothing is taken any more', async () => {
    const { scheduler } = await startWorld()
    await scheduler.stop()
    await expect(scheduler.event('A')).rejects.toMatchObject({ code: 'stopping' })
    await expect(scheduler.putTrigger({ ...nightly, cron: '0 3 * * *' })).rejects.toMatchObject({
      code: 'stopping',
    })
    await expect(scheduler.putFunction(caller('f', ['A']))).rejects.toMatchObject({ code: 'stopping' })
  })
})

describe('the ledger fails', () => {
  function failingWith(disk: { readonly full: boolean; refused: number }): ScheduleLedger {
    const { schedule } = createMemoryLedger()
    return {
      ...schedule,
      async changeQueue(added, removedIds) {
        if (disk.full) {
          disk.refused++
          throw new Error('disk full')
        }
        await schedule.changeQueue(added, removedIds)
      },
    }
  }

  test('a firing is tried again until it is kept; what could not be kept was not done', async () => {
    const disk = { full: false, refused: 0 }
    const { runs, problems, pass, scheduler } = await startWorld({ schedule: failingWith(disk) })
    disk.full = true
    await pass(two + 20_000)
    expect(runs).toEqual([])
    expect(disk.refused).toBeGreaterThan(2)
    expect(disk.refused).toBeLessThan(6)
    expect(problems).toHaveLength(1)
    await expect(scheduler.event('Night')).rejects.toThrow('disk full')
    disk.full = false
    await pass(10_000)
    expect(runs.length).toBe(1)
  })

  test('a run whose end cannot be kept is not repeated for ever', async () => {
    const disk = { full: false, refused: 0 }
    const task: Task = async () => {
      disk.full = true
    }
    const { runs, pass } = await startWorld({ schedule: failingWith(disk), task })
    await pass(3 * hourMs)
    expect(runs.length).toBe(1)
  })

  test('events whose removal failed are removed with the next change', async () => {
    const disk = { full: false, refused: 0 }
    const task: Task = async () => {
      disk.full = runs.length === 1
    }
    const { runs, scheduler, schedule, pass } = await startWorld({ schedule: failingWith(disk), task })
    await pass(3 * hourMs)
    expect((await schedule.queuedEvents()).length).toBe(1)
    disk.full = false
    await scheduler.event('Night')
    await pass(1000)
    expect(await schedule.queuedEvents()).toEqual([])
  })

  test('queued events that no function waits for any more are removed at the start', async () => {
    const { schedule } = createMemoryLedger()
    await schedule.changeQueue([{ id: 7, function: 'gone', event: 'Night', at: start, data: '' }], [])
    await startWorld({ schedule })
    expect(await schedule.queuedEvents()).toEqual([])
  })
})

describe('what the hub ships', () => {
  test("a user's own times and switch stay, whatever is shipped next", async () => {
    const first = await startWorld()
    await first.scheduler.putTrigger({ ...nightly, cron: '30 4 * * *', enabled: false })
    await first.scheduler.stop()
    const shipped: Trigger = { ...nightly, cron: '0 3 * * *', zone: 'UTC' }
    const second = await startWorld({ schedule: first.schedule, triggers: [shipped] })
    expect(second.scheduler.triggers()).toEqual([
      { ...nightly, cron: '30 4 * * *', zone: 'UTC', enabled: false },
    ])
    await second.scheduler.putTrigger({ ...shipped, cron: '30 4 * * *' })
    await second.pass(6 * hourMs)
    expect(second.runs).toEqual([Date.parse('2027-01-01T04:30:00Z')])
  })

  test('what nobody changed follows what is shipped: another hour, a period instead of an hour', async () => {
    const first = await startWorld()
    await first.scheduler.stop()
    const later = { ...nightly, cron: '0 5 * * *' }
    const second = await startWorld({ schedule: first.schedule, triggers: [later] })
    expect(second.scheduler.triggers()).toEqual([{ ...later, nextAt: start + 5 * hourMs }])
    await second.scheduler.stop()
    const { cron: _cron, zone: _zone, ...rest } = nightly
    const every = { ...rest, everyMs: 6 * hourMs }
    const third = await startWorld({ schedule: first.schedule, triggers: [every] })
    expect(third.scheduler.triggers()).toEqual([{ ...every, nextAt: start + 6 * hourMs }])
  })

  test("new ones are added, those that no longer exist go, the people's own stay", async () => {
    const first = await startWorld()
    await first.scheduler.putFunction(caller('mine', ['Night', 'A']))
    const mine = { name: 'mine', event: 'A', everyMs: hourMs, once: false, enabled: true }
    await first.scheduler.putTrigger(mine)
    await first.scheduler.stop()
    const weekly: Trigger = { ...nightly, name: 'weekly', event: 'Week', cron: '0 3 * * 1' }
    const sweep = { ...clean, name: 'sweep', events: ['Week'] }
    const second = await startWorld({ schedule: first.schedule, triggers: [weekly], functions: [sweep] })
    expect(second.scheduler.triggers().map(({ name }) => name)).toEqual(['mine', 'weekly'])
    expect(second.scheduler.functions().map(({ name }) => name)).toEqual(['mine', 'sweep'])
    await second.scheduler.stop()
    expect((await first.schedule.triggers()).map(({ name }) => name)).toEqual([
      'mine',
      'shipped:weekly',
      'weekly',
    ])
    expect((await first.schedule.functions()).map(({ name }) => name)).toEqual(['mine', 'sweep'])
  })

  test('its triggers keep their event and cannot be removed; its functions are fixed', async () => {
    const { scheduler } = await startWorld()
    const changed = await scheduler.putTrigger({
      ...nightly,
      event: 'Other',
      once: true,
      everyMs: hourMs,
      cron: undefined as never,
    })
    expect(changed).toMatchObject({ event: 'Night', once: false, everyMs: hourMs })
    await expect(scheduler.removeTrigger('nightly')).rejects.toMatchObject({ code: 'not_acceptable_state' })
    await expect(scheduler.putFunction(caller('clean', ['A']))).rejects.toMatchObject({
      code: 'not_acceptable_state',
    })
    await expect(scheduler.removeFunction('clean')).rejects.toMatchObject({ code: 'not_acceptable_state' })
  })

  test('a kept expression that cannot be read any more costs its own trigger only', async () => {
    const { schedule } = createMemoryLedger()
    const broken = { ...nightly, name: 'broken', cron: 'x', builtIn: false, nextAt: start - 1 }
    await schedule.putTriggers([broken])
    const { scheduler, runs, problems, pass } = await startWorld({ schedule })
    expect(problems).toEqual(['A trigger was switched off: it cannot be planned.'])
    expect(scheduler.triggers()[0]).toMatchObject({ name: 'broken', enabled: false })
    await pass(two)
    expect(runs).toEqual([start + two])
  })
})

describe('limits', () => {
  test('so many functions and triggers, and a sentence where there are more', async () => {
    const { scheduler } = await startWorld({ options: { functions: 2, triggers: 2 } })
    await scheduler.putFunction(caller('f', ['A']))
    await scheduler.putFunction(caller('f', ['B']))
    await expect(scheduler.putFunction(caller('g', ['A']))).rejects.toThrow('keeps 2 functions already')
    const soon = { event: 'A', everyMs: 1000, once: true, enabled: true }
    await scheduler.putTrigger({ name: 'first', ...soon })
    await expect(scheduler.putTrigger({ name: 'second', ...soon })).rejects.toThrow(
      'keeps 2 triggers already',
    )
  })

  test('a spent one-shot makes room', async () => {
    const { scheduler, pass, schedule } = await startWorld({ options: { triggers: 2 } })
    const soon = { event: 'A', everyMs: 1000, once: true, enabled: true }
    await scheduler.putTrigger({ name: 'first', ...soon })
    await pass(2000)
    await scheduler.putTrigger({ name: 'second', ...soon })
    expect(scheduler.triggers().map(({ name }) => name)).toEqual(['nightly', 'second'])
    expect((await schedule.triggers()).map(({ name }) => name)).not.toContain('first')
  })

  test('data that is too large is refused', async () => {
    const { scheduler } = await startWorld({ options: { dataChars: 10 } })
    expect(await scheduler.event('A', '12345678')).toBe(0)
    await expect(scheduler.event('A', '123456789')).rejects.toMatchObject({ code: 'data_invalid' })
  })
})

describe('what is refused, with its reason', () => {
  const good = { name: 't', event: 'A', once: false, enabled: true }

  test.each([
    [{ ...good }, 'needs a cron expression or a period'],
    [{ ...good, cron: '0 2 * * *', zone: 'UTC', everyMs: 1000 }, 'has both'],
    [{ ...good, cron: '0 2 * * *' }, 'needs a time zone'],
    [{ ...good, cron: '0 2 * * *', zone: 'Mars/Base' }, 'needs a time zone'],
    [{ ...good, cron: '0 2 * *', zone: 'UTC' }, '"0 2 * *" cannot be read'],
    [{ ...good, cron: '0 2 30 2 *', zone: 'UTC' }, 'would never fire'],
    [{ ...good, cron: '0 2 * * *', zone: 'UTC', once: true }, 'fires once'],
    [{ ...good, everyMs: 999 }, 'a period of 999 ms'],
    [{ ...good, everyMs: Number.NaN }, 'a period of NaN ms'],
    [{ ...good, everyMs: -1, once: true }, 'a period of -1 ms'],
    [{ ...good, everyMs: 1000, nextAt: Number.NaN }, 'no valid first time'],
    [{ ...good, everyMs: 1000, name: ' ' }, '"name"'],
    [{ ...good, everyMs: 1000, event: '' }, '"event"'],
    [{ ...good, everyMs: 1000, name: 'shipped:x' }, 'does not begin with'],
  ])('trigger %j', async (trigger, why) => {
    const { scheduler } = await startWorld()
    await expect(scheduler.putTrigger(trigger)).rejects.toThrow(why)
    await turnOfTheLoop()
    expect(scheduler.triggers().length).toBe(1)
  })

  const call = (url: string, method = 'POST') => ({ kind: 'call', url, method }) as const
  test.each([
    [{ name: 'f', events: [], action: call('http://a') }, 'waits for 0 events'],
    [{ name: 'f', events: ['A'], action: call('ftp://a') }, 'http or https'],
    [{ name: 'f', events: ['A'], action: call('nonsense') }, 'http or https'],
    [{ name: 'f', events: ['A'], action: call('http://u:p@a') }, 'password'],
    [{ name: 'f', events: ['A'], action: call('http://a', 'BREW') }, '"BREW"'],
    [{ name: 'f', events: ['A\n'.repeat(99)], action: call('http://a') }, '"events"'],
    [{ name: '', events: ['A'], action: call('http://a') }, '"name"'],
    [{ name: 'f', events: ['A'], action: { kind: 'task', task: 'clean' } as const }, 'a task of the hub'],
  ])('function %j', async (one, why) => {
    const { scheduler } = await startWorld()
    await expect(scheduler.putFunction(one)).rejects.toThrow(why)
    expect(scheduler.functions().length).toBe(1)
  })
})
