import type { Reply } from '../api/client.ts'
import { useQuarantine } from '../api/queries.ts'
import { timeText } from '../format/time.ts'
import { Answer } from '../shell/notes.tsx'
import { PageTitle } from '../shell/page-title.tsx'

/** The hub has no site of its own for these, so they are told in the reader's zone. */
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
      <p className="page-sub">Messages that could not become readings, newest first, each with its reason.</p>
      <div className="section">
        <Answer of={useQuarantine()}>{(page) => <Rows page={page} />}</Answer>
      </div>
    </>
  )
}

function Rows({ page }: { page: Reply<'quarantine'> }) {
  if (page.items.length === 0) return <p className="muted">Nothing is in quarantine.</p>
  return (
    <div className="panel">
      <ul className="metrics quarantine-list">
        {page.items.map((row) => (
          <li key={row.id}>
            <div className="quarantine-head">
              <span className="tag" data-tone="amber">
                {row.code}
              </span>
              <span className="muted small">
                {row.source} · {timeText(row.at, zone, 'full')}
              </span>
            </div>
            <div>{row.message}</div>
            <pre className="code">{row.payload}</pre>
          </li>
        ))}
      </ul>
      {page.next !== null && (
        <p className="muted small">
          The newest {page.items.length} are shown; all of them are at <code>/api/v1/quarantine</code>.
        </p>
      )}
    </div>
  )
}
