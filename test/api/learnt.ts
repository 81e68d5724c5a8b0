import { addDays, dayStart } from '../../src/core/calendar.ts'
import type { Card, SeriesKey, Verdict } from '../../src/core/event.ts'
import {
  type LeadSums,
  type ModelEntry,
  naiveVersion,
  type Standing,
  type StoredModel,
} from '../../src/core/life.ts'
import type { ArtifactStore, Clock, Ledger } from '../../src/core/ports.ts'
import { dayMs, hourMs } from '../../src/core/time.ts'
import { learnEnergy } from '../../src/domains/energy/learn.ts'
import { Registry } from '../../src/engine/registry/registry.ts'

/** Models that a hub finds when it starts: learnt once a test file, kept as the registry and the ledger keep them. */

/** From the oldest on: what was live before, what is live, what did not pass the gate. */
export const versions = {
  before: '20260226T010000Z',
  live: '20260227T010000Z',
  rejected: '20260228T010000Z',
} as const

const standings = {
  before: ['retired', `Replaced by ${versions.live}.`],
  live: ['live', 'It is 30 % better than slot-mean.'],
  rejected: ['rejected', 'It is no better than the live model.'],
} as const satisfies Record<keyof typeof versions, readonly [Standing, string]>

let learnt: StoredModel | undefined

/** A household of five weeks: a rhythm of the day, a weekend, and an error that no model can know. */
function learn(): StoredModel {
  const values = Float64Array.from({ length: 35 * 24 }, (_, hour) => {
    const weekend = Math.floor(hour / 24) % 7 >= 5 ? 0.3 : 0
    return 0.5 + 0.4 * Math.sin((hour % 24) * (Math.PI / 12)) + weekend + 0.05 * Math.sin(hour * 12.9898)
  })
  const now = Date.parse('2026-02-26T01:00:00Z')
  return learnEnergy({
    ...{
      mode: 'learn',
      target: { site: '', device: '', metric: 'energy' },
      unit: 'kWh',
      zone: 'Europe/Berlin',
    },
    ...{ now, start: now - values.length * hourMs, stepMs: hourMs, values, repairs: { gaps: 2 } },
  })
}

/** Three versions of one series, with the history of how they came to stand where they stand. */
export async function putModels(
  series: SeriesKey,
  { artifacts, ledger, clock }: { artifacts: ArtifactStore; ledger: Ledger; clock: Clock },
): Promise<void> {
  learnt ??= learn()
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined }
  const registry = new Registry({ artifacts, clock, log, code: '0.0.0-test' })
  const entries: ModelEntry[] = []
  for (const [name, version] of Object.entries(versions)) {
    const [standing, reason] = standings[name as keyof typeof versions]
    const trainedAt = timeOf(version)
    const verdict: Verdict = {
      standing: standing === 'rejected' ? standing : 'live',
      reason,
      duels: learnt.card.verdict.duels,
    }
    const model = { ...learnt.card.model, version }
    const card: Card = { ...learnt.card, series, model, trainedAt, verdict }
    await registry.put({ card, body: learnt.body }, 1)
    if (standing !== 'rejected') await registry.point(series, version)
    entries.push({ card, standing, reason, since: trainedAt + 1000 })
  }
  const events = entries.map(({ card, standing, reason, since }) => {
    return { series, version: card.model.version, at: since, standing, reason, by: 'gate' }
  })
  await ledger.models.put(entries, events)
}

/** Two days of the live version's forecasts, and one of the naive one's, scored: it says 0.1 kWh too much, the naive one 0.2. */
export async function putReport(series: SeriesKey, ledger: Ledger, now: number): Promise<void> {
  const zone = 'Europe/Berlin'
  const day = dayStart(zone, now)
  const lead: LeadSums = {
    ...{ count: 24, error: 2.4, absolute: 2.4, squared: 0.24, naiveAbsolute: 4.8, naiveSquared: 0.96 },
    ...{ withInterval: 24, inside: 22 },
  }
  const residualBins = [2, 3, 2, 3, 2, 2, 3, 2, 3, 2]
  const of = (version: string, back: number) => {
    return { series, version, day: addDays(zone, day, -back), leads: [lead, lead], truths: 24, residualBins }
  }
  const days = [of(versions.live, 2), of(versions.live, 1), of(naiveVersion, 1)]
  await ledger.watch.score(days, [{ series, to: now - dayMs }])
}

const timeOf = (version: string): number =>
  Date.parse(version.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'))
