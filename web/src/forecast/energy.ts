import type { Rollup } from '../api/types.ts'
import type { Point } from '../history/points.ts'

/** Quarter-hours of an hour. */
const quarters = 4

/** Energy of each hour, kWh, from its derived quarter-hours; an hour with an unknown quarter is left out. */
export const hourlyEnergy = (hours: readonly Rollup[]): Point[] =>
  hours.filter(({ count }) => count === quarters).map(({ at, mean }) => ({ at, value: mean * quarters }))

/** Measured values and forecast steps on one time axis; null where one of them is silent. */
export function joinTimes(
  measured: readonly Point[],
  steps: readonly { readonly at: number }[],
): { at: number[]; measured: (number | null)[] } {
  const byTime = new Map(measured.map(({ at, value }) => [at, value]))
  const at = [...new Set([...byTime.keys(), ...steps.map((step) => step.at)])].sort((a, b) => a - b)
  return { at, measured: at.map((moment) => byTime.get(moment) ?? null) }
}
