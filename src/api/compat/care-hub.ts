import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import {
  type careHubTable,
  detailCharsMax,
  missingFunctions,
  notifications,
} from '../../contract/care-hub.ts'
import type { RouteHandlers } from '../../contract/route.ts'
import { HomeostatError } from '../../core/errors.ts'
import type { NoteLedger } from '../../core/ports.ts'
import { dayMs, minuteMs } from '../../core/time.ts'
import type { Scheduler } from '../../engine/schedule/scheduler.ts'

/** The parts of a hub that the care hub's routes use. */
export interface CareHub {
  readonly scheduler: Pick<Scheduler, 'event' | 'putFunction' | 'removeFunction' | 'status'>
  readonly notes: Pick<NoteLedger, 'putInfos' | 'infos' | 'removeInfos'>
  /** UTC ms. */
  readonly now: () => number
  /** Queues all trainings; returns how many. Rejects with HomeostatError where training is not possible. */
  readonly train: (by: string) => Promise<number>
}

type CareHubHandlers = RouteHandlers<(typeof careHubTable)['routes']>
type Missing = keyof typeof missingFunctions
type Notification = keyof typeof notifications

const shownDays = 7
const infosMax = 1000
const done = { status: 'success' } as const

export const careHubHandlers = (hub: CareHub): CareHubHandlers => ({
  ...scheduleHandlers(hub),
  ...trainingHandlers(hub),
  ...infoHandlers(hub),
  ...notificationHandlers(hub),
})

const scheduleHandlers = ({
  scheduler,
}: CareHub): Pick<CareHubHandlers, 'event' | 'putFunction' | 'removeFunction' | 'status'> => ({
  async event({ body: { name, data } }) {
    return { ...done, functions: await scheduler.event(name, data) }
  },

  async putFunction({ body: { name, subs, url, method, mock } }) {
    const action = { kind: 'call', url: withScheme(url), method: mock ? '' : method || 'GET' } as const
    await scheduler.putFunction({ name, events: subs, action })
    return done
  },

  async removeFunction({ body: { name } }) {
    return { ...done, removed: await scheduler.removeFunction(name) }
  },

  status: () => scheduler.status(),
})

function trainingHandlers({ train }: CareHub): Pick<CareHubHandlers, 'train' | Missing> {
  const missing = Object.entries(missingFunctions).map(([name, message]) => [
    name,
    () => ({ status: 'no_data', message }),
  ])
  return {
    ...(Object.fromEntries(missing) as Pick<CareHubHandlers, Missing>),
    async train({ caller }) {
      try {
        const queued = await train(caller.name)
        if (queued > 0) return { ...done, queued }
        return { status: 'no_data', message: 'There is no series to learn from yet.', queued }
      } catch (error) {
        // clients of the care hub expect status 200 and its own form
        if (!(error instanceof HomeostatError)) throw error
        return { status: 'error', message: error.message }
      }
    },
  }
}

function notificationHandlers({ notes, now }: CareHub): Pick<CareHubHandlers, Notification> {
  const handler =
    (summary: string): CareHubHandlers[Notification] =>
    async ({ body }) => {
      await notes.putInfos([
        { id: randomUUID(), at: now(), site: null, summary, detail: messageOf(body), level: 2 },
      ])
      return { ...done, message: 'Kept as an info of level 2: this hub has no to-dos yet.' }
    }
  return {
    create_emergency_notification_function: handler(notifications.create_emergency_notification_function),
    create_burglary_notification_function: handler(notifications.create_burglary_notification_function),
  }
}

const infoHandlers = ({
  notes,
  now,
}: CareHub): Pick<CareHubHandlers, 'putInfo' | 'infos' | 'removeInfos'> => ({
  async putInfo({ body: { timestamp, ...info } }) {
    // it would be the newest until that time has come
    if (timestamp > now() + dayMs)
      throw new HomeostatError('at_in_future', { at: timestamp, limitMinutes: dayMs / minuteMs })
    await notes.putInfos([{ id: randomUUID(), at: timestamp, site: null, ...info }])
    return done
  },

  async infos() {
    const infos = await notes.infos({ from: now() - shownDays * dayMs }, infosMax)
    return infos.map(({ at, level, summary, detail }) => ({ timestamp: at, level, summary, detail }))
  },

  async removeInfos({ body: { timestamp } }) {
    return { ...done, removed: await notes.removeInfos(timestamp) }
  },
})

/** The gateway of the care hub registers addresses such as "10.0.0.7:8000/api/f". */
const withScheme = (url: string): string => (/^[a-z][a-z0-9+.-]*:\/\//i.test(url) ? url : `http://${url}`)

/** The messages of the events of a call, or the whole body as JSON where there is none. */
function messageOf(body: unknown): string {
  const events = z.record(z.string(), z.object({ data: z.object({ message: z.string() }) })).safeParse(body)
  const messages = events.success ? Object.values(events.data).map(({ data }) => data.message) : []
  return (messages.join('\n') || JSON.stringify(body ?? {})).slice(0, detailCharsMax)
}
