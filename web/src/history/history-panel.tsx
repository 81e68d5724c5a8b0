import { SegmentedControl } from '@mantine/core'
import { useEffect, useMemo, useState } from 'react'
import { useReadings, useRollups } from '../api/queries.ts'
import { idOf, type Reading, type Rollup, type SeriesKey } from '../api/types.ts'
import { Chart } from '../chart/chart.tsx'
import type { Band, Line } from '../chart/options.ts'
import { timeText } from '../format/time.ts'
import { formatCount, unitLabel, valueText } from '../format/value.ts'
import { isState, metricName, stateWord } from '../format/words.ts'
import { useEpoch, useLiveStore } from '../live/live.tsx'
import { hrefOf, type Range, type Route, ranges } from '../route.ts'
import { Answer, SectionHead } from '../shell/notes.tsx'
import {
  addToHours,
  columnsWithGaps,
  type Extent,
  extentOfHours,
  extentOfPoints,
  heldUntil,
  isUnusual,
  missesAnHour,
  neverSilent,
  type Point,
  reportsByHour,
  type Span,
  spanOf,
  withLive,
} from './points.ts'

type DeviceRoute = Extract<Route, { view: 'device' }>

interface HistoryProps {
  readonly series: SeriesKey
  readonly unit: string
  readonly zone: string
  readonly range: Range
  readonly newestAt: number
}

/** What a series did: raw readings of a day, hours beyond it, the live ones appended. */
export function HistoryPanel({ route, newest, zone }: { route: DeviceRoute; newest: Reading; zone: string }) {
  const { site, device, metric, unit } = newest
  const title = metricName(metric)
  return (
    <section className="panel" aria-label={`History of ${title}`}>
      <SectionHead title={title}>
        <SegmentedControl
          aria-label="Time shown"
          size="xs"
          value={route.range}
          onChange={(range) => {
            window.location.hash = hrefOf({ ...route, metric, range: range as Range })
          }}
          data={ranges.map((range) => ({ value: range, label: rangeNames[range] }))}
        />
      </SectionHead>
      <History
        // after a lost connection the whole span is asked anew, what was missed included
        key={`${metric}/${route.range}/${useEpoch()}`}
        series={{ site, device, metric }}
        unit={unit}
        zone={zone}
        range={route.range}
        newestAt={newest.at}
      />
    </section>
  )
}

/** Heights of what is to come, px, so that nothing below it moves. */
const chartHeight = 292
const stateHeight = 182
const factsHeight = 32

const rangeNames: Readonly<Record<Range, string>> = {
  '24h': '24 h',
  '7d': '7 days',
  '30d': '30 days',
  '1y': '1 year',
}

function History(props: HistoryProps) {
  const store = useLiveStore()
  const [span] = useState(() => spanOf(props.range, store.now(), props.newestAt))
  const recent = useRecent(props.series)
  const last = recent.at(-1)?.at ?? 0
  // the window moves on with what comes in
  const shift = span.endsNow ? Math.max(0, last - span.to) : 0
  const shown = { ...span, from: span.from + shift, to: span.to + shift }
  return (
    <>
      {!span.endsNow && (
        <p className="muted small">
          The data of this series ended on {timeText(props.newestAt, props.zone, 'full')}; what is shown ends
          there too.
        </p>
      )}
      {props.range === '24h' ? (
        <RawHistory {...props} span={span} shown={shown} recent={recent} />
      ) : (
        <HourHistory {...props} span={span} shown={shown} recent={recent} />
      )}
    </>
  )
}

interface PartProps extends HistoryProps {
  /** What was asked for; stays, so that it is asked once. */
  readonly span: Span
  readonly shown: Span
  readonly recent: readonly Point[]
}

function RawHistory({ series, unit, zone, span, shown, recent }: PartProps) {
  const stored = useReadings(series, span.from, span.to, true)
  const state = isState(series.metric, unit)
  const points = useMemo(
    () => withLive(stored.data?.items ?? [], recent, span.from),
    [stored.data, recent, span.from],
  )
  const chart = useMemo(() => {
    const drawn = state && shown.endsNow ? heldUntil(points, shown.to) : points
    const { at, values } = columnsWithGaps(drawn, [(point) => point.value], state ? neverSilent : isUnusual)
    const lines: Line[] = [
      { label: metricName(series.metric), values: values[0] ?? [], tone: 'accent', stepped: state },
    ]
    return { at, lines }
  }, [points, state, series.metric, shown.endsNow, shown.to])
  return (
    <Answer of={stored} height={state ? stateHeight : chartHeight + factsHeight}>
      {({ complete }) => (
        <>
          <SeriesChart {...chart} metric={series.metric} unit={unit} zone={zone} span={shown} />
          {!complete && (
            <p className="muted small">
              There are more readings than a chart can hold; the first ones are shown.
            </p>
          )}
          {!state && (
            <Facts extent={extentOfPoints(points)} metric={series.metric} unit={unit} what="Readings" />
          )}
        </>
      )}
    </Answer>
  )
}

