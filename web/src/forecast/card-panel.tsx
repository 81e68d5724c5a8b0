import type { Card, Forecast } from '../api/types.ts'
import { GateNote, LiveScore } from './gate-note.tsx'
import { Outcome } from './outcome.tsx'
import { judgedOf } from './score.ts'
import { CardFacts, ScoreTable } from './score-table.tsx'
import { Versions } from './versions.tsx'

interface CardPanelProps {
  readonly forecast: Forecast
  readonly card: Card
  /** Of the target, newest first. */
  readonly cards: readonly Card[]
  readonly zone: string
}

/** Scores of a model beside the naive forecasts, before and since it went live, and why it is live or not. */
export function CardPanel({ forecast, card, cards, zone }: CardPanelProps) {
  const judged = judgedOf(card, cards)
  return (
    <div className="card-panel">
      <h3 className="section-title">How good it is</h3>
      <GateNote card={card} judged={judged} zone={zone} />
      {/* while the naive forecast is live: the version that did not beat it */}
      <ScoreTable card={judged ?? card} />
      <LiveScore card={judged ?? card} />
      <CardFacts card={card} zone={zone} />
      <Outcome forecast={forecast} card={card} zone={zone} />
      <Versions target={card.target} cards={cards} live={card} judged={judged} zone={zone} />
    </div>
  )
}
