import type { Card } from '../api/types.ts'
import { plural, timeText } from '../format/time.ts'
import { changeText, formatCount, formatScore, unitLabel } from '../format/value.ts'
import { withVersions } from '../format/version.ts'
import { forecasterName, measureName } from '../format/words.ts'
import { ScrollBox } from '../shell/scroll-box.tsx'
import {
  type ComparisonRow,
  comparisonRows,
  gateSentence,
  measuresOf,
  type TagTone,
  verdictOf,
} from './score.ts'

export function StatusTag({ tag, tone }: { tag: string; tone: TagTone }) {
  return (
    <span className="tag" data-tone={tone}>
      {tag}
    </span>
  )
}

/**
 * The status of the live version, and the verdict of the gate. While the naive forecast is live, `judged` is the newest
 * learnt version, which did not pass.
 */
export function GateNote({ card, judged, zone }: { card: Card; judged: Card | undefined; zone: string }) {
  const verdict = verdictOf(card)
  const other = judged && judged !== card ? verdictOf(judged) : undefined
  const said = judged && gateSentence(judged)
  return (
    <>
      <p className="verdict">
        <StatusTag {...verdict} /> {withVersions(verdict.sentence, zone)}
      </p>
      {judged && other && (
        <p className="verdict">
          <StatusTag {...other} /> The newest learnt version, {timeText(judged.trainedAt, zone, 'full')}.{' '}
          {withVersions(other.sentence, zone)}
        </p>
      )}
      {said !== undefined && (
        <p className="verdict muted small">Verdict of the gate: {withVersions(said, zone)}</p>
      )}
      {judged && <Comparisons card={judged} />}
    </>
  )
}

export function Comparisons({ card }: { card: Card }) {
  const rows = comparisonRows(card)
  if (rows.length === 0) return null
  return (
    <ScrollBox label="What the gate compared">
      <table className="table">
        <caption>
          Compared by {measureName(card.decidedBy)}, one pair a day, on days that neither had seen. By chance:
          how often a model that is no better does as well.
        </caption>
        <thead>
          <tr>
            <th scope="col">Rival</th>
            <th scope="col" className="num">
              {measureName(card.decidedBy)}
            </th>
            <th scope="col" className="num">
              Unseen days
            </th>
            <th scope="col" className="num">
              By chance
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <Comparison key={row.rival} row={row} />
          ))}
        </tbody>
      </table>
    </ScrollBox>
  )
}

function Comparison({ row: { rival, isLive, change, days, chance } }: { row: ComparisonRow }) {
  return (
    <tr>
      <th scope="row">
        {isLive ? 'Model that was live' : forecasterName(rival)}
        {!isLive && <span className="sub">best naive forecast</span>}
      </th>
      <td className="num">{change === undefined ? '\u2013' : changeText(change)}</td>
      <td className="num">{formatCount(days)}</td>
      <td className="num">{chance}</td>
    </tr>
  )
}

/** The score of the model that was live is apart: it is over other days than the rest. */
export function LiveScore({ card }: { card: Card }) {
  const score = card.scores['live']
  const days = card.verdict.comparisons['live']?.days
  if (!score || !days) return null
  return (
    <p className="muted small">
      The model that was live:{' '}
      {measuresOf(card)
        .flatMap((measure) => {
          const value = score[measure]
          return value === undefined ? [] : [`${measureName(measure)} ${formatScore(value)}`]
        })
        .join(', ')}{' '}
      in {unitLabel(card.unit)} on the {plural(days, 'day')} that neither had seen, which are not all of those
      above.
    </p>
  )
}
