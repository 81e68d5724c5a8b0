import type { Reply } from '../api/client.ts'
import { useTopics } from '../api/queries.ts'
import type { HeardTopic } from '../api/types.ts'
import { plural } from '../format/time.ts'
import { hrefOf } from '../route.ts'
import { Answer, SectionHead } from '../shell/notes.tsx'
import { PageTitle } from '../shell/page-title.tsx'
import { Mappings } from '../topics/mappings.tsx'
import { TopicRow } from '../topics/topic-row.tsx'

/** Topics are the hub's and not a site's, so their times are in the reader's zone. */
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone

/** MQTT topics that nothing reads, and how to read them. */
export function TopicsView() {
  return (
    <>
      <nav className="crumbs" aria-label="Path">
        <a className="plain-link" href="#/">
          Overview
        </a>
      </nav>
      <PageTitle text="Heard, not understood" />
      <p className="page-sub">
        MQTT topics that no mapping reads, and fields that no metric takes. Messages that were read and then
        refused are in <a href={hrefOf({ view: 'quarantine' })}>quarantine</a>.
      </p>
      <Answer of={useTopics()}>{(page) => <Topics page={page} />}</Answer>
    </>
  )
}

const order: Readonly<Record<HeardTopic['kind'], number>> = { unmapped: 0, fields: 1, retained: 2 }

function Topics({ page }: { page: Reply<'topics'> }) {
  const { items, dropped, next } = page
  const sorted = [...items].sort((a, b) => order[a.kind] - order[b.kind])
  return (
    <>
      <section className="section" aria-label="Topics">
        <SectionHead title="Topics" />
        <div className="panel">
          {items.length === 0 ? (
            <p className="muted small incident-none">Everything that was heard over MQTT is understood.</p>
          ) : (
            <ul className="topic-list" aria-label="Topics that are not understood">
              {sorted.map((heard) => (
                <TopicRow key={`${heard.kind} ${heard.topic}`} heard={heard} zone={zone} />
              ))}
            </ul>
          )}
          {(dropped > 0 || next !== null) && (
            <p className="muted small">
              {next !== null && `The first ${items.length} are shown; all of them are at /api/v1/topics. `}
              {dropped > 0 && `${plural(dropped, 'topic')} dropped from the list for want of room.`}
            </p>
          )}
        </div>
      </section>
      <Mappings zone={zone} />
    </>
  )
}
