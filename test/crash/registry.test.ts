import { describe, expect, it } from 'vitest'
import type { Registry } from '../../src/engine/registry/registry.ts'
import { createFileArtifacts } from '../../src/stores/artifacts/file.ts'
import { FragileDisk } from './registry-disk.ts'
import { fridge, modelOf, registryOver } from './registry-kit.ts'

/**
 * Every operation of the disk on the way from version 1 to version 2 fails in turn. Whatever happens, a hub that
 * starts on the same folder serves version 1 or version 2, whole, and can publish again.
 */

const first = modelOf('v1')
const second = modelOf('v2')

/** A process that starts on the disk. */
async function start(disk: FragileDisk): Promise<Registry> {
  const artifacts = createFileArtifacts({ folder: '/data/models', files: disk })
  await artifacts.open()
  return registryOver(artifacts)
}

async function publish(registry: Registry, model: typeof first): Promise<void> {
  await registry.put(model, 7)
  await registry.point(fridge, model.card.model.version)
}

/** Version 1 is live; what was done until then does not count. */
async function diskWithFirst(): Promise<FragileDisk> {
  const disk = new FragileDisk()
  await publish(await start(disk), first)
  disk.revive()
  return disk
}

/** Operations of the whole way, the start of the process included. */
async function operationsOf(way: (registry: Registry) => Promise<unknown>): Promise<string[]> {
  const disk = await diskWithFirst()
  await way(await start(disk))
  return [...disk.done]
}

/** Goes the way until the operation fails. */
async function goUntil(disk: FragileDisk, failAt: number, way: (registry: Registry) => Promise<unknown>) {
  disk.failAt = failAt
  try {
    await way(await start(disk))
    return 'done'
  } catch {
    return 'failed'
  }
}

const ends = [
  { name: 'the process ends before it', doneAnyway: false, once: false, power: false },
  { name: 'the process ends after it', doneAnyway: true, once: false, power: false },
  { name: 'the power goes before it', doneAnyway: false, once: false, power: true },
  { name: 'the power goes after it', doneAnyway: true, once: false, power: true },
  { name: 'it fails once and the process ends', doneAnyway: false, once: true, power: false },
  { name: 'it fails once and the power goes', doneAnyway: false, once: true, power: true },
]

describe('publishing a version', () => {
  for (const { name, doneAnyway, once, power } of ends) {
    it(`leaves the old version or the new one at every operation: ${name}`, async () => {
      const operations = await operationsOf((registry) => publish(registry, second))
      expect(operations.length).toBeGreaterThan(30)
      const served = new Set<string>()
      for (const [index, operation] of operations.entries()) {
        const disk = await diskWithFirst()
        Object.assign(disk, { doneAnyway, once })
        const end = await goUntil(disk, index + 1, (registry) => publish(registry, second))
        if (power) disk.powerCut()
        else disk.revive()

        const registry = await start(disk)
        const { model, refused } = await registry.newestGood(fridge)
        expect([first, second], operation).toContainEqual(model)
        if (end === 'done') expect(model, operation).toEqual(second)
        expect(refused, operation).toEqual([])
        served.add(model?.card.model.version ?? '')
        await publish(registry, second)
        await publish(registry, modelOf('v3'))
        expect((await (await start(disk)).newestGood(fridge)).model, operation).toEqual(modelOf('v3'))
      }
      expect(served.has('v1')).toBe(true)
    })
  }

  it('is durable when it resolves: the power goes right after', async () => {
    const disk = await diskWithFirst()
    await publish(await start(disk), second)
    disk.powerCut()
    const registry = await start(disk)
    expect((await registry.newestGood(fridge)).model).toEqual(second)
    expect(await registry.load(fridge, 'v1')).toEqual(first)
  })

  it('is durable also where an attempt before it failed at any operation', async () => {
    const operations = await operationsOf((registry) => publish(registry, second))
    for (const [index, operation] of operations.entries()) {
      const disk = await diskWithFirst()
      disk.once = true
      disk.failAt = index + 1
      const attempt = async (): Promise<void> => publish(await start(disk), second)
      await attempt().catch(attempt)
      disk.powerCut()
      expect((await (await start(disk)).newestGood(fridge)).model, operation).toEqual(second)
    }
  })
})

describe('the other ways of a version', () => {
  const ways: Readonly<Record<string, (registry: Registry) => Promise<unknown>>> = {
    'going back to the one before': async (registry) => {
      await publish(registry, second)
      await registry.point(fridge, 'v1')
    },
    'removing what is not needed': async (registry) => {
      await registry.put(second, 7)
      await registry.trim(fridge, [])
    },
    'setting another version aside': async (registry) => {
      await registry.put(second, 7)
      await registry.quarantine(fridge, 'v2', 'It says what is no number.')
    },
  }

  for (const [name, way] of Object.entries(ways)) {
    it(`leaves a whole version live at every operation: ${name}`, async () => {
      for (const [index, operation] of (await operationsOf(way)).entries()) {
        for (const power of [false, true]) {
          const disk = await diskWithFirst()
          await goUntil(disk, index + 1, way)
          if (power) disk.powerCut()
          else disk.revive()
          const registry = await start(disk)
          expect([first, second], operation).toContainEqual((await registry.newestGood(fridge)).model)
          await publish(registry, modelOf('v3'))
          expect((await registry.newestGood(fridge)).model, operation).toEqual(modelOf('v3'))
        }
      }
    })
  }

  it('never loads again what was set aside, from the moment that this is durable', async () => {
    const way = async (registry: Registry): Promise<void> => registry.quarantine(fridge, 'v1', 'Damaged.')
    const refusals: boolean[] = []
    for (const [index] of (await operationsOf(way)).entries()) {
      const disk = await diskWithFirst()
      await goUntil(disk, index + 1, way)
      disk.powerCut()
      const registry = await start(disk)
      refusals.push(!(await registry.newestGood(fridge)).model)
    }
    // once refused it stays so: no later operation brings it back
    expect(refusals).toEqual([...refusals].sort())
    expect(new Set(refusals).size).toBe(2)
  })
})
