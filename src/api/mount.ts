import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import type { WebSocket } from 'ws'
import type {
  AnyHandlers,
  AnyRequest,
  Caller,
  Route,
  RouteHandlers,
  RoutesByName,
  RouteTable,
} from '../contract/route.ts'
import { problemReply } from '../contract/schemas.ts'
import { HomeostatError } from '../core/errors.ts'
import type { Log } from '../core/ports.ts'
import { type AuthOptions, authorise, cookieName, identify, isFromElsewhere, reachOf } from './auth.ts'
import { CsvAnswers, type CsvLimits, prefersCsv } from './csv.ts'
import { onError } from './errors.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Set by `Mount` alone: the request passes the gate before its handler runs. */
    gated?: Route
  }
  interface FastifyInstance {
    /** On scopes whose routes need no gate: why not. Inherited by the scopes within. */
    openToAll?: string
  }
}

/** A route as it is served. */
export interface MountedRoute {
  readonly route: Route
  /** Its path or one of its aliases. */
  readonly url: string
  readonly socket: boolean
}

/** An admitted WebSocket client. */
export interface SocketCaller {
  readonly caller: Caller
  /** As it came. */
  readonly query: unknown
  readonly sites: readonly string[] | null
}

/** WebSocket close code 1008: policy violation (RFC 6455). */
export const policyViolation = 1008
/** WebSocket close code 1013: try again later. */
export const tryAgainLater = 1013

const nobody: Caller = { name: 'nobody', kind: 'network', role: 'viewer', sites: [] }

/**
 * The only gate of the API: identifies the caller, checks role and site, bounds and validates the request, shapes errors
 * and documents the route, all from the route's description. `guard` makes the server refuse any other route.
 */
export class Mount {
  readonly #auth: AuthOptions
  readonly #log: Log
  readonly #csv: CsvAnswers
  readonly #callers = new WeakMap<FastifyRequest, Caller>()
  readonly #mounted: MountedRoute[] = []
  readonly #open: string[] = []

  constructor(auth: AuthOptions, log: Log, limits: CsvLimits) {
    this.#auth = auth
    this.#log = log
    this.#csv = new CsvAnswers(limits)
  }

  /** Who sent a request that passed the gate; undefined for public routes and for callers that were refused. */
  callerOf(request: FastifyRequest): Caller | undefined {
    return this.#callers.get(request)
  }

  get mounted(): readonly MountedRoute[] {
    return this.#mounted
  }

  /** URLs of the routes of open scopes. */
  get open(): readonly string[] {
    return this.#open
  }

  /** From now on, adding a route throws unless it is mounted here or its scope is marked by `openScope`. */
  guard(server: FastifyInstance): void {
    const open = this.#open
    server.decorate('openToAll')
    server.addHook('onRoute', function ({ method, url, config }) {
      if (this.openToAll !== undefined) open.push(url)
      else if (!config?.gated)
        throw new Error(`${method} ${url} is not mounted: it has no role and no scope.`)
    })
  }

  /** Serves every route of the table. The scope must parse JSON, and compile zod schemas. */
  add<Routes extends RoutesByName>(
    scope: FastifyInstance,
    table: RouteTable<Routes>,
    handlers: RouteHandlers<Routes>,
  ): Promise<void>
  async add(scope: FastifyInstance, table: RouteTable, handlers: AnyHandlers): Promise<void> {
    for (const [name, route] of Object.entries(table.routes)) {
      const handler = handlers[name]
      if (!handler) throw new Error(`The route ${table.name}.${name} has no handler.`)
      const operationId = table.name === 'hub' ? name : `${table.name.replaceAll(' ', '-')}.${name}`
      for (const url of [route.path, ...(route.aliases ?? [])]) {
        this.#mounted.push({ route, url, socket: false })
        const schema = schemaOf(table, route, url)
        scope.route({
          ...this.#optionsOf(table, route),
          method: route.method,
          url,
          schema: url === route.path ? { ...schema, operationId } : schema,
          handler: (request, reply) => this.#handle(route, handler, request, reply),
        })
      }
    }
    const { prefixes, body } = table.unknownPath ?? { prefixes: [], body: {} }
    for (const prefix of prefixes)
      await scope.register(
        async (below) => below.setNotFoundHandler((_request, reply) => reply.code(404).send(body)),
        { prefix },
      )
  }

  /** Serves a WebSocket. A client that is refused gets close code 1008 with the reason, which browsers can read. */
  socket(
    scope: FastifyInstance,
    route: Route,
    handler: (socket: WebSocket, client: SocketCaller) => void,
    { seed = false }: Pick<RouteTable, 'seed'> = {},
  ): void {
    this.#mounted.push({ route, url: route.path, socket: true })
    const options = { websocket: true, schema: { hide: true }, config: { gated: route } } as const
    scope.get(route.path, options, (socket, request) => {
      socket.on('error', () => socket.terminate())
      let caller: Caller
      try {
        caller = this.#admit(route, request, seed)
      } catch (error) {
        socket.close(policyViolation, error instanceof Error ? error.message.slice(0, 120) : '')
        return
      }
      handler(socket, { caller, query: request.query, sites: reachOf(caller, siteOf(route, request)) })
    })
  }

