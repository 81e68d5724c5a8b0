import { z } from 'zod'
import type { Route } from './route.ts'
import { pushReply } from './schemas.ts'

/** `GET /api/v1/ingest` (WebSocket): a frame in is what `POST /api/v1/readings` takes, a frame out is its receipt. */

export const ingestQuery = z.object({
  format: z.enum(['json', 'line']).default('json').describe('line: InfluxDB line protocol'),
  bucket: z.string().max(200).default('').describe('for line protocol, as in /api/v2/write'),
  precision: z.enum(['ns', 'us', 'ms', 's', 'm', 'h']).default('ns').describe('for line protocol'),
})

/** Receipts come in the order of the frames, each after the commit of its readings. */
export const ingestMessage = z.discriminatedUnion('type', [
  pushReply.extend({
    type: z.literal('receipt'),
    frame: z.int().describe('number of the frame on this connection, from 1'),
  }),
  z.object({
    type: z.literal('error'),
    frame: z
      .int()
      .describe(
        'nothing of this frame is known to be stored; send it again where the code is one of a server',
      ),
    code: z.string(),
    message: z.string(),
  }),
])

export type IngestMessage = z.infer<typeof ingestMessage>

export const ingestRoutes = {
  ingest: {
    method: 'GET',
    path: '/api/v1/ingest',
    summary: 'Readings in, a receipt for each frame out',
    role: 'operator',
    scope: 'body',
    query: ingestQuery,
    body: z.unknown().describe('frames'),
    reply: ingestMessage,
  },
} as const satisfies Record<string, Route>
