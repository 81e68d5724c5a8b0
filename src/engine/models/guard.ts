/**
 * Decisions over live models, from the losses of whole civil days. Pure: the same days give the same decision, however
 * often they are evaluated.
 *
 * Two forecasters are compared by the day: hours of one day resemble each other, days much less. The difference of a
 * day is taken as a share of both losses, (a - b) / (a + b), from -1 to 1, so that one wild day counts as one day and
 * not as the whole span; the sums over all days must point the same way.
 */
import { addDays, localParts } from '../../core/calendar.ts'
import { type LeadSums, naiveVersion, type ReportDay } from '../../core/life.ts'
import { type Target, targetId } from '../../core/target.ts'
import { pairedTest, pairsMin } from '../../ml/compare.ts'
import { type Measure, measureOf, measureText } from '../../ml/measure.ts'
import { addSums } from './report.ts'

/** Which days count: whole ones, scored to their end, with the truth of at least half of their time. */
export interface DaySpan {
  /** IANA zone of the site. */
  readonly zone: string
  /** How far the target is scored, UTC ms, exclusive. */
  readonly until: number
  /** Since when the version has its status; days that began before do not count. */
  readonly since: number
  /** The measure that decides: a card's `decidedBy`. */
  readonly decidedBy: string
}

export interface GuardInput extends DaySpan {
  /** Of the version that is live; four times `guardDays` are looked at. */
  readonly days: readonly ReportDay[]
  /** How many days are looked at together, at least five; none is judged before it has so many. */
  readonly guardDays?: number
  readonly level?: number
}

export const guardDaysDefault = 7

/**
 * One-sided level of the guard. It looks every day, so chance has sixty tries in two months: at 0.1 nine of ten models
 * that equal the naive forecast would fall in that time, at 0.001 one of ten, while one whose RMSE is twice as large
 * falls after a week and one whose RMSE is half as large again after ten days. The test beside this file measures it.
 */
export const guardLevelDefault = 0.001

/** Spans in `guardDays` that the guard evaluates: a much worse model shows early, a slightly worse one takes longer. */
const guardSpans = [1, 2, 4]

/**
 * Whether the live version has to be rolled back: its loss over the newest `guardDays` is larger than that of the naive
 * forecast of the same steps and lead times, and over these days, or up to twice or four times as many, it is larger
 * beyond chance.
 */
export function guardVerdict(input: GuardInput): 'keep' | { readonly rollBack: string } {
  const measure = measureOf(input.decidedBy)
  const errors = lossDays(wholeDays(input.days, input), measure)
  const guardDays = guardDaysOf(input)
  if (!isWorse(errors.slice(-guardDays))) return 'keep'
  for (const days of guardSpans.map((times) => errors.slice(-times * guardDays))) {
    const { count, p } = pairedTest(days.map(({ own, naive }) => shareBetween(own, naive)))
    if (count < guardDays || !isWorse(days) || p >= (input.level ?? guardLevelDefault)) continue
    const larger = largerText(measure, sum(days.map(({ own }) => own)), sum(days.map(({ naive }) => naive)))
    const worse = days.filter(({ own, naive }) => own > naive).length
    return {
      rollBack:
        `Over ${spanText(days, input.zone)} its ${errorText(measure)} was ${larger} than that of the naive forecast ` +
        `of the same hours, on ${worse} of ${count} days (${pText(p)}).`,
    }
  }
  return 'keep'
}

const isWorse = (days: readonly { readonly own: number; readonly naive: number }[]): boolean =>
  sum(days.map(({ own }) => own)) > sum(days.map(({ naive }) => naive))

/**
 * The version that is live after a roll-back: the predecessor, if it predicted in shadow on each of the newest
 * `guardDays` of the live version and was better than the naive forecast there; otherwise the naive forecast.
 */
