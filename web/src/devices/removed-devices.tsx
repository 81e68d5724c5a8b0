import { Button, VisuallyHidden } from '@mantine/core'
import { useRestoreDevice } from '../api/changes.ts'
import { useRemovedDevices } from '../api/queries.ts'
import { useMay } from '../api/role.ts'
import type { RemovedDevice, Site } from '../api/types.ts'
import { deciderText } from '../forecast/life.ts'
import { timeText } from '../format/time.ts'
import { metricName } from '../format/words.ts'
import { ErrorNote, SectionHead } from '../shell/notes.tsx'
import { deviceName, useDeviceName } from './names.ts'

/** What people deleted and merged on a site, as long as it can be undone; nothing where there is nothing. */
export function RemovedDevices({ site, device }: { site: Site; device?: string }) {
  const removed = useRemovedDevices(site.id).data ?? []
  const shown = device === undefined ? removed : removed.filter((one) => one.device === device)
  if (shown.length === 0) return null
  return (
    <section className="section" aria-label="Removed devices">
      <SectionHead title="Removed" />
      <div className="panel">
        <ul className="told" aria-label="Removed devices">
          {shown.map((removal) => (
            <RemovedRow key={removal.id} removal={removal} zone={site.zone} />
          ))}
        </ul>
      </div>
    </section>
  )
}

function RemovedRow({ removal, zone }: { removal: RemovedDevice; zone: string }) {
  const restore = useRestoreDevice()
  const mayRestore = useMay('admin')
  const nameOf = useDeviceName(removal.site)
  const { device, name, metric, into, kind, at, until, by } = removal
  const what = deviceName({ id: device, name }) + (metric === undefined ? '' : `, ${metricName(metric)}`)
  return (
    <li>
      <div className="version-foot">
        <span>
          {what} was {kind}
          {into !== undefined && ` into ${nameOf(into)}`}
        </span>
        {mayRestore && (
          <Button
            size="compact-xs"
            variant="default"
            loading={restore.isPending}
            onClick={() => restore.mutate(removal.id)}
          >
            Undo
            <VisuallyHidden>
              {' '}
              that {what} was {kind}
            </VisuallyHidden>
          </Button>
        )}
      </div>
      <div className="muted small">
        {timeText(at, zone, 'full')}, by {deciderText(by)}; erased after {timeText(until, zone, 'full')}
      </div>
      {restore.error && <ErrorNote error={restore.error} />}
    </li>
  )
}
