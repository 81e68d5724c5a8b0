import { randomUUID } from 'node:crypto'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { HomeostatError } from '../../core/errors.ts'
import type { Role } from '../../core/event.ts'
import type { NoteLedger } from '../../core/ports.ts'
import { dayMs } from '../../core/time.ts'
import type { Scheduler } from '../../engine/schedule/scheduler.ts'
import { type AuthOptions, authorise, type Caller, identify } from '../auth.ts'

/** What the care hub's routes work on. */
export interface CareHub {
  readonly auth: AuthOptions
  readonly scheduler: Pick<Scheduler, 'event' | 'putFunction' | 'removeFunction' | 'status'>
  readonly notes: Pick<NoteLedger, 'putInfos' | 'infos' | 'removeInfos'>
  /** UTC ms. */
  readonly now: () => number
  /** Starts learning everything anew; the number of series. Rejects with HomeostatError where it may not. */
  readonly train: (by: string) => Promise<number>
}

const shownDays = 7
const infosMax = 1000
const detailChars = 10_000

const event = z.object({ name: z.string(), data: z.unknown().optional() })
const name = z.object({ name: z.string() })
const functionInput = z.object({
  name: z.string(),
  subs: z.array(z.string()),
  url: z.string().describe('http unless it says https'),
  method: z.string().nullish().describe('default: GET, which goes without a body'),
  mock: z.boolean().nullish().describe('true: events are used up, nobody is called'),
})
const timestamp = z.number().describe('UTC epoch milliseconds').transform(Math.round)
const info = z.object({
  timestamp,
  summary: z.string().max(500),
  detail: z.string().max(detailChars),
  level: z.union([z.literal(0), z.literal(1), z.literal(2)]).describe('0 low, 1 medium, 2 high'),
})

/** Functions of the care hub whose models this hub does not have yet, and what each lacks. */
const missing: Readonly<Record<string, string>> = {
  create_occupancy_model_function: 'This hub does not learn occupancy yet; no model was made.',
  create_motion_model_function: 'This hub does not learn motion yet; no model was made.',
  create_burglary_model_function: 'This hub does not learn burglary detection yet; no model was made.',
  check_emergency_detection_function: 'There is no occupancy model yet; nothing was checked.',
  check_burglary_detection_function: 'There is no burglary model yet; nothing was checked.',
  motion_analysis_function: 'There is no motion model yet; nothing was analysed.',
}

/** Functions of the care hub that tell people; news of the highest level until there are to-dos. */
const notifications: Readonly<Record<string, string>> = {
  create_emergency_notification_function: 'Emergency',
  create_burglary_notification_function: 'Burglary',
}

const nothingToLearn = 'There is no series to learn from yet.'

const done = { status: 'success' } as const

/** A way in, as `add` takes it. */
interface Way<Body extends z.ZodType> {
  readonly method: 'GET' | 'POST' | 'DELETE'
  readonly path: string
  readonly summary: string
  readonly role: Role
  readonly body?: Body
  readonly answer: (body: z.output<Body>, caller: Caller) => unknown
}

/**
 * The care hub's own interface: events, functions, news, training. To be registered inside the scope of the contract's
 * routes, whose parsers, validators and rate limit it takes over. All of it concerns the hub as a whole; functions make
 * the hub call addresses, so they are for admins.
 */
export const careHubRoutes =
  (hub: CareHub) =>
  async (scope: FastifyInstance): Promise<void> => {
    const add = adder(scope, hub.auth)
    addSchedule(add, hub)
    addTraining(add, hub)
    addNews(add, hub)
  }

type Add = <Body extends z.ZodType = z.ZodUnknown>(way: Way<Body>) => void

/** The same gate as the contract's routes have: who asks is known before the body is read. */
function adder(scope: FastifyInstance, auth: AuthOptions): Add {
  const callers = new WeakMap<FastifyRequest, Caller>()
  return ({ method, path, summary, role, body, answer }) => {
    scope.route({
      method,
      url: path,
      schema: { summary, tags: ['care hub'], ...(body ? { body } : {}) },
      config: { rateLimit: {} },
      onRequest: async (request) => {
        const caller = identify(request, auth)
        authorise(caller, { role, scope: 'hub' }, undefined)
        callers.set(request, caller)
      },
      handler: async (request) => {
        const caller = callers.get(request)!
        return answer(request.body as Parameters<typeof answer>[0], caller)
      },
    })
  }
}

