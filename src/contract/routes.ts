import { z } from 'zod'
import * as m from './model-schemas.ts'
import * as s from './schemas.ts'

/**
 * Every route on one page: what is asked, who may ask, over which sites, what comes back.
 *
 * `scope`: `query` - the `site` of the query, or all sites of the key where it is absent, narrows what is seen;
 * `params` - the `site` of the path; `body` - the handler checks each row; `hub` - concerns no single site and
 * needs a key for all sites; `none` - tells nothing of any site.
 */
export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly path: string
  readonly summary: string
  readonly role: 'public' | 'viewer' | 'operator' | 'admin'
  readonly scope: 'query' | 'params' | 'body' | 'hub' | 'none'
  readonly query?: z.ZodType
  readonly params?: z.ZodType
  readonly body?: z.ZodType
  readonly reply: z.ZodType
}

const siteParam = z.object({ site: z.string() })

export const routes = {
  sites: {
    method: 'GET',
    path: '/api/v1/sites',
    summary: 'Homes and buildings',
    role: 'viewer',
    scope: 'query',
    query: s.query.site,
    reply: s.pageOf(s.site),
  },
  removeSite: {
    method: 'DELETE',
    path: '/api/v1/sites/:site',
    summary: 'Erase a site with all that is known of it',
    role: 'admin',
    scope: 'params',
    params: siteParam,
    reply: z.object({ removed: z.string() }),
  },
  rooms: {
    method: 'GET',
    path: '/api/v1/rooms',
    summary: 'Rooms',
    role: 'viewer',
    scope: 'query',
    query: s.query.site,
    reply: s.pageOf(s.room),
  },
  devices: {
    method: 'GET',
    path: '/api/v1/devices',
    summary: 'Devices',
    role: 'viewer',
    scope: 'query',
    query: s.query.series,
    reply: s.pageOf(s.device),
  },
  series: {
    method: 'GET',
    path: '/api/v1/series',
    summary: 'Series: what each device measures, in which unit',
    role: 'viewer',
    scope: 'query',
    query: s.query.series,
    reply: s.pageOf(s.series),
  },
  readings: {
    method: 'GET',
    path: '/api/v1/readings',
    summary: 'Readings, oldest first',
    role: 'viewer',
    scope: 'query',
    query: s.query.readings,
    reply: s.pageOf(s.reading),
  },
  push: {
    method: 'POST',
    path: '/api/v1/readings',
    summary: 'Store readings; answered once they are on disk, with an error per bad row',
    role: 'operator',
    scope: 'body',
    body: s.pushBody,
    reply: s.pushReply,
  },
  latest: {
    method: 'GET',
    path: '/api/v1/latest',
    summary: 'The newest reading of every series',
    role: 'viewer',
    scope: 'query',
    query: s.query.series,
    reply: s.pageOf(s.reading),
  },
  window: {
    method: 'GET',
    path: '/api/v1/window',
    summary: 'The newest readings of one series, as the hot path holds them',
    role: 'viewer',
    scope: 'query',
    query: s.query.oneSeries,
    reply: s.window,
  },
  rollups: {
    method: 'GET',
    path: '/api/v1/rollups',
    summary: 'One series by the hour',
    role: 'viewer',
    scope: 'query',
    query: s.query.oneSeriesSpan,
    reply: s.pageOf(s.rollup).extend({ unit: z.string() }),
  },
  forecasts: {
    method: 'GET',
    path: '/api/v1/forecasts',
    summary: 'The newest forecast of every target, with the naive one as its baseline',
    role: 'viewer',
    scope: 'query',
    query: s.query.models,
    reply: s.pageOf(s.forecast),
  },
  models: {
    method: 'GET',
    path: '/api/v1/models',
    summary:
      'Versions of models: training data, scores beside the naive ones, status (live, challenger, rejected, retired, refused) and why',
    role: 'viewer',
    scope: 'query',
    query: s.query.models,
    reply: s.pageOf(m.modelEntry),
  },
  modelEvents: {
    method: 'GET',
    path: '/api/v1/models/history',
    summary: 'Changes of status: what was live when, and who decided; newest first',
    role: 'viewer',
    scope: 'query',
    query: m.query.events,
    reply: s.pageOf(m.modelEvent),
  },
  reports: {
    method: 'GET',
    path: '/api/v1/models/report',
    summary: 'Scores of the forecasts of each version by lead time, beside the naive one; drift',
    role: 'viewer',
    scope: 'query',
    query: m.query.report,
    reply: s.pageOf(m.report),
  },
  promote: {
    method: 'POST',
    path: '/api/v1/models/promote',
    summary: 'Make a kept version live',
    role: 'operator',
    scope: 'body',
    body: m.promoteInput,
    reply: m.modelEntry,
  },
  rollback: {
    method: 'POST',
    path: '/api/v1/models/rollback',
    summary: 'Go back to the version before, or to the naive forecast',
    role: 'operator',
    scope: 'body',
    body: m.rollbackInput,
    reply: z.object({ live: z.string().describe('version that is live now') }),
  },
  predict: {
    method: 'POST',
    path: '/api/v1/predict',
    summary: 'Predict from rows of features with the live model; the reply names its version',
    role: 'viewer',
    scope: 'body',
    body: m.predictInput,
    reply: m.predictReply,
  },
  train: {
    method: 'POST',
    path: '/api/v1/train',
    summary: 'Learn again from what is stored, now',
    role: 'operator',
    scope: 'query',
    query: s.query.site,
    body: m.trainInput.nullish(),
    reply: z.object({ queued: z.number().int().describe('targets'), jobs: z.array(m.job) }),
  },
  jobs: {
    method: 'GET',
    path: '/api/v1/jobs',
    summary: 'Trainings that wait, run, and ran; newest first',
    role: 'viewer',
    scope: 'query',
    query: m.query.jobs,
    reply: s.pageOf(m.job),
  },
  cancelJob: {
    method: 'DELETE',
    path: '/api/v1/jobs/:id',
    summary: 'Cancel a training that waits or runs',
    role: 'operator',
    scope: 'body',
    params: z.object({ id: z.string() }),
    reply: m.job,
  },
  schedules: {
    method: 'GET',
    path: '/api/v1/schedules',
    summary: 'What fires when: daily training, roll-ups, clean-up, and triggers of your own',
    role: 'viewer',
    scope: 'hub',
    reply: s.pageOf(m.trigger),
  },
  putSchedule: {
    method: 'PUT',
    path: '/api/v1/schedules/:name',
    summary: 'Change a trigger, or add one',
    role: 'admin',
    scope: 'hub',
    params: z.object({ name: z.string() }),
    body: m.triggerInput,
    reply: m.trigger,
  },
  runSchedule: {
    method: 'POST',
    path: '/api/v1/schedules/:name/run',
    summary: 'Fire a trigger now',
    role: 'operator',
    scope: 'hub',
    params: z.object({ name: z.string() }),
    reply: m.trigger,
  },
  removeSchedule: {
    method: 'DELETE',
    path: '/api/v1/schedules/:name',
    summary: 'Remove a trigger of your own',
    role: 'admin',
    scope: 'hub',
    params: z.object({ name: z.string() }),
    reply: z.object({ removed: z.string() }),
  },
  forgotten: {
    method: 'GET',
    path: '/api/v1/forgotten',
    summary: 'Spans of series that no model learns from',
    role: 'viewer',
    scope: 'query',
    query: s.query.site,
    reply: s.pageOf(m.forgotten),
  },
  forget: {
    method: 'POST',
    path: '/api/v1/forgotten',
    summary: 'Forget a span of a series: its readings stay, models are learnt without it',
    role: 'operator',
    scope: 'body',
    body: m.forgetInput,
    reply: m.forgotten,
  },
  remember: {
    method: 'DELETE',
    path: '/api/v1/forgotten/:id',
    summary: 'Learn from a forgotten span again',
    role: 'operator',
    scope: 'body',
    params: z.object({ id: z.string() }),
    reply: z.object({ removed: z.string() }),
  },
  infos: {
    method: 'GET',
    path: '/api/v1/infos',
    summary: 'What the hub did by itself, newest first',
    role: 'viewer',
    scope: 'query',
    query: m.query.infos,
    reply: s.pageOf(m.info),
  },
  predictions: {
    method: 'GET',
    path: '/api/v1/predictions',
    summary: 'Live predictions of one target',
    role: 'viewer',
    scope: 'query',
    query: s.query.targetSpan,
    reply: s.pageOf(s.prediction),
  },
  alerts: {
    method: 'GET',
    path: '/api/v1/alerts',
    summary: 'Alerts, newest first',
    role: 'viewer',
    scope: 'query',
    query: s.query.site,
    reply: s.pageOf(s.alert),
  },
  quarantine: {
    method: 'GET',
    path: '/api/v1/quarantine',
    summary: 'What did not become a reading, and why; newest first',
    role: 'operator',
    scope: 'hub',
    query: s.query.page,
    reply: s.pageOf(s.quarantined),
  },
  me: {
    method: 'GET',
    path: '/api/v1/me',
    summary: 'Who asks, by what role, and which sites it reaches',
    role: 'viewer',
    scope: 'none',
    reply: s.me,
  },
  keys: {
    method: 'GET',
    path: '/api/v1/keys',
    summary: 'API keys, without their secrets',
    role: 'admin',
    scope: 'hub',
    reply: s.pageOf(s.key),
  },
  createKey: {
    method: 'POST',
    path: '/api/v1/keys',
    summary: 'Make an API key; its secret is shown this once',
    role: 'admin',
    scope: 'hub',
    body: s.keyInput,
    reply: s.key.extend({ secret: z.string() }),
  },
  removeKey: {
    method: 'DELETE',
    path: '/api/v1/keys/:id',
    summary: 'Revoke an API key',
    role: 'admin',
    scope: 'hub',
    params: z.object({ id: z.string() }),
    reply: z.object({ removed: z.string() }),
  },
  health: {
    method: 'GET',
    path: '/health',
    summary: 'How the hub is',
    role: 'public',
    scope: 'none',
    reply: s.health,
  },
  livez: {
    method: 'GET',
    path: '/livez',
    summary: 'The process runs',
    role: 'public',
    scope: 'none',
    reply: z.object({ status: z.literal('ok') }),
  },
  readyz: {
    method: 'GET',
    path: '/readyz',
    summary: 'The hub takes readings: 200, else 503 with what is missing',
    role: 'public',
    scope: 'none',
    reply: z.object({ status: z.enum(['ready', 'unready']), missing: z.array(z.string()) }),
  },
} as const satisfies Record<string, Route>

export type Routes = typeof routes
export type RouteName = keyof Routes

/** What a handler gets: the parsed request. */
export type QueryOf<Name extends RouteName> = Routes[Name] extends { query: infer Q extends z.ZodType }
  ? z.output<Q>
  : undefined
export type ParamsOf<Name extends RouteName> = Routes[Name] extends { params: infer P extends z.ZodType }
  ? z.output<P>
  : undefined
export type BodyOf<Name extends RouteName> = Routes[Name] extends { body: infer B extends z.ZodType }
  ? z.output<B>
  : undefined
/** What comes back; a handler may answer with what it must not change. */
export type ReplyOf<Name extends RouteName> = Frozen<z.input<Routes[Name]['reply']>>

export type Frozen<Value> = Value extends object
  ? { readonly [Key in keyof Value]: Frozen<Value[Key]> }
  : Value
