import { expect, vi } from 'vitest'
import { targetOfSeries } from '../../src/core/old-card.ts'
import type { ArtifactStore } from '../../src/core/ports.ts'
import { hourMs } from '../../src/core/time.ts'
import { createMemoryArtifacts } from '../../src/stores/artifacts/memory.ts'
import { createMemoryLedger } from '../../src/stores/ledger/memory.ts'
import { startTestHub, type TestHub, type TestHubOptions } from '../hub.ts'
import { VirtualClock } from '../virtual-clock.ts'
import { putModels, putReport } from './learnt.ts'

/** A hub with two sites that must not know of each other: everything of beta but its name bears the mark. */
export interface TwoSites extends TestHub {
  readonly clock: VirtualClock
  readonly artifacts: ArtifactStore
}

export const mark = '7f3a'
export const noon = Date.parse('2026-03-02T12:00:00Z')

/** Models are read and checked in turns of their own, which the clock does not know of. */
const waiting = { timeout: 10_000, interval: 2 }

const names = [
  ['alpha', 'alpha'],
  ['beta', `beta-${mark}`],
] as const

/**
 * Each site has a meter with ten days of history, three versions of its model and the report of one, a forecast, a
 * prediction made while the hour ran, an alert, a room, a training that ended, a forgotten span, news, and a row in
 * quarantine. Trainings that are asked for wait: there is no worker.
 */
export async function startTwoSites(options: Omit<TestHubOptions, 'clock'> = {}): Promise<TwoSites> {
  const clock = new VirtualClock(noon)
  const { artifacts = createMemoryArtifacts(), ledger = createMemoryLedger() } = options
  const rules = [{ name: 'stuffy', metric: 'co2', above: 1400, level: 'warning', forSeconds: 0 }] as const
  for (const [site, name] of names) {
    const series = { site, device: `${name}-meter`, metric: 'energy' }
    await putModels(series, { artifacts, ledger, clock })
    await putReport(series, ledger, noon)
    const forgotten = {
      series: { ...series, metric: 'energy_total' },
      from: noon - 48 * hourMs,
      to: noon - 47 * hourMs,
    }
    await ledger.notes.putForgotten([
      { ...forgotten, id: `span-${name}`, reason: `${name} was away`, by: 'test', at: noon - hourMs },
    ])
    await ledger.notes.putInfos([
      {
        id: `info-${name}`,
        at: noon - hourMs,
        site,
        summary: `${name} was rolled back`,
        detail: '',
        level: 1,
      },
    ])
    const times = { createdAt: noon - 3 * hourMs, startedAt: noon - 3 * hourMs, endedAt: noon - 2 * hourMs }
    await ledger.jobs.put([
      {
        id: `job-${name}`,
        kind: 'train',
        target: targetOfSeries(series),
        status: 'done',
        progress: 1,
        detail: name,
        by: 'schedule',
        force: false,
        ...times,
      },
    ])
  }
  const hub = await startTestHub({
    ...{ ...options, clock, artifacts, ledger },
    domainSettings: { thresholds: { rules }, ...options.domainSettings },
    engine: { ...options.engine },
    training: { enabled: true, workers: 0, ...options.training },
  })
  for (const [site, name] of names) {
    const meter = { site, device: `${name}-meter`, metric: 'energy_total', unit: 'kWh' }
    const air = { site, device: `${name}-air`, metric: 'co2', room: `${name}-room` }
    await hub.push([
      ...Array.from({ length: 241 }, (_, hour) => ({
        ...meter,
        at: noon - (240 - hour) * hourMs,
        value: hour * 0.5,
      })),
      { ...air, at: noon - 2000, value: 900 },
      { ...air, at: noon - 1000, value: 1500 },
      { site, device: `${name}-air`, metric: 'co2', value: `${name} is broken` },
    ])
  }
  // the trainer looks twice: an hour that stands still for one check is forecast
  await clock.advance(6000)
  await vi.waitFor(async () => expect(await hub.engine.forecasts()).toHaveLength(names.length), waiting)
  for (const [site, name] of names)
    await hub.push([
      { site, device: `${name}-meter`, metric: 'energy_total', unit: 'kWh', at: clock.now(), value: 120.1 },
    ])
  return { ...hub, clock, artifacts }
}