function addSchedule(add: Add, { scheduler }: CareHub): void {
  add({
    ...{ method: 'POST', path: '/api/event', role: 'operator', summary: 'Send an event' },
    body: event,
    async answer({ name, data }) {
      return { ...done, functions: await scheduler.event(name, data) }
    },
  })
  add({
    ...{ method: 'POST', path: '/api/function', role: 'admin' },
    summary:
      'Register a function: an address that is called when all its events have come; same name replaces',
    body: functionInput,
    async answer({ name, subs, url, method, mock }) {
      const action = { kind: 'call', url: withScheme(url), method: mock ? '' : method || 'GET' } as const
      await scheduler.putFunction({ name, events: subs, action })
      return done
    },
  })
  add({
    ...{ method: 'DELETE', path: '/api/function', role: 'admin', summary: 'Remove a function' },
    body: name,
    async answer({ name }) {
      return { ...done, removed: await scheduler.removeFunction(name) }
    },
  })
  for (const path of ['/api/status', '/api/sif']) {
    add({
      ...{ method: 'GET', path, role: 'viewer', summary: 'Functions, and which events they wait for' },
      answer: () => scheduler.status(),
    })
  }
}

function addTraining(add: Add, { train, notes, now }: CareHub): void {
  add({
    ...{ method: 'POST', path: '/api/train', role: 'operator', summary: 'Learn again from what is stored' },
    async answer(_body, caller) {
      try {
        const queued = await train(caller.name)
        return queued > 0 ? { ...done, queued } : { status: 'no_data', message: nothingToLearn, queued }
      } catch (error) {
        // the care hub says so in an answer of its own form, with 200
        if (!(error instanceof HomeostatError)) throw error
        return { status: 'error', message: error.message }
      }
    },
  })
  for (const [path, message] of Object.entries(missing)) {
    add({
      ...{ method: 'POST', path: `/api/${path}`, role: 'operator', summary: message },
      answer: () => ({ status: 'no_data', message }),
    })
  }
  for (const [path, summary] of Object.entries(notifications)) {
    add({
      ...{
        method: 'POST',
        path: `/api/${path}`,
        role: 'operator',
        summary: `${summary}: news of the highest level`,
      },
      async answer(body) {
        await notes.putInfos([
          { id: randomUUID(), at: now(), site: null, summary, detail: messageOf(body), level: 2 },
        ])
        return { ...done, message: 'Kept as news of level 2: this hub has no to-dos yet.' }
      },
    })
  }
}

function addNews(add: Add, { notes, now }: CareHub): void {
  add({
    ...{ method: 'POST', path: '/api/info', role: 'operator', summary: 'Tell people something' },
    body: info,
    async answer({ timestamp, ...rest }) {
      await notes.putInfos([{ id: randomUUID(), at: timestamp, site: null, ...rest }])
      return done
    },
  })
  add({
    ...{ method: 'GET', path: '/api/info', role: 'viewer', summary: 'News of the last 7 days, newest first' },
    async answer() {
      const infos = await notes.infos({ from: now() - shownDays * dayMs }, infosMax)
      return infos.map(({ at, level, summary, detail }) => ({ timestamp: at, level, summary, detail }))
    },
  })
  add({
    ...{ method: 'DELETE', path: '/api/info', role: 'operator', summary: 'Remove the news of a moment' },
    body: z.object({ timestamp }),
    async answer({ timestamp }) {
      return { ...done, removed: await notes.removeInfos(timestamp) }
    },
  })
}

/** The care hub's gateway registers "10.0.0.7:8000/api/f". */
const withScheme = (url: string): string => (/^[a-z][a-z0-9+.-]*:\/\//i.test(url) ? url : `http://${url}`)

/** What the events of a call say: their messages, or all of it as JSON where there is none. */
function messageOf(body: unknown): string {
  const said = z.record(z.string(), z.object({ data: z.object({ message: z.string() }) })).safeParse(body)
  const text = said.success ? Object.values(said.data).map(({ data }) => data.message) : []
  return (text.join('\n') || JSON.stringify(body ?? {})).slice(0, detailChars)
}
