import type { Forecast } from '../api/types.ts'

/** One step of a forecast; null: unknown. */
export interface Step {
  readonly at: number
  readonly stepMs: number
  readonly mean: number | null
  readonly baseline: number | null
  readonly lo: number | null
  readonly hi: number | null
}

/** The steps of a forecast with its widest interval. */
export function stepsOf(forecast: Forecast): Step[] {
  const { origin, grid, mean, baseline } = forecast
  const bounds = boundsOf(forecast)
  const steps: Step[] = []
  let at = origin
  for (const { stepMs, count } of grid) {
    for (let step = 0; step < count; step++, at += stepMs) {
      const index = steps.length
      steps.push({
        ...{ at, stepMs },
        mean: mean[index] ?? null,
        baseline: baseline?.[index] ?? null,
        lo: bounds?.lo[index] ?? null,
        hi: bounds?.hi[index] ?? null,
      })
    }
  }
  return steps
}

/** The outermost pair of quantiles, and its nominal coverage. */
export function boundsOf({ quantiles }: Forecast):
  | {
      readonly level: number
      readonly lo: readonly (number | null)[]
      readonly hi: readonly (number | null)[]
    }
  | undefined {
  const [lo, hi] = [quantiles[0], quantiles.at(-1)]
  if (!lo || !hi || lo === hi) return undefined
  return { level: Math.round((hi.level - lo.level) * 1e9) / 1e9, lo: lo.values, hi: hi.values }
}

/** End of the last step. */
export const endOf = ({ origin, grid }: Forecast): number =>
  grid.reduce((at, { stepMs, count }) => at + stepMs * count, origin)

const dayMs = 86_400_000

/** Sum of the means of the first day, or of all steps if there are fewer: energy of the coming day. */
export const totalOf = (forecast: Forecast): number =>
  stepsOf(forecast)
    .filter(({ at }) => at < forecast.origin + dayMs)
    .reduce((sum, { mean }) => sum + (mean ?? 0), 0)
