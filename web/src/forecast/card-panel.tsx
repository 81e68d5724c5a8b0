import type { Card } from '../api/types.ts'
import { plural, spanText, timeText } from '../format/time.ts'
import { changeText, formatScore, percentText, unitLabel } from '../format/value.ts'
import { forecasterName, plainName } from '../format/words.ts'
import { ScrollBox } from '../shell/scroll-box.tsx'
import { type ScoreRow, scoreRows, verdictOf } from './score.ts'

/** A model's report: what it is worth beside the naive forecasts, and why it is live or not. */
export function CardPanel({ card, cards, zone }: { card: Card; cards: readonly Card[]; zone: string }) {
  const verdict = verdictOf(card)
  const earlier = cards.filter((other) => other !== card)
  return (
    <div className="card-panel">
      <h3 className="section-title">How good it is</h3>
      <p className="verdict">
        <span className="tag" data-tone={verdict.live ? 'accent' : 'amber'}>
          {verdict.tag}
        </span>{' '}
        {verdict.sentence}
      </p>
      <ScoreTable card={card} />
      <CardFacts card={card} zone={zone} />
      {earlier.length > 0 && <Earlier cards={earlier} zone={zone} />}
    </div>
  )
}

function ScoreTable({ card }: { card: Card }) {
  const rows = scoreRows(card)
  if (rows.length === 0) return null
  return (
    <ScrollBox label="Scores">
      <table className="table">
        <caption>
          Mean errors in {unitLabel(card.unit)} over the same {plural(card.scoredSteps, 'step')} that no model
          had seen, in {plural(card.folds, 'fold')}. Lower is better; the percentages compare with the least
          error of the naive forecasts.
        </caption>
        <thead>
          <tr>
            <th scope="col">Forecast</th>
            <th scope="col" className="num">
              MAE
            </th>
            <th scope="col" className="num">
              RMSE
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <Row key={row.name} row={row} />
          ))}
        </tbody>
      </table>
    </ScrollBox>
  )
}

function Row({ row }: { row: ScoreRow }) {
  return (
    <tr data-learned={row.learned}>
      <th scope="row">
        {forecasterName(row.name)} {row.best && <span className="tag">best</span>}
      </th>
      <ScoreCell value={row.mae} change={row.maeChange} />
      <ScoreCell value={row.rmse} change={row.rmseChange} />
    </tr>
  )
}

function ScoreCell({ value, change }: { value: number; change: number | undefined }) {
  return (
    <td className="num">
      {formatScore(value)}
      <span className="change">{change === undefined ? '' : changeText(change)}</span>
    </td>
  )
}

function CardFacts({ card, zone }: { card: Card; zone: string }) {
  const { coverage, span } = card
  const verb = card.model.kind === 'learned' ? 'Learnt' : 'Judged'
  const repairs = Object.entries(card.repairs).filter(([, count]) => count > 0)
  return (
    <dl className="facts">
      {coverage && (
        <div>
          <dt>{percentText(coverage.level)} interval held</dt>
          <dd>
            {percentText(coverage.measured, 1)} of {plural(coverage.steps, 'unseen step')}
          </dd>
        </div>
      )}
      <div>
        <dt>{verb} from</dt>
        <dd>
          {spanText(span.from, span.to)}, {timeText(span.from, zone, 'date')} to{' '}
          {timeText(span.to, zone, 'date')}
        </dd>
      </div>
      <div>
        <dt>{verb} on</dt>
        <dd>{timeText(card.trainedAt, zone, 'full')}</dd>
      </div>
      {repairs.length > 0 && (
        <div>
          <dt>Repaired first</dt>
          <dd>{repairs.map(([name, count]) => `${plainName(name)} ${count}`).join(', ')}</dd>
        </div>
      )}
    </dl>
  )
}

function Earlier({ cards, zone }: { cards: readonly Card[]; zone: string }) {
  return (
    <details className="earlier">
      <summary>{plural(cards.length, 'other version')}</summary>
      <ul>
        {cards.map((card) => (
          <li key={card.model.version}>
            <span className="mono">
              {card.model.name} {card.model.version}
            </span>
            , {timeText(card.trainedAt, zone, 'full')}: {card.reason}
          </li>
        ))}
      </ul>
    </details>
  )
}
