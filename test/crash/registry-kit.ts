import type { Card } from '../../src/core/event.ts'
import type { StoredModel } from '../../src/core/life.ts'
import type { ArtifactStore } from '../../src/core/ports.ts'
import type { Target } from '../../src/core/target.ts'
import { Registry } from '../../src/engine/registry/registry.ts'
import { VirtualClock } from '../virtual-clock.ts'

export const fridge: Target = { site: 'home', domain: 'energy', subject: 'fridge' }

/** A small model whose body tells its version; all numbers differ from version to version. */
export function modelOf(version: string, target = fridge, change: Partial<Card> = {}): StoredModel {
  const weight = version.length + version.charCodeAt(version.length - 1) / 1000
  const card: Card = {
    target,
    metric: 'energy',
    model: { name: 'energy-boosting', version, kind: 'learned' },
    trainedAt: 1_780_000_000_000,
    span: { from: 1_770_000_000_000, to: 1_780_000_000_000, steps: 2777 },
    features: ['hour', 'lag 24'],
    folds: 3,
    scoredSteps: 504,
    unit: 'kWh',
    scores: { model: { mae: weight, rmse: weight * 1.5 }, 'same time yesterday': { mae: 2, rmse: 3 } },
    decidedBy: 'rmse',
    coverage: { level: 0.9, measured: 0.91, steps: 168 },
    verdict: { status: 'live', reason: 'Better.', comparisons: { live: { days: 21, gain: 0.1, p: 0.01 } } },
    residualDeciles: [-3, -2, -1, -0.5, 0, 0.5, 1, 2, 3],
    repairs: { gaps: 2 },
    ...change,
  }
  return { card, body: JSON.stringify({ version, weights: [weight, -weight, 1e-9] }) }
}

export function registryOver(
  artifacts: ArtifactStore,
  clock = new VirtualClock(1_780_000_000_000),
): Registry {
  const silent = { info: () => {}, warn: () => {}, error: () => {} }
  return new Registry({ artifacts, clock, log: silent, code: '0.1.0' })
}
