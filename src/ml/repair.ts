/**
 * The data firewall: what a learner should not believe of a series of regular steps (NaN unknown), found and taken out
 * or scaled back before it learns. The readings stay as they are; the overlay is made anew each time.
 *
 * It is conservative, since the odd is often true. People buy heat pumps: a level that changes for long is never
 * touched unless it changed as units do. Devices are off, on standby, or draw their rated power for hours: values that
 * stand still are suspect only where this series never does so. A spike is far above everything else, not just high.
 * Series of less than a week are left alone.
 *
 * It sees the whole series that it is given: whoever judges forecasts of the past gives it what was known at each origin
 * only (see `firewallOf`), so that nothing is learnt or judged with hindsight.
 */

import { HomeostatError } from '../core/errors.ts'
import { dayMs, hourMs } from '../core/time.ts'

/**
 * `spike`, `stuck`: set to missing. `unit_jump`: divided by `factor`. `gap`: one or two steps that are missing, counted
 * and left so.
 */
export type RepairKind = 'spike' | 'stuck' | 'unit_jump' | 'gap'

/** Steps [from, to). */
export interface Repair {
  readonly from: number
  readonly to: number
  readonly kind: RepairKind
  readonly factor?: number
}

export interface Repaired {
  /** A copy; the input is never written to. */
  readonly values: Float64Array
  readonly repairs: readonly Repair[]
  /** Steps by kind. */
  readonly counts: Readonly<Record<RepairKind, number>>
  /** Steps that looked wrong and were left alone, because they were too many to be faults. */
  readonly leftAlone: number
}

/** Most that is set to missing, as a share of the known steps; a series with more suspects is left alone. */
export const removedShareMax = 0.1
/** Most that is scaled back: the unit that most of the series is in is the right one. */
export const scaledShareMax = 0.5

/** Factors by which units are mistaken: W and kW, minutes and hours, seconds and hours. */
const unitFactors = [1000, 60, 3600].flatMap((factor) => [factor, 1 / factor])

/**
 * For forecasts of the past: what was believed at an origin, and which of the steps that followed count as measured.
 * Those are never changed. A step is left out (NaN) where it is `spikeTimes` the largest of what was believed a day
 * before the origin (`spikeTimesRare` where the device is mostly off): nobody can be asked to foresee a broken meter. A
 * day, since a mistaken unit is not recognised sooner. The rule knows nothing of what came later, so the first two days
 * of a much larger device are left out as well; then it counts.
 */
export function firewallOf(stepMs: number): {
  repair(known: Float64Array): Float64Array
  judged(repaired: Float64Array, actual: Float64Array): Float64Array
} {
  const perDay = dayMs / stepMs
  return {
    repair: (known) => repairSteps(known, stepMs).values,
    judged: (repaired, actual) => {
      const before = repaired.subarray(0, Math.max(0, repaired.length - perDay))
      const known = before.filter((value) => !Number.isNaN(value)).length
      const limit = known < 7 * perDay ? 0 : spikeLimit(before)
      return actual.map((value) => (limit > 0 && Math.abs(value) > limit ? Number.NaN : value))
    },
  }
}

/** Throws `data_invalid` where a day is not a whole number of steps. */
export function repairSteps(values: Float64Array, stepMs: number): Repaired {
  const perDay = dayMs / stepMs
  if (!(Number.isInteger(perDay) && perDay >= 1))
    throw new HomeostatError('data_invalid', {
      detail: `a day is not a whole number of steps of ${stepMs} ms`,
    })
  const repaired = values.slice()
  const gaps = shortGaps(values)
  const known = values.reduce((count, value) => count + (Number.isNaN(value) ? 0 : 1), 0)
  if (known < 7 * perDay) return result(repaired, gaps, 0)
  const jumps = unitJumps(values, perDay)
  if (stepsOf(jumps) > scaledShareMax * known) return result(repaired, gaps, stepsOf(jumps))
  for (const { from, to, factor = 1 } of jumps)
    for (let step = from; step < to; step++) repaired[step] = repaired[step]! / factor
  const stuck = stuckRuns(repaired, Math.max(3, Math.ceil((6 * hourMs) / stepMs)))
  const spikes = spikesOf(repaired, perDay)
  const removed = [...stuck, ...spikes]
  if (stepsOf(removed) > removedShareMax * known) return result(values.slice(), gaps, stepsOf(removed))
  for (const { from, to } of removed) repaired.fill(Number.NaN, from, to)
  return result(repaired, [...gaps, ...jumps, ...removed], 0)
}

