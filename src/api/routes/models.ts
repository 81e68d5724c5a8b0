import type { BodyOf, RouteName } from '../../contract/routes.ts'
import { HomeostatError } from '../../core/errors.ts'
import { type ModelEntry, naiveVersion, type Trigger } from '../../core/life.ts'
import { moment } from '../../core/moment.ts'
import { isSameTarget } from '../../core/target.ts'
import { dayMs } from '../../core/time.ts'
import type { Engine } from '../../engine/engine.ts'
import type { TriggerInput } from '../../engine/schedule/scheduler-check.ts'
import { reachOf } from '../auth.ts'
import { pageOf, whole } from '../cursor.ts'
import type { Handlers, Hub, HubRequest } from '../hub.ts'
import type { PredictionCounts } from '../prediction-counts.ts'
import { forecastKeyOf, forecastKeyPlace, forecastKeyTypes, isNamed, isTargetNamed } from '../target.ts'

type ModelRoute =
  | 'models'
  | 'missingModels'
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

const reportMs = 28 * dayMs
const infosMs = 7 * dayMs

/** The life of models: versions, reports, trainings, what is forgotten, what fires when. */
export const modelRoutes = (hub: Hub, counts: PredictionCounts): Pick<Handlers, ModelRoute> => ({
  ...versionRoutes(hub),
  ...askRoutes(hub, counts),
  ...trainingRoutes(hub),
  ...forgottenRoutes(hub),
  ...scheduleRoutes(hub),
})

type Part<Name extends ModelRoute> = Pick<Handlers, Name>

const versionRoutes = ({
  engine,
}: Hub): Part<'models' | 'missingModels' | 'modelEvents' | 'promote' | 'rollback'> => ({
  async models({ query, sites }) {
    const entries = (await engine.models.all()).filter(
      ({ card }) => isWithin(card.target.site, sites) && isNamed(card, query),
    )
    // newest first
    return pageOf(entries.map(shown), query, ['number', ...forecastKeyTypes, 'string'], (entry) => [
      -entry.trainedAt,
      ...forecastKeyPlace(entry),
      entry.model.version,
    ])
  },

  async missingModels({ query, sites }) {
    const missing = await engine.models.missing(sites, query.subject ?? query.device)
    return pageOf(
      missing.filter(({ target }) => isTargetNamed(target, query)),
      query,
      ['string', 'string', 'string'],
      ({ target: { site, domain, subject } }) => [site, domain, subject],
    )
  },

  async modelEvents({ query, sites }) {
    const { site, metric, limit, ...words } = query
    const domain = words.domain ?? metric
    const subject = words.subject ?? words.device
    const target = site && domain && subject ? { site, domain, subject } : undefined
    const narrow = domain !== undefined || subject !== undefined
    const events = await newest(sites, limit, (of) =>
      // events that are filtered out below must not count
      engine.models.events(target ? { target } : of, narrow && !target ? everything : limit),
    )
    const named = events.filter((event) => isTargetNamed(event.target, { ...words, domain }))
    return whole(named.slice(0, limit))
  },

  async promote(ask) {
    const { version, force, ...words } = ask.body
    requireSite(ask, words.site)
    if (version === naiveVersion)
      refuse(`The naive forecast is not promoted; roll back to "${naiveVersion}" instead`)
    return shown(
      await engine.models.promote(forecastKeyOf(words).target, version, { by: ask.caller.name, force }),
    )
  },

  async rollback(ask) {
    const { version, ...words } = ask.body
    requireSite(ask, words.site)
    return { live: await engine.models.rollBack(forecastKeyOf(words).target, version, ask.caller.name) }
  },
})

/** Predictions on request, reports, and what the hub did by itself. */
const askRoutes = (
  { engine, limits }: Hub,
  counts: PredictionCounts,
): Part<'reports' | 'predict' | 'infos'> => ({
  async reports({ query: { from, to, ...words } }) {
    const until = to === undefined ? engine.clock.now() : moment('to', to)
    const since = from === undefined ? until - reportMs : moment('from', from)
    if (since >= until) invalid('"from" must lie before "to"')
    return whole(await engine.models.reports(forecastKeyOf(words), since, until))
  },

  async predict(ask) {
    const { rows, ...words } = ask.body
    requireSite(ask, words.site)
    const most = limits.predictRows
    if (rows.length > most)
      invalid(`it holds ${rows.length} rows, at most ${most} are taken (limits.predictRows)`)
    const begun = engine.clock.monotonic()
    const reply = await engine.models.predict(forecastKeyOf(words).target, rows)
    counts.add(words.site, rows.length, engine.clock.monotonic() - begun)
    return reply
  },

  async infos({ query, sites, caller }) {
    const from = query.from === undefined ? engine.clock.now() - infosMs : moment('from', query.from)
    const { notes } = engine.ledger
    // what concerns all sites is for keys of all sites
    const own = caller.sites !== null
    const infos = await newest(sites, query.limit, (of) => notes.infos({ from, own, ...of }, query.limit))
    return whole(infos)
  },
})

