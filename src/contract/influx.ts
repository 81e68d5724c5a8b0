import { z } from 'zod'
import { type Route, routeTable } from './route.ts'

/**
 * The write interface of InfluxDB 1 and 2, with what its clients ask before they write. Everything is served below
 * `/influx` as well, where it collides with nothing.
 */

const below = (path: string): readonly string[] => [`/influx${path}`]
const text = z.string().max(200)
const lines = z.unknown().describe('line protocol; with `Content-Encoding: gzip` packed')
const empty = z.string().describe('empty, with status 204')

/** InfluxDB 1 also takes user and password as parameters; the password is the API key, the user is free. */
const userAndKey = { u: text.optional(), p: text.optional() }

const error = z.object({ error: z.string() })
const problem = z.object({ code: z.string(), message: z.string(), line: z.number().optional() })

const writeV1Query = z.object({
  ...userAndKey,
  db: text.optional().describe('the site, unless a tag names it; see influx.ownDatabases'),
  rp: text.optional(),
  precision: text.optional().describe('unit of the timestamps: ns (default), us, ms, s, m or h'),
})

const writeV2Query = z.object({
  org: text.optional(),
  bucket: text.optional().describe('the site, unless a tag names it; see influx.ownDatabases'),
  precision: text.optional().describe('unit of the timestamps: ns (default), us, ms or s'),
})

const site = z.string().optional()
const queryV1 = z.object({ ...userAndKey, site, db: text.optional(), q: z.string().max(10_000).optional() })

const queryV1Reply = z.object({
  results: z.array(
    z.object({
      statement_id: z.int(),
      series: z
        .array(
          z.object({ name: z.string(), columns: z.array(z.string()), values: z.array(z.array(z.string())) }),
        )
        .optional(),
    }),
  ),
})

const write = {
  method: 'POST',
  role: 'operator',
  scope: 'body',
  body: lines,
  reply: empty,
  credentials: 'influx',
  // bulk data: the inbox bounds it
  rateLimit: 'none',
} as const satisfies Partial<Route>

const read = { role: 'viewer', scope: 'query', credentials: 'influx' } as const satisfies Partial<Route>

const open = { method: 'GET', role: 'public', scope: 'none' } as const satisfies Partial<Route>

export const influxV1Table = routeTable({
  name: 'influx 1',
  errorBody: ({ detail }) => ({ error: detail }),
  routes: {
    writeV1: {
      ...write,
      path: '/write',
      aliases: below('/write'),
      summary: 'Store points; answered once they are on disk. Bad lines are named, the others stored',
      query: writeV1Query,
      failure: error,
    },
    ping: {
      ...open,
      path: '/ping',
      aliases: below('/ping'),
      summary: 'Whether the hub is there',
      reply: empty,
    },
    query: {
      ...read,
      method: 'GET',
      path: '/query',
      aliases: below('/query'),
      summary:
        'SHOW DATABASES, and CREATE DATABASE, which does nothing: a site begins with its first reading',
      query: queryV1,
      reply: queryV1Reply,
      failure: error,
    },
    queryByForm: {
      ...read,
      method: 'POST',
      path: '/query',
      aliases: below('/query'),
      summary: 'The same, with the query in the body',
      query: queryV1,
      body: z.unknown().describe('a form with `q`'),
      reply: queryV1Reply,
      failure: error,
    },
  },
})

/** Codes of InfluxDB 2 by HTTP status. */
const codes: Readonly<Record<number, string>> = {
  400: 'invalid',
  401: 'unauthorized',
  403: 'forbidden',
  404: 'not found',
  413: 'request too large',
  415: 'invalid',
  429: 'too many requests',
  503: 'unavailable',
}

export const influxCodeOf = (status: number): string => codes[status] ?? 'internal error'

export const influxV2Table = routeTable({
  name: 'influx 2',
  errorBody: ({ detail, status }) => ({ code: influxCodeOf(status), message: detail }),
  routes: {
    writeV2: {
      ...write,
      path: '/api/v2/write',
      aliases: below('/api/v2/write'),
      summary: 'Store points; answered once they are on disk. Bad lines are named, the others stored',
      query: writeV2Query,
      failure: problem,
    },
    buckets: {
      ...read,
      method: 'GET',
      path: '/api/v2/buckets',
      aliases: below('/api/v2/buckets'),
      summary: 'Sites, as buckets',
      query: z.object({
        site,
        name: text.optional(),
        limit: z.coerce.number().int().min(1).max(100).default(20),
        offset: z.coerce.number().int().min(0).max(1_000_000).default(0),
      }),
      reply: z.object({
        buckets: z.array(
          z.object({
            id: z.string(),
            orgID: z.string(),
            name: z.string(),
            type: z.literal('user'),
            retentionRules: z.array(z.never()),
          }),
        ),
      }),
    },
    flux: {
      ...read,
      method: 'POST',
      path: '/api/v2/query',
      aliases: below('/api/v2/query'),
      summary: 'The query buckets(), as clients ask it at their start; no other',
      query: z.object({ site, org: text.optional() }),
      body: z.unknown().describe('Flux, or JSON with `query`'),
      reply: z.string(),
      failure: problem,
    },
    health: {
      ...open,
      path: '/influx/health',
      summary: 'The process runs, as InfluxDB 2 tells it',
      reply: z.object({
        name: z.literal('influxdb'),
        status: z.literal('pass'),
        message: z.string(),
        version: z.string(),
      }),
    },
    ready: {
      ...open,
      path: '/influx/ready',
      aliases: ['/api/v2/ready', '/influx/api/v2/ready'],
      summary: 'The process runs, as InfluxDB 2 tells it',
      reply: z.object({ status: z.literal('ready'), started: z.string(), up: z.string() }),
    },
  },
})

/** The hub's own route about this way in. */
export const influxRoutes = {
  influxNotes: {
    method: 'GET',
    path: '/api/v1/influx',
    summary:
      'Fields that came over the InfluxDB interface and are not stored as they came, counted since the start of the hub',
    role: 'viewer',
    scope: 'query',
    query: z.object({
      site,
      limit: z.coerce.number().int().min(1).max(1000).default(1000),
      cursor: z.string().optional(),
    }),
    reply: z.object({
      items: z.array(
        z.object({
          kind: z
            .enum(['text', 'merged'])
            .describe('text: left out; merged: the series has another measurement, too'),
          site: z.string(),
          measurement: z.string(),
          field: z.string(),
          count: z.int(),
        }),
      ),
      next: z.string().nullable(),
    }),
  },
} as const satisfies Record<string, Route>
