/**
 * The three naive forecasts that every learnt one must beat, for a series of regular steps:
 * same time yesterday, same time last week, mean of the slot over the last 28 days.
 *
 * History is an array of one value a step, NaN where none is known, the newest last. Steps are of UTC; with `times` the
 * "same time" is that of the wall clock in their zone, also across changes of clocks. Each forecast step names its
 * basis, so that a fall-back is never sold as the real thing.
 */
import { HomeostatError } from '../core/errors.ts'
import { bySlot, civilSteps, originSlot, type StepTimes, slotsAhead } from './civil.ts'

export const naiveKinds = ['yesterday', 'last-week', 'slot-mean'] as const
export type NaiveKind = (typeof naiveKinds)[number]

/**
 * What a step rests on: `itself` what its kind promises; `same-slot` the same time on another day; `last-value` the
 * newest known value at any time; `nothing` where the history holds no value (the step is then NaN).
 */
export type NaiveBasis = 'itself' | 'same-slot' | 'last-value' | 'nothing'

export interface NaiveForecast {
  readonly kind: NaiveKind
  /** One value a step. */
  readonly mean: Float64Array
  /** One basis a step. */
  readonly basis: readonly NaiveBasis[]
}

/** Days that the slot mean looks back, and how far any of the three searches for the same slot. */
const daysBack = 28

/**
 * Forecasts the `horizon` steps after `history`. A horizon beyond a day (a week) repeats the last known day (week).
 * Where the promised value is missing, yesterday takes the newest day that has the slot, last week the newest earlier
 * week and then the newest day; the slot mean needs one day. After 28 days without the slot: the newest value at all.
 * Throws `data_invalid` for a horizon or a day that is not a whole number of steps >= 1.
 */
export function naiveForecast(
  kind: NaiveKind,
  history: ArrayLike<number>,
  horizon: number,
  stepsPerDay: number,
  times?: StepTimes,
): NaiveForecast {
  checkSteps('the horizon', horizon)
  checkSteps('a day', stepsPerDay)
  if (times?.zone === undefined) return inSlots(kind, history, horizon, stepsPerDay)
  const origin = history.length
  const { slots } = civilSteps(times, origin + horizon)
  const first = originSlot(slots, origin, horizon)
  const known = bySlot(slots, Float64Array.from(history)).subarray(0, first)
  const predicted = inSlots(kind, known, slotsAhead(slots, origin, horizon), stepsPerDay)
  const lead = (step: number): number => slots[origin + step]! - first
  return {
    kind,
    mean: Float64Array.from({ length: horizon }, (_, step) => predicted.mean[lead(step)]!),
    basis: Array.from({ length: horizon }, (_, step) => predicted.basis[lead(step)]!),
  }
}

/** The same in slots, as many in every day. */
function inSlots(
  kind: NaiveKind,
  history: ArrayLike<number>,
  horizon: number,
  stepsPerDay: number,
): NaiveForecast {
  const mean = new Float64Array(horizon)
  const basis: NaiveBasis[] = []
  const last = lastKnown(history)
  for (let step = 0; step < horizon; step++) {
    // the newest place in the history with this time of day; it may lie before its start
    const slot = history.length - stepsPerDay + (step % stepsPerDay)
    const back = (day: number): number => known(history, slot - day * stepsPerDay)
    const dayAhead = Math.floor(step / stepsPerDay)
    const [value, from] = kind === 'slot-mean' ? slotMean(back) : newest(back, searchOrder(kind, dayAhead))
    const fallBack = from === 'nothing' && !Number.isNaN(last)
    mean[step] = fallBack ? last : value
    basis.push(fallBack ? 'last-value' : from)
  }
  return { kind, mean, basis }
}

/** All three at once. */
export function naiveForecasts(
  history: ArrayLike<number>,
  horizon: number,
  stepsPerDay: number,
  times?: StepTimes,
): Readonly<Record<NaiveKind, NaiveForecast>> {
  const make = (kind: NaiveKind): NaiveForecast => naiveForecast(kind, history, horizon, stepsPerDay, times)
  return { yesterday: make('yesterday'), 'last-week': make('last-week'), 'slot-mean': make('slot-mean') }
}

const everyDay = Array.from({ length: daysBack }, (_, day) => day)

/** Days back from the newest one, in the order in which to look; the first is what the kind promises. */
function searchOrder(kind: 'yesterday' | 'last-week', dayAhead: number): readonly number[] {
  if (kind === 'yesterday') return everyDay
  const week = 6 - (dayAhead % 7)
  return [week, week + 7, week + 14, week + 21, ...everyDay]
}

function newest(back: (day: number) => number, order: readonly number[]): [number, NaiveBasis] {
  for (const day of order) {
    const value = back(day)
    if (!Number.isNaN(value)) return [value, day === order[0] ? 'itself' : 'same-slot']
  }
  return [Number.NaN, 'nothing']
}

function slotMean(back: (day: number) => number): [number, NaiveBasis] {
  let sum = 0
  let days = 0
  for (const day of everyDay) {
    const value = back(day)
    if (Number.isNaN(value)) continue
    sum += value
    days++
  }
  return days === 0 ? [Number.NaN, 'nothing'] : [sum / days, 'itself']
}

const known = (history: ArrayLike<number>, at: number): number => (at < 0 ? Number.NaN : history[at]!)

function lastKnown(history: ArrayLike<number>): number {
  for (let at = history.length - 1; at >= 0; at--) if (!Number.isNaN(history[at]!)) return history[at]!
  return Number.NaN
}

function checkSteps(what: string, steps: number): void {
  if (!Number.isInteger(steps) || steps < 1)
    throw new HomeostatError('data_invalid', {
      detail: `${what} must be a whole number of steps from 1 on, not ${steps}`,
    })
}
