import { Button } from '@mantine/core'
import { useAlerts, useOpenAlerts, useSites } from '../api/queries.ts'
import type { Alert } from '../api/types.ts'
import { timeText } from '../format/time.ts'
import { idName, plainName } from '../format/words.ts'
import { hrefOf } from '../route.ts'
import { Answer, SectionHead } from '../shell/notes.tsx'
import { PageTitle } from '../shell/page-title.tsx'

const tones = { critical: 'red', warning: 'amber', info: 'muted' } as const

/** Every alert, newest first. */
export function AlertsView() {
  const alerts = useAlerts()
  return (
    <>
      <nav className="crumbs" aria-label="Path">
        <a className="plain-link" href="#/">
          Overview
        </a>
      </nav>
      <PageTitle text="Alerts" />
      <div className="section">
        <Answer of={alerts}>
          {({ pages }) =>
            pages[0]?.items.length === 0 ? (
              <p className="muted">No alert so far.</p>
            ) : (
              <AlertRows alerts={pages.flatMap(({ items }) => items)} />
            )
          }
        </Answer>
        {alerts.hasNextPage && (
          <Button
            variant="default"
            mt="md"
            loading={alerts.isFetchingNextPage}
            onClick={() => void alerts.fetchNextPage()}
          >
            Show older alerts
          </Button>
        )}
      </div>
    </>
  )
}

/** The newest open alerts; nothing where there is none. */
export function ActiveAlerts({ site }: { site?: string }) {
  const alerts = useOpenAlerts(site).data ?? []
  if (alerts.length === 0) return null
  return (
    <section className="section" aria-label="Alerts">
      <SectionHead title="Needs attention">
        <a className="plain-link small" href={hrefOf({ view: 'alerts' })}>
          All alerts
        </a>
      </SectionHead>
      <AlertRows alerts={alerts.slice(0, 5)} />
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
          <li key={JSON.stringify([alert.rule, alert.target, alert.since])}>
            <span className="tag" data-tone={tones[alert.level]}>
              {alert.level}
            </span>
            <div>
              <AlertMessage alert={alert} />
              <div className="muted small">
                {idName(alert.device ?? alert.target.subject)} · {plainName(alert.rule)} · since{' '}
                {timeText(alert.since, zoneOf(alert.target.site), 'full')}
                {alert.until !== undefined &&
                  ` until ${timeText(alert.until, zoneOf(alert.target.site), 'full')}`}
              </div>
            </div>
          </li>
        ))}
      </ul>
    </div>
  )
}

/** The message, as a link to the series that it is about where there is one. */
function AlertMessage({ alert: { target, device, metric, message } }: { alert: Alert }) {
  if (device === undefined || metric === undefined) return message
  return (
    <a
      className="plain-link"
      href={hrefOf({ view: 'device', site: target.site, device, metric, range: '24h' })}
    >
      {message}
    </a>
  )
}
