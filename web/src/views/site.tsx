import { useAnswered, useCards, useDevices, useForecasts, useSites } from '../api/queries.ts'
import type { Site } from '../api/types.ts'
import { DeviceList } from '../devices/device-list.tsx'
import { listDevices } from '../devices/group.ts'
import { useDeviceName } from '../devices/names.ts'
import { powerNow } from '../devices/power.ts'
import { RemovedDevices } from '../devices/removed-devices.tsx'
import { ForecastTable } from '../forecast/forecast-table.tsx'
import { summarise } from '../forecast/score.ts'
import { ageText, plural, timeText } from '../format/time.ts'
import { changeText, formatCount, formatValue } from '../format/value.ts'
import { siteName } from '../format/words.ts'
import { useAllReadings, useClock, useHeard, useLiveStore } from '../live/live.tsx'
import { isStale, type Live } from '../live/merge.ts'
import { Answer, Loading } from '../shell/notes.tsx'
import { PageTitle } from '../shell/page-title.tsx'
import { Tile } from '../shell/tile.tsx'
import { OpenIncidents } from './incidents.tsx'
import { RecentInfos } from './infos.tsx'
import { UnknownView } from './unknown.tsx'

export function SiteView({ site: id }: { site: string }) {
  return (
    <Answer of={useSites()} height={320}>
      {(sites) => {
        const site = sites.find((candidate) => candidate.id === id)
        return site ? (
          <OneOfSites site={site} crumbs={sites.length > 1} />
        ) : (
          <UnknownView what={`site "${id}"`} />
        )
      }}
    </Answer>
  )
}

function OneOfSites(props: { site: Site; crumbs: boolean }) {
  const heard = useHeard()
  const answered = useAnswered(props.site.id)
  return heard && answered ? <SiteBody {...props} /> : <Loading height={320} />
}

export function SiteBody({ site, crumbs = false }: { site: Site; crumbs?: boolean }) {
  const clock = useClock((now) => timeText(now, site.zone, 'dayClock'), 5000)
  return (
    <>
      {crumbs && (
        <nav className="crumbs" aria-label="Path">
          <a className="plain-link" href="#/">
            Overview
          </a>
        </nav>
      )}
      <PageTitle text={siteName(site)} />
      <p className="page-sub">
        {clock} · {site.zone}
      </p>
      <OpenIncidents site={site.id} />
      <SiteTiles site={site} />
      <ForecastTable site={site} />
      <RecentInfos site={site.id} />
      <SiteDevices site={site} />
      <RemovedDevices site={site} />
    </>
  )
}

function SiteDevices({ site }: { site: Site }) {
  const devices = useDevices()
  const readings = useAllReadings()
  return (
    <Answer of={devices} height={320}>
      {(known) => (
        <DeviceList
          site={site}
          devices={listDevices(
            site.id,
            known,
            readings.map(({ reading }) => reading),
          )}
        />
      )}
    </Answer>
  )
}

export function SiteTiles({ site }: { site: Site }) {
  const store = useLiveStore()
  const live = useAllReadings().filter(({ reading }) => reading.site === site.id)
  const fresh = live.filter((entry) => !isStale(entry, store.now()))
  return (
    <div className="tiles">
      <PowerTile fresh={fresh} />
      <ReportingTile site={site} live={live} fresh={fresh} />
      <ForecastTile site={site} />
    </div>
  )
}

function PowerTile({ fresh }: { fresh: readonly Live[] }) {
  const power = powerNow(fresh)
  if (!power) return null
  const shown = formatValue(power.watts, 'W', 'power')
  return <Tile label={power.label} value={shown.text} unit={shown.unit} note={power.note} />
}

function ReportingTile({ site, live, fresh }: { site: Site; live: readonly Live[]; fresh: readonly Live[] }) {
  const all = new Set(live.map(({ reading }) => reading.device)).size
  const speaking = new Set(fresh.map(({ reading }) => reading.device)).size
  const newest = live.reduce((at, { reading }) => Math.max(at, reading.at), 0)
  const age = useClock((now) => ageText(newest, now, site.zone))
  const note =
    newest === 0
      ? 'no reading yet'
      : age === 'now'
        ? 'newest reading just now'
        : `newest reading ${agoText(age)}`
  return (
    <Tile
      label="Devices reporting"
      value={formatCount(speaking)}
      unit={`of ${formatCount(all)}`}
      note={note}
    />
  )
}

function ForecastTile({ site }: { site: Site }) {
  const forecasts = useForecasts(site.id)
  const cards = useCards(site.id)
  const nameOf = useDeviceName(site.id)
  if (forecasts.isPending) return <Tile label="Forecasts" value={'\u2013'} note="" />
  if (!forecasts.data || forecasts.data.length === 0) {
    return (
      <Tile
        label="Forecasts"
        value="None yet"
        note="they come with the first days of energy or power readings"
      />
    )
  }
  const { learned, total, tried, best } = summarise(forecasts.data, cards.data ?? [])
  const note = best
    ? `${nameOf(best.device)}: error ${changeText(best.change)} against the best naive forecast`
    : learned > 0
      ? 'learnt models are live'
      : `${plural(total, 'naive forecast')}; no learnt model ${tried ? 'beat them' : 'was tried'} yet`
  return (
    <Tile
      label="Learnt forecasts live"
      value={formatCount(learned)}
      unit={`of ${formatCount(total)}`}
      note={note}
    />
  )
}

/** An age is a length ("3 min") or, when long past, a date. */
const agoText = (age: string): string => (/^\d+ (s|min|h|d)$/.test(age) ? `${age} ago` : `on ${age}`)
