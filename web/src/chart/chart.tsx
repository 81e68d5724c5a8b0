import { useComputedColorScheme } from '@mantine/core'
import { type KeyboardEvent, useEffect, useEffectEvent, useMemo, useRef, useState } from 'react'
import uPlot from 'uplot'
import { plural, spans, timeText } from '../format/time.ts'
import { type Across, type Band, type ChartShape, chartOptions, type Line } from './options.ts'

interface ChartProps {
  /** What the chart shows, a sentence for those who do not see it. */
  readonly label: string
  /** UTC ms, or ms ahead of the origin; ascending. */
  readonly at: readonly number[]
  readonly lines: readonly Line[]
  readonly band?: Band
  readonly across: Across
  /** Ends of the axis below, as `at`. */
  readonly from: number
  readonly to: number
  readonly fromZero?: boolean
  readonly height?: number
  /** A place marked by an upright line, as `at`. */
  readonly marker?: number
  /** Unit of the axis at the left, as people write it; empty for states. */
  readonly unit: string
  readonly valueText: (value: number) => string
  readonly axisText: (value: number) => string
}

/**
 * Lines and a band over time. Pointer or arrow keys read values; what is read stands above the chart, at a fixed
 * place, and is told to a screen reader as the value of a slider.
 */
export function Chart(props: ChartProps) {
  const { at, lines, band, across, from, to, label } = props
  const [index, setIndex] = useState<number>()
  const { host, plot } = usePlot(props, setIndex)
  const read = index !== undefined && index < at.length ? index : undefined
  const last = at.length - 1

  const onKeyDown = (event: KeyboardEvent) => {
    const next = { ArrowLeft: (read ?? last + 1) - 1, ArrowRight: (read ?? -1) + 1, Home: 0, End: last }[
      event.key
    ]
    const chart = plot.current
    const moment = next === undefined ? undefined : at[Math.min(last, Math.max(0, next))]
    if (!chart || moment === undefined) return
    event.preventDefault()
    chart.setCursor({ left: chart.valToPos(moment / 1000, 'x'), top: 0 })
  }

  return (
    <div>
      <Readout {...props} index={read} />
      <div
        className="chart"
        role="slider"
        tabIndex={0}
        aria-label={label}
        aria-valuemin={0}
        aria-valuemax={Math.max(0, last)}
        aria-valuenow={read ?? Math.max(0, last)}
        aria-valuetext={spoken(at, lines, band, across, read ?? last, props.valueText)}
        onKeyDown={onKeyDown}
        onBlur={() => plot.current?.setCursor({ left: -10, top: -10 })}
      >
        <div ref={host} />
        {!at.some((moment) => moment >= from && moment <= to) && (
          <div className="chart-empty">No readings in this time</div>
        )}
      </div>
    </div>
  )
}

function usePlot(props: ChartProps, onCursor: (index: number | undefined) => void) {
  const { at, lines, band, across, from, to, fromZero = false, height = 260, marker } = props
  const host = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot>(undefined)
  const scheme = useComputedColorScheme('light')
  const shape: ChartShape = {
    lines: lines.map(({ label, tone, dashed = false, stepped = false }) => ({
      label,
      tone,
      dashed,
      stepped,
    })),
    band: band !== undefined,
    across,
    height,
    fromZero,
  }
  const shapeText = JSON.stringify(shape)
  const data = useMemo((): uPlot.AlignedData => {
    const columns: (readonly (number | null)[])[] = lines.map(({ values }) => values)
    if (band) columns.push(band.lo, band.hi)
    return [at.map((ms) => ms / 1000), ...columns.map((column) => [...column])]
  }, [at, lines, band])

  const axisText = useEffectEvent((value: number) => props.axisText(value))
  const markerAt = useEffectEvent(() => marker)
  const cursor = useEffectEvent(onCursor)
  const fill = useEffectEvent((chart: uPlot) => {
    chart.batch(() => {
      chart.setData(data, false)
      chart.setScale('x', { min: from / 1000, max: to / 1000 })
    })
  })

  useEffect(() => {
    const element = host.current
    if (!element) return
    const hooks = {
      axisText: (value: number) => axisText(value),
      onCursor: (index: number | undefined) => cursor(index),
      marker: () => markerAt(),
    }
    const options = chartOptions(JSON.parse(shapeText) as ChartShape, hooks, element.clientWidth)
    const chart = new uPlot(options, undefined, element)
    plot.current = chart
    fill(chart)
    const observer = new ResizeObserver(() => {
      chart.setSize({ width: element.clientWidth, height: chart.height })
    })
    observer.observe(element)
    return () => {
      observer.disconnect()
      chart.destroy()
      plot.current = undefined
    }
  }, [shapeText])

  // biome-ignore lint/correctness/useExhaustiveDependencies: a changed colour scheme draws anew
  useEffect(() => {
    if (plot.current) fill(plot.current)
  }, [data, from, to, marker, scheme])

  return { host, plot }
}

function Readout({
  at,
  lines,
  band,
  across,
  unit,
  valueText,
  index,
}: ChartProps & { index: number | undefined }) {
  const moment = index === undefined ? undefined : at[index]
  const textAt = (values: readonly (number | null)[]) => {
    const value = index === undefined ? undefined : values[index]
    return value === undefined || value === null ? undefined : valueText(value)
  }
  return (
    <div className="readout" aria-hidden="true">
      {unit && <span className="readout-unit">{unit}</span>}
      {lines.map((line) => (
        <span className="readout-item" key={line.label}>
          <span className="swatch" data-tone={line.tone} data-dashed={line.dashed ?? false} />
          {line.label} <b>{textAt(line.values)}</b>
        </span>
      ))}
      {band && (
        <span className="readout-item">
          <span className="swatch" data-band="true" />
          {band.label} <b>{rangeText(textAt(band.lo), textAt(band.hi))}</b>
        </span>
      )}
      <span className="readout-time">{moment !== undefined && placeText(moment, across)}</span>
    </div>
  )
}

const placeText = (at: number, across: Across): string =>
  across.kind === 'time'
    ? timeText(at, across.zone, 'dayClock')
    : `${plural(Math.round(at / spans.hourMs), 'hour')} ahead`

const rangeText = (lo: string | undefined, hi: string | undefined): string | undefined =>
  lo === undefined || hi === undefined ? undefined : `${lo} to ${hi}`

function spoken(
  at: readonly number[],
  lines: readonly Line[],
  band: Band | undefined,
  across: Across,
  index: number,
  text: (value: number) => string,
): string {
  const moment = at[index]
  if (moment === undefined) return 'no readings'
  const say = (label: string, value: number | null | undefined) =>
    value === null || value === undefined ? undefined : `${label} ${text(value)}`
  const parts = lines.map((line) => say(line.label, line.values[index]))
  if (band) parts.push(say('from', band.lo[index]), say('to', band.hi[index]))
  return [placeText(moment, across), ...parts.filter((part) => part !== undefined)].join(', ')
}