  #handle(route: Route, handler: AnyHandlers[string], request: FastifyRequest, reply: FastifyReply): unknown {
    const parsed = this.#parsed(route, request, reply)
    const { csv: form } = route
    if (!form) return handler(parsed)
    reply.header('vary', 'accept')
    if (!prefersCsv(request.headers.accept)) return handler(parsed)
    const query = parsed.query as Readonly<Record<string, unknown>>
    return this.#csv.answer(
      { form, query, ask: async (page) => handler({ ...parsed, query: page }) },
      request,
      reply,
    )
  }

  #optionsOf(
    { errorBody, seed = false }: Pick<RouteTable, 'errorBody' | 'seed'>,
    route: Route,
  ): Pick<
    RouteOptions,
    'config' | 'bodyLimit' | 'validatorCompiler' | 'errorHandler' | 'onRequest' | 'preHandler'
  > {
    const counted = route.role !== 'public' && route.rateLimit !== 'none'
    return {
      preHandler: (request, _reply, done) => checked(done, () => requireIds(route, request)),
      config: { gated: route, rateLimit: counted ? {} : false },
      errorHandler: onError(this.#log, errorBody),
      ...(route.bodyBytes === undefined ? {} : { bodyLimit: route.bodyBytes }),
      ...(route.bodyCheckedBy === 'handler' ? { validatorCompiler: () => () => true } : {}),
      // before the body is read: a caller without the right must not make the hub read 16 MiB
      onRequest: (request, _reply, done) =>
        checked(done, () => {
          if (route.role !== 'public') this.#callers.set(request, this.#admit(route, request, seed))
        }),
    }
  }

  /** Throws HomeostatError where the caller may not use the route. */
  #admit(route: Route, request: FastifyRequest, seed: boolean): Caller {
    const caller = identify(request, this.#auth, { ...route, seed })
    authorise(caller, route, siteOf(route, request))
    return caller
  }

  #parsed(route: Route, request: FastifyRequest, reply: FastifyReply): AnyRequest {
    const caller = this.#callers.get(request) ?? (route.role === 'public' ? nobody : undefined)
    if (!caller) throw new Error('A handler ran without the gate.')
    return {
      query: request.query,
      params: request.params,
      body: request.body,
      caller,
      client: {
        address: request.ip,
        device: request.headers['user-agent'] ?? '',
        fromElsewhere: isFromElsewhere(request),
      },
      sites: reachOf(caller, siteOf(route, request)),
      status: (code) => {
        reply.code(code)
      },
      header: (name, value) => {
        reply.header(name, value)
      },
      type: (mime) => {
        reply.type(mime)
      },
      cookie: (secret, seconds = 0) => {
        reply.header('set-cookie', cookieText(request, secret, seconds))
      },
    }
  }
}

/** Of the longest ids (`idLimits`). */
const idCharacters = 128

/** Fields that name something. */
const idFields = ['site', 'device', 'metric', 'room', 'domain', 'subject', 'id', 'name'] as const

/** Throws `id_invalid` for an empty id: nothing has it, and it is no way to say "all". */
function requireIds({ bodyCheckedBy }: Route, { query, params, body }: FastifyRequest): void {
  for (const part of [query, params, bodyCheckedBy === 'handler' ? undefined : body]) {
    if (typeof part !== 'object' || part === null) continue
    const empty = idFields.find((field) => Object.hasOwn(part, field) && Reflect.get(part, field) === '')
    if (empty !== undefined) throw new HomeostatError('id_invalid', { field: empty, limit: idCharacters })
  }
}

/** Scripts cannot read it, other sites do not send it (RFC 6265bis), and over TLS it never leaves TLS. */
function cookieText({ protocol }: FastifyRequest, secret: string | undefined, seconds: number): string {
  const parts = [`${cookieName}=${secret ?? ''}`, 'Path=/', 'HttpOnly', 'SameSite=Strict']
  if (protocol === 'https') parts.push('Secure')
  parts.push(`Max-Age=${secret === undefined ? 0 : seconds}`)
  return parts.join('; ')
}

/** Goes on, or answers with what the check throws. */
export function checked(done: (error?: Error) => void, check: () => void): void {
  try {
    check()
  } catch (error) {
    done(error instanceof Error ? error : new Error(String(error)))
    return
  }
  done()
}

/** Marks a scope whose routes are open to everybody; `why` is for the reader. */
export const openScope = (scope: FastifyInstance, why: string): void => {
  scope.openToAll = why
}

function schemaOf({ name }: RouteTable, route: Route, url: string): object {
  const { summary, query, params, body, reply, failure, role, csv } = route
  return {
    summary,
    ...(csv ? { description: 'Answered as CSV to `Accept: text/csv`.' } : {}),
    tags: [name === 'hub' ? (url.split('/')[3] ?? 'hub') : name],
    ...(role === 'public' ? { security: [] } : {}),
    ...(query ? { querystring: query } : {}),
    ...(params ? { params } : {}),
    ...(body ? { body } : {}),
    response: { 200: reply, '4xx': problemReply, ...(failure ? { '5xx': failure } : {}) },
  }
}

function siteOf(route: Route, request: FastifyRequest): string | undefined {
  if (route.scope === 'query') return (request.query as { site?: string }).site
  return route.scope === 'params' ? (request.params as { site?: string }).site : undefined
}
