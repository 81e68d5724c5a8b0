import { z } from 'zod'

/**
 * What crosses the wire, in both directions. Replies give times as UTC epoch ms; requests take ISO 8601 or ms.
 */

export const isoOrMs = z
  .union([z.string().max(40), z.number()])
  .describe('UTC epoch milliseconds, or ISO 8601 (without an offset: UTC)')

export const seriesKey = z.object({ site: z.string(), device: z.string(), metric: z.string() })

export const reading = seriesKey.extend({
  value: z.number(),
  unit: z.string(),
  at: z.number(),
  room: z.string().optional(),
})

/** A reading as clients send it. The parser of core checks it row by row, so that a bad row is rejected alone. */
export const readingInput = z.object({
  site: z.string().optional().describe("default: the hub's own site"),
  device: z.string(),
  metric: z.string(),
  value: z.union([z.number(), z.string(), z.boolean()]),
  unit: z.string().optional().describe('default: the canonical unit of the metric'),
  at: isoOrMs.optional().describe('default: the moment of arrival'),
  room: z.string().optional(),
})

export const pushBody = z.union([
  readingInput,
  z.array(readingInput),
  z.object({ readings: z.array(readingInput) }),
])

export const pushReply = z.object({
  accepted: z.number().int(),
  rejected: z.array(z.object({ index: z.number().int(), code: z.string(), message: z.string() })),
})

export const site = z.object({ id: z.string(), name: z.string(), zone: z.string(), demo: z.boolean() })
export const room = z.object({ site: z.string(), id: z.string() })
export const meterRole = z.enum(['grid', 'solar', 'battery', 'house', 'device'])
export const device = z.object({
  site: z.string(),
  id: z.string(),
  type: z.string(),
  room: z.string().optional(),
  attributes: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  name: z.string().optional().describe('given by a person; shown instead of the id'),
  role: meterRole.optional().describe('what it measures of the energy of its site'),
  hidden: z.boolean().optional().describe('left out of lists for people'),
  fixed: z
    .array(z.enum(['room', 'type']))
    .optional()
    .describe('what a person has set: no reading changes it'),
})
export const series = seriesKey.extend({ unit: z.string(), room: z.string().optional() })

export const rollup = z.object({
  at: z.number(),
  count: z.number(),
  min: z.number(),
  max: z.number(),
  mean: z.number(),
  first: z.number(),
  last: z.number(),
})

export const window = seriesKey.extend({
  unit: z.string(),
  items: z.array(z.object({ at: z.number(), value: z.number() })),
  stats: z.object({
    count: z.number(),
    capacity: z.number(),
    mean: z.number().nullable(),
    std: z.number().nullable(),
    min: z.number().nullable(),
    max: z.number().nullable(),
  }),
})

export const modelRef = z.object({
  name: z.string(),
  version: z.string(),
  kind: z.enum(['learned', 'naive']),
})

export const target = z.object({
  site: z.string(),
  domain: z.string().describe('what kind of thing it is about: thresholds, energy, occupancy, ...'),
  subject: z.string().describe('a device, a room, or * for the whole site'),
})

/** What a forecast or prediction is of. */
export const forecastKey = z.object({ target, metric: z.string() })

const column = z.array(z.number().nullable())

export const forecast = forecastKey.extend({
  kind: z.literal('forecast'),
  unit: z.string(),
  origin: z.number().describe('start of the first step; the model has seen nothing later'),
  madeAt: z.number(),
  model: modelRef,
  grid: z
    .array(z.object({ stepMs: z.number(), count: z.number() }))
    .describe('runs of equal steps from the origin on; the columns have one value a step, null for unknown'),
  mean: column,
  baseline: column.optional().describe('the best naive forecast of the same steps'),
  baselineName: z.string().optional(),
  quantiles: z
    .array(z.object({ level: z.number(), values: column }))
    .describe('0.05 and 0.95 bound the 90 % interval; empty while there is nothing to calibrate it on'),
})

/** `probability`: the value is 0 to 1. */
export const prediction = forecastKey.extend({
  kind: z.enum(['value', 'probability']),
  at: z.number(),
  madeAt: z.number(),
  value: z.number(),
  unit: z.string(),
  model: modelRef,
})

export const alert = z.object({
  target,
  rule: z.string(),
  level: z.enum(['info', 'warning', 'critical']),
  since: z.number(),
  at: z.number(),
  message: z.string(),
  device: z.string().optional(),
  metric: z.string().optional(),
  value: z.number().optional(),
  until: z.number().optional(),
  late: z.boolean().optional().describe('Reported later than it happened: the hub was away'),
})

export const quarantined = z.object({
  id: z.number(),
  at: z.number(),
  source: z.string(),
  code: z.string(),
  message: z.string(),
  payload: z.string(),
  topic: z.string().optional().describe('the MQTT topic that it came on'),
  device: z.string().optional(),
  metric: z.string().optional(),
})

