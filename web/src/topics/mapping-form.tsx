import { Button, Checkbox, TextInput, VisuallyHidden } from '@mantine/core'
import { type FormEvent, useDeferredValue, useState } from 'react'
import { useAddMapping } from '../api/changes.ts'
import { useMappingPreview, useProposal } from '../api/queries.ts'
import type { HeardTopic, MappingPreview, TopicMapping } from '../api/types.ts'
import { valueText } from '../format/value.ts'
import { metricName } from '../format/words.ts'
import { Answer, ErrorNote } from '../shell/notes.tsx'
import { type Draft, type DraftRow, draftFault, draftOf, forAllDevices, mappingOf } from './draft.ts'

/** Proposes a mapping for a topic, shows what it would read, and adds it. */
export function MapThis({ heard: newest, onDone }: { heard: HeardTopic; onDone: () => void }) {
  // the message that the form began with: the next one must not change it under the one who fills it in
  const [heard] = useState(newest)
  return (
    <Answer of={useProposal(heard.topic, heard.payload)} height={80}>
      {({ mapping }) => <MappingForm heard={heard} proposed={mapping} onDone={onDone} />}
    </Answer>
  )
}

interface FormProps {
  readonly heard: HeardTopic
  readonly proposed: TopicMapping
  readonly onDone: () => void
}

function MappingForm({ heard, proposed, onDone }: FormProps) {
  const [draft, setDraft] = useState(() => draftOf(proposed))
  const add = useAddMapping()
  const change = (part: Partial<Draft>) => setDraft({ ...draft, ...part })
  const fault = draftFault(draft)
  const wider = forAllDevices(draft)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (fault === undefined) add.mutate(mappingOf(draft), { onSuccess: onDone })
  }
  return (
    <form onSubmit={submit} className="mapping-form" aria-label={`Mapping of ${heard.topic}`}>
      <div className="mapping-place">
        <TextInput
          label="Topics"
          description="Levels may be {device}, {room}, {site}, {metric} or +"
          value={draft.topic}
          maxLength={500}
          onChange={(event) => change({ topic: event.currentTarget.value })}
        />
        <TextInput
          label="Device"
          description={draft.topic.includes('{device}') ? 'From the topic' : 'Its name'}
          value={draft.device}
          maxLength={128}
          onChange={(event) => change({ device: event.currentTarget.value })}
        />
        <TextInput
          label="Room"
          description="May stay empty"
          value={draft.room}
          maxLength={100}
          onChange={(event) => change({ room: event.currentTarget.value })}
        />
      </div>
      {wider && (
        <Button size="compact-xs" variant="default" onClick={() => setDraft(wider)}>
          For every device on such topics
        </Button>
      )}
      <Values rows={draft.rows} onChange={(rows) => change({ rows })} />
      <Preview heard={heard} draft={draft} fault={fault} />
      <div className="mapping-end">
        <Button type="submit" loading={add.isPending} disabled={fault !== undefined}>
          Add mapping
        </Button>
        <Button variant="default" onClick={onDone}>
          Cancel
        </Button>
      </div>
      {add.error && <ErrorNote error={add.error} />}
    </form>
  )
}

interface ValuesProps {
  readonly rows: readonly DraftRow[]
  readonly onChange: (rows: readonly DraftRow[]) => void
}

/** What each value of the message is. */
function Values({ rows, onChange }: ValuesProps) {
  const change = (path: string, part: Partial<DraftRow>) =>
    onChange(rows.map((row) => (row.path === path ? { ...row, ...part } : row)))
  if (rows.length === 0)
    return <p className="muted small">The last payload has no value that is a number or a state.</p>
  return (
    <ul className="mapping-values" aria-label="Values">
      {rows.map((row) => {
        const name = row.path === '' ? 'Payload' : row.path
        return (
          <li key={row.path}>
            <Checkbox
              label={name}
              checked={row.isTaken}
              onChange={(event) => change(row.path, { isTaken: event.currentTarget.checked })}
            />
            <TextInput
              size="xs"
              aria-label={`Metric of ${name}`}
              placeholder="metric"
              value={row.metric}
              maxLength={64}
              disabled={!row.isTaken}
              onChange={(event) => change(row.path, { metric: event.currentTarget.value })}
            />
            <TextInput
              size="xs"
              aria-label={`Unit of ${name}`}
              placeholder="unit"
              value={row.unit}
              maxLength={20}
              disabled={!row.isTaken}
              onChange={(event) => change(row.path, { unit: event.currentTarget.value })}
            />
          </li>
        )
      })}
    </ul>
  )
}

interface PreviewProps {
  readonly heard: HeardTopic
  readonly draft: Draft
  readonly fault: string | undefined
}

/** What the mapping would make of the last message. */
function Preview({ heard, draft, fault }: PreviewProps) {
  // typing goes on while the hub is asked
  const settled = useDeferredValue(draft)
  const preview = useMappingPreview(heard, mappingOf(settled), fault === undefined)
  return (
    <div className="mapping-preview" aria-live="polite">
      <strong className="small">From the last message</strong>
      {fault === undefined ? (
        <Answer of={preview} height={20}>
          {(found) => <PreviewLines found={found} />}
        </Answer>
      ) : (
        <p className="muted small">{fault}</p>
      )}
    </div>
  )
}

function PreviewLines({ found }: { found: MappingPreview }) {
  if (!found.fits) return <p className="muted small">The mapping does not fit this topic.</p>
  return (
    <ul className="told small">
      {found.readings.map(({ device, metric, value, unit, room }) => (
        <li key={`${device}/${metric}`}>
          {device}
          {room !== undefined && ` (${room})`} · {metricName(metric)}{' '}
          <strong>{valueText(value, unit, metric)}</strong>
        </li>
      ))}
      {found.problems.map(({ code, message }) => (
        <li key={message}>
          <span className="tag" data-tone="amber">
            {code}
          </span>{' '}
          {message}
        </li>
      ))}
      {found.readings.length + found.problems.length === 0 && <li>No reading.</li>}
      {found.unread.length > 0 && (
        <li className="muted">
          <VisuallyHidden>Fields: </VisuallyHidden>Not taken: {found.unread.join(', ')}
        </li>
      )}
    </ul>
  )
}
