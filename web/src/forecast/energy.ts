import type { Rollup } from '../api/types.ts'
import type { Point } from '../history/points.ts'

const hourMs = 3_600_000

/** Metrics that hourly energy can be read off, in the order in which they are trusted. */
export const energySources = ['energy', 'energy_total', 'power'] as const
export type EnergySource = (typeof energySources)[number]

/**
 * Energy of each hour, kWh: the sum of interval readings, the step of a counter, or mean power (W) over the hour.
 * A counter that fell was reset: that hour says nothing and is left out.
 */
export function hourlyEnergy(source: EnergySource, hours: readonly Rollup[]): Point[] {
  if (source === 'power') return hours.map(({ at, mean }) => ({ at, value: mean / 1000 }))
  if (source === 'energy') return hours.map(({ at, mean, count }) => ({ at, value: mean * count }))
  const points: Point[] = []
  for (const [index, hour] of hours.entries()) {
    const before = hours[index - 1]
    if (!before || hour.at - before.at !== hourMs || hour.last < before.last) continue
    points.push({ at: hour.at, value: hour.last - before.last })
  }
  return points
}

/** Measured values and forecast steps on one time axis; null where one of them is silent. */
export function joinTimes(
  measured: readonly Point[],
  steps: readonly { readonly at: number }[],
): { at: number[]; measured: (number | null)[] } {
  const byTime = new Map(measured.map(({ at, value }) => [at, value]))
  const at = [...new Set([...byTime.keys(), ...steps.map((step) => step.at)])].sort((a, b) => a - b)
  return { at, measured: at.map((moment) => byTime.get(moment) ?? null) }
}
