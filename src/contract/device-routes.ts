import { z } from 'zod'
import type { Route } from './route.ts'
import * as s from './schemas.ts'

const text = (most: number) =>
  z
    .string()
    .regex(new RegExp(`^\\P{Cc}{1,${most}}$`, 'u'), `1 to ${most} characters without control characters`)

const ofDevice = {
  params: z.object({
    id: z.string().min(1).max(200).describe('id of a device; a slash in it is written %2F'),
  }),
  query: z.object({ site: z.string().optional().describe('default: the one site that has the device') }),
} as const

const edit = z.strictObject({
  name: text(100)
    .nullable()
    .optional()
    .describe('shown instead of the id, which never changes; null: the id'),
  room: text(100).nullable().optional().describe('no reading changes it any more; null: as readings say'),
  type: text(64).nullable().optional().describe('null: as it is guessed from readings'),
  role: s.meterRole
    .nullable()
    .optional()
    .describe('what it measures of the energy of its site; null: nothing said'),
  hidden: z.boolean().optional().describe('left out of lists for people; stored and learnt as before'),
})

const removal = z.object({
  id: z.string(),
  kind: z.enum(['deleted', 'merged']),
  site: z.string(),
  device: z.string(),
  name: z.string().optional().describe('the name that people gave it'),
  metric: z.string().optional().describe('the one series that was deleted; absent: the whole device'),
  into: z.string().optional().describe('the device that it was merged into'),
  at: z.number(),
  until: z.number().describe('until then it can be restored'),
  by: z.string(),
})

/** What people do to devices. */
export const deviceRoutes = {
  editDevice: {
    method: 'PATCH',
    path: '/api/v1/devices/:id',
    summary: 'Name a device, set its room, type or meter role, or hide it from lists',
    role: 'operator',
    scope: 'query',
    ...ofDevice,
    body: edit,
    reply: s.device,
  },
  removeDevice: {
    method: 'DELETE',
    path: '/api/v1/devices/:id',
    summary:
      'Delete a device, or one series of it, with its history; it can be restored for retention.removedDays',
    role: 'admin',
    scope: 'query',
    params: ofDevice.params,
    query: ofDevice.query.extend({ metric: z.string().optional().describe('this series only') }),
    reply: removal,
  },
  mergeDevice: {
    method: 'POST',
    path: '/api/v1/devices/:id/merge',
    summary:
      'Make a device a part of another: its readings, also those to come, are the other\u2019s; can be undone like a deletion',
    role: 'admin',
    scope: 'query',
    ...ofDevice,
    body: z.strictObject({ into: z.string().min(1).max(200).describe('id of the device that stays') }),
    reply: removal,
  },
  removedDevices: {
    method: 'GET',
    path: '/api/v1/devices/removed',
    summary: 'What was deleted and merged and can be restored; newest first',
    role: 'viewer',
    scope: 'query',
    query: z.object({
      site: z.string().optional(),
      limit: s.limit(1000, 100),
      cursor: z.string().optional(),
    }),
    reply: s.pageOf(removal),
  },
  restoreDevice: {
    method: 'POST',
    path: '/api/v1/devices/removed/:id/restore',
    aliases: ['/api/v1/devices/:id/restore'],
    summary: 'Undo a deletion or merge',
    role: 'admin',
    scope: 'query',
    params: z.object({
      id: z.string().min(1).max(200).describe('of the removal, or of the device: its newest one'),
    }),
    query: z.object({ site: z.string().optional() }),
    reply: removal,
  },
} as const satisfies Record<string, Route>
