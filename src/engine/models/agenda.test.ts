import { describe, expect, it } from 'vitest'
import { turnOfTheLoop, VirtualClock } from '../../../test/virtual-clock.ts'
import type { Target } from '../../core/target.ts'
import { dayMs, hourMs, secondMs } from '../../core/time.ts'
import { Agenda } from './agenda.ts'

const target = (subject: string, site = 'home'): Target => ({ site, domain: 'energy', subject })

function setUp() {
  const clock = new VirtualClock(Date.UTC(2026, 0, 1))
  return { clock, agenda: new Agenda(clock) }
}

type World = ReturnType<typeof setUp>

/** Pauses, ms, until the target is taken, each after a failure. */
async function pauses({ clock, agenda }: World, subject: string, failures: number): Promise<number[]> {
  const measured: number[] = []
  for (let count = 0; count < failures; count++) {
    const began = clock.monotonic()
    agenda.retry(target(subject))
    for (;;) {
      await clock.advance(secondMs)
      if (agenda.take().some((taken) => taken.subject === subject)) break
    }
    measured.push(clock.monotonic() - began)
  }
  return measured
}

describe('agenda', () => {
  it('retries a target that failed after pauses that double up to half an hour', async () => {
    const seconds = (await pauses(setUp(), 'fridge', 11)).map((ms) => ms / secondMs)
    expect(seconds).toEqual([5, 10, 20, 40, 80, 160, 320, 640, 1280, 1800, 1800])
  })

  it('begins with the shortest pause again after a success, for that target alone', async () => {
    const world = setUp()
    await pauses(world, 'fridge', 3)
    await pauses(world, 'heater', 3)
    world.agenda.succeeded(target('fridge'))
    expect(await pauses(world, 'fridge', 1)).toEqual([5 * secondMs])
    expect(await pauses(world, 'heater', 1)).toEqual([40 * secondMs])
  })

  it('waits until nothing further has happened to a target for half a second', async () => {
    const { clock, agenda } = setUp()
    for (let row = 0; row < 10; row++) {
      agenda.add(target('fridge'))
      await clock.advance(499)
      expect(agenda.take()).toEqual([])
    }
    await clock.advance(1)
    expect(agenda.take()).toEqual([target('fridge')])
    expect(agenda.take()).toEqual([])
  })

  it('drops the entries and the failures of a site, also of targets that are being forecast', async () => {
    const world = setUp()
    const { clock, agenda } = world
    await pauses(world, 'fridge', 4)
    agenda.add(target('washer'))
    agenda.retry(target('heater', 'cabin'))
    agenda.removeSite('home')
    await clock.advance(dayMs)
    expect(agenda.take()).toEqual([target('heater', 'cabin')])
    expect(await pauses(world, 'fridge', 1)).toEqual([5 * secondMs])
  })

  it('wakes when a target is due, earlier if one is added that is due earlier, and not otherwise', async () => {
    const { clock, agenda } = setUp()
    const stop = new AbortController()
    const taken: (readonly [ms: number, subject: string])[] = []
    let wakeUps = 0
    const run = async (): Promise<void> => {
      for (; !stop.signal.aborted; wakeUps++) {
        await agenda.wait(stop.signal)
        for (const { subject } of agenda.take()) taken.push([clock.monotonic(), subject])
      }
    }
    const done = run()
    agenda.retry(target('fridge'))
    await turnOfTheLoop()
    await clock.advance(secondMs)
    agenda.add(target('heater'))
    await turnOfTheLoop()
    await clock.advance(hourMs)
    expect(taken).toEqual([
      [1500, 'heater'],
      [5000, 'fridge'],
    ])
    // twice for what was added while it slept, and once for each target that was due
    expect(wakeUps).toBe(4)
    stop.abort()
    await done
  })
})
