import { Button } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { useEffect, useRef } from 'react'
import { useCancelTraining, useTrain } from '../api/changes.ts'
import { cacheKeys, isActive, useRebuild, useTraining } from '../api/queries.ts'
import { useMay } from '../api/role.ts'
import type { ForecastKey, Job } from '../api/types.ts'
import { timeText } from '../format/time.ts'
import { percentText } from '../format/value.ts'
import { withVersions } from '../format/version.ts'
import { ErrorNote } from '../shell/notes.tsx'
import { ForgottenDays } from './forgotten-days.tsx'
import { deciderText } from './life.ts'

interface LearningProps extends ForecastKey {
  readonly zone: string
}

/** Training of a target: the one that is queued, running or ran last, and the days that are left out. */
export function Learning({ target, metric, zone }: LearningProps) {
  const mayChange = useMay('operator')
  const train = useTrain(target)
  const { data: job } = useTraining(target)
  const { data: rebuild } = useRebuild(target)
  useFreshModels(job)
  const busy = job ? isActive(job) : false
  return (
    <section className="card-part" aria-label="Learning">
      <div className="section-head">
        <h3 className="section-title">Learning</h3>
        {mayChange && (
          <Button
            size="compact-sm"
            variant="default"
            onClick={() => train.mutate()}
            disabled={busy}
            loading={train.isPending}
          >
            Train now
          </Button>
        )}
      </div>
      <div className="training" role="status">
        {job && <Training job={job} zone={zone} mayCancel={mayChange === true} />}
        {job === null && <span className="muted small">Not trained yet.</span>}
      </div>
      {rebuild && rebuild.status !== 'done' && <Rebuild job={rebuild} />}
      {train.error && <ErrorNote error={train.error} />}
      <ForgottenDays
        series={{ site: target.site, device: target.subject, metric }}
        zone={zone}
        mayChange={mayChange === true}
      />
      {mayChange === false && (
        <p className="muted small">
          To train, roll back or forget days, a key of the role operator is needed.
        </p>
      )}
    </section>
  )
}

/** Asks for versions and forecasts anew when a training has ended. */
function useFreshModels(job: Job | null | undefined): void {
  const client = useQueryClient()
  const wasActive = useRef(false)
  const active = job ? isActive(job) : false
  useEffect(() => {
    if (wasActive.current && !active) void client.invalidateQueries({ queryKey: cacheKeys.learning })
    wasActive.current = active
  }, [client, active])
}

function Training({ job, zone, mayCancel }: { job: Job; zone: string; mayCancel: boolean }) {
  if (!isActive(job)) return <Ended job={job} zone={zone} />
  const running = job.status === 'running'
  return (
    <>
      <progress
        aria-label="Progress of the training"
        {...(running ? { value: job.progress } : { value: 0 })}
      />
      <span className="small">
        {running ? `Learning, ${percentText(job.progress)}` : 'Waits for its turn'}
      </span>
      {mayCancel && <Cancel job={job} />}
    </>
  )
}

/** History that is derived again, since readings came in late; a failure stays until it is made good. */
function Rebuild({ job: { status, progress, detail } }: { job: Job }) {
  return (
    <div className="training" role="status">
      {status === 'running' ? (
        <>
          <progress aria-label="Progress of the rebuild" value={progress} />
          <span className="small">Derives its history again, {percentText(progress)}</span>
        </>
      ) : (
        <span className="small">
          <span className="tag" data-tone="red">
            Rebuild failed
          </span>{' '}
          <span className="muted">{detail}</span>
        </span>
      )}
    </div>
  )
}

function Cancel({ job }: { job: Job }) {
  const cancel = useCancelTraining()
  return (
    <Button
      size="compact-xs"
      variant="default"
      loading={cancel.isPending}
      onClick={() => cancel.mutate(job.id)}
    >
      Cancel training
    </Button>
  )
}

const endings = { done: 'Last trained', failed: 'Failed', cancelled: 'Cancelled' } as const

function Ended({ job, zone }: { job: Job; zone: string }) {
  const { status, detail, by, endedAt = job.createdAt } = job
  if (status === 'queued' || status === 'running') return null
  return (
    <span className="small">
      {status !== 'done' && (
        <span className="tag" data-tone={status === 'failed' ? 'red' : 'muted'}>
          {endings[status]}
        </span>
      )}{' '}
      {status === 'done' && `${endings.done} `}
      {timeText(endedAt, zone, 'full')} for {deciderText(by)}.{' '}
      <span className="muted">{withVersions(detail, zone)}</span>
    </span>
  )
}
