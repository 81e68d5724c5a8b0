import type { createFaults, SeriesFaults } from './faults.ts'
import type { SimulatedReading } from './reading.ts'
import { type Channel, seriesName } from './sensors.ts'
import type { Scene } from './world.ts'

export interface SamplerOptions {
  readonly site: string
  /** See `HomeOptions`. */
  readonly slowStepMs?: number | undefined
  readonly stands?: ReadonlyMap<string, number> | undefined
}

/** Reads the sampled sensors of a home. */
export interface Sampler {
  /** Where things stand before the first reading. */
  begin(scene: Scene): void
  /** Adds a reading of every series that is due at the end of the scene's tick. */
  sample(scene: Scene, readings: SimulatedReading[]): void
  /** Truth of the counters at the newest sample, by `seriesName`; empty before the first. */
  counters(): Map<string, number>
}

interface Sampled {
  readonly channel: Channel
  readonly faults: SeriesFaults
  readonly scale: number
  readonly isSlow: boolean
  readAt: number
}

interface Counted {
  /** By how much more than the world has counted the counter stands, kWh. */
  readonly ahead: number
  truth: number
}

export function createSampler(
  channels: readonly Channel[],
  { series }: ReturnType<typeof createFaults>,
  { site, slowStepMs = 0, stands }: SamplerOptions,
): Sampler {
  const sampled = channels.map(
    (channel): Sampled => ({
      channel,
      faults: series(channel.device, channel.metric, channel.kind),
      scale: 10 ** channel.digits,
      isSlow: slowStepMs > 0 && channel.unit !== 'W' && channel.unit !== 'kWh',
      readAt: Number.NaN,
    }),
  )
  const counted = new Map<string, Counted>()
  let sampledAt = Number.NaN

  /** A counter shows more than was counted: it is as old as the home, and older than what is known of it. */
  const count = (channel: Channel, read: number): number => {
    const name = seriesName(channel)
    const counter = counted.get(name) ?? { ahead: (stands?.get(name) ?? read) - read, truth: read }
    counted.set(name, counter)
    counter.truth = read + counter.ahead
    return counter.truth
  }

  return {
    begin(scene) {
      for (const one of sampled) {
        one.channel.read(scene, scene.now.seconds)
        one.readAt = scene.now.at
      }
    },
    sample(scene, readings) {
      const { at } = scene.now
      const isSlowDue = Math.floor(at / slowStepMs) !== Math.floor(sampledAt / slowStepMs)
      sampledAt = at
      for (const one of sampled) {
        if (one.isSlow && !isSlowDue) continue
        const { channel, faults, scale } = one
        const read = channel.read(scene, (at - one.readAt) / 1000)
        one.readAt = at
        const truth = channel.kind === 'counter' ? count(channel, read) : read
        const value = faults.sees(at, Math.round(truth * scale) / scale)
        if (value === undefined) continue
        const { device, metric, unit, room } = channel
        readings.push({ source: 'simulator', site, device, metric, value, unit, at, room })
      }
    },
    counters: () => new Map([...counted].map(([name, { truth }]) => [name, truth])),
  }
}
