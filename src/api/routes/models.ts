import type { BodyOf, RouteName } from '../../contract/routes.ts'
import { HomeostatError } from '../../core/errors.ts'
import type { ModelEntry, Trigger } from '../../core/life.ts'
import type { TriggerInput } from '../../engine/scheduler-check.ts'
import { reachOf } from '../auth.ts'
import { pageOf, seriesPlace, seriesTypes, whole } from '../cursor.ts'
import type { Ask, Handlers, Hub } from '../hub.ts'
import { moment } from '../moment.ts'

type ModelRoute =
  | 'models'
  | 'modelEvents'
  | 'reports'
  | 'promote'
  | 'rollback'
  | 'predict'
  | 'train'
  | 'jobs'
  | 'cancelJob'
  | 'forgotten'
  | 'forget'
  | 'remember'
  | 'infos'
  | 'schedules'
  | 'putSchedule'
  | 'runSchedule'
  | 'removeSchedule'

const dayMs = 86_400_000
const reportMs = 28 * dayMs
const infosMs = 7 * dayMs

/** The life of models: versions, reports, trainings, what is forgotten, what fires when. */
export const modelRoutes = (hub: Hub): Pick<Handlers, ModelRoute> => ({
  ...versionRoutes(hub),
  ...trainingRoutes(hub),
  ...forgottenRoutes(hub),
  ...scheduleRoutes(hub),
})

type Part<Name extends ModelRoute> = Pick<Handlers, Name>

const versionRoutes = ({
  engine,
  limits,
}: Hub): Part<'models' | 'modelEvents' | 'reports' | 'promote' | 'rollback' | 'predict' | 'infos'> => ({
  async models({ query, sites }) {
    const entries = (await engine.models.all()).filter(
      ({ card: { series } }) =>
        isWithin(series.site, sites) &&
        (query.device === undefined || series.device === query.device) &&
        (query.metric === undefined || series.metric === query.metric),
    )
    // newest first
    return pageOf(entries.map(shown), query, ['number', ...seriesTypes, 'string'], (entry) => [
      -entry.trainedAt,
      ...seriesPlace(entry.series),
      entry.model.version,
    ])
  },

  async modelEvents({ query, sites }) {
    const { site, device, metric, limit } = query
    const series = site && device && metric ? { site, device, metric } : undefined
    const filter = series ? { series } : site === undefined ? {} : { site }
    const events = await engine.models.events(filter, limit)
    return whole(events.filter((event) => isWithin(event.series.site, sites)))
  },

  async reports({ query: { site, device, metric, from, to } }) {
    const until = to === undefined ? engine.clock.now() : moment('to', to)
    const since = from === undefined ? until - reportMs : moment('from', from)
    return whole(await engine.models.reports({ site, device, metric }, since, until))
  },

  async promote(ask) {
    const { version, force, ...series } = ask.body
    requireSite(ask, series.site)
    return shown(await engine.models.promote(series, version, { by: ask.caller.name, force }))
  },

  async rollback(ask) {
    const { version, ...series } = ask.body
    requireSite(ask, series.site)
    return { live: await engine.models.rollBack(series, version, ask.caller.name) }
  },

  async predict(ask) {
    const { rows, ...series } = ask.body
    requireSite(ask, series.site)
    if (rows.length > limits.predictRows)
      throw new HomeostatError('batch_too_large', { limit: limits.predictRows, got: rows.length })
    return engine.models.predict(series, rows)
  },

  async infos({ query, sites }) {
    const from = query.from === undefined ? engine.clock.now() - infosMs : moment('from', query.from)
    const filter = query.site === undefined ? { from } : { from, site: query.site }
    const infos = await engine.ledger.notes.infos(filter, query.limit)
    return whole(infos.filter(({ site }) => site === null || isWithin(site, sites)))
  },
})

