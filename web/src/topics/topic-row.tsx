import { Button, VisuallyHidden } from '@mantine/core'
import { useState } from 'react'
import type { HeardTopic } from '../api/types.ts'
import { ageText, plural, timeText } from '../format/time.ts'
import { useLiveStore } from '../live/live.tsx'
import { payloadText } from './draft.ts'
import { MapThis } from './mapping-form.tsx'

const kinds = {
  unmapped: { text: 'No mapping', tone: 'amber' },
  fields: { text: 'Fields not read', tone: 'muted' },
  retained: { text: 'Retained, age unknown', tone: 'muted' },
} as const satisfies Record<HeardTopic['kind'], { text: string; tone: string }>

/** A topic that is heard and not stored, and why. */
export function TopicRow({ heard, zone }: { heard: HeardTopic; zone: string }) {
  const [isMapping, setMapping] = useState(false)
  const { text, tone } = kinds[heard.kind]
  const shown = payloadText(heard.payload)
  return (
    <li>
      <div className="topic-head">
        <strong className="topic-name">{heard.topic}</strong>
        <span className="tag" data-tone={tone}>
          {text}
        </span>
        {!isMapping && heard.kind !== 'retained' && (
          <Button size="compact-xs" variant="default" onClick={() => setMapping(true)}>
            Map this<VisuallyHidden> topic: {heard.topic}</VisuallyHidden>
          </Button>
        )}
      </div>
      <div className="muted small">
        <Course heard={heard} zone={zone} />
      </div>
      {heard.fields.length > 0 && <div className="small">Not read: {heard.fields.join(', ')}</div>}
      <pre className="code topic-payload">{shown === '' ? '(empty)' : shown}</pre>
      {isCut(heard) && <div className="muted small">The beginning of {plural(heard.bytes, 'byte')}.</div>}
      {isMapping && <MapThis heard={heard} onDone={() => setMapping(false)} />}
    </li>
  )
}

/** Bytes and characters differ where there are umlauts. */
const isCut = ({ bytes, payload }: HeardTopic): boolean => bytes > new TextEncoder().encode(payload).length

function Course({ heard, zone }: { heard: HeardTopic; zone: string }) {
  const now = useLiveStore().now()
  const age = ageText(heard.last, now, zone)
  const since = timeText(heard.since, zone, 'full')
  return (
    <>
      {plural(heard.count, 'message')} since {since}, the last {age === 'now' ? 'just now' : `${age} ago`}
    </>
  )
}