const trainingRoutes = ({ engine }: Hub): Part<'train' | 'jobs' | 'cancelJob'> => ({
  async train({ body, sites, caller }) {
    requireTraining(engine)
    const { force = false, domain, subject, device } = body ?? {}
    const jobs = await engine.models.train(
      { sites, domain, subject: subject ?? device },
      { by: caller.name, force },
    )
    return { queued: jobs.length, jobs }
  },

  async jobs({ query: { kind, status, limit }, sites }) {
    const { jobs } = engine.ledger
    const trainings = await newest(sites, kind === 'rebuild' ? 0 : limit, (of) =>
      jobs.all({ ...of, ...(status ? { status: [status] } : {}) }, limit),
    )
    const rebuilds = engine
      .rebuilds()
      .filter((job) => kind !== 'train' && isWithin(job.target.site, sites))
      .filter((job) => status === undefined || job.status === status)
    const found = [...trainings.map((job) => engine.models.trainer.jobs.now(job)), ...rebuilds]
    return whole(found.sort((a, b) => b.createdAt - a.createdAt).slice(0, limit))
  },

  async cancelJob({ params: { id }, sites, caller }) {
    const { jobs } = engine.models.trainer
    if (!isWithin((await jobs.get(id)).target.site, sites)) absent(`job "${id}"`)
    return jobs.cancel(id, caller.name)
  },
})

const forgottenRoutes = ({ engine }: Hub): Part<'forgotten' | 'forget' | 'remember'> => ({
  forgotten: ({ sites }) =>
    whole(engine.models.forgotten().filter(({ series }) => isWithin(series.site, sites))),

  async forget(ask) {
    const { from, to, reason, ...series } = ask.body
    requireSite(ask, series.site)
    // what is measured, or what is learnt from it
    const targets = engine.models.trainer.targets([series.site], series.device)
    const { target: predicted } = forecastKeyOf(series)
    if (!engine.findSeries(series) && !targets.some(({ target }) => isSameTarget(target, predicted)))
      absent(`series ${series.site}/${series.device}/${series.metric}`)
    const span = { from: moment('from', from), to: moment('to', to) }
    return engine.models.forget({ series, ...span, reason, by: ask.caller.name })
  },

  async remember({ params: { id }, sites, caller }) {
    const span = engine.models.forgotten().find((one) => one.id === id)
    if (!span || !isWithin(span.series.site, sites)) return absent(`forgotten span "${id}"`)
    await engine.models.remember(id, caller.name)
    return { removed: id }
  },
})

const scheduleRoutes = ({
  engine,
}: Hub): Part<'schedules' | 'putSchedule' | 'runSchedule' | 'removeSchedule'> => {
  const find = (name: string): Trigger => {
    const trigger = engine.scheduler.triggers().find((one) => one.name === name)
    return trigger ?? absent(`schedule "${name}"`)
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

/** Absent fields stay as they were; a new period replaces a cron expression, and the other way round. */
function changed(name: string, body: BodyOf<'putSchedule'>, triggers: readonly Trigger[]): TriggerInput {
  const known = triggers.find((one) => one.name === name)
  const { cron, zone, everyMs, event = known?.event, once = known?.once, enabled = known?.enabled } = body
  if (event === undefined) return invalid('a new schedule needs the event that it fires')
  const was = cron === undefined && everyMs === undefined ? known : undefined
  const when = { cron: cron ?? was?.cron, zone: zone ?? known?.zone, everyMs: everyMs ?? was?.everyMs }
  return { name, event, once: once ?? false, enabled: enabled ?? true, ...given(when) }
}

/** Throws `not_acceptable_state` if a training would wait for ever. */
export function requireTraining({ models }: Pick<Engine, 'models'>): void {
  if (!models.trainer.jobs.areRun) refuse('Training is switched off here (training.enabled)')
}

const shown = ({ card, status, reason, since }: ModelEntry) => ({
  ...card,
  status,
  live: status === 'live',
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

/** More than any list of the ledger is long. */
const everything = Number.MAX_SAFE_INTEGER

/**
 * The newest so many over all sites of the caller (null: all), each list newest first already: asked site by site, so
 * that what he may not see takes no place.
 */
async function newest<Item extends Aged>(
  sites: readonly string[] | null,
  limit: number,
  list: (of: { readonly site?: string }) => Promise<Item[]>,
): Promise<Item[]> {
  if (sites === null) return list({})
  const lists = await Promise.all(sites.map((site) => list({ site })))
  const seen = new Set<string>()
  return lists
    .flat()
    .filter(({ id }) => {
      // what concerns the hub comes with every site
      const isNew = id === undefined || !seen.has(id)
      if (id !== undefined) seen.add(id)
      return isNew
    })
    .sort((a, b) => ageOf(b) - ageOf(a))
    .slice(0, limit)
}

type Aged = { readonly id?: string } & ({ readonly at: number } | { readonly createdAt: number })
const ageOf = (item: Aged): number => ('at' in item ? item.at : item.createdAt)

function invalid(detail: string): never {
  throw new HomeostatError('request_invalid', { detail })
}

function refuse(detail: string): never {
  throw new HomeostatError('not_acceptable_state', { detail })
}

function absent(what: string): never {
  throw new HomeostatError('not_found', { what })
}

/** A site that comes in the body: as if it had come in the query. */
function requireSite({ caller }: Pick<HubRequest<RouteName>, 'caller'>, site: string): void {
  if (isWithin(site, reachOf(caller, undefined))) return
  throw new HomeostatError('site_forbidden', { site })
}
