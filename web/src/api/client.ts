import type { z } from 'zod'
import { type RouteName, type Routes, routes } from '../../../src/contract/routes.ts'
import { problemReply } from '../../../src/contract/schemas.ts'
import { apiKey } from './key.ts'

/** What a route answers, parsed. */
export type Reply<Name extends RouteName> = z.output<Routes[Name]['reply']>

type QueryInput<Name extends RouteName> = Routes[Name] extends { query: infer Q extends z.ZodType }
  ? z.input<Q>
  : Record<string, never>

type BodyInput<Name extends RouteName> = Routes[Name] extends { body: infer B extends z.ZodType }
  ? z.input<B>
  : never

type ListName = {
  [Name in RouteName]: Reply<Name> extends { items: unknown[]; next: string | null } ? Name : never
}[RouteName]

export interface Call<Name extends RouteName> {
  readonly query?: QueryInput<Name>
  readonly params?: Readonly<Record<string, string>>
  readonly body?: BodyInput<Name>
  readonly signal?: AbortSignal
}

/** The hub said no. `message` is its own sentence, `code` its name for it; empty where there is none. */
export class ApiError extends Error {
  readonly status: number
  readonly code: string

  constructor(status: number, sentence: string, code = '') {
    super(sentence)
    this.name = 'ApiError'
    this.status = status
    this.code = code
  }
}

/** Asks one route of the contract. Rejects with ApiError; its sentence can be shown as it is. */
export async function call<Name extends RouteName>(
  name: Name,
  options: Call<Name> = {},
): Promise<Reply<Name>> {
  const response = await fetch(urlOf(name, options), {
    method: routes[name].method,
    headers: headersOf(options),
    ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
    signal: options.signal ?? null,
  }).catch((cause: unknown) => {
    if (options.signal?.aborted) throw cause
    throw new ApiError(0, 'The hub does not answer. It may be restarting; this page keeps trying.')
  })
  const body: unknown = await response.json().catch(() => undefined)
  if (!response.ok) throw errorOf(response, body)
  const parsed = routes[name].reply.safeParse(body)
  if (parsed.success) return parsed.data as Reply<Name>
  throw new ApiError(
    response.status,
    `The hub answered ${routes[name].path} in a form that this page does not know. Reload the page: it may be older than the hub.`,
  )
}

/** Follows the cursor of a list for at most `pages` pages; `complete` says whether that was all. */
export async function callAll<Name extends ListName>(
  name: Name,
  options: Call<Name>,
  pages = 10,
): Promise<{ items: Reply<Name>['items']; complete: boolean }> {
  const items: unknown[] = []
  let cursor: string | null = null
  for (let page = 0; page < pages; page++) {
    const query: object = Object.assign({}, options.query, cursor === null ? {} : { cursor })
    const reply: { items: unknown[]; next: string | null } = await call(name, {
      ...options,
      query: query as QueryInput<Name>,
    })
    for (const item of reply.items) items.push(item)
    cursor = reply.next
    if (cursor === null) break
  }
  return { items: items as Reply<Name>['items'], complete: cursor === null }
}

function headersOf({ body }: { readonly body?: unknown }): Record<string, string> {
  const key = apiKey.get()
  return {
    accept: 'application/json',
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    ...(key ? { authorization: `Bearer ${key}` } : {}),
  }
}

function urlOf<Name extends RouteName>(name: Name, { params, query }: Call<Name>): URL {
  const path = routes[name].path.replace(/:(\w+)/g, (_, field: string) =>
    encodeURIComponent(params?.[field] ?? ''),
  )
  // relative to the page, which may be served under a path
  const url = new URL(`.${path}`, document.baseURI)
  for (const [field, value] of Object.entries(query ?? {})) {
    if (value !== undefined) url.searchParams.set(field, String(value))
  }
  return url
}

function errorOf(response: Response, body: unknown): ApiError {
  const problem = problemReply.safeParse(body)
  if (problem.success) return new ApiError(response.status, problem.data.detail, problem.data.code)
  const sentence = `The hub answered ${response.status} ${response.statusText}`.trimEnd().concat('.')
  return new ApiError(response.status, sentence)
}
