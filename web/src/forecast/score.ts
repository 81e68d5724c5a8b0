import { type Card, type Forecast, targetIdOf } from '../api/types.ts'

/** Names under which a card holds the scores of the learnt candidate and of the model that was live then. */
const candidate = 'model'
const incumbent = 'live'

export interface MeasureScore {
  /** rmse, mae, r2, pinball, ... */
  readonly measure: string
  readonly value: number | undefined
  /** Against the least error of the naive forecasts by the same measure: -0.31 is 31 % less. */
  readonly change: number | undefined
  /** Best of all rows by this measure. */
  readonly best: boolean
}

export interface ScoreRow {
  readonly name: string
  readonly learned: boolean
  /** One for each measure of the card, the one that decides first. */
  readonly scores: readonly MeasureScore[]
  /** Best of all by the measure that decides. */
  readonly best: boolean
}

/** Measures of which a larger value is better: a change of them is no gain in percent. */
const largerIsBetter: ReadonlySet<string> = new Set(['r2'])

/** The measures that a card has, the one that decides first. */
export const measuresOf = ({ scores, decidedBy }: Pick<Card, 'scores' | 'decidedBy'>): string[] => [
  ...new Set([decidedBy, ...Object.values(scores).flatMap((score) => Object.keys(score))]),
]

/**
 * The rows of a card's score table: the learnt model first, then the naive ones from best to worst by the measure that
 * decides. The model that was live is no row: it is scored over the hours that neither had seen, which may be fewer.
 */
export function scoreRows(card: Card): ScoreRow[] {
  const entries = Object.entries(card.scores).filter(([name]) => name !== incumbent)
  const naive = entries.filter(([name]) => name !== candidate).map(([, score]) => score)
  const decisiveOf = (score: Card['scores'][string]): number =>
    score[card.decidedBy] ?? Number.POSITIVE_INFINITY
  const least = Math.min(...entries.map(([, score]) => decisiveOf(score)))
  const measures = measuresOf(card)
  return entries
    .map(([name, score]) => ({
      name,
      learned: name === candidate,
      scores: measures.map((measure) => ({
        ...scoreOf(measure, score, naive),
        best: score[measure] !== undefined && score[measure] === bestOf(measure, entries),
      })),
      best: decisiveOf(score) === least,
      decisive: decisiveOf(score),
    }))
    .sort((a, b) => Number(b.learned) - Number(a.learned) || a.decisive - b.decisive)
    .map(({ decisive: _decisive, ...row }) => row)
}

function bestOf(measure: string, entries: readonly (readonly [string, Card['scores'][string]])[]): number {
  const values = entries.flatMap(([, score]) => score[measure] ?? [])
  return largerIsBetter.has(measure) ? Math.max(...values) : Math.min(...values)
}

function scoreOf(
  measure: string,
  score: Card['scores'][string],
  naive: readonly Card['scores'][string][],
): Omit<MeasureScore, 'best'> {
  const value = score[measure]
  if (value === undefined || largerIsBetter.has(measure)) return { measure, value, change: undefined }
  const least = Math.min(...naive.map((other) => other[measure] ?? Number.POSITIVE_INFINITY))
  return { measure, value, change: changeFrom(least, value) }
}

/** The deciding measure of the candidate against the best naive one over the same steps: -0.31 is 31 % less. */
export function changeOf(card: Card): number | undefined {
  return scoreRows(card).find((row) => row.learned)?.scores[0]?.change
}

/** A naive forecast that is right but for rounding leaves nothing to be measured against. */
const noError = 1e-9

function changeFrom(reference: number, value: number): number | undefined {
  return Number.isFinite(reference) && reference > noError ? value / reference - 1 : undefined
}

/** The card that belongs to a forecast: the same version, else the live one, else the newest of its target. */
export function cardOf(forecast: Forecast, cards: readonly Card[]): Card | undefined {
  const own = cardsOf(forecast, cards)
  return (
    own.find((card) => card.model.version === forecast.model.version) ??
    own.find((card) => card.live) ??
    own[0]
  )
}

