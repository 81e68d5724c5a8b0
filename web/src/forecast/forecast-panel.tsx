import { useMemo } from 'react'
import { useCards, useForecasts, useMissingModels, useRollups } from '../api/queries.ts'
import { type Card, type Forecast, targetIdOf } from '../api/types.ts'
import { Chart } from '../chart/chart.tsx'
import type { Band, Line } from '../chart/options.ts'
import { useDeviceName } from '../devices/names.ts'
import { timeText } from '../format/time.ts'
import { percentText, unitLabel, valueText } from '../format/value.ts'
import { versionText } from '../format/version.ts'
import { forecasterName, metricName } from '../format/words.ts'
import type { Point } from '../history/points.ts'
import { useClock } from '../live/live.tsx'
import { ErrorNote, SectionHead } from '../shell/notes.tsx'
import { CardPanel } from './card-panel.tsx'
import { hourlyEnergy, joinTimes } from './energy.ts'
import { Learning } from './learning.tsx'
import { cardOf, cardsOf } from './score.ts'
import { boundsOf, endOf, stepsOf, totalOf } from './steps.ts'

const hourMs = 3_600_000
const shownPastMs = 48 * hourMs

/** Every forecast of a device, each with its report; where there is none that could be, the reason. */
export function DeviceForecasts({ site, device, zone }: { site: string; device: string; zone: string }) {
  const forecasts = useForecasts(site, device)
  const cards = useCards(site, device)
  const missing = useMissingModels(site, device)
  if (forecasts.error && !forecasts.data) return <ErrorNote error={forecasts.error} />
  const known = forecasts.data ?? []
  const reasons = new Map(missing.data?.map(({ target, reason }) => [targetIdOf(target), reason]))
  const without = (missing.data ?? []).filter(
    ({ target }) => !known.some((forecast) => targetIdOf(forecast.target) === targetIdOf(target)),
  )
  return (
    <>
      {known.map((forecast) => (
        <ForecastPanel
          key={`${forecast.target.domain}/${forecast.metric}`}
          forecast={forecast}
          card={cardOf(forecast, cards.data ?? [])}
          cards={cardsOf(forecast, cards.data ?? [])}
          missing={reasons.get(targetIdOf(forecast.target))}
          zone={zone}
        />
      ))}
      {forecasts.data &&
        without.map(({ target, reason }) => (
          <section
            key={target.domain}
            className="panel"
            aria-label={`No forecast of ${metricName(target.domain)} yet`}
          >
            <SectionHead title={metricName(target.domain)}>
              <span className="tag" data-tone="muted">
                No forecast yet
              </span>
            </SectionHead>
            <p className="muted small">{reason}</p>
          </section>
        ))}
    </>
  )
}

interface PanelProps {
  readonly forecast: Forecast
  readonly card: Card | undefined
  readonly cards: readonly Card[]
  /** Why no model was learnt; undefined where one was. */
  readonly missing: string | undefined
  readonly zone: string
}

function ForecastPanel({ forecast, card, cards, missing, zone }: PanelProps) {
  const naive = forecast.model.kind === 'naive'
  const title = `${metricName(forecast.metric)}, next ${Math.round((endOf(forecast) - forecast.origin) / hourMs)} hours`
  return (
    <section className="panel" aria-label={`Forecast of ${metricName(forecast.metric)}`}>
      <SectionHead title={title}>
        <span className="tag" data-tone={naive ? 'muted' : 'accent'}>
          {naive ? 'Naive forecast' : `Learnt model, ${versionText(forecast.model.version, zone)}`}
        </span>
      </SectionHead>
      <OriginNote forecast={forecast} zone={zone} />
      <ForecastChart forecast={forecast} zone={zone} />
      {card && <CardPanel forecast={forecast} card={card} cards={cards} zone={zone} />}
      <Learning target={forecast.target} metric={forecast.metric} missing={missing} zone={zone} />
    </section>
  )
}

/** From when the forecast is, and why it is a naive one where it is. */
function OriginNote({ forecast, zone }: { forecast: Forecast; zone: string }) {
  const past = useClock((now) => endOf(forecast) < now, 60_000)
  const origin = timeText(forecast.origin, zone, 'full')
  return (
    <p className="muted small">
      {past ? `Forecast from the end of the data, ${origin}.` : `Made from everything up to ${origin}.`}{' '}
      {forecast.model.kind === 'naive' &&
        `Naive forecast: ${forecasterName(forecast.model.name).toLowerCase()}.`}{' '}
      Total of the first 24 hours {valueText(totalOf(forecast), forecast.unit, forecast.metric)}.
    </p>
  )
}

function ForecastChart({ forecast, zone }: Pick<PanelProps, 'forecast' | 'zone'>) {
  const measured = useMeasured(forecast)
  const nameOf = useDeviceName(forecast.target.site)
  const { at, lines, band } = useMemo(() => chartOf(forecast, measured), [forecast, measured])
  return (
    <Chart
      label={`Forecast of ${metricName(forecast.metric)} of ${nameOf(forecast.target.subject)}, beside the naive one. Arrow keys read values.`}
      at={at}
      lines={lines}
      {...(band ? { band } : {})}
      across={{ kind: 'time', zone }}
      from={measured[0]?.at ?? forecast.origin}
      to={endOf(forecast)}
      fromZero
      marker={forecast.origin}
      unit={unitLabel(forecast.unit)}
      valueText={(value) => valueText(value, forecast.unit, forecast.metric)}
      axisText={(value) => axisFormat.format(value)}
    />
  )
}

/** What was measured in the hours before the forecast, as the domain derived it. */
function useMeasured({ target, metric, origin, grid }: Forecast): readonly Point[] {
  const key = { site: target.site, device: `@${target.domain}:${target.subject}`, metric }
  const isHourly = grid[0]?.stepMs === hourMs
  const rollups = useRollups(key, origin - shownPastMs, origin, isHourly)
  const hours = rollups.data?.items
  return useMemo(() => hourlyEnergy(hours ?? []), [hours])
}

function chartOf(
  forecast: Forecast,
  measured: readonly Point[],
): { at: number[]; lines: Line[]; band: Band | undefined } {
  const all = stepsOf(forecast)
  const joined = joinTimes(measured, all)
  const byTime = new Map(all.map((step) => [step.at, step]))
  const steps = joined.at.map((moment) => byTime.get(moment))
  const lines: Line[] = []
  if (measured.length > 0) lines.push({ label: 'Measured', values: joined.measured, tone: 'ink' })
  if (forecast.baselineName !== undefined)
    lines.push({
      label: `Naive: ${forecasterName(forecast.baselineName).toLowerCase()}`,
      values: steps.map((step) => step?.baseline ?? null),
      tone: 'naive',
      dashed: true,
    })
  if (forecast.model.kind === 'learned') {
    lines.push({ label: 'Forecast', values: steps.map((step) => step?.mean ?? null), tone: 'accent' })
  }
  const bounds = boundsOf(forecast)
  const band = bounds && {
    label: `${percentText(bounds.level)} interval`,
    lo: steps.map((step) => step?.lo ?? null),
    hi: steps.map((step) => step?.hi ?? null),
  }
  return { at: joined.at, lines, band }
}

const axisFormat = new Intl.NumberFormat(undefined, { maximumFractionDigits: 3 })
