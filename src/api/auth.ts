import type { FastifyRequest } from 'fastify'
import type { Caller, Role, Route, RouteTable } from '../contract/route.ts'
import { HomeostatError } from '../core/errors.ts'
import { isKeyForm, type KeyRing } from './keys.ts'
import { isLocalName, isLoopbackName, type Networks } from './networks.ts'
import type { People, SignedIn } from './people.ts'
import { isToken } from './tokens.ts'

export { isLoopbackName } from './networks.ts'

const rank: Readonly<Record<Role, number>> = { viewer: 0, operator: 1, admin: 2 }

/** The caller of a request without a key, while the hub is open to this machine only. */
const localCaller: Caller = { name: 'this machine', kind: 'local', role: 'admin', sites: null }

/** A device of `auth.trustedNetworks`, on the routes of the older systems. */
const networkCaller: Caller = { name: 'local network', kind: 'network', role: 'operator', sites: null }

/** Name of the session cookie. */
export const cookieName = 'homeostat_session'

export interface AuthOptions {
  /** Requests without a key are taken. Only ever set while bound to loopback, and while there are no users. */
  readonly open: boolean
  readonly keys: KeyRing
  readonly people?: People
  /** Networks whose devices need no key on the routes of the older systems. */
  readonly trusted?: Networks
  /** Pages of other origins that may ask (cors.origins). */
  readonly origins?: readonly string[]
}

/**
 * The caller of a request. Throws `key_missing`, `key_unknown`, `token_invalid`, `session_ended`, `cross_site`, or, while
 * open, `host_forbidden`: a web page elsewhere must not reach the hub through its visitor's browser (DNS rebinding,
 * cross-site requests). `seed`: the route belongs to an older system, whose devices cannot send a key.
 */
export function identify(
  request: FastifyRequest,
  auth: AuthOptions,
  { credentials, seed = false }: Pick<Route, 'credentials'> & Pick<RouteTable, 'seed'> = {},
): Caller {
  if (auth.open) requireLoopbackNames(request, auth.origins)
  const secret = credentials === 'influx' ? influxSecretOf(request, auth.open) : secretOf(request)
  if (secret !== undefined) return ofSecret(secret, auth)
  const cookie = cookieOf(request)
  const signedIn = cookie === undefined ? undefined : auth.people?.ofCookie(cookie)
  if (signedIn) {
    if (!isSafe(request)) requireOwnPage(request)
    return callerOf(signedIn)
  }
  if (auth.open) return localCaller
  if (seed && isTrusted(request, auth.trusted)) return networkCaller
  throw new HomeostatError(cookie === undefined ? 'key_missing' : 'session_ended')
}

/** Whether a caller that was admitted would be so still: a key can be revoked, a session can end. */
export function isStillValid(caller: Caller, auth: AuthOptions): boolean {
  switch (caller.kind) {
    case 'key':
      return caller.keyId !== undefined && auth.keys.has(caller.keyId)
    case 'user':
      return caller.sessionId !== undefined && (auth.people?.has(caller.sessionId) ?? false)
    case 'local':
      return auth.open
    case 'network':
      return true
  }
}

/** The caller of an API key or an access token. Throws `key_unknown` or `token_invalid`. */
export function ofSecret(secret: string, { keys, people }: Pick<AuthOptions, 'keys' | 'people'>): Caller {
  if (isToken(secret)) {
    const signedIn = people?.ofToken(secret)
    if (!signedIn) throw new HomeostatError('token_invalid')
    return callerOf(signedIn)
  }
  const key = keys.find(secret)
  if (!key) throw new HomeostatError('key_unknown')
  return { name: key.name, kind: 'key', role: key.role, sites: key.sites, keyId: key.id }
}

const callerOf = ({ user, session }: SignedIn): Caller => ({
  ...{ name: user.name, kind: 'user', role: user.role, sites: user.sites },
  ...{ userId: user.id, sessionId: session.id },
})

/** Throws `role_too_low` or `site_forbidden` where the caller may not use this route. */
export function authorise(
  caller: Caller,
  route: Pick<Route, 'role' | 'scope'>,
  site: string | undefined,
): void {
  if (route.role === 'public') return
  if (rank[caller.role] < rank[route.role]) {
    throw new HomeostatError('role_too_low', { need: route.role, have: caller.role })
  }
  if (caller.sites === null) return
  if (route.scope === 'hub') throw new HomeostatError('site_forbidden', { site: '(all)' })
  if (site !== undefined && !caller.sites.includes(site)) throw new HomeostatError('site_forbidden', { site })
}

