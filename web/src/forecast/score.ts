import type { Card, Forecast } from '../api/types.ts'

/** Name under which a card holds the scores of the learnt candidate; every other row is a naive forecast. */
const candidate = 'model'

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

/** The rows of a card's score table: the learnt model first, then the naive ones from best to worst by RMSE. */
export function scoreRows(card: Card): ScoreRow[] {
  const entries = Object.entries(card.scores)
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

/** Where a card's model stands, as a tag and the reason's own sentence (which may begin by saying the same). */
export function verdictOf(card: Card): { tag: string; live: boolean; sentence: string } {
  const learned = card.model.kind === 'learned'
  const tag = learned ? (card.live ? 'Live' : 'Not live') : 'Naive'
  const rest = card.reason.replace(/^(live|not live|naive forecast)[:,]\s*/i, '')
  return { tag, live: learned && card.live, sentence: rest.charAt(0).toUpperCase() + rest.slice(1) }
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