function result(values: Float64Array, found: readonly Repair[], leftAlone: number): Repaired {
  const repairs = found.toSorted((a, b) => a.from - b.from)
  const count = (kind: RepairKind): number => stepsOf(repairs.filter((repair) => repair.kind === kind))
  const counts = {
    spike: count('spike'),
    stuck: count('stuck'),
    unit_jump: count('unit_jump'),
    gap: count('gap'),
  }
  return { values, repairs, counts, leftAlone }
}

const stepsOf = (repairs: readonly Repair[]): number =>
  repairs.reduce((sum, { from, to }) => sum + to - from, 0)

/** Stretches [from, to) of steps for which `isIn` holds. */
function stretches(length: number, isIn: (step: number) => boolean): { from: number; to: number }[] {
  const found: { from: number; to: number }[] = []
  for (let from = 0; from < length; from++) {
    if (!isIn(from)) continue
    let to = from + 1
    while (to < length && isIn(to)) to++
    found.push({ from, to })
    from = to
  }
  return found
}

const shortGaps = (values: Float64Array): Repair[] =>
  stretches(values.length, (step) => Number.isNaN(values[step]!))
    .filter(({ from, to }) => to - from <= 2 && from > 0 && to < values.length)
    .map((stretch) => ({ ...stretch, kind: 'gap' }))

/** A value that repeats itself to 9 digits; sums of the same readings differ in the last ones. */
const isSame = (a: number, b: number): boolean => Math.abs(a - b) <= 1e-9 * Math.abs(a)

/**
 * The same value, not 0, again and again: for at least `stepsMin`, for longer than repeats of this series explain
 * (with the chance of a repeat outside of such runs, less than one in a hundred series would show it), and a value that
 * does not stand still anywhere else, as standby and rated power do. Nothing where more than half would be stuck.
 */
function stuckRuns(values: Float64Array, stepsMin: number): Repair[] {
  const repeats = (step: number): boolean =>
    step > 0 && values[step] !== 0 && isSame(values[step]!, values[step - 1]!)
  const runs = stretches(values.length, repeats).map(({ from, to }) => ({ from: from - 1, to }))
  const long = runs.filter(({ from, to }) => to - from >= stepsMin)
  if (long.length === 0) return []
  const known = values.filter((value) => !Number.isNaN(value) && value !== 0).length
  const inLong = stepsOf(long.map((run) => ({ ...run, kind: 'stuck' })))
  const repeatsElsewhere = runs.reduce(
    (sum, { from, to }) => sum + (to - from < stepsMin ? to - from - 1 : 0),
    0,
  )
  // half a repeat more than was seen: none seen is not never
  const chance = (repeatsElsewhere + 0.5) / Math.max(1, known - inLong)
  if (inLong > known / 2 || chance >= 1) return []
  const rare = long.filter(({ from, to }) => known * chance ** (to - from - 1) < 0.01)
  if (rare.length === 0) return []
  const levels = Float64Array.from(runs, ({ from }) => values[from]!).sort()
  const isAlone = (value: number): boolean => {
    const at = levels.indexOf(value)
    const isLike = (other: number | undefined): boolean => other !== undefined && isSame(value, other)
    return !isLike(levels[at - 1]) && !isLike(levels[at + 1])
  }
  return rare.filter(({ from }) => isAlone(values[from]!)).map((run) => ({ ...run, kind: 'stuck' }))
}

