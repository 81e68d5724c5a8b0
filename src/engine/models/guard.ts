/**
 * Decisions over live models, from the sums of whole civil days. Pure: the same days give the same decision, so it does
 * not matter how often it is asked.
 *
 * Two forecasters are compared by the day: hours of one day resemble each other, days much less. The difference of a
 * day is taken as a share of both errors, (a - b) / (a + b) of the squared errors, from -1 to 1, so that one wild day
 * counts as one day and not as the whole span; the sums over all days must point the same way.
 */
import { addDays, dayHours, localParts } from '../../core/calendar.ts'
import type { SeriesKey } from '../../core/event.ts'
import { type LeadSums, naiveVersion, type ReportDay } from '../../core/life.ts'
import { seriesId } from '../../core/series.ts'
import { pairedTest, pairsMin } from '../../ml/compare.ts'
import { addSums } from './report.ts'

/** Which days count: whole ones, scored to their end, with the truth of at least half of their hours. */
export interface DaySpan {
  /** IANA zone of the site. */
  readonly zone: string
  /** How far the series is scored, UTC ms, exclusive. */
  readonly until: number
  /** Since when the version stands where it stands; days that began before are not its own. */
  readonly since: number
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

/** The guard looks at so many times `guardDays`: what is far worse shows at once, what is a little worse takes longer. */
const guardSpans = [1, 2, 4]

/**
 * Whether the live version has to go: its squared error over the newest `guardDays` is larger than that of the naive
 * forecast of the same hours and lead times, and over these days, or up to twice or four times as many, it is larger
 * beyond chance.
 */
export function guardVerdict(input: GuardInput): 'keep' | { readonly rollBack: string } {
  const errors = wholeDays(input.days, input).map((day) => ({
    day: day.day,
    ...errorsOf(addSums(day.leads)),
  }))
  const guardDays = guardDaysOf(input)
  if (!isWorse(errors.slice(-guardDays))) return 'keep'
  for (const days of guardSpans.map((times) => errors.slice(-times * guardDays))) {
    const { count, p } = pairedTest(days.map(({ own, naive }) => shareBetween(own, naive)))
    if (count < guardDays || !isWorse(days) || p >= (input.level ?? guardLevelDefault)) continue
    const larger = largerText(sum(days.map(({ own }) => own)), sum(days.map(({ naive }) => naive)))
    const worse = days.filter(({ own, naive }) => own > naive).length
    return {
      rollBack:
        `Over ${spanText(days, input.zone)} its error was ${larger} than that of the naive forecast of the same ` +
        `hours, on ${worse} of ${count} days (${pText(p)}).`,
    }
  }
  return 'keep'
}

const isWorse = (days: readonly { readonly own: number; readonly naive: number }[]): boolean =>
  sum(days.map(({ own }) => own)) > sum(days.map(({ naive }) => naive))

/**
 * What speaks after a roll-back: the predecessor, if it spoke in shadow on each of the newest `guardDays` of the live
 * version and was better than the naive forecast there; else the naive forecast itself.
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
  const errors = errorsOf(addSums(same.flatMap(({ leads }) => leads)))
  return errors.own < errors.naive ? predecessor.version : naiveVersion
}

export interface ShadowInput extends DaySpan {
  /** Of what speaks, all since `since`; the naive forecast has days of its own where it does. */
  readonly live: readonly ReportDay[]
  readonly challenger: readonly ReportDay[]
  /** Days from one look to the next, and before the first. */
  readonly minDays?: number
  /** Days after which it is decided. */
  readonly maxDays?: number
  /** What speaks, in words. */
  readonly rival?: string
  /** Chance that a challenger that is no better is promoted, over all looks together; the same for dropping early. */
  readonly level?: number
}

/** A series that is mostly silent decides nothing: after so many times `maxDays` on the calendar the challenger goes. */
const patience = 3

export const challengerDaysDefault = { min: 7, max: 28 } as const
export const shadowLevelDefault = 0.05

