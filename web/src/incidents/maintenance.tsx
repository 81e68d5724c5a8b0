import { Button, NativeSelect, TextInput, VisuallyHidden } from '@mantine/core'
import { type FormEvent, useState } from 'react'
import { useAddMaintenance, useRemoveMaintenance } from '../api/changes.ts'
import { useDevices, useMaintenance, useSites } from '../api/queries.ts'
import type { MaintenanceWindow, Site } from '../api/types.ts'
import { deviceName } from '../devices/names.ts'
import { deciderText } from '../forecast/life.ts'
import { momentOf } from '../format/day.ts'
import { timeText } from '../format/time.ts'
import { siteName } from '../format/words.ts'
import { useClock, useLiveStore } from '../live/live.tsx'
import { Answer, ErrorNote, SectionHead } from '../shell/notes.tsx'
import { coverText } from './describe.ts'

/** When nobody is told: windows that run or are planned, and how to plan another one. */
export function Maintenance({ mayAct }: { mayAct: boolean }) {
  const sites = useSites().data ?? []
  const windows = useMaintenance()
  const now = useLiveStore().now()
  // draws again as windows begin and end
  useClock((at) => Math.floor(at / 5000))
  const current = (all: readonly MaintenanceWindow[]) => all.filter(({ to }) => to > now)
  return (
    <section className="section" aria-label="Maintenance">
      <SectionHead title="Maintenance" />
      <div className="panel">
        <Answer of={windows} height={40}>
          {(all) =>
            current(all).length === 0 ? (
              <p className="muted small incident-none">
                None is planned. During maintenance alerts are recorded and nobody is told.
              </p>
            ) : (
              <ul className="told" aria-label="Maintenance windows">
                {current(all).map((window) => (
                  <WindowRow key={window.id} window={window} sites={sites} now={now} mayAct={mayAct} />
                ))}
              </ul>
            )
          }
        </Answer>
        {mayAct && sites.length > 0 && (
          <details className="earlier">
            <summary>Plan maintenance</summary>
            <MaintenanceForm sites={sites} />
          </details>
        )}
      </div>
    </section>
  )
}

interface WindowProps {
  readonly window: MaintenanceWindow
  readonly sites: readonly Site[]
  readonly now: number
  readonly mayAct: boolean
}

function WindowRow({ window, sites, now, mayAct }: WindowProps) {
  const remove = useRemoveMaintenance()
  const site = sites.find(({ id }) => id === window.site)
  const zone = site?.zone ?? 'UTC'
  const place = sites.length > 1 && site ? `${siteName(site)}: ${coverText(window)}` : coverText(window)
  return (
    <li>
      <div className="version-foot">
        <span>
          <span className="tag" data-tone={window.from <= now ? 'amber' : 'muted'}>
            {window.from <= now ? 'Now' : 'Planned'}
          </span>{' '}
          {place.charAt(0).toUpperCase() + place.slice(1)}
          {window.reason && `: ${window.reason}`}
        </span>
        {mayAct && (
          <Button
            size="compact-xs"
            variant="default"
            loading={remove.isPending}
            onClick={() => remove.mutate(window.id)}
          >
            Remove<VisuallyHidden> maintenance of {place}</VisuallyHidden>
          </Button>
        )}
      </div>
      <div className="muted small">
        {timeText(window.from, zone, 'full')} to {timeText(window.to, zone, 'full')}, by{' '}
        {deciderText(window.by)}
      </div>
      {remove.error && <ErrorNote error={remove.error} />}
    </li>
  )
}

const lengths = [
  ['1 hour', 1],
  ['2 hours', 2],
  ['4 hours', 4],
  ['8 hours', 8],
  ['1 day', 24],
  ['2 days', 48],
  ['1 week', 168],
] as const

function MaintenanceForm({ sites }: { sites: readonly Site[] }) {
  const add = useAddMaintenance()
  const store = useLiveStore()
  const [siteId, setSiteId] = useState(sites[0]?.id ?? '')
  const [subject, setSubject] = useState('')
  const [begin, setBegin] = useState('')
  const [hours, setHours] = useState('2')
  const [reason, setReason] = useState('')
  const site = sites.find(({ id }) => id === siteId) ?? sites[0]
  if (!site) return null
  const from = begin === '' ? undefined : momentOf(begin, site.zone)
  const isWrong = begin !== '' && from === undefined
  const submit = (event: FormEvent) => {
    event.preventDefault()
    const to = (from ?? store.now()) + Number(hours) * 3_600_000
    const place = { site: site.id, ...(subject === '' ? {} : { subject }) }
    const span = from === undefined ? { to } : { from, to }
    const onSuccess = () => {
      setBegin('')
      setReason('')
    }
    add.mutate({ ...place, ...span, reason: reason.trim() }, { onSuccess })
  }
  return (
    <form onSubmit={submit}>
      <p className="small muted">
        While it lasts, alerts are recorded and nobody is told; what is still wrong at its end is. Emergencies
        are told all the same.
      </p>
      <div className="fields maintenance-fields">
        <Place
          sites={sites}
          site={site.id}
          subject={subject}
          onChange={(place) => {
            setSiteId(place.site)
            setSubject(place.subject)
          }}
        />
        <TextInput
          type="datetime-local"
          label={`Begins (${site.zone})`}
          description="Empty: now"
          inputWrapperOrder={['label', 'input', 'description', 'error']}
          value={begin}
          onChange={(event) => setBegin(event.currentTarget.value)}
        />
        <NativeSelect
          label="Lasts"
          value={hours}
          onChange={(event) => setHours(event.currentTarget.value)}
          data={lengths.map(([label, value]) => ({ value: String(value), label }))}
        />
        <TextInput
          label="Why (kept beside it)"
          maxLength={500}
          value={reason}
          onChange={(event) => setReason(event.currentTarget.value)}
        />
        <Button type="submit" variant="default" disabled={isWrong} loading={add.isPending}>
          Plan
        </Button>
      </div>
      {add.error && <ErrorNote error={add.error} />}
    </form>
  )
}

interface PlaceProps {
  readonly sites: readonly Site[]
  readonly site: string
  /** A device; empty: the whole site. */
  readonly subject: string
  readonly onChange: (place: { readonly site: string; readonly subject: string }) => void
}

function Place({ sites, site, subject, onChange }: PlaceProps) {
  const devices = (useDevices().data ?? []).filter((device) => device.site === site)
  return (
    <>
      {sites.length > 1 && (
        <NativeSelect
          label="Site"
          value={site}
          onChange={(event) => onChange({ site: event.currentTarget.value, subject: '' })}
          data={sites.map((one) => ({ value: one.id, label: siteName(one) }))}
        />
      )}
      <NativeSelect
        label="What"
        value={subject}
        onChange={(event) => onChange({ site, subject: event.currentTarget.value })}
        data={[
          { value: '', label: 'The whole site' },
          ...devices.map(({ id, name }) => ({ value: id, label: deviceName({ id, name }) })),
        ]}
      />
    </>
  )
}
