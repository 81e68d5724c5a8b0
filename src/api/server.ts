import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import helmet from '@fastify/helmet'
import rateLimit from '@fastify/rate-limit'
import fastifyStatic from '@fastify/static'
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import websocket from '@fastify/websocket'
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { jsonSchemaTransform, validatorCompiler } from 'fastify-type-provider-zod'
import { type Route, type RouteName, routes } from '../contract/routes.ts'
import { problemReply } from '../contract/schemas.ts'
import type { Log } from '../core/ports.ts'
import { authorise, type Caller, identify, reachOf, requireLoopbackNames } from './auth.ts'
import { BodyGate } from './body-gate.ts'
import { type CareHub, careHubRoutes } from './compat/care-hub.ts'
import { smokeRoutes } from './compat/smoke.ts'
import { onError, onNotFound } from './errors.ts'
import type { Ask, Handler, Handlers, Hub } from './hub.ts'
import { registerLive } from './live.ts'
import type { createMetrics } from './metrics.ts'
import { PredictionCounts } from './prediction-counts.ts'
import { hubRoutes } from './routes/hub.ts'
import { incidentRoutes } from './routes/incidents.ts'
import { modelRoutes, requireTraining } from './routes/models.ts'
import { readingRoutes } from './routes/readings.ts'

export interface ServerOptions {
  /** Folder of the built dashboard. */
  readonly webFolder: string
  readonly log: Log
}

/** The HTTP side of a hub; the caller listens and closes. */
export async function createServer(hub: Hub, options: ServerOptions): Promise<FastifyInstance> {
  const server = fastify({
    // what fails before a route is found, such as a URL that cannot be decoded
    frameworkErrors: onError(options.log),
    bodyLimit: hub.limits.bodyBytes,
    // connections that wait for nothing end with the server, answers under way are finished
    forceCloseConnections: 'idle',
    routerOptions: { ignoreTrailingSlash: true },
    schemaController: {
      compilersFactory: { buildValidator: () => noSchemas, buildSerializer: () => noSchemas },
    },
  })
  server.setErrorHandler(onError(options.log))
  server.setNotFoundHandler(onNotFound)
  server.addHook('onRequest', async (_request, reply) => {
    reply.header('x-content-type-options', 'nosniff')
  })
  // before the check of names: it ends the socket of an upgrade only where its own hook ran
  await server.register(websocket, { options: { maxPayload: 64 * 1024 }, preClose: endLive })
  if (hub.open) server.addHook('onRequest', async (request) => requireLoopbackNames(request))
  await server.register((scope) => registerLive(scope, hub))
  await server.register((scope) => registerRoutes(scope, hub))
  await server.register((scope) => registerPage(scope, hub, options.webFolder))
  return server
}

/** Only the routes of the contract have schemas, and bring what reads them. Fastify would load Ajv for the others. */
function noSchemas(): never {
  throw new Error('This route has a schema, and nothing that reads it.')
}

const goodbyeMs = 1000

/** Says goodbye to live clients; one that does not answer is cut, so that nobody holds up a stop. */
function endLive(this: FastifyInstance, done: () => void): void {
  const { websocketServer } = this
  websocketServer.close()
  for (const client of websocketServer.clients) {
    client.close(1001, 'the hub stops')
    setTimeout(() => client.terminate(), goodbyeMs).unref()
  }
  done()
}

/** Every route of the contract, with its documents. */
async function registerRoutes(scope: FastifyInstance, hub: Hub): Promise<void> {
  await scope.register(swagger, {
    openapi: {
      info: { title: 'Homeostat', version: hub.version, description: 'Readings in, answers out.' },
      components: { securitySchemes: { key: { type: 'http', scheme: 'bearer' } } },
      security: hub.open ? [{}, { key: [] }] : [{ key: [] }],
    },
    transform: jsonSchemaTransform,
  })
  await scope.register(swaggerUi, { routePrefix: '/docs', staticCSP: true })
  await scope.register(rateLimit, {
    global: false,
    max: hub.limits.requestsPerMinute,
    timeWindow: 60_000,
  })
  scope.get('/openapi.json', { schema: { hide: true } }, async () => scope.swagger())
  const gate = new BodyGate(hub.engine, hub.limits)
  scope.removeContentTypeParser('application/json')
  scope.addContentTypeParser(
    'application/json',
    { parseAs: 'buffer' },
    (_request: FastifyRequest, body: Buffer) => gate.parse(body),
  )
  scope.setValidatorCompiler(validatorCompiler)
  // a test holds the replies to the contract; checking each row of each answer would cost more than the query
  scope.setSerializerCompiler(() => JSON.stringify)
  const counts = new PredictionCounts()
  const handlers: Handlers = {
    ...readingRoutes(hub),
    ...modelRoutes(hub, counts),
    ...incidentRoutes(hub),
    ...hubRoutes(hub),
  }
  for (const name of Object.keys(routes) as RouteName[]) registerRoute(scope, hub, name, handlers[name])
  await scope.register(careHubRoutes(careHubOf(hub)))
  await scope.register(smokeRoutes(hub, counts))
}

