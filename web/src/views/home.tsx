import { VisuallyHidden } from '@mantine/core'
import { useAnswered, useSites } from '../api/queries.ts'
import type { Site } from '../api/types.ts'
import { RemovedDevices } from '../devices/removed-devices.tsx'
import { siteName } from '../format/words.ts'
import { useAllReadings, useHeard } from '../live/live.tsx'
import { hrefOf } from '../route.ts'
import { HubPanel } from '../shell/hub-panel.tsx'
import { Answer, Loading, SectionHead } from '../shell/notes.tsx'
import { PageTitle } from '../shell/page-title.tsx'
import { FirstReading } from './first-reading.tsx'
import { OpenIncidents } from './incidents.tsx'
import { RecentInfos } from './infos.tsx'
import { SiteBody, SiteTiles } from './site.tsx'

/** The front: one home is shown at once; several each by their tiles. */
export function HomeView() {
  const heard = useHeard()
  const silent = useAllReadings().length === 0
  return (
    <Answer of={useSites()} height={320}>
      {(list) => {
        if (!heard) return <Loading height={320} />
        if (list.length === 0 || (silent && list.every((site) => !site.demo))) {
          return (
            <>
              <FirstReading />
              {list.map((site) => (
                <RemovedDevices key={site.id} site={site} />
              ))}
            </>
          )
        }
        const [only] = list.length === 1 ? list : []
        return only ? <OneSite key={only.id} site={only} /> : <ManySites sites={list} />
      }}
    </Answer>
  )
}

function OneSite({ site }: { site: Site }) {
  if (!useAnswered(site.id)) return <Loading height={320} />
  return (
    <>
      <SiteBody site={site} />
      <HubPanel />
    </>
  )
}

function ManySites({ sites }: { sites: readonly Site[] }) {
  return (
    <>
      <PageTitle text="Overview" />
      <p className="page-sub">{sites.length} sites</p>
      <OpenIncidents />
      {sites.map((site) => (
        <section className="section" key={site.id} aria-label={site.name}>
          <SectionHead title={siteName(site)}>
            <a className="plain-link small" href={hrefOf({ view: 'site', site: site.id })}>
              Rooms and devices<VisuallyHidden> of {site.name}</VisuallyHidden>
            </a>
          </SectionHead>
          <SiteTiles site={site} />
        </section>
      ))}
      <RecentInfos />
      <HubPanel />
    </>
  )
}
