import { z } from 'zod'
import type { Route } from './route.ts'
import * as s from './schemas.ts'

const role = z.enum(['viewer', 'operator', 'admin'])
const sites = z.array(z.string().min(1).max(64)).min(1).max(1000).nullable()
const userName = z
  .string()
  .regex(/^\P{Cc}{1,64}$/u, '1 to 64 characters without control characters')
  .refine((name) => name.trim() === name, 'no space at its beginning or end')
const newPassword = z.string().min(8).max(200)
/** What is compared may be of any length up to a bound. */
const password = z.string().min(1).max(200)
const nameParam = z.object({ name: z.string() })
const secondsUntil = z.number().int().describe('seconds until it is not valid any more')

const user = z.object({
  name: z.string(),
  role,
  sites: sites.describe('null: all sites'),
  createdAt: z.number(),
})

const session = z.object({
  id: z.string(),
  kind: z.enum(['browser', 'tokens']),
  device: z.string().describe('what the client calls itself'),
  address: z.string(),
  createdAt: z.number(),
  seenAt: z.number().describe('when it was last used, to the hour'),
  expiresAt: z.number(),
  current: z.boolean().describe('the one that asks'),
})

const credentials = z.strictObject({ name: z.string().min(1).max(200), password })

const tokens = z.object({
  token_type: z.literal('Bearer'),
  access_token: z.string().describe('a JWT, sent as "Authorization: Bearer TOKEN"'),
  expires_in: secondsUntil,
  refresh_token: z.string().describe('can be used once'),
  refresh_expires_in: secondsUntil,
})

const preferences = z.record(z.string().max(64), z.unknown())
const removed = z.object({ removed: z.string() })

/** Users, their sessions and preferences. */
export const userRoutes = {
  access: {
    method: 'GET',
    path: '/api/v1/access',
    summary: 'How people come in: whether there are users, and whether the hub is open to this machine',
    role: 'public',
    scope: 'none',
    reply: z.object({
      users: z.boolean().describe('people sign in by name and password'),
      open: z.boolean().describe('this machine needs neither'),
    }),
  },
  signIn: {
    method: 'POST',
    path: '/api/v1/session',
    summary: 'Sign in with name and password; the answer sets a session cookie',
    role: 'public',
    scope: 'none',
    body: credentials,
    bodyBytes: 4096,
    reply: s.me,
  },
  signOut: {
    method: 'DELETE',
    path: '/api/v1/session',
    summary: 'End the session that asks',
    role: 'viewer',
    scope: 'none',
    reply: removed,
  },
  login: {
    method: 'POST',
    path: '/api/v1/login',
    summary: 'Exchange name and password for an access token and a refresh token',
    role: 'public',
    scope: 'none',
    body: credentials,
    bodyBytes: 4096,
    reply: tokens,
  },
  refreshLogin: {
    method: 'POST',
    path: '/api/v1/login/refresh',
    summary: 'Exchange a refresh token for new tokens; one that was used before ends the session',
    role: 'public',
    scope: 'none',
    body: z.strictObject({ refresh_token: z.string().min(1).max(200) }),
    bodyBytes: 4096,
    reply: tokens,
  },
  sessions: {
    method: 'GET',
    path: '/api/v1/sessions',
    summary: 'Where the user who asks is signed in',
    role: 'viewer',
    scope: 'none',
    reply: s.pageOf(session),
  },
  endSession: {
    method: 'DELETE',
    path: '/api/v1/sessions/:id',
    summary: 'Sign the user who asks out of one device',
    role: 'viewer',
    scope: 'none',
    params: z.object({ id: z.string() }),
    reply: removed,
  },
  preferences: {
    method: 'GET',
    path: '/api/v1/me/preferences',
    summary: 'Preferences of the user who asks: language, units, theme',
    role: 'viewer',
    scope: 'none',
    reply: preferences,
  },
  putPreferences: {
    method: 'PUT',
    path: '/api/v1/me/preferences',
    summary: 'Replace the preferences of the user who asks',
    role: 'viewer',
    scope: 'none',
    body: preferences,
    bodyBytes: 64 * 1024,
    reply: preferences,
  },
  changePassword: {
    method: 'PUT',
    path: '/api/v1/me/password',
    summary: 'Change the password of the user who asks; the other sessions end',
    role: 'viewer',
    scope: 'none',
    body: z.strictObject({ password, newPassword }),
    bodyBytes: 4096,
    reply: user,
  },
  users: {
    method: 'GET',
    path: '/api/v1/users',
    summary: 'Users, by name',
    role: 'admin',
    scope: 'hub',
    reply: s.pageOf(user),
  },
  createUser: {
    method: 'POST',
    path: '/api/v1/users',
    summary: 'Add a user; with the first one the hub is not open to this machine any more',
    role: 'admin',
    scope: 'hub',
    body: z.strictObject({ name: userName, role, sites: sites.default(null), password: newPassword }),
    bodyBytes: 256 * 1024,
    reply: user,
  },
  changeUser: {
    method: 'PUT',
    path: '/api/v1/users/:name',
    summary: 'Change role, sites or password of a user, whose sessions end',
    role: 'admin',
    scope: 'hub',
    params: nameParam,
    body: z
      .strictObject({ role: role.optional(), sites: sites.optional(), password: newPassword.optional() })
      .refine((change) => Object.keys(change).length > 0, 'what is to change is missing'),
    bodyBytes: 256 * 1024,
    reply: user,
  },
  removeUser: {
    method: 'DELETE',
    path: '/api/v1/users/:name',
    summary: 'Remove a user, whose sessions end',
    role: 'admin',
    scope: 'hub',
    params: nameParam,
    reply: removed,
  },
} as const satisfies Record<string, Route>
