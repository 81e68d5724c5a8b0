import type { Card, Forecast } from '../api/types.ts'

/** Names under which a card holds the scores of the learnt candidate and of the model that was live then. */
const candidate = 'model'
const incumbent = 'live'

export interface ScoreRow {
  readonly name: string
  readonly learned: boolean
  readonly mae: number
  readonly rmse: number
  /** Against the least error of the naive forecasts by the same measure: -0.31 is 31 % less. */
  readonly maeChange: number | undefined
  readonly rmseChange: number | undefined
  /** Least RMSE of all: what is live is chosen by it. */
  readonly best: boolean
}

/**
 * The rows of a card's score table: the learnt model first, then the naive ones from best to worst by RMSE. The model
 * that was live is no row: it is scored over the hours that neither had seen, which may be fewer.
 */
export function scoreRows(card: Card): ScoreRow[] {
  const entries = Object.entries(card.scores).filter(([name]) => name !== incumbent)
  const least = Math.min(...entries.map(([, score]) => score.rmse))
  const naive = entries.filter(([name]) => name !== candidate).map(([, score]) => score)
  const leastMae = Math.min(...naive.map((score) => score.mae))
  const leastRmse = Math.min(...naive.map((score) => score.rmse))
  return entries
    .map(([name, { mae, rmse }]) => ({
      name,
      learned: name === candidate,
      mae,
      rmse,
      maeChange: changeFrom(leastMae, mae),
      rmseChange: changeFrom(leastRmse, rmse),
      best: rmse === least,
    }))
    .sort((a, b) => Number(b.learned) - Number(a.learned) || a.rmse - b.rmse)
}

/** RMSE of the candidate against the best naive one over the same steps: -0.31 is 31 % less. */
export function changeOf(card: Card): number | undefined {
  return scoreRows(card).find((row) => row.learned)?.rmseChange
}

/** A naive forecast that is right but for rounding leaves nothing to be measured against. */
const noError = 1e-9

function changeFrom(reference: number, value: number): number | undefined {
  return Number.isFinite(reference) && reference > noError ? value / reference - 1 : undefined
}

/** The card that belongs to a forecast: the same version, else the live one, else the newest of its series. */
export function cardOf(forecast: Forecast, cards: readonly Card[]): Card | undefined {
  const own = cardsOf(forecast, cards)
  return (
    own.find((card) => card.model.version === forecast.model.version) ??
    own.find((card) => card.live) ??
    own[0]
  )
}

/** All cards of a forecast's series, newest first. */
export function cardsOf(forecast: Forecast, cards: readonly Card[]): Card[] {
  return cards
    .filter(
      ({ series }) =>
        series.site === forecast.site &&
        series.device === forecast.device &&
        series.metric === forecast.metric,
    )
    .sort((a, b) => b.trainedAt - a.trainedAt)
}

/** The learnt version whose way through the gate belongs to a card: its own, else that of the newest learnt one. */
export const judgedOf = (card: Card, cards: readonly Card[]): Card | undefined =>
  card.model.kind === 'learned' ? card : cards.find(({ model }) => model.kind === 'learned')

/** The learnt version that was live before the one that is: a roll-back goes to it. */
export const predecessorOf = (cards: readonly Card[]): Card | undefined =>
  cards
    .filter(({ model, standing }) => model.kind === 'learned' && standing === 'retired')
    .sort((a, b) => b.since - a.since)[0]

export type TagTone = 'accent' | 'trial' | 'amber' | 'red' | 'muted'

const standings: Readonly<Record<Card['standing'], { readonly tag: string; readonly tone: TagTone }>> = {
  live: { tag: 'Live', tone: 'accent' },
  challenger: { tag: 'Challenger', tone: 'trial' },
  rejected: { tag: 'Rejected', tone: 'amber' },
  retired: { tag: 'Retired', tone: 'muted' },
  refused: { tag: 'Refused', tone: 'red' },
}

/** Where a card's model stands, as a tag and the reason's own sentence (which may begin by saying the same). */
export function verdictOf(card: Card): { tag: string; tone: TagTone; sentence: string } {
  const { tag, tone } =
    card.model.kind === 'learned' ? standings[card.standing] : ({ tag: 'Naive', tone: 'muted' } as const)
  return { tag, tone, sentence: withoutTag(card.reason) }
}

/** What the gate said of a version, where something else has been said of it since. */
export const gateSentence = ({ reason, verdict }: Card): string | undefined =>
  verdict.reason === '' || reason.includes(verdict.reason) ? undefined : withoutTag(verdict.reason)

function withoutTag(reason: string): string {
  const rest = reason.replace(/^(live|challenger|rejected|retired|refused|naive forecast):\s*/i, '')
  return rest.charAt(0).toUpperCase() + rest.slice(1)
}

export interface DuelRow {
  /** A naive forecast by its name, or the model that was live. */
  readonly rival: string
  readonly isLive: boolean
  /** Its RMSE against the rival's: -0.31 is 31 % less. Undefined where no day is new to both. */
  readonly change: number | undefined
  readonly days: number
  /** How likely it is that a model which is no better does as well, in words. */
  readonly chance: string
}

/** Whom the gate held a version against, and what came of it. */
export const duelRows = (card: Card): DuelRow[] =>
  Object.entries(card.verdict.duels).map(([rival, { origins, gain, p }]) => ({
    rival,
    isLive: rival === incumbent,
    change: origins > 0 ? -gain : undefined,
    days: origins,
    chance: chanceText(origins, gain, p),
  }))

/** Below so many days the paired test tells nothing. */
const daysToTell = 5

function chanceText(days: number, gain: number, p: number): string {
  if (days < daysToTell) return 'too few days'
  if (gain <= 0) return 'not better'
  if (p < 0.001) return 'less than 1 in 1000'
  return p > 0.4 ? '1 in 2' : `1 in ${Math.round(1 / p)}`
}

/** Sum of the means over the steps, in the forecast's unit: energy of the coming day. */
export const totalOf = (forecast: Forecast): number =>
  forecast.steps.reduce((sum, step) => sum + step.mean, 0)

/** How many learnt forecasts are live, and which one gains most on its best naive one. */
export function summarise(
  forecasts: readonly Forecast[],
  cards: readonly Card[],
): { learned: number; total: number; best?: { device: string; change: number } } {
  let learned = 0
  let best: { device: string; change: number } | undefined
  for (const forecast of forecasts) {
    if (forecast.model.kind !== 'learned') continue
    learned++
    const card = cardOf(forecast, cards)
    const change = card && changeOf(card)
    if (change !== undefined && (best === undefined || change < best.change)) {
      best = { device: forecast.device, change }
    }
  }
  return best ? { learned, total: forecasts.length, best } : { learned, total: forecasts.length }
}
