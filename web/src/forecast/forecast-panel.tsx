import { useMemo } from 'react'
import { useCards, useForecasts, useRollups } from '../api/queries.ts'
import type { Card, Forecast } from '../api/types.ts'
import { Chart } from '../chart/chart.tsx'
import type { Band, Line } from '../chart/options.ts'
import { timeText } from '../format/time.ts'
import { percentText, unitLabel, valueText } from '../format/value.ts'
import { versionText } from '../format/version.ts'
import { forecasterName, metricName } from '../format/words.ts'
import type { Point } from '../history/points.ts'
import { useClock } from '../live/live.tsx'
import { ErrorNote, SectionHead } from '../shell/notes.tsx'
import { CardPanel } from './card-panel.tsx'
import { energySources, hourlyEnergy, joinTimes } from './energy.ts'
import { Learning } from './learning.tsx'
import { cardOf, cardsOf, totalOf } from './score.ts'

const hourMs = 3_600_000
const shownPastMs = 48 * hourMs

/** Every forecast of a device, each with its report. */
export function DeviceForecasts({
  site,
  device,
  metrics,
  zone,
}: {
  site: string
  device: string
  metrics: readonly string[]
  zone: string
}) {
  const forecasts = useForecasts(site, device)
  const cards = useCards(site, device)
  if (forecasts.error && !forecasts.data) return <ErrorNote error={forecasts.error} />
  return (forecasts.data ?? []).map((forecast) => (
    <ForecastPanel
      key={forecast.metric}
      forecast={forecast}
      card={cardOf(forecast, cards.data ?? [])}
      cards={cardsOf(forecast, cards.data ?? [])}
      metrics={metrics}
      zone={zone}
    />
  ))
}

interface PanelProps {
  readonly forecast: Forecast
  readonly card: Card | undefined
  readonly cards: readonly Card[]
  readonly metrics: readonly string[]
  readonly zone: string
}

function ForecastPanel({ forecast, card, cards, metrics, zone }: PanelProps) {
  const naive = forecast.model.kind === 'naive'
  const title = `${metricName(forecast.metric)}, next ${Math.round((forecast.steps.length * forecast.stepMs) / hourMs)} hours`
  return (
    <section className="panel" aria-label={`Forecast of ${metricName(forecast.metric)}`}>
      <SectionHead title={title}>
        <span className="tag" data-tone={naive ? 'muted' : 'accent'}>
          {naive ? 'Naive forecast' : `Learnt model, ${versionText(forecast.model.version, zone)}`}
        </span>
      </SectionHead>
      <Standing forecast={forecast} zone={zone} />
      <ForecastChart forecast={forecast} metrics={metrics} zone={zone} />
      {card && <CardPanel forecast={forecast} card={card} cards={cards} zone={zone} />}
      <Learning
        series={{ site: forecast.site, device: forecast.device, metric: forecast.metric }}
        zone={zone}
      />
    </section>
  )
}

/** From when the forecast is, and why it is a naive one where it is. */
function Standing({ forecast, zone }: { forecast: Forecast; zone: string }) {
  const past = useClock((now) => (forecast.steps.at(-1)?.at ?? 0) + forecast.stepMs < now, 60_000)
  const origin = timeText(forecast.origin, zone, 'full')
  return (
    <p className="muted small">
      {past ? `Forecast from the end of the data, ${origin}.` : `Made from everything up to ${origin}.`}{' '}
      {forecast.model.kind === 'naive' &&
        `Naive forecast: ${forecasterName(forecast.model.name).toLowerCase()}.`}{' '}
      Total {valueText(totalOf(forecast), forecast.unit, forecast.metric)}.
    </p>
  )
}

function ForecastChart({ forecast, metrics, zone }: Pick<PanelProps, 'forecast' | 'metrics' | 'zone'>) {
  const measured = useMeasured(forecast, metrics)
  const { at, lines, band } = useMemo(() => chartOf(forecast, measured), [forecast, measured])
  const end = (forecast.steps.at(-1)?.at ?? forecast.origin) + forecast.stepMs
  return (
    <Chart
      label={`Forecast of ${metricName(forecast.metric)} of ${forecast.device}, beside the naive one. Arrow keys read values.`}
      at={at}
      lines={lines}
      {...(band ? { band } : {})}
      across={{ kind: 'time', zone }}
      from={measured[0]?.at ?? forecast.origin}
      to={end}
      fromZero
      marker={forecast.origin}
      unit={unitLabel(forecast.unit)}
      valueText={(value) => valueText(value, forecast.unit, forecast.metric)}
      axisText={(value) => axisFormat.format(value)}
    />
  )
}

/** What was measured in the hours before the forecast, where the device has a series to read it off. */
function useMeasured(forecast: Forecast, metrics: readonly string[]): readonly Point[] {
  const isEnergy = forecast.metric === 'energy' && forecast.stepMs === hourMs
  const source = isEnergy ? energySources.find((metric) => metrics.includes(metric)) : undefined
  const key = { site: forecast.site, device: forecast.device, metric: source ?? forecast.metric }
  const from = forecast.origin - shownPastMs
  const rollups = useRollups(key, from - hourMs, forecast.origin, source !== undefined)
  const hours = rollups.data?.items
  return useMemo(
    () => (source && hours ? hourlyEnergy(source, hours).filter(({ at }) => at >= from) : []),
    [source, hours, from],
  )
}

function chartOf(
  forecast: Forecast,
  measured: readonly Point[],
): { at: number[]; lines: Line[]; band: Band | undefined } {
  const joined = joinTimes(measured, forecast.steps)
  const byTime = new Map(forecast.steps.map((step) => [step.at, step]))
  const steps = joined.at.map((moment) => byTime.get(moment))
  const naiveLabel = `Naive: ${forecasterName(forecast.naiveName).toLowerCase()}`
  const lines: Line[] = []
  if (measured.length > 0) lines.push({ label: 'Measured', values: joined.measured, tone: 'ink' })
  lines.push({
    label: naiveLabel,
    values: steps.map((step) => step?.naive ?? null),
    tone: 'naive',
    dashed: true,
  })
  if (forecast.model.kind === 'learned') {
    lines.push({ label: 'Forecast', values: steps.map((step) => step?.mean ?? null), tone: 'accent' })
  }
  const hasBand = forecast.steps.some((step) => step.lo !== undefined && step.hi !== undefined)
  const band = hasBand
    ? {
        label: `${percentText(forecast.level)} interval`,
        lo: steps.map((step) => step?.lo ?? null),
        hi: steps.map((step) => step?.hi ?? null),
      }
    : undefined
  return { at: joined.at, lines, band }
}

const axisFormat = new Intl.NumberFormat(undefined, { maximumFractionDigits: 3 })
