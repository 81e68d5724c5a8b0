import type { z } from 'zod'
import type { CsvForm } from './csv.ts'

/** The description of a route: one place for its path, who may call it, and the schemas of what goes in and out. */

export type Role = 'viewer' | 'operator' | 'admin'

export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly path: string
  /** Other paths with the same answer. */
  readonly aliases?: readonly string[]
  readonly summary: string
  /** The lowest role that may call it; `public` needs no key. */
  readonly role: 'public' | Role
  /**
   * `query`: the `site` of the query narrows the answer, and must be a site of the key; without it the answer covers all
   * sites of the key. `params`: the same for the `site` of the path. `body`: the handler checks each site in the body.
   * `hub`: concerns no single site and needs a key for all sites. `none`: the answer contains nothing about any site.
   */
  readonly scope: 'query' | 'params' | 'body' | 'hub' | 'none'
  readonly query?: z.ZodType
  readonly params?: z.ZodType
  readonly body?: z.ZodType
  /** `handler`: the body schema is documentation; the handler checks row by row, so that a bad row fails alone. */
  readonly bodyCheckedBy?: 'schema' | 'handler'
  /** Largest body in bytes; default and upper bound: limits.bodyBytes. */
  readonly bodyBytes?: number
  readonly reply: z.ZodType
  /** A list that is also answered as CSV, to `Accept: text/csv`. */
  readonly csv?: CsvForm
  /** The body of an answer with an error status that the handler itself gives. */
  readonly failure?: z.ZodType
  /** `influx`: the key may also come as `Authorization: Token KEY`, as a Basic password, or as the parameter `p`. */
  readonly credentials?: 'influx'
  /** `none`: not counted against limits.requestsPerSecond, because another limit applies. Public routes are not counted. */
  readonly rateLimit?: 'client' | 'none'
}

/** An error as RFC 9457 describes it. */
export interface ProblemBody {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly code: string
  readonly detail: string
}

/** Routes that are mounted together. */
export interface RouteTable<Routes extends RoutesByName = RoutesByName> {
  /** Groups the routes in the OpenAPI document, and begins their operation ids. */
  readonly name: string
  readonly routes: Routes
  /** The error form that the clients of these routes expect; default: problem+json. */
  readonly errorBody?: (problem: ProblemBody) => object
  /** Answer with status 404 to unknown paths below these prefixes; default: problem+json. */
  readonly unknownPath?: { readonly prefixes: readonly string[]; readonly body: object }
  /** Routes of an older system, whose devices cannot send a key: those of auth.trustedNetworks need none. */
  readonly seed?: boolean
}

export type RoutesByName = Readonly<Record<string, Route>>

/** Infers the type of a table. */
export const routeTable = <const Routes extends RoutesByName>(
  table: RouteTable<Routes>,
): RouteTable<Routes> => table

/** Who sends a request. */
export interface Caller {
  readonly name: string
  /** By an API key; a user who signed in; this machine while the hub is open to it; a device of auth.trustedNetworks. */
  readonly kind: 'key' | 'user' | 'local' | 'network'
  readonly role: Role
  /** Sites of its key; null: all. */
  readonly sites: readonly string[] | null
  /** Of an API key. */
  readonly keyId?: string
  /** Of a user. */
  readonly userId?: string
  readonly sessionId?: string
}

/** Where a request comes from. */
export interface RequestClient {
  readonly address: string
  /** What it calls itself (User-Agent). */
  readonly device: string
  /** A page of another origin sent it. */
  readonly fromElsewhere: boolean
}

/** A request that passed the gate and matches its schemas. */
export type RouteRequest<R extends Route> = GatedRequest<
  Parsed<R, 'query'>,
  Parsed<R, 'params'>,
  R extends { readonly bodyCheckedBy: 'handler' } ? unknown : Parsed<R, 'body'>
>

export interface GatedRequest<Query, Params, Body> {
  readonly query: Query
  readonly params: Params
  readonly body: Body
  readonly caller: Caller
  readonly client: RequestClient
  /** Sites that the answer may cover; null: all. */
  readonly sites: readonly string[] | null
  /** Sets another status than 200. */
  status(code: number): void
  /** Sets a header of the answer. */
  header(name: string, value: string): void
  /** Sets another content type than JSON; the handler then returns the text itself. */
  type(mime: string): void
  /** Sets the session cookie for `seconds`; undefined removes it. */
  cookie(secret: string | undefined, seconds?: number): void
}

type Parsed<R extends Route, Part extends 'query' | 'params' | 'body'> = R extends {
  readonly [Key in Part]: infer Schema extends z.ZodType
}
  ? z.output<Schema>
  : undefined

/** What a handler returns; it may return values that must not be changed. */
export type RouteReply<R extends Route> =
  | Frozen<z.input<R['reply']>>
  | (R extends { readonly failure: infer Failure extends z.ZodType } ? Frozen<z.input<Failure>> : never)

/** As a method, so that the handlers of one table are assignable to those of any table; `Mount` only calls them with its own requests. */
type Handler<Request, Reply> = { handle(request: Request): Promise<Reply> | Reply }['handle']

export type RouteHandler<R extends Route> = Handler<RouteRequest<R>, RouteReply<R>>

/** One handler for every route: tsc fails while one is missing. */
export type RouteHandlers<Routes extends RoutesByName> = {
  readonly [Name in keyof Routes]: RouteHandler<Routes[Name]>
}

/** Handlers of a table that is known at run time only; those of every table are assignable. */
export type AnyHandlers = Readonly<Record<string, Handler<AnyRequest, unknown>>>
export type AnyRequest = GatedRequest<unknown, unknown, unknown>

/** The routes of one domain. `handlers` is called once. */
export interface DomainRoutes<Hub> {
  readonly contract: RouteTable
  handlers(hub: Hub): AnyHandlers
}

export type Frozen<Value> = Value extends object
  ? { readonly [Key in keyof Value]: Frozen<Value[Key]> }
  : Value