/** A spike is this many times what the largest of the rest come to ... */
const spikeTimes = 5
/** ... and where the device is mostly off, so that little is known of what it may draw, this many times. */
const spikeTimesRare = 20
/** Robust standard deviations (1.4826 x median absolute deviation) above the median of its time of day. */
const spikeDeviations = 8
/** Steps that a spike lasts at most: what goes on for longer is a device at work. */
const spikeStepsMax = 2

/** One or two steps far above everything else, above the usual of their time of day, and above their neighbours. */
function spikesOf(values: Float64Array, perDay: number): Repair[] {
  const limit = spikeLimit(values)
  if (!(limit > 0)) return []
  return stretches(values.length, (step) => Math.abs(values[step]!) > limit)
    .filter(({ from, to }) => {
      if (to - from > spikeStepsMax) return false
      const least = Math.min(...values.subarray(from, to).map(Math.abs))
      const isAbove = (step: number): boolean => !(Math.abs(values[step]!) * spikeTimes > least)
      return isAbove(from - 1) && isAbove(to) && isOutside(values, from, perDay)
    })
    .map((stretch) => ({ ...stretch, kind: 'spike' }))
}

/** Size above which a value is far above everything else; not above 0 where nothing is known of it. */
function spikeLimit(values: Float64Array): number {
  const sizes = values.map(Math.abs).filter((size) => !Number.isNaN(size))
  sizes.sort()
  // the largest half percent may be spikes themselves
  const rest = sizes[sizes.length - Math.max(3, Math.ceil(sizes.length * 0.005))]!
  const isRare = sizes[sizes.length >> 1]! < 0.05 * rest
  return rest * (isRare ? spikeTimesRare : spikeTimes)
}

/** Whether a step lies outside the robust range of its time of day. */
function isOutside(values: Float64Array, step: number, perDay: number): boolean {
  const slot: number[] = []
  for (let other = step % perDay; other < values.length; other += perDay)
    if (other !== step && !Number.isNaN(values[other]!)) slot.push(values[other]!)
  const middle = median(slot)
  const spread = 1.4826 * median(slot.map((value) => Math.abs(value - middle)))
  return Math.abs(values[step]! - middle) > spikeDeviations * spread
}

/** Known values that are not 0 needed on either side of a jump, and inside and around a stretch. */
const jumpSide = 6
const jumpInside = 12
const jumpAround = 48
/** How far, in ln, a level may lie from the factor: what a home does from one week to the next. */
const levelTolerance = Math.log(1.85)
/** A step within the usual spread of a home is no jump by 60 or more, ln. */
const riseMin = 2
/** How far the spreads may lie apart: another device at work has another rhythm. */
const spreadRatioMax = 2.5
/** A level without a spread is a standby; what follows it may be anything. */
const spreadMin = 0.02
/** More jumps than these are the nature of the series. */
const jumpsMax = 12

/**
 * Stretches in which the level is that of the weeks around them times a unit's factor, with the same rhythm and spread:
 * from a jump to the jump back, or to the end. Logs, so that a factor is a shift.
 */
function unitJumps(values: Float64Array, perDay: number): Repair[] {
  const logs = values.map((value) => (value === 0 ? Number.NaN : Math.log(Math.abs(value))))
  const known = values.reduce((count, value) => count + (Number.isNaN(value) ? 0 : 1), 0)
  const jumps = jumpsOf(logs, known, perDay)
  const found: Repair[] = []
  for (let k = 0; k < jumps.length; k++) {
    const { at, up } = jumps[k]!
    const back = jumps.filter((jump, later) => later > k && jump.up !== up)
    const match = firstMatch(logs, at, [...back.map((jump) => jump.at), values.length], perDay)
    if (!match || match.factor > 1 !== up) continue
    found.push({ from: at, to: match.to, kind: 'unit_jump', factor: match.factor })
    while (jumps[k + 1] && jumps[k + 1]!.at <= match.to) k++
  }
  return found
}

