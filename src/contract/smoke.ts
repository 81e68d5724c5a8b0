import { z } from 'zod'
import { routeTable } from './route.ts'
import { target } from './schemas.ts'

/** The interface of the smoke pipeline (seed E) to models: which one is live, how often it was used, reload. */

const modelInfo = z.object({
  model_type: z.string(),
  algorithm: z.string(),
  feature_count: z.number().int(),
  training_timestamp: z.string(),
  version: z.string(),
  loaded_at: z.string(),
  target: target.describe('not in the seed: what it forecasts'),
})

const endpoint = z.object({ path: z.string(), method: z.string(), description: z.string() })

export const smokeTable = routeTable({
  seed: true,
  name: 'smoke pipeline',
  errorBody: ({ detail }) => ({ error: detail }),
  unknownPath: { prefixes: ['/model', '/predictions'], body: { error: 'Endpoint not found' } },
  routes: {
    modelInfo: {
      method: 'GET',
      path: '/model/info',
      summary: 'The newest model that is live',
      role: 'viewer',
      scope: 'query',
      query: z.object({ site: z.string().optional() }),
      reply: modelInfo,
      failure: z.object({ error: z.string() }),
    },
    reload: {
      method: 'POST',
      path: '/model/reload',
      summary: 'Load models of the sites of the key that other processes published',
      role: 'operator',
      scope: 'query',
      query: z.object({ site: z.string().optional() }),
      reply: z.object({
        status: z.literal('success'),
        message: z.string(),
        model_info: modelInfo,
        timestamp: z.string(),
      }),
      failure: z.object({ status: z.literal('error'), message: z.string(), timestamp: z.string() }),
    },
    stats: {
      method: 'GET',
      path: '/predictions/stats',
      summary: 'How often the live models were used since the start',
      role: 'viewer',
      scope: 'query',
      query: z.object({ site: z.string().optional() }),
      reply: z.object({
        total_predictions: z.number(),
        fire_predictions: z.number(),
        no_fire_predictions: z.number(),
        batch_predictions: z.number(),
        average_confidence: z.number(),
        average_processing_time: z.number().describe('seconds'),
        last_reset: z.string(),
        fire_detection_rate_percent: z.number(),
        safe_detection_rate_percent: z.number(),
        uptime_seconds: z.number(),
        timestamp: z.string(),
      }),
    },
    config: {
      method: 'GET',
      path: '/config',
      summary: 'Limits of this hub, and its routes',
      role: 'viewer',
      scope: 'none',
      reply: z.object({
        service: z.literal('homeostat'),
        version: z.string(),
        max_batch_size: z.number(),
        max_body_bytes: z.number(),
        requests_per_minute: z.number(),
        endpoints: z.array(endpoint),
      }),
    },
  },
})
