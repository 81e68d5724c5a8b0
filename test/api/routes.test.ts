import type { InjectOptions } from 'fastify'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Route } from '../../src/contract/route.ts'
import { type RouteName, routes } from '../../src/contract/routes.ts'
import { problemReply } from '../../src/contract/schemas.ts'
import { errorCodes } from '../../src/core/errors.ts'
import type { Role } from '../../src/core/event.ts'
import { targetOfSeries } from '../../src/core/old-card.ts'
import { domains } from '../../src/domains/index.ts'
import { versions } from './learnt.ts'
import { damp } from './made-domain.ts'
import { mark, noon, startTwoSites, type TwoSites } from './two-sites.ts'

/** Who asks: nobody, a key for all sites by its role, an admin of the site that is asked for, an admin of another. */
const askers = {
  guest: undefined,
  viewer: ['viewer', null],
  operator: ['operator', null],
  admin: ['admin', null],
  own: ['admin', ['alpha']],
  other: ['admin', ['beta']],
} as const satisfies Record<string, undefined | readonly [Role, readonly string[] | null]>

type Asker = keyof typeof askers

interface Scenario {
  readonly request: (hub: TwoSites) => InjectOptions | Promise<InjectOptions>
  /** Expected status for guest, viewer, operator, admin, own, other. */
  readonly status: readonly [number, number, number, number, number, number]
  /** What a good answer to the admin of all sites says. */
  readonly says: unknown
}

const list = (...items: unknown[]): unknown => ({ items, next: null })
const some = (part: object): unknown => expect.objectContaining(part)
const meter = 'site=alpha&device=alpha-meter&metric=energy_total'
const forAll = [401, 200, 200, 200, 200, 200] as const
const ofAlpha = [401, 200, 200, 200, 200, 403] as const
const ofHub = [401, 403, 403, 200, 403, 403] as const
const ofAdmins = [401, 403, 403, 200, 200, 403] as const
const open = [200, 200, 200, 200, 200, 200] as const
const ofHubOperators = [401, 403, 200, 200, 403, 403] as const
const ofOperators = [401, 403, 200, 200, 200, 403] as const
const get = (url: string) => () => ({ url })
const post = (url: string, payload: object): InjectOptions => ({ method: 'POST', url, payload })
const energy = { site: 'alpha', device: 'alpha-meter', metric: 'energy' }
const energyQuery = 'site=alpha&device=alpha-meter&metric=energy'
const waiting = some({
  target: targetOfSeries(energy),
  status: 'queued',
  progress: 0,
  force: true,
  by: expect.stringMatching(/ of all$/),
})
const putWake = (hub: TwoSites) =>
  hub.engine.scheduler.putTrigger({
    ...{ name: 'wake', event: 'WakeEvent', everyMs: 3_600_000, once: false, enabled: true },
  })
const alpha = { site: 'alpha' }
const garage = { topic: 'garage/{device}/{metric}', payload: 'number' } as const
const beta = { site: 'beta' }

const stuffy = {
  ...{ target: { site: 'alpha', domain: 'thresholds', subject: 'alpha-air' }, device: 'alpha-air' },
  ...{ metric: 'co2', level: 'warning', status: 'open', since: noon - 1000, occurrences: 1 },
}
/** Of the one incident of the site alpha. */
async function incidentUrl(hub: TwoSites): Promise<string> {
  const [incident] = await hub.engine.incidents.list({ sites: ['alpha'] }, 1)
  return `/api/v1/incidents/${incident?.id}`
}
const password = 'correct horse'
/** Makes the user Maria, a viewer of the site alpha, where there is none; gives the name. */
async function maria({ hub }: TwoSites): Promise<string> {
  const name = 'Maria'
  if (!hub.people.named(name)) await hub.people.create({ name, role: 'viewer', sites: ['alpha'], password })
  return name
}
/** What belongs to a user who is signed in; the askers have keys. */
const ofUsers = [401, 409, 409, 409, 409, 409] as const
const noUser = some({ code: 'not_a_user', detail: expect.stringContaining('admin of all') })

const window = { from: noon, to: noon + 3_600_000, reason: 'new filters' }