export function rollBackTarget(
  input: GuardInput & {
    readonly predecessor?: { readonly version: string; readonly days: readonly ReportDay[] }
  },
): string {
  const { predecessor } = input
  const judged = wholeDays(input.days, input).slice(-guardDaysOf(input))
  if (!predecessor || judged.length === 0) return naiveVersion
  const own = new Map(wholeDays(predecessor.days, input).map((day) => [day.day, day]))
  const same = judged.flatMap(({ day }) => own.get(day) ?? [])
  if (same.length < judged.length) return naiveVersion
  const losses = lossesOf(addSums(same.flatMap(({ leads }) => leads)), measureOf(input.decidedBy))
  return losses.own < losses.naive ? predecessor.version : naiveVersion
}

export interface ShadowInput extends DaySpan {
  /** Of the live version, all since `since`; the naive forecast has days of its own while it is live. */
  readonly live: readonly ReportDay[]
  readonly challenger: readonly ReportDay[]
  /** Days from one evaluation to the next, and before the first. */
  readonly minDays?: number
  /** Days after which it is decided. */
  readonly maxDays?: number
  /** The live version, in words. */
  readonly rival?: string
  /** Chance that a challenger that is no better is promoted, over all looks together; the same for dropping early. */
  readonly level?: number
}

/** A target with few readings decides nothing: after so many times `maxDays` on the calendar the challenger is dropped. */
const patience = 3

export const challengerDaysDefault = { min: 7, max: 28 } as const
export const shadowLevelDefault = 0.05

export type ShadowVerdict = 'wait' | { readonly promote: string } | { readonly drop: string }

/**
 * Whether a challenger takes over. It is compared with the live version on the days and lead times with equally many
 * forecasts of both, that is on the same truths. Testing every day until it passes would promote every challenger in
 * the end: so it is evaluated every `minDays` only, on the first so many days, and the level is divided over the
 * evaluations (Bonferroni), the later ones, which have more data, getting more.
 */
export function shadowVerdict(input: ShadowInput): ShadowVerdict {
  const { minDays = challengerDaysDefault.min, maxDays = challengerDaysDefault.max } = input
  const { rival = 'the live one' } = input
  const measure = measureOf(input.decidedBy)
  const paired = pairDays(input, measure)
  const looks = Math.max(1, Math.ceil(maxDays / minDays))
  const look = paired.length >= maxDays ? looks : Math.floor(paired.length / minDays)
  const isOld = addDays(input.zone, input.since, patience * maxDays) <= input.until
  if (isOld && look < looks)
    return {
      drop: `In ${patience * maxDays} days only ${paired.length} could be compared with ${rival}.`,
    }
  if (look === 0) return 'wait'
  const days = paired.slice(0, Math.min(look * minDays, maxDays))
  const level = ((input.level ?? shadowLevelDefault) * look) / ((looks * (looks + 1)) / 2)
  const shares = days.map(({ live, challenger }) => shareBetween(live, challenger))
  const live = sum(days.map((day) => day.live))
  const challenger = sum(days.map((day) => day.challenger))
  const better = pairedTest(shares).p
  const worse = pairedTest(shares.map((share) => -share)).p
  const span = spanText(days, input.zone)
  const against = `than that of ${rival} on the same hours`
  if (challenger < live && better < level)
    return {
      promote: `Over ${span} its ${errorText(measure)} was ${smallerText(measure, challenger, live)} ${against} (${pText(better)}).`,
    }
  if (challenger > live && worse < level)
    return {
      drop: `Over ${span} its ${errorText(measure)} was ${largerText(measure, challenger, live)} ${against} (${pText(worse)}).`,
    }
  if (look < looks) return 'wait'
  return { drop: `Over ${span} it could not be told apart from ${rival} (${pText(better)}).` }
}

/**
 * Whether the challenger's forecast of this origin is published: for `share` (0 to 1) of the origins, chosen by a hash
 * (FNV-1a, finished as in MurmurHash3), the same ones each time.
 */
