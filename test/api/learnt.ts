import { addDays, dayStart } from '../../src/core/calendar.ts'
import type { Card, Verdict } from '../../src/core/event.ts'
import {
  type LeadSums,
  type ModelEntry,
  type ModelStatus,
  naiveVersion,
  type StoredModel,
} from '../../src/core/life.ts'
import { targetOfSeries } from '../../src/core/old-card.ts'
import type { ArtifactStore, Clock, Ledger } from '../../src/core/ports.ts'
import { dayMs, hourMs } from '../../src/core/time.ts'
import { learnEnergy } from '../../src/domains/energy/learn.ts'
import { Registry } from '../../src/engine/registry/registry.ts'
import { modelOf } from '../../src/ml/gate.ts'

/** Models that a hub finds when it starts: learnt once a test file, kept as the registry and the ledger keep them. */

/** From the oldest on: what was live before, what is live, what did not pass the gate. */
export const versions = {
  before: '20260226T010000Z',
  live: '20260227T010000Z',
  rejected: '20260228T010000Z',
} as const

const statuses = {
  before: ['retired', `Replaced by ${versions.live}.`],
  live: ['live', 'It is 30 % better than slot-mean.'],
  rejected: ['rejected', 'It is no better than the live model.'],
} as const satisfies Record<keyof typeof versions, readonly [ModelStatus, string]>

let learnt: StoredModel | undefined

/** A household of five weeks: a rhythm of the day, a weekend, and an error that no model can know. */
function learn(): StoredModel {
  const values = Float64Array.from({ length: 35 * 24 }, (_, hour) => {
    const weekend = Math.floor(hour / 24) % 7 >= 5 ? 0.3 : 0
    return 0.5 + 0.4 * Math.sin((hour % 24) * (Math.PI / 12)) + weekend + 0.05 * Math.sin(hour * 12.9898)
  })
  const now = Date.parse('2026-02-26T01:00:00Z')
  const judged = learnEnergy({
    ...{
      mode: 'learn',
      target: { site: '', domain: 'energy', subject: '' },
      unit: 'kWh',
      zone: 'Europe/Berlin',
    },
    ...{ now, start: now - values.length * hourMs, stepMs: hourMs, values, repairs: { gaps: 2 } },
  })
  return modelOf(judged)
}

/** Three versions of the energy of one device, with the history of their status. */
export async function putModels(
  series: { readonly site: string; readonly device: string },
  { artifacts, ledger, clock }: { artifacts: ArtifactStore; ledger: Ledger; clock: Clock },
): Promise<void> {
  learnt ??= learn()
  const target = targetOfSeries(series)
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined }
  const registry = new Registry({ artifacts, clock, log, code: '0.0.0-test' })
  const entries: ModelEntry[] = []
  for (const [name, version] of Object.entries(versions)) {
    const [status, reason] = statuses[name as keyof typeof versions]
    const trainedAt = timeOf(version)
    const verdict: Verdict = {
      status: status === 'rejected' ? status : 'live',
      reason,
      comparisons: learnt.card.verdict.comparisons,
    }
    const model = { ...learnt.card.model, version }
    const card: Card = { ...learnt.card, target, model, trainedAt, verdict }
    await registry.put({ card, body: learnt.body }, 1)
    if (status !== 'rejected') await registry.point(target, version)
    entries.push({ card, status, reason, since: trainedAt + 1000 })
  }
  const events = entries.map(({ card, status, reason, since }) => {
    return { target, version: card.model.version, at: since, status, reason, by: 'gate' }
  })
  await ledger.models.put(entries, events)
}

/** Two days of the live version's forecasts, and one of the naive one's, scored: it is 0.1 kWh too high, the naive one 0.2. */
export async function putReport(
  series: { readonly site: string; readonly device: string },
  ledger: Ledger,
  now: number,
): Promise<void> {
  const key = { target: targetOfSeries(series), metric: 'energy' }
  const zone = 'Europe/Berlin'
  const day = dayStart(zone, now)
  const lead: LeadSums = {
    ...{ count: 24, error: 2.4, losses: { absolute: 2.4, squared: 0.24 } },
    ...{ baselineCount: 24, baseline: { absolute: 4.8, squared: 0.96 } },
    ...{ withInterval: 24, inside: 22 },
  }
  const residualBins = [2, 3, 2, 3, 2, 2, 3, 2, 3, 2]
  const of = (version: string, back: number) => {
    const leads = [lead, lead]
    return { ...key, version, day: addDays(zone, day, -back), leads, knownMs: 24 * hourMs, residualBins }
  }
  const days = [of(versions.live, 2), of(versions.live, 1), of(naiveVersion, 1)]
  await ledger.watch.score(days, [{ ...key, to: now - dayMs }])
}

const timeOf = (version: string): number =>
  Date.parse(version.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'))
