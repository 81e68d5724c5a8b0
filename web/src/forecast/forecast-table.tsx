import { Button } from '@mantine/core'
import { useState } from 'react'
import { useCards, useForecasts } from '../api/queries.ts'
import type { Card, Forecast, Site } from '../api/types.ts'
import { useDeviceName } from '../devices/names.ts'
import { timeText } from '../format/time.ts'
import { changeText, formatValue } from '../format/value.ts'
import { useClock } from '../live/live.tsx'
import { hrefOf } from '../route.ts'
import { SectionHead } from '../shell/notes.tsx'
import { ScrollBox } from '../shell/scroll-box.tsx'
import { cardOf, changeOf } from './score.ts'
import { Sparkline } from './sparkline.tsx'
import { endOf, stepsOf, totalOf } from './steps.ts'

const dayMs = 86_400_000

/** Rows shown at first, those with the most energy. */
const firstRows = 8

/** The coming day of every device that has a forecast, and what that forecast is worth. */
export function ForecastTable({ site }: { site: Site }) {
  const forecasts = useForecasts(site.id)
  const cards = useCards(site.id)
  const [all, setAll] = useState(false)
  const list = (forecasts.data ?? []).toSorted((a, b) => totalOf(b) - totalOf(a))
  const shown = all || list.length <= firstRows + 1 ? list : list.slice(0, firstRows)
  if (list.length === 0) return null
  return (
    <section className="section" aria-label="Forecasts">
      <SectionHead title="Next 24 hours" />
      <div className="panel">
        <ScrollBox label="Forecasts of the next 24 hours">
          <table className="table">
            <thead>
              <tr>
                <th scope="col">Device</th>
                <th scope="col" className="wide-only">
                  By the hour
                </th>
                <th scope="col" className="num">
                  Total
                </th>
                <th scope="col" className="num">
                  Error against naive
                </th>
              </tr>
            </thead>
            <tbody>
              {shown.map((forecast) => (
                <Row
                  key={`${forecast.target.domain}/${forecast.target.subject}/${forecast.metric}`}
                  forecast={forecast}
                  card={cardOf(forecast, cards.data ?? [])}
                  zone={site.zone}
                />
              ))}
            </tbody>
          </table>
        </ScrollBox>
        {shown.length < list.length && (
          <Button variant="default" size="xs" mt="sm" onClick={() => setAll(true)}>
            Show all {list.length}
          </Button>
        )}
      </div>
    </section>
  )
}

function Row({ forecast, card, zone }: { forecast: Forecast; card: Card | undefined; zone: string }) {
  const { target, metric, unit } = forecast
  const { site, subject: device } = target
  const nameOf = useDeviceName(site)
  const past = useClock((now) => endOf(forecast) < now, 60_000)
  const total = formatValue(totalOf(forecast), unit, metric)
  return (
    <tr>
      <th scope="row">
        <a className="plain-link" href={hrefOf({ view: 'device', site, device, range: '24h' })}>
          {nameOf(device)}
        </a>
        {past && <div className="muted small">from {timeText(forecast.origin, zone, 'date')}</div>}
      </th>
      <td className="wide-only spark">
        <Sparkline
          values={stepsOf(forecast).flatMap(({ at, mean }) =>
            at < forecast.origin + dayMs && mean !== null ? [mean] : [],
          )}
        />
      </td>
      <td className="num">
        {total.text}
        <span className="muted">
          {'\u00a0'}
          {total.unit}
        </span>
      </td>
      <td className="num">
        <Worth forecast={forecast} card={card} />
      </td>
    </tr>
  )
}

function Worth({ forecast, card }: { forecast: Forecast; card: Card | undefined }) {
  if (forecast.model.kind === 'naive') return <span className="tag">naive forecast</span>
  const change = card && changeOf(card)
  if (change === undefined) return <span className="tag">learnt</span>
  return (
    <span className="tag" data-tone={change < 0 ? 'accent' : 'amber'}>
      {changeText(change)}
    </span>
  )
}
