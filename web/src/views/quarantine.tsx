import { Button, VisuallyHidden } from '@mantine/core'
import { useState } from 'react'
import { useClearQuarantine, useRetryQuarantine } from '../api/changes.ts'
import type { Reply } from '../api/client.ts'
import { useQuarantine } from '../api/queries.ts'
import { plural, timeText } from '../format/time.ts'
import { hrefOf } from '../route.ts'
import { Confirm } from '../shell/confirm.tsx'
import { Answer, ErrorNote } from '../shell/notes.tsx'
import { PageTitle } from '../shell/page-title.tsx'

/** The hub has no site of its own for these, so their times are in the reader's zone. */
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone

/** What did not become a reading, and why: nothing is dropped silently. */
export function QuarantineView() {
  return (
    <>
      <nav className="crumbs" aria-label="Path">
        <a className="plain-link" href="#/">
          Overview
        </a>
      </nav>
      <PageTitle text="Quarantine" />
      <p className="page-sub">
        Messages that could not become readings, newest first, each with its reason. Topics that nothing reads
        are at <a href={hrefOf({ view: 'topics' })}>heard, not understood</a>.
      </p>
      <div className="section">
        <Answer of={useQuarantine()}>{(page) => <Rows page={page} />}</Answer>
      </div>
    </>
  )
}

function Rows({ page }: { page: Reply<'quarantine'> }) {
  const retry = useRetryQuarantine()
  return (
    <>
      {page.items.length > 0 && <Actions retry={retry} />}
      {retry.data && <RetryNote result={retry.data} />}
      {retry.error && <ErrorNote error={retry.error} />}
      {page.items.length === 0 ? (
        <p className="muted">Nothing is in quarantine.</p>
      ) : (
        <div className="panel">
          <ul className="metrics quarantine-list">
            {page.items.map((row) => (
              <Row key={row.id} row={row} retry={retry} />
            ))}
          </ul>
          {page.next !== null && (
            <p className="muted small">
              The newest {page.items.length} are shown; all of them are at <code>/api/v1/quarantine</code>.
            </p>
          )}
        </div>
      )}
    </>
  )
}

type Retry = ReturnType<typeof useRetryQuarantine>

/** What can be done with all rows. */
function Actions({ retry }: { retry: Retry }) {
  const clear = useClearQuarantine()
  const [isAsked, setAsked] = useState(false)
  const close = () => setAsked(false)
  return (
    <div className="quarantine-actions">
      <Button
        size="compact-sm"
        variant="default"
        loading={retry.isPending}
        onClick={() => retry.mutate(undefined)}
      >
        Read all again
      </Button>
      <Button size="compact-sm" variant="default" onClick={() => setAsked(true)}>
        Clear
      </Button>
      <Confirm
        opened={isAsked}
        onClose={close}
        title="Clear the quarantine?"
        keep="Keep them"
        choices={[
          {
            text: 'Clear',
            busy: clear.isPending,
            run: () => clear.mutate(undefined, { onSuccess: close }),
          },
        ]}
        error={clear.error}
      >
        <p>All messages in quarantine are removed for good. None of them became a reading.</p>
      </Confirm>
    </div>
  )
}

function RetryNote({ result: { stored, stay } }: { result: Reply<'retryQuarantine'> }) {
  return (
    <p role="status" className="small">
      {stored === 0 ? 'No message is a reading now.' : `${plural(stored, 'message')} stored as readings.`}
      {stay > 0 && ` ${plural(stay, 'message')} ${stay === 1 ? 'stays' : 'stay'} in quarantine.`}
    </p>
  )
}

type QuarantinedRow = Reply<'quarantine'>['items'][number]

function Row({ row, retry }: { row: QuarantinedRow; retry: Retry }) {
  const from = [row.source, row.topic, row.device].filter((part) => part !== undefined)
  return (
    <li>
      <div className="quarantine-head">
        <span className="tag" data-tone="amber">
          {row.code}
        </span>
        <span className="muted small">
          {from.join(' · ')} · {timeText(row.at, zone, 'full')}
        </span>
        <Button
          size="compact-xs"
          variant="default"
          disabled={retry.isPending}
          onClick={() => retry.mutate([row.id])}
        >
          Read again
          <VisuallyHidden>
            {' '}
            message {row.id} from {row.topic ?? row.source}
          </VisuallyHidden>
        </Button>
      </div>
      <div>{row.message}</div>
      <pre className="code">{row.payload}</pre>
    </li>
  )
}
