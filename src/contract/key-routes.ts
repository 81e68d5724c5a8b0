import { z } from 'zod'
import type { Route } from './route.ts'
import * as s from './schemas.ts'

/** Who asks, and API keys. */
export const keyRoutes = {
  me: {
    method: 'GET',
    path: '/api/v1/me',
    summary: 'Name, role and sites of the key that is used',
    role: 'viewer',
    scope: 'none',
    reply: s.me,
  },
  keys: {
    method: 'GET',
    path: '/api/v1/keys',
    summary: 'API keys, without their secrets',
    role: 'admin',
    scope: 'hub',
    reply: s.pageOf(s.key),
  },
  createKey: {
    method: 'POST',
    path: '/api/v1/keys',
    summary: 'Make an API key; its secret is shown this once',
    role: 'admin',
    scope: 'hub',
    body: s.keyInput,
    reply: s.key.extend({ secret: z.string() }),
  },
  removeKey: {
    method: 'DELETE',
    path: '/api/v1/keys/:id',
    summary: 'Revoke an API key',
    role: 'admin',
    scope: 'hub',
    params: z.object({ id: z.string() }),
    reply: z.object({ removed: z.string() }),
  },
} as const satisfies Record<string, Route>
