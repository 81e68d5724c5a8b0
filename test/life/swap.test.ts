import { setImmediate as nextTurn } from 'node:timers/promises'
import { beforeAll, describe, expect, it } from 'vitest'
import { predictReply } from '../../src/contract/model-schemas.ts'
import type { SeriesKey } from '../../src/core/event.ts'
import type { ModelEntry, StoredModel } from '../../src/core/life.ts'
import type { ArtifactStore, Ledger } from '../../src/core/ports.ts'
import { openEnergy } from '../../src/domains/energy/body.ts'
import { featureNames } from '../../src/domains/energy/forecaster.ts'
import { learnEnergy } from '../../src/domains/energy/learn.ts'
import { energyLearning } from '../../src/domains/energy/learning.ts'
import { household, toLearn } from '../../src/domains/energy/made-home.ts'
import { Lifecycle } from '../../src/engine/models/lifecycle.ts'
import { type Lease, Serving } from '../../src/engine/models/serving.ts'
import { Registry } from '../../src/engine/registry/registry.ts'
import { modelOf } from '../../src/ml/gate.ts'
import { createRandom } from '../../src/ml/random.ts'
import { systemClock } from '../../src/platform/clock.ts'
import { createMemoryArtifacts } from '../../src/stores/artifacts/memory.ts'
import { createMemoryLedger } from '../../src/stores/ledger/memory.ts'
import { startTestHub } from '../hub.ts'

/** One version after the other goes live while others ask. */

const series: SeriesKey = { site: 'home', device: 'fridge', metric: 'energy' }
const target = { site: series.site, domain: 'energy', subject: series.device }
const asking = 8
const swaps = 30

const random = createRandom(3)
const row = () => Object.fromEntries(featureNames.map((name) => [name, 2 * random.next()]))
const bodies = Array.from({ length: 20 }, () => [row(), row()])

/** Each has learnt from another month. */
let models: StoredModel[] = []
/** What a version says of each body when nothing else is open, as bits. */
const said = new Map<string, string[]>()

const bits = (values: Iterable<number>): string =>
  Buffer.from(Float64Array.from(values).buffer).toString('hex')

beforeAll(() => {
  models = [1, 2, 3].map((seed) => {
    const { card, body } = modelOf(learnEnergy(toLearn(household(30, seed))))
    const model = { ...card.model, version: `2026030${seed}T010000Z` }
    return { card: { ...card, target, model }, body }
  })
  for (const model of models) {
    said.set(
      model.card.model.version,
      bodies.map((rows) => bits(openEnergy(model).predict(rows))),
    )
  }
  // else an answer would not tell which of them gave it
  for (const body of bodies.keys()) expect(new Set([...said.values()].map((of) => of[body])).size).toBe(3)
})

/** Stores that hold all versions; the first is live. */
async function stored(): Promise<{ readonly artifacts: ArtifactStore; readonly ledger: Ledger }> {
  const [artifacts, ledger] = [createMemoryArtifacts(), createMemoryLedger()]
  const registry = registryOn(artifacts)
  for (const model of models) await registry.put(model, 1)
  await registry.point(target, versionAt(0))
  const entries = models.map(({ card }, place): ModelEntry => {
    return { card, status: place === 0 ? 'live' : 'retired', reason: 'For the test.', since: place }
  })
  await ledger.models.put(entries, [])
  return { artifacts, ledger }
}

const registryOn = (artifacts: ArtifactStore): Registry =>
  new Registry({ artifacts, clock: systemClock, log: quiet, code: '0.0.0-test' })

const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined }
const versionAt = (k: number): string => models[k % models.length]!.card.model.version

