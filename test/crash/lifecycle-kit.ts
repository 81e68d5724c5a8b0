import { HomeostatError } from '../../src/core/errors.ts'
import type { Card } from '../../src/core/event.ts'
import type { ModelEntry, ModelStatus, StoredModel } from '../../src/core/life.ts'
import type { ArtifactStore, Ledger } from '../../src/core/ports.ts'
import type { Target } from '../../src/core/target.ts'
import type { Learning } from '../../src/domains/domain.ts'
import { Lifecycle, type ModelRequest } from '../../src/engine/models/lifecycle.ts'
import { Serving } from '../../src/engine/models/serving.ts'
import { createMemoryArtifacts } from '../../src/stores/artifacts/memory.ts'
import { createMemoryLedger } from '../../src/stores/ledger/memory.ts'
import { VirtualClock } from '../virtual-clock.ts'
import { fridge, modelOf, registryOver } from './registry-kit.ts'

export const began = 1_780_000_000_000

type Outcome = Card['verdict']['status']

/** The real lifecycle, registry and serving over stores in memory; the models are tiny and name their versions. */
export class LifecycleWorld {
  readonly artifacts: ArtifactStore = createMemoryArtifacts()
  ledger: Ledger = createMemoryLedger()
  readonly clock = new VirtualClock(began)
  /** Devices whose series were to be forecast anew. */
  changed: string[] = []
  /** Versions that were opened. */
  opened: string[] = []
  lifecycle = this.#created(5, this.ledger)

  /** A process that starts on what is kept. */
  async restart({ kept = 5, over = this.ledger }: { kept?: number; over?: Ledger } = {}): Promise<void> {
    this.lifecycle = this.#created(kept, over)
    await this.lifecycle.load()
  }

  #created(kept: number, ledger: Ledger): Lifecycle {
    const { artifacts, clock } = this
    const log = { info: () => undefined, warn: () => undefined, error: () => undefined }
    return new Lifecycle(
      {
        ...{ registry: registryOver(artifacts, clock), ledger, serving: new Serving(10), clock, log },
        learnings: [this.#energy as Learning],
        onChange: ({ subject }) => void this.changed.push(subject),
      },
      kept,
    )
  }

  /** Answers with the first weight of the body; one without weights does not open. */
  get #energy(): Pick<Learning, 'name' | 'open'> {
    return {
      name: 'energy',
      open: ({ card, body }) => {
        const { version } = card.model
        this.opened.push(version)
        const { weights } = JSON.parse(body) as { weights?: number[] }
        if (!weights)
          throw new HomeostatError('model_refused', { model: version, detail: 'it has no weights' })
        return { predict: (rows) => Float64Array.from(rows, () => weights[0]!) }
      },
    }
  }

  candidate(version: string, status: Outcome = 'live', target = fridge): StoredModel {
    return modelOf(version, target, {
      trainedAt: this.clock.now(),
      verdict: { status, reason: `Verdict: ${status}.`, comparisons: {} },
    })
  }

  /** Learnt a minute after what was before, and judged. */
  async learn(
    version: string,
    status?: Outcome,
    wish: ModelRequest = { by: 'schedule' },
  ): Promise<ModelEntry> {
    await this.clock.advance(60_000)
    return this.lifecycle.add(this.candidate(version, status), wish)
  }

  promote(version: string, force = false): Promise<ModelEntry> {
    return this.lifecycle.promote(fridge, version, 'Wanted.', { by: 'olga', force })
  }

  rollBack(to?: string): Promise<string> {
    return this.lifecycle.rollBack(fridge, to, 'It was worse.', 'olga')
  }

  statuses(target: Target = fridge): Record<string, ModelStatus> {
    return Object.fromEntries(
      this.lifecycle.entries(target).map(({ card, status }) => [card.model.version, status]),
    )
  }

  /** Oldest first: version, where it went, who said so. */
  async history(): Promise<string[]> {
    const events = await this.ledger.models.events({ target: fridge }, 100)
    return events.reverse().map(({ version, status, by }) => `${version} ${status} ${by}`)
  }

  reasonOf(version: string): string | undefined {
    return this.lifecycle.entries(fridge).find(({ card }) => card.model.version === version)?.reason
  }

  async liveVersion(): Promise<string | undefined> {
    return (await this.lifecycle.live(fridge))?.card.model.version
  }

  /** The version that answers, and its answer. */
  async answer(): Promise<[string, number | undefined]> {
    const lease = await this.lifecycle.lease(fridge)
    const [said] = lease.model.predict([{}])
    lease.release()
    return [lease.ref.version, said]
  }

  /** Cuts its learnt state short. */
  async damage(version: string): Promise<void> {
    const key = `models/home/energy/fridge/${version}/model.json`
    await this.artifacts.put(key, (await this.artifacts.get(key))!.subarray(0, 10))
  }

  /** The ledger, whose next write of the index does not come to pass. */
  failingOnce(): Ledger {
    const { ledger } = this
    let fails = true
    const put: Ledger['models']['put'] = async (...args) => {
      if (!fails) return ledger.models.put(...args)
      fails = false
      throw new Error('the power went')
    }
    return { ...ledger, models: { ...ledger.models, put } }
  }
}

/** What the version answers. */
export const weightOf = (version: string): number => JSON.parse(modelOf(version).body).weights[0]