/** Sites that an answer may cover: the requested one, else all of the key; null means all. */
export const reachOf = (caller: Caller, site: string | undefined): readonly string[] | null =>
  site === undefined ? caller.sites : [site]

/** Throws `host_forbidden`. Pages of `origins` may ask, too. */
export function requireLoopbackNames(request: FastifyRequest, origins: readonly string[] = []): void {
  const { host, origin } = request.headers
  if (!isLoopbackName(hostName(host ?? ''))) {
    throw new HomeostatError('host_forbidden', { header: 'Host', got: host ?? '' })
  }
  if (origin !== undefined && !isOwnOrigin(origin, host) && !origins.includes(origin)) {
    throw new HomeostatError('host_forbidden', { header: 'Origin', got: origin })
  }
}

/**
 * Throws `cross_site` unless the hub's own page sent the request: a browser adds the cookie of its user to requests that
 * other pages send, and tells in headers that no page can set where they come from.
 */
export function requireOwnPage(request: FastifyRequest): void {
  const { origin } = request.headers
  const site = request.headers['sec-fetch-site']
  if (site !== undefined && site !== 'same-origin')
    throw new HomeostatError('cross_site', { header: 'Sec-Fetch-Site', got: String(site) })
  if (origin !== undefined && !isOwnOrigin(origin, request.host))
    throw new HomeostatError('cross_site', { header: 'Origin', got: origin })
  if (site === undefined && origin === undefined)
    throw new HomeostatError('cross_site', { header: 'Origin', got: '' })
}

/** Whether a page of another origin sent the request, as far as headers tell. */
export const isFromElsewhere = (request: FastifyRequest): boolean => {
  const { origin } = request.headers
  const site = request.headers['sec-fetch-site']
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return true
  return origin !== undefined && !isOwnOrigin(origin, request.host)
}

const isOwnOrigin = (origin: string, host: string | undefined): boolean =>
  origin === `http://${host}` || origin === `https://${host}`

/** Reads change nothing, except that a WebSocket can be read by the page that opened it. */
const isSafe = ({ method, headers }: FastifyRequest): boolean =>
  (method === 'GET' || method === 'HEAD') && headers.upgrade === undefined

/**
 * A device of a trusted network, and no browser: a page elsewhere must not reach the hub through a visitor in that
 * network, neither from its own name (Origin) nor from one that was bent to the hub's address (Host).
 */
function isTrusted(request: FastifyRequest, trusted: Networks | undefined): boolean {
  const { origin, host } = request.headers
  if (origin !== undefined || request.headers['sec-fetch-site'] !== undefined) return false
  return isLocalName(hostName(host ?? '')) && (trusted?.contains(request.ip) ?? false)
}

const hostName = (host: string): string => host.replace(/:\d+$/, '').toLowerCase()

/**
 * The key as clients of InfluxDB send it. Some always send a user and a password, such as root and root; while open, what
 * cannot be a key is none.
 */
function influxSecretOf(request: FastifyRequest, open: boolean): string | undefined {
  const { authorization = '' } = request.headers
  const [, scheme = '', credentials = ''] = /^(Token|Basic) +(.+)$/i.exec(authorization) ?? []
  const { p } = request.query as { readonly p?: unknown }
  // a token is a key, or user:password
  const basic = scheme.toLowerCase() === 'basic' ? Buffer.from(credentials, 'base64').toString() : credentials
  const secret =
    scheme !== ''
      ? basic.slice(basic.indexOf(':') + 1)
      : (secretOf(request) ?? (typeof p === 'string' ? p : undefined))
  return open && secret !== undefined && !isKeyForm(secret) ? undefined : secret
}

/** A browser cannot set headers on a WebSocket; there the key comes as a subprotocol `key.<secret>`. */
function secretOf(request: FastifyRequest): string | undefined {
  const { authorization } = request.headers
  if (authorization !== undefined) return /^Bearer (.+)$/i.exec(authorization)?.[1] ?? ''
  const header = request.headers['x-api-key']
  if (header !== undefined) return String(header)
  const protocols = request.headers['sec-websocket-protocol']
  const entry = protocols?.split(',').find((protocol) => protocol.trim().startsWith('key.'))
  return entry?.trim().slice('key.'.length)
}

function cookieOf(request: FastifyRequest): string | undefined {
  const pairs = request.headers.cookie?.split(';') ?? []
  const pair = pairs.find((one) => one.trim().startsWith(`${cookieName}=`))
  return pair?.trim().slice(cookieName.length + 1)
}
