import { Button, VisuallyHidden } from '@mantine/core'
import { useState } from 'react'
import { useAcknowledge, useResolve, useSnooze } from '../api/changes.ts'
import { useIncident } from '../api/queries.ts'
import type { Incident, IncidentAlert } from '../api/types.ts'
import { useDeviceName } from '../devices/names.ts'
import { plural, timeText } from '../format/time.ts'
import { plainName } from '../format/words.ts'
import { useLiveStore } from '../live/live.tsx'
import { hrefOf } from '../route.ts'
import { Confirm } from '../shell/confirm.tsx'
import { Answer, ErrorNote } from '../shell/notes.tsx'
import { courseText, levelTones, snoozeChoices, statusTags, subjectText } from './describe.ts'

interface IncidentProps {
  readonly incident: Incident
  readonly zone: string
}

/** One incident: what is wrong, since when, who takes care of it, and what can be done. */
export function IncidentRow({ incident, zone, mayAct }: IncidentProps & { readonly mayAct: boolean }) {
  return (
    <li data-status={incident.status}>
      <IncidentHead incident={incident} zone={zone} />
      {mayAct && incident.status !== 'resolved' && <Actions incident={incident} zone={zone} />}
      <AlertsOf incident={incident} zone={zone} />
    </li>
  )
}

/** What an incident is about, in two lines. */
export function IncidentHead({ incident, zone }: IncidentProps) {
  const { level, message, status } = incident
  return (
    <>
      <div className="incident-head">
        <span className="tag" data-tone={status === 'resolved' ? 'muted' : levelTones[level]}>
          {level}
        </span>
        <span className="incident-message">{message}</span>
        {statusTags(incident, zone).map(({ text, tone }) => (
          <span key={text} className="tag" data-tone={tone}>
            {text}
          </span>
        ))}
      </div>
      <div className="muted small">
        <Subject incident={incident} /> · {courseText(incident, zone)}
      </div>
    </>
  )
}

/** Links to the series that it is about where there is one. */
function Subject({ incident }: { incident: Incident }) {
  const { target, device, metric } = incident
  const nameOf = useDeviceName(target.site)
  const text = subjectText(incident, nameOf)
  if (device === undefined || metric === undefined) return text
  return (
    <a
      className="plain-link"
      href={hrefOf({ view: 'device', site: target.site, device, metric, range: '24h' })}
    >
      {text}
    </a>
  )
}

function Actions({ incident, zone }: IncidentProps) {
  const acknowledge = useAcknowledge(incident.id)
  const snooze = useSnooze(incident.id)
  const store = useLiveStore()
  const of = <VisuallyHidden> {incident.message}</VisuallyHidden>
  const error = acknowledge.error ?? snooze.error
  return (
    <>
      <div className="incident-actions">
        {incident.acknowledged === undefined && (
          <Button
            size="compact-xs"
            variant="default"
            loading={acknowledge.isPending}
            onClick={() => acknowledge.mutate()}
          >
            Acknowledge{of}
          </Button>
        )}
        <fieldset className="choices">
          <legend>
            Snooze<VisuallyHidden> {incident.message}</VisuallyHidden>
          </legend>
          {snoozeChoices(store.now(), zone).map(({ text }, index) => (
            <Button
              key={text}
              size="compact-xs"
              variant="default"
              disabled={snooze.isPending}
              // what was drawn a while ago counts from the click on
              onClick={() => snooze.mutate(snoozeChoices(store.now(), zone)[index]!.until)}
            >
              {text}
            </Button>
          ))}
        </fieldset>
        <ResolveButton incident={incident} />
      </div>
      {error && <ErrorNote error={error} />}
    </>
  )
}

function ResolveButton({ incident }: { incident: Incident }) {
  const [asking, setAsking] = useState(false)
  const resolve = useResolve(incident.id)
  const run = () => resolve.mutate(undefined, { onSuccess: () => setAsking(false) })
  return (
    <>
      <Button size="compact-xs" variant="default" onClick={() => setAsking(true)}>
        Resolve…<VisuallyHidden> {incident.message}</VisuallyHidden>
      </Button>
      <Confirm
        opened={asking}
        onClose={() => setAsking(false)}
        title="Resolve it?"
        keep="Leave it open"
        choices={[{ text: 'Resolve', run, busy: resolve.isPending }]}
        error={resolve.error}
      >
        <p>{incident.message}</p>
        <p className="muted">
          An incident resolves by itself once its alerts are closed. Resolve it yourself when they never will
          be, for a sensor that is gone. A new alert opens it again.
        </p>
      </Confirm>
    </>
  )
}

function AlertsOf({ incident, zone }: IncidentProps) {
  const [opened, setOpened] = useState(false)
  return (
    <details className="earlier" onToggle={(event) => setOpened(event.currentTarget.open)}>
      <summary>
        {plural(incident.occurrences, 'alert')}
        <VisuallyHidden> of {incident.message}</VisuallyHidden>
      </summary>
      {opened && <AlertList id={incident.id} zone={zone} />}
    </details>
  )
}

function AlertList({ id, zone }: { id: string; zone: string }) {
  return (
    <Answer of={useIncident(id)} height={60}>
      {({ alerts, occurrences }) => (
        <>
          <ul className="told">
            {alerts.toReversed().map((alert) => (
              <li key={`${alert.rule} ${alert.since}`}>
                <div>{alert.message}</div>
                <div className="muted small">{alertText(alert, zone)}</div>
              </li>
            ))}
          </ul>
          {occurrences > alerts.length && (
            <p className="muted small">
              The newest {alerts.length} of {occurrences} are kept.
            </p>
          )}
        </>
      )}
    </Answer>
  )
}

function alertText({ rule, level, since, until, late }: IncidentAlert, zone: string): string {
  const end = until === undefined ? '' : ` until ${timeText(until, zone, 'full')}`
  const parts = [plainName(rule), level, `since ${timeText(since, zone, 'full')}${end}`]
  if (late) parts.push('reported late')
  return parts.join(' · ')
}