/** One row a route: a route that is new in the contract does not compile without one. */
const scenarios: Readonly<Record<RouteName, Scenario>> = {
  influxNotes: {
    async request(hub) {
      for (const site of ['alpha', 'beta'])
        await hub.ask({
          ...{ method: 'POST', url: `/write?db=${site}`, secret: await hub.key('operator') },
          ...{ headers: { 'content-type': 'text/plain' }, payload: `lamp colour="${mark}"` },
        })
      return { url: '/api/v1/influx?site=alpha' }
    },
    status: ofAlpha,
    says: list(some({ kind: 'text', site: 'alpha', measurement: 'lamp', field: 'colour' })),
  },
  sites: {
    request: get('/api/v1/sites'),
    status: forAll,
    says: list(
      { id: 'alpha', name: 'alpha', zone: 'Europe/Berlin', demo: false },
      { id: 'beta', name: 'beta', zone: 'Europe/Berlin', demo: false },
    ),
  },
  removeSite: {
    async request(hub) {
      await hub.push([{ site: 'alpha', device: 'alpha-lamp', metric: 'power', value: 1 }])
      return { method: 'DELETE', url: '/api/v1/sites/alpha' }
    },
    status: [401, 403, 403, 200, 200, 403],
    says: { removed: 'alpha' },
  },
  rooms: {
    request: get('/api/v1/rooms'),
    status: forAll,
    says: list({ site: 'alpha', id: 'alpha-room' }, { site: 'beta', id: `beta-${mark}-room` }),
  },
  devices: {
    request: get('/api/v1/devices?site=alpha'),
    status: ofAlpha,
    says: list(
      { ...alpha, id: 'alpha-air', type: 'climate', room: 'alpha-room', attributes: {} },
      { ...alpha, id: 'alpha-meter', type: 'appliance', attributes: {} },
    ),
  },
  editDevice: {
    request: () => ({
      method: 'PATCH',
      url: '/api/v1/devices/alpha-air?site=alpha',
      payload: { name: 'Air', room: 'attic', role: null },
    }),
    status: [401, 403, 200, 200, 200, 403],
    says: {
      ...{ ...alpha, id: 'alpha-air', type: 'climate', attributes: {} },
      ...{ name: 'Air', room: 'attic', fixed: ['room'] },
    },
  },
  removeDevice: {
    async request(hub) {
      await hub.push([{ site: 'alpha', device: 'alpha-lamp', metric: 'power', value: 1 }])
      return { method: 'DELETE', url: '/api/v1/devices/alpha-lamp?site=alpha' }
    },
    status: [401, 403, 403, 200, 200, 403],
    says: some({ kind: 'deleted', ...alpha, device: 'alpha-lamp' }),
  },
  mergeDevice: {
    async request(hub) {
      await hub.push([{ site: 'alpha', device: 'alpha-lamp', metric: 'power', value: 1 }])
      return post('/api/v1/devices/alpha-lamp/merge?site=alpha', { into: 'alpha-meter' })
    },
    status: [401, 403, 403, 200, 404, 403],
    says: some({ kind: 'merged', ...alpha, device: 'alpha-lamp', into: 'alpha-meter' }),
  },
  removedDevices: {
    async request(hub) {
      if (hub.engine.devices.removals().length === 0)
        await hub.engine.devices.remove('alpha', 'alpha-air', undefined, 'somebody')
      return { url: '/api/v1/devices/removed' }
    },
    status: forAll,
    says: list(some({ ...alpha, device: 'alpha-air', by: 'somebody' })),
  },
  restoreDevice: {
    async request(hub) {
      if (hub.engine.devices.removals().length === 0)
        await hub.engine.devices.remove('alpha', 'alpha-air', undefined, 'somebody')
      const [removal] = hub.engine.devices.removals()
      return post(`/api/v1/devices/removed/${removal?.id}/restore`, {})
    },
    status: [401, 403, 403, 200, 200, 404],
    says: some({ ...alpha, device: 'alpha-air' }),
  },
  series: {
    request: get('/api/v1/series?metric=co2'),
    status: forAll,
    says: list(
      { ...alpha, device: 'alpha-air', metric: 'co2', unit: 'ppm', room: 'alpha-room' },
      { ...beta, device: `beta-${mark}-air`, metric: 'co2', unit: 'ppm', room: `beta-${mark}-room` },
    ),
  },
  readings: {
    request: get('/api/v1/readings?site=alpha&metric=co2&from=2026-03-02T11:59:58Z&to=1772452799000'),
    status: ofAlpha,
    says: list(some({ ...alpha, device: 'alpha-air', value: 900, unit: 'ppm', at: noon - 2000 })),
  },
  push: {
    request: () => ({
      method: 'POST',
      url: '/api/v1/readings',
      payload: { ...alpha, device: 'alpha-lamp', metric: 'power', value: '0.06', unit: 'kW', at: noon },
    }),
    // the other site's key is told so by its row
    status: [401, 403, 200, 200, 200, 400],
    says: { accepted: 1, rejected: [] },
  },
  latest: {
    request: get('/api/v1/latest?site=alpha'),
    status: ofAlpha,
    says: list(
      some({ device: 'alpha-air', metric: 'co2', value: 1500, at: noon - 1000 }),
      some({ device: 'alpha-meter', metric: 'energy_total', value: 120.1, unit: 'kWh' }),
    ),
  },
  window: {
    request: get('/api/v1/window?site=alpha&device=alpha-air&metric=co2'),
    status: ofAlpha,
    says: {
      ...{ ...alpha, device: 'alpha-air', metric: 'co2', unit: 'ppm' },
      items: [
        { at: noon - 2000, value: 900 },
        { at: noon - 1000, value: 1500 },
      ],
      stats: some({ count: 2, capacity: 60, mean: 1200, min: 900, max: 1500 }),
    },
  },
  rollups: {
    request: get(`/api/v1/rollups?${meter}&from=2026-03-02T09:00:00Z&to=2026-03-02T10:00:00Z`),
    status: ofAlpha,
    says: {
      unit: 'kWh',
      ...{ next: null, items: [some({ at: noon - 3 * 3_600_000, count: 1, mean: 118.5 })] },
    },
  },
  forecasts: {
    request: get('/api/v1/forecasts?site=alpha'),
    status: ofAlpha,
    says: list(
      some({
        ...{ kind: 'forecast', target: targetOfSeries(energy), metric: 'energy', unit: 'kWh' },
        grid: [{ stepMs: 3_600_000, count: 24 }],
      }),
    ),
  },
  models: {
    request: get('/api/v1/models?site=alpha'),
    status: ofAlpha,
    says: list(
      ...(['rejected', 'live', 'before'] as const).map((name) =>
        some({
          target: targetOfSeries(energy),
          model: { name: 'energy-forecast', version: versions[name], kind: 'learned' },
          status: name === 'before' ? 'retired' : name,
          live: name === 'live',
          reason: expect.stringMatching(/\.$/),
        }),
      ),
    ),
  },
  modelEvents: {
    request: get('/api/v1/models/history?site=alpha'),
    status: ofAlpha,
    says: list(
      some({ target: targetOfSeries(energy), version: versions.rejected, status: 'rejected', by: 'gate' }),
      some({ version: versions.live, status: 'live', reason: expect.stringContaining('better') }),
      some({ version: versions.before, status: 'retired' }),
    ),
  },
  reports: {
    request: get(`/api/v1/models/report?${energyQuery}`),
    status: ofAlpha,
    says: list(
      some({ target: targetOfSeries(energy), version: 'naive', days: 1, truths: 24 }),
      some({
        ...{
          target: targetOfSeries(energy),
          version: versions.live,
          days: 2,
          truths: 48,
          drift: 'strong',
          residualPsi: null,
        },
        // a meter that counts the same every hour is nothing that the model has seen
        inputPsi: some({ beyondUsual: expect.any(Number) }),
        leads: [some({ lead: 1, count: 48 }), some({ lead: 2, count: 48 })],
        total: some({
          ...{
            count: 96,
            bias: expect.closeTo(0.1),
            scores: { rmse: expect.closeTo(0.1), mae: expect.closeTo(0.1) },
            baseline: { rmse: expect.closeTo(0.2), mae: expect.closeTo(0.2) },
          },
          ...{ skill: expect.closeTo(0.5), coverage: expect.closeTo(22 / 24), level: 0.9 },
        }),
      }),
    ),
  },
  promote: {
    request: () => post('/api/v1/models/promote', { ...energy, version: versions.rejected, force: true }),
    status: ofOperators,
    says: some({
      ...{
        target: targetOfSeries(energy),
        metric: 'energy',
        status: 'live',
        live: true,
        model: some({ version: versions.rejected }),
      },
      // by the first who could
      reason: expect.stringMatching(/^Made live by force by (operator|admin) of all\.$/),
    }),
  },
  rollback: {
    async request(hub) {
      await hub.engine.models.promote(targetOfSeries(energy), versions.live, { by: 'test', force: true })
      return post('/api/v1/models/rollback', energy)
    },
    status: ofOperators,
    says: { live: versions.before },
  },
  predict: {
    request: () => post('/api/v1/predict', { ...energy, rows: [{ hour: 18 }, {}] }),
    status: ofAlpha,
    says: {
      model: { name: 'energy-forecast', version: versions.live, kind: 'learned' },
      ...{ unit: 'kWh', predictions: [expect.any(Number), expect.any(Number)] },
    },
  },
  train: {
    request: () => post('/api/v1/train?site=alpha', { force: true }),
    status: ofOperators,
    says: { queued: 1, jobs: [waiting] },
  },
  jobs: {
    request: get('/api/v1/jobs?site=alpha'),
    status: ofAlpha,
    says: list(
      some({ id: 'job-alpha', target: targetOfSeries(energy), status: 'done', progress: 1, by: 'schedule' }),
    ),
  },
  cancelJob: {
    async request(hub) {
      const [job] = await hub.engine.models.train({ sites: ['alpha'] }, { by: 'test', force: false })
      return { method: 'DELETE', url: `/api/v1/jobs/${job?.id}` }
    },
    // to the other site's key there is no such job
    status: [401, 403, 200, 200, 200, 404],
    says: some({
      target: targetOfSeries(energy),
      status: 'cancelled',
      detail: 'Cancelled by admin of all before it began.',
    }),
  },
  schedules: {
    request: get('/api/v1/schedules'),
    status: [401, 200, 200, 200, 403, 403],
    says: list(
      some({ name: 'clean-up', cron: '0 4 * * *', zone: 'Europe/Berlin', builtIn: true, enabled: true }),
      // noon in UTC is after two at night in Berlin
      some({ name: 'retrain', cron: '0 2 * * *', nextAt: Date.parse('2026-03-03T01:00:00Z') }),
      some({ name: 'roll-up', cron: '7 * * * *', zone: 'Europe/Berlin', builtIn: true, enabled: true }),
    ),
  },
  putSchedule: {
    request: () => ({
      ...{ method: 'PUT', url: '/api/v1/schedules/wake' },
      payload: { event: 'WakeEvent', cron: '30 6 * * 1-5', zone: 'Europe/Berlin' },
    }),
    status: ofHub,
    says: {
      ...{ name: 'wake', event: 'WakeEvent', cron: '30 6 * * 1-5', zone: 'Europe/Berlin' },
      ...{ once: false, enabled: true, builtIn: false, nextAt: Date.parse('2026-03-03T05:30:00Z') },
    },
  },
  runSchedule: {
    async request(hub) {
      await putWake(hub)
      return { method: 'POST', url: '/api/v1/schedules/wake/run' }
    },
    status: [401, 403, 200, 200, 403, 403],
    says: some({ name: 'wake', lastAt: noon + 6000, nextAt: noon + 6000 + 3_600_000 }),
  },
  removeSchedule: {
    async request(hub) {
      await putWake(hub)
      return { method: 'DELETE', url: '/api/v1/schedules/wake' }
    },
    status: ofHub,
    says: { removed: 'wake' },
  },
  forgotten: {
    request: get('/api/v1/forgotten?site=alpha'),
    status: ofAlpha,
    says: list(
      some({ id: 'span-alpha', series: { ...energy, metric: 'energy_total' }, reason: 'alpha was away' }),
    ),
  },
  forget: {
    request: () =>
      post('/api/v1/forgotten', {
        ...{ ...energy, from: '2026-03-01T00:00:00Z', to: noon, reason: 'a party' },
      }),
    status: ofOperators,
    says: some({
      series: energy,
      to: noon,
      reason: 'a party',
      by: 'admin of all',
      at: noon + 6000,
    }),
  },
  remember: {
    async request(hub) {
      const span = { series: energy, from: noon - 2, to: noon - 1, reason: '', by: 'test' }
      const { id } = await hub.engine.models.forget(span)
      return { method: 'DELETE', url: `/api/v1/forgotten/${id}` }
    },
    status: [401, 403, 200, 200, 200, 404],
    says: { removed: expect.any(String) },
  },
  infos: {
    request: get('/api/v1/infos?site=alpha'),
    status: ofAlpha,
    says: list(some({ site: 'alpha', summary: 'alpha was rolled back', level: 1, at: noon - 3_600_000 })),
  },
  predictions: {
    request: get('/api/v1/predictions?site=alpha&device=alpha-meter&metric=energy'),
    status: ofAlpha,
    says: list(some({ kind: 'value', target: targetOfSeries(energy), at: noon, unit: 'kWh' })),
  },
  alerts: {
    request: get('/api/v1/alerts?site=alpha'),
    status: ofAlpha,
    says: list(
      some({ target: some(alpha), rule: 'stuffy', level: 'warning', since: noon - 1000, value: 1500 }),
    ),
  },
  incidents: {
    request: get('/api/v1/incidents?site=alpha&status=unresolved&level=warning&domain=thresholds'),
    status: ofAlpha,
    says: list(some(stuffy)),
  },
  incident: {
    request: async (hub) => ({ url: await incidentUrl(hub) }),
    // to the other site's key there is no such incident
    status: [401, 200, 200, 200, 200, 404],
    says: some({ ...stuffy, alerts: [some({ rule: 'stuffy', since: noon - 1000, value: 1500 })] }),
  },
  acknowledgeIncident: {
    request: async (hub) => ({ method: 'POST', url: `${await incidentUrl(hub)}/acknowledge` }),
    status: [401, 403, 200, 200, 200, 404],
    // by the first who could
    says: some({
      status: 'acknowledged',
      acknowledged: { by: expect.stringMatching(/^(operator|admin) of all$/), at: noon + 6000 },
    }),
  },
  snoozeIncident: {
    request: async (hub) => post(`${await incidentUrl(hub)}/snooze`, { until: '2026-03-02T13:00:00Z' }),
    status: [401, 403, 200, 200, 200, 404],
    says: some({
      status: 'snoozed',
      snoozed: { by: 'admin of all', at: noon + 6000, until: noon + 3_600_000 },
    }),
  },
  resolveIncident: {
    async request(hub) {
      const url = await incidentUrl(hub)
      // the one before has resolved it
      await hub.push([
        { site: 'alpha', device: 'alpha-air', metric: 'co2', value: 900, at: hub.clock.now() },
        { site: 'alpha', device: 'alpha-air', metric: 'co2', value: 1500, at: hub.clock.now() + 1 },
      ])
      await hub.clock.advance(10)
      return { method: 'POST', url: `${url}/resolve` }
    },
    status: [401, 403, 200, 200, 200, 404],
    says: some({ status: 'resolved', resolvedBy: 'admin of all' }),
  },
  maintenance: {
    async request(hub) {
      for (const site of ['alpha', 'beta']) {
        await hub.engine.incidents.addWindow({ ...window, id: `window-${site}`, site, by: 'Ada' })
      }
      return { url: '/api/v1/maintenance?site=alpha' }
    },
    status: ofAlpha,
    says: list({ ...window, id: 'window-alpha', site: 'alpha', by: 'Ada' }),
  },
  missingModels: {
    async request(hub) {
      for (const [site, device] of [
        ['alpha', 'alpha-boiler'],
        ['beta', `beta-${mark}-boiler`],
      ])
        await hub.push(
          Array.from({ length: 4 }, (_, row) => ({
            ...{ site, device, metric: 'power', value: 500, at: noon - row * 4 * 3_600_000 },
          })).reverse(),
        )
      return { url: '/api/v1/models/missing?site=alpha' }
    },
    status: ofAlpha,
    says: list({
      target: { site: 'alpha', domain: 'energy', subject: 'alpha-boiler' },
      reason: expect.stringMatching(/^It is measured too seldom .*power comes every 4 h/),
    }),
  },
  imports: {
    async request(hub) {
      const { imports } = hub.engine.models
      for (const { id } of imports.all()) imports.end(id)
      for (const site of ['alpha', 'beta']) imports.begin([site], 'Ada')
      return { url: '/api/v1/imports?site=alpha' }
    },
    status: ofAlpha,
    says: list(some({ sites: ['alpha'], by: 'Ada', since: expect.any(Number) })),
  },
  beginImport: {
    request: () => post('/api/v1/imports', { sites: ['alpha'] }),
    status: [401, 403, 201, 201, 201, 403],
    says: some({ id: expect.any(String), sites: ['alpha'], by: 'admin of all' }),
  },
  renewImport: {
    request: (hub) => {
      const { id } = hub.engine.models.imports.begin(['alpha'], 'Ada')
      return { method: 'PUT', url: `/api/v1/imports/${id}`, payload: { sites: ['alpha'] } }
    },
    status: [401, 403, 200, 200, 200, 403],
    says: some({ sites: ['alpha'], by: 'Ada' }),
  },
  endImport: {
    request: (hub) => ({
      method: 'DELETE',
      url: `/api/v1/imports/${hub.engine.models.imports.begin(['alpha'], 'Ada').id}`,
    }),
    status: [401, 403, 200, 200, 200, 404],
    says: { ended: expect.any(String) },
  },
  addMaintenance: {
    request: () =>
      post('/api/v1/maintenance', { site: 'alpha', subject: 'alpha-air', to: window.to, reason: 'filters' }),
    status: [401, 403, 201, 201, 201, 403],
    says: {
      ...{ id: expect.any(String), site: 'alpha', subject: 'alpha-air', from: noon + 6000, to: window.to },
      ...{ by: 'admin of all', reason: 'filters' },
    },
  },
  removeMaintenance: {
    async request(hub) {
      await hub.engine.incidents.addWindow({ ...window, id: 'window', site: 'alpha', by: 'Ada' })
      return { method: 'DELETE', url: '/api/v1/maintenance/window' }
    },
    status: [401, 403, 200, 200, 200, 404],
    says: { removed: 'window' },
  },
  settings: {
    request: get('/api/v1/settings/damp?site=alpha'),
    status: ofAdmins,
    says: { domain: 'damp', site: 'alpha', settings: { humidityMax: 70, rooms: [] }, own: {} },
  },
  putSettings: {
    request: () => ({
      ...{ method: 'PUT', url: '/api/v1/settings/damp?site=alpha', payload: { humidityMax: 60 } },
    }),
    status: ofAdmins,
    says: {
      ...{
        domain: 'damp',
        site: 'alpha',
        settings: { humidityMax: 60, rooms: [] },
        own: { humidityMax: 60 },
      },
    },
  },
  quarantine: {
    request: get('/api/v1/quarantine'),
    status: [401, 403, 200, 200, 403, 403],
    says: list(
      some({ code: 'value_not_number', payload: expect.stringContaining(`beta-${mark} is broken`) }),
      some({ code: 'value_not_number', payload: expect.stringContaining('alpha is broken') }),
    ),
  },
  topics: {
    request: get('/api/v1/topics'),
    status: ofHubOperators,
    says: { items: [], next: null, dropped: 0 },
  },
  proposeMapping: {
    request: () => post('/api/v1/topics/propose', { topic: 'garage/freezer/temperature', payload: '-18' }),
    status: ofHubOperators,
    says: {
      mapping: {
        ...{ topic: 'garage/freezer/temperature', payload: 'number' },
        defaults: { device: 'freezer', metric: 'temperature', unit: 'degC' },
      },
      payload: '-18',
    },
  },
  previewMapping: {
    request: () =>
      post('/api/v1/topics/preview', { mapping: garage, topic: 'garage/freezer/power', payload: '80' }),
    status: ofHubOperators,
    says: some({
      ...{ fits: true, problems: [], unread: [] },
      readings: [some({ device: 'freezer', metric: 'power', value: 80, unit: 'W' })],
    }),
  },
  topicMappings: {
    request: async (hub) => {
      await hub.hub.topics.add(`m-${mark}`, garage, 'somebody')
      return { url: '/api/v1/topics/mappings' }
    },
    status: ofHubOperators,
    says: some({ items: [some({ id: `m-${mark}`, mapping: garage, by: 'somebody' })] }),
  },
  addMapping: {
    request: () => post('/api/v1/topics/mappings', garage),
    status: [401, 403, 201, 201, 403, 403],
    says: some({ mapping: garage, by: expect.stringMatching(/ of all$/) }),
  },
  removeMapping: {
    async request(hub) {
      await hub.hub.topics.add('gone', garage, 'somebody')
      return { method: 'DELETE', url: '/api/v1/topics/mappings/gone' }
    },
    status: ofHubOperators,
    says: { removed: 'gone' },
  },
  retryQuarantine: {
    request: () => post('/api/v1/quarantine/retry', {}),
    status: ofHubOperators,
    says: some({
      stored: 0,
      stay: 2,
      problems: expect.arrayContaining([some({ code: 'value_not_number' })]),
    }),
  },
  clearQuarantine: {
    request: () => post('/api/v1/quarantine/clear', { ids: [] }),
    status: ofHubOperators,
    says: { removed: 0 },
  },
  me: {
    request: get('/api/v1/me'),
    status: forAll,
    says: { name: expect.stringContaining('admin'), kind: 'key', role: 'admin', sites: null },
  },
  access: { request: get('/api/v1/access'), status: open, says: { users: false, open: false } },
  signIn: {
    request: async (hub) => post('/api/v1/session', { name: await maria(hub), password }),
    status: open,
    says: { name: 'Maria', kind: 'user', role: 'viewer', sites: ['alpha'] },
  },
  signOut: {
    request: () => ({ method: 'DELETE', url: '/api/v1/session' }),
    status: ofUsers,
    says: noUser,
  },
  login: {
    request: async (hub) => post('/api/v1/login', { name: await maria(hub), password }),
    status: open,
    says: some({ token_type: 'Bearer', access_token: expect.stringMatching(/^eyJ/), expires_in: 900 }),
  },
  refreshLogin: {
    async request(hub) {
      const login = post('/api/v1/login', { name: await maria(hub), password })
      return post('/api/v1/login/refresh', { refresh_token: (await hub.ask(login)).json().refresh_token })
    },
    status: open,
    says: some({ token_type: 'Bearer', access_token: expect.stringMatching(/^eyJ/), expires_in: 900 }),
  },
  sessions: { request: get('/api/v1/sessions'), status: ofUsers, says: noUser },
  endSession: {
    request: () => ({ method: 'DELETE', url: '/api/v1/sessions/0123456789ab' }),
    status: ofUsers,
    says: noUser,
  },
  preferences: { request: get('/api/v1/me/preferences'), status: ofUsers, says: noUser },
  putPreferences: {
    request: () => ({ method: 'PUT', url: '/api/v1/me/preferences', payload: { theme: 'dark' } }),
    status: ofUsers,
    says: noUser,
  },
  changePassword: {
    request: () => ({
      ...{ method: 'PUT', url: '/api/v1/me/password' },
      payload: { password, newPassword: 'another horse' },
    }),
    status: ofUsers,
    says: noUser,
  },
  users: {
    async request(hub) {
      await maria(hub)
      return { url: '/api/v1/users' }
    },
    status: ofHub,
    says: list({ name: 'Maria', role: 'viewer', sites: ['alpha'], createdAt: expect.any(Number) }),
  },
  createUser: {
    request: () => post('/api/v1/users', { name: 'Peter', role: 'operator', password }),
    status: [401, 403, 403, 201, 403, 403],
    says: { name: 'Peter', role: 'operator', sites: null, createdAt: expect.any(Number) },
  },
  changeUser: {
    request: async (hub) => ({
      ...{ method: 'PUT', url: `/api/v1/users/${await maria(hub)}`, payload: { role: 'admin', sites: null } },
    }),
    status: ofHub,
    says: { name: 'Maria', role: 'admin', sites: null, createdAt: expect.any(Number) },
  },
  removeUser: {
    request: async (hub) => ({ method: 'DELETE', url: `/api/v1/users/${await maria(hub)}` }),
    status: ofHub,
    says: { removed: 'Maria' },
  },
  keys: {
    request: get('/api/v1/keys'),
    status: ofHub,
    says: some({ items: expect.arrayContaining([some({ role: 'admin', sites: null })]) }),
  },
  backup: {
    request: get('/api/v1/backup'),
    // stores in memory refuse
    status: [401, 403, 403, 409, 403, 403],
    says: some({ code: 'not_acceptable_state', detail: 'Stores in memory cannot be backed up.' }),
  },
  createKey: {
    request: () => ({
      method: 'POST',
      url: '/api/v1/keys',
      payload: { name: 'wall display', role: 'viewer', sites: ['alpha'] },
    }),
    status: [401, 403, 403, 201, 403, 403],
    says: some({
      name: 'wall display',
      role: 'viewer',
      sites: ['alpha'],
      secret: expect.stringMatching(/^hs_/),
    }),
  },
  removeKey: {
    async request(hub) {
      const id = /^hs_([0-9a-f]{12})_/.exec(await hub.key('viewer'))?.[1]
      return { method: 'DELETE', url: `/api/v1/keys/${id}` }
    },
    status: ofHub,
    says: { removed: expect.stringMatching(/^[0-9a-f]{12}$/) },
  },
  health: {
    request: get('/health'),
    status: open,
    says: some({
      status: 'healthy',
      demo: false,
      open: false,
      series: 4,
      quarantined: 2,
      model_loaded: true,
    }),
  },
  livez: { request: get('/livez'), status: open, says: { status: 'ok' } },
  readyz: { request: get('/readyz'), status: open, says: { status: 'ready', missing: [] } },
}