/** Steps where the level, seen against the usual of the time of day, rises or falls by about a unit's factor. */
function jumpsOf(
  logs: Float64Array,
  known: number,
  perDay: number,
): { readonly at: number; readonly up: boolean }[] {
  const usual = Float64Array.from({ length: perDay }, (_, slot) => {
    const known: number[] = []
    for (let step = slot; step < logs.length; step += perDay)
      if (!Number.isNaN(logs[step]!)) known.push(logs[step]!)
    return median(known)
  })
  const steps = [...logs.keys()].filter((step) => !Number.isNaN(logs[step]!))
  // what is off most of the time has no level that could jump
  if (steps.length < known / 2) return []
  const levels = Float64Array.from(steps, (step) => logs[step]! - usual[step % perDay]!)
  const jumps: { at: number; up: boolean }[] = []
  for (let place = jumpSide; place <= steps.length - jumpSide; place++) {
    const rise = levels[place]! - levels[place - 1]!
    if (Math.abs(rise) < riseMin) continue
    const before = levels.subarray(Math.max(0, place - 2 * jumpSide), place)
    const shift = median(levels.subarray(place, place + 2 * jumpSide)) - median(before)
    if (!unitFactors.some((factor) => Math.abs(shift - Math.log(factor)) < 2 * levelTolerance)) continue
    if (jumps.length === jumpsMax) return []
    jumps.push({ at: steps[place]!, up: shift > 0 })
  }
  return jumps
}

function firstMatch(
  logs: Float64Array,
  from: number,
  ends: readonly number[],
  perDay: number,
): { readonly to: number; readonly factor: number } | undefined {
  for (const to of ends) {
    const factor = factorOf(logs, from, to, perDay)
    if (factor !== undefined) return { to, factor }
  }
  return undefined
}

/** The unit's factor by which [from, to) differs from the four weeks on either side, if it does so throughout. */
function factorOf(logs: Float64Array, from: number, to: number, perDay: number): number | undefined {
  const around: number[][] = Array.from({ length: perDay }, () => [])
  const look = (start: number, end: number): void => {
    for (let step = Math.max(0, start); step < Math.min(logs.length, end); step++)
      if (!Number.isNaN(logs[step]!)) around[step % perDay]!.push(logs[step]!)
  }
  look(from - 28 * perDay, from)
  look(to, to + 28 * perDay)
  const all = around.flat()
  const usual = around.map((slot) => (slot.length > 0 ? median(slot) : median(all)))
  const outside = around.flatMap((slot, at) => slot.map((value) => value - usual[at]!))
  const inside = Array.from(
    logs.subarray(from, to),
    (value, at) => value - usual[(from + at) % perDay]!,
  ).filter((value) => !Number.isNaN(value))
  if (inside.length < jumpInside || outside.length < jumpAround) return undefined
  const factor = unitFactors.find((one) => Math.abs(median(inside) - Math.log(one)) < levelTolerance)
  const [before, now] = [spreadOf(outside), spreadOf(inside)]
  if (factor === undefined || Math.min(before, now) < spreadMin) return undefined
  if (Math.max(before / now, now / before) > spreadRatioMax) return undefined
  // the small and the large have to have moved by as much: a device on standby that went to work has not
  const isMoved = (share: number): boolean =>
    Math.abs(quantile(inside, share) - quantile(outside, share) - Math.log(factor)) < 1.5 * levelTolerance
  return isMoved(0.25) && isMoved(0.9) ? factor : undefined
}

/** Median absolute deviation. */
function spreadOf(values: readonly number[]): number {
  const middle = median(values)
  return median(values.map((value) => Math.abs(value - middle)))
}

/** The lower of the two middle ones; NaN where there is none. */
const median = (values: ArrayLike<number>): number => quantile(values, 0.5)

function quantile(values: ArrayLike<number>, share: number): number {
  if (values.length === 0) return Number.NaN
  return Float64Array.from(values).sort()[Math.floor(share * (values.length - 1))]!
}
