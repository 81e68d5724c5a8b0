import { z } from 'zod'
import type { Route } from './route.ts'
import * as s from './schemas.ts'

const name = (characters: number) => z.string().min(1).max(characters)
const path = name(200)
const topic = name(500).describe('MQTT topic')

export const topicMapping = z.strictObject({
  topic: name(500).describe(
    'MQTT filter; levels may be {site}, {room}, {device}, {metric}, + and a closing #',
  ),
  payload: z.enum(['json', 'number']).describe('json: an object; number: the bare value'),
  fields: z
    .strictObject({
      value: path.optional(),
      device: path.optional(),
      metric: path.optional(),
      unit: path.optional(),
      at: path.optional(),
      room: path.optional(),
      site: path.optional(),
    })
    .optional()
    .describe('where in the object each part is, dots for depth'),
  metrics: z
    .record(path, z.strictObject({ metric: name(64), unit: name(20).optional() }))
    .refine((metrics) => Object.keys(metrics).length <= 200, 'at most 200 fields')
    .optional()
    .describe('several values in one object: where each is, its metric and unit'),
  defaults: z
    .strictObject({
      site: name(64).optional(),
      room: name(100).optional(),
      device: name(128).optional(),
      metric: name(64).optional(),
      unit: name(20).optional(),
    })
    .optional()
    .describe('used where neither payload nor topic has the part'),
  zone: name(64).optional().describe('IANA zone of times without an offset'),
})

export const heardTopic = z.object({
  topic: z.string(),
  kind: z
    .enum(['unmapped', 'fields', 'retained'])
    .describe(
      'nothing reads it; some of its fields are not read; retained without a time, so of unknown age',
    ),
  fields: z.array(z.string()).describe('fields that are not read'),
  payload: z.string().describe('the last one, cut at limits.topicPayloadBytes'),
  bytes: z.number().int().describe('length of the whole last payload'),
  retained: z.boolean(),
  count: z.number().int().describe('messages since `since`'),
  since: z.number(),
  last: z.number(),
})

const addedMapping = z.object({ id: z.string(), mapping: topicMapping, by: z.string(), at: z.number() })

const heardQuery = s.query.page.extend({ kind: heardTopic.shape.kind.optional() })

const problem = z.object({ code: z.string(), message: z.string() })

const chosenRows = z.object({
  ids: z.array(z.number().int()).max(10_000).optional().describe('absent: all rows'),
})

/** Topics that nothing reads, mappings for them, and rows in quarantine. */
export const topicRoutes = {
  topics: {
    method: 'GET',
    path: '/api/v1/topics',
    summary: 'MQTT topics that are heard and not understood, and fields that no metric takes',
    role: 'operator',
    scope: 'hub',
    query: heardQuery,
    reply: s.pageOf(heardTopic).extend({
      dropped: z.number().int().describe('topics that are not listed any more for want of room'),
    }),
  },
  proposeMapping: {
    method: 'POST',
    path: '/api/v1/topics/propose',
    summary: 'The mapping that a listed topic might have, from its levels and last payload',
    role: 'operator',
    scope: 'hub',
    body: z.strictObject({ topic, payload: z.string().max(65_536).optional() }),
    reply: z.object({ mapping: topicMapping, payload: z.string() }),
  },
  previewMapping: {
    method: 'POST',
    path: '/api/v1/topics/preview',
    summary: 'What readings a mapping would make of a message; nothing is stored',
    role: 'operator',
    scope: 'hub',
    body: z.strictObject({
      mapping: topicMapping,
      topic,
      payload: z
        .string()
        .max(65_536)
        .optional()
        .describe('default: the last one that was heard on the topic'),
    }),
    reply: z.object({
      fits: z.boolean().describe('whether the topic is one of the mapping'),
      readings: z.array(s.reading),
      problems: z.array(problem),
      unread: z.array(z.string()).describe('fields that no metric takes'),
    }),
  },
  topicMappings: {
    method: 'GET',
    path: '/api/v1/topics/mappings',
    summary: 'Mappings that were added while the hub runs; the newest counts first',
    role: 'operator',
    scope: 'hub',
    query: s.query.page,
    reply: s.pageOf(addedMapping),
  },
  addMapping: {
    method: 'POST',
    path: '/api/v1/topics/mappings',
    summary: 'Add a mapping; it is used at once and kept',
    role: 'operator',
    scope: 'hub',
    body: topicMapping,
    reply: addedMapping,
  },
  removeMapping: {
    method: 'DELETE',
    path: '/api/v1/topics/mappings/:id',
    summary: 'Remove a mapping that was added',
    role: 'operator',
    scope: 'hub',
    params: z.object({ id: z.string().max(100) }),
    reply: z.object({ removed: z.string() }),
  },
  retryQuarantine: {
    method: 'POST',
    path: '/api/v1/quarantine/retry',
    summary: 'Read rows in quarantine again, with the mappings of now; those that are readings now leave it',
    role: 'operator',
    scope: 'hub',
    body: chosenRows,
    reply: z.object({
      stored: z.number().int().describe('rows that left the quarantine'),
      stay: z.number().int(),
      problems: z.array(problem.extend({ id: z.number().int() })).describe('of the first rows that stay'),
    }),
  },
  clearQuarantine: {
    method: 'POST',
    path: '/api/v1/quarantine/clear',
    summary: 'Remove rows from the quarantine',
    role: 'operator',
    scope: 'hub',
    body: chosenRows,
    reply: z.object({ removed: z.number().int() }),
  },
} as const satisfies Record<string, Route>
