import type { SeriesKey } from '../api/types.ts'
import { ageText, timeText } from '../format/time.ts'
import { formatValue } from '../format/value.ts'
import { useClock, useReading } from '../live/live.tsx'
import { isStale } from '../live/merge.ts'

/** The newest value of a series, as it comes. */
export function Value({ series }: { series: SeriesKey }) {
  const live = useReading(series)
  if (!live) return <span className="muted">no reading</span>
  const { text, unit } = formatValue(live.reading.value, live.reading.unit, series.metric)
  return (
    <>
      {text}
      {unit && <span className="unit"> {unit}</span>}
    </>
  )
}

/** How long ago a series spoke; said aloud when it has fallen silent. */
export function Age({ series, zone }: { series: SeriesKey; zone: string }) {
  const live = useReading(series)
  const age = useClock((now) => (live ? ageText(live.reading.at, now, zone) : ''))
  const stale = useClock((now) => live !== undefined && isStale(live, now))
  if (!live) return <span className="age" />
  return (
    <span className="age" data-stale={stale} title={timeText(live.reading.at, zone, 'full')}>
      {stale && /^\d+ \w+$/.test(age) ? `silent ${age}` : age}
    </span>
  )
}
