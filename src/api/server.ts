import { existsSync } from 'node:fs'
import type { IncomingMessage, Server } from 'node:http'
import { join } from 'node:path'
import helmet from '@fastify/helmet'
import rateLimit from '@fastify/rate-limit'
import fastifyStatic from '@fastify/static'
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import websocket from '@fastify/websocket'
import fastify, { type FastifyHttpOptions, type FastifyInstance, type FastifyRequest } from 'fastify'
import { jsonSchemaTransform, validatorCompiler } from 'fastify-type-provider-zod'
import { careHubTable } from '../contract/care-hub.ts'
import { metricsTable } from '../contract/metrics.ts'
import { hubTable } from '../contract/routes.ts'
import { smokeTable } from '../contract/smoke.ts'
import { HomeostatError } from '../core/errors.ts'
import type { Log } from '../core/ports.ts'
import { requireLoopbackNames } from './auth.ts'
import { BodyGate } from './body-gate.ts'
import { type CareHub, careHubHandlers } from './compat/care-hub.ts'
import { smokeHandlers } from './compat/smoke.ts'
import { registerCors } from './cors.ts'
import { createDomainHub } from './domain-hub.ts'
import { onClientError, onError, onNotFound } from './errors.ts'
import type { Hub } from './hub.ts'
import { registerIngest } from './ingest.ts'
import { registerLive } from './live.ts'
import type { createMetrics } from './metrics.ts'
import { checked, Mount, openScope } from './mount.ts'
import { PredictionCounts } from './prediction-counts.ts'
import { registerRedoc } from './redoc.ts'
import { RequestTimes, registerTimes } from './request-times.ts'
import { deviceRoutes } from './routes/devices.ts'
import { hubRoutes } from './routes/hub.ts'
import { importRoutes } from './routes/imports.ts'
import { incidentRoutes } from './routes/incidents.ts'
import { influxNoteRoutes, registerInflux } from './routes/influx.ts'
import { modelRoutes, requireTraining } from './routes/models.ts'
import { readingRoutes } from './routes/readings.ts'
import { topicRoutes } from './routes/topics.ts'
import { userRoutes } from './routes/users.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** The gate, for those who list what passes it. */
    gate: Pick<Mount, 'mounted' | 'open'>
  }
}

export interface ServerOptions {
  /** Folder of the built dashboard. */
  readonly webFolder: string
  readonly log: Log
  /** Serves HTTPS. */
  readonly tls?: { readonly cert: string; readonly key: string } | undefined
  /** Reverse proxies whose X-Forwarded-* headers are believed: addresses and networks. */
  readonly trustProxy?: readonly string[]
  /** A line in the log for each request. */
  readonly access?: boolean
}

/** The HTTP side of a hub; the caller listens and closes. */
export async function createServer(hub: Hub, options: ServerOptions): Promise<FastifyInstance> {
  const connections = {
    // a client that sends its headers or its body byte by byte must not hold a connection for long
    headersTimeout: hub.limits.headersSeconds * 1000,
    connectionsCheckingInterval: connectionsCheckMs,
  }
  const settings: FastifyHttpOptions<Server> = {
    // what fails before a route is found, such as a URL that cannot be decoded
    frameworkErrors: onError(options.log),
    bodyLimit: hub.limits.bodyBytes,
    requestTimeout: hub.limits.requestSeconds * 1000,
    clientErrorHandler: onClientError,
    // X-Forwarded-* of anybody else is not looked at
    trustProxy: options.trustProxy?.length ? [...options.trustProxy] : false,
    http: connections,
    // connections that wait for nothing end with the server, answers under way are finished
    forceCloseConnections: 'idle',
    // an id of 128 characters may be three times as long in a URL
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 1000 },
    schemaController: {
      compilersFactory: { buildValidator: () => noSchemas, buildSerializer: () => noSchemas },
    },
  }
  const server = fastify(
    options.tls ? Object.assign(settings, { https: { ...options.tls, ...connections } }) : settings,
  )
  server.setErrorHandler(onError(options.log))
  server.addHook('onRequest', (request, _reply, done) =>
    checked(done, () => {
      if (!methods.has(request.method))
        throw new HomeostatError('method_not_allowed', {
          method: request.method,
          allowed: [...methods].join(', '),
        })
    }),
  )
  // hooks with a callback: a promise each would be a fifth of what a small request costs
  server.addHook('onRequest', (_request, reply, done) => {
    reply.header('x-content-type-options', 'nosniff')
    done()
  })
  registerCors(server, hub.origins ?? [])
  // before the check of names: it ends the socket of an upgrade only where its own hook ran
  await server.register(websocket, { options: { maxPayload: hub.limits.frameBytes }, preClose: endLive })
  server.addHook('onRequest', (request, _reply, done) =>
    // asked each time: the hub is not open any more once there is a user
    hub.open ? checked(done, () => requireLoopbackNames(request, hub.origins)) : done(),
  )
  const mount = new Mount(hub, options.log, hub.limits)
  server.setNotFoundHandler(onNotFound(mount))
  mount.guard(server)
  const times = new RequestTimes()
  registerTimes(server, mount, { times, log: options.log, access: options.access ?? false })
  server.decorate('gate', mount)
  await server.register((scope) => registerLive(scope, hub, mount))
  const bodies = new BodyGate(hub.engine, hub.limits)
  await server.register((scope) => registerIngest(scope, hub, mount, bodies))
  await server.register((scope) => registerRoutes(scope, { hub, mount, bodies, times }, options))
  return server
}

