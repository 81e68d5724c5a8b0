import { useMemo } from 'react'
import { useReports } from '../api/queries.ts'
import type { Card, Forecast, Report } from '../api/types.ts'
import { Chart } from '../chart/chart.tsx'
import type { Line } from '../chart/options.ts'
import { plural, spans, timeText } from '../format/time.ts'
import { changeText, formatScore, percentText, unitLabel } from '../format/value.ts'
import { inputName, measureName } from '../format/words.ts'
import { Answer } from '../shell/notes.tsx'
import { biasWord, errorsByLead, errorsMoved, hoursToTell, movedInputs, reportOf } from './life.ts'

interface OutcomeProps {
  readonly forecast: Forecast
  readonly card: Card
  readonly zone: string
}

/** Scores of the live version's forecasts, once the truth is known. */
export function Outcome({ forecast, card, zone }: OutcomeProps) {
  const { version } = forecast.model
  return (
    <section className="card-part" aria-label="How it turned out">
      <h3 className="section-title">How it turned out</h3>
      <Answer of={useReports(card)}>
        {(reports) => {
          const report = reportOf(version, reports)
          return report && report.truths >= hoursToTell ? (
            <Told report={report} forecast={forecast} zone={zone} />
          ) : (
            <TooEarly hours={report?.truths ?? 0} />
          )
        }}
      </Answer>
    </section>
  )
}

/** The same in short of a version that is not live; nothing if too little is known. */
export function VersionOutcome({ card, zone }: { card: Card; zone: string }) {
  const report = reportOf(card.model.version, useReports(card).data ?? [])
  if (!report || report.truths < hoursToTell) return null
  return (
    <>
      <p className="version-reason">How it turned out: {sentenceOf(report, true, zone)}</p>
      <ReportFacts report={report} unit={card.unit} learned />
    </>
  )
}

function TooEarly({ hours }: { hours: number }) {
  return (
    <p className="verdict muted">
      Too early to say:{' '}
      {hours === 0
        ? 'no hour that it forecast is over yet.'
        : `${plural(hours, 'hour')} that it forecast ${hours === 1 ? 'is' : 'are'} over, ${hoursToTell} are needed.`}
    </p>
  )
}

function Told({ report, forecast, zone }: { report: Report; forecast: Forecast; zone: string }) {
  const learned = forecast.model.kind === 'learned'
  return (
    <>
      <p className="verdict">{sentenceOf(report, learned, zone)}</p>
      <LeadChart report={report} forecast={forecast} learned={learned} />
      <ReportFacts report={report} unit={forecast.unit} learned={learned} />
      {learned && <DriftNote report={report} />}
    </>
  )
}

function sentenceOf({ total, truths, days, from, to }: Report, learned: boolean, zone: string): string {
  const span =
    from === null || to === null
      ? ''
      : `, ${timeText(from, zone, 'date')} to ${timeText(to - 1, zone, 'date')}`
  const over = `over ${plural(truths, 'hour')} on ${plural(days, 'day')}${span}`
  if (!learned) return `The naive forecast is live; these are its errors ${over}.`
  const { skill } = total
  if (skill === null) return `There is no error of the naive forecast to compare with ${over}.`
  const percent = percentText(Math.abs(skill), 1)
  if (skill === 0) return `Its error was that of the naive forecast of the same hours, ${over}.`
  return `Its error was ${percent} ${skill > 0 ? 'below' : 'above'} that of the naive forecast of the same hours, ${over}.`
}

function LeadChart({ report, forecast, learned }: { report: Report; forecast: Forecast; learned: boolean }) {
  const measure = measureName(report.decidedBy)
  const unit = unitLabel(forecast.unit)
  const { at, lines } = useMemo(() => {
    const { hours, own, naive } = errorsByLead(report)
    const theirs: Line = { label: 'Naive forecast', values: naive, tone: 'naive', dashed: true }
    const ours: Line = { label: 'This version', values: own, tone: 'accent' }
    return { at: hours.map((lead) => lead * spans.hourMs), lines: learned ? [theirs, ours] : [theirs] }
  }, [report, learned])
  return (
    <>
      <p className="muted small">{measure} by hours ahead</p>
      <Chart
        label={`${measure} (${unit}) by hours ahead${learned ? ', beside that of the naive forecast' : ''}. Arrow keys read values.`}
        at={at}
        lines={lines}
        across={{ kind: 'ahead' }}
        from={at[0] ?? 0}
        to={at.at(-1) ?? spans.dayMs}
        fromZero
        height={190}
        unit={unit}
        valueText={(value) => `${formatScore(value)}\u00a0${unit}`}
        axisText={(value) => axisFormat.format(value)}
      />
    </>
  )
}

function ReportFacts({ report, unit, learned }: { report: Report; unit: string; learned: boolean }) {
  const { total, truths, days, decidedBy } = report
  const unitText = unitLabel(unit)
  const naive = total.baseline[decidedBy] ?? null
  return (
    <dl className="facts">
      {Object.entries(total.scores).map(
        ([measure, value]) =>
          value !== null && (
            <div key={measure}>
              <dt>{measureName(measure)}</dt>
              <dd>
                {formatScore(value)} {unitText}
              </dd>
            </div>
          ),
      )}
      {learned && naive !== null && (
        <div>
          <dt>Naive {measureName(decidedBy)}</dt>
          <dd>
            {formatScore(naive)} {unitText}
          </dd>
        </div>
      )}
      {learned && total.skill !== null && (
        <div>
          <dt>{measureName(decidedBy)} against naive</dt>
          <dd>{changeText(-total.skill)}</dd>
        </div>
      )}
      {total.coverage !== null && total.level !== null && (
        <div>
          <dt>{percentText(total.level)} interval covered</dt>
          <dd>{percentText(total.coverage, 1)}</dd>
        </div>
      )}
      {total.bias !== null && (
        <div>
          <dt>Bias</dt>
          <dd>
            {formatScore(Math.abs(total.bias))} {unitText} {biasWord(total.bias)}
          </dd>
        </div>
      )}
      <div>
        <dt>Known</dt>
        <dd>
          {plural(truths, 'hour')} on {plural(days, 'day')}
        </dd>
      </div>
    </dl>
  )
}

const driftWords = {
  none: { tag: 'No drift', tone: 'muted', sentence: 'Inputs and errors are what they were when it learnt.' },
  some: { tag: 'Some drift', tone: 'amber', sentence: '' },
  strong: { tag: 'Strong drift', tone: 'red', sentence: '' },
} as const

function DriftNote({ report }: { report: Report }) {
  const { tag, tone, sentence } = driftWords[report.drift]
  const known = report.inputPsi !== null || report.residualPsi !== null
  const inputs = movedInputs(report)
  const moved = inputs.map(
    ({ name, psi, usual }) => `${inputName(name)} (PSI ${formatScore(psi)}, usually ${formatScore(usual)})`,
  )
  return (
    <p className="drift small">
      <span className="tag" data-tone={known ? tone : 'muted'}>
        {known ? tag : 'Drift not known yet'}
      </span>{' '}
      {known && sentence}
      {moved.length > 0 && `Of its inputs these have moved most: ${moved.join(', ')}. `}
      {errorsMoved(report) &&
        `Its errors are distributed differently than when it was judged (PSI ${formatScore(report.residualPsi ?? 0)}).`}
    </p>
  )
}

const axisFormat = new Intl.NumberFormat(undefined, { maximumFractionDigits: 3 })
