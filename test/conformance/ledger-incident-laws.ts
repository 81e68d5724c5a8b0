import type { Incident, MaintenanceWindow } from '../../src/core/incident.ts'
import type { Law } from './ledger.ts'
import { alert, alertTarget, keep } from './ledger-samples.ts'

export const incident = (id: string, change: Partial<Incident> = {}): Incident => ({
  id,
  target: alertTarget,
  device: 'meter',
  metric: 'power',
  level: 'warning',
  status: 'open',
  suppressed: false,
  late: false,
  message: 'The power is above 3000 W.',
  since: 1000,
  occurrences: 1,
  escalations: 0,
  alerts: [alert()],
  dropped: [],
  revision: 1,
  ...change,
})

export const maintenanceWindow = (
  id: string,
  change: Partial<MaintenanceWindow> = {},
): MaintenanceWindow => ({
  id,
  site: 'home',
  from: 100,
  to: 200,
  by: 'Ada',
  reason: 'new filters',
  ...change,
})

const resolved = (id: string, resolvedAt: number, change: Partial<Incident> = {}): Incident =>
  incident(id, {
    ...{
      status: 'resolved',
      closedAt: resolvedAt - 1,
      resolvedAt,
      alerts: [alert({ until: resolvedAt - 1 })],
    },
    ...change,
  })

/** Somebody resolved it, and its alert is open. */
const dismissed = (id: string, resolvedAt: number): Incident =>
  resolved(id, resolvedAt, { alerts: [{ ...alert(), dismissedAt: resolvedAt }], resolvedBy: 'Ada' })

const idsOf = (incidents: readonly Incident[]): string => incidents.map(({ id }) => id).join(' ')

export const incidentLaws: readonly Law[] = [
  {
    name: 'incidents are kept whole, the same id replaces, also within one batch',
    put: [
      (l) =>
        l.incidents.put([incident('a'), incident('b'), incident('a', { revision: 2, level: 'critical' })]),
      (l) => l.incidents.put([resolved('b', 50, { revision: 3, resolvedBy: 'Ada' })]),
      (l) => l.incidents.put([]),
    ],
    read: async (l) => [
      await l.incidents.list({}, 9),
      await l.incidents.get('b'),
      await l.incidents.get('never put'),
    ],
    gives: [
      [
        incident('a', { revision: 2, level: 'critical' }),
        resolved('b', 50, { revision: 3, resolvedBy: 'Ada' }),
      ],
      resolved('b', 50, { revision: 3, resolvedBy: 'Ada' }),
      undefined,
    ],
  },
  {
    name: 'a write of an incident that was overtaken by a later one changes nothing',
    put: [
      (l) => l.incidents.put([incident('a', { revision: 5, status: 'acknowledged' })]),
      (l) => l.incidents.put([incident('a', { revision: 4 }), incident('b')]),
    ],
    read: async (l) =>
      (await l.incidents.list({}, 9)).map(({ id, revision, status }) => [id, revision, status]),
    gives: [
      ['a', 5, 'acknowledged'],
      ['b', 1, 'open'],
    ],
  },
  {
    name: 'incidents: newest first, by site, status, level and domain, at most the limit, after a place',
    put: [
      (l) =>
        l.incidents.put([
          incident('a', { since: 1 }),
          incident('b', { since: 3, status: 'acknowledged', level: 'critical' }),
          incident('c', { since: 2, target: { ...alertTarget, site: 'office', domain: 'smoke' } }),
          resolved('d', 9, { since: 3 }),
        ]),
    ],
    read: async (l) =>
      (
        await Promise.all([
          l.incidents.list({}, 3),
          l.incidents.list({ sites: ['home'] }, 9),
          l.incidents.list({ sites: [] }, 9),
          l.incidents.list({ statuses: ['open', 'acknowledged'] }, 9),
          l.incidents.list({ statuses: [] }, 9),
          l.incidents.list({ level: 'critical' }, 9),
          l.incidents.list({ domain: 'smoke' }, 9),
          l.incidents.list({ after: { since: 3, id: 'b' } }, 9),
          l.incidents.list({ after: { since: 3, id: 'd' }, sites: ['home'] }, 9),
        ])
      ).map(idsOf),
    gives: ['b d c', 'b d a', '', 'b c a', '', 'b', 'c', 'd c a', 'a'],
  },
  {
    name: 'recent incidents are those that have an open alert or are not resolved, and those that ended since',
    put: [
      (l) =>
        l.incidents.put([
          incident('a', { status: 'snoozed' }),
          resolved('b', 49),
          resolved('c', 50),
          dismissed('d', 49),
        ]),
    ],
    read: async (l) =>
      idsOf(await l.incidents.recent(50))
        .split(' ')
        .sort(),
    gives: ['a', 'c', 'd'],
  },
  {
    name: 'maintenance windows come by their beginning, of the sites asked for',
    put: [
      (l) => l.incidents.putWindow(maintenanceWindow('b', { domain: 'energy', subject: 'fridge' })),
      (l) => l.incidents.putWindow(maintenanceWindow('a')),
      (l) => l.incidents.putWindow(maintenanceWindow('c', { site: 'office', from: 5 })),
      (l) => l.incidents.putWindow(maintenanceWindow('d')),
      (l) => l.incidents.removeWindow('d'),
      (l) => l.incidents.putWindow(maintenanceWindow('a', { reason: 'more filters' })),
    ],
    read: async (l) => [await l.incidents.windows(), await l.incidents.windows(['office'])],
    gives: [
      [
        maintenanceWindow('c', { site: 'office', from: 5 }),
        maintenanceWindow('a', { reason: 'more filters' }),
        maintenanceWindow('b', { domain: 'energy', subject: 'fridge' }),
      ],
      [maintenanceWindow('c', { site: 'office', from: 5 })],
    ],
  },
  {
    name: 'maintain erases incidents and windows that ended before, in more than one step, and none that has not ended',
    put: [
      (l) => l.incidents.put(Array.from({ length: 250 }, (_, at) => resolved(`old ${at}`, at))),
      (l) => l.incidents.put([incident('open'), resolved('new', 250), dismissed('dismissed', 5)]),
      (l) => l.incidents.putWindow(maintenanceWindow('old', { to: 249 })),
      (l) => l.incidents.putWindow(maintenanceWindow('new', { to: 250 })),
      (l) => l.maintain(keep({ incidentsFrom: 250 })),
    ],
    read: async (l) => [
      idsOf(await l.incidents.list({}, 999)),
      (await l.incidents.windows()).map(({ id }) => id),
    ],
    gives: ['dismissed new open', ['new']],
  },
  {
    name: 'erasing a site erases its incidents and its maintenance windows',
    put: [
      (l) => l.incidents.put([incident('a'), incident('b', { target: { ...alertTarget, site: 'office' } })]),
      (l) => l.incidents.putWindow(maintenanceWindow('a')),
      (l) => l.incidents.putWindow(maintenanceWindow('b', { site: 'office' })),
      (l) => l.removeSite('home'),
    ],
    read: async (l) => [
      idsOf(await l.incidents.list({}, 9)),
      (await l.incidents.windows()).map(({ id }) => id),
    ],
    gives: ['b', ['b']],
  },
]
