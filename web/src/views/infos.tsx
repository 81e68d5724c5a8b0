import { useInfos, useSites } from '../api/queries.ts'
import type { Info } from '../api/types.ts'
import { timeText } from '../format/time.ts'
import { withVersions } from '../format/version.ts'
import { SectionHead } from '../shell/notes.tsx'

/** Rows shown at first. */
const firstRows = 3

/** What the hub did by itself in the last seven days; nothing where it did nothing. */
export function RecentInfos({ site }: { site?: string }) {
  const infos = useInfos(site).data ?? []
  if (infos.length === 0) return null
  const later = infos.slice(firstRows)
  return (
    <section className="section" aria-label="What the hub did by itself">
      <SectionHead title="What the hub did by itself" />
      <div className="panel">
        <InfoRows infos={infos.slice(0, firstRows)} />
        {later.length > 0 && (
          <details className="earlier">
            <summary>{later.length} more in the last 7 days</summary>
            <InfoRows infos={later} />
          </details>
        )}
      </div>
    </section>
  )
}

function InfoRows({ infos }: { infos: readonly Info[] }) {
  const sites = useSites().data ?? []
  // what concerns the hub is told in the reader's zone
  const zoneOf = (id: string | null) =>
    sites.find((site) => site.id === id)?.zone ?? Intl.DateTimeFormat().resolvedOptions().timeZone
  return (
    <ul className="told">
      {infos.map(({ id, at, site, summary, detail }) => (
        <li key={id}>
          <div>
            {summary} <span className="muted small">{timeText(at, zoneOf(site), 'full')}</span>
          </div>
          <div className="muted small">{withVersions(detail, zoneOf(site))}</div>
        </li>
      ))}
    </ul>
  )
}
