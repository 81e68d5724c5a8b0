import { useDevices, useSites } from '../api/queries.ts'
import type { Site } from '../api/types.ts'
import { DeviceActions } from '../devices/device-actions.tsx'
import { type Listed, listDevices } from '../devices/group.ts'
import { deviceName, roleNames } from '../devices/names.ts'
import { RemovedDevices } from '../devices/removed-devices.tsx'
import { Age, Value } from '../devices/value.tsx'
import { DeviceForecasts } from '../forecast/forecast-panel.tsx'
import { idName, metricName, plainName, siteName } from '../format/words.ts'
import { HistoryPanel } from '../history/history-panel.tsx'
import { useAllReadings, useHeard, useReading } from '../live/live.tsx'
import { hrefOf, type Route } from '../route.ts'
import { Answer, Loading } from '../shell/notes.tsx'
import { PageTitle } from '../shell/page-title.tsx'
import { UnknownView } from './unknown.tsx'

type DeviceRoute = Extract<Route, { view: 'device' }>

/** One device: what it measures now, what it did, what comes next and what that forecast is worth. */
export function DeviceView({ route }: { route: DeviceRoute }) {
  const devices = useDevices()
  const heard = useHeard()
  const readings = useAllReadings().map(({ reading }) => reading)
  return (
    <Answer of={useSites()} height={320}>
      {(sites) => {
        const site = sites.find(({ id }) => id === route.site)
        const known =
          site && listDevices(site.id, devices.data ?? [], readings).find(({ id }) => id === route.device)
        if (!heard) return <Loading height={320} />
        if (site && known)
          return <DeviceBody route={route} site={site} device={known} single={sites.length === 1} />
        return devices.isPending ? (
          <Loading height={320} />
        ) : (
          <>
            <UnknownView what={`device "${route.device}"`} />
            {site && <RemovedDevices site={site} device={route.device} />}
          </>
        )
      }}
    </Answer>
  )
}

interface BodyProps {
  readonly route: DeviceRoute
  readonly site: Site
  readonly device: Listed
  readonly single: boolean
}

function DeviceBody({ route, site, device, single }: BodyProps) {
  const metric = route.metric ?? device.series[0]?.metric ?? ''
  const name = deviceName(device)
  const facts = [
    plainName(device.type),
    device.room && idName(device.room),
    device.role && roleNames[device.role],
    device.hidden && 'hidden from lists',
  ].filter(Boolean)
  return (
    <>
      <nav className="crumbs" aria-label="Path">
        <a className="plain-link" href={single ? '#/' : hrefOf({ view: 'site', site: site.id })}>
          {siteName(site)}
        </a>
      </nav>
      <PageTitle text={name} />
      <p className="page-sub">
        {facts.join(' · ')}
        {name.toLowerCase() !== device.id && <span className="mono"> {device.id}</span>}
      </p>
      <DeviceActions device={device} metric={metric} />
      <nav className="tabs" aria-label="What it measures">
        {device.series.map((series) => (
          <SeriesTab
            key={series.metric}
            route={route}
            metric={series.metric}
            zone={site.zone}
            current={metric}
          />
        ))}
      </nav>
      <SelectedHistory route={route} metric={metric} zone={site.zone} />
      <DeviceForecasts site={site.id} device={device.id} zone={site.zone} />
      <RemovedDevices site={site} device={device.id} />
    </>
  )
}

interface TabProps {
  readonly route: DeviceRoute
  readonly metric: string
  readonly zone: string
  readonly current: string
}

function SeriesTab({ route, metric, zone, current }: TabProps) {
  const series = { site: route.site, device: route.device, metric }
  return (
    <a className="tab" href={hrefOf({ ...route, metric })} aria-current={metric === current}>
      <div className="tab-name">{metricName(metric)}</div>
      <div className="tab-value">
        <Value series={series} />
      </div>
      <Age series={series} zone={zone} />
    </a>
  )
}

function SelectedHistory({ route, metric, zone }: { route: DeviceRoute; metric: string; zone: string }) {
  const live = useReading({ site: route.site, device: route.device, metric })
  if (!live) return <p className="muted">This device has not sent a reading of {metricName(metric)} yet.</p>
  return <HistoryPanel route={route} newest={live.reading} zone={zone} />
}