const trainingRoutes = ({ engine }: Hub): Part<'train' | 'jobs' | 'cancelJob'> => ({
  async train({ body, sites, caller }) {
    const { force = false, ...want } = body ?? {}
    const jobs = await engine.models.train({ sites, ...want }, { by: caller.name, force })
    return { queued: jobs.length, jobs }
  },

  async jobs({ query: { site, status, limit }, sites }) {
    const filter = { ...(site === undefined ? {} : { site }), ...(status ? { status: [status] } : {}) }
    const jobs = await engine.ledger.jobs.all(filter, limit)
    return whole(
      jobs
        .filter(({ series }) => isWithin(series.site, sites))
        .map((job) => engine.models.trainer.jobs.now(job)),
    )
  },

  async cancelJob(ask) {
    const { jobs } = engine.models.trainer
    const { id } = ask.params
    requireSite(ask, (await jobs.get(id)).series.site)
    return jobs.cancel(id, ask.caller.name)
  },
})

const forgottenRoutes = ({ engine }: Hub): Part<'forgotten' | 'forget' | 'remember'> => ({
  forgotten: ({ sites }) =>
    whole(engine.models.forgotten().filter(({ series }) => isWithin(series.site, sites))),

  async forget(ask) {
    const { from, to, reason, ...series } = ask.body
    requireSite(ask, series.site)
    if (!engine.findSeries(series))
      throw new HomeostatError('not_found', {
        what: `series ${series.site}/${series.device}/${series.metric}`,
      })
    const span = { from: moment('from', from), to: moment('to', to) }
    return engine.models.forget({ series, ...span, reason, by: ask.caller.name })
  },

  async remember(ask) {
    const { id } = ask.params
    const span = engine.models.forgotten().find((one) => one.id === id)
    if (!span) throw new HomeostatError('not_found', { what: `forgotten span "${id}"` })
    requireSite(ask, span.series.site)
    await engine.models.remember(id, ask.caller.name)
    return { removed: id }
  },
})

const scheduleRoutes = ({
  engine,
}: Hub): Part<'schedules' | 'putSchedule' | 'runSchedule' | 'removeSchedule'> => {
  const find = (name: string): Trigger => {
    const trigger = engine.scheduler.triggers().find((one) => one.name === name)
    if (!trigger) throw new HomeostatError('not_found', { what: `schedule "${name}"` })
    return trigger
  }
  return {
    schedules: () => whole(engine.scheduler.triggers()),

    async putSchedule({ params: { name }, body }) {
      await engine.scheduler.putTrigger(changed(name, body, engine.scheduler.triggers()))
      return find(name)
    },

    async runSchedule({ params: { name } }) {
      find(name)
      await engine.scheduler.run(name)
      return find(name)
    },

    async removeSchedule({ params: { name } }) {
      find(name)
      await engine.scheduler.removeTrigger(name)
      return { removed: name }
    },
  }
}

/** What is not said stays as it was; a new period takes the place of a cron expression, and the other way round. */
function changed(name: string, body: BodyOf<'putSchedule'>, triggers: readonly Trigger[]): TriggerInput {
  const known = triggers.find((one) => one.name === name)
  const { cron, zone, everyMs, event = known?.event, once = known?.once, enabled = known?.enabled } = body
  if (event === undefined)
    throw new HomeostatError('request_invalid', { detail: `a new schedule needs the event that it fires` })
  const was = cron === undefined && everyMs === undefined ? known : undefined
  const when = { cron: cron ?? was?.cron, zone: zone ?? known?.zone, everyMs: everyMs ?? was?.everyMs }
  return { name, event, once: once ?? false, enabled: enabled ?? true, ...given(when) }
}

const shown = ({ card, standing, reason, since }: ModelEntry) => ({
  ...card,
  standing,
  live: standing === 'live',
  reason,
  since,
})

/** Without what is undefined. */
const given = <Fields extends object>(
  fields: Fields,
): { [Key in keyof Fields]?: Exclude<Fields[Key], undefined> } =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [Key in keyof Fields]?: Exclude<Fields[Key], undefined>
  }

const isWithin = (site: string, sites: readonly string[] | null): boolean =>
  sites === null || sites.includes(site)

/** A site that comes in the body: as if it had come in the query. */
function requireSite({ caller }: Pick<Ask<RouteName>, 'caller'>, site: string): void {
  if (isWithin(site, reachOf(caller, undefined))) return
  throw new HomeostatError('site_forbidden', { site })
}