/** Mounted routes have zod schemas, and their scope compiles them. Fastify would load Ajv for others. */
function noSchemas(): never {
  throw new Error('This scope has no compiler for schemas.')
}

const goodbyeMs = 1000

/** HTTP methods that any route could have. TRACE would echo the key (RFC 9110, 9.3.8). */
const methods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])

/** How often connections are held against their time-outs. */
const connectionsCheckMs = 2000

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

interface RouteParts {
  readonly hub: Hub
  readonly mount: Mount
  readonly bodies: BodyGate
  readonly times: RequestTimes
}

/** Every route but the WebSockets, and the documents of them. */
async function registerRoutes(
  scope: FastifyInstance,
  { hub, mount, bodies, times }: RouteParts,
  { webFolder }: ServerOptions,
): Promise<void> {
  await registerDocuments(scope, hub)
  await scope.register(rateLimit, {
    global: false,
    max: hub.limits.requestsPerMinute,
    timeWindow: 60_000,
  })
  scope.removeContentTypeParser('application/json')
  scope.addContentTypeParser('application/json', (request: FastifyRequest, payload: IncomingMessage) =>
    bodies.read(request, payload),
  )
  scope.setValidatorCompiler(validatorCompiler)
  // a test compares the replies with the contract; checking each row of each answer would cost more than the query
  scope.setSerializerCompiler(() => JSON.stringify)
  const counts = new PredictionCounts()
  await mount.add(scope, hubTable, {
    ...readingRoutes(hub),
    ...modelRoutes(hub, counts),
    ...incidentRoutes(hub),
    ...userRoutes(hub),
    ...importRoutes(hub),
    ...influxNoteRoutes(hub),
    ...deviceRoutes(hub),
    ...topicRoutes(hub),
    ...hubRoutes(hub),
  })
  await scope.register((influx) => registerInflux(influx, hub, mount, bodies))
  await mount.add(scope, careHubTable, careHubHandlers(careHubOf(hub)))
  await mount.add(scope, smokeTable, smokeHandlers(hub, counts, scope))
  for (const domain of hub.engine.settings.domains) {
    const routes = await domain.routes?.()
    if (routes) await mount.add(scope, routes.contract, routes.handlers(createDomainHub(hub, domain.name)))
  }
  await scope.register((page) => registerPage(page, hub, mount, webFolder, times))
}

/** `/openapi.json` and `/docs`. */
async function registerDocuments(scope: FastifyInstance, hub: Hub): Promise<void> {
  await scope.register(swagger, {
    openapi: {
      info: { title: 'Homeostat', version: hub.version, description: 'Readings in, answers out.' },
      components: { securitySchemes: { key: { type: 'http', scheme: 'bearer' } } },
      security: hub.open ? [{}, { key: [] }] : [{ key: [] }],
    },
    transform: jsonSchemaTransform,
  })
  await scope.register(async (documents) => {
    openScope(documents, 'it describes the routes, and contains nothing about a site')
    await documents.register(swaggerUi, { routePrefix: '/docs', staticCSP: true })
    documents.get('/openapi.json', { schema: { hide: true } }, async () => scope.swagger())
  })
}

const careHubOf = (hub: Hub): CareHub => ({
  scheduler: hub.engine.scheduler,
  notes: hub.engine.ledger.notes,
  now: () => hub.engine.clock.now(),
  async train(by) {
    requireTraining(hub.engine)
    return (await hub.engine.models.train({ sites: null }, { by, force: false })).length
  },
})

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

/** `/metrics`, the dashboard at `/`, and its files. */
async function registerPage(
  server: FastifyInstance,
  hub: Hub,
  mount: Mount,
  webFolder: string,
  times: RequestTimes,
): Promise<void> {
  // headers for pages: building them for each answer of the API would cost more than taking a reading
  await server.register(helmet, pageHeaders)
  let registry: ReturnType<typeof createMetrics> | undefined
  await mount.add(server, metricsTable, {
    async metrics({ type }) {
      // loaded for the first scrape: most homes have none
      registry ??= (await import('./metrics.ts')).createMetrics(hub.engine, hub.topics.topics)
      type(registry.contentType)
      return `${await registry.metrics()}${times.text()}`
    },
  })
  await server.register(async (files) => {
    openScope(files, 'the page asks for a key itself')
    await registerFiles(files, webFolder)
    registerRedoc(files, webFolder)
  })
}

async function registerFiles(server: FastifyInstance, webFolder: string): Promise<void> {
  const isBuilt = existsSync(join(webFolder, 'index.html'))
  await server.register(fastifyStatic, {
    root: webFolder,
    index: false,
    wildcard: false,
    serve: isBuilt,
    // made by the build
    preCompressed: true,
    globIgnore: ['**/*.br', '**/*.gz'],
    cacheControl: false,
    setHeaders: (reply, path) => {
      // beside the one of cors.origins, which this replaces
      reply.setHeader('vary', 'Accept-Encoding, Origin')
      // the hash of its content is in its name
      const isHashed = /[\\/]assets[\\/].+-[\w-]{8}\.\w+(\.(br|gz))?$/.test(path)
      reply.setHeader('cache-control', isHashed ? 'public, max-age=31536000, immutable' : 'no-cache')
    },
  })
  server.get('/', { schema: { hide: true } }, (request, reply) => {
    const wantsPage = request.headers.accept?.includes('text/html') ?? false
    return wantsPage && isBuilt ? reply.sendFile('index.html') : reply.send({ status: 'ok' })
  })
}
