import type { FastifyInstance } from 'fastify'
import type { RouteHandlers } from '../../contract/route.ts'
import type { smokeTable } from '../../contract/smoke.ts'
import type { ModelEntry } from '../../core/life.ts'
import type { Hub } from '../hub.ts'
import type { PredictionCounts } from '../prediction-counts.ts'

type SmokeHandlers = RouteHandlers<(typeof smokeTable)['routes']>
type Reach = readonly string[] | null

/** `documented` is the server with the OpenAPI document, which lists the routes. */
export const smokeHandlers = (
  hub: Hub,
  counts: PredictionCounts,
  documented: FastifyInstance,
): SmokeHandlers => ({
  async modelInfo({ sites, status }) {
    const live = await newestLive(hub, sites)
    if (live) return infoOf(live)
    status(500)
    return { error: 'Model not available' }
  },

  async reload({ sites, status }) {
    await hub.engine.models.reload(sites)
    const timestamp = iso(hub.engine.clock.now())
    const live = await newestLive(hub, sites)
    if (live)
      return { status: 'success', message: 'Models are up to date.', model_info: infoOf(live), timestamp }
    status(500)
    return { status: 'error', message: 'No learnt model is live.', timestamp }
  },

  stats: ({ sites }) => statsOf(hub, counts.of(sites)),

  config: () => ({
    service: 'homeostat',
    version: hub.version,
    max_batch_size: hub.limits.predictRows,
    max_body_bytes: hub.limits.bodyBytes,
    requests_per_minute: hub.limits.requestsPerMinute,
    endpoints: endpointsOf(documented),
  }),
})

async function newestLive({ engine }: Hub, sites: Reach): Promise<ModelEntry | undefined> {
  return (await engine.models.all()).find(
    ({ card: { target, model }, status }) =>
      status === 'live' && model.kind === 'learned' && (sites === null || sites.includes(target.site)),
  )
}

/** Models are named `<domain>-<algorithm>`. */
function infoOf({ card: { model, features, trainedAt, target }, since }: ModelEntry) {
  const [domain, ...algorithm] = model.name.split('-')
  return {
    model_type: domain ?? '',
    algorithm: algorithm.join('-'),
    feature_count: features.length,
    training_timestamp: iso(trainedAt),
    version: model.version,
    loaded_at: iso(since),
    target,
  }
}

/** Seconds and percent. No model tells fire from no fire yet, so those counts and the confidence are 0. */
function statsOf({ engine, startedAt }: Hub, used: ReturnType<PredictionCounts['of']>) {
  const now = engine.clock.now()
  return {
    total_predictions: used.rows,
    fire_predictions: 0,
    no_fire_predictions: 0,
    batch_predictions: used.batches,
    average_confidence: 0,
    average_processing_time: used.requests === 0 ? 0 : used.ms / 1000 / used.requests,
    last_reset: iso(startedAt),
    fire_detection_rate_percent: 0,
    safe_detection_rate_percent: 0,
    uptime_seconds: (now - startedAt) / 1000,
    timestamp: iso(now),
  }
}

/** From the OpenAPI document, so that no route is forgotten. */
function endpointsOf(scope: FastifyInstance): { path: string; method: string; description: string }[] {
  return Object.entries(scope.swagger().paths ?? {}).flatMap(([path, methods]) =>
    Object.entries(methods as Record<string, { readonly summary?: string }>).map(([method, { summary }]) => ({
      path: path.replace(/\{(\w+)\}/g, ':$1'),
      method: method.toUpperCase(),
      description: summary ?? '',
    })),
  )
}

const iso = (at: number): string => new Date(at).toISOString()
