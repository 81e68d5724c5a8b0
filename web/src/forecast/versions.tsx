import { useModelEvents } from '../api/queries.ts'
import type { Card, SeriesKey } from '../api/types.ts'
import { timeText } from '../format/time.ts'
import { changeText } from '../format/value.ts'
import { ScrollBox } from '../shell/scroll-box.tsx'
import { StandingTag } from './gate-note.tsx'
import { livePeriods, type Period } from './life.ts'
import { changeOf, verdictOf } from './score.ts'

interface VersionsProps {
  readonly series: SeriesKey
  /** Of the series, newest first. */
  readonly cards: readonly Card[]
  readonly zone: string
}

/** Every version that is kept, newest first, and what was live when. */
export function Versions({ series, cards, zone }: VersionsProps) {
  const learned = cards.filter(({ model }) => model.kind === 'learned')
  if (learned.length === 0) return null
  return (
    <section className="card-part" aria-label="Versions">
      <h3 className="section-title">Versions</h3>
      <ScrollBox label="Table of versions">
        <table className="table versions">
          <thead>
            <tr>
              <th scope="col">Learnt</th>
              <th scope="col">Stands</th>
              <th scope="col">Since</th>
              <th scope="col" className="num">
                RMSE against naive
              </th>
            </tr>
          </thead>
          {learned.map((card) => (
            <Version key={card.model.version} card={card} zone={zone} />
          ))}
        </table>
      </ScrollBox>
      <History series={series} zone={zone} />
    </section>
  )
}

/** Two rows: the figures, and the reason over the whole width, which a phone has room for too. */
function Version({ card, zone }: { card: Card; zone: string }) {
  const verdict = verdictOf(card)
  const change = changeOf(card)
  return (
    <tbody data-live={card.live}>
      <tr className="figures">
        <th scope="row">{timeText(card.trainedAt, zone, 'full')}</th>
        <td>
          <StandingTag {...verdict} />
        </td>
        <td>{timeText(card.since, zone, 'full')}</td>
        <td className="num">{change === undefined ? '\u2013' : changeText(change)}</td>
      </tr>
      <tr>
        <td colSpan={4} className="reason">
          {verdict.sentence} <span className="mono">{card.model.version}</span>
        </td>
      </tr>
    </tbody>
  )
}

function History({ series, zone }: { series: SeriesKey; zone: string }) {
  const events = useModelEvents(series)
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
        {naive ? 'Naive forecast' : <span className="mono">{version}</span>}, {when}
      </div>
      <div className="muted">
        {reason} Decided by {decider(by)}.
      </div>
    </li>
  )
}

const deciders: Readonly<Record<string, string>> = {
  gate: 'the gate',
  guard: 'the guard',
  shadow: 'the trial in shadow',
  registry: 'the state of the files',
}

const decider = (by: string): string => deciders[by] ?? by
