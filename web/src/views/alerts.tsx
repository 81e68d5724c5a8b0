import { useAlerts, useSites } from '../api/queries.ts'
import type { Alert } from '../api/types.ts'
import { timeText } from '../format/time.ts'
import { idName, plainName } from '../format/words.ts'
import { hrefOf } from '../route.ts'
import { Answer, SectionHead } from '../shell/notes.tsx'
import { PageTitle } from '../shell/page-title.tsx'

const tones = { critical: 'red', warning: 'amber', info: 'muted' } as const

/** Every alert, newest first. */
export function AlertsView() {
  return (
    <>
      <nav className="crumbs" aria-label="Path">
        <a className="plain-link" href="#/">
          Overview
        </a>
      </nav>
      <PageTitle text="Alerts" />
      <div className="section">
        <Answer of={useAlerts()}>
          {(alerts) =>
            alerts.length === 0 ? <p className="muted">No alert so far.</p> : <AlertRows alerts={alerts} />
          }
        </Answer>
      </div>
    </>
  )
}

/** What is going on now; nothing where nothing is. */
export function ActiveAlerts({ site }: { site?: string }) {
  const alerts = useAlerts().data ?? []
  const mine = alerts.filter((alert) => site === undefined || alert.site === site)
  const active = mine.filter((alert) => alert.until === undefined)
  if (active.length === 0) return null
  return (
    <section className="section" aria-label="Alerts">
      <SectionHead title="Needs attention">
        <a className="plain-link small" href={hrefOf({ view: 'alerts' })}>
          All alerts
        </a>
      </SectionHead>
      <AlertRows alerts={active.slice(0, 5)} />
    </section>
  )
}

function AlertRows({ alerts }: { alerts: readonly Alert[] }) {
  const sites = useSites().data ?? []
  const zoneOf = (id: string) => sites.find((site) => site.id === id)?.zone ?? 'UTC'
  return (
    <div className="panel">
      <ul className="metrics alert-list">
        {alerts.map((alert) => (
          <li key={`${alert.rule}/${alert.site}/${alert.device}/${alert.metric}/${alert.since}`}>
            <span className="tag" data-tone={tones[alert.level]}>
              {alert.level}
            </span>
            <div>
              <a
                className="plain-link"
                href={hrefOf({
                  view: 'device',
                  site: alert.site,
                  device: alert.device,
                  metric: alert.metric,
                  range: '24h',
                })}
              >
                {alert.message}
              </a>
              <div className="muted small">
                {idName(alert.device)} · {plainName(alert.rule)} · since{' '}
                {timeText(alert.since, zoneOf(alert.site), 'full')}
                {alert.until !== undefined && ` until ${timeText(alert.until, zoneOf(alert.site), 'full')}`}
              </div>
            </div>
          </li>
        ))}
      </ul>
    </div>
  )
}
