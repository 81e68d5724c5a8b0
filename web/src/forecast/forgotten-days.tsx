import { Button, TextInput, VisuallyHidden } from '@mantine/core'
import { type FormEvent, useState } from 'react'
import { useForget, useRemember } from '../api/changes.ts'
import { useForgotten } from '../api/queries.ts'
import type { Forgotten, SeriesKey } from '../api/types.ts'
import { dayOf, endOfDay, startOfDay } from '../format/day.ts'
import { timeText } from '../format/time.ts'
import { metricName } from '../format/words.ts'
import { useLiveStore } from '../live/live.tsx'
import { ErrorNote } from '../shell/notes.tsx'
import { deciderText } from './life.ts'

interface DaysProps {
  readonly series: SeriesKey
  readonly zone: string
  readonly mayChange: boolean
}

/** Days that no model learns from, and how to name another one. */
export function ForgottenDays({ series, zone, mayChange }: DaysProps) {
  const spans = (useForgotten(series.site).data ?? []).filter((span) => span.series.device === series.device)
  return (
    <>
      {spans.length > 0 && (
        <ul className="told" aria-label="Forgotten days">
          {spans.map((span) => (
            <SpanRow key={span.id} span={span} metric={series.metric} zone={zone} mayChange={mayChange} />
          ))}
        </ul>
      )}
      {mayChange && (
        <details className="earlier">
          <summary>Forget a day</summary>
          <ForgetForm series={series} zone={zone} />
        </details>
      )}
    </>
  )
}

interface SpanRowProps {
  readonly span: Forgotten
  /** Of the forecast; another one is named. */
  readonly metric: string
  readonly zone: string
  readonly mayChange: boolean
}

function SpanRow({ span, metric, zone, mayChange }: SpanRowProps) {
  const remember = useRemember()
  const when = spanText(span, zone)
  return (
    <li>
      <div className="version-foot">
        <span>
          <span className="tag">Forgotten</span> {when}
          {span.series.metric !== metric && ` of ${metricName(span.series.metric)}`}
          {span.reason && `: ${span.reason}`}
        </span>
        {mayChange && (
          <Button
            size="compact-xs"
            variant="default"
            loading={remember.isPending}
            onClick={() => remember.mutate(span.id)}
          >
            Take back
            <VisuallyHidden>: learn from {when} again</VisuallyHidden>
          </Button>
        )}
      </div>
      <div className="muted small">
        By {deciderText(span.by)}, {timeText(span.at, zone, 'full')}. Its readings are kept.
      </div>
      {remember.error && <ErrorNote error={remember.error} />}
    </li>
  )
}

/** Whole civil days by their dates, other spans by their moments. */
function spanText({ from, to }: Forgotten, zone: string): string {
  const [first, last] = [dayOf(from, zone), dayOf(to - 1, zone)]
  const whole = startOfDay(first, zone) === from && endOfDay(last, zone) === to
  if (!whole) return `${timeText(from, zone, 'full')} to ${timeText(to, zone, 'full')}`
  const begin = timeText(from, zone, 'date')
  return first === last ? begin : `${begin} to ${timeText(to - 1, zone, 'date')}`
}

function ForgetForm({ series, zone }: { series: SeriesKey; zone: string }) {
  const forget = useForget(series)
  const today = dayOf(useLiveStore().now(), zone)
  const [first, setFirst] = useState('')
  const [last, setLast] = useState('')
  const [reason, setReason] = useState('')
  const from = startOfDay(first, zone)
  const to = endOfDay(last === '' ? first : last, zone)
  const isSpan = from !== undefined && to !== undefined && from < to
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (!isSpan) return
    const empty = () => {
      setFirst('')
      setLast('')
      setReason('')
    }
    forget.mutate({ from, to, reason: reason.trim() }, { onSuccess: empty })
  }
  return (
    <form onSubmit={submit}>
      <p className="small muted">
        Holidays, guests, a broken sensor: the readings are kept, and the models are learnt anew without these
        days, in {zone}. It can be taken back.
      </p>
      <div className="fields">
        <TextInput
          type="date"
          label="Day"
          required
          withAsterisk={false}
          max={today}
          value={first}
          onChange={(event) => setFirst(event.currentTarget.value)}
        />
        <TextInput
          type="date"
          label="Last day, if several"
          min={first}
          max={today}
          value={last}
          onChange={(event) => setLast(event.currentTarget.value)}
        />
        <TextInput
          label="Why (kept beside it)"
          maxLength={500}
          value={reason}
          onChange={(event) => setReason(event.currentTarget.value)}
        />
        <Button type="submit" variant="default" disabled={!isSpan} loading={forget.isPending}>
          Forget
        </Button>
      </div>
      {forget.error && <ErrorNote error={forget.error} />}
    </form>
  )
}
