import { readFileSync } from 'node:fs'
import { beforeEach, describe, expect, it } from 'vitest'
import { fridge, modelOf, registryOver } from '../../../test/crash/registry-kit.ts'
import { VirtualClock } from '../../../test/virtual-clock.ts'
import type { ArtifactStore } from '../../core/ports.ts'
import type { Target } from '../../core/target.ts'
import { createMemoryArtifacts } from '../../stores/artifacts/memory.ts'
import type { Registry } from './registry.ts'
import { render, seal } from './registry-manifest.ts'

const heater: Target = { site: 'home', domain: 'energy', subject: 'heater' }
const folder = 'models/home/energy/fridge/'
const origin = { code: '0.1.0', seed: 7, madeAt: 0 }

let artifacts: ArtifactStore
let clock: VirtualClock
let registry: Registry

beforeEach(() => {
  artifacts = createMemoryArtifacts()
  clock = new VirtualClock(1_780_000_000_000)
  registry = registryOver(artifacts, clock)
})

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)
const textAt = async (key: string): Promise<string> => new TextDecoder().decode(await artifacts.get(key))

async function publish(version: string, target = fridge): Promise<void> {
  await registry.put(modelOf(version, target), 7)
  await registry.point(target, version)
}

/** Version 1 was served before version 2, which is live. */
async function publishBoth(): Promise<void> {
  await publish('v1')
  await publish('v2')
}

const served = async (): Promise<string | undefined> => {
  const { model } = await registry.newestGood(fridge)
  if (model) expect(model).toEqual(modelOf(model.card.model.version))
  return model?.card.model.version
}

