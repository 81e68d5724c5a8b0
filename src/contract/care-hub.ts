import { z } from 'zod'
import { type Route, routeTable } from './route.ts'

/**
 * The interface of the care hub (seed A): events, functions, infos, trainings. All of it concerns the hub as a whole.
 * Functions make the hub call addresses, so they need an admin.
 */

const event = z.object({ name: z.string(), data: z.unknown().optional() })
const functionInput = z.object({
  name: z.string(),
  subs: z.array(z.string()),
  url: z.string().describe('http unless it names https'),
  method: z.string().nullish().describe('default: GET, which is sent without a body'),
  mock: z.boolean().nullish().describe('true: the events are consumed, but nothing is called'),
})
/** Until the year 9999: what is later has no place in a calendar, and what is earlier than 1970 was no measurement. */
const timestamp = z
  .number()
  .min(0)
  .max(253_402_300_799_999)
  .describe('UTC epoch milliseconds')
  .transform(Math.round)
const level = z.union([z.literal(0), z.literal(1), z.literal(2)]).describe('0 low, 1 medium, 2 high')
export const detailCharsMax = 10_000
const info = z.object({
  timestamp,
  summary: z.string().max(500),
  detail: z.string().max(detailCharsMax),
  level,
})

const success = z.object({ status: z.literal('success') })
const noData = z.object({ status: z.literal('no_data'), message: z.string() })
const functionStatus = z.object({
  name: z.string(),
  subs: z.array(z.string()),
  last_invoke: z.number().nullable().describe('UTC epoch milliseconds'),
  events: z.array(z.object({ ready: z.array(z.string()), waiting: z.array(z.string()) })),
})

/** Functions whose models this hub does not have yet, and the message of each. */
export const missingFunctions = {
  create_occupancy_model_function: 'This hub does not learn occupancy yet; no model was made.',
  create_motion_model_function: 'This hub does not learn motion yet; no model was made.',
  create_burglary_model_function: 'This hub does not learn burglary detection yet; no model was made.',
  check_emergency_detection_function: 'There is no occupancy model yet; nothing was checked.',
  check_burglary_detection_function: 'There is no burglary model yet; nothing was checked.',
  motion_analysis_function: 'There is no motion model yet; nothing was analysed.',
} as const

/** Functions that notify people; infos of the highest level until there are to-dos. */
export const notifications = {
  create_emergency_notification_function: 'Emergency',
  create_burglary_notification_function: 'Burglary',
} as const

type FunctionRoute<Reply extends z.ZodType> = Route & { readonly reply: Reply }

const functionRoute = <Reply extends z.ZodType>(
  name: string,
  summary: string,
  reply: Reply,
): FunctionRoute<Reply> => ({
  method: 'POST',
  path: `/api/${name}`,
  summary,
  role: 'operator',
  scope: 'hub',
  reply,
})

/** The same keys with mapped values. */
function mapped<Name extends string, From, To>(
  table: Readonly<Record<Name, From>>,
  map: (value: From, name: Name) => To,
): Readonly<Record<Name, To>> {
  const entries = (Object.keys(table) as Name[]).map((name) => [name, map(table[name], name)])
  return Object.fromEntries(entries) as Record<Name, To>
}

export const careHubTable = routeTable({
  seed: true,
  name: 'care hub',
  routes: {
    event: {
      method: 'POST',
      path: '/api/event',
      summary: 'Send an event',
      role: 'operator',
      scope: 'hub',
      body: event,
      reply: success.extend({ functions: z.number().int().describe('functions that subscribe to it') }),
    },
    putFunction: {
      method: 'POST',
      path: '/api/function',
      summary:
        'Register a function: an address that is called when all its events have arrived; same name replaces',
      role: 'admin',
      scope: 'hub',
      body: functionInput,
      reply: success,
    },
    removeFunction: {
      method: 'DELETE',
      path: '/api/function',
      summary: 'Remove a function',
      role: 'admin',
      scope: 'hub',
      body: z.object({ name: z.string() }),
      reply: success.extend({ removed: z.boolean() }),
    },
    status: {
      method: 'GET',
      path: '/api/status',
      aliases: ['/api/sif'],
      summary: 'Functions, and which events they wait for',
      role: 'viewer',
      scope: 'hub',
      reply: z.array(functionStatus),
    },
    train: {
      method: 'POST',
      path: '/api/train',
      summary: 'Train again from the stored readings',
      role: 'operator',
      scope: 'hub',
      reply: z.union([
        success.extend({ queued: z.number().int().describe('models') }),
        noData.extend({ queued: z.number().int() }),
        z.object({ status: z.literal('error'), message: z.string() }),
      ]),
    },
    ...mapped(missingFunctions, (message, name) => functionRoute(name, message, noData)),
    ...mapped(notifications, (title, name) =>
      functionRoute(name, `${title}: an info of the highest level`, success.extend({ message: z.string() })),
    ),
    putInfo: {
      method: 'POST',
      path: '/api/info',
      summary: 'Tell people something',
      role: 'operator',
      scope: 'hub',
      body: info,
      reply: success,
    },
    infos: {
      method: 'GET',
      path: '/api/info',
      summary: 'Infos of the last 7 days, newest first',
      role: 'viewer',
      scope: 'hub',
      reply: z.array(z.object({ timestamp: z.number(), level, summary: z.string(), detail: z.string() })),
    },
    removeInfos: {
      method: 'DELETE',
      path: '/api/info',
      summary: 'Remove the infos with a timestamp',
      role: 'operator',
      scope: 'hub',
      body: z.object({ timestamp }),
      reply: success.extend({ removed: z.number().int() }),
    },
  },
})
