import { z } from 'zod'
import { forecastKey, isoOrMs, limit, modelRef, oneTarget, seriesKey, target } from './schemas.ts'

/** What crosses the wire about the life of models: versions, reports, jobs, schedules, notes. */

const comparison = z.object({
  days: z.number().describe('civil days that both predicted'),
  gain: z.number().describe("1 - candidate's loss / rival's, by the measure that decides"),
  p: z.number().describe('one-sided p-value of "the candidate is not better"'),
})

export const modelStatus = z.enum(['live', 'challenger', 'rejected', 'retired', 'refused'])

const card = forecastKey.extend({
  model: modelRef,
  trainedAt: z.number(),
  span: z.object({ from: z.number(), to: z.number(), steps: z.number() }),
  features: z.array(z.string()),
  folds: z.number(),
  scoredSteps: z.number(),
  unit: z.string(),
  scores: z
    .record(z.string(), z.record(z.string(), z.number()))
    .describe('by forecaster ("model", each naive one, "live"), then by measure: rmse, mae, r2, ...'),
  decidedBy: z.string().describe('the measure that the gate decides by; smaller is better'),
  coverage: z.object({ level: z.number(), measured: z.number(), steps: z.number() }).optional(),
  verdict: z.object({
    status: z.enum(['live', 'challenger', 'rejected']),
    reason: z.string(),
    comparisons: z.record(z.string(), comparison),
  }),
  residualDeciles: z.array(z.number()),
  repairs: z.record(z.string(), z.number()),
})

/** A version: its card, which never changes, its status and the reason for it. */
export const modelEntry = card.extend({
  status: modelStatus,
  live: z.boolean(),
  reason: z.string(),
  since: z.number(),
})

export const modelEvent = z.object({
  target,
  version: z.string(),
  at: z.number(),
  status: modelStatus,
  reason: z.string(),
  by: z.string(),
})

const byMeasure = z.record(z.string(), z.number().nullable())

const leadReport = z.object({
  count: z.number().describe('forecast steps whose truth is known'),
  bias: z.number().nullable().describe('mean of forecast - truth'),
  scores: byMeasure.describe('rmse, mae, pinball, ...'),
  baseline: byMeasure.describe('the same of the naive forecast on the same steps'),
  skill: z.number().nullable().describe('1 - score / baseline, by the measure that decides'),
  coverage: z.number().nullable().describe('share of truths inside the interval'),
  level: z.number().nullable().describe('nominal coverage of the interval'),
})

/** Scores of a version's forecasts, updated as the truth becomes known. */
export const report = forecastKey.extend({
  version: z.string(),
  decidedBy: z.string(),
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
  kind: z.enum(['train', 'rebuild']).describe('rebuild: derive the history of a target again'),
  target,
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

/** One version of one target's model, and the request. */
export const promoteInput = z.strictObject({
  ...oneTarget,
  version: z.string().max(100),
  force: z.boolean().default(false).describe('even if the gate rejected it; recorded in the history'),
})

export const rollbackInput = z.strictObject({
  ...oneTarget,
  version: z.string().max(100).optional().describe('default: the one before; "naive": the naive forecast'),
})

export const trainInput = z.strictObject({
  domain: z.string().optional(),
  subject: z.string().optional(),
  device: z.string().optional().describe('a subject that is a device'),
  force: z.boolean().default(false).describe('publish even if the gate rejects it; recorded in the history'),
})

export const predictInput = z.strictObject({
  ...oneTarget,
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
    kind: z.enum(['train', 'rebuild']).optional(),
    status: z.enum(['queued', 'running', 'done', 'failed', 'cancelled']).optional(),
    limit: limit(10_000, 100),
  }),
  events: z.object({
    site: z.string().optional(),
    domain: z.string().optional(),
    subject: z.string().optional(),
    device: z.string().optional().describe('a subject that is a device'),
    metric: z.string().optional().describe('the older form of `domain`'),
    limit: limit(10_000, 100),
  }),
  report: z.object({
    ...oneTarget,
    from: isoOrMs.optional().describe('default: 28 days before `to`'),
    to: isoOrMs.optional().describe('exclusive; default: now'),
  }),
  infos: z.object({
    site: z.string().optional(),
    from: isoOrMs.optional().describe('default: 7 days ago'),
    limit: limit(10_000, 100),
  }),
} as const
