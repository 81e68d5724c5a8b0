import { useModelEvents } from '../api/queries.ts'
import type { Card, Target } from '../api/types.ts'
import { timeText } from '../format/time.ts'
import { changeText } from '../format/value.ts'
import { versionText, withVersions } from '../format/version.ts'
import { measureName } from '../format/words.ts'
import { Comparisons, StatusTag } from './gate-note.tsx'
import { deciderText, livePeriods, type Period } from './life.ts'
import { VersionOutcome } from './outcome.tsx'
import { changeOf, predecessorOf, verdictOf } from './score.ts'
import { CardFacts, ScoreTable } from './score-table.tsx'
import { VersionAction } from './version-action.tsx'

interface VersionsProps {
  readonly target: Target
  /** Of the target, newest first. */
  readonly cards: readonly Card[]
  /** The live one, and the one whose verdict is shown: their reports are above already. */
  readonly live: Card
  readonly judged: Card | undefined
  readonly zone: string
}

/** Every version that is kept, newest first, what can be done with it, and what was live when. */
export function Versions({ target, cards, live, judged, zone }: VersionsProps) {
  const learned = cards.filter(({ model }) => model.kind === 'learned')
  if (learned.length === 0) return null
  const before = predecessorOf(cards)
  return (
    <section className="card-part" aria-label="Versions">
      <h3 className="section-title">Versions</h3>
      <ul className="versions" aria-label="Versions, newest first">
        {learned.map((card) => (
          <Version
            key={card.model.version}
            card={card}
            before={before}
            told={card === live ? 'all' : card === judged ? 'scores' : 'nothing'}
            zone={zone}
          />
        ))}
      </ul>
      <History target={target} zone={zone} />
    </section>
  )
}

interface VersionProps {
  readonly card: Card
  readonly before: Card | undefined
  /** How much of its report is elsewhere on the page. */
  readonly told: 'all' | 'scores' | 'nothing'
  readonly zone: string
}

function Version({ card, before, told, zone }: VersionProps) {
  const verdict = verdictOf(card)
  const change = changeOf(card)
  return (
    <li data-live={card.live}>
      <div className="version-head">
        <span className="version-name">{timeText(card.trainedAt, zone, 'full')}</span>
        <StatusTag {...verdict} />
        <span className="muted small">since {timeText(card.since, zone, 'full')}</span>
        {change !== undefined && (
          <span className="version-worth small">
            <span className="muted">{measureName(card.decidedBy)} against naive</span> {changeText(change)}
          </span>
        )}
      </div>
      <p className="version-reason">{withVersions(verdict.sentence, zone)}</p>
      <div className="version-foot">
        <span className="mono muted">
          {card.model.name} {card.model.version}
        </span>
        <VersionAction card={card} before={before} zone={zone} />
      </div>
      {told !== 'all' && (
        <details className="report">
          <summary>Report of this version</summary>
          {told === 'nothing' && <Comparisons card={card} />}
          {told === 'nothing' && <ScoreTable card={card} />}
          <CardFacts card={card} zone={zone} />
          <VersionOutcome card={card} zone={zone} />
        </details>
      )}
    </li>
  )
}

function History({ target, zone }: { target: Target; zone: string }) {
  const events = useModelEvents(target)
  const periods = livePeriods(events.data ?? [])
  if (periods.length === 0) return null
  return (
    <details className="earlier">
      <summary>What was live when</summary>
      <ol className="told">
        {periods.map((period) => (
          <PeriodRow key={`${period.from}/${period.version}`} period={period} zone={zone} />
        ))}
      </ol>
    </details>
  )
}

function PeriodRow({
  period: { version, naive, from, to, reason, by },
  zone,
}: {
  period: Period
  zone: string
}) {
  const when = `${timeText(from, zone, 'full')} ${to === undefined ? 'until now' : `to ${timeText(to, zone, 'full')}`}`
  return (
    <li>
      <div>
        {when}: {naive ? 'naive forecast' : `version of ${versionText(version, zone)}`}
      </div>
      <div className="muted">
        {withVersions(reason, zone)} Decided by {deciderText(by)}.
      </div>
    </li>
  )
}
