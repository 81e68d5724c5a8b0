import { z } from 'zod'
import { incidentChange } from './incident-schemas.ts'
import type { Route } from './route.ts'
import { alert, forecast, prediction, reading, seriesKey } from './schemas.ts'

/** `GET /api/v1/live` (WebSocket, optional `?site=`): one snapshot, then deltas in the order of the commits. */
export const liveMessage = z.discriminatedUnion('type', [
  z.object({ type: z.literal('snapshot'), at: z.number(), readings: z.array(reading) }),
  z.object({ type: z.literal('delta'), at: z.number(), readings: z.array(reading) }),
  z.object({ type: z.literal('predictions'), predictions: z.array(prediction) }),
  z.object({ type: z.literal('forecasts'), forecasts: z.array(forecast) }),
  z.object({ type: z.literal('alerts'), alerts: z.array(alert) }),
  z.object({ type: z.literal('incidents'), changes: z.array(incidentChange) }),
  z.object({ type: z.literal('site_removed'), site: z.string() }),
  z
    .object({ type: z.literal('devices'), site: z.string(), removed: z.array(seriesKey) })
    .describe('People changed devices of the site; the removed series are gone'),
])

export type LiveMessage = z.infer<typeof liveMessage>

/** `/ws/sensors/` (seed D): a frame a reading. */
export const sensorUpdate = z.object({
  type: z.literal('sensor_update'),
  data: z.object({
    sensor_type: z.string(),
    sensor_id: z.string(),
    value: z.number(),
    unit: z.string(),
    location: z.string(),
    timestamp: z.string(),
  }),
})

export type SensorUpdate = z.infer<typeof sensorUpdate>

const site = z.object({ site: z.string().optional() })

/** The WebSockets; `reply` is a message. */
export const liveRoutes = {
  live: {
    method: 'GET',
    path: '/api/v1/live',
    summary: 'A snapshot, then everything that is committed',
    role: 'viewer',
    scope: 'query',
    query: site,
    reply: liveMessage,
  },
  sensors: {
    method: 'GET',
    path: '/ws/sensors',
    summary: 'One message per reading, in the form of seed D',
    role: 'viewer',
    scope: 'query',
    query: site,
    reply: sensorUpdate,
  },
} as const satisfies Record<string, Route>