/** All cards of a forecast's target, newest first. */
export function cardsOf(forecast: Forecast, cards: readonly Card[]): Card[] {
  return cards
    .filter(
      ({ target, metric }) =>
        targetIdOf(target) === targetIdOf(forecast.target) && metric === forecast.metric,
    )
    .sort((a, b) => b.trainedAt - a.trainedAt)
}

/** The learnt version whose way through the gate belongs to a card: its own, else that of the newest learnt one. */
export const judgedOf = (card: Card, cards: readonly Card[]): Card | undefined =>
  card.model.kind === 'learned' ? card : cards.find(({ model }) => model.kind === 'learned')

/** The learnt version that was live before the one that is: a roll-back goes to it. */
export const predecessorOf = (cards: readonly Card[]): Card | undefined =>
  cards
    .filter(({ model, status }) => model.kind === 'learned' && status === 'retired')
    .sort((a, b) => b.since - a.since)[0]

export type TagTone = 'accent' | 'trial' | 'amber' | 'red' | 'muted'

const statuses: Readonly<Record<Card['status'], { readonly tag: string; readonly tone: TagTone }>> = {
  live: { tag: 'Live', tone: 'accent' },
  challenger: { tag: 'Challenger', tone: 'trial' },
  rejected: { tag: 'Rejected', tone: 'amber' },
  retired: { tag: 'Retired', tone: 'muted' },
  refused: { tag: 'Refused', tone: 'red' },
}

/** The status of a card's model as a tag, and its reason without a repetition of the tag. */
export function verdictOf(card: Card): { tag: string; tone: TagTone; sentence: string } {
  const { tag, tone } =
    card.model.kind === 'learned' ? statuses[card.status] : ({ tag: 'Naive', tone: 'muted' } as const)
  return { tag, tone, sentence: withoutTag(card.reason) }
}

/** The verdict of the gate about a version, if its reason has changed since. */
export const gateSentence = ({ reason, verdict }: Card): string | undefined =>
  verdict.reason === '' || reason.includes(verdict.reason) ? undefined : withoutTag(verdict.reason)

function withoutTag(reason: string): string {
  const rest = reason.replace(/^(live|challenger|rejected|retired|refused|naive forecast):\s*/i, '')
  return rest.charAt(0).toUpperCase() + rest.slice(1)
}

export interface ComparisonRow {
  /** A naive forecast by its name, or the model that was live. */
  readonly rival: string
  readonly isLive: boolean
  /** Its deciding measure against the rival's: -0.31 is 31 % less. Undefined if no day is new to both. */
  readonly change: number | undefined
  readonly days: number
  /** How likely it is that a model which is no better does as well, in words. */
  readonly chance: string
}

/** The rivals that the gate compared a version with, and the results. */
export const comparisonRows = (card: Card): ComparisonRow[] =>
  Object.entries(card.verdict.comparisons).map(([rival, { days, gain, p }]) => ({
    rival,
    isLive: rival === incumbent,
    change: days > 0 ? -gain : undefined,
    days,
    chance: chanceText(days, gain, p),
  }))

/** Below so many days the paired test tells nothing. */
const daysToTell = 5

function chanceText(days: number, gain: number, p: number): string {
  if (days < daysToTell) return 'too few days'
  if (gain <= 0) return 'not better'
  if (p < 0.001) return 'less than 1 in 1000'
  return p > 0.4 ? '1 in 2' : `1 in ${Math.round(1 / p)}`
}

/**
 * How many learnt forecasts are live, which one gains most on its best naive one, and whether a learnt model was
 * compared with the naive forecast of any of these targets.
 */
export function summarise(
  forecasts: readonly Forecast[],
  cards: readonly Card[],
): { learned: number; total: number; tried: boolean; best?: { device: string; change: number } } {
  let learned = 0
  let best: { device: string; change: number } | undefined
  for (const forecast of forecasts) {
    if (forecast.model.kind !== 'learned') continue
    learned++
    const card = cardOf(forecast, cards)
    const change = card && changeOf(card)
    if (change !== undefined && (best === undefined || change < best.change)) {
      best = { device: forecast.target.subject, change }
    }
  }
  const tried = forecasts.some((forecast) =>
    cardsOf(forecast, cards).some(({ model }) => model.kind === 'learned'),
  )
  const counts = { learned, total: forecasts.length, tried }
  return best ? { ...counts, best } : counts
}