export function publishesChallenger(target: Target, origin: number, share: number): boolean {
  let hash = 0x811c9dc5
  for (const char of `${targetId(target)}\u001f${origin}`) {
    hash = Math.imul(hash ^ char.codePointAt(0)!, 0x01000193)
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return ((hash ^ (hash >>> 16)) >>> 0) / 4294967296 < share
}

const guardDaysOf = (input: GuardInput): number => Math.max(pairsMin, input.guardDays ?? guardDaysDefault)

function wholeDays(days: readonly ReportDay[], { zone, until, since }: DaySpan): ReportDay[] {
  return days
    .filter(({ day }) => day >= since && addDays(zone, day, 1) <= until)
    .filter(({ day, knownMs }) => knownMs * 2 >= addDays(zone, day, 1) - day)
    .sort((a, b) => a.day - b.day)
}

interface Pair {
  readonly day: number
  /** Mean losses. */
  readonly live: number
  readonly challenger: number
}

function pairDays(input: ShadowInput, measure: Measure): Pair[] {
  const challengers = new Map(wholeDays(input.challenger, input).map((day) => [day.day, day]))
  return wholeDays(input.live, input).flatMap((day) => {
    const other = challengers.get(day.day)
    return other ? pairDay(day, other, measure) : []
  })
}

/**
 * Lead times with unequal counts are left out: one of both did not predict some of those steps. A day on which they are
 * most of the live forecasts is no pair.
 */
function pairDay(live: ReportDay, challenger: ReportDay, { loss }: Measure): Pair[] {
  const alike = live.leads.flatMap((sums, lead) => {
    const other = challenger.leads[lead]
    return other && other.count === sums.count ? { sums, other } : []
  })
  const mine = addSums(alike.map(({ sums }) => sums))
  if (mine.count === 0 || mine.count * 2 < addSums(live.leads).count) return []
  const theirs = addSums(alike.map(({ other }) => other))
  const [a, b] = [mine.losses[loss], theirs.losses[loss]]
  if (a === undefined || b === undefined) return []
  return [{ day: live.day, live: a / mine.count, challenger: b / theirs.count }]
}

interface LossDay {
  readonly day: number
  /** Mean loss of the version, and of the naive forecast of the same steps. */
  readonly own: number
  readonly naive: number
}

/** Days without the loss, or without a baseline for each step, do not count. */
const lossDays = (days: readonly ReportDay[], measure: Measure): LossDay[] =>
  days
    .map(({ day, leads }) => ({ day, ...lossesOf(addSums(leads), measure) }))
    .filter(({ own, naive }) => Number.isFinite(own) && Number.isFinite(naive))

const lossesOf = (
  { losses, baseline, baselineCount, count }: LeadSums,
  { loss }: Measure,
): { own: number; naive: number } => ({
  own: (losses[loss] ?? Number.NaN) / count,
  naive: baselineCount === count ? (baseline[loss] ?? Number.NaN) / baselineCount : Number.NaN,
})

const shareBetween = (a: number, b: number): number => (a + b === 0 ? 0 : (a - b) / (a + b))

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)

/** An error for measures of errors; other losses by their name. */
const errorText = ({ name }: Measure): string =>
  name === 'rmse' || name === 'mae' ? 'error' : measureText(name)

const largerText = ({ of }: Measure, loss: number, than: number): string =>
  than === 0 ? 'larger' : `${percent(of(loss / than) - 1)} larger`

const smallerText = ({ of }: Measure, loss: number, than: number): string =>
  `${percent(1 - of(loss / than))} smaller`

const percent = (share: number): string => `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`

const pText = (p: number): string => (p < 0.001 ? 'p < 0.001' : `p = ${p.toFixed(3)}`)

function spanText(days: readonly { readonly day: number }[], zone: string): string {
  const [first, last] = [days[0]!, days.at(-1)!].map(({ day }) => {
    const { year, month, day: date } = localParts(zone, day)
    return `${year}-${String(month).padStart(2, '0')}-${String(date).padStart(2, '0')}`
  })
  return `${days.length} days (${first} to ${last})`
}
