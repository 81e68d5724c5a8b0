import type { FastifyRequest } from 'fastify'
import type { Caller, Role, Route } from '../contract/route.ts'
import { HomeostatError } from '../core/errors.ts'
import { isKeyForm, type KeyRing } from './keys.ts'

const rank: Readonly<Record<Role, number>> = { viewer: 0, operator: 1, admin: 2 }

/** The caller of a request without a key, while the hub is open to this machine only. */
const localCaller: Caller = { name: 'this machine', role: 'admin', sites: null }

export interface AuthOptions {
  /** Requests without a key are taken. Only ever set while bound to loopback. */
  readonly open: boolean
  readonly keys: KeyRing
}

/**
 * The caller of a request. Throws `key_missing`, `key_unknown`, or, while open, `host_forbidden`:
 * a web page elsewhere must not reach the hub through its visitor's browser (DNS rebinding, cross-site requests).
 */
export function identify(
  request: FastifyRequest,
  { open, keys }: AuthOptions,
  { credentials }: Pick<Route, 'credentials'> = {},
): Caller {
  if (open) requireLoopbackNames(request)
  const secret = credentials === 'influx' ? influxSecretOf(request, open) : secretOf(request)
  if (secret === undefined) {
    if (open) return localCaller
    throw new HomeostatError('key_missing')
  }
  const key = keys.find(secret)
  if (!key) throw new HomeostatError('key_unknown')
  return { name: key.name, role: key.role, sites: key.sites, keyId: key.id }
}

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

export function requireLoopbackNames(request: FastifyRequest): void {
  const { host, origin } = request.headers
  if (!isLoopbackName(hostName(host ?? ''))) {
    throw new HomeostatError('host_forbidden', { header: 'Host', got: host ?? '' })
  }
  if (origin !== undefined && origin !== `http://${host}` && origin !== `https://${host}`) {
    throw new HomeostatError('host_forbidden', { header: 'Origin', got: origin })
  }
}

/** Names that only ever mean this machine. */
export const isLoopbackName = (name: string): boolean =>
  name === 'localhost' || name === '::1' || name === '[::1]' || /^127(\.\d{1,3}){3}$/.test(name)

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
