import { Button, SegmentedControl } from '@mantine/core'
import { useState } from 'react'
import { useIncidents, useOpenIncidents, useSites } from '../api/queries.ts'
import { useMay } from '../api/role.ts'
import type { Incident } from '../api/types.ts'
import { byUrgency } from '../incidents/describe.ts'
import { IncidentHead, IncidentRow } from '../incidents/incident-row.tsx'
import { Maintenance } from '../incidents/maintenance.tsx'
import { hrefOf } from '../route.ts'
import { Answer, SectionHead } from '../shell/notes.tsx'
import { PageTitle } from '../shell/page-title.tsx'

type Shown = 'unresolved' | 'all'

/** What is wrong, what was, what people did about it, and when nobody is told. */
export function IncidentsView() {
  const [shown, setShown] = useState<Shown>('unresolved')
  const mayAct = useMay('operator')
  return (
    <>
      <nav className="crumbs" aria-label="Path">
        <a className="plain-link" href="#/">
          Overview
        </a>
      </nav>
      <PageTitle text="Incidents" />
      <p className="page-sub">Alerts about the same thing are one incident.</p>
      <section className="section" aria-label="Incidents">
        <SectionHead title={shown === 'all' ? 'All incidents' : 'Open incidents'}>
          <SegmentedControl
            aria-label="Incidents shown"
            size="xs"
            value={shown}
            onChange={(value) => setShown(value as Shown)}
            data={[
              { value: 'unresolved', label: 'Open' },
              { value: 'all', label: 'All' },
            ]}
          />
        </SectionHead>
        <IncidentList shown={shown} mayAct={mayAct === true} />
      </section>
      <Maintenance mayAct={mayAct === true} />
      {mayAct === false && (
        <p className="muted small">
          To acknowledge, snooze or resolve incidents, or to plan maintenance, a key of the role operator is
          needed.
        </p>
      )}
    </>
  )
}

function IncidentList({ shown, mayAct }: { shown: Shown; mayAct: boolean }) {
  const zoneOf = useZones()
  const incidents = useIncidents(shown)
  return (
    <>
      <Answer of={incidents}>
        {({ pages }) => (
          <div className="panel">
            {pages[0]?.items.length === 0 ? (
              <p className="muted incident-none">
                {shown === 'all' ? 'There has been no incident.' : 'Nothing is wrong.'}
              </p>
            ) : (
              <ul className="incident-list">
                {ordered(
                  pages.flatMap(({ items }) => items),
                  shown,
                ).map((incident) => (
                  <IncidentRow
                    key={incident.id}
                    incident={incident}
                    zone={zoneOf(incident.target.site)}
                    mayAct={mayAct}
                  />
                ))}
              </ul>
            )}
          </div>
        )}
      </Answer>
      {incidents.hasNextPage && (
        <Button
          variant="default"
          mt="md"
          loading={incidents.isFetchingNextPage}
          onClick={() => void incidents.fetchNextPage()}
        >
          Show older incidents
        </Button>
      )}
    </>
  )
}

const ordered = (items: readonly Incident[], shown: Shown): readonly Incident[] =>
  shown === 'all' ? items : items.toSorted(byUrgency)

/** Incidents shown on the page of a site. */
const mostUrgent = 5

/** What is wrong now; nothing where nothing is. */
export function OpenIncidents({ site }: { site?: string }) {
  const zoneOf = useZones()
  const incidents = useOpenIncidents(site).data ?? []
  if (incidents.length === 0) return null
  const more = incidents.length - mostUrgent
  return (
    <section className="section" aria-label="Open incidents">
      <SectionHead title="Open incidents">
        <a className="plain-link small" href={hrefOf({ view: 'alerts' })}>
          {more > 0 ? `All incidents, ${more} more open` : 'All incidents'}
        </a>
      </SectionHead>
      <div className="panel">
        <ul className="incident-list">
          {incidents
            .toSorted(byUrgency)
            .slice(0, mostUrgent)
            .map((incident) => (
              <li key={incident.id} data-status={incident.status}>
                <IncidentHead incident={incident} zone={zoneOf(incident.target.site)} />
              </li>
            ))}
        </ul>
      </div>
    </section>
  )
}

function useZones(): (site: string) => string {
  const sites = useSites().data ?? []
  return (id) => sites.find((site) => site.id === id)?.zone ?? 'UTC'
}