function HourHistory({ series, unit, zone, span, shown, recent }: PartProps) {
  const stored = useRollups(series, span.from, span.to)
  const state = isState(series.metric, unit)
  const askedAt = stored.dataUpdatedAt
  const hours = useMemo(() => {
    const newer = recent.filter(({ at }) => at > Math.min(askedAt, span.to))
    return newer.reduce(addToHours, stored.data?.items ?? [])
  }, [stored.data, askedAt, recent, span.to])
  const chart = useMemo(
    () => (state ? reportsChart(series.metric, unit, hours) : hoursChart(hours)),
    [hours, state, series.metric, unit],
  )
  return (
    <Answer of={stored} height={state ? chartHeight : chartHeight + factsHeight}>
      {() => (
        <>
          <SeriesChart
            {...chart}
            metric={series.metric}
            unit={unit}
            zone={zone}
            span={shown}
            counts={state}
          />
          {!state && (
            <Facts extent={extentOfHours(hours)} metric={series.metric} unit={unit} what="Readings" />
          )}
        </>
      )}
    </Answer>
  )
}

function hoursChart(hours: readonly Rollup[]): { at: number[]; lines: Line[]; band: Band } {
  const read = [(hour: Rollup) => hour.mean, (hour: Rollup) => hour.min, (hour: Rollup) => hour.max]
  const columns = columnsWithGaps(hours, read, missesAnHour)
  const [mean = [], lo = [], hi = []] = columns.values
  const lines: Line[] = [{ label: 'Mean of the hour', values: mean, tone: 'accent' }]
  return { at: columns.at, lines, band: { label: 'Lowest to highest', lo, hi } }
}

function reportsChart(
  metric: string,
  unit: string,
  hours: readonly Rollup[],
): { at: number[]; lines: Line[] } {
  const points = reportsByHour(hours)
  const label = `Reports of "${stateWord(metric, unit, 1)}" an hour`
  const lines: Line[] = [{ label, values: points.map(({ value }) => value), tone: 'accent' }]
  return { at: points.map(({ at }) => at), lines }
}

interface SeriesChartProps {
  readonly at: readonly number[]
  readonly lines: readonly Line[]
  readonly band?: Band
  readonly metric: string
  readonly unit: string
  readonly zone: string
  readonly span: Span
  /** Values are numbers of reports, not states. */
  readonly counts?: boolean
}

function SeriesChart({ metric, unit, zone, span, counts = false, ...chart }: SeriesChartProps) {
  const text = (value: number) => (counts ? formatCount(value) : valueText(value, unit, metric))
  return (
    <Chart
      {...chart}
      across={{ kind: 'time', zone }}
      label={`${metricName(metric)} from ${timeText(span.from, zone, 'full')} to ${timeText(span.to, zone, 'full')}. Arrow keys read values.`}
      from={span.from}
      to={span.to}
      height={isState(metric, unit) && !counts ? 150 : 260}
      fromZero={unit === 'W' || unit === 'kWh' || unit === 'lx' || isState(metric, unit)}
      unit={counts ? '' : unitLabel(unit)}
      valueText={text}
      axisText={(value) =>
        isState(metric, unit) && !counts ? (stateWord(metric, unit, value) ?? '') : axisText(value)
      }
    />
  )
}

function Facts({
  extent,
  metric,
  unit,
  what,
}: {
  extent: Extent | undefined
  metric: string
  unit: string
  what: string
}) {
  if (!extent) return null
  const shown = { Lowest: extent.min, Mean: extent.mean, Highest: extent.max }
  return (
    <dl className="facts">
      {Object.entries(shown).map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{valueText(value, unit, metric)}</dd>
        </div>
      ))}
      <div>
        <dt>{what}</dt>
        <dd>{formatCount(extent.count)}</dd>
      </div>
    </dl>
  )
}

/** At most so many live points are kept for a chart that stays open for days. */
const mostRecent = 20_000

/** Readings of one series since the chart was opened. */
function useRecent({ site, device, metric }: SeriesKey): readonly Point[] {
  const store = useLiveStore()
  const [points, setPoints] = useState<readonly Point[]>([])
  useEffect(() => {
    let waiting: Point[] = []
    const stop = store.watch(idOf({ site, device, metric }), ({ at, value }) => waiting.push({ at, value }))
    const timer = setInterval(() => {
      if (waiting.length === 0) return
      const fresh = waiting
      waiting = []
      setPoints((known) => [...known, ...fresh].slice(-mostRecent))
    }, 1000)
    return () => {
      stop()
      clearInterval(timer)
    }
  }, [store, site, device, metric])
  return points
}

/** Figures of the axis in the reader's notation, as short as they go. */
const axisFormat = new Intl.NumberFormat(undefined, { maximumFractionDigits: 3 })
const axisText = (value: number): string => axisFormat.format(value)
