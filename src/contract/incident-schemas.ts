import { z } from 'zod'
import { alert, isoOrMs, limit, target } from './schemas.ts'

/** Incidents and maintenance windows as they cross the wire. Times of replies are UTC epoch ms. */

const level = z.enum(['info', 'warning', 'critical'])
const status = z.enum(['open', 'acknowledged', 'snoozed', 'resolved'])
const deed = z.object({ by: z.string(), at: z.number() })

export const incident = z.object({
  id: z.string(),
  target,
  device: z.string().optional().describe('The measured series that it is about, with `metric`'),
  metric: z.string().optional(),
  level: level.describe('The highest of its alerts'),
  status,
  suppressed: z.boolean().describe('A maintenance window covers it: nobody is told'),
  late: z.boolean().describe('The alert that opened it was reported late: the hub was away'),
  message: z.string(),
  since: z.number().describe('Start of the alert that opened it'),
  closedAt: z.number().optional().describe('End of its last alert; absent while an alert is open'),
  resolvedAt: z.number().optional(),
  resolvedBy: z.string().optional().describe('Absent where it resolved by itself'),
  occurrences: z.number().int().describe('Alerts that it has had'),
  escalations: z.number().int().describe('Reminders since it was opened'),
  acknowledged: deed.optional(),
  snoozed: deed.extend({ until: z.number() }).optional(),
  notifiedAt: z.number().optional().describe('When people were last told that it is open'),
  revision: z.number().int().describe('Grows with every change'),
})

export const incidentDetail = incident.extend({
  alerts: z
    .array(
      alert.extend({ dismissedAt: z.number().optional().describe('Somebody resolved it while it was open') }),
    )
    .describe('The newest of them, by start'),
})

/** `notify`: what people must be told; absent where the change is only recorded. */
export const incidentChange = z.object({
  incident,
  notify: z.enum(['opened', 'escalated', 'reopened', 'resolved']).optional(),
})

export const maintenanceWindow = z.object({
  id: z.string(),
  site: z.string(),
  domain: z.string().optional().describe('Absent: all domains'),
  subject: z.string().optional().describe('A device or a room; absent: all of them'),
  from: z.number(),
  to: z.number().describe('Exclusive'),
  by: z.string(),
  reason: z.string(),
})

const name = z.string().min(1).max(200)

export const maintenanceInput = z.strictObject({
  site: z.string(),
  domain: name.optional().describe('Only this domain; default: all'),
  subject: name.optional().describe('Only this device or room; default: all'),
  from: isoOrMs.optional().describe('Default: now'),
  to: isoOrMs.describe('Exclusive'),
  reason: z.string().max(500).default(''),
})

export const snoozeInput = z.strictObject({ until: isoOrMs.describe('Silent until then') })

export const incidentQuery = z.object({
  site: z.string().optional(),
  status: z
    .enum([...status.options, 'unresolved'])
    .optional()
    .describe('unresolved: open, acknowledged or snoozed; default: all'),
  level: level.optional(),
  domain: z.string().optional(),
  limit: limit(1000, 100),
  cursor: z.string().optional(),
})

export const maintenanceQuery = z.object({
  site: z.string().optional(),
  limit: limit(1000, 100),
  cursor: z.string().optional(),
})
