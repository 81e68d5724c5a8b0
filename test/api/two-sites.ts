import { startTestHub, type TestHub, type TestHubOptions } from '../hub.ts'
import { VirtualClock } from '../virtual-clock.ts'

/** A hub with two sites that must not know of each other: everything of beta but its name bears the mark. */
export interface TwoSites extends TestHub {
  readonly clock: VirtualClock
}

export const mark = '7f3a'
export const noon = Date.parse('2026-03-02T12:00:00Z')
const hourMs = 3_600_000

/**
 * Each site has a meter with ten days of history and its forecast, a prediction made while the hour ran, an alert,
 * a room, and a row in quarantine.
 */
export async function startTwoSites(options: Omit<TestHubOptions, 'clock'> = {}): Promise<TwoSites> {
  const clock = new VirtualClock(noon)
  const rules = [{ name: 'stuffy', metric: 'co2', above: 1400, level: 'warning', forSeconds: 0 }] as const
  const training = { enabled: true, retrainMs: 24 * hourMs }
  const hub = await startTestHub({ clock, ...options, engine: { rules, training, ...options.engine } })
  for (const [site, name] of [
    ['alpha', 'alpha'],
    ['beta', `beta-${mark}`],
  ] as const) {
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
  // the trainer looks twice: an hour that stands still for one check is learnt from
  await clock.advance(6000)
  for (const [site, device] of [
    ['alpha', 'alpha-meter'],
    ['beta', `beta-${mark}-meter`],
  ] as const) {
    await hub.push([{ site, device, metric: 'energy_total', unit: 'kWh', at: clock.now(), value: 120.1 }])
  }
  return { ...hub, clock }
}
