import { z } from 'zod'
import { isoOrMs, limit, modelRef, seriesKey } from './schemas.ts'

/** What crosses the wire about the life of models: versions, reports, jobs, schedules, notes. */

const score = z.object({ mae: z.number(), rmse: z.number() })

const duel = z.object({
  origins: z.number(),
  gain: z.number().describe("1 - candidate's RMSE / rival's"),
  p: z.number().describe('one-sided p-value of "the candidate is not better"'),
})

export const standing = z.enum(['live', 'challenger', 'rejected', 'retired', 'refused'])

const card = z.object({
  series: seriesKey,
  model: modelRef,
  trainedAt: z.number(),
  span: z.object({ from: z.number(), to: z.number(), steps: z.number() }),
  features: z.array(z.string()),
  folds: z.number(),
  scoredSteps: z.number(),
  unit: z.string(),
  scores: z.record(z.string(), score),
  coverage: z.object({ level: z.number(), measured: z.number(), steps: z.number() }).optional(),
  verdict: z.object({
    standing: z.enum(['live', 'challenger', 'rejected']),
    reason: z.string(),
    duels: z.record(z.string(), duel),
  }),
  residualDeciles: z.array(z.number()),
  repairs: z.record(z.string(), z.number()),
})

/** A version: its card, which never changes, and where it stands now and why. */
export const modelEntry = card.extend({
  standing,
  live: z.boolean(),
  reason: z.string(),
  since: z.number(),
})

export const modelEvent = z.object({
  series: seriesKey,
  version: z.string(),
  at: z.number(),
  standing,
  reason: z.string(),
  by: z.string(),
})

const leadReport = z.object({
  count: z.number().describe('forecasts whose truth is known'),
  mae: z.number().nullable(),
  rmse: z.number().nullable(),
  bias: z.number().nullable().describe('mean of forecast - truth'),
  naiveMae: z.number().nullable(),
  naiveRmse: z.number().nullable(),
  skill: z.number().nullable().describe('1 - RMSE / RMSE of the naive forecast on the same hours'),
  coverage: z.number().nullable().describe('share of truths inside the interval'),
  level: z.number().nullable().describe('share that the interval claims'),
})

/** How a version's forecasts turned out, hour by hour as the truth came in. */
export const report = z.object({
  series: seriesKey,
  version: z.string(),
  from: z.number().nullable(),
  to: z.number().nullable(),
  days: z.number(),
  truths: z.number().describe('hours whose truth is known'),
  total: leadReport,
  leads: z.array(leadReport.extend({ lead: z.number().describe('hours ahead, from 1 on') })),
  residualPsi: z.number().nullable(),
  inputPsi: z
    .object({
      beyondUsual: z.number(),
      worst: z.array(
        z.object({ name: z.string(), psi: z.number(), usual: z.number(), beyondUsual: z.number() }),
      ),
    })
    .nullable(),
  drift: z.enum(['none', 'some', 'strong']),
})

export const job = z.object({
  id: z.string(),
  kind: z.literal('train'),
  series: seriesKey,
  status: z.enum(['queued', 'running', 'done', 'failed', 'cancelled']),
  progress: z.number().describe('0 to 1'),
  detail: z.string(),
  by: z.string(),
  force: z.boolean(),
  createdAt: z.number(),
  startedAt: z.number().optional(),
  endedAt: z.number().optional(),
})

export const trigger = z.object({
  name: z.string(),
  event: z.string(),
  cron: z.string().optional().describe('five fields'),
  zone: z.string().optional().describe('IANA zone of `cron`'),
  everyMs: z.number().optional(),
  once: z.boolean(),
  enabled: z.boolean(),
  builtIn: z.boolean(),
  lastAt: z.number().optional(),
  nextAt: z.number().optional(),
})

const name = z.string().regex(/^\P{Cc}{1,100}$/u, '1 to 100 characters without control characters')

/** What of a trigger may be changed; a new one needs an event, and one of `cron` and `everyMs`. */
export const triggerInput = z.strictObject({
  event: name.optional(),
  cron: z.string().max(100).optional(),
  zone: z.string().max(64).optional().describe('IANA zone of `cron`, which needs one'),
  everyMs: z
    .number()
    .int()
    .min(1000)
    .max(366 * 86_400_000)
    .optional(),
  once: z.boolean().optional(),
  enabled: z.boolean().optional(),
})

export const forgotten = z.object({
  id: z.string(),
  series: seriesKey,
  from: z.number(),
  to: z.number(),
  reason: z.string(),
  by: z.string(),
  at: z.number(),
})

export const forgetInput = z.strictObject({
  site: z.string(),
  device: z.string(),
  metric: z.string(),
  from: isoOrMs,
  to: isoOrMs.describe('exclusive'),
  reason: z.string().max(500).default(''),
})

export const info = z.object({
  id: z.string(),
  at: z.number(),
  site: z.string().nullable().describe('null: concerns the hub'),
  summary: z.string(),
  detail: z.string(),
  level: z.union([z.literal(0), z.literal(1), z.literal(2)]),
})

/** One version of one series' model, and what is wanted of it. */
export const promoteInput = z.strictObject({
  site: z.string(),
  device: z.string(),
  metric: z.string(),
  version: z.string().max(100),
  force: z.boolean().default(false).describe('though the gate said no; noted in the history'),
})

export const rollbackInput = z.strictObject({
  site: z.string(),
  device: z.string(),
  metric: z.string(),
  version: z.string().max(100).optional().describe('default: the one before; "naive": the naive forecast'),
})

export const trainInput = z.strictObject({
  device: z.string().optional(),
  domain: z.string().optional(),
  force: z.boolean().default(false).describe('publish though the gate says no; noted in the history'),
})

export const predictInput = z.strictObject({
  site: z.string(),
  device: z.string(),
  metric: z.string(),
  rows: z
    .array(z.record(z.string(), z.number()))
    .min(1)
    .describe('features by name; what is left out is missing'),
})

export const predictReply = z.object({
  model: modelRef,
  unit: z.string(),
  predictions: z.array(z.number()),
})

export const query = {
  jobs: z.object({
    site: z.string().optional(),
    status: z.enum(['queued', 'running', 'done', 'failed', 'cancelled']).optional(),
    limit: limit(10_000, 100),
  }),
  events: z.object({
    site: z.string().optional(),
    device: z.string().optional(),
    metric: z.string().optional(),
    limit: limit(10_000, 100),
  }),
  report: z.object({
    site: z.string(),
    device: z.string(),
    metric: z.string(),
    from: isoOrMs.optional().describe('default: 28 days before `to`'),
    to: isoOrMs.optional().describe('exclusive; default: now'),
  }),
  infos: z.object({
    site: z.string().optional(),
    from: isoOrMs.optional().describe('default: 7 days ago'),
    limit: limit(10_000, 100),
  }),
} as const
