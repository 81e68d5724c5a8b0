/** A way to forecast; several of them are blended. */
import type { Prepared } from './series.ts'

export interface Task {
  readonly all: readonly Prepared[]
  /** Origins by series: a forecast covers the steps [origin, origin + horizon) and rests on the steps before origin. */
  readonly origins: readonly (readonly number[])[]
  readonly horizon: number
}

/** One value a lead time for every origin of every series, NaN where it has nothing to say. */
export type Forecasts = readonly (readonly Float64Array[])[]

export interface Member {
  readonly name: string
  /**
   * Learns from what lies at least `cut` steps before the end of each series. Undefined where that is too little.
   * What it gives may be used on the same series with more steps.
   */
  fit(all: readonly Prepared[], cut: number, horizon: number): ((task: Task) => Forecasts) | undefined
}

/** A member that looks at one series at a time, and learns nothing beforehand. */
export function localMember(
  name: string,
  forecastOrigins: (
    prepared: Prepared,
    origins: readonly number[],
    horizon: number,
  ) => readonly Float64Array[],
): Member {
  return {
    name,
    fit:
      () =>
      ({ all, origins, horizon }) =>
        all.map((prepared, at) => forecastOrigins(prepared, origins[at]!, horizon)),
  }
}
