import { useHealth } from '../api/queries.ts'
import type { Health } from '../api/types.ts'
import { plural, spanText } from '../format/time.ts'
import { formatCount } from '../format/value.ts'
import { hrefOf } from '../route.ts'
import { Answer, SectionHead } from './notes.tsx'

/** How the hub itself is: its sources, and what it could not take. */
export function HubPanel() {
  const health = useHealth()
  return (
    <section className="section" aria-label="Hub">
      <SectionHead title="Hub" />
      <Answer of={health} height={100}>
        {(state) => (
          <div className="panel">
            <Sources sources={state.sources} />
            <HubFacts state={state} />
          </div>
        )}
      </Answer>
    </section>
  )
}

function Sources({ sources }: { sources: Health['sources'] }) {
  if (sources.length === 0) return <p className="muted small">No source is configured.</p>
  return (
    <ul className="sources">
      {sources.map((source) => (
        <li key={source.name}>
          <span className="dot" data-tone={source.ready ? 'accent' : 'red'} />
          <div>
            <strong>{source.name}</strong>{' '}
            <span className="muted">{source.ready ? 'ready' : 'not ready'}</span>
            <div className="muted small">{source.detail}</div>
          </div>
        </li>
      ))}
    </ul>
  )
}

function HubFacts({ state }: { state: Health }) {
  return (
    <dl className="facts" style={{ marginTop: 18 }}>
      <div>
        <dt>Stored since start</dt>
        <dd>{plural(state.readings_stored, 'reading')}</dd>
      </div>
      <div>
        <dt>Quarantine</dt>
        <dd>
          <a className="plain-link" href={hrefOf({ view: 'quarantine' })}>
            {state.quarantined === 0 ? 'nothing' : plural(state.quarantined, 'message')}
          </a>
        </dd>
      </div>
      <div>
        <dt>Not understood</dt>
        <dd>
          <a className="plain-link" href={hrefOf({ view: 'topics' })}>
            {state.topics_not_understood === 0 ? 'nothing' : plural(state.topics_not_understood, 'topic')}
          </a>
        </dd>
      </div>
      <div>
        <dt>Series</dt>
        <dd>{formatCount(state.series)}</dd>
      </div>
      <div>
        <dt>Learning</dt>
        <dd>{state.training ? 'now' : 'idle'}</dd>
      </div>
      <div>
        <dt>Running for</dt>
        <dd>{spanText(0, state.uptime_seconds * 1000)}</dd>
      </div>
      <div>
        <dt>Version</dt>
        <dd>{state.version}</dd>
      </div>
    </dl>
  )
}
