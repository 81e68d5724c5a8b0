import { z } from 'zod'

const text = (characters: number) => z.string().min(1).max(characters)
const id = text(64).regex(/^\P{Cc}+$/u, 'text without control characters')

const rule = z
  .strictObject({
    name: id.describe('Names the rule; an alert is known by rule, target and start.'),
    metric: id.describe('Every series of this metric is watched.'),
    above: z.number().optional().describe('Alert above this, in the canonical unit of the metric.'),
    below: z.number().optional().describe('Alert below this, in the canonical unit of the metric.'),
    level: z.enum(['info', 'warning', 'critical']).describe('How urgent it is.'),
    message: text(500).optional().describe('Text of the alert. Default: what was measured.'),
    forSeconds: z
      .number()
      .min(0)
      .max(86_400)
      .default(0)
      .describe("How long the condition must hold, by the readings' own times."),
  })
  .refine(({ above, below }) => (above === undefined) !== (below === undefined), {
    message: 'a rule with exactly one of above and below',
  })

export const thresholdSettings = z
  .strictObject({
    rules: z
      .array(rule)
      .max(1000)
      .default([])
      .meta({
        examples: [{ name: 'stuffy', metric: 'co2', above: 1400, level: 'warning', forSeconds: 600 }],
      })
      .describe('Limits that raise alerts. Rules under the older key "rules" of this file apply, too.'),
  })
  .describe('Limits on measured values.')

export type ThresholdSettings = z.infer<typeof thresholdSettings>
/** A limit on every series of a metric. */
export type ThresholdRule = ThresholdSettings['rules'][number]
