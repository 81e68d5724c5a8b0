import { expect, test } from 'vitest'
import type { ModelEntry } from '../../src/core/life.ts'
import type { Target } from '../../src/core/target.ts'
import { learnEnergy } from '../../src/domains/energy/learn.ts'
import { energyLearning } from '../../src/domains/energy/learning.ts'
import { household, toLearn } from '../../src/domains/energy/made-home.ts'
import { Lifecycle } from '../../src/engine/models/lifecycle.ts'
import { Serving } from '../../src/engine/models/serving.ts'
import { Registry } from '../../src/engine/registry/registry.ts'
import { systemClock } from '../../src/platform/clock.ts'
import { createMemoryArtifacts } from '../../src/stores/artifacts/memory.ts'
import { createMemoryLedger } from '../../src/stores/ledger/memory.ts'

const target: Target = { site: 'home', domain: 'energy', subject: 'fridge' }
const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined }

test('a live model of an earlier version is refused with a plain sentence, and the naive forecast takes over', async () => {
  const { report } = learnEnergy(toLearn(household(30, 1)))
  const version = '20260301T010000Z'
  const card = {
    ...report,
    verdict: { status: 'live', reason: 'For the test.', comparisons: {} },
    target,
    model: { name: 'energy-boosting', version, kind: 'learned' },
  } as const
  const body = JSON.stringify({ format: 'homeostat-energy-1', model: {}, share: 0.7 })
  const [artifacts, ledger] = [createMemoryArtifacts(), createMemoryLedger()]
  const registry = new Registry({ artifacts, clock: systemClock, log: quiet, code: '0.0.0-test' })
  await registry.put({ card, body }, 1)
  await registry.point(target, version)
  const entry: ModelEntry = { card, status: 'live', reason: 'For the test.', since: 1 }
  await ledger.models.put([entry], [])
  const parts = { ledger, registry, clock: systemClock, log: quiet, learnings: [energyLearning] }
  const lifecycle = new Lifecycle({ ...parts, serving: new Serving(10), onChange: () => undefined }, 3)
  await lifecycle.load()

  await expect(lifecycle.lease(target)).rejects.toMatchObject({ code: 'model_missing' })
  expect(lifecycle.status(target, 'live')).toBeUndefined()
  const events = await ledger.models.events({ target }, 10)
  expect(JSON.stringify(events)).toContain(
    'it was learnt by an earlier version of Homeostat; it is learnt anew',
  )
})
