import type { Site } from '../api/types.ts'
import { metricName, plainName } from '../format/words.ts'
import { hrefOf } from '../route.ts'
import type { Listed } from './group.ts'
import { deviceName } from './names.ts'
import { Age, Value } from './value.tsx'

/** Series shown on a card; the rest is one click away. */
const shownSeries = 6

export function DeviceCard({ site, device }: { site: Site; device: Listed }) {
  const address = { view: 'device', site: site.id, device: device.id, range: '24h' } as const
  const series = device.series.length > shownSeries + 1 ? device.series.slice(0, shownSeries) : device.series
  const hidden = device.series.length - series.length
  return (
    <article className="device">
      <div className="device-head">
        <h4 className="device-name" title={device.id}>
          <a href={hrefOf(address)}>{deviceName(device)}</a>
        </h4>
        <span className="device-type">{plainName(device.type)}</span>
      </div>
      <ul className="metrics">
        {series.map(({ metric }) => (
          <MetricRow key={metric} site={site} device={device.id} metric={metric} />
        ))}
      </ul>
      {hidden > 0 && (
        <a className="more plain-link" href={hrefOf(address)}>
          {hidden} more
        </a>
      )}
    </article>
  )
}

function MetricRow({ site, device, metric }: { site: Site; device: string; metric: string }) {
  const series = { site: site.id, device, metric }
  return (
    <li>
      <a className="metric" href={hrefOf({ view: 'device', ...series, range: '24h' })}>
        <span className="metric-name">{metricName(metric)}</span>
        <span className="metric-value">
          <Value series={series} />
        </span>
        <Age series={series} zone={site.zone} />
      </a>
    </li>
  )
}