let hub: TwoSites
beforeEach(async () => {
  hub = await startTwoSites({ domains: [...domains, damp] })
})
afterEach(async () => {
  expect(hub.errors).toEqual([])
  await hub.close()
})

const secretOf = async (asker: Asker): Promise<string | undefined> => {
  const key: readonly [Role, readonly string[] | null] | undefined = askers[asker]
  return key && hub.key(...key)
}

/** Nothing is in the answer that the contract does not name: parsing leaves it as it is. */
function expectReply(route: Route, body: unknown): void {
  expect(route.reply.parse(body)).toEqual(body)
}

function expectProblem(body: unknown, status: number): void {
  const parsed = problemReply.strict().parse(body)
  expect(parsed.status).toBe(status)
  expect(errorCodes).toContain(parsed.code)
  expect(parsed.detail).not.toMatch(/\{\w+\}/)
}

test('every route of the contract has its scenarios', () => {
  expect(Object.keys(scenarios).sort()).toEqual(Object.keys(routes).sort())
})

describe.each(Object.keys(routes) as RouteName[])('route %s', (name) => {
  const { request, status, says } = scenarios[name]
  const route: Route = routes[name]

  test('answers each asker as the table says, in the form of the contract', async () => {
    for (const [index, asker] of (Object.keys(askers) as Asker[]).entries()) {
      const answer = await hub.ask({ ...(await request(hub)), secret: await secretOf(asker) })
      expect(`${asker} ${answer.statusCode}`).toBe(`${asker} ${status[index]}`)
      if (answer.statusCode < 300) expectReply(route, answer.json())
      else if (name === 'push' && asker === 'other') expectReply(route, answer.json())
      else {
        expect(answer.headers['content-type']).toContain('application/problem+json')
        expectProblem(answer.json(), answer.statusCode)
      }
      if (asker === 'admin') expect(answer.json()).toEqual(says)
    }
  })

  test('answers with and without a slash at its end', async () => {
    const { url, ...rest } = await request(hub)
    const [path, query] = String(url).split('?')
    const asked = { ...rest, url: `${path}/${query === undefined ? '' : `?${query}`}` }
    const answer = await hub.ask({ ...asked, secret: await hub.key('admin') })
    expect(answer.statusCode).toBe(status[3])
    expect(answer.json()).toEqual(says)
  })

  test('refuses an unknown and a revoked key', async () => {
    if (route.role === 'public') return
    const secret = await hub.key('admin')
    hub.hub.keys.remove(secret.split('_')[1] ?? '')
    for (const bad of [secret, 'hs_000000000000_x', 'nonsense', '']) {
      const answer = await hub.ask({ ...(await request(hub)), secret: bad })
      expect([answer.statusCode, answer.json().code]).toEqual([401, 'key_unknown'])
      expect(answer.headers['www-authenticate']).toBe('Bearer')
    }
  })
})

test('the key may come as X-API-Key', async () => {
  const headers = { 'x-api-key': await hub.key('viewer') }
  expect((await hub.ask({ url: '/api/v1/sites', headers })).statusCode).toBe(200)
})

test('a role that is too low is told so before its body is looked at', async () => {
  const secret = await hub.key('viewer')
  const asked = { method: 'POST', url: '/api/v1/keys', payload: { nonsense: true } } as const
  const answer = await hub.ask({ ...asked, secret })
  expect([answer.statusCode, answer.json().code]).toEqual([403, 'role_too_low'])
})