export const role = z.enum(['viewer', 'operator', 'admin'])

/** An admin has all rights of an operator, and an operator all rights of a viewer. */
export const me = z.object({
  name: z.string(),
  kind: z
    .enum(['key', 'user', 'local', 'network'])
    .describe(
      'by an API key, signed in, this machine while the hub is open to it, a device of a trusted network',
    ),
  role,
  sites: z.array(z.string()).nullable().describe('null: all sites'),
})

export const key = z.object({
  id: z.string(),
  name: z.string(),
  role,
  sites: z.array(z.string()).nullable().describe('null: all sites'),
  createdAt: z.number(),
})

export const keyInput = z.strictObject({
  name: z.string().regex(/^\P{Cc}{1,100}$/u, '1 to 100 characters without control characters'),
  role,
  sites: z.array(z.string().min(1)).min(1).nullable().default(null),
})

export const settingsInput = z.record(z.string(), z.unknown())

export const settings = z.object({
  domain: z.string(),
  site: z.string(),
  settings: settingsInput.describe('those that apply'),
  own: settingsInput.describe('those of the site alone'),
})

/** RFC 9457. */
export const problemReply = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number(),
  code: z.string(),
  detail: z.string(),
})

export const sourceHealth = z.object({
  name: z.string(),
  ready: z.boolean(),
  detail: z.string(),
})

export const health = z.object({
  status: z.enum(['healthy', 'degraded']),
  timestamp: z.string(),
  version: z.string(),
  uptime_seconds: z.number(),
  model_loaded: z.boolean().describe('whether a learnt model is live'),
  model_path: z.string(),
  demo: z.boolean().describe('whether a site holds simulated data'),
  open: z.boolean().describe('whether requests without a key are taken (only ever on loopback)'),
  series: z.number(),
  readings_stored: z.number().describe('since the start of the process'),
  quarantined: z.number().describe('since the start of the process'),
  topics_not_understood: z
    .number()
    .describe('MQTT topics that are listed because nothing reads them, or some of their fields'),
  training: z.boolean(),
  sources: z.array(sourceHealth),
})

/** A list: `next` is the cursor of the next page, null on the last one. */
export const pageOf = <Item extends z.ZodType>(item: Item) =>
  z.object({ items: z.array(item), next: z.string().nullable() })

export const limit = (most: number, usual: number) => z.coerce.number().int().min(1).max(most).default(usual)

/**
 * One target and metric in a query or body: by domain and subject, or in the older form by device and metric
 * (`device=fridge&metric=energy` is the subject `fridge` of the domain `energy`).
 */
export const oneTarget = {
  site: z.string(),
  domain: z.string().optional().describe('default: the metric, else energy'),
  subject: z.string().optional().describe('a device or room; or give `device`'),
  device: z.string().optional().describe('a subject that is a device'),
  metric: z.string().optional().describe('what is predicted; default: the domain'),
}

export const query = {
  site: z.object({ site: z.string().optional() }),
  oneSite: z.object({ site: z.string() }),
  series: z.object({
    site: z.string().optional(),
    device: z.string().optional(),
    metric: z.string().optional(),
    limit: limit(10_000, 1000),
    cursor: z.string().optional(),
  }),
  readings: z.object({
    site: z.string().optional(),
    device: z.string().optional(),
    metric: z.string().optional(),
    from: isoOrMs.optional(),
    to: isoOrMs.optional().describe('exclusive'),
    limit: limit(10_000, 1000),
    cursor: z.string().optional(),
  }),
  oneSeries: z.object({ site: z.string(), device: z.string(), metric: z.string() }),
  oneSeriesSpan: z.object({
    site: z.string(),
    device: z.string(),
    metric: z.string(),
    from: isoOrMs.optional().describe('default: a year before `to`'),
    to: isoOrMs.optional().describe('exclusive; default: now'),
    limit: limit(10_000, 10_000),
    cursor: z.string().optional(),
  }),
  targetSpan: z.object({
    ...oneTarget,
    from: isoOrMs.optional().describe('default: a year before `to`'),
    to: isoOrMs.optional().describe('exclusive; default: now'),
    limit: limit(10_000, 10_000),
    cursor: z.string().optional(),
  }),
  alerts: z.object({
    site: z.string().optional(),
    open: z.enum(['true', 'false']).optional().describe('true: the condition still holds; default: all'),
    limit: limit(1000, 100),
    cursor: z.string().optional(),
  }),
  page: z.object({ limit: limit(1000, 100), cursor: z.string().optional() }),
  models: z.object({
    site: z.string().optional(),
    domain: z.string().optional(),
    subject: z.string().optional(),
    device: z.string().optional().describe('a subject that is a device'),
    metric: z.string().optional(),
    limit: limit(1000, 100),
    cursor: z.string().optional(),
  }),
} as const