/** Resolves when `ask`, as often as it comes, by so many at once, has ended after the last swap. */
async function whileSwapping(
  ask: (k: number) => Promise<void>,
  swap: (version: string) => Promise<void>,
): Promise<void> {
  let [isOver, asked] = [false, 0]
  const askOn = async (): Promise<void> => {
    while (!isOver) await ask(asked++)
  }
  const swapOn = async (): Promise<void> => {
    try {
      for (let k = 1; k <= swaps; k++) await swap(versionAt(k))
    } finally {
      isOver = true
    }
  }
  await Promise.all([swapOn(), ...Array.from({ length: asking }, askOn)])
}

describe('a model that is swapped while it is asked', () => {
  it('answers over HTTP without an error, always to the bit as the version that it names', async () => {
    const hub = await startTestHub({ open: true, ...(await stored()) })
    const url = `http://127.0.0.1:${await hub.listen()}/api/v1`
    const post = async (path: string, body: object) => {
      const headers = { 'content-type': 'application/json' }
      const answer = await fetch(`${url}/${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
      expect(answer.status, path).toBe(200)
      return answer.json()
    }
    const predict = async (k: number): Promise<string> => {
      const body = k % bodies.length
      const { model, predictions } = predictReply.parse(
        await post('predict', { ...series, rows: bodies[body] }),
      )
      expect(bits(predictions), model.version).toBe(said.get(model.version)?.[body])
      return model.version
    }
    try {
      const heard = new Map<string, number>()
      await whileSwapping(
        async (k) => {
          const version = await predict(k)
          heard.set(version, (heard.get(version) ?? 0) + 1)
        },
        async (version) => {
          expect(await post('models/promote', { ...series, version })).toMatchObject({ status: 'live' })
          // whoever asks after a swap hears the new one
          expect(await predict(0)).toBe(version)
        },
      )
      expect([...heard.keys()].sort()).toEqual([...said.keys()])
      expect(hub.errors).toEqual([])
    } finally {
      await hub.close()
    }
  })

  it('keeps each old version until its last request is answered, and no longer', async () => {
    const { artifacts, ledger } = await stored()
    const serving = new WatchedServing(10)
    const parts = { ledger, serving, clock: systemClock, log: quiet, learnings: [energyLearning] }
    const lifecycle = new Lifecycle(
      { ...parts, registry: registryOn(artifacts), onChange: () => undefined },
      models.length,
    )
    await lifecycle.load()
    const leases = new Map<Lease['model'], number>()
    const count = (model: Lease['model'], by: number): void => {
      leases.set(model, (leases.get(model) ?? 0) + by)
    }
    let heldOver = 0
    const tooEarly: number[] = []
    serving.onRetired = (model) => {
      const left = leases.get(model) ?? 0
      if (left > 0) tooEarly.push(left)
    }
    await whileSwapping(
      async (k) => {
        const body = k % bodies.length
        const lease = await lifecycle.lease(target)
        const { model } = lease
        count(model, 1)
        for (let turn = random.below(6); turn > 0; turn--) await nextTurn()
        if (serving.current !== model) heldOver++
        expect(bits(lease.model.predict(bodies[body]!))).toBe(said.get(lease.ref.version)?.[body])
        count(model, -1)
        lease.release()
      },
      async (version) => {
        await lifecycle.promote(target, version, 'For the test.', { by: 'test' })
        await nextTurn()
      },
    )
    // it did happen that somebody still asked the old one
    expect(heldOver).toBeGreaterThan(0)
    expect(tooEarly).toEqual([])
    await nextTurn()
    expect(serving.retired).toBe(serving.put - 1)
  })
})

/** Sees what is put and what is retired. */
class WatchedServing extends Serving {
  put = 0
  retired = 0
  current: Lease['model'] | undefined
  onRetired: (model: Lease['model']) => void = () => undefined

  override swap(stored: StoredModel, model: Lease['model']): Promise<void> {
    const before = this.current
    this.current = model
    this.put++
    const gone = super.swap(stored, model)
    return before === undefined
      ? gone
      : gone.then(() => {
          this.retired++
          this.onRetired(before)
        })
  }
}
