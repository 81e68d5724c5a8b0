import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { ModelEntry } from '../../core/life.ts'
import { authorise, type Caller, identify } from '../auth.ts'
import type { Hub } from '../hub.ts'
import type { PredictionCounts } from '../prediction-counts.ts'

/**
 * How the smoke pipeline's clients ask about models: what is live, how often it was asked, read it anew, what can be
 * asked at all. To be registered inside the scope of the contract's routes, whose documents they list.
 */
export const smokeRoutes =
  (hub: Hub, counts: PredictionCounts) =>
  async (scope: FastifyInstance): Promise<void> => {
    const add = adder(scope, hub)
    add('GET', '/model/info', 'viewer', 'The newest model that is live', async (caller, reply) => {
      const live = await newestLive(hub, caller)
      return live ? infoOf(live) : reply.code(500).send({ error: 'Model not available' })
    })
    add('POST', '/model/reload', 'operator', 'Look for models published elsewhere', (caller, reply) =>
      reload(hub, caller, reply),
    )
    add('GET', '/predictions/stats', 'viewer', 'What was asked of the live models', ({ sites }) =>
      statsOf(hub, counts.of(sites)),
    )
    add('GET', '/config', 'viewer', 'Limits of this hub, and what can be asked of it', () => ({
      service: 'homeostat',
      version: hub.version,
      max_batch_size: hub.limits.predictRows,
      max_body_bytes: hub.limits.bodyBytes,
      requests_per_minute: hub.limits.requestsPerMinute,
      endpoints: endpointsOf(scope),
    }))
    for (const prefix of ['/model', '/predictions'])
      await scope.register(
        async (part) =>
          part.setNotFoundHandler((_request, reply) => reply.code(404).send({ error: 'Endpoint not found' })),
        { prefix },
      )
  }

type Answer = (caller: Caller, reply: FastifyReply) => unknown

/** The same gate as the contract's routes have. What is told is narrowed to the sites of the key. */
const adder =
  (scope: FastifyInstance, hub: Hub) =>
  (method: 'GET' | 'POST', url: string, role: 'viewer' | 'operator', summary: string, answer: Answer) => {
    const callers = new WeakMap<FastifyRequest, Caller>()
    scope.route({
      method,
      url,
      schema: { summary, tags: ['smoke pipeline'] },
      config: { rateLimit: {} },
      onRequest: async (request) => {
        const caller = identify(request, hub)
        authorise(caller, { role, scope: 'query' }, undefined)
        callers.set(request, caller)
      },
      handler: async (request, reply) => answer(callers.get(request)!, reply),
    })
  }

async function newestLive({ engine }: Hub, { sites }: Caller): Promise<ModelEntry | undefined> {
  return (await engine.models.all()).find(
    ({ card: { target, model }, status }) =>
      status === 'live' && model.kind === 'learned' && (sites === null || sites.includes(target.site)),
  )
}

/** Models are called `<domain>-<algorithm>`. `target` is ours: whose model it is. */
function infoOf({ card: { model, features, trainedAt, target }, since }: ModelEntry): object {
  const [domain, ...algorithm] = model.name.split('-')
  return {
    model_type: domain,
    algorithm: algorithm.join('-'),
    feature_count: features.length,
    training_timestamp: iso(trainedAt),
    version: model.version,
    loaded_at: iso(since),
    target,
  }
}

async function reload(hub: Hub, caller: Caller, reply: FastifyReply): Promise<object> {
  await hub.engine.models.reload()
  const timestamp = iso(hub.engine.clock.now())
  const live = await newestLive(hub, caller)
  if (!live) return reply.code(500).send({ status: 'error', message: 'No learnt model is live.', timestamp })
  return { status: 'success', message: 'Models are up to date.', model_info: infoOf(live), timestamp }
}

/**
 * In seconds and percent. Nothing here tells fire from no fire yet, so those counts and the confidence are 0: what was
 * asked of other models is no statement about fire.
 */
function statsOf({ engine, startedAt }: Hub, asked: ReturnType<PredictionCounts['of']>): object {
  const now = engine.clock.now()
  return {
    total_predictions: asked.rows,
    fire_predictions: 0,
    no_fire_predictions: 0,
    batch_predictions: asked.batches,
    average_confidence: 0,
    average_processing_time: asked.requests === 0 ? 0 : asked.ms / 1000 / asked.requests,
    last_reset: iso(startedAt),
    fire_detection_rate_percent: 0,
    safe_detection_rate_percent: 0,
    uptime_seconds: (now - startedAt) / 1000,
    timestamp: iso(now),
  }
}

/** What the documents describe, so that no route is forgotten. */
function endpointsOf(scope: FastifyInstance): object[] {
  return Object.entries(scope.swagger().paths ?? {}).flatMap(([path, methods]) =>
    Object.entries(methods as Record<string, { readonly summary?: string }>).map(([method, { summary }]) => ({
      path: path.replace(/\{(\w+)\}/g, ':$1'),
      method: method.toUpperCase(),
      description: summary ?? '',
    })),
  )
}

const iso = (at: number): string => new Date(at).toISOString()
