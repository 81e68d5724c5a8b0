import { beforeEach, describe, expect, it } from 'vitest'
import { LifecycleWorld, weightOf } from '../../../test/crash/lifecycle-kit.ts'
import { fridge, registryOver } from '../../../test/crash/registry-kit.ts'
import type { Target } from '../../core/target.ts'

/** What the lifecycle makes of what it finds: damage, crashes, other processes, versions that are too many. */

const heater: Target = { site: 'cabin', domain: 'energy', subject: 'heater' }

let world: LifecycleWorld
beforeEach(() => {
  world = new LifecycleWorld()
})

describe('a live model that is damaged', () => {
  beforeEach(async () => {
    await world.learn('v1')
    await world.learn('v2')
    await world.answer()
    await world.damage('v2')
  })

  it('is put apart, and the one before it speaks and answers', async () => {
    expect(await world.liveVersion()).toBe('v1')
    expect(world.statuses()).toEqual({ v1: 'live', v2: 'refused' })
    expect(world.reasonOf('v1')).toBe('Live: v2 could not be served.')
    expect(await world.answer()).toEqual(['v1', weightOf('v1')])
    expect((await world.artifacts.list('')).filter((key) => key.includes('/v2/'))).toEqual(
      ['card.json', 'manifest.json', 'model.json', 'why.txt'].map(
        (file) => `refused/home/energy/fridge/v2/${file}`,
      ),
    )
  })

  it('is told once, however often one looks', async () => {
    await world.liveVersion()
    const before = await world.history()
    world.changed = []
    for (let look = 0; look < 3; look++) expect(await world.liveVersion()).toBe('v1')
    await world.restart()
    expect(await world.liveVersion()).toBe('v1')
    expect(await world.history()).toEqual(before)
    expect(world.changed).toEqual([])
  })

  it('leaves the naive forecast where the one before it is damaged, too', async () => {
    await world.damage('v1')
    expect(await world.liveVersion()).toBeUndefined()
    expect(world.statuses()).toEqual({ v1: 'refused', v2: 'refused' })
    await expect(world.answer()).rejects.toMatchObject({ code: 'model_missing' })
  })

  it('is passed over where its pointer is empty, and the one before it speaks', async () => {
    await world.artifacts.put('models/home/energy/fridge/latest.txt', new Uint8Array())
    for (let look = 0; look < 2; look++) expect(await world.liveVersion()).toBe('v1')
    expect((await world.history()).slice(-2)).toEqual(['v1 live registry', 'v2 retired registry'])
    expect((await world.artifacts.list('refused/')).length).toBe(0)
  })

  it('is no shadow and no rival: a damaged predecessor is refused when it is to speak', async () => {
    await world.damage('v1')
    expect(await world.lifecycle.shadows(fridge)).toEqual([])
    expect(world.statuses()).toMatchObject({ v1: 'refused' })
  })
})

describe('versions that are kept', () => {
  const keptVersions = async (): Promise<string[]> => {
    const indexed = Object.keys(world.statuses()).sort()
    expect(await registryOver(world.artifacts, world.clock).versions(fridge)).toEqual(indexed)
    expect((await world.ledger.models.of(fridge)).map(({ card }) => card.model.version).sort()).toEqual(
      indexed,
    )
    return indexed
  }

  it('are the newest, and those that may be needed, however old', async () => {
    await world.restart({ kept: 2 })
    await world.learn('v1')
    await world.learn('v2')
    await world.learn('v3', 'challenger')
    for (const version of ['v4', 'v5', 'v6', 'v7']) await world.learn(version, 'rejected')
    expect(await keptVersions()).toEqual(['v1', 'v2', 'v3', 'v6', 'v7'])
    expect(world.statuses()).toMatchObject({ v1: 'retired', v2: 'live', v3: 'challenger' })
    // the history outlives them
    expect(await world.history()).toContain('v4 rejected gate')
  })

  it('lose what is needed no more', async () => {
    await world.restart({ kept: 1 })
    for (const version of ['v1', 'v2', 'v3']) await world.learn(version)
    expect(await keptVersions()).toEqual(['v2', 'v3'])
  })
})