describe('a version', () => {
  it('is loaded as it was put', async () => {
    await registry.put(modelOf('v1'), 7)
    expect(await registry.load(fridge, 'v1')).toEqual(modelOf('v1'))
    expect(await registry.versions(fridge)).toEqual(['v1'])
  })

  it('stands in three files, with its origin in the manifest', async () => {
    await registry.put(modelOf('v1'), 7)
    expect(await artifacts.list('')).toEqual(
      ['card.json', 'manifest.json', 'model.json'].map((file) => `${folder}v1/${file}`),
    )
    expect(JSON.parse(await textAt(`${folder}v1/manifest.json`))).toMatchObject({
      format: 2,
      target: fridge,
      version: 'v1',
      span: modelOf('v1').card.span,
      code: '0.1.0',
      seed: 7,
      madeAt: 1_780_000_000_000,
      files: {
        'model.json': { bytes: modelOf('v1').body.length, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
      },
    })
  })

  it('never changes: the same again is fine, another content is refused', async () => {
    await registry.put(modelOf('v1'), 7)
    await registry.put(modelOf('v1'), 7)
    await expect(registry.put({ ...modelOf('v1'), body: '{}' }, 7)).rejects.toThrow(
      /home\/energy\/fridge v1 is refused: this version is kept already, with another content/,
    )
    await expect(registry.put(modelOf('v1', fridge, { folds: 4 }), 7)).rejects.toThrow(/another content/)
    expect(await registry.load(fridge, 'v1')).toEqual(modelOf('v1'))
  })

  it('is not written when it could not be loaded', async () => {
    const scores = { model: { mae: Number.NaN, rmse: 1 } }
    await expect(registry.put(modelOf('v1', fridge, { scores }), 7)).rejects.toThrow(
      /card\.json: scores\.model\.mae should be a number/,
    )
    await expect(registry.put({ ...modelOf('v1'), body: '{"weights":[NaN]}' }, 7)).rejects.toThrow(
      /model\.json is not JSON/,
    )
    for (const version of ['', '..', 'a/b', 'latest.txt', 'x'.repeat(65)]) {
      await expect(registry.put(modelOf(version), 7), version).rejects.toThrow(/a version is named by/)
    }
    expect(await artifacts.list('')).toEqual([])
  })

  it('that is not there is missing, not refused', async () => {
    await expect(registry.load(fridge, 'v1')).rejects.toMatchObject({ code: 'model_missing' })
  })
})

describe('the pointer', () => {
  it('holds the name of the live version and nothing else', async () => {
    expect(await registry.latest(fridge)).toBeUndefined()
    await publishBoth()
    expect(await textAt(`${folder}latest.txt`)).toBe('v2')
    expect(await textAt(`${folder}previous.txt`)).toBe('v1')
    expect(await registry.latest(fridge)).toBe('v2')
    expect(await served()).toBe('v2')
  })

  it('moves only to what loads', async () => {
    await publish('v1')
    await expect(registry.point(fridge, 'v2')).rejects.toMatchObject({ code: 'model_missing' })
    await registry.put(modelOf('v2'), 7)
    await artifacts.put(`${folder}v2/model.json`, bytesOf('{}'))
    await expect(registry.point(fridge, 'v2')).rejects.toMatchObject({ code: 'model_refused' })
    expect(await served()).toBe('v1')
  })

  it('leaves the version that was served as the one before, not one that was damaged meanwhile', async () => {
    await publishBoth()
    await artifacts.remove([`${folder}v2/card.json`])
    await publish('v3')
    await artifacts.remove([`${folder}v3/card.json`])
    expect(await served()).toBe('v1')
  })

  it('goes back and forth', async () => {
    await publishBoth()
    await registry.point(fridge, 'v1')
    expect(await served()).toBe('v1')
    await registry.point(fridge, 'v1')
    expect(await textAt(`${folder}previous.txt`)).toBe('v2')
  })

  it('goes where no learnt model is live, and nothing is served then, not even the one before', async () => {
    await publishBoth()
    await registry.unpoint(fridge)
    expect(await registry.newestGood(fridge)).toEqual({ refused: [] })
    expect(await registry.versions(fridge)).toEqual(['v1', 'v2'])
    await registry.point(fridge, 'v2')
    await artifacts.remove([`${folder}v2/card.json`])
    expect(await served()).toBeUndefined()
  })
})

describe('damage', () => {
  const files = ['model.json', 'card.json', 'manifest.json']

  it('of any byte of any file is seen, and the version before is served', async () => {
    await publishBoth()
    for (const file of files) {
      const key = `${folder}v2/${file}`
      const whole = (await artifacts.get(key)) ?? new Uint8Array()
      for (let place = 0; place < whole.length; place++) {
        const damaged = whole.slice()
        damaged[place] = (whole[place] ?? 0) ^ (place % 2 === 0 ? 1 : 0x80)
        await artifacts.put(key, damaged)
        await expect(registry.load(fridge, 'v2'), `${file}, byte ${place}`).rejects.toMatchObject({
          code: 'model_refused',
        })
      }
      expect(await served()).toBe('v1')
      await artifacts.put(key, whole)
    }
    expect(await served()).toBe('v2')
  })

  it('by a file cut short at any length, or missing, is seen', async () => {
    await publishBoth()
    for (const file of files) {
      const key = `${folder}v2/${file}`
      const whole = (await artifacts.get(key)) ?? new Uint8Array()
      // the last character of the manifest ends its last line: without it nothing is lost
      for (let length = 0; length < whole.length - 1; length += 7) {
        await artifacts.put(key, whole.subarray(0, length))
        await expect(registry.load(fridge, 'v2'), `${file} of ${length}`).rejects.toThrow(/is refused: /)
      }
      await artifacts.remove([key])
      expect(await served()).toBe('v1')
      await artifacts.put(key, whole)
    }
  })

  it('by files of another target or version is seen', async () => {
    await publishBoth()
    await publish('v2', heater)
    for (const [from, reason] of [
      ['models/home/energy/heater/v2/', 'it is a model of home/energy/heater'],
      [`${folder}v1/`, 'it is the version v1'],
    ] as const) {
      for (const file of files) {
        await artifacts.put(`${folder}v2/${file}`, (await artifacts.get(from + file)) ?? new Uint8Array())
      }
      const { model, refused } = await registry.newestGood(fridge)
      expect(model).toEqual(modelOf('v1'))
      expect(refused).toEqual([
        { version: 'v2', reason: `The model home/energy/fridge v2 is refused: ${reason}.` },
      ])
    }
    const foreign = await artifacts.get('models/home/energy/heater/v2/model.json')
    await publish('v3')
    await artifacts.put(
      `${folder}v3/model.json`,
      bytesOf(`${new TextDecoder().decode(foreign)} `).subarray(1),
    )
    expect((await registry.newestGood(fridge)).refused[0]?.reason).toMatch(/model\.json (is damaged|has)/)
  })

  it('of the pointer is no harm: the version before is served', async () => {
    await publishBoth()
    for (const [text, reason] of [
      ['', /the pointer to its live version is empty/],
      [' \n', /the pointer to its live version is empty/],
      ['v9', /There is no model of home\/energy\/fridge v9: no such version is kept/],
      ['../../../etc/passwd', /a version is named by/],
      ['\u0000\uffff', /a version is named by/],
      ['v2\nv1', /a version is named by/],
    ] as const) {
      await artifacts.put(`${folder}latest.txt`, bytesOf(text))
      const { model, refused } = await registry.newestGood(fridge)
      expect(model, text).toEqual(modelOf('v1'))
      expect(refused[0]?.reason, text).toMatch(reason)
    }
    await artifacts.put(`${folder}latest.txt`, bytesOf('v2\n'))
    expect(await served()).toBe('v2')
  })

  it('of both versions leaves none, and says why', async () => {
    await publishBoth()
    await artifacts.remove([`${folder}v1/manifest.json`, `${folder}v2/model.json`])
    expect(await registry.newestGood(fridge)).toEqual({
      refused: [
        { version: 'v2', reason: 'The model home/energy/fridge v2 is refused: model.json is missing.' },
        {
          version: 'v1',
          reason:
            'The model home/energy/fridge v1 is refused: it was only half written: manifest.json is missing.',
        },
      ],
    })
  })

  it('that agrees with its own hashes is seen where the content is not what it should be', async () => {
    const { card, body } = modelOf('v1')
    const wrong = { ...card, trainedAt: Number.NaN }
    for (const [model, reason] of [
      [{ card, body: '{"weights":[NaN]}' }, 'model.json is not JSON'],
      [{ card, body: '' }, 'model.json is not JSON'],
      [{ card: wrong, body }, 'card.json: trainedAt should be a number'],
      [{ card: { ...card, target: heater }, body }, 'it is a model of home/energy/heater'],
    ] as const) {
      await place(await render(model, origin))
      await expect(registry.load(fridge, 'v1')).rejects.toThrow(reason)
    }
  })

  it('by a manifest of another form is told from damage', async () => {
    const whole = await render(modelOf('v1'), origin)
    await place({ ...whole, manifest: await seal({ format: 3, anything: 'else' }) })
    await expect(registry.load(fridge, 'v1')).rejects.toThrow(
      /its files have format 3, this hub reads formats 1 and 2/,
    )
    for (const text of ['[]', 'null', '7', '{}', '{"format":2}']) {
      await place({ ...whole, manifest: bytesOf(text) })
      await expect(registry.load(fridge, 'v1'), text).rejects.toThrow(/is refused: manifest\.json/)
    }
    await place({ ...whole, manifest: await seal({ format: 2, version: 'v1', target: fridge }) })
    await expect(registry.load(fridge, 'v1')).rejects.toThrow(/manifest\.json: span should be an object/)
  })

  async function place(files: { model: Uint8Array; card: Uint8Array; manifest: Uint8Array }): Promise<void> {
    for (const [name, bytes] of Object.entries(files)) await artifacts.put(`${folder}v1/${name}.json`, bytes)
  }
})

describe('a version that was set aside', () => {
  it('is not loaded, listed, pointed at or put again, and can be looked at', async () => {
    await publishBoth()
    await registry.quarantine(fridge, 'v2', 'It says what is no number.')
    expect(await registry.versions(fridge)).toEqual(['v1'])
    const { model, refused } = await registry.newestGood(fridge)
    expect(model).toEqual(modelOf('v1'))
    expect(refused).toEqual([
      {
        version: 'v2',
        reason: 'The model home/energy/fridge v2 is refused: it was set aside: It says what is no number.',
      },
    ])
    await expect(registry.put(modelOf('v2'), 7)).rejects.toThrow(/it was set aside/)
    await expect(registry.point(fridge, 'v2')).rejects.toThrow(/it was set aside/)
    expect(await artifacts.list('refused/')).toEqual(
      ['card.json', 'manifest.json', 'model.json', 'why.txt'].map(
        (file) => `refused/home/energy/fridge/v2/${file}`,
      ),
    )
  })

  it('keeps its first reason', async () => {
    await publish('v1')
    await registry.quarantine(fridge, 'v1', 'First.')
    await registry.quarantine(fridge, 'v1', 'Second.')
    expect(await textAt('refused/home/energy/fridge/v1/why.txt')).toBe('First.')
  })

  it('is kept with the four newest of its like', async () => {
    const versions = Array.from({ length: 8 }, (_, index) => `v${index}`)
    for (const version of versions) {
      await registry.put(modelOf(version), 7)
      await registry.quarantine(fridge, version, 'Damaged.')
    }
    await registry.trim(fridge, [])
    const left = (await artifacts.list('refused/')).filter((key) => key.endsWith('why.txt'))
    expect(left.map((key) => key.split('/')[4])).toEqual(['v3', 'v4', 'v5', 'v6', 'v7'])
  })
})

describe('trimming', () => {
  it('keeps the live version, the one before it and those that are named', async () => {
    for (const version of ['v1', 'v2', 'v3', 'v4']) await registry.put(modelOf(version), 7)
    await registry.point(fridge, 'v1')
    await registry.point(fridge, 'v3')
    await publish('v3', heater)
    expect(await registry.trim(fridge, ['v4'])).toEqual(['v2'])
    expect(await registry.versions(fridge)).toEqual(['v1', 'v3', 'v4'])
    expect(await registry.versions(heater)).toEqual(['v3'])
    expect(await artifacts.list(`${folder}v2/`)).toEqual([])
  })

  it('removes what was left half written, but not what may be being written just now', async () => {
    await publish('v1')
    await artifacts.put(`${folder}v2/model.json`, bytesOf('{}'))
    expect(await registry.trim(fridge, [])).toEqual([])
    await clock.skip(3_599_999)
    expect(await registry.trim(fridge, [])).toEqual([])
    await clock.skip(1)
    expect(await registry.trim(fridge, [])).toEqual(['v2'])
    expect(await registry.versions(fridge)).toEqual(['v1'])
  })

  it('does not take a version for abandoned that was completed meanwhile', async () => {
    await artifacts.put(`${folder}v2/model.json`, bytesOf('{}'))
    await registry.trim(fridge, [])
    await clock.skip(3_600_000)
    await registry.put(modelOf('v2'), 7)
    expect(await registry.trim(fridge, ['v2'])).toEqual([])
    expect(await registry.load(fridge, 'v2')).toEqual(modelOf('v2'))
  })
})

describe('a site', () => {
  it('is removed with its pointers, versions and what was set aside, and no other site', async () => {
    const next = { ...fridge, site: 'home2' }
    await publishBoth()
    await registry.quarantine(fridge, 'v1', 'Damaged.')
    await publish('v1', next)
    await registry.removeSite('home')
    expect((await artifacts.list('')).every((key) => key.startsWith('models/home2/'))).toBe(true)
    expect((await registry.newestGood(next)).model).toEqual(modelOf('v1', next))
  })
})

describe('calls at the same time', () => {
  it('are done one after the other for a site', async () => {
    const versions = ['v1', 'v2', 'v3', 'v4', 'v5', 'v6']
    await Promise.all([...versions.map((version) => publish(version)), registry.trim(fridge, versions)])
    const latest = (await registry.latest(fridge)) ?? ''
    const previous = await textAt(`${folder}previous.txt`)
    expect(versions).toContain(latest)
    expect(versions).toContain(previous)
    expect(previous).not.toBe(latest)
    expect(await registry.versions(fridge)).toEqual(versions)
  })
})

describe('models from before targets', () => {
  const files: Readonly<Record<string, string>> = JSON.parse(
    readFileSync(new URL('../../../test/before-targets/artifacts.json', import.meta.url), 'utf8'),
  )
  const old = 'models/home/fridge/energy/'
  const [v1, v2, bad] = ['20260105T000000Z', '20260106T000000Z', '20260107T000000Z']
  beforeEach(async () => {
    for (const [key, text] of Object.entries(files)) await artifacts.put(key, bytesOf(text))
  })

  it('are read where they are, as models of the target', async () => {
    expect(await registry.versions(fridge)).toEqual([v1, v2])
    const { model, refused } = await registry.newestGood(fridge)
    expect(refused).toEqual([])
    expect(model?.card).toMatchObject({ target: fridge, metric: 'energy', decidedBy: 'rmse' })
    expect(model?.card.verdict).toMatchObject({ status: 'live', comparisons: { yesterday: { days: 56 } } })
    expect((await registry.load(fridge, v1)).body).toBe(`{"version":"${v1}"}`)
    await expect(registry.load(fridge, bad)).rejects.toThrow(/it was set aside: it was damaged/)
  })

  it('make room for a new version, whose pointer counts from then on', async () => {
    await publish('v9')
    expect(await registry.latest(fridge)).toBe('v9')
    expect(await textAt(`${folder}previous.txt`)).toBe(v2)
    await artifacts.put(`${folder}v9/model.json`, bytesOf('{'))
    expect((await registry.newestGood(fridge)).model?.card.model.version).toBe(v2)
    await registry.trim(fridge, [])
    expect(await registry.versions(fridge)).toEqual([v2, 'v9'])
  })

  it('are live no more once nothing is', async () => {
    await registry.unpoint(fridge)
    expect(await registry.latest(fridge)).toBeUndefined()
    expect(await registry.newestGood(fridge)).toEqual({ refused: [] })
  })

  it('are set aside, trimmed and removed with their site like any other', async () => {
    await registry.quarantine(fridge, v2, 'It was wrong.')
    expect((await registry.newestGood(fridge)).model?.card.model.version).toBe(v1)
    await expect(registry.load(fridge, v2)).rejects.toThrow(/It was wrong/)
    expect(await artifacts.list(`${old}${v2}`)).toEqual([])
    await registry.removeSite('home')
    expect(await artifacts.list('')).toEqual([])
  })
})

describe('a store that does not answer', () => {
  it('is no fault of the model: the error passes', async () => {
    await publishBoth()
    const broken = registryOver({
      ...artifacts,
      get: async (key) => {
        if (key.endsWith('v2/model.json')) throw new Error('EIO')
        return artifacts.get(key)
      },
    })
    await expect(broken.newestGood(fridge)).rejects.toThrow('EIO')
  })
})
