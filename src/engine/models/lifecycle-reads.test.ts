import { beforeEach, describe, expect, it } from 'vitest'
import { LifecycleWorld } from '../../../test/crash/lifecycle-kit.ts'
import { fridge, registryOver } from '../../../test/crash/registry-kit.ts'
import { turnOfTheLoop } from '../../../test/virtual-clock.ts'
import type { Target } from '../../core/target.ts'
import { hourMs } from '../../core/time.ts'

/** Which artifacts the lifecycle reads, and who waits for them. */

const heater: Target = { ...fridge, subject: 'heater' }

let world: LifecycleWorld
/** Keys that were read. */
let reads: string[]
/** Whether the read of this key, the last of `reads`, waits for the release. */
let isHeld: (key: string) => boolean
let release: () => void

beforeEach(() => {
  world = new LifecycleWorld()
  reads = []
  isHeld = () => false
  const released = new Promise<void>((resolve) => {
    release = resolve
  })
  const { get } = world.artifacts
  world.artifacts.get = async (key) => {
    reads.push(key)
    if (isHeld(key)) await released
    return get(key)
  }
})

const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 30; turn++) await turnOfTheLoop()
}

const modelReads = (): string[] => reads.filter((key) => key.endsWith('/model.json'))

describe('lifecycle: while an artifact of another target of the site is read slowly', () => {
  beforeEach(async () => {
    for (const version of ['v1', 'v2']) await world.learn(version)
    for (const version of ['w1', 'w2'])
      await world.lifecycle.add(world.candidate(version, 'live', heater), { by: 'schedule' })
    // a process that has read no model yet
    await world.restart()
    reads = []
  })

  const changes: readonly [what: string, change: () => Promise<unknown>][] = [
    ['promotes', () => world.lifecycle.promote(heater, 'w1', 'Wanted.', { by: 'olga' })],
    ['rolls back', () => world.lifecycle.rollBack(heater, undefined, 'It was worse.', 'olga')],
    ['leases', async () => (await world.lifecycle.lease(heater)).release()],
    ['loads the live model', () => world.lifecycle.live(heater)],
    ['adds a version', () => world.lifecycle.add(world.candidate('w3', 'live', heater), { by: 'schedule' })],
  ]

  // the first read of a promotion, one half way, and one of its last step, which moves the pointer
  const places = [0, 0.5, 0.95]

  it.each(changes.flatMap(([what, change]) => places.map((place) => [what, place, change] as const)))(
    '%s without waiting (read at %d of a promotion)',
    async (_, place, change) => {
      await world.promote('v1')
      const held = Math.floor(place * reads.length)
      await world.promote('v2')
      reads = []
      isHeld = (key) => key.includes('/fridge/') && reads.length > held
      let promoted = false
      const promotion = world.promote('v1').then(() => {
        promoted = true
      })
      await settle()
      isHeld = () => false
      let changed = false
      const done = change().then(() => {
        changed = true
      })
      await settle()
      expect({ promoted, changed }).toEqual({ promoted: false, changed: true })
      release()
      await Promise.all([promotion, done])
    },
  )
})

describe('lifecycle: a model that was opened', () => {
  it('is not read again in the hours after', async () => {
    await world.learn('v1')
    await world.learn('v2')
    await world.learn('v3', 'challenger')
    await world.restart()
    reads = []
    const look = async () => {
      const live = await world.lifecycle.live(fridge)
      const shadows = await world.lifecycle.shadows(fridge)
      return [live, ...shadows].map((model) => model?.card.model.version)
    }
    expect(await look()).toEqual(['v2', 'v3', 'v1'])
    expect(modelReads()).toHaveLength(3)
    const opened = world.opened.length
    for (let hour = 0; hour < 24; hour++) {
      await world.clock.skip(hourMs)
      expect(await look()).toEqual(['v2', 'v3', 'v1'])
    }
    expect(modelReads()).toHaveLength(3)
    expect(world.opened).toHaveLength(opened)
  })

  it('gives way to one that another process published, which is read once', async () => {
    await world.learn('v1')
    expect(await world.liveVersion()).toBe('v1')
    const other = registryOver(world.artifacts, world.clock)
    await other.put(world.candidate('v2'), 1)
    await other.point(fridge, 'v2')
    reads = []
    for (let look = 0; look < 3; look++) expect(await world.liveVersion()).toBe('v2')
    expect(modelReads()).toEqual(['models/home/energy/fridge/v2/model.json'])
  })

  it('is read again once all are to be read again', async () => {
    await world.learn('v1')
    await world.liveVersion()
    reads = []
    world.lifecycle.forgetLoaded(null)
    for (let look = 0; look < 3; look++) await world.liveVersion()
    expect(modelReads()).toHaveLength(1)
  })
})