describe('a process that ends between the pointer and the index', () => {
  it('had published: the next one follows the pointer', async () => {
    await world.learn('v1')
    await world.restart({ over: world.failingOnce() })
    await expect(world.learn('v2')).rejects.toThrow('the power went')
    expect(world.statuses()).toEqual({ v1: 'live' })
    await world.restart()
    expect(await world.liveVersion()).toBe('v2')
    expect(world.statuses()).toEqual({ v1: 'retired', v2: 'live' })
    // it could have been served
    expect(world.reasonOf('v2')).toBe('Live: the pointer names it.')
    expect(await world.ledger.models.of(fridge)).toEqual(world.lifecycle.entries(fridge))
  })

  it('had made a kept one live, against the gate', async () => {
    await world.learn('v1')
    await world.learn('v2', 'rejected')
    await world.restart({ over: world.failingOnce() })
    await expect(world.promote('v2', true)).rejects.toThrow('the power went')
    await world.restart()
    expect(await world.liveVersion()).toBe('v2')
    expect(world.statuses()).toEqual({ v1: 'retired', v2: 'live' })
  })

  it('had rolled back to the naive forecast: the old one does not speak again', async () => {
    await world.learn('v1')
    await world.restart({ over: world.failingOnce() })
    await expect(world.rollBack()).rejects.toThrow('the power went')
    expect(await world.liveVersion()).toBeUndefined()
    expect(world.statuses()).toEqual({ v1: 'retired' })
    expect(world.reasonOf('v1')).toBe('Nothing points to it any more; the naive forecast is live.')
    await world.restart()
    expect(await world.liveVersion()).toBeUndefined()
  })

  it('is mended without a restart, too, where the ledger only failed for a moment', async () => {
    await world.learn('v1')
    await world.restart({ over: world.failingOnce() })
    await expect(world.learn('v2')).rejects.toThrow()
    expect(await world.liveVersion()).toBe('v2')
    expect(world.statuses()).toEqual({ v1: 'retired', v2: 'live' })
    expect(await world.answer()).toEqual(['v2', weightOf('v2')])
  })
})

it('a model that another process published answers from the next look on', async () => {
  await world.learn('v1')
  expect(await world.answer()).toEqual(['v1', weightOf('v1')])
  const other = registryOver(world.artifacts, world.clock)
  await other.put(world.candidate('v2'), 1)
  await other.point(fridge, 'v2')
  expect(await world.liveVersion()).toBe('v2')
  expect(await world.answer()).toEqual(['v2', weightOf('v2')])
  expect(await world.history()).toEqual(['v1 live gate', 'v2 live registry', 'v1 retired registry'])
})

it('a site that is removed leaves nothing, and another one everything', async () => {
  await world.learn('v1')
  await world.damage('v1')
  await world.liveVersion()
  await world.learn('v2')
  await world.lifecycle.add(world.candidate('w1', 'live', heater), { by: 'schedule' })
  expect(await world.liveVersion()).toBe('v2')
  await world.answer()
  await world.lifecycle.removeSite('home')
  expect(world.lifecycle.entries(fridge)).toEqual([])
  expect((await world.artifacts.list('')).filter((key) => key.includes('home'))).toEqual([])
  await expect(world.answer()).rejects.toMatchObject({ code: 'model_missing' })
  expect(world.statuses(heater)).toEqual({ w1: 'live' })
  expect((await world.lifecycle.live(heater))?.card.model.version).toBe('w1')
  // of another home that is called so later, nothing is taken for known: it is opened before it speaks
  const other = registryOver(world.artifacts, world.clock)
  await other.put({ ...world.candidate('v2'), body: '{}' }, 1)
  await other.point(fridge, 'v2')
  expect(await world.liveVersion()).toBeUndefined()
})
