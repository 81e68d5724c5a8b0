/** A way to forecast; several of them are blended. */
import type { Prepared } from './series.ts'

export interface Task {
  readonly all: readonly Prepared[]
  /** Origins by series: a forecast covers the steps [origin, origin + horizon) and rests on the steps before origin. */
  readonly origins: readonly (readonly number[])[]
  readonly horizon: number
}

export interface Member {
  readonly name: string
  /**
   * One value a lead time for every origin of every series, NaN where it has nothing to say; undefined where it cannot
   * forecast these series at all.
   */
  forecast(task: Task): Float64Array[][] | undefined
}

/** A member that looks at one series at a time. */
export function localMember(
  name: string,
  forecastOne: (prepared: Prepared, origin: number, horizon: number) => Float64Array,
): Member {
  return {
    name,
    forecast: ({ all, origins, horizon }) =>
      all.map((prepared, at) => origins[at]!.map((origin) => forecastOne(prepared, origin, horizon))),
  }
}
