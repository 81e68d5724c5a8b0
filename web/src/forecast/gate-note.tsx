import type { Card } from '../api/types.ts'
import { plural, timeText } from '../format/time.ts'
import { changeText, formatCount, formatScore, unitLabel } from '../format/value.ts'
import { withVersions } from '../format/version.ts'
import { forecasterName } from '../format/words.ts'
import { ScrollBox } from '../shell/scroll-box.tsx'
import { type DuelRow, duelRows, gateSentence, type TagTone, verdictOf } from './score.ts'

export function StandingTag({ tag, tone }: { tag: string; tone: TagTone }) {
  return (
    <span className="tag" data-tone={tone}>
      {tag}
    </span>
  )
}

/**
 * Where the version stands that speaks, and what the gate said. Where the naive forecast speaks, `judged` is the newest
 * learnt version: what it did not pass.
 */
export function GateNote({ card, judged, zone }: { card: Card; judged: Card | undefined; zone: string }) {
  const verdict = verdictOf(card)
  const other = judged && judged !== card ? verdictOf(judged) : undefined
  const said = judged && gateSentence(judged)
  return (
    <>
      <p className="verdict">
        <StandingTag {...verdict} /> {withVersions(verdict.sentence, zone)}
      </p>
      {judged && other && (
        <p className="verdict">
          <StandingTag {...other} /> The newest learnt version, {timeText(judged.trainedAt, zone, 'full')}.{' '}
          {withVersions(other.sentence, zone)}
        </p>
      )}
      {said !== undefined && <p className="verdict muted small">The gate said: {withVersions(said, zone)}</p>}
      {judged && <Duels card={judged} />}
    </>
  )
}

export function Duels({ card }: { card: Card }) {
  const rows = duelRows(card)
  if (rows.length === 0) return null
  return (
    <ScrollBox label="What the gate compared">
      <table className="table">
        <caption>
          Held against its rivals by its RMSE, a pair a day, on days that neither had seen. By chance: how
          often a model that is no better does as well.
        </caption>
        <thead>
          <tr>
            <th scope="col">Rival</th>
            <th scope="col" className="num">
              RMSE
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
            <Duel key={row.rival} row={row} />
          ))}
        </tbody>
      </table>
    </ScrollBox>
  )
}

function Duel({ row: { rival, isLive, change, days, chance } }: { row: DuelRow }) {
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

/** The score of the model that was live stands by itself: it is over other days than the rest. */
export function LiveScore({ card }: { card: Card }) {
  const score = card.scores['live']
  const days = card.verdict.duels['live']?.origins
  if (!score || !days) return null
  return (
    <p className="muted small">
      The model that was live: MAE {formatScore(score.mae)}, RMSE {formatScore(score.rmse)}{' '}
      {unitLabel(card.unit)} on the {plural(days, 'day')} that neither had seen, which are not all of those
      above.
    </p>
  )
}
