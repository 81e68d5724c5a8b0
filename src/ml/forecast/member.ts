/** A way to forecast; several of them are blended. */
import type { Frame } from '../frame.ts'
import { featureFrame } from './features.ts'
import type { Prepared } from './series.ts'

export interface Task {
  readonly all: readonly Prepared[]
  /** Slots by series: a forecast covers [origin, origin + horizon) and rests on the slots before origin. Rising. */
  readonly origins: readonly (readonly number[])[]
  /** Slots to forecast. */
  readonly horizon: number
  /** The features of all, made once for all members. */
  readonly frame: () => Frame
}

export function taskOf(
  all: readonly Prepared[],
  origins: readonly (readonly number[])[],
  horizon: number,
): Task {
  let made: Frame | undefined
  const frame = (): Frame => {
    made ??= featureFrame(all, origins, horizon)
    return made
  }
  return { all, origins, horizon, frame }
}

/** One value a lead time for every origin of every series, NaN where a member has no forecast. */
export type Forecasts = readonly (readonly Float64Array[])[]

/** A member that has learnt. */
export interface Fitted {
  /** May be asked about the series that it learnt from with more steps. */
  forecast(task: Task): Forecasts
  /** For members that need nothing but features: one value a row, in the unit of the series; NaN where unknown. */
  readonly fromFeatures?: (frame: Frame) => Float64Array
  /** Learnt state, plain JSON; null of those that learn nothing. */
  toJSON(): unknown
}

export interface Member {
  readonly name: string
  /** Its weight, relative to the others', before anything has shown what it is worth; default 1. */
  readonly hope?: number
  /** Learns from all of each series. Undefined where that is too little. */
  fit(all: readonly Prepared[], horizon: number): Fitted | undefined
  /** From what `toJSON` gave. Throws `data_invalid` for anything else. */
  load(state: unknown): Fitted
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
  const fitted: Fitted = {
    forecast: ({ all, origins, horizon }) =>
      all.map((prepared, at) => forecastOrigins(prepared, origins[at]!, horizon)),
    toJSON: () => null,
  }
  return { name, fit: () => fitted, load: () => fitted }
}

/** Forecasts of a member that needs features only; `relative` gives one value a row, in scales from the base. */
export function fittedOn(relative: (frame: Frame) => Float64Array, state: () => unknown): Fitted {
  const fromFeatures = (frame: Frame): Float64Array => {
    const [base, scale] = [columnOf(frame, 'base')!, columnOf(frame, 'scale')!]
    return relative(frame).map((value, row) => base[row]! + scale[row]! * value)
  }
  return {
    fromFeatures,
    forecast: ({ origins, horizon, frame }) => {
      const predicted = fromFeatures(frame())
      let place = 0
      return origins.map((list) =>
        list.map(() => {
          const from = place++ * horizon
          return predicted.slice(from, from + horizon)
        }),
      )
    },
    toJSON: state,
  }
}

/** A member that reads its answer off a feature. */
export function featureMember(name: string, feature: string): Member {
  const fitted = fittedOn(
    (frame) => columnOf(frame, feature) ?? new Float64Array(frame.rows).fill(Number.NaN),
    () => null,
  )
  return { name, fit: () => fitted, load: () => fitted }
}

export const columnOf = (frame: Frame, name: string): Float64Array | undefined =>
  frame.columns[frame.names.indexOf(name)]