export type ShadowVerdict = 'wait' | { readonly promote: string } | { readonly drop: string }

/**
 * Whether a challenger takes over. It is held against the live version on the days and lead times of which both speak
 * equally often, that is on the same truths. Looking again and again until it fits would let every challenger through
 * in the end: so it is looked at every `minDays` only, on the first so many days, and the level is shared out over the
 * looks (Bonferroni), the later ones, which know more, getting more.
 */
export function shadowVerdict(input: ShadowInput): ShadowVerdict {
  const { minDays = challengerDaysDefault.min, maxDays = challengerDaysDefault.max } = input
  const { rival = 'the live one' } = input
  const paired = pairDays(input)
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
      promote: `Over ${span} its error was ${smallerText(challenger, live)} ${against} (${pText(better)}).`,
    }
  if (challenger > live && worse < level)
    return {
      drop: `Over ${span} its error was ${largerText(challenger, live)} ${against} (${pText(worse)}).`,
    }
  if (look < looks) return 'wait'
  return { drop: `Over ${span} it could not be told apart from ${rival} (${pText(better)}).` }
}

/**
 * Whether the challenger speaks to users for this origin, for those who want both tried on them: `share` 0 to 1 of the
 * origins, picked by a hash (FNV-1a, finished as in MurmurHash3), the same ones each time.
 */
export function speaks(series: SeriesKey, origin: number, share: number): boolean {
  let hash = 0x811c9dc5
  for (const char of `${seriesId(series)}\u001f${origin}`) {
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
    .filter(({ day, truths }) => truths * 2 >= dayHours(zone, day))
    .sort((a, b) => a.day - b.day)
}

interface Pair {
  readonly day: number
  /** Mean squared errors. */
  readonly live: number
  readonly challenger: number
}

function pairDays(input: ShadowInput): Pair[] {
  const challengers = new Map(wholeDays(input.challenger, input).map((day) => [day.day, day]))
  return wholeDays(input.live, input).flatMap((day) => {
    const other = challengers.get(day.day)
    return other ? pairDay(day, other) : []
  })
}

/**
 * Lead times with unequal counts are left out: one of both did not speak of some of those hours. A day on which they
 * are most of what the live one said is no pair.
 */
function pairDay(live: ReportDay, challenger: ReportDay): Pair[] {
  const alike = live.leads.flatMap((sums, lead) => {
    const other = challenger.leads[lead]
    return other && other.count === sums.count ? { sums, other } : []
  })
  const mine = addSums(alike.map(({ sums }) => sums))
  if (mine.count === 0 || mine.count * 2 < addSums(live.leads).count) return []
  const theirs = addSums(alike.map(({ other }) => other))
  return [{ day: live.day, live: mine.squared / mine.count, challenger: theirs.squared / theirs.count }]
}

/** Mean squared error of a version, and of the naive forecast beside it. */
const errorsOf = ({ squared, naiveSquared, count }: LeadSums): { own: number; naive: number } => ({
  own: squared / count,
  naive: naiveSquared / count,
})

const shareBetween = (a: number, b: number): number => (a + b === 0 ? 0 : (a - b) / (a + b))

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)

/** Of root mean squares. */
const largerText = (squares: number, than: number): string =>
  than === 0 ? 'larger' : `${percent(Math.sqrt(squares / than) - 1)} larger`

const smallerText = (squares: number, than: number): string =>
  `${percent(1 - Math.sqrt(squares / than))} smaller`

const percent = (share: number): string => `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`

const pText = (p: number): string => (p < 0.001 ? 'p < 0.001' : `p = ${p.toFixed(3)}`)

function spanText(days: readonly { readonly day: number }[], zone: string): string {
  const [first, last] = [days[0]!, days.at(-1)!].map(({ day }) => {
    const { year, month, day: date } = localParts(zone, day)
    return `${year}-${String(month).padStart(2, '0')}-${String(date).padStart(2, '0')}`
  })
  return `${days.length} days (${first} to ${last})`
}
