import type { Card } from '../api/types.ts'
import { plural, spanText, timeText } from '../format/time.ts'
import { changeText, formatScore, percentText, unitLabel } from '../format/value.ts'
import { forecasterName, measureName, plainName } from '../format/words.ts'
import { ScrollBox } from '../shell/scroll-box.tsx'
import { type MeasureScore, measuresOf, type ScoreRow, scoreRows } from './score.ts'

/** Errors of a version beside those of the naive forecasts over the same steps. */
export function ScoreTable({ card }: { card: Card }) {
  const rows = scoreRows(card)
  if (rows.length === 0) return null
  return (
    <ScrollBox label="Scores">
      <table className="table">
        <caption>
          Mean errors in {unitLabel(card.unit)} over the same {plural(card.scoredSteps, 'step')} that no model
          had seen, in {plural(card.folds, 'fold')}. {measureName(card.decidedBy)} decides, lower is better;
          the percentages compare with the least error of the naive forecasts.
        </caption>
        <thead>
          <tr>
            <th scope="col">Forecast</th>
            {measuresOf(card).map((measure) => (
              <th key={measure} scope="col" className="num">
                {measureName(measure)}
              </th>
            ))}
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
    <tr>
      <th scope="row">
        {forecasterName(row.name)} {row.best && <span className="tag">best</span>}
      </th>
      {row.scores.map((score) => (
        <ScoreCell key={score.measure} score={score} />
      ))}
    </tr>
  )
}

function ScoreCell({ score: { value, change, best } }: { score: MeasureScore }) {
  return (
    <td className="num" data-best={best}>
      {value === undefined ? '\u2013' : formatScore(value)}
      <span className="change">{change === undefined ? '' : changeText(change)}</span>
    </td>
  )
}

export function CardFacts({ card, zone }: { card: Card; zone: string }) {
  const { coverage, span } = card
  const verb = card.model.kind === 'learned' ? 'Learnt' : 'Judged'
  const repairs = Object.entries(card.repairs).filter(([, count]) => count > 0)
  return (
    <dl className="facts">
      {coverage && (
        <div>
          <dt>{percentText(coverage.level)} interval covered</dt>
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