const careHubOf = (hub: Hub): CareHub => ({
  auth: hub,
  scheduler: hub.engine.scheduler,
  notes: hub.engine.ledger.notes,
  now: () => hub.engine.clock.now(),
  async train(by) {
    requireTraining(hub.engine)
    return (await hub.engine.models.train({ sites: null }, { by, force: false })).length
  },
})

function registerRoute<Name extends RouteName>(
  scope: FastifyInstance,
  hub: Hub,
  name: Name,
  handler: Handlers[RouteName],
): void {
  const route: Route = routes[name]
  const { method, path, summary, query, params, body } = route
  // bulk data is bounded by the inbox; its rows are checked one by one by the parser, not by the schema
  const isPush = name === 'push'
  scope.route({
    method,
    url: path,
    schema: {
      summary,
      operationId: name,
      tags: [path.split('/')[3] ?? 'hub'],
      ...(query ? { querystring: query } : {}),
      ...(params ? { params } : {}),
      ...(body ? { body } : {}),
      response: { 200: route.reply, '4xx': problemReply },
    },
    ...(isPush ? { validatorCompiler: () => () => true } : {}),
    config: { rateLimit: isPush || route.role === 'public' ? false : {} },
    // before the body is read: whoever may not ask cannot make the hub take 16 MiB in
    onRequest: async (request) => {
      if (route.role === 'public') return
      const caller = identify(request, hub)
      authorise(caller, route, siteOf(route, request))
      callers.set(request, caller)
    },
    handler: async (request, reply) => {
      const ask = toAsk<Name>(route, request, reply)
      return (handler as Handler<Name>)(ask)
    },
  })
}

const callers = new WeakMap<FastifyRequest, Caller>()
const nobody: Caller = { name: 'nobody', role: 'viewer', sites: [] }

function toAsk<Name extends RouteName>(
  route: Route,
  request: FastifyRequest,
  reply: FastifyReply,
): Ask<Name> {
  const caller = callers.get(request) ?? nobody
  const parsed = { query: request.query, params: request.params, body: request.body }
  return {
    ...(parsed as Pick<Ask<Name>, 'query' | 'params' | 'body'>),
    caller,
    sites: reachOf(caller, siteOf(route, request)),
    status: (code) => {
      reply.code(code)
    },
  }
}

function siteOf(route: Route, request: FastifyRequest): string | undefined {
  if (route.scope === 'query') return (request.query as { site?: string }).site
  return route.scope === 'params' ? (request.params as { site?: string }).site : undefined
}

const pageHeaders = {
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      'default-src': ["'self'"],
      // the styles that the page's components set on their elements
      'style-src': ["'self'", "'unsafe-inline'"],
      'img-src': ["'self'", 'data:'],
      'connect-src': ["'self'", 'ws:', 'wss:'],
      'object-src': ["'none'"],
      'base-uri': ["'self'"],
      'form-action': ["'self'"],
      'frame-ancestors': ["'none'"],
    },
  },
  strictTransportSecurity: false,
}

/** `/metrics` in Prometheus text, the dashboard at `/`, and what the seeds' clients expect there. */
async function registerPage(server: FastifyInstance, hub: Hub, webFolder: string): Promise<void> {
  // headers for pages: building them for each answer of the API would cost more than taking a reading
  await server.register(helmet, pageHeaders)
  let metrics: ReturnType<typeof createMetrics> | undefined
  server.get('/metrics', async (request, reply) => {
    const caller = identify(request, hub)
    authorise(caller, { role: 'viewer', scope: 'hub' }, undefined)
    // loaded for the first scrape: most homes have none
    metrics ??= (await import('./metrics.ts')).createMetrics(hub.engine)
    return reply.type(metrics.contentType).send(await metrics.metrics())
  })
  const page = await readFile(join(webFolder, 'index.html'), 'utf8').catch(() => undefined)
  await server.register(fastifyStatic, {
    root: webFolder,
    index: false,
    wildcard: false,
    serve: page !== undefined,
  })
  server.get('/', (request, reply) => {
    const wantsPage = request.headers.accept?.includes('text/html') ?? false
    if (!wantsPage || page === undefined) return reply.send({ status: 'ok' })
    return reply.type('text/html; charset=utf-8').header('cache-control', 'no-cache').send(page)
  })
}
