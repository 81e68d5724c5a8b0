import { z } from 'zod'
import { count, id } from './kinds.ts'

const minutes = (fallback: number) => z.number().min(0).max(525_600).default(fallback)

export const incidents = z
  .strictObject({
    resolveAfterMinutes: minutes(5).describe(
      'How long all alerts of an incident must be closed before it resolves.',
    ),
    coolDownMinutes: minutes(15).describe(
      'How long after it resolved an alert opens the same incident again instead of a new one.',
    ),
    escalateAfterMinutes: z
      .strictObject({
        critical: minutes(5).describe('For critical incidents.'),
        warning: minutes(60).describe('For warnings.'),
        info: minutes(0).describe('For infos.'),
      })
      .prefault({})
      .describe('How long an incident may stay unacknowledged before people are told again; 0: for ever.'),
    escalationsMax: count(0, 10_000, 12).describe('How often people are told again of one incident.'),
    emergencyDomains: z
      .array(id)
      .max(100)
      .default(['smoke', 'occupancy'])
      .meta({ examples: ['smoke', 'occupancy'] })
      .describe('Critical alerts of these domains are told in maintenance windows, too.'),
    alertsKept: count(1, 10_000, 50).describe('Alerts kept with each incident; older ones are only counted.'),
    windowsMax: count(0, 100_000, 1000).describe('Maintenance windows that have not ended.'),
  })
  .prefault({})
  .describe('How alerts become incidents, and when people are told.')
