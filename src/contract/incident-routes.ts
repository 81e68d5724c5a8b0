import { z } from 'zod'
import * as i from './incident-schemas.ts'
import type { Route } from './route.ts'
import * as s from './schemas.ts'

const idParam = z.object({ id: z.string() })

/** Incidents and maintenance windows. */
export const incidentRoutes = {
  incidents: {
    method: 'GET',
    path: '/api/v1/incidents',
    summary: 'Alerts that belong together, newest first: what is wrong, since when, and who takes care of it',
    role: 'viewer',
    scope: 'query',
    query: i.incidentQuery,
    reply: s.pageOf(i.incident),
  },
  incident: {
    method: 'GET',
    path: '/api/v1/incidents/:id',
    summary: 'One incident with its alerts',
    role: 'viewer',
    scope: 'body',
    params: idParam,
    reply: i.incidentDetail,
  },
  acknowledgeIncident: {
    method: 'POST',
    path: '/api/v1/incidents/:id/acknowledge',
    summary: 'Take care of an incident: nobody is reminded of it any more',
    role: 'operator',
    scope: 'body',
    params: idParam,
    reply: i.incidentDetail,
  },
  snoozeIncident: {
    method: 'POST',
    path: '/api/v1/incidents/:id/snooze',
    summary: 'Keep an incident silent until a time, or until its level rises',
    role: 'operator',
    scope: 'body',
    params: idParam,
    body: i.snoozeInput,
    reply: i.incidentDetail,
  },
  resolveIncident: {
    method: 'POST',
    path: '/api/v1/incidents/:id/resolve',
    summary: 'Resolve an incident though its condition may hold; a new alert opens it again',
    role: 'operator',
    scope: 'body',
    params: idParam,
    reply: i.incidentDetail,
  },
  maintenance: {
    method: 'GET',
    path: '/api/v1/maintenance',
    summary: 'Maintenance windows: when alerts are recorded and nobody is told; by their beginning',
    role: 'viewer',
    scope: 'query',
    query: i.maintenanceQuery,
    reply: s.pageOf(i.maintenanceWindow),
  },
  addMaintenance: {
    method: 'POST',
    path: '/api/v1/maintenance',
    summary: 'Plan maintenance of a site, or of a part of it',
    role: 'operator',
    scope: 'body',
    body: i.maintenanceInput,
    reply: i.maintenanceWindow,
  },
  removeMaintenance: {
    method: 'DELETE',
    path: '/api/v1/maintenance/:id',
    summary: 'Remove a maintenance window; what it silenced and is still open is told',
    role: 'operator',
    scope: 'body',
    params: idParam,
    reply: z.object({ removed: z.string() }),
  },
} as const satisfies Record<string, Route>
