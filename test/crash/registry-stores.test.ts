import { truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ArtifactStore } from '../../src/core/ports.ts'
import { createFileArtifacts } from '../../src/stores/artifacts/file.ts'
import { createS3Artifacts } from '../../src/stores/artifacts/s3.ts'
import { s3rverKeys, startS3rver } from '../conformance/artifact-s3rver.ts'
import { type RunningServer, temporaryFolder } from '../servers.ts'
import { fridge, modelOf, registryOver } from './registry-kit.ts'

/** The registry on a real disk and a real server: what the crash tests do on a disk of their own. */

const folder = temporaryFolder('registry')
let server: RunningServer

beforeAll(async () => {
  server = await startS3rver()
})
afterAll(async () => {
  await server?.stop()
  folder.remove()
})

const stores: Readonly<Record<string, () => ArtifactStore>> = {
  'a folder': () => createFileArtifacts({ folder: folder.path }),
  'a bucket': () =>
    createS3Artifacts({
      endpoint: server.url,
      bucket: 'models',
      region: 'us-east-1',
      ...s3rverKeys,
      requestMs: 10_000,
    }),
}

describe.each(Object.keys(stores))('models in %s', (name) => {
  it('are published, found by the next process, set aside, trimmed and removed', async () => {
    const store = stores[name]?.() ?? expect.unreachable()
    await store.open()
    const registry = registryOver(store)
    for (const version of ['v1', 'v2', 'v3']) {
      await registry.put(modelOf(version), 7)
      await registry.point(fridge, version)
    }
    await store.close()

    const again = stores[name]?.() ?? expect.unreachable()
    await again.open()
    const next = registryOver(again)
    expect((await next.newestGood(fridge)).model).toEqual(modelOf('v3'))
    await next.quarantine(fridge, 'v3', 'Worse than nothing.')
    const { model, refused } = await next.newestGood(fridge)
    expect(model).toEqual(modelOf('v2'))
    expect(refused[0]?.reason).toMatch(/it was set aside: Worse than nothing\.$/)
    expect(await next.trim(fridge, [])).toEqual(['v1'])
    expect(await next.versions(fridge)).toEqual(['v2'])
    await next.removeSite('home')
    expect(await again.list('')).toEqual([])
    await again.close()
  })
})

describe('a model in a folder', () => {
  it('that somebody cut short is refused, and the one before it is served', async () => {
    const store = createFileArtifacts({ folder: folder.path })
    await store.open()
    const registry = registryOver(store)
    for (const version of ['v1', 'v2']) {
      await registry.put(modelOf(version), 7)
      await registry.point(fridge, version)
    }
    await truncate(join(folder.path, 'models/home/energy/fridge/v2/model.json'), 10)
    const { model, refused } = await registry.newestGood(fridge)
    expect(model).toEqual(modelOf('v1'))
    expect(refused[0]?.reason).toMatch(/model\.json has 10 bytes instead of \d+; it may be cut short/)
  })
})
